package emit

import (
	"fmt"
	"slices"
	"strconv"

	. "github.com/dave/jennifer/jen"

	"github.com/basiq-sdk/basiq-go/gen/internal/model"
)

// union declares the methods of a union, a value of one of several shapes.
func (e *emitter) union(g *Group, t *model.Type) {
	v := receiver
	recv := Id(v).Id(t.Name)
	g.Comment("Raw returns the value as raw JSON.")
	g.Func().Params(recv.Clone()).Id("Raw").Params().Qual(e.value, "JSON").Custom(oneLine, Return(Id(v).Dot("raw")))
	g.Line()
	g.Comment("IsZero reports whether the value is absent. JSON null is a value.")
	g.Func().Params(recv.Clone()).Id("IsZero").Params().Bool().Custom(oneLine, Return(Id(v).Dot("raw").Dot("IsZero").Call()))
	g.Line()
	g.Add(docs(t.Name + "Of returns " + article(t.Name) + " that holds raw."))
	g.Func().Id(t.Name + "Of").Params(Id("raw").Qual(e.value, "JSON")).Id(t.Name).Block(
		Return(Id(t.Name).Values(Dict{Id("raw"): Id("raw")})))
	g.Line()
	for _, variant := range t.Variants {
		e.variant(g, t, variant)
	}
	if t.Request && t.HoldsReadOnly() {
		e.unionForRequest(g, t)
	}
	g.Comment("JSONFields tells package wire that the value is any JSON text.")
	g.Func().Params(Id(v).Op("*").Id(t.Name)).Id("JSONFields").Params(Id("f").Op("*").Qual(e.wire, "Fields")).Custom(oneLine,
		Id("f").Dot("Whole").Call(Op("&").Id(v).Dot("raw")))
	g.Line()
	e.standardJSON(g, t)
}

// variant declares the accessor and the constructor of one variant of a union.
func (e *emitter) variant(g *Group, t *model.Type, variant *model.Variant) {
	r := variant.Ref
	read, arg, ret := "VariantRaw", Code(nil), Code(Qual(e.value, "JSON"))
	raw := Id("v")
	switch {
	case r.Prim == model.List && r.Elem.IsJSONText() && r.Elem.Prim != model.Secret:
		read, arg, ret = "VariantTexts", e.goType(*r.Elem), e.goType(r)
		raw = Qual(e.value, "JSON").Call(Qual(e.wire, "AppendItems").Call(Nil(), Id("v"), e.appender(*r.Elem)))
	case r.Prim == model.List && byPointer(*r.Elem):
		read, arg, ret = "VariantList", e.goType(*r.Elem), e.goType(r)
		raw = Qual(e.value, "JSON").Call(Qual(e.wire, "AppendItems").Call(Nil(), Id("v"), e.appender(*r.Elem)))
	case r.IsJSONText() && r.Prim != model.Secret:
		read, arg, ret = "VariantText", e.goType(r), e.goType(r)
		raw = Qual(e.value, "JSON").Call(e.appender(r).(*Statement).Call(Nil(), Id("v")))
	case byPointer(r):
		read, arg, ret = "Variant", e.goType(r), Op("*").Add(e.goType(r))
		raw = Qual(e.value, "JSON").Call(Qual(e.wire, "Append").Call(Nil(), Op("&").Id("v")))
	}
	call := Qual(e.wire, read)
	args := []Code{Id(receiver).Dot("raw"), Qual(e.wire, "Match").Values(matchDict(variant.When))}
	if arg != nil {
		call = call.Types(arg)
	} else if r.Prim != model.JSON && r.Prim != model.Secret {
		call, ret = Qual(e.wire, "VariantOf"), e.goType(r)
		args = append(args, e.element(r))
		raw = Qual(e.value, "JSON").Call(Add(e.appender(r)).Call(Nil(), Id("v")))
	}
	g.Add(docs(sentence(variant.Name, variant.Doc)))
	g.Func().Params(Id(receiver).Id(t.Name)).Id(variant.Name).Params().Params(ret, Bool()).Block(
		Return(call.Call(args...)))
	g.Line()
	name := "New" + t.Name + variant.Name
	g.Add(docs(fmt.Sprintf("%s returns %s that holds v.", name, article(t.Name))))
	g.Func().Id(name).Params(Id("v").Add(e.goType(r))).Id(t.Name).BlockFunc(func(g *Group) {
		e.mark(g, variant)
		values := Dict{Id("raw"): raw}
		if variant.When.Sibling != "" && len(variant.When.Equals) > 0 {
			values[Id("sibling")] = Lit(variant.When.Equals[0])
		}
		g.Return(Id(t.Name).Values(values))
	})
	g.Line()
}

// inherited declares access to a struct that is composed of another one, as which its
// value may have been sent.
func (e *emitter) inherited(g *Group, t *model.Type, variant *model.Variant) {
	child := variant.Ref.Type.Name
	g.Add(docs(sentence(variant.Name, variant.Doc)))
	g.Func().Params(Id(receiver).Op("*").Id(t.Name)).Id(variant.Name).Params().Params(Op("*").Id(child), Bool()).Block(
		Return(Qual(e.wire, "Variant").Types(Id(child)).Call(
			Qual(e.value, "JSON").Call(Qual(e.wire, "Append").Call(Nil(), Id(receiver))), Qual(e.wire, "Match").Values(matchDict(variant.When)))))
	g.Line()
	name := "New" + t.Name + variant.Name
	g.Add(docs(fmt.Sprintf("%s returns %s that is sent as v.", name, article(t.Name))))
	g.Func().Id(name).Params(Id("v").Id(child)).Id(t.Name).BlockFunc(func(g *Group) {
		e.mark(g, variant)
		g.Var().Id("out").Id(t.Name)
		g.Id("_").Op("=").Qual(e.wire, "Unmarshal").Call(Qual(e.wire, "Append").Call(Nil(), Op("&").Id("v")), Op("&").Id("out")).Comment("of what was encoded, it does not fail")
		g.Return(Id("out"))
	})
	g.Line()
}

// mark sets the property by which a variant is recognised, if the caller left
// it empty.
func (e *emitter) mark(g *Group, variant *model.Variant) {
	r := variant.Ref
	if r.Prim != model.Named || r.Type.Kind != model.Struct {
		return
	}
	for _, f := range r.Type.Fields {
		member := func() *Statement { return Id("v").Dot(f.Name) }
		switch {
		case f.Wire != variant.When.Property || f.Ref.Pointer:
		case f.Ref.IsText() && len(variant.When.Equals) > 0 && variant.When.Sibling == "":
			g.If(member().Op("==").Lit("")).Block(member().Op("=").Lit(variant.When.Equals[0]))
		case f.Ref.Base() == model.Int && len(variant.When.Equals) > 0 && variant.When.Sibling == "":
			if n, err := strconv.Atoi(variant.When.Equals[0]); err == nil && n != 0 {
				g.If(member().Op("==").Lit(0)).Block(member().Op("=").Lit(n))
			}
		case f.Ref.Prim == model.Bool && slices.Equal(variant.When.Equals, []string{"true"}) && variant.When.Sibling == "":
			g.Add(member()).Op("=").True()
		case f.Ref.Prim == model.List:
			g.If(member().Op("==").Nil()).Block(member().Op("=").Add(e.goType(f.Ref)).Values())
		}
	}
}

func matchDict(w model.When) Dict {
	d := Dict{}
	if w.Sibling != "" {
		d[Id("Sibling")], d[Id("Siblings")] = Id(receiver).Dot("sibling"), texts(w.Equals)
	} else if len(w.Equals) > 0 {
		d[Id("Equals")] = texts(w.Equals)
	}
	if w.Kind != "" {
		d[Id("Kind")] = Lit(w.Kind)
	}
	if w.Property != "" {
		d[Id("Member")] = Lit(w.Property)
	}
	return d
}

func texts(list []string) *Statement {
	return Index().String().ValuesFunc(func(g *Group) {
		for _, s := range list {
			g.Lit(s)
		}
	})
}

// hasSibling reports whether a member beside the value tells its shapes apart.
func hasSibling(t *model.Type) bool {
	return slices.ContainsFunc(t.Variants, func(v *model.Variant) bool { return v.When.Sibling != "" })
}

// siblings gives the unions of a struct that was decoded the members beside them that
// tell their shapes apart.
func siblings(t *model.Type) (set []Code) {
	for _, f := range t.Fields {
		if f.Ref.Prim != model.Named || f.Ref.Pointer || !hasSibling(f.Ref.Type) {
			continue
		}
		for _, v := range f.Ref.Type.Variants {
			if sibling := f.Sibling(t, v); sibling != nil {
				set = append(set, Id(receiver).Dot(f.Name).Dot("sibling").Op("=").Add(textOf(sibling.Ref, Id(receiver).Dot(sibling.Name))))
				break // all variants have the same
			}
		}
	}
	return set
}
