package basiq_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/transport"
)

// run is the outcome of a sync: numbers of changes, and "account reason" for each
// account that has ended.
type run struct {
	inserted, removed int
	ended             []string
	consents          int // accounts that ended with the consent that ended it
}

// syncAll runs a sync to its end, and stores the cursor.
func syncAll(t *testing.T, c *basiq.Client, userID string, cursor *basiq.SyncCursor, o basiq.SyncOptions) (out run, err error) {
	t.Helper()
	for batch, err := range c.SyncTransactions(t.Context(), userID, *cursor, o) {
		if err != nil {
			return out, err
		}
		*cursor = batch.Cursor
		for _, change := range batch.Changes {
			switch change.Kind {
			case basiq.TransactionInserted:
				out.inserted++
			case basiq.TransactionRemoved:
				out.removed++
			}
		}
		for _, e := range batch.Ended {
			out.ended = append(out.ended, e.AccountID+" "+string(e.Reason))
			if e.Consent != nil {
				out.consents++
			}
		}
	}
	return out, nil
}

// TestSyncReportsTheEndOfAConsent checks that a sync after the end of a consent
// reports every account once, with the reason, and removes no transaction; and that
// everything is new if the user consents again.
func TestSyncReportsTheEndOfAConsent(t *testing.T) {
	for _, explicit := range []bool{false, true} {
		for want, end := range map[basiq.EndReason]func(*basiqtest.Server, string) error{
			basiq.EndConsentRevoked: func(srv *basiqtest.Server, user string) error { return srv.RevokeConsent(user) },
			basiq.EndConsentExpired: func(srv *basiqtest.Server, _ string) error { srv.Advance(366 * 24 * time.Hour); return nil },
		} {
			t.Run(fmt.Sprintf("%s, explicit IDs: %t", want, explicit), func(t *testing.T) {
				srv := basiqtest.NewServer(t, basiqtest.WithTransactions(20), basiqtest.WithNow(time.Date(2031, 5, 6, 0, 0, 0, 0, time.UTC)))
				client := srv.Client(t)
				user, err := srv.AddUser("max@example.com")
				if err != nil {
					t.Fatal(err)
				}
				if _, err := srv.AddConnection(user, basiqtest.Jared); err != nil {
					t.Fatal(err)
				}
				accounts, err := client.Data.Accounts.List(t.Context(), user, data.ListAccountsParams{})
				if err != nil || len(accounts.Data) == 0 {
					t.Fatal(accounts, err)
				}
				var ids []string
				for _, a := range accounts.Data {
					ids = append(ids, a.ID)
				}
				var o basiq.SyncOptions
				if explicit {
					o.AccountIDs = ids
				}
				var cursor basiq.SyncCursor
				first, err := syncAll(t, client, user, &cursor, o)
				if err != nil || first.inserted == 0 || first.ended != nil {
					t.Fatalf("%+v, %v", first, err)
				}
				if err := end(srv, user); err != nil {
					t.Fatal(err)
				}
				unstored := cursor
				for range 2 { // a batch that was not stored is returned again
					unstored = cursor
					second, err := syncAll(t, client, user, &unstored, o)
					slices.Sort(second.ended)
					var expect []string
					for _, id := range slices.Sorted(slices.Values(ids)) {
						expect = append(expect, id+" "+string(want))
					}
					if err != nil || !slices.Equal(second.ended, expect) || second.inserted+second.removed != 0 || second.consents != len(ids) || !want.OfConsent() {
						t.Fatalf("%+v, %v, want %q", second, err, expect)
					}
				}
				cursor = unstored
				if third, err := syncAll(t, client, user, &cursor, basiq.SyncOptions{}); err != nil || third.ended != nil {
					t.Errorf("reported twice: %+v, %v", third, err)
				}
				if _, err := srv.AddConnection(user, basiqtest.Jared); err != nil {
					t.Fatal(err)
				}
				if again, err := syncAll(t, client, user, &cursor, basiq.SyncOptions{}); err != nil || again.inserted == 0 || again.ended != nil {
					t.Errorf("after a new consent: %+v, %v", again, err)
				}
			})
		}
	}
}

// TestSyncReportsAccountsOfDeletedConnections checks that the accounts of a deleted
// connection, whose data Basiq keeps, end with the consent and not before.
func TestSyncReportsAccountsOfDeletedConnections(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithTransactions(20))
	client := srv.Client(t)
	user, err := srv.AddUser("max@example.com")
	if err != nil {
		t.Fatal(err)
	}
	deleted, err := srv.AddConnection(user, basiqtest.Gilfoyle)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := srv.AddConnection(user, basiqtest.Jared); err != nil {
		t.Fatal(err)
	}
	accounts, err := client.Data.Accounts.List(t.Context(), user, data.ListAccountsParams{})
	if err != nil {
		t.Fatal(err)
	}
	var cursor basiq.SyncCursor
	if _, err := syncAll(t, client, user, &cursor, basiq.SyncOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := client.Data.Connections.Delete(t.Context(), user, deleted); err != nil {
		t.Fatal(err)
	}
	if got, err := syncAll(t, client, user, &cursor, basiq.SyncOptions{}); err != nil || got.ended != nil || got.removed != 0 {
		t.Errorf("after the connection was deleted: %+v, %v", got, err)
	}
	if err := srv.RevokeConsent(user); err != nil {
		t.Fatal(err)
	}
	if got, err := syncAll(t, client, user, &cursor, basiq.SyncOptions{}); err != nil || len(got.ended) != len(accounts.Data) || got.removed != 0 {
		t.Errorf("after the consent was revoked: %+v, %v, want %d accounts", got, err, len(accounts.Data))
	}
}

// accountsAPI is a fake API with one transaction for each account.
type accountsAPI struct {
	*fakeAPI
	accounts map[string]string // status by ID
	one      string            // response for an account that is not listed
	consents string            // response for the consents
	refuse   string            // response for the list of accounts, if not ""
}

func newAccountsAPI(t *testing.T) *accountsAPI {
	b := &accountsAPI{fakeAPI: newFakeAPI(t), accounts: map[string]string{"a-1": "available", "a-2": "available"}, one: "404 resource-not-found", consents: `{"type":"list","size":0,"data":[]}`}
	b.mux.HandleFunc("GET /users/u-1/accounts", func(w http.ResponseWriter, _ *http.Request) {
		if b.refuse != "" {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, b.refuse)
			return
		}
		var rows []string
		for id, status := range b.accounts {
			rows = append(rows, fmt.Sprintf(`{"type":"account","id":%q,"status":%q}`, id, status))
		}
		_, _ = io.WriteString(w, `{"type":"list","data":[`+strings.Join(rows, ",")+`]}`)
	})
	b.mux.HandleFunc("GET /users/u-1/accounts/{id}", func(w http.ResponseWriter, r *http.Request) {
		if b.accounts[r.PathValue("id")] != "" {
			fmt.Fprintf(w, `{"type":"account","id":%q}`, r.PathValue("id"))
			return
		}
		if b.one == "400 no active consent" {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, noConsent)
			return
		}
		respond(w, b.one)
	})
	b.mux.HandleFunc("GET /users/u-1/consents", func(w http.ResponseWriter, _ *http.Request) { respond(w, b.consents) })
	b.mux.HandleFunc("GET /users/u-1/transactions", func(w http.ResponseWriter, r *http.Request) {
		for id := range b.accounts {
			if strings.Contains(r.FormValue("filter"), "'"+id+"'") && !strings.Contains(r.FormValue("filter"), "pending") {
				fmt.Fprintf(w, `{"type":"list","data":[{"id":"t-%s","status":"posted","postDate":"2031-05-01","account":%q}]}`, id, id)
				return
			}
		}
		_, _ = io.WriteString(w, `{"type":"list","data":[]}`)
	})
	return b
}

func (b *accountsAPI) sync(cursor *basiq.SyncCursor) (run, error) {
	b.t.Helper()
	return syncAll(b.t, b.inMemory(transport.WithoutRetry()), "u-1", cursor, basiq.SyncOptions{})
}

// TestSyncReportsAClosedAccount checks when an account that is not listed any more
// counts as ended, and what happens if that is unknown.
func TestSyncReportsAClosedAccount(t *testing.T) {
	const active, revoked = `{"type":"list","data":[{"id":"c-1","status":"revoked","updated":"2031-01-01T00:00:00Z"},{"id":"c-2","status":"active"}]}`,
		`{"type":"list","data":[{"id":"c-1","status":"expired","updated":"2031-01-01T00:00:00Z"},{"id":"c-2","status":"revoked","updated":"2031-05-01T00:00:00Z"}]}`
	for _, c := range []struct {
		what, one, consents string
		want                []string
		fails               bool
	}{
		{"the consent is active", "404 resource-not-found", active, []string{"a-2 account-gone"}, false},
		{"410", "410 resource-not-found", active, []string{"a-2 account-gone"}, false},
		{"the API returns no consents", "404 resource-not-found", `{"type":"list","size":0,"data":[]}`, []string{"a-2 account-gone"}, false},
		{"the newest consent was revoked", "404 resource-not-found", revoked, []string{"a-1 consent-revoked", "a-2 consent-revoked"}, false},
		{"a consent has an unknown status", "404 resource-not-found", strings.ReplaceAll(revoked, "expired", "paused"), []string{"a-2 account-gone"}, false},
		{"a gateway knows no such path", "404", active, nil, false},
		{"the refusal contradicts the consents", "400 no active consent", active, nil, false},
		{"the consents confirm the refusal", "400 no active consent", revoked, []string{"a-1 consent-revoked", "a-2 consent-revoked"}, false},
		{"the account exists after all", `{"type":"account","id":"a-2"}`, revoked, nil, false},
		{"the account cannot be read", "500", active, nil, true},
		{"the consents cannot be read", "404 resource-not-found", "500", nil, true},
	} {
		b := newAccountsAPI(t)
		var cursor basiq.SyncCursor
		if first, err := b.sync(&cursor); err != nil || first.inserted != 2 {
			t.Fatalf("%+v, %v", first, err)
		}
		before := cursor
		delete(b.accounts, "a-2")
		b.one, b.consents = c.one, c.consents
		got, err := b.sync(&cursor)
		slices.Sort(got.ended)
		if (err != nil) != c.fails || !slices.Equal(got.ended, c.want) || got.removed != 0 {
			t.Errorf("%s: %+v, %v", c.what, got, err)
		}
		if !c.fails {
			continue
		}
		var api *transport.Error
		if !errors.As(err, &api) || api.Status != 500 || cursor == "" {
			t.Errorf("%s: %v", c.what, err)
		}
		b.one, b.consents = "404 resource-not-found", active
		if got, err := b.sync(&cursor); err != nil || !slices.Equal(got.ended, []string{"a-2 account-gone"}) {
			t.Errorf("%s, afterwards: %+v, %v; the cursor was %s", c.what, got, err, before)
		}
	}
}

// TestSyncReportsAnUnavailableAccount checks that an account that the institution no
// longer returns is reported once, keeps its transactions, and can come back.
func TestSyncReportsAnUnavailableAccount(t *testing.T) {
	b := newAccountsAPI(t)
	var cursor basiq.SyncCursor
	for i, c := range []struct {
		status string
		want   []string
	}{{"available", nil}, {"unavailable", []string{"a-2 account-unavailable"}}, {"unavailable", nil}, {"available", nil}, {"unavailable", []string{"a-2 account-unavailable"}}} {
		b.accounts["a-2"] = c.status
		got, err := b.sync(&cursor)
		if err != nil || !slices.Equal(got.ended, c.want) || i > 0 && got.inserted+got.removed != 0 {
			t.Errorf("run %d, %s: %+v, %v", i, c.status, got, err)
		}
	}
	if n := len(b.calls("GET /users/u-1/consents")); n != 0 {
		t.Errorf("the consents were requested %d times", n)
	}
}

// noConsent is a refusal because the user has no active consent.
const noConsent = `{"type":"list","correlationId":"c-1","data":[{"type":"error","code":"parameter-not-valid","detail":"The user has no active consent."}]}`

// TestSyncAfterARefusalWithoutConsent checks a list of accounts that the API refuses
// because there is no active consent: it is an error unless the consents confirm it.
func TestSyncAfterARefusalWithoutConsent(t *testing.T) {
	for consents, want := range map[string][]string{
		`{"type":"list","data":[{"id":"c-1","status":"expired"}]}`: {"a-1 consent-expired", "a-2 consent-expired"},
		"400": nil,
		`{"type":"list","data":[{"id":"c-1","status":"active"}]}`: nil,
	} {
		b := newAccountsAPI(t)
		var cursor basiq.SyncCursor
		if _, err := b.sync(&cursor); err != nil {
			t.Fatal(err)
		}
		b.refuse, b.consents = noConsent, consents
		got, err := b.sync(&cursor)
		if !slices.Equal(got.ended, want) || (err == nil) != (want != nil) || got.removed != 0 {
			t.Errorf("%s: %+v, %v", consents, got, err)
		}
		if consents != "400" && err != nil && !errors.Is(err, transport.ErrNoActiveConsent) {
			t.Errorf("%s: %v", consents, err)
		}
	}
	b := newAccountsAPI(t)
	var cursor basiq.SyncCursor
	if _, err := b.sync(&cursor); err != nil {
		t.Fatal(err)
	}
	b.fakeAPI.mux = http.NewServeMux()
	b.on("POST /token", `{"access_token":"`+tokenText+`","token_type":"Bearer","expires_in":3600}`)
	b.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, noConsent)
	})
	if got, err := b.sync(&cursor); err != nil || len(got.ended) != 2 || !strings.HasSuffix(got.ended[0], " "+string(basiq.EndConsent)) || got.consents != 0 {
		t.Errorf("everything is refused: %+v, %v", got, err)
	}
	if got, err := b.sync(&cursor); !errors.Is(err, transport.ErrNoActiveConsent) || got.ended != nil {
		t.Errorf("the next sync has nothing to report: %+v, %v", got, err)
	}
}
