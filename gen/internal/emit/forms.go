package emit

import (
	"cmp"

	. "github.com/dave/jennifer/jen"

	"github.com/basiq-sdk/basiq-go/gen/internal/model"
)

// form sets the fields of a struct as the form of a request, as values of type
// typ, with the request's method set. That method omits empty strings and files
// itself; other fields are added if they are set.
func (e *emitter) form(g *Group, recv string, t *model.Type, typ, set string) {
	var always []Code
	var optional []*model.Field
	for _, f := range t.Fields {
		if !f.Sent() {
			continue
		}
		if !f.Binary && !f.Ref.Pointer && !f.Explode && f.Style == "" && (f.Ref.IsText() || f.Ref.Prim == model.File || f.Required && f.Ref.Prim != model.List && e.isSet(recv, f) == nil) {
			always = append(always, e.formField(f, typ, f.Ref, Id(recv).Dot(f.Name)))
		} else {
			optional = append(optional, f)
		}
	}
	typed := func(value Code) Code { return Qual(e.transport, typ).Add(value) }
	if len(optional) == 0 {
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
	for _, f := range optional {
		v := Id(recv).Dot(f.Name)
		if f.Ref.Prim == model.List {
			item := v.Clone().Index(Id("i"))
			g.For(Id("i").Op(":=").Range().Add(v)).Block(add(e.formField(f, typ, *f.Ref.Elem, item)))
			continue
		}
		if f.Explode || f.Style != "" { // the members are fields of their own
			members := Id("req").Dot("FormFields").Call(e.param(f), Qual(e.transport, "Members").Call(e.jsonOf(f.Ref, v.Clone())))
			e.ifSet(g, recv, f, Id("form").Op("=").Append(Id("form"), members.Op("...")))
			continue
		}
		e.ifSet(g, recv, f, add(e.formField(f, typ, f.Ref, v)))
	}
	g.Id("req").Dot(set).Call(Id("form").Op("..."))
}

// formField returns the literal of a form field, without its type. A value that is not
// a scalar is JSON.
func (e *emitter) formField(f *model.Field, typ string, r model.Ref, v *Statement) Code {
	fields := Dict{Id("Name"): Lit(f.Wire)}
	media := f.PartType
	switch {
	case r.Prim == model.String && f.Binary && typ == "Part":
		text := v
		if r.Pointer {
			text = Op("*").Add(v)
		}
		fields[Id("File")] = Op("&").Qual(e.transport, "File").Values(Dict{Id("Name"): Lit(f.Wire), Id("Content"): Qual("strings", "NewReader").Call(text)})
	case r.Prim == model.File:
		fields[Id("File")] = Op("&").Add(v)
	case r.IsScalar():
		fields[Id("Value")] = textOf(r, v)
	default:
		fields[Id("Value")] = String().Call(e.jsonOf(r, v))
		media = cmp.Or(media, "application/json")
	}
	if media != "" && typ == "Part" {
		fields[Id("ContentType")] = Lit(media)
	}
	return Values(fields)
}

// lines puts each argument on its own line.
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
