package wire

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/basiq-sdk/basiq-go/transport/value"
)

const hexDigits = "0123456789abcdef"

// AppendString appends s as a JSON string, as encoding/json does without HTML escaping:
// quotes, backslashes, control characters, U+2028 and U+2029 are escaped, and invalid
// UTF-8 becomes U+FFFD.
func AppendString(b []byte, s string) []byte {
	b = append(slices.Grow(b, len(s)+len(`""`)), '"')
	return append(appendRest(b, s, clean(s, 0)), '"')
}

// clean returns the index, from i on, of the first byte that must be escaped or is a part
// of a multi-byte character.
func clean(s string, i int) int {
	from := i
	for ; i+8 <= len(s); i += 8 {
		if mark := marks(load(s, i)); mark != 0 {
			return i + bits.TrailingZeros64(mark)/8
		}
	}
	if at := len(s) - 8; at >= from && i < len(s) { // those of the last eight bytes before i are clean
		if mark := marks(load(s, at)); mark != 0 {
			return at + bits.TrailingZeros64(mark)/8
		}
		return len(s)
	}
	for i < len(s) && s[i] >= ' ' && s[i] < utf8.RuneSelf && s[i] != '"' && s[i] != '\\' {
		i++
	}
	return i
}

// copyPlain copies s to b, which has room for it, unless something in s must be escaped or
// is not ASCII. It reports whether it copied s.
func copyPlain(b []byte, s string) bool {
	if len(b) < len(s) {
		return false // never: the compiler then needs no bounds checks
	}
	for i := 0; i < len(s)-(word-1); i += word {
		w := load(s, i)
		if marks(w) != 0 {
			return false
		}
		binary.LittleEndian.PutUint64(b[i:i+word], w)
	}
	// The last bytes overlap with those before them.
	const half = word / 2
	switch at := len(s) - word; {
	case at >= 0:
		w := load(s, at)
		binary.LittleEndian.PutUint64(b[at:at+word], w)
		return marks(w) == 0
	case at >= half-word:
		low, high := loadHalf(s, 0), loadHalf(s, at+half)
		binary.LittleEndian.PutUint32(b, low)
		binary.LittleEndian.PutUint32(b[at+half:], high)
		return marks(uint64(low)|uint64(high)<<32) == 0
	}
	for i := range len(s) {
		c := s[i]
		if c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' {
			return false
		}
		b[i] = c
	}
	return true
}

// appendRest appends s, which needs no escapes before i.
func appendRest(b []byte, s string, i int) []byte {
	done := 0
	for ; i < len(s); i = clean(s, i) {
		if s[i] < utf8.RuneSelf {
			b = appendEscape(append(b, s[done:i]...), s[i])
			i++
			done = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			b = append(append(b, s[done:i]...), `\ufffd`...)
			done = i + size
		case r == '\u2028' || r == '\u2029':
			b = append(append(b, s[done:i]...), `\u202`...)
			b = append(b, hexDigits[r&0xf])
			done = i + size
		}
		i += size
	}
	return append(b, s[done:]...)
}

func appendEscape(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\b':
		return append(b, '\\', 'b')
	case '\f':
		return append(b, '\\', 'f')
	case '\n':
		return append(b, '\\', 'n')
	case '\r':
		return append(b, '\\', 'r')
	case '\t':
		return append(b, '\\', 't')
	}
	return append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
}

// AppendText is [AppendString] for any string type.
func AppendText[T ~string](b []byte, v T) []byte { return AppendString(b, string(v)) }

// AppendBool appends true or false.
func AppendBool(b []byte, v bool) []byte { return strconv.AppendBool(b, v) }

// AppendInt appends an integer.
func AppendInt(b []byte, v int) []byte { return strconv.AppendInt(b, int64(v), 10) }

// AppendInt64 appends an integer.
func AppendInt64(b []byte, v int64) []byte { return strconv.AppendInt(b, v, 10) }

// AppendFloat appends a number as encoding/json does. JSON cannot represent infinities
// and NaN: they are written as null.
func AppendFloat(b []byte, v float64) []byte {
	if math.IsInf(v, 0) || math.IsNaN(v) {
		return append(b, "null"...)
	}
	format := byte('f')
	if abs := math.Abs(v); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	b = strconv.AppendFloat(b, v, format, -1, 64)
	if n := len(b); format == 'e' && b[n-4] == 'e' && b[n-3] == '-' && b[n-2] == '0' {
		b[n-2] = b[n-1] // e-09 is written e-9
		b = b[:n-1]
	}
	return b
}

// AppendDecimal appends a decimal as a JSON string.
func AppendDecimal(b []byte, v value.Decimal) []byte { return AppendString(b, string(v)) }

// AppendDecimalNumber appends a decimal as a JSON number, with its exact text if that is a
// valid JSON number. A text that is not a number is appended as a string.
func AppendDecimalNumber(b []byte, v value.Decimal) []byte {
	if isNumber(string(v)) {
		return append(b, v...)
	}
	if plain, err := v.Abs(); err == nil {
		if v.Sign() < 0 {
			b = append(b, '-')
		}
		return append(b, plain...)
	}
	return AppendString(b, string(v))
}

func isNumber(s string) bool {
	if s == "" || s[0] != '-' && (s[0] < '0' || s[0] > '9') {
		return false
	}
	d := Decoder{s: s}
	d.number()
	return d.err == nil && d.pos == len(s)
}

// AppendRaw appends the text of a JSON value. An empty or invalid text is written as null.
func AppendRaw(b []byte, v value.JSON) []byte {
	if !valid(string(v)) {
		return append(b, "null"...)
	}
	return append(b, v...)
}

func valid(s string) bool {
	d := Decoder{s: s}
	d.skip()
	return d.Finish() == nil
}

// AppendObject appends a nested value. It is the counterpart of [ReadObject].
func AppendObject[T any, P valueOf[T]](b []byte, v T) []byte { return Append(b, P(&v)) }

// AppendNested appends a nested value, or null for nil. It is the counterpart of
// [ReadPointer].
func AppendNested[T any, P valueOf[T]](b []byte, v *T) []byte {
	if v == nil {
		return append(b, "null"...)
	}
	return Append(b, P(v))
}

// AppendItems appends a list whose items are appended by item, one of the Append
// functions. nil is written as an empty list. It is the counterpart of [ReadListOf].
func AppendItems[T any](b []byte, list []T, item func([]byte, T) []byte) []byte {
	b = append(b, '[')
	for i := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = item(b, list[i])
	}
	return append(b, ']')
}

// AppendEntries appends a map as an object with sorted names. nil is written as an empty
// object. It is the counterpart of [ReadMapOf].
func AppendEntries[T any](b []byte, values map[string]T, item func([]byte, T) []byte) []byte {
	b = append(b, '{')
	for i, name := range sortedNames(values) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(AppendString(b, name), ':')
		b = item(b, values[name])
	}
	return append(b, '}')
}
