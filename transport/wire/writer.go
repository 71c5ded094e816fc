package wire

import (
	"maps"
	"slices"
	"sort"
	"sync"
)

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

// encoder writes one JSON text to the first n bytes of b. While memory is marked, a slice
// is expensive to set, which is why only n changes as long as b has room.
type encoder struct {
	b      []byte // with its whole capacity
	n      int
	solid  int // the end of the last string that is not empty
	frames frames
}

var encoders = sync.Pool{New: func() any { return new(encoder) }}

// maxPooled is the maximum size of a buffer that is put back into the pool.
const maxPooled = 1 << 20

// Marshal returns the JSON text of v. Generated MarshalJSON methods call it. It makes one
// allocation of the right size. The error is always nil.
func Marshal(v Value) ([]byte, error) {
	e := encoders.Get().(*encoder)
	e.n, e.solid = 0, 0
	e.value(v)
	text := append([]byte(nil), e.text()...) // append does not clear the memory first, as make would
	if len(e.b) > maxPooled {
		e.b = nil
	}
	e.release()
	return text, nil
}

// Append appends the JSON text of v to b.
func Append(b []byte, v Value) []byte {
	e := encoders.Get().(*encoder)
	own := e.b
	e.b, e.n, e.solid = b[:cap(b)], len(b), 0
	e.value(v)
	b, e.b = e.text(), own
	e.release()
	return b
}

// release puts the encoder back into the pool, without pointers to what it wrote.
func (e *encoder) release() {
	e.frames.clear()
	encoders.Put(e)
}

// text returns what was written so far, for the Append functions.
func (e *encoder) text() []byte { return e.b[:e.n] }

// set sets what was written so far to the result of an Append function.
func (e *encoder) set(b []byte) {
	e.n = len(b)
	if cap(b) != len(e.b) {
		e.b = b[:cap(b)]
	}
}

// add writes a text.
func (e *encoder) add(text string) {
	e.room(len(text))
	e.n += copy(e.b[e.n:], text)
}

// addByte writes one byte.
func (e *encoder) addByte(c byte) {
	e.room(1)
	e.b[e.n] = c
	e.n++
}

// room makes room for n more bytes.
func (e *encoder) room(n int) {
	if len(e.b)-e.n < n {
		e.grow(n)
	}
}

//go:noinline
func (e *encoder) grow(room int) {
	b := slices.Grow(e.text(), room)
	e.b = b[:cap(b)]
}

// value writes a value of a generated type.
func (e *encoder) value(v Value) {
	f := e.frames.push()
	if f.e != e {
		f.e, f.mode = e, writing
	}
	v.JSONFields(f)
	if f.mode == listing {
		f.listedFirst(v)
	}
	if f.begun {
		f.close()
	}
	e.frames.depth--
}

// close writes the undeclared members, and closes the object.
func (f *Fields) close() {
	e := f.e
	if o := f.object.more; o != nil {
		for _, x := range o.extra {
			f.undeclaredKey(x.name)
			e.add(x.raw)
		}
		for _, s := range o.set {
			if find(f.layout.names, s.name, 0) < 0 {
				f.undeclaredKey(s.name)
				e.add(s.raw)
			}
		}
		if f.count == 0 && o.whole != "" {
			e.add(o.whole)
			return
		}
	}
	if f.count == 0 {
		e.addByte('{')
	}
	e.addByte('}')
}

// sign returns what comes before the next member.
func (f *Fields) sign() byte {
	if f.count++; f.count == 1 {
		return '{'
	}
	return ','
}

func (f *Fields) undeclaredKey(name string) {
	f.e.addByte(f.sign())
	f.e.set(append(AppendString(f.e.text(), name), ':'))
}

// key starts the member of the last call, and returns the offset of its value.
func (f *Fields) key() int {
	e, k := f.e, &f.layout.keys[f.index-1]
	if m := f.object.more; m != nil && len(m.alias) > 0 {
		f.undeclaredKey(m.wireName(f.name()))
		return e.n
	}
	e.room(len(k.text) + word)
	k.put(e.b[e.n:])
	e.b[e.n] = f.sign()
	e.n += len(k.text)
	return e.n
}

// name returns the declared name of the last call's member.
func (f *Fields) name() string { return f.layout.names[f.index-1] }

// wireName returns the name under which a declared member was received.
func (e *more) wireName(name string) string {
	for _, a := range e.alias {
		if a.name == name {
			return a.raw
		}
	}
	return name
}

// fix replaces the value of the last call's member, which starts at at, with the text that
// was set with Set, or with the text from which it was decoded if the field was not changed.
func (f *Fields) fix(at int) {
	if f.object.more != nil {
		f.rewrite(at)
	}
}

func (f *Fields) rewrite(at int) {
	if f.force(at) {
		return
	}
	k := f.object.more.findKept(f.name())
	if k == nil || len(k.raw) > maxKept {
		return
	}
	if unchanged(k.raw, string(f.e.text()[at:]), k.why) {
		f.replace(at, k.raw)
	}
}

// replace replaces what was written from at on.
func (f *Fields) replace(at int, raw string) {
	f.e.n, f.e.solid = at, min(f.e.solid, at)
	f.e.add(raw)
}

// zero writes a member whose field is zero, unless it must be omitted. literal is the
// encoding of zero. clearable means that the field is zero only if it is nil: an optional
// field that was set to nil after decoding is omitted.
func (f *Fields) zero(literal string, need Presence, clearable bool) {
	index := f.index - 1
	if f.object.more != nil && f.zeroAsReceived(literal) {
		return
	}
	if need == Nullable {
		literal = "null"
	}
	switch {
	case f.object.isNull(index):
		f.written("null")
	case f.object.layout == nil:
		if need != Optional {
			f.written(literal)
		}
	case f.object.has(index):
		if need != Optional || !clearable {
			f.written(literal)
		}
	}
}

// zeroAsReceived writes a member whose field is zero as it was set or received, if it was.
func (f *Fields) zeroAsReceived(literal string) bool {
	e, name := f.object.more, f.name()
	if s := e.findSet(name); s != nil {
		f.written(s.raw)
		return true
	}
	if k := e.findKept(name); k != nil && unchanged(k.raw, literal, k.why) {
		f.written(k.raw)
		return true
	}
	return false
}

// written writes the member of the last call.
func (f *Fields) written(raw string) {
	f.key()
	f.e.add(raw)
}

// literal writes a member whose text is not that of zero.
func (f *Fields) literal(text string) {
	f.written(text)
	f.fix(f.e.n - len(text))
}

// string lists or writes a string member.
func (f *Fields) string(name, v string, need Presence) {
	if f.mode == listing || v == "" || f.object.more != nil {
		f.unusualString(name, v, need)
		return
	}
	e, k := f.e, &f.layout.keys[f.index-1] // as in key, whose call would be a part of the cost of a string
	size := len(k.text) + len(v) + len(`""`)
	e.room(size + word)
	b := e.b[e.n:]
	k.put(b)
	b[0] = f.sign()
	b = b[len(k.text):]
	b[0] = '"'
	if b = b[1:]; !copyPlain(b, v) {
		e.n += size - len(v) - 1
		f.escaped(v)
		return
	}
	b[len(v)] = '"'
	e.n += size
	e.solid = e.n
}

// escaped writes the rest of a string after the quote.
//
//go:noinline
func (f *Fields) escaped(v string) {
	e := f.e
	e.set(append(appendRest(e.text(), v, clean(v, 0)), '"'))
	e.solid = e.n
}

//go:noinline
func (f *Fields) unusualString(name, v string, need Presence) {
	switch {
	case f.mode == listing:
		f.layout.declare(name)
	case v == "":
		f.zero(`""`, need, false)
	default:
		at := f.key()
		f.e.set(AppendString(f.e.text(), v))
		f.fix(at)
	}
}

func (f *Fields) integer(v int64, need Presence) {
	if v == 0 {
		f.zero("0", need, false)
		return
	}
	at := f.key()
	f.e.set(AppendInt64(f.e.text(), v))
	f.fix(at)
}

func (f *Fields) nestedOrZero(v Value, need Presence) {
	before, count := f.e.n, f.count
	at := f.key()
	f.e.value(v)
	if text := f.e.text()[at:]; f.e.solid <= at && onlyZeros(text, f.object.layout == nil) {
		f.e.n, f.count = before, count
		if !f.absent() {
			f.zero(string(text), need, false)
		}
		return
	}
	f.fix(at)
}

// absent reports whether a zero member is omitted because it was not received. This is the
// fast path for the common case.
func (f *Fields) absent() bool {
	o, index := f.object, f.index-1
	return o.layout != nil && o.more == nil && !o.has(index) && !o.isNull(index)
}

func (f *Fields) nested(v Value) {
	at := f.key()
	f.e.value(v)
	f.fix(at)
}

func (f *Fields) items(n int, item func(i int) Value) {
	at := f.key()
	if n == 1 && f.wasSingle() {
		f.e.value(item(0))
		return
	}
	f.e.addByte('[')
	for i := range n {
		if i > 0 {
			f.e.addByte(',')
		}
		f.e.value(item(i))
	}
	f.e.addByte(']')
	f.force(at)
}

func (f *Fields) wasSingle() bool {
	e := f.object.more
	if e == nil {
		return false
	}
	k, s := e.findKept(f.name()), e.findSet(f.name())
	return k != nil && k.why == single && (s == nil || !s.force)
}

// force is fix without the kept texts. It reports whether it replaced the value.
func (f *Fields) force(at int) bool {
	if f.object.more == nil {
		return false
	}
	s := f.object.more.findSet(f.name())
	if s == nil || !s.force {
		return false
	}
	f.replace(at, s.raw)
	return true
}

// sortedNames returns the sorted names of a map. It uses package sort, because slices.Sorted
// would be compiled again here.
func sortedNames[T any](m map[string]T) []string {
	names := slices.Collect(maps.Keys(m))
	sort.Strings(names)
	return names
}
