package basiq_test

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/transport"
	"github.com/basiq-sdk/basiq-go/transport/value"
)

var sydney = time.FixedZone("Sydney", 11*60*60)

// TestTransactions checks which transactions are in a window, in particular at
// its ends.
func TestTransactions(t *testing.T) {
	const (
		before = "2031-04-30T00:00:00Z"
		first  = "2031-04-30T13:00:00Z" // midnight of the 1st in Sydney
		web    = "2031-05-01T00:00:00Z" // the 1st, as web connections report it
		last   = "2031-05-31T00:00:00Z"
		noon   = "2031-05-31T02:00:00Z"
		after  = "2031-05-31T13:00:00Z" // midnight of 1 June in Sydney
		later  = "2031-06-02T00:00:00Z"
	)
	for _, local := range []bool{false, true} {
		for _, c := range []struct {
			name string
			w    basiq.TransactionWindow
			want []string
		}{
			{"everything", basiq.TransactionWindow{}, []string{later, after, noon, last, web, first, before, "pending " + noon, "pending " + later}},
			{"posted only", basiq.TransactionWindow{PostedOnly: true}, []string{later, after, noon, last, web, first, before}},
			{"May in Sydney", basiq.TransactionWindow{From: "2031-05-01", To: "2031-05-31", Location: sydney}, []string{noon, last, web, first, "pending " + noon}},
			{"May in UTC", basiq.TransactionWindow{From: "2031-05-01", To: "2031-05-31"}, []string{after, noon, last, web, "pending " + noon}},
			{"May in another form", basiq.TransactionWindow{From: "01/05/2031", To: "2031-05-31T23:00:00Z", PostedOnly: true}, []string{after, noon, last, web}},
			{"from", basiq.TransactionWindow{From: "2031-06-01", Location: sydney}, []string{later, after, "pending " + later}},
			{"until", basiq.TransactionWindow{To: "2031-05-01", Location: sydney, AccountID: "a-1"}, []string{web, first, before}},
			{"another account", basiq.TransactionWindow{AccountID: "a-2"}, nil},
		} {
			t.Run(fmt.Sprint(c.name, " ", local), func(t *testing.T) {
				l, client := newLedger(t, 2)
				l.local = local
				for _, date := range []string{before, first, web, last, noon, after, later} {
					l.add("a-1", date, false)
				}
				l.add("a-1", noon, true)
				l.add("a-1", later, true)
				var got []string
				for tx, err := range client.Transactions(t.Context(), "u-1", c.w) {
					if err != nil {
						t.Fatal(err)
					}
					if tx.Status == "pending" {
						got = append(got, "pending "+string(tx.TransactionDate))
					} else {
						got = append(got, string(tx.PostDate))
					}
				}
				slices.Sort(got)
				want := slices.Sorted(slices.Values(c.want))
				if !slices.Equal(got, want) {
					t.Errorf("got %q\nwant %q", got, want)
				}
			})
		}
	}
}

// TestTransactionsStops checks that leaving the loop stops the requests, and
// that an error is yielded once.
func TestTransactionsStops(t *testing.T) {
	l, client := newLedger(t, 1)
	for i := range 5 {
		l.add("a-1", at(i, false), false)
	}
	window := basiq.TransactionWindow{From: value.Date(at(9, false)[:10])}
	for range client.Transactions(t.Context(), "u-1", window) {
		break
	}
	if l.lists != 1 {
		t.Errorf("%d lists", l.lists)
	}
	l.fail = func(list int) bool { return list == 3 }
	var rows, errs int
	for _, err := range client.Transactions(t.Context(), "u-1", window) {
		if err != nil {
			errs++
		} else {
			rows++
		}
	}
	if rows != 1 || errs != 1 || l.lists != 3 {
		t.Errorf("%d rows, %d errors, %d lists", rows, errs, l.lists)
	}
	for _, c := range []struct {
		w    basiq.TransactionWindow
		want string
	}{
		{basiq.TransactionWindow{From: "soon"}, `From is "soon"`}, {basiq.TransactionWindow{To: "31-12-2031"}, `To is "31-12-2031"`},
		{basiq.TransactionWindow{From: "2031-05-02", To: "2031-05-01"}, "is after To"}, {basiq.TransactionWindow{AccountID: "a'b"}, "filter"},
	} {
		l.lists = 0
		for _, err := range client.Transactions(t.Context(), "u-1", c.w) {
			if err == nil || l.lists > 0 {
				t.Fatalf("%+v is accepted", c.w)
			}
			wantText(t, err.Error(), c.want)
		}
	}
}

// TestTransactionDay checks the day to which a transaction belongs.
func TestTransactionDay(t *testing.T) {
	for _, c := range []struct {
		post, made value.DateTime
		loc        *time.Location
		want       value.Date
	}{
		{"2031-05-19T00:00:00Z", "", sydney, "2031-05-19"}, {"2031-05-18T13:00:00Z", "", sydney, "2031-05-19"},
		{"2031-05-18T13:00:00Z", "", nil, "2031-05-18"}, {"2031-05-19", "", sydney, "2031-05-19"},
		{"2031-05-19T00:00:00+11:00", "", nil, "2031-05-18"}, {"", "2031-05-19T01:00:00Z", nil, "2031-05-19"},
		{"no date", "2031-05-19", nil, "2031-05-19"}, {"", "", sydney, ""},
	} {
		if got := basiq.TransactionDay(&data.Transaction{PostDate: c.post, TransactionDate: c.made}, c.loc); got != c.want {
			t.Errorf("%s, %s in %v: %s, want %s", c.post, c.made, c.loc, got, c.want)
		}
	}
}

// TestInvalidSyncOptionsAndCursors checks that invalid options and cursors are
// rejected.
func TestInvalidSyncOptionsAndCursors(t *testing.T) {
	l, client := newLedger(t, 500)
	l.add("a-1", at(1, false), false)
	var good basiq.SyncCursor
	for batch, err := range client.SyncTransactions(t.Context(), "u-1", "", basiq.SyncOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		good = batch.Cursor
	}
	l.lists = 0
	for _, c := range []struct {
		name, user string
		cursor     basiq.SyncCursor
		o          basiq.SyncOptions
		want       string
	}{
		{"a short window", "u-1", "", basiq.SyncOptions{Window: 6}, "SyncOptions.Window is 6 days"},
		{"a negative batch", "u-1", "", basiq.SyncOptions{BatchSize: -1}, "BatchSize is negative"},
		{"an empty account", "u-1", "", basiq.SyncOptions{AccountIDs: []string{""}}, "AccountIDs contains an empty ID"},
		{"an invalid date", "u-1", "", basiq.SyncOptions{From: "soon"}, `From is "soon"`},
		{"another user", "u-2", good, basiq.SyncOptions{}, "belongs to another user"},
		{"truncated", "u-1", good[:len(good)-3], basiq.SyncOptions{}, "changed or truncated"},
		{"changed", "u-1", good[:20] + good[21:22] + good[20:21] + "x" + good[22:], basiq.SyncOptions{}, "changed or truncated"},
		{"another version", "u-1", "basiq-sync-9.x", basiq.SyncOptions{}, "incompatible version"},
		{"something else", "u-1", "{}", basiq.SyncOptions{}, "prefix is not"},
	} {
		n := 0
		for _, err := range client.SyncTransactions(t.Context(), c.user, c.cursor, c.o) {
			if n++; err == nil || l.lists > 0 {
				t.Fatalf("%s: accepted", c.name)
			}
			if c.cursor != "" && !errors.Is(err, basiq.ErrSyncCursor) {
				t.Errorf("%s: %v", c.name, err)
			}
			wantText(t, err.Error(), c.want)
		}
		if n != 1 {
			t.Errorf("%s: %d results", c.name, n)
		}
	}
}

// TestSyncOptions checks which transactions each option selects.
func TestSyncOptions(t *testing.T) {
	for _, c := range []struct {
		name string
		o    basiq.SyncOptions
		want []string
	}{
		{"everything", basiq.SyncOptions{}, []string{"t-00001", "t-00002", "t-00003", "t-00004"}},
		{"an account", basiq.SyncOptions{AccountIDs: []string{"a-2", "a-2"}}, []string{"t-00003"}},
		{"from a day", basiq.SyncOptions{From: value.Date(at(50, false)[:10])}, []string{"t-00002", "t-00003", "t-00004"}},
		{"posted ones", basiq.SyncOptions{PostedOnly: true}, []string{"t-00001", "t-00002", "t-00003"}},
	} {
		l, client := newLedger(t, 500)
		l.add("a-1", at(60, false), false)
		l.add("a-1", at(1, false), false)
		l.add("a-2", at(20, false), false)
		l.add("a-1", at(0, false), true)
		m := newLocalCopy(t)
		for range 2 {
			if err := m.sync(client, c.o, nil); err != nil {
				t.Fatal(err)
			}
		}
		if got := slices.Sorted(maps.Keys(m.rows)); !slices.Equal(got, c.want) || len(m.changes) != 0 {
			t.Errorf("%s: %q, and then %q", c.name, got, m.changes)
		}
	}
}

// FuzzSyncCursor checks that no cursor makes a sync panic.
func FuzzSyncCursor(f *testing.F) {
	b := newFakeAPI(nil)
	b.on("GET /users/u-1/accounts", `{"type":"list","data":[{"type":"account","id":"a-1"}]}`)
	b.on("GET /users/u-1/transactions", `{"type":"list","data":[{"type":"transaction","id":"t-1","account":"a-1","status":"posted","postDate":"2031-05-01"}]}`)
	client, err := basiq.NewClient(basiq.WithAPIKey(apiKey), basiq.WithBaseURL("https://basiq.invalid"), basiq.WithHTTPClient(&http.Client{Transport: handlerTransport{b}}))
	if err != nil {
		f.Fatal(err)
	}
	for batch, err := range client.SyncTransactions(f.Context(), "u-1", "", basiq.SyncOptions{}) {
		if err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(batch.Cursor), false)
	}
	f.Add([]byte(`{"u":"u-1","a":{"a-1":{"k":"2031-04-01","p":{"t-2":"2031-05-01 x"},"q":{"t-1":"y"}}}}`), true)
	f.Add([]byte(`{"u":"u-1","a":{"a-1":{"k":"2031-13-01"}}}`), true)
	f.Add([]byte(`{"u":"u-1","a":{"a-1":null}}`), true)
	f.Fuzz(func(t *testing.T, text []byte, content bool) {
		cursor := basiq.SyncCursor(text)
		if content { // wrap the text as a cursor with a correct checksum
			var packed bytes.Buffer
			z, _ := flate.NewWriter(&packed, 1)
			_, _ = z.Write(text)
			_ = z.Close()
			body := base64.RawURLEncoding.EncodeToString(packed.Bytes())
			cursor = basiq.SyncCursor(fmt.Sprintf("basiq-sync-1.%s.%08x", body, crc32.ChecksumIEEE([]byte(body))))
		}
		for batch, err := range client.SyncTransactions(t.Context(), "u-1", cursor, basiq.SyncOptions{}) {
			if err != nil {
				continue
			}
			for _, err := range client.SyncTransactions(t.Context(), "u-1", batch.Cursor, basiq.SyncOptions{}) {
				if err != nil {
					t.Errorf("a cursor of the sync is rejected: %v", err)
				}
			}
		}
	})
}

// TestTransactionsResume checks that a loop that is left anywhere and resumed
// with its cursor yields every posted transaction of the window, and the
// pending ones.
func TestTransactionsResume(t *testing.T) {
	l, client := newLedger(t, 2)
	for day := 1; day <= 7; day++ {
		l.add("a-1", fmt.Sprintf("2031-05-%02dT00:00:00Z", day), day%3 == 0)
	}
	window := basiq.TransactionWindow{From: "2031-05-01", To: "2031-05-31"}
	all := map[string]bool{}
	for tx, err := range client.Transactions(t.Context(), "u-1", window) {
		if err != nil {
			t.Fatal(err)
		}
		all[tx.ID] = true
	}
	if len(all) != 7 {
		t.Fatalf("%d transactions, want 7", len(all))
	}
	for leave := range 7 {
		var at transport.Cursor
		got := map[string]bool{}
		for round := range 2 {
			n := 0
			for tx, err := range client.Transactions(t.Context(), "u-1", window, transport.WithCursor(&at)) {
				if err != nil {
					t.Fatal(err)
				}
				if n++; round == 0 && n > leave {
					break
				}
				got[tx.ID] = true
			}
		}
		if !maps.Equal(got, all) {
			t.Errorf("left after %d: %v, want %v", leave, got, all)
		}
	}
	// The cursor is not valid for another window.
	at := transport.Cursor("")
	for range client.Transactions(t.Context(), "u-1", window, transport.WithCursor(&at)) {
		break
	}
	for _, err := range client.Transactions(t.Context(), "u-1", basiq.TransactionWindow{From: "2031-05-02"}, transport.WithCursor(&at)) {
		if err == nil || !strings.Contains(err.Error(), "the cursor belongs to another list") {
			t.Errorf("another window: %v", err)
		}
	}
}

// TestSyncWithUnknownKeyRemovesNothing checks that 404 responses of the token
// endpoint do not count as missing transactions.
func TestSyncWithUnknownKeyRemovesNothing(t *testing.T) {
	l, client := newLedger(t, 10)
	for day := 1; day <= 5; day++ {
		l.add("a-1", fmt.Sprintf("2031-05-%02dT00:00:00Z", day), false)
	}
	m := newLocalCopy(t)
	if err := m.sync(client, basiq.SyncOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	l.hide["t-00003"] = true // missing from the list, so the sync requests it
	l.unknownKey = true
	err := m.sync(client, basiq.SyncOptions{}, nil)
	if errors.Is(err, transport.ErrNotFound) || !errors.Is(err, transport.ErrUnauthorized) || len(m.changes) > 0 {
		t.Errorf("the error is %v, after %q", err, m.changes)
	}
}

// TestSyncRemovesOnlyWhatIsGone checks that, if some of the transactions
// missing from a list still exist, only those that were found to be gone are
// removed.
func TestSyncRemovesOnlyWhatIsGone(t *testing.T) {
	l, client := newLedger(t, 20)
	for day := 1; day <= 12; day++ {
		l.add("a-1", fmt.Sprintf("2031-05-%02dT00:00:00Z", day), false)
	}
	m := newLocalCopy(t)
	if err := m.sync(client, basiq.SyncOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	for i := 1; i <= 10; i++ {
		id := fmt.Sprintf("t-%05d", i)
		if i <= 5 {
			l.remove(id)
		} else {
			l.hide[id] = true
		}
	}
	if err := m.sync(client, basiq.SyncOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	for i := 6; i <= 10; i++ {
		if id := fmt.Sprintf("t-%05d", i); m.rows[id] == "" {
			t.Errorf("%s exists, but was removed", id)
		}
	}
}

// TestSyncInvalidDates checks that dates that cannot be expressed as a day do
// not produce an invalid cursor.
func TestSyncInvalidDates(t *testing.T) {
	for _, odd := range []string{
		"0000-01-01T00:00:00Z", "0000-01-01T00:00:00+11:00", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+11:00", "0001-01-05T00:00:00Z",
		"9999-12-31T23:59:59Z", "9999-12-31T23:00:00-05:00",
	} {
		for _, page := range []int{500, 1} {
			l, client := newLedger(t, page)
			m := newLocalCopy(t)
			l.add("a-1", odd, false)
			for n := range 4 {
				if err := m.sync(client, basiq.SyncOptions{}, nil); err != nil {
					t.Fatalf("%s: run %d: %v", odd, n, err)
				}
				m.same(l)
				l.add("a-1", at(3-n, n%2 == 0), false)
			}
			if l.lists > 300 {
				t.Errorf("%s: %d lists", odd, l.lists)
			}
		}
		for _, loc := range []*time.Location{nil, sydney, time.FixedZone("west", -11*60*60)} {
			day := basiq.TransactionDay(&data.Transaction{PostDate: value.DateTime(odd)}, loc)
			if _, err := day.Time(); day != "" && err != nil || len(day) != 0 && len(day) != 10 {
				t.Errorf("%s in %v is %q: %v", odd, loc, day, err)
			}
		}
	}
}

// TestTransactionsDeduplicated checks that a transaction on two pages is
// yielded once.
func TestTransactionsDeduplicated(t *testing.T) {
	l, client := newLedger(t, 2)
	l.offset = true
	for day := range 7 {
		l.add("a-1", at(10+day, false), false)
	}
	n := 0
	l.seen = func(string, string) {
		if n++; n == 1 || n == 2 { // moves the others towards the next page
			l.insert("a-1", at(0, false), false)
		}
	}
	given := map[string]int{}
	for tx, err := range client.Transactions(t.Context(), "u-1", basiq.TransactionWindow{PostedOnly: true}) {
		if err != nil {
			t.Fatal(err)
		}
		given[tx.ID]++
	}
	for i := range 7 {
		if id := fmt.Sprintf("t-%05d", i+1); given[id] != 1 {
			t.Errorf("%s was yielded %d times", id, given[id])
		}
	}
}
