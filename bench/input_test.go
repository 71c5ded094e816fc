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

// seed generates the inputs. They are responses of the fake server.
const seed = 1

func page(n int) []byte     { return basiqtest.TransactionsPage(seed, n) }
func accounts(n int) []byte { return basiqtest.AccountsPage(seed, n) }
func report() []byte        { return basiqtest.ReportJSON(seed, 500) }

// one returns a single transaction.
func one() []byte {
	var list struct{ Data []json.RawMessage }
	if err := json.Unmarshal(page(1), &list); err != nil || len(list.Data) != 1 {
		panic(err)
	}
	return list.Data[0]
}

// body returns a page without its links and what follows them. A server of
// several pages writes its own links.
func body(page []byte) []byte {
	at := bytes.LastIndex(page, []byte(`"links":`))
	if at < 0 {
		panic("the page has no links")
	}
	return page[:at]
}

// decodedSize is the memory that a decoded page of 500 transactions retains.
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
		panic("the page does not have 500 rows")
	}
	return size
})

func TestInputs(t *testing.T) {
	if n := len(page(500)); n < 500_000 || n > 750_000 {
		t.Errorf("a page of 500 has %d bytes, want 500,000 to 750,000", n)
	}
	enriched := bytes.Count(page(500), []byte(`"merchant":{`))
	if enriched < 200 || enriched > 300 {
		t.Errorf("%d of 500 rows have a merchant, want about half", enriched)
	}
}
