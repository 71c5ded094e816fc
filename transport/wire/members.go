package wire

import "github.com/basiq-sdk/basiq-go/transport/value"

// Members iterates over the members of one object. Next moves to the next member, Name
// returns its name, and one of the other methods reads its value. A value that is not read
// is skipped.
type Members struct {
	d     *Decoder
	o     *Object
	names Names
	other string // the name of an undeclared member
	open  int    // offset of the object
	start int    // offset of the value
	index int    // of the name in names; -1 if it is not declared
	last  int    // index of the last declared name; -1 before the first
	order *order
	state state
}

type state uint8

const (
	ended state = iota
	opened
	inside
)

// Members starts to read an object of the type that declares names. o must be the field JSON
// of the type. It keeps what the other fields cannot hold.
//
// If the value is not an object, there are no members, and o keeps the value for encoding.
// At the top level, such a value is a *TypeError, except for null.
func (d *Decoder) Members(o *Object, names *Names) Members {
	if d.peek() != '{' {
		d.notAnObject(o, names)
		return Members{d: d, o: o}
	}
	open := d.pos
	if !d.enter() {
		return Members{d: d, o: o}
	}
	*o = Object{names: names}
	return Members{d: d, o: o, names: *names, open: open, start: -1, last: -1, order: d.orderOf(names), state: opened}
}

// anyMembers starts to read an object with any names. The caller then reads the brace.
func (d *Decoder) anyMembers() Members {
	return Members{d: d, o: new(Object), start: -1, order: &asDeclared, state: opened}
}

func (d *Decoder) notAnObject(o *Object, names *Names) {
	at, kind := d.pos, d.Kind()
	raw := d.raw()
	switch {
	case d.err != nil:
	case kind == value.KindNull:
		if d.depth > 0 {
			*o = Object{names: names, more: &moreNull}
			d.flag |= wasNull | notObject
		}
	case d.depth == 0:
		d.err = &TypeError{Want: "object", Got: kind.String()}
		d.stop()
	default:
		d.spent += moreSize
		*o = Object{names: names, more: &more{whole: raw}}
		d.flag |= notObject
		d.drift(at, WrongType, "object", kind.String())
	}
}

// Next moves to the next member, and reports whether there is one.
func (m *Members) Next() bool {
	d := m.d
	if m.state == ended {
		return false
	}
	if d.pos == m.start {
		d.skip()
	}
	if d.flag != 0 {
		m.keep()
	}
	c := d.peek()
	if m.state == opened {
		m.state = inside
		if c == '}' {
			return m.end()
		}
	} else {
		if c != ',' {
			if c == '}' {
				return m.end()
			}
			d.fail(d.pos, "want a comma or the end of the object")
			return m.abort()
		}
		d.pos++
		c = d.peek()
	}
	if c != '"' {
		d.fail(d.pos, "want a member name")
		return m.abort()
	}
	m.readName()
	if d.pos < len(d.s) && d.s[d.pos] == ':' {
		d.pos++
		d.peek()
	} else if !d.colon() {
		return m.abort()
	}
	m.start = d.pos
	if uint(m.index) < inlineMembers {
		bit := uint32(1) << m.index
		if m.o.present&bit != 0 {
			m.forgetDuplicate()
		}
		m.o.present |= bit
	} else if m.index >= inlineMembers {
		m.forgetDuplicate()
		m.o.mark(m.d, m.index)
	}
	return true
}

// readName reads a member name. Members mostly have the same order as in the last object,
// with some of them absent. Therefore the next few names are compared with the text before
// the text is scanned.
func (m *Members) readName() {
	d := m.d
	s, at := d.s, d.pos+1
	guess := m.last
	for range 4 {
		guess = m.order.after(guess)
		if guess >= len(m.names) {
			break
		}
		name := m.names[guess]
		if end := at + len(name); end < len(s) && s[end] == '"' && s[at:end] == name {
			d.pos = end + 1
			m.index, m.last = guess, guess
			return
		}
	}
	m.other = d.str()
	m.index = find(m.names, m.other, m.last+1)
	if m.index >= 0 {
		m.order.learn(m.last, m.index)
		m.last = m.index
	}
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

func (m *Members) end() bool {
	m.d.leave()
	m.state = ended
	return false
}

func (m *Members) abort() bool {
	m.state = ended
	return false
}

// forgetDuplicate forgets what was recorded for the current member, because it is a
// duplicate: the last one is used. A value that was received under another name is kept
// as that of an undeclared member.
func (m *Members) forgetDuplicate() {
	m.o.clear(m.index)
	e := m.o.more
	if e == nil {
		return
	}
	for _, a := range e.alias {
		if a.name == m.Name() {
			e.extra = append(e.extra, extra{name: a.raw, raw: m.first(a.raw)})
		}
	}
	e.forget(m.Name())
}

// first returns the text of the first member with a name, before the current one.
func (m *Members) first(name string) string {
	d := NewDecoder(m.d.s[m.open:])
	d.enter()
	for all := d.anyMembers(); all.Next(); {
		if all.Name() == name {
			return d.raw()
		}
	}
	return "null"
}

// Name returns the name of the current member.
func (m *Members) Name() string {
	if uint(m.index) < uint(len(m.names)) {
		return m.names[m.index]
	}
	return m.other
}

// Alias makes the current member an alias of a declared name. It is encoded under the name
// with which it was received. Alias reports false if the declared member has been read
// already; the current member should then be kept with Extra. If the declared member
// follows, it is used, and the alias becomes an undeclared member.
func (m *Members) Alias(declared string) bool {
	index := find(m.names, declared, 0)
	if index < 0 || m.o.has(index) {
		return false
	}
	m.o.mark(m.d, index)
	e := m.o.grow(m.d)
	e.alias = append(e.alias, extra{name: declared, raw: m.Name()})
	m.index = index
	return true
}

// Extra keeps the current member as an undeclared one.
func (m *Members) Extra() {
	at := m.d.pos
	raw := m.d.raw()
	if m.d.err != nil {
		return
	}
	e := m.o.grow(m.d)
	e.extra = append(e.extra, extra{name: m.Name(), raw: raw})
	m.d.drift(at, UnknownMember, "", "")
}

// Drift reports a difference that only the caller can detect, such as a text that is not one
// of the values of an enumeration. want and got must not contain values.
func (m *Members) Drift(kind DriftKind, want, got string) {
	m.d.drift(m.start, kind, want, got)
}

// keep records the flags and the text of the member that was just read.
func (m *Members) keep() {
	d, flag := m.d, m.d.flag
	d.flag = 0
	switch {
	case d.err != nil:
	case flag&wasNull != 0 && m.index >= 0:
		m.o.setNull(m.index)
	default:
		e := m.o.grow(m.d)
		e.kept = append(e.kept, kept{name: m.Name(), raw: d.s[m.start:d.pos], why: flag})
	}
}

// String reads a string. See Decoder.ReadString.
func (m *Members) String() string { return m.d.ReadString() }

// Bool reads a bool. See Decoder.ReadBool.
func (m *Members) Bool() bool { return m.d.ReadBool() }

// Int reads an integer. See Decoder.ReadInt64.
func (m *Members) Int() int { return m.d.ReadInt() }

// Int64 reads an integer. See Decoder.ReadInt64.
func (m *Members) Int64() int64 { return m.d.ReadInt64() }

// Float reads a number. See Decoder.ReadFloat.
func (m *Members) Float() float64 { return m.d.ReadFloat() }

// Decimal reads a decimal number that is declared as a string. See
// Decoder.ReadDecimal.
func (m *Members) Decimal() value.Decimal { return m.d.ReadDecimal() }

// DecimalNumber reads a decimal number that is declared as a number. See
// Decoder.ReadDecimal.
func (m *Members) DecimalNumber() value.Decimal { return m.d.ReadDecimalNumber() }

// RawValue reads any value. See Decoder.ReadRaw.
func (m *Members) RawValue() value.JSON { return m.d.ReadRaw() }

// OptString reads a string. See Opt.
func (m *Members) OptString() *string { return ReadOpt(m.d, (*Decoder).ReadString) }

// OptBool reads a bool. See Opt.
func (m *Members) OptBool() *bool { return ReadOpt(m.d, (*Decoder).ReadBool) }

// OptInt reads an integer. See Opt.
func (m *Members) OptInt() *int { return ReadOpt(m.d, (*Decoder).ReadInt) }

// OptInt64 reads an integer. See Opt.
func (m *Members) OptInt64() *int64 { return ReadOpt(m.d, (*Decoder).ReadInt64) }

// OptFloat reads a number. See Opt.
func (m *Members) OptFloat() *float64 { return ReadOpt(m.d, (*Decoder).ReadFloat) }

// Value reads a nested value. null does not change v.
func (m *Members) Value(v Decodable) {
	if m.d.peek() == 'n' {
		m.d.null()
	} else {
		v.DecodeJSON(m.d)
		m.d.flag = memberFlag(m.d.flag)
	}
}

// memberFlag returns the flag of a member from the flag that its nested object has set.
func memberFlag(f flags) flags {
	if f&notObject != 0 {
		return mismatched
	}
	return 0
}

// Strings reads a list of strings. It returns nil for null.
func (m *Members) Strings() []string { return ReadListOf(m.d, (*Decoder).ReadString) }

// StringMap reads an object whose values are strings. It returns nil for null.
func (m *Members) StringMap() map[string]string { return ReadMapOf(m.d, (*Decoder).ReadString) }
