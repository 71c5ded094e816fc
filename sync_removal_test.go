package basiq_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/transport"
)

// syncRow is a transaction of account a-1.
func syncRow(id, status string) string {
	return fmt.Sprintf(`{"type":"transaction","id":%q,"status":%q,"amount":"-1.00","account":"a-1","postDate":"2031-05-01T00:00:00Z"}`, id, status)
}

// syncOnce runs a sync, and returns its changes, as "kind ID", and its error.
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

// TestSyncKeepsRowsWhenTheTokenEndpointIsGone: POST /token with 404 or 410 says
// nothing of the transaction that the sync asked for.
func TestSyncKeepsRowsWhenTheTokenEndpointIsGone(t *testing.T) {
	for _, status := range []int{http.StatusNotFound, http.StatusGone} {
		second, expired := false, false
		b := &bench{t: t, mux: http.NewServeMux()}
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
			answer(w, "401 invalid-authorization-token")
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

// TestTokenResponsesAreNotOfTheCallsRecord: no status of POST /token makes a call
// look as if the API had answered for its record or its parameters.
func TestTokenResponsesAreNotOfTheCallsRecord(t *testing.T) {
	for _, response := range []string{"400", "404", "409", "410", "400 resource-already-exists"} {
		b := &bench{t: t, mux: http.NewServeMux()}
		b.on("POST /token", response)
		client := b.inMemory()
		_, created := client.Core.Users.Create(t.Context(), core.CreateUserParams{Email: "a@b.invalid"})
		_, got := client.Core.Users.Get(t.Context(), "u-1")
		for _, err := range []error{created, got} {
			for _, kind := range []error{transport.ErrNotFound, transport.ErrGone, transport.ErrConflict, transport.ErrInvalidParameter, transport.ErrOutcomeUnknown} {
				if err == nil || errors.Is(err, kind) {
					t.Errorf("%s: a call that was never sent is %v: %v", response, kind, err)
				}
			}
		}
	}
}
