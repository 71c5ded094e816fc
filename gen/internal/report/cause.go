package report

import (
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/basiq-sdk/basiq-go/gen/internal/model"
)

// cause returns the card of the change that caused a change of a Go symbol: the
// card of its place in the description, of the types that it consists of, or of
// what uses it. A type that was added or removed together with the only method
// that returns it has no fact of its own.
func (d *domainDiff) cause(symbol string) *Card {
	first, _, _ := strings.Cut(symbol, ".")
	for _, name := range []string{symbol, first} {
		if card := d.placed(name); card != nil {
			return card
		}
	}
	for _, x := range []*index{d.index[1], d.index[0]} {
		for _, t := range x.uses[symbol] {
			if card := d.placed(t); card != nil {
				return card
			}
		}
	}
	seen := map[string]bool{}
	next := []string{first}
	for len(next) > 0 {
		name := next[0]
		next = next[1:]
		if seen[name] {
			continue
		}
		seen[name] = true
		for _, x := range []*index{d.index[1], d.index[0]} {
			for _, t := range x.owners(name) {
				if card := d.placed(t); card != nil {
					return card
				}
				owner, _, _ := strings.Cut(t, ".")
				next = append(next, owner)
			}
		}
	}
	return d.displaced(symbol)
}

// displaced returns the card of what took the name that a symbol had before:
// its own place did not change, and is called differently because of that.
func (d *domainDiff) displaced(symbol string) *Card {
	for _, place := range d.index[1].places[symbol] {
		for _, before := range slices.Sorted(maps.Keys(d.index[0].places)) { // reports must not differ from run to run
			if before == symbol || !slices.Contains(d.index[0].places[before], place) {
				continue
			}
			if card := d.placed(before); card != nil {
				return card
			}
		}
	}
	return nil
}

// placed returns the card of a symbol's own place in the description.
func (d *domainDiff) placed(symbol string) *Card {
	for _, x := range []*index{d.index[1], d.index[0]} {
		for _, place := range x.places[symbol] {
			if card := d.nearest(place); card != nil {
				return card
			}
		}
	}
	return nil
}

// owners lists what a declaration belongs to, or what uses it: the type of a
// constant, constructor or unexported helper, the fields and methods that
// mention a type.
func (x *index) owners(name string) []string {
	out := append([]string(nil), x.users[name]...)
	if r, _ := utf8.DecodeRuneInString(name); unicode.IsUpper(r) || len(out) > 0 {
		return out
	}
	// A helper is called after its type: genreValues, bookType, opBooksGet.
	longest := ""
	for t := range x.users {
		if len(t) > len(longest) && len(t) <= len(name) && strings.EqualFold(name[:len(t)], t) {
			longest = t
		}
	}
	if longest != "" {
		out = append(out, longest)
	}
	return out
}

// use records what uses each type of a domain, and the other way round.
func (x *index) use(d *model.Domain) {
	put := func(name, user string) { x.users[name] = append(x.users[name], user) }
	refer := func(user string, r *model.Ref) {
		for ; r != nil; r = r.Elem {
			if r.Prim == model.Named {
				put(r.Type.Name, user)
				x.uses[user] = append(x.uses[user], r.Type.Name)
			}
		}
	}
	for _, t := range d.Types {
		for _, f := range t.Fields {
			refer(t.Name+"."+f.Name, &f.Ref)
			if f.Filter != nil {
				put(f.Filter.Type, t.Name+"."+f.Name)
				for _, ff := range f.Filter.Fields {
					refer(f.Filter.Type+"."+ff.Name, &ff.Ref)
				}
			}
		}
		for _, v := range t.Values {
			put(v.Name, t.Name)
		}
		for _, v := range t.Variants {
			refer(t.Name+"."+v.Name, &v.Ref)
			put("New"+t.Name+v.Name, t.Name)
		}
		if t.Kind == model.Union {
			put(t.Name+"Of", t.Name)
		}
	}
	for _, r := range d.Resources {
		for _, m := range r.Methods {
			user := r.Service() + "." + m.Name
			refer(user, m.Result)
			for _, t := range []*model.Type{m.Params, m.Options, m.BodyType} {
				if t != nil {
					put(t.Name, user)
				}
			}
			for _, p := range m.PathParams {
				refer(user, &p.Ref)
			}
		}
	}
}
