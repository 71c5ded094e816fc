package transport

import (
	"fmt"
	"html"
	"net/url"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

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

// Lengths for redacting secrets in texts from servers.
const (
	minSecret  = 4  // bytes of a secret; shorter ones would occur in any text
	maxSlashes = 64 // backslashes of one escape; limits the time for a text of backslashes
	minPartial = 16 // bytes of a secret's prefix; some servers truncate what they echo
)

// redact replaces secrets in a text from a server: some servers echo what they reject.
// It finds a secret in every form that JSON, URLs and HTML give it, however often it
// was escaped.
func redact(text string, secrets ...string) string { return redactAll(text, secrets, false) }

// redactCut is redact for a truncated text: it also replaces a prefix of a secret at the
// end of the text.
func redactCut(text string, secrets ...string) string { return redactAll(text, secrets, true) }

func redactAll(text string, secrets []string, cut bool) string {
	for _, s := range secrets {
		if len(s) >= minSecret {
			text = redactOne(text, s, cut)
		}
	}
	return text
}

func redactOne(text, secret string, cut bool) string {
	var b strings.Builder
	copied := 0 // bytes of text that were processed
	for i := 0; i < len(text); {
		n, read := matchSecret(text[i:], secret)
		if n < len(secret) && n < minPartial && (!cut || n < minSecret || i+read < len(text)) {
			i++
			continue
		}
		b.WriteString(text[copied:i])
		b.WriteString(redacted)
		i += read
		copied = i
	}
	if copied == 0 {
		return text
	}
	b.WriteString(text[copied:])
	return b.String()
}

// matchSecret returns how many bytes of the secret are at the start of text, and how
// many bytes of text they take, with their escapes.
func matchSecret(text, secret string) (n, read int) {
	for n < len(secret) {
		r, size := utf8.DecodeRuneInString(secret[n:])
		length := matchRune(text[read:], r, secret[n:n+size])
		if length == 0 {
			if incompleteEscape(text[read:]) {
				read = len(text)
			}
			break
		}
		n, read = n+size, read+length
	}
	return n, read
}

// matchRune returns the length of a character at the start of text, as it is or as an
// escape of JSON, URLs or HTML, or 0 if text starts with something else.
func matchRune(text string, r rune, plain string) int {
	switch {
	case text == "":
		return 0
	case text[0] == '\\':
		slashes := 1
		for slashes < min(len(text), maxSlashes) && text[slashes] == '\\' {
			slashes++
		}
		if length := matchBackslashEscape(text[slashes:], r); length > 0 {
			return slashes + length
		}
		if r == '\\' {
			return slashes
		}
		return 0
	case strings.HasPrefix(text, plain):
		return len(plain)
	case text[0] == '%':
		escaped := url.PathEscape(plain)
		if len(escaped) == len(plain) { // the character needs no escape, but may have one
			escaped = fmt.Sprintf("%%%02X", plain)
		}
		if len(text) >= len(escaped) && strings.EqualFold(text[:len(escaped)], escaped) {
			return len(escaped)
		}
	case text[0] == '&':
		if end := strings.IndexByte(text[:min(len(text), 12)], ';'); end > 0 && html.UnescapeString(text[:end+1]) == plain {
			return end + 1
		}
	case text[0] == '+' && r == ' ':
		return 1
	}
	return 0
}

// matchBackslashEscape is matchRune for a text that follows backslashes.
func matchBackslashEscape(text string, r rune) int {
	if text == "" {
		return 0
	}
	if text[0] == 'u' {
		length := 5
		units := utf16.AppendRune(nil, r)
		want := fmt.Sprintf("u%04x", units[0])
		if len(units) == 2 {
			want += fmt.Sprintf(`\u%04x`, units[1])
			length = len(want)
		}
		if len(text) >= length && strings.EqualFold(text[:length], want) {
			return length
		}
		return 0
	}
	if i := strings.IndexByte(`"/'bfnrt`, text[0]); i >= 0 && r == rune("\"/'\b\f\n\r\t"[i]) {
		return 1
	}
	return 0
}

// incompleteEscape reports whether text is a proper prefix of an escape.
func incompleteEscape(text string) bool {
	const longest = 12
	return text != "" && len(text) < longest && strings.IndexByte(`\%&`, text[0]) >= 0 && !strings.ContainsAny(text, `;" `)
}

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
