package emit

import (
	"fmt"
	"slices"
	"strings"

	. "github.com/dave/jennifer/jen"

	"github.com/basiq-sdk/basiq-go/gen/internal/model"
)

// paths are the import paths of the packages that generated code calls.
type paths struct{ transport, wire, value string }

func newPaths(runtime string) paths {
	return paths{transport: runtime, wire: runtime + "/wire", value: runtime + "/value"}
}

// service declares a resource's service: its type, operations and methods.
func (p paths) service(g *Group, d *model.Domain, r *model.Resource) {
	g.Add(docs(sentence(r.Service(), r.Doc)))
	g.Type().Id(r.Service()).Struct(Id("client").Op("*").Qual(p.transport, "Client"))
	g.Line()
	g.Comment("sender returns what calls are sent through. That of a nil service refuses them.")
	g.Func().Params(Id("s").Op("*").Id(r.Service())).Id("sender").Params().Op("*").Qual(p.transport, "Client").Block(
		If(Id("s").Op("==").Nil()).Block(Return(Nil())),
		Return(Id("s").Dot("client")),
	)
	g.Line()
	for _, m := range r.Methods {
		p.method(g, d, r, m)
		if m.Page != nil {
			p.iterator(g, r, m)
		}
		for _, was := range m.Was {
			p.oldMethod(g, r, m, was)
		}
	}
}

// operations declares the variables that describe a resource's operations.
func (p paths) operations(g *Group, d *model.Domain, r *model.Resource) {
	var defs []Code
	for _, m := range r.Methods {
		fields := Dict{
			Id("ID"):       Lit(m.ID(d)),
			Id("Upstream"): Lit(m.OperationID),
			Id("Method"):   httpConst(m.HTTP),
			Id("Path"):     Lit(m.Path),
			Id("Safety"):   Qual(p.transport, safetyConst[m.Safety]),
			Id("Scope"):    Qual(p.transport, scopeConst[m.Scope]),
		}
		if m.Accept != "" {
			fields[Id("Accept")] = Lit(m.Accept)
		}
		if len(m.Success) > 0 {
			fields[Id("Success")] = Index().Int().ValuesFunc(func(g *Group) {
				for _, code := range m.Success {
					g.Lit(code)
				}
			})
		}
		defs = append(defs, Id(m.Var()).Op("=").Qual(p.transport, "Operation").Values(fields))
	}
	g.Comment("Operations of " + r.Service() + ".")
	g.Var().Defs(defs...)
}

var safetyConst = map[model.Safety]string{
	model.SafetyRead: "SafetyRead", model.SafetyIdempotent: "SafetyIdempotent",
	model.SafetyWrite: "SafetyWrite", model.SafetyUnrepeatable: "SafetyUnrepeatable",
}

var scopeConst = map[model.Scope]string{
	model.ScopeServer: "ScopeServer", model.ScopeClient: "ScopeClient",
	model.ScopeKey: "ScopeKey", model.ScopeNone: "ScopeNone",
}

func httpConst(method string) *Statement {
	name := "Method" + method[:1] + strings.ToLower(method[1:])
	return Qual("net/http", name)
}

// methodDoc is what a caller reads: what the method does, and the facts of the call.
func methodDoc(name string, m *model.Method, tail string) string {
	facts := fmt.Sprintf("%s %s: %s, %s.", m.HTTP, m.Path, scopeText[m.Scope], safetyText[m.Safety])
	if m.Stream {
		facts = fmt.Sprintf("%s %s as %s: %s, %s.", m.HTTP, m.Path, m.Accept, scopeText[m.Scope], safetyText[m.Safety])
	}
	answer := ""
	switch {
	case m.Stream:
		answer = "The answer is written to w as it comes. When the call fails, w may hold a part of it; once something was written, the call is not sent again."
	case m.NoContent:
		answer = "When the API answers without a body, the error is transport.ErrNoContent."
	}
	return paragraphs(sentence(name, m.Doc), tail, answer, facts, deprecated(m.Deprecated))
}

var scopeText = map[model.Scope]string{
	model.ScopeServer: "SERVER_ACCESS token", model.ScopeClient: "CLIENT_ACCESS token bound to the user",
	model.ScopeKey: "API key", model.ScopeNone: "no credential",
}

var safetyText = map[model.Safety]string{
	model.SafetyRead:         "repeated on transient failures (class A)",
	model.SafetyIdempotent:   "idempotent, repeated on transient failures (class B)",
	model.SafetyWrite:        "repeated only when it was not executed (class C)",
	model.SafetyUnrepeatable: "repeated only when it was never sent (class D)",
}

// signature returns the arguments of a method, without the receiver.
func (p paths) signature(m *model.Method) []Code {
	args := []Code{Id("ctx").Qual("context", "Context")}
	for i, f := range m.PathParams {
		a := Id(f.Arg())
		if i+1 == len(m.PathParams) || m.PathParams[i+1].Ref.Go() != f.Ref.Go() {
			a.Add(p.goType(f.Ref))
		}
		args = append(args, a)
	}
	if m.Params != nil {
		args = append(args, Id("params").Id(m.Params.Name))
	}
	if m.Stream {
		args = append(args, Id("w").Qual("io", "Writer"))
	}
	return append(args, Id("opts").Op("...").Qual(p.transport, "Option"))
}

// goType spells a type with its imports.
func (p paths) goType(r model.Ref) *Statement {
	s := new(Statement)
	if r.Pointer {
		s.Op("*")
	}
	switch r.Prim {
	case model.List:
		return s.Index().Add(p.goType(*r.Elem))
	case model.Map:
		return s.Map(String()).Add(p.goType(*r.Elem))
	}
	name := r
	name.Pointer = false
	if pkg, id, ok := strings.Cut(name.Go(), "."); ok {
		return s.Qual(map[string]string{"value": p.value, "transport": p.transport}[pkg], id)
	}
	return s.Id(name.Go())
}

func (p paths) method(g *Group, d *model.Domain, r *model.Resource, m *model.Method) {
	results := []Code{Error()}
	if m.Result != nil {
		results = []Code{p.resultType(*m.Result), Error()}
	}
	g.Add(docs(methodDoc(m.Name, m, "")))
	g.Func().Params(Id("s").Op("*").Id(r.Service())).Id(m.Name).Params(p.signature(m)...).
		Add(resultList(results)).BlockFunc(func(g *Group) {
		g.Id("req").Op(":=").Add(p.newRequest(m))
		p.prepare(g, m)
		do := func(out Code) *Statement {
			return Id("s").Dot("sender").Call().Dot("Do").Call(Id("ctx"), Id("req"), out, Id("opts").Op("..."))
		}
		switch {
		case m.Stream:
			g.Return(do(Id("w")))
		case m.Result == nil:
			g.Return(do(Nil()))
		case !byPointer(*m.Result) && m.Result.Prim != model.List && m.Result.Prim != model.Map: // nil is no value of it
			g.Var().Id("out").Add(p.goType(*m.Result))
			g.Err().Op(":=").Add(do(Op("&").Id("out")))
			g.Return(Id("out"), Err())
		default:
			g.Var().Id("out").Add(p.goType(*m.Result))
			g.If(Err().Op(":=").Add(do(Op("&").Id("out"))), Err().Op("!=").Nil()).Block(Return(Nil(), Err()))
			if byPointer(*m.Result) {
				g.Return(Op("&").Id("out"), Nil())
			} else {
				g.Return(Id("out"), Nil())
			}
		}
	})
	g.Line()
}

func resultList(results []Code) *Statement {
	if len(results) == 1 {
		return Add(results[0])
	}
	return Params(results...)
}

func byPointer(r model.Ref) bool { return r.Prim == model.Named && r.Type.Kind != model.Enum }

func (p paths) resultType(r model.Ref) *Statement {
	if byPointer(r) {
		return Op("*").Add(p.goType(r))
	}
	return p.goType(r)
}

func (p paths) newRequest(m *model.Method) *Statement {
	args := []Code{Op("&").Id(m.Var())}
	for _, f := range m.PathParams {
		args = append(args, textOf(f.Ref, Id(f.Arg())))
	}
	return Qual(p.transport, "NewRequest").Call(args...)
}

// textOf converts a value to the text that is sent for it.
func textOf(r model.Ref, v *Statement) Code {
	if r.Pointer {
		v = Op("*").Add(v)
	}
	switch r.Prim {
	case model.String:
		return v
	case model.Int:
		return Qual("strconv", "Itoa").Call(v)
	case model.Bool:
		return Qual("strconv", "FormatBool").Call(v)
	case model.Float:
		return Qual("strconv", "FormatFloat").Call(v, LitRune('g'), Lit(-1), Lit(64))
	}
	return String().Call(v)
}

// prepare fills the request with what does not come from the path.
func (p paths) prepare(g *Group, m *model.Method) {
	for _, h := range m.Headers {
		g.Id("req").Dot("SetHeader").Call(Lit(h.Name), Lit(h.Value))
	}
	if m.Params != nil {
		g.Id("params").Dot("apply").Call(Id("req"))
	}
}

func (p paths) iterator(g *Group, r *model.Resource, m *model.Method) {
	args := p.signature(m)
	item := Id(m.Page.Item.Name)
	tail := "Every page is one call. When a call fails, the loop gets the error once and ends."
	doc := paragraphs(fmt.Sprintf("%s iterates over what %s returns, page after page.", m.AllName(), m.Name), tail,
		fmt.Sprintf("%s %s: %s, %s.", m.HTTP, m.Path, scopeText[m.Scope], safetyText[m.Safety]), deprecated(m.Deprecated))
	g.Add(docs(doc))
	g.Func().Params(Id("s").Op("*").Id(r.Service())).Id(m.AllName()).Params(args...).
		Qual("iter", "Seq2").Types(Op("*").Add(item.Clone()), Error()).BlockFunc(func(g *Group) {
		g.Id("request").Op(":=").Func().Params().Op("*").Qual(p.transport, "Request").BlockFunc(func(g *Group) {
			if m.Params == nil && len(m.Headers) == 0 {
				g.Return(p.newRequest(m))
				return
			}
			g.Id("req").Op(":=").Add(p.newRequest(m))
			p.prepare(g, m)
			g.Return(Id("req"))
		})
		page := Id("page")
		split := Func().Params(Id("page").Op("*").Id(m.Result.Type.Name)).
			Params(Index().Add(item.Clone()), String()).BlockFunc(func(g *Group) {
			items, next := selector(page.Clone(), m.Page.Items), selector(page.Clone(), m.Page.Next)
			if len(m.Page.NextNil) == 0 {
				g.Return(items, next)
				return
			}
			cond := new(Statement)
			for i, prefix := range m.Page.NextNil {
				if i > 0 {
					cond.Op("||")
				}
				cond.Add(selector(page.Clone(), strings.Split(prefix, "."))).Op("==").Nil()
			}
			g.If(cond).Block(Return(items.Clone(), Lit("")))
			g.Return(items, next)
		})
		g.Return(Qual(p.transport, "All").Call(Id("ctx"), Id("s").Dot("sender").Call(), Id("request"), split, Id("opts").Op("...")))
	})
	g.Line()
}

func selector(s *Statement, path []string) *Statement {
	for _, name := range path {
		s.Dot(name)
	}
	return s
}

// oldMethod keeps a renamed method callable under its old name.
func (p paths) oldMethod(g *Group, r *model.Resource, m *model.Method, was string) {
	results := []Code{Error()}
	if m.Result != nil {
		results = []Code{p.resultType(*m.Result), Error()}
	}
	var pass []Code
	pass = append(pass, Id("ctx"))
	for _, f := range m.PathParams {
		pass = append(pass, Id(f.Arg()))
	}
	if m.Params != nil {
		pass = append(pass, Id("params"))
	}
	if m.Stream {
		pass = append(pass, Id("w"))
	}
	pass = append(pass, Id("opts").Op("..."))
	g.Add(docs(fmt.Sprintf("%s is the old name of %s.\n\nDeprecated: use %s.", was, m.Name, m.Name)))
	g.Func().Params(Id("s").Op("*").Id(r.Service())).Id(was).Params(p.signature(m)...).Add(resultList(results)).
		Block(Return(Id("s").Dot(m.Name).Call(pass...)))
	g.Line()
}

// apply declares the method that puts a params struct into a request: what
// is missing is found before anything is sent.
func (p paths) apply(g *Group, t *model.Type, m *model.Method) {
	recv := "p"
	g.Comment("apply puts the parameters into the request.")
	g.Func().Params(Id(recv).Op("*").Id(t.Name)).Id("apply").Params(Id("req").Op("*").Qual(p.transport, "Request")).
		BlockFunc(func(g *Group) {
			for _, f := range t.Fields {
				if f.Required && f.In != "body" {
					if cond := p.isSet(recv, f); cond != nil {
						g.Id("req").Dot("Require").Call(Lit(f.Wire), cond)
					}
				}
			}
			p.limits(g, recv, t)
			for _, f := range t.Fields {
				switch f.In {
				case "query", "header":
					p.applyParam(g, recv, f)
				case "body":
					applyBody(g, m, func() *Statement { return Id(recv).Dot(f.Name) }, f)
				}
			}
			switch {
			case t.Params:
			case m.Body == model.BodyJSON:
				g.Id("req").Dot("SetJSON").Call(Id(recv))
			case m.Body == model.BodyForm:
				p.form(g, recv, t, "Field", "SetForm")
			case m.Body == model.BodyMultipart:
				p.form(g, recv, t, "Part", "SetMultipart")
			}
		})
	g.Line()
}

// limits refuses what the API documents that it does not take.
func (p paths) limits(g *Group, recv string, t *model.Type) {
	var names []string
	given := new(Statement)
	for _, f := range t.Fields {
		if f.Most > 0 && f.Ref.Prim == model.Int && !f.Ref.Pointer {
			g.Id("req").Dot("AtMost").Call(Lit(f.Wire), Id(recv).Dot(f.Name), Lit(f.Most))
		}
		if slices.Contains(t.RequireOne, f.Wire) {
			if len(names) > 0 {
				given.Op("||")
			}
			names = append(names, f.Wire)
			given.Add(p.isSet(recv, f))
			if t.HasJSON() { // where a caller may say it, too
				given.Op("||").Id(recv).Dot("JSON").Dot("Present").Call(Lit(f.Wire))
			}
		}
	}
	if len(names) > 0 {
		g.Id("req").Dot("Require").Call(Lit(strings.Join(names, " or ")), given)
	}
}

// lines puts every argument on a line of its own.
func lines(args []Code) []Code {
	if len(args) < 2 {
		return args
	}
	var out []Code
	for _, a := range args {
		out = append(out, Line().Add(a))
	}
	return append(out, Line())
}

func (p paths) applyParam(g *Group, recv string, f *model.Field) {
	v := Id(recv).Dot(f.Name)
	set := "SetQuery"
	if f.In == "header" {
		set = "SetHeader"
	}
	switch {
	case f.Ref.Prim == model.Filters:
		g.Id("req").Dot("SetFilter").Call(Lit(f.Wire), v.Dot("terms"))
	case f.Ref.Prim == model.List && f.Repeat:
		g.For(List(Id("_"), Id("item")).Op(":=").Range().Add(v)).Block(
			Id("req").Dot(set).Call(Lit(f.Wire), textOf(*f.Ref.Elem, Id("item"))))
	case f.Ref.Prim == model.List:
		join := func(list *Statement) Code {
			return Id("req").Dot(set).Call(Lit(f.Wire), Qual("strings", "Join").Call(list, Lit(",")))
		}
		if f.Ref.Elem.Prim == model.String {
			g.If(Len(v).Op(">").Lit(0)).Block(join(v))
			return
		}
		g.If(Len(v).Op(">").Lit(0)).Block(
			Var().Id("items").Index().String(),
			For(List(Id("_"), Id("item")).Op(":=").Range().Add(v)).Block(
				Id("items").Op("=").Append(Id("items"), textOf(*f.Ref.Elem, Id("item")))),
			join(Id("items")))
	case f.Required:
		g.Id("req").Dot(set).Call(Lit(f.Wire), textOf(f.Ref, v))
	default:
		g.If(p.isSet(recv, f)).Block(Id("req").Dot(set).Call(Lit(f.Wire), textOf(f.Ref, v.Clone())))
	}
}

// isSet is the condition under which a field counts as given; nil when every
// value of it, the zero value too, is a value that a caller may mean.
func (p paths) isSet(recv string, f *model.Field) Code {
	v := Id(recv).Dot(f.Name)
	switch {
	case f.Ref.Pointer:
		return v.Op("!=").Nil()
	case f.Ref.IsText():
		return v.Op("!=").Lit("")
	case f.Ref.Prim == model.List, f.Ref.Prim == model.Map:
		return Len(v).Op(">").Lit(0)
	case f.Ref.Prim == model.JSON:
		return Op("!").Add(v).Dot("IsZero").Call()
	case f.Ref.Prim == model.File:
		return v.Dot("Content").Op("!=").Nil()
	case f.Ref.Prim == model.Named && f.Ref.Type.Kind == model.Union:
		return Op("!").Add(v).Dot("IsZero").Call()
	case f.Required:
		return nil
	case f.Ref.Prim == model.Int, f.Ref.Prim == model.Float:
		return v.Op("!=").Lit(0)
	case f.Ref.Prim == model.Bool:
		return v
	}
	return True()
}

func docs(text string) Code {
	c := comment("", text)
	if c == "" {
		return Null()
	}
	return Comment(strings.TrimSuffix(c, "\n"))
}

// sent is a struct of parameters, or a form beside them, and a method that
// sends it.
type sent struct {
	*model.Type
	by *model.Method
}

// sentBy finds what a resource's methods send.
func sentBy(r *model.Resource) []sent {
	var out []sent
	seen := map[*model.Type]bool{}
	add := func(t *model.Type, m *model.Method) {
		if t != nil && !seen[t] {
			seen[t] = true
			out = append(out, sent{t, m})
		}
	}
	for _, m := range r.Methods {
		add(m.Params, m)
		if m.Body != model.BodyJSON {
			add(m.BodyType, m)
		}
	}
	slices.SortStableFunc(out, func(a, b sent) int { return strings.Compare(a.Name, b.Name) })
	return out
}
