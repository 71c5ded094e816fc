package model

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/spec"
)

func (b *builder) object(n spec.Node, ctx context) Ref {
	t := b.declare(n, ctx, Struct)
	if ctx.nested { // files are only in a multipart form itself, not in its objects
		ctx.multipart = false
	}
	parts := b.parts(n)
	seen := map[string]bool{}
	var members []spec.Node // of several definitions, the first
	definitions, alternatives := map[string][]spec.Node{}, map[string][]spec.Node{}
	required := map[string]bool{}
	for _, part := range parts {
		if count := len(part.Get("properties").Members()); count > maxMembers {
			b.errorf(part.Get("properties"), "too-many-members", "%s has %d members; the limit is %d", part.Pointer(), count, maxMembers).
				WithHint("remove parts that no caller needs in an overlay")
			break
		}
		b.onlyMembers(t, n, part)
		for _, r := range part.required {
			required[r] = required[r] || !part.loose
		}
		for _, p := range part.Get("properties").Members() {
			if !seen[p.Name()] {
				seen[p.Name()] = true
				members = append(members, p)
			}
			if part.loose {
				alternatives[p.Name()] = append(alternatives[p.Name()], p)
			} else {
				definitions[p.Name()] = append(definitions[p.Name()], p)
			}
		}
	}
	for name, list := range alternatives {
		definitions[name] = b.withAlternatives(t, name, definitions[name], list)
	}
	ctx.siblings = seen
	names := b.fieldNames(slices.Clone(members))
	for _, p := range members {
		t.Fields = append(t.Fields, b.field(t, p, definitions[p.Name()], names["field "+local(p)], required[p.Name()], ctx))
	}
	b.undeclaredMembers(n, parts[len(parts)-1].required, seen)
	for _, part := range parts {
		b.additional(t, part.Get("additionalProperties"), ctx)
	}
	sortFields(t)
	b.inherited(t, n, ctx)
	return Ref{Prim: Named, Type: t}
}

// undeclaredMembers reports required members that an object does not declare.
func (b *builder) undeclaredMembers(n spec.Node, required []string, seen map[string]bool) {
	for _, wire := range required {
		if !seen[wire] {
			at := n.Get("required")
			for _, item := range at.Items() {
				if item.Text() == wire {
					at = item
				}
			}
			b.warnf(at, "required-undeclared", "%s requires %q, which is not one of its properties", n.Pointer(), wire).
				WithHint("declare the property in an overlay, or remove it from required; the JSON field of a value can have it")
			seen[wire] = true
		}
	}
}

// additional sets the type of an object's undeclared members, if extra gives them one.
func (b *builder) additional(t *Type, extra spec.Node, ctx context) {
	if !extra.IsMap() || trivial(extra.Deref()) {
		return
	}
	ctx.parent, ctx.name, ctx.explicit, ctx.property = t.Name, "Additional", t.explicit, false
	ref := b.ref(extra, ctx)
	last := ref
	for last.Elem != nil {
		last = *last.Elem
	}
	if last.Prim != Secret && last.Prim != File { // the JSON field has them
		t.Additional = &ref
	}
}

// onlyMembers reports keywords of a part that a struct cannot express: a type
// other than object, and alternative shapes.
func (b *builder) onlyMembers(t *Type, n spec.Node, p part) {
	if not := p.Get("not"); not.Exists() {
		b.warnf(not, "not-checked", "%s excludes values with not, which is not checked before they are sent", p.Pointer()).
			WithHint("remove the keyword in an overlay")
	}
	typ, _ := typeOf(p.Node)
	why := ""
	switch {
	case typ != "" && typ != "object":
		why = "of type " + typ
	case p.Get("oneOf").Exists() && !t.choose(p.Get("oneOf"), true) && !b.ofObjects(p.Get("oneOf")):
		why = "of several shapes (oneOf)"
	case p.Get("anyOf").Exists() && !t.choose(p.Get("anyOf"), false) && !b.ofObjects(p.Get("anyOf")):
		why = "of several shapes (anyOf)"
	case p.Get("enum").Exists():
		why = "one of a list (enum)"
	default:
		return
	}
	whole := "has members"
	if p.Pointer() != n.Pointer() {
		whole = "is part of " + n.Pointer() + ", which has members"
	}
	b.tolerate(p.Node, "cannot-express", "%s is %s, but %s", p.Pointer(), why, whole).
		WithHint("declare it as an object in an overlay, or remove its members")
}

// part is a schema that another is composed of, with the names of the members
// that it and its own parts require.
type part struct {
	spec.Node
	required []string
	loose    bool // an alternative, of which a value need not have the members
}

// maxMembers is the maximum number of members of a schema. Compilers take a long
// time for structs with many thousands of fields.
const maxMembers = 2000

// maxTypes is the maximum number of types in a package.
const maxTypes = 5000

// field returns the member p of a type, which the parts of the type may define
// several times.
func (b *builder) field(t *Type, p spec.Node, definitions []spec.Node, entry LockEntry, required bool, ctx context) *Field {
	wire := p.Name()
	from := p
	if len(definitions) > 1 {
		from = b.combined(strings.TrimSuffix(t.Loc, "/")+"/properties/"+spec.Escape(wire), "the member "+strconv.Quote(wire)+" of "+t.Loc, definitions)
	}
	target := from.Deref()
	b.noAlias(entry, "field "+local(p), "a struct field")
	f := &Field{
		Name: entry.Name, Wire: wire, Aliases: p.Get("x-aliases").Strings(),
		Loc: p.Pointer(), Pos: p.Pos(), given: p.Str("x-name") != "",
		Doc:        b.documented(p),
		Deprecated: b.deprecation(p),
		Required:   required,
	}
	f.Most, f.MostLength = strictest(target, greatest), strictest(target, longest)
	f.Nullable = !slices.ContainsFunc(definitions, func(d spec.Node) bool { return !nullable(d) && (len(definitions) == 1 || !trivial(d.Deref())) })
	f.ReadOnly, f.WriteOnly = p.Bool("readOnly") || target.Bool("readOnly"), p.Bool("writeOnly") || target.Bool("writeOnly")
	f.NotEmpty = wholeNumber(target, "minItems") > 0 || wholeNumber(target, "minProperties") > 0
	f.Default = meaningfulDefault(target)
	f.Binary = target.Str("format") == "binary" && !ctx.multipart
	inner := context{
		parent: t.Name, name: entry.Name, explicit: t.explicit,
		request: ctx.request, response: ctx.response, multipart: ctx.multipart, nested: true, property: true, siblings: ctx.siblings,
	}
	f.Ref = b.ref(from, inner)
	switch f.Ref.Prim {
	case Named:
		f.Ref.Pointer = f.Ref.Type.Kind == Struct && !required ||
			f.Ref.Base() == Int && f.Nullable || !required && f.Ref.hidesZero()
	case Bool:
		f.Ref.Pointer = !required || f.Nullable
	case Int, Float:
		f.Ref.Pointer = f.Nullable
	}
	b.pin(f, p)
	b.openSecret(f, p)
	return f
}

// wholeNumber returns the limit that keyword sets, such as the maxLength of a text. It
// returns 0 if there is none that is a positive integer, and for one that is not an int
// on all platforms: the generated code would not compile on them.
func wholeNumber(n spec.Node, keyword string) int {
	most, err := strconv.ParseInt(n.Str(keyword), 10, 32)
	if err != nil {
		return 0
	}
	return int(max(most, 0))
}

// greatest returns the greatest integer that a schema allows, or 0 if there is no limit
// that wholeNumber would return. exclusiveMaximum is a flag in OpenAPI 3.0, and a number
// in 3.1.
func greatest(n spec.Node) int {
	most, below := wholeNumber(n, "maximum"), wholeNumber(n, "exclusiveMaximum")
	switch {
	case most > 0 && n.Str("exclusiveMaximum") == "true":
		return most - 1
	case below > 0 && (most == 0 || below <= most):
		return below - 1
	}
	return most
}

// longest returns the greatest length of a text that a schema allows, or 0.
func longest(n spec.Node) int { return wholeNumber(n, "maxLength") }

// strictest returns the least limit that a schema or a part of its allOf sets, or 0.
func strictest(n spec.Node, limit func(spec.Node) int) int {
	least, seen := 0, map[string]bool{}
	var visit func(n spec.Node)
	visit = func(n spec.Node) {
		if seen[n.Pointer()] {
			return
		}
		seen[n.Pointer()] = true
		if l := limit(n); l > 0 && (least == 0 || l < least) {
			least = l
		}
		for _, item := range n.Get("allOf").Items() {
			visit(item.Deref())
		}
	}
	visit(n)
	return least
}

// noAlias reports old names of what Go has no aliases for.
func (b *builder) noAlias(entry LockEntry, loc, what string) {
	if len(entry.Was) > 0 {
		b.errs = append(b.errs, diag.Errorf(b.lock.entries[loc].Pos, "names-lock-entry",
			"%s cannot have an alias with its old name", what).
			WithHint("remove was from the entry: code that uses the old name has to change"))
	}
}

// sortFields orders members by x-order. Others follow by name, with id and type
// first and links last, so that a new member does not move others.
func sortFields(t *Type) {
	rank := map[string]int{}
	for i, wire := range t.order {
		rank[wire] = i - len(t.order) - 10
	}
	of := func(f *Field) int {
		if r, ok := rank[f.Wire]; ok {
			return r
		}
		switch f.Wire {
		case "id":
			return -3
		case "type":
			return -2
		case "links":
			return 1
		}
		return 0
	}
	slices.SortStableFunc(t.Fields, func(x, y *Field) int {
		return cmp.Or(cmp.Compare(of(x), of(y)), cmp.Compare(x.Wire, y.Wire))
	})
}
