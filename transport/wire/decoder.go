package wire

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/basiq-sdk/basiq-go/transport/value"
)

// Decodable is implemented by pointers to types that read themselves from JSON.
// DecodeJSON reads exactly one value.
type Decodable interface{ DecodeJSON(d *Decoder) }

// Unmarshal decodes one JSON text into v. It is what generated UnmarshalJSON
// methods call. A text that is null leaves v as it is. It returns a *SyntaxError
// for a text that is not JSON, in which case v may be partly filled, and a
// *TypeError for JSON that is of another shape than v as a whole.
func Unmarshal(data []byte, v Decodable) error {
	return DecodeString(string(data), v, nil)
}

// DecodeString is Unmarshal of a string, which saves a copy: what is decoded
// consists of substrings of text. onDrift, if not nil, is called for every
// difference between the text and the type, up to 256 of them.
func DecodeString(text string, v Decodable, onDrift func(Drift)) error {
	d := NewDecoder(text)
	d.OnDrift = onDrift
	if d.peek() == 'n' {
		d.literal("null")
	} else {
		v.DecodeJSON(d)
	}
	return d.Finish()
}

// Decoder reads one JSON text from its beginning to its end. Its Read methods
// read the value that comes next; they are for DecodeJSON methods and for the
// functions that take a reader, such as ListOf. After an error they return zero
// values; Finish returns the error.
type Decoder struct {
	// OnDrift is called for every difference between the text and the types that
	// it is decoded into, up to 256 of them. Nil costs nothing.
	OnDrift func(Drift)

	s      string
	pos    int
	depth  int
	spent  int  // bytes of nested values so far
	many   bool // some list has more than one item
	orders []order
	slabs  []any // one of each type that items of lists point to
	drifts int
	flag   flags // what was special about the value read last
	err    error
	loc    *locator
}

// flags say why the value read last would not be written as it was.
type flags uint8

const (
	wasNull   flags = 1 << iota // it was null
	converted                   // it was of another type
	misfit                      // it was of another type, and zero was returned
	single                      // it was an item in place of a list
	whole                       // it was no object, and its Object remembers it
)

// NewDecoder returns a decoder of text.
func NewDecoder(text string) *Decoder { return &Decoder{s: text} }

// Err returns the first error so far.
func (d *Decoder) Err() error { return d.err }

// Finish reports the first error, or that there is more than one value.
func (d *Decoder) Finish() error {
	if d.peek(); d.err == nil && d.pos < len(d.s) {
		d.fail(d.pos, "text after the end of the value")
	}
	return d.err
}

// Kind returns the shape of the value that comes next, judged by its first
// character.
func (d *Decoder) Kind() value.Kind {
	d.peek()
	return value.JSON(d.s[d.pos:min(d.pos+1, len(d.s))]).Kind()
}

// Skip reads the next value and drops it.
func (d *Decoder) Skip() { d.skip() }

func (d *Decoder) null() {
	if d.literal("null") {
		d.flag |= wasNull
	}
}

// convert notes that a value of type got, read since at, was converted.
func (d *Decoder) convert(at int, want, got string) {
	d.flag |= converted
	d.drift(at, Converted, want, got)
}

// unfit reads a value that is of no use.
func (d *Decoder) unfit(want string) {
	at, got := d.pos, d.Kind().String()
	d.skip()
	if d.err == nil {
		d.flag |= misfit
		d.drift(at, WrongType, want, got)
	}
}

// ReadString reads a string. A number or bool gives its text; null gives "".
func (d *Decoder) ReadString() string {
	at := 0
	switch c := d.peek(); c {
	case '"':
		return d.str()
	case 'n':
		d.null()
		return ""
	case '{', '[':
		d.unfit("string")
		return ""
	case 't', 'f':
		at = d.pos
		d.skip()
		d.convert(at, "string", "bool")
	default:
		at = d.pos
		d.number()
		d.convert(at, "string", "number")
	}
	if d.err != nil {
		return ""
	}
	return d.s[at:d.pos]
}

// ReadText is ReadString for any string type.
func ReadText[T ~string](d *Decoder) T { return T(d.ReadString()) }

// ReadInt reads an integer that fits an int. See ReadInt64.
func (d *Decoder) ReadInt() int {
	at := d.peekAt()
	i := d.ReadInt64()
	if int64(int(i)) != i {
		d.flag = misfit
		d.drift(at, OutOfRange, "int", "number")
		return 0
	}
	return int(i)
}

func (d *Decoder) peekAt() int {
	d.peek()
	return d.pos
}

// ReadInt64 reads an integer. "3600" and 3600.0 are integers too; null gives 0.
func (d *Decoder) ReadInt64() int64 {
	at := d.peekAt()
	switch d.peek() {
	case '"':
		text := strings.TrimSpace(d.str())
		if text == "" {
			d.emptyNumber(at, "integer")
			return 0
		}
		if i, ok := d.integer(at, text, "string"); ok {
			d.convert(at, "integer", "string")
			return i
		}
		return 0
	case 'n':
		d.null()
		return 0
	case '{', '[', 't', 'f':
		d.unfit("integer")
		return 0
	}
	if i, ok := d.shortInt(); ok {
		return i
	}
	text := d.number()
	if d.err != nil {
		return 0
	}
	i, _ := d.integer(at, text, "number")
	return i
}

// shortInt reads a number that is an integer of at most 18 digits.
func (d *Decoder) shortInt() (int64, bool) {
	s, i := d.s, d.pos
	neg := i < len(s) && s[i] == '-'
	if neg {
		i++
	}
	first := i
	var n int64 // overflows only if there are too many digits
	for i < len(s) && '0' <= s[i] && s[i] <= '9' {
		n = n*10 + int64(s[i]-'0')
		i++
	}
	length := i - first
	if length == 0 || length > 18 || length > 1 && s[first] == '0' {
		return 0, false
	}
	if i < len(s) && (s[i] == '.' || s[i] == 'e' || s[i] == 'E') {
		return 0, false
	}
	d.pos = i
	if neg {
		n = -n
	}
	return n, true
}

// integer converts the text of a number. On failure it notes a misfit.
func (d *Decoder) integer(at int, text, got string) (int64, bool) {
	if d.err != nil {
		return 0, false
	}
	i, err := value.Decimal(text).MinorUnits(0)
	switch {
	case err == nil:
		return i, true
	case errors.Is(err, value.ErrRange):
		d.drift(at, OutOfRange, "integer", got)
	default:
		d.drift(at, WrongType, "integer", got)
	}
	d.flag |= misfit
	return 0, false
}

// emptyNumber notes "" where a number is declared, which means no value.
func (d *Decoder) emptyNumber(at int, want string) {
	if d.err == nil {
		d.flag |= misfit
		d.drift(at, Converted, want, "string")
	}
}

// ReadFloat reads a number, also one that is written as a string; null gives 0.
// A number beyond the range of float64 does not fit.
func (d *Decoder) ReadFloat() float64 {
	at := d.peekAt()
	text, got := "", "number"
	switch d.peek() {
	case '"':
		got = "string"
		text = strings.TrimSpace(d.str())
		if text == "" {
			d.emptyNumber(at, "number")
			return 0
		}
		if !value.Decimal(text).Valid() {
			d.flag |= misfit
			d.drift(at, WrongType, "number", got)
			return 0
		}
	case 'n':
		d.null()
		return 0
	case '{', '[', 't', 'f':
		d.unfit("number")
		return 0
	default:
		text = d.number()
	}
	if d.err != nil {
		return 0
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(f, 0) {
		d.flag |= misfit
		d.drift(at, OutOfRange, "number", got)
		return 0
	}
	if got == "string" {
		d.convert(at, "number", got)
	}
	return f
}

// ReadBool reads a bool, also one that is written as "true", "false", 1, 0, "1"
// or "0"; null gives false.
func (d *Decoder) ReadBool() bool {
	at := d.peekAt()
	text, got := "", "number"
	switch d.peek() {
	case 't':
		return d.literal("true")
	case 'f':
		d.literal("false")
		return false
	case 'n':
		d.null()
		return false
	case '{', '[':
		d.unfit("bool")
		return false
	case '"':
		got = "string"
		text = d.str()
	default:
		text = d.number()
	}
	if d.err != nil {
		return false
	}
	switch text {
	case "true", "True", "TRUE", "1":
		d.convert(at, "bool", got)
		return true
	case "false", "False", "FALSE", "0":
		d.convert(at, "bool", got)
		return false
	case "":
		d.emptyNumber(at, "bool")
		return false
	}
	d.flag |= misfit
	d.drift(at, WrongType, "bool", got)
	return false
}

// ReadDecimal reads a decimal number that is declared as a string. Its text is
// kept exactly, whether it is written as a string or as a number; null gives "".
func (d *Decoder) ReadDecimal() value.Decimal { return d.decimal("string") }

// ReadDecimalNumber is ReadDecimal for a decimal that is declared as a number.
func (d *Decoder) ReadDecimalNumber() value.Decimal { return d.decimal("number") }

func (d *Decoder) decimal(form string) value.Decimal {
	at := d.peekAt()
	text, got := "", "number"
	switch d.peek() {
	case '"':
		got = "string"
		text = d.str()
	case 'n':
		d.null()
		return ""
	case '{', '[', 't', 'f':
		d.unfit("decimal")
		return ""
	default:
		text = d.number()
	}
	if d.err != nil {
		return ""
	}
	if text == "" {
		if form == "number" {
			d.emptyNumber(at, form)
		}
		return ""
	}
	if got != form {
		d.convert(at, "decimal as "+form, got)
	}
	if d.OnDrift != nil && got == "string" && !value.Decimal(text).Valid() {
		d.drift(at, WrongType, "decimal", got)
	}
	return value.Decimal(text)
}

// ReadRaw reads a value of any shape and returns its text. Null gives "null".
func (d *Decoder) ReadRaw() value.JSON {
	if d.peek() == 'n' {
		d.null()
		if d.err != nil {
			return ""
		}
		return "null"
	}
	return value.JSON(d.raw())
}

func (d *Decoder) raw() string {
	at := d.peekAt()
	d.skip()
	if d.err != nil {
		return ""
	}
	return d.s[at:d.pos]
}

// OneOf reports whether v is one of the known values. A switch would tell the
// same, and take the compiler a multiple of the time.
//
//go:noinline
func OneOf[T ~string](v T, known []T) bool { return slices.Contains(known, v) }
