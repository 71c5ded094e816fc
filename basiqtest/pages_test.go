package basiqtest_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/data"
)

// TestGeneratedPages: the same seed returns the same bytes, with the documented content
// and size.
func TestGeneratedPages(t *testing.T) {
	page := basiqtest.TransactionsPage(7, 500)
	if !bytes.Equal(page, basiqtest.TransactionsPage(7, 500)) || bytes.Equal(page, basiqtest.TransactionsPage(8, 500)) {
		t.Error("the page does not depend on the seed alone")
	}
	var list data.TransactionPage
	if err := json.Unmarshal(page, &list); err != nil || len(list.Data) != 500 || list.Count != 500 || list.Links.Next != "" {
		t.Fatalf("%d rows, %v", len(list.Data), err)
	}
	enriched, salaries := 0, 0
	for _, tx := range list.Data {
		if tx.Enrichment != nil && tx.Enrichment.Merchant != nil {
			enriched++
		}
		if tx.Class == data.TransactionClassDirectCredit {
			salaries++
		}
	}
	if size := len(page) / 500; size < 1300 || size > 1500 || enriched < 225 || enriched > 275 || salaries < 20 {
		t.Errorf("%d bytes a row, %d enriched, %d salaries", size, enriched, salaries)
	}
	var accounts data.AccountList
	if err := json.Unmarshal(basiqtest.AccountsPage(7, 12), &accounts); err != nil || len(accounts.Data) != 12 {
		t.Errorf("%d accounts, %v", len(accounts.Data), err)
	}
	for _, n := range []int{-1, 0} {
		if err := json.Unmarshal(basiqtest.TransactionsPage(1, n), &list); err != nil || len(list.Data) != 0 {
			t.Errorf("%d rows, %v", len(list.Data), err)
		}
	}
}

func BenchmarkTransactionsPage(b *testing.B) {
	for b.Loop() {
		b.SetBytes(int64(len(basiqtest.TransactionsPage(7, 500))))
	}
}
