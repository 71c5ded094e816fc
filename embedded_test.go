package basiq_test

import (
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// Structs that embed a pointer to a generated type, and have its methods.
type (
	userWithNote struct {
		*core.User
		Note string
	}
	deepUser   struct{ userWithNote }
	userParams struct{ *core.CreateUserParams }
)

// ownParams and ownResult embed such a pointer, and have methods of their own.
type (
	ownParams struct {
		*core.User
		params core.CreateUserParams
	}
	ownResult struct {
		*core.User
		result core.User
	}
)

func (o *ownParams) JSONFields(f *wire.Fields)       { o.params.JSONFields(f) }
func (o *ownParams) MarshalJSON() ([]byte, error)    { return o.params.MarshalJSON() }
func (o *ownResult) JSONFields(f *wire.Fields)       { o.result.JSONFields(f) }
func (o *ownResult) UnmarshalJSON(data []byte) error { return o.result.UnmarshalJSON(data) }

// TestNilEmbeddedPointers checks that a struct whose methods are those of a nil pointer is
// refused before anything is sent, and that the same struct works with the pointer.
func TestNilEmbeddedPointers(t *testing.T) {
	srv := basiqtest.NewServer(t)
	client := srv.Client(t).Transport
	id, err := srv.AddUser("ann@example.com")
	if err != nil {
		t.Fatal(err)
	}
	for name, call := range map[string]func() error{
		"result":            func() error { return client.Call(t.Context(), "GET", "/users/"+id, nil, new(userWithNote)) },
		"deep result":       func() error { return client.Call(t.Context(), "GET", "/users/"+id, nil, new(deepUser)) },
		"body":              func() error { return client.Call(t.Context(), "POST", "/users", userParams{}, nil) },
		"body as a pointer": func() error { return client.Call(t.Context(), "POST", "/users", &userParams{}, nil) },
	} {
		if err := call(); err == nil || !strings.Contains(err.Error(), "*core.") || !strings.Contains(err.Error(), "is nil") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := srv.Calls(""); n != 0 {
		t.Fatalf("%d requests were sent", n)
	}

	user := userWithNote{User: new(core.User)}
	if err := client.Call(t.Context(), "GET", "/users/"+id, nil, &user); err != nil || user.ID != id {
		t.Errorf("with a pointer: %v, %q", err, user.User.ID)
	}
	if err := client.Call(t.Context(), "POST", "/users", userParams{&core.CreateUserParams{Email: "bob@example.com"}}, nil); err != nil {
		t.Errorf("a body with a pointer: %v", err)
	}
	own, result := ownParams{params: core.CreateUserParams{Email: "eve@example.com"}}, ownResult{}
	if err := client.Call(t.Context(), "POST", "/users", &own, &result); err != nil || result.result.ID == "" {
		t.Errorf("with methods of its own: %v", err)
	}
}
