package wire

import (
	"maps"
	"slices"
	"sort"

	"github.com/basiq-sdk/basiq-go/transport/value"
)

// Encodable is implemented by types that write themselves as JSON. AppendJSON
// appends exactly one value.
type Encodable interface{ AppendJSON(b []byte) []byte }

// Presence says what becomes of a zero field of a struct made by hand. A decoded
// struct writes a zero field if, and as, it came.
type Presence uint8

const (
	// Optional fields are left out when they are zero.
	Optional Presence = iota
	// Required fields are always written.
	Required
)

// Writer writes the members of one object, in the order of its calls.
type Writer struct {
	b     []byte
	o     *Object
	names Names
	start int
	count int
	guess int
}

// BeginObject begins to append an object to b. o and names are those that the
// type decodes with. End returns the result.
func BeginObject(b []byte, o *Object, names *Names) Writer {
	return Writer{b: append(b, '{'), o: o, names: *names, start: len(b)}
}

// End closes the object, after the members that are not declared, and returns
// the text.
func (w *Writer) End() []byte {
	e := w.o.more
	if e == nil {
		return append(w.b, '}')
	}
	for _, x := range e.extra {
		w.comma()
		w.b = append(append(AppendString(w.b, x.name), ':'), x.raw...)
	}
	for _, s := range e.set {
		if find(w.names, s.name, 0) < 0 {
			w.comma()
			w.b = append(append(AppendString(w.b, s.name), ':'), s.raw...)
		}
	}
	if w.count == 0 && e.whole != "" {
		return append(w.b[:w.start], e.whole...)
	}
	return append(w.b, '}')
}

func (w *Writer) comma() {
	if w.count > 0 {
		w.b = append(w.b, ',')
	}
	w.count++
}

// key begins a declared member.
func (w *Writer) key(name string) { w.b = w.begin(name, 0) }

// begin returns the text with the beginning of a declared member, and room for a
// value of that size, so that a caller that has more to append keeps it once.
//
//go:noinline
func (w *Writer) begin(name string, room int) []byte {
	if w.o.more != nil {
		name = w.o.more.spelt(name)
	}
	b := slices.Grow(w.b, len(name)+room+len(`,"":`))
	if w.count > 0 {
		b = append(b, ',')
	}
	w.count++
	b = append(append(b, '"'), name...)
	return append(b, '"', ':')
}

// spelt returns a declared name as it came.
func (e *more) spelt(name string) string {
	for _, a := range e.alias {
		if a.name == name {
			return a.raw
		}
	}
	return name
}

// fix replaces the value of a member that begins at at, by what Set said or by
// the text that it was decoded from and still stands for.
func (w *Writer) fix(name string, at int) {
	if w.o.more != nil {
		w.rewrite(name, at)
	}
}

func (w *Writer) rewrite(name string, at int) {
	e := w.o.more
	if s := e.findSet(name); s != nil && s.force {
		w.b = append(w.b[:at], s.raw...)
		return
	}
	k := e.findKept(name)
	if k == nil || len(k.raw) > maxKept {
		return
	}
	if fits(k.raw, string(w.b[at:]), k.why) {
		w.b = append(w.b[:at], k.raw...)
	}
}

// zero writes a member whose field is zero, if it is to be written. literal is
// what zero is written as. A field that can be cleared (nil) and was cleared
// after decoding is left out if it is optional.
func (w *Writer) zero(name string, p Presence, literal string, clearable bool) {
	index := find(w.names, name, w.guess)
	w.guess = index + 1
	if e := w.o.more; e != nil {
		if s := e.findSet(name); s != nil {
			w.member(name, s.raw)
			return
		}
		if k := e.findKept(name); k != nil && fits(k.raw, literal, k.why) {
			w.member(name, k.raw)
			return
		}
	}
	switch {
	case w.o.isNull(index):
		w.member(name, "null")
	case w.o.names == nil:
		if p == Required {
			w.member(name, literal)
		}
	case w.o.has(index):
		if p == Required || !clearable {
			w.member(name, literal)
		}
	}
}

//go:noinline
func (w *Writer) member(name, raw string) {
	w.b = append(w.begin(name, len(raw)), raw...)
}

// String writes a string.
func (w *Writer) String(name, v string, p Presence) {
	if v == "" {
		w.zero(name, p, `""`, false)
		return
	}
	b := w.begin(name, len(v)+len(`""`))
	at := len(b)
	w.b = AppendString(b, v)
	w.fix(name, at)
}

// Bool writes a bool.
func (w *Writer) Bool(name string, v bool, p Presence) {
	if !v {
		w.zero(name, p, "false", false)
		return
	}
	b := w.begin(name, len("true"))
	at := len(b)
	w.b = append(b, "true"...)
	w.fix(name, at)
}

// Int writes an integer.
func (w *Writer) Int(name string, v int, p Presence) { w.Int64(name, int64(v), p) }

// Int64 writes an integer.
func (w *Writer) Int64(name string, v int64, p Presence) {
	if v == 0 {
		w.zero(name, p, "0", false)
		return
	}
	w.key(name)
	at := len(w.b)
	w.b = AppendInt64(w.b, v)
	w.fix(name, at)
}

// Float writes a number. NaN and infinities are written as null.
func (w *Writer) Float(name string, v float64, p Presence) {
	if v == 0 {
		w.zero(name, p, "0", false)
		return
	}
	w.key(name)
	at := len(w.b)
	w.b = AppendFloat(w.b, v)
	w.fix(name, at)
}

// Decimal writes a decimal as a string.
func (w *Writer) Decimal(name string, v value.Decimal, p Presence) { w.String(name, string(v), p) }

// DecimalNumber writes a decimal as a number. The empty decimal, where it is
// required, is written as null.
func (w *Writer) DecimalNumber(name string, v value.Decimal, p Presence) {
	if v == "" {
		w.zero(name, p, "null", true)
		return
	}
	w.key(name)
	at := len(w.b)
	w.b = AppendDecimalNumber(w.b, v)
	w.fix(name, at)
}

// Raw writes a value of any shape. No value, where it is required, is written as
// null.
func (w *Writer) Raw(name string, v value.JSON, p Presence) {
	if v == "" {
		w.zero(name, p, "null", true)
		return
	}
	w.key(name)
	at := len(w.b)
	w.b = AppendRaw(w.b, v)
	w.fix(name, at)
}

// Where a method that calls a generic function is inlined, its Writer is put on
// the heap: those below are not inlined.

// OptString writes a string; nil is zero.
//
//go:noinline
func (w *Writer) OptString(name string, v *string, p Presence) {
	AppendOpt(w, name, v, p, AppendString)
}

// OptBool writes a bool; nil is zero.
//
//go:noinline
func (w *Writer) OptBool(name string, v *bool, p Presence) { AppendOpt(w, name, v, p, AppendBool) }

// OptInt writes an integer; nil is zero.
//
//go:noinline
func (w *Writer) OptInt(name string, v *int, p Presence) { AppendOpt(w, name, v, p, AppendInt) }

// OptInt64 writes an integer; nil is zero.
//
//go:noinline
func (w *Writer) OptInt64(name string, v *int64, p Presence) {
	AppendOpt(w, name, v, p, AppendInt64)
}

// OptFloat writes a number; nil is zero.
//
//go:noinline
func (w *Writer) OptFloat(name string, v *float64, p Presence) {
	AppendOpt(w, name, v, p, AppendFloat)
}

// Strings writes a list of strings. Nil is zero; an empty list that is not nil is
// always written.
//
//go:noinline
func (w *Writer) Strings(name string, v []string, p Presence) {
	AppendListOf(w, name, v, p, AppendString)
}

// StringMap writes an object whose values are strings. Nil is zero.
//
//go:noinline
func (w *Writer) StringMap(name string, v map[string]string, p Presence) {
	AppendMapOf(w, name, v, p, AppendString)
}

// Value writes a nested value. It is zero when it has no members, or only members
// that are zero because they are required. In a struct made by hand, a member that
// is null makes it a value: it may have been asked for with SetNull.
func (w *Writer) Value(name string, v Encodable, p Presence) {
	before, count := len(w.b), w.count
	w.key(name)
	at := len(w.b)
	w.b = v.AppendJSON(w.b)
	if hollow(w.b[at:], w.o.names == nil) {
		text := w.b[at:]
		w.b, w.count = w.b[:before], count
		if !w.absent(name) {
			w.zero(name, p, string(text), false)
		}
		return
	}
	w.fix(name, at)
}

// absent reports whether a zero member is left out as it did not come: the
// common case, for which nothing else has to be known.
func (w *Writer) absent(name string) bool {
	if w.o.names == nil || w.o.more != nil {
		return false
	}
	index := find(w.names, name, w.guess)
	return index >= 0 && !w.o.has(index) && !w.o.isNull(index)
}

// AppendOpt writes what a pointer points to with one of the Append functions;
// nil is zero, and is written as null where it is required.
func AppendOpt[T any](w *Writer, name string, v *T, p Presence, item func([]byte, T) []byte) {
	if v == nil {
		w.zero(name, p, "null", true)
		return
	}
	w.key(name)
	at := len(w.b)
	w.b = item(w.b, *v)
	w.fix(name, at)
}

// AppendOptText is AppendOpt for any string type.
func AppendOptText[T ~string](w *Writer, name string, v *T, p Presence) {
	AppendOpt(w, name, v, p, AppendText[T])
}

// AppendPointer writes a nested value; nil is zero, and is written as null where
// it is required.
func AppendPointer[T any, P encodable[T]](w *Writer, name string, v *T, p Presence) {
	if v == nil {
		w.zero(name, p, "null", true)
		return
	}
	w.nested(name, P(v))
}

// nested does the work of AppendPointer. Generic functions are compiled once for
// every type, so they leave to others what does not need the type.
func (w *Writer) nested(name string, v Encodable) {
	w.key(name)
	at := len(w.b)
	w.b = v.AppendJSON(w.b)
	w.fix(name, at)
}

// AppendList writes a list of nested values. Nil is zero, and is written as an
// empty list where it is required; an empty list that is not nil is always
// written.
func AppendList[T any, P encodable[T]](w *Writer, name string, list []T, p Presence) {
	if list == nil {
		w.zero(name, p, "[]", true)
		return
	}
	w.list(name, len(list), func(i int) Encodable { return P(&list[i]) })
}

func (w *Writer) list(name string, n int, item func(i int) Encodable) {
	w.key(name)
	if n == 1 && w.wasSingle(name) {
		w.b = item(0).AppendJSON(w.b)
		return
	}
	at := len(w.b)
	w.b = append(w.b, '[')
	for i := range n {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.b = item(i).AppendJSON(w.b)
	}
	w.b = append(w.b, ']')
	w.force(name, at)
}

func (w *Writer) wasSingle(name string) bool {
	if w.o.more == nil {
		return false
	}
	k, s := w.o.more.findKept(name), w.o.more.findSet(name)
	return k != nil && k.why == single && (s == nil || !s.force)
}

// force is fix without looking at kept texts.
func (w *Writer) force(name string, at int) {
	if w.o.more != nil {
		if s := w.o.more.findSet(name); s != nil && s.force {
			w.b = append(w.b[:at], s.raw...)
		}
	}
}

// AppendTexts writes a list of texts of any string type. See Writer.Strings.
func AppendTexts[T ~string](w *Writer, name string, list []T, p Presence) {
	AppendListOf(w, name, list, p, AppendText[T])
}

// AppendListOf writes a list whose items are appended by one of the Append
// functions. See Writer.Strings for what is zero.
func AppendListOf[T any](w *Writer, name string, list []T, p Presence, item func([]byte, T) []byte) {
	if list == nil {
		w.zero(name, p, "[]", true)
		return
	}
	w.key(name)
	at := len(w.b)
	w.b = AppendItems(w.b, list, item)
	w.fix(name, at)
}

// AppendMapOf writes a map as an object, its names in order. Nil is zero, and is
// written as an empty object where it is required; an empty map that is not nil
// is always written.
func AppendMapOf[T any](w *Writer, name string, v map[string]T, p Presence, item func([]byte, T) []byte) {
	if v == nil {
		w.zero(name, p, "{}", true)
		return
	}
	w.key(name)
	at := len(w.b)
	w.b = AppendEntries(w.b, v, item)
	w.fix(name, at)
}

// sortedNames uses package sort: slices.Sorted would be compiled here anew.
func sortedNames[T any](m map[string]T) []string {
	names := slices.Collect(maps.Keys(m))
	sort.Strings(names)
	return names
}
