package basiq

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"sort"
	"strings"

	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/internal/safetext"
	"github.com/basiq-sdk/basiq-go/transport"
	"github.com/basiq-sdk/basiq-go/transport/value"
)

// ChangeKind is the kind of a [TransactionChange].
type ChangeKind string

// Values of [ChangeKind].
const (
	// TransactionInserted means that the transaction is new.
	TransactionInserted ChangeKind = "inserted"
	// TransactionChanged means that the content differs from before: for
	// example, a pending transaction was posted under the same ID, or enrichment
	// was added.
	TransactionChanged ChangeKind = "changed"
	// TransactionRemoved means that the transaction no longer exists: a pending
	// transaction was dropped, or posted or replaced under another ID. Posted
	// transactions are removed only by a purge.
	TransactionRemoved ChangeKind = "removed"
)

// TransactionChange is a change to one transaction.
type TransactionChange struct {
	Kind        ChangeKind
	ID          string
	AccountID   string
	Transaction *data.Transaction // its current content; nil if it was removed
}

// SyncBatch is a batch of changes, with the cursor that resumes the sync after
// the last of them. Store both in the same database transaction, and delete the data
// of the accounts in Ended there, too, if you have to.
type SyncBatch struct {
	Changes []TransactionChange
	Ended   []EndedAccount // accounts whose data can no longer be read, after Changes; each is reported once
	Cursor  SyncCursor
}

// SyncOptions configures SyncTransactions. The zero value syncs everything.
type SyncOptions struct {
	// AccountIDs are the accounts to sync. The default is all accounts of the
	// user, including those that are connected later. With AccountIDs, the accounts
	// are not listed: one that is gone is reported in SyncBatch.Ended when the API
	// refuses to return it or no longer has its newest transactions, and one that is
	// unavailable is not reported.
	AccountIDs []string
	// From is the first day to sync. The default is the whole history. It
	// applies only to accounts that are not yet in the cursor.
	From value.Date
	// Window is the number of days before an account's newest transaction that
	// every run reads again. A transaction that is posted late, on a day before
	// the window, is missed. The default is 14, the minimum 7.
	Window int
	// PostedOnly excludes pending transactions.
	PostedOnly bool
	// BatchSize is the maximum number of changes in a batch. The default is 500.
	BatchSize int
}

const (
	defaultSyncWindow = 14
	minSyncWindow     = 7
	defaultSyncBatch  = 500
	syncChunk         = 90               // days that are read at once
	syncHistory       = 730              // days of history, if an account does not report its own
	syncLongest       = 10 * syncHistory // days before today that are split into chunks
	syncReadings      = 6                // limit of readings of a list, until two in a row agree
	syncUnstable      = 24               // limit of readings of a list whose pages overlap, until the readings are complete
	syncProbes        = 5                // missing posted transactions that are requested one by one
)

func (o SyncOptions) withDefaults() (SyncOptions, error) {
	switch {
	case o.Window == 0:
		o.Window = defaultSyncWindow
	case o.Window < minSyncWindow:
		return o, fmt.Errorf("basiq: SyncOptions.Window is %d days: it must be at least %d, or 0 for the default of %d", o.Window, minSyncWindow, defaultSyncWindow)
	}
	switch {
	case o.BatchSize == 0:
		o.BatchSize = defaultSyncBatch
	case o.BatchSize < 0:
		return o, fmt.Errorf("basiq: SyncOptions.BatchSize is negative: %d", o.BatchSize)
	}
	if slices.Contains(o.AccountIDs, "") {
		return o, errors.New("basiq: SyncOptions.AccountIDs contains an empty ID")
	}
	from, err := dayOf(o.From)
	if err != nil {
		return o, fmt.Errorf("basiq: SyncOptions.From is %q, want a date such as 2031-05-06", safetext.Identifier(string(o.From)))
	}
	o.From = from
	return o, nil
}

// SyncTransactions keeps a copy of a user's transactions up to date. It returns
// an iterator over the changes since the cursor. Start with an empty cursor, for
// which every transaction is new.
//
//	for batch, err := range client.SyncTransactions(ctx, userID, cursor, basiq.SyncOptions{}) {
//		if err != nil {
//			return err // what was stored stays valid: resume from its cursor
//		}
//		// in one database transaction:
//		//   apply batch.Changes, in their order
//		//   delete or de-identify the data of batch.Ended, if you have to
//		//   store batch.Cursor
//	}
//
// If each batch is stored together with its cursor, every posted transaction is
// inserted exactly once, even if the loop or the process ends early. A store that
// cannot do both atomically should insert by ID, so that a batch can be applied
// twice. The last batch may contain no changes; store its cursor all the same. Do
// not run two syncs of the same user at the same time.
//
// How it works:
//
//   - The first run reads each account from the oldest transaction to the newest,
//     90 days at a time. Later runs read each account from [SyncOptions.Window] days
//     before its newest posted transaction. Because the window does not depend on
//     the time of the last run, nothing is missed if a connection was broken for
//     months, or if an account is connected later.
//   - Pending transactions get new IDs at every refresh. Each run compares all of
//     them, and reports the old ones as removed and the new ones as inserted.
//   - An account that disappears, for example because the consent has ended, is
//     reported once in [SyncBatch.Ended]. It is requested by its ID first: only if the
//     API confirms that it does not exist, it counts as ended. Its transactions are
//     not reported as removed. If it comes back, all of them are inserted again. If
//     no consent of the user is active, all accounts of the cursor have ended, and
//     nothing else is synced.
//   - After a purge, start with an empty cursor and an empty copy.
//   - If the API refuses to return an account, the sync continues with the other
//     accounts and returns the error at the end.
//   - If the context ends, the error matches context.Canceled or
//     context.DeadlineExceeded, and nothing is reported as removed.
//
// A list of several pages (more than 500 transactions) is read twice. The API may
// locate the next page by counting rows; if a row disappears while the list is
// read, another row is skipped. The list is therefore read until nothing has
// disappeared between two consecutive readings. After six readings the sync
// fails; run it again later. If transactions of the same day come in a different
// order on each page, the readings are combined until no transaction is missing.
//
// A response that is not a list of transactions, or that contains a transaction
// without ID, is an error; nothing is reported as removed because of it. What can
// still be missed:
//
//   - a transaction that two consecutive readings skip, because other rows
//     disappeared during both;
//   - a transaction that moves to, or is posted on, a day before the window. A
//     pending one that is posted under the same ID more than a day before the
//     window is reported as removed.
//
// Memory use is one page of 500 transactions, one batch, and about 300 bytes for
// each transaction of the window and of the 90 days being read. The cursor
// contains the same transactions, at about 50 bytes each.
//
// GET /users/{userId}/accounts and GET /users/{userId}/transactions; if an account is
// missing, also GET /users/{userId}/accounts/{accountId} and
// GET /users/{userId}/consents: SERVER_ACCESS token, retried on transient failures
// (class A).
func (c *Client) SyncTransactions(ctx context.Context, userID string, cursor SyncCursor, o SyncOptions, opts ...transport.Option) iter.Seq2[*SyncBatch, error] {
	return func(yield func(*SyncBatch, error) bool) {
		if err := c.checkReady(ctx, "SyncTransactions"); err != nil {
			yield(nil, err)
			return
		}
		err := c.Transport.RunWorkflow(ctx, transport.Workflow{Name: "SyncTransactions"}, func(ctx context.Context, w *transport.Workflow) error {
			err := c.syncTransactions(ctx, userID, cursor, o, opts, func(b *SyncBatch) bool {
				w.Batches++
				w.Changes += len(b.Changes)
				return yield(b, nil)
			})
			if err == errStopped {
				w.Stopped = true
				return nil
			}
			return err
		})
		if err != nil {
			yield(nil, err)
		}
	}
}

// syncTransactions passes the batches to yield, and returns errStopped if that returns
// false.
func (c *Client) syncTransactions(ctx context.Context, userID string, cursor SyncCursor, o SyncOptions, opts []transport.Option, yield func(*SyncBatch) bool) error {
	o, err := o.withDefaults()
	if err != nil {
		return err
	}
	state, err := cursor.parse(userID)
	if err != nil {
		return err
	}
	r := &syncRun{client: c, userID: userID, o: o, opts: opts, state: state, yield: yield, today: value.DateOf(c.Transport.Now().UTC())}
	if err := r.run(ctx); err != nil {
		return err
	}
	return r.flush()
}

// syncRun is one run of a sync.
type syncRun struct {
	client  *Client
	userID  string
	o       SyncOptions
	opts    []transport.Option // of every request
	state   *syncState
	yield   func(*SyncBatch) bool
	changes []TransactionChange
	ended   []EndedAccount
	today   value.Date

	failures []error // of single accounts
	over     bool    // the consent has ended
}

func (r *syncRun) run(ctx context.Context) error {
	ids, begins := slices.Clone(r.o.AccountIDs), map[string]value.Date{}
	if len(ids) == 0 {
		list, err := r.listAccounts(ctx)
		if err == nil && list != nil {
			err = r.endMissing(ctx, list.Data)
		}
		if err != nil || r.over {
			return err
		}
		ids, begins = idsOf(list)
	}
	sort.Slice(ids, func(i, j int) bool { // slices.SortFunc would be compiled into this package
		a, b := strings.ToLower(ids[i]), strings.ToLower(ids[j])
		return a < b || a == b && ids[i] < ids[j]
	})
	for i, id := range ids {
		if i > 0 && strings.EqualFold(id, ids[i-1]) {
			continue
		}
		err := r.syncAccount(ctx, id, begins[id])
		if ended := transport.ContextError(ctx); err != nil && err != errStopped && ended != nil {
			if errors.Is(err, ctx.Err()) {
				return err
			}
			return fmt.Errorf("basiq: SyncTransactions: %w", ended) // the failure is not specific to this account
		}
		if err != nil {
			if err = r.accountFailed(ctx, id, err); err != nil {
				return err
			}
		}
		if r.over {
			return nil
		}
	}
	if len(r.failures) == 0 {
		return nil
	}
	if err := r.flush(); err != nil {
		return err
	}
	return errors.Join(r.failures...)
}

func (r *syncRun) syncAccount(ctx context.Context, id string, begins value.Date) error {
	a := r.state.account(id, r.o.From)
	if err := r.syncPosted(ctx, id, a, begins); err != nil || r.o.PostedOnly {
		return err
	}
	return r.syncPending(ctx, id, a)
}

// add appends a change that the state already includes.
func (r *syncRun) add(kind ChangeKind, account, id string, tx *data.Transaction) error {
	r.changes = append(r.changes, TransactionChange{Kind: kind, ID: id, AccountID: account, Transaction: tx})
	if len(r.changes) < r.o.BatchSize {
		return nil
	}
	return r.flush()
}

// flush yields the collected changes with a cursor of the current state.
func (r *syncRun) flush() error {
	cursor, err := r.state.cursor()
	if err != nil {
		return err
	}
	batch := &SyncBatch{Changes: r.changes, Ended: r.ended, Cursor: cursor}
	r.changes, r.ended = nil, nil
	if !r.yield(batch) {
		return errStopped
	}
	return nil
}

// syncPosted syncs the posted transactions of an account. If they fit on one
// page, they are read at once; otherwise span by span, from the oldest to the
// newest, to limit the memory that is used.
func (r *syncRun) syncPosted(ctx context.Context, id string, a *accountState, begins value.Date) error {
	all := span{from: a.KeptFrom}
	var (
		page        []*data.Transaction
		first, last *http.Response
	)
	params := data.ListTransactionsParams{Filter: r.filter(id, all)}
	for tx, err := range r.client.Data.Transactions.All(ctx, r.userID, params, r.listOptions(&last)...) {
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
			if err := r.visitPosted(id, a, all, visited, strings.Clone(tx.ID), tx); err != nil {
				return err
			}
		}
		return r.finishSpan(ctx, id, a, all, visited, last)
	}
	for _, s := range spans(a.KeptFrom, begins, r.today) {
		visited, last, err := r.readAll(ctx, id, r.filter(id, s), func(visited map[string]bool, txID string, tx *data.Transaction) error {
			return r.visitPosted(id, a, s, visited, txID, tx)
		})
		if err != nil {
			return err
		}
		if err := r.finishSpan(ctx, id, a, s, visited, last); err != nil {
			return err
		}
	}
	return nil
}

// visitPosted records a transaction of a list that was filtered to the days of
// s. The list may contain transactions of neighbouring days.
func (r *syncRun) visitPosted(account string, a *accountState, s span, visited map[string]bool, id string, tx *data.Transaction) error {
	if tx.Status == data.TransactionStatusPending || !belongsTo(tx, account) {
		return nil
	}
	if id == "" {
		return errNoID(account)
	}
	now := postedRow{day: TransactionDay(tx, nil), hash: contentHash(tx)}
	before, known := a.Posted[id]
	_, pending := a.Pending[id]
	if !known && !pending && !s.contains(now.day) {
		return nil // already yielded, or part of another span
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
	// A date in the future must not move the window past today.
	a.Newest = max(a.Newest, min(now.day, addDays(r.today, 1)))
	return r.add(kind, account, id, tx)
}

// finishSpan ends the sync of a span. visited contains every transaction that
// was found in it, and last is the response with the last page.
func (r *syncRun) finishSpan(ctx context.Context, account string, a *accountState, s span, visited map[string]bool, last *http.Response) error {
	var missing []string
	for id, row := range a.Posted {
		if row.day != "" && s.contains(row.day) && !visited[id] {
			missing = append(missing, id)
		}
	}
	if len(missing) > 0 {
		if err := r.checkListed(account, last); err != nil {
			return err
		}
	}
	if err := r.removeMissing(ctx, account, a, missing); err != nil {
		return err
	}
	a.advance(r.o.Window, s.to)
	return nil
}

// removeMissing removes posted transactions that were missing from a list, if
// they really are gone. Only a purge removes posted transactions, so the list
// is more likely to be incomplete. A sample is requested one by one: if all of
// the sample are gone, all are removed; otherwise only those of the sample that
// are gone.
func (r *syncRun) removeMissing(ctx context.Context, account string, a *accountState, ids []string) error {
	sort.Strings(ids)
	var gone []string
	probes := min(len(ids), syncProbes)
	for i := range probes {
		id := ids[i*(len(ids)-1)/max(probes-1, 1)] // spread evenly from the first to the last
		_, err := r.client.Data.Transactions.Get(ctx, r.userID, id, r.opts...)
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
		ids = gone // the next run checks the others again
	} else if probes > 0 && len(r.o.AccountIDs) > 0 { // the accounts were not listed
		if none, err := r.isGone(ctx, account); none || err != nil {
			return cmp.Or(err, errAccountGone)
		}
	}
	for _, id := range ids {
		delete(a.Posted, id)
		if err := r.add(TransactionRemoved, account, id, nil); err != nil {
			return err
		}
	}
	return nil
}

// syncPending syncs the pending transactions of an account: it compares the
// current list with all that were pending before.
func (r *syncRun) syncPending(ctx context.Context, account string, a *accountState) error {
	filter := data.TransactionFilter{}.AccountID(account).Status(data.TransactionStatusPending)
	visited, last, err := r.readAll(ctx, account, filter, func(visited map[string]bool, id string, tx *data.Transaction) error {
		_, posted := a.Posted[id]
		if tx.Status != data.TransactionStatusPending || posted || !belongsTo(tx, account) {
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
	var pending []string
	for id := range a.Pending {
		if !visited[id] {
			pending = append(pending, id)
		}
	}
	sortTexts(pending)
	if len(pending) > 0 {
		if err := r.checkListed(account, last); err != nil {
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
