package model

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/basiq-sdk/basiq-go/gen/internal/canon"
	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/spec"
)

// context says where a schema is used, which gives a nameless one its name.
type context struct {
	parent, name      string
	request, response bool
	param             bool // a path, query or header parameter
	multipart         bool // the fields of a multipart form
	explicit          bool // the parent's name was given by hand
	property          bool // the schema stands inline as a property
}

// local is the part of a pointer that the names lock uses.
func local(n spec.Node) string { return strings.TrimPrefix(n.Pointer(), "#") }

func (c context) defaultName() string { return c.parent + c.name }

var formats = map[string]Prim{
	"date": Date, "date-time": DateTime, "month": Month, "decimal": Decimal, "password": Secret,
}

// ref decides the Go type of a schema.
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
		parts := strings.Split(r, "/")
		ctx.parent, ctx.name, ctx.explicit = "", GoName(parts[len(parts)-1]), false
		ctx.property = parts[len(parts)-2] == "properties" // a reference to a property leads to its schema
	}
	n = target
	typ, several := typeOf(n)
	switch {
	case n.Get("x-variants").Exists():
		return b.union(n, ctx)
	case several:
		return b.untyped(n, "it has several types").withHint(
			"tell the shapes apart with x-variants, or give it one type, in an overlay")
	case n.Get("enum").Exists() && (typ == "string" || typ == ""):
		return b.enum(n, ctx)
	case wrapped(n).Exists():
		return b.ref(wrapped(n), ctx)
	case n.Get("allOf").Exists() || n.Get("properties").Exists():
		return b.object(n, ctx)
	case n.Get("oneOf").Exists() || n.Get("anyOf").Exists():
		return b.untyped(n, "it may have several shapes").withHint(
			"tell the shapes apart with x-variants, or give it one type, in an overlay")
	case typ == "array" || n.Get("items").Exists():
		if b.within(n) {
			return Ref{Prim: JSON}
		}
		defer b.leave(n)
		ctx.name, ctx.property = singular(ctx.name), false
		elem := b.ref(n.Get("items"), ctx)
		if !n.Get("items").Exists() {
			b.finding(n, "untyped", "%s is a list of anything", n.Pointer()).WithHint("give it items in an overlay")
		}
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
			return Ref{Prim: Map, Elem: &elem}
		}
		return b.untyped(n, "it is an object without properties").withHint(
			"give it properties in an overlay, or x-any: true if it really is free-form")
	case typ == "string":
		return b.text(n, ctx)
	case typ == "integer":
		return Ref{Prim: Int}
	case typ == "number":
		if n.Str("format") == "double" || n.Str("format") == "float" {
			return Ref{Prim: Float}
		}
		return Ref{Prim: Number} // the exact text: nothing says that a float would do
	case typ == "boolean":
		return Ref{Prim: Bool}
	}
	return b.untyped(n, "it has no type").withHint("give it a type in an overlay, or x-any: true if it really is free-form")
}

// typeOf is the one type that a schema has beside null, and whether there are
// more.
func typeOf(n spec.Node) (typ string, several bool) {
	typ = n.Str("type")
	for _, t := range n.Get("type").Items() { // 3.1: a list
		if t.Text() != "null" {
			typ, several = t.Text(), typ != ""
		}
	}
	return typ, several
}

// wrapped is the schema that another adds nothing to but, say, that it may be
// null: the one part of allOf. An object keeps the name that it has here.
func wrapped(n spec.Node) spec.Node {
	all := n.Get("allOf").Items()
	if len(all) != 1 || n.Get("properties").Exists() || n.Get("required").Exists() || n.Get("x-type").Exists() {
		return spec.Node{}
	}
	if part := all[0].Deref(); part.Get("properties").Exists() || part.Get("allOf").Exists() {
		return spec.Node{}
	}
	return all[0]
}

// textFormats are formats that make no type of their own, and are no slip of the pen.
var textFormats = []string{"binary", "byte", "duration", "email", "hostname", "ipv4", "ipv6", "password", "phone", "time", "uri", "uri-reference", "url", "uuid"}

func (b *builder) text(n spec.Node, ctx context) Ref {
	format := n.Str("format")
	if format == "binary" && ctx.multipart {
		return Ref{Prim: File}
	}
	if p, ok := formats[format]; ok {
		return Ref{Prim: p}
	}
	if format != "" && !slices.Contains(textFormats, format) {
		b.finding(n.Get("format"), "unknown-format", "%s has the format %q, which says nothing to the generator", n.Pointer(), format).
			WithHint("correct it in an overlay, or remove it")
	}
	if x := n.Get("x-enum"); x.Exists() {
		b.tolerate(x, "no-value", "%s has no enumeration whose values x-enum could name", n.Pointer()).
			WithHint("upstream removed it, or made prose of it: remove x-enum, or declare the values in an overlay")
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

// untyped is the last resort: the value is kept as it came.
func (b *builder) untyped(n spec.Node, why string) untyped {
	u := untyped{Ref: Ref{Prim: JSON}}
	if n.Bool("x-any") {
		return u
	}
	a := b.finding(n, "untyped", "%s has no Go type: %s", n.Pointer(), why)
	u.hint = func(hint string) { a.Hint = hint }
	return u
}

func (b *builder) use(t *Type, ctx context) {
	t.Request = t.Request || ctx.request
	t.Response = t.Response || ctx.response
}

// declare makes the named type of a schema and settles its name.
func (b *builder) declare(n spec.Node, ctx context, kind Kind) *Type {
	given := n.Str("x-type")
	entry := b.name(n, "type "+local(n), given, ctx.defaultName())
	// Where the schema stands inline as a property, its description is the
	// field's; the type's own is beside it.
	doc := strings.TrimSpace(n.Str("x-doc"))
	if doc == "" && !ctx.property {
		doc = b.documented(n)
	}
	t := &Type{
		Name: entry.Name, Was: entry.Was, Kind: kind,
		Doc: doc, Deprecated: b.deprecation(n),
		Loc: n.Pointer(), Pos: n.Pos(), explicit: given != "" || ctx.explicit,
		order: n.Get("x-order").Strings(), RequireOne: n.Get("x-require-one").Strings(),
	}
	for _, name := range n.Get("x-order").Items() {
		t.orderAt = append(t.orderAt, name.Pos())
	}
	b.use(t, ctx)
	b.byPointer[n.Pointer()] = t
	if b.types = append(b.types, t); len(b.types) == maxTypes+1 {
		b.fault(n, "too-many-types", "%s is one type more than the limit of %d", n.Pointer(), maxTypes).
			WithHint("leave out in an overlay what no caller needs")
	}
	return t
}

// within tells whether a nameless type is being made of this very schema: a
// list of itself has no end. It remembers the schema until leave.
func (b *builder) within(n spec.Node) bool {
	if b.active[n.Pointer()] {
		b.fault(n, "type-cycle", "%s contains itself, and nothing between has a name", n.Pointer()).
			WithHint("make one of the schemas on the way an object, in an overlay")
		return true
	}
	b.active[n.Pointer()] = true
	return false
}

func (b *builder) leave(n spec.Node) { delete(b.active, n.Pointer()) }

func (b *builder) object(n spec.Node, ctx context) Ref {
	t := b.declare(n, ctx, Struct)
	parts := b.parts(n)
	seen := map[string]bool{}
	for _, part := range parts {
		if count := len(part.Get("properties").Members()); count > maxMembers {
			b.fault(part.Get("properties"), "too-many-members", "%s has %d members; the limit is %d", part.Pointer(), count, maxMembers).
				WithHint("leave out in an overlay what no caller needs")
			break
		}
		b.onlyMembers(n, part)
		required := map[string]bool{}
		for _, r := range part.required {
			required[r] = true
		}
		for _, p := range part.Get("properties").Members() {
			if !seen[p.Name()] {
				seen[p.Name()] = true
				t.Fields = append(t.Fields, b.field(t, p, required[p.Name()], ctx))
			}
		}
	}
	for _, wire := range parts[len(parts)-1].required {
		if !seen[wire] {
			at := n.Get("required")
			for _, item := range at.Items() {
				if item.Text() == wire {
					at = item
				}
			}
			b.tolerate(at, "required-undeclared", "%s requires %q, which is no property of it", n.Pointer(), wire).
				WithHint("declare the property, or remove it from required, in an overlay")
			seen[wire] = true
		}
	}
	sortFields(t)
	return Ref{Prim: Named, Type: t}
}

// onlyMembers refuses what a struct would leave out of a part: a type that is
// no object's, and shapes that it may have.
func (b *builder) onlyMembers(n spec.Node, p part) {
	typ, _ := typeOf(p.Node)
	why := ""
	switch {
	case typ != "" && typ != "object":
		why = "of type " + typ
	case p.Get("oneOf").Exists():
		why = "of several shapes (oneOf)"
	case p.Get("anyOf").Exists():
		why = "of several shapes (anyOf)"
	case p.Get("enum").Exists():
		why = "one of a list (enum)"
	default:
		return
	}
	whole := "has members"
	if p.Pointer() != n.Pointer() {
		whole = "is a part of " + n.Pointer() + ", which has members"
	}
	b.tolerate(p.Node, "cannot-express", "%s is %s, and %s", p.Pointer(), why, whole).
		WithHint("describe it as an object, or remove its members, in an overlay")
}

// part is a schema that another is composed of, and the names that it and
// what it is composed of require.
type part struct {
	spec.Node
	required []string
}

// maxMembers bounds what one schema declares: compilers take a long time for a
// struct of many thousand fields.
const maxMembers = 2000

// maxTypes bounds what one package declares: more would be of no use to anyone.
const maxTypes = 5000

func (b *builder) field(t *Type, p spec.Node, required bool, ctx context) *Field {
	wire := p.Name()
	target := p.Deref()
	entry := b.name(p, "field "+local(p), p.Str("x-name"), cmp.Or(GoName(wire), wire))
	b.noAlias(entry, "field "+local(p), "a struct field")
	f := &Field{
		Name: entry.Name, Wire: wire, Aliases: p.Get("x-aliases").Strings(),
		Loc: p.Pointer(), Pos: p.Pos(),
		Doc:        b.documented(p),
		Deprecated: b.deprecation(p),
		Required:   required,
	}
	if strings.ContainsFunc(wire, func(r rune) bool { return strings.ContainsRune("\"\\`", r) || unicode.IsControl(r) }) {
		b.fault(p, "bad-name", "the member %q has a quote, backslash or control character in its name", wire).
			WithHint("remove or rename it in an overlay")
	}
	f.Most, f.MostLength = wholeNumber(target, "maximum"), wholeNumber(target, "maxLength")
	nullable := target.Bool("nullable") || p.Bool("nullable") || slices.Contains(target.Get("type").Strings(), "null")
	inner := context{
		parent: t.Name, name: entry.Name, explicit: t.explicit,
		request: ctx.request, response: ctx.response, multipart: ctx.multipart, property: true,
	}
	f.Ref = b.ref(p, inner)
	switch f.Ref.Prim {
	case Named:
		f.Ref.Pointer = f.Ref.Type.Kind == Struct && !required
	case Bool:
		f.Ref.Pointer = !required || nullable
	case Int, Float:
		f.Ref.Pointer = nullable
	}
	if x := p.Get("x-pointer"); x.Exists() {
		f.Ref.Pointer, f.pinned = x.Text() == "true", true
		if f.Ref.Pointer && (f.Ref.Prim == List || f.Ref.Prim == Map || f.Ref.Prim == JSON || f.Ref.Prim == File) {
			b.fault(x, "cannot-express", "%s is %s, which is never a pointer", p.Pointer(), f.Ref.Go())
		}
	}
	return f
}

// wholeNumber reads how large a number, or how long a text, may be. A limit that is
// not a whole number above zero limits nothing that is sent.
func wholeNumber(n spec.Node, keyword string) int {
	most, _ := strconv.Atoi(n.Str(keyword))
	return max(most, 0)
}

// noAlias refuses an old name where Go has no alias.
func (b *builder) noAlias(entry LockEntry, loc, what string) {
	if len(entry.Was) > 0 {
		b.faults = append(b.faults, diag.Errorf(b.lock.entries[loc].Pos, "names-lock-entry",
			"%s cannot keep an old name beside its new one", what).
			WithHint("leave  was  out: callers of the old name have to change"))
	}
}

// sortFields orders members as x-order says; the rest follow by name, with
// identity first and links last, so that a new member moves nothing.
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
	for _, v := range n.Get("enum").Items() {
		if v.IsNull() {
			continue // nullable enumerations list null as a value
		}
		wire := v.Text()
		if !v.IsText() {
			b.tolerate(v, "enum-type", "the value %s of %s is no text", wire, n.Pointer()).
				WithHint("quote it, or give the enumeration its type, in an overlay")
			continue
		}
		if strings.ContainsAny(wire, "\n\r") {
			b.tolerate(v, "enum-newline", "the value %q of %s holds a line break", wire, n.Pointer()).
				WithHint("remove the enum or mend the value in an overlay")
			continue
		}
		if strings.ContainsFunc(wire, canon.Hidden) {
			b.tolerate(v, "bad-name", "the value %q of %s holds control or direction characters", wire, n.Pointer()).
				WithHint("mend the value in an overlay, or remove the enum")
			continue
		}
		decl := n.At("x-enum", wire)
		if decl.Get("is").Exists() {
			continue // another spelling, see below
		}
		def := t.Name + GoName(wire)
		if wire == "" {
			def = t.Name + "Empty"
		} else if GoName(wire) == "" {
			b.tolerate(v, "bad-name", "no Go name can be made of the value %q of %s", wire, n.Pointer()).
				WithHint("name it:  x-enum: {%s: {name: …}}", strconv.Quote(wire))
			continue
		}
		given := decl.Str("name")
		if given != "" {
			given = t.Name + given
		}
		doc := decl
		if !decl.Exists() {
			doc = v
		}
		entry := b.name(doc, "value "+local(n)+" "+wire, given, def)
		t.Values = append(t.Values, &Value{
			Name: entry.Name, Was: entry.Was, Wire: wire, Pos: v.Pos(),
			Doc: b.documented(doc),
		})
	}
	for _, decl := range n.Get("x-enum").Members() {
		if is := decl.Get("is"); is.Exists() {
			b.spelling(t, n, decl, is)
			continue
		}
		if !slices.ContainsFunc(t.Values, func(v *Value) bool { return v.Wire == decl.Name() }) {
			b.tolerate(decl, "no-value", "%q is no value of the enumeration %s", decl.Name(), t.Name).
				WithHint("remove it from x-enum, or add the value to the enumeration")
		}
	}
	return Ref{Prim: Named, Type: t}
}

// spelling adds another way in which answers spell a value:
//
//	x-enum:
//	  openbanking: {is: open-banking}
func (b *builder) spelling(t *Type, n, decl, is spec.Node) {
	if !slices.ContainsFunc(n.Get("enum").Items(), func(v spec.Node) bool { return v.Text() == decl.Name() }) {
		b.tolerate(decl, "no-value", "%q is no value of the enumeration %s", decl.Name(), t.Name).
			WithHint("remove it from x-enum, or add the value to the enumeration")
		return
	}
	i := slices.IndexFunc(t.Values, func(v *Value) bool { return v.Wire == is.Text() })
	if i < 0 {
		b.tolerate(is, "no-value", "%q is said to be another spelling of %q, which is no value of the enumeration %s", decl.Name(), is.Text(), t.Name).
			WithHint("name a value that has no  is:  itself")
		return
	}
	t.Values[i].Also = append(t.Values[i].Also, decl.Name())
}

// singular names an element after its list.
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
