package wire

// maxSlab is the maximum number of values that are allocated together. One value that is
// still used prevents all of them from being freed.
const maxSlab = 32

// slab allocates the values of one type to which the items of a list point. A page of
// transactions points to thousands. To allocate them one by one would take most of the
// decoding time.
type slab struct {
	of   any // a nil pointer to the type
	free any // a pointer to a list of values of it that are not used yet
	size int // of the last allocation
}

// newValue returns a new zero T.
func newValue[T any](d *Decoder) *T { return &newValues[T](d, 1)[0] }

// newValues returns n zero values with no more capacity, so that appending to them does not
// affect others. Outside lists, they are not allocated from a slab. What does not depend on T
// is in other functions, because this one is compiled for every type.
func newValues[T any](d *Decoder, n int) []T {
	if !d.many || n == 0 { // an empty list is not nil
		return make([]T, n)
	}
	s := d.slab((*T)(nil))
	free, _ := s.free.(*[]T)
	if free == nil {
		free = new([]T)
		s.free = free
	}
	if len(*free) < n {
		*free = make([]T, s.grow(n))
	}
	values := (*free)[:n:n]
	*free = (*free)[n:]
	return values
}

// slab returns the slab of the type to which of points.
//
//go:noinline
func (d *Decoder) slab(of any) *slab {
	for i := range d.slabs {
		if d.slabs[i].of == of {
			return &d.slabs[i]
		}
	}
	if d.slabs == nil {
		d.slabs = make([]slab, 0, maxOrders)
	}
	d.slabs = append(d.slabs, slab{of: of})
	return &d.slabs[len(d.slabs)-1]
}

// grow returns the number of values to allocate. Slabs grow, so that a short list wastes
// little.
//
//go:noinline
func (s *slab) grow(n int) int {
	s.size = min(max(2*s.size, n), max(maxSlab, n))
	return s.size
}
