package model

import (
	"math/big"
	"slices"
	"strings"

	"github.com/basiq-sdk/basiq-go/gen/internal/spec"
)

// context is where a schema is used. It gives an anonymous schema its name.
type context struct {
	parent, name      string
	request, response bool
	param             bool // a path, query or header parameter
	multipart         bool // the fields of a multipart form
	nested            bool // in an object of the body
	explicit          bool // the parent's name was set by an overlay
	property          bool // the schema is declared inline as a property

	siblings map[string]bool // the members of the object that has the schema as a property
}

// local returns the part of a pointer that the names lock uses.
func local(n spec.Node) string { return strings.TrimPrefix(n.Pointer(), "#") }

func (c context) defaultName() string { return c.parent + c.name }

var formats = map[string]Prim{
	"date": Date, "date-time": DateTime, "month": Month, "decimal": Decimal, "password": Secret,
}

// ref returns the Go type of a schema.
func (b *builder) ref(n spec.Node, ctx context) Ref {
	if !n.Exists() {
		return Ref{Prim: JSON}
	}
	target := n.Deref()
	if b.byPointer[target.Pointer()] != nil {
		t := b.byPointer[target.Pointer()]
		b.use(t, ctx)
		return Ref{Prim: Named, Type: t}
	}
	if r := n.Ref(); r != "" {
		if parts := strings.Split(r, "/"); naming[parts[len(parts)-2]] {
			ctx.parent, ctx.name, ctx.explicit = "", identifier(spec.Unescape(parts[len(parts)-1])), false
			ctx.property = parts[len(parts)-2] == "properties" // the target is the property's schema
		}
	}
	n = target
	if s := b.shape(n); s.Pointer() != n.Pointer() {
		if b.within(n) {
			return Ref{Prim: JSON}
		}
		defer b.leave(n)
		return b.ref(s, ctx)
	}
	if union, ok := b.told(n, ctx); ok {
		return union
	}
	return b.shaped(n, ctx)
}

// shaped returns the type of a schema by its keywords. The order of the cases decides
// which of them count if they contradict each other.
func (b *builder) shaped(n spec.Node, ctx context) Ref {
	typ, several := typeOf(n)
	switch {
	case n.Get("x-variants").Exists():
		return b.union(n, ctx)
	case several:
		return b.untyped(n, "it has several types").withHint(
			"declare the shapes with x-variants in an overlay, or give it a single type")
	case slices.ContainsFunc(n.Get("enum").Items(), func(v spec.Node) bool { return v.IsMap() || v.IsList() }):
		return b.untyped(n, "it lists objects or lists as its values").withHint(
			"declare its properties or items, without enum or const, in an overlay")
	case n.Get("enum").Exists() && typ != "boolean" && typ != "array" && typ != "object" && b.enumBase(n, typ) != Bool:
		if ctx.param && b.enumBase(n, typ) == JSON {
			b.warnf(n, "enum-type", "%s lists values of several types, which are all texts in a parameter", n.Pointer()).
				WithHint("quote its values in an overlay")
			return Ref{Prim: String}
		}
		return b.enum(n, ctx)
	case n.Get("properties").Exists() && typ != "" && typ != "object" && !n.Get("allOf").Exists():
		b.warnf(n.Get("properties"), "contradiction", "%s is of type %s, so that its members have no effect", n.Pointer(), typ).
			WithHint("correct its type, or remove the members, in an overlay")
		return b.scalar(n, typ, ctx)
	case n.Get("allOf").Exists() || n.Get("properties").Exists():
		return b.object(n, ctx)
	case n.Get("oneOf").Exists() || n.Get("anyOf").Exists():
		return b.untyped(n, "it has several shapes").withHint(
			"declare the shapes with x-variants in an overlay, or give it a single type")
	case typ == "array" || n.Get("items").Exists():
		if b.within(n) {
			return Ref{Prim: JSON}
		}
		defer b.leave(n)
		ctx.name, ctx.property = singular(ctx.name), false
		elem := b.ref(n.Get("items"), ctx)
		if !n.Get("items").Exists() {
			b.warnf(n, "untyped", "%s is a list without a type for its items", n.Pointer()).WithHint("declare its items in an overlay")
		}
		b.nullItems(n, n.Get("items"), elem, ctx)
		return Ref{Prim: List, Elem: &elem}
	case typ == "object":
		extra := n.Get("additionalProperties")
		if extra.IsMap() {
			if b.within(n) {
				return Ref{Prim: JSON}
			}
			defer b.leave(n)
			ctx.property = false
			elem := b.ref(extra, ctx)
			b.nullItems(n, extra, elem, ctx)
			return Ref{Prim: Map, Elem: &elem}
		}
		return b.untyped(n, "it is an object without properties").withHint(
			"declare its properties in an overlay, or set x-any: true if it is free-form")
	}
	return b.scalar(n, typ, ctx)
}

// nullItems reports that the items of a list or map may be null, which their Go type
// does not distinguish from the zero value.
func (b *builder) nullItems(n, items spec.Node, elem Ref, ctx context) {
	kept := elem.Prim == JSON || elem.Prim == Named && elem.Type.Kind == Union
	if !kept && !ctx.param && nullable(items) {
		b.warnf(items, "null-item", "an item of %s may be null, which is read as the zero value and cannot be sent", n.Pointer()).
			WithHint("to keep them as raw JSON, replace the schema of the items with {x-any: true} in an overlay")
	}
}

// scalar returns the Go type of a schema without members.
func (b *builder) scalar(n spec.Node, typ string, ctx context) Ref {
	switch {
	case typ == "array":
		return b.untyped(n, "it is a list with members").withHint("declare its items in an overlay")
	case typ == "string":
		return b.text(n, ctx)
	case typ == "integer" && beyondInt(n):
		return Ref{Prim: Number}
	case typ == "integer":
		return Ref{Prim: Int}
	case typ == "number":
		if n.Str("format") == "double" || n.Str("format") == "float" {
			return Ref{Prim: Float}
		}
		return Ref{Prim: Number} // keeps the exact text, since a float could lose digits
	case typ == "boolean":
		return Ref{Prim: Bool}
	}
	return b.untyped(n, "it has no type").withHint("declare its type in an overlay, or set x-any: true if it is free-form")
}

// naming are the keywords whose members are named by their keys.
var naming = map[string]bool{
	"schemas": true, "properties": true, "$defs": true, "definitions": true, "patternProperties": true,
}

// beyondInt reports whether an integer may be outside of what 64 bits with a sign hold.
func beyondInt(n spec.Node) bool {
	if n.Str("format") == "uint64" {
		return true
	}
	for _, keyword := range []string{"minimum", "maximum"} {
		if limit, ok := new(big.Int).SetString(n.Str(keyword), 10); ok && !limit.IsInt64() {
			return true
		}
	}
	return false
}

// typeOf returns a schema's type other than null, and whether it has several.
func typeOf(n spec.Node) (typ string, several bool) {
	typ = n.Str("type")
	for _, t := range n.Get("type").Items() { // 3.1: a list
		if t.Text() != "null" {
			typ, several = t.Text(), typ != ""
		}
	}
	return typ, several
}

// textFormats are the formats that are known but have no Go type of their own.
var textFormats = []string{"binary", "byte", "duration", "email", "hostname", "ipv4", "ipv6", "password", "phone", "time", "uri", "uri-reference", "url", "uuid"}

func (b *builder) text(n spec.Node, ctx context) Ref {
	format := n.Str("format")
	if binary(n) && ctx.multipart {
		return Ref{Prim: File}
	}
	if p, ok := formats[format]; ok {
		return Ref{Prim: p}
	}
	if format != "" && !slices.Contains(textFormats, format) {
		b.warnf(n.Get("format"), "unknown-format", "%s has the unknown format %q", n.Pointer(), format).
			WithHint("correct it in an overlay, or remove it")
	}
	if x := n.Get("x-enum"); x.Exists() {
		b.tolerate(x, "no-value", "%s has x-enum but is not an enumeration", n.Pointer()).
			WithHint("remove x-enum, or declare the values with enum in an overlay: the specification no longer does")
	}
	return Ref{Prim: String}
}

type untyped struct {
	hint func(string)
	Ref
}

func (u untyped) withHint(hint string) Ref {
	if u.hint != nil {
		u.hint(hint)
	}
	return u.Ref
}

// untyped is the last resort: the value is kept as raw JSON.
func (b *builder) untyped(n spec.Node, why string) untyped {
	u := untyped{Ref: Ref{Prim: JSON}}
	if n.Bool("x-any") {
		return u
	}
	a := b.warnf(n, "untyped", "%s has no Go type: %s", n.Pointer(), why)
	u.hint = func(hint string) { a.Hint = hint }
	return u
}

func (b *builder) use(t *Type, ctx context) {
	t.Request = t.Request || ctx.request
	t.Response = t.Response || ctx.response
}

// declare creates the named type of a schema and decides its name.
func (b *builder) declare(n spec.Node, ctx context, kind Kind) *Type {
	given := n.Str("x-type")
	entry := b.name(n, "type "+local(n), given, ctx.defaultName())
	// The description of an inline property documents the field. The type's
	// documentation is x-doc.
	doc := strings.TrimSpace(n.Str("x-doc"))
	if doc == "" && !ctx.property {
		doc = b.documented(n)
	}
	t := &Type{
		Name: entry.Name, Was: entry.Was, Kind: kind,
		Doc: doc, Deprecated: b.deprecation(n),
		Loc: n.Pointer(), Pos: n.Pos(), explicit: given != "" || ctx.explicit, given: given != "",
		order: n.Get("x-order").Strings(), RequireOne: n.Get("x-require-one").Strings(),
	}
	for _, member := range n.Get("x-require-with").Members() {
		t.RequireWith = append(t.RequireWith, [2]string{member.Name(), member.Text()})
	}
	for _, name := range n.Get("x-order").Items() {
		t.orderAt = append(t.orderAt, name.Pos())
	}
	b.use(t, ctx)
	b.byPointer[n.Pointer()] = t
	if b.types = append(b.types, t); len(b.types) == maxTypes+1 {
		b.errorf(n, "too-many-types", "%s exceeds the limit of %d types in a package", n.Pointer(), maxTypes).
			WithHint("remove parts that no caller needs in an overlay")
	}
	return t
}

// within reports whether an anonymous schema is already being converted: a list
// that contains itself has no Go type. It records the schema until leave.
func (b *builder) within(n spec.Node) bool {
	if b.active[n.Pointer()] {
		b.errorf(n, "type-cycle", "%s contains itself without an object in between", n.Pointer()).
			WithHint("declare one of the schemas in between as an object in an overlay")
		return true
	}
	b.active[n.Pointer()] = true
	return false
}

func (b *builder) leave(n spec.Node) { delete(b.active, n.Pointer()) }

// singular returns the singular of a list's name, which names its elements.
func singular(s string) string {
	switch {
	case strings.HasSuffix(s, "ies"):
		return strings.TrimSuffix(s, "ies") + "y"
	case strings.HasSuffix(s, "sses") || strings.HasSuffix(s, "xes"):
		return strings.TrimSuffix(s, "es")
	case strings.HasSuffix(s, "s") && !strings.HasSuffix(s, "ss"):
		return strings.TrimSuffix(s, "s")
	}
	return s
}
