package basiqtest

import (
	"cmp"
	"encoding/json"
	"net/http"
)

// local is a path of this server in data that is kept: an event, a summary, a report. It
// becomes a link when it is sent, because the client may know the server by another
// address than the one that caused the data.
type local string

// localMember marks a local path in the JSON of a state.
const localMember = "$path"

// MarshalJSON encodes the path for a state. Responses contain links instead.
func (l local) MarshalJSON() ([]byte, error) { return json.Marshal(object{localMember: string(l)}) }

// relocate returns v, which was decoded from the JSON of a state, with its local paths.
func relocate(v any) any {
	switch v := v.(type) {
	case object:
		return relocate(map[string]any(v))
	case map[string]any:
		if path, ok := v[localMember].(string); ok && len(v) == 1 {
			return local(path)
		}
		if v == nil {
			return object(nil)
		}
		out := make(object, len(v))
		for name, member := range v {
			out[name] = relocate(member)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, element := range v {
			out[i] = relocate(element)
		}
		return out
	}
	return v
}

// rebase returns v with all local paths made links that begin with root.
func rebase(v any, root string) any {
	switch v := v.(type) {
	case local:
		return root + string(v)
	case []local:
		out := make([]string, len(v))
		for i, path := range v {
			out[i] = root + string(path)
		}
		return out
	case object:
		if v == nil {
			return v
		}
		out := make(object, len(v))
		for name, member := range v {
			out[name] = rebase(member, root)
		}
		return out
	case []object:
		out := make([]object, len(v))
		for i, element := range v {
			out[i], _ = rebase(element, root).(object)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, element := range v {
			out[i] = rebase(element, root)
		}
		return out
	}
	return v
}

// root returns what links begin with: the public URL, or the address that the request
// came to. It is called with the lock held.
func (s *Server) root() string { return cmp.Or(s.cfg.publicURL, s.requested, s.URL) }

// rootOf returns the address that a request came to, or "" if it does not say.
func rootOf(r *http.Request) string {
	switch {
	case r.Host == "":
		return ""
	case r.TLS != nil:
		return "https://" + r.Host
	}
	return "http://" + r.Host
}
