package wire

import "github.com/basiq-sdk/basiq-go/transport/value"

// slot is the place of a field, into which a member can be read later. A field without a
// place is read in another call of JSONFields.
type slot struct {
	stamp  uint64 // the pass in which the place was noted, and what it is
	text   *string
	field  field
	value  Value
	reader reader // of the pointer at
	at     any
}

// What a slot holds, in the lowest bits of the stamp.
const (
	noPlace uint64 = iota
	textPlace
	fieldPlace
	valuePlace
	readerPlace
	nextPass
)

// field is implemented by pointers to fields, converted to the types below.
type field interface{ read(d *Decoder) }

// reader is implemented by a pointer that is nil, because types of pointers have no methods.
type reader interface{ read(d *Decoder, at any) }

type pointerReader[T any, P valueOf[T]] struct{}

func (*pointerReader[T, P]) read(d *Decoder, at any) { *at.(**T) = ReadPointer[T, P](d) }

type (
	boolField    bool
	intField     int
	floatField   float64
	decimalField value.Decimal
	numberField  value.Decimal
	rawField     value.JSON
	stringsField []string

	listField[T any, P valueOf[T]] []T
)

func (p *boolField) read(d *Decoder)       { *p = boolField(d.ReadBool()) }
func (p *intField) read(d *Decoder)        { *p = intField(d.ReadInt()) }
func (p *floatField) read(d *Decoder)      { *p = floatField(d.ReadFloat()) }
func (p *decimalField) read(d *Decoder)    { *p = decimalField(d.ReadDecimal()) }
func (p *numberField) read(d *Decoder)     { *p = numberField(d.ReadDecimalNumber()) }
func (p *rawField) read(d *Decoder)        { *p = rawField(d.ReadRaw()) }
func (p *stringsField) read(d *Decoder)    { *p = ReadListOf(d, (*Decoder).ReadString) }
func (p *listField[T, P]) read(d *Decoder) { *p = ReadList[T, P](d) }

// slot returns where to note the place of the last call's field, or nil if places are not
// noted now.
func (f *Fields) slot(holds uint64) *slot {
	if !f.collect || f.mode != reading {
		return nil
	}
	s := &f.slots[f.index-1]
	s.stamp = f.pass + holds
	return s
}

// note notes the place of the last call's field.
func (f *Fields) note(p field) {
	if s := f.slot(fieldPlace); s != nil {
		s.field = p
	}
}

// collectSlots makes the next call of JSONFields note the places of the fields. Those that
// were noted before have another stamp.
func (f *Fields) collectSlots() {
	f.collect = true
	f.pass += nextPass
	if n := len(f.layout.names); len(f.slots) < n {
		f.slots = make([]slot, n)
	}
}

// readSlots reads the members that follow into the places that were noted, up to one whose
// place was not.
func (f *Fields) readSlots() {
	for f.want >= 0 {
		s := &f.slots[f.want]
		switch s.stamp - f.pass {
		case textPlace:
			f.readString(s.text)
			continue
		case fieldPlace:
			s.field.read(f.d)
		case valuePlace:
			f.d.readValue(s.value)
		case readerPlace:
			s.reader.read(f.d, s.at)
		default:
			return
		}
		f.next()
	}
}

// readValue reads a nested value, which null does not change.
func (d *Decoder) readValue(v Value) {
	if d.peek() == 'n' {
		d.null()
	} else {
		d.readNested(v)
	}
}
