package godiff

import (
	"go/types"
	"slices"
	"strings"
)

// uncrossed corrects changes of types that apidiff has paired wrongly. If a method
// returns a different type than before, apidiff may pair the two types and compare
// the members of one with those of the other. It then reports that a type "changed
// from T to T", or changes of the members of a type that was removed. Which of them it
// reports differs from run to run, because it visits methods in random order. uncrossed
// replaces such changes by comparing members by name.
func uncrossed(before, after *types.Package, changes []Change) []Change {
	old, new := membersOf(before), membersOf(after)
	gone := func(c Change) bool {
		_, isType := old[c.Symbol].(*types.TypeName)
		return isType && new[c.Symbol] == nil
	}
	if !slices.ContainsFunc(changes, func(c Change) bool { return isIdentity(c) || gone(c) }) {
		return changes
	}
	aliases := aliasesOf(after)
	seen := map[string]bool{}
	var out []Change
	for _, c := range changes {
		o, n := old[c.Symbol], new[c.Symbol]
		owner, _, isMember := strings.Cut(c.Symbol, ".")
		switch {
		case isIdentity(c):
			continue // reported by its members
		case o == nil && n == nil && isMember && (old[owner] != nil || new[owner] != nil):
			continue // a member of the wrong type
		case isMember && old[owner] != nil && new[owner] == nil:
			continue // the removal of its type is reported
		case o != nil && n != nil && (c.Text == "removed" || c.Text == "added" || strings.HasPrefix(c.Text, "changed from ") && same(o, n, aliases)):
			continue
		case o == nil && n != nil && c.Text != "added", o != nil && n == nil && c.Text != "removed":
			continue
		case o != nil && n != nil && strings.HasPrefix(c.Text, "changed from "):
			c.Text = changed(o, n, before, after)
		}
		seen[c.Symbol] = true
		out = append(out, c)
	}
	for symbol, o := range old {
		owner, _, isMember := strings.Cut(symbol, ".")
		n := new[symbol]
		switch {
		case seen[symbol] || isMember && (new[owner] == nil || seen[owner]):
		case n == nil:
			out = append(out, Change{Package: before.Path(), Symbol: symbol, Text: "removed"})
		case !same(o, n, aliases):
			out = append(out, Change{Package: before.Path(), Symbol: symbol, Text: changed(o, n, before, after)})
		}
	}
	for symbol := range new {
		if owner, _, isMember := strings.Cut(symbol, "."); isMember && old[symbol] == nil && old[owner] != nil && !seen[symbol] {
			out = append(out, Change{Package: before.Path(), Symbol: symbol, Text: "added", Compatible: true})
		}
	}
	return out
}

// membersOf returns the exported declarations and members of a package: "T", "T.Field", "T.Method", "F".
func membersOf(p *types.Package) map[string]types.Object {
	out := map[string]types.Object{}
	for _, name := range p.Scope().Names() {
		obj := p.Scope().Lookup(name)
		if !obj.Exported() {
			continue
		}
		out[name] = obj
		t, ok := obj.(*types.TypeName)
		if !ok || t.IsAlias() {
			continue
		}
		named, ok := t.Type().(*types.Named)
		if !ok {
			continue
		}
		for m := range named.Methods() {
			if m.Exported() {
				out[name+"."+m.Name()] = m
			}
		}
		if s, ok := named.Underlying().(*types.Struct); ok {
			for f := range s.Fields() {
				if f.Exported() {
					out[name+"."+f.Name()] = f
				}
			}
		}
	}
	return out
}

// aliasesOf maps the aliases of a package to their types.
func aliasesOf(p *types.Package) map[string]string {
	out := map[string]string{}
	for _, name := range p.Scope().Names() {
		if t, ok := p.Scope().Lookup(name).(*types.TypeName); ok && t.IsAlias() {
			if n, ok := types.Unalias(t.Type()).(*types.Named); ok && n.Obj().Pkg() == p {
				out[name] = n.Obj().Name()
			}
		}
	}
	return out
}

func same(o, n types.Object, aliases map[string]string) bool {
	_, oldType := o.(*types.TypeName)
	_, newType := n.(*types.TypeName)
	if oldType || newType {
		return oldType == newType // the members are compared individually
	}
	return typeString(o.Type(), o.Pkg(), aliases) == typeString(n.Type(), n.Pkg(), nil)
}

// typeString returns a type in Go syntax, with unqualified names of its own package
// and with aliases resolved.
func typeString(t types.Type, own *types.Package, aliases map[string]string) string {
	if sig, ok := t.(*types.Signature); ok {
		t = removeNames(sig)
	}
	text := types.TypeString(t, func(p *types.Package) string {
		if p == own {
			return "\x00"
		}
		return p.Path()
	})
	for old, new := range aliases {
		text = replaceName(text, "\x00."+old, "\x00."+new)
	}
	return text
}

// replaceName replaces a name, but not where it is the prefix of a longer one.
func replaceName(text, old, new string) string {
	var b strings.Builder
	for {
		i := strings.Index(text, old)
		if i < 0 {
			b.WriteString(text)
			return b.String()
		}
		b.WriteString(text[:i])
		rest := text[i+len(old):]
		if rest == "" || !isNameByte(rest[0]) {
			b.WriteString(new)
		} else {
			b.WriteString(old)
		}
		text = rest
	}
}

func isNameByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// removeNames removes the receiver and the names of parameters and results, which
// do not affect callers.
func removeNames(sig *types.Signature) *types.Signature {
	bare := func(t *types.Tuple) *types.Tuple {
		var vars []*types.Var
		for v := range t.Variables() {
			vars = append(vars, types.NewParam(v.Pos(), v.Pkg(), "", v.Type()))
		}
		return types.NewTuple(vars...)
	}
	return types.NewSignatureType(nil, nil, nil, bare(sig.Params()), bare(sig.Results()), sig.Variadic())
}

func changed(o, n types.Object, before, after *types.Package) string {
	text := func(t types.Type, p *types.Package) string {
		if sig, ok := t.(*types.Signature); ok {
			t = removeNames(sig)
		}
		return types.TypeString(t, types.RelativeTo(p))
	}
	return "changed from " + text(o.Type(), before) + " to " + text(n.Type(), after)
}
