// Package jsontree holds JSON documents with their members in order, for
// commands that print the API's responses.
package jsontree

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// Value is a JSON value.
type Value struct {
	Members []Member // of an object
	Items   []*Value // of an array
	kind    byte     // '{', '[', '"' or 'v' for any other value
	text    string   // of a string, decoded; or the literal of any other value
}

// Member is a member of an object.
type Member struct {
	Name  string
	Value *Value
}

// Of encodes a Go value and parses the result.
func Of(v any) (*Value, error) {
	if tree, ok := v.(*Value); ok {
		return tree, nil
	}
	if row, ok := v.(wire.Value); ok && !reflect.ValueOf(v).IsNil() {
		return Parse(wire.Append(nil, row)) // as encoding/json does, with two copies less
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return Parse(b.Bytes())
}

// maxDepth is the deepest nesting that Parse accepts.
const maxDepth = 1000

// Parse parses one JSON document.
func Parse(data []byte) (*Value, error) {
	var whole json.RawMessage
	if err := json.Unmarshal(data, &whole); err != nil {
		return nil, err
	}
	p := parser{data: data}
	return p.value(0)
}

// parser parses valid JSON. It is many times faster than json.Decoder.Token, which a list
// of thousands of rows shows.
type parser struct {
	data []byte
	at   int
}

// next returns the first byte that is not white space, without advancing beyond it.
func (p *parser) next() byte {
	for strings.IndexByte(" \t\r\n", p.data[p.at]) >= 0 {
		p.at++
	}
	return p.data[p.at]
}

func (p *parser) value(depth int) (*Value, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("the JSON is nested more than %d levels deep", maxDepth)
	}
	switch c := p.next(); c {
	case '{', '[':
		return p.collection(c, depth)
	case '"':
		return String(p.text()), nil
	}
	from := p.at
	for p.at < len(p.data) && strings.IndexByte(" \t\r\n,]}", p.data[p.at]) < 0 {
		p.at++
	}
	return &Value{kind: 'v', text: string(p.data[from:p.at])}, nil
}

// collection parses an object or an array.
func (p *parser) collection(kind byte, depth int) (*Value, error) {
	v := &Value{kind: kind}
	p.at++
	for {
		c := p.next()
		if c == ',' {
			p.at++
			c = p.next()
		}
		if c == '}' || c == ']' {
			p.at++
			return v, nil
		}
		name := ""
		if kind == '{' {
			name = p.text()
			p.next()
			p.at++ // the colon
		}
		item, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		if kind == '{' {
			v.Members = append(v.Members, Member{name, item})
		} else {
			v.Items = append(v.Items, item)
		}
	}
}

// text parses a string.
func (p *parser) text() string {
	from, plain := p.at, true
	for p.at++; p.data[p.at] != '"'; p.at++ {
		if p.data[p.at] == '\\' {
			plain = false
			p.at++
		}
	}
	p.at++
	if inner := p.data[from+1 : p.at-1]; plain && utf8.Valid(inner) {
		return string(inner)
	}
	var s string
	_ = json.Unmarshal(p.data[from:p.at], &s) // it is valid, and invalid UTF-8 is replaced
	return s
}

// String returns a JSON string.
func String(s string) *Value { return &Value{kind: '"', text: s} }

// Object returns an object without members.
func Object() *Value { return &Value{kind: '{'} }

// IsObject reports whether the value is an object.
func (v *Value) IsObject() bool { return v != nil && v.kind == '{' }

// IsList reports whether the value is an array.
func (v *Value) IsList() bool { return v != nil && v.kind == '[' }

// Get returns the member of an object, or nil. If a name occurs twice, the last
// one counts, as in encoding/json.
func (v *Value) Get(name string) *Value {
	if v == nil {
		return nil
	}
	for _, m := range slices.Backward(v.Members) {
		if m.Name == name {
			return m.Value
		}
	}
	return nil
}

// At returns the value at a path whose names are separated by dots, or nil.
func (v *Value) At(path string) *Value {
	for name := range strings.SplitSeq(path, ".") {
		v = v.Get(name)
	}
	return v
}

// Set sets a member of an object.
func (v *Value) Set(name string, to *Value) {
	for i := range v.Members {
		if v.Members[i].Name == name {
			v.Members[i].Value = to
			return
		}
	}
	v.Members = append(v.Members, Member{name, to})
}

// Text returns the value as one piece of text: a string as it is, an array with
// semicolons, anything else as JSON. null and nil give "".
func (v *Value) Text() string {
	switch {
	case v == nil, v.kind == 'v' && v.text == "null":
		return ""
	case v.kind == '"', v.kind == 'v':
		return v.text
	case v.kind == '[':
		var parts []string
		for _, item := range v.Items {
			parts = append(parts, item.Text())
		}
		return strings.Join(parts, ";")
	}
	return string(v.Append(nil, ""))
}

// IsNumber reports whether the value is a number.
func (v *Value) IsNumber() bool {
	return v != nil && v.kind == 'v' && v.text != "" && (v.text[0] == '-' || v.text[0] >= '0' && v.text[0] <= '9')
}

// Walk calls visit for every member within the value. visit returns what the
// member's value becomes.
func (v *Value) Walk(visit func(path []string, m Member) *Value) { v.walk(nil, visit) }

func (v *Value) walk(path []string, visit func(path []string, m Member) *Value) {
	for _, item := range v.Items {
		item.walk(append(path, "*"), visit)
	}
	for i, m := range v.Members {
		at := append(path, m.Name)
		v.Members[i].Value = visit(at, m)
		v.Members[i].Value.walk(at, visit)
	}
}

// Append appends the value as JSON to b. Control characters, and invisible
// characters that hide or reorder text, are escaped, so that the result can be
// shown on a terminal. Without an indent, the result is one line.
func (v *Value) Append(b []byte, indent string) []byte { return v.append(b, indent, "\n") }

func (v *Value) append(b []byte, indent, line string) []byte {
	if indent == "" {
		line = ""
	}
	switch v.kind {
	case '"':
		return appendString(b, v.text)
	case 'v':
		return append(b, v.text...)
	}
	n := max(len(v.Members), len(v.Items))
	b = append(b, v.kind)
	for i := range n {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, line+indent...)
		if v.kind == '[' {
			b = v.Items[i].append(b, indent, line+indent)
			continue
		}
		b = append(appendString(b, v.Members[i].Name), ':')
		if indent != "" {
			b = append(b, ' ')
		}
		b = v.Members[i].Value.append(b, indent, line+indent)
	}
	if n > 0 {
		b = append(b, line...)
	}
	return append(b, v.kind+2) // the closing bracket
}

// MarshalJSON implements json.Marshaler.
func (v *Value) MarshalJSON() ([]byte, error) { return v.Append(nil, ""), nil }

func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, `\n`...)
		case r == '\t':
			b = append(b, `\t`...)
		case r == '\r':
			b = append(b, `\r`...)
		case Hidden(r) && r > 0xffff:
			b = fmt.Appendf(b, `\u%04x\u%04x`, 0xd800+(r-0x10000)>>10, 0xdc00+(r-0x10000)&0x3ff)
		case Hidden(r):
			b = fmt.Appendf(b, `\u%04x`, r)
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}

// Hidden reports whether a character controls a terminal, or hides or reorders
// the text around it.
func Hidden(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co)
}

// Visible replaces each hidden character of a text with a space.
func Visible(s string) string {
	return strings.Map(func(r rune) rune {
		if Hidden(r) {
			return ' '
		}
		return r
	}, s)
}

// ItemsOf returns the elements of an array, or nil.
func (v *Value) ItemsOf() []*Value {
	if v == nil {
		return nil
	}
	return v.Items
}

// List returns an array without elements.
func List() *Value { return &Value{kind: '['} }

// Number returns a JSON number.
func Number(n int) *Value { return &Value{kind: 'v', text: fmt.Sprint(n)} }
