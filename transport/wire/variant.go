package wire

import (
	"slices"

	"github.com/basiq-sdk/basiq-go/transport/value"
)

// Match says how one variant of a polymorphic value is recognized. All conditions that are
// set must be true, but Member and Equals are ignored if a sibling decides.
type Match struct {
	Kind   string   // the JSON kind: object, array, string, number, bool or null
	Member string   // a member that must be present
	Equals []string // if set, the member must be one of these texts

	Sibling  string   // the text of the member beside the value that names its variant; "" if unknown
	Siblings []string // texts of which the sibling must be one
}

func (m Match) holds(v value.JSON) bool {
	if v.IsZero() {
		return false
	}
	if m.Kind != "" && v.Kind().String() != m.Kind {
		return false
	}
	if m.Sibling != "" && len(m.Siblings) > 0 {
		return slices.Contains(m.Siblings, m.Sibling) && (v.Kind() != value.KindNull || m.Kind != "")
	}
	if m.Member == "" {
		return len(m.Siblings) == 0
	}
	text, ok := m.member(v.String())
	return ok && (len(m.Equals) == 0 || slices.Contains(m.Equals, text))
}

// member returns the text of the member, if the object has it. If any text matches, it
// returns "", because the value may be very long.
func (m Match) member(object string) (text string, ok bool) {
	d := NewDecoder(object)
	if d.peek() != '{' {
		return "", false
	}
	for members := d.entries(); members.next(); {
		if members.name != m.Member {
			continue
		}
		if len(m.Equals) == 0 {
			return "", true
		}
		raw := value.JSON(d.raw())
		if text, ok = raw.Text(); !ok {
			text, ok = raw.String(), true
		}
	}
	return text, ok && d.Finish() == nil
}

// Variant decodes a polymorphic value as a T if it matches. From a list, it decodes the first
// item that matches: the API sends some values both alone and in a list of one.
func Variant[T any, P valueOf[T]](v value.JSON, match Match) (*T, bool) {
	if v.Kind() == value.KindArray && match.Kind != "array" {
		for _, item := range splitArray(NewDecoder(v.String())) {
			if item := value.JSON(item); match.holds(item) {
				return Variant[T, P](item, match)
			}
		}
		return nil, false
	}
	if !match.holds(v) {
		return nil, false
	}
	t := new(T)
	if DecodeString(v.String(), P(t), nil) != nil {
		return nil, false
	}
	return t, true
}

// VariantList decodes a polymorphic value as a list of T if it matches.
func VariantList[T any, P valueOf[T]](v value.JSON, match Match) ([]T, bool) {
	if !match.holds(v) {
		return nil, false
	}
	d := NewDecoder(v.String())
	list := ReadList[T, P](d)
	return list, d.Finish() == nil
}

// VariantRaw returns a polymorphic value unchanged if it matches.
func VariantRaw(v value.JSON, match Match) (value.JSON, bool) {
	d := NewDecoder(v.String())
	d.Skip()
	if d.Finish() != nil || !match.holds(v) {
		return "", false
	}
	return v, true
}

// VariantText decodes a polymorphic value as a string type if it matches.
func VariantText[T ~string](v value.JSON, match Match) (T, bool) {
	if !match.holds(v) {
		return "", false
	}
	text, ok := v.Text()
	return T(text), ok
}

// VariantTexts decodes a polymorphic value as a list of a string type if it matches.
func VariantTexts[T ~string](v value.JSON, match Match) ([]T, bool) {
	if !match.holds(v) {
		return nil, false
	}
	d := NewDecoder(v.String())
	list := ReadListOf(d, ReadText[T])
	return list, d.Finish() == nil
}

// VariantOf decodes a polymorphic value with read if it matches.
func VariantOf[T any](v value.JSON, match Match, read func(*Decoder) T) (T, bool) {
	var zero T
	if !match.holds(v) {
		return zero, false
	}
	d := NewDecoder(v.String())
	if t := read(d); d.Finish() == nil {
		return t, true
	}
	return zero, false
}
