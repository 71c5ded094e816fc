package wire

import "github.com/basiq-sdk/basiq-go/transport/value"

// slot is the place of a field that is not a string, into which a member can be read later.
// A field whose slot is empty, such as a pointer, is read in another call of JSONFields.
type slot struct {
	field field
	value Value
}

// field is implemented by pointers to fields, converted to the types below.
type field interface{ read(d *Decoder) }

type (
	boolField    bool
	intField     int
	floatField   float64
	decimalField value.Decimal
	numberField  value.Decimal
	rawField     value.JSON

	listField[T any, P valueOf[T]] []T
)

func (p *boolField) read(d *Decoder)       { *p = boolField(d.ReadBool()) }
func (p *intField) read(d *Decoder)        { *p = intField(d.ReadInt()) }
func (p *floatField) read(d *Decoder)      { *p = floatField(d.ReadFloat()) }
func (p *decimalField) read(d *Decoder)    { *p = decimalField(d.ReadDecimal()) }
func (p *numberField) read(d *Decoder)     { *p = numberField(d.ReadDecimalNumber()) }
func (p *rawField) read(d *Decoder)        { *p = rawField(d.ReadRaw()) }
func (p *listField[T, P]) read(d *Decoder) { *p = ReadList[T, P](d) }

// note notes the place of the last call's field.
func (f *Fields) note(p field) {
	if f.collect && f.mode == reading {
		f.slots[f.index-1].field = p
	}
}

// collectSlots makes the next call of JSONFields note the places of the fields.
func (f *Fields) collectSlots() {
	f.collect = true
	if n := len(f.layout.names); len(f.slots) < n {
		f.texts, f.slots = make([]*string, n), make([]slot, n)
	}
}

// readSlots reads the members that follow into the places that were noted, up to one whose
// place was not.
func (f *Fields) readSlots() {
	for f.want >= 0 {
		if p := f.texts[f.want]; p != nil {
			*p = f.d.ReadString()
			f.next()
			continue
		}
		switch s := &f.slots[f.want]; {
		case s.field != nil:
			s.field.read(f.d)
		case s.value != nil:
			f.d.readValue(s.value)
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
