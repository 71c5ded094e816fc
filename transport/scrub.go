package transport

import (
	"bytes"
	"errors"
	"html"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/basiq-sdk/basiq-go/internal/sdkerrors"
)

// Lengths of what is taken out of a server's words.
const (
	minSecret  = 4  // bytes of a secret: a shorter one would be found in any text
	minPartial = 16 // bytes of a secret's beginning: some servers shorten what they echo
	maxEscape  = 34 // bytes of an escape that is cut off, or has a name
	maxLayers  = 8  // how often a text is unescaped; each time, one language's escapes of escapes count once
)

// redact takes the texts that a call was authorised with out of what the server
// said: some servers echo what they did not like. A secret is found in every
// spelling that JSON, URLs, forms and HTML give it, also one within the other.
func redact(text string, secrets ...string) string { return redactAll(text, secrets, false) }

// redactCut is scrub for a text that was cut off: the beginning of a secret at its
// end is taken out, too.
func redactCut(text string, secrets ...string) string { return redactAll(text, secrets, true) }

func redactAll(text string, secrets []string, cut bool) string {
	var wanted [][]byte
	for _, s := range secrets {
		if len(s) < minSecret {
			continue
		}
		wanted = append(wanted, []byte(s))
		l := layer{text: []byte(s)}
		for range maxLayers { // a secret that looks like an escape is unescaped with the text
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
	slices.SortFunc(found, func(a, b span) int { return a.from - b.from })
	var b strings.Builder
	kept := 0 // up to where text was copied
	for i, f := range found {
		if i == 0 || f.from >= kept {
			b.WriteString(text[kept:f.from])
			b.WriteString(redacted)
		}
		kept = max(kept, f.to)
	}
	b.WriteString(text[kept:])
	return b.String()
}

// span is a part of a text.
type span struct{ from, to int }

// layer is a text that was unescaped, with what each byte was made of.
type layer struct {
	text []byte
	made []span // nil if every byte stands for itself
}

// span returns the part of the original text that bytes were made of.
func (l *layer) span(from, to int) span {
	if l.made == nil {
		return span{from, to}
	}
	return span{l.made[from].from, l.made[to-1].to}
}

// find appends where a secret, or enough of its beginning, stands. It compares
// byte by byte, as Knuth, Morris and Pratt do: a server that answers with the
// beginning of a secret over and over again costs no more time than another.
func (l *layer) find(found []span, secret []byte, cut bool) []span {
	same := func(a, b byte) bool { // a plus sign is a space in a form
		return a == b || (a == '+' || a == ' ') && (b == '+' || b == ' ')
	}
	border := make([]int, len(secret)+1) // the longest beginning that is also an end
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
	n := 0 // bytes of the secret that stand before i
	last := len(found)
	for i := 0; i <= len(l.text); i++ {
		// What is left may be an escape that was cut off.
		if left := l.text[i:]; n >= enough || cut && n >= minSecret {
			if cut && halfEscape(left) || n >= enough && len(left) > 0 && halfEscape(left) {
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

// halfEscape reports whether text is empty, or the beginning of an escape and no
// more.
func halfEscape(text []byte) bool {
	return len(text) == 0 || len(text) < maxEscape && bytes.IndexByte([]byte(`\%&`), text[0]) >= 0 && !bytes.ContainsAny(text, `;" `)
}

// unescape replaces every escape in the text, and reports whether there was one.
func (l *layer) unescape() bool {
	if !bytes.ContainsAny(l.text, `\%&`) {
		return false
	}
	out := layer{text: make([]byte, 0, len(l.text)), made: make([]span, 0, len(l.text))}
	for i := 0; i < len(l.text); {
		plain, length := unescaped(l.text[i:])
		if length == 0 {
			plain, length = l.text[i:i+1], 1
		}
		at := l.span(i, i+length)
		for range plain {
			out.made = append(out.made, at)
		}
		out.text = append(out.text, plain...)
		i += length
	}
	changed := !bytes.Equal(out.text, l.text)
	*l = out
	return changed
}

// unescaped returns what the escape that text begins with stands for, and how long
// it is; 0 if text begins with none. Escapes of the escaping character itself, as
// repeated escaping makes them, belong to it.
func unescaped(text []byte) (plain []byte, length int) {
	i := 1
	switch text[0] {
	case '\\':
		for i < len(text) && text[i] == '\\' {
			i++
		}
		if plain, length = unslashed(text[i:]); length > 0 {
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

// unslashed is unescaped for what stands after backslashes.
func unslashed(text []byte) (plain []byte, length int) {
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

// entity is unescaped for what stands after an ampersand. Browsers take a number,
// and some names, also without a semicolon.
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

// digits reads digits alone.
func digits(text []byte, base int) (uint64, bool) {
	for _, c := range text {
		if !digit(c, base) {
			return 0, false
		}
	}
	n, err := strconv.ParseUint(string(text), base, 32)
	return n, err == nil
}

// redactHeader returns a header without secrets, in its names too: net/http changes
// the case of those.
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

// scrubbedError stands for an error that holds a secret: net/http quotes what a
// server sent and it could not read.
type scrubbedError struct {
	text    string
	timeout bool
	causes  []error // what it wraps, scrubbed
}

// scrubError returns err, or what is left of it without secrets.
func scrubError(err error, secrets []string) error {
	if err == nil {
		return nil
	}
	if !sdkerrors.Holds(err, func(e error) bool { text := e.Error(); return redact(text, secrets...) != text }) {
		return err
	}
	out := &scrubbedError{text: redact(err.Error(), secrets...)}
	var timeout net.Error
	out.timeout = errors.As(err, &timeout) && timeout.Timeout()
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		if cause := scrubError(e.Unwrap(), secrets); cause != nil {
			out.causes = []error{cause}
		}
	case interface{ Unwrap() []error }:
		for _, cause := range e.Unwrap() {
			if cause = scrubError(cause, secrets); cause != nil {
				out.causes = append(out.causes, cause)
			}
		}
	}
	return out
}

func (e *scrubbedError) Error() string { return e.text }

// Timeout reports whether the error that it stands for is a timeout.
func (e *scrubbedError) Timeout() bool { return e.timeout }

// Temporary makes it a net.Error.
func (e *scrubbedError) Temporary() bool { return e.timeout }

func (e *scrubbedError) Unwrap() []error { return e.causes }
