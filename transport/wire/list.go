package wire

import "reflect"

// decodable is the pointer to T, which decodes itself.
type decodable[T any] interface {
	*T
	Decodable
}

// Opt reads a value with one of the Read functions; nil stands for null and for
// a value that does not fit.
func Opt[T any](m *Members, read func(*Decoder) T) *T { return ReadOpt(m.d, read) }

// ReadOpt is Opt for use as a reader.
func ReadOpt[T any](d *Decoder, read func(*Decoder) T) *T {
	v := read(d)
	if d.flag&(wasNull|misfit|whole) != 0 {
		return nil
	}
	p := place[T](d)
	*p = v
	return p
}

// OptText is Opt for any string type.
func OptText[T ~string](m *Members) *T { return Opt(m, ReadText[T]) }

// Pointer reads a nested value; nil stands for null and for a value that does not
// fit.
func Pointer[T any, P decodable[T]](m *Members) *T { return ReadPointer[T, P](m.d) }

// List reads a list of nested values; null gives nil. One object where a list
// was declared becomes a list of one, and {} gives nil.
func List[T any, P decodable[T]](m *Members) []T { return ReadList[T, P](m.d) }

// Texts reads a list of texts of any string type; null gives nil.
func Texts[T ~string](m *Members) []T { return ListOf(m, ReadText[T]) }

// ListOf reads a list whose items are read by one of the Read functions; null
// gives nil, one item where a list was declared becomes a list of one, and {}
// gives nil:
//
//	v.Counts = wire.ListOf(&m, (*wire.Decoder).ReadInt)
func ListOf[T any](m *Members, read func(*Decoder) T) []T { return ReadListOf(m.d, read) }

// MapOf reads an object with any names, whose values are read by one of the Read
// functions; null gives nil. Of equal names the last wins.
func MapOf[T any](m *Members, read func(*Decoder) T) map[string]T { return ReadMapOf(m.d, read) }

// ReadObject reads a nested value. It is a reader for ListOf and MapOf.
func ReadObject[T any, P decodable[T]](d *Decoder) T {
	var v T
	if d.spend(sizeOf(P(nil))) {
		P(&v).DecodeJSON(d)
	}
	return v
}

// Memory that nested values may take: an object takes far more than its shortest
// text, so that a text of nothing but "{}," would cost hundreds of times its
// size. No answer that means something comes near these.
const (
	maxSpread  = 24      // bytes for a byte of the text
	freeSpread = 8 << 20 // bytes for any text
	moreSize   = 144     // of a value with something rare about it
)

// spend accounts for a nested value of that size, which is about to be made.
func (d *Decoder) spend(size int) bool {
	if d.spent += size; d.spent > maxSpread*len(d.s)+freeSpread {
		d.fail(d.pos, "more items than a text of this size can have")
		return false
	}
	return true
}

// sizeOf is the size of what v is a pointer to. Nothing tells as much without
// package unsafe.
func sizeOf(v Decodable) int { return int(reflect.TypeOf(v).Elem().Size()) }

// Generic functions are compiled anew for every type that a program uses them
// with. Those below leave to others what does not need the type.

// ReadPointer reads a nested value; nil stands for null and for a value that does
// not fit. It is a reader for ListOf and MapOf.
func ReadPointer[T any, P decodable[T]](d *Decoder) *T {
	if !d.isValue(P(nil)) {
		return nil
	}
	v := place[T](d)
	if !d.fits(P(v)) {
		return nil
	}
	return v
}

// isValue reports whether there is a nested value to be made, of the type of v.
func (d *Decoder) isValue(v Decodable) bool {
	if d.peek() == 'n' {
		d.null()
		return false
	}
	return d.spend(sizeOf(v))
}

// fits reads a nested value, and reports whether it is one.
func (d *Decoder) fits(v Decodable) bool {
	v.DecodeJSON(d)
	d.flag = unfitted(d.flag)
	return d.flag == 0 && d.err == nil
}

// ReadList is List for use as a reader and at the top of a text.
func ReadList[T any, P decodable[T]](d *Decoder) []T {
	var list []T
	ok := d.items(P(nil), func(n, length int) Decodable {
		switch {
		case n == 0:
			list = room[T](d, length)
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

// items reads a list of values of the type of v, and reports whether there is one.
// item returns the nth; if length is not 0, it first makes the list that long.
func (d *Decoder) items(v Decodable, item func(n, length int) Decodable) bool {
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
		item(0, 1).DecodeJSON(d)
		return d.lone(first)
	}
	n, total, size := 0, 0, sizeOf(v)
	for more := d.openArray(); more; more = d.nextItem() {
		if !d.spend(size) {
			break
		}
		d.many = d.many || n > 0
		length := 0
		if n == total {
			most := n + 1 + (maxSpread*len(d.s)+freeSpread-d.spent)/max(size, 1)
			length = min(most, newCap(n, d.pos-first, len(d.s)-d.pos))
			total = length
		}
		item(n, length).DecodeJSON(d)
		d.flag = 0 // what an item was like is remembered by the item
		n++
	}
	return d.err == nil
}

// newCap returns the capacity for a list of n items that took read bytes, of a
// text of which rest bytes are left. Long lists are estimated by their rest,
// which spares most of the copying.
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

// emptyObject reads an object without members in place of a list, which some
// servers write for a list without items, and reports whether there was one.
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
	d.unfit("array")
	return true
}

// lone finishes a list of one that was read from an item in place of a list, and
// reports whether that was fit for it.
func (d *Decoder) lone(at int) bool {
	if d.err != nil {
		return false
	}
	if d.flag&(misfit|whole) != 0 {
		d.flag = misfit
		return false
	}
	d.flag = single
	d.drift(at, Converted, "array", "one item")
	return true
}

// ReadListOf is ListOf for use as a reader, in a list of lists for instance, and
// at the top of a text.
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
		if !d.lone(at) {
			return nil
		}
		return []T{v}
	}
	var few [8]T // most such lists are short, and are copied to where they fit
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
		list = append(room[T](d, n)[:0], few[:n]...)
	}
	return collected(d, list, flag)
}

// ReadMapOf is MapOf for use as a reader and at the top of a text.
func ReadMapOf[T any](d *Decoder, read func(*Decoder) T) map[string]T {
	switch d.peek() {
	case '{':
	case 'n':
		d.null()
		return nil
	default:
		d.unfit("object")
		return nil
	}
	values := map[string]T{}
	var flag flags
	names := d.anyMembers()
	if !d.enter() {
		return nil
	}
	for names.Next() {
		values[names.Name()] = read(d)
		flag |= d.flag
		d.flag = 0
	}
	return collected(d, values, flag)
}

// collected finishes a list or map whose values left flag.
func collected[T any](d *Decoder, values T, flag flags) T {
	if d.err != nil {
		var none T
		return none
	}
	// Objects remember themselves what they were instead; for all other values,
	// the text of the whole list has to be remembered.
	if flag &^= whole; flag != 0 {
		flag = flag&misfit | converted
	}
	d.flag = flag
	return values
}
