package canon_test

import (
	"testing"

	"github.com/basiq-sdk/basiq-go/gen/internal/canon"
)

// TestEscapesOfJSONAreRead has escapes that YAML does not know, and what looks like one of
// them.
func TestEscapesOfJSONAreRead(t *testing.T) {
	for text, want := range map[string]string{
		`{"a": "\ud83d\udc4d\uD83D\uDC4D"}`: "👍👍",
		`{"a": "\\ud83d\\udc4d"}`:           `\ud83d\udc4d`,
		`{"a": "x\/\u00e9\n"}`:              "x/é\n",
		`{"a": '\ud83d\udc4d'}`:             `\ud83d\udc4d`, // YAML that starts like JSON
		"a: '\\ud83d\\udc4d'":               `\ud83d\udc4d`,
	} {
		root, err := canon.Parse("a.json", []byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := root.Content[1].Value; got != want {
			t.Errorf("%s is %q, want %q", text, got, want)
		}
	}
	if _, err := canon.Parse("a.json", []byte(`{"a": "\ud83d"}`)); err == nil {
		t.Error("half a pair is accepted")
	}
}
