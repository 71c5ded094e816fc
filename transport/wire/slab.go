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

// place returns a new zero T.
func place[T any](d *Decoder) *T { return &room[T](d, 1)[0] }

// room returns n zero values and room for no more, so that appending to them
// touches no others. Outside lists they are allocated by themselves.
func room[T any](d *Decoder, n int) []T {
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
