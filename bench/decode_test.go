package bench

import (
	stdjson "encoding/json"
	"fmt"
	"reflect"
	"testing"

	"github.com/bytedance/sonic"
	experiment "github.com/go-json-experiment/json"
	goccy "github.com/goccy/go-json"

	plain "github.com/basiq-sdk/basiq-go/bench/plain/data"
	plainreporting "github.com/basiq-sdk/basiq-go/bench/plain/reporting"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/generated/reporting"
	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// peers are the JSON libraries. All of them decode to the types of plain
// oapi-codegen.
var peers = []struct {
	name      string
	unmarshal func([]byte, any) error
	marshal   func(any) ([]byte, error)
}{
	{"encoding-json", stdjson.Unmarshal, stdjson.Marshal},
	{"json-experiment", func(b []byte, v any) error { return experiment.Unmarshal(b, v) }, func(v any) ([]byte, error) { return experiment.Marshal(v) }},
	{"sonic", sonic.Unmarshal, sonic.Marshal},
	{"goccy", goccy.Unmarshal, func(v any) ([]byte, error) { return goccy.Marshal(v) }},
}

// decodable is a pointer to one of our types.
type decodable[T any] interface {
	*T
	wire.Value
}

// compare measures the decoding of one input. Our type T is decoded from a
// string (as the transport does it), from bytes, and through encoding/json. The
// peers decode the plain type P.
func compare[T, P any, D decodable[T]](b *testing.B, input []byte) {
	measure := func(name string, decode func() error) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(input)))
			b.ReportAllocs()
			for b.Loop() {
				if err := decode(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	text := string(input)
	measure("ours", func() error { return wire.DecodeString(text, D(new(T)), nil) })
	measure("ours-of-bytes", func() error { return wire.Unmarshal(input, D(new(T))) })
	measure("ours-by-encoding-json", func() error { return stdjson.Unmarshal(input, D(new(T))) })
	for _, p := range peers {
		measure(p.name, func() error { return p.unmarshal(input, new(P)) })
	}
	if _, ok := any(new(P)).(*plain.TransactionsGetResource); ok {
		measure("jx", func() error { return jxPage(input, new(plain.TransactionsGetResource)) })
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, n := range []int{1, 50, 500} {
		b.Run(fmt.Sprintf("transactions=%d", n), func(b *testing.B) {
			compare[data.TransactionPage, plain.TransactionsGetResource](b, page(n))
		})
	}
	b.Run("accounts=200", func(b *testing.B) {
		compare[data.AccountList, plain.AccountsResponseResource](b, accounts(200))
	})
	b.Run("report", func(b *testing.B) {
		compare[wholeReport, plainreporting.ConnAfforReport](b, report())
	})
}

// wholeReport also decodes the findings of a report, which Report does only on
// demand, because the plain types decode everything at once.
type wholeReport struct{ reporting.Report }

func (r *wholeReport) JSONFields(f *wire.Fields) {
	r.Report.JSONFields(f)
	if !f.Decoded() {
		return
	}
	if found, ok := r.Data.Affordability(); !ok || found == nil {
		panic("the report has no affordability findings")
	}
}

func (r *wholeReport) UnmarshalJSON(b []byte) error { return wire.Unmarshal(b, r) }

// BenchmarkEncode measures the encoding of a page, as a fake server or a cache
// does it.
func BenchmarkEncode(b *testing.B) {
	input := page(500)
	var ours data.TransactionPage
	var theirs plain.TransactionsGetResource
	if err := wire.Unmarshal(input, &ours); err != nil {
		b.Fatal(err)
	}
	if err := stdjson.Unmarshal(input, &theirs); err != nil {
		b.Fatal(err)
	}
	measure := func(name string, encode func() ([]byte, error)) {
		b.Run("transactions=500/"+name, func(b *testing.B) {
			b.SetBytes(int64(len(input)))
			b.ReportAllocs()
			for b.Loop() {
				if out, err := encode(); err != nil || len(out) == 0 {
					b.Fatal(err)
				}
			}
		})
	}
	measure("ours", func() ([]byte, error) { return wire.Marshal(&ours) })
	for _, p := range peers {
		measure(p.name, func() ([]byte, error) { return p.marshal(&theirs) })
	}
}

// TestSameWork checks that all contenders decode the same values, so that the
// figures can be compared.
func TestSameWork(t *testing.T) {
	input := page(500)
	var want plain.TransactionsGetResource
	if err := stdjson.Unmarshal(input, &want); err != nil {
		t.Fatal(err)
	}
	if len(want.Data) != 500 {
		t.Fatalf("%d rows, want 500", len(want.Data))
	}
	for _, p := range peers[1:] {
		var got plain.TransactionsGetResource
		if err := p.unmarshal(input, &got); err != nil {
			t.Errorf("%s: %v", p.name, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s decodes different values", p.name)
		}
	}
	var got plain.TransactionsGetResource
	if err := jxPage(input, &got); err != nil {
		t.Errorf("jx: %v", err)
	}
	if !reflect.DeepEqual(got, want) {
		for i := range want.Data {
			if !reflect.DeepEqual(got.Data[i], want.Data[i]) {
				t.Errorf("jx decodes row %d as\n%+v\nwant\n%+v", i, got.Data[i], want.Data[i])
				break
			}
		}
	}
	var ours data.TransactionPage
	if err := wire.Unmarshal(input, &ours); err != nil {
		t.Fatal(err)
	}
	for i, row := range ours.Data {
		if w := want.Data[i]; row.ID != w.Id || row.Amount.String() != w.Amount || row.Description != w.Description || row.Links.Self != w.Links.Self {
			t.Fatalf("our row %d is\n%+v\nwant\n%+v", i, row, w)
		}
	}
}
