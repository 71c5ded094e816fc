package emit

import (
	"fmt"
	"slices"
	"strings"

	. "github.com/dave/jennifer/jen"

	"github.com/basiq-sdk/basiq-go/gen/internal/model"
)

// commandParam is a value that a command takes.
type commandParam struct {
	name, kind, doc string
	list, required  bool
	filter          bool
	values          []string
	member          []string
	key             paramKey
}

// paramKey identifies a value of a command: a field or, in a filter, a condition
// on a field.
type paramKey struct{ field, op any }

func (p commandParam) literal() Code {
	fields := Dict{Id("Name"): Lit(p.name), Id("Kind"): Lit(p.kind)}
	if p.doc != "" {
		fields[Id("Doc")] = Lit(p.doc)
	}
	for name, is := range map[string]bool{"List": p.list, "Required": p.required, "Filter": p.filter} {
		if is {
			fields[Id(name)] = True()
		}
	}
	for name, list := range map[string][]string{"Values": p.values, "Member": p.member} {
		if len(list) > 0 {
			fields[Id(name)] = textList(list)
		}
	}
	return Values(fields)
}

// commandKinds names the kinds of values that are one word on a command line.
// Everything else is given as JSON.
var commandKinds = map[model.Prim]string{
	model.String: "text", model.Secret: "text", model.Bool: "bool", model.Int: "int", model.Float: "float",
	model.Decimal: "decimal", model.Number: "number", model.Date: "date", model.DateTime: "datetime", model.Month: "month", model.File: "file",
}

// commandValue returns the value of a command that has a type.
func (c *commands) commandValue(name string, r model.Ref, doc string) commandParam {
	p := commandParam{name: name, doc: c.plain(doc)}
	if r.Prim == model.List {
		p.list, r = true, *r.Elem
	}
	switch kind := commandKinds[r.Prim]; {
	case r.Prim == model.Named && r.Type.Kind == model.Enum && r.Base() != model.Int: // numbers are JSON
		p.kind = "enum"
		for _, v := range r.Type.Values {
			p.values = append(p.values, v.Wire)
		}
	case kind == "" || p.list && !r.IsText():
		p.kind, p.list = "json", false
	default:
		p.kind = kind
	}
	return p
}

// params returns a method's arguments and its other values.
func (c *commands) params(m *model.Method) (args, params []commandParam) {
	for _, f := range m.PathParams {
		p := c.commandValue(strings.TrimSuffix(kebab(argument(f)), "-id"), f.Ref, f.Doc)
		p.required = true
		args = append(args, p)
	}
	if m.Options != nil {
		for _, f := range m.Options.Fields {
			params = append(params, c.paramsOf(f)...)
		}
	}
	if m.Params == nil {
		return args, params
	}
	for _, f := range m.Params.Fields {
		switch {
		case f.In == "body" && m.Body == model.BodyJSON && isObject(f.Ref):
			params = append(params, c.memberParams(f.Ref.Type, nil, nil, f.Required)...)
		case f.In == "body" && m.Body == model.BodyJSON: // it is given as a whole
		case f.In == "body" && isForm(m, f):
			for _, part := range f.Ref.Type.Fields { // of a form
				params = append(params, c.fieldParam(part))
			}
		case f.In == "" && m.Body == model.BodyJSON:
			params = append(params, c.memberParams(m.Params, nil, nil, true)...)
			return args, params // the struct is the body
		default:
			params = append(params, c.paramsOf(f)...)
		}
	}
	return args, params
}

func isObject(r model.Ref) bool { return r.Prim == model.Named && r.Type.Kind == model.Struct }

// isForm reports whether a body is sent as the fields of a form.
func isForm(m *model.Method, f *model.Field) bool {
	return (m.Body == model.BodyForm || m.Body == model.BodyMultipart) && isObject(f.Ref)
}

// paramsOf returns the values of a parameter of the query, of a header or of a form.
func (c *commands) paramsOf(f *model.Field) []commandParam {
	if f.Ref.Prim == model.Filters {
		return c.filterParams(f)
	}
	return []commandParam{c.fieldParam(f)}
}

func (c *commands) fieldParam(f *model.Field) commandParam {
	p := c.commandValue(kebab(f.Name), f.Ref, f.Doc)
	p.required, p.key = f.Required, paramKey{field: f}
	return p
}

// argument returns the Go name of a path parameter, which is without its
// resource if the API calls it just id.
func argument(f *model.Field) string { return strings.ToUpper(f.Arg()[:1]) + f.Arg()[1:] }

// memberParams returns the members of a JSON body. Those of a nested object are
// values of their own, with the object's name in front.
func (c *commands) memberParams(t *model.Type, names, path []string, required bool) []commandParam {
	var out []commandParam
	for _, f := range t.Fields {
		if !f.Sent() {
			continue
		}
		names, path := append(slices.Clone(names), kebab(f.Name)), append(slices.Clone(path), f.Wire)
		if f.Ref.Prim == model.Named && f.Ref.Type.Kind == model.Struct && len(path) < 3 {
			out = append(out, c.memberParams(f.Ref.Type, names, path, false)...)
			continue
		}
		p := c.commandValue(strings.Join(names, "-"), f.Ref, f.Doc)
		p.required, p.member = required && f.Required, path
		out = append(out, p)
	}
	return out
}

// filterParams returns a value for each condition of a filter, named as the
// builder's method is, and one for conditions in the API's own syntax.
func (c *commands) filterParams(f *model.Field) []commandParam {
	var out []commandParam
	for _, field := range f.Filter.Fields {
		for _, op := range commandOps(field) {
			p := c.commandValue(kebab(field.Name+filterOps[op].suffix), field.Ref, field.Doc)
			p.filter, p.list, p.key = true, op == "in" || op == "bt", paramKey{field, op}
			p.doc = withCondition(strings.ReplaceAll(p.doc, "use Raw", "use --"+kebab(f.Name)), op)
			out = append(out, p)
		}
	}
	return append(out, commandParam{
		name: kebab(f.Name), kind: "text", list: true, filter: true, key: paramKey{field: f},
		doc: fmt.Sprintf("A condition in the API's own syntax, such as %s.", exampleCondition(f.Filter)),
	})
}

// commandOps returns the operators of a field that are flags. A range is given
// with its two ends, so it needs no flag of its own.
func commandOps(f *model.FilterField) []string {
	return slices.DeleteFunc(slices.Clone(f.Ops), func(op string) bool {
		return op == "bt" && slices.Contains(f.Ops, "gteq") && slices.Contains(f.Ops, "lteq")
	})
}

// withCondition adds what a condition requires to the first sentence of a
// field's documentation.
func withCondition(doc, op string) string {
	condition := map[string]string{
		"ne": "anything but this", "in": "any of these", "bt": "from the first to the last of several",
		"gt": "after this", "gteq": "this or later", "lt": "before this", "lteq": "this or earlier",
	}[op]
	if condition == "" {
		return doc
	}
	first, rest, _ := strings.Cut(doc, ". ")
	return strings.TrimSpace(strings.TrimSuffix(first, ".") + ": " + condition + ". " + rest)
}

func exampleCondition(f *model.Filter) string {
	return f.Fields[0].Path + "." + f.Fields[0].Ops[0] + "('…')"
}

// calls adds the functions that make a method's calls.
func (c *commands) calls(fields Dict, r *model.Resource, m *model.Method) {
	method := func(name string, more ...Code) *Statement {
		args := []Code{Id("ctx")}
		for i, f := range m.PathParams {
			if !f.Ref.IsText() || f.Ref.Pointer {
				args = append(args, Id(fmt.Sprintf("arg%d", i)))
				continue
			}
			args = append(args, c.convert(f.Ref, Id("in").Dot("Arg").Call(Lit(i))))
		}
		if m.Params != nil {
			args = append(args, Id("p"))
		}
		args = append(append(args, more...), Id("opts").Op("..."))
		return Qual(c.path, "New").Call(Id("c")).Dot(r.Name).Dot(name).Call(args...)
	}
	function := func(more ...Code) *Statement {
		args := []Code{Id("ctx").Qual("context", "Context"), Id("c").Op("*").Qual(c.transport, "Client"), Id("in").Id("Input")}
		return Func().Params(append(append(args, more...), Id("opts").Op("...").Qual(c.transport, "Option"))...)
	}
	fail := func(values ...Code) func() Code {
		return func() Code { return Return(append(values, Err())...) }
	}
	if m.Stream {
		fields[Id("Stream")] = function(Id("w").Qual("io", "Writer")).Error().BlockFunc(func(g *Group) {
			c.read(g, m, fail())
			g.Return(method(m.Name, Id("w")))
		})
		return
	}
	fields[Id("Run")] = function().Params(Any(), Error()).BlockFunc(func(g *Group) {
		c.read(g, m, fail(Nil()))
		if m.Result == nil {
			g.Return(Nil(), method(m.Name))
			return
		}
		g.Return(method(m.Name))
	})
	if m.Page != nil {
		fields[Id("All")] = function().Qual("iter", "Seq2").Types(Any(), Error()).BlockFunc(func(g *Group) {
			c.read(g, m, func() Code { return Return(Id("failed").Call(Err())) })
			g.Return(Id("each").Call(method(m.AllName())))
		})
	}
}

// read fills the parameters of a method from the input.
func (c *commands) read(g *Group, m *model.Method, fail func() Code) {
	check := func(call *Statement) { g.If(Err().Op(":=").Add(call), Err().Op("!=").Nil()).Block(fail()) }
	for i, f := range m.PathParams {
		if !f.Ref.IsText() || f.Ref.Pointer {
			name := fmt.Sprintf("arg%d", i)
			g.Var().Id(name).Add(c.typeOf(f.Ref))
			check(Id("in").Dot("ArgJSON").Call(Lit(i), Op("&").Id(name)))
		}
	}
	if m.Options != nil {
		g.Var().Id("o").Qual(c.path, m.Options.Name)
		for _, f := range m.Options.Fields {
			c.readParam(g, Id("o").Dot(f.Name), f, check)
		}
		g.Id("opts").Op("=").Append(Id("opts"), Id("o"))
	}
	if m.Params == nil {
		return
	}
	g.Var().Id("p").Qual(c.path, m.Params.Name)
	body := func(at *Statement) { check(Id("in").Dot("Body").Call(Op("&").Add(at))) }
	if m.Body == model.BodyJSON && !m.Params.Params { // the struct is the body
		body(Id("p"))
		return
	}
	for _, f := range m.Params.Fields {
		at := func() *Statement { return Id("p").Dot(f.Name) }
		switch {
		case f.In == "body" && m.Body == model.BodyJSON && f.Ref.Pointer && isObject(f.Ref):
			g.If(Id("in").Dot("HasBody").Call()).Block(
				at().Op("=").New(Qual(c.path, f.Ref.Type.Name)),
				If(Err().Op(":=").Id("in").Dot("Body").Call(at()), Err().Op("!=").Nil()).Block(fail()))
		case f.In == "body" && m.Body == model.BodyJSON && !f.Required:
			g.If(Id("in").Dot("HasBody").Call()).Block(If(Err().Op(":=").Id("in").Dot("Body").Call(Op("&").Add(at())), Err().Op("!=").Nil()).Block(fail()))
		case f.In == "body" && m.Body == model.BodyJSON:
			body(at())
		case f.In == "body" && isForm(m, f):
			if f.Ref.Pointer {
				g.Add(at()).Op("=").New(Qual(c.path, f.Ref.Type.Name))
			}
			for _, part := range f.Ref.Type.Fields {
				c.readField(g, at().Dot(part.Name), part, check)
			}
		default:
			c.readParam(g, at(), f, check)
		}
	}
}

// readParam sets a parameter of the query, of a header or of a form.
func (c *commands) readParam(g *Group, at *Statement, f *model.Field, check func(*Statement)) {
	if f.Ref.Prim == model.Filters {
		c.readFilter(g, at, f)
		return
	}
	c.readField(g, at, f, check)
}

// readField sets a field that is not part of a JSON body.
func (c *commands) readField(g *Group, at *Statement, f *model.Field, check func(*Statement)) {
	name, in := Lit(c.names[paramKey{field: f}]), func(method string, args ...Code) *Statement { return Id("in").Dot(method).Call(args...) }
	p := c.fieldParam(f)
	var v Code
	switch {
	case p.kind == "json":
		check(in("JSON", name, Op("&").Add(at)))
		return
	case p.list && f.Ref.Elem.Prim == model.String:
		g.Add(at).Op("=").Add(in("Texts", name))
		return
	case p.list:
		g.For(List(Id("_"), Id("v")).Op(":=").Range().Add(in("Texts", name))).Block(
			at.Clone().Op("=").Append(at.Clone(), c.convert(*f.Ref.Elem, Id("v"))))
		return
	case p.kind == "file":
		g.Add(at).Op("=").Add(in("File", name))
		return
	case p.kind == "int":
		v = in("Int", name)
	case p.kind == "float":
		v = in("Float", name)
	case p.kind == "bool":
		v = in("Bool", name)
	default:
		plain := f.Ref
		plain.Pointer = false
		v = c.convert(plain, in("Text", name))
	}
	if f.Ref.Pointer {
		g.If(in("Set", name)).Block(at.Clone().Op("=").New(v))
		return
	}
	g.Add(at).Op("=").Add(v)
}

func (c *commands) readFilter(g *Group, filter *Statement, f *model.Field) {
	at := func() *Statement { return filter.Clone() }
	in := func(method, name string) *Statement { return Id("in").Dot(method).Call(Lit(name)) }
	for _, field := range f.Filter.Fields {
		for _, op := range commandOps(field) {
			method, name := field.Name+filterOps[op].suffix, c.names[paramKey{field, op}]
			switch op {
			case "in":
				g.If(in("Set", name)).Block(
					Var().Id("values").Index().Add(c.typeName(field.Ref)),
					For(List(Id("_"), Id("v")).Op(":=").Range().Add(in("Texts", name))).Block(
						Id("values").Op("=").Append(Id("values"), c.convert(field.Ref, Id("v")))),
					at().Op("=").Add(at().Dot(method).Call(Id("values").Op("..."))))
			case "bt":
				last := Id("v").Index(Len(Id("v")).Op("-").Lit(1))
				g.If(Id("v").Op(":=").Add(in("Texts", name)), Len(Id("v")).Op(">").Lit(0)).Block(
					at().Op("=").Add(at().Dot(method).Call(c.convert(field.Ref, Id("v").Index(Lit(0))), c.convert(field.Ref, last))))
			default:
				g.If(in("Set", name)).Block(at().Op("=").Add(at().Dot(method).Call(c.scalar(field.Ref, name))))
			}
		}
	}
	g.For(List(Id("_"), Id("v")).Op(":=").Range().Add(in("Texts", c.names[paramKey{field: f}]))).Block(at().Op("=").Add(at().Dot("Raw").Call(Id("v"))))
}

// scalar returns a value of the input that is not a list.
func (c *commands) scalar(r model.Ref, name string) Code {
	method := map[model.Prim]string{model.Int: "Int", model.Float: "Float", model.Bool: "Bool"}[r.Prim]
	if method == "" {
		return c.convert(r, Id("in").Dot("Text").Call(Lit(name)))
	}
	return Id("in").Dot(method).Call(Lit(name))
}

// convert converts a string to a type whose underlying type is string.
func (c *commands) convert(r model.Ref, v *Statement) Code {
	if r.Prim == model.String {
		return v
	}
	return c.typeName(r).Call(v)
}

// typeOf returns a type as another package names it.
func (c *commands) typeOf(r model.Ref) *Statement {
	s := new(Statement)
	if r.Pointer {
		s.Op("*")
	}
	switch r.Prim {
	case model.List:
		return s.Index().Add(c.typeOf(*r.Elem))
	case model.Map:
		return s.Map(String()).Add(c.typeOf(*r.Elem))
	}
	return s.Add(c.typeName(r))
}

// typeName returns a scalar type as another package names it.
func (c *commands) typeName(r model.Ref) *Statement {
	if r.Prim == model.Named {
		return Qual(c.path, r.Type.Name)
	}
	name := model.Ref{Prim: r.Prim}.Go()
	if rest, ok := strings.CutPrefix(name, "value."); ok {
		return Qual(c.value, rest)
	}
	return Id(name)
}
