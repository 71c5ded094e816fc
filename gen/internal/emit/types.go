package emit

import (
	"cmp"
	"fmt"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/oapi-codegen/oapi-codegen/v2/pkg/codegen"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/model"
)

// typeMark separates the declarations in what oapi-codegen returns, so that
// each can be put into the file of the resource it belongs to.
const typeMark = "//gen:type "

// typedefTemplate is our form of oapi-codegen's type declarations. The texts
// that it prints (comments, constants) were made by this package and travel
// in extensions: the template only lays them out.
const typedefTemplate = `{{range .Types}}{{$ext := .Schema.OAPISchema.Extensions}}
` + typeMark + `{{.TypeName}}
{{index $ext "x-doc"}}{{if eq (index $ext "x-kind") "enum"}}type {{.TypeName}} string

{{index $ext "x-constants"}}
{{else if eq (index $ext "x-kind") "union"}}type {{.TypeName}} struct {
	raw value.JSON
}
{{else}}type {{.TypeName}} struct {
{{range .Schema.Properties}}{{index .Extensions "x-doc"}}	{{.GoFieldName}} {{.GoTypeDef}}{{index .Extensions "x-tag"}}
{{end}}{{index $ext "x-tail"}}}
{{end}}{{end}}`

// undocumented stands where a sentence is still missing: without a comment
// between them gofmt would align a new member with its neighbours, and a
// reviewer would see those change.
const undocumented = "Not documented yet."

// oapiMu guards oapi-codegen, which keeps its options in package variables.
var oapiMu sync.Mutex

// typeDecls lets oapi-codegen declare every named type of the domain, and
// returns the declarations by name.
func typeDecls(d *model.Domain) (map[string]string, error) {
	doc, err := lower(d)
	if err != nil {
		return nil, err
	}
	text := func(goType string) codegen.SimpleTypeSpec { return codegen.SimpleTypeSpec{Type: goType} }
	cfg := codegen.Configuration{
		PackageName: d.Package,
		Generate:    codegen.GenerateOptions{Models: true},
		OutputOptions: codegen.OutputOptions{
			SkipFmt:            true, // the parts are formatted as files, once
			SkipPrune:          true,
			SkipEnumValidate:   true,
			ResponseTypeSuffix: "Response", // stated because the library remembers the last call's
			TypeMapping: &codegen.TypeMapping{
				Number: codegen.FormatMapping{Default: text("value.Decimal"), Formats: map[string]codegen.SimpleTypeSpec{"double": text("float64")}},
				String: codegen.FormatMapping{Default: text("string"), Formats: map[string]codegen.SimpleTypeSpec{
					"date": text("value.Date"), "date-time": text("value.DateTime"), "month": text("value.Month"),
					"decimal": text("value.Decimal"), "password": text("value.Secret"), "binary": text("transport.File"), "json": text("value.JSON"),
				}},
			},
			UserTemplates: map[string]string{"typedef.tmpl": typedefTemplate, "constants.tmpl": "\n", "imports.tmpl": "package {{.PackageName}}\n"},
		},
	}
	cfg.NoVCSVersionOverride = new("")
	oapiMu.Lock()
	out, err := codegen.Generate(doc, cfg)
	oapiMu.Unlock()
	if err != nil {
		return nil, diag.Errorf(diag.Pos{File: d.SpecFile}, "types", "oapi-codegen: %v", err)
	}
	decls := map[string]string{}
	for part := range strings.SplitSeq(out, typeMark) {
		name, decl, ok := strings.Cut(part, "\n")
		if ok {
			decls[name] = strings.TrimSpace(decl) + "\n"
		}
	}
	for _, t := range d.Types {
		if decls[t.Name] == "" {
			return nil, diag.Errorf(t.Pos, "types", "oapi-codegen did not declare %s", t.Name).
				WithHint("this is a fault of the generator: please report it")
		}
	}
	return decls, nil
}

// lower writes the model's types as a plain OpenAPI document of named
// components, which is what oapi-codegen turns into Go without having to
// invent a name.
func lower(d *model.Domain) (*openapi3.T, error) {
	schemas := openapi3.Schemas{}
	for _, t := range d.Types {
		schemas[t.Name] = openapi3.NewSchemaRef("", lowerType(t))
	}
	for _, ref := range schemas { // give every reference its target, as the loader would
		for _, p := range ref.Value.Properties {
			resolve(p, schemas)
		}
	}
	return &openapi3.T{
		OpenAPI:    "3.0.3",
		Info:       &openapi3.Info{Title: d.Name, Version: "1"},
		Paths:      openapi3.NewPaths(),
		Components: &openapi3.Components{Schemas: schemas},
	}, nil
}

func resolve(ref *openapi3.SchemaRef, schemas openapi3.Schemas) {
	if name, ok := strings.CutPrefix(ref.Ref, "#/components/schemas/"); ok {
		ref.Value = schemas[name].Value
		return
	}
	if ref.Value != nil && ref.Value.Items != nil {
		resolve(ref.Value.Items, schemas)
	}
	if ref.Value != nil && ref.Value.AdditionalProperties.Schema != nil {
		resolve(ref.Value.AdditionalProperties.Schema, schemas)
	}
}

func lowerType(t *model.Type) *openapi3.Schema {
	s := openapi3.NewObjectSchema()
	s.Extensions = map[string]any{
		"x-kind":    string(t.Kind),
		"x-doc":     comment("", paragraphs(sentence(t.Name, t.Doc), deprecated(t.Deprecated))),
		"x-go-name": t.Name,
		"x-tail":    "",
	}
	switch t.Kind {
	case model.Enum:
		s = openapi3.NewStringSchema().WithEnum("") // the values are in x-constants, with their documentation
		s.Extensions = map[string]any{
			"x-kind": string(t.Kind), "x-go-name": t.Name, "x-constants": constants(t), "x-enum-varnames": []any{"None"},
			"x-doc": comment("", paragraphs(sentence(t.Name, t.Doc), deprecated(t.Deprecated))),
		}
		return s
	case model.Union:
		return s
	}
	s.Properties = openapi3.Schemas{}
	for i, f := range t.Fields {
		p := lowerRef(f.Ref)
		if p.Extensions == nil {
			p.Extensions = map[string]any{}
		}
		ext := map[string]any{
			"x-order": float64(i), "x-go-name": f.Name,
			"x-go-type-skip-optional-pointer": !f.Ref.Pointer,
			"x-doc":                           comment("\t", paragraphs(cmp.Or(f.Doc, undocumented), deprecated(f.Deprecated))),
			"x-tag":                           "",
		}
		if t.HasJSON() {
			ext["x-tag"] = fmt.Sprintf(" `json:%q`", f.Wire)
		}
		for k, v := range ext {
			p.Extensions[k] = v
		}
		s.Properties[propertyKey(t, f)] = p
	}
	if t.HasJSON() {
		s.Extensions["x-tail"] = "\n\t// JSON tells absent members from null ones and keeps those not declared here.\n\tJSON wire.Object `json:\"-\"`\n"
	}
	if len(t.Fields) == 0 { // oapi-codegen would make a map of an object without properties
		s.Extensions["x-go-type"] = "struct{}"
	}
	return s
}

// propertyKey is the wire name, told apart where a query and a header parameter share it.
func propertyKey(t *model.Type, f *model.Field) string {
	if t.Params {
		return f.In + " " + f.Wire
	}
	return f.Wire
}

func lowerRef(r model.Ref) *openapi3.SchemaRef {
	switch r.Prim {
	case model.Named:
		return openapi3.NewSchemaRef("#/components/schemas/"+r.Type.Name, nil)
	case model.List:
		s := openapi3.NewArraySchema()
		s.Items = lowerRef(*r.Elem)
		return openapi3.NewSchemaRef("", s)
	case model.Map:
		s := openapi3.NewObjectSchema()
		s.AdditionalProperties = openapi3.AdditionalProperties{Schema: lowerRef(*r.Elem)}
		return openapi3.NewSchemaRef("", s)
	case model.Bool:
		return openapi3.NewSchemaRef("", openapi3.NewBoolSchema())
	case model.Int:
		return openapi3.NewSchemaRef("", openapi3.NewIntegerSchema())
	case model.Float:
		s := openapi3.NewFloat64Schema()
		s.Format = "double"
		return openapi3.NewSchemaRef("", s)
	case model.Filters:
		s := openapi3.NewStringSchema()
		s.Extensions = map[string]any{"x-go-type": r.Name}
		return openapi3.NewSchemaRef("", s)
	}
	formats := map[model.Prim]string{
		model.Decimal: "decimal", model.Number: "decimal", model.Date: "date", model.DateTime: "date-time",
		model.Month: "month", model.Secret: "password", model.JSON: "json", model.File: "binary",
	}
	return openapi3.NewSchemaRef("", openapi3.NewStringSchema().WithFormat(formats[r.Prim]))
}

// constants renders an enumeration's values and the question whether one is known.
func constants(t *model.Type) string {
	if len(t.Values) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "// Known values of %s. The API may send others.\nconst (\n", t.Name)
	for _, v := range t.Values {
		b.WriteString(comment("\t", cmp.Or(v.Doc, undocumented)))
		fmt.Fprintf(&b, "\t%s %s = %q\n", v.Name, t.Name, v.Wire)
		for _, was := range v.Was {
			fmt.Fprintf(&b, "\t// Deprecated: use %s.\n\t%s = %s\n", v.Name, was, v.Name)
		}
	}
	b.WriteString(")\n\n")
	values := lowerFirst(t.Name) + "Values"
	fmt.Fprintf(&b, "var %s = []%s{\n", values, t.Name)
	for _, v := range t.Values {
		fmt.Fprintf(&b, "\t%s,\n", v.Name)
	}
	fmt.Fprintf(&b, "}\n\n// Known tells whether this version of the package knows the value.\nfunc (%s %s) Known() bool {\n\treturn wire.OneOf(%s, %s)\n}\n", receiver, t.Name, receiver, values)
	if t.Respelt() {
		fmt.Fprintf(&b, "\n// usual returns the value in the spelling of the known values: answers use others, too.\nfunc (%s %s) usual() %s {\n\tswitch %s {\n", receiver, t.Name, t.Name, receiver)
		for _, v := range t.Values {
			if len(v.Also) == 0 {
				continue
			}
			b.WriteString("\tcase ")
			for i, also := range v.Also {
				if i > 0 {
					b.WriteString(", ")
				}
				fmt.Fprintf(&b, "%q", also)
			}
			fmt.Fprintf(&b, ":\n\t\treturn %s\n", v.Name)
		}
		fmt.Fprintf(&b, "\t}\n\treturn %s\n}\n", receiver)
	}
	return b.String()
}

// receiver is the name of every value type's receiver: one that no local
// variable of a generated method hides.
const receiver = "v"
