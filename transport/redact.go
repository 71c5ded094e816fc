package transport

import (
	"fmt"
	"strings"

	"github.com/basiq-sdk/basiq-go/internal/safetext"
)

// secret holds a text that must not be printed. It is a closure, because fmt and
// reflection can read a value in any field, even an unexported one of a type that
// redacts itself. A closure prints at most as an address.
type secret func() string

const redacted = "[redacted]"

func newSecret(s string) secret { return func() string { return s } }

// reveal returns the text, or "" for a nil secret.
func (s secret) reveal() string {
	if s == nil {
		return ""
	}
	return s()
}

// Format prints a placeholder under every verb.
func (secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// withoutUserinfo redacts user names and passwords in URLs, such as the URL of a proxy in
// an error of net/http.
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

// safeErrorText returns the text of an error of the HTTP client, without URLs' user
// information and quoted parts. net/http quotes server data that it cannot parse, and
// servers echo what was sent to them.
func safeErrorText(err error) string {
	const longest = 1000
	text := safetext.OneLine(withoutUserinfo(withoutQuoted(err.Error())))
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + "…"
	}
	return text
}

// withoutQuoted redacts everything in double quotes.
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

// codeLike reports whether a text is a code or a name, rather than a sentence, which may
// contain anything.
func codeLike(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("._-[]", c) >= 0) {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

// headerValue reports whether a text is a valid header value: one line without control
// characters.
func headerValue(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' && s[i] != '\t' || s[i] == 0x7f {
			return false
		}
	}
	return true
}

// headerName reports whether a text is a valid header name.
func headerName(s string) bool {
	const token = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	for i := range len(s) {
		if strings.IndexByte(token, s[i]) < 0 {
			return false
		}
	}
	return s != ""
}
