package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/textproto"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/basiq-sdk/basiq-go/transport"
)

// key identifies the exchanges of an operation in a step.
type key struct{ scenario, name, operation string }

func (k key) step() string { return k.scenario + ": " + k.name }

// exchange is what is kept of the responses to an operation in a step.
type exchange struct {
	statuses map[int]bool // 0 if there was no response
	media    map[string]bool
	headers  map[string]bool // selected ones that were present
	page     map[int]bool    // numbers of items on pages that another page follows; nil if there was none
	body     *shape          // merged; nil if there was no JSON

	codes, parameters map[string]bool // of errors
}

// Recording is what the scenarios got from a server, without values.
type Recording struct {
	Skipped []string // scenarios that were not run, and why
	Left    int      // users and webhooks that the suite created and could not delete
	Unknown int      // requests to create one whose outcome is unknown

	order     []key
	exchanges map[key]*exchange
	skipped   map[string]bool
}

// selectedHeaders are the response headers whose presence is compared.
var selectedHeaders = []string{
	"Content-Type", "Retry-After", "Www-Authenticate", "Location", "Link", "Etag", "Deprecation", "Sunset",
	"Ratelimit", "Ratelimit-Limit", "Ratelimit-Remaining", "Ratelimit-Reset",
	"X-Ratelimit-Limit", "X-Ratelimit-Remaining", "X-Ratelimit-Reset",
}

// errReadOnly is the error of a request that the recorder did not send.
var errReadOnly = errors.New("conformance: the request would change something, and writing was not allowed")

// recorder is the http.RoundTripper of the suite's clients. It reduces every response to
// a shape, refuses requests that change something unless write is set, and keeps track
// of what was created.
type recorder struct {
	base      http.RoundTripper
	tokenPath string // the only path to which a POST is always sent
	write     bool

	mu      sync.Mutex
	out     *Recording
	created []string // paths of users and webhooks, oldest first
	blocked []string // operations that were refused
}

type contextKey int

const (
	stepKey contextKey = iota
	operationKey
)

// step is the place of a request in the suite.
type step struct{ scenario, name string }

// observer puts the operation into the context, so that the recorder knows it.
func observer() transport.Observer {
	return transport.Observer{StartAttempt: func(ctx context.Context, a transport.Attempt) context.Context {
		return context.WithValue(ctx, operationKey, a.Operation.ID)
	}}
}

// maxBody limits the part of a response that is read.
const maxBody = 64 << 20

// RoundTrip sends a request and records the shape of the response.
func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	at, inStep := req.Context().Value(stepKey).(step)
	operation, _ := req.Context().Value(operationKey).(string)
	safe := req.Method == http.MethodGet || req.Method == http.MethodHead
	if !safe && !r.write && (req.Method != http.MethodPost || req.URL.Path != r.tokenPath) {
		r.mu.Lock()
		r.blocked = append(r.blocked, operation)
		r.mu.Unlock()
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, errReadOnly
	}
	// net/http decompresses only what it asked for itself.
	sent := req.Clone(req.Context())
	sent.Header.Del("Accept-Encoding")
	res, err := r.base.RoundTrip(sent)
	if err != nil {
		r.track(req, nil)
		if inStep {
			r.record(key{at.scenario, at.name, operation}, req, nil, nil)
		}
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBody))
	_ = res.Body.Close()
	if err != nil {
		r.track(req, nil)
		return nil, fmt.Errorf("conformance: the response ended early: %w", err)
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	r.track(req, &received{res.StatusCode, body})
	if inStep {
		r.record(key{at.scenario, at.name, operation}, req, res, body)
	}
	return res, nil
}

func (r *recorder) record(k key, req *http.Request, res *http.Response, body []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.out.exchanges[k]
	if e == nil {
		e = &exchange{
			statuses: map[int]bool{}, media: map[string]bool{}, headers: map[string]bool{},
			codes: map[string]bool{}, parameters: map[string]bool{},
		}
		r.out.exchanges[k] = e
		r.out.order = append(r.out.order, k)
	}
	if res == nil {
		e.statuses[0] = true
		return
	}
	e.statuses[res.StatusCode] = true
	for _, name := range selectedHeaders {
		if len(res.Header[textproto.CanonicalMIMEHeaderKey(name)]) > 0 {
			e.headers[name] = true
		}
	}
	if media, _, err := mime.ParseMediaType(res.Header.Get("Content-Type")); err == nil {
		e.media[media] = true
	}
	if n, followed := pageOf(body); followed {
		if e.page == nil {
			e.page = map[int]bool{}
		}
		e.page[n] = true
	}
	s, ok := shapeOf(body)
	if !ok {
		return
	}
	if res.StatusCode >= 400 {
		problem := s.at("data").at("[]")
		maps.Copy(e.codes, problem.at("code").words)
		maps.Copy(e.parameters, problem.at("source").at("parameter").words)
	}
	e.body = merge(e.body, s)
}

// at returns the shape of a member, or of the items if name is "[]". It is empty if
// there is none.
func (s *shape) at(name string) *shape {
	out := s.members[name]
	if name == "[]" {
		out = s.items
	}
	if out == nil {
		return newShape()
	}
	return out
}

// pageOf returns the number of items on a page, and whether another page follows.
func pageOf(body []byte) (items int, followed bool) {
	var page struct {
		Data  []json.RawMessage
		Links struct{ Next string }
	}
	if json.Unmarshal(body, &page) != nil {
		return 0, false
	}
	return len(page.Data), page.Links.Next != ""
}

// merge adds the shape of another document to a shape, which may be nil.
func merge(into, s *shape) *shape {
	if into == nil {
		return s
	}
	if s == nil {
		return into
	}
	into.objects += s.objects
	for _, pair := range [][2]map[string]bool{{into.kinds, s.kinds}, {into.formats, s.formats}, {into.words, s.words}} {
		for name := range pair[1] {
			pair[0][name] = true
		}
	}
	for name, member := range s.members {
		into.members[name] = merge(into.members[name], member)
	}
	into.items = merge(into.items, s.items)
	return into
}

// received is a complete response.
type received struct {
	status int
	body   []byte
}

// track keeps track of users and webhooks. It looks at the requests themselves, not
// at what the SDK returns, so that one is deleted even if its response cannot be
// decoded. got is nil if there was no response.
func (r *recorder) track(req *http.Request, got *received) {
	r.mu.Lock()
	defer r.mu.Unlock()
	root := strings.TrimSuffix(r.tokenPath, "/token")
	creates := req.Method == http.MethodPost && (req.URL.Path == root+"/users" || req.URL.Path == root+"/notifications/webhooks")
	switch {
	case creates && got == nil:
		r.out.Unknown++
	case creates && got.status < 300:
		var made struct{ ID string }
		if json.Unmarshal(got.body, &made) != nil || made.ID == "" {
			r.out.Unknown++
			return
		}
		r.created = append(r.created, path.Join(strings.TrimPrefix(req.URL.Path, root), made.ID))
	case req.Method == http.MethodDelete && got != nil && (got.status < 300 || got.status == http.StatusNotFound):
		r.created = slices.DeleteFunc(r.created, func(p string) bool { return root+p == req.URL.Path })
	}
}
