package wire

import "reflect"

// valueOf is implemented by pointers to types that package wire decodes and encodes.
type valueOf[T any] interface {
	*T
	Value
}

// ReadOpt reads a value with one of the Read functions. It returns nil for null and for a
// value that cannot be converted.
func ReadOpt[T any](d *Decoder, read func(*Decoder) T) *T {
	v := read(d)
	if d.flag&(wasNull|mismatched|notObject) != 0 {
		return nil
	}
	p := newValue[T](d)
	*p = v
	return p
}

// ReadObject reads a nested value. It is a reader for [ListOf] and [MapOf].
func ReadObject[T any, P valueOf[T]](d *Decoder) T {
	var v T
	if d.spend(sizeOf(P(nil))) {
		d.value(P(&v))
	}
	return v
}

// Limits for the memory of nested values. An object takes far more memory than its
// shortest text: a text of nothing but "{}," would take hundreds of times its size. No
// real response comes near these limits.
const (
	maxMemoryRatio = 24      // bytes of memory for each byte of the text
	freeMemory     = 8 << 20 // bytes of memory for every text
	moreSize       = 144     // bytes of a more
)

// spend accounts for a nested value of this size. It fails if the limit is exceeded.
func (d *Decoder) spend(size int) bool {
	if d.spent += size; d.spent > maxMemoryRatio*len(d.s)+freeMemory {
		d.fail(d.pos, "more items than allowed for a text of this size")
		return false
	}
	return true
}

// sizeOf returns the size of the value to which v points. Only reflection has it, without
// package unsafe.
func sizeOf(v Value) int { return int(reflect.TypeOf(v).Elem().Size()) }

// Generic functions are compiled for every type with which a program uses them. To stay
// small, those below call other functions for all work that does not need the type.

// ReadPointer is Pointer as a reader, for [ListOf] and [MapOf].
func ReadPointer[T any, P valueOf[T]](d *Decoder) *T {
	if !d.isValue(P(nil)) {
		return nil
	}
	v := newValue[T](d)
	if !d.readNested(P(v)) {
		return nil
	}
	return v
}

// isValue reports whether the next value is not null, and accounts for a value of the type
// of v.
func (d *Decoder) isValue(v Value) bool {
	if d.peek() == 'n' {
		d.null()
		return false
	}
	return d.spend(sizeOf(v))
}

// readNested reads a nested value, and reports whether it was an object.
func (d *Decoder) readNested(v Value) bool {
	d.value(v)
	d.flag = memberFlag(d.flag)
	return d.flag == 0 && d.err == nil
}

// memberFlag returns the flag of a member from the flag that its nested object has set.
func memberFlag(f flags) flags {
	if f&notObject != 0 {
		return mismatched
	}
	return 0
}

// ReadList is List as a reader, and for a list at the top level.
func ReadList[T any, P valueOf[T]](d *Decoder) []T {
	var list []T
	ok := d.items(P(nil), func(n, length int) Value {
		switch {
		case n == 0:
			list = newValues[T](d, length)
		case length > 0:
			list = append(make([]T, 0, length), list...)
		}
		list = list[:n+1]
		return P(&list[n])
	})
	switch {
	case !ok:
		return nil
	case list == nil:
		return []T{}
	}
	return list
}

// items reads a list of values of the type of v, and reports whether there is one. item
// returns the nth value. If length is not 0, item first grows the list to that capacity.
func (d *Decoder) items(v Value, item func(n, length int) Value) bool {
	first := d.peekAt()
	switch d.peek() {
	case '[':
	case 'n':
		d.null()
		return false
	default:
		if d.emptyObject() {
			return false
		}
		d.value(item(0, 1))
		return d.finishSingle(first)
	}
	n, total, size := 0, 0, sizeOf(v)
	for more := d.openArray(); more; more = d.nextItem() {
		if !d.spend(size) {
			break
		}
		d.many = d.many || n > 0
		length := 0
		if n == total {
			most := n + 1 + (maxMemoryRatio*len(d.s)+freeMemory-d.spent)/max(size, 1)
			length = min(most, newCap(n, d.pos-first, len(d.s)-d.pos))
			total = length
		}
		d.value(item(n, length))
		d.flag = 0 // the item itself keeps its flags
		n++
	}
	return d.err == nil
}

// newCap returns the new capacity of a list of n items, for which read bytes were read and
// rest bytes of the text are left. The length of long lists is estimated from the rest,
// which avoids most copying.
func newCap(n, read, rest int) int {
	if n == 0 {
		return 1
	}
	if n < 16 {
		return 4 * n
	}
	estimate := n + rest/(read/n) + 1 // an item has a byte at least
	return min(max(estimate, n+n/4), 8*n)
}

// emptyObject reads {} in place of a list, and reports whether it was there. Some servers
// write it for an empty list.
func (d *Decoder) emptyObject() bool {
	i := d.pos
	if i >= len(d.s) || d.s[i] != '{' {
		return false
	}
	for i++; i < len(d.s) && (d.s[i] == ' ' || d.s[i] == '\t' || d.s[i] == '\n' || d.s[i] == '\r'); {
		i++
	}
	if i >= len(d.s) || d.s[i] != '}' {
		return false
	}
	d.skipMismatch("array")
	return true
}

// finishSingle records that an item was read in place of a list, and reports whether the
// item is valid.
func (d *Decoder) finishSingle(at int) bool {
	if d.err != nil {
		return false
	}
	if d.flag&(mismatched|notObject) != 0 {
		d.flag = mismatched
		return false
	}
	d.flag = single
	d.drift(at, Converted, "array", "one item")
	return true
}

// ReadListOf is [ListOf] as a reader, for example for a list of lists, and for a list
// at the top level.
func ReadListOf[T any](d *Decoder, read func(*Decoder) T) []T {
	switch at := d.peekAt(); d.peek() {
	case '[':
	case 'n':
		d.null()
		return nil
	default:
		if d.emptyObject() {
			return nil
		}
		v := read(d)
		if !d.finishSingle(at) {
			return nil
		}
		return []T{v}
	}
	var few [8]T // most such lists are short, and are copied into a slice of the right size
	var list []T
	n := 0
	var flag flags
	for more := d.openArray(); more; more = d.nextItem() {
		v := read(d)
		flag |= d.flag
		d.flag = 0
		switch {
		case n < len(few):
			few[n] = v
		case n == len(few):
			list = append(make([]T, 0, 4*len(few)), few[:]...)
			fallthrough
		default:
			list = append(list, v)
		}
		n++
	}
	if n <= len(few) {
		list = append(newValues[T](d, n)[:0], few[:n]...)
	}
	return collected(d, list, flag)
}

// ReadMapOf is [MapOf] as a reader, and for a map at the top level.
func ReadMapOf[T any](d *Decoder, read func(*Decoder) T) map[string]T {
	switch d.peek() {
	case '{':
	case 'n':
		d.null()
		return nil
	default:
		d.skipMismatch("object")
		return nil
	}
	values := map[string]T{}
	var flag flags
	for names := d.entries(); names.next(); {
		values[names.name] = read(d)
		flag |= d.flag
		d.flag = 0
	}
	return collected(d, values, flag)
}

// collected returns a list or map, and sets the flags of the whole from those of its values.
func collected[T any](d *Decoder, values T, flag flags) T {
	if d.err != nil {
		var none T
		return none
	}
	// Objects keep the value that was in their place. For all other values, the text
	// of the whole list must be kept.
	if flag &^= notObject; flag != 0 {
		flag = flag&mismatched | converted
	}
	d.flag = flag
	return values
}
