// Package safetext prepares texts for error messages and logs.
package safetext

import (
	"fmt"
	"strings"
	"unicode"
)

// Identifier returns at most 64 bytes of s, with every character that could forge a
// log line or hide a part of it replaced by an underscore.
func Identifier(s string) string {
	const longest = 64
	if len(s) > longest {
		s = strings.ToValidUTF8(s[:longest], "")
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.IsSpace(r) {
			return '_'
		}
		return r
	}, s)
}

// OneLine replaces control characters and invisible ones with underscores. Line
// breaks, with which errors.Join separates its errors, become semicolons.
func OneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
			return '_'
		}
		return r
	}, strings.ReplaceAll(text, "\n", "; "))
}

// Format implements fmt.Formatter for a type that prints as text under every verb.
// Without it, %+v and %#v would print the type's fields.
func Format(f fmt.State, verb rune, text string) {
	switch verb {
	case 'q':
		fmt.Fprintf(f, "%q", text)
	case 'x', 'X':
		fmt.Fprintf(f, "%"+string(verb), text)
	default:
		_, _ = f.Write([]byte(text))
	}
}
