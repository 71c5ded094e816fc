package emit

import (
	"fmt"
	"slices"
	"strings"

	. "github.com/dave/jennifer/jen"

	"github.com/basiq-sdk/basiq-go/gen/internal/model"
)

// service declares a resource's service: its type, operations and methods.
func (e *emitter) service(g *Group, r *model.Resource) {
	g.Add(docs(sentence(r.Service(), r.Doc)))
	g.Type().Id(r.Service()).Struct(Id("client").Op("*").Qual(e.transport, "Client"))
	g.Line()
	g.Comment("sender returns what calls are sent through. That of a nil service refuses them.")
	g.Func().Params(Id("s").Op("*").Id(r.Service())).Id("sender").Params().Op("*").Qual(e.transport, "Client").Block(
		If(Id("s").Op("==").Nil()).Block(Return(Nil())),
		Return(Id("s").Dot("client")),
	)
	g.Line()
	for _, m := range r.Methods {
		e.method(g, r, m)
		if m.Page != nil {
			e.iterator(g, r, m)
		}
		for _, was := range m.Was {
			e.oldMethod(g, r, m, was)
		}
	}
}

// operations declares the variables that describe a resource's operations.
func (e *emitter) operations(g *Group, d *model.Domain, r *model.Resource) {
	var defs []Code
	for _, m := range r.Methods {
		fields := Dict{
			Id("ID"):       Lit(m.ID(d)),
			Id("Upstream"): Lit(m.OperationID),
			Id("Method"):   httpConst(m.HTTP),
			Id("Path"):     Lit(m.Path),
			Id("Safety"):   Qual(e.transport, safetyConst[m.Safety]),
			Id("Scope"):    Qual(e.transport, scopeConst[m.Scope]),
		}
		if m.Scope == model.ScopeDeclared {
			fields[Id("Security")] = Id(e.security[securityKey(m.Security)])
		}
		if m.Server != "" {
			fields[Id("Server")] = Lit(m.Server)
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
		defs = append(defs, Id(m.Var()).Op("=").Qual(e.transport, "Operation").Values(fields))
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
	model.ScopeKey: "ScopeKey", model.ScopeNone: "ScopeNone", model.ScopeDeclared: "ScopeDeclared",
}

func httpConst(method string) *Statement {
	name := "Method" + method[:1] + strings.ToLower(method[1:])
	return Qual("net/http", name)
}

// methodDoc returns the documentation of a method: what it does, and the facts of its call.
func methodDoc(m *model.Method) string {
	body := ""
	switch {
	case m.Stream:
		body = "The response body is streamed to w. If the call fails, w may have received a part of it. The call is not retried once anything was written."
	case m.NoContent:
		body = "If the response has no body, the error is transport.ErrNoContent."
		if len(m.Empty) > 0 {
			body = "It returns " + nothing(*m.Result) + " if the API responds with " + m.EmptyStatuses() + " and no content."
		}
	case m.Redirects:
		body = "The API responds with a redirect, which is not followed: the error matches transport.ErrRedirected, and transport.WithResponse gets its Location."
	}
	if m.Server != "" {
		body = paragraphs(body, "The operation is on a server of its own: pass transport.WithBaseURL with "+m.Server+".")
	}
	return linked(paragraphs(sentence(m.Name, m.Doc), body, optionFacts(m), callFacts(m), deprecated(m.Deprecated)))
}

// nothing returns what a method returns in place of a result.
func nothing(r model.Ref) string {
	if byPointer(r) || r.Prim == model.List || r.Prim == model.Map {
		return "nil"
	}
	return "the zero value"
}

// optionFacts names the optional parameters that a method takes as an option.
func optionFacts(m *model.Method) string {
	if m.Options == nil {
		return ""
	}
	return "Optional parameters are passed as an option: see " + m.Options.Name + "."
}

// callFacts names a method's HTTP request, its credential and its retries.
func callFacts(m *model.Method) string {
	request := m.HTTP + " " + m.Path
	if m.Stream {
		request += " as " + m.Accept
	}
	return fmt.Sprintf("%s: %s, %s.", request, credentialText(m), safetyText[m.Safety])
}

var scopeText = map[model.Scope]string{
	model.ScopeServer: "SERVER_ACCESS token", model.ScopeClient: "CLIENT_ACCESS token bound to the user",
	model.ScopeKey: "API key", model.ScopeNone: "no credential",
}

var safetyText = map[model.Safety]string{
	model.SafetyRead:         "retried on transient failures (class A)",
	model.SafetyIdempotent:   "idempotent, retried on transient failures (class B)",
	model.SafetyWrite:        "retried only if it was definitely not executed (class C)",
	model.SafetyUnrepeatable: "retried only if it was never sent (class D)",
}

// signature returns the arguments of a method, without the receiver.
func (e *emitter) signature(m *model.Method) []Code {
	args := []Code{Id("ctx").Qual("context", "Context")}
	for i, f := range m.PathParams {
		a := Id(f.Arg())
		if i+1 == len(m.PathParams) || m.PathParams[i+1].Ref.Go() != f.Ref.Go() {
			a.Add(e.goType(f.Ref))
		}
		args = append(args, a)
	}
	if m.Params != nil {
		args = append(args, Id("params").Id(m.Params.Name))
	}
	if m.Stream {
		args = append(args, Id("w").Qual("io", "Writer"))
	}
	return append(args, Id("opts").Op("...").Qual(e.transport, "Option"))
}

func (e *emitter) method(g *Group, r *model.Resource, m *model.Method) {
	results := []Code{Error()}
	if m.Result != nil {
		results = []Code{e.resultType(*m.Result), Error()}
	}
	g.Add(docs(methodDoc(m)))
	g.Func().Params(Id("s").Op("*").Id(r.Service())).Id(m.Name).Params(e.signature(m)...).
		Add(resultList(results)).BlockFunc(func(g *Group) {
		g.Id("req").Op(":=").Add(e.newRequest(m))
		e.prepare(g, m)
		do := func(out Code) *Statement {
			return Id("s").Dot("sender").Call().Dot("Do").Call(Id("ctx"), Id("req"), out, Id("opts").Op("..."))
		}
		switch {
		case m.Stream:
			g.Return(do(Id("w")))
		case m.Result == nil:
			g.Return(do(Nil()))
		case len(m.Statuses) > 0 || len(m.Empty) > 0:
			e.byStatus(g, m, do)
		case !byPointer(*m.Result) && m.Result.Prim != model.List && m.Result.Prim != model.Map: // it cannot be nil
			g.Var().Id("out").Add(e.goType(*m.Result))
			g.Err().Op(":=").Add(do(Op("&").Id("out")))
			g.Return(Id("out"), Err())
		default:
			g.Var().Id("out").Add(e.goType(*m.Result))
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

// byStatus sends a call whose response depends on its status.
func (e *emitter) byStatus(g *Group, m *model.Method, do func(Code) *Statement) {
	none := Code(Nil())
	if !byPointer(*m.Result) && m.Result.Prim != model.List && m.Result.Prim != model.Map {
		none = Id("out")
	}
	g.Var().Id("out").Add(e.goType(*m.Result))
	fields := Dict{}
	if len(m.Empty) > 0 {
		fields[Id("Empty")] = Index().Int().ValuesFunc(func(g *Group) {
			for _, code := range m.Empty {
				g.Lit(code)
			}
		})
	}
	body := func(s model.Status) string { return lowerFirst(s.Field.Name) + "Body" }
	if len(m.Statuses) == 0 {
		fields[Id("Default")] = Op("&").Id("out")
		g.Id("by").Op(":=").Qual(e.transport, "ByStatus").Values(fields)
	} else {
		bodies := Dict{}
		for _, s := range m.Statuses {
			r := s.Field.Ref
			r.Pointer = false
			g.Var().Id(body(s)).Add(e.goType(r))
			if s.Code == 0 {
				fields[Id("Default")] = Op("&").Id(body(s))
			} else {
				bodies[Lit(s.Code)] = Op("&").Id(body(s))
			}
		}
		fields[Id("Bodies")] = Map(Int()).Any().Values(bodies)
		g.Id("by").Op(":=").Qual(e.transport, "ByStatus").Values(fields)
	}
	g.If(Err().Op(":=").Add(do(Op("&").Id("by"))), Err().Op("!=").Nil()).Block(Return(none, Err()))
	if len(m.Statuses) == 0 {
		if byPointer(*m.Result) {
			g.If(Op("!").Id("by").Dot("Content")).Block(Return(Nil(), Nil()))
			g.Return(Op("&").Id("out"), Nil())
		} else {
			g.Return(Id("out"), Nil())
		}
		return
	}
	g.Id("out").Dot("Status").Op("=").Id("by").Dot("Status")
	g.Switch(Id("by").Dot("Out")).BlockFunc(func(g *Group) {
		for _, s := range m.Statuses {
			value := Id(body(s))
			if s.Field.Ref.Pointer {
				value = Op("&").Add(value)
			}
			g.Case(Op("&").Id(body(s))).Block(Id("out").Dot(s.Field.Name).Op("=").Add(value))
		}
	})
	g.Return(Op("&").Id("out"), Nil())
}

func resultList(results []Code) *Statement {
	if len(results) == 1 {
		return Add(results[0])
	}
	return Params(results...)
}

func byPointer(r model.Ref) bool { return r.Prim == model.Named && r.Type.Kind != model.Enum }

func (e *emitter) resultType(r model.Ref) *Statement {
	if byPointer(r) {
		return Op("*").Add(e.goType(r))
	}
	return e.goType(r)
}

func (e *emitter) newRequest(m *model.Method) *Statement {
	styled := slices.ContainsFunc(m.PathParams, func(f *model.Field) bool {
		return f.Style != "" || f.AsJSON || f.Slashes || !f.Ref.IsScalar()
	})
	args := []Code{Op("&").Id(m.Var())}
	for _, f := range m.PathParams {
		if styled {
			args = append(args, Qual(e.transport, "PathValue").Values(Dict{Id("Param"): e.param(f), Id("Value"): e.paramValue(f, Id(f.Arg()))}))
		} else {
			args = append(args, textOf(f.Ref, Id(f.Arg())))
		}
	}
	if styled {
		return Qual(e.transport, "NewStyledRequest").Call(args...)
	}
	return Qual(e.transport, "NewRequest").Call(args...)
}

// prepare sets what the request has beside its path: headers, parameters and body.
func (e *emitter) prepare(g *Group, m *model.Method) {
	for _, h := range m.Headers {
		g.Id("req").Dot("SetHeader").Call(Lit(h.Name), Lit(h.Value))
	}
	for _, q := range m.Query {
		g.Id("req").Dot("SetQuery").Call(Lit(q.Name), Lit(q.Value))
	}
	if m.Params != nil {
		g.Id("params").Dot(e.applyName(m.Params, m)).Call(Id("req"))
	}
}

func (e *emitter) iterator(g *Group, r *model.Resource, m *model.Method) {
	args := e.signature(m)
	item := Id(m.Page.Item.Name)
	g.Add(docs(paragraphs(
		fmt.Sprintf("%s iterates over the results of %s, across all pages.", m.AllName(), m.Name),
		"Each page is a separate call. If a call fails, the iterator yields the error once and stops.",
		optionFacts(m), callFacts(m), deprecated(m.Deprecated))))
	g.Func().Params(Id("s").Op("*").Id(r.Service())).Id(m.AllName()).Params(args...).
		Qual("iter", "Seq2").Types(Op("*").Add(item.Clone()), Error()).BlockFunc(func(g *Group) {
		g.Id("request").Op(":=").Func().Params().Op("*").Qual(e.transport, "Request").BlockFunc(func(g *Group) {
			if m.Params == nil && len(m.Headers) == 0 && len(m.Query) == 0 {
				g.Return(e.newRequest(m))
				return
			}
			g.Id("req").Op(":=").Add(e.newRequest(m))
			e.prepare(g, m)
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
		g.Return(Qual(e.transport, "All").Call(Id("ctx"), Id("s").Dot("sender").Call(), Id("request"), split, Id("opts").Op("...")))
	})
	g.Line()
}

func selector(s *Statement, path []string) *Statement {
	for _, name := range path {
		s.Dot(name)
	}
	return s
}

// oldMethod declares a renamed method under its old name.
func (e *emitter) oldMethod(g *Group, r *model.Resource, m *model.Method, was string) {
	results := []Code{Error()}
	if m.Result != nil {
		results = []Code{e.resultType(*m.Result), Error()}
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
	g.Func().Params(Id("s").Op("*").Id(r.Service())).Id(was).Params(e.signature(m)...).Add(resultList(results)).
		Block(Return(Id("s").Dot(m.Name).Call(pass...)))
	g.Line()
}
