package wire

import (
	"encoding/json"
	"errors"
	"iter"
	"slices"
	"strings"

	"github.com/basiq-sdk/basiq-go/transport/value"
)

// Object keeps what the fields of a struct cannot hold of a JSON object: which members were
// present, which were null, undeclared members, and the texts of members that could not be
// converted. It is the type of the field JSON of generated structs. Its zero value is that
// of a struct that was not decoded.
//
// Methods that change an Object never change its copies.
type Object struct {
	_ [0]func() // not comparable with ==, which would compare pointers

	layout  *layout // the declared names; set by decoding
	present uint32  // a bit for each of the first 32 names
	null    uint32
	more    *more // what few objects need
}

// index returns the index of a declared name, or -1 if the name is not declared.
func (o *Object) index(name string) int {
	if o.layout == nil {
		return -1
	}
	return find(o.layout.names, name, 0)
}

// inlineMembers is the number of members for which Object needs no allocation.
const inlineMembers = 32

type more struct {
	whole string  // the value in place of an object
	kept  []kept  // declared members that would be encoded differently
	extra []extra // undeclared members
	set   []set   // with SetNull and Set
	alias []extra // declared names, and the names with which they were received
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

// moreNull is shared by all objects that were null. Nothing changes it.
var moreNull = more{whole: "null"}

// grow returns o.more for adding to it while decoding. It allocates it if necessary.
func (o *Object) grow(d *Decoder) *more {
	if o.more == nil {
		d.spent += moreSize
		o.more = new(more)
	}
	return o.more
}

// own replaces o.more with a copy, which no other Object shares, and returns it.
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

// wideBits returns the positions of the two bits of a member after the first 32. The bits
// of the first 32 are half a word, and unused.
func wideBits(index int) (present, null int, bit uint64) {
	word := index / 64
	return 2 * word, 2*word + 1, 1 << (index % 64)
}

func (o *Object) mark(d *Decoder, index int) {
	if index < inlineMembers {
		o.present |= 1 << index
		return
	}
	e := o.grow(d)
	p, _, bit := wideBits(index)
	if e.wide == nil {
		_, last, _ := wideBits(len(o.layout.names))
		e.wide = make([]uint64, last+1)
	}
	e.wide[p] |= bit
}

func (o *Object) setNull(index int) {
	if index < inlineMembers {
		o.null |= 1 << index
		return
	}
	_, n, bit := wideBits(index)
	o.more.wide[n] |= bit
}

// clear forgets a member. o.more must not be shared.
func (o *Object) clear(index int) {
	if index < inlineMembers {
		o.present &^= 1 << index
		o.null &^= 1 << index
	} else if o.more != nil && o.more.wide != nil {
		p, n, bit := wideBits(index)
		o.more.wide[p] &^= bit
		o.more.wide[n] &^= bit
	}
}

func (o *Object) has(index int) bool {
	if index < inlineMembers {
		return index >= 0 && o.present&(1<<index) != 0
	}
	if o.more == nil || o.more.wide == nil {
		return false
	}
	p, _, bit := wideBits(index)
	return o.more.wide[p]&bit != 0
}

func (o *Object) isNull(index int) bool {
	if index < inlineMembers {
		return index >= 0 && o.null&(1<<index) != 0
	}
	if o.more == nil || o.more.wide == nil {
		return false
	}
	_, n, bit := wideBits(index)
	return o.more.wide[n]&bit != 0
}

// forget drops what is kept for a declared member.
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

// findExtra returns the last undeclared member of that name.
func (e *more) findExtra(name string) *extra {
	for i := len(e.extra) - 1; i >= 0; i-- {
		if e.extra[i].name == name {
			return &e.extra[i]
		}
	}
	return nil
}

// Decoded reports whether the struct was decoded from JSON.
func (o *Object) Decoded() bool { return o.layout != nil }

// Present reports whether the object had a member of that name, declared or not, with any
// value. A member set with SetNull or Set is present.
func (o *Object) Present(name string) bool {
	if o.has(o.index(name)) {
		return true
	}
	return o.more != nil && (o.more.findSet(name) != nil || o.more.findExtra(name) != nil)
}

// Null reports whether the object had a member of that name that was null, or whether the
// member was set to null.
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

// Raw returns the JSON text of a member that is undeclared, could not be converted, was
// null, or was set with SetNull or Set. It reports false for members whose value is in
// their field, and for absent members.
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

// Whole returns the JSON text that was received in place of an object, such as null or a
// string in a list of objects. It reports false if there was an object.
func (o *Object) Whole() (json.RawMessage, bool) {
	if o.more == nil || o.more.whole == "" {
		return nil, false
	}
	return json.RawMessage(o.more.whole), true
}

// Extra returns the undeclared members in the order in which they were received, and then
// those that were added with Set.
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

// ExtraOf returns the undeclared members of an object, decoded with read. There is no
// error: a value of another kind is the zero value.
func ExtraOf[T any](o *Object, read func(*Decoder) T) map[string]T {
	var out map[string]T
	for name, raw := range o.Extra() {
		if out == nil {
			out = map[string]T{}
		}
		out[name] = read(NewDecoder(string(raw)))
	}
	return out
}

// SetNull makes the member be encoded as null while its field is zero. Use it to send null
// in a request.
func (o *Object) SetNull(name string) { o.put(set{name: name, raw: "null"}) }

// Set makes the member be encoded as this JSON text, whether or not the type declares it,
// and whatever its field contains. Use it to send what the type cannot express. Set returns
// an error if raw is not one valid JSON value.
func (o *Object) Set(name string, raw json.RawMessage) error {
	if !json.Valid(raw) {
		return errors.New("wire: Set " + name + ": the text is not a valid JSON value")
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

// Delete forgets the member: whether it was present or null, its text, and what was set with
// Set or SetNull. A declared member is then encoded from its field. In a decoded struct, it
// is omitted if the field is zero.
func (o *Object) Delete(name string) {
	e := o.own()
	e.forget(name)
	e.extra = slices.DeleteFunc(e.extra, func(x extra) bool { return x.name == name })
	e.set = slices.DeleteFunc(e.set, func(s set) bool { return s.name == name })
	if index := o.index(name); index >= 0 {
		o.clear(index)
	}
}

// Equal reports whether two Objects are equal. Packages such as go-cmp use it to compare
// structs that contain an Object.
func (o Object) Equal(p Object) bool {
	if !o.layout.equal(p.layout) || o.present != p.present || o.null != p.null {
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

// GobEncode encodes nothing: encoding/gob encodes the other fields of a struct, but not its
// Object. JSON encodes both.
func (o Object) GobEncode() ([]byte, error) { return nil, nil }

// GobDecode sets the Object to its zero value.
func (o *Object) GobDecode([]byte) error {
	*o = Object{}
	return nil
}

// String returns the names of the members that were null, kept or undeclared, without their
// values. A printed struct stays readable and safe to log.
func (o Object) String() string {
	var parts []string
	add := func(what string, names []string) {
		if len(names) > 0 {
			parts = append(parts, what+" "+strings.Join(names, " "))
		}
	}
	var nulls, texts, extras []string
	if o.layout != nil {
		for i, name := range o.layout.names {
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
			parts = append(parts, "not an object: "+value.JSON(o.more.whole).Kind().String())
		}
	}
	add("null:", nulls)
	add("kept:", texts)
	add("extra:", extras)
	return "{" + strings.Join(parts, "; ") + "}"
}
