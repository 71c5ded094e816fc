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

// mirrorCopy is a copy of a ledger, as a program keeps it: each batch and its
// cursor are stored together, or not at all.
type mirrorCopy struct {
	t        *testing.T
	rows     map[string]string // amount and status, by ID
	cursor   basiq.SyncCursor
	inserted map[string]int // how often each was inserted
	changes  []string       // of the last run
}

func newMirror(t *testing.T) *mirrorCopy {
	return &mirrorCopy{t: t, rows: map[string]string{}, inserted: map[string]int{}}
}

// apply stores a batch.
func (m *mirrorCopy) apply(b *basiq.SyncBatch) {
	m.t.Helper()
	for _, c := range b.Changes {
		_, there := m.rows[c.ID]
		switch c.Kind {
		case basiq.TransactionInserted:
			if there {
				m.t.Errorf("%s is inserted, and is there", c.ID)
			}
			m.inserted[c.ID]++
		case basiq.TransactionChanged, basiq.TransactionRemoved:
			if !there {
				m.t.Errorf("%s is %s, and is not there", c.ID, c.Kind)
			}
		}
		m.changes = append(m.changes, fmt.Sprintf("%s %s", c.Kind, c.ID))
		if c.Kind == basiq.TransactionRemoved {
			if c.Transaction != nil {
				m.t.Errorf("%s was removed, and is handed out", c.ID)
			}
			delete(m.rows, c.ID)
			continue
		}
		m.rows[c.ID] = fmt.Sprint(c.Transaction.Status, " ", c.Transaction.Amount)
	}
	m.cursor = b.Cursor
}

// sync runs once. stop says, for each batch, whether the process ends before it
// is stored.
func (m *mirrorCopy) sync(client *basiq.Client, o basiq.SyncOptions, stop func() bool) error {
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

// same fails unless the copy has what the ledger has.
func (m *mirrorCopy) same(l *ledger) {
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
				m.t.Errorf("%s is there still", id)
			}
		}
	}
	for id, n := range m.inserted {
		if n > 1 && l.rows[id] != nil && !l.rows[id].pending {
			m.t.Errorf("%s was inserted %d times", id, n)
		}
	}
}

// TestSync goes through what happens to an account, run by run.
func TestSync(t *testing.T) {
	l, client := newLedger(t, 500)
	m := newMirror(t)
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

	// A refresh makes pending ones anew.
	l.remove(pending.id)
	pending = l.add("a-1", at(0, true), true)
	run("inserted t-00004", "removed t-00003")

	// It is posted under another ID, and another one under the same.
	l.remove(pending.id)
	l.add("a-1", at(0, true), false)
	second := l.add("a-1", at(0, false), true)
	run("inserted t-00005", "inserted t-00006", "removed t-00004")
	second.pending = false
	run("changed t-00006")

	// A posted one is enriched; one arrives late; another account is connected,
	// with a long history.
	l.rows["t-00005"].text = "COFFEE HOUSE"
	l.add("a-1", at(12, false), false)
	l.add("a-0", at(400, false), false)
	l.add("a-0", at(1, false), false)
	run("inserted t-00009", "inserted t-00008", "changed t-00005", "inserted t-00007")

	// A purge removes what the window holds: what was there is asked for first.
	l.remove("t-00007")
	run("removed t-00007")
	if l.gets != 1 {
		t.Errorf("%d transactions were asked for one by one", l.gets)
	}
	run()
}

// TestSyncBrokenConnection: what arrives when a connection works again, after
// months of runs without news, is not missed.
func TestSyncBrokenConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, client := newLedger(t, 500)
		m := newMirror(t)
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

// TestSyncFutureDate: a date that cannot be does not make the window pass over
// what comes before it, and a transaction without a date is inserted once.
func TestSyncFutureDate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, client := newLedger(t, 500)
		m := newMirror(t)
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

// TestSyncAccountRefused: an account that the API does not tell of does not keep
// the others waiting.
func TestSyncAccountRefused(t *testing.T) {
	l, client := newLedger(t, 500)
	for _, account := range []string{"a-1", "a-2", "a-3"} {
		l.add(account, at(1, false), false)
	}
	m := newMirror(t)
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

// TestSyncListsAtFault: a posted transaction that a list leaves out is not
// removed.
func TestSyncListsAtFault(t *testing.T) {
	l, client := newLedger(t, 500)
	m := newMirror(t)
	for i := range 20 {
		l.add("a-1", at(i%5, false), false)
	}
	if err := m.sync(client, basiq.SyncOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	for id := range l.rows {
		l.hide[id] = true
	}
	l.remove("t-00001") // and this one is gone
	if err := m.sync(client, basiq.SyncOptions{}, nil); err != nil || !slices.Equal(m.changes, []string{"removed t-00001"}) {
		t.Errorf("%v, %q", err, m.changes)
	}
	m.same(l)
}

// TestSyncBackfill: a long history comes in pieces, from the oldest to the
// newest, and what is kept in mind stays small.
func TestSyncBackfill(t *testing.T) {
	l, client := newLedger(t, 100)
	m := newMirror(t)
	for day := range 3000 {
		l.add("a-1", at(day, day%3 == 0), false)
	}
	longest, calls := 0, 0
	for batch, err := range client.SyncTransactions(t.Context(), "u-1", "", basiq.SyncOptions{BatchSize: 50}) {
		if err != nil {
			t.Fatal(err)
		}
		if len(batch.Changes) > 50 {
			t.Fatalf("%d changes at once", len(batch.Changes))
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

// TestSyncSurvives lets transactions come and go at random, ends runs at any
// place, and holds the copy against the ledger: nothing is lost, and no posted
// transaction is inserted twice.
func TestSyncSurvives(t *testing.T) {
	for seed := range uint64(8) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			l, client := newLedger(t, 3+random.IntN(30))
			l.local = seed%2 == 0
			m := newMirror(t)
			var pending []*row
			accounts := []string{"a-1", "a-2"}
			for range random.IntN(150) {
				l.add(accounts[random.IntN(2)], at(random.IntN(900), random.IntN(2) == 0), false)
			}
			for range 12 {
				for range random.IntN(12) { // the banks go on
					l.add(accounts[random.IntN(len(accounts))], at(random.IntN(10), random.IntN(2) == 0), false)
				}
				for _, p := range pending { // and a refresh makes pending ones anew, or posts them
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
				if random.IntN(6) == 0 { // another account is connected
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
				for range random.IntN(4) { // runs that end early, or fail
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

// TestSyncPendingPostedBeforeTheWindow: a pending transaction that is posted
// under the same ID is changed, although it is posted on a day before the window.
func TestSyncPendingPostedBeforeTheWindow(t *testing.T) {
	for _, page := range []int{500, 1} {
		l, client := newLedger(t, page)
		m := newMirror(t)
		run := func(want ...string) {
			t.Helper()
			if err := m.sync(client, basiq.SyncOptions{}, nil); err != nil || !slices.Equal(m.changes, want) {
				t.Errorf("%v, changes %q, want %q", err, m.changes, want)
			}
			m.same(l)
		}
		l.add("a-1", at(7, false), false) // the window begins 21 days ago
		pending := l.add("a-1", at(21, false), true)
		run("inserted t-00001", "inserted t-00002")
		pending.pending, pending.date = false, at(22, false)
		run("changed t-00002")
		run()
		l.add("a-1", at(1, false), false) // and the window moves on
		run("inserted t-00003")
		run()
	}
}

// TestSyncListThatShrinks: where the API finds the next page by counting rows, a
// row that disappears while the list is read makes the API skip another. That one
// is not lost.
func TestSyncListThatShrinks(t *testing.T) {
	for _, c := range []struct {
		name    string
		pending bool // the row that disappears is pending
		times   int  // readings in which a row disappears
	}{{"a posted one", false, 1}, {"a pending one", true, 1}, {"one in each of three readings", false, 3}} {
		t.Run(c.name, func(t *testing.T) {
			l, client := newLedger(t, 2)
			l.offset = true
			m := newMirror(t)
			for day := range 9 {
				l.add("a-1", at(300+day, false), false)
			}
			for range 4 {
				l.add("a-1", at(300, false), c.pending)
			}
			l.add("a-1", at(0, false), false)
			begun, gone := false, 0
			l.amid = func() {
				if begun && gone < c.times { // the first page of the old rows was read
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

// TestSyncListThatNeverRests: when every reading of a list finds that rows of the
// one before are gone, the sync fails rather than pass over them, and goes on
// from its cursor when the list has come to rest.
func TestSyncListThatNeverRests(t *testing.T) {
	l, client := newLedger(t, 2)
	l.offset = true
	m := newMirror(t)
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
	l.seen = nil
	if err := m.sync(client, basiq.SyncOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	m.same(l)
}

// TestSyncSurvivesOffsets holds what TestSyncSurvives does where rows are
// counted, come and go while lists are read, and runs end anywhere.
func TestSyncSurvivesOffsets(t *testing.T) {
	for seed := range uint64(8) {
		random := rand.New(rand.NewPCG(seed, 2))
		l, client := newLedger(t, 2+random.IntN(8))
		l.offset = true
		m := newMirror(t)
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
			for id := range l.rows { // rows that disappear before the window stay in the copy: a purge begins anew
				if m.rows[id] == "" {
					t.Fatalf("seed %d: %s is in the ledger, and was never handed out", seed, id)
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
