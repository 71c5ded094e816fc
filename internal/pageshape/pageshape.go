// Package pageshape finds members of a list's page whose JSON type differs from the
// declared one. Because of them, the list would silently end early or be empty.
package pageshape

import (
	"reflect"
	"strings"

	"github.com/basiq-sdk/basiq-go/transport/value"
	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// Unreadable returns the name of a member of a page whose value could not be decoded: the
// items ("data") of a page without items, or the link to the next page ("links" or
// "next") of a page without link. It returns "" for all other pages.
// A page without the member "data", or whose type is "error", is not a list: the result is
// "data". So it is if "data" is null and there is a link to the next page.
func Unreadable(page any, items int, link string) string {
	if v := reflect.ValueOf(page).Elem(); items == 0 && absent(v) || NewItem(v.Type()).IsError(page) {
		return "data"
	}
	odd := filled
	if link != "" {
		odd = notEmptyList
	}
	return search(reflect.ValueOf(page), 2, func(o *wire.Object) string {
		if items == 0 && undecoded(o, "data", odd) {
			return "data"
		}
		switch {
		case link != "":
		case undecoded(o, "links", mayLead):
			return "links"
		case undecoded(o, "next", present):
			return "next"
		}
		return ""
	})
}

// absent reports whether a page has no member "data", in any case.
func absent(page reflect.Value) bool {
	field := ObjectField(page.Type())
	if field < 0 {
		return false
	}
	o := page.Field(field).Addr().Interface().(*wire.Object)
	if o.Present("data") {
		return false
	}
	for name := range o.Extra() {
		if strings.EqualFold(name, "data") {
			return false
		}
	}
	return true
}

// Item distinguishes the items of a list from errors of the API.
type Item struct{ object, kind int }

// NewItem returns an Item for a list whose items have type t.
func NewItem(t reflect.Type) Item {
	item := Item{ObjectField(t), -1}
	if t.Kind() == reflect.Struct {
		for i := range t.NumField() {
			if f := t.Field(i); f.Type.Kind() == reflect.String && f.Tag.Get("json") == "type" {
				item.kind = i
			}
		}
	}
	return item
}

// IsError reports whether the item to which v points has the type "error", which means
// that it is an error of the API in place of the items.
func (t Item) IsError(v any) bool {
	s := reflect.ValueOf(v).Elem()
	if t.kind >= 0 {
		return s.Field(t.kind).String() == "error"
	}
	if t.object < 0 {
		return false
	}
	raw, ok := s.Field(t.object).Addr().Interface().(*wire.Object).Raw("type")
	return ok && string(raw) == `"error"`
}

// ObjectField returns the index of a struct type's wire.Object, or -1 if it has none.
func ObjectField(t reflect.Type) int {
	if t.Kind() == reflect.Struct {
		for i := range t.NumField() {
			if f := t.Field(i); f.Type == objectType && f.IsExported() {
				return i
			}
		}
	}
	return -1
}

// Whole returns the kind of the JSON value of a list's item, and true, if the value was
// not an object. item is a pointer, and field is the result of ObjectField.
func Whole(item any, field int) (value.Kind, bool) {
	if field < 0 {
		return 0, false
	}
	raw, ok := reflect.ValueOf(item).Elem().Field(field).Addr().Interface().(*wire.Object).Whole()
	return value.JSON(raw).Kind(), ok
}

var objectType = reflect.TypeFor[wire.Object]()

// search calls look with the wire.Object of a struct, and then with those of the structs
// in its fields, but not of lists, until look returns a name.
func search(v reflect.Value, depth int, look func(*wire.Object) string) string {
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct || depth == 0 {
		return ""
	}
	for i := range v.NumField() {
		f, name := v.Field(i), ""
		switch {
		case !f.CanInterface():
		case f.Type() == objectType:
			name = look(f.Addr().Interface().(*wire.Object))
		default:
			name = search(f, depth-1, look)
		}
		if name != "" {
			return name
		}
	}
	return ""
}

// undecoded reports whether an object has a member of that name, in any case, that could
// not be decoded, and whose value means something.
func undecoded(o *wire.Object, name string, means func(value.JSON) bool) bool {
	if raw, ok := o.Raw(name); ok && means(value.JSON(raw)) {
		return true
	}
	for other, raw := range o.Extra() {
		if strings.EqualFold(other, name) && means(value.JSON(raw)) {
			return true
		}
	}
	return false
}

// present reports whether a value is neither absent, nor null, false or "".
func present(j value.JSON) bool {
	switch strings.TrimSpace(string(j)) {
	case "", "null", "false", `""`:
		return false
	}
	return true
}

// filled reports whether a value is present and not an empty list or object.
func filled(j value.JSON) bool {
	switch j.Kind() {
	case value.KindArray, value.KindObject:
		return len(strings.Trim(string(j), "[]{} \t\r\n")) > 0
	}
	return present(j)
}

// notEmptyList reports whether a value in place of the items is not an empty list. With
// more pages to come, null does not mean that there are no items.
func notEmptyList(j value.JSON) bool {
	return j.Kind() != value.KindArray || filled(j)
}

// mayLead reports whether a value in place of the links may contain a link to the next
// page.
func mayLead(j value.JSON) bool {
	if j.Kind() != value.KindObject {
		return filled(j)
	}
	var links object
	if wire.DecodeString(string(j), &links, nil) != nil {
		return true
	}
	return undecoded(&links.Object, "next", present)
}

// object is an object that declares no members.
type object struct{ wire.Object }

var anyObject wire.Type

// JSONFields declares no members, so that every member is kept.
func (o *object) JSONFields(f *wire.Fields) { f.Struct(&o.Object, &anyObject) }
