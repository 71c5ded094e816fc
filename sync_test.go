package basiq_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/transport"
)

// ledger is a bank whose transactions a test changes. It filters and pages as
// Basiq does: account by account, the newest first.
type ledger struct {
	t     *testing.T
	mu    sync.Mutex
	rows  map[string]*row // by identification
	page  int             // transactions on a page
	next  int             // for identifications
	gets  int             // transactions that were asked for one by one
	lists int
	fail  func(list int) bool // whether a list fails
	hide  map[string]bool     // transactions that lists leave out by mistake
	local bool                // filters go by Sydney's days, not by those of UTC
}

type row struct {
	id, account, amount, text string
	pending                   bool
	date                      string // of posting, or of making while it is pending
}

func newLedger(t *testing.T, page int) (*ledger, *basiq.Client) {
	b := newBench(t)
	l := &ledger{t: t, rows: map[string]*row{}, page: page, hide: map[string]bool{}}
	b.mux.HandleFunc("GET /users/u-1/accounts", l.accounts)
	b.mux.HandleFunc("GET /users/u-1/transactions", l.list)
	b.mux.HandleFunc("GET /users/u-1/transactions/{id}", l.get)
	return l, b.inMemory(basiq.WithHTTPClient(&http.Client{Transport: handled{b}}), transport.WithRetryPolicy(transport.RetryPolicy{MaxAttempts: 1}))
}

func (l *ledger) add(account, date string, pending bool) *row {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next++
	r := &row{id: fmt.Sprintf("t-%05d", l.next), account: account, amount: fmt.Sprintf("-%d.50", l.next), text: "COFFEE", pending: pending, date: date}
	l.rows[r.id] = r
	return r
}

func (l *ledger) remove(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.rows, id)
}

func (l *ledger) accounts(w http.ResponseWriter, _ *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	first := map[string]string{}
	for _, r := range l.rows {
		if first[r.account] == "" || r.date < first[r.account] {
			first[r.account] = r.date
		}
	}
	var data []string
	for id, day := range first {
		data = append(data, fmt.Sprintf(`{"type":"account","id":%q,"transactionIntervals":[{"from":%q,"to":"2099-01-01"}]}`, id, day[:10]))
	}
	fmt.Fprintf(w, `{"type":"list","data":[%s]}`, strings.Join(data, ","))
}

func (r *row) json() string {
	status, post, made := "posted", `"`+r.date+`"`, `""`
	if r.pending {
		status, post, made = "pending", "null", `"`+r.date+`"`
	}
	return fmt.Sprintf(`{"type":"transaction","id":%q,"account":%q,"status":%q,"amount":%q,"description":%q,"postDate":%s,"transactionDate":%s}`,
		r.id, r.account, status, r.amount, r.text, post, made)
}

func (l *ledger) get(w http.ResponseWriter, req *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gets++
	r := l.rows[req.PathValue("id")]
	if r == nil {
		answer(w, "404 resource-not-found")
		return
	}
	answer(w, r.json())
}

var clause = regexp.MustCompile(`([a-zA-Z.]+)\.(eq|bt|gteq|lteq)\('([^']*)'(?:,'([^']*)')?\)`)

// matches applies a filter, which the link to the next page has too.
func (l *ledger) matches(r *row, clauses [][]string) bool {
	for _, c := range clauses {
		day := r.date[:10]
		if at, err := time.Parse(time.RFC3339, r.date); l.local && err == nil {
			day = at.Add(11 * time.Hour).Format("2006-01-02")
		}
		ok := false
		switch c[1] + "." + c[2] {
		case "account.id.eq":
			ok = r.account == c[3]
		case "transaction.status.eq":
			ok = r.pending == (c[3] == "pending")
		case "transaction.postDate.bt":
			ok = !r.pending && c[3] <= day && day <= c[4]
		case "transaction.postDate.gteq":
			ok = !r.pending && c[3] <= day
		case "transaction.postDate.lteq":
			ok = !r.pending && day <= c[3]
		default:
			l.t.Errorf("a filter has %s", c[0])
		}
		if !ok {
			return false
		}
	}
	return !l.hide[r.id]
}

func (l *ledger) list(w http.ResponseWriter, req *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lists++
	if l.fail != nil && l.fail(l.lists) {
		answer(w, "500 internal-server-error")
		return
	}
	filter := req.FormValue("filter")
	if rest := clause.ReplaceAllString(filter, ""); strings.Trim(rest, ",") != "" {
		l.t.Errorf("a filter has %q", rest)
	}
	var rows []*row
	clauses := clause.FindAllStringSubmatch(filter, -1)
	for _, r := range l.rows {
		if l.matches(r, clauses) {
			rows = append(rows, r)
		}
	}
	slices.SortFunc(rows, func(a, b *row) int {
		return cmp.Or(cmp.Compare(a.account, b.account), -cmp.Compare(a.date, b.date), cmp.Compare(a.id, b.id))
	})
	if after := req.FormValue("next"); after != "" {
		rows = rows[slices.IndexFunc(rows, func(r *row) bool { return r.id == after })+1:]
	}
	next := ""
	if len(rows) > l.page {
		rows = rows[:l.page]
		next = "/users/u-1/transactions?" + url.Values{"filter": {filter}, "next": {rows[l.page-1].id}}.Encode()
	}
	data := make([]string, len(rows))
	for i, r := range rows {
		data[i] = r.json()
	}
	fmt.Fprintf(w, `{"type":"list","data":[%s],"links":{"next":%q}}`, strings.Join(data, ","), next)
}

// mirror is a copy of a ledger, as a program keeps it: each batch and its
// cursor are stored together, or not at all.
type mirrorCopy struct {
	t        *testing.T
	rows     map[string]string // amount and status, by identification
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

// at writes a day that is so many days before today, as a web connection does,
// or as one of open banking does in Sydney.
func at(daysAgo int, sydney bool) string {
	day := time.Now().UTC().AddDate(0, 0, -daysAgo)
	if sydney {
		return day.Format("2006-01-02") + "T13:00:00Z"
	}
	return day.Format("2006-01-02") + "T00:00:00Z"
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

	// It is posted under another identification, and another one under the same.
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
				for range random.IntN(4) { // runs that end early, or fail
					_ = m.sync(client, o, func() bool { return random.IntN(8) == 0 })
				}
				l.fail = nil
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
