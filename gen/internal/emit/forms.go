package emit

import (
	. "github.com/dave/jennifer/jen"

	"github.com/basiq-sdk/basiq-go/gen/internal/model"
)

// form puts the members of a struct into a form, as values of type typ that
// the request's method set takes. That leaves out empty texts and files by
// itself; other members are added if they are given.
func (e *emitter) form(g *Group, recv string, t *model.Type, typ, set string) {
	var always []Code
	var given []*model.Field
	for _, f := range t.Fields {
		if !f.Ref.Pointer && (f.Ref.IsText() || f.Ref.Prim == model.File || f.Required && f.Ref.Prim != model.List) {
			always = append(always, formField(f.Wire, f.Ref, Id(recv).Dot(f.Name)))
		} else {
			given = append(given, f)
		}
	}
	typed := func(value Code) Code { return Qual(e.transport, typ).Add(value) }
	if len(given) == 0 {
		for i := range always {
			always[i] = typed(always[i])
		}
		g.Id("req").Dot(set).Call(lines(always)...)
		return
	}
	add := func(value Code) Code { return Id("form").Op("=").Append(Id("form"), typed(value)) }
	if len(always) == 0 {
		g.Var().Id("form").Index().Qual(e.transport, typ)
	} else {
		g.Id("form").Op(":=").Index().Qual(e.transport, typ).Values(lines(always)...)
	}
	for _, f := range given {
		v := Id(recv).Dot(f.Name)
		if f.Ref.Prim == model.List {
			item := v.Clone().Index(Id("i"))
			g.For(Id("i").Op(":=").Range().Add(v)).Block(add(formField(f.Wire, *f.Ref.Elem, item)))
			continue
		}
		g.If(e.isSet(recv, f)).Block(add(formField(f.Wire, f.Ref, v)))
	}
	g.Id("req").Dot(set).Call(Id("form").Op("..."))
}

// formField is one value of a form, without its type.
func formField(name string, r model.Ref, v *Statement) Code {
	if r.Prim == model.File {
		return Values(Dict{Id("Name"): Lit(name), Id("File"): Op("&").Add(v)})
	}
	return Values(Dict{Id("Name"): Lit(name), Id("Value"): textOf(r, v)})
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
