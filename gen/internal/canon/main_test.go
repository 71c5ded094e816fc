package canon_test

import (
	"runtime/debug"
	"testing"
)

// TestMain lets the heap grow further before garbage is collected, which is otherwise a
// fourth of the work: the tests build many small descriptions one after the other.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	m.Run()
}
