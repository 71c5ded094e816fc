package jsonpath

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Bounds of a path. They are far above what an overlay needs, and keep both
// reading and evaluating cheap whatever the path and the document.
const (
	maxLength     = 4096
	maxDescents   = 3
	maxFilters    = 3  // a filter within a filter within a filter
	maxFunctions  = 3  // a call within a call within a call
	maxParens     = 16 // parentheses and negations within each other
	maxSafeNumber = 1<<53 - 1
)

type parser struct {
	text     string
	pos      int
	descents int
	filters  int
	calls    int
	parens   int
}

func parse(text string) (segments []segment, err error) {
	p := &parser{text: text}
	if len(text) > maxLength {
		return nil, p.failAt(0, "longer than %d bytes", maxLength)
	}
	if !utf8.ValidString(text) {
		return nil, p.failAt(0, "not valid UTF-8")
	}
	if !p.eat("$") {
		return nil, p.fail("a path starts with '$'")
	}
	segments, err = p.segments()
	if err != nil {
		return nil, err
	}
	if p.pos < len(text) {
		return nil, p.unexpected("a segment: '.name', '[…]' or '..'")
	}
	return segments, nil
}

func (p *parser) failAt(pos int, format string, args ...any) error {
	return &SyntaxError{Text: p.text, Offset: pos, Reason: fmt.Sprintf(format, args...)}
}

func (p *parser) fail(format string, args ...any) error { return p.failAt(p.pos, format, args...) }

// unexpected says what stands where want was wanted.
func (p *parser) unexpected(want string) error {
	if p.pos >= len(p.text) {
		return p.fail("the path ends where %s should follow", want)
	}
	r, _ := utf8.DecodeRuneInString(p.text[p.pos:])
	if r == '-' && p.pos > 0 && isNameChar(rune(p.text[p.pos-1])) {
		return p.fail("a name with '-' in it must be quoted: ['x-name']")
	}
	if r == '=' {
		return p.fail("a comparison is written '=='")
	}
	return p.fail("%q where %s should stand", r, want)
}

func (p *parser) peek() byte {
	if p.pos < len(p.text) {
		return p.text[p.pos]
	}
	return 0
}

func (p *parser) eat(s string) bool {
	if !strings.HasPrefix(p.text[p.pos:], s) {
		return false
	}
	p.pos += len(s)
	return true
}

func (p *parser) space() {
	for p.pos < len(p.text) && strings.IndexByte(" \t\n\r", p.text[p.pos]) >= 0 {
		p.pos++
	}
}

// segments reads as many segments as there are.
func (p *parser) segments() ([]segment, error) {
	var list []segment
	for {
		start := p.pos
		p.space()
		if c := p.peek(); c != '.' && c != '[' {
			p.pos = start
			return list, nil
		}
		s, err := p.segment()
		if err != nil {
			return nil, err
		}
		s.start, s.end = start, p.pos
		list = append(list, s)
	}
}

func (p *parser) segment() (s segment, err error) {
	if p.peek() == '[' {
		s.selectors, err = p.brackets()
		return s, err
	}
	if p.eat("..") {
		if p.descents++; p.descents > maxDescents {
			return s, p.fail("more than %d descendant segments", maxDescents)
		}
		s.descendant = true
		if p.peek() == '[' {
			s.selectors, err = p.brackets()
			return s, err
		}
	} else {
		p.pos++ // the caller saw the dot
	}
	if p.eat("*") {
		s.selectors = []selector{{kind: selectWildcard, text: "*"}}
		return s, nil
	}
	name := p.shorthand()
	if name == "" {
		return s, p.unexpected("a member name or '*'")
	}
	s.selectors = []selector{nameSelector(name)}
	return s, nil
}

func (p *parser) shorthand() string {
	start := p.pos
	for p.pos < len(p.text) {
		r, size := utf8.DecodeRuneInString(p.text[p.pos:])
		if !isNameChar(r) || p.pos == start && r >= '0' && r <= '9' {
			break
		}
		p.pos += size
	}
	return p.text[start:p.pos]
}

func isNameChar(r rune) bool {
	return r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r >= 0x80
}

func nameSelector(name string) selector {
	return selector{kind: selectName, name: name, text: quote(name)}
}

// quote renders a string as the library's tokenizer reads it: it takes any
// byte as it is, except the quote and the backslash.
func quote(s string) string {
	return "'" + quoter.Replace(s) + "'"
}

var quoter = strings.NewReplacer(`\`, `\\`, `'`, `\'`)

func (p *parser) brackets() ([]selector, error) {
	p.pos++ // the caller saw the bracket
	var list []selector
	for {
		p.space()
		start := p.pos
		s, err := p.selector()
		if err != nil {
			return nil, err
		}
		list = append(list, s)
		if err := p.checkUnion(list, start); err != nil {
			return nil, err
		}
		p.space()
		if p.eat("]") {
			return list, nil
		}
		if !p.eat(",") {
			return nil, p.unexpected("',' or ']'")
		}
	}
}

// checkUnion refuses selectors that could select one node twice. RFC 9535
// allows them, but their results multiply from segment to segment.
func (p *parser) checkUnion(list []selector, start int) error {
	if len(list) == 1 {
		return nil
	}
	last := list[len(list)-1]
	for _, s := range list[:len(list)-1] {
		switch {
		case s.kind > selectIndex || last.kind > selectIndex:
			return p.failAt(start, "a wildcard, slice or filter must stand alone in its brackets")
		case s.text == last.text:
			return p.failAt(start, "%s stands twice in the same brackets", last.text)
		case s.kind == selectIndex && last.kind == selectIndex && s.index < 0 != (last.index < 0):
			return p.failAt(start, "indexes from the start and from the end cannot share brackets")
		}
	}
	return nil
}

func (p *parser) selector() (selector, error) {
	switch c := p.peek(); {
	case c == '\'' || c == '"':
		name, err := p.stringLiteral()
		return nameSelector(name), err
	case c == '*':
		p.pos++
		return selector{kind: selectWildcard, text: "*"}, nil
	case c == '?':
		p.pos++
		if p.filters++; p.filters > maxFilters {
			return selector{}, p.fail("filters nested more than %d deep", maxFilters)
		}
		text, err := p.or()
		p.filters--
		return selector{kind: selectFilter, text: "?" + text}, err
	case c == ':' || c == '-' || c >= '0' && c <= '9':
		return p.indexOrSlice()
	}
	return selector{}, p.unexpected("a quoted name, an index, a slice, '*' or a filter")
}

func (p *parser) indexOrSlice() (selector, error) {
	var parts []string
	var index int64
	for {
		part := ""
		if p.peek() != ':' && p.peek() != ']' && p.peek() != ',' {
			n, err := p.integer()
			if err != nil {
				return selector{}, err
			}
			index, part = n, strconv.FormatInt(n, 10)
		}
		parts = append(parts, part)
		before := p.pos
		p.space()
		if len(parts) == 3 || !p.eat(":") {
			p.pos = before
			break
		}
		p.space()
	}
	if len(parts) == 1 {
		return selector{kind: selectIndex, index: index, text: parts[0]}, nil
	}
	return selector{kind: selectSlice, text: strings.Join(parts, ":")}, nil
}

// integer reads an index: no leading zero, no "-0", within the range that
// every JSON implementation keeps exactly.
func (p *parser) integer() (int64, error) {
	start := p.pos
	p.eat("-")
	p.digits()
	text := p.text[start:p.pos]
	digits := strings.TrimPrefix(text, "-")
	if digits == "" {
		return 0, p.unexpected("an integer")
	}
	if digits[0] == '0' && text != "0" {
		return 0, p.failAt(start, "%s is no index: it has a leading zero", text)
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n > maxSafeNumber || n < -maxSafeNumber {
		return 0, p.failAt(start, "%s is outside the range of exact integers", text)
	}
	return n, nil
}

// digits skips decimal digits and returns where they end.
func (p *parser) digits() int {
	for c := p.peek(); c >= '0' && c <= '9'; c = p.peek() {
		p.pos++
	}
	return p.pos
}

// stringLiteral reads a quoted string and returns what it stands for.
func (p *parser) stringLiteral() (string, error) {
	start := p.pos
	quote := p.text[p.pos]
	p.pos++
	var b strings.Builder
	for p.pos < len(p.text) {
		c := p.text[p.pos]
		switch {
		case c == quote:
			p.pos++
			return b.String(), nil
		case c < 0x20:
			return "", p.fail("a control character must be written as an escape")
		case c == '\\':
			p.pos++
			if err := p.escape(&b, quote); err != nil {
				return "", err
			}
		default:
			b.WriteByte(c)
			p.pos++
		}
	}
	return "", p.failAt(start, "a quote that is not closed")
}

func (p *parser) escape(b *strings.Builder, quote byte) error {
	c := p.peek()
	if c == quote {
		b.WriteByte(c)
		p.pos++
		return nil
	}
	const escapes = "bfnrt/\\"
	if i := strings.IndexByte(escapes, c); i >= 0 && c != 0 {
		b.WriteByte("\b\f\n\r\t/\\"[i])
		p.pos++
		return nil
	}
	if c != 'u' {
		return p.fail("an unknown escape")
	}
	r, err := p.hex4()
	if err != nil {
		return err
	}
	if utf16.IsSurrogate(r) {
		low := rune(0)
		if strings.HasPrefix(p.text[p.pos:], `\u`) {
			p.pos++
			if low, err = p.hex4(); err != nil {
				return err
			}
		}
		if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
			return p.fail("half a surrogate pair")
		}
	}
	b.WriteRune(r)
	return nil
}

// hex4 reads the 'u' of an escape and its four digits.
func (p *parser) hex4() (rune, error) {
	p.pos++
	if p.pos+4 > len(p.text) {
		return 0, p.fail("\\u takes four hexadecimal digits")
	}
	n, err := strconv.ParseUint(p.text[p.pos:p.pos+4], 16, 16)
	if err != nil {
		return 0, p.fail("\\u takes four hexadecimal digits")
	}
	p.pos += 4
	return rune(n), nil
}
