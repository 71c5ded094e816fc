package wire

import (
	"slices"

	"github.com/basiq-sdk/basiq-go/transport/value"
)

// Match says how one shape of a polymorphic value is recognised. Every
// condition that is given must hold.
type Match struct {
	Kind   string   // the JSON kind: object, array, string, number, bool, null
	Member string   // a member that must be there
	Equals []string // texts of which the member must be one
}

func (m Match) holds(v value.JSON) bool {
	if v.IsZero() {
		return false
	}
	if m.Kind != "" && v.Kind().String() != m.Kind {
		return false
	}
	if m.Member == "" {
		return true
	}
	member, ok := v.Get(m.Member)
	if !ok {
		return false
	}
	if len(m.Equals) == 0 {
		return true
	}
	text, ok := member.Text()
	if !ok {
		text = member.String()
	}
	return slices.Contains(m.Equals, text)
}

// Variant reads a polymorphic value as a T when it has the shape that match
// describes. Of a list, it reads the first element of that shape: the API
// sends some values alone and in a list of one.
func Variant[T any, P decodable[T]](v value.JSON, match Match) (*T, bool) {
	if v.Kind() == value.KindArray && match.Kind != "array" {
		for _, item := range v.Items() {
			if match.holds(item) {
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
	if !match.holds(v) {
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
