package value

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// JSON is a JSON value of any shape, kept as the text it came in. The API
// answers in several shapes in a few places (an object, a list of objects or
// null); such a member is a JSON, which is looked at with Kind and read with
// Decode, Get, Items or Text. The zero value "" is no value at all.
//
// A JSON that was decoded, or made by ParseJSON or JSONOf, is well formed. A
// conversion such as JSON("{") is not checked: it is written as null where no
// error can be returned.
type JSON string

// Kind is the shape of a JSON value.
type Kind uint8

// The shapes of a JSON value. KindAbsent is that of the empty JSON; KindInvalid
// that of a text that cannot be a JSON value.
const (
	KindAbsent Kind = iota
	KindNull
	KindBool
	KindNumber
	KindString
	KindArray
	KindObject
	KindInvalid
)

var kindNames = [...]string{"absent", "null", "bool", "number", "string", "array", "object", "invalid"}

// String returns the name of the kind: "absent", "null", "bool", "number",
// "string", "array", "object" or "invalid".
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "invalid"
}

// ParseJSON returns text as a JSON value. It returns ErrEmpty for "" and a
// *ParseError for a text that is not one well-formed value.
func ParseJSON(text string) (JSON, error) {
	if text == "" {
		return "", ErrEmpty
	}
	b := bytes.Trim([]byte(text), " \t\r\n")
	if !json.Valid(b) {
		return "", &ParseError{Want: "JSON value"}
	}
	return JSON(b), nil
}

// JSONOf returns v encoded by encoding/json, without escaping of HTML
// characters.
func JSONOf(v any) (JSON, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return "", fmt.Errorf("value: encode %T: %w", v, err)
	}
	return JSON(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), nil
}

// Kind returns the shape of the value. It looks at the first character only.
func (j JSON) Kind() Kind {
	for i := range len(j) {
		switch c := j[i]; c {
		case ' ', '\t', '\r', '\n':
		case 'n':
			return KindNull
		case 't', 'f':
			return KindBool
		case '"':
			return KindString
		case '[':
			return KindArray
		case '{':
			return KindObject
		default:
			if c == '-' || isDigit(c) {
				return KindNumber
			}
			return KindInvalid
		}
	}
	if j == "" {
		return KindAbsent
	}
	return KindInvalid
}

// IsZero reports whether there is no value at all. JSON's null is a value.
func (j JSON) IsZero() bool { return j == "" }

// String returns the JSON text.
func (j JSON) String() string { return string(j) }

// Text returns the content of a string, or the text of a number or bool. It
// reports false for every other kind.
func (j JSON) Text() (string, bool) {
	switch j.Kind() {
	case KindString:
		var s string
		err := json.Unmarshal([]byte(j), &s)
		return s, err == nil
	case KindBool, KindNumber:
		b := bytes.Trim([]byte(j), " \t\r\n")
		return string(b), json.Valid(b)
	}
	return "", false
}

// Decode stores the value in what v points to, as encoding/json does. It returns
// ErrEmpty when there is no value.
func (j JSON) Decode(v any) error {
	if j == "" {
		return ErrEmpty
	}
	return json.Unmarshal([]byte(j), v)
}

// Get returns the member of an object with that exact name. It reports false
// when the value is no object or has no such member.
func (j JSON) Get(name string) (JSON, bool) {
	if j.Kind() != KindObject {
		return "", false
	}
	var members map[string]json.RawMessage
	if json.Unmarshal([]byte(j), &members) != nil {
		return "", false
	}
	raw, ok := members[name]
	return JSON(raw), ok
}

// Items returns the items of an array. Any other value is a list of itself,
// except that null and no value have no items: the API answers one object where
// it documents a list, and the other way round.
func (j JSON) Items() []JSON {
	switch j.Kind() {
	case KindAbsent, KindNull, KindInvalid:
		return nil
	case KindArray:
		var raws []json.RawMessage
		if json.Unmarshal([]byte(j), &raws) != nil {
			return nil
		}
		items := make([]JSON, len(raws))
		for i, raw := range raws {
			items[i] = JSON(raw)
		}
		return items
	}
	return []JSON{j}
}

// MarshalJSON returns the text, or null when there is no value. It fails for a
// text that is not JSON.
func (j JSON) MarshalJSON() ([]byte, error) {
	if j == "" {
		return []byte("null"), nil
	}
	if !json.Valid([]byte(j)) {
		return nil, &ParseError{Want: "JSON value"}
	}
	return []byte(j), nil
}

// UnmarshalJSON keeps a copy of the text.
func (j *JSON) UnmarshalJSON(b []byte) error {
	*j = JSON(b)
	return nil
}
