package wire

// maxSlab is the maximum number of values that are allocated together. One value that is
// still used prevents all of them from being freed.
const maxSlab = 32

// slab allocates the values of one type to which the items of a list point. A page of
// transactions points to thousands. To allocate them one by one would take most of the
// decoding time.
type slab[T any] struct {
	free []T
	size int
}

// newValue returns a new zero T.
func newValue[T any](d *Decoder) *T { return &newValues[T](d, 1)[0] }

// newValues returns n zero values with no more capacity, so that appending to them does not
// affect others. Outside lists, they are not allocated from a slab.
func newValues[T any](d *Decoder, n int) []T {
	if !d.many || n == 0 { // an empty list is not nil
		return make([]T, n)
	}
	var s *slab[T]
	for _, other := range d.slabs {
		if mine, ok := other.(*slab[T]); ok {
			s = mine
			break
		}
	}
	if s == nil {
		s = new(slab[T])
		d.addSlab(s)
	}
	if len(s.free) < n {
		s.size = min(max(2*s.size, n), max(maxSlab, n)) // slabs grow, so that a short list wastes little
		s.free = make([]T, s.size)
	}
	values := s.free[:n:n]
	s.free = s.free[n:]
	return values
}

func (d *Decoder) addSlab(s any) {
	if d.slabs == nil {
		d.slabs = make([]any, 0, maxOrders)
	}
	d.slabs = append(d.slabs, s)
}
