package contract_test

import (
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// TestControlAPIDescriptionIsValid: the sandbox's own API has a valid description, which
// other languages generate clients from.
func TestControlAPIDescriptionIsValid(t *testing.T) {
	t.Parallel()
	d, err := openapi3.NewLoader().LoadFromFile("../../cmd/basiq/internal/sandbox/web/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
}
