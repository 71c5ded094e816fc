package emit_test

import (
	"context"
	"go/types"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/gen/internal/canon"
	"github.com/basiq-sdk/basiq-go/gen/internal/emit"
	"github.com/basiq-sdk/basiq-go/gen/internal/model"
	"github.com/basiq-sdk/basiq-go/gen/internal/overlay"
	"github.com/basiq-sdk/basiq-go/gen/internal/spec"
	"github.com/basiq-sdk/basiq-go/gen/internal/typecheck"
)

// shapes is an API with every shape of parameter and result that a command has.
const shapes = `{
 "openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "security": [{"token": []}],
 "paths": {
  "/things": {
   "get": {"operationId": "listThings",
    "parameters": [
     {"name": "limit", "in": "query", "schema": {"type": "integer", "nullable": true}},
     {"name": "share", "in": "query", "schema": {"type": "number"}},
     {"name": "deep", "in": "query", "schema": {"type": "boolean", "nullable": true}},
     {"name": "kinds", "in": "query", "schema": {"type": "array", "items": {"type": "string", "enum": ["big", "small"]}}},
     {"name": "names", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}},
     {"name": "trace", "in": "header", "schema": {"type": "string"}},
     {"name": "filter", "in": "query", "schema": {"type": "string"}}],
    "responses": {"200": {"description": "d", "content": {"application/json": {"schema": {"type": "object", "properties": {
     "data": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}},
     "links": {"type": "object", "properties": {"next": {"type": "string"}}}}}}}}}},
   "post": {"operationId": "makeThing",
    "parameters": [{"name": "dry", "in": "query", "schema": {"type": "boolean"}}],
    "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ThingBody"}}}},
    "responses": {"204": {"description": "d"}}}
  },
  "/things/{thingId}": {
   "get": {"operationId": "getThing", "x-basiq": {},
    "parameters": [{"name": "thingId", "in": "path", "required": true, "schema": {"type": "string", "enum": ["one", "two"]}}],
    "responses": {"200": {"description": "d", "content": {
     "text/csv": {"schema": {"type": "string"}}, "application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}}}},
   "put": {"operationId": "drawThing",
    "parameters": [{"name": "thingId", "in": "path", "required": true, "schema": {"type": "string"}}],
    "requestBody": {"content": {"multipart/form-data": {"schema": {"type": "object", "required": ["picture"], "properties": {
     "picture": {"type": "string", "format": "binary"}, "size": {"type": "integer"}}}}}},
    "responses": {"204": {"description": "d"}}}
  }
 },
 "components": {
  "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
  "schemas": {"ThingBody": {"type": "object", "required": ["name"], "properties": {
     "name": {"type": "string"}, "size": {"type": "object", "properties": {"width": {"type": "integer"}, "unit": {"type": "string", "enum": ["mm", "cm"]}}},
     "tags": {"type": "array", "items": {"type": "string"}}, "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}}}},
   "Thing": {"type": "object", "properties": {
   "id": {"type": "string"}, "key": {"type": "string", "format": "password"}, "count": {"type": "integer"},
   "tags": {"type": "array", "items": {"type": "string"}},
   "maker": {"type": "object", "properties": {"name": {"type": "string"}, "thing": {"$ref": "#/components/schemas/Thing"}}},
   "links": {"type": "object", "properties": {"self": {"type": "string"}}}}}}}
}`

// shapesOverlay adds what a description cannot say.
const shapesOverlay = `overlay: 1.0.0
info: {title: t, version: "1"}
actions:
  - target: $.paths['/things'].get
    update:
      description: returns things. Use transport.WithCursor to go on. See Things.Create, ThingKind and things in general.
      x-page: {items: data, next: links.next}
  - target: $.paths['/things/{thingId}'].put.requestBody.content['multipart/form-data'].schema.properties.size
    update: {x-pointer: true}
  - target: $.paths['/things'].get.parameters[?@.name == 'filter']
    update:
      description: Selects things.
      x-filter:
        type: ThingFilter
        description: selects things.
        fields:
          Made: {path: thing.made, ops: [eq, gteq, lteq, bt], schema: {type: string, format: date}, description: Day on which it was made. In UTC.}
          Size: {path: thing.size, ops: [bt, in, ne], description: Its size.}
`

// TestCommandsHaveEveryShape checks the rows of an API with every shape of
// parameter and result, and that they compile against its clients.
func TestCommandsHaveEveryShape(t *testing.T) {
	t.Parallel()
	pkg, src, imports := commandsOf(t)
	for _, want := range []string{
		`ID: "things.Things.List"`, `Group: "things"`, `Name: "get-csv"`, `Media: "text/csv"`,
		// Documentation without Go: no transport, and commands instead of methods.
		`Doc: "Returns things. See basiq things create, ThingKind and things in general."`,
		// The ends of a range are flags, and the range itself is one only without them.
		`{ Doc: "Day on which it was made: this or later. In UTC.", Filter: true, Kind: "date", Name: "made-from", }`,
		`if in.Set("made-from") { p.Filter = p.Filter.MadeFrom(value.Date(in.Text("made-from"))) }`,
		`if v := in.Texts("size-between"); len(v) > 0 { p.Filter = p.Filter.SizeBetween(v[0], v[len(v)-1]) }`,
		`p.Filter = p.Filter.SizeIn(values...)`,
		`for _, v := range in.Texts("filter") { p.Filter = p.Filter.Raw(v) }`,
		`if in.Set("size") { p.Size = new(in.Int("size")) }`,
		`p.Share = value.Decimal(in.Text("share"))`,
		`p.Names = in.Texts("names")`,
		`p.Trace = in.Text("trace")`,
		// A body beside other parameters, with its nested members.
		`if err := in.Body(&p.Body); err != nil { return nil, err }`,
		`{ Kind: "enum", Member: []string{"size", "unit"}, Name: "size-unit", Values: []string{"cm", "mm"}, }`,
		`{ Kind: "text", List: true, Member: []string{"tags"}, Name: "tags", }`,
		`{ Kind: "json", Member: []string{"parts"}, Name: "parts", }`,
		`{ Kind: "file", Name: "picture", Required: true, }`,
		`p.Picture = in.File("picture")`,
		`return nil, things.New(c).Things.Create(ctx, p, opts...)`,
		`return each(things.New(c).Things.All(ctx, p, opts...))`,
		`return things.New(c).Things.GetCSV(ctx, things.GetThingsThingID(in.Arg(0)), w, opts...)`,
		// Columns are the scalars; secrets are not among them.
		`Columns: []string{"id", "count", "maker.name", "tags"}`,
		`Secrets: []string{"data.*.key"`,
	} {
		if !strings.Contains(src, want) {
			t.Errorf("the commands lack\n%s", want)
		}
	}
	if strings.Contains(src, "made-between") {
		t.Error("a range has a flag beside its two ends")
	}
	if _, err := typecheck.Package(imports, pkg); err != nil {
		t.Error(err)
	}
	if t.Failed() {
		t.Log(src)
	}
}

// TestCommandsTellEqualNamesApart checks a parameter of the query that has the
// name of one of the path, and resources of two domains that have one name.
func TestCommandsTellEqualNamesApart(t *testing.T) {
	t.Parallel()
	const doc = `{
 "openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "security": [{"token": []}],
 "paths": {"/things/{thingId}": {"get": {"operationId": "getThing",
  "parameters": [{"name": "thingId", "in": "path", "required": true, "schema": {"type": "string"}}, {"name": "thing", "in": "query", "schema": {"type": "string"}}],
  "responses": {"204": {"description": "d"}}}}},
 "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}}
}`
	first, second := domainOf(t, doc, ""), domainOf(t, doc, "")
	second.Package = "others"
	pkg, err := emit.Commands([]*model.Domain{first, second}, "commands", target("commands"), thingsPath)
	if err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{"things.gen.go": `Group: "things"`, "others.gen.go": `Group: "others-things"`} {
		src := strings.Join(strings.Fields(string(pkg.Files[file])), " ")
		if !strings.Contains(src, want) || !strings.Contains(src, `Name: "query-thing"`) || !strings.Contains(src, `p.Thing = in.Text("query-thing")`) {
			t.Errorf("%s lacks %s or --query-thing:\n%s", file, want, src)
		}
	}
}

func thingsPath(*model.Domain) string { return target("things").ImportPath }

func domainOf(t *testing.T, doc, actions string) *model.Domain {
	t.Helper()
	snapshot, err := canon.Snapshot("things.json", []byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	var overlays []*overlay.Document
	if actions != "" {
		o, err := overlay.Parse("overlays/things.yaml", []byte(actions))
		if err != nil {
			t.Fatal(err)
		}
		overlays = append(overlays, o)
	}
	d, _, err := spec.Load("things", "specs/things.yml", snapshot, overlays, overlay.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := model.Build(d, model.Options{Package: "things"})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// commandsOf returns the commands of shapes, their source on one line, and what
// they import, which includes the API's clients.
func commandsOf(t *testing.T) (*emit.Package, string, types.Importer) {
	t.Helper()
	m := domainOf(t, shapes, shapesOverlay)
	clients, err := emit.Generate(m, target("things"))
	if err != nil {
		t.Fatal(err)
	}
	runtime := target("").Runtime
	imports, err := typecheck.LoadImports(context.Background(), "../../..", runtime, runtime+"/wire", runtime+"/value")
	if err != nil {
		t.Fatal(err)
	}
	made, err := typecheck.Package(imports, clients)
	if err != nil {
		t.Fatal(err)
	}
	pkg, err := emit.Commands([]*model.Domain{m}, "commands", target("commands"), thingsPath)
	if err != nil {
		t.Fatal(err)
	}
	src := string(pkg.Files["commands.gen.go"]) + string(pkg.Files["things.gen.go"])
	return pkg, strings.Join(strings.Fields(src), " "), withPackage{imports, made}
}

// withPackage imports one package that is not on disk.
type withPackage struct {
	types.Importer
	made *types.Package
}

func (w withPackage) Import(path string) (*types.Package, error) {
	if path == w.made.Path() {
		return w.made, nil
	}
	return w.Importer.Import(path)
}
