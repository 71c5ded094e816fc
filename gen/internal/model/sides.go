package model

import (
	"slices"

	"github.com/basiq-sdk/basiq-go/gen/internal/spec"
)

// sendable makes members of what requests contain pointers where the zero value of
// the plain type would hide a value: null beside "" for a required member that may be
// null, and zero for an optional number whose default is another one.
func (b *builder) sendable() {
	for _, t := range b.types {
		if !t.Request || t.Kind != Struct {
			continue
		}
		for _, f := range t.Fields {
			switch {
			case !f.Sent():
			case f.Required && f.Nullable && (f.Ref.IsText() && f.Ref.Prim != Secret || f.Ref.Prim == Named && f.Ref.Type.Kind == Struct):
				f.pointer()
			case !f.Required && f.Default && (f.Ref.Prim == Int || f.Ref.Prim == Float):
				f.pointer()
			}
		}
	}
}

// meaningfulDefault reports whether a schema's default differs from the zero value,
// and the schema allows the zero value. Then a request must be able to have it.
func meaningfulDefault(n spec.Node) bool {
	def := n.Get("default")
	if all := n.Get("allOf").Items(); !def.Exists() && len(all) == 1 && all[0].Deref().Pointer() != n.Pointer() {
		def = all[0].Deref().Get("default")
	}
	return def.Exists() && !slices.Contains([]string{"", "0", "false"}, def.Text()) && wholeNumber(n, "minimum") == 0
}

// hidesZero reports whether a type is an enumeration of numbers with the value zero,
// which an optional value that is not a pointer could not have.
func (r Ref) hidesZero() bool {
	return r.Prim == Named && r.Base() == Int && slices.ContainsFunc(r.Type.Values, func(v *Value) bool { return v.Wire == "0" })
}

// HoldsReadOnly reports whether a value may contain members that requests must not
// have.
func (r Ref) HoldsReadOnly() bool {
	for r.Elem != nil {
		r = *r.Elem
	}
	return r.Prim == Named && r.Type.HoldsReadOnly()
}

// choose reports whether alternatives only say which members are required. If so, a
// request is checked for them.
func (t *Type) choose(alternatives spec.Node, one bool) bool {
	choice := Choice{One: one}
	for _, a := range alternatives.Items() {
		names := a.Get("required").Strings()
		for _, m := range a.Members() {
			if m.Name() != "required" && m.Name() != "type" {
				return false
			}
		}
		if len(names) == 0 { // nothing is required in this case
			return !one
		}
		choice.Sets = append(choice.Sets, names)
	}
	t.Choices = append(t.Choices, choice)
	return true
}

func (c Choice) equal(o Choice) bool {
	return c.One == o.One && slices.EqualFunc(c.Sets, o.Sets, slices.Equal[[]string])
}
