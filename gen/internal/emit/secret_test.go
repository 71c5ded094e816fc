package emit

import (
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/gen/internal/model"
)

// TestSecretsThatWouldNotBeSealed: a password in a list, in a map or behind a
// pointer is refused, and a plain one makes its type, and those around it, hide it.
func TestSecretsThatWouldNotBeSealed(t *testing.T) {
	secret := model.Ref{Prim: model.Secret}
	for name, c := range map[string]struct {
		ref model.Ref
		ok  bool
	}{
		"plain":   {secret, true},
		"list":    {model.Ref{Prim: model.List, Elem: &secret}, false},
		"map":     {model.Ref{Prim: model.Map, Elem: &secret}, false},
		"pointer": {model.Ref{Prim: model.Secret, Pointer: true}, false},
		"text":    {model.Ref{Prim: model.String, Pointer: true}, true},
	} {
		held := &model.Type{Name: "Held", Kind: model.Struct, Fields: []*model.Field{{Name: "Word", Ref: c.ref}}}
		around := &model.Type{Name: "Around", Kind: model.Struct, Fields: []*model.Field{{Name: "All", Ref: model.Ref{Prim: model.List, Elem: &model.Ref{Prim: model.Named, Type: held}}}}}
		held.Fields = append(held.Fields, &model.Field{Name: "Back", Ref: model.Ref{Prim: model.Named, Type: around, Pointer: true}})
		err := checkSecrets(&model.Domain{Types: []*model.Type{around, held}})
		if c.ok != (err == nil) || err != nil && !strings.Contains(err.Error(), "Held.Word") {
			t.Errorf("%s: %v", name, err)
		}
		for _, typ := range []*model.Type{held, around} {
			if holds := typ.HoldsSecret(); holds != (name != "text") {
				t.Errorf("%s: %s holds a secret: %t", name, typ.Name, holds)
			}
		}
	}
}
