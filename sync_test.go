package basiq_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/transport"
)

// localCopy is a copy of a ledger, as a program would keep it. It stores each
// batch together with its cursor.
type localCopy struct {
	t        *testing.T
	rows     map[string]string // amount and status, by ID
	cursor   basiq.SyncCursor
	inserted map[string]int // how often each was inserted
	changes  []string       // changes of the last run
}

func newLocalCopy(t *testing.T) *localCopy {
	return &localCopy{t: t, rows: map[string]string{}, inserted: map[string]int{}}
}

// apply stores a batch.
func (m *localCopy) apply(b *basiq.SyncBatch) {
	m.t.Helper()
	for _, c := range b.Changes {
		_, there := m.rows[c.ID]
		switch c.Kind {
		case basiq.TransactionInserted:
			if there {
				m.t.Errorf("%s is inserted, but exists already", c.ID)
			}
			m.inserted[c.ID]++
		case basiq.TransactionChanged, basiq.TransactionRemoved:
			if !there {
				m.t.Errorf("%s is %s, but does not exist", c.ID, c.Kind)
			}
		}
		m.changes = append(m.changes, fmt.Sprintf("%s %s", c.Kind, c.ID))
		if c.Kind == basiq.TransactionRemoved {
			if c.Transaction != nil {
				m.t.Errorf("%s was removed, but has content", c.ID)
			}
			delete(m.rows, c.ID)
			continue
		}
		m.rows[c.ID] = fmt.Sprint(c.Transaction.Status, " ", c.Transaction.Amount)
	}
	m.cursor = b.Cursor
}

// sync runs SyncTransactions once. stop reports, for each batch, whether the
// process crashes before it stores the batch.
func (m *localCopy) sync(client *basiq.Client, o basiq.SyncOptions, stop func() bool) error {
	m.t.Helper()
	m.changes = nil
	for batch, err := range client.SyncTransactions(context.Background(), "u-1", m.cursor, o) {
		if err != nil {
			return err
		}
		if stop != nil && stop() {
			return nil
		}
		m.apply(batch)
	}
	return nil
}

// same fails unless the copy matches the ledger.
func (m *localCopy) same(l *ledger) {
	m.t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	want := map[string]string{}
	for id, r := range l.rows {
		want[id] = "posted " + r.amount
		if r.pending {
			want[id] = "pending " + r.amount
		}
	}
	if !maps.Equal(m.rows, want) {
		for id := range want {
			if m.rows[id] != want[id] {
				m.t.Errorf("%s is %q, want %q (posted %s)", id, m.rows[id], want[id], l.rows[id].date)
			}
		}
		for id := range m.rows {
			if want[id] == "" {
				m.t.Errorf("%s was not removed", id)
			}
		}
	}
	for id, n := range m.inserted {
		if n > 1 && l.rows[id] != nil && !l.rows[id].pending {
			m.t.Errorf("%s was inserted %d times", id, n)
		}
	}
}

// TestSync checks the changes that each run reports over the life of an
// account.
func TestSync(t *testing.T) {
	l, client := newLedger(t, 500)
	m := newLocalCopy(t)
	run := func(want ...string) {
		t.Helper()
		if err := m.sync(client, basiq.SyncOptions{}, nil); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(m.changes, want) {
			t.Errorf("changes %q, want %q", m.changes, want)
		}
		m.same(l)
	}
	l.add("a-1", at(30, false), false)
	l.add("a-1", at(3, true), false)
	pending := l.add("a-1", at(0, true), true)
	run("inserted t-00002", "inserted t-00001", "inserted t-00003")
	run()

	// A refresh gives pending transactions new IDs.
	l.remove(pending.id)
	pending = l.add("a-1", at(0, true), true)
	run("inserted t-00004", "removed t-00003")

	// One pending transaction is posted under another ID, and one under the same ID.
	l.remove(pending.id)
	l.add("a-1", at(0, true), false)
	second := l.add("a-1", at(0, false), true)
	run("inserted t-00005", "inserted t-00006", "removed t-00004")
	second.pending = false
	run("changed t-00006")

	// A posted transaction is enriched, one arrives late, and an account with a long
	// history is connected.
	l.rows["t-00005"].text = "COFFEE HOUSE"
	l.add("a-1", at(12, false), false)
	l.add("a-0", at(400, false), false)
	l.add("a-0", at(1, false), false)
	run("inserted t-00009", "inserted t-00008", "changed t-00005", "inserted t-00007")

	// A purge removes the transactions of the window. A sample of them is requested
	// before they count as removed.
	l.remove("t-00007")
	run("removed t-00007")
	if l.gets != 1 {
		t.Errorf("%d transactions were requested one by one", l.gets)
	}
	run()
}

// TestSyncBrokenConnection checks that nothing is missed if a connection is
// repaired after months without new transactions.
func TestSyncBrokenConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, client := newLedger(t, 500)
		m := newLocalCopy(t)
		l.add("a-1", at(0, false), false)
		for range 100 {
			if err := m.sync(client, basiq.SyncOptions{}, nil); err != nil {
				t.Fatal(err)
			}
			time.Sleep(24 * time.Hour)
		}
		for day := range 100 {
			l.add("a-1", at(day, day%2 == 0), false)
		}
		if err := m.sync(client, basiq.SyncOptions{}, nil); err != nil {
			t.Fatal(err)
		}
		m.same(l)
	})
}

// TestSyncFutureDate checks that a date in the future does not move the window
// past today, and that a transaction without a date is inserted once.
func TestSyncFutureDate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, client := newLedger(t, 500)
		m := newLocalCopy(t)
		for _, daysAgo := range []int{0, 0, 5, 0, 3, 0, 0} {
			l.add("a-1", at(daysAgo, daysAgo > 0), false)
			if len(l.rows) < 5 {
				l.add("a-1", "9999-12-31T00:00:00Z", false)
				l.add("a-1", "not a date at all", false)
			}
			if err := m.sync(client, basiq.SyncOptions{}, nil); err != nil {
				t.Fatal(err)
			}
			m.same(l)
			time.Sleep(10 * 24 * time.Hour)
		}
	})
}

// TestSyncContinuesAfterRejectedAccount checks that an account that the API
// rejects does not keep the others from being synced.
func TestSyncContinuesAfterRejectedAccount(t *testing.T) {
	l, client := newLedger(t, 500)
	for _, account := range []string{"a-1", "a-2", "a-3"} {
		l.add(account, at(1, false), false)
	}
	m := newLocalCopy(t)
	l.gone = "a-2"
	err := m.sync(client, basiq.SyncOptions{}, nil)
	if !errors.Is(err, transport.ErrNotFound) || len(m.rows) != 2 {
		t.Fatalf("%v, %d transactions", err, len(m.rows))
	}
	wantText(t, err.Error(), "account a-2 was not synced")
	l.gone = ""
	if err := m.sync(client, basiq.SyncOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	m.same(l)
}

// TestSyncIncompleteList checks that a posted transaction that is missing from
// a list is not removed, unless it is gone.
func TestSyncIncompleteList(t *testing.T) {
	l, client := newLedger(t, 500)
	m := newLocalCopy(t)
	for i := range 20 {
		l.add("a-1", at(i%5, false), false)
	}
	if err := m.sync(client, basiq.SyncOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	for id := range l.rows {
		l.hide[id] = true
	}
	l.remove("t-00001") // really gone
	if err := m.sync(client, basiq.SyncOptions{}, nil); err != nil || !slices.Equal(m.changes, []string{"removed t-00001"}) {
		t.Errorf("%v, %q", err, m.changes)
	}
	m.same(l)
}

// TestSyncBackfill checks that a long history is read in chunks, from the
// oldest to the newest, and that cursors stay small.
func TestSyncBackfill(t *testing.T) {
	l, client := newLedger(t, 100)
	m := newLocalCopy(t)
	for day := range 3000 {
		l.add("a-1", at(day, day%3 == 0), false)
	}
	longest, calls := 0, 0
	for batch, err := range client.SyncTransactions(t.Context(), "u-1", "", basiq.SyncOptions{BatchSize: 50}) {
		if err != nil {
			t.Fatal(err)
		}
		if len(batch.Changes) > 50 {
			t.Fatalf("%d changes in a batch", len(batch.Changes))
		}
		m.apply(batch)
		longest = max(longest, len(batch.Cursor))
		calls++
	}
	m.same(l)
	if len(m.rows) != 3000 || longest > 120*50 || len(m.cursor) > 20*50 {
		t.Errorf("%d transactions, the longest cursor has %d bytes, the last %d", len(m.rows), longest, len(m.cursor))
	}
	l.lists = 0
	if err := m.sync(client, basiq.SyncOptions{}, nil); err != nil || len(m.changes) != 0 || l.lists != 2 {
		t.Errorf("%v, %q, %d lists", err, m.changes, l.lists)
	}
}

// TestSyncRandomChanges makes random changes to a ledger and interrupts runs at
// random. The copy must match the ledger, and no posted transaction may be
// inserted twice.
func TestSyncRandomChanges(t *testing.T) {
	for seed := range uint64(8) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			l, client := newLedger(t, 3+random.IntN(30))
			l.local = seed%2 == 0
			m := newLocalCopy(t)
			var pending []*row
			accounts := []string{"a-1", "a-2"}
			for range random.IntN(150) {
				l.add(accounts[random.IntN(2)], at(random.IntN(900), random.IntN(2) == 0), false)
			}
			for range 12 {
				for range random.IntN(12) { // new transactions
					l.add(accounts[random.IntN(len(accounts))], at(random.IntN(10), random.IntN(2) == 0), false)
				}
				for _, p := range pending { // a refresh replaces pending transactions, or posts them
					switch random.IntN(4) {
					case 0:
						l.remove(p.id)
						l.add(p.account, at(random.IntN(3), true), false)
					case 1:
						p.pending, p.date = false, at(random.IntN(3), false)
					default:
						l.remove(p.id)
					}
				}
				pending = nil
				for range random.IntN(4) {
					pending = append(pending, l.add(accounts[random.IntN(len(accounts))], at(0, true), true))
				}
				if random.IntN(6) == 0 { // a new account
					accounts = append(accounts, fmt.Sprint("a-", len(accounts)+1))
					for range random.IntN(80) {
						l.add(accounts[len(accounts)-1], at(random.IntN(700), false), false)
					}
				}
				o := basiq.SyncOptions{BatchSize: 1 + random.IntN(40), Window: 14 + random.IntN(10)}
				bad := random.IntN(30)
				l.fail = func(list int) bool { return bad == list%31 }
				l.amid = func() {
					if random.IntN(4) == 0 {
						l.insert(accounts[random.IntN(len(accounts))], at(random.IntN(5), random.IntN(2) == 0), false)
					}
				}
				for range random.IntN(4) { // runs that are interrupted or fail
					_ = m.sync(client, o, func() bool { return random.IntN(8) == 0 })
				}
				l.fail, l.amid = nil, nil
				if err := m.sync(client, o, nil); err != nil {
					t.Fatal(err)
				}
				m.same(l)
				if t.Failed() {
					t.Fatalf("seed %d", seed)
				}
				time.Sleep(time.Duration(random.IntN(48)) * time.Hour)
			}
		})
	}
}

// TestSyncPendingPostedBeforeTheWindow checks that a pending transaction that
// is posted under the same ID is reported as changed, even if it is posted on a
// day before the window.
func TestSyncPendingPostedBeforeTheWindow(t *testing.T) {
	for _, page := range []int{500, 1} {
		l, client := newLedger(t, page)
		m := newLocalCopy(t)
		run := func(want ...string) {
			t.Helper()
			if err := m.sync(client, basiq.SyncOptions{}, nil); err != nil || !slices.Equal(m.changes, want) {
				t.Errorf("%v, changes %q, want %q", err, m.changes, want)
			}
			m.same(l)
		}
		l.add("a-1", at(7, false), false) // the window starts 21 days ago
		pending := l.add("a-1", at(21, false), true)
		run("inserted t-00001", "inserted t-00002")
		pending.pending, pending.date = false, at(22, false)
		run("changed t-00002")
		run()
		l.add("a-1", at(1, false), false) // moves the window
		run("inserted t-00003")
		run()
	}
}

// TestSyncRowsDisappearBetweenPages checks that no transaction is lost if the
// API locates the next page by counting rows, and a row that disappears makes
// it skip another.
func TestSyncRowsDisappearBetweenPages(t *testing.T) {
	for _, c := range []struct {
		name    string
		pending bool // the row that disappears is pending
		times   int  // number of readings during which a row disappears
	}{{"a posted one", false, 1}, {"a pending one", true, 1}, {"one in each of three readings", false, 3}} {
		t.Run(c.name, func(t *testing.T) {
			l, client := newLedger(t, 2)
			l.offset = true
			m := newLocalCopy(t)
			for day := range 9 {
				l.add("a-1", at(300+day, false), false)
			}
			for range 4 {
				l.add("a-1", at(300, false), c.pending)
			}
			l.add("a-1", at(0, false), false)
			begun, gone := false, 0
			l.amid = func() {
				if begun && gone < c.times { // after the first page was read
					id := fmt.Sprintf("t-%05d", []int{1, 10, 11}[gone])
					if c.pending {
						id = "t-00010"
					}
					delete(l.rows, id)
					gone++
					begun = false
				}
			}
			l.seen = func(filter, next string) {
				begun = next == "" && (c.pending && strings.Contains(filter, "pending") || !c.pending && strings.Contains(filter, ".bt("))
			}
			if err := m.sync(client, basiq.SyncOptions{}, nil); err != nil || gone != c.times {
				t.Fatalf("%v, %d rows disappeared", err, gone)
			}
			m.same(l)
		})
	}
}

// TestSyncFailsIfListKeepsChanging checks that the sync fails if rows disappear
// during every reading, and can be resumed from its cursor later.
func TestSyncFailsIfListKeepsChanging(t *testing.T) {
	l, client := newLedger(t, 2)
	l.offset = true
	m := newLocalCopy(t)
	for day := range 60 {
		l.add("a-1", at(300+day, false), false)
	}
	l.add("a-1", at(0, false), false)
	n := 0
	l.seen = func(_, next string) {
		if next == "4" {
			n++
			delete(l.rows, fmt.Sprintf("t-%05d", n))
		}
	}
	err := m.sync(client, basiq.SyncOptions{}, nil)
	if err == nil {
		t.Fatal("no error")
	}
	wantText(t, err.Error(), "account a-1", "disappeared during each of 6 readings", "sync again")
	if n != 6 {
		t.Errorf("%d readings", n)
	}
	l.seen = nil
	if err := m.sync(client, basiq.SyncOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	m.same(l)
}

// TestSyncRandomChangesWithOffsetPaging is TestSyncRandomChanges for an API
// that locates pages by counting rows, with rows that come and go while lists
// are read.
func TestSyncRandomChangesWithOffsetPaging(t *testing.T) {
	for seed := range uint64(8) {
		random := rand.New(rand.NewPCG(seed, 2))
		l, client := newLedger(t, 2+random.IntN(8))
		l.offset = true
		m := newLocalCopy(t)
		for range 120 {
			l.add("a-1", at(random.IntN(400), random.IntN(2) == 0), false)
		}
		for range 6 {
			l.amid = func() {
				switch random.IntN(12) {
				case 0:
					ids := slices.Sorted(maps.Keys(l.rows))
					delete(l.rows, ids[random.IntN(len(ids))])
				case 1:
					l.insert("a-1", at(random.IntN(5), false), false)
				}
			}
			_ = m.sync(client, basiq.SyncOptions{BatchSize: 10 + random.IntN(30)}, func() bool { return random.IntN(40) == 0 })
			l.amid = nil
			if err := m.sync(client, basiq.SyncOptions{}, nil); err != nil {
				t.Fatal(err)
			}
			for id := range l.rows { // rows before the window may stay in the copy
				if m.rows[id] == "" {
					t.Fatalf("seed %d: %s is in the ledger, but was never yielded", seed, id)
				}
			}
		}
		for id, n := range m.inserted {
			if n > 1 {
				t.Errorf("%s was inserted %d times", id, n)
			}
		}
	}
}
