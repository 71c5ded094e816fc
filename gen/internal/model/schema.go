package model

import (
	"cmp"
	"encoding/json"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/basiq-sdk/basiq-go/gen/internal/canon"
	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/spec"
)

// context is where a schema is used. It gives an anonymous schema its name.
type context struct {
	parent, name      string
	request, response bool
	param             bool // a path, query or header parameter
	multipart         bool // the fields of a multipart form
	nested            bool // in an object of the body
	explicit          bool // the parent's name was set by an overlay
	property          bool // the schema is declared inline as a property

	siblings map[string]bool // the members of the object that has the schema as a property
}

// local returns the part of a pointer that the names lock uses.
func local(n spec.Node) string { return strings.TrimPrefix(n.Pointer(), "#") }

func (c context) defaultName() string { return c.parent + c.name }

var formats = map[string]Prim{
	"date": Date, "date-time": DateTime, "month": Month, "decimal": Decimal, "password": Secret,
}

// ref returns the Go type of a schema.
func (b *builder) ref(n spec.Node, ctx context) Ref {
	if !n.Exists() {
		return Ref{Prim: JSON}
	}
	target := n.Deref()
	if b.byPointer[target.Pointer()] != nil {
		t := b.byPointer[target.Pointer()]
		b.use(t, ctx)
		return Ref{Prim: Named, Type: t}
	}
	if r := n.Ref(); r != "" {
		if parts := strings.Split(r, "/"); naming[parts[len(parts)-2]] {
			ctx.parent, ctx.name, ctx.explicit = "", identifier(spec.Unescape(parts[len(parts)-1])), false
			ctx.property = parts[len(parts)-2] == "properties" // the target is the property's schema
		}
	}
	n = target
	if s := b.shape(n); s.Pointer() != n.Pointer() {
		if b.within(n) {
			return Ref{Prim: JSON}
		}
		defer b.leave(n)
		return b.ref(s, ctx)
	}
	if union, ok := b.told(n, ctx); ok {
		return union
	}
	typ, several := typeOf(n)
	switch {
	case n.Get("x-variants").Exists():
		return b.union(n, ctx)
	case several:
		return b.untyped(n, "it has several types").withHint(
			"declare the shapes with x-variants in an overlay, or give it a single type")
	case slices.ContainsFunc(n.Get("enum").Items(), func(v spec.Node) bool { return v.IsMap() || v.IsList() }):
		return b.untyped(n, "it lists objects or lists as its values").withHint(
			"declare its properties or items, without enum or const, in an overlay")
	case n.Get("enum").Exists() && typ != "boolean" && typ != "array" && typ != "object" && b.enumBase(n, typ) != Bool:
		if ctx.param && b.enumBase(n, typ) == JSON {
			b.warnf(n, "enum-type", "%s lists values of several types, which are all texts in a parameter", n.Pointer()).
				WithHint("quote its values in an overlay")
			return Ref{Prim: String}
		}
		return b.enum(n, ctx)
	case n.Get("properties").Exists() && typ != "" && typ != "object" && !n.Get("allOf").Exists():
		b.warnf(n.Get("properties"), "contradiction", "%s is of type %s, so that its members have no effect", n.Pointer(), typ).
			WithHint("correct its type, or remove the members, in an overlay")
		return b.scalar(n, typ, ctx)
	case n.Get("allOf").Exists() || n.Get("properties").Exists():
		return b.object(n, ctx)
	case n.Get("oneOf").Exists() || n.Get("anyOf").Exists():
		return b.untyped(n, "it has several shapes").withHint(
			"declare the shapes with x-variants in an overlay, or give it a single type")
	case typ == "array" || n.Get("items").Exists():
		if b.within(n) {
			return Ref{Prim: JSON}
		}
		defer b.leave(n)
		ctx.name, ctx.property = singular(ctx.name), false
		elem := b.ref(n.Get("items"), ctx)
		if !n.Get("items").Exists() {
			b.warnf(n, "untyped", "%s is a list without a type for its items", n.Pointer()).WithHint("declare its items in an overlay")
		}
		b.nullItems(n, n.Get("items"), elem, ctx)
		return Ref{Prim: List, Elem: &elem}
	case typ == "object":
		extra := n.Get("additionalProperties")
		if extra.IsMap() {
			if b.within(n) {
				return Ref{Prim: JSON}
			}
			defer b.leave(n)
			ctx.property = false
			elem := b.ref(extra, ctx)
			b.nullItems(n, extra, elem, ctx)
			return Ref{Prim: Map, Elem: &elem}
		}
		return b.untyped(n, "it is an object without properties").withHint(
			"declare its properties in an overlay, or set x-any: true if it is free-form")
	}
	return b.scalar(n, typ, ctx)
}

// nullItems reports that the items of a list or map may be null, which their Go type
// does not distinguish from the zero value.
func (b *builder) nullItems(n, items spec.Node, elem Ref, ctx context) {
	kept := elem.Prim == JSON || elem.Prim == Named && elem.Type.Kind == Union
	if !kept && !ctx.param && nullable(items) {
		b.warnf(items, "null-item", "an item of %s may be null, which is read as the zero value and cannot be sent", n.Pointer()).
			WithHint("to keep them as raw JSON, replace the schema of the items with {x-any: true} in an overlay")
	}
}

// scalar returns the Go type of a schema without members.
func (b *builder) scalar(n spec.Node, typ string, ctx context) Ref {
	switch {
	case typ == "array":
		return b.untyped(n, "it is a list with members").withHint("declare its items in an overlay")
	case typ == "string":
		return b.text(n, ctx)
	case typ == "integer" && beyondInt(n):
		return Ref{Prim: Number}
	case typ == "integer":
		return Ref{Prim: Int}
	case typ == "number":
		if n.Str("format") == "double" || n.Str("format") == "float" {
			return Ref{Prim: Float}
		}
		return Ref{Prim: Number} // keeps the exact text, since a float could lose digits
	case typ == "boolean":
		return Ref{Prim: Bool}
	}
	return b.untyped(n, "it has no type").withHint("declare its type in an overlay, or set x-any: true if it is free-form")
}

// naming are the keywords whose members are named by their keys.
var naming = map[string]bool{
	"schemas": true, "properties": true, "$defs": true, "definitions": true, "patternProperties": true,
}

// beyondInt reports whether an integer may be outside of what 64 bits with a sign hold.
func beyondInt(n spec.Node) bool {
	if n.Str("format") == "uint64" {
		return true
	}
	for _, keyword := range []string{"minimum", "maximum"} {
		if limit, ok := new(big.Int).SetString(n.Str(keyword), 10); ok && !limit.IsInt64() {
			return true
		}
	}
	return false
}

// typeOf returns a schema's type other than null, and whether it has several.
func typeOf(n spec.Node) (typ string, several bool) {
	typ = n.Str("type")
	for _, t := range n.Get("type").Items() { // 3.1: a list
		if t.Text() != "null" {
			typ, several = t.Text(), typ != ""
		}
	}
	return typ, several
}

// textFormats are the formats that are known but have no Go type of their own.
var textFormats = []string{"binary", "byte", "duration", "email", "hostname", "ipv4", "ipv6", "password", "phone", "time", "uri", "uri-reference", "url", "uuid"}

func (b *builder) text(n spec.Node, ctx context) Ref {
	format := n.Str("format")
	if binary(n) && ctx.multipart {
		return Ref{Prim: File}
	}
	if p, ok := formats[format]; ok {
		return Ref{Prim: p}
	}
	if format != "" && !slices.Contains(textFormats, format) {
		b.warnf(n.Get("format"), "unknown-format", "%s has the unknown format %q", n.Pointer(), format).
			WithHint("correct it in an overlay, or remove it")
	}
	if x := n.Get("x-enum"); x.Exists() {
		b.tolerate(x, "no-value", "%s has x-enum but is not an enumeration", n.Pointer()).
			WithHint("remove x-enum, or declare the values with enum in an overlay: the specification no longer does")
	}
	return Ref{Prim: String}
}

type untyped struct {
	hint func(string)
	Ref
}

func (u untyped) withHint(hint string) Ref {
	if u.hint != nil {
		u.hint(hint)
	}
	return u.Ref
}

// untyped is the last resort: the value is kept as raw JSON.
func (b *builder) untyped(n spec.Node, why string) untyped {
	u := untyped{Ref: Ref{Prim: JSON}}
	if n.Bool("x-any") {
		return u
	}
	a := b.warnf(n, "untyped", "%s has no Go type: %s", n.Pointer(), why)
	u.hint = func(hint string) { a.Hint = hint }
	return u
}

func (b *builder) use(t *Type, ctx context) {
	t.Request = t.Request || ctx.request
	t.Response = t.Response || ctx.response
}

// declare creates the named type of a schema and decides its name.
func (b *builder) declare(n spec.Node, ctx context, kind Kind) *Type {
	given := n.Str("x-type")
	entry := b.name(n, "type "+local(n), given, ctx.defaultName())
	// The description of an inline property documents the field. The type's
	// documentation is x-doc.
	doc := strings.TrimSpace(n.Str("x-doc"))
	if doc == "" && !ctx.property {
		doc = b.documented(n)
	}
	t := &Type{
		Name: entry.Name, Was: entry.Was, Kind: kind,
		Doc: doc, Deprecated: b.deprecation(n),
		Loc: n.Pointer(), Pos: n.Pos(), explicit: given != "" || ctx.explicit, given: given != "",
		order: n.Get("x-order").Strings(), RequireOne: n.Get("x-require-one").Strings(),
	}
	for _, member := range n.Get("x-require-with").Members() {
		t.RequireWith = append(t.RequireWith, [2]string{member.Name(), member.Text()})
	}
	for _, name := range n.Get("x-order").Items() {
		t.orderAt = append(t.orderAt, name.Pos())
	}
	b.use(t, ctx)
	b.byPointer[n.Pointer()] = t
	if b.types = append(b.types, t); len(b.types) == maxTypes+1 {
		b.errorf(n, "too-many-types", "%s exceeds the limit of %d types in a package", n.Pointer(), maxTypes).
			WithHint("remove parts that no caller needs in an overlay")
	}
	return t
}

// within reports whether an anonymous schema is already being converted: a list
// that contains itself has no Go type. It records the schema until leave.
func (b *builder) within(n spec.Node) bool {
	if b.active[n.Pointer()] {
		b.errorf(n, "type-cycle", "%s contains itself without an object in between", n.Pointer()).
			WithHint("declare one of the schemas in between as an object in an overlay")
		return true
	}
	b.active[n.Pointer()] = true
	return false
}

func (b *builder) leave(n spec.Node) { delete(b.active, n.Pointer()) }

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
	for _, wire := range parts[len(parts)-1].required {
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
	for _, part := range parts {
		if extra := part.Get("additionalProperties"); extra.IsMap() && !trivial(extra.Deref()) {
			inner := ctx
			inner.parent, inner.name, inner.explicit, inner.property = t.Name, "Additional", t.explicit, false
			ref := b.ref(extra, inner)
			last := ref
			for last.Elem != nil {
				last = *last.Elem
			}
			if last.Prim != Secret && last.Prim != File { // the JSON field has them
				t.Additional = &ref
			}
		}
	}
	sortFields(t)
	b.inherited(t, n, ctx)
	return Ref{Prim: Named, Type: t}
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

func (b *builder) enum(n spec.Node, ctx context) Ref {
	t := b.declare(n, ctx, Enum)
	typ, _ := typeOf(n)
	if t.Base = b.enumBase(n, typ); t.Base == String {
		t.Base = ""
	}
	like := twinsOf(n.Get("enum").Items(), spec.Node.Text)
	var parts []nameless
	for _, v := range n.Get("enum").Items() {
		if v.IsNull() {
			continue // nullable enumerations list null as a value
		}
		wire := v.Text()
		if t.Base == "" && !v.IsText() {
			b.warnf(v, "enum-type", "the value %s of %s is not a string, and is read as one", wire, n.Pointer()).
				WithHint("quote it in an overlay, or correct the enumeration's type")
		}
		if strings.ContainsAny(wire, "\n\r") {
			b.tolerate(v, "enum-newline", "the value %q of %s contains a line break", wire, n.Pointer()).
				WithHint("correct the value in an overlay, or remove the enum")
			continue
		}
		if strings.ContainsFunc(wire, canon.Hidden) {
			b.tolerate(v, "bad-name", "the value %q of %s contains control or text direction characters", wire, n.Pointer()).
				WithHint("correct the value in an overlay, or remove the enum")
			continue
		}
		decl := n.At("x-enum", wire)
		if decl.Get("is").Exists() {
			continue // an alternate spelling, see below
		}
		given := decl.Str("name")
		if given != "" {
			given = t.Name + given
		}
		doc := decl
		if !decl.Exists() {
			doc = v
		}
		names := alternatives(t.Name, wire, "Value", like)
		if t.Base == JSON && v.IsText() {
			text, _ := json.Marshal(wire) // of a string, it does not fail
			wire = string(text)
		}
		if kind := v.Kind(); kind == "integer" || kind == "number" { // a sign or a point is part of its name
			names = []string{t.Name + spell(v.Text()), t.Name + "Number" + spell(v.Text())}
		}
		loc := "value " + local(n) + " " + wire
		parts = append(parts, nameless{
			n: doc, loc: loc, given: given, what: "the value " + wire + " of " + t.Name,
			names: names, weight: boolWeight(!plain(wire)),
		})
		t.Values = append(t.Values, &Value{Wire: wire, Pos: v.Pos(), Doc: b.documented(doc), given: given != "", locs: []string{loc}})
	}
	names := b.choose(parts, map[string]string{})
	for _, v := range t.Values {
		v.Name, v.Was = names[v.locs[0]].Name, names[v.locs[0]].Was
	}
	for _, decl := range n.Get("x-enum").Members() {
		if is := decl.Get("is"); is.Exists() {
			b.spelling(t, n, decl, is)
			continue
		}
		if !slices.ContainsFunc(t.Values, func(v *Value) bool { return v.Wire == decl.Name() }) {
			b.tolerate(decl, "no-value", "%q is not a value of the enumeration %s", decl.Name(), t.Name).
				WithHint("remove it from x-enum, or add the value to the enumeration")
		}
	}
	return Ref{Prim: Named, Type: t}
}

// enumBase returns the kind of an enumeration's values: String, Int, Number, Bool, or
// JSON if they are of several.
func (b *builder) enumBase(n spec.Node, typ string) Prim {
	bases := map[string]Prim{"string": String, "integer": Int, "number": Number, "boolean": Bool}
	if base, ok := bases[typ]; ok && (base != Int || !slices.ContainsFunc(n.Get("enum").Items(), func(v spec.Node) bool { return v.Kind() == "integer" && !portable(v.Text()) })) {
		return base
	}
	base := Prim("")
	for _, v := range n.Get("enum").Items() {
		of := bases[v.Kind()]
		if of == Int && !portable(v.Text()) {
			of = Number
		}
		switch {
		case v.IsNull() || base == of:
		case base == "" && of != "":
			base = of
		case base == Int && of == Number || base == Number && of == Int:
			base = Number
		default:
			return JSON
		}
	}
	return cmp.Or(base, String)
}

// portable reports whether an integer is an int on all platforms. A constant that is
// not would not compile on those of 32 bits.
func portable(integer string) bool {
	_, err := strconv.ParseInt(integer, 10, 32)
	return err == nil
}

// spelling adds an alternate spelling of a value in responses:
//
//	x-enum:
//	  openbanking: {is: open-banking}
func (b *builder) spelling(t *Type, n, decl, is spec.Node) {
	if !slices.ContainsFunc(n.Get("enum").Items(), func(v spec.Node) bool { return v.Text() == decl.Name() }) {
		b.tolerate(decl, "no-value", "%q is not a value of the enumeration %s", decl.Name(), t.Name).
			WithHint("remove it from x-enum, or add the value to the enumeration")
		return
	}
	i := slices.IndexFunc(t.Values, func(v *Value) bool { return v.Wire == is.Text() })
	if i < 0 {
		b.tolerate(is, "no-value", "%q is declared as an alternate spelling of %q, which is not a value of the enumeration %s", decl.Name(), is.Text(), t.Name).
			WithHint("set is to a value that does not have is itself")
		return
	}
	t.Values[i].Also = append(t.Values[i].Also, decl.Name())
}

// singular returns the singular of a list's name, which names its elements.
func singular(s string) string {
	switch {
	case strings.HasSuffix(s, "ies"):
		return strings.TrimSuffix(s, "ies") + "y"
	case strings.HasSuffix(s, "sses") || strings.HasSuffix(s, "xes"):
		return strings.TrimSuffix(s, "es")
	case strings.HasSuffix(s, "s") && !strings.HasSuffix(s, "ss"):
		return strings.TrimSuffix(s, "s")
	}
	return s
}
