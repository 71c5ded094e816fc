package specdiff_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/specdiff"
)

const base = `openapi: 3.0.3
info: {title: t, version: "1"}
paths:
  /a/{id}:
    get:
      operationId: a
      parameters:
        - {name: id, in: path, required: true, schema: {type: string}}
        - {name: limit, in: query, schema: {type: integer}}
      responses:
        "200": {description: OK, content: {application/json: {schema: {$ref: '#/components/schemas/A'}}}}
    post:
      operationId: b
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/B'}}}}
      responses:
        "204": {description: No Content}
components:
  schemas:
    A:
      type: object
      required: [id, name]
      properties:
        id: {type: string}
        kind: {type: string, enum: [x, y]}
        name: {type: string}
        sub: {type: object, properties: {deep: {type: string}}}
    B: {type: object, properties: {v: {type: string}}}
`

func parse(t *testing.T, text string) *yaml.Node {
	t.Helper()
	n, err := specdiff.Parse("t.yml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestFactsReportDifferences(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"nothing", "", "", ""},
		{"order of lists", "enum: [x, y]", "enum: [y, x]", ""},
		{"order of parameters", "- {name: id, in: path, required: true, schema: {type: string}}\n        - {name: limit, in: query, schema: {type: integer}}",
			"- {name: limit, in: query, schema: {type: integer}}\n        - {name: id, in: path, required: true, schema: {type: string}}", ""},
		{"type", "name: {type: string}", "name: {type: integer}", "changed #/components/schemas/A/properties/name type string→integer"},
		{"property added", "id: {type: string}\n", "id: {type: string}\n        isbn: {type: string}\n", "added #/components/schemas/A/properties/isbn  →{type: string}"},
		{"deep property removed", "{deep: {type: string}}", "{}", "removed #/components/schemas/A/properties/sub/properties/deep  {type: string}→"},
		{"required", "required: [id, name]", "required: [id]", "removed #/components/schemas/A/properties/name required →"},
		{"all required gone", "      required: [id, name]\n", "", "removed #/components/schemas/A/properties/id required →; removed #/components/schemas/A/properties/name required →"},
		{"enum", "enum: [x, y]", "enum: [x, z]", "added #/components/schemas/A/properties/kind enum →z; removed #/components/schemas/A/properties/kind enum y→"},
		{"parameter", "        - {name: limit, in: query, schema: {type: integer}}\n", "", "removed #/paths/~1a~1{id}/get/parameters/query:limit  {name: limit, in: query, schema: {type: integer}}→"},
		{"parameter's type", "schema: {type: integer}", "schema: {type: string}", "changed #/paths/~1a~1{id}/get/parameters/query:limit schema/type integer→string"},
		{"status", `"204":`, `"205":`, "added #/paths/~1a~1{id}/post/responses/205  →{description: No Content}; removed #/paths/~1a~1{id}/post/responses/204  {description: No Content}→"},
		{"operation", "    post:", "    put:", "added #/paths/~1a~1{id}/put  →{operationId: b, requestBody: {content: {application/json: {schema: {$ref: #/components/schemas/B}}}…; removed #/paths/~1a~1{id}/post  {operationId: b, requestBody: {content: {application/json: {schema: {$ref: #/components/schemas/B}}}…→"},
	} {
		after := base
		if c.old != "" {
			if !strings.Contains(base, c.old) {
				t.Fatalf("%s: the base lacks %q", c.name, c.old)
			}
			after = strings.Replace(base, c.old, c.new, 1)
		}
		var got []string
		for _, f := range specdiff.Facts(parse(t, base), parse(t, after)) {
			got = append(got, string(f.Op)+" "+f.Subject+" "+f.Aspect+" "+f.From+"→"+f.To)
		}
		slices.Sort(got)
		if strings.Join(got, "; ") != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, strings.Join(got, "; "), c.want)
		}
	}
}

func TestDirectionsOfParts(t *testing.T) {
	d := specdiff.DirectionsOf(parse(t, base))
	for pointer, want := range map[string]specdiff.Direction{
		"#/components/schemas/A/properties/id":          specdiff.Response,
		"#/components/schemas/B/properties/v":           specdiff.Request,
		"#/paths/~1a~1{id}/get/parameters/query:limit":  specdiff.Request,
		"#/paths/~1a~1{id}/get/responses/200":           specdiff.Response,
		"#/components/schemas/Nowhere/properties/other": 0,
	} {
		if got := d.Of(pointer); got != want {
			t.Errorf("%s: %d, want %d", pointer, got, want)
		}
	}
}

// TestFindingsHavePointers checks that oasdiff's findings have the pointers of the parts
// that they are about.
func TestFindingsHavePointers(t *testing.T) {
	after := strings.NewReplacer("name: {type: string}", "name: {type: integer}", "required: [id, name]", "required: [id]",
		"        - {name: limit, in: query, schema: {type: integer}}\n", "").Replace(base)
	list, err := specdiff.Findings([]byte(base), []byte(after), specdiff.PointersOf(parse(t, base)), specdiff.PointersOf(parse(t, after)))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]specdiff.Finding{}
	for _, f := range list {
		got[f.Rule] = f
	}
	if f := got["response-property-type-changed"]; f.Level != specdiff.Breaking || !strings.HasPrefix(f.New, "#/components/schemas/A/properties/name") {
		t.Errorf("%+v in %+v", f, got)
	}
	if f := got["response-property-became-optional"]; f.Property != "name" {
		t.Errorf("%+v", f)
	}
	if f := got["request-parameter-removed"]; f.Old != "#/paths/~1a~1{id}/get/parameters/query:limit" || len(f.Operations) != 1 {
		t.Errorf("%+v", f)
	}
}

// TestEqualDocumentsHaveNoFacts compares every committed snapshot with itself.
func TestEqualDocumentsHaveNoFacts(t *testing.T) {
	files, err := filepath.Glob("../../../specs/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatal("no snapshots found", err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if facts := specdiff.Facts(parse(t, string(data)), parse(t, string(data))); len(facts) > 0 {
			t.Errorf("%s: %v", name, facts)
		}
	}
}
