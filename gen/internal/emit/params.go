package emit

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	. "github.com/dave/jennifer/jen"

	"github.com/basiq-sdk/basiq-go/gen/internal/model"
)

// sending is how a struct is sent: as parameters, or as a body in one encoding.
type sending struct {
	body  model.Body
	media string
}

// sendings returns, for each struct that methods send, a method for each way in which
// it is sent.
func sendings(resources ...*model.Resource) map[*model.Type][]*model.Method {
	out := map[*model.Type][]*model.Method{}
	seen := map[*model.Type]map[sending]bool{}
	add := func(t *model.Type, m *model.Method) {
		if t == nil {
			return
		}
		how := sending{m.Body, m.BodyMedia}
		if t.Params {
			how = sending{}
		}
		if seen[t] == nil {
			seen[t] = map[sending]bool{}
		}
		if !seen[t][how] {
			seen[t][how] = true
			out[t] = append(out[t], m)
		}
	}
	for _, r := range resources {
		for _, m := range r.Methods {
			add(m.Params, m)
			add(m.Options, m)
			add(m.BodyType, m)
		}
	}
	return out
}

// nameApplies decides the names of the methods that set a struct on a request. The
// first way in which a struct is sent has the short name.
func (e *emitter) nameApplies(d *model.Domain) {
	e.applies = map[*model.Type]map[sending]string{}
	for t, methods := range sendings(d.Resources...) {
		e.applies[t] = map[sending]string{}
		taken := map[string]bool{}
		for i, m := range methods {
			name := "apply"
			if i > 0 {
				name += model.GoName(string(m.Body))
				if m.BodyMedia != "" {
					name += model.GoName(m.BodyMedia)
				}
			}
			for base, n := name, 2; taken[name]; n++ {
				name = base + strconv.Itoa(n)
			}
			taken[name] = true
			e.applies[t][sending{m.Body, m.BodyMedia}] = name
		}
	}
}

// applyName returns the name of the method that sets t on a request of m.
func (e *emitter) applyName(t *model.Type, m *model.Method) string {
	if t.Params {
		return "apply"
	}
	return e.applies[t][sending{m.Body, m.BodyMedia}]
}

// apply declares the method that sets a params struct on a request. It checks
// required parameters before anything is sent.
func (e *emitter) apply(g *Group, t *model.Type, m *model.Method) {
	recv := "p"
	name := e.applyName(t, m)
	g.Comment(name + " sets the parameters on the request.")
	g.Func().Params(Id(recv).Op("*").Id(t.Name)).Id(name).Params(Id("req").Op("*").Qual(e.transport, "Request")).
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
				case "query", "header", "cookie":
					e.applyParam(g, recv, f)
				case "body":
					e.applyBody(g, m, recv, f)
				}
			}
			switch {
			case t.Params:
			case m.Body == model.BodyJSON:
				e.setJSON(g, m, Id(recv), t)
			case m.Body == model.BodyForm:
				e.form(g, recv, t, "Field", "SetForm")
			case m.Body == model.BodyMultipart:
				e.form(g, recv, t, "Part", "SetMultipart")
			}
		})
	g.Line()
}

// setJSON sets the body to the JSON form of a struct, to which pointer points.
func (e *emitter) setJSON(g *Group, m *model.Method, pointer *Statement, t *model.Type) {
	if t.HoldsReadOnly() {
		g.Id("body").Op(":=").Add(pointer).Dot("forRequest").Call()
		pointer = Op("&").Id("body")
	}
	if m.BodyMedia == "" {
		g.Id("req").Dot("SetJSON").Call(pointer)
		return
	}
	g.Id("req").Dot("SetBody").Call(Lit(m.BodyMedia), Qual(e.wire, "Append").Call(Nil(), pointer))
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
		limit := func(method string, most int) {
			if v := Id(recv).Dot(f.Name); f.Ref.Pointer {
				g.If(v.Clone().Op("!=").Nil()).Block(Id("req").Dot(method).Call(Lit(f.Wire), Op("*").Add(v), Lit(most)))
			} else {
				g.Id("req").Dot(method).Call(Lit(f.Wire), v, Lit(most))
			}
		}
		if f.Most > 0 && f.Ref.Prim == model.Int {
			limit("AtMost", f.Most)
		}
		if f.MostLength > 0 && f.Ref.Prim == model.String {
			limit("NotLonger", f.MostLength)
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
	for _, choice := range t.Choices {
		e.choice(g, recv, t, choice)
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

// choice refuses a value that has none of the alternatives, or several where only one
// is allowed.
func (e *emitter) choice(g *Group, recv string, t *model.Type, choice model.Choice) {
	var names []string
	var conds []Code
	for _, set := range choice.Sets {
		names = append(names, strings.Join(set, " and "))
		cond := new(Statement)
		for i, wire := range set {
			if i > 0 {
				cond.Op("&&")
			}
			given := new(Statement)
			for _, f := range t.Fields {
				if f.Wire == wire {
					given.Add(e.isSet(recv, f))
				}
			}
			if t.HasJSON() {
				if len(*given) > 0 {
					given.Op("||")
				}
				given.Id(recv).Dot("JSON").Dot("Present").Call(Lit(wire))
			}
			if len(*given) == 0 {
				given.True()
			}
			if len(set) > 1 {
				given = Parens(given)
			}
			cond.Add(given)
		}
		conds = append(conds, cond)
	}
	name := Lit(strings.Join(names, " or "))
	if choice.One {
		g.Id("req").Dot("RequireOne").Call(append([]Code{name}, conds...)...)
		return
	}
	either := new(Statement)
	for i, cond := range conds {
		if i > 0 {
			either.Op("||")
		}
		if len(choice.Sets[i]) > 1 {
			cond = Parens(cond)
		}
		either.Add(cond)
	}
	g.Id("req").Dot("Require").Call(name, either)
}

func (e *emitter) applyParam(g *Group, recv string, f *model.Field) {
	v := Id(recv).Dot(f.Name)
	set := map[string]string{"query": "SetQuery", "header": "SetHeader"}[f.In]
	switch {
	case f.Ref.Prim == model.Filters:
		g.Id("req").Dot("SetFilter").Call(Lit(f.Wire), v.Dot("terms"))
	case f.AsJSON && f.In != "cookie":
		call := Id("req").Dot(set).Call(Lit(f.Wire), String().Call(e.jsonOf(f.Ref, v)))
		e.ifSet(g, recv, f, call)
	case f.In == "query" && f.Ref.Prim == model.List && f.Repeat:
		g.For(List(Id("_"), Id("item")).Op(":=").Range().Add(v)).Block(
			Id("req").Dot(set).Call(Lit(f.Wire), textOf(*f.Ref.Elem, Id("item"))))
	case f.In == "cookie" || !f.Ref.IsScalar():
		name := map[string]string{"query": "SetQueryParam", "header": "SetHeaderParam", "cookie": "SetCookieParam"}[f.In]
		call := Id("req").Dot(name).Call(e.param(f), e.paramValue(f, v))
		if f.Ref.Prim == model.List { // an empty list is not sent
			g.Add(call)
			return
		}
		e.ifSet(g, recv, f, call)
	default:
		e.ifSet(g, recv, f, Id("req").Dot(set).Call(Lit(f.Wire), textOf(f.Ref, v)))
	}
}

// ifSet adds a statement that is executed if the field is set. A required field is.
func (e *emitter) ifSet(g *Group, recv string, f *model.Field, then Code) {
	if f.Required && !f.Ref.Pointer { // Require does not end the method
		g.Add(then)
		return
	}
	g.If(e.isSet(recv, f)).Block(then)
}

// param returns the description of how a parameter is written.
func (e *emitter) param(f *model.Field) *Statement {
	fields := Dict{Id("Name"): Lit(f.Wire)}
	if style := styleConst[f.Style]; style != "" {
		fields[Id("Style")] = Qual(e.transport, style)
	}
	if f.Explode {
		fields[Id("Explode")] = True()
	}
	if f.Slashes {
		fields[Id("Slashes")] = True()
	}
	return Qual(e.transport, "Param").Values(fields)
}

var styleConst = map[model.Style]string{
	model.StyleLabel: "StyleLabel", model.StyleMatrix: "StyleMatrix", model.StyleSpace: "StyleSpace",
	model.StylePipe: "StylePipe", model.StyleDeep: "StyleDeep",
}

// paramValue returns the value of a parameter for the transport to write.
func (e *emitter) paramValue(f *model.Field, v *Statement) Code {
	r := f.Ref
	switch {
	case f.AsJSON:
		return Qual(e.transport, "Text").Call(String().Call(e.jsonOf(r, v)))
	case r.IsScalar():
		return Qual(e.transport, "Text").Call(textOf(r, v))
	case r.Prim != model.List:
		return Qual(e.transport, "Members").Call(e.jsonOf(r, v))
	case r.Elem.IsText() && r.Elem.Prim != model.Secret:
		return Qual(e.transport, "Items").Call(v.Op("..."))
	}
	text := Func().Params(Id("item").Add(e.goType(*r.Elem))).String().Block(Return(textOf(*r.Elem, Id("item"))))
	switch r.Elem.Prim {
	case model.Int:
		text = Qual("strconv", "Itoa")
	case model.Bool:
		text = Qual("strconv", "FormatBool")
	}
	return Qual(e.transport, "ItemsOf").Call(v, text)
}

// jsonOf returns the JSON form of a value.
func (e *emitter) jsonOf(r model.Ref, v *Statement) Code {
	if r.Prim == model.Named && r.Type.Kind != model.Enum {
		if !r.Pointer {
			v = Op("&").Add(v)
		}
		return Qual(e.wire, "Append").Call(Nil(), v)
	}
	if r.Pointer {
		v = Op("*").Add(v)
	}
	switch r.Prim {
	case model.List:
		return Qual(e.wire, "AppendItems").Call(Nil(), v, e.appender(*r.Elem))
	case model.Map:
		return Qual(e.wire, "AppendEntries").Call(Nil(), v, e.appender(*r.Elem))
	case model.Secret:
		return Qual(e.wire, "AppendString").Call(Nil(), v.Dot("Reveal").Call())
	}
	return e.appender(r).(*Statement).Call(Nil(), v)
}

// hasEmpty reports whether the empty string is a value of an enumeration.
func hasEmpty(r model.Ref) bool {
	return r.Prim == model.Named && slices.ContainsFunc(r.Type.Values, func(v *model.Value) bool { return v.Wire == "" })
}

// applyBody sets a body that is a field of a params struct. A struct checks and sets
// itself with its own apply method.
func (e *emitter) applyBody(g *Group, m *model.Method, recv string, f *model.Field) {
	body := func() *Statement { return Id(recv).Dot(f.Name) }
	set := func(g *Group) {
		switch {
		case f.Ref.Prim == model.Named && f.Ref.Type.Kind == model.Struct:
			g.Add(body()).Dot(e.applyName(f.Ref.Type, m)).Call(Id("req"))
			return
		case m.Body == model.BodyContent:
			g.Id("req").Dot("SetContent").Call(Lit(m.BodyMedia), body())
			return
		case m.Body == model.BodyText:
			g.Id("req").Dot("SetBody").Call(Lit(m.BodyMedia), Index().Byte().Call(body()))
			return
		}
		value := body
		if f.Ref.HoldsReadOnly() {
			value = func() *Statement { return Id("body") }
			g.Id("body").Op(":=").Add(body())
			e.withoutReadOnly(g, value, f.Ref, 0)
		}
		g.Id("req").Dot("SetBody").Call(Lit(cmp.Or(m.BodyMedia, "application/json")), e.jsonOf(f.Ref, value()))
	}
	cond := e.isSet(recv, f)
	whole := f.Ref.Prim == model.Named && f.Ref.Type.Kind == model.Struct && !f.Ref.Pointer
	switch {
	case whole:
	case f.Ref.Prim == model.List || f.Ref.Prim == model.Map:
		cond = body().Op("!=").Nil() // an empty one is a body
		fallthrough
	case f.Required && (f.Ref.Prim == model.JSON || f.Ref.Prim == model.File || f.Ref.Prim == model.Named && f.Ref.Type.Kind == model.Union):
		if f.Required {
			g.Id("req").Dot("Require").Call(Lit(f.Wire), cond)
		}
	case f.Required && f.Ref.IsText() && f.Ref.Prim != model.String && !hasEmpty(f.Ref): // "" is not one of its values
		g.Id("req").Dot("Require").Call(Lit(f.Wire), cond)
	case f.Required:
		whole = true
	}
	if whole || f.Required {
		set(g)
		return
	}
	g.If(cond).BlockFunc(set)
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
	case converted(f.Ref) && f.Ref.Base() == model.JSON:
		return v.Op("!=").Lit("")
	case f.Ref.Prim == model.File:
		return v.Dot("Content").Op("!=").Nil()
	case f.Ref.Prim == model.Named && f.Ref.Type.Kind == model.Union:
		return Op("!").Add(v).Dot("IsZero").Call()
	case f.Required:
		return nil
	case f.Ref.Base() == model.Int, f.Ref.Prim == model.Float:
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
	case model.Named:
		if r.Base() == model.Int {
			return Qual("strconv", "Itoa").Call(Int().Call(v))
		}
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
