package basiq

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"

	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/internal/pageshape"
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
// is what visit noted in the last reading.
//
// Where the order of equal dates differs from page to page, a reading has some
// transactions twice and misses others. It is then the union of all readings that
// counts, once it has as many transactions as a reading has rows.
//
// The ID is a copy, which does not keep the
// page in memory that the transaction is of.
func (r *syncRun) readAll(ctx context.Context, account string, filter data.TransactionFilter, visit func(visited map[string]bool, txID string, tx *data.Transaction) error) (map[string]bool, *http.Response, error) {
	var before map[string]bool
	union, noted := map[string]bool{}, map[string]bool{}
	unstable := false
	for n := 1; n <= syncReadings || unstable && n <= syncUnstable; n++ {
		var first, last *http.Response
		there, visited, rows := map[string]bool{}, map[string]bool{}, 0
		params := data.ListTransactionsParams{Filter: filter}
		for tx, err := range r.client.Data.Transactions.All(ctx, r.userID, params, transport.WithResponse(&last)) {
			if err != nil {
				return nil, nil, err
			}
			if first == nil {
				first = last
			}
			txID := strings.Clone(tx.ID)
			there[txID] = true
			rows++
			if err := visit(visited, txID, tx); err != nil {
				return nil, nil, err
			}
		}
		if onePage := first == nil || first == last; onePage || before != nil && containsAll(there, before) {
			return visited, last, nil
		}
		maps.Copy(union, there)
		maps.Copy(noted, visited)
		if unstable = rows > len(there); unstable && before != nil && len(union) == rows {
			return noted, last, nil
		}
		before = there
	}
	return nil, nil, fmt.Errorf("basiq: SyncTransactions: transactions of account %s kept disappearing while they were read, %d times in a row: sync again later, from the last cursor",
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
	if pageshape.Unreadable(list, len(list.Data), "") != "" {
		return true
	}
	for i := range list.Data {
		whole, odd := list.Data[i].JSON.Whole()
		if list.Data[i].ID == "" && !(odd && value.JSON(whole).Kind() == value.KindNull) {
			return true
		}
	}
	return false
}

// listed returns an error unless the last page of a list of an account's
// transactions has a list of them. A page with something else that counts as empty
// must not make rows disappear.
func (r *syncRun) listed(account string, last *http.Response) error {
	if last != nil && last.Body != nil {
		text, err := io.ReadAll(last.Body)
		if err != nil {
			return err
		}
		page, err := value.ParseJSON(strings.TrimPrefix(string(text), "\ufeff"))
		if items, _ := page.Get("data"); err == nil && items.Kind() == value.KindArray {
			return nil
		}
	}
	return fmt.Errorf("basiq: SyncTransactions: the API answered without a list of the transactions of account %s, which had some before: nothing is removed; sync again later, from the last cursor",
		printable(account))
}

// errNoID is the error of a transaction that cannot be told from others.
func errNoID(account string) error {
	return fmt.Errorf("basiq: SyncTransactions: the API returned a transaction of account %s without ID: sync again later, from the last cursor", printable(account))
}

// of reports whether a transaction is of an account, or does not say. The case of
// IDs does not matter.
func of(tx *data.Transaction, account string) bool {
	return tx.AccountID == "" || strings.EqualFold(tx.AccountID, account)
}
