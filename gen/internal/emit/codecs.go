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

// codec declares a struct's JSON codec: one line for each field, with which package wire
// both decodes and encodes it.
func (e *emitter) codec(g *Group, t *model.Type) {
	v, typeVar := receiver, lowerFirst(t.Name)+"Type"
	g.Var().Id(typeVar).Qual(e.wire, "Type")
	g.Line()
	g.Comment("JSONFields calls a method of f for every member of the JSON object.")
	g.Func().Params(Id(v).Op("*").Id(t.Name)).Id("JSONFields").Params(Id("f").Op("*").Qual(e.wire, "Fields")).BlockFunc(func(g *Group) {
		g.Id("f").Dot("Struct").Call(Op("&").Id(v).Dot("JSON"), Op("&").Id(typeVar))
		for _, f := range t.Fields {
			g.Add(e.member(f))
			for _, a := range f.Aliases {
				g.Id("f").Dot("Alias").Call(Lit(a))
			}
		}
		derived(g, t)
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

// member is the call for one member.
func (e *emitter) member(f *model.Field) Code {
	r, field := f.Ref, Op("&").Id(receiver).Dot(f.Name)
	method := func(name string, place *Statement) Code {
		return Id("f").Dot(name).Call(Lit(f.Wire), place, e.presence(f))
	}
	as := func(base *Statement) *Statement { return Parens(Op("*").Add(base)).Call(field) }
	generic := func(name string, codec ...Code) Code {
		return Qual(e.wire, name).Call(append([]Code{Id("f"), Lit(f.Wire), field, e.presence(f)}, codec...)...)
	}
	switch {
	case r.Prim == model.List && r.Elem.Prim == model.String:
		return method("Strings", field)
	case r.Prim == model.List && r.Elem.Prim == model.Named && r.Elem.Type.Kind != model.Enum:
		return generic("List")
	case r.Prim == model.List && r.Elem.IsJSONText():
		return generic("Texts")
	case r.Prim == model.List:
		return generic("ListOf", e.element(*r.Elem), e.appender(*r.Elem))
	case r.Prim == model.Map:
		return generic("MapOf", e.element(*r.Elem), e.appender(*r.Elem))
	case converted(r) && r.Pointer:
		return generic("Opt", e.element(r), e.appender(r))
	case converted(r):
		return method(methods[r.Base()], as(e.goType(model.Ref{Prim: r.Base()})))
	case r.Prim == model.Named && r.Type.Kind != model.Enum && r.Pointer:
		return generic("Pointer")
	case r.Prim == model.Named && r.Type.Kind == model.Union:
		return method("Raw", Add(field).Dot("raw"))
	case r.Prim == model.Named && r.Type.Kind != model.Enum:
		return method("Value", field)
	case r.Pointer && slices.Contains([]model.Prim{model.Bool, model.Int, model.Float, model.String}, r.Prim):
		return method("Opt"+methods[r.Prim], field)
	case r.Pointer:
		return generic("OptText")
	case methods[r.Prim] != "":
		return method(methods[r.Prim], field)
	}
	return method("String", as(String())) // a date, or an enumeration of strings
}

var methods = map[model.Prim]string{
	model.String: "String", model.Bool: "Bool", model.Int: "Int", model.Float: "Float", model.Secret: "Secret",
	model.Decimal: "Decimal", model.Number: "DecimalNumber", model.JSON: "Raw",
}

// presence says whether a field is written if it is zero.
func (e *emitter) presence(f *model.Field) Code {
	switch {
	case !f.Required || f.ReadOnly: // a request must not have what is read-only
		return Qual(e.wire, "Optional")
	case f.Nullable && (f.Ref.Prim == model.List || f.Ref.Prim == model.Map):
		return Qual(e.wire, "Nullable")
	}
	return Qual(e.wire, "Required")
}

// derived sets what a struct derives from the members that were read.
func derived(g *Group, t *model.Type) {
	var set []Code
	for _, f := range t.Fields {
		if r := f.Ref; r.Prim == model.Named && r.Type.Kind == model.Enum && !r.Pointer && !converted(r) && r.Type.HasAlternateSpellings() {
			field := Id(receiver).Dot(f.Name)
			set = append(set, Add(field).Op("=").Add(field).Dot("usual").Call())
		}
	}
	if set = append(set, siblings(t)...); len(set) > 0 {
		g.If(Id("f").Dot("Decoded").Call()).Block(set...)
	}
}

// element returns the function that decodes an element of a list or map.
func (e *emitter) element(elem model.Ref) Code {
	decoder := func(name string) Code { return Parens(Op("*").Qual(e.wire, "Decoder")).Dot(name) }
	switch elem.Prim {
	case model.String, model.Bool, model.Int, model.Float, model.Decimal:
		return decoder("Read" + methods[elem.Prim])
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

// appender returns the function that appends an element of a list or map.
func (e *emitter) appender(elem model.Ref) Code {
	nested := func(fn string) Code {
		return Func().Params(Id("b").Index().Byte(), Id("e").Add(e.goType(elem))).Index().Byte().Block(
			Return(Qual(e.wire, fn).Call(Id("b"), Id("e"), e.appender(*elem.Elem))))
	}
	switch elem.Prim {
	case model.Bool, model.Int, model.Float, model.Decimal, model.Number:
		return Qual(e.wire, "Append"+methods[elem.Prim])
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
