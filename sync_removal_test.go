package basiq_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/transport"
)

// syncRow returns a transaction of account a-1 as JSON.
func syncRow(id, status string) string {
	return fmt.Sprintf(`{"type":"transaction","id":%q,"status":%q,"amount":"-1.00","account":"a-1","postDate":"2031-05-01T00:00:00Z"}`, id, status)
}

// syncOnce runs a sync and returns its changes, as "kind ID", and its error.
func syncOnce(t *testing.T, c *basiq.Client, cursor *basiq.SyncCursor, o basiq.SyncOptions) (changes []string, err error) {
	t.Helper()
	for batch, err := range c.SyncTransactions(t.Context(), "u-1", *cursor, o) {
		if err != nil {
			return changes, err
		}
		*cursor = batch.Cursor
		for _, change := range batch.Changes {
			changes = append(changes, fmt.Sprint(change.Kind, " ", change.ID))
		}
	}
	return changes, nil
}

// TestSyncKeepsRowsWhenTheTokenEndpointIsGone checks that a 404 or 410 of POST /token
// does not count as the response for the transaction that the sync requested.
func TestSyncKeepsRowsWhenTheTokenEndpointIsGone(t *testing.T) {
	for _, status := range []int{http.StatusNotFound, http.StatusGone} {
		second, expired := false, false
		b := &fakeAPI{t: t, mux: http.NewServeMux()}
		b.mux.HandleFunc("POST /token", func(w http.ResponseWriter, _ *http.Request) {
			if expired {
				w.WriteHeader(status)
				return
			}
			_, _ = io.WriteString(w, `{"access_token":"`+tokenText+`","token_type":"Bearer","expires_in":3600}`)
		})
		b.mux.HandleFunc("GET /users/u-1/transactions", func(w http.ResponseWriter, _ *http.Request) {
			rows := syncRow("t-1", "posted")
			if second {
				rows = ""
			}
			_, _ = io.WriteString(w, `{"type":"list","data":[`+rows+`],"links":{}}`)
		})
		b.mux.HandleFunc("GET /users/u-1/transactions/t-1", func(w http.ResponseWriter, _ *http.Request) {
			expired = true
			respond(w, "401 invalid-authorization-token")
		})
		client, o, cursor := b.inMemory(), basiq.SyncOptions{AccountIDs: []string{"a-1"}, PostedOnly: true}, basiq.SyncCursor("")
		if changes, err := syncOnce(t, client, &cursor, o); err != nil || len(changes) != 1 {
			t.Fatalf("%d: %q, %v", status, changes, err)
		}
		second = true
		if changes, err := syncOnce(t, client, &cursor, o); err == nil || len(changes) != 0 || !expired {
			t.Errorf("%d: %q, %v", status, changes, err)
		}
	}
}

// TestTokenResponsesDoNotConcernTheResource checks that no status of POST /token makes a
// call look as if the API had responded to its resource or its parameters.
func TestTokenResponsesDoNotConcernTheResource(t *testing.T) {
	for _, response := range []string{"400", "404", "409", "410", "400 resource-already-exists"} {
		b := &fakeAPI{t: t, mux: http.NewServeMux()}
		b.on("POST /token", response)
		client := b.inMemory()
		_, created := client.Core.Users.Create(t.Context(), core.CreateUserParams{Email: "a@b.invalid"})
		_, got := client.Core.Users.Get(t.Context(), "u-1")
		for _, err := range []error{created, got} {
			for _, kind := range []error{transport.ErrNotFound, transport.ErrGone, transport.ErrConflict, transport.ErrInvalidParameter, transport.ErrOutcomeUnknown} {
				if err == nil || errors.Is(err, kind) {
					t.Errorf("%s: a call that was never sent matches %v: %v", response, kind, err)
				}
			}
		}
	}
}

// notPages are bodies with status 200 that are not pages of a list.
var notPages = []string{
	`{}`, `{"message":"maintenance"}`, `{"type":"list"}`, `{"type":"list","transactions":[{"id":"t-2"}]}`, `[]`,
	`{"type":"error","data":[{"type":"error","code":"internal-server-error","title":"x"}]}`,
	`{"type":"error","data":[]}`,
	`{"type":"list","correlationId":"c-1","data":[{"type":"error","code":"internal-server-error"}]}`,
}

// TestListsFailOnResponsesThatAreNotPages checks that a list whose next response is not a
// page fails there, and that its cursor is not Done.
func TestListsFailOnResponsesThatAreNotPages(t *testing.T) {
	for _, body := range notPages {
		b := newFakeAPI(t)
		b.mux.HandleFunc("GET /users/u-1/transactions", func(w http.ResponseWriter, r *http.Request) {
			if r.FormValue("next") == "" {
				_, _ = io.WriteString(w, `{"type":"list","data":[`+syncRow("t-1", "posted")+`],"links":{"next":"/users/u-1/transactions?next=2"}}`)
				return
			}
			_, _ = io.WriteString(w, body)
		})
		var at transport.Cursor
		var last error
		n := 0
		for tx, err := range b.inMemory().Data.Transactions.All(t.Context(), "u-1", data.ListTransactionsParams{}, transport.WithCursor(&at)) {
			if last = err; err == nil {
				n++
				if tx.ID != "t-1" {
					t.Errorf("%s: the transaction %q", body, tx.ID)
				}
			}
		}
		if n != 1 || !errors.As(last, new(*transport.DecodeError)) || at.Done() {
			t.Errorf("%s: %d transactions, %v, done: %t", body, n, last, at.Done())
		}
	}
}

// TestSyncRemovesNothingWithoutAList checks that a response without a list removes no
// transaction, even if it is decoded as an empty list. An empty list does.
func TestSyncRemovesNothingWithoutAList(t *testing.T) {
	for _, body := range append(notPages, `{"type":"list","data":{}}`, `{"type":"list","data":null}`, `{"type":"list","data":""}`, `{"type":"list","data":false}`,
		`{"type":"list","Data":[]}`, `{"type":"list","data":[]}`) {
		second := false
		b := newFakeAPI(t)
		b.mux.HandleFunc("GET /users/u-1/transactions", func(w http.ResponseWriter, r *http.Request) {
			switch pending := strings.Contains(r.FormValue("filter"), "pending"); {
			case second && pending:
				_, _ = io.WriteString(w, body)
			case pending:
				_, _ = io.WriteString(w, `{"type":"list","data":[`+syncRow("p-1", "pending")+`],"links":{}}`)
			default:
				_, _ = io.WriteString(w, `{"type":"list","data":[],"links":{}}`)
			}
		})
		client, o, cursor := b.inMemory(), basiq.SyncOptions{AccountIDs: []string{"a-1"}}, basiq.SyncCursor("")
		if changes, err := syncOnce(t, client, &cursor, o); err != nil || len(changes) != 1 {
			t.Fatalf("%q, %v", changes, err)
		}
		second = true
		changes, err := syncOnce(t, client, &cursor, o)
		if empty := strings.HasSuffix(body, `"data":[]}`) && !strings.Contains(body, "error"); empty != (err == nil) || empty != (len(changes) == 1) {
			t.Errorf("%s: %q, %v", body, changes, err)
		}
	}
	for _, body := range []string{`{}`, `{"type":"list","data":null}`} { // the same for posted transactions
		b := newFakeAPI(t)
		first := true
		b.mux.HandleFunc("GET /users/u-1/transactions", func(w http.ResponseWriter, _ *http.Request) {
			if first {
				body, first = `{"type":"list","data":[`+syncRow("t-1", "posted")+`]}`, false
			}
			_, _ = io.WriteString(w, body)
		})
		client, o, cursor, second := b.inMemory(), basiq.SyncOptions{AccountIDs: []string{"a-1"}, PostedOnly: true}, basiq.SyncCursor(""), body
		if _, err := syncOnce(t, client, &cursor, o); err != nil {
			t.Fatal(err)
		}
		body = second
		if changes, err := syncOnce(t, client, &cursor, o); err == nil || len(changes) != 0 {
			t.Errorf("%s: %q, %v", second, changes, err)
		}
	}
}

// TestSyncFailsOnUnreadableAccounts checks that accounts that cannot be decoded are an
// error.
func TestSyncFailsOnUnreadableAccounts(t *testing.T) {
	const next = `"/users/u-1/accounts?next=2"`
	for _, body := range append(notPages,
		`{"type":"list","data":["a-1","a-2"]}`,
		`{"type":"list","data":[{"type":"account","id":"a-1"},{"type":"account"}]}`,
		`{"type":"list","data":[{"type":"account","id":"a-1"}],"links":[{"next":`+next+`}]}`,
		`{"type":"list","data":[{"type":"account","id":"a-1"}],"links":`+next+`}`,
		`{"type":"list","data":[{"type":"account","id":"a-1"}],"Links":{"next":`+next+`}}`,
		`{"type":"list","data":[{"type":"account","id":"a-1"}],"next":`+next+`}`,
		`{"type":"list","data":{"0":{"type":"account","id":"a-1"}}}`,
	) {
		b := newFakeAPI(t)
		b.on("GET /users/u-1/accounts", body)
		b.on("GET /users/u-1/transactions", `{"type":"list","data":[`+syncRow("t-1", "posted")+`],"links":{}}`)
		var cursor basiq.SyncCursor
		if _, err := syncOnce(t, b.inMemory(), &cursor, basiq.SyncOptions{}); err == nil {
			t.Errorf("%s: no error", body)
		}
	}
}

// TestSyncDoesNotDropTransactions checks that a transaction without ID is an error, and
// that the case of account IDs does not matter.
func TestSyncDoesNotDropTransactions(t *testing.T) {
	b := newFakeAPI(t)
	b.mux.HandleFunc("GET /users/u-1/transactions", func(w http.ResponseWriter, r *http.Request) {
		row := syncRow("t-1", "posted")
		if strings.Contains(r.FormValue("filter"), "pending") {
			row = syncRow("p-1", "pending")
		}
		_, _ = io.WriteString(w, `{"type":"list","data":[`+row+`],"links":{}}`)
	})
	var cursor basiq.SyncCursor
	for i, want := range []int{2, 0, 0} {
		ids := [][]string{{"A-1"}, {"a-1", "A-1"}, {"a-1"}}[i]
		if changes, err := syncOnce(t, b.inMemory(), &cursor, basiq.SyncOptions{AccountIDs: ids}); err != nil || len(changes) != want {
			t.Errorf("%q: %q, %v", ids, changes, err)
		}
	}
	for _, status := range []string{"posted", "pending"} {
		b := newFakeAPI(t)
		b.on("GET /users/u-1/transactions", `{"type":"list","data":[`+syncRow("", status)+`],"links":{}}`)
		var cursor basiq.SyncCursor
		if changes, err := syncOnce(t, b.inMemory(), &cursor, basiq.SyncOptions{AccountIDs: []string{"a-1"}}); err == nil {
			t.Errorf("%s: %q, no error", status, changes)
		}
	}
}

// TestSyncReadsEqualDatesInAnyOrder checks that transactions of the same day that come in
// a different order in each response are all synced, and none is removed.
func TestSyncReadsEqualDatesInAnyOrder(t *testing.T) {
	for _, n := range []int{600, 3000} {
		random := rand.New(rand.NewPCG(1, uint64(n)))
		b := newFakeAPI(t)
		b.mux.HandleFunc("GET /users/u-1/transactions", func(w http.ResponseWriter, r *http.Request) {
			offset, _ := strconv.Atoi(r.FormValue("offset"))
			var rows []string
			for _, i := range random.Perm(n)[offset:min(n, offset+500)] {
				rows = append(rows, syncRow(fmt.Sprintf("t-%d", i), "posted"))
			}
			links := "{}"
			if offset+500 < n {
				q := r.URL.Query()
				q.Set("offset", strconv.Itoa(offset+500))
				links = fmt.Sprintf(`{"next":"/users/u-1/transactions?%s"}`, q.Encode())
			}
			fmt.Fprintf(w, `{"type":"list","data":[%s],"links":%s}`, strings.Join(rows, ","), links)
		})
		client, o, cursor := b.inMemory(), basiq.SyncOptions{AccountIDs: []string{"a-1"}, From: "2031-04-25", PostedOnly: true}, basiq.SyncCursor("")
		for i, want := range []int{n, 0} {
			if changes, err := syncOnce(t, client, &cursor, o); err != nil || len(changes) != want {
				t.Errorf("%d rows, sync %d: %d changes, %v", n, i, len(changes), err)
			}
		}
	}
}

// TestStartRefreshesNeedsAListOfJobs checks that a response without a list of jobs is an
// error.
func TestStartRefreshesNeedsAListOfJobs(t *testing.T) {
	for body, ok := range map[string]bool{`{}`: false, `{"type":"list","jobs":[{"id":"j-1"}]}`: false, `{"type":"error","data":[]}`: false, `{"type":"list","data":[]}`: true} {
		b := newFakeAPI(t)
		b.mux.HandleFunc("POST /users/u-1/connections/refresh", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusAccepted)
			_, _ = io.WriteString(w, body)
		})
		if jobs, err := b.inMemory().StartRefreshes(t.Context(), "u-1"); (err == nil) != ok || len(jobs) != 0 {
			t.Errorf("%s: %d jobs, %v", body, len(jobs), err)
		}
	}
}
