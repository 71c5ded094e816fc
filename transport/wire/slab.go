package wire

// maxSlab is the most values that are allocated together, and so the most that
// one of them keeps from being freed.
const maxSlab = 32

// slab hands out the values of one type that a list's items point to. A page of
// transactions points to thousands: allocated one by one they would take most
// of the time that decoding takes.
type slab[T any] struct {
	free []T
	size int
}

// place returns a new zero T. Outside lists it is allocated by itself.
func place[T any](d *Decoder) *T {
	if !d.many {
		return new(T)
	}
	return &slabOf[T](d).take(1)[0]
}

// placeMany returns an empty slice with room for n values and no more, so that
// appending to it touches no other slice.
func placeMany[T any](d *Decoder, n int) []T {
	if !d.many || n == 0 {
		return make([]T, 0, n)
	}
	return slabOf[T](d).take(n)[:0]
}

func slabOf[T any](d *Decoder) *slab[T] {
	for _, s := range d.slabs {
		if s, ok := s.(*slab[T]); ok {
			return s
		}
	}
	s := new(slab[T])
	if d.slabs == nil {
		d.slabs = make([]any, 0, maxOrders)
	}
	d.slabs = append(d.slabs, s)
	return s
}

// take returns n values. The slabs grow, so that a short list wastes little.
func (s *slab[T]) take(n int) []T {
	if len(s.free) < n {
		s.size = min(max(2*s.size, n), max(maxSlab, n))
		s.free = make([]T, s.size)
	}
	v := s.free[:n:n]
	s.free = s.free[n:]
	return v
}
