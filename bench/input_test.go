package bench

import (
	"bytes"
	"encoding/json"
	"sync"
	"testing"

	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// The inputs are what the fake server would answer, from one seed.
const seed = 1

func page(n int) []byte     { return basiqtest.TransactionsPage(seed, n) }
func accounts(n int) []byte { return basiqtest.AccountsPage(seed, n) }
func report() []byte        { return basiqtest.ReportJSON(seed, 500) }

// one is a transaction by itself.
func one() []byte {
	var list struct{ Data []json.RawMessage }
	if err := json.Unmarshal(page(1), &list); err != nil || len(list.Data) != 1 {
		panic(err)
	}
	return list.Data[0]
}

// body returns a page up to its links, which a server of several pages writes
// itself.
func body(page []byte) []byte {
	at := bytes.LastIndex(page, []byte(`"links":`))
	if at < 0 {
		panic("the page has no links")
	}
	return page[:at]
}

// decodedSize is what a decoded page of 500 keeps alive.
var decodedSize = sync.OnceValue(func() uint64 {
	text := string(page(500))
	before := live()
	kept := make([]data.TransactionPage, 8)
	for i := range kept {
		if err := wire.DecodeString(string([]byte(text)), &kept[i], nil); err != nil {
			panic(err)
		}
	}
	size := (live() - before) / uint64(len(kept))
	if len(kept[0].Data) != 500 {
		panic("the page is short")
	}
	return size
})

func TestInputs(t *testing.T) {
	if n := len(page(500)); n < 500_000 || n > 750_000 {
		t.Errorf("a page of 500 has %d bytes, which is not what transactions take", n)
	}
	enriched := bytes.Count(page(500), []byte(`"merchant":{`))
	if enriched < 200 || enriched > 300 {
		t.Errorf("%d of 500 rows have a merchant, about half of them should", enriched)
	}
}
