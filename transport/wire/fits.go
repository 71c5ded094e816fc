package wire

import (
	"strings"

	"github.com/basiq-sdk/basiq-go/transport/value"
)

// maxKept limits the size of kept texts that are compared member by member. A longer list
// of converted values is written in its declared types.
const maxKept = 1 << 16

// unchanged reports whether raw, the text from which a member was decoded, still decodes
// to the value that is encoded as plain. If so, raw is written again. why says how raw was
// decoded.
func unchanged(raw, plain string, why flags) bool {
	if raw == plain {
		return true
	}
	if why&mismatched != 0 && isZero(plain) {
		return true
	}
	if why == mismatched {
		return false
	}
	return same(raw, plain, why&mismatched != 0, 32)
}

// isZero reports whether text is the encoding of a zero field.
func isZero(text string) bool {
	switch text {
	case `""`, "0", "false", "null", "[]", "{}":
		return true
	}
	return onlyZeros([]byte(text), false)
}

// same reports whether raw decodes to the value that is encoded as plain. If loose, values
// in lists may have been replaced with zero because they could not be converted.
func same(raw, plain string, loose bool, depth int) bool {
	r, p := Decoder{s: raw}, Decoder{s: plain}
	rk, pk := r.Kind(), p.Kind()
	switch {
	case depth == 0:
		return false
	case rk == value.KindNull:
		return isZero(plain)
	case pk == value.KindArray:
		if rk != value.KindArray {
			items := splitArray(&p)
			return len(items) == 1 && same(raw, items[0], loose, depth-1) || len(items) == 0 && loose
		}
		a, b := splitArray(&r), splitArray(&p)
		if len(a) != len(b) {
			return false
		}
		for i := range a {
			if !same(a[i], b[i], loose, depth-1) {
				return false
			}
		}
		return true
	case pk == value.KindObject:
		if rk != value.KindObject {
			return loose && isZero(plain)
		}
		a, b := splitObject(&r), splitObject(&p)
		if len(a) != len(b) {
			return false
		}
		for name := range a {
			other, ok := b[name]
			if !ok || !same(a[name], other, loose, depth-1) {
				return false
			}
		}
		return true
	case rk == value.KindArray || rk == value.KindObject:
		return loose && isZero(plain)
	case pk == value.KindNull:
		return loose
	}
	rt, pt := scalarText(&r, rk), scalarText(&p, pk)
	switch pk {
	case value.KindString:
		return rt == pt
	case value.KindNumber:
		rt = strings.TrimSpace(rt)
		return rt == pt || value.Decimal(rt).Valid() && sameNumber(rt, pt) || loose && isZero(plain)
	}
	switch strings.ToLower(rt) {
	case "true", "1":
		return pt == "true"
	case "false", "0":
		return pt == "false"
	}
	return loose && pt == "false"
}

func sameNumber(a, b string) bool {
	if value.Decimal(a).Equal(value.Decimal(b)) {
		return true
	}
	// A float64 is written with the fewest digits that identify it.
	x, errX := value.Decimal(a).Float64()
	y, errY := value.Decimal(b).Float64()
	return errX == nil && errY == nil && x == y
}

func scalarText(d *Decoder, k value.Kind) string {
	if k == value.KindString {
		return d.str()
	}
	return d.raw()
}

func splitArray(d *Decoder) []string {
	var items []string
	for more := d.openArray(); more; more = d.nextItem() {
		items = append(items, d.raw())
	}
	return items
}

func splitObject(d *Decoder) map[string]string {
	values := map[string]string{}
	for m := d.entries(); m.next(); {
		values[m.name] = d.raw()
	}
	return values
}

// onlyZeros reports whether a valid JSON text contains nothing but zero values: "", zero,
// false, null, and lists and objects of them. It stops at the first other value, which
// makes it fast for almost all texts. If nullCounts, null is not a zero value.
func onlyZeros(b []byte, nullCounts bool) bool {
	for i := 0; i < len(b); {
		switch c := b[i]; c {
		case '"':
			end := i + 1
			for end < len(b) && b[end] != '"' {
				if b[end] == '\\' {
					end++
				}
				end++
			}
			after := end + 1
			for after < len(b) && (b[after] == ' ' || b[after] == '\t' || b[after] == '\n' || b[after] == '\r') {
				after++
			}
			if isName := after < len(b) && b[after] == ':'; !isName && end > i+1 {
				return false
			}
			i = after
		case 't':
			return false
		case 'n':
			if nullCounts {
				return false
			}
			i += len("null")
		case '1', '2', '3', '4', '5', '6', '7', '8', '9':
			return false
		case 'e', 'E':
			// The exponent of a zero, or the letter of a literal.
			i++
			for i < len(b) && (b[i] == '+' || b[i] == '-' || b[i] >= '0' && b[i] <= '9') {
				i++
			}
		default:
			i++
		}
	}
	return true
}
