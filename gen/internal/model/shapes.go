package model

import (
	"slices"
	"strconv"
	"strings"

	"github.com/basiq-sdk/basiq-go/gen/internal/spec"
)

// shape returns the schema that decides the Go type of n: n itself, one of the
// schemas that it is made of, or what they say together. Alternatives with null are
// the rest of them, alternatives of one type are that type, and an allOf of one
// reference is what that leads to.
func (b *builder) shape(n spec.Node) spec.Node {
	if s, ok := b.shapes[n.Pointer()]; ok {
		return s
	}
	b.shapes[n.Pointer()] = n // for a schema that contains itself
	if n.Get("x-variants").Exists() || n.Bool("x-any") {
		return n
	}
	s := n
	typ, several := typeOf(n)
	switch {
	case several:
		s = b.alternatives(n, byType(n))
	case n.Get("oneOf").Exists() && plainAlternatives(n, "oneOf"):
		s = b.alternatives(n, n.Get("oneOf").Items())
	case n.Get("anyOf").Exists() && plainAlternatives(n, "anyOf"):
		s = b.alternatives(n, n.Get("anyOf").Items())
	case n.Get("allOf").Exists():
		s = b.together(n)
	case n.Get("const").Exists() && !n.Get("enum").Exists() && !n.Get("const").IsNull():
		s = made(n, "/const").With("enum", []spec.Node{n.Get("const")})
		if typ != "" {
			s = s.With("type", typ)
		}
	}
	for at := s; at.Pointer() != n.Pointer(); { // to the end of a chain of such schemas
		target := at.Deref()
		if target.Pointer() == n.Pointer() {
			s = n // a cycle
			break
		}
		if at = b.shape(target); at.Pointer() == target.Pointer() {
			break
		}
	}
	if n.Get("x-type").Exists() && !s.Get("x-type").Exists() {
		s = n // named by an overlay, it is a type of its own
	}
	b.shapes[n.Pointer()] = s
	return s
}

// made returns a schema in the place of n, with the name that an overlay gives n.
func made(n spec.Node, suffix string) spec.Node {
	s := n.Make(n.Pointer() + suffix)
	for _, keyword := range []string{"x-type", "x-enum", "x-doc", "description"} {
		if m := n.Get(keyword); m.Exists() {
			s = s.With(keyword, m)
		}
	}
	return s
}

// plainAlternatives reports whether a schema consists of the alternatives of a
// keyword, and not of members beside them.
func plainAlternatives(n spec.Node, keyword string) bool {
	other := map[string]string{"oneOf": "anyOf", "anyOf": "oneOf"}[keyword]
	return !n.Get("properties").Exists() && !n.Get("allOf").Exists() && !n.Get("enum").Exists() && !n.Get(other).Exists() && !requiredOnly(n.Get(keyword))
}

// requiredOnly reports whether alternatives only say which members are required.
func requiredOnly(alternatives spec.Node) bool {
	return !slices.ContainsFunc(alternatives.Items(), func(a spec.Node) bool { return !requiredOnlyOne(a) })
}

func requiredOnlyOne(a spec.Node) bool {
	return a.Get("required").Exists() && !slices.ContainsFunc(a.Members(), func(m spec.Node) bool { return m.Name() != "required" && m.Name() != "type" })
}

// ofType are the keywords that restrict values of one type.
var ofType = map[string][]string{
	"object":  {"properties", "required", "additionalProperties", "x-order"},
	"array":   {"items"},
	"string":  {"format", "enum"},
	"integer": {"format", "enum"}, "number": {"format", "enum"}, "boolean": nil,
}

// byType returns an alternative for each of the types of a schema.
func byType(n spec.Node) (list []spec.Node) {
	for _, t := range n.Get("type").Strings() {
		s := n.Make(n.Pointer()+"/type/"+t).With("type", t)
		for _, keyword := range ofType[t] {
			if m := n.Get(keyword); m.Exists() && keyword != "enum" {
				s = s.With(keyword, m)
			}
		}
		list = append(list, s)
	}
	return list
}

// alternatives returns the schema that the alternatives of n come to. If several are
// left that can be told apart, it is n, which becomes a union.
func (b *builder) alternatives(n spec.Node, items []spec.Node) spec.Node {
	var list []spec.Node
	for _, item := range items {
		target := item.Deref()
		if isNull(target) || slices.ContainsFunc(list, func(o spec.Node) bool { return o.Deref().Pointer() == target.Pointer() || o.Same(item) }) {
			continue
		}
		list = append(list, item)
	}
	if len(list) == 0 {
		return n
	}
	if len(list) == 1 {
		return list[0]
	}
	list = flatten(list, 0)
	kinds := map[string][]spec.Node{}
	for _, item := range list {
		kind := b.kind(item)
		kinds[kind] = append(kinds[kind], item)
	}
	numbers := slices.Concat(kinds["integer"], kinds["number"])
	switch len(list) {
	case len(kinds["string"]):
		return b.texts(n, list)
	case len(numbers):
		return b.numbers(n, numbers)
	case len(kinds["boolean"]):
		return made(n, "/oneOf").With("type", "boolean")
	}
	if len(kinds[""]) > 0 || len(kinds["array"]) > 1 {
		return n
	}
	plan := map[string]spec.Node{}
	for kind, same := range map[string][]spec.Node{"string": kinds["string"], "number": numbers, "bool": kinds["boolean"], "array": kinds["array"]} {
		switch {
		case len(same) == 1:
			plan[kind] = same[0]
		case len(same) > 1 && kind == "string":
			plan[kind] = b.texts(n, same)
		case len(same) > 1:
			plan[kind] = b.numbers(n, same)
		}
	}
	b.unions[n.Pointer()] = &unionPlan{kinds: plan, objects: kinds["object"]}
	return n
}

// flatten replaces alternatives that are alternatives themselves by those.
func flatten(items []spec.Node, depth int) (list []spec.Node) {
	for _, item := range items {
		target := item.Deref()
		keyword := "oneOf"
		if target.Get("anyOf").Exists() {
			keyword = "anyOf"
		}
		inner := target.Get(keyword).Items()
		if len(inner) > 0 && depth < 8 && plainAlternatives(target, keyword) &&
			!target.Get("discriminator").Exists() && !target.Get("x-type").Exists() && !target.Get("x-variants").Exists() {
			list = append(list, flatten(inner, depth+1)...)
		} else if !isNull(target) && !slices.ContainsFunc(list, func(o spec.Node) bool { return o.Deref().Pointer() == target.Pointer() || o.Same(item) }) {
			list = append(list, item)
		}
	}
	return list
}

func isNull(n spec.Node) bool {
	if types := n.Get("type").Strings(); len(types) == 1 && types[0] == "null" {
		return true
	}
	enum := n.Get("enum").Items()
	return n.Get("const").IsNull() || len(enum) == 1 && enum[0].IsNull()
}

// kind returns the JSON type of a schema's values, and "" if it is not known or if
// there are several.
func (b *builder) kind(item spec.Node) string {
	n := item.Deref()
	if s := b.shape(n); s.Pointer() != n.Pointer() {
		return b.kind(s)
	}
	typ, several := typeOf(n)
	switch {
	case several || b.unions[n.Pointer()] != nil || n.Get("x-variants").Exists():
		return ""
	case typ != "":
		return typ
	case n.Get("properties").Exists() || n.Get("allOf").Exists():
		return "object"
	case n.Get("items").Exists():
		return "array"
	}
	kind := ""
	for _, v := range n.Get("enum").Items() {
		of := v.Kind()
		if of == "null" {
			continue
		}
		if kind != "" && of != kind {
			return ""
		}
		kind = of
	}
	return kind
}

// values returns the schema of the values that a schema lists, if it lists any.
func (b *builder) values(item spec.Node) []spec.Node {
	n := item.Deref()
	if s := b.shape(n); s.Pointer() != n.Pointer() {
		return b.values(s)
	}
	return n.Get("enum").Items()
}

// texts returns what alternatives that are all strings come to: an enumeration of all
// values, which is open, or a string.
func (b *builder) texts(n spec.Node, list []spec.Node) spec.Node {
	s := made(n, "/oneOf").With("type", "string")
	if all := b.allValues(list); len(all) > 0 {
		return s.With("enum", all)
	}
	format := list[0].Deref().Str("format")
	if format != "" && !slices.ContainsFunc(list, func(o spec.Node) bool { return o.Deref().Str("format") != format }) {
		return s.With("format", format)
	}
	return s
}

// numbers returns what alternatives that are all numbers come to.
func (b *builder) numbers(n spec.Node, list []spec.Node) spec.Node {
	typ := "integer"
	for _, item := range list {
		if b.kind(item) == "number" {
			typ = "number"
		}
	}
	s := made(n, "/oneOf").With("type", typ)
	if !slices.ContainsFunc(list, func(o spec.Node) bool { return len(b.values(o)) == 0 }) {
		return s.With("enum", b.allValues(list))
	}
	return s
}

func (b *builder) allValues(list []spec.Node) (all []spec.Node) {
	for _, item := range list {
		for _, v := range b.values(item) {
			if !slices.ContainsFunc(all, v.Same) {
				all = append(all, v)
			}
		}
	}
	return all
}

// nullable reports whether a schema allows null, by any of the ways to say so.
func nullable(n spec.Node) bool { return isNullable(n, 0) }

func isNullable(n spec.Node, depth int) bool {
	target := n.Deref()
	if n.Bool("nullable") || target.Bool("nullable") || slices.Contains(target.Get("type").Strings(), "null") {
		return true
	}
	if depth > 8 {
		return false
	}
	for _, keyword := range []string{"oneOf", "anyOf"} {
		for _, item := range target.Get(keyword).Items() {
			if isNull(item.Deref()) || isNullable(item, depth+1) {
				return true
			}
		}
	}
	all := target.Get("allOf").Items()
	return len(all) == 1 && isNullable(all[0], depth+1)
}

// trivial reports whether a schema says nothing about the type of its values.
func trivial(n spec.Node) bool {
	for _, m := range n.Members() {
		switch m.Name() {
		case "description", "nullable", "default", "deprecated", "readOnly", "writeOnly", "pattern", "minLength", "maxLength", "minimum", "maximum",
			"minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "allOf":
		case "type":
			if m.Text() != "object" {
				return false
			}
		default:
			if !strings.HasPrefix(m.Name(), "x-") || m.Name() == "x-order" || m.Name() == "x-type" || m.Name() == "x-require-one" {
				return false
			}
		}
	}
	return true
}

// together returns the schema that the parts of an allOf come to: n itself, if they
// are the members of an object.
func (b *builder) together(n spec.Node) spec.Node {
	var parts []spec.Node
	objects := n.Get("properties").Exists()
	for _, item := range n.Get("allOf").Items() {
		if item.Deref().Pointer() == n.Pointer() {
			return n // reported when its parts are collected
		}
		if trivial(item.Deref()) && !item.Deref().Get("allOf").Exists() {
			continue
		}
		parts = append(parts, item)
		kind := b.kind(item)
		objects = objects || kind == "object"
	}
	if len(parts) == 1 && trivial(n) {
		if part := parts[0]; part.Ref() != "" || b.kind(part) != "object" {
			return part
		}
	}
	if objects || len(parts) == 0 {
		return n
	}
	if !trivial(n) {
		own := n.Make(n.Pointer() + "/own")
		for _, m := range n.Members() {
			if m.Name() != "allOf" {
				own = own.With(m.Name(), m)
			}
		}
		parts = append(parts, own)
	}
	return b.combined(n.Pointer(), "", parts)
}

// withAlternatives adds what alternatives say about a member to its definitions. A
// value of the member is of any of the alternatives.
func (b *builder) withAlternatives(t *Type, name string, definitions, list []spec.Node) []spec.Node {
	pointer := t.Loc + "/properties/" + spec.Escape(name) + "/anyOf"
	either := list[0]
	if len(list) > 1 {
		either = list[0].Make(pointer).With("anyOf", list)
	}
	if len(definitions) == 0 {
		return []spec.Node{either}
	}
	if _, why := b.both(pointer+"/allOf", b.combined(pointer, "", definitions), either); why != "" {
		return definitions // which every value has
	}
	return append(definitions, either)
}

// combined returns what several definitions of the same value say together, and
// reports those that contradict each other.
func (b *builder) combined(pointer, what string, definitions []spec.Node) spec.Node {
	result := definitions[0]
	for i, next := range definitions[1:] {
		both, why := b.both(pointer+"/allOf/"+strconv.Itoa(i), result, next)
		if why != "" {
			if what == "" {
				what = pointer
			}
			b.tolerate(next, "contradiction", "%s is %s; no value is both", what, why).
				WithHint("remove one of the definitions in an overlay; the other one is at %s", result.Pos())
			continue
		}
		result = both
	}
	return result
}

// both returns what two definitions say together, or why they contradict each other.
func (b *builder) both(pointer string, x, y spec.Node) (spec.Node, string) {
	xt, yt := x.Deref(), y.Deref()
	xs, ys := b.kind(x), b.kind(y)
	vague := func(n spec.Node, kind string) bool {
		return kind == "" && b.shape(n).Pointer() == n.Pointer() && b.unions[n.Pointer()] == nil && trivial(n) && !n.Get("allOf").Exists()
	}
	switch {
	case xt.Pointer() == yt.Pointer() || vague(yt, ys):
		return x, ""
	case vague(xt, xs):
		return y, ""
	case xs == "integer" && ys == "number":
		return x, ""
	case xs == "number" && ys == "integer":
		return y, ""
	case xs == "" || ys == "":
		if xt.Same(yt) {
			return x, ""
		}
		return x, "of several shapes in one definition and something else in another"
	case xs != ys:
		return x, article(Kind(xs)) + " in one definition and " + article(Kind(ys)) + " in another"
	}
	switch xs {
	case "object":
		return b.bothObjects(pointer, x, y), ""
	case "array":
		return b.bothLists(pointer, x, y)
	}
	return b.bothScalars(pointer, x, y)
}

func (b *builder) bothObjects(pointer string, x, y spec.Node) spec.Node {
	free := func(n spec.Node) bool {
		n = n.Deref()
		return !n.Get("properties").Exists() && !n.Get("allOf").Exists() && !n.Get("additionalProperties").IsMap()
	}
	switch {
	case free(y):
		return x
	case free(x):
		return y
	}
	return x.Make(pointer).With("allOf", []spec.Node{x, y})
}

func (b *builder) bothLists(pointer string, x, y spec.Node) (spec.Node, string) {
	xi, yi := x.Deref().Get("items"), y.Deref().Get("items")
	switch {
	case !yi.Exists():
		return x, ""
	case !xi.Exists():
		return y, ""
	}
	items, why := b.both(pointer+"/items", xi, yi)
	switch {
	case why != "":
		return x, "a list with items that are " + why
	case items.Pointer() == xi.Pointer():
		return x, ""
	case items.Pointer() == yi.Pointer():
		return y, ""
	}
	return x.Make(pointer).With("type", "array").With("items", items), ""
}

func (b *builder) bothScalars(pointer string, x, y spec.Node) (spec.Node, string) {
	xv, yv := b.values(x), b.values(y)
	switch {
	case len(xv) > 0 && len(yv) > 0:
		var common []spec.Node
		for _, v := range xv {
			if slices.ContainsFunc(yv, v.Same) {
				common = append(common, v)
			}
		}
		switch len(common) {
		case 0:
			return x, "one of a list in one definition and one of another list in another"
		case len(xv):
			return x, ""
		case len(yv):
			return y, ""
		}
		return x.Make(pointer).With("type", b.kind(x)).With("enum", common), ""
	case len(yv) > 0:
		return y, ""
	case len(xv) > 0:
		return x, ""
	}
	xf, yf := x.Deref().Str("format"), y.Deref().Str("format")
	if xf != "" && yf != "" && xf != yf && formats[xf] != formats[yf] {
		return x, "of the format " + xf + " in one definition and " + yf + " in another"
	}
	if xf == "" {
		return y, ""
	}
	return x, ""
}
