package wire

import "github.com/basiq-sdk/basiq-go/transport/value"

// Members walks through the members of one object: Next moves to a member, Name
// tells which it is, and one of the other methods reads its value. A value that
// is not read is skipped.
type Members struct {
	d     *Decoder
	o     *Object
	names Names
	other string // the name of a member that is not declared
	start int    // where the value begins
	index int    // of name in names, -1 if it is not there
	last  int    // index of the last name that is declared, -1 at the beginning
	order *order
	state state
}

type state uint8

const (
	ended state = iota
	opened
	inside
)

// Members begins to read an object of the type that declares names. o remembers
// what the fields cannot: it must be the JSON field of the type.
//
// Where the value is no object, there are no members and o keeps the value, to
// be written again. At the top of a text that is a *TypeError, except for null.
func (d *Decoder) Members(o *Object, names *Names) Members {
	if d.peek() != '{' {
		d.noObject(o, names)
		return Members{d: d, o: o}
	}
	if !d.enter() {
		return Members{d: d, o: o}
	}
	*o = Object{names: names}
	return Members{d: d, o: o, names: *names, start: -1, last: -1, order: d.orderOf(names), state: opened}
}

// anyMembers begins to read an object of any names; its brace is still to be read.
func (d *Decoder) anyMembers() Members {
	return Members{d: d, o: new(Object), start: -1, order: &asDeclared, state: opened}
}

func (d *Decoder) noObject(o *Object, names *Names) {
	at, kind := d.pos, d.Kind()
	raw := d.raw()
	switch {
	case d.err != nil:
	case kind == value.KindNull:
		if d.depth > 0 {
			*o = Object{names: names, more: &moreNull}
			d.flag |= wasNull | whole
		}
	case d.depth == 0:
		d.err = &TypeError{Want: "object", Got: kind.String()}
		d.stop()
	default:
		d.spent += moreSize
		*o = Object{names: names, more: &more{whole: raw}}
		d.flag |= whole
		d.drift(at, WrongType, "object", kind.String())
	}
}

// Next moves to the next member and reports whether there is one.
func (m *Members) Next() bool {
	d := m.d
	if m.state == ended {
		return false
	}
	if d.pos == m.start {
		d.skip()
	}
	if d.flag != 0 {
		m.note()
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
			d.fail(d.pos, "a comma or the end of the object was expected")
			return m.abort()
		}
		d.pos++
		c = d.peek()
	}
	if c != '"' {
		d.fail(d.pos, "a member name was expected")
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
	if uint(m.index) < narrow {
		bit := uint32(1) << m.index
		if m.o.present&bit != 0 {
			m.again()
		}
		m.o.present |= bit
	} else if m.index >= narrow {
		m.again()
		m.o.mark(m.d, m.index)
	}
	return true
}

// readName reads a member name. Members mostly come in the order in which they
// came last time, with some of them absent, so the names that may follow are
// compared with the text before the text is scanned.
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

// find returns the index of name, which is likely to be at or soon after guess.
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

// again forgets what was noted of a member that comes a second time: the last
// one wins.
func (m *Members) again() {
	m.o.clear(m.index)
	if m.o.more != nil {
		m.o.more.forget(m.Name())
	}
}

// Name returns the name of the current member.
func (m *Members) Name() string {
	if uint(m.index) < uint(len(m.names)) {
		return m.names[m.index]
	}
	return m.other
}

// Alias says that the current member is declared under another name, under which
// it is to be remembered. It is written again under the name that it came with.
// It reports false when the declared member has been read already; the current
// one is then best kept with Extra.
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

// Extra keeps the current member as one that the type does not declare.
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

// Drift reports a difference that only the caller can see, such as a text that
// is none of the values of an enumeration. want and got must not contain values.
func (m *Members) Drift(kind DriftKind, want, got string) {
	m.d.drift(m.start, kind, want, got)
}

// note remembers what was special about the value of the member that ends.
func (m *Members) note() {
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

// String reads a string. A number or bool gives its text; null gives "".
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

// RawValue reads a value of any shape. Null gives the JSON value null.
func (m *Members) RawValue() value.JSON { return m.d.ReadRaw() }

// OptString reads a string; nil stands for null and for what does not fit.
func (m *Members) OptString() *string { return ReadOpt(m.d, (*Decoder).ReadString) }

// OptBool reads a bool; nil stands for null and for what does not fit.
func (m *Members) OptBool() *bool { return ReadOpt(m.d, (*Decoder).ReadBool) }

// OptInt reads an integer; nil stands for null and for what does not fit.
func (m *Members) OptInt() *int { return ReadOpt(m.d, (*Decoder).ReadInt) }

// OptInt64 reads an integer; nil stands for null and for what does not fit.
func (m *Members) OptInt64() *int64 { return ReadOpt(m.d, (*Decoder).ReadInt64) }

// OptFloat reads a number; nil stands for null and for what does not fit.
func (m *Members) OptFloat() *float64 { return ReadOpt(m.d, (*Decoder).ReadFloat) }

// Value reads a nested value. Null leaves v as it is.
func (m *Members) Value(v Decodable) {
	if m.d.peek() == 'n' {
		m.d.null()
	} else {
		v.DecodeJSON(m.d)
		m.d.flag = unfitted(m.d.flag)
	}
}

// unfitted turns the flag that a nested object leaves into that of its member.
func unfitted(f flags) flags {
	if f&whole != 0 {
		return misfit
	}
	return 0
}

// Strings reads a list of strings; null gives nil.
func (m *Members) Strings() []string { return ReadListOf(m.d, (*Decoder).ReadString) }

// StringMap reads an object whose values are strings; null gives nil.
func (m *Members) StringMap() map[string]string { return ReadMapOf(m.d, (*Decoder).ReadString) }
