package report

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/basiq-sdk/basiq-go/gen/internal/model"
	"github.com/basiq-sdk/basiq-go/gen/internal/spec"
)

// index leads from a Go symbol to the places of the description that it
// stands for: "Book.Isbn" → "#/components/schemas/book/properties/isbn".
type index struct {
	places map[string][]string
	users  map[string][]string // by type or constant, the symbols that use it or that it belongs to
	uses   map[string][]string // by field or method, the types that it consists of
	params map[string]bool     // pointers of the operations with a struct of parameters
}

func newIndex(d *model.Domain, doc *spec.Document) *index {
	x := &index{places: map[string][]string{}, users: map[string][]string{}, uses: map[string][]string{}, params: map[string]bool{}}
	if d == nil {
		return x
	}
	x.use(d)
	used := map[string]model.LockEntry{}
	for loc, e := range d.Lock.Used() {
		used[named(doc, loc)] = e
	}
	types := map[string]string{}
	locs := slices.Sorted(maps.Keys(used)) // the first place of a symbol decides its card
	for _, loc := range locs {
		e := used[loc]
		if rest, ok := strings.CutPrefix(loc, "type "); ok {
			types[rest] = e.Name
			x.put(e.Name, "#"+rest)
		} else if op, ok := strings.CutSuffix(loc, " params"); ok {
			x.put(e.Name, operationPointer(op))
			x.params[operationPointer(op)] = true
			types[op] = e.Name
		}
	}
	for _, loc := range locs {
		e := used[loc]
		first, rest, _ := strings.Cut(loc, " ")
		switch first {
		case "type":
		case "field", "variant":
			x.put(owner(types, rest)+"."+e.Name, "#"+strings.TrimSuffix(rest, " "+e.Name))
		case "value":
			place, _, _ := strings.Cut(rest, " ")
			x.put(e.Name, "#"+place)
		default:
			x.operation(types, loc, e.Name)
		}
	}
	for _, t := range d.Types {
		for _, v := range t.Values {
			// A value is declared under its type's name as well.
			if places := x.places[v.Name]; len(places) > 0 && !strings.HasPrefix(v.Name, t.Name) {
				x.places[t.Name+v.Name] = places
			}
		}
		for _, f := range t.Fields {
			if f.Filter != nil {
				for _, p := range x.places[t.Name+"."+f.Name] {
					x.put(f.Filter.Type, p)
				}
			}
		}
	}
	return x
}

var numbered = regexp.MustCompile(`(/paths/[^ ]*?/parameters)/(\d+)`)

// named writes a parameter's place by where it goes and its name, as facts
// have it, instead of its position.
func named(doc *spec.Document, loc string) string {
	return numbered.ReplaceAllStringFunc(loc, func(at string) string {
		p := doc.Lookup("#" + at)
		in, name := p.Str("in"), p.Str("name")
		if name == "" {
			return at
		}
		return at[:strings.LastIndex(at, "/")+1] + strings.ReplaceAll(in+":"+name, "/", "~1")
	})
}

func (x *index) put(symbol, place string) {
	x.places[symbol] = append(x.places[symbol], place)
}

// owner is the type that the member at a place belongs to.
func owner(types map[string]string, place string) string {
	for p := place; ; {
		i := strings.LastIndex(p, "/")
		if i < 0 {
			return ""
		}
		p = p[:i]
		if t, ok := types[p]; ok {
			return t
		}
	}
}

// operation indexes "GET /users/{userId}", "… application/pdf", "… query limit".
func (x *index) operation(types map[string]string, loc, name string) {
	parts := strings.SplitN(loc, " ", 4)
	if len(parts) < 2 {
		return
	}
	op := parts[0] + " " + parts[1]
	at := operationPointer(op)
	switch {
	case len(parts) == 4: // a parameter
		at += "/parameters/" + strings.ReplaceAll(parts[2]+":"+parts[3], "/", "~1")
		if t := types[op]; t != "" {
			x.put(t+"."+name, at)
		}
	case len(parts) == 3 && parts[2] == "params":
	default:
		resource, method, _ := strings.Cut(name, ".")
		x.put(resource+"Service."+method, at)
		for _, s := range []string{resource + "Service.All", resource + "Service.All" + strings.TrimPrefix(method, "List"), "op" + resource + method, resource + "Service", "Client." + resource} {
			x.places[s] = append(x.places[s], at)
		}
	}
}

func operationPointer(op string) string {
	method, path, _ := strings.Cut(op, " ")
	return "#/paths/" + strings.ReplaceAll(strings.ReplaceAll(path, "~", "~0"), "/", "~1") + "/" + strings.ToLower(method)
}
