package wire

import (
	"math/bits"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth is the maximum nesting depth. It is that of encoding/json.
const maxDepth = 10000

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080

	// With these bits changed, a quote and the control characters are the characters up to
	// the space.
	swapped = ones * (' ' ^ '"')
	spaces  = ones * (' ' + 1)
	slashes = ones * '\\'
)

// load returns the eight bytes of s from i on, the first in the lowest bits. It compiles to
// one load instruction.
func load(s string, i int) uint64 {
	s = s[i : i+8]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// loadHalf returns the four bytes of s from i on.
func loadHalf(s string, i int) uint32 {
	s = s[i : i+4]
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

// stops sets the highest bit of the bytes of w at which a scan of a string must stop:
// quotes, backslashes and control characters. Only the lowest set bit is reliable; higher
// ones may be caused by a borrow.
func stops(w uint64) uint64 { return (((w ^ swapped) - spaces) | ((w ^ slashes) - ones)) & ^w & highs }

// marks is stops that also stops at non-ASCII bytes.
func marks(w uint64) uint64 { return (((w ^ swapped) - spaces) | ((w ^ slashes) - ones) | w) & highs }

// peek skips white space and returns the byte that follows, or 0 at the end.
func (d *Decoder) peek() byte {
	if d.pos < len(d.s) {
		if c := d.s[d.pos]; c > ' ' {
			return c
		}
	}
	return d.peekSpace()
}

func (d *Decoder) peekSpace() byte {
	for d.pos < len(d.s) {
		switch c := d.s[d.pos]; c {
		case ' ', '\t', '\r', '\n':
			d.pos++
		default:
			return c
		}
	}
	return 0
}

// fail records the first syntax error, and moves to the end of the text, where every loop
// ends.
func (d *Decoder) fail(at int, msg string) {
	if d.err == nil {
		if at >= len(d.s) {
			at, msg = len(d.s), "unexpected end of text"
		}
		d.err = &SyntaxError{Offset: int64(at), Path: d.path(at), Msg: msg}
	}
	d.stop()
}

func (d *Decoder) stop() {
	d.pos = len(d.s)
	d.flag = 0
}

// str reads the string at pos, whose quote has been checked. The result is a substring of
// the text, unless the string contains escapes or invalid UTF-8.
func (d *Decoder) str() string {
	s, start := d.s, d.pos+1
	if start < 0 {
		return "" // never: the compiler then needs no bounds checks
	}
	i := start
	for ; i < len(s)-(word-1); i += word {
		if mark := marks(load(s, i)); mark != 0 {
			if i += bits.TrailingZeros64(mark) / 8; s[i] == '"' {
				d.pos = i + 1
				return s[start:i]
			}
			break
		}
	}
	return d.strSlow(start, i)
}

// strSlow reads the rest of a string that contains more than plain ASCII, or that is at the
// end of the text.
func (d *Decoder) strSlow(start, i int) string {
	end, escaped, ok := d.endOfString(i)
	if !ok {
		return ""
	}
	d.pos = end + 1
	s := d.s[start:end]
	if !escaped && utf8.ValidString(s) {
		return s
	}
	return unescape(s)
}

// endOfString returns the index of the closing quote from i on, and whether there are
// escapes before it. It detects all errors in strings.
func (d *Decoder) endOfString(i int) (end int, escaped, ok bool) {
	s := d.s
	for i < len(s) {
		if i+8 <= len(s) {
			mark := stops(load(s, i))
			if mark == 0 {
				i += 8
				continue
			}
			i += bits.TrailingZeros64(mark) / 8
		}
		switch c := s[i]; {
		case c == '"':
			return i, escaped, true
		case c == '\\':
			escaped = true
			n := escapeLen(s, i)
			if n == 0 {
				d.fail(min(i+1, len(s)), "invalid escape in string")
				return 0, false, false
			}
			i += n
		case c < ' ':
			d.fail(i, "control character in string")
			return 0, false, false
		default:
			i++
		}
	}
	d.fail(len(s), "")
	return 0, false, false
}

// escapeLen returns the length of the escape at i, or 0 if it is not valid.
func escapeLen(s string, i int) int {
	if i+1 >= len(s) {
		return 0
	}
	switch s[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if i+6 <= len(s) && hex4(s[i+2:i+6]) >= 0 {
			return 6
		}
	}
	return 0
}

// hex4 returns the value of four hexadecimal digits, or -1.
func hex4(s string) rune {
	var r rune
	for i := range 4 {
		c := s[i]
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

// unescape returns the content of a valid string. Lone surrogates and invalid UTF-8 become
// U+FFFD, as in encoding/json.
func unescape(s string) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '\\':
			switch c = s[i+1]; c {
			case 'u':
				r := hex4(s[i+2 : i+6])
				i += 6
				if utf16.IsSurrogate(r) {
					var second rune
					if i+6 <= len(s) && s[i] == '\\' && s[i+1] == 'u' {
						second = hex4(s[i+2 : i+6])
					}
					if r = utf16.DecodeRune(r, second); r != utf8.RuneError {
						i += 6
					}
				}
				b = utf8.AppendRune(b, r)
				continue
			case 'b':
				c = '\b'
			case 'f':
				c = '\f'
			case 'n':
				c = '\n'
			case 'r':
				c = '\r'
			case 't':
				c = '\t'
			}
			b = append(b, c)
			i += 2
		case c < utf8.RuneSelf:
			b = append(b, c)
			i++
		default:
			r, size := utf8.DecodeRuneInString(s[i:])
			b = utf8.AppendRune(b, r)
			i += size
		}
	}
	return string(b)
}

// number reads the number at pos and returns its text.
func (d *Decoder) number() string {
	s, start := d.s, d.pos
	i := start
	if i < len(s) && s[i] == '-' {
		i++
	}
	switch {
	case i < len(s) && s[i] == '0':
		i++
	case i < len(s) && '1' <= s[i] && s[i] <= '9':
		i = digits(s, i)
	default:
		if i == start {
			d.fail(i, "want a value")
		} else {
			d.fail(i, "want a digit in a number")
		}
		return ""
	}
	if i < len(s) && s[i] == '.' {
		frac := i + 1
		if i = digits(s, frac); i == frac {
			d.fail(i, "want a digit in a number")
			return ""
		}
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		exp := i
		if i = digits(s, exp); i == exp {
			d.fail(i, "want a digit in a number")
			return ""
		}
	}
	d.pos = i
	return s[start:i]
}

func digits(s string, i int) int {
	for i < len(s) && '0' <= s[i] && s[i] <= '9' {
		i++
	}
	return i
}

// literal reads true, false or null, whose first letter has been checked.
func (d *Decoder) literal(word string) bool {
	if strings.HasPrefix(d.s[d.pos:], word) {
		d.pos += len(word)
		return true
	}
	i := 0
	for d.pos+i < len(d.s) && d.s[d.pos+i] == word[i] {
		i++
	}
	d.fail(d.pos+i, "invalid literal, want "+word)
	return false
}

// skip skips any value.
func (d *Decoder) skip() {
	switch c := d.peek(); c {
	case '"':
		d.skipString()
	case '{':
		d.skipObject()
	case '[':
		for more := d.openArray(); more; more = d.nextItem() {
			d.skip()
		}
	case 't':
		d.literal("true")
	case 'f':
		d.literal("false")
	case 'n':
		d.literal("null")
	default:
		d.number()
	}
}

// skipString skips the string at pos. Almost all strings end in its own loop: in that of
// endOfString, which also looks for escapes, skipping takes about a third longer.
func (d *Decoder) skipString() {
	s, i := d.s, d.pos+1
	if i < 0 {
		return // never: see str
	}
	for ; i < len(s)-(word-1); i += word {
		if stop := stops(load(s, i)); stop != 0 {
			if i += bits.TrailingZeros64(stop) / 8; s[i] == '"' {
				d.pos = i + 1
				return
			}
			break
		}
	}
	if end, _, ok := d.endOfString(i); ok {
		d.pos = end + 1
	}
}

func (d *Decoder) skipObject() {
	if !d.enter() {
		return
	}
	if d.peek() == '}' {
		d.leave()
		return
	}
	for {
		if d.peek() != '"' {
			d.fail(d.pos, "want a member name")
			return
		}
		d.skipString()
		if !d.colon() {
			return
		}
		d.skip()
		switch d.peek() {
		case ',':
			d.pos++
		case '}':
			d.leave()
			return
		default:
			d.fail(d.pos, "want a comma or the end of the object")
			return
		}
	}
}

// colon reads the colon after a member name, and moves to the value.
func (d *Decoder) colon() bool {
	if at := d.pos + 1; at > 0 && at < len(d.s) && d.s[at-1] == ':' && d.s[at] > ' ' {
		d.pos = at
		return true
	}
	if d.peek() != ':' {
		d.fail(d.pos, "want a colon after a member name")
		return false
	}
	d.pos++
	d.peek()
	return true
}

// enter steps over an opening bracket or brace.
func (d *Decoder) enter() bool {
	if d.depth >= maxDepth {
		d.fail(d.pos, "nested too deeply")
		return false
	}
	d.depth++
	d.pos++
	return true
}

// leave steps over a closing bracket or brace.
func (d *Decoder) leave() {
	d.depth--
	d.pos++
}

// openArray steps into the array at pos, and reports whether it has an item.
func (d *Decoder) openArray() bool {
	if !d.enter() {
		return false
	}
	switch d.peek() {
	case ']':
		d.leave()
		return false
	case 0:
		d.fail(d.pos, "want a value")
		return false
	}
	return true
}

// nextItem steps from the end of an item to the next one, or out of the array.
func (d *Decoder) nextItem() bool {
	switch d.peek() {
	case ',':
		d.pos++
		d.peek()
		return true
	case ']':
		d.leave()
		return false
	}
	d.fail(d.pos, "want a comma or the end of the array")
	return false
}
