package model

import (
	"cmp"
	"slices"
	"strings"

	"github.com/basiq-sdk/basiq-go/gen/internal/spec"
)

// unionPlan is what the alternatives of a schema are, by the JSON kind of their
// values.
type unionPlan struct {
	kinds   map[string]spec.Node // string, number, bool and array: one each
	objects []spec.Node
}

// kindNames are the accessors of the variants that are not objects.
var kindNames = map[string]string{"string": "Text", "number": "Number", "bool": "Bool", "array": "List"}

// told converts a schema with alternatives to a union, if its values tell which of
// the alternatives they are: by a discriminator, by the values of a member, by a member
// that no other alternative has, or by their JSON kind.
func (b *builder) told(n spec.Node, ctx context) (Ref, bool) {
	plan := b.unions[n.Pointer()]
	if plan == nil {
		return Ref{}, false
	}
	if file, list := binary(plan.kinds["string"]), binary(plan.kinds["array"].Deref().Get("items")); ctx.multipart && (file || list) {
		b.warnf(n, "alternatives-merged", "%s is a file among its alternatives, and is sent as one", n.Pointer()).
			WithHint("describe it as a file or a list of files in an overlay")
		if list {
			return Ref{Prim: List, Elem: &Ref{Prim: File}}, true
		}
		return Ref{Prim: File}, true
	}
	ctx.multipart = false
	when, ok := b.tellObjects(n, plan, ctx)
	if !ok {
		return Ref{}, false
	}
	t := b.declare(n, ctx, Union)
	taken := map[string]string{}
	for _, own := range ownUnion {
		taken[own] = "what every union has"
	}
	var parts []nameless
	var nodes []spec.Node
	add := func(item spec.Node, name, key string) {
		parts = append(parts, nameless{
			n: item, loc: "variant " + local(n) + " " + key, what: "the alternative " + key + " of " + t.Name,
			names: []string{name, name + "Value"},
		})
		nodes = append(nodes, item)
	}
	for i, item := range plan.objects {
		name := alternativeName(item, when[i])
		add(item, name, cmp.Or(item.Ref(), name))
	}
	for _, kind := range []string{"string", "number", "bool", "array"} {
		if item, ok := plan.kinds[kind]; ok {
			when = append(when, When{Kind: kind})
			add(item, kindNames[kind], kind)
		}
	}
	names := b.choose(slices.Clone(parts), taken)
	for i, item := range nodes {
		entry := names[parts[i].loc]
		inner := ctx
		inner.parent, inner.name, inner.explicit, inner.property, inner.siblings = t.Name, entry.Name, t.explicit, false, nil
		b.noAlias(entry, parts[i].loc, "a variant")
		ref := b.ref(item, inner)
		if ref.Prim == Secret {
			b.warnf(item, "untyped", "%s has a password among its alternatives, which is kept as raw JSON", n.Pointer()).
				WithHint("give it a single type in an overlay")
			ref = Ref{Prim: JSON}
		}
		t.Variants = append(t.Variants, &Variant{
			Name: entry.Name, Pos: item.Pos(), Ref: ref, Doc: "returns the value if it is this alternative.", When: when[i],
		})
	}
	return Ref{Prim: Named, Type: t}, true
}

// binary reports whether a string is the content of a file. OpenAPI 3.1 says so with a
// media type that no text encoding goes with.
func binary(n spec.Node) bool {
	if !n.Exists() {
		return false
	}
	n = n.Deref()
	media := n.Str("contentMediaType")
	return n.Str("format") == "binary" || media != "" && n.Str("contentEncoding") == "" && !strings.HasPrefix(media, "text/") && !strings.HasSuffix(media, "json")
}

// alternativeName returns the name of an alternative: that of its component, or what
// tells it apart.
func alternativeName(item spec.Node, when When) string {
	if ref := item.Ref(); ref != "" {
		return identifier(spec.Unescape(ref[strings.LastIndexByte(ref, '/')+1:]))
	}
	if len(when.Equals) > 0 {
		return identifier(when.Equals[0])
	}
	if when.Property != "" {
		return "With" + identifier(when.Property)
	}
	return "Object"
}

// tellObjects returns how the alternatives that are objects are told apart, and
// whether they can be.
func (b *builder) tellObjects(n spec.Node, plan *unionPlan, ctx context) ([]When, bool) {
	list := make([]When, len(plan.objects))
	property := n.At("discriminator", "propertyName").Text()
	if len(plan.objects) == 1 && property == "" {
		list[0].Kind = "object"
		return list, true
	}
	if property != "" && len(plan.objects) > 0 {
		mapped := b.mapping(n)
		sibling := ctx.siblings[property] && !slices.ContainsFunc(plan.objects, func(o spec.Node) bool { return b.properties(o)[property].Exists() })
		for i, o := range plan.objects {
			list[i].Equals = mapped[o.Deref().Pointer()]
			if own := b.valueTexts(b.properties(o)[property]); len(list[i].Equals) == 0 && len(own) > 0 {
				list[i].Equals = own
			}
			if ref := o.Ref(); len(list[i].Equals) == 0 && ref != "" {
				list[i].Equals = []string{spec.Unescape(ref[strings.LastIndexByte(ref, '/')+1:])}
			}
			if len(list[i].Equals) == 0 {
				return nil, false
			}
			if sibling {
				list[i].Sibling = property
			} else {
				list[i].Property = property
			}
		}
		return list, true
	}
	return b.tellByMembers(plan.objects, list)
}

// mapping returns the values of a discriminator by the schema that they stand for.
func (b *builder) mapping(n spec.Node) map[string][]string {
	out := map[string][]string{}
	for _, m := range n.At("discriminator", "mapping").Members() {
		target := m.Text()
		if !strings.HasPrefix(target, "#/") {
			target = "#/components/schemas/" + spec.Escape(target)
		}
		at := b.doc.Lookup(target)
		if !at.Exists() {
			b.tolerate(m, "bad-discriminator", "the discriminator of %s maps %q to %q, which is not a schema", n.Pointer(), m.Name(), m.Text()).
				WithHint("correct the mapping in an overlay")
			continue
		}
		out[at.Deref().Pointer()] = append(out[at.Deref().Pointer()], m.Name())
	}
	return out
}

// tellByMembers tells objects apart by the values of a member that all have, or by
// required members that only one of them has.
func (b *builder) tellByMembers(objects []spec.Node, list []When) ([]When, bool) {
	if len(objects) == 0 {
		return list, true
	}
	properties := make([]map[string]spec.Node, len(objects))
	for i, o := range objects {
		properties[i] = b.properties(o)
	}
	names := sortedKeys(properties[0])
next:
	for _, name := range names {
		seen := map[string]bool{}
		for i := range objects {
			values := b.valueTexts(properties[i][name])
			if len(values) == 0 {
				continue next
			}
			for _, v := range values {
				if seen[v] {
					continue next
				}
				seen[v] = true
			}
			list[i] = When{Property: name, Equals: values}
		}
		return list, true
	}
	for i, o := range objects {
		list[i] = When{}
		for _, name := range b.requiredOf(o) {
			only := !slices.ContainsFunc(properties, func(p map[string]spec.Node) bool {
				return p[name].Exists() && p[name].Pointer() != properties[i][name].Pointer()
			})
			if only && properties[i][name].Exists() {
				list[i].Property = name
				break
			}
		}
		if list[i].Property == "" {
			return nil, false
		}
	}
	return list, true
}

// valueTexts returns the values that a schema lists, if all of them are texts, integers
// or booleans, which are compared by their text.
func (b *builder) valueTexts(n spec.Node) (list []string) {
	if !n.Exists() {
		return nil
	}
	for _, v := range b.values(n) {
		if kind := v.Kind(); !v.IsText() && kind != "integer" && kind != "boolean" {
			return nil
		}
		list = append(list, v.Text())
	}
	return list
}

// properties returns the members of an object, including those that it is composed
// of.
func (b *builder) properties(n spec.Node) map[string]spec.Node {
	out := map[string]spec.Node{}
	b.collect(n.Deref(), map[string]bool{}, func(n spec.Node) {
		for _, p := range n.Get("properties").Members() {
			out[p.Name()] = p
		}
	})
	return out
}

func (b *builder) requiredOf(n spec.Node) (list []string) {
	b.collect(n.Deref(), map[string]bool{}, func(n spec.Node) { list = append(list, n.Get("required").Strings()...) })
	slices.Sort(list)
	return slices.Compact(list)
}

func (b *builder) collect(n spec.Node, seen map[string]bool, visit func(spec.Node)) {
	if seen[n.Pointer()] || len(seen) > maxParts {
		return
	}
	seen[n.Pointer()] = true
	for _, item := range n.Get("allOf").Items() {
		b.collect(item.Deref(), seen, visit)
	}
	visit(n)
}

func sortedKeys(m map[string]spec.Node) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// inherited gives a struct with a discriminator access to the schemas that are
// composed of it, one of which a value may be.
func (b *builder) inherited(t *Type, n spec.Node, ctx context) {
	property := n.At("discriminator", "propertyName").Text()
	if property == "" || n.Get("oneOf").Exists() || n.Get("anyOf").Exists() || !b.properties(n)[property].Exists() {
		return
	}
	if b.children == nil {
		b.children = map[string][]spec.Node{}
		for _, c := range b.doc.Root().At("components", "schemas").Members() {
			for _, item := range c.Get("allOf").Items() {
				if item.Ref() != "" {
					parent := item.Deref().Pointer()
					b.children[parent] = append(b.children[parent], c)
				}
			}
		}
	}
	mapped := b.mapping(n)
	children := slices.Clone(b.children[n.Pointer()])
	for _, m := range n.At("discriminator", "mapping").Members() {
		target := m.Text()
		if !strings.HasPrefix(target, "#/") {
			target = "#/components/schemas/" + spec.Escape(target)
		}
		if c := b.doc.Lookup(target).Deref(); c.Exists() && c.Pointer() != n.Pointer() && !slices.ContainsFunc(children, func(o spec.Node) bool { return o.Pointer() == c.Pointer() }) {
			children = append(children, c)
		}
	}
	for i := 0; i < len(children); i++ { // what is composed of a child is one, too
		for _, c := range b.children[children[i].Pointer()] {
			if c.Pointer() != n.Pointer() && !slices.ContainsFunc(children, func(o spec.Node) bool { return o.Pointer() == c.Pointer() }) {
				children = append(children, c)
			}
		}
	}
	for _, c := range children {
		values := mapped[c.Pointer()]
		if own := b.valueTexts(b.properties(c)[property]); len(values) == 0 && len(own) == 1 {
			values = own
		}
		if len(values) == 0 {
			values = []string{c.Name()}
		}
		inner := ctx
		inner.parent, inner.name, inner.explicit, inner.property, inner.siblings = "", identifier(c.Name()), false, false, nil
		ref := b.ref(c, inner)
		if !byPointer(ref) {
			continue
		}
		t.Variants = append(t.Variants, &Variant{
			Name: "As" + ref.Type.Name, Pos: c.Pos(), Ref: ref,
			Doc:  "returns the value as " + article(Kind(ref.Type.Name)) + ", if its " + property + " says that it is one.",
			When: When{Property: property, Equals: values},
		})
	}
}

func byPointer(r Ref) bool { return r.Prim == Named && r.Type.Kind == Struct }

// ownUnion are the methods that every union has.
var ownUnion = []string{"Raw", "IsZero", "JSONFields", "MarshalJSON", "UnmarshalJSON"}
