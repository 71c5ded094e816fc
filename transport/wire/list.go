package wire

import "reflect"

// decodable is the pointer to T, which decodes itself.
type decodable[T any] interface {
	*T
	Decodable
}

// Opt reads a value with one of the Read functions; nil stands for null and for
// a value that does not fit.
func Opt[T any](m *Members, read func(*Decoder) T) *T {
	v := readOpt(m.d, read)
	m.settle()
	return v
}

func readOpt[T any](d *Decoder, read func(*Decoder) T) *T {
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
func Pointer[T any, P decodable[T]](m *Members) *T {
	v := ReadPointer[T, P](m.d)
	m.settle()
	return v
}

// List reads a list of nested values; null gives nil. One object where a list
// was declared becomes a list of one.
func List[T any, P decodable[T]](m *Members) []T {
	list := ReadList[T, P](m.d)
	m.settle()
	return list
}

// Texts reads a list of texts of any string type; null gives nil.
func Texts[T ~string](m *Members) []T { return ListOf(m, ReadText[T]) }

// ListOf reads a list whose items are read by one of the Read functions; null
// gives nil, and one item where a list was declared becomes a list of one:
//
//	v.Counts = wire.ListOf(&m, (*wire.Decoder).ReadInt)
func ListOf[T any](m *Members, read func(*Decoder) T) []T {
	list := ReadListOf(m.d, read)
	m.settle()
	return list
}

// MapOf reads an object with any names, whose values are read by one of the Read
// functions; null gives nil. Of equal names the last wins.
func MapOf[T any](m *Members, read func(*Decoder) T) map[string]T {
	v := ReadMapOf(m.d, read)
	m.settle()
	return v
}

// ReadObject reads a nested value. It is a reader for ListOf and MapOf.
func ReadObject[T any, P decodable[T]](d *Decoder) T {
	var v T
	if spend[T](d) {
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

// spend accounts for a nested value that is about to be made.
func spend[T any](d *Decoder) bool {
	if d.spent += sizeOf[T](); d.spent > maxSpread*len(d.s)+freeSpread {
		d.fail(d.pos, "more items than a text of this size can have")
		return false
	}
	return true
}

// sizeOf is what unsafe.Sizeof would tell.
func sizeOf[T any]() int { return int(reflect.TypeFor[T]().Size()) }

// ReadPointer reads a nested value; nil stands for null and for a value that does
// not fit. It is a reader for ListOf and MapOf.
func ReadPointer[T any, P decodable[T]](d *Decoder) *T {
	if d.peek() == 'n' {
		d.null()
		return nil
	}
	if !spend[T](d) {
		return nil
	}
	v := place[T](d)
	P(v).DecodeJSON(d)
	d.flag = unfitted(d.flag)
	if d.flag != 0 || d.err != nil {
		return nil
	}
	return v
}

// ReadList is List for use as a reader and at the top of a text.
func ReadList[T any, P decodable[T]](d *Decoder) []T {
	switch at := d.peekAt(); d.peek() {
	case '[':
	case 'n':
		d.null()
		return nil
	default:
		list := make([]T, 1)
		P(&list[0]).DecodeJSON(d)
		return lone(d, at, list)
	}
	list := []T{}
	first := d.pos
	for more := d.openArray(); more; more = d.nextItem() {
		if !spend[T](d) {
			break
		}
		n := len(list)
		d.many = d.many || n > 0
		switch {
		case n == 0:
			list = placeMany[T](d, 1)
		case n == cap(list):
			most := n + 1 + (maxSpread*len(d.s)+freeSpread-d.spent)/max(sizeOf[T](), 1)
			list = append(make([]T, 0, min(most, newCap(n, d.pos-first, len(d.s)-d.pos))), list...)
		}
		list = list[:n+1]
		P(&list[n]).DecodeJSON(d)
		d.flag = 0 // what an item was like is remembered by the item
	}
	if d.err != nil {
		return nil
	}
	return list
}

// newCap returns the capacity for a list of n items that took read bytes, of a
// text of which rest bytes are left. Long lists are estimated by their rest,
// which spares most of the copying.
func newCap(n, read, rest int) int {
	if n < 16 {
		return 4 * n
	}
	estimate := n + rest/(read/n+1) + 1
	return min(max(estimate, n+n/4), 8*n)
}

// lone finishes a list of one that was read from an item in place of a list.
func lone[T any](d *Decoder, at int, list []T) []T {
	if d.err != nil {
		return nil
	}
	if d.flag&(misfit|whole) != 0 {
		d.flag = misfit
		return nil
	}
	d.flag = single
	d.drift(at, Converted, "array", "one item")
	return list
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
		return lone(d, at, []T{read(d)})
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
		list = append(placeMany[T](d, n), few[:n]...)
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
	if flag&whole == 0 || flag&(converted|misfit|single) != 0 {
		flag &^= whole
		if flag != 0 {
			flag = flag&misfit | converted
		}
		d.flag = flag
	}
	return values
}
