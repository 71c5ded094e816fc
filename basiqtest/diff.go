package basiqtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/basiq-sdk/basiq-go/transport/value"
	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// Diff compares a value that a test wrote with one that the SDK returned. It returns ""
// if they are equal, and otherwise a line for each difference, with its path:
//
//	Data[0].Amount: want "-4.50", got "-5.00"
//
// reflect.DeepEqual is too strict for that, because a decoded struct also remembers what
// the response looked like. Diff ignores what a test cannot write by hand:
//
//   - In the field JSON of generated structs, whether a member was present, and members
//     that this version does not know. Members that want sets with JSON.Set or
//     JSON.SetNull must be in got.
//   - Unexported fields. Polymorphic values, such as reporting.Findings, are compared by
//     their accessors.
//   - The difference between a nil and an empty slice or map.
//
// Values with a method Equal are compared by it: amounts as numbers, and times as
// instants. JSON is compared by its meaning.
//
// ignore names fields that are not compared, such as generated IDs: either a name, which
// is ignored everywhere ("Links"), or a path in which [] stands for any index
// ("Data[].ID").
func Diff(want, got any, ignore ...string) string {
	d := &differ{ignore: ignore, visited: map[visit]bool{}}
	d.compare("", reflect.ValueOf(want), reflect.ValueOf(got))
	return strings.Join(d.lines, "\n")
}

// differ collects differences.
type differ struct {
	lines   []string
	ignore  []string
	visited map[visit]bool // pairs of pointers, because values may contain themselves
}

type visit struct {
	want, got uintptr
	typ       reflect.Type
}

func (d *differ) add(path, format string, args ...any) {
	if path == "" {
		path = "value"
	}
	d.lines = append(d.lines, strings.TrimPrefix(path, ".")+": "+fmt.Sprintf(format, args...))
}

// unequal adds the difference of two values.
func (d *differ) unequal(path string, want, got reflect.Value) {
	d.add(path, "want %s, got %s", show(want), show(got))
}

// show returns the text of a value. Secrets stay hidden.
func show(v reflect.Value) string {
	switch {
	case !v.IsValid():
		return "nothing"
	case v.Kind() == reflect.Pointer && v.IsNil():
		return "nil"
	case v.Kind() == reflect.Pointer:
		return "&" + show(v.Elem())
	case v.Kind() == reflect.String:
		return fmt.Sprintf("%q", v.Interface())
	}
	return fmt.Sprintf("%+v", v.Interface())
}

func (d *differ) compare(path string, want, got reflect.Value) {
	switch {
	case !want.IsValid() || !got.IsValid():
		if want.IsValid() != got.IsValid() {
			d.unequal(path, want, got)
		}
		return
	case want.Type() != got.Type():
		d.add(path, "want a %s, got a %s", want.Type(), got.Type())
		return
	case want.Type() == reflect.TypeFor[value.JSON]():
		if !sameJSON(want.Interface().(value.JSON), got.Interface().(value.JSON)) {
			d.unequal(path, want, got)
		}
		return
	}
	if equal, ok := byMethod(want, got); ok {
		if !equal {
			d.unequal(path, want, got)
		}
		return
	}
	switch want.Kind() {
	case reflect.Pointer, reflect.Interface:
		d.comparePointers(path, want, got)
	case reflect.Struct:
		d.compareStructs(path, want, got)
	case reflect.Slice, reflect.Array:
		if want.Len() != got.Len() {
			d.add(path, "want %d items, got %d", want.Len(), got.Len())
		}
		for i := range min(want.Len(), got.Len()) {
			d.compare(fmt.Sprintf("%s[%d]", path, i), want.Index(i), got.Index(i))
		}
	case reflect.Map:
		d.compareMaps(path, want, got)
	case reflect.Func:
		if !want.IsNil() || !got.IsNil() {
			d.add(path, "functions cannot be compared")
		}
	default:
		if !want.Equal(got) {
			d.unequal(path, want, got)
		}
	}
}

func (d *differ) comparePointers(path string, want, got reflect.Value) {
	if want.IsNil() || got.IsNil() {
		if want.IsNil() != got.IsNil() {
			d.unequal(path, want, got)
		}
		return
	}
	if want.Kind() == reflect.Pointer {
		pair := visit{want.Pointer(), got.Pointer(), want.Type()}
		if d.visited[pair] {
			return
		}
		d.visited[pair] = true
	}
	d.compare(path, want.Elem(), got.Elem())
}

func (d *differ) compareMaps(path string, want, got reflect.Value) {
	at := func(key reflect.Value) string { return fmt.Sprintf("%s[%s]", path, show(key)) }
	keys := slices.Concat(want.MapKeys(), got.MapKeys())
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(show(a), show(b)) })
	for _, key := range slices.CompactFunc(keys, func(a, b reflect.Value) bool { return a.Equal(b) }) {
		d.compare(at(key), want.MapIndex(key), got.MapIndex(key))
	}
}

// ignored reports whether a field is not compared.
func (d *differ) ignored(path, name string) bool {
	if len(d.ignore) == 0 {
		return false
	}
	index := regexp.MustCompile(`\[\d+\]`)
	return slices.Contains(d.ignore, name) || slices.Contains(d.ignore, strings.TrimPrefix(index.ReplaceAllString(path, "[]"), "."))
}

func (d *differ) compareStructs(path string, want, got reflect.Value) {
	if d.compareVariants(path, want, got) {
		return
	}
	for i := range want.NumField() {
		field := want.Type().Field(i)
		at := path + "." + field.Name
		if !field.IsExported() || d.ignored(at, field.Name) {
			continue
		}
		if field.Type == reflect.TypeFor[wire.Object]() {
			d.compareObjects(path, want, got, i)
			continue
		}
		d.compare(at, want.Field(i), got.Field(i))
	}
}

// compareObjects compares the members that want sets in its field JSON.
func (d *differ) compareObjects(path string, want, got reflect.Value, field int) {
	wanted, has := want.Field(field).Interface().(wire.Object), got.Field(field).Interface().(wire.Object)
	for name, raw := range wanted.Extra() {
		text, kept := has.Raw(name) // otherwise, the value is in a field, and compared there
		switch at := path + ".JSON[" + name + "]"; {
		case !has.Present(name):
			d.add(at, "want %s, got no such member", raw)
		case kept && !sameJSON(value.JSON(raw), value.JSON(text)):
			d.add(at, "want %s, got %s", raw, text)
		case !kept && wanted.Null(name):
			d.add(at, "want null, got a value")
		}
	}
}

// compareVariants compares polymorphic values, which have a method Raw and an accessor for
// each variant. It reports false for other structs.
func (d *differ) compareVariants(path string, want, got reflect.Value) bool {
	raw, ok := want.Interface().(interface{ Raw() value.JSON })
	if !ok {
		return false
	}
	has := got.Interface().(interface{ Raw() value.JSON }).Raw()
	matched := false
	for i := range want.NumMethod() {
		m := want.Type().Method(i)
		if m.Type.NumIn() != 1 || m.Type.NumOut() != 2 || m.Type.Out(1).Kind() != reflect.Bool {
			continue
		}
		wanted, is := want.Method(i).Call(nil), got.Method(i).Call(nil)
		if !wanted[1].Bool() {
			continue
		}
		matched = true
		if at := path + "." + m.Name + "()"; !is[1].Bool() {
			d.add(at, "want %s, got %s", raw.Raw(), has)
		} else {
			d.compare(at, wanted[0], is[0])
		}
	}
	if !matched && !sameJSON(raw.Raw(), has) {
		d.add(path, "want %s, got %s", raw.Raw(), has)
	}
	return true
}

// byMethod compares values by their method Equal, if they have one.
func byMethod(want, got reflect.Value) (equal, ok bool) {
	m := want.MethodByName("Equal")
	if !m.IsValid() || m.Type().NumIn() != 1 || m.Type().NumOut() != 1 || m.Type().In(0) != want.Type() || m.Type().Out(0).Kind() != reflect.Bool {
		return false, false
	}
	if k := want.Kind(); (k == reflect.Pointer || k == reflect.Interface) && (want.IsNil() || got.IsNil()) {
		return false, false
	}
	return m.Call([]reflect.Value{got})[0].Bool(), true
}

// sameJSON reports whether two JSON texts mean the same.
func sameJSON(a, b value.JSON) bool {
	if a == b {
		return true
	}
	var x, y any
	for text, to := range map[value.JSON]*any{a: &x, b: &y} {
		dec := json.NewDecoder(bytes.NewReader([]byte(text)))
		dec.UseNumber()
		if dec.Decode(to) != nil {
			return false
		}
	}
	return reflect.DeepEqual(x, y)
}
