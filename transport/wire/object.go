package wire

import (
	"encoding/json"
	"errors"
	"iter"
	"slices"
	"strings"

	"github.com/basiq-sdk/basiq-go/transport/value"
)

// Object remembers of a JSON object what the fields of a struct cannot: which
// members were there, which of them were null, those that the type does not
// declare, and the text of those that did not fit their field. Generated structs
// have one in their field JSON. Its zero value is that of a struct made by hand.
//
// Methods that change an Object never change its copies.
type Object struct {
	_ [0]func() // not comparable: two that remember the same are not ==

	names   *Names // the declared ones, set by decoding
	present uint32 // bits by index in names, for the first 32
	null    uint32
	more    *more // what is rare
}

// Names are the wire names that a type declares, in the usual order. They must not
// contain quotes, backslashes or control characters. A type has one variable of
// them, by whose address it is known; nothing may change it.
type Names []string

func (n *Names) equal(m *Names) bool {
	return n == m || n != nil && m != nil && slices.Equal(*n, *m)
}

// index returns the index of a declared name, -1 if it is none.
func (o *Object) index(name string) int {
	if o.names == nil {
		return -1
	}
	return find(*o.names, name, 0)
}

// narrow is the number of members that are remembered without an allocation.
const narrow = 32

type more struct {
	whole string  // the value that was there in place of an object
	kept  []kept  // declared members that would be written in another way
	extra []extra // members that are not declared
	set   []set   // by SetNull and Set
	alias []extra // declared names, and the names that they came with
	wide  []uint64
}

type extra struct{ name, raw string }

type kept struct {
	name, raw string
	why       flags
}

type set struct {
	name, raw string
	force     bool
}

// moreNull is shared by all objects that were null; nothing changes it.
var moreNull = more{whole: "null"}

// grow returns what is rare for adding to it while decoding.
func (o *Object) grow(d *Decoder) *more {
	if o.more == nil {
		d.spent += moreSize
		o.more = new(more)
	}
	return o.more
}

// own returns a copy of what is rare, which no other Object shares.
func (o *Object) own() *more {
	e := new(more)
	if o.more != nil {
		*e = *o.more
		e.kept = slices.Clone(e.kept)
		e.extra = slices.Clone(e.extra)
		e.set = slices.Clone(e.set)
		e.alias = slices.Clone(e.alias)
		e.wide = slices.Clone(e.wide)
	}
	o.more = e
	return e
}

// wideBits returns where the two bits of a member beyond the narrow ones are. Those
// of the narrow ones, half a word, are not used.
func wideBits(index int) (present, null int, bit uint64) {
	word := index / 64
	return 2 * word, 2*word + 1, 1 << (index % 64)
}

func (o *Object) mark(d *Decoder, index int) {
	if index < narrow {
		o.present |= 1 << index
		return
	}
	e := o.grow(d)
	p, _, bit := wideBits(index)
	if e.wide == nil {
		_, last, _ := wideBits(len(*o.names))
		e.wide = make([]uint64, last+1)
	}
	e.wide[p] |= bit
}

func (o *Object) setNull(index int) {
	if index < narrow {
		o.null |= 1 << index
		return
	}
	_, n, bit := wideBits(index)
	o.more.wide[n] |= bit
}

// clear forgets a member; what is rare must be owned.
func (o *Object) clear(index int) {
	if index < narrow {
		o.present &^= 1 << index
		o.null &^= 1 << index
	} else if o.more != nil && o.more.wide != nil {
		p, n, bit := wideBits(index)
		o.more.wide[p] &^= bit
		o.more.wide[n] &^= bit
	}
}

func (o *Object) has(index int) bool {
	if index < narrow {
		return index >= 0 && o.present&(1<<index) != 0
	}
	if o.more == nil || o.more.wide == nil {
		return false
	}
	p, _, bit := wideBits(index)
	return o.more.wide[p]&bit != 0
}

func (o *Object) isNull(index int) bool {
	if index < narrow {
		return index >= 0 && o.null&(1<<index) != 0
	}
	if o.more == nil || o.more.wide == nil {
		return false
	}
	_, n, bit := wideBits(index)
	return o.more.wide[n]&bit != 0
}

// forget drops what is kept of a declared member.
func (e *more) forget(name string) {
	e.kept = slices.DeleteFunc(e.kept, func(k kept) bool { return k.name == name })
	e.alias = slices.DeleteFunc(e.alias, func(a extra) bool { return a.name == name })
}

func (e *more) findKept(name string) *kept {
	for i := range e.kept {
		if e.kept[i].name == name {
			return &e.kept[i]
		}
	}
	return nil
}

func (e *more) findSet(name string) *set {
	for i := range e.set {
		if e.set[i].name == name {
			return &e.set[i]
		}
	}
	return nil
}

// findExtra returns the last member of that name: of equal names, the last wins.
func (e *more) findExtra(name string) *extra {
	for i := len(e.extra) - 1; i >= 0; i-- {
		if e.extra[i].name == name {
			return &e.extra[i]
		}
	}
	return nil
}

// Decoded reports whether the struct was filled from JSON.
func (o *Object) Decoded() bool { return o.names != nil }

// Present reports whether the object had a member of that name, declared or not,
// whatever its value. A member set with SetNull or Set is present.
func (o *Object) Present(name string) bool {
	if o.has(o.index(name)) {
		return true
	}
	return o.more != nil && (o.more.findSet(name) != nil || o.more.findExtra(name) != nil)
}

// Null reports whether the object had a member of that name that was null, or
// whether it was made null with SetNull.
func (o *Object) Null(name string) bool {
	if o.more != nil {
		if s := o.more.findSet(name); s != nil {
			return s.raw == "null"
		}
		if e := o.more.findExtra(name); e != nil {
			return e.raw == "null"
		}
	}
	return o.isNull(o.index(name))
}

// Raw returns the JSON text of a member that the type does not declare, that did
// not fit its field, that was null, or that was set with SetNull or Set. It
// reports false for members whose value is in their field, and for absent ones.
func (o *Object) Raw(name string) (json.RawMessage, bool) {
	if o.more != nil {
		if s := o.more.findSet(name); s != nil {
			return json.RawMessage(s.raw), true
		}
		if k := o.more.findKept(name); k != nil {
			return json.RawMessage(k.raw), true
		}
		if e := o.more.findExtra(name); e != nil {
			return json.RawMessage(e.raw), true
		}
	}
	if o.isNull(o.index(name)) {
		return json.RawMessage("null"), true
	}
	return nil, false
}

// Whole returns the JSON text that was there in place of an object, such as null
// or a string in a list of objects. It reports false if there was an object.
func (o *Object) Whole() (json.RawMessage, bool) {
	if o.more == nil || o.more.whole == "" {
		return nil, false
	}
	return json.RawMessage(o.more.whole), true
}

// Extra returns the members that the type does not declare, in the order in
// which they came, and then those that Set added.
func (o *Object) Extra() iter.Seq2[string, json.RawMessage] {
	return func(yield func(string, json.RawMessage) bool) {
		if o.more == nil {
			return
		}
		for _, e := range o.more.extra {
			if !yield(e.name, json.RawMessage(e.raw)) {
				return
			}
		}
		for _, s := range o.more.set {
			if o.index(s.name) < 0 && !yield(s.name, json.RawMessage(s.raw)) {
				return
			}
		}
	}
}

// SetNull makes the member be written as null as long as its field is zero. It is
// the way to send null in a request.
func (o *Object) SetNull(name string) { o.put(set{name: name, raw: "null"}) }

// Set makes the member be written with this JSON text, whether the type declares
// it or not, and whatever the field holds. It is the way to send what the type
// cannot say. It returns an error when raw is not one well-formed JSON value.
func (o *Object) Set(name string, raw json.RawMessage) error {
	if !json.Valid(raw) {
		return errors.New("wire: Set " + name + ": not a JSON value")
	}
	o.put(set{name: name, raw: strings.Trim(string(raw), " \t\r\n"), force: true})
	return nil
}

func (o *Object) put(s set) {
	e := o.own()
	e.whole = ""
	e.extra = slices.DeleteFunc(e.extra, func(x extra) bool { return x.name == s.name })
	if old := e.findSet(s.name); old != nil {
		*old = s
		return
	}
	e.set = append(e.set, s)
}

// Delete forgets the member: that it was there or null, its text, and what Set or
// SetNull said of it. A declared member is then written as in a struct made by
// hand, except that a decoded struct never writes a zero field that is not
// present.
func (o *Object) Delete(name string) {
	e := o.own()
	e.forget(name)
	e.extra = slices.DeleteFunc(e.extra, func(x extra) bool { return x.name == name })
	e.set = slices.DeleteFunc(e.set, func(s set) bool { return s.name == name })
	if index := o.index(name); index >= 0 {
		o.clear(index)
	}
}

// Equal reports whether two objects remember the same. It makes structs with an
// Object comparable by packages such as go-cmp.
func (o Object) Equal(p Object) bool {
	if !o.names.equal(p.names) || o.present != p.present || o.null != p.null {
		return false
	}
	a, b := o.more, p.more
	if a == b {
		return true
	}
	if a == nil {
		a = new(more)
	}
	if b == nil {
		b = new(more)
	}
	return a.whole == b.whole && slices.Equal(a.kept, b.kept) && slices.Equal(a.extra, b.extra) &&
		slices.Equal(a.set, b.set) && slices.Equal(a.alias, b.alias) && slices.Equal(a.wide, b.wide)
}

// GobEncode writes nothing: encoding/gob keeps the fields of a struct, and not
// what its Object remembers. JSON keeps both.
func (o Object) GobEncode() ([]byte, error) { return nil, nil }

// GobDecode reads what GobEncode writes.
func (o *Object) GobDecode([]byte) error {
	*o = Object{}
	return nil
}

// String names the members that were null, kept or not declared, without their
// values, so that a printed struct stays readable and safe to log.
func (o Object) String() string {
	var parts []string
	add := func(what string, names []string) {
		if len(names) > 0 {
			parts = append(parts, what+" "+strings.Join(names, " "))
		}
	}
	var nulls, texts, extras []string
	if o.names != nil {
		for i, name := range *o.names {
			if o.isNull(i) {
				nulls = append(nulls, name)
			}
		}
	}
	if o.more != nil {
		for _, k := range o.more.kept {
			texts = append(texts, k.name)
		}
		for _, s := range o.more.set {
			texts = append(texts, s.name)
		}
		for _, e := range o.more.extra {
			extras = append(extras, e.name)
		}
		if o.more.whole != "" {
			parts = append(parts, "no object but "+value.JSON(o.more.whole).Kind().String())
		}
	}
	add("null:", nulls)
	add("kept:", texts)
	add("extra:", extras)
	return "{" + strings.Join(parts, "; ") + "}"
}
