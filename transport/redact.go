package transport

import (
	"fmt"
	"strings"
	"unicode"
)

// secret holds a text that must not be printed. It is a closure, because a
// value in a field, even an unexported one of a redacting type, is reached by
// fmt's verbs and by reflection. A closure prints as an address at most.
type secret func() string

const redacted = "[redacted]"

func newSecret(s string) secret { return func() string { return s } }

// reveal returns the text, "" of no secret.
func (s secret) reveal() string {
	if s == nil {
		return ""
	}
	return s()
}

// Format prints a placeholder under every verb.
func (secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// withoutUserinfo takes names and passwords out of addresses in a text, such as
// that of a proxy in an error of net/http.
func withoutUserinfo(text string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, "://")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString("://")
		end := strings.IndexAny(after, "/?#\" \t\n")
		if end < 0 {
			end = len(after)
		}
		if at := strings.LastIndexByte(after[:end], '@'); at >= 0 {
			b.WriteString(redacted)
			after = after[at:]
		}
		text = after
	}
}

// told is what may be said of an error that comes from below: net/http quotes
// what a server sent and it could not read, and servers echo what they were sent.
func told(err error) string {
	const longest = 1000
	text := oneLine(withoutUserinfo(withoutQuoted(err.Error())))
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + "…"
	}
	return text
}

// oneLine replaces what could forge a log line or hide a part of it. Lines, which
// errors.Join puts its errors on, are joined by semicolons.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
			return '_'
		}
		return r
	}, strings.ReplaceAll(text, "\n", "; "))
}

// withoutQuoted takes out what stands in double quotes.
func withoutQuoted(text string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, `"`)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString(redacted)
		end := 0
		for end < len(after) && after[end] != '"' {
			if after[end] == '\\' {
				end++
			}
			end++
		}
		if end >= len(after) {
			return b.String()
		}
		text = after[end+1:]
	}
}

// printable keeps identifiers and drops what could forge a log line.
func printable(s string) string {
	if len(s) > 64 {
		s = s[:64]
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.IsSpace(r) {
			return '_'
		}
		return r
	}, s)
}

// codeLike tells whether a text is a code or a name, as against a sentence:
// what a server says in words may have anything in it.
func codeLike(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("._-[]", c) >= 0) {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

// headerValue tells whether a text can stand in a header: one line, no controls.
func headerValue(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' && s[i] != '\t' || s[i] == 0x7f {
			return false
		}
	}
	return true
}

// headerName tells whether a text is the name of a header.
func headerName(s string) bool {
	const token = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	for i := range len(s) {
		if strings.IndexByte(token, s[i]) < 0 {
			return false
		}
	}
	return s != ""
}
