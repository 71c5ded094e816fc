package cli

import (
	"io"
	"runtime"
	"testing"

	"github.com/basiq-sdk/basiq-go/cmd/basiq/internal/commands"
	"github.com/basiq-sdk/basiq-go/cmd/basiq/internal/jsontree"
)

// TestPrintedRowsAreNotKept prints rows in every format, and checks that the memory that is
// in use does not grow with them.
func TestPrintedRowsAreNotKept(t *testing.T) {
	const rows, perRow = 20_000, 10 // bytes, of which a row that is kept takes many times more
	op := &commands.Operation{Group: "transactions", Columns: []string{"id", "amount", "description"}}
	used := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	for _, format := range []string{"json", "jsonl", "csv", "table"} {
		t.Run(format, func(t *testing.T) {
			w, err := (&app{output: format, out: io.Discard}).rowWriter(op, false)
			if err != nil {
				t.Fatal(err)
			}
			write := func(n int) {
				for range n {
					v, err := jsontree.Parse([]byte(`{"id":"a-transaction","amount":"-12.50","description":"a long description of a payment"}`))
					if err == nil {
						err = w.row(v)
					}
					if err != nil {
						t.Fatal(err)
					}
				}
			}
			write(1000) // a table keeps its first rows until it knows the widths
			before := used()
			write(rows)
			if grown := used() - before; grown > rows*perRow {
				t.Errorf("%d rows take %d bytes", rows, grown)
			}
			if err := w.end(); err != nil {
				t.Fatal(err)
			}
		})
	}
}
