package model

import (
	"github.com/basiq-sdk/basiq-go/gen/internal/spec"
)

// parameter returns a parameter of an operation.
func (b *builder) parameter(m *Method, p spec.Node, in, wire string) *Field {
	loc := m.Loc + " " + in + " " + wire
	entry := b.params[loc]
	b.noAlias(entry, loc, "a parameter")
	f := &Field{
		Name: entry.Name, Wire: wire, In: in, Loc: loc, Pos: p.Pos(), given: p.Str("x-name") != "",
		Doc:        b.documented(p),
		Deprecated: b.deprecation(p),
		Required:   p.Bool("required") || in == "path",
		Slashes:    in == "path" && (p.Bool("x-allow-slash") || p.Bool("allowReserved")),
	}
	schema := p.Get("schema")
	if content := p.Get("content").Members(); !schema.Exists() && len(content) == 1 {
		schema, f.AsJSON = content[0].Get("schema"), jsonMedia(content[0])
		if typ, _ := typeOf(schema.Deref()); !f.AsJSON && typ != "string" {
			b.tolerate(content[0], "cannot-express", "parameter %q is sent as %s, but only JSON and strings are supported", wire, content[0].Name()).
				WithHint("declare its schema as a string in an overlay")
			f.Ref = Ref{Prim: String}
			return f
		}
	}
	if !schema.Exists() && !f.AsJSON {
		b.tolerate(p, "cannot-express", "parameter %q has no schema", wire).WithHint("declare its schema in an overlay")
		f.Ref = Ref{Prim: String}
		return f
	}
	target := schema.Deref()
	f.Most, f.MostLength = strictest(target, greatest), strictest(target, longest)
	f.Default = meaningfulDefault(target)
	if fd := p.Get("x-filter"); fd.Exists() {
		f.Filter = b.filter(fd)
		f.Ref = Ref{Prim: Filters, Name: f.Filter.Type}
		return f
	}
	f.Ref = b.ref(schema, context{parent: m.Name + m.Resource.Name, name: f.Name, request: true, param: true})
	if !f.AsJSON {
		if why := b.style(f, p, target); why != "" {
			b.tolerate(p, "cannot-express", "parameter %q %s", wire, why).
				WithHint("give it, or what it contains, a scalar type in an overlay")
			f.Ref, f.Style, f.Explode = Ref{Prim: String}, "", false
		}
	}
	switch {
	case f.Required:
	case f.Ref.Prim == Named && f.Ref.Type.Kind == Struct, f.Ref.hidesZero(),
		f.Default && (f.Ref.Prim == Bool || f.Ref.Prim == Int || f.Ref.Prim == Float):
		f.Ref.Pointer = true
	}
	b.pin(f, p)
	b.openSecret(f, p)
	return f
}

// openSecret makes the secrets in a list or map plain strings, since only a single one
// can be kept from logs.
func (b *builder) openSecret(f *Field, p spec.Node) {
	for r := f.Ref.Elem; r != nil; r = r.Elem {
		if r.Prim == Secret {
			r.Prim = String
			b.warnf(p, "secret-shown", "%s holds passwords in a list or map, which are not kept from logs", p.Pointer()).
				WithHint("remove format: password in an overlay")
		}
	}
}

// pin applies x-pointer.
func (b *builder) pin(f *Field, p spec.Node) {
	x := p.Get("x-pointer")
	if !x.Exists() {
		return
	}
	f.Ref.Pointer, f.pinned = x.Text() == "true", true
	if f.Ref.Pointer && (f.Ref.Prim == List || f.Ref.Prim == Map || f.Ref.Prim == JSON || f.Ref.Prim == File) {
		b.errorf(x, "cannot-express", "%s is %s, which is never a pointer", p.Pointer(), f.Ref.Go())
	}
}

// style decides how a parameter is written. It returns why it cannot be.
func (b *builder) style(f *Field, p, schema spec.Node) (why string) {
	style, form := Style(p.Str("style")), f.In == "query" || f.In == "cookie"
	switch {
	case style == "simple" && !form, style == StyleForm && form:
		style = ""
	case style == "",
		f.In == "path" && (style == StyleLabel || style == StyleMatrix),
		f.In == "query" && (style == StyleSpace || style == StylePipe || style == StyleDeep):
	default:
		return "has style " + string(style) + ", which does not exist in the " + f.In
	}
	explode := style == "" && form
	if e := p.Get("explode"); e.Exists() {
		explode = e.Text() == "true"
	}
	f.Ref = f.Ref.textual()
	if f.Ref.Prim == JSON && schema.Str("type") != "object" { // any value is sent as its text
		f.Ref = Ref{Prim: String}
	}
	switch {
	case f.Ref.IsScalar():
		if style == StyleDeep {
			return "has style deepObject, but is not an object"
		}
		if f.In == "path" {
			f.Style, f.Explode = style, explode
		}
	case f.Ref.Prim == List && !f.Ref.Elem.IsScalar():
		return "is " + f.Ref.Go() + ", which cannot be encoded in the " + f.In
	case f.Ref.Prim == List && style == StyleDeep:
		return "has style deepObject, but is a list"
	case f.Ref.Prim == List:
		f.Style, f.Explode = style, explode
		f.Repeat = f.In == "query" && explode
	case f.Ref.Prim == Map || f.Ref.Prim == JSON || f.Ref.Prim == Named && f.Ref.Type.Kind == Struct:
		if style == StyleSpace || style == StylePipe {
			return "has style " + string(style) + ", but is an object"
		}
		f.Style, f.Explode = style, explode
		if member := f.Ref.nested(explode); style != StyleDeep && member != "" {
			return "is " + f.Ref.Go() + ", whose " + member + " cannot be encoded in the " + f.In
		}
	default:
		return "is " + f.Ref.Go() + ", which cannot be encoded in the " + f.In
	}
	return ""
}

// textual returns the type of a parameter in place of a union of scalars and lists of
// them, and of a list of any values: what is sent is their text.
func (r Ref) textual() Ref {
	if r.Prim == List && (r.Elem.Prim == JSON || r.Elem.Prim == Named && r.Elem.Type.Kind == Union && r.Elem.textual().IsScalar()) {
		return Ref{Prim: List, Elem: &Ref{Prim: String}}
	}
	if r.Prim != Named || r.Type.Kind != Union {
		return r
	}
	text := Ref{Prim: String}
	for _, v := range r.Type.Variants {
		switch {
		case v.Ref.IsScalar():
		case v.Ref.Prim == List && v.Ref.Elem.IsScalar():
			text = Ref{Prim: List, Elem: &Ref{Prim: String}}
		default:
			return r
		}
	}
	return text
}

// nested returns what in an object is not a scalar, or "". With lists, a list of scalars
// counts as one, too.
func (r Ref) nested(lists bool) string {
	flat := func(r Ref) bool { return r.IsScalar() || lists && r.Prim == List && r.Elem.IsScalar() }
	if r.Prim == Map && !flat(*r.Elem) {
		return "values"
	}
	if r.Prim != Named {
		return ""
	}
	for _, f := range r.Type.Fields {
		if !flat(f.Ref) {
			return "member " + f.Wire
		}
	}
	return ""
}
