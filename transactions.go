package basiq

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/transport"
	"github.com/basiq-sdk/basiq-go/transport/value"
)

// TransactionWindow says which of a user's transactions to iterate over. The
// zero value is all of them.
type TransactionWindow struct {
	AccountID     string // of this account only
	ConnectionID  string // of this connection only
	InstitutionID string // of this institution only
	// From and To are the days that are covered, both included; an empty one
	// leaves its end open.
	From, To value.Date
	// Location is where the days begin: see TransactionDay. The default is UTC;
	// for a bank's own days give its place, such as Australia/Sydney.
	Location *time.Location
	// PostedOnly leaves pending transactions out.
	PostedOnly bool
}

// Transactions iterates over a user's transactions, page after page. Each is
// given once, although a list that changes while it is read may have it on two
// pages; IDs are kept in memory for that, about 80 bytes for each. A transaction
// can be missed if others disappear, in a purge or refresh, between two pages:
// SyncTransactions looks twice.
//
// Banks' midnights reach the API in different forms, so that transactions near
// the ends of a window may be a day off in its filter. The filter is therefore a
// day wider at both ends, and what lies outside the window is left out here. A
// transaction whose day is not known is in every window. Pending transactions
// have no day of posting: in a window they count by the day on which they were
// made, and come last, from a list of their own: transport.WithCursor is a
// place among those before, and a loop that goes on with it gets the pending ones
// from their beginning.
//
// GET /users/{userId}/transactions: SERVER_ACCESS token, repeated on transient
// failures (class A).
func (c *Client) Transactions(ctx context.Context, userID string, w TransactionWindow, opts ...transport.Option) iter.Seq2[*data.Transaction, error] {
	return func(yield func(*data.Transaction, error) bool) {
		if err := c.ready(ctx, "Transactions"); err != nil {
			yield(nil, err)
			return
		}
		from, to, err := w.days()
		if err != nil {
			yield(nil, err)
			return
		}
		dated := from != "" || to != ""
		seen := map[string]bool{} // by ID: two pages may have one, and so may two lists
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
					seen[strings.Clone(tx.ID)] = true // the page need not stay in memory for it
				}
				if !yield(tx, nil) {
					return false
				}
			}
			return true
		}
		filter := w.filter()
		if !each(widened(filter, from, to), false, opts) || !dated || w.PostedOnly {
			return
		}
		var beginning transport.Cursor // the caller's is of the list before
		each(filter.Status(data.TransactionStatusPending), true, slices.Concat(opts, []transport.Option{transport.WithCursor(&beginning)}))
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

// days returns the ends of the window in one form.
func (w *TransactionWindow) days() (from, to value.Date, err error) {
	for _, d := range []struct {
		name string
		in   value.Date
		out  *value.Date
	}{{"From", w.From, &from}, {"To", w.To, &to}} {
		if *d.out, err = dayOf(d.in); err != nil {
			return "", "", fmt.Errorf("basiq: TransactionWindow.%s is %q, which is no day such as 2031-05-06", d.name, printable(string(d.in)))
		}
	}
	if from != "" && to != "" && from > to {
		return "", "", fmt.Errorf("basiq: TransactionWindow.From %s comes after To %s", from, to)
	}
	return from, to, nil
}

// dayOf writes a day as 2006-01-02, so that days compare as texts.
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

// addDays moves a day that is written as 2006-01-02, within the years that can be
// written so.
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

// widened adds the days of a window to a filter, a day wider at both ends: the
// API's days and the banks' are not the same.
func widened(f data.TransactionFilter, from, to value.Date) data.TransactionFilter {
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

// TransactionDay returns the day that a transaction was posted on or, while it
// is pending, made on; "" if that is not known. A time that is midnight UTC
// stands for its day as it is written, whatever the location: this is how banks
// say the day alone. Any other time falls on its day in loc; nil is UTC. So a
// midnight of Sydney that was converted to UTC counts as Sydney's day when loc
// is Sydney's.
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
		if t.Year() < 1 || t.Year() > 9999 { // it cannot be written as a day
			continue
		}
		return value.DateOf(t)
	}
	return ""
}
