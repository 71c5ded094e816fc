package webhook_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/generated/webhooks"
	"github.com/basiq-sdk/basiq-go/transport"
	"github.com/basiq-sdk/basiq-go/webhook"
)

// TestSubscribeReceiveAndFetch subscribes to an event, causes it, receives its
// delivery, and fetches the user that it is about.
func TestSubscribeReceiveAndFetch(t *testing.T) {
	srv := basiqtest.NewServer(t)
	client := srv.Client(t)
	events := make(chan *webhook.Event, 10)
	var handler http.Handler
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	defer app.Close()
	hook, err := client.Webhooks.Webhooks.Create(t.Context(), webhooks.WebhookParams{URL: app.URL, SubscribedEvents: []string{string(webhook.UserCreated)}})
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := webhook.NewVerifier(hook.Secret.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	handler = webhook.NewHandler(verifier, func(_ context.Context, e *webhook.Event) error { events <- e; return nil },
		webhook.WithOnError(func(_ *http.Request, err error) { t.Error(err) }))
	srv.Advance(16 * time.Minute) // new webhooks become active after a while
	user, err := client.Core.Users.Create(t.Context(), core.CreateUserParams{Email: "max@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	var e *webhook.Event
	select {
	case e = <-events:
	case <-time.After(10 * time.Second):
		t.Fatal("nothing was delivered")
	}
	if e.Type != webhook.UserCreated || e.UserID() != user.ID {
		t.Errorf("got %+v", e)
	}
	var announced core.Event
	if err := e.FetchEvent(t.Context(), client.Transport, &announced); err != nil || announced.ID != e.EventID {
		t.Errorf("FetchEvent: %+v, %v", announced, err)
	}
	var about core.User
	if err := e.FetchEntity(t.Context(), client.Transport, &about); err != nil || about.Email != "max@example.com" {
		t.Errorf("FetchEntity: %+v, %v", about, err)
	}
	if err := client.Core.Users.Delete(t.Context(), user.ID); err != nil {
		t.Fatal(err)
	}
	if err := e.FetchEntity(t.Context(), client.Transport, nil); !errors.Is(err, transport.ErrNotFound) {
		t.Errorf("FetchEntity of a deleted user: %v", err)
	}
}

// TestRotationAtTheAPI updates a webhook, which returns a new secret, while a receiver
// reads the secrets from where they are kept.
func TestRotationAtTheAPI(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithNow(time.Now())) // deliveries are made while Advance runs
	client := srv.Client(t)
	var kept atomic.Pointer[[]string]
	verifier, err := webhook.NewVerifierFrom(func(context.Context) ([]string, error) { return *kept.Load(), nil }, webhook.WithSecretRefresh(0))
	if err != nil {
		t.Fatal(err)
	}
	var secrets []int // the indexes of the secrets that deliveries were signed with
	app := httptest.NewServer(webhook.NewHandler(verifier, func(_ context.Context, e *webhook.Event) error { secrets = append(secrets, e.Secret); return nil },
		webhook.WithOnError(func(_ *http.Request, err error) { t.Error(err) })))
	defer app.Close()
	params := webhooks.WebhookParams{URL: app.URL, SubscribedEvents: []string{string(webhook.UserCreated)}}
	hook, err := client.Webhooks.Webhooks.Create(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	older := hook.Secret.Reveal()
	kept.Store(&[]string{older})
	deliver := func() {
		t.Helper()
		if _, err := client.Core.Users.Create(t.Context(), core.CreateUserParams{Email: "max@example.com"}); err != nil {
			t.Fatal(err)
		}
		srv.Advance(time.Minute)
	}
	srv.Advance(16 * time.Minute) // new webhooks become active after a while
	deliver()
	if hook, err = client.Webhooks.Webhooks.Update(t.Context(), hook.ID, params); err != nil {
		t.Fatal(err)
	}
	newer := hook.Secret.Reveal()
	kept.Store(&[]string{newer, older})
	deliver()
	kept.Store(&[]string{newer})
	srv.Advance(24 * time.Hour) // the old secret expires
	deliver()
	if len(secrets) != 3 {
		t.Errorf("%d deliveries were handled", len(secrets))
	}
}

func TestLinksToOtherHostsAreRejected(t *testing.T) {
	sends := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sends++
		_, _ = w.Write([]byte(`{"path":"` + r.URL.Path + `"}`))
	}))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	c, err := transport.New(transport.WithBaseURL(server.URL+"/v3"), transport.WithTokenSource(transport.StaticToken("token")))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, link := range []string{
		"", "users/u-1", "https://elsewhere.example/users/u-1", "https://" + host + "/v3/users/u-1", "http://user:word@" + host + "/v3/users/u-1",
		"//elsewhere.example/users/u-1", "http://" + host + ":81/v3/users/u-1", "http://" + host + "/users/u-1", "http://" + host + "/v33/users/u-1",
		"javascript:alert(1)", "http://%zz/", server.URL + "/v3/users/../token", server.URL + "/v3/users/%2e%2e/token", server.URL + "/v3/users/..;/token", server.URL + "/v3/users/..;x=y/token", "/users/..%3b/token", server.URL + "/v3/users/u-1#x", "/users/u\x00",
		server.URL + "/v3/users/u-1/transactions?limit=1;filter=x", server.URL + "/v3/users/u-1?a=%zz",
	} {
		e := &webhook.Event{EntityLink: link, EventLink: link}
		var path *transport.PathError
		if err := e.FetchEntity(t.Context(), c, nil); !errors.Is(err, webhook.ErrLink) && !errors.As(err, &path) {
			t.Errorf("%q: %v", link, err)
		}
		if err := e.FetchEvent(t.Context(), c, nil); err == nil {
			t.Errorf("%q was fetched", link)
		}
	}
	if sends != 0 {
		t.Errorf("%d requests were sent", sends)
	}
	for _, link := range []string{
		server.URL + "/v3/users/u-1/transactions?filter=account.id.eq('a')", "/users/u-1/transactions", "HTTP://" + host + "/v3/users/u-1/transactions",
	} {
		var out struct{ Path string }
		e := &webhook.Event{EntityLink: link}
		if err := e.FetchEntity(t.Context(), c, &out); err != nil || out.Path != "/v3/users/u-1/transactions" {
			t.Errorf("%q requested %q, %v", link, out.Path, err)
		}
	}
}

// TestLinksToTheDefaultPort: a URL with the default port of its scheme is the same
// as one without a port.
func TestLinksToTheDefaultPort(t *testing.T) {
	var requested []string
	h := &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		requested = append(requested, r.URL.String())
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}")), Request: r}, nil
	})}
	for base, link := range map[string]string{
		"https://bank.example":     "https://bank.example:443/users/u-1",
		"https://bank.example:443": "https://BANK.example/users/u-1",
	} {
		c, err := transport.New(transport.WithBaseURL(base), transport.WithTokenSource(transport.StaticToken("token")), transport.WithHTTPClient(h))
		if err != nil {
			t.Fatal(err)
		}
		e := &webhook.Event{EntityLink: link}
		if err := e.FetchEntity(t.Context(), c, nil); err != nil {
			t.Errorf("link %s, base URL %s: %v", link, base, err)
		}
		_ = c.Close()
	}
	if len(requested) != 2 {
		t.Errorf("requests: %q, want 2", requested)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
