package emit

import (
	"strconv"

	. "github.com/dave/jennifer/jen"

	"github.com/basiq-sdk/basiq-go/gen/internal/model"
)

// forRequest declares the method that returns a value without its read-only members.
// It changes nothing that the value shares with its copies.
func (e *emitter) forRequest(g *Group, t *model.Type) {
	v := receiver
	g.Comment("forRequest returns a copy without the members that only responses have.")
	g.Func().Params(Id(v).Id(t.Name)).Id("forRequest").Params().Id(t.Name).BlockFunc(func(g *Group) {
		for _, f := range t.Fields {
			member := func() *Statement { return Id(v).Dot(f.Name) }
			if f.ReadOnly {
				g.Add(member()).Op("=").Add(e.zero(f.Ref))
				g.Id(v).Dot("JSON").Dot("Delete").Call(Lit(f.Wire))
				continue
			}
			e.withoutReadOnly(g, member, f.Ref, 0)
		}
		g.Return(Id(v))
	})
	g.Line()
}

// unionForRequest declares the method that returns a union whose value has no read-only
// members.
func (e *emitter) unionForRequest(g *Group, t *model.Type) {
	v := receiver
	g.Comment("forRequest returns the value without the members that only responses have.")
	g.Func().Params(Id(v).Id(t.Name)).Id("forRequest").Params().Id(t.Name).BlockFunc(func(g *Group) {
		for _, variant := range t.Variants {
			r := variant.Ref
			list := r.Prim == model.List && byPointer(*r.Elem)
			if !r.HoldsReadOnly() || !list && !byPointer(r) {
				continue
			}
			part := func() *Statement { return Id("part") }
			is := Id("ok")
			if !list { // which an item of a list could be, too
				is = Id("ok").Op("&&").Id(v).Dot("raw").Dot("Kind").Call().Op("==").Qual(e.value, "KindObject")
			}
			g.If(List(part(), Id("ok")).Op(":=").Id(v).Dot(variant.Name).Call(), is).BlockFunc(func(g *Group) {
				raw := Qual(e.wire, "Append").Call(Nil(), Op("&").Id("body"))
				if list {
					e.withoutReadOnly(g, part, r, 0)
					raw = Qual(e.wire, "AppendItems").Call(Nil(), part(), e.appender(*r.Elem))
				} else {
					g.Id("body").Op(":=").Add(part()).Dot("forRequest").Call()
				}
				g.Id(v).Dot("raw").Op("=").Qual(e.value, "JSON").Call(raw)
				g.Return(Id(v))
			})
		}
		g.Return(Id(v))
	})
	g.Line()
}

// withoutReadOnly replaces what the value at place holds with a copy without
// read-only members.
func (e *emitter) withoutReadOnly(g *Group, place func() *Statement, r model.Ref, depth int) {
	switch {
	case !r.HoldsReadOnly():
	case r.Prim == model.List || r.Prim == model.Map:
		pkg := map[model.Prim]string{model.List: "slices", model.Map: "maps"}[r.Prim]
		g.Add(place()).Op("=").Qual(pkg, "Clone").Call(place())
		index := "i"
		if depth > 0 {
			index += strconv.Itoa(depth)
		}
		g.For(Id(index).Op(":=").Range().Add(place())).BlockFunc(func(g *Group) {
			e.withoutReadOnly(g, func() *Statement { return place().Index(Id(index)) }, *r.Elem, depth+1)
		})
	case r.Pointer:
		g.If(place().Op("!=").Nil()).Block(
			Id("part").Op(":=").Add(place()).Dot("forRequest").Call(),
			place().Op("=").Op("&").Id("part"),
		)
	default:
		g.Add(place()).Op("=").Add(place()).Dot("forRequest").Call()
	}
}

// zero returns the zero value of a type.
func (e *emitter) zero(r model.Ref) Code {
	switch {
	case r.Pointer || r.Prim == model.List || r.Prim == model.Map:
		return Nil()
	case r.Prim == model.Bool:
		return False()
	case r.Prim == model.Int || r.Prim == model.Float:
		return Lit(0)
	case r.Prim == model.Secret || r.Prim == model.File || r.Prim == model.Named && r.Type.Kind != model.Enum:
		return Add(e.goType(r)).Values()
	}
	return Lit("")
}
