package wire

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/basiq-sdk/basiq-go/transport/value"
)

// Unmarshal decodes one JSON text into v. Generated UnmarshalJSON methods call it. null
// does not change v. Unmarshal returns a [*SyntaxError] if the text is not valid JSON;
// v may then be partly filled. It returns a [*TypeError] if the JSON value as a whole
// is not of the type of v.
func Unmarshal(data []byte, v Value) error {
	return DecodeString(string(data), v, nil)
}

// DecodeString is Unmarshal for a string. It saves a copy: decoded strings are substrings
// of text. onDrift, if not nil, is called for every difference between the text and the
// type, at most 256 times.
func DecodeString(text string, v Value, onDrift func(Drift)) error {
	d := NewDecoder(text)
	d.OnDrift = onDrift
	if d.peek() == 'n' {
		d.literal("null")
	} else {
		d.value(v)
	}
	if d.frames != nil {
		d.frames.clear()
		framePool.Put(d.frames)
		d.frames = nil
	}
	return d.Finish()
}

// Decoder reads one JSON text. Its Read methods read the next value. They are
// for functions such as [ListOf] that take a reader. After an error
// they return zero values, and Finish returns the error.
type Decoder struct {
	// OnDrift, if not nil, is called for every difference between the text and the
	// types into which it is decoded, at most 256 times.
	OnDrift func(Drift)

	s      string
	pos    int
	depth  int
	spent  int  // memory of the nested values so far, in bytes
	many   bool // a list with more than one item was read
	frames *frames
	recent int // the index of the order that was found last
	orders []order
	slabs  []slab // one for each type to which list items point
	drifts int
	flag   flags // of the last value
	err    error
	loc    *locator
}

// flags say why encoding would not write the last value as it was.
type flags uint8

const (
	wasNull    flags = 1 << iota // the value was null
	converted                    // the value was converted from another type
	mismatched                   // the value could not be converted, and zero was returned
	single                       // the value was an item in place of a list
	notObject                    // the value was not an object, and its Object keeps it
)

// NewDecoder returns a decoder of text.
func NewDecoder(text string) *Decoder { return &Decoder{s: text} }

// Err returns the first error so far.
func (d *Decoder) Err() error { return d.err }

// Finish returns the first error, or an error if there is text after the value.
func (d *Decoder) Finish() error {
	if d.peek(); d.err == nil && d.pos < len(d.s) {
		d.fail(d.pos, "text after the end of the value")
	}
	return d.err
}

// Kind returns the kind of the next value. It looks only at the first character.
func (d *Decoder) Kind() value.Kind {
	d.peek()
	return value.JSON(d.s[d.pos:min(d.pos+1, len(d.s))]).Kind()
}

// Skip reads the next value and discards it.
func (d *Decoder) Skip() { d.skip() }

func (d *Decoder) null() {
	if d.literal("null") {
		d.flag |= wasNull
	}
}

// convert records that a value of type got, which starts at at, was converted.
func (d *Decoder) convert(at int, want, got string) {
	d.flag |= converted
	d.drift(at, Converted, want, got)
}

// skipMismatch skips a value that cannot be converted.
func (d *Decoder) skipMismatch(want string) {
	at, got := d.pos, d.Kind().String()
	d.skip()
	if d.err == nil {
		d.flag |= mismatched
		d.drift(at, WrongType, want, got)
	}
}

// ReadString reads a string. It returns the text of a number or bool, and "" for null.
func (d *Decoder) ReadString() string {
	at := 0
	switch c := d.peek(); c {
	case '"':
		return d.str()
	case 'n':
		d.null()
		return ""
	case '{', '[':
		d.skipMismatch("string")
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

// ReadInt reads an integer that fits in an int. See ReadInt64.
func (d *Decoder) ReadInt() int {
	at := d.peekAt()
	i := d.ReadInt64()
	if int64(int(i)) != i {
		d.flag = mismatched
		d.drift(at, OutOfRange, "int", "number")
		return 0
	}
	return int(i)
}

func (d *Decoder) peekAt() int {
	d.peek()
	return d.pos
}

// ReadInt64 reads an integer. It also accepts "3600" and 3600.0. It returns 0 for null.
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
		d.skipMismatch("integer")
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

// shortInt reads an integer of at most 18 digits. It reports false for other numbers.
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

// integer converts the text of a number. If it fails, it records a mismatch.
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
	d.flag |= mismatched
	return 0, false
}

// emptyNumber records "" in place of a number or bool, which means no value.
func (d *Decoder) emptyNumber(at int, want string) {
	if d.err == nil {
		d.flag |= mismatched
		d.drift(at, Converted, want, "string")
	}
}

// ReadFloat reads a number, perhaps written as a string. It returns 0 for null and for a
// number beyond the range of float64.
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
			d.flag |= mismatched
			d.drift(at, WrongType, "number", got)
			return 0
		}
	case 'n':
		d.null()
		return 0
	case '{', '[', 't', 'f':
		d.skipMismatch("number")
		return 0
	default:
		text = d.number()
	}
	if d.err != nil {
		return 0
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(f, 0) {
		d.flag |= mismatched
		d.drift(at, OutOfRange, "number", got)
		return 0
	}
	if got == "string" {
		d.convert(at, "number", got)
	}
	return f
}

// ReadBool reads a bool, perhaps written as "true", "false", 1, 0, "1" or "0". It returns
// false for null.
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
		d.skipMismatch("bool")
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
	d.flag |= mismatched
	d.drift(at, WrongType, "bool", got)
	return false
}

// ReadDecimal reads a decimal number that is declared as a string. It returns the exact
// text of a string or number, and "" for null.
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
		d.skipMismatch("decimal")
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

// ReadRaw reads any value and returns its text. It returns "null" for null.
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

// OneOf reports whether v is one of the known values. Generated code calls it instead of
// using a switch, which takes much longer to compile.
//
//go:noinline
func OneOf[T ~string | ~int](v T, known []T) bool { return slices.Contains(known, v) }
