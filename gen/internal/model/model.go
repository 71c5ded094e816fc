// Package model is the generator's intermediate representation: the Go API of a
// domain, with every name decided. It is built from a validated specification.
// Emitters only read the model, never the specification. A part of the
// specification that the model cannot express is an error with its position.
package model

import (
	"cmp"
	"slices"
	"strings"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
)

// Domain is the model of one API specification and of the package that is
// generated from it.
type Domain struct {
	Name                     string // as in sources.yaml: "core"
	Package                  string // Go package name
	Doc                      string // documentation of the package
	Example                  string // Go statements that show the most usual call; may be empty
	SpecFile                 string // "specs/core.yml"
	Resources                []*Resource
	Types                    []*Type // every named type, by name
	Lock                     *Lock   // the names in use, to be written to names.lock
	Warnings                 []*diag.Annotation
	Tolerated                diag.List // errors after which a lenient build continued; see Options.Lenient
	Documented, Documentable int       // numbers of parts with documentation, and of parts that need it
}

// Resource is a group of operations, which becomes a service.
type Resource struct {
	Name    string // "Users"
	Doc     string
	Methods []*Method
	Types   []*Type // the structs that carry its methods' parameters
	Pos     diag.Pos
}

// Service returns the name of the resource's Go type.
func (r *Resource) Service() string { return r.Name + "Service" }

// Safety is an operation's safety class: whether a failed call can be retried.
type Safety string

// Safety classes: read-only, idempotent, other writes, and writes that must not
// be duplicated.
const (
	SafetyRead         Safety = "A"
	SafetyIdempotent   Safety = "B"
	SafetyWrite        Safety = "C"
	SafetyUnrepeatable Safety = "D"
)

// Scope is the kind of credential that an operation is called with.
type Scope string

// Scopes of an operation.
const (
	ScopeServer Scope = "server" // SERVER_ACCESS bearer
	ScopeClient Scope = "client" // CLIENT_ACCESS bearer bound to a user
	ScopeKey    Scope = "key"    // the API key itself
	ScopeNone   Scope = "none"   // no credential

	ScopeDeclared Scope = "declared" // the security schemes that the description declares
)

// Method is a Go method that calls an operation. An operation with several
// response media types has a method for each.
type Method struct {
	Resource   *Resource
	Name       string // "Create"
	Was        []string
	Doc        string
	Deprecated string

	OperationID string // upstream's
	HTTP        string // "POST"
	Path        string // "/users/{userId}"
	Server      string // that the call must name, if it is not the client's
	PathParams  []*Field
	Headers     []Constant // headers that the SDK sets itself
	Query       []Constant // the query that is written in the path
	Params      *Type      // query and header parameters, and the body; nil if there are none
	Options     *Type      // query and header parameters that are passed as an option; see Lock.asOption
	Body        Body
	BodyMedia   string // Content-Type, if not that of the encoding
	BodyType    *Type  // type of the body, if it is a struct and Params is not the body itself
	Form        string // media type of the body, if another method is the operation's own

	Accept    string   // requested media type
	Stream    bool     // the response body is copied to an io.Writer
	Result    *Ref     // nil if there is no body to return
	Statuses  []Status // fields of the Result, if its type depends on the status
	NoContent bool     // a successful response may have no body although there is a Result
	Empty     []int    // the statuses of such responses
	Redirects bool     // all declared responses but errors are redirects
	Page      *Page

	Safety  Safety
	Scope   Scope
	Success []int // documented success statuses
	Errors  []int // documented error statuses

	Security [][]Scheme // alternatives, of ScopeDeclared; an empty one means that no credential is needed

	Loc string
	Pos diag.Pos

	explicit bool // the name was given, not derived
}

// ID returns the method's name in errors, logs and tables: "core.Users.Create".
func (m *Method) ID(d *Domain) string { return d.Package + "." + m.Resource.Name + "." + m.Name }

// Var returns the name of the variable that describes the operation.
func (m *Method) Var() string { return "op" + m.Resource.Name + m.Name }

// Constant is a request header with a fixed value.
type Constant struct{ Name, Value string }

// Body is the encoding of a request body.
type Body string

// Encodings of a request body.
const (
	BodyNone      Body = ""
	BodyJSON      Body = "json"
	BodyForm      Body = "form"
	BodyMultipart Body = "multipart"
	BodyText      Body = "text"
	BodyContent   Body = "content" // sent unchanged
)

func (b Body) description() string {
	return map[Body]string{BodyNone: "no body", BodyJSON: "JSON", BodyForm: "a form", BodyMultipart: "a multipart form",
		BodyText: "text", BodyContent: "unchanged content"}[b]
}

// Status is a success status and the field of the result that holds its content.
type Status struct {
	Code  int // 0 for any other
	Field *Field
}

// Page describes how a list is paginated.
type Page struct {
	Items []string // Go selector path of the items within the result: ["Data"]
	Next  []string // Go selector path of the link to the next page: ["Links", "Next"]
	// NextNil lists the prefixes of Next that are pointers and need a nil check.
	NextNil []string
	Item    *Type
}

// Kind is the kind of a named type.
type Kind string

// Kinds of named types.
const (
	Struct Kind = "struct"
	Enum   Kind = "enum"
	Union  Kind = "union"
)

// Type is a named Go type.
type Type struct {
	Name       string
	Was        []string // old names, kept as deprecated aliases
	Doc        string
	Deprecated string
	Kind       Kind
	Fields     []*Field
	Values     []*Value
	Base       Prim // of an enumeration: Int, Number or JSON; "" means String
	Additional *Ref // of a struct: the type of members beside its fields; nil if any value is kept as it is
	Variants   []*Variant

	// Request and Response report where the type is used.
	Request, Response bool
	// Params marks a struct that only holds a method's parameters. It has no JSON
	// representation.
	Params bool
	// Option marks such a struct that is passed as an option of the call.
	Option bool
	// Plain marks a struct that holds the result of a method. It has no JSON
	// representation.
	Plain bool
	// Form marks a struct that is only sent as a form. It has no JSON
	// representation either.
	Form bool

	// Choices lists alternatives of members, of which a request must have one.
	Choices []Choice

	// RequireOne lists the wire names of members of which at least one must be set.
	RequireOne []string
	// RequireWith lists pairs of wire names: if the first member is set, the second must
	// be set, too.
	RequireWith [][2]string

	Loc string // the spec location that gave the name
	Pos diag.Pos

	secret, readOnly holds

	explicit bool     // the name, or that of a type around it, was set by an overlay
	given    bool     // the name was set by an overlay
	merged   []string // locations in the names lock of the types that were merged into this one
	order    []string
	orderAt  []diag.Pos // of each name in order
}

// Choice is a list of alternatives, by the wire names of the members that each needs.
type Choice struct {
	Sets [][]string
	One  bool // a request must not have several
}

// HasJSON reports whether the type has a JSON codec.
func (t *Type) HasJSON() bool { return !t.Params && !t.Plain && !t.Form }

// HasAlternateSpellings reports whether any value has alternate spellings in responses.
func (t *Type) HasAlternateSpellings() bool {
	return slices.ContainsFunc(t.Values, func(v *Value) bool { return len(v.Also) > 0 })
}

// Field is a member of a struct, or a parameter.
type Field struct {
	Name       string // "ID"
	Wire       string // "id"
	Aliases    []string
	Doc        string
	Deprecated string
	Ref        Ref
	Required   bool
	In         string // path, query, header, body, or "" for a JSON member
	Repeat     bool   // a list in the query repeats the parameter; otherwise it is one parameter
	Style      Style  // of a parameter, or of a field in a form
	Explode    bool   // items of a list, or members of an object, are written separately
	AsJSON     bool   // a parameter that is JSON
	Slashes    bool   // a path parameter may contain slashes
	PartType   string // media type of a field in a multipart form
	Filter     *Filter
	Loc        string
	Pos        diag.Pos

	Most       int // the maximum of a number in a request; 0 means no limit
	MostLength int // the maximum number of characters of a text in a request; 0 means no limit

	ReadOnly  bool // only responses have it
	WriteOnly bool // only requests have it
	Nullable  bool // null is one of its values
	NotEmpty  bool // a list or map with at least one element
	Default   bool // it has a default other than its zero value
	Binary    bool // a string with the format binary

	pinned bool     // x-pointer has set whether it is a pointer
	given  bool     // the name was set by an overlay
	merged []string // locations in the names lock of the fields that were merged into this one
}

// Sent reports whether requests may have the field.
func (f *Field) Sent() bool { return !f.ReadOnly }

// pointer makes the field a pointer, unless x-pointer has decided that.
func (f *Field) pointer() {
	if !f.pinned {
		f.Ref.Pointer = true
	}
}

// Style says how a parameter is written, as in OpenAPI. The zero value is the default:
// simple in the path and in headers, a form elsewhere.
type Style string

// Styles of parameters.
const (
	StyleForm   Style = "form"
	StyleLabel  Style = "label"
	StyleMatrix Style = "matrix"
	StyleSpace  Style = "spaceDelimited"
	StylePipe   Style = "pipeDelimited"
	StyleDeep   Style = "deepObject"
)

// loosen makes the field optional, because not all schemas of its type have it.
func (f *Field) loosen() {
	f.Required = false
	if !f.pinned {
		f.Ref.Pointer = f.Ref.Pointer || f.Ref.Prim == Bool || f.Ref.Prim == Named && f.Ref.Type.Kind == Struct
	}
}

// Arg returns the field's name as a function argument: "userID".
func (f *Field) Arg() string { return argName(f.Name) }

// Value is a known value of an enumeration.
type Value struct {
	Name string
	Was  []string
	Wire string
	Also []string // alternate spellings in responses
	Doc  string
	Pos  diag.Pos

	given bool     // the name was set by an overlay
	locs  []string // in the names lock; several if types were merged
}

// Variant is one shape of a union.
type Variant struct {
	Name string // accessor name
	Ref  Ref
	Doc  string
	When When
	Pos  diag.Pos
}

// When is the condition by which a variant is recognised. All fields that are
// set must match.
type When struct {
	Kind     string   // JSON kind: object, array, string, number, bool, null
	Property string   // a member that must be present
	Sibling  string   // a member beside the value that names its shape; Property decides only if that is unknown
	Equals   []string // the values that the sibling may have, or the member if there is no sibling
}

// Filter is a typed builder for a filter parameter.
type Filter struct {
	Type   string
	Doc    string
	Fields []*FilterField
	Pos    diag.Pos
}

// FilterField is a field that a filter has conditions on.
type FilterField struct {
	Name string   // Go name: "PostDate"
	Path string   // "transaction.postDate"
	Ops  []string // eq, ne, in, bt, gt, gteq, lt, lteq
	Ref  Ref
	Doc  string
	Pos  diag.Pos
}

// Prim is the kind of a value's type.
type Prim string

// Kinds of a value's type.
const (
	Named    Prim = "named"
	String   Prim = "string"
	Bool     Prim = "bool"
	Int      Prim = "int"
	Float    Prim = "float"
	Decimal  Prim = "decimal"
	Number   Prim = "number" // a decimal that is a JSON number on the wire
	Date     Prim = "date"
	DateTime Prim = "datetime"
	Month    Prim = "month"
	Secret   Prim = "secret"
	JSON     Prim = "json"
	File     Prim = "file"
	List     Prim = "list"
	Map      Prim = "map"
	Filters  Prim = "filter"
)

// Ref is the type of a field, parameter or result.
type Ref struct {
	Prim    Prim
	Type    *Type // for Named
	Elem    *Ref  // for List and Map
	Pointer bool
	Name    string // for Filters: the builder's type
}

// Go returns the type in Go syntax.
func (r Ref) Go() string {
	var b strings.Builder
	if r.Pointer {
		b.WriteByte('*')
	}
	switch r.Prim {
	case Named:
		b.WriteString(r.Type.Name)
	case List:
		b.WriteString("[]" + r.Elem.Go())
	case Map:
		b.WriteString("map[string]" + r.Elem.Go())
	case Filters:
		b.WriteString(r.Name)
	default:
		b.WriteString(goPrims[r.Prim])
	}
	return b.String()
}

var goPrims = map[Prim]string{
	String: "string", Bool: "bool", Int: "int", Float: "float64",
	Decimal: "value.Decimal", Number: "value.Decimal", Date: "value.Date", DateTime: "value.DateTime", Month: "value.Month", Secret: "value.Secret",
	JSON: "value.JSON", File: "transport.File",
}

// IsText reports whether the type's underlying type is string.
func (r Ref) IsText() bool {
	switch r.Prim {
	case String, Decimal, Number, Date, DateTime, Month, Secret:
		return true
	case Named:
		return r.Type.Kind == Enum && (r.Type.Base == "" || r.Type.Base == Number)
	}
	return false
}

// Base returns the kind of the type, and of an enumeration that of its values.
func (r Ref) Base() Prim {
	if r.Prim == Named && r.Type.Kind == Enum {
		return cmp.Or(r.Type.Base, String)
	}
	return r.Prim
}

// IsJSONText reports whether the type's underlying type is string, and its JSON form a
// string, too.
func (r Ref) IsJSONText() bool { return r.IsText() && r.Base() != Number }

// IsScalar reports whether a value is a string, a number or a boolean.
func (r Ref) IsScalar() bool {
	return r.IsText() || slices.Contains([]Prim{Bool, Int, Float}, r.Base())
}

func (r Ref) equal(o Ref) bool {
	if r.Prim != o.Prim || r.Name != o.Name {
		return false
	}
	if r.Prim == Named && r.Type.Name != o.Type.Name {
		return false
	}
	return r.Elem == nil || o.Elem == nil || r.Elem.equal(*o.Elem)
}
