package transport

import (
	"bytes"
	"errors"
	"html"
	"net"
	"net/http"
	"sort"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/basiq-sdk/basiq-go/internal/sdkerrors"
)

// Limits for redacting secrets in texts from servers.
const (
	minSecret  = 4  // bytes of a secret; shorter ones would occur in any text
	minPartial = 16 // bytes of a secret's prefix; some servers truncate what they echo
	maxEscape  = 34 // bytes of a truncated or named escape
	maxLayers  = 8  // passes of unescaping; repeated escaping in one language takes one pass
)

// redact replaces secrets in a text from a server: some servers echo what they
// reject. It finds a secret in every form that JSON, URLs, forms and HTML give it,
// even if these are nested.
func redact(text string, secrets ...string) string { return redactAll(text, secrets, false) }

// redactCut is redact for a truncated text: it also replaces a prefix of a secret at
// the end of the text.
func redactCut(text string, secrets ...string) string { return redactAll(text, secrets, true) }

func redactAll(text string, secrets []string, cut bool) string {
	var wanted [][]byte
	for _, s := range secrets {
		if len(s) < minSecret {
			continue
		}
		wanted = append(wanted, []byte(s))
		l := layer{text: []byte(s)}
		for range maxLayers { // unescaping the text also changes a secret that contains an escape
			if !l.unescape() {
				break
			}
		}
		if len(l.text) >= minSecret && !bytes.Equal(l.text, wanted[len(wanted)-1]) {
			wanted = append(wanted, l.text)
		}
	}
	if len(wanted) == 0 || text == "" {
		return text
	}
	var found []span
	l := layer{text: []byte(text)}
	for range maxLayers + 1 {
		for _, s := range wanted {
			found = l.find(found, s, cut)
		}
		if !l.unescape() {
			break
		}
	}
	if len(found) == 0 {
		return text
	}
	sort.Sort(byStart(found)) // slices.SortFunc would be compiled into this package
	var b strings.Builder
	copied := 0 // bytes of text that were copied or redacted
	for i, f := range found {
		if i == 0 || f.from >= copied {
			b.WriteString(text[copied:f.from])
			b.WriteString(redacted)
		}
		copied = max(copied, f.to)
	}
	b.WriteString(text[copied:])
	return b.String()
}

// span is a range of bytes in a text.
type span struct{ from, to int }

// byStart sorts spans by where they start.
type byStart []span

func (s byStart) Len() int           { return len(s) }
func (s byStart) Less(i, j int) bool { return s[i].from < s[j].from }
func (s byStart) Swap(i, j int)      { s[i], s[j] = s[j], s[i] }

// layer is a text after some passes of unescaping. It records which part of the
// original text each byte comes from.
type layer struct {
	text    []byte
	sources []span // by byte of text; nil before the first pass
}

// span returns the part of the original text that a range of bytes comes from.
func (l *layer) span(from, to int) span {
	if l.sources == nil {
		return span{from, to}
	}
	return span{l.sources[from].from, l.sources[to-1].to}
}

// find appends the positions of a secret, or of a prefix that is long enough. It
// uses the Knuth-Morris-Pratt algorithm, which takes linear time even if a server
// repeats a prefix of a secret many times.
func (l *layer) find(found []span, secret []byte, cut bool) []span {
	same := func(a, b byte) bool { // forms encode a space as a plus sign
		return a == b || (a == '+' || a == ' ') && (b == '+' || b == ' ')
	}
	border := make([]int, len(secret)+1) // by prefix length: the longest proper prefix that is also a suffix
	for i, n := 1, 0; i < len(secret); i++ {
		for n > 0 && !same(secret[i], secret[n]) {
			n = border[n]
		}
		if same(secret[i], secret[n]) {
			n++
		}
		border[i+1] = n
	}
	enough := min(len(secret), minPartial)
	n := 0 // bytes of the secret that match just before i
	last := len(found)
	for i := 0; i <= len(l.text); i++ {
		// The rest of the text may be a truncated escape.
		if left := l.text[i:]; n >= enough || cut && n >= minSecret {
			if cut && truncatedEscape(left) || n >= enough && len(left) > 0 && truncatedEscape(left) {
				found = append(found, l.span(i-n, len(l.text)))
			}
		}
		if i == len(l.text) {
			break
		}
		for n > 0 && (n == len(secret) || !same(l.text[i], secret[n])) {
			n = border[n]
		}
		if same(l.text[i], secret[n]) {
			n++
		}
		if n < enough {
			continue
		}
		at := l.span(i+1-n, i+1)
		if len(found) > last && found[len(found)-1].from == at.from {
			found[len(found)-1].to = max(found[len(found)-1].to, at.to)
		} else {
			found = append(found, at)
		}
	}
	return found
}

// truncatedEscape reports whether text is empty or could be an escape without its
// end.
func truncatedEscape(text []byte) bool {
	return len(text) == 0 || len(text) < maxEscape && bytes.IndexByte([]byte(`\%&`), text[0]) >= 0 && !bytes.ContainsAny(text, `;" `)
}

// unescape replaces every escape in the text, and reports whether the text changed.
func (l *layer) unescape() bool {
	if !bytes.ContainsAny(l.text, `\%&`) {
		return false
	}
	out := layer{text: make([]byte, 0, len(l.text)), sources: make([]span, 0, len(l.text))}
	for i := 0; i < len(l.text); {
		plain, length := unescaped(l.text[i:])
		if length == 0 {
			plain, length = l.text[i:i+1], 1
		}
		at := l.span(i, i+length)
		for range plain {
			out.sources = append(out.sources, at)
		}
		out.text = append(out.text, plain...)
		i += length
	}
	changed := !bytes.Equal(out.text, l.text)
	*l = out
	return changed
}

// unescaped decodes the escape at the start of text. It returns the decoded bytes
// and the length of the escape, or 0 if text does not start with an escape. An
// escape may have been escaped repeatedly, such as %252F.
func unescaped(text []byte) (plain []byte, length int) {
	i := 1
	switch text[0] {
	case '\\':
		for i < len(text) && text[i] == '\\' {
			i++
		}
		if plain, length = backslashEscape(text[i:]); length > 0 {
			return plain, i + length
		}
		return []byte{'\\'}, i
	case '%':
		for bytes.HasPrefix(text[i:], []byte("25")) {
			i += 2
		}
		if n, ok := digits(text[i:min(i+2, len(text))], 16); ok && len(text) >= i+2 {
			return []byte{byte(n)}, i + 2
		}
		return []byte{'%'}, i
	case '&':
		for bytes.HasPrefix(text[i:], []byte("amp;")) {
			i += len("amp;")
		}
		if plain, length = entity(text[i:]); length > 0 {
			return plain, i + length
		}
		return []byte{'&'}, i
	}
	return nil, 0
}

// backslashEscape is unescaped for the text after the backslashes.
func backslashEscape(text []byte) (plain []byte, length int) {
	unit := func(text []byte) (rune, bool) {
		if len(text) < 5 || text[0] != 'u' && text[0] != 'U' {
			return 0, false
		}
		n, ok := digits(text[1:5], 16)
		return rune(n), ok
	}
	if r, ok := unit(text); ok {
		if low := bytes.TrimLeft(text[5:min(len(text), 5+maxEscape)], `\`); utf16.IsSurrogate(r) {
			slashes := min(len(text)-5, maxEscape) - len(low)
			if second, ok := unit(low); ok && slashes > 0 {
				if both := utf16.DecodeRune(r, second); both != utf8.RuneError {
					return utf8.AppendRune(nil, both), 5 + slashes + 5
				}
			}
		}
		return utf8.AppendRune(nil, r), 5
	}
	if len(text) > 0 {
		if i := strings.IndexByte(`"/'bfnrt`, text[0]); i >= 0 {
			return []byte{"\"/'\b\f\n\r\t"[i]}, 1
		}
	}
	return nil, 0
}

// entity is unescaped for the text after an ampersand. As in browsers, numeric
// references and some names may lack their semicolon.
func entity(text []byte) (plain []byte, length int) {
	if len(text) > 1 && text[0] == '#' {
		i, base := 1, 10
		if text[1] == 'x' || text[1] == 'X' {
			i, base = 2, 16
		}
		end := i
		for end < len(text) && digit(text[end], base) {
			end++
		}
		n, ok := digits(bytes.TrimLeft(text[i:end], "0"), base)
		if !ok || n > utf8.MaxRune {
			return nil, 0
		}
		if end < len(text) && text[end] == ';' {
			end++
		}
		return utf8.AppendRune(nil, rune(n)), end
	}
	if end := bytes.IndexByte(text[:min(len(text), maxEscape)], ';'); end > 0 {
		name := "&" + string(text[:end+1])
		if s := html.UnescapeString(name); !strings.HasSuffix(s, ";") || len(s) == 1 {
			return []byte(s), end + 1
		}
	}
	for _, name := range []string{"amp", "lt", "gt", "quot"} {
		if bytes.HasPrefix(text, []byte(name)) {
			return []byte(html.UnescapeString("&" + name)), len(name)
		}
	}
	return nil, 0
}

func digit(c byte, base int) bool {
	return c >= '0' && c <= '9' || base == 16 && (c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F')
}

// digits parses a number of at most 32 bits, and reports whether text is one.
func digits(text []byte, base int) (uint64, bool) {
	for _, c := range text {
		if !digit(c, base) {
			return 0, false
		}
	}
	n, err := strconv.ParseUint(string(text), base, 32)
	return n, err == nil
}

// redactHeader returns a copy of a header with secrets redacted in values and names.
// Names are compared without case, because net/http canonicalizes them.
func redactHeader(h http.Header, secrets []string) http.Header {
	if h == nil {
		return nil
	}
	var lower []string
	for _, s := range secrets {
		lower = append(lower, strings.ToLower(s))
	}
	out := make(http.Header, len(h))
	for name, values := range h {
		if small := strings.ToLower(name); redact(small, lower...) != small {
			name = redacted
		}
		for _, v := range values {
			out[name] = append(out[name], redact(v, secrets...))
		}
		if len(values) == 0 {
			out[name] = append(out[name], values...)
		}
	}
	return out
}

// redactedError replaces an error whose text contains a secret: net/http quotes
// server data that it cannot parse.
type redactedError struct {
	text    string
	timeout bool
	causes  []error // the wrapped errors, redacted
}

// redactError returns err, or a *redactedError in its place if the text of err, or of
// an error that it wraps, contains a secret.
func redactError(err error, secrets []string) error {
	if err == nil {
		return nil
	}
	if !sdkerrors.Holds(err, func(e error) bool { text := e.Error(); return redact(text, secrets...) != text }) {
		return err
	}
	out := &redactedError{text: redact(err.Error(), secrets...)}
	var timeout net.Error
	out.timeout = errors.As(err, &timeout) && timeout.Timeout()
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		if cause := redactError(e.Unwrap(), secrets); cause != nil {
			out.causes = []error{cause}
		}
	case interface{ Unwrap() []error }:
		for _, cause := range e.Unwrap() {
			if cause = redactError(cause, secrets); cause != nil {
				out.causes = append(out.causes, cause)
			}
		}
	}
	return out
}

func (e *redactedError) Error() string { return e.text }

// Timeout reports whether the original error is a timeout.
func (e *redactedError) Timeout() bool { return e.timeout }

// Temporary is required by net.Error. It returns the same as Timeout.
func (e *redactedError) Temporary() bool { return e.timeout }

func (e *redactedError) Unwrap() []error { return e.causes }
