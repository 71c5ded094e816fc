package webhook_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/generated/webhooks"
	"github.com/basiq-sdk/basiq-go/transport"
	"github.com/basiq-sdk/basiq-go/webhook"
)

// TestOnlyEventTypeIDIsRequired decodes events whose other members are missing or
// have unexpected types.
func TestOnlyEventTypeIDIsRequired(t *testing.T) {
	const links = `"links":{"event":"/events/e-1","eventEntity":"/users/u-1"}`
	for body, want := range map[string]webhook.Event{
		`{"eventTypeId":"user.created","eventId":"e-1",` + links + `,"payload":"x"}`:                   {EventID: "e-1", EventLink: "/events/e-1", EntityLink: "/users/u-1"},
		`{"eventTypeId":"user.created","eventId":"e-1",` + links + `,"payload":[]}`:                    {EventID: "e-1", EventLink: "/events/e-1", EntityLink: "/users/u-1"},
		`{"eventTypeId":"user.created","eventId":"e-1",` + links + `,"payload":null}`:                  {EventID: "e-1", EventLink: "/events/e-1", EntityLink: "/users/u-1"},
		`{"eventTypeId":"user.created","eventId":"e-1",` + links + `,"payload":7}`:                     {EventID: "e-1", EventLink: "/events/e-1", EntityLink: "/users/u-1"},
		`{"eventTypeId":"user.created","links":[]}`:                                                    {},
		`{"eventTypeId":"user.created","links":""}`:                                                    {},
		`{"eventTypeId":"user.created","links":null}`:                                                  {},
		`{"eventTypeId":"user.created","eventId":{},"links":{"event":[1],"eventEntity":"/users/u-1"}}`: {EntityLink: "/users/u-1"},
		`{"payload":{"eventTypeId":"user.created","links":7},"links":"x"}`:                             {},
		`{"eventTypeId":"user.created","payload":{"eventId":"e-1",` + links + `}}`:                     {EventID: "e-1", EventLink: "/events/e-1", EntityLink: "/users/u-1"},
		`{"payload":{"eventTypeId":"user.created"},"eventId":"e-1",` + links + `}`:                     {EventID: "e-1", EventLink: "/events/e-1", EntityLink: "/users/u-1"},
		"\ufeff" + `{"eventTypeId":"user.created",` + links + `}`:                                      {EventLink: "/events/e-1", EntityLink: "/users/u-1"},
	} {
		e, err := webhook.ParseEvent(webhook.Delivery{}, []byte(body))
		if err != nil {
			t.Errorf("%s: %v", body, err)
			continue
		}
		if e.Type != webhook.UserCreated || e.EventID != want.EventID || e.EventLink != want.EventLink || e.EntityLink != want.EntityLink {
			t.Errorf("%s: got %+v", body, e)
		}
	}
	for _, body := range []string{`{"eventTypeId":{}}`, `{"payload":[{"eventTypeId":"user.created"}]}`, `[{"eventTypeId":"user.created"}]`, `"user.created"`} {
		if _, err := webhook.ParseEvent(webhook.Delivery{}, []byte(body)); !errors.Is(err, webhook.ErrBody) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// TestNamesAreThoseOfTheAPI: Names returns what the API calls the types, in order.
func TestNamesAreThoseOfTheAPI(t *testing.T) {
	got := webhook.Names(webhook.TransactionsUpdated, webhook.UserCreated, "comet.seen")
	if want := []string{"transactions.updated", "user.created", "comet.seen"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := webhook.Names(); got == nil || len(got) != 0 {
		t.Errorf("without types: %#v", got)
	}
}

// TestFetchRejectsMismatchedTypes fetches the resource of an event into types that
// match it and types that do not.
func TestFetchRejectsMismatchedTypes(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithTransactions(20))
	var operations []string
	client := srv.Client(t, transport.WithObserver(transport.Observer{
		EndAttempt: func(_ context.Context, a transport.Attempt) { operations = append(operations, a.Operation.ID) },
	}))
	user, err := srv.AddUser("max@example.com")
	if err != nil {
		t.Fatal(err)
	}
	connection, err := srv.AddConnection(user, basiqtest.WentworthSmith)
	if err != nil {
		t.Fatal(err)
	}
	const path = "/users/"
	type own struct {
		core.User
		ID string
	}
	for _, c := range []struct {
		link string
		out  any
		ok   bool
	}{
		{path + user, new(core.User), true},
		{path + user, new(data.Connection), false},
		{path + user, new(data.TransactionPage), false},
		{path + user, new(core.Event), false},
		{path + user, new(own), true},
		{path + user, new(*core.User), true},
		{path + user, new(*data.Connection), false},
		{path + user, new(struct{ data.Connection }), false},
		{path + user, new(any), true},
		{path + user + "/connections/" + connection, new(data.Connection), true},
		{path + user + "/connections/" + connection, new(core.User), false},
		{path + user + "/transactions", new(data.TransactionPage), true},
		{path + user + "/transactions", new(data.AccountList), false},
		{path + user + "/transactions", new(data.Transaction), false},
		{path + user + "/accounts", new(data.AccountList), true},
		{path + user + "/accounts", new(data.TransactionPage), false},
	} {
		operations = nil
		var res *http.Response
		e := &webhook.Event{EntityLink: c.link, EventLink: c.link}
		err := e.FetchEntity(t.Context(), client.Transport, c.out, transport.WithResponse(&res))
		if errors.Is(err, webhook.ErrEntity) == c.ok || c.ok && err != nil {
			t.Errorf("%s into %T: %v", c.link, c.out, err)
		}
		if wrong, is := c.out.(*data.Connection); is && !c.ok && wrong.ID != "" {
			t.Errorf("%s left data in the %T: %q", c.link, c.out, wrong.ID)
		}
		if res == nil || res.StatusCode != http.StatusOK {
			t.Errorf("WithResponse is set to %v", res)
		}
		if err := e.FetchEvent(t.Context(), client.Transport, c.out); errors.Is(err, webhook.ErrEntity) == c.ok {
			t.Errorf("FetchEvent of %s into %T: %v", c.link, c.out, err)
		}
		if n := len(operations); n < 2 || operations[n-2] != "webhook.FetchEntity" || operations[n-1] != "webhook.FetchEvent" {
			t.Errorf("the observer saw %q", operations)
		}
	}
}

// TestConsentEventsHaveTheConsentID lets a consent expire, and reads its ID from the
// delivery.
func TestConsentEventsHaveTheConsentID(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithNow(time.Date(2031, 5, 6, 0, 0, 0, 0, time.UTC)))
	client := srv.Client(t)
	events := make(chan *webhook.Event, 10)
	var handler http.Handler
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	defer app.Close()
	hook, err := client.Webhooks.Webhooks.Create(t.Context(), webhooks.WebhookParams{URL: app.URL, SubscribedEvents: webhook.Names(webhook.ConsentExpired)})
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := webhook.NewVerifier(hook.Secret.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	handler = webhook.NewHandler(verifier, func(_ context.Context, e *webhook.Event) error { events <- e; return nil },
		webhook.WithOnError(func(_ *http.Request, err error) { t.Error(err) }))
	srv.Advance(16 * time.Minute)
	user, err := srv.AddUser("max@example.com")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := srv.AddConnection(user, basiqtest.WentworthSmith); err != nil {
		t.Fatal(err)
	}
	consents, err := client.Core.Consents.List(t.Context(), user)
	if err != nil || len(consents.Data) != 1 {
		t.Fatalf("%+v, %v", consents, err)
	}
	srv.Advance(366 * 24 * time.Hour)
	var e *webhook.Event
	select {
	case e = <-events:
	case <-time.After(10 * time.Second):
		t.Fatal("nothing was delivered")
	}
	if e.Type != webhook.ConsentExpired || e.UserID() != user || e.ConsentID() != consents.Data[0].ID {
		t.Errorf("got %+v: consent %q", e, e.ConsentID())
	}
	var about core.Consent
	if err := e.FetchEntity(t.Context(), client.Transport, &about); err != nil || about.ID != e.ConsentID() || about.Status != "expired" {
		t.Errorf("%+v, %v", about, err)
	}
}

// TestTypesAndIDsMayBeNumbers: the text of a number is taken for what should be a
// string; every other shape is passed over.
func TestTypesAndIDsMayBeNumbers(t *testing.T) {
	for raw, want := range map[string]string{`"a"`: "a", "0": "0", "9": "9", "10": "10", "-1": "-1", "1.50": "1.50", "true": "", "null": "", "{}": "", "[1]": ""} {
		body := `{"eventTypeId":"user.created","eventId":` + raw + `}`
		e, err := webhook.ParseEvent(webhook.Delivery{ID: "m-1"}, []byte(body))
		if err != nil || e.EventID != want {
			t.Errorf("%s: %+v, %v", raw, e, err)
		}
	}
}

// TestLinksKeepTheirQuery: what a link asks for is asked for.
func TestLinksKeepTheirQuery(t *testing.T) {
	var asked string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.RequestURI
		_, _ = w.Write([]byte(`{}`))
	}))
	defer server.Close()
	c, err := transport.New(transport.WithBaseURL(server.URL), transport.WithTokenSource(transport.StaticToken("token")))
	if err != nil {
		t.Fatal(err)
	}
	for link, want := range map[string]string{
		"/users/u-1": "/users/u-1",
		"/users/u-1/transactions?filter=account.id.eq(%27a-1%27)&limit=5": "/users/u-1/transactions?filter=account.id.eq%28%27a-1%27%29&limit=5",
	} {
		e := &webhook.Event{EntityLink: server.URL + link}
		if err := e.FetchEntity(t.Context(), c, nil); err != nil || asked != want {
			t.Errorf("%s asks for %s, %v; want %s", link, asked, err, want)
		}
	}
}

// TestFetchChecksTypeOrElsePath checks into which types a resource is decoded. If it has no
// type, its path decides.
func TestFetchChecksTypeOrElsePath(t *testing.T) {
	body := ""
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }))
	defer s.Close()
	c, err := transport.New(transport.WithBaseURL(s.URL), transport.WithTokenSource(transport.StaticToken("token-1")))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	user, connection := any(new(core.User)), any(new(data.Connection))
	for _, f := range []struct {
		link, body string
		out        any
		ok         bool
	}{
		{"/users/u-1", `{"type":"connection","id":"c-1"}`, new(core.User), false},
		{"/users/u-1", `{"type":"connection","id":"c-1"}`, new(data.Connection), true},
		{"/users/u-1/transactions", `{"type":"list","data":[{"type":"account"}]}`, new(data.TransactionPage), false},
		{"/users/u-1/transactions", `{"type":"list","data":[{"type":"account"}]}`, new(data.AccountList), true},
		{"/users/u-1", `{"type":"user","id":"u-1"}`, &user, true},
		{"/users/u-1", `{"type":"user","id":"u-1"}`, &connection, false},
		{"/users/u-1", `{"id":"u-1"}`, new(core.User), true},
		{"/users/u-1", `{"id":"u-1"}`, new(data.Connection), false},
		{"/users/u-1", `{"id":"u-1"}`, new(any), true},
		{"/users/u-1/transactions", `{"type":"list","data":[]}`, new(data.TransactionPage), true},
		{"/users/u-1/transactions?limit=5", `{"data":[{"id":"t-1"}]}`, new(data.TransactionPage), true},
		{"/users/u-1/transactions", `{"type":"list","data":[]}`, new(data.AccountList), false},
		{"/users/u-1/transactions", `{"type":"list","data":[{"id":"t-1"}]}`, new(data.AccountList), false},
		{"/users/u-1/transactions", `{"data":[]}`, new(data.Transaction), false},
	} {
		body = f.body
		if err := (&webhook.Event{EntityLink: f.link}).FetchEntity(t.Context(), c, f.out); errors.Is(err, webhook.ErrEntity) == f.ok || f.ok && err != nil {
			t.Errorf("%s from %s into %T: %v", f.body, f.link, f.out, err)
		}
	}
}
