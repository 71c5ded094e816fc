package model

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/basiq-sdk/basiq-go/gen/internal/canon"
	"github.com/basiq-sdk/basiq-go/gen/internal/spec"
)

var httpMethods = []string{"get", "head", "options", "post", "put", "patch", "delete"}

// operations visits every operation in the order of paths and methods.
func (b *builder) operations() {
	if hooks := b.doc.Root().Get("webhooks"); hooks.Exists() {
		b.warnf(hooks, "not-generated", "webhooks are not generated").
			WithHint("remove them in an overlay")
	}
	for _, path := range b.doc.Root().Get("paths").Members() {
		b.unsupported(path)
		for _, method := range httpMethods {
			if op := path.Get(method); op.Exists() {
				b.operation(path.Name(), strings.ToUpper(method), op)
			}
		}
	}
	if len(b.domain.Resources) == 0 { // a description of types
		for _, n := range b.doc.Root().At("components", "schemas").Members() {
			b.roots = append(b.roots, b.ref(n, context{name: identifier(n.Name()), request: true, response: true}))
		}
	}
	for _, r := range b.domain.Resources {
		slices.SortStableFunc(r.Methods, func(x, y *Method) int {
			return cmp.Or(cmp.Compare(verbRank(x), verbRank(y)), cmp.Compare(x.Path, y.Path), cmp.Compare(x.Name, y.Name))
		})
	}
}

// unsupported reports keywords of a path for which no code can be generated, so
// that no part of the API is silently ignored.
func (b *builder) unsupported(path spec.Node) {
	if ref := path.Get("$ref"); ref.Exists() {
		b.tolerate(ref, "cannot-express", "%s is a reference to another path", path.Name()).
			WithHint("replace the reference with the path itself in an overlay")
	}
	if trace := path.Get("trace"); trace.Exists() {
		b.tolerate(trace, "cannot-express", "TRACE %s cannot be generated", path.Name()).
			WithHint("remove the operation in an overlay")
	}
	for _, method := range httpMethods {
		if calls := path.At(method, "callbacks"); calls.Exists() {
			b.warnf(calls, "not-generated", "the callbacks of %s %s are not generated", strings.ToUpper(method), path.Name()).
				WithHint("remove the callbacks in an overlay")
		}
		if servers := path.At(method, "servers"); servers.Exists() && !b.sameServers(servers) {
			b.warnf(servers, "own-server", "%s %s is on a server of its own, which a call has to name", strings.ToUpper(method), path.Name()).
				WithHint("pass transport.WithBaseURL to the method, or remove the servers or the operation in an overlay")
		}
	}
}

// sameServers reports whether the servers of an operation are those of the document.
// A document may also leave all of them to its operations.
func (b *builder) sameServers(servers spec.Node) bool {
	if all := b.doc.Root().Get("servers"); all.Exists() {
		b.servers = all
	} else if !b.servers.Exists() {
		for _, path := range b.doc.Root().Get("paths").Members() {
			for _, method := range httpMethods {
				if op := path.Get(method); op.Exists() && !op.Get("servers").Exists() {
					return false
				}
			}
		}
		b.servers = servers
	}
	addresses := func(n spec.Node) (list []string) {
		for _, server := range n.Items() {
			address := strings.TrimSuffix(server.Str("url"), "/")
			for _, v := range server.Get("variables").Members() {
				address = strings.ReplaceAll(address, "{"+v.Name()+"}", v.Str("default"))
			}
			list = append(list, address)
		}
		slices.Sort(list)
		return slices.Compact(list)
	}
	return slices.Equal(addresses(servers), addresses(b.servers))
}

// verbRank orders the methods of a resource by their verb.
func verbRank(m *Method) int {
	for i, verb := range []string{"Create", "Upload", "Get", "List", "Lookup", "Update", "Delete"} {
		if strings.HasPrefix(m.Name, verb) {
			return i
		}
	}
	return 99
}

func (b *builder) operation(path, method string, op spec.Node) {
	loc := method + " " + path
	entry := b.methods[loc]
	resource, verb, _ := strings.Cut(entry.Name, ".")
	if verb == "" {
		if entry.Name != invalid { // reported before
			b.errorf(op, "bad-name", "the name of %s is %q, which is not of the form Resource.Method", loc, entry.Name)
		}
		return
	}
	m := &Method{
		Resource: b.resource(op, resource), Name: verb, Was: oldMethods(entry.Was),
		OperationID: op.Str("operationId"), HTTP: method,
		Loc: loc, Pos: op.Pos(),
		Doc:        b.documented(op),
		Deprecated: b.deprecation(op),
		explicit:   op.Str("x-resource") != "" || op.Str("x-method") != "",
		Safety:     b.safety(op, method),
	}
	m.Path, m.Query = b.template(m, op, path)
	b.scope(m, op)
	if servers := op.Get("servers"); servers.Exists() && !b.sameServers(servers) && len(servers.Items()) > 0 {
		m.Server = servers.Items()[0].Str("url")
	}
	body := op.Get("requestBody").Deref()
	forms := b.bodyForms(m, body)
	if len(forms) == 0 {
		b.parameters(m, op)
		b.responses(m, op)
	}
	for i, form := range forms {
		of := *m
		if i > 0 {
			b.nameForm(&of, form)
		}
		b.parameters(&of, op)
		b.requestBody(&of, op, body, form)
		b.responses(&of, op)
	}
}

// nameForm decides the name of the method that sends a further form of the body.
func (b *builder) nameForm(m *Method, form bodyForm) {
	m.Form, m.Loc, m.Pos = form.Name(), m.Loc+" as "+form.Name(), form.Pos()
	m.Doc = cmp.Or(b.documented(form.Node), m.Doc)
	given := ""
	if name := form.Str("x-method"); name != "" {
		given = m.Resource.Name + "." + name
	}
	name := m.Resource.Name + "." + m.Name + form.suffix()
	entry := b.choose([]nameless{{n: form.Node, loc: m.Loc, given: given, names: []string{name, name + "Body"}, what: m.Loc}}, b.methodNames)[m.Loc]
	_, m.Name, _ = strings.Cut(entry.Name, ".")
	m.Was = oldMethods(entry.Was)
	m.explicit = given != ""
}

// defaultNames derives the names of a resource and a method. The resource is the
// last segment of the path that is not a parameter. The method depends on the HTTP
// method and on whether the path ends in a parameter.
func defaultNames(path, method string) (resource, verb string) {
	single := strings.HasSuffix(path, "}")
	for segment := range strings.SplitSeq(path, "/") {
		if segment != "" && !strings.HasPrefix(segment, "{") {
			resource = GoName(segment)
		}
	}
	switch method {
	case http.MethodGet:
		verb = "List"
		if single {
			verb = "Get"
		}
	case http.MethodPost:
		verb = "Create"
		if single {
			verb = "Update"
		}
	case http.MethodPut, http.MethodPatch:
		verb = "Update"
	case http.MethodDelete:
		verb = "Delete"
	default:
		verb = GoName(method)
	}
	return cmp.Or(resource, "Root"), verb
}

// oldMethods removes the resource from old names, since only methods are aliased.
func oldMethods(was []string) []string {
	var out []string
	for _, w := range was {
		_, verb, ok := strings.Cut(w, ".")
		if !ok {
			verb = w
		}
		out = append(out, verb)
	}
	return out
}

func (b *builder) deprecation(n spec.Node) string {
	if text := n.Str("x-deprecated"); text != "" {
		return text
	}
	if n.Bool("deprecated") {
		b.warnf(n, "deprecated-without-advice", "%s is deprecated without an alternative", n.Pointer()).
			WithHint("add x-deprecated in an overlay, with what to use instead")
		return "The API marks this as deprecated."
	}
	return ""
}

func (b *builder) safety(op spec.Node, method string) Safety {
	switch s := Safety(op.Str("x-safety")); s {
	case SafetyRead, SafetyIdempotent, SafetyWrite, SafetyUnrepeatable:
		return s
	case "":
	default:
		b.errorf(op.Get("x-safety"), "bad-safety", "x-safety is %q, not A, B, C or D", s)
	}
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return SafetyRead
	case http.MethodPut, http.MethodDelete:
		return SafetyIdempotent
	}
	return SafetyUnrepeatable // a retry could do harm, unless an overlay says otherwise
}

// template returns the path of an operation as it is before it is escaped, and the
// query that is written in it. A fragment only tells operations apart, and is not sent.
func (b *builder) template(m *Method, op spec.Node, path string) (string, []Constant) {
	path, _, _ = strings.Cut(path, "#")
	path, query, _ := strings.Cut(path, "?")
	plain, err := url.PathUnescape(path)
	values, errQuery := url.ParseQuery(query)
	if err != nil || errQuery != nil || strings.Contains(query, "{") || plain != path && strings.ContainsAny(plain, "%?#") || strings.Count(plain, "/") != strings.Count(path, "/") {
		b.tolerate(op, "cannot-express", "the path of %s cannot be sent as it is written", m.Loc).
			WithHint("correct the path in an overlay: its query belongs in parameters, and a %%2F in it cannot be told from a slash")
		return path, nil
	}
	var constants []Constant
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, value := range values[name] {
			constants = append(constants, Constant{Name: name, Value: value})
		}
	}
	return plain, constants
}

func (b *builder) parameters(m *Method, op spec.Node) {
	byName := map[string]*Field{}
	var rest []*Field
	seen := map[string]bool{}
	var declared []spec.Node
	for _, p := range op.Get("parameters").Items() {
		declared = append(declared, p.Deref())
	}
	b.paramNames(m, declared)
	for _, p := range declared {
		in, wire := p.Str("in"), p.Str("name")
		if !b.ownName(m, p, seen) {
			continue
		}
		if fixed := p.Get("x-const"); fixed.Exists() {
			if in != "header" {
				b.errorf(p, "bad-constant", "parameter %q has x-const, but is not a header", wire)
			}
			m.Headers = append(m.Headers, Constant{Name: wire, Value: fixed.Text()})
			continue
		}
		if in == "header" && slices.ContainsFunc([]string{"Accept", "Content-Type", "Authorization"}, func(h string) bool { return strings.EqualFold(h, wire) }) {
			continue // OpenAPI requires that such declarations are ignored
		}
		if (in == "header" || in == "cookie") && !validHeaderName(wire) || strings.ContainsFunc(wire, canon.Hidden) {
			b.tolerate(p, "bad-name", "the name of the %s parameter %q contains invalid characters", in, wire).
				WithHint("correct the name in an overlay, or remove the parameter")
			continue
		}
		f := b.parameter(m, p, in, wire)
		switch in {
		case "path":
			byName[wire] = f
		case "query", "header", "cookie":
			rest = append(rest, f)
		default:
			b.tolerate(p, "cannot-express", "parameter %q is in %q, but only path, query, header and cookie parameters can be generated", wire, in).
				WithHint("remove the parameter in an overlay")
		}
	}
	b.pathParameters(m, op, byName)
	if len(rest) > 0 {
		b.otherParameters(m, op, rest)
	}
}

// pathParameters sets the arguments of a method for the parameters in its path.
func (b *builder) pathParameters(m *Method, op spec.Node, byName map[string]*Field) {
	taken := map[string]string{}
	for _, wire := range pathParams(m.Path) {
		f := byName[wire]
		if f != nil {
			if other, dup := taken[f.Arg()]; dup {
				b.errorf(op, "name-collision", "the parameters %q and %q of %s are both called %s", other, wire, m.Loc, f.Arg()).
					WithHint("rename one of them with x-name in an overlay")
				continue
			}
			taken[f.Arg()] = wire
		}
		if f == nil {
			b.tolerate(op, "path-parameter", "%s does not declare its path parameter %q", m.Loc, wire).
				WithHint("declare it in an overlay")
			f = &Field{Name: cmp.Or(GoName(wire), "Param"), Wire: wire, In: "path", Required: true, Ref: Ref{Prim: String}, Loc: m.Loc + " path " + wire, Pos: op.Pos()}
		}
		m.PathParams = append(m.PathParams, f)
	}
}

// otherParameters makes the type of a method's other parameters.
func (b *builder) otherParameters(m *Method, op spec.Node, rest []*Field) {
	slices.SortStableFunc(rest, func(x, y *Field) int {
		return cmp.Or(boolRank(!x.Required, !y.Required), cmp.Compare(x.Wire, y.Wire))
	})
	t := b.paramsType(m, op, " params", "Params", rest)
	// The first required parameter breaks callers in any form, and as an argument
	// the compiler tells them.
	t.Option = !rest[0].Required && b.lock.asOption(m.Loc, m.Resource.Name+"."+m.Name)
	b.lock.recordOption(t.Loc, t.Option)
	if !t.Option {
		m.Params = t
		return
	}
	t.Doc = strings.Replace(t.Doc, " are the parameters of ", " are optional parameters of ", 1) + " Pass them as an option of the call."
	m.Options = t
}

// paramsType returns the struct of a method's parameters.
func (b *builder) paramsType(m *Method, op spec.Node, place, suffix string, fields []*Field) *Type {
	loc, given := m.Loc+place, op.Str("x-params")
	if m.Options != nil || m.Form != "" { // another struct has that name
		given = ""
	}
	name := m.Name + m.Resource.Name + suffix
	if m.Options != nil {
		name = m.Name + m.Resource.Name + "Body" + suffix
	}
	entry := b.name(op, loc, given, cmp.Or(given, name))
	return &Type{
		Name: entry.Name, Was: entry.Was, Kind: Struct, Params: true, Request: true,
		Doc: entry.Name + " are the parameters of " + m.Resource.Service() + "." + m.Name + ".",
		Loc: loc, Pos: op.Pos(), Fields: fields, explicit: true, given: given != "",
	}
}

// ownName reports whether a parameter has a name, and no earlier parameter in the
// same location has it.
func (b *builder) ownName(m *Method, p spec.Node, seen map[string]bool) bool {
	in, wire := p.Str("in"), p.Str("name")
	if wire == "" || seen[in+" "+wire] {
		b.tolerate(p, "bad-name", "%s has a %s parameter whose name is empty or a duplicate: %q", m.Loc, in, wire).
			WithHint("name the parameter in an overlay, or remove it")
		return false
	}
	seen[in+" "+wire] = true
	return true
}

// validHeaderName reports whether s is a valid header field name (RFC 9110).
func validHeaderName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	})
}

func pathParams(path string) []string {
	var out []string
	for {
		_, rest, ok := strings.Cut(path, "{")
		if !ok {
			return out
		}
		name, after, _ := strings.Cut(rest, "}")
		out, path = append(out, name), after
	}
}

func boolRank(x, y bool) int {
	switch {
	case x == y:
		return 0
	case y:
		return -1
	}
	return 1
}
