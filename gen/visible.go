package main

import (
	"io"
	"unicode/utf8"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
)

// visibleWriter escapes characters that would steer a terminal or reorder what
// it shows. Much of what is printed comes from descriptions that others write.
type visibleWriter struct {
	w    io.Writer
	rest []byte // the beginning of a character whose end was not written yet
}

// Write writes data, but for the beginning of a character at its end.
func (v *visibleWriter) Write(data []byte) (int, error) {
	all := append(v.rest, data...)
	end := len(all)
	for i := max(0, len(all)-utf8.UTFMax+1); i < len(all); i++ {
		if utf8.RuneStart(all[i]) && !utf8.FullRune(all[i:]) {
			end = i
			break
		}
	}
	v.rest = append([]byte(nil), all[end:]...)
	if _, err := io.WriteString(v.w, diag.Visible(string(all[:end]))); err != nil {
		return 0, err
	}
	return len(data), nil
}
