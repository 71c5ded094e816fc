package diag_test

import (
	"testing"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
)

func TestErrorEscapesHiddenCharacters(t *testing.T) {
	a := diag.Errorf(diag.Pos{File: "a\x1b[31m.yml", Line: 2, Col: 3}, "code", "text \u202e%s\r\u2028", "ünï").WithHint("one\ntwo\x00")
	want := "a\\x1b[31m.yml:2:3: text \\u202eünï\\r\\u2028 [code]\n\tone\n\ttwo\\x00"
	if got := a.Error(); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
