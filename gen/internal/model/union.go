package model

import (
	"slices"
	"strings"

	"github.com/basiq-sdk/basiq-go/gen/internal/spec"
)

var jsonKinds = []string{"object", "array", "string", "number", "bool", "null"}

// union converts x-variants, which declares the shapes of a union and how each is
// recognised:
//
//	x-variants:
//	  Link: {schema: {…}, when: {property: type, equals: [link]}, description: …}
//
// A sibling is a member beside the value, in the object that holds it.
func (b *builder) union(n spec.Node, ctx context) Ref {
	t := b.declare(n, ctx, Union)
	for _, v := range n.Get("x-variants").Members() {
		inner := ctx
		inner.parent, inner.name, inner.explicit, inner.property = t.Name, v.Name(), t.explicit, false
		entry := b.name(v, "variant "+local(v), "", v.Name())
		b.noAlias(entry, "variant "+local(v), "a variant")
		variant := &Variant{
			Name: entry.Name, Pos: v.Pos(), Ref: b.ref(v.Get("schema"), inner),
			Doc: b.documented(v),
			When: When{
				Kind: v.At("when", "kind").Text(), Property: v.At("when", "property").Text(), Sibling: v.At("when", "sibling").Text(),
				Equals: v.At("when", "equals").Strings(),
			},
		}
		if k := variant.When.Kind; k != "" && !slices.Contains(jsonKinds, k) {
			b.errorf(v.At("when", "kind"), "bad-variant", "%q is not a kind of JSON value", k).
				WithHint("use one of %s", strings.Join(jsonKinds, ", "))
		}
		if variant.When.Sibling != "" && len(variant.When.Equals) == 0 {
			b.errorf(v, "bad-variant", "variant %s of %s lists no values of its sibling %s", v.Name(), t.Name, variant.When.Sibling).
				WithHint("add  equals: […]")
		}
		if variant.When.Kind == "" && variant.When.Property == "" && variant.When.Sibling == "" {
			b.errorf(v, "bad-variant", "variant %s of %s has no condition by which it is recognised", v.Name(), t.Name).
				WithHint("add  when: {kind: …}  or  when: {property: …, equals: […]}  or  when: {sibling: …, equals: […]}")
		}
		t.Variants = append(t.Variants, variant)
	}
	return Ref{Prim: Named, Type: t}
}

// siblings checks that the members by which a field's variants are recognised are
// members of the same struct, and strings.
func (b *builder) siblings(t *Type, f *Field) {
	if f.Ref.Prim != Named {
		return
	}
	for _, v := range f.Ref.Type.Variants {
		if v.When.Sibling != "" && f.Sibling(t, v) == nil {
			b.tolerateAt(v.Pos, "no-member", "variant %s of %s is recognised by its sibling %s, but %s has no such member that is a string", v.Name, f.Ref.Type.Name, v.When.Sibling, t.Name).
				WithHint("set  when.sibling  in the overlay to a member of the object that contains the value")
		}
	}
}

// Sibling returns the field of t by which variant v of f is recognised, or nil if
// there is none.
func (f *Field) Sibling(t *Type, v *Variant) *Field {
	for _, other := range t.Fields {
		if other.Wire == v.When.Sibling && other.Ref.IsText() && !other.Ref.Pointer {
			return other
		}
	}
	return nil
}

var filterOps = []string{"eq", "ne", "in", "bt", "gt", "gteq", "lt", "lteq"}

// filter converts x-filter: {type: Name, fields: {GoName: {path, ops, schema, description}}}.
func (b *builder) filter(n spec.Node) *Filter {
	f := &Filter{Type: n.Str("type"), Doc: b.documented(n), Pos: n.Pos()}
	if !validExported(f.Type) {
		b.errorf(n, "bad-filter", "the type of x-filter is %q, which is not an exported Go identifier", f.Type)
	}
	for _, fn := range n.Get("fields").Members() {
		ff := &FilterField{
			Name: fn.Name(), Path: fn.Str("path"), Ops: fn.Get("ops").Strings(), Pos: fn.Pos(),
			Doc: b.documented(fn),
		}
		if !validExported(ff.Name) || ff.Path == "" || len(ff.Ops) == 0 {
			b.errorf(fn, "bad-filter", "filter field %q lacks an exported Go name, a path or ops", ff.Name)
		}
		for _, op := range ff.Ops {
			if !slices.Contains(filterOps, op) {
				b.errorf(fn.Get("ops"), "bad-filter", "%q is not an operator of the filter grammar", op).
					WithHint("use one of %s", strings.Join(filterOps, ", "))
			}
		}
		ff.Ref = Ref{Prim: String}
		if s := fn.Get("schema"); s.Exists() {
			ff.Ref = b.ref(s, context{parent: strings.TrimSuffix(f.Type, "Filter"), name: ff.Name, request: true})
			if !ff.Ref.IsScalar() {
				b.tolerate(fn, "cannot-express", "the filter field %s.%s is %s; a filter compares texts, numbers and truth values", f.Type, ff.Name, ff.Ref.Go()).
					WithHint("give it a scalar schema in the overlay")
				ff.Ref = Ref{Prim: String}
			}
		}
		f.Fields = append(f.Fields, ff)
	}
	return f
}
