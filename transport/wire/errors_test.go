package wire_test

import (
	"testing"

	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// TestTextsOfErrors checks the texts, also of nil pointers.
func TestTextsOfErrors(t *testing.T) {
	for want, err := range map[string]error{
		"wire: the JSON value is of type array, want object":          &wire.TypeError{Want: "object", Got: "array"},
		"wire: invalid JSON at byte 7 in data[3]: unexpected bracket": &wire.SyntaxError{Offset: 7, Path: "data[3]", Msg: "unexpected bracket"},
		"wire: invalid JSON at byte 0: unexpected end":                &wire.SyntaxError{Msg: "unexpected end"},
	} {
		if err.Error() != want {
			t.Errorf("got %q, want %q", err, want)
		}
	}
	for _, err := range []error{(*wire.TypeError)(nil), (*wire.SyntaxError)(nil)} {
		if err.Error() != "<nil>" {
			t.Errorf("a nil %T has the text %q", err, err)
		}
	}
}
