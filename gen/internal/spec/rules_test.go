package spec_test

import (
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/gen/internal/overlay"
	"github.com/basiq-sdk/basiq-go/gen/internal/spec"
)

func TestRequiredOfASchemaMustBeAList(t *testing.T) {
	doc, _, err := spec.Load("test", "specs/test.yml", []byte(`openapi: 3.0.3
info: {title: t, version: '1'}
paths:
  /a:
    post:
      parameters: [{name: q, in: query, required: true, schema: {type: string}}]
      requestBody: {required: true, content: {application/json: {schema: {type: string}}}}
      responses: {'204': {description: done}}
components:
  schemas:
    A:
      type: object
      properties:
        required: {type: boolean}
        a: {type: string, required: true}
`), nil, overlay.Options{})
	if err != nil {
		t.Fatal(err)
	}
	err = doc.Validate(t.Context())
	if err == nil || !strings.Contains(err.Error(), "specs/test.yml:15:27: required must be a list of names in a schema, not true") {
		t.Errorf("got %v", err)
	}
}
