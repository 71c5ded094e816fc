package basiq

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"slices"
	"sort"
	"strings"

	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/transport"
	"github.com/basiq-sdk/basiq-go/transport/value"
)

// ChangeKind is what has become of a transaction.
type ChangeKind string

// Values of ChangeKind.
const (
	// It is new.
	TransactionInserted ChangeKind = "inserted"
	// It has other content than before: a pending one was posted under the same
	// ID, or enrichment was added.
	TransactionChanged ChangeKind = "changed"
	// It is no longer there: a pending one was posted or replaced under another
	// ID, or dropped. Posted ones are removed by a purge only.
	TransactionRemoved ChangeKind = "removed"
)

// TransactionChange is news of a transaction.
type TransactionChange struct {
	Kind        ChangeKind
	ID          string
	AccountID   string
	Transaction *data.Transaction // as it is now; nil when it was removed
}

// SyncBatch is some changes, and the cursor that stands for all changes up to
// the last of them. Store both together.
type SyncBatch struct {
	Changes []TransactionChange
	Cursor  SyncCursor
}

// SyncOptions says what to sync. The zero value is everything.
type SyncOptions struct {
	// AccountIDs are the accounts to sync. The default is all of the user's,
	// with those that are connected later.
	AccountIDs []string
	// From is the first day of an account's transactions to sync. The default
	// is all that there are. It counts for accounts that the cursor does not
	// know yet.
	From value.Date
	// Window is how many days before an account's newest transaction are read
	// again each time: a transaction that is posted later, and further back, is
	// missed. The default is 14; it must be 7 at least.
	Window int
	// PostedOnly leaves pending transactions out.
	PostedOnly bool
	// BatchSize is how many changes are handed out together at most. The
	// default is 500.
	BatchSize int
}

const (
	defaultSyncWindow = 14
	minSyncWindow     = 7
	defaultSyncBatch  = 500
	syncChunk         = 90  // days that are read at once
	syncHistory       = 730 // days that banks share, where an account does not say
	syncLongest       = 10 * syncHistory
	syncReadings      = 6  // of a list of several pages, for two in a row that agree
	syncUnstable      = 24 // of one whose order is not stable, for one that has all
	syncProbes        = 5  // posted transactions that are asked for one by one before they count as removed
)

func (o SyncOptions) check() (SyncOptions, error) {
	switch {
	case o.Window == 0:
		o.Window = defaultSyncWindow
	case o.Window < minSyncWindow:
		return o, fmt.Errorf("basiq: SyncOptions.Window is %d days: it must be %d at least, or 0 for %d", o.Window, minSyncWindow, defaultSyncWindow)
	}
	switch {
	case o.BatchSize == 0:
		o.BatchSize = defaultSyncBatch
	case o.BatchSize < 0:
		return o, fmt.Errorf("basiq: SyncOptions.BatchSize is negative: %d", o.BatchSize)
	}
	if slices.Contains(o.AccountIDs, "") {
		return o, errors.New("basiq: SyncOptions.AccountIDs has an empty one")
	}
	from, err := dayOf(o.From)
	if err != nil {
		return o, fmt.Errorf("basiq: SyncOptions.From is %q, which is no day such as 2031-05-06", printable(string(o.From)))
	}
	o.From = from
	return o, nil
}

// SyncTransactions brings a copy of a user's transactions up to date. It
// iterates over what has changed since the cursor; the empty cursor is the
// beginning, and everything is new.
//
//	for batch, err := range client.SyncTransactions(ctx, userID, cursor, basiq.SyncOptions{}) {
//		if err != nil {
//			return err // what was stored stays: go on from its cursor
//		}
//		// in one transaction of the database:
//		//   apply batch.Changes, in their order
//		//   store batch.Cursor
//	}
//
// When each batch is stored together with its cursor, every posted transaction
// is inserted exactly once, wherever the loop ends: by an error, a break, or the
// end of the process. A store that cannot do both at once should insert by ID,
// so that a batch can be applied twice. The last batch may have no changes; its
// cursor counts all the same. Two syncs of one user must not run at a time.
//
// Each account is read from a window before its newest posted transaction, not
// from the last run: what arrives after a connection was broken for months is not
// missed, and neither is an account that was connected later. The first time, an
// account is read from the oldest to the newest, ninety days at a time. Pending
// transactions get new IDs at every refresh: they are compared as a whole, so
// that old ones are removed and new ones inserted. An account that disappears,
// with its connection for instance, is left alone. After a purge, begin with an
// empty cursor and an empty copy. An account that the API refuses to return is an
// error at the end, after all others are synced. A sync whose context has ended
// matches context.Canceled or context.DeadlineExceeded, and removes nothing.
//
// Days with more transactions than fit on a page of 500 are read twice, and again
// while transactions disappear between two readings: where the API counts rows, a
// row that disappears makes it skip another. After six readings the sync fails,
// and can be run again. Where transactions of one day come in another order on
// each page, the readings are put together until none is missing. A response that
// is not a list of transactions, or holds one without ID, is an error, and removes
// nothing. What can still be missed:
//
//   - a transaction that two readings in a row skip, since other rows disappeared
//     during both;
//   - a transaction that moves, or is posted, to a day before the window; a pending
//     one that is posted under the same ID more than a day before it is removed.
//
// In memory are one page of 500 transactions, one batch, and about 300 bytes for
// each transaction of the window and of the ninety days that are being read. The
// cursor holds the same transactions, at about 50 bytes each.
//
// GET /users/{userId}/accounts and GET /users/{userId}/transactions:
// SERVER_ACCESS token, repeated on transient failures (class A).
func (c *Client) SyncTransactions(ctx context.Context, userID string, cursor SyncCursor, o SyncOptions) iter.Seq2[*SyncBatch, error] {
	return func(yield func(*SyncBatch, error) bool) {
		if err := c.ready(ctx, "SyncTransactions"); err != nil {
			yield(nil, err)
			return
		}
		o, err := o.check()
		if err != nil {
			yield(nil, err)
			return
		}
		state, err := cursor.parse(userID)
		if err != nil {
			yield(nil, err)
			return
		}
		r := &syncRun{client: c, userID: userID, o: o, state: state, yield: yield, today: value.DateOf(c.Transport.Now().UTC())}
		if err = r.run(ctx); err == nil {
			err = r.flush()
		}
		if err != nil && err != errStopped {
			yield(nil, err)
		}
	}
}

// syncRun is one run of a sync.
type syncRun struct {
	client  *Client
	userID  string
	o       SyncOptions
	state   *syncState
	yield   func(*SyncBatch, error) bool
	changes []TransactionChange
	today   value.Date
}

func (r *syncRun) run(ctx context.Context) error {
	begins := map[string]value.Date{} // of the accounts, as far as they say
	ids := slices.Clone(r.o.AccountIDs)
	if len(ids) == 0 {
		list, err := r.client.Data.Accounts.List(ctx, r.userID, data.ListAccountsParams{})
		if err != nil {
			return err
		}
		if unreadable(list) {
			return errors.New("basiq: SyncTransactions: the list of accounts has a form that this version does not know, or several pages: name the accounts in SyncOptions.AccountIDs")
		}
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
	}
	slices.SortFunc(ids, func(a, b string) int {
		return cmp.Or(strings.Compare(strings.ToLower(a), strings.ToLower(b)), strings.Compare(a, b))
	})
	var failures []error
	for _, id := range slices.CompactFunc(ids, strings.EqualFold) {
		err := r.account(ctx, id, begins[id])
		if ended := transport.ContextError(ctx); err != nil && err != errStopped && ended != nil {
			if errors.Is(err, ctx.Err()) {
				return err
			}
			return fmt.Errorf("basiq: SyncTransactions: %w", ended) // whatever failed with it says nothing of the account
		}
		var api *transport.Error
		if errors.As(err, &api) && !errors.As(err, new(*transport.TokenError)) && (api.Status == http.StatusBadRequest || api.Status == http.StatusNotFound || api.Status == http.StatusGone) {
			// It is this account that the API will not tell of: the others need not
			// wait for that to change.
			failures = append(failures, fmt.Errorf("basiq: account %s is not synced: %w", printable(id), err))
			continue
		}
		if err != nil {
			return err
		}
	}
	if len(failures) == 0 {
		return nil
	}
	if err := r.flush(); err != nil {
		return err
	}
	return errors.Join(failures...)
}

func (r *syncRun) account(ctx context.Context, id string, begins value.Date) error {
	a := r.state.account(id, r.o.From)
	if err := r.posted(ctx, id, a, begins); err != nil || r.o.PostedOnly {
		return err
	}
	return r.pending(ctx, id, a)
}

// add notes a change, which the state reflects already.
func (r *syncRun) add(kind ChangeKind, account, id string, tx *data.Transaction) error {
	r.changes = append(r.changes, TransactionChange{Kind: kind, ID: id, AccountID: account, Transaction: tx})
	if len(r.changes) < r.o.BatchSize {
		return nil
	}
	return r.flush()
}

// flush hands out what has changed, with the state that goes with it.
func (r *syncRun) flush() error {
	cursor, err := r.state.cursor()
	if err != nil {
		return err
	}
	batch := &SyncBatch{Changes: r.changes, Cursor: cursor}
	r.changes = nil
	if !r.yield(batch, nil) {
		return errStopped
	}
	return nil
}

// posted syncs the posted transactions of an account: at one go if they fit on
// a page, and otherwise from the oldest to the newest, so that what is kept in
// mind is bounded.
func (r *syncRun) posted(ctx context.Context, id string, a *accountState, begins value.Date) error {
	all := span{from: a.Kept}
	var (
		page        []*data.Transaction
		first, last *http.Response
	)
	params := data.ListTransactionsParams{Filter: r.filter(id, all)}
	for tx, err := range r.client.Data.Transactions.All(ctx, r.userID, params, transport.WithResponse(&last)) {
		if err != nil {
			return err
		}
		if first == nil {
			first = last
		}
		if first != last {
			break
		}
		page = append(page, tx)
	}
	if first == nil || first == last {
		visited := map[string]bool{}
		for _, tx := range page {
			if err := r.visit(id, a, all, visited, strings.Clone(tx.ID), tx); err != nil {
				return err
			}
		}
		return r.finish(ctx, id, a, all, visited, last)
	}
	for _, s := range spans(a.Kept, begins, r.today) {
		visited, last, err := r.readAll(ctx, id, r.filter(id, s), func(visited map[string]bool, txID string, tx *data.Transaction) error {
			return r.visit(id, a, s, visited, txID, tx)
		})
		if err != nil {
			return err
		}
		if err := r.finish(ctx, id, a, s, visited, last); err != nil {
			return err
		}
	}
	return nil
}

// visit syncs a transaction that the list of some days has, perhaps among others.
func (r *syncRun) visit(account string, a *accountState, s span, visited map[string]bool, id string, tx *data.Transaction) error {
	if tx.Status == data.TransactionStatusPending || !of(tx, account) {
		return nil
	}
	if id == "" {
		return errNoID(account)
	}
	now := seenRow{day: TransactionDay(tx, nil), hash: contentHash(tx)}
	before, known := a.Posted[id]
	_, pending := a.Pending[id]
	if !known && !pending && !s.holds(now.day) {
		return nil // it was handed out before, or is another span's
	}
	visited[id] = true
	kind := TransactionInserted
	switch {
	case known && before == now:
		return nil
	case known || pending:
		kind = TransactionChanged
	}
	delete(a.Pending, id)
	a.Posted[id] = now
	// A day in the future would make the window pass over what comes before it.
	a.Newest = max(a.Newest, min(now.day, addDays(r.today, 1)))
	return r.add(kind, account, id, tx)
}

// finish ends the sync of some days, of which everything in visited was found. last
// is the response with the last page.
func (r *syncRun) finish(ctx context.Context, account string, a *accountState, s span, visited map[string]bool, last *http.Response) error {
	var missing []string
	for id, row := range a.Posted {
		if row.day != "" && s.holds(row.day) && !visited[id] {
			missing = append(missing, id)
		}
	}
	if len(missing) > 0 {
		if err := r.listed(account, last); err != nil {
			return err
		}
	}
	if err := r.remove(ctx, account, a, missing); err != nil {
		return err
	}
	a.forget(r.o.Window, s.to)
	return nil
}

// remove looks whether posted transactions that a list did not have are gone.
// They should not be: unless the account was purged, it is the list that was at
// fault. A few are asked for one by one, and stand for all.
func (r *syncRun) remove(ctx context.Context, account string, a *accountState, ids []string) error {
	sort.Strings(ids)
	var gone []string
	probes := min(len(ids), syncProbes)
	for i := range probes {
		id := ids[i*(len(ids)-1)/max(probes-1, 1)] // from the first to the last
		_, err := r.client.Data.Transactions.Get(ctx, r.userID, id)
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return err
		case !errors.Is(err, transport.ErrNotFound) && !errors.Is(err, transport.ErrGone):
			return err
		default:
			gone = append(gone, id)
		}
	}
	if len(gone) < probes {
		ids = gone // the others are asked for another time
	}
	for _, id := range ids {
		delete(a.Posted, id)
		if err := r.add(TransactionRemoved, account, id, nil); err != nil {
			return err
		}
	}
	return nil
}

// pending syncs the pending transactions of an account: all there are now
// against all there were.
func (r *syncRun) pending(ctx context.Context, account string, a *accountState) error {
	filter := data.TransactionFilter{}.AccountID(account).Status(data.TransactionStatusPending)
	visited, last, err := r.readAll(ctx, account, filter, func(visited map[string]bool, id string, tx *data.Transaction) error {
		_, posted := a.Posted[id]
		if tx.Status != data.TransactionStatusPending || posted || !of(tx, account) {
			return nil
		}
		if id == "" {
			return errNoID(account)
		}
		visited[id] = true
		hash := contentHash(tx)
		before, known := a.Pending[id]
		if known && before == hash {
			return nil
		}
		kind := TransactionInserted
		if known {
			kind = TransactionChanged
		}
		a.Pending[id] = hash
		return r.add(kind, account, id, tx)
	})
	if err != nil {
		return err
	}
	pending := slices.DeleteFunc(slices.Sorted(maps.Keys(a.Pending)), func(id string) bool { return visited[id] })
	if len(pending) > 0 {
		if err := r.listed(account, last); err != nil {
			return err
		}
	}
	for _, id := range pending {
		delete(a.Pending, id)
		if err := r.add(TransactionRemoved, account, id, nil); err != nil {
			return err
		}
	}
	return nil
}
