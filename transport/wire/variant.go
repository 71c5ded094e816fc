package wire

import (
	"slices"

	"github.com/basiq-sdk/basiq-go/transport/value"
)

// Match says how one shape of a polymorphic value is recognised. Every
// condition that is given must hold, but Member and Equals do not count where
// a sibling decides.
type Match struct {
	Kind   string   // the JSON kind: object, array, string, number, bool, null
	Member string   // a member that must be there
	Equals []string // texts of which the member must be one

	Sibling  string   // the member beside the value that names its shape; "" if it is unknown
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

// member returns the member's text, of an object with that member. Where any
// text will do, it is not looked for: it may be all of a report.
func (m Match) member(object string) (text string, ok bool) {
	d := NewDecoder(object)
	if d.peek() != '{' || !d.enter() {
		return "", false
	}
	for members := d.anyMembers(); members.Next(); {
		if members.Name() != m.Member {
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

// Variant reads a polymorphic value as a T when it has the shape that match
// describes. Of a list, it reads the first element of that shape: the API
// sends some values alone and in a list of one.
func Variant[T any, P decodable[T]](v value.JSON, match Match) (*T, bool) {
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

// VariantList reads a polymorphic value as a list of T when it has the shape
// that match describes.
func VariantList[T any, P decodable[T]](v value.JSON, match Match) ([]T, bool) {
	if !match.holds(v) {
		return nil, false
	}
	d := NewDecoder(v.String())
	list := ReadList[T, P](d)
	return list, d.Finish() == nil
}

// VariantRaw returns a polymorphic value as it came when it has the shape
// that match describes.
func VariantRaw(v value.JSON, match Match) (value.JSON, bool) {
	d := NewDecoder(v.String())
	d.Skip()
	if d.Finish() != nil || !match.holds(v) {
		return "", false
	}
	return v, true
}

// VariantText reads a polymorphic value as a text when it has the shape that
// match describes.
func VariantText[T ~string](v value.JSON, match Match) (T, bool) {
	if !match.holds(v) {
		return "", false
	}
	text, ok := v.Text()
	return T(text), ok
}

// VariantTexts reads a polymorphic value as a list of texts when it has the
// shape that match describes.
func VariantTexts[T ~string](v value.JSON, match Match) ([]T, bool) {
	if !match.holds(v) {
		return nil, false
	}
	d := NewDecoder(v.String())
	list := ReadListOf(d, ReadText[T])
	return list, d.Finish() == nil
}
