package emit

import (
	. "github.com/dave/jennifer/jen"

	"fmt"
	"strings"

	"github.com/basiq-sdk/basiq-go/gen/internal/model"
)

// codec declares a struct's JSON form: no reflection, nothing lost.
func (p paths) codec(g *Group, t *model.Type) {
	v := receiver
	names := lowerFirst(t.Name) + "Members"
	// One name to a line: a new member is a new line.
	g.Var().Id(names).Op("=").Qual(p.wire, "Names").CustomFunc(Options{Open: "{", Close: "}", Separator: ",", Multi: true}, func(g *Group) {
		for _, f := range t.Fields {
			g.Lit(f.Wire)
		}
	})
	g.Line()
	g.Comment("DecodeJSON reads the value from d.")
	g.Func().Params(Id(v).Op("*").Id(t.Name)).Id("DecodeJSON").Params(Id("d").Op("*").Qual(p.wire, "Decoder")).Block(
		Id("m").Op(":=").Id("d").Dot("Members").Call(Op("&").Id(v).Dot("JSON"), Op("&").Id(names)),
		For(Id("m").Dot("Next").Call()).Block(
			Switch(Id("m").Dot("Name").Call()).BlockFunc(func(g *Group) {
				for _, f := range t.Fields {
					g.Case(Lit(f.Wire)).Block(p.decode(Id(v).Dot(f.Name), f.Ref))
					for _, a := range f.Aliases {
						g.Case(Lit(a)).Block(
							If(Id("m").Dot("Alias").Call(Lit(f.Wire))).Block(p.decode(Id(v).Dot(f.Name), f.Ref)).
								Else().Block(Id("m").Dot("Extra").Call()))
					}
				}
				g.Default().Block(Id("m").Dot("Extra").Call())
			}),
		),
	)
	g.Line()
	g.Comment("AppendJSON appends the value's JSON form to b.")
	g.Func().Params(Id(v).Op("*").Id(t.Name)).Id("AppendJSON").Params(Id("b").Index().Byte()).Index().Byte().BlockFunc(func(g *Group) {
		g.Id("w").Op(":=").Qual(p.wire, "BeginObject").Call(Id("b"), Op("&").Id(v).Dot("JSON"), Op("&").Id(names))
		for _, f := range t.Fields {
			g.Add(p.encode(Id(v).Dot(f.Name), f))
		}
		g.Return(Id("w").Dot("End").Call())
	})
	g.Line()
	p.standardJSON(g, t)
	if holdsSecret(t, map[*model.Type]bool{}) {
		p.hideSecret(g, t)
	}
}

// standardJSON makes the type work with encoding/json.
func (p paths) standardJSON(g *Group, t *model.Type) {
	v := receiver
	g.Comment("MarshalJSON implements json.Marshaler.")
	g.Func().Params(Id(v).Id(t.Name)).Id("MarshalJSON").Params().Params(Index().Byte(), Error()).Block(
		Return(Qual(p.wire, "Marshal").Call(Op("&").Id(v))),
	)
	g.Line()
	g.Comment("UnmarshalJSON implements json.Unmarshaler.")
	g.Func().Params(Id(v).Op("*").Id(t.Name)).Id("UnmarshalJSON").Params(Id("data").Index().Byte()).Error().Block(
		Return(Qual(p.wire, "Unmarshal").Call(Id("data"), Id(v))),
	)
	g.Line()
}

func (p paths) decode(dst *Statement, r model.Ref) Code {
	m := Id("m")
	set := func(call *Statement) Code { return dst.Op("=").Add(call) }
	switch r.Prim {
	case model.Named:
		switch {
		case r.Type.Kind == model.Enum && r.Pointer:
			return set(Qual(p.wire, "OptText").Types(Id(r.Type.Name)).Call(Op("&").Id("m")))
		case r.Type.Kind == model.Enum && r.Type.Respelt():
			return set(Id(r.Type.Name).Call(m.Dot("String").Call()).Dot("usual").Call())
		case r.Type.Kind == model.Enum:
			return set(Id(r.Type.Name).Call(m.Dot("String").Call()))
		case r.Pointer:
			return set(Qual(p.wire, "Pointer").Types(Id(r.Type.Name)).Call(Op("&").Id("m")))
		case r.Type.Kind == model.Union:
			return dst.Dot("raw").Op("=").Add(m.Dot("RawValue").Call())
		}
		return m.Dot("Value").Call(Op("&").Add(dst))
	case model.List:
		return set(p.decodeList(*r.Elem))
	case model.Map:
		return set(Qual(p.wire, "MapOf").Call(Op("&").Id("m"), p.element(*r.Elem)))
	}
	if r.Pointer {
		switch r.Prim {
		case model.Bool, model.Int, model.Float, model.String:
			return set(m.Dot("Opt" + method[r.Prim]).Call())
		default:
			return set(Qual(p.wire, "OptText").Types(p.goType(model.Ref{Prim: r.Prim})).Call(Op("&").Id("m")))
		}
	}
	call := m.Dot(method[r.Prim]).Call()
	switch r.Prim {
	case model.Secret:
		return set(Qual(p.value, "NewSecret").Call(Id("m").Dot("String").Call()))
	case model.Date, model.DateTime, model.Month:
		return set(p.goType(r).Call(Id("m").Dot("String").Call()))
	}
	return set(call)
}

var method = map[model.Prim]string{
	model.String: "String", model.Bool: "Bool", model.Int: "Int", model.Float: "Float",
	model.Decimal: "Decimal", model.Number: "DecimalNumber", model.JSON: "RawValue",
}

func (p paths) decodeList(elem model.Ref) *Statement {
	m := Op("&").Id("m")
	switch {
	case elem.Prim == model.String:
		return Id("m").Dot("Strings").Call()
	case elem.Prim == model.Named && elem.Type.Kind != model.Enum:
		return Qual(p.wire, "List").Types(Id(elem.Type.Name)).Call(m)
	case elem.IsText():
		return Qual(p.wire, "Texts").Types(p.goType(elem)).Call(m)
	}
	return Qual(p.wire, "ListOf").Call(m, p.element(elem))
}

// element is a function that reads one element of a list or map.
func (p paths) element(elem model.Ref) Code {
	decoder := func(name string) Code { return Parens(Op("*").Qual(p.wire, "Decoder")).Dot(name) }
	switch elem.Prim {
	case model.String, model.Bool, model.Int, model.Float, model.Decimal:
		return decoder("Read" + method[elem.Prim])
	case model.Number:
		return decoder("ReadDecimalNumber")
	case model.JSON:
		return decoder("ReadRaw")
	case model.List:
		return Func().Params(Id("d").Op("*").Qual(p.wire, "Decoder")).Add(p.goType(elem)).Block(
			Return(Qual(p.wire, "ReadListOf").Call(Id("d"), p.element(*elem.Elem))))
	case model.Map:
		return Func().Params(Id("d").Op("*").Qual(p.wire, "Decoder")).Add(p.goType(elem)).Block(
			Return(Qual(p.wire, "ReadMapOf").Call(Id("d"), p.element(*elem.Elem))))
	case model.Named:
		if elem.Type.Kind != model.Enum {
			return Qual(p.wire, "ReadObject").Types(Id(elem.Type.Name))
		}
	}
	return Qual(p.wire, "ReadText").Types(p.goType(elem))
}

func (p paths) encode(src *Statement, f *model.Field) Code {
	w, name := Id("w"), Lit(f.Wire)
	need := Qual(p.wire, "Optional")
	if f.Required {
		need = Qual(p.wire, "Required")
	}
	r := f.Ref
	switch r.Prim {
	case model.Named:
		switch {
		case r.Type.Kind == model.Enum && r.Pointer:
			return Qual(p.wire, "AppendOptText").Call(Op("&").Id("w"), name, src, need)
		case r.Type.Kind == model.Enum:
			return w.Dot("String").Call(name, String().Call(src), need)
		case r.Pointer:
			return Qual(p.wire, "AppendPointer").Call(Op("&").Id("w"), name, src, need)
		case r.Type.Kind == model.Union:
			return w.Dot("Raw").Call(name, src.Dot("raw"), need)
		}
		return w.Dot("Value").Call(name, Op("&").Add(src), need)
	case model.List:
		switch {
		case r.Elem.Prim == model.String:
			return w.Dot("Strings").Call(name, src, need)
		case r.Elem.Prim == model.Named && r.Elem.Type.Kind != model.Enum:
			return Qual(p.wire, "AppendList").Call(Op("&").Id("w"), name, src, need)
		case r.Elem.IsText():
			return Qual(p.wire, "AppendTexts").Call(Op("&").Id("w"), name, src, need)
		}
		return Qual(p.wire, "AppendListOf").Call(Op("&").Id("w"), name, src, need, p.appender(*r.Elem))
	case model.Map:
		return Qual(p.wire, "AppendMapOf").Call(Op("&").Id("w"), name, src, need, p.appender(*r.Elem))
	case model.JSON:
		return w.Dot("Raw").Call(name, src, need)
	}
	if r.Pointer {
		switch r.Prim {
		case model.Bool, model.Int, model.Float, model.String:
			return w.Dot("Opt"+method[r.Prim]).Call(name, src, need)
		}
		return Qual(p.wire, "AppendOptText").Call(Op("&").Id("w"), name, src, need)
	}
	switch r.Prim {
	case model.Secret:
		return w.Dot("String").Call(name, src.Dot("Reveal").Call(), need)
	case model.Date, model.DateTime, model.Month:
		return w.Dot("String").Call(name, String().Call(src), need)
	}
	return w.Dot(method[r.Prim]).Call(name, src, need)
}

// appender is a function that appends one element of a list or map.
func (p paths) appender(elem model.Ref) Code {
	nested := func(fn string) Code {
		return Func().Params(Id("b").Index().Byte(), Id("e").Add(p.goType(elem))).Index().Byte().Block(
			Return(Qual(p.wire, fn).Call(Id("b"), Id("e"), p.appender(*elem.Elem))))
	}
	switch elem.Prim {
	case model.Bool, model.Int, model.Float, model.Decimal, model.Number:
		return Qual(p.wire, "Append"+method[elem.Prim])
	case model.JSON:
		return Qual(p.wire, "AppendRaw")
	case model.String:
		return Qual(p.wire, "AppendString")
	case model.List:
		return nested("AppendItems")
	case model.Map:
		return nested("AppendEntries")
	case model.Named:
		if elem.Type.Kind != model.Enum {
			return Qual(p.wire, "AppendObject").Types(Id(elem.Type.Name))
		}
	}
	return Qual(p.wire, "AppendText").Types(p.goType(elem))
}

// union declares the accessors of a polymorphic value.
func (p paths) union(g *Group, t *model.Type) {
	v := receiver
	recv := Id(v).Id(t.Name)
	g.Comment("Raw returns the value as it came.")
	g.Func().Params(recv.Clone()).Id("Raw").Params().Qual(p.value, "JSON").Block(Return(Id(v).Dot("raw")))
	g.Line()
	g.Comment("IsZero tells whether there is no value. Null is a value.")
	g.Func().Params(recv.Clone()).Id("IsZero").Params().Bool().Block(Return(Id(v).Dot("raw").Dot("IsZero").Call()))
	g.Line()
	g.Add(docs(t.Name + "Of returns " + article(t.Name) + " that holds raw."))
	g.Func().Id(t.Name + "Of").Params(Id("raw").Qual(p.value, "JSON")).Id(t.Name).Block(
		Return(Id(t.Name).Values(Dict{Id("raw"): Id("raw")})))
	g.Line()
	for _, variant := range t.Variants {
		p.variant(g, t, variant)
	}
	g.Comment("DecodeJSON reads the value from d.")
	g.Func().Params(Id(v).Op("*").Id(t.Name)).Id("DecodeJSON").Params(Id("d").Op("*").Qual(p.wire, "Decoder")).Block(
		Id(v).Dot("raw").Op("=").Id("d").Dot("ReadRaw").Call())
	g.Line()
	g.Comment("AppendJSON appends the value's JSON form to b.")
	g.Func().Params(Id(v).Op("*").Id(t.Name)).Id("AppendJSON").Params(Id("b").Index().Byte()).Index().Byte().Block(
		Return(Qual(p.wire, "AppendRaw").Call(Id("b"), Id(v).Dot("raw"))))
	g.Line()
	p.standardJSON(g, t)
}

// variant declares how one shape of a polymorphic value is read and made.
func (p paths) variant(g *Group, t *model.Type, variant *model.Variant) {
	r := variant.Ref
	read, arg, ret := "VariantRaw", Code(nil), Code(Qual(p.value, "JSON"))
	raw := Id("v")
	switch {
	case r.Prim == model.List && r.Elem.IsText():
		read, arg, ret = "VariantTexts", p.goType(*r.Elem), p.goType(r)
		raw = Qual(p.value, "JSON").Call(Qual(p.wire, "AppendItems").Call(Nil(), Id("v"), p.appender(*r.Elem)))
	case r.Prim == model.List && r.Elem.Prim == model.Named:
		read, arg, ret = "VariantList", p.goType(*r.Elem), p.goType(r)
		raw = Qual(p.value, "JSON").Call(Qual(p.wire, "AppendItems").Call(Nil(), Id("v"), p.appender(*r.Elem)))
	case r.IsText():
		read, arg, ret = "VariantText", p.goType(r), p.goType(r)
		raw = Qual(p.value, "JSON").Call(p.appender(r).(*Statement).Call(Nil(), Id("v")))
	case r.Prim == model.Named:
		read, arg, ret = "Variant", p.goType(r), Op("*").Add(p.goType(r))
		raw = Qual(p.value, "JSON").Call(Id("v").Dot("AppendJSON").Call(Nil()))
	}
	call := Qual(p.wire, read)
	if arg != nil {
		call = call.Types(arg)
	}
	g.Add(docs(sentence(variant.Name, variant.Doc)))
	g.Func().Params(Id(receiver).Id(t.Name)).Id(variant.Name).Params().Params(ret, Bool()).Block(
		Return(call.Call(Id(receiver).Dot("raw"), Qual(p.wire, "Match").Values(matchDict(variant.When)))))
	g.Line()
	name := "New" + t.Name + variant.Name
	g.Add(docs(fmt.Sprintf("%s returns %s that holds v.", name, article(t.Name))))
	g.Func().Id(name).Params(Id("v").Add(p.goType(r))).Id(t.Name).BlockFunc(func(g *Group) {
		p.mark(g, variant)
		g.Return(Id(t.Name).Values(Dict{Id("raw"): raw}))
	})
	g.Line()
}

// mark gives a value that is made by hand what its shape is recognised by, if the
// caller did not.
func (p paths) mark(g *Group, variant *model.Variant) {
	r := variant.Ref
	if r.Prim != model.Named || r.Type.Kind != model.Struct {
		return
	}
	for _, f := range r.Type.Fields {
		member := func() *Statement { return Id("v").Dot(f.Name) }
		switch {
		case f.Wire != variant.When.Property || f.Ref.Pointer:
		case f.Ref.IsText() && len(variant.When.Equals) > 0:
			g.If(member().Op("==").Lit("")).Block(member().Op("=").Lit(variant.When.Equals[0]))
		case f.Ref.Prim == model.List:
			g.If(member().Op("==").Nil()).Block(member().Op("=").Add(p.goType(f.Ref)).Values())
		}
	}
}

func matchDict(w model.When) Dict {
	d := Dict{}
	if w.Kind != "" {
		d[Id("Kind")] = Lit(w.Kind)
	}
	if w.Property != "" {
		d[Id("Member")] = Lit(w.Property)
	}
	if len(w.Equals) > 0 {
		d[Id("Equals")] = Index().String().ValuesFunc(func(g *Group) {
			for _, e := range w.Equals {
				g.Lit(e)
			}
		})
	}
	return d
}

// lowerFirst makes an unexported name of an exported one: APIKey → apiKey.
func lowerFirst(name string) string {
	i := 1
	for i < len(name) && name[i] >= 'A' && name[i] <= 'Z' && (i+1 == len(name) || name[i+1] >= 'A' && name[i+1] <= 'Z') {
		i++
	}
	return strings.ToLower(name[:i]) + name[i:]
}
