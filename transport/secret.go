package transport

import (
	"fmt"
	"strings"
	"unicode"
)

// secret holds a text that must not be printed. It is a closure, because a
// value in a field, even an unexported one of a redacting type, is reached by
// fmt's verbs and by reflection.
type secret func() string

func newSecret(s string) secret { return func() string { return s } }

// Format prints a placeholder under every verb.
func (secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[redacted]")) }

// headerValue tells whether a text can stand in a header: one line, no controls.
func headerValue(s string) bool {
	return !strings.ContainsFunc(s, unicode.IsControl)
}
