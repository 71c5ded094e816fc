package model

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
)

// mergeTypes makes one type of the schemas that carry one name: the API
// describes many shapes several times over, some with a member more or less.
// The merged type has the members of all; a member is required when it is
// required wherever the shape is described. Two schemas that got one name by
// accident, and differ, are refused.
func (b *builder) mergeTypes() {
	canonical := map[string]*Type{}
	var merged []*Type
	for _, t := range b.types {
		first := canonical[t.Name]
		if first == nil {
			canonical[t.Name] = t
			merged = append(merged, t)
			continue
		}
		b.merge(first, t)
	}
	fix := func(r *Ref) {
		for ; r != nil; r = r.Elem {
			if r.Prim == Named {
				r.Type = canonical[r.Type.Name]
			}
		}
	}
	for _, t := range merged {
		for _, f := range t.Fields {
			fix(&f.Ref)
			if f.Filter != nil {
				for _, ff := range f.Filter.Fields {
					fix(&ff.Ref)
				}
			}
		}
		for _, v := range t.Variants {
			fix(&v.Ref)
		}
		for _, wire := range t.RequireOne {
			if !slices.ContainsFunc(t.Fields, func(f *Field) bool { return f.Wire == wire }) {
				b.faults = append(b.faults, diag.Errorf(t.Pos, "no-member", "x-require-one of %s names %q, which is not a member of it", t.Name, wire).
					WithHint("remove it from x-require-one in the overlay"))
			}
		}
		for _, wire := range t.order {
			if !slices.ContainsFunc(t.Fields, func(f *Field) bool { return f.Wire == wire }) {
				b.faults = append(b.faults, diag.Errorf(t.Pos, "no-member", "x-order of %s names %q, which is no member of it", t.Name, wire).
					WithHint("remove it from x-order in the overlay"))
			}
		}
		sortFields(t)
	}
	for _, r := range b.domain.Resources {
		for _, m := range r.Methods {
			fix(m.Result)
			for _, p := range m.PathParams {
				fix(&p.Ref)
			}
			if m.BodyType != nil {
				m.BodyType = canonical[m.BodyType.Name]
			}
			if m.Params == nil {
				continue
			}
			if c := canonical[m.Params.Name]; c != nil && !m.Params.Params {
				m.Params = c
			}
			for _, f := range m.Params.Fields {
				fix(&f.Ref)
				if f.Filter != nil {
					for _, ff := range f.Filter.Fields {
						fix(&ff.Ref)
					}
				}
			}
		}
	}
	b.types = merged
	b.spreadUse()
}

func (b *builder) merge(into, t *Type) {
	collide := func(why string) {
		code, hint := "type-differs", "make them alike in an overlay, or give one another x-type"
		if !into.explicit || !t.explicit {
			code, hint = "name-collision", "give one of them an x-type in an overlay"
		}
		at := t.Pos
		if given, ok := b.namedAt["type "+strings.TrimPrefix(t.Loc, "#")]; ok && t.explicit {
			at = given
		}
		b.faults = append(b.faults, diag.Errorf(at, code, "%s and %s (%s) are both called %s, and %s",
			t.Loc, into.Loc, into.Pos, t.Name, why).WithHint("%s", hint))
	}
	if into.Kind != t.Kind {
		collide("one is " + article(into.Kind) + ", the other " + article(t.Kind))
		return
	}
	sameShape := len(into.Fields) == len(t.Fields) && len(into.Values) == len(t.Values)
	if into.Doc == "" {
		into.Doc = t.Doc
	}
	into.explicit = into.explicit || t.explicit
	into.Request, into.Response = into.Request || t.Request, into.Response || t.Response
	if len(into.order) == 0 {
		into.order = t.order
	}
	byWire := map[string]*Field{}
	for _, f := range into.Fields {
		byWire[f.Wire] = f
	}
	theirs := map[string]bool{}
	for _, f := range t.Fields {
		theirs[f.Wire] = true
		mine := byWire[f.Wire]
		if mine == nil {
			sameShape = false
			f.loosen()
			into.Fields = append(into.Fields, f)
			continue
		}
		if !mine.Ref.equal(f.Ref) {
			collide("their member " + f.Wire + " is " + mine.Ref.Go() + " in one and " + f.Ref.Go() + " in the other")
			continue
		}
		if mine.Name != f.Name {
			collide("their member " + f.Wire + " is called " + mine.Name + " in one and " + f.Name + " in the other")
		}
		if mine.Doc == "" {
			mine.Doc = f.Doc
		}
		for _, alias := range f.Aliases {
			if !slices.Contains(mine.Aliases, alias) {
				mine.Aliases = append(mine.Aliases, alias)
			}
		}
		mine.Required = mine.Required && f.Required
		if !mine.pinned {
			mine.Ref.Pointer, mine.pinned = mine.Ref.Pointer && !f.pinned || f.Ref.Pointer, f.pinned
		}
	}
	for _, f := range into.Fields {
		if !theirs[f.Wire] {
			f.loosen()
		}
	}
	for _, v := range t.Values {
		i := slices.IndexFunc(into.Values, func(o *Value) bool { return o.Wire == v.Wire })
		switch {
		case i < 0:
			sameShape = false
			into.Values = append(into.Values, v)
		default:
			if into.Values[i].Name != v.Name {
				collide("their value " + strconv.Quote(v.Wire) + " is called " + into.Values[i].Name + " in one and " + v.Name + " in the other")
			}
			into.Values[i].Doc = cmp.Or(into.Values[i].Doc, v.Doc)
			into.Values[i].Also = slices.Compact(slices.Sorted(slices.Values(append(into.Values[i].Also, v.Also...))))
		}
	}
	if into.Kind == Union && !slices.EqualFunc(into.Variants, t.Variants, (*Variant).equal) {
		collide("their variants differ")
	}
	for i, v := range t.Variants {
		if i < len(into.Variants) && into.Variants[i].Doc == "" {
			into.Variants[i].Doc = v.Doc
		}
	}
	if !sameShape && !(into.explicit && t.explicit) {
		collide("their members differ")
	}
}

// equal tells whether two variants are one: what is called so, is recognised so
// and is so.
func (v *Variant) equal(o *Variant) bool {
	return v.Name == o.Name && v.Ref.equal(o.Ref) && v.When.Kind == o.When.Kind && v.When.Property == o.When.Property && slices.Equal(v.When.Equals, o.When.Equals)
}

func article(k Kind) string {
	if strings.ContainsRune("aeiou", rune(k[0])) {
		return "an " + string(k)
	}
	return "a " + string(k)
}

// spreadUse marks what a request or response type is made of as part of it.
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
	}
	for _, t := range b.types {
		visit(t, t.Request, t.Response)
	}
}
