package transport

import (
	"fmt"
	"html"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
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

// Lengths of what is taken out of a server's words.
const (
	minSecret  = 4  // bytes of a secret: a shorter one would be found in any text
	maxSlashes = 64 // backslashes of one escape: a text of nothing else would take long
	minPartial = 16 // bytes of a secret's beginning: some servers shorten what they echo
)

// scrub takes the texts that a call was authorised with out of what the server
// said: some servers echo what they did not like. A secret is found in every
// spelling that JSON, URLs and HTML give it, however often it was escaped.
func scrub(text string, secrets ...string) string { return scrubAll(text, secrets, false) }

// scrubCut is scrub for a text that was cut off: the beginning of a secret at its
// end is taken out, too.
func scrubCut(text string, secrets ...string) string { return scrubAll(text, secrets, true) }

func scrubAll(text string, secrets []string, cut bool) string {
	for _, s := range secrets {
		if len(s) >= minSecret {
			text = scrubOne(text, s, cut)
		}
	}
	return text
}

func scrubOne(text, secret string, cut bool) string {
	var b strings.Builder
	kept := 0 // up to where text was copied
	for i := 0; i < len(text); {
		n, read := echoed(text[i:], secret)
		if n < len(secret) && n < minPartial && (!cut || n < minSecret || i+read < len(text)) {
			i++
			continue
		}
		b.WriteString(text[kept:i])
		b.WriteString(redacted)
		i += read
		kept = i
	}
	if kept == 0 {
		return text
	}
	b.WriteString(text[kept:])
	return b.String()
}

// echoed returns how many bytes of the secret text begins with, and how many
// bytes of text spell them.
func echoed(text, secret string) (n, read int) {
	for n < len(secret) {
		r, size := utf8.DecodeRuneInString(secret[n:])
		length := spelled(text[read:], r, secret[n:n+size])
		if length == 0 {
			if halfSpelled(text[read:]) {
				read = len(text)
			}
			break
		}
		n, read = n+size, read+length
	}
	return n, read
}

// spelled returns how many bytes of text spell a character: as it is, or in an
// escape of JSON, of URLs or of HTML; 0 if text begins with something else.
func spelled(text string, r rune, plain string) int {
	switch {
	case text == "":
		return 0
	case text[0] == '\\':
		slashes := 1
		for slashes < min(len(text), maxSlashes) && text[slashes] == '\\' {
			slashes++
		}
		if length := unslashed(text[slashes:], r); length > 0 {
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
		if len(escaped) == len(plain) { // it needs no escape, and has one
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

// unslashed is spelled for what stands after backslashes.
func unslashed(text string, r rune) int {
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

// halfSpelled reports whether text is the beginning of an escape, and no more.
func halfSpelled(text string) bool {
	const longest = 12
	return text != "" && len(text) < longest && strings.IndexByte(`\%&`, text[0]) >= 0 && !strings.ContainsAny(text, `;" `)
}

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
