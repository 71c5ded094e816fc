//lint:file-ignore SA1019 deprecated parts are tested, too

package basiq_test

import (
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net/http"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/generated/affordability"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/generated/reporting"
	"github.com/basiq-sdk/basiq-go/generated/webhooks"
	"github.com/basiq-sdk/basiq-go/transport"
	"github.com/basiq-sdk/basiq-go/transport/value"
)

// read returns the IDs of a user's transactions if the API returns body as the
// first page.
func read(t *testing.T, body string) (ids []string, err error) {
	b := newFakeAPI(t)
	b.mux.HandleFunc("GET /users/u-1/transactions", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("next") != "" {
			body = `{"type":"list","data":[{"id":"t-2"}]}`
		}
		_, _ = io.WriteString(w, body)
	})
	for tx, err := range b.inMemory().Data.Transactions.All(t.Context(), "u-1", data.ListTransactionsParams{}) {
		if err != nil {
			return ids, err
		}
		ids = append(ids, tx.ID)
	}
	return ids, nil
}

// TestInvalidNextLinkIsAnError checks that a link to the next page in an
// unknown form is an error after the items of the page, not the end of the
// list.
func TestInvalidNextLinkIsAnError(t *testing.T) {
	const next = `"/users/u-1/transactions?next=2"`
	for _, c := range []struct {
		links string // and other members of the page
		want  string // what All yields: an "error", the "end", or "both" pages
	}{
		{`"links":{"next":` + next + `}`, "both"},
		{`"links":{"next":{"href":` + next + `}}`, "error"},
		{`"links":{"next":[` + next + `]}`, "error"},
		{`"links":{"next":{}}`, "error"},
		{`"links":{"Next":` + next + `}`, "error"},
		{`"links":{"NEXT":{"href":` + next + `}}`, "error"},
		{`"links":{"next":7}`, "error"},
		{`"links":{"next":true}`, "error"},
		{`"Links":{"next":` + next + `}`, "error"},
		{`"Links":{"Next":` + next + `}`, "error"},
		{`"links":[{"rel":"next","href":` + next + `}]`, "error"},
		{`"links":` + next, "error"},
		{`"next":` + next, "error"},
		{`"links":{"next":null}`, "end"},
		{`"links":{"next":""}`, "end"},
		{`"links":{"next":false}`, "error"},
		{`"links":{"Next":null,"self":"/users/u-1/transactions"}`, "end"},
		{`"Links":{"self":"/users/u-1/transactions"}`, "end"},
		{`"links":[]`, "end"},
		{`"links":{}`, "end"},
		{`"links":null`, "end"},
		{`"count":1`, "end"},
	} {
		ids, err := read(t, `{"type":"list","data":[{"id":"t-1"}],`+c.links+`}`)
		got := "end"
		switch {
		case errors.Is(err, transport.ErrPageLink):
			got = "error"
		case err != nil:
			t.Errorf("%s: %v", c.links, err)
		case len(ids) == 2:
			got = "both"
		}
		if got != c.want || len(ids) == 0 || ids[0] != "t-1" {
			t.Errorf("%s: %s, want %s (%v, %v)", c.links, got, c.want, ids, err)
		}
	}
}

// TestInvalidItemsAreErrors checks that anything else in place of a list or an
// item does not become a transaction without ID and amount.
func TestInvalidItemsAreErrors(t *testing.T) {
	for _, c := range []struct {
		data string
		want string // IDs, or "error"
	}{
		{`"data":[]`, ""},
		{`"data":{}`, ""},
		{`"data":{ }`, ""},
		{`"data":null`, ""},
		{`"data":""`, ""},
		{`"data":false`, ""},
		{`"data":[null]`, ""},
		{`"data":[null,{"id":"t-1"},null]`, "t-1"},
		{`"data":{"id":"t-1"}`, "t-1"},
		{`"data":["t-1"]`, "error"},
		{`"data":[{"id":"t-1"},5]`, "error"},
		{`"data":[[]]`, "error"},
		{`"data":"t-1"`, "error"},
		{`"data":5`, "error"},
		{`"Data":[{"id":"t-1"}]`, "error"},
		{`"Data":[]`, ""},
	} {
		ids, err := read(t, `{"type":"list",`+c.data+`}`)
		got := strings.Join(ids, " ")
		var malformed *transport.DecodeError
		if errors.As(err, &malformed) {
			got = "error"
			wantText(t, err.Error(), "data.Transactions.List", "data")
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q (%v)", c.data, got, c.want, err)
		}
	}
	for _, c := range []struct{ data, want string }{ // the same before another page
		{`"data":[]`, "t-2"},
		{`"data":[null]`, "t-2"},
		{`"data":null`, "error"},
		{`"data":{}`, "error"},
		{`"data":""`, "error"},
		{`"data":false`, "error"},
		{`"Data":[]`, "t-2"},
		{`"Data":null`, "error"},
	} {
		ids, err := read(t, `{"type":"list",`+c.data+`,"links":{"next":"/users/u-1/transactions?next=2"}}`)
		got := strings.Join(ids, " ")
		if errors.As(err, new(*transport.DecodeError)) {
			got = "error"
		}
		if got != c.want {
			t.Errorf("%s before another page: %q, want %q (%v)", c.data, got, c.want, err)
		}
	}
	page := new(data.TransactionPage)
	if err := page.UnmarshalJSON([]byte(`{"type":"list","data":{}}`)); err != nil || len(page.Data) != 0 {
		t.Errorf("%v, %d items", err, len(page.Data))
	}
	if text, err := json.Marshal(page); err != nil || string(text) != `{"data":{},"type":"list"}` {
		t.Errorf("%v, encoded as %s", err, text)
	}
}

// TestInvalidNextLinkIsAnErrorInEveryList checks the same for the other lists
// with pages.
func TestInvalidNextLinkIsAnErrorInEveryList(t *testing.T) {
	b := newFakeAPI(t)
	b.mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"type":"list","data":[{"id":"1"}],"links":{"next":{"href":"/?next=2"}}}`)
	})
	client := b.inMemory()
	countOf[data.Transaction](t, "transactions", client.Transactions(t.Context(), "u-1", basiq.TransactionWindow{}))
	countOf[reporting.ReportSummary](t, "reports", client.Reporting.Reports.All(t.Context()))
	countOf[reporting.Transaction](t, "a report's transactions", client.Reporting.Reports.AllTransactions(t.Context(), "r-1", reporting.ListTransactionsParams{}))
	countOf[webhooks.Message](t, "messages", client.Webhooks.Webhooks.AllMessages(t.Context(), "w-1", webhooks.ListMessagesParams{}))
	countOf[affordability.Transaction](t, "a summary's transactions", client.Affordability.Affordability.AllTransactions(t.Context(), "u-1", "s-1", affordability.ListTransactionsParams{}))
}

// countOf fails unless a list yields one item and then ErrPageLink.
func countOf[T any](t *testing.T, name string, list iter.Seq2[*T, error]) {
	t.Helper()
	n, last := 0, error(nil)
	for _, err := range list {
		if last = err; err == nil {
			n++
		}
	}
	if n != 1 || !errors.Is(last, transport.ErrPageLink) {
		t.Errorf("%s: %d items, %v", name, n, last)
	}
}

// TestSyncFailsOnMalformedLists checks that transactions and accounts that
// cannot be decoded do not count as missing.
func TestSyncFailsOnMalformedLists(t *testing.T) {
	for _, c := range []struct{ accounts, transactions string }{
		{`{"data":[{"id":"a-1"}]}`, `{"data":[{"id":"t-1","status":"posted"}],"links":{"Next":"/users/u-1/transactions?next=2"}}`},
		{`{"data":[{"id":"a-1"}]}`, `{"Data":[{"id":"t-1","status":"posted"}]}`},
		{`{"Data":[{"id":"a-1"}]}`, `{"data":[]}`},
		{`{"data":[{"id":"a-1"}],"links":{"next":"/users/u-1/accounts?next=2"}}`, `{"data":[]}`},
	} {
		b := newFakeAPI(t)
		b.on("GET /users/u-1/accounts", c.accounts)
		b.on("GET /users/u-1/transactions", c.transactions)
		var last error
		for _, err := range b.inMemory().SyncTransactions(t.Context(), "u-1", "", basiq.SyncOptions{}) {
			last = err
		}
		if last == nil {
			t.Errorf("%+v: no error", c)
		}
	}
}

// TestNullResponses checks that the body null is ErrNoContent for every type
// except value.JSON.
func TestNullResponses(t *testing.T) {
	for _, body := range []string{"null", " null\n", "\ufeffnull"} {
		b := newFakeAPI(t)
		b.mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
		client := b.inMemory()
		for name, call := range map[string]func() (any, error){
			"user": func() (any, error) { return client.Core.Users.Get(t.Context(), "u-1") },
			"page": func() (any, error) {
				return client.Data.Transactions.List(t.Context(), "u-1", data.ListTransactionsParams{})
			},
			"struct": func() (any, error) {
				var out struct{ ID string }
				return out, client.Transport.Call(t.Context(), "GET", "/x", nil, &out)
			},
		} {
			if got, err := call(); !errors.Is(err, transport.ErrNoContent) {
				t.Errorf("%q as %s: %+v, %v", body, name, got, err)
			}
		}
		var text value.JSON
		if err := client.Transport.Call(t.Context(), "GET", "/x", nil, &text); err != nil || text.Kind() != value.KindNull {
			t.Errorf("%q as value.JSON: %q, %v", body, text, err)
		}
	}
}
