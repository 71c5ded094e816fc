package value

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// JSON is the text of a JSON value of any type. It is the type of members for which the API
// sends different JSON types, such as an object, a list of objects or null. Kind returns the
// type, and Decode, Get, Items and Text read the value. The zero value "" means that there
// is no value.
//
// A JSON that was decoded, or returned by [ParseJSON] or [JSONOf], is valid. A
// conversion such as JSON("{") is not checked. An invalid JSON is encoded as null where
// no error can be returned.
type JSON string

// Kind is the type of a JSON value.
type Kind uint8

// The kinds of JSON values. [KindAbsent] is the kind of the empty JSON, and
// [KindInvalid] that of a text that is not a JSON value.
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

// ParseJSON returns text as a JSON. It returns [ErrEmpty] for "", and a [*ParseError]
// for a text that is not exactly one valid JSON value.
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

// JSONOf returns v encoded by encoding/json, without HTML escaping.
func JSONOf(v any) (JSON, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return "", fmt.Errorf("value: encoding %T: %w", v, err)
	}
	return JSON(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), nil
}

// Kind returns the kind of the value. It looks only at the first character.
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

// IsZero reports whether there is no value. null is a value, and so are 0 and false.
func (j JSON) IsZero() bool { return j == "" }

// HasValue reports whether j is not "". null is a value.
func (j JSON) HasValue() bool { return j != "" }

// String returns the JSON text.
func (j JSON) String() string { return string(j) }

// Text returns the content of a string, or the text of a number or bool. It reports false
// for all other kinds.
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

// Decode decodes the value into v with encoding/json. It returns [ErrEmpty] if there is
// no value.
func (j JSON) Decode(v any) error {
	if j == "" {
		return ErrEmpty
	}
	return json.Unmarshal([]byte(j), v)
}

// Get returns the member of an object with exactly that name. It reports false if the value
// is not an object or has no such member.
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

// Items returns the items of an array, nil for null or no value, and for any other value a
// list with only that value: where a list is documented, the API may send one object, and
// vice versa.
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

// MarshalJSON returns the text, or null if there is no value. It returns a
// [*ParseError] if the text is not valid JSON.
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
