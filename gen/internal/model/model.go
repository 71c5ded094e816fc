// Package model is the generator's intermediate representation: what the Go
// API of a domain will be, with every name decided, before a line of it is
// written. It is built from a validated document; emitters read it and never
// look at the document. What cannot be expressed is an error that says where
// and why.
package model

import (
	"slices"
	"strings"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
)

// Domain is one API description and the package made from it.
type Domain struct {
	Name                     string // as in sources.yaml: "core"
	Package                  string // Go package name
	Doc                      string // what the package is for
	SpecFile                 string // "specs/core.yml"
	Resources                []*Resource
	Types                    []*Type // every named type, by name
	Lock                     *Lock   // the names in use, to be written back
	Findings                 []*diag.Annotation
	Tolerated                diag.List // faults that a lenient build went on past; see Options.Lenient
	Documented, Documentable int       // parts that have, and that should have, a sentence
}

// Resource is a group of operations: a service in the generated package.
type Resource struct {
	Name    string // "Users"
	Doc     string
	Methods []*Method
	Types   []*Type // types that only this resource uses, in reading order
	Pos     diag.Pos
}

// Service is the name of the resource's Go type.
func (r *Resource) Service() string { return r.Name + "Service" }

// Safety is an operation's repeat-safety class.
type Safety string

// Repeat-safety classes: reading, idempotent, writing, never to be repeated.
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
)

// Method is one way to call an operation. An operation that answers in
// several media types has a method for each.
type Method struct {
	Resource   *Resource
	Name       string // "Create"
	Was        []string
	Doc        string
	Deprecated string

	OperationID string // upstream's
	HTTP        string // "POST"
	Path        string // "/users/{userId}"
	PathParams  []*Field
	Headers     []Constant // headers that the SDK sets by itself
	Params      *Type      // everything else that a caller gives; nil when there is nothing
	Body        Body
	BodyType    *Type // type of the body when Params is not itself the body

	Accept    string // media type asked for
	Stream    bool   // the answer is copied to an io.Writer
	Result    *Ref   // nil when there is no body to return
	NoContent bool   // a success may come without a body although there is a Result
	Page      *Page

	Safety  Safety
	Scope   Scope
	Success []int // documented success statuses
	Errors  []int // documented error statuses

	Loc string
	Pos diag.Pos

	explicit bool // the name was given, not derived
}

// ID is the method's name in errors, logs and tables: "core.Users.Create".
func (m *Method) ID(d *Domain) string { return d.Package + "." + m.Resource.Name + "." + m.Name }

// Var is the name of the variable that describes the operation.
func (m *Method) Var() string { return "op" + m.Resource.Name + m.Name }

// Constant is a request header with a fixed value.
type Constant struct{ Name, Value string }

// Body is how a request's body is sent.
type Body string

// Bodies of a request.
const (
	BodyNone      Body = ""
	BodyJSON      Body = "json"
	BodyForm      Body = "form"
	BodyMultipart Body = "multipart"
)

func (b Body) words() string {
	return map[Body]string{BodyNone: "no body", BodyJSON: "JSON", BodyForm: "a form", BodyMultipart: "a multipart form"}[b]
}

// Page tells how a list goes on.
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
	Variants   []*Variant

	// Request and Response tell where the type is used.
	Request, Response bool
	// Params marks a struct that exists only to carry a method's parameters:
	// it has no JSON form of its own.
	Params bool
	// Form marks a struct that is only ever sent as a form, so that it has no
	// JSON form either.
	Form bool

	// RequireOne lists the wire names of members of which one must be given.
	RequireOne []string

	Owner *Resource // the only resource that uses it, if there is only one
	Loc   string    // the spec location that gave the name
	Pos   diag.Pos

	explicit bool // the name was given, not derived
	order    []string
	orderAt  []diag.Pos // of each name in order
}

// HasJSON tells whether values of the type are read or written as JSON.
func (t *Type) HasJSON() bool { return !t.Params && !t.Form }

// Respelt tells whether answers spell some value in more than one way.
func (t *Type) Respelt() bool {
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
	Repeat     bool   // a list in the query: the parameter is repeated, else comma-separated
	Filter     *Filter
	Loc        string
	Pos        diag.Pos

	Most int // of a number in a request: the largest that is allowed; 0 for no limit
	// MostLength is of a text in a request: the most characters that it may have; 0 for no limit
	MostLength int

	pinned bool // x-pointer decided whether it is a pointer
}

// loosen makes the field optional, as it is where one of its descriptions lacks it.
func (f *Field) loosen() {
	f.Required = false
	if !f.pinned {
		f.Ref.Pointer = f.Ref.Pointer || f.Ref.Prim == Bool || f.Ref.Prim == Named && f.Ref.Type.Kind == Struct
	}
}

// Arg is the field's name as a function argument: "userID".
func (f *Field) Arg() string { return argName(f.Name) }

// Value is a known value of an enumeration.
type Value struct {
	Name string
	Was  []string
	Wire string
	Also []string // other spellings of it in answers
	Doc  string
	Pos  diag.Pos
}

// Variant is one shape that a polymorphic value may have.
type Variant struct {
	Name string // accessor name
	Ref  Ref
	Doc  string
	When When
	Pos  diag.Pos
}

// When tells how a variant is recognised. All given conditions must hold.
type When struct {
	Kind     string   // JSON kind: object, array, string, number, bool, null
	Property string   // a member that must be there
	Sibling  string   // a member beside the value that names its shape; Property decides only where that is unknown
	Equals   []string // values of which the sibling or, without one, the member must have one
}

// Filter is a typed builder for a filter parameter.
type Filter struct {
	Type   string
	Doc    string
	Fields []*FilterField
	Pos    diag.Pos
}

// FilterField is a property that a filter can ask for.
type FilterField struct {
	Name string   // Go name: "PostDate"
	Path string   // "transaction.postDate"
	Ops  []string // eq, ne, in, bt, gt, gteq, lt, lteq
	Ref  Ref
	Doc  string
	Pos  diag.Pos
}

// Prim is a predeclared shape of a value.
type Prim string

// Shapes of a value.
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

// Go spells the type.
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

// IsText tells whether the type is a string kind.
func (r Ref) IsText() bool {
	switch r.Prim {
	case String, Decimal, Number, Date, DateTime, Month, Secret:
		return true
	case Named:
		return r.Type.Kind == Enum
	}
	return false
}

// scalar tells whether a value is one text, number or truth.
func (r Ref) scalar() bool {
	return r.IsText() || slices.Contains([]Prim{Bool, Int, Float}, r.Prim)
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
