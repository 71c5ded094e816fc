package emit

import (
	"slices"
	"strings"

	. "github.com/dave/jennifer/jen"

	"github.com/basiq-sdk/basiq-go/gen/internal/model"
)

// codecFile writes the file with the JSON codecs of types.
func (e *emitter) codecFile(name string, types []*model.Type) error {
	types = slices.DeleteFunc(slices.Clone(types), func(t *model.Type) bool { return t.Kind == model.Enum || !t.HasJSON() })
	if len(types) == 0 {
		return nil
	}
	return e.file(name, "", func(g *Group) {
		for _, t := range types {
			if t.Kind == model.Union {
				e.union(g, t)
				continue
			}
			e.codec(g, t)
		}
	})
}

// codec declares a struct's JSON codec. It uses no reflection, and undeclared
// members survive a round trip.
func (e *emitter) codec(g *Group, t *model.Type) {
	v := receiver
	names := lowerFirst(t.Name) + "Members"
	g.Var().Id(names).Op("=").Qual(e.wire, "Names").CustomFunc(linewise, func(g *Group) {
		for _, f := range t.Fields {
			g.Lit(f.Wire)
		}
	})
	g.Line()
	g.Comment("DecodeJSON reads the value from d.")
	g.Func().Params(Id(v).Op("*").Id(t.Name)).Id("DecodeJSON").Params(Id("d").Op("*").Qual(e.wire, "Decoder")).BlockFunc(func(g *Group) {
		g.Id("m").Op(":=").Id("d").Dot("Members").Call(Op("&").Id(v).Dot("JSON"), Op("&").Id(names))
		g.For(Id("m").Dot("Next").Call()).Block(
			Switch(Id("m").Dot("Name").Call()).BlockFunc(func(g *Group) {
				for _, f := range t.Fields {
					g.Case(Lit(f.Wire)).Block(e.decode(Id(v).Dot(f.Name), f.Ref))
					for _, a := range f.Aliases {
						g.Case(Lit(a)).Block(
							If(Id("m").Dot("Alias").Call(Lit(f.Wire))).Block(e.decode(Id(v).Dot(f.Name), f.Ref)).
								Else().Block(Id("m").Dot("Extra").Call()))
					}
				}
				g.Default().Block(Id("m").Dot("Extra").Call())
			}),
		)
		tellSiblings(g, t)
	})
	g.Line()
	g.Comment("AppendJSON appends the value's JSON form to b.")
	g.Func().Params(Id(v).Op("*").Id(t.Name)).Id("AppendJSON").Params(Id("b").Index().Byte()).Index().Byte().BlockFunc(func(g *Group) {
		g.Id("w").Op(":=").Qual(e.wire, "BeginObject").Call(Id("b"), Op("&").Id(v).Dot("JSON"), Op("&").Id(names))
		if slices.ContainsFunc(t.Fields, func(f *model.Field) bool { return strings.ContainsAny(f.Wire, `"\`) }) {
			g.Id("w").Dot("EscapeNames").Call()
		}
		for _, f := range t.Fields {
			g.Add(e.encode(Id(v).Dot(f.Name), f))
		}
		g.Return(Id("w").Dot("End").Call())
	})
	g.Line()
	e.standardJSON(g, t)
	if t.Additional != nil {
		e.additional(g, t)
	}
	for _, variant := range t.Variants {
		e.inherited(g, t, variant)
	}
	if t.Request && t.HoldsReadOnly() {
		e.forRequest(g, t)
	}
	if t.HoldsSecret() {
		hideSecret(g, t)
	}
}

// standardJSON declares the methods that encoding/json calls.
func (e *emitter) standardJSON(g *Group, t *model.Type) {
	v := receiver
	g.Comment("MarshalJSON implements json.Marshaler.")
	g.Func().Params(Id(v).Id(t.Name)).Id("MarshalJSON").Params().Params(Index().Byte(), Error()).Custom(oneLine,
		Return(Qual(e.wire, "Marshal").Call(Op("&").Id(v))))
	g.Line()
	g.Comment("UnmarshalJSON implements json.Unmarshaler.")
	g.Func().Params(Id(v).Op("*").Id(t.Name)).Id("UnmarshalJSON").Params(Id("data").Index().Byte()).Error().Custom(oneLine,
		Return(Qual(e.wire, "Unmarshal").Call(Id("data"), Id(v))))
	g.Line()
}

func (e *emitter) decode(dst *Statement, r model.Ref) Code {
	m := Id("m")
	set := func(call *Statement) Code { return dst.Op("=").Add(call) }
	switch r.Prim {
	case model.Named:
		switch {
		case converted(r) && r.Pointer:
			return set(Qual(e.wire, "Opt").Call(Op("&").Id("m"), e.element(r)))
		case converted(r):
			return set(Id(r.Type.Name).Call(Id("m").Dot(method[r.Base()]).Call()))
		case r.Type.Kind == model.Enum && r.Pointer:
			return set(Qual(e.wire, "OptText").Types(Id(r.Type.Name)).Call(Op("&").Id("m")))
		case r.Type.Kind == model.Enum && r.Type.HasAlternateSpellings():
			return set(Id(r.Type.Name).Call(m.Dot("String").Call()).Dot("usual").Call())
		case r.Type.Kind == model.Enum:
			return set(Id(r.Type.Name).Call(m.Dot("String").Call()))
		case r.Pointer:
			return set(Qual(e.wire, "Pointer").Types(Id(r.Type.Name)).Call(Op("&").Id("m")))
		case r.Type.Kind == model.Union:
			return dst.Dot("raw").Op("=").Add(m.Dot("RawValue").Call())
		}
		return m.Dot("Value").Call(Op("&").Add(dst))
	case model.List:
		return set(e.decodeList(*r.Elem))
	case model.Map:
		return set(Qual(e.wire, "MapOf").Call(Op("&").Id("m"), e.element(*r.Elem)))
	}
	if r.Pointer {
		switch r.Prim {
		case model.Bool, model.Int, model.Float, model.String:
			return set(m.Dot("Opt" + method[r.Prim]).Call())
		default:
			return set(Qual(e.wire, "OptText").Types(e.goType(model.Ref{Prim: r.Prim})).Call(Op("&").Id("m")))
		}
	}
	call := m.Dot(method[r.Prim]).Call()
	switch r.Prim {
	case model.Secret:
		return set(Qual(e.value, "NewSecret").Call(Id("m").Dot("String").Call()))
	case model.Date, model.DateTime, model.Month:
		return set(e.goType(r).Call(Id("m").Dot("String").Call()))
	}
	return set(call)
}

var method = map[model.Prim]string{
	model.String: "String", model.Bool: "Bool", model.Int: "Int", model.Float: "Float",
	model.Decimal: "Decimal", model.Number: "DecimalNumber", model.JSON: "RawValue",
}

func (e *emitter) decodeList(elem model.Ref) *Statement {
	m := Op("&").Id("m")
	switch {
	case elem.Prim == model.String:
		return Id("m").Dot("Strings").Call()
	case elem.Prim == model.Named && elem.Type.Kind != model.Enum:
		return Qual(e.wire, "List").Types(Id(elem.Type.Name)).Call(m)
	case elem.IsJSONText():
		return Qual(e.wire, "Texts").Types(e.goType(elem)).Call(m)
	}
	return Qual(e.wire, "ListOf").Call(m, e.element(elem))
}

// element returns the function that decodes an element of a list or map.
func (e *emitter) element(elem model.Ref) Code {
	decoder := func(name string) Code { return Parens(Op("*").Qual(e.wire, "Decoder")).Dot(name) }
	switch elem.Prim {
	case model.String, model.Bool, model.Int, model.Float, model.Decimal:
		return decoder("Read" + method[elem.Prim])
	case model.Number:
		return decoder("ReadDecimalNumber")
	case model.JSON:
		return decoder("ReadRaw")
	case model.List:
		return Func().Params(Id("d").Op("*").Qual(e.wire, "Decoder")).Add(e.goType(elem)).Block(
			Return(Qual(e.wire, "ReadListOf").Call(Id("d"), e.element(*elem.Elem))))
	case model.Map:
		return Func().Params(Id("d").Op("*").Qual(e.wire, "Decoder")).Add(e.goType(elem)).Block(
			Return(Qual(e.wire, "ReadMapOf").Call(Id("d"), e.element(*elem.Elem))))
	case model.Named:
		if elem.Type.Kind != model.Enum {
			return Qual(e.wire, "ReadObject").Types(Id(elem.Type.Name))
		}
		if converted(elem) {
			read := map[model.Prim]string{model.Int: "ReadInt", model.Number: "ReadDecimalNumber", model.JSON: "ReadRaw"}[elem.Base()]
			return Func().Params(Id("d").Op("*").Qual(e.wire, "Decoder")).Id(elem.Type.Name).Block(
				Return(Id(elem.Type.Name).Call(Id("d").Dot(read).Call())))
		}
	}
	return Qual(e.wire, "ReadText").Types(e.goType(elem))
}

func (e *emitter) encode(src *Statement, f *model.Field) Code {
	w, name := Id("w"), Lit(f.Wire)
	r := f.Ref
	need := Qual(e.wire, "Optional")
	switch {
	case !f.Required || f.ReadOnly: // a request must not have what is read-only
	case f.Nullable && (r.Prim == model.List || r.Prim == model.Map):
		need = Qual(e.wire, "Nullable")
	default:
		need = Qual(e.wire, "Required")
	}
	switch r.Prim {
	case model.Named:
		switch {
		case converted(r) && r.Pointer:
			return Qual(e.wire, "AppendOpt").Call(Op("&").Id("w"), name, src, need, e.appender(r))
		case converted(r):
			write := map[model.Prim]string{model.Int: "Int", model.Number: "DecimalNumber", model.JSON: "Raw"}[r.Base()]
			return w.Dot(write).Call(name, e.baseOf(r, src), need)
		case r.Type.Kind == model.Enum && r.Pointer:
			return Qual(e.wire, "AppendOptText").Call(Op("&").Id("w"), name, src, need)
		case r.Type.Kind == model.Enum:
			return w.Dot("String").Call(name, String().Call(src), need)
		case r.Pointer:
			return Qual(e.wire, "AppendPointer").Call(Op("&").Id("w"), name, src, need)
		case r.Type.Kind == model.Union:
			return w.Dot("Raw").Call(name, src.Dot("raw"), need)
		}
		return w.Dot("Value").Call(name, Op("&").Add(src), need)
	case model.List:
		switch {
		case r.Elem.Prim == model.String:
			return w.Dot("Strings").Call(name, src, need)
		case r.Elem.Prim == model.Named && r.Elem.Type.Kind != model.Enum:
			return Qual(e.wire, "AppendList").Call(Op("&").Id("w"), name, src, need)
		case r.Elem.IsJSONText():
			return Qual(e.wire, "AppendTexts").Call(Op("&").Id("w"), name, src, need)
		}
		return Qual(e.wire, "AppendListOf").Call(Op("&").Id("w"), name, src, need, e.appender(*r.Elem))
	case model.Map:
		return Qual(e.wire, "AppendMapOf").Call(Op("&").Id("w"), name, src, need, e.appender(*r.Elem))
	case model.JSON:
		return w.Dot("Raw").Call(name, src, need)
	}
	if r.Pointer {
		switch r.Prim {
		case model.Bool, model.Int, model.Float, model.String:
			return w.Dot("Opt"+method[r.Prim]).Call(name, src, need)
		}
		return Qual(e.wire, "AppendOptText").Call(Op("&").Id("w"), name, src, need)
	}
	switch r.Prim {
	case model.Secret:
		return w.Dot("String").Call(name, src.Dot("Reveal").Call(), need)
	case model.Date, model.DateTime, model.Month:
		return w.Dot("String").Call(name, String().Call(src), need)
	}
	return w.Dot(method[r.Prim]).Call(name, src, need)
}

// appender returns the function that appends an element of a list or map.
func (e *emitter) appender(elem model.Ref) Code {
	nested := func(fn string) Code {
		return Func().Params(Id("b").Index().Byte(), Id("e").Add(e.goType(elem))).Index().Byte().Block(
			Return(Qual(e.wire, fn).Call(Id("b"), Id("e"), e.appender(*elem.Elem))))
	}
	switch elem.Prim {
	case model.Bool, model.Int, model.Float, model.Decimal, model.Number:
		return Qual(e.wire, "Append"+method[elem.Prim])
	case model.JSON:
		return Qual(e.wire, "AppendRaw")
	case model.String:
		return Qual(e.wire, "AppendString")
	case model.List:
		return nested("AppendItems")
	case model.Map:
		return nested("AppendEntries")
	case model.Named:
		if elem.Type.Kind != model.Enum {
			return Qual(e.wire, "AppendObject").Types(Id(elem.Type.Name))
		}
		if converted(elem) {
			add := map[model.Prim]string{model.Int: "AppendInt", model.Number: "AppendDecimalNumber", model.JSON: "AppendRaw"}[elem.Base()]
			return Func().Params(Id("b").Index().Byte(), Id("e").Id(elem.Type.Name)).Index().Byte().Block(
				Return(Qual(e.wire, add).Call(Id("b"), e.baseOf(elem, Id("e")))))
		}
	}
	return Qual(e.wire, "AppendText").Types(e.goType(elem))
}

// converted reports whether a type is an enumeration whose values are not strings.
func converted(r model.Ref) bool {
	return r.Prim == model.Named && r.Type.Kind == model.Enum && r.Type.Base != ""
}

// baseOf converts a value of an enumeration to what its values are.
func (e *emitter) baseOf(r model.Ref, v *Statement) *Statement {
	return e.goType(model.Ref{Prim: r.Base()}).Call(v)
}

// additional declares access to the members of a struct beside its fields, which the
// description gives a type.
func (e *emitter) additional(g *Group, t *model.Type) {
	v, r := receiver, *t.Additional
	g.Add(docs("AdditionalProperties returns the members beside the fields, by name. Those that are not of the declared type have the zero value; the JSON field has them as they are."))
	g.Func().Params(Id(v).Op("*").Id(t.Name)).Id("AdditionalProperties").Params().Map(String()).Add(e.goType(r)).Block(
		Return(Qual(e.wire, "ExtraOf").Call(Op("&").Id(v).Dot("JSON"), e.element(r))))
	g.Line()
	g.Add(docs("SetAdditionalProperty sets a member beside the fields."))
	g.Func().Params(Id(v).Op("*").Id(t.Name)).Id("SetAdditionalProperty").Params(Id("name").String(), Id("member").Add(e.goType(r))).Error().Block(
		Return(Id(v).Dot("JSON").Dot("Set").Call(Id("name"), e.appender(r).(*Statement).Call(Nil(), Id("member")))))
	g.Line()
}

// lowerFirst returns the unexported form of an exported name: APIKey → apiKey.
func lowerFirst(name string) string {
	i := 1
	for i < len(name) && name[i] >= 'A' && name[i] <= 'Z' && (i+1 == len(name) || name[i+1] >= 'A' && name[i+1] <= 'Z') {
		i++
	}
	return strings.ToLower(name[:i]) + name[i:]
}
