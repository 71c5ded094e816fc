package spec_test

import (
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/gen/internal/overlay"
	"github.com/basiq-sdk/basiq-go/gen/internal/spec"
)

// TestKeywordsBesideAReferenceCount loads the schemas A to D, which have keywords beside
// a reference. From OpenAPI 3.1 on, those that change what a schema says are joined with
// the target by allOf.
func TestKeywordsBesideAReferenceCount(t *testing.T) {
	const schemas = `
components:
  schemas:
    A: {$ref: '#/components/schemas/T', required: [b], properties: {$ref: {type: string}}}
    B: {$ref: '#/components/schemas/T', description: words, deprecated: true, readOnly: true, x-name: N}
    C: {type: object, allOf: [{$ref: '#/components/schemas/B'}], $ref: '#/components/schemas/T'}
    D: {type: array, items: {$ref: '#/components/schemas/T', default: {}}}
    T: {type: object, properties: {a: {type: string}}}
`
	for version, want := range map[string][]string{
		"3.0.3": {"A $ref", "B $ref", "C $ref", "D/items $ref"},
		"3.1.0": {"A T", "B $ref", "C T B", "D/items T"},
	} {
		doc, _, err := spec.Load("test", "specs/test.yml", []byte("openapi: "+version+"\ninfo: {title: t, version: '1'}\npaths: {}"+schemas), nil, overlay.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range want {
			name, parts, _ := strings.Cut(line, " ")
			n := doc.Lookup("#/components/schemas/" + name)
			got := "$ref"
			if n.Ref() == "" {
				var list []string
				for _, item := range n.Get("allOf").Items() {
					list = append(list, strings.TrimPrefix(item.Ref(), "#/components/schemas/"))
				}
				got = strings.Join(list, " ")
			}
			if got != parts {
				t.Errorf("%s: %s is %q, want %q", version, name, got, parts)
			}
		}
		if n := doc.Lookup("#/components/schemas/A/properties/$ref"); n.Str("type") != "string" {
			t.Errorf("%s: the property called $ref is gone", version)
		}
	}
}
