package wire

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/basiq-sdk/basiq-go/transport/value"
)

// Value is implemented by pointers to the types that package wire decodes and encodes.
// JSONFields calls a method of f for every member of the JSON object, and passes the
// address of the field that holds it. The same calls decode and encode the value, and must
// not depend on the fields' values:
//
//	func (v *Purse) JSONFields(f *wire.Fields) {
//		f.Struct(&v.JSON, &purseType)
//		f.String("currency", &v.Currency, wire.Required)
//		f.Decimal("balance", &v.Balance, wire.Optional)
//	}
type Value interface{ JSONFields(f *Fields) }

// Type identifies a struct type, of which it keeps the names of the members. Every type has
// one variable of it. The zero Type is ready for use.
type Type struct{ layout atomic.Pointer[layout] }

// layout is what a type declares.
type layout struct {
	names   []string
	keys    []key // the names as they are written
	aliases []alias
	derives bool // JSONFields calls Decoded
}

type alias struct {
	name  string
	index int // of the declared name
}

func (l *layout) declare(name string) {
	l.names = append(l.names, name)
	l.keys = append(l.keys, newKey(name))
}

func (l *layout) equal(m *layout) bool {
	return l == m || l != nil && m != nil && slices.Equal(l.names, m.names)
}

// aliased returns the index of the declared name of which name is an alias, or -1.
func (l *layout) aliased(name string) int {
	for _, a := range l.aliases {
		if a.name == name {
			return a.index
		}
	}
	return -1
}

type mode uint8

const (
	reading mode = iota
	writing
	listing // the names of the members
)

// Fields is passed to JSONFields. Its methods read the member that is next in the text, or
// write the members one by one.
//
// While a value is decoded, JSONFields is called once if the text has the members in the
// order of the calls. Otherwise it is called again, and the second call notes the places of
// the fields, so that most other members can be read without further calls.
type Fields struct {
	mode   mode
	begun  bool // Struct was called
	ended  bool // reading: the object was read, or is not an object
	index  int  // of the next call's member
	want   int  // reading: the index of the member that is next in the text, or -1
	object *Object
	layout *layout

	d       *Decoder
	open    int // offset of the object
	start   int // offset of the member's value
	last    int // index of the last declared name; -1 before the first
	order   *order
	collect bool   // note the places of the members that are not next
	pass    uint64 // a number for each time that places are noted
	slots   []slot // the places of fields, by the index of the member

	e     *encoder
	count int // of the members that were written

	listed *Type // listing: the type, and the mode to return to
	after  mode
}

// frames holds a Fields for every level of nested values, so that these are not allocated
// one by one.
type frames struct {
	depth int
	used  int // the greatest depth so far
	few   [8]Fields
	more  []*Fields
}

var framePool = sync.Pool{New: func() any { return new(frames) }}

// push returns the Fields of the next level. They may be those of an earlier value. What
// is equal in both is not set again: while memory is marked, a pointer is expensive to set.
func (s *frames) push() *Fields {
	i := s.depth
	s.depth++
	if s.used < s.depth {
		s.used = s.depth
	}
	var f *Fields
	if i < len(s.few) {
		f = &s.few[i]
	} else {
		f = s.deep(i - len(s.few))
	}
	f.begun, f.ended, f.collect, f.index, f.want, f.count = false, false, false, 0, -1, 0
	return f
}

//go:noinline
func (s *frames) deep(i int) *Fields {
	if i == len(s.more) {
		s.more = append(s.more, new(Fields))
	}
	return s.more[i]
}

// clear drops all pointers to values and texts.
func (s *frames) clear() {
	for i := range s.few[:min(s.used, len(s.few))] {
		slots := s.few[i].slots
		clear(slots)
		s.few[i] = Fields{slots: slots}
	}
	s.more, s.depth, s.used = nil, 0, 0
}

// Struct must be called first, with the field JSON of the struct and the variable that
// identifies its type.
func (f *Fields) Struct(o *Object, t *Type) {
	if f.begun || f.mode == listing {
		return // JSONFields was called before
	}
	l := t.layout.Load()
	if l == nil {
		f.list(t)
		return
	}
	if f.layout != l {
		f.layout, f.order = l, &asDeclared
	}
	f.begun, f.object = true, o
	if f.mode == reading {
		f.openObject()
	}
}

// list makes the other methods list the names of the members. JSONFields is then called
// again.
func (f *Fields) list(t *Type) {
	f.after, f.mode = f.mode, listing
	f.layout, f.order, f.listed = new(layout), &asDeclared, t
}

// listedFirst is called after JSONFields has listed the names. It calls JSONFields again.
func (f *Fields) listedFirst(v Value) {
	f.listed.layout.CompareAndSwap(nil, f.layout)
	f.mode, f.index = f.after, 0
	v.JSONFields(f)
}

// Whole is called instead of Struct, and instead of all other methods, by a type that
// holds any JSON value as text.
func (f *Fields) Whole(p *value.JSON) {
	switch f.mode {
	case reading:
		*p = f.d.ReadRaw()
		f.ended = true
	case writing:
		f.e.set(AppendRaw(f.e.text(), *p))
	}
}

// Decoded reports whether all members of the value were read. JSONFields may then, after
// all calls, derive other fields from them.
func (f *Fields) Decoded() bool {
	if f.mode == listing {
		f.layout.derives = true
	}
	return f.mode == reading && f.ended
}

// Alias declares another name under which the member of the last call may be received. It
// is encoded under the name with which it was received. If both are received, the other
// name is an undeclared member.
func (f *Fields) Alias(name string) {
	if f.mode == listing {
		f.layout.aliases = append(f.layout.aliases, alias{name, len(f.layout.names) - 1})
	}
}

// take begins a member, and returns whether to read or write it now. A value that was read
// is followed by next.
func (f *Fields) take(name string) (read, write bool) {
	i := f.index
	f.index++
	switch f.mode {
	case reading:
		return i == f.want, false
	case writing:
		return false, true
	}
	f.layout.declare(name)
	return false, false
}

// String is a string member. See [Decoder.ReadString].
func (f *Fields) String(name string, p *string, need Presence) {
	i := f.index
	f.index = i + 1
	if f.mode == reading {
		if f.collect {
			s := &f.slots[i]
			s.stamp, s.text = f.pass+textPlace, p
		}
		if i == f.want {
			f.readString(p)
		}
		return
	}
	f.string(name, *p, need)
}

// readString reads a string member, and steps to the next one.
func (f *Fields) readString(p *string) {
	if d := f.d; d.pos < len(d.s) && d.s[d.pos] == '"' {
		*p = d.str()
	} else {
		*p = d.ReadString()
	}
	f.next()
}

// Bool is a bool member. See [Decoder.ReadBool].
func (f *Fields) Bool(name string, p *bool, need Presence) {
	switch read, write := f.take(name); {
	case read:
		*p = f.d.ReadBool()
		f.next()
	case write && !*p:
		f.zero("false", need, false)
	case write:
		f.literal("true")
	default:
		f.note((*boolField)(p))
	}
}

// Int is an integer member. See [Decoder.ReadInt64].
func (f *Fields) Int(name string, p *int, need Presence) {
	switch read, write := f.take(name); {
	case read:
		*p = f.d.ReadInt()
		f.next()
	case write:
		f.integer(int64(*p), need)
	default:
		f.note((*intField)(p))
	}
}

// Int64 is an integer member. See [Decoder.ReadInt64].
func (f *Fields) Int64(name string, p *int64, need Presence) {
	switch read, write := f.take(name); {
	case read:
		*p = f.d.ReadInt64()
		f.next()
	case write:
		f.integer(*p, need)
	}
}

// Float is a number member. NaN and infinities are written as null.
func (f *Fields) Float(name string, p *float64, need Presence) {
	switch read, write := f.take(name); {
	case read:
		*p = f.d.ReadFloat()
		f.next()
	case write && *p == 0:
		f.zero("0", need, false)
	case write:
		at := f.key()
		f.e.set(AppendFloat(f.e.text(), *p))
		f.fix(at)
	default:
		f.note((*floatField)(p))
	}
}

// Decimal is a decimal number that is declared as a string. See [Decoder.ReadDecimal].
func (f *Fields) Decimal(name string, p *value.Decimal, need Presence) {
	i := f.index
	f.index = i + 1
	if f.mode == reading {
		f.note((*decimalField)(p))
		if i == f.want {
			*p = f.d.ReadDecimal()
			f.next()
		}
		return
	}
	f.string(name, string(*p), need)
}

// DecimalNumber is a decimal number that is declared as a number. If it is required and
// empty, it is written as null.
func (f *Fields) DecimalNumber(name string, p *value.Decimal, need Presence) {
	switch read, write := f.take(name); {
	case read:
		*p = f.d.ReadDecimalNumber()
		f.next()
	case write && *p == "":
		f.zero("null", need, true)
	case write:
		at := f.key()
		f.e.set(AppendDecimalNumber(f.e.text(), *p))
		f.fix(at)
	default:
		f.note((*numberField)(p))
	}
}

// Raw is a member of any JSON type. If it is required and empty, it is written as null.
func (f *Fields) Raw(name string, p *value.JSON, need Presence) {
	switch read, write := f.take(name); {
	case read:
		*p = f.d.ReadRaw()
		f.next()
	case write && *p == "":
		f.zero("null", need, true)
	case write:
		at := f.key()
		f.e.set(AppendRaw(f.e.text(), *p))
		f.fix(at)
	default:
		f.note((*rawField)(p))
	}
}

// Secret is a string member that is not printed.
func (f *Fields) Secret(name string, p *value.Secret, need Presence) {
	switch read, write := f.take(name); {
	case read:
		*p = value.NewSecret(f.d.ReadString())
		f.next()
	case write:
		f.string(name, p.Reveal(), need)
	}
}

// Value is a nested value. null does not change it. It is zero if it has no members, or
// only required members that are zero. In a struct that was not decoded, a value with a null
// member is not zero, because the member may have been set with SetNull.
func (f *Fields) Value(name string, v Value, need Presence) {
	switch read, write := f.take(name); {
	case read:
		f.d.readValue(v)
		f.next()
	case write:
		f.nestedOrZero(v, need)
	default:
		if s := f.slot(valuePlace); s != nil {
			s.value = v
		}
	}
}

// Strings is a list of strings. null is read as nil, which is zero. An empty list that is
// not nil is always written.
func (f *Fields) Strings(name string, p *[]string, need Presence) {
	ListOf(f, name, p, need, (*Decoder).ReadString, AppendString)
	f.note((*stringsField)(p))
}

// Pointer is a nested value, or nil for null and for a value that cannot be converted. nil
// is zero, and is written as null if the member is required.
func Pointer[T any, P valueOf[T]](f *Fields, name string, p **T, need Presence) {
	switch read, write := f.take(name); {
	case read:
		*p = ReadPointer[T, P](f.d)
		f.next()
	case write && *p == nil:
		f.zero("null", need, true)
	case write:
		f.nested(P(*p))
	default:
		if s := f.slot(readerPlace); s != nil {
			s.reader, s.at = (*pointerReader[T, P])(nil), p
		}
	}
}

// List is a list of nested values. null and {} are read as nil, and any other object as a
// list of one. nil is zero, and is written as an empty list if the member is required. An
// empty list that is not nil is always written.
func List[T any, P valueOf[T]](f *Fields, name string, p *[]T, need Presence) {
	switch read, write := f.take(name); {
	case read:
		*p = ReadList[T, P](f.d)
		f.next()
	case write && *p == nil:
		f.zero("[]", need, true)
	case write:
		list := *p
		f.items(len(list), func(i int) Value { return P(&list[i]) })
	default:
		f.note((*listField[T, P])(p))
	}
}

// Texts is a list of any string type. See Strings.
func Texts[T ~string](f *Fields, name string, p *[]T, need Presence) {
	ListOf(f, name, p, need, ReadText[T], AppendText[T])
}

// ListOf is a list whose items are read by one of the Read functions, and written by one of
// the Append functions. null and {} are read as nil, and a single item as a list of one.
// See Strings for zero values.
//
//	wire.ListOf(f, "counts", &v.Counts, wire.Optional, (*wire.Decoder).ReadInt, wire.AppendInt)
func ListOf[T any](f *Fields, name string, p *[]T, need Presence, read func(*Decoder) T, item func([]byte, T) []byte) {
	switch reads, writes := f.take(name); {
	case reads:
		*p = ReadListOf(f.d, read)
		f.next()
	case writes && *p == nil:
		f.zero("[]", need, true)
	case writes:
		at := f.key()
		f.e.set(AppendItems(f.e.text(), *p, item))
		f.fix(at)
	}
}

// MapOf is an object with any names, whose values are read by one of the Read functions,
// and written by one of the Append functions, with sorted names. null is read as nil. Of
// members with equal names, the last is used. nil is zero, and is written as an empty
// object if the member is required. An empty map that is not nil is always written.
func MapOf[T any](f *Fields, name string, p *map[string]T, need Presence, read func(*Decoder) T, item func([]byte, T) []byte) {
	switch reads, writes := f.take(name); {
	case reads:
		*p = ReadMapOf(f.d, read)
		f.next()
	case writes && *p == nil:
		f.zero("{}", need, true)
	case writes:
		at := f.key()
		f.e.set(AppendEntries(f.e.text(), *p, item))
		f.fix(at)
	}
}

// Opt is a value that is read by one of the Read functions, and written by one of the
// Append functions. It is nil for null and for a value that cannot be converted. nil is
// zero, and is written as null if the member is required.
func Opt[T any](f *Fields, name string, p **T, need Presence, read func(*Decoder) T, add func([]byte, T) []byte) {
	switch reads, writes := f.take(name); {
	case reads:
		*p = ReadOpt(f.d, read)
		f.next()
	case writes && *p == nil:
		f.zero("null", need, true)
	case writes:
		at := f.key()
		f.e.set(add(f.e.text(), **p))
		f.fix(at)
	}
}

// OptText is Opt for any string type.
func OptText[T ~string](f *Fields, name string, p **T, need Presence) {
	Opt(f, name, p, need, ReadText[T], AppendText[T])
}

// OptBool is Opt for a bool.
func (f *Fields) OptBool(name string, p **bool, need Presence) {
	Opt(f, name, p, need, (*Decoder).ReadBool, AppendBool)
}

// OptInt is Opt for an integer.
func (f *Fields) OptInt(name string, p **int, need Presence) {
	Opt(f, name, p, need, (*Decoder).ReadInt, AppendInt)
}

// OptFloat is Opt for a number.
func (f *Fields) OptFloat(name string, p **float64, need Presence) {
	Opt(f, name, p, need, (*Decoder).ReadFloat, AppendFloat)
}

// OptString is Opt for a string.
func (f *Fields) OptString(name string, p **string, need Presence) {
	Opt(f, name, p, need, (*Decoder).ReadString, AppendString)
}
