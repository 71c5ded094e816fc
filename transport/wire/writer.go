package wire

import (
	"maps"
	"slices"
	"sort"

	"github.com/basiq-sdk/basiq-go/transport/value"
)

// Encodable is implemented by types that encode themselves as JSON. AppendJSON appends
// exactly one value.
type Encodable interface{ AppendJSON(b []byte) []byte }

// Presence says whether a zero field of a struct that was not decoded is written. In a
// decoded struct, a zero field is written as it was received.
type Presence uint8

const (
	// Optional fields are omitted if they are zero.
	Optional Presence = iota
	// Required fields are always written.
	Required
	// Nullable fields are always written too, and as null if they are nil.
	Nullable
)

// Writer writes the members of one object, in the order of the calls.
type Writer struct {
	b     []byte
	o     *Object
	names Names
	start int
	count int
	guess int

	escape bool // the names of members
}

// BeginObject starts to append an object to b. o and names are those with which the type
// is decoded. End returns the result.
func BeginObject(b []byte, o *Object, names *Names) Writer {
	return Writer{b: append(b, '{'), o: o, names: *names, start: len(b)}
}

// End writes the undeclared members, closes the object, and returns the text.
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

// key starts a declared member.
func (w *Writer) key(name string) { w.b = w.begin(name, 0) }

// begin returns the text with the start of a declared member, and capacity for a value of
// room bytes. It does not set w.b, so that a caller with more to append sets it only once.
//
//go:noinline
func (w *Writer) begin(name string, room int) []byte {
	if w.o.more != nil {
		name = w.o.more.wireName(name)
	}
	b := slices.Grow(w.b, len(name)+room+len(`,"":`))
	if w.count > 0 {
		b = append(b, ',')
	}
	w.count++
	if w.escape {
		return append(AppendString(b, name), ':')
	}
	b = append(append(b, '"'), name...)
	return append(b, '"', ':')
}

// EscapeNames makes the writer escape the names of members. It is for objects of which
// some have a quote or a backslash in their name.
func (w *Writer) EscapeNames() { w.escape = true }

// wireName returns the name under which a declared member was received.
func (e *more) wireName(name string) string {
	for _, a := range e.alias {
		if a.name == name {
			return a.raw
		}
	}
	return name
}

// fix replaces the value of a member, which starts at at, with the text that was set with
// Set, or with the text from which it was decoded if the field was not changed.
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
	if unchanged(k.raw, string(w.b[at:]), k.why) {
		w.b = append(w.b[:at], k.raw...)
	}
}

// zero writes a member whose field is zero, unless it must be omitted. literal is the
// encoding of zero. clearable means that the field is zero only if it is nil: an optional
// field that was set to nil after decoding is omitted.
func (w *Writer) zero(name string, p Presence, literal string, clearable bool) {
	index := find(w.names, name, w.guess)
	w.guess = index + 1
	if e := w.o.more; e != nil {
		if s := e.findSet(name); s != nil {
			w.member(name, s.raw)
			return
		}
		if k := e.findKept(name); k != nil && unchanged(k.raw, literal, k.why) {
			w.member(name, k.raw)
			return
		}
	}
	if p == Nullable {
		literal = "null"
	}
	switch {
	case w.o.isNull(index):
		w.member(name, "null")
	case w.o.names == nil:
		if p != Optional {
			w.member(name, literal)
		}
	case w.o.has(index):
		if p != Optional || !clearable {
			w.member(name, literal)
		}
	}
}

//go:noinline
func (w *Writer) member(name, raw string) {
	w.b = append(w.begin(name, len(raw)), raw...)
}

// String writes a string member.
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

// Bool writes a bool member.
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

// Int writes an integer member.
func (w *Writer) Int(name string, v int, p Presence) { w.Int64(name, int64(v), p) }

// Int64 writes an integer member.
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

// Float writes a number member. NaN and infinities are written as null.
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

// Decimal writes a decimal member as a string.
func (w *Writer) Decimal(name string, v value.Decimal, p Presence) { w.String(name, string(v), p) }

// DecimalNumber writes a decimal member as a number. If it is required and empty, it is
// written as null.
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

// Raw writes a member of any JSON type. If it is required and empty, it is written as null.
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

// The methods below call generic functions. They must not be inlined, because their Writer
// would then escape to the heap.

// OptString writes a string member; nil is zero.
//
//go:noinline
func (w *Writer) OptString(name string, v *string, p Presence) {
	AppendOpt(w, name, v, p, AppendString)
}

// OptBool writes a bool member; nil is zero.
//
//go:noinline
func (w *Writer) OptBool(name string, v *bool, p Presence) { AppendOpt(w, name, v, p, AppendBool) }

// OptInt writes an integer member; nil is zero.
//
//go:noinline
func (w *Writer) OptInt(name string, v *int, p Presence) { AppendOpt(w, name, v, p, AppendInt) }

// OptInt64 writes an integer member; nil is zero.
//
//go:noinline
func (w *Writer) OptInt64(name string, v *int64, p Presence) {
	AppendOpt(w, name, v, p, AppendInt64)
}

// OptFloat writes a number member; nil is zero.
//
//go:noinline
func (w *Writer) OptFloat(name string, v *float64, p Presence) {
	AppendOpt(w, name, v, p, AppendFloat)
}

// Strings writes a list of strings. nil is zero. An empty list that is not nil is always
// written.
//
//go:noinline
func (w *Writer) Strings(name string, v []string, p Presence) {
	AppendListOf(w, name, v, p, AppendString)
}

// StringMap writes an object whose values are strings. nil is zero.
//
//go:noinline
func (w *Writer) StringMap(name string, v map[string]string, p Presence) {
	AppendMapOf(w, name, v, p, AppendString)
}

// Value writes a nested value. It is zero if it has no members, or only required members
// that are zero. In a struct that was not decoded, a value with a null member is not zero,
// because the member may have been set with SetNull.
func (w *Writer) Value(name string, v Encodable, p Presence) {
	before, count := len(w.b), w.count
	w.key(name)
	at := len(w.b)
	w.b = v.AppendJSON(w.b)
	if onlyZeros(w.b[at:], w.o.names == nil) {
		text := w.b[at:]
		w.b, w.count = w.b[:before], count
		if !w.absent(name) {
			w.zero(name, p, string(text), false)
		}
		return
	}
	w.fix(name, at)
}

// absent reports whether a zero member is omitted because it was not received. This is the
// fast path for the common case.
func (w *Writer) absent(name string) bool {
	if w.o.names == nil || w.o.more != nil {
		return false
	}
	index := find(w.names, name, w.guess)
	return index >= 0 && !w.o.has(index) && !w.o.isNull(index)
}

// AppendOpt writes the value of a pointer with item, one of the Append functions. nil is
// zero, and is written as null if the member is required.
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

// AppendPointer writes a nested value. nil is zero, and is written as null if the member is
// required.
func AppendPointer[T any, P encodable[T]](w *Writer, name string, v *T, p Presence) {
	if v == nil {
		w.zero(name, p, "null", true)
		return
	}
	w.nested(name, P(v))
}

// nested does the work of AppendPointer that does not need the type. Generic functions are
// compiled for every type with which they are used.
func (w *Writer) nested(name string, v Encodable) {
	w.key(name)
	at := len(w.b)
	w.b = v.AppendJSON(w.b)
	w.fix(name, at)
}

// AppendList writes a list of nested values. nil is zero, and is written as an empty list
// if the member is required. An empty list that is not nil is always written.
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

// force is fix without the kept texts.
func (w *Writer) force(name string, at int) {
	if w.o.more != nil {
		if s := w.o.more.findSet(name); s != nil && s.force {
			w.b = append(w.b[:at], s.raw...)
		}
	}
}

// AppendTexts writes a list of any string type. See Writer.Strings.
func AppendTexts[T ~string](w *Writer, name string, list []T, p Presence) {
	AppendListOf(w, name, list, p, AppendText[T])
}

// AppendListOf writes a list whose items are appended by item, one of the Append functions.
// See Writer.Strings for zero values.
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

// AppendMapOf writes a map as an object with sorted names. nil is zero, and is written as an
// empty object if the member is required. An empty map that is not nil is always written.
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

// sortedNames returns the sorted names of a map. It uses package sort, because slices.Sorted
// would be compiled again here.
func sortedNames[T any](m map[string]T) []string {
	names := slices.Collect(maps.Keys(m))
	sort.Strings(names)
	return names
}
