package model

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
)

// checkNames reports name collisions among the methods of a resource, the members
// of a type, and package-level names.
//
// A lenient builder adds a number to the later name instead. Names that an overlay
// sets or that are locked come first, so that they do not change.
func (b *builder) checkNames() {
	slices.SortFunc(b.domain.Resources, func(x, y *Resource) int { return cmp.Compare(x.Name, y.Name) })
	scope := newScope(b, "package "+b.domain.Package)
	scope.add("Client", diag.Pos{File: b.doc.File}, "the client")
	scope.add("New", diag.Pos{File: b.doc.File}, "the client's constructor")
	files := newScope(b, "files of package "+b.domain.Package)
	for _, r := range b.domain.Resources {
		files.add(r.File()+".gen.go", r.Pos, "the file of resource "+r.Name)
		scope.add(r.Service(), r.Pos, "the service of resource "+r.Name)
		methods := newScope(b, "resource "+r.Name)
		for _, m := range byClaim(b, r.Methods, func(m *Method) (string, bool) { return m.Loc, m.explicit }) {
			at := m.Pos
			if given, ok := b.namedAt[m.Loc]; ok {
				at = given
			}
			methods.add(m.Name, at, m.HTTP+" "+m.Path, func(name string) { b.renameMethod(m, name) })
			if m.Page != nil {
				methods.add(m.AllName(), m.Pos, "the iterator of "+m.HTTP+" "+m.Path, func(string) { m.Page = nil })
			}
			for _, was := range m.Was {
				methods.add(was, m.Pos, "the old name of "+m.Name)
			}
		}
	}
	filters := map[string]bool{}
	for _, t := range byClaim(b, b.domain.Types, func(t *Type) (string, bool) { return t.lockLoc(), t.explicit }) {
		scope.add(t.Name, t.Pos, "the type of "+t.Loc, func(name string) { b.renameType(t, name) })
		for _, was := range t.Was {
			scope.add(was, t.Pos, "the old name of "+t.Name)
		}
		members := newScope(b, "type "+t.Name)
		if t.Kind == Union {
			scope.add(t.Name+"Of", t.Pos, "the constructor of "+t.Name)
			for _, own := range []string{"Raw", "IsZero", "DecodeJSON", "AppendJSON", "MarshalJSON", "UnmarshalJSON"} {
				members.add(own, t.Pos, "the method that every union has")
			}
		}
		if t.Kind == Struct && t.HasJSON() {
			members.add("JSON", t.Pos, "the JSON field that every type has")
		}
		if t.Option {
			members.add("OptionalParams", t.Pos, "the field that makes the parameters an option")
			members.add("ParamsOf", t.Pos, "the method that names their operation")
		}
		for _, f := range t.Fields {
			members.add(f.Name, f.Pos, strconv.Quote(f.Wire), func(name string) { b.rename("field "+strings.TrimPrefix(f.Loc, "#"), &f.Name, name) })
			if f.Filter != nil && !filters[f.Filter.Type] {
				filters[f.Filter.Type] = true
				scope.add(f.Filter.Type, f.Filter.Pos, "the filter of "+t.Name)
			}
		}
		for _, v := range t.Values {
			scope.add(v.Name, v.Pos, "value "+strconv.Quote(v.Wire)+" of "+t.Name, func(name string) { v.Name = name })
			for _, was := range v.Was {
				scope.add(was, v.Pos, "the old name of "+v.Name)
			}
		}
		for _, v := range t.Variants {
			members.add(v.Name, v.Pos, "a variant")
			scope.add("New"+t.Name+v.Name, v.Pos, "the constructor of a variant of "+t.Name)
		}
	}
}

type scope struct {
	b     *builder
	where string
	taken map[string]string
	at    map[string]diag.Pos
}

func newScope(b *builder, where string) *scope {
	return &scope{b: b, where: where, taken: map[string]string{}, at: map[string]diag.Pos{}}
}

// add declares the name of the part at pos. rename changes the name; without it, the
// name cannot be changed.
func (s *scope) add(name string, pos diag.Pos, what string, rename ...func(name string)) {
	if other, dup := s.taken[name]; dup {
		err := diag.Errorf(pos, "name-collision",
			"%s: %s and %s (%s) are both called %s", s.where, what, other, s.at[name], name).
			WithHint("rename one of them in the overlay (x-type, x-name, x-method or x-enum)")
		if !s.b.opts.Lenient || len(rename) == 0 {
			s.b.errs = append(s.b.errs, err)
			return
		}
		name = unused(name, func(name string) bool { return s.taken[name] != "" })
		rename[0](name)
		s.b.workaround(err, "only the first one keeps the name here")
	}
	s.taken[name], s.at[name] = what, pos
}

// unused returns the name with the first number at which it is not taken.
func unused(name string, taken func(string) bool) string {
	for n := 2; ; n++ {
		if numbered := name + strconv.Itoa(n); !taken(numbered) {
			return numbered
		}
	}
}

// byClaim sorts parts for a lenient builder: first those whose names an overlay sets
// or that are locked. A strict builder keeps the order.
func byClaim[T any](b *builder, list []T, claim func(T) (loc string, given bool)) []T {
	if !b.opts.Lenient {
		return list
	}
	derived := func(part T) bool {
		loc, given := claim(part)
		_, locked := b.lock.entries[loc]
		return !given && !locked
	}
	return slices.SortedStableFunc(slices.Values(list), func(x, y T) int { return boolRank(derived(x), derived(y)) })
}

// lockLoc returns the type's location in the names lock.
func (t *Type) lockLoc() string {
	if t.Params {
		return t.Loc
	}
	return "type " + strings.TrimPrefix(t.Loc, "#")
}

// rename changes a part's name, here and in the lock.
func (b *builder) rename(loc string, name *string, to string) {
	*name = to
	if e, ok := b.lock.used[loc]; ok {
		e.Name = to
		b.lock.used[loc] = e
	}
}

func (b *builder) renameMethod(m *Method, name string) {
	b.rename(m.Loc, &m.Name, m.Resource.Name+"."+name)
	m.Name = name
}

// renameType renames a type and its values, whose names begin with its name.
func (b *builder) renameType(t *Type, name string) {
	for _, v := range t.Values {
		if rest, ok := strings.CutPrefix(v.Name, t.Name); ok {
			b.rename("value "+strings.TrimPrefix(t.Loc, "#")+" "+v.Wire, &v.Name, name+rest)
		}
	}
	if t.Params {
		t.Doc = strings.Replace(t.Doc, t.Name, name, 1)
	}
	b.rename(t.lockLoc(), &t.Name, name)
}
