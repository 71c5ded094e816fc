package wire

// maxOrders is the number of types for which the order of members is learned.
const maxOrders = 24

// order is the order of the members of one type. The API sends them in its own order, which
// is the same in every item of a list.
type order struct {
	layout   *layout
	shuffled bool      // the members come in another order than JSONFields has them
	next     [64]uint8 // by the index of a name plus one: the index of the one that follows
}

// asDeclared is the declared order. Nothing changes it.
var asDeclared = order{next: inOrder}

var inOrder = [64]uint8{
	0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
	32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63,
}

// orderOf returns the order of a type's members, which is learned only within lists.
func (d *Decoder) orderOf(l *layout) *order {
	// The types of nested objects mostly follow each other as they first did.
	if d.recent++; d.recent < len(d.orders) && d.orders[d.recent].layout == l {
		return &d.orders[d.recent]
	}
	for i := range d.orders {
		if d.orders[i].layout == l {
			d.recent = i
			return &d.orders[i]
		}
	}
	if len(d.orders) == maxOrders {
		return &asDeclared
	}
	if d.orders == nil {
		d.orders = make([]order, 0, maxOrders)
	}
	d.recent = len(d.orders)
	d.orders = append(d.orders, order{layout: l, next: inOrder})
	return &d.orders[len(d.orders)-1]
}

// after returns the index that is likely to follow index.
func (o *order) after(index int) int {
	if uint(index+1) < uint(len(o.next)) {
		return int(o.next[index+1])
	}
	return index + 1
}

// learn records that next followed index.
func (o *order) learn(index, next int) {
	if o != &asDeclared && uint(index+1) < uint(len(o.next)) && uint(next) < uint(len(o.next)) {
		o.next[index+1] = uint8(next)
	}
}

// shuffle records that the members come in another order than JSONFields has them.
func (o *order) shuffle() {
	if o != &asDeclared {
		o.shuffled = true
	}
}
