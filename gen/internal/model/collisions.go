package model

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
)

// checkNames gives each package-level name and each member of a type to one part.
// Names that an overlay sets or that are locked cannot change: two that are equal
// are an error. Of two others, the later one gets an alternative.
//
// A lenient builder adds a number where a strict one reports an error.
func (b *builder) checkNames() {
	slices.SortFunc(b.domain.Resources, func(x, y *Resource) int { return cmp.Compare(x.Name, y.Name) })
	scope := newScope(b, "package "+b.domain.Package)
	scope.own("Client", "the client")
	scope.own("New", "the client's constructor")
	files := newScope(b, "files of package "+b.domain.Package)
	for _, r := range b.domain.Resources {
		files.add(claim{name: r.File() + ".gen.go", pos: r.Pos, what: "the file of resource " + r.Name})
		scope.add(claim{name: r.Service(), pos: r.Pos, what: "the service of resource " + r.Name})
		b.checkMethods(r)
	}
	types := b.byRank(b.domain.Types)
	for _, t := range types {
		scope.add(claim{
			name: t.Name, pos: t.Pos, what: "the type of " + t.Loc,
			movable: !b.fixed(t), names: b.typeNames(t), rename: func(name string) { b.renameType(t, name) },
		})
		scope.old(t.Was, t.Pos, t.Name)
		if t.Kind == Union {
			scope.add(claim{name: t.Name + "Of", pos: t.Pos, what: "the constructor of " + t.Name})
		}
	}
	filters := map[string]bool{}
	for _, t := range types {
		b.checkMembers(t)
		for _, f := range t.Fields {
			if f.Filter != nil && !filters[f.Filter.Type] {
				filters[f.Filter.Type] = true
				scope.add(claim{name: f.Filter.Type, pos: f.Filter.Pos, what: "the filter of " + t.Name})
			}
		}
		for _, v := range t.Variants {
			scope.add(claim{name: "New" + t.Name + v.Name, pos: v.Pos, what: "the constructor of a variant of " + t.Name})
		}
	}
	b.checkValues(scope, types)
}

// checkMethods checks the names of a resource's methods.
func (b *builder) checkMethods(r *Resource) {
	methods := newScope(b, "resource "+r.Name)
	for _, m := range byClaim(b, r.Methods, func(m *Method) (string, bool) { return m.Loc, m.explicit }) {
		at := m.Pos
		if given, ok := b.namedAt[m.Loc]; ok {
			at = given
		}
		methods.add(claim{name: m.Name, pos: at, what: m.HTTP + " " + m.Path, rename: func(name string) { b.renameMethod(m, name) }})
		if m.Page != nil {
			methods.add(claim{name: m.AllName(), pos: m.Pos, what: "the iterator of " + m.HTTP + " " + m.Path, rename: func(string) { m.Page = nil }})
		}
		methods.old(m.Was, m.Pos, m.Name)
	}
}

// checkMembers checks the names of a type's members.
func (b *builder) checkMembers(t *Type) {
	members := newScope(b, "type "+t.Name)
	switch {
	case t.Kind == Union:
		for _, own := range ownUnion {
			members.own(own, "the method that every union has")
		}
	case t.Kind == Struct && t.HasJSON():
		members.own("JSON", "the JSON field that every type has")
		for _, own := range ownMembers[1:] {
			members.own(own, "the method that every type has")
		}
		if t.Additional != nil {
			members.own("AdditionalProperties", "the method that returns undeclared members")
			members.own("SetAdditionalProperty", "the method that sets undeclared members")
		}
		if t.HoldsSecret() {
			members.own("Format", "the method that hides a secret")
			members.own("LogValue", "the method that hides a secret")
		}
	}
	if t.Option {
		members.own("OptionalParams", "the field that makes the parameters an option")
		members.own("ParamsOf", "the method that names their operation")
	}
	for _, f := range t.Fields {
		members.add(claim{
			name: f.Name, pos: f.Pos, what: strconv.Quote(f.Wire), names: alternatives("", f.Wire, "Field", nil), movable: !b.fixedField(f),
			rename: func(name string) { b.renameField(f, name) },
		})
	}
	for _, v := range t.Variants {
		members.add(claim{name: v.Name, pos: v.Pos, what: "a variant"})
	}
}

// checkValues checks the names of values, which are constants of the package.
func (b *builder) checkValues(scope *scope, types []*Type) {
	fixed := func(v *Value) bool { return v.given || slices.ContainsFunc(v.locs, b.lock.has) }
	for _, pass := range []bool{true, false} {
		for _, t := range types {
			for _, v := range t.Values {
				if fixed(v) != pass {
					continue
				}
				scope.add(claim{
					name: v.Name, pos: v.Pos, what: "value " + strconv.Quote(v.Wire) + " of " + t.Name,
					movable: !pass, names: []string{v.Name, t.Name + "Value" + strings.TrimPrefix(v.Name, t.Name)},
					rename: func(name string) { b.renameValue(v, name) },
				})
				scope.old(v.Was, v.Pos, v.Name)
			}
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

// claim is a part that claims a name.
type claim struct {
	name    string
	pos     diag.Pos
	what    string
	movable bool         // the part gets one of names instead, if its name is taken
	names   []string     // best first
	rename  func(string) // nil if the name cannot be changed
}

// own declares a name of the generator's own.
func (s *scope) own(name, what string) {
	s.taken[name], s.at[name] = what, diag.Pos{File: s.b.doc.File}
}

// old declares the old names of a part.
func (s *scope) old(was []string, pos diag.Pos, name string) {
	for _, w := range was {
		s.add(claim{name: w, pos: pos, what: "the old name of " + name})
	}
}

// add declares the name of a part.
func (s *scope) add(c claim) {
	if c.name == invalid { // reported where it was set
		return
	}
	if other, dup := s.taken[c.name]; dup {
		isTaken := func(name string) bool { return s.taken[name] != "" }
		short, at := c.name, s.at[c.name]
		switch {
		case c.movable:
			c.name = firstFree(c.names, isTaken)
			c.rename(c.name)
			s.b.nameTaken(c.pos, c.what, c.name, short, other)
		case s.b.opts.Lenient && c.rename != nil:
			c.name = unused(c.name, isTaken)
			c.rename(c.name)
			s.b.workaround(s.collision(c, other, short, at), "only the first one keeps the name here")
		default:
			s.b.errs = append(s.b.errs, s.collision(c, other, short, at))
			return
		}
	}
	s.taken[c.name], s.at[c.name] = c.what, c.pos
}

func (s *scope) collision(c claim, other, name string, at diag.Pos) *diag.Annotation {
	return diag.Errorf(c.pos, "name-collision",
		"%s: %s and %s (%s) are both called %s", s.where, c.what, other, at, name).
		WithHint("rename one of them in the overlay (x-type, x-name, x-method or x-enum)")
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

func (b *builder) renameMethod(m *Method, name string) {
	b.lock.rename(m.Loc, m.Resource.Name+"."+name)
	m.Name = name
}

func (b *builder) renameField(f *Field, name string) {
	for _, loc := range f.lockLocs() {
		b.lock.rename(loc, name)
	}
	f.Name = name
}

// fixedField reports whether the name of a field cannot change.
func (b *builder) fixedField(f *Field) bool {
	return f.given || slices.ContainsFunc(f.lockLocs(), b.lock.has)
}

// lockLocs returns the field's locations in the names lock. A field of a merged
// type has several.
func (f *Field) lockLocs() []string {
	own := "field " + strings.TrimPrefix(f.Loc, "#")
	if f.In != "" {
		own = f.Loc
	}
	return append([]string{own}, f.merged...)
}

func (b *builder) renameValue(v *Value, name string) {
	for _, loc := range v.locs {
		b.lock.rename(loc, name)
	}
	v.Name = name
}

// renameType renames a type and its values, whose names begin with its name.
func (b *builder) renameType(t *Type, name string) {
	for _, v := range t.Values {
		if rest, ok := strings.CutPrefix(v.Name, t.Name); ok {
			b.renameValue(v, name+rest)
		}
	}
	if t.Params {
		t.Doc = strings.Replace(t.Doc, t.Name, name, 1)
	}
	for _, loc := range append([]string{t.lockLoc()}, t.merged...) {
		b.lock.rename(loc, name)
	}
	t.Name = name
}
