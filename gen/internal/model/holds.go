package model

// holds says whether a value of a type may contain something, once that is known.
type holds int8

const (
	unknown holds = iota
	yes
	no
)

// contains reports whether own is true of a type or of one that it leads to. at returns
// where the result of a type is kept: types that refer to each other would be searched
// once for each of them. It must not be called before the types are complete.
func (t *Type) contains(at func(*Type) *holds, own func(*Type) bool, next func(*Type) []*Type) bool {
	seen := map[*Type]bool{}
	var search func(t *Type) bool
	search = func(t *Type) bool {
		if known := *at(t); known != unknown || seen[t] {
			return known == yes
		}
		seen[t] = true
		found := own(t)
		for _, other := range next(t) {
			found = found || search(other)
		}
		if found {
			*at(t) = yes
		}
		return found
	}
	if search(t) {
		return true
	}
	for t := range seen {
		*at(t) = no
	}
	return false
}

// HoldsSecret reports whether a value of the type may have a secret in its JSON.
func (t *Type) HoldsSecret() bool {
	secret := func(t *Type) bool {
		for _, f := range t.Fields {
			for r := &f.Ref; r != nil; r = r.Elem {
				if r.Prim == Secret {
					return true
				}
			}
		}
		return false
	}
	return t.contains(func(t *Type) *holds { return &t.secret }, secret, (*Type).fieldTypes)
}

// HoldsReadOnly reports whether a value of the type may contain members that
// requests must not have.
func (t *Type) HoldsReadOnly() bool {
	readOnly := func(t *Type) bool {
		for _, f := range t.Fields {
			if t.Kind == Struct && f.ReadOnly {
				return true
			}
		}
		return false
	}
	return t.contains(func(t *Type) *holds { return &t.readOnly }, readOnly, func(t *Type) []*Type {
		switch t.Kind {
		case Struct:
			return t.fieldTypes()
		case Union:
			return t.variantTypes()
		}
		return nil
	})
}

// variantTypes lists the named types of a union's alternatives.
func (t *Type) variantTypes() (out []*Type) {
	for _, v := range t.Variants {
		for r := &v.Ref; r != nil; r = r.Elem {
			if r.Prim == Named {
				out = append(out, r.Type)
			}
		}
	}
	return out
}

// fieldTypes lists the named types in the fields of a type.
func (t *Type) fieldTypes() (out []*Type) {
	for _, f := range t.Fields {
		for r := &f.Ref; r != nil; r = r.Elem {
			if r.Prim == Named {
				out = append(out, r.Type)
			}
		}
	}
	return out
}
