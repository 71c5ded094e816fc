package basiq

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/transport"
	"github.com/basiq-sdk/basiq-go/transport/value"
)

// span is a span of days, both included; an empty end is open.
type span struct{ from, to value.Date }

func (s span) holds(day value.Date) bool {
	return day == "" || (s.from == "" || day >= s.from) && (s.to == "" || day <= s.to)
}

// readAll reads a list of an account's transactions. visit is called for each,
// and notes those that it takes in the map.
//
// Where the API counts rows to find the next page, a row that disappears from a
// page that was read pulls those behind it forward by one, and the first of the
// next page is skipped. A list of several pages is therefore read again, until
// everything that one reading found is still there in the next one. The result
// is what visit noted in the last reading. The ID is a copy, which does not keep the
// page in memory that the transaction is of.
func (r *syncRun) readAll(ctx context.Context, account string, filter data.TransactionFilter, visit func(visited map[string]bool, txID string, tx *data.Transaction) error) (map[string]bool, error) {
	var before map[string]bool
	for range syncReadings {
		var first, last *http.Response
		there, visited := map[string]bool{}, map[string]bool{}
		params := data.ListTransactionsParams{Filter: filter}
		for tx, err := range r.client.Data.Transactions.All(ctx, r.userID, params, transport.WithResponse(&last)) {
			if err != nil {
				return nil, err
			}
			if first == nil {
				first = last
			}
			txID := strings.Clone(tx.ID)
			there[txID] = true
			if err := visit(visited, txID, tx); err != nil {
				return nil, err
			}
		}
		if onePage := first == nil || first == last; onePage || before != nil && containsAll(there, before) {
			return visited, nil
		}
		before = there
	}
	return nil, fmt.Errorf("basiq: SyncTransactions: transactions of account %s kept disappearing while they were read, %d times in a row: sync again later, from the last cursor",
		printable(account), syncReadings)
}

// containsAll reports whether all of want is in have.
func containsAll(have, want map[string]bool) bool {
	for id := range want {
		if !have[id] {
			return false
		}
	}
	return true
}

// spans cuts the time from kept into pieces. The first is open at its beginning
// when nothing is kept, and the last is open at its end. Years that can hardly have
// any transactions are one piece.
func spans(kept, begins, today value.Date) []span {
	var out []span
	start := kept
	if start == "" {
		if start = begins; start == "" || start > today {
			start = addDays(today, -syncHistory)
		}
	}
	start = max(start, addDays(today, -syncLongest))
	if start != kept {
		out = append(out, span{from: kept, to: addDays(start, -1)})
	}
	for {
		next := addDays(start, syncChunk)
		if next >= today {
			return append(out, span{from: start})
		}
		out = append(out, span{from: start, to: addDays(next, -1)})
		start = next
	}
}

func (r *syncRun) filter(id string, s span) data.TransactionFilter {
	return widened(data.TransactionFilter{}.AccountID(id), s.from, s.to)
}

// unreadable reports whether a list of accounts may have accounts that were not
// read: under another name, in another form, or on a next page.
func unreadable(list *data.AccountList) bool {
	for name := range list.JSON.Extra() {
		if strings.EqualFold(name, "data") {
			return true
		}
	}
	for name, raw := range list.Links.JSON.Extra() {
		if strings.EqualFold(name, "next") && len(raw) > len("null") {
			return true
		}
	}
	raw, odd := list.JSON.Raw("data")
	return odd && len(list.Data) == 0 && value.JSON(raw).Kind() != value.KindNull && string(raw) != "{}"
}
