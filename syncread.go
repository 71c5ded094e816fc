package basiq

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/internal/pageshape"
	"github.com/basiq-sdk/basiq-go/internal/safetext"
	"github.com/basiq-sdk/basiq-go/transport"
	"github.com/basiq-sdk/basiq-go/transport/value"
)

// listAccounts returns the accounts of the user, and nil if the API refuses to list
// them because the consent has ended.
func (r *syncRun) listAccounts(ctx context.Context) (*data.AccountList, error) {
	list, err := r.client.Data.Accounts.List(ctx, r.userID, data.ListAccountsParams{}, r.opts...)
	if errors.Is(err, transport.ErrNoActiveConsent) {
		if ended, failure := r.endIfRefused(ctx); ended || failure != nil {
			return nil, failure
		}
	}
	if err != nil {
		return nil, err
	}
	if maybeIncomplete(list) {
		return nil, errors.New("basiq: SyncTransactions: the list of accounts may be incomplete, because its format is unknown to this version or it has several pages: set SyncOptions.AccountIDs")
	}
	return list, nil
}

// idsOf returns the IDs of accounts, and the first day with transactions of each, if
// it is known.
func idsOf(list *data.AccountList) (ids []string, begins map[string]value.Date) {
	begins = map[string]value.Date{}
	for i := range list.Data {
		a := &list.Data[i]
		if a.ID == "" {
			continue // null
		}
		ids = append(ids, a.ID)
		for _, interval := range a.TransactionIntervals {
			if day, err := dayOf(interval.From); err == nil && day != "" && (begins[a.ID] == "" || day < begins[a.ID]) {
				begins[a.ID] = day
			}
		}
	}
	return ids, begins
}

// span is a range of days, both ends included. An empty end means no limit.
type span struct{ from, to value.Date }

func (s span) contains(day value.Date) bool {
	return day == "" || (s.from == "" || day >= s.from) && (s.to == "" || day <= s.to)
}

// readAll reads a list of an account's transactions. visit is called for each;
// it adds the IDs that it accepts to visited. txID is a copy, so that keeping
// it does not keep the page in memory.
//
// The API may locate the next page by counting rows. If a row then disappears
// from a page that was already read, the first row of the next page is skipped.
// A list of several pages is therefore read again, until everything that one
// reading found is still there in the next. readAll returns the IDs that visit
// accepted in the last reading, and the response with the last page.
//
// If the API orders equal dates differently on each page, a reading contains some
// transactions twice and misses others. readAll then combines all readings, until
// they have as many transactions as one reading has rows.
func (r *syncRun) readAll(ctx context.Context, account string, filter data.TransactionFilter, visit func(visited map[string]bool, txID string, tx *data.Transaction) error) (map[string]bool, *http.Response, error) {
	var before map[string]bool
	union, accepted := map[string]bool{}, map[string]bool{}
	unstable, n := false, 0
	for ; n < syncReadings || unstable && n < syncUnstable; n++ {
		var first, last *http.Response
		found, visited, rows := map[string]bool{}, map[string]bool{}, 0
		params := data.ListTransactionsParams{Filter: filter}
		for tx, err := range r.client.Data.Transactions.All(ctx, r.userID, params, r.listOptions(&last)...) {
			if err != nil {
				return nil, nil, err
			}
			if first == nil {
				first = last
			}
			txID := strings.Clone(tx.ID)
			found[txID] = true
			rows++
			if err := visit(visited, txID, tx); err != nil {
				return nil, nil, err
			}
		}
		if onePage := first == nil || first == last; onePage || before != nil && containsAll(found, before) {
			return visited, last, nil
		}
		maps.Copy(union, found)
		maps.Copy(accepted, visited)
		if unstable = rows > len(found); unstable && before != nil && len(union) == rows {
			return accepted, last, nil
		}
		before = found
	}
	return nil, nil, fmt.Errorf("basiq: SyncTransactions: transactions of account %s disappeared during each of %d readings: sync again later, from the last cursor",
		safetext.Identifier(account), n)
}

// containsAll reports whether have contains all keys of want.
func containsAll(have, want map[string]bool) bool {
	for id := range want {
		if !have[id] {
			return false
		}
	}
	return true
}

// spans divides the days from kept until today into spans of syncChunk days. If
// kept is empty, the first span has no start. The last span has no end. The
// years in which transactions are unlikely are one span.
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
	return withMargin(data.TransactionFilter{}.AccountID(id), s.from, s.to)
}

// maybeIncomplete reports whether a list of accounts may have contained
// accounts that were not decoded: under an unknown member, in an unknown form,
// or on a next page.
func maybeIncomplete(list *data.AccountList) bool {
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

// listOptions returns the options of a list of transactions. A caller's cursor
// would skip the beginning of every list, so a new one replaces it.
func (r *syncRun) listOptions(last **http.Response) []transport.Option {
	own := []transport.Option{transport.WithResponse(last)}
	if len(r.opts) == 0 {
		return own
	}
	return slices.Concat(r.opts, append(own, transport.WithCursor(new(transport.Cursor))))
}

// checkListed returns an error unless the last page of a list of an account's
// transactions contains a list. Without it, a response in an unexpected form could
// be taken for an empty list, and transactions would be removed.
func (r *syncRun) checkListed(account string, last *http.Response) error {
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
	return fmt.Errorf("basiq: SyncTransactions: the response with the transactions of account %s contains no list, although the account had transactions before: nothing was removed: sync again later, from the last cursor",
		safetext.Identifier(account))
}

// errNoID returns the error of a transaction that cannot be identified.
func errNoID(account string) error {
	return fmt.Errorf("basiq: SyncTransactions: the API returned a transaction of account %s without ID: sync again later, from the last cursor", safetext.Identifier(account))
}

// belongsTo reports whether a transaction belongs to an account, ignoring the case
// of the ID. A transaction without account ID belongs to the account of its list.
func belongsTo(tx *data.Transaction, account string) bool {
	return tx.AccountID == "" || strings.EqualFold(tx.AccountID, account)
}
