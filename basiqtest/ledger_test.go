package basiqtest

import (
	"reflect"
	"slices"
	"testing"
)

// TestGeneratedRowsAreDropped: of the histories that were read, only the latest are kept.
// Those that were dropped are the same when they are generated again.
func TestGeneratedRowsAreDropped(t *testing.T) {
	c := sampleConnection(1)
	a := personas[Whistler.ID].holdings[0].open(1, c, personas[Whistler.ID], 0)
	all := make([]*opening, 3)
	before := make([][]*row, 3)
	var k openings
	for i := range all {
		all[i] = &opening{key: uint64(i), n: 10, day: pageDate}
		before[i] = k.read(a, all[i], 20)
	}
	if k.rows != 20 || !slices.Equal(k.used, all[1:]) || all[0].rows != nil {
		t.Errorf("%d rows are kept", k.rows)
	}
	if after := k.read(a, all[0], 20); &after[0] == &before[0][0] || !reflect.DeepEqual(after, before[0]) || all[1].rows != nil {
		t.Error("the rows differ, or the wrong ones were dropped")
	}
	if kept := k.read(a, all[2], 20); &kept[0] != &before[2][0] {
		t.Error("rows that were kept are generated again")
	}
	if k.read(a, all[1], 1); k.rows != 10 || len(k.used) != 1 {
		t.Errorf("%d rows are kept with a limit of 1", k.rows)
	}
}
