package main

import (
	"strings"
	"testing"
)

// TestNothingSteersTheTerminal writes control and direction characters, whole
// and in pieces.
func TestNothingSteersTheTerminal(t *testing.T) {
	const text = "a\x1b[31mred\x07 \u202eleft\u2066 \u009b2J ünï €\ttab\nnext"
	const want = "a\\x1b[31mred\\a \\u202eleft\\u2066 \\u009b2J ünï €\ttab\nnext"
	for _, size := range []int{len(text), 1, 2, 3} {
		var b strings.Builder
		w := &visibleWriter{w: &b}
		for i := 0; i < len(text); i += size {
			part := text[i:min(i+size, len(text))]
			if n, err := w.Write([]byte(part)); n != len(part) || err != nil {
				t.Fatal(n, err)
			}
		}
		if b.String() != want {
			t.Errorf("in pieces of %d: %q, want %q", size, b.String(), want)
		}
	}
}
