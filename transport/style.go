package transport

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Style says how a parameter's value is written, as in OpenAPI.
type Style uint8

// Styles of parameters. A parameter of the path or of a header is simple by default, one
// of the query or in a cookie is a form.
const (
	StyleDefault Style = iota
	StyleLabel         // in the path: ".a,b"
	StyleMatrix        // in the path: ";name=a,b"
	StyleSpace         // in the query: "name=a%20b"
	StylePipe          // in the query: "name=a%7Cb"
	StyleDeep          // an object in the query: "name[member]=a"
)

// Param describes how a parameter is written.
type Param struct {
	Name    string
	Style   Style
	Explode bool // each item of a list, or member of an object, is written separately
	Slashes bool // a value of the path may contain slashes, which are sent as %2F
}

// Value is the value of a parameter: a text, a list or an object.
type Value struct {
	items   []string
	members []member
	object  bool
	err     error
}

// member is a member of an object: its texts, or its own members.
type member struct {
	name   string
	items  []string
	object []member
}

// Text is the value of a parameter that is one text.
func Text(text string) Value { return Value{items: []string{text}} }

// Items is the value of a parameter that is a list of texts.
func Items[T ~string](items ...T) Value {
	return ItemsOf(items, func(item T) string { return string(item) })
}

// ItemsOf is the value of a parameter that is a list. text returns the text of an item.
func ItemsOf[T any](items []T, text func(T) string) Value {
	v := Value{items: make([]string, len(items))}
	for i, item := range items {
		v.items[i] = text(item)
	}
	return v
}

// Members is the value of a parameter that is an object, from its JSON text. Members that
// are null are not sent.
func Members(text []byte) Value {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	v := Value{object: true}
	if token, err := dec.Token(); err != nil || token != json.Delim('{') {
		v.err = errors.New("it is not an object")
		return v
	}
	v.members, v.err = readMembers(dec)
	return v
}

// readMembers reads the rest of an object.
func readMembers(dec *json.Decoder) (list []member, err error) {
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, err
		}
		m := member{name: name.(string)}
		token, err := dec.Token()
		if err != nil {
			return nil, err
		}
		switch token {
		case nil:
			continue
		case json.Delim('{'):
			if m.object, err = readMembers(dec); err != nil {
				return nil, err
			}
		case json.Delim('['):
			if err := readItems(&m, dec); err != nil {
				return nil, err
			}
		default:
			m.items = []string{scalarText(token)}
		}
		list = append(list, m)
	}
	_, err = dec.Token()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return list, err
}

// readItems reads the rest of a list. Objects become members that are called by their
// index.
//
// It is a function because, with a method that takes a *json.Decoder, each package that
// uses a Request would compile the methods of reflect.Type.
func readItems(m *member, dec *json.Decoder) error {
	for i := 0; dec.More(); i++ {
		token, err := dec.Token()
		switch {
		case err != nil:
			return err
		case token == json.Delim('{'):
			members, err := readMembers(dec)
			if err != nil {
				return err
			}
			m.object = append(m.object, member{name: strconv.Itoa(i), object: members})
		case token == json.Delim('['):
			return fmt.Errorf("its member %q is a list of lists", m.name)
		default:
			m.items = append(m.items, scalarText(token))
		}
	}
	_, err := dec.Token()
	return err
}

func scalarText(token json.Token) string {
	if token == nil {
		return "null"
	}
	return fmt.Sprint(token)
}

// SetQueryParam adds a parameter to the query. An empty list or object is not sent.
func (r *Request) SetQueryParam(p Param, v Value) {
	in := r.inner()
	add := func(name, text string) { in.query = append(in.query, queryParam{name: name, value: text}) }
	switch {
	case v.err != nil:
		r.unwritable(p, v.err)
	case p.Style == StyleDeep:
		r.deep(p.Name, v.members, add)
	case v.object && p.Explode:
		r.exploded(p, v.members, add)
	case p.Explode:
		for _, item := range v.items {
			add(p.Name, item)
		}
	default:
		texts := r.flat(p, v)
		separator, between := "", "," // commas in items are escaped
		switch p.Style {
		case StyleSpace:
			separator, between = " ", "%20"
		case StylePipe:
			separator, between = "|", "%7C"
		}
		for i, text := range texts {
			if separator != "" && strings.Contains(text, separator) {
				r.unwritable(p, fmt.Errorf("an item contains %q, which separates the items", separator))
			}
			texts[i] = url.QueryEscape(text)
		}
		if len(texts) > 0 {
			in.query = append(in.query, queryParam{p.Name, strings.Join(texts, between), true})
		}
	}
}

// FormFields returns the fields of a form for the members of an object.
func (r *Request) FormFields(p Param, v Value) (fields []Field) {
	add := func(name, text string) { fields = append(fields, Field{name, text}) }
	if v.err != nil {
		r.unwritable(p, v.err)
	} else if p.Style == StyleDeep {
		r.deep(p.Name, v.members, add)
	} else {
		r.exploded(p, v.members, add)
	}
	return fields
}

// exploded adds the members of an object under their own names.
func (r *Request) exploded(p Param, members []member, add func(name, text string)) {
	for _, m := range members {
		if m.object != nil {
			r.unwritable(p, fmt.Errorf("its member %q is an object", m.name))
		}
		for _, item := range m.items {
			add(m.name, item)
		}
	}
}

// deep adds the members of an object by their names in brackets.
func (r *Request) deep(prefix string, members []member, add func(name, text string)) {
	for _, m := range members {
		name := prefix + "[" + m.name + "]"
		for _, item := range m.items {
			add(name, item)
		}
		r.deep(name, m.object, add)
	}
}

// flat returns the items of a list, or the names and values of an object's members.
func (r *Request) flat(p Param, v Value) []string {
	if !v.object {
		return slices.Clone(v.items)
	}
	var out []string
	for _, m := range v.members {
		if len(m.items) != 1 {
			r.unwritable(p, fmt.Errorf("its member %q is not a scalar", m.name))
			continue
		}
		out = append(out, m.name, m.items[0])
	}
	return out
}

// unwritable makes the call fail because a value cannot be written in the style of its
// parameter.
func (r *Request) unwritable(p Param, why error) {
	r.Fail(fmt.Errorf("basiq: %s: the value of parameter %s cannot be sent: %w", r.inner().op.ID, p.Name, why))
}

// SetHeaderParam sets a header to a list or an object. An empty one is not sent.
func (r *Request) SetHeaderParam(p Param, v Value) {
	texts, err := r.styled(p, v, func(text string) (string, error) {
		if strings.Contains(text, ",") {
			return "", errors.New("an item contains a comma, which separates the items")
		}
		return text, nil
	})
	if err != nil {
		r.unwritable(p, err)
	} else if len(texts) > 0 {
		r.SetHeader(p.Name, strings.Join(texts, ","))
	}
}

// SetCookieParam adds a cookie. An empty list or object is not sent.
func (r *Request) SetCookieParam(p Param, v Value) {
	in := r.inner()
	if v.err != nil {
		r.unwritable(p, v.err)
		return
	}
	add := func(name string, items ...string) {
		for i := range items {
			items[i] = cookieEscape(items[i])
		}
		if in.header == nil {
			in.header = http.Header{}
		}
		addCookie(in.header, name+"="+strings.Join(items, ","))
	}
	switch {
	case !p.Explode:
		if flat := r.flat(p, v); len(flat) > 0 {
			add(p.Name, flat...)
		}
	case v.object:
		for _, m := range v.members {
			for _, item := range m.items {
				add(m.name, item)
			}
		}
	default:
		for _, item := range v.items {
			add(p.Name, item)
		}
	}
}

// addCookie adds a cookie to those of a header.
func addCookie(h http.Header, pair string) {
	if old := h["Cookie"]; len(old) > 0 {
		pair = old[0] + "; " + pair
	}
	h["Cookie"] = []string{pair}
}

// cookieEscape escapes what a cookie must not contain.
func cookieEscape(text string) string { return url.PathEscape(text) }

// styled returns the parts of a value in simple style, escaped.
func (r *Request) styled(p Param, v Value, escape func(string) (string, error)) ([]string, error) {
	if v.err != nil {
		return nil, v.err
	}
	if v.object && p.Explode {
		var out []string
		for _, m := range v.members {
			if len(m.items) != 1 {
				return nil, fmt.Errorf("its member %q is not a scalar", m.name)
			}
			text, err := escape(m.items[0])
			if err != nil {
				return nil, err
			}
			name, err := escape(m.name)
			if err != nil {
				return nil, err
			}
			out = append(out, name+"="+text)
		}
		return out, nil
	}
	texts := r.flat(p, v)
	for i, text := range texts {
		var err error
		if texts[i], err = escape(text); err != nil {
			return nil, err
		}
	}
	return texts, nil
}

// PathValue is the value of a path parameter.
type PathValue struct {
	Param Param
	Value Value
}

// NewStyledRequest is [NewRequest] for an operation that has path parameters which are
// not plain texts: lists, objects, or values in another style. The rules of NewRequest
// apply to each item. If the parameter allows slashes, an item may contain them between
// segments that each follow the rules.
func NewStyledRequest(op *Operation, values ...PathValue) *Request {
	if op == nil {
		panic("basiq: NewStyledRequest: the operation is nil")
	}
	r := newRequest(request{op: op, path: op.Path, plain: op.Path})
	segments := make([]segmentText, len(values))
	for i, v := range values {
		var why string
		if segments[i], why = r.segment(v.Param, v.Value); why != "" {
			r.Fail(&PathError{Operation: op.ID, Name: v.Param.Name, Reason: why})
		}
	}
	if r.err == nil {
		r.err = r.fillPath(segments)
	}
	return r
}

// segment returns the text of a path parameter, or why its value cannot be one.
func (r *Request) segment(p Param, v Value) (s segmentText, why string) {
	build := func(escape func(string) (string, error)) (string, error) {
		texts, err := r.styled(p, v, escape)
		if err != nil {
			return "", err
		}
		if len(texts) == 0 {
			return "", errors.New("is empty")
		}
		prefix, separator := "", ","
		switch p.Style {
		case StyleLabel:
			prefix = "."
			if p.Explode {
				separator = "."
			}
		case StyleMatrix:
			prefix = ";"
			switch {
			case !p.Explode:
				texts[0] = p.Name + "=" + texts[0]
			case v.object:
				separator = ";"
			default:
				separator = ";"
				for i := range texts {
					texts[i] = p.Name + "=" + texts[i]
				}
			}
		}
		return prefix + strings.Join(texts, separator), nil
	}
	var err error
	s.escaped, err = build(func(text string) (string, error) {
		if why := badItem(text, p.Slashes); why != "" {
			return "", errors.New(why)
		}
		return url.PathEscape(text), nil
	})
	if err != nil {
		return s, err.Error()
	}
	s.plain, _ = build(func(text string) (string, error) { return text, nil })
	if p.Style != StyleMatrix && dotSegment(s.plain) {
		return s, "is a dot segment, which servers remove from the path"
	}
	return s, ""
}

// badItem is badSegment for a value that may contain slashes.
func badItem(text string, slashes bool) string {
	if !slashes {
		return badSegment(text)
	}
	for _, part := range strings.Split(text, "/") {
		if why := badSegment(part); why != "" {
			return why
		}
	}
	return ""
}
