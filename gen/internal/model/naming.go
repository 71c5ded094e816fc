package model

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/spec"
)

// nameless is a part whose name is to be decided.
type nameless struct {
	n          spec.Node
	loc, given string
	names      []string // to try, best first
	weight     int      // parts of a lower weight choose first
	what       string   // in messages: "GET /users"
}

// choose decides the names of the parts that share a scope, by location. Names
// that an overlay sets or that are locked come first, so that they do not change.
// The others get the first of their names that is free. taken holds the names that
// are in use, with what each of them names.
func (b *builder) choose(parts []nameless, taken map[string]string) map[string]LockEntry {
	chosen := make(map[string]LockEntry, len(parts))
	derived := func(p nameless) bool { return p.given == "" && !b.lock.has(p.loc) }
	take := func(p nameless, name string) {
		e := b.name(p.n, p.loc, p.given, name)
		chosen[p.loc] = e
		if e.Name != invalid && taken[e.Name] == "" {
			taken[e.Name] = p.what
		}
	}
	slices.SortStableFunc(parts, func(x, y nameless) int {
		return cmp.Or(boolRank(derived(x), derived(y)), cmp.Compare(x.weight, y.weight))
	})
	for _, p := range parts {
		name := p.names[0]
		if derived(p) {
			name = firstFree(p.names, func(name string) bool { return taken[name] != "" })
		}
		take(p, name)
	}
	for _, p := range parts {
		if owner := taken[p.names[0]]; p.given == "" && owner != "" && owner != p.what && chosen[p.loc].Name != invalid {
			b.nameTaken(p.n.Pos(), p.what, chosen[p.loc].Name, p.names[0], owner)
		}
	}
	return chosen
}

// nameTaken reports that a part is not called by its short name.
func (b *builder) nameTaken(pos diag.Pos, what, name, short, owner string) {
	b.domain.Warnings = append(b.domain.Warnings, warn(pos, "name-taken",
		what+" is called "+name+": "+short+" is the name of "+owner,
		"the name is kept in "+cmp.Or(b.lock.File, "the names lock")+" and does not change by itself; to give it a better one, delete the entry and set x-type, x-name, x-method or x-enum in an overlay"))
}

// nameMethods decides the names of all methods. The short name of an operation is
// made of its path and HTTP method. If it is taken, the operation is named after
// its operationId or else its path.
func (b *builder) nameMethods() {
	taken := map[string]string{}
	operations := map[string]bool{}
	var parts []nameless
	for _, path := range b.doc.Root().Get("paths").Members() {
		for _, method := range httpMethods {
			op := path.Get(method)
			if !op.Exists() {
				continue
			}
			loc := strings.ToUpper(method) + " " + path.Name()
			names := methodNames(path.Name(), strings.ToUpper(method), op.Str("operationId"))
			p := nameless{n: op, loc: loc, names: names, what: loc, weight: 2 + 2*strings.Count(path.Name(), "/")}
			if slices.Contains(names[1:], names[0]) { // the operationId says the same
				p.weight = 0
			} else if method == "put" {
				p.weight++ // PATCH is the update, if there are both
			}
			if r, m := op.Str("x-resource"), op.Str("x-method"); r != "" || m != "" {
				resource, verb, _ := strings.Cut(names[0], ".")
				p.given = cmp.Or(r, resource) + "." + cmp.Or(m, verb)
			}
			parts = append(parts, p)
			operations[loc] = true
		}
	}
	for loc, e := range b.lock.entries { // of further media types of these operations
		for i, c := range loc {
			if c == ' ' && operations[loc[:i]] && strings.Contains(e.Name, ".") && e.Name != b.lock.entries[loc[:i]].Name {
				taken[e.Name] = loc
			}
		}
	}
	b.methods = b.choose(parts, taken)
	b.methodNames = taken
}

// methodNames returns the names to try for an operation, as Resource.Method.
func methodNames(path, method, id string) []string {
	resource, verb := defaultNames(path, method)
	names := []string{resource + "." + verb}
	if name := GoName(id); name != "" {
		if short := strings.TrimSuffix(strings.TrimSuffix(name, resource), singular(resource)); short != name && len(words(short)) == 1 {
			names = append(names, resource+"."+short)
		}
		names = append(names, resource+"."+name)
	}
	if method == http.MethodPut {
		names = append(names, resource+".Replace")
	}
	outer := ""
	for segment := range strings.SplitSeq(path, "/") {
		if segment != "" && !strings.HasPrefix(segment, "{") {
			if name := identifier(segment); name != resource {
				outer = singular(name)
			}
		}
	}
	if outer != "" {
		names = append(names, resource+"."+verb+"For"+outer)
	}
	if whole := GoName(path); whole != "" {
		names = append(names, resource+"."+verb+whole)
	}
	if id != "" && GoName(id) == "" {
		names = append(names, resource+"."+identifier(id))
	}
	return names
}

// fieldNames decides the names of a struct's members, by location.
func (b *builder) fieldNames(members []spec.Node) map[string]LockEntry {
	taken := map[string]string{}
	for _, name := range ownMembers {
		taken[name] = "what every type has"
	}
	like := twinsOf(members, spec.Node.Name)
	parts := make([]nameless, len(members))
	for i, p := range members {
		parts[i] = nameless{
			n: p, loc: "field " + local(p), given: p.Str("x-name"), what: strconv.Quote(p.Name()),
			names: alternatives("", p.Name(), "Field", like), weight: boolWeight(!plain(p.Name())),
		}
	}
	return b.choose(parts, taken)
}

// ownMembers are the fields and methods that every type has.
var ownMembers = []string{"JSON", "JSONFields", "MarshalJSON", "UnmarshalJSON"}

// paramNames decides the names of an operation's parameters, by location. Path
// parameters are arguments, others are the fields of a struct.
func (b *builder) paramNames(m *Method, params []spec.Node) {
	var arguments, members []nameless
	seen := map[string]bool{}
	like := twinsOf(params, func(p spec.Node) string { return p.Str("name") })
	for _, p := range params {
		in, wire := p.Str("in"), p.Str("name")
		loc := m.Loc + " " + in + " " + wire
		if wire == "" || seen[loc] || p.Get("x-const").Exists() {
			continue
		}
		seen[loc] = true
		part := nameless{
			n: p, loc: loc, given: p.Str("x-name"), what: "the " + in + " parameter " + strconv.Quote(wire) + " of " + m.Loc,
			names: alternatives("", wire, identifier(in), like), weight: boolWeight(!plain(wire)),
		}
		if in == "path" {
			arguments = append(arguments, part)
		} else {
			members = append(members, part)
		}
	}
	b.params = b.choose(arguments, map[string]string{})
	for loc, e := range b.choose(members, map[string]string{"Body": "the body"}) {
		b.params[loc] = e
	}
}

func boolWeight(heavy bool) int {
	if heavy {
		return 1
	}
	return 0
}

// typeNames returns the names to try for a type, best first.
func (b *builder) typeNames(t *Type) []string {
	suffix := map[Kind]string{Struct: "Object", Enum: "Enum", Union: "Union"}[t.Kind]
	if name, ok := t.component(); ok {
		if b.schemas == nil {
			b.schemas = twinsOf(b.doc.Root().At("components", "schemas").Members(), spec.Node.Name)
		}
		return alternatives("", name, suffix, b.schemas)
	}
	short, isParams := strings.CutSuffix(t.Name, "Params")
	switch {
	case isParams && t.Params:
		return []string{t.Name, short + "Arguments"}
	case isParams && strings.Contains(t.Loc, "/requestBody/"):
		return []string{t.Name, short + "Body", short + "BodyObject"}
	}
	return []string{t.Name, t.Name + suffix}
}

// component returns the name of the component that the type is made of.
func (t *Type) component() (name string, ok bool) {
	name, ok = strings.CutPrefix(t.Loc, "#/components/schemas/")
	return spec.Unescape(name), ok && !strings.Contains(name, "/")
}

// rank orders types by their claim to a name: those whose names an overlay sets or
// that are locked, components, and schemas that are declared where they are used.
func (b *builder) rank(t *Type) int {
	name, component := t.component()
	switch {
	case b.fixed(t):
		return 0
	case component && plain(name):
		return 1
	case component:
		return 2
	case t.Params:
		return 3
	}
	return 4
}

// fixed reports whether the name of a type cannot change.
func (b *builder) fixed(t *Type) bool { return t.given || b.lock.has(t.lockLoc()) }

func (b *builder) byRank(types []*Type) []*Type {
	return slices.SortedStableFunc(slices.Values(types), func(x, y *Type) int { return cmp.Compare(b.rank(x), b.rank(y)) })
}

// separate renames types that have a name by accident that another type has, too.
// Types of the same name and shape are left to be merged.
func (b *builder) separate() {
	owners := map[string]*Type{}
	for _, t := range b.byRank(b.types) {
		first := owners[t.Name]
		if first == nil {
			owners[t.Name] = t
			continue
		}
		if first.explicit && t.explicit || b.fixed(t) || len(b.conflicts(first, t)) == 0 {
			continue
		}
		short := t.Name
		var shared *Type // of the same shape, under an alternative name
		name := firstFree(b.typeNames(t), func(name string) bool {
			other := owners[name]
			if other != nil && name != short && len(b.conflicts(other, t)) == 0 {
				shared = other
				return false
			}
			return other != nil
		})
		b.renameType(t, name)
		if shared == nil {
			owners[name] = t
		}
		b.nameTaken(t.Pos, "the type of "+t.Loc, name, short, first.Loc)
	}
}
