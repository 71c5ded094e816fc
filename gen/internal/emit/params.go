package emit

import (
	"slices"
	"strings"

	. "github.com/dave/jennifer/jen"

	"github.com/basiq-sdk/basiq-go/gen/internal/model"
)

// senders returns, for each params struct and for each form body, the first
// method that sends it.
func senders(resources ...*model.Resource) map[*model.Type]*model.Method {
	out := map[*model.Type]*model.Method{}
	for _, r := range resources {
		for _, m := range r.Methods {
			for _, t := range []*model.Type{m.Params, m.Options} {
				if t != nil && out[t] == nil {
					out[t] = m
				}
			}
			if t := m.BodyType; t != nil && out[t] == nil && m.Body != model.BodyJSON {
				out[t] = m
			}
		}
	}
	return out
}

// apply declares the method that sets a params struct on a request. It checks
// required parameters before anything is sent.
func (e *emitter) apply(g *Group, t *model.Type, m *model.Method) {
	recv := "p"
	g.Comment("apply sets the parameters on the request.")
	g.Func().Params(Id(recv).Op("*").Id(t.Name)).Id("apply").Params(Id("req").Op("*").Qual(e.transport, "Request")).
		BlockFunc(func(g *Group) {
			for _, f := range t.Fields {
				if f.Required && f.Sent() && f.In != "body" {
					if cond := e.isGiven(recv, t, f); cond != nil {
						g.Id("req").Dot("Require").Call(Lit(f.Wire), cond)
					}
				}
			}
			e.limits(g, recv, t)
			for _, f := range t.Fields {
				switch f.In {
				case "query", "header":
					e.applyParam(g, recv, f)
				case "body":
					applyBody(g, m, func() *Statement { return Id(recv).Dot(f.Name) }, f)
				}
			}
			switch {
			case t.Params:
			case m.Body == model.BodyJSON && t.HoldsReadOnly():
				g.Id("body").Op(":=").Id(recv).Dot("forRequest").Call()
				g.Id("req").Dot("SetJSON").Call(Op("&").Id("body"))
			case m.Body == model.BodyJSON:
				g.Id("req").Dot("SetJSON").Call(Id(recv))
			case m.Body == model.BodyForm:
				e.form(g, recv, t, "Field", "SetForm")
			case m.Body == model.BodyMultipart:
				e.form(g, recv, t, "Part", "SetMultipart")
			}
		})
	g.Line()
}

// paramsOf declares the method by which the client takes parameters that are
// passed as an option.
func (e *emitter) paramsOf(g *Group, t *model.Type, m *model.Method) {
	g.Comment("ParamsOf lets the client set the parameters on a request of their operation.")
	g.Func().Params(Id("p").Id(t.Name)).Id("ParamsOf").Params().
		Params(Op("*").Qual(e.transport, "Operation"), Func().Params(Op("*").Qual(e.transport, "Request"))).
		Block(Return(Op("&").Id(m.Var()), Id("p").Dot("apply")))
	g.Line()
}

// limits refuses what the API documents that it does not take.
func (e *emitter) limits(g *Group, recv string, t *model.Type) {
	var names []string
	given := new(Statement)
	for _, f := range t.Fields {
		if f.Most > 0 && f.Ref.Prim == model.Int && !f.Ref.Pointer {
			g.Id("req").Dot("AtMost").Call(Lit(f.Wire), Id(recv).Dot(f.Name), Lit(f.Most))
		}
		if f.MostLength > 0 && f.Ref.Prim == model.String && !f.Ref.Pointer {
			g.Id("req").Dot("NotLonger").Call(Lit(f.Wire), Id(recv).Dot(f.Name), Lit(f.MostLength))
		}
		if slices.Contains(t.RequireOne, f.Wire) {
			if len(names) > 0 {
				given.Op("||")
			}
			names = append(names, f.Wire)
			given.Add(e.given(recv, t, f))
		}
	}
	if len(names) > 0 {
		g.Id("req").Dot("Require").Call(Lit(strings.Join(names, " or ")), given)
	}
	for _, pair := range t.RequireWith {
		first, second := fieldNamed(t, pair[0]), fieldNamed(t, pair[1])
		if first != nil && second != nil {
			g.Id("req").Dot("Require").Call(Lit(second.Wire), Add(e.given(recv, t, second)).Op("||").Op("!").Parens(e.given(recv, t, first)))
		}
	}
}

// given returns the expression that reports whether the caller has set a member.
func (e *emitter) given(recv string, t *model.Type, f *model.Field) Code {
	set := Add(e.isSet(recv, f))
	if t.HasJSON() { // where a caller may say it, too
		set.Op("||").Id(recv).Dot("JSON").Dot("Present").Call(Lit(f.Wire))
	}
	return set
}

func fieldNamed(t *model.Type, wire string) *model.Field {
	i := slices.IndexFunc(t.Fields, func(f *model.Field) bool { return f.Wire == wire })
	if i < 0 {
		return nil
	}
	return t.Fields[i]
}

func (e *emitter) applyParam(g *Group, recv string, f *model.Field) {
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
		g.If(e.isSet(recv, f)).Block(Id("req").Dot(set).Call(Lit(f.Wire), textOf(f.Ref, v.Clone())))
	}
}

// applyBody sets a body that is a field of a params struct. A form sets itself
// with its own apply method.
func applyBody(g *Group, m *model.Method, body func() *Statement, f *model.Field) {
	pointer := body()
	if !f.Ref.Pointer {
		pointer = Op("&").Add(pointer)
	}
	set := []Code{Id("req").Dot("SetJSON").Call(pointer)}
	switch {
	case m.Body != model.BodyJSON:
		set = []Code{body().Dot("apply").Call(Id("req"))}
	case f.Ref.Type.HoldsReadOnly():
		set = []Code{Id("body").Op(":=").Add(body()).Dot("forRequest").Call(), Id("req").Dot("SetJSON").Call(Op("&").Id("body"))}
	}
	if f.Ref.Pointer {
		g.If(body().Op("!=").Nil()).Block(set...)
		return
	}
	for _, s := range set {
		g.Add(s)
	}
}

// isGiven returns the condition under which a required field is given. It is nil if
// every value can be meant: a list may be empty, and a member that may be null is null
// if it is not set.
func (e *emitter) isGiven(recv string, t *model.Type, f *model.Field) Code {
	v := Id(recv).Dot(f.Name)
	list := f.Ref.Prim == model.List || f.Ref.Prim == model.Map
	switch {
	case !t.HasJSON():
	case f.Nullable && (f.Ref.Pointer || list || f.Ref.Prim == model.JSON || f.Ref.Prim == model.Named && f.Ref.Type.Kind == model.Union):
		return nil
	case f.Nullable && f.Ref.IsText():
		return v.Op("!=").Lit("").Op("||").Id(recv).Dot("JSON").Dot("Present").Call(Lit(f.Wire))
	case list && !f.NotEmpty:
		return v.Op("!=").Nil()
	}
	return e.isSet(recv, f)
}

// isSet returns the condition under which a field counts as set. It is nil if
// every value counts as set, including the zero value.
func (e *emitter) isSet(recv string, f *model.Field) Code {
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

// textOf returns the expression that converts a value to a string.
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
