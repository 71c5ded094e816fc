package emit

import (
	"cmp"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"strconv"
	"strings"
	"sync"
	"text/template"

	. "github.com/dave/jennifer/jen"
	"github.com/getkin/kin-openapi/openapi3"
	"github.com/oapi-codegen/oapi-codegen/v2/pkg/codegen"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/model"
)

// declaration is a named type as oapi-codegen declares it.
type declaration struct {
	underlying *Statement   // of a type that is not a struct
	fields     []*Statement // the types of a struct's fields, in order
}

// declarations is a template of type declarations, in place of oapi-codegen's. It only
// writes names and types; comments and tags are added with jennifer.
var declarations = template.Must(template.New("").Funcs(codegen.TemplateFunctions).New("typedef.tmpl").Parse(
	`{{range .Types}}type {{.TypeName}} {{if .Schema.Properties}}struct {
{{range .Schema.Properties}}	{{.GoFieldName}} {{.GoTypeDef}}
{{end}}}{{else}}{{.Schema.TypeDecl}}{{end}}
{{end}}`))

// oapiMu serialises calls of oapi-codegen, which keeps its options and the document in
// package variables.
var oapiMu sync.Mutex

// configure sets oapi-codegen's options, of which none depends on the domain. The
// library only sets them where it generates everything, from all of its templates for
// clients and servers. To parse these for each domain would take several times as long
// as the declarations.
var configure = sync.OnceValue(func() error {
	nothing := &openapi3.T{OpenAPI: openAPI, Info: &openapi3.Info{}, Paths: openapi3.NewPaths()}
	_, err := codegen.Generate(nothing, configuration)
	return err
})

// typeSource returns the declarations of a document's schemas as Go source.
func typeSource(doc *openapi3.T) (string, error) {
	oapiMu.Lock()
	defer oapiMu.Unlock()
	if err := cmp.Or(configure(), codegen.ValidateSpec(doc)); err != nil {
		return "", err
	}
	codegen.SetGlobalStateSpec(doc)
	types, err := codegen.GenerateTypesForSchemas(declarations, doc.Components.Schemas, nil)
	if err != nil {
		return "", err
	}
	src, err := codegen.GenerateTypes(declarations, types)
	return "package types\n" + src, err
}

// declare has oapi-codegen declare every named type of a domain.
func (e *emitter) declare(d *model.Domain) error {
	src, err := typeSource(schemas(d))
	if err != nil {
		return diag.Errorf(diag.Pos{File: d.SpecFile}, "types", "oapi-codegen cannot declare the types of package %s: %v", d.Package, err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), "", src, parser.SkipObjectResolution)
	if err != nil {
		return diag.Errorf(diag.Pos{File: d.SpecFile}, "types", "oapi-codegen returned source that does not parse: %v", err).
			WithHint(reportBug)
	}
	exprs := map[string]ast.Expr{}
	for _, decl := range file.Decls {
		if gen, ok := decl.(*ast.GenDecl); ok && gen.Tok == token.TYPE {
			spec := gen.Specs[0].(*ast.TypeSpec)
			exprs[spec.Name.Name] = spec.Type
		}
	}
	e.declared = map[string]declaration{}
	for _, t := range d.Types {
		decl, err := e.declaration(t, exprs[t.Name])
		if err != nil {
			return diag.Errorf(t.Pos, "types", "oapi-codegen declared %s differently from the model: %v", t.Name, err).
				WithHint(reportBug)
		}
		e.declared[t.Name] = decl
	}
	return nil
}

// configuration maps the schemas that refSchema writes to Go types.
var configuration = codegen.Configuration{
	PackageName: "types",
	Generate:    codegen.GenerateOptions{Models: true},
	OutputOptions: codegen.OutputOptions{
		SkipFmt:            true,
		SkipPrune:          true,
		SkipEnumValidate:   true,
		ResponseTypeSuffix: "Response", // otherwise the library uses the value of the previous call
		TypeMapping: &codegen.TypeMapping{
			Number: codegen.FormatMapping{Default: typeSpec("value.Decimal"), Formats: map[string]codegen.SimpleTypeSpec{"double": typeSpec("float64")}},
			String: codegen.FormatMapping{Default: typeSpec("string"), Formats: map[string]codegen.SimpleTypeSpec{
				"date": typeSpec("value.Date"), "date-time": typeSpec("value.DateTime"), "month": typeSpec("value.Month"),
				"decimal": typeSpec("value.Decimal"), "password": typeSpec("value.Secret"), "binary": typeSpec("transport.File"), "json": typeSpec("value.JSON"),
			}},
		},
	},
	NoVCSVersionOverride: new(""),
}

func typeSpec(expr string) codegen.SimpleTypeSpec { return codegen.SimpleTypeSpec{Type: expr} }

// declaration returns oapi-codegen's declaration of a type. It must agree with
// the model, from which signatures and codecs are written.
func (e *emitter) declaration(t *model.Type, declared ast.Expr) (declaration, error) {
	if t.Kind != model.Struct {
		if declared == nil {
			return declaration{}, errors.New("it is missing")
		}
		return declaration{underlying: e.typeOf(declared)}, nil
	}
	structure, ok := declared.(*ast.StructType)
	if !ok || len(structure.Fields.List) != len(t.Fields) {
		return declaration{}, fmt.Errorf("it is not a struct of %d fields", len(t.Fields))
	}
	var decl declaration
	for i, field := range structure.Fields.List {
		want := t.Fields[i]
		name, goType := field.Names[0].Name, types.ExprString(field.Type)
		if name != want.Name || goType != want.Ref.Go() {
			return declaration{}, fmt.Errorf("field %d is %s %s, not %s %s", i+1, name, goType, want.Name, want.Ref.Go())
		}
		decl.fields = append(decl.fields, e.typeOf(field.Type))
	}
	return decl, nil
}

// typeOf converts a parsed type expression to jennifer, with its imports.
func (e *emitter) typeOf(expr ast.Expr) *Statement {
	switch expr := expr.(type) {
	case *ast.StarExpr:
		return Op("*").Add(e.typeOf(expr.X))
	case *ast.ArrayType:
		return Index().Add(e.typeOf(expr.Elt))
	case *ast.MapType:
		return Map(e.typeOf(expr.Key)).Add(e.typeOf(expr.Value))
	case *ast.SelectorExpr:
		return Qual(e.imported(types.ExprString(expr.X)), expr.Sel.Name)
	}
	return Id(types.ExprString(expr))
}

// openAPI is the version of the documents that schemas makes.
const openAPI = "3.0.3"

// schemas returns a domain's types as the named components of an OpenAPI
// document, so that oapi-codegen never has to invent a type name.
func schemas(d *model.Domain) *openapi3.T {
	components := openapi3.Schemas{}
	for _, t := range d.Types {
		components[t.Name] = openapi3.NewSchemaRef("", typeSchema(t))
	}
	for _, ref := range components { // resolve every reference, as kin-openapi's loader would
		for _, p := range ref.Value.Properties {
			resolve(p, components)
		}
	}
	return &openapi3.T{
		OpenAPI:    openAPI,
		Info:       &openapi3.Info{Title: d.Name, Version: "1"},
		Paths:      openapi3.NewPaths(),
		Components: &openapi3.Components{Schemas: components},
	}
}

func resolve(ref *openapi3.SchemaRef, components openapi3.Schemas) {
	if name, ok := strings.CutPrefix(ref.Ref, "#/components/schemas/"); ok {
		ref.Value = components[name].Value
		return
	}
	if ref.Value != nil && ref.Value.Items != nil {
		resolve(ref.Value.Items, components)
	}
	if ref.Value != nil && ref.Value.AdditionalProperties.Schema != nil {
		resolve(ref.Value.AdditionalProperties.Schema, components)
	}
}

func typeSchema(t *model.Type) *openapi3.Schema {
	var s *openapi3.Schema
	switch t.Kind {
	case model.Enum: // open: known values become constants, and others are kept
		s = refSchema(model.Ref{Prim: cmp.Or(t.Base, model.String)}).Value
	case model.Union: // kept as raw JSON; its accessors tell the variants apart
		s = openapi3.NewStringSchema().WithFormat("json")
	default:
		s = openapi3.NewObjectSchema()
		s.Properties = openapi3.Schemas{}
		for i, f := range t.Fields {
			p := refSchema(f.Ref)
			if p.Extensions == nil {
				p.Extensions = map[string]any{}
			}
			p.Extensions["x-order"] = float64(i)
			p.Extensions["x-go-name"] = f.Name
			p.Extensions["x-go-type-skip-optional-pointer"] = !f.Ref.Pointer
			s.Properties[propertyKey(t, i)] = p
		}
	}
	s.Extensions = map[string]any{"x-go-name": t.Name}
	if t.Kind == model.Struct && len(t.Fields) == 0 { // otherwise oapi-codegen declares a map
		s.Extensions["x-go-type"] = "struct{}"
	}
	return s
}

// propertyKey returns a unique key of a field. A query parameter and a header
// may share a wire name, and oapi-codegen refuses names with a quote.
func propertyKey(t *model.Type, i int) string {
	f := t.Fields[i]
	switch {
	case t.Params:
		return f.In + " " + strconv.Itoa(i)
	case strings.ContainsAny(f.Wire, "\"`\\") || f.Wire == "":
		return "member " + strconv.Itoa(i)
	}
	return f.Wire
}

func refSchema(r model.Ref) *openapi3.SchemaRef {
	inline := func(s *openapi3.Schema) *openapi3.SchemaRef { return openapi3.NewSchemaRef("", s) }
	switch r.Prim {
	case model.Named:
		return openapi3.NewSchemaRef("#/components/schemas/"+r.Type.Name, nil)
	case model.List:
		s := openapi3.NewArraySchema()
		s.Items = refSchema(*r.Elem)
		return inline(s)
	case model.Map:
		s := openapi3.NewObjectSchema()
		s.AdditionalProperties = openapi3.AdditionalProperties{Schema: refSchema(*r.Elem)}
		return inline(s)
	case model.Bool:
		return inline(openapi3.NewBoolSchema())
	case model.Int:
		return inline(openapi3.NewIntegerSchema())
	case model.Float:
		return inline(openapi3.NewFloat64Schema().WithFormat("double"))
	case model.Number:
		return inline(openapi3.NewFloat64Schema().WithFormat(""))
	case model.Filters: // declared by this package, not by oapi-codegen
		s := openapi3.NewStringSchema()
		s.Extensions = map[string]any{"x-go-type": r.Name}
		return inline(s)
	}
	return inline(openapi3.NewStringSchema().WithFormat(stringFormats[r.Prim]))
}

var stringFormats = map[model.Prim]string{
	model.Decimal: "decimal", model.Date: "date", model.DateTime: "date-time",
	model.Month: "month", model.Secret: "password", model.JSON: "json", model.File: "binary",
}
