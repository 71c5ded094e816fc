package main

import (
	"go/parser"
	"go/token"
	"os"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
)

// FuzzSpecification runs all stages. The result must be harmless source that parses, or
// diagnostics with a file, in limited time.
func FuzzSpecification(f *testing.F) {
	library, err := os.ReadFile("testdata/library/upstream/library.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(library))
	for _, body := range []string{
		"a: {type: string, enum: [b, c, '']}", "a: {oneOf: [{type: string}, {$ref: '#/components/schemas/A'}]}",
		"a: {allOf: [{$ref: '#/components/schemas/A'}], type: object}", "a: {type: array, items: {type: array, items: {type: number}}}",
		"a: {type: [string, 'null'], format: date-time, default: ~}", "a: {$ref: '#/components/schemas/A/properties/b'}, b: {type: object, additionalProperties: {type: boolean}}",
		"'a`b': {type: string}", "\"\\u202e\": {}", "a b: {type: object, properties: {c d: {type: object, properties: {e: {}}}}, required: [c d]}",
	} {
		f.Add(property(body))
	}
	f.Fuzz(func(t *testing.T, doc string) {
		start := time.Now()
		pkg, err := compile(doc)
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("took %v", took)
		}
		if err != nil {
			for _, a := range diag.FromError(err, diag.Pos{}) {
				if a.Code == "" || a.Code == "internal" || a.Message == "" || a.Pos.File == "" {
					t.Errorf("an incomplete diagnostic: %+v", a)
				}
			}
			return
		}
		harmless(t, pkg)
		for name, src := range pkg.Files {
			if _, err := parser.ParseFile(token.NewFileSet(), name, src, parser.SkipObjectResolution); err != nil {
				t.Errorf("%s does not parse: %v\n%s", name, err, src)
			}
		}
	})
}
