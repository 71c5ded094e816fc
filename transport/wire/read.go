package wire

import (
	"strings"

	"github.com/basiq-sdk/basiq-go/transport/value"
)

// value reads a value of a generated type.
func (d *Decoder) value(v Value) {
	if d.frames == nil {
		d.frames = framePool.Get().(*frames)
	}
	f := d.frames.push()
	if f.d != d {
		f.d, f.mode = d, reading
	}
	v.JSONFields(f)
	if f.mode == listing {
		f.listedFirst(v)
	}
	for !f.ended {
		f.again(v)
	}
	d.frames.depth--
}

// again reads the members that come in another order than that of the calls. The second
// call of JSONFields notes the places of the fields. Further ones are only needed for fields
// without a place.
func (f *Fields) again(v Value) {
	if f.collect {
		f.readSlots()
		if f.ended && !f.layout.derives {
			return
		}
		f.collect = false
	} else {
		f.order.shuffle()
		f.collectSlots()
	}
	f.index = 0
	v.JSONFields(f)
	if !f.ended && f.want >= f.index { // there were fewer calls than when the names were listed
		f.d.skip()
		f.next()
	}
	f.collect = true
}

// openObject steps to the first declared member. If the value is not an object, it keeps the
// value for encoding. At the top level, such a value is a *TypeError, except for null.
func (f *Fields) openObject() {
	d := f.d
	if d.peek() != '{' {
		d.notAnObject(f.object, f.layout)
		f.ended = true
		return
	}
	f.open = d.pos
	if !d.enter() {
		f.ended = true
		return
	}
	*f.object = Object{layout: f.layout}
	f.last = -1
	if f.order == &asDeclared && d.many {
		f.order = d.orderOf(f.layout)
	}
	if f.order.shuffled {
		f.collectSlots()
	}
	if d.peek() == '}' {
		d.leave()
		f.ended = true
		return
	}
	if !f.member() {
		f.next()
	}
}

func (d *Decoder) notAnObject(o *Object, l *layout) {
	at, kind := d.pos, d.Kind()
	raw := d.raw()
	switch {
	case d.err != nil:
	case kind == value.KindNull:
		if d.depth > 0 {
			*o = Object{layout: l, more: &moreNull}
			d.flag |= wasNull | notObject
		}
	case d.depth == 0:
		d.err = &TypeError{Want: "object", Got: kind.String()}
		d.stop()
	default:
		d.spent += moreSize
		*o = Object{layout: l, more: &more{whole: raw}}
		d.flag |= notObject
		d.drift(at, WrongType, "object", kind.String())
	}
}

// next ends a member whose value was read, and steps to the next declared one.
func (f *Fields) next() {
	d := f.d
	if d.flag != 0 {
		f.keep()
	}
	if d.pos < len(d.s) && d.s[d.pos] == ',' && f.guess(d.pos, wholeKey) {
		if bit := uint32(1) << (uint(f.want) % 32); f.want < inlineMembers && f.object.present&bit == 0 {
			f.object.present |= bit
		} else {
			f.mark()
		}
		return
	}
	f.step()
}

// step is next for a member that was not guessed, and for the end of the object.
func (f *Fields) step() {
	d := f.d
	for {
		switch d.peek() {
		case ',':
			d.pos++
			d.peek()
		case '}':
			d.leave()
			f.end()
			return
		default:
			d.fail(d.pos, "want a comma or the end of the object")
			f.end()
			return
		}
		if f.member() {
			return
		}
	}
}

func (f *Fields) end() { f.ended, f.want = true, -1 }

// guess compares the text with the next few names, before the text is scanned. Members mostly
// have the same order as in the last object, with some of them absent. guess reports whether
// one of them is there, and sets want. at is the offset of the comma before the name, or of
// any byte there if the mask is afterSign.
func (f *Fields) guess(at int, mask uint64) bool {
	d, guess, keys, order := f.d, f.last, f.layout.keys, f.order
	if at < 0 || at >= len(d.s)-word {
		return false
	}
	start := load(d.s, at)
	for range 4 {
		guess = order.after(guess)
		if uint(guess) >= uint(len(keys)) {
			return false
		}
		key := &keys[guess]
		if (start^key.first)&key.mask&mask != 0 {
			continue
		}
		end := at + len(key.text)
		if end > at+word { // the rest of a long key
			if end > len(d.s) || load(d.s, end-word) != key.last {
				continue
			}
			if end > at+2*word && d.s[at+word:end-word] != key.text[word:len(key.text)-word] {
				return false // and not the next name: the loop is faster without a call
			}
		}
		d.pos, f.want, f.last, f.start = end, guess, guess, end
		return true
	}
	return false
}

// member reads the name of a member, and reports whether it is declared. The value of an
// undeclared one is kept, too. After an error, there are no more members.
func (f *Fields) member() bool {
	d := f.d
	if !f.guess(d.pos-1, afterSign) {
		if d.pos >= len(d.s) || d.s[d.pos] != '"' {
			d.fail(d.pos, "want a member name")
			return false
		}
		name := d.str()
		if !d.colon() {
			return false
		}
		f.start = d.pos
		index := find(f.layout.names, name, f.last+1)
		if index < 0 {
			return f.undeclared(name)
		}
		f.order.learn(f.last, index)
		f.want, f.last = index, index
	}
	f.mark()
	return true
}

// mark records that the member is present.
func (f *Fields) mark() {
	if f.want >= inlineMembers {
		f.forgetDuplicate()
		f.object.mark(f.d, f.want)
		return
	}
	bit := uint32(1) << f.want
	if f.object.present&bit != 0 {
		f.forgetDuplicate()
	}
	f.object.present |= bit
}

// find returns the index of name, or -1. The name is likely to be at guess or soon after.
func find(names []string, name string, guess int) int {
	guess = min(guess, len(names))
	for i := guess; i < len(names); i++ {
		if names[i] == name {
			return i
		}
	}
	for i := range guess {
		if names[i] == name {
			return i
		}
	}
	return -1
}

// undeclared reads the name of the current member as an alias of a declared name, and
// reports whether it is one. Otherwise it keeps the member.
func (f *Fields) undeclared(name string) bool {
	d := f.d
	if index := f.layout.aliased(name); index >= 0 && !f.object.has(index) {
		f.object.mark(d, index)
		e := f.object.grow(d)
		e.alias = append(e.alias, extra{name: f.layout.names[index], raw: name})
		f.want = index
		return true
	}
	if raw := d.raw(); d.err == nil {
		e := f.object.grow(d)
		e.extra = append(e.extra, extra{name: name, raw: raw})
		d.drift(f.start, UnknownMember, "", "")
	}
	return false
}

// forgetDuplicate forgets what was recorded for the current member, because it is a
// duplicate: the last one is used. A value that was received under another name is kept
// as that of an undeclared member.
func (f *Fields) forgetDuplicate() {
	f.object.clear(f.want)
	e := f.object.more
	if e == nil {
		return
	}
	name := f.layout.names[f.want]
	for _, a := range e.alias {
		if a.name == name {
			e.extra = append(e.extra, extra{name: a.raw, raw: f.first(a.raw)})
		}
	}
	e.forget(name)
}

// first returns the text of the first member with a name, before the current one.
func (f *Fields) first(name string) string {
	d := NewDecoder(f.d.s[f.open:])
	for all := d.entries(); all.next(); {
		if all.name == name {
			return d.raw()
		}
	}
	return "null"
}

// keep records the flags and the text of the member that was just read.
func (f *Fields) keep() {
	d, flag := f.d, f.d.flag
	d.flag = 0
	switch {
	case d.err != nil:
	case flag&wasNull != 0:
		f.object.setNull(f.want)
	default:
		e := f.object.grow(d)
		e.kept = append(e.kept, kept{name: f.layout.names[f.want], raw: strings.TrimLeft(d.s[f.start:d.pos], " \t\r\n"), why: flag})
	}
}

// entries iterates over the members of an object with any names.
type entries struct {
	d      *Decoder
	name   string
	start  int // offset of the value
	opened bool
	ended  bool
}

// entries steps into the object at pos.
func (d *Decoder) entries() entries { return entries{d: d, ended: !d.enter()} }

// next moves to the next member, and reports whether there is one. A value that was not
// read is skipped.
func (m *entries) next() bool {
	d := m.d
	if m.ended {
		return false
	}
	m.ended = true // unless there is another member
	if m.opened && d.pos == m.start {
		d.skip()
	}
	c := d.peek()
	switch {
	case c == '}':
		d.leave()
		return false
	case m.opened && c != ',':
		d.fail(d.pos, "want a comma or the end of the object")
		return false
	case m.opened:
		d.pos++
		c = d.peek()
	}
	if c != '"' {
		d.fail(d.pos, "want a member name")
		return false
	}
	m.name = d.str()
	if !d.colon() {
		return false
	}
	m.start, m.opened, m.ended = d.pos, true, false
	return true
}
