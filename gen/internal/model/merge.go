package model

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
)

// mergeTypes merges the schemas of the same name into one type. The API describes
// many objects several times, with slightly different members. The merged type has
// the members of all its schemas. A member is required if all schemas require it.
// Different schemas that have the same name by accident are an error. A lenient
// builder keeps both, and adds a number to the name of the later one.
func (b *builder) mergeTypes() {
	b.separate()
	merged, canonical := b.oneOfEachName()
	for _, t := range merged {
		canonical.fields(t)
		for _, v := range t.Variants {
			canonical.ref(&v.Ref)
		}
		canonical.ref(t.Additional)
		for _, f := range t.Fields {
			b.siblings(t, f)
		}
		b.statedMembers(t)
		sortFields(t)
	}
	for i := range b.roots {
		canonical.ref(&b.roots[i])
	}
	for _, r := range b.domain.Resources {
		for _, m := range r.Methods {
			canonical.method(m)
		}
	}
	b.types = merged
	b.spreadUse()
}

// statedMembers reports the members that x-require-one, x-require-with and x-order of a
// type list and that it does not have.
func (b *builder) statedMembers(t *Type) {
	check := func(pos diag.Pos, keyword, wire string) {
		if !slices.ContainsFunc(t.Fields, func(f *Field) bool { return f.Wire == wire }) {
			b.tolerateAt(pos, "no-member", "%s of %s lists %q, which is not one of its members", keyword, t.Name, wire).
				WithHint("remove it from %s in the overlay", keyword)
		}
	}
	for _, wire := range t.RequireOne {
		check(t.Pos, "x-require-one", wire)
	}
	for _, pair := range t.RequireWith {
		for _, wire := range pair {
			check(t.Pos, "x-require-with", wire)
		}
	}
	for i, wire := range t.order {
		check(t.orderAt[i], "x-order", wire)
	}
}

// becoming maps each type to the one that it was merged into.
type becoming map[*Type]*Type

func (c becoming) ref(r *Ref) {
	for ; r != nil; r = r.Elem {
		if r.Prim == Named {
			r.Type = c[r.Type]
		}
	}
}

func (c becoming) fields(t *Type) {
	for _, f := range t.Fields {
		c.ref(&f.Ref)
		if f.Filter != nil {
			for _, ff := range f.Filter.Fields {
				c.ref(&ff.Ref)
			}
		}
	}
}

func (c becoming) method(m *Method) {
	c.ref(m.Result)
	for _, p := range m.PathParams {
		c.ref(&p.Ref)
	}
	if m.BodyType != nil {
		m.BodyType = c[m.BodyType]
	}
	if t := c[m.Params]; t != nil && !m.Params.Params {
		m.Params = t
	}
	for _, t := range []*Type{m.Params, m.Options} {
		if t != nil {
			c.fields(t)
		}
	}
}

// oneOfEachName merges the types with the same name. It returns the types that are
// left, and the one that each type became.
func (b *builder) oneOfEachName() (merged []*Type, canonical becoming) {
	named := map[string]*Type{}
	canonical = becoming{}
	for _, t := range b.types {
		if first := named[t.Name]; first != nil {
			conflicts := b.conflicts(first, t)
			if len(conflicts) == 0 || !b.opts.Lenient {
				b.errs = append(b.errs, conflicts...)
				first.absorb(t)
				canonical[t] = first
				continue
			}
			b.renameType(t, unused(t.Name, func(name string) bool { return named[name] != nil }))
			b.workaround(conflicts[0], "it is called %s here", t.Name)
		}
		named[t.Name], canonical[t] = t, t
		merged = append(merged, t)
	}
	return merged, canonical
}

// conflicts lists why two types with the same name cannot be merged.
func (b *builder) conflicts(into, t *Type) (list diag.List) {
	collide := func(why string) {
		code, hint := "type-differs", "make them equal in an overlay, or give one of them a different x-type"
		if !into.explicit || !t.explicit {
			code, hint = "name-collision", "give one of them an x-type in an overlay"
		}
		at := t.Pos
		if given, ok := b.namedAt["type "+strings.TrimPrefix(t.Loc, "#")]; ok && t.explicit {
			at = given
		}
		list = append(list, diag.Errorf(at, code, "%s and %s (%s) are both called %s, but %s",
			t.Loc, into.Loc, into.Pos, t.Name, why).WithHint("%s", hint))
	}
	if into.Kind != t.Kind {
		collide("one is " + article(into.Kind) + ", the other " + article(t.Kind))
		return list
	}
	sameShape := len(into.Fields) == len(t.Fields) && len(into.Values) == len(t.Values)
	mine := map[string]*Field{}
	for _, f := range into.Fields {
		mine[f.Wire] = f
	}
	for _, f := range t.Fields {
		switch m := mine[f.Wire]; {
		case m == nil:
			sameShape = false
		case !m.Ref.equal(f.Ref):
			collide("their member " + f.Wire + " is " + m.Ref.Go() + " in one and " + f.Ref.Go() + " in the other")
		case m.Name != f.Name:
			collide("their member " + f.Wire + " is called " + m.Name + " in one and " + f.Name + " in the other")
		case b.differInside(&m.Ref, &f.Ref):
			collide("their member " + f.Wire + " differs inside")
		}
	}
	for _, v := range t.Values {
		i := slices.IndexFunc(into.Values, func(o *Value) bool { return o.Wire == v.Wire })
		if i < 0 {
			sameShape = false
		} else if into.Values[i].Name != v.Name {
			collide("their value " + strconv.Quote(v.Wire) + " is called " + into.Values[i].Name + " in one and " + v.Name + " in the other")
		}
	}
	if into.Kind == Union && !slices.EqualFunc(into.Variants, t.Variants, (*Variant).equal) {
		collide("their variants differ")
	}
	if !sameShape && !(into.explicit && t.explicit) {
		collide("their members differ")
	}
	return list
}

// differInside reports whether the types of two fields, which have the same name,
// cannot be merged.
func (b *builder) differInside(x, y *Ref) bool {
	for x.Elem != nil && y.Elem != nil {
		x, y = x.Elem, y.Elem
	}
	if x.Type == y.Type || x.Prim != Named || x.Type.explicit && y.Type.explicit {
		return false
	}
	pair := [2]*Type{x.Type, y.Type}
	differ, known := b.compared[pair]
	if !known {
		b.compared[pair] = false // while they are compared, in case they contain themselves
		differ = len(b.conflicts(x.Type, y.Type)) > 0
		b.compared[pair] = differ
	}
	return differ
}

// absorb merges a type with the same name into the type.
func (into *Type) absorb(t *Type) {
	into.Doc = cmp.Or(into.Doc, t.Doc)
	into.explicit = into.explicit || t.explicit
	into.Choices = slices.DeleteFunc(into.Choices, func(c Choice) bool { return !slices.ContainsFunc(t.Choices, c.equal) })
	into.given = into.given || t.given
	into.merged = append(append(into.merged, t.lockLoc()), t.merged...)
	into.Request, into.Response = into.Request || t.Request, into.Response || t.Response
	if len(into.order) == 0 {
		into.order, into.orderAt = t.order, t.orderAt
	}
	mine, theirs := map[string]*Field{}, map[string]bool{}
	for _, f := range into.Fields {
		mine[f.Wire] = f
	}
	for _, f := range t.Fields {
		theirs[f.Wire] = true
		m := mine[f.Wire]
		if m == nil {
			f.loosen()
			into.Fields = append(into.Fields, f)
			continue
		}
		m.Doc = cmp.Or(m.Doc, f.Doc)
		m.given = m.given || f.given
		m.merged = append(m.merged, f.lockLocs()...)
		for _, alias := range f.Aliases {
			if !slices.Contains(m.Aliases, alias) {
				m.Aliases = append(m.Aliases, alias)
			}
		}
		m.Required = m.Required && f.Required
		m.ReadOnly, m.WriteOnly = m.ReadOnly && f.ReadOnly, m.WriteOnly && f.WriteOnly
		m.Nullable, m.NotEmpty, m.Default = m.Nullable || f.Nullable, m.NotEmpty && f.NotEmpty, m.Default || f.Default
		if !m.pinned {
			m.Ref.Pointer, m.pinned = m.Ref.Pointer && !f.pinned || f.Ref.Pointer, f.pinned
		}
	}
	for _, f := range into.Fields {
		if !theirs[f.Wire] {
			f.loosen()
		}
	}
	for _, v := range t.Values {
		i := slices.IndexFunc(into.Values, func(o *Value) bool { return o.Wire == v.Wire })
		if i < 0 {
			into.Values = append(into.Values, v)
			continue
		}
		into.Values[i].Doc = cmp.Or(into.Values[i].Doc, v.Doc)
		into.Values[i].given = into.Values[i].given || v.given
		into.Values[i].locs = append(into.Values[i].locs, v.locs...)
		into.Values[i].Also = slices.Compact(slices.Sorted(slices.Values(append(into.Values[i].Also, v.Also...))))
	}
	for i, v := range t.Variants {
		if i < len(into.Variants) {
			into.Variants[i].Doc = cmp.Or(into.Variants[i].Doc, v.Doc)
		}
	}
}

// equal reports whether two variants have the same name, type and condition.
func (v *Variant) equal(o *Variant) bool {
	return v.Name == o.Name && v.Ref.equal(o.Ref) && v.When.Kind == o.When.Kind && v.When.Property == o.When.Property && slices.Equal(v.When.Equals, o.When.Equals)
}

func article(k Kind) string {
	if strings.ContainsRune("aeiou", rune(k[0])) {
		return "an " + string(k)
	}
	return "a " + string(k)
}

// spreadUse marks the types that requests and responses contain.
func (b *builder) spreadUse() {
	var visit func(t *Type, request, response bool)
	visitRef := func(r *Ref, request, response bool) {
		for ; r != nil; r = r.Elem {
			if r.Prim == Named {
				visit(r.Type, request, response)
			}
		}
	}
	seen := map[*Type][2]bool{}
	visit = func(t *Type, request, response bool) {
		s := seen[t]
		if (s[0] || !request) && (s[1] || !response) {
			return
		}
		s[0], s[1] = s[0] || request, s[1] || response
		seen[t] = s
		t.Request, t.Response = t.Request || request, t.Response || response
		for _, f := range t.Fields {
			visitRef(&f.Ref, request, response)
		}
		for _, v := range t.Variants {
			visitRef(&v.Ref, request, response)
		}
		visitRef(t.Additional, request, response)
	}
	for _, t := range b.types {
		visit(t, t.Request, t.Response)
	}
}
