package basiq

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/internal/safetext"
	"github.com/basiq-sdk/basiq-go/transport"
	"github.com/basiq-sdk/basiq-go/transport/value"
)

// TransactionWindow selects a user's transactions. The zero value selects all.
type TransactionWindow struct {
	AccountID     string // only transactions of this account
	ConnectionID  string // only transactions of this connection
	InstitutionID string // only transactions of this institution
	// From and To are the first and the last day. Empty means no limit.
	From, To value.Date
	// Location is the time zone of the days; see TransactionDay. The default is
	// UTC. For the days of a bank, use its time zone, such as Australia/Sydney.
	Location *time.Location
	// PostedOnly excludes pending transactions.
	PostedOnly bool
}

// Transactions returns an iterator over a user's transactions. It fetches one
// page at a time and returns each transaction once, even if the list changes in
// between and a transaction moves to the next page. It keeps the IDs in memory
// for that, about 80 bytes each. A transaction can be missed if a purge or
// refresh removes others while the list is read; SyncTransactions detects that.
//
// The days of a window are exact. Banks write midnight in different ways, so
// the API's filter can be off by a day. Transactions therefore asks the API for
// one more day at both ends, and drops what is outside the window. A
// transaction without a known day is in every window.
//
// In a window with From or To, pending transactions come last, and count by the
// day of the transaction, because they have no posting day. They are read from
// a separate list. [transport.WithCursor] applies to the first list only: a loop
// that resumes with a cursor gets all pending transactions again.
//
// GET /users/{userId}/transactions: SERVER_ACCESS token, retried on transient
// failures (class A).
func (c *Client) Transactions(ctx context.Context, userID string, w TransactionWindow, opts ...transport.Option) iter.Seq2[*data.Transaction, error] {
	return func(yield func(*data.Transaction, error) bool) {
		if err := c.checkReady(ctx, "Transactions"); err != nil {
			yield(nil, err)
			return
		}
		from, to, err := w.days()
		if err != nil {
			yield(nil, err)
			return
		}
		dated := from != "" || to != ""
		seen := map[string]bool{} // by ID, because a transaction can be on two pages or in both lists
		each := func(filter data.TransactionFilter, pendingOnly bool, opts []transport.Option) bool {
			for tx, err := range c.Data.Transactions.All(ctx, userID, data.ListTransactionsParams{Filter: filter}, opts...) {
				if err != nil {
					yield(nil, err)
					return false
				}
				pending := tx.Status == data.TransactionStatusPending
				if pending && w.PostedOnly || pendingOnly && !pending || seen[tx.ID] {
					continue
				}
				if day := TransactionDay(tx, w.Location); day != "" && (from != "" && day < from || to != "" && day > to) {
					continue
				}
				if tx.ID != "" {
					seen[strings.Clone(tx.ID)] = true // a copy, so that the page can be freed
				}
				if !yield(tx, nil) {
					return false
				}
			}
			return true
		}
		filter := w.filter()
		if !each(withMargin(filter, from, to), false, opts) || !dated || w.PostedOnly {
			return
		}
		var start transport.Cursor // replaces the caller's cursor, which belongs to the first list
		each(filter.Status(data.TransactionStatusPending), true, slices.Concat(opts, []transport.Option{transport.WithCursor(&start)}))
	}
}

func (w *TransactionWindow) filter() data.TransactionFilter {
	var f data.TransactionFilter
	if w.AccountID != "" {
		f = f.AccountID(w.AccountID)
	}
	if w.ConnectionID != "" {
		f = f.ConnectionID(w.ConnectionID)
	}
	if w.InstitutionID != "" {
		f = f.InstitutionID(w.InstitutionID)
	}
	return f
}

// days returns the first and the last day as 2006-01-02.
func (w *TransactionWindow) days() (from, to value.Date, err error) {
	for _, d := range []struct {
		name string
		in   value.Date
		out  *value.Date
	}{{"From", w.From, &from}, {"To", w.To, &to}} {
		if *d.out, err = dayOf(d.in); err != nil {
			return "", "", fmt.Errorf("basiq: TransactionWindow.%s is %q, want a date such as 2031-05-06", d.name, safetext.Identifier(string(d.in)))
		}
	}
	if from != "" && to != "" && from > to {
		return "", "", fmt.Errorf("basiq: TransactionWindow.From (%s) is after To (%s)", from, to)
	}
	return from, to, nil
}

// dayOf formats a day as 2006-01-02, so that days can be compared as strings.
func dayOf(d value.Date) (value.Date, error) {
	if d == "" {
		return "", nil
	}
	t, err := d.Time()
	if err != nil {
		return "", err
	}
	return value.DateOf(t), nil
}

// addDays adds n days to a day in the form 2006-01-02. The result is limited to
// the years 1 to 9999, which that form can express.
func addDays(d value.Date, n int) value.Date {
	t, err := d.Time()
	if err != nil {
		return d
	}
	t = t.AddDate(0, 0, n)
	switch {
	case t.Year() < 1:
		return "0001-01-01"
	case t.Year() > 9999:
		return "9999-12-31"
	}
	return value.DateOf(t)
}

// withMargin adds the days of a window to a filter, with a margin of one day at
// both ends, because the API and the banks do not agree on when a day begins.
func withMargin(f data.TransactionFilter, from, to value.Date) data.TransactionFilter {
	switch {
	case from != "" && to != "":
		return f.PostDateBetween(addDays(from, -1), addDays(to, 1))
	case from != "":
		return f.PostDateFrom(addDays(from, -1))
	case to != "":
		return f.PostDateUntil(addDays(to, 1))
	}
	return f
}

// TransactionDay returns the day on which a transaction was posted. For a
// pending transaction, it returns the day on which it was made. It returns ""
// if the day is unknown. Banks that report days without a time send midnight
// UTC, so a time of midnight UTC means that day in every location. Any other
// time is converted to loc; nil means UTC. For example, midnight in Sydney,
// sent as 14:00 UTC, belongs to the Sydney day if loc is Australia/Sydney.
func TransactionDay(tx *data.Transaction, loc *time.Location) value.Date {
	if tx == nil {
		return ""
	}
	for _, at := range []value.DateTime{tx.PostDate, tx.TransactionDate} {
		t, err := at.Time()
		if err != nil {
			continue
		}
		t = t.UTC()
		if loc != nil && !t.Equal(t.Truncate(24*time.Hour)) {
			t = t.In(loc)
		}
		if t.Year() < 1 || t.Year() > 9999 { // not expressible as a value.Date
			continue
		}
		return value.DateOf(t)
	}
	return ""
}
