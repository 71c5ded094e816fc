package transport_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go/transport"
	"github.com/basiq-sdk/basiq-go/transport/value"
	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// item and page are what the generator would make of a small list.
type item struct {
	ID   string
	json wire.Object
}

type page struct {
	Data []item
	Next string
	json wire.Object
}

var itemType, pageType wire.Type

func (v *item) JSONFields(f *wire.Fields) {
	f.Struct(&v.json, &itemType)
	f.String("id", &v.ID, wire.Optional)
}

func (v *page) JSONFields(f *wire.Fields) {
	f.Struct(&v.json, &pageType)
	wire.List(f, "data", &v.Data, wire.Optional)
	f.String("next", &v.Next, wire.Optional)
}

var (
	opGet    = transport.Operation{ID: "test.Things.Get", Method: http.MethodGet, Path: "/users/{userId}/things/{thingId}"}
	opDelete = transport.Operation{ID: "test.Things.Delete", Method: http.MethodDelete, Path: "/users/{userId}/things/{thingId}"}
	opList   = transport.Operation{ID: "test.Things.List", Upstream: "listThings", Method: http.MethodGet, Path: "/things"}
	opClient = transport.Operation{ID: "test.Things.Answer", Method: http.MethodPost, Path: "/users/{userId}/answer", Scope: transport.ScopeClient, Safety: transport.SafetyUnrepeatable}
)

// bank behaves like Basiq: it issues tokens, and passes other requests to api.
type bank struct {
	*httptest.Server // nil when it is reached in memory

	api     http.HandlerFunc
	tokens  atomic.Int64 // requests for tokens
	calls   atomic.Int64 // all others
	current atomic.Value // the valid token
	delay   time.Duration
	token   func(w http.ResponseWriter, r *http.Request) bool // if it returns true, it has responded in place of the bank
	strict  bool                                              // calls with another token than the current one are refused
}

func (b *bank) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/token" {
		b.calls.Add(1)
		switch {
		case b.strict && r.Header.Get("Authorization") != "Bearer "+b.current.Load().(string):
			problem(w, http.StatusUnauthorized, transport.CodeInvalidAuthorizationToken)
		case b.api != nil:
			b.api(w, r)
		}
		return
	}
	n := b.tokens.Add(1)
	time.Sleep(b.delay)
	if b.token != nil && b.token(w, r) {
		return
	}
	if r.Header.Get("Authorization") != "Basic the-key" || r.Header.Get("basiq-version") != "3.0" {
		http.Error(w, "credentials", http.StatusBadRequest)
		return
	}
	token := fmt.Sprintf("token-%d-%s-%s", n, r.FormValue("scope"), r.FormValue("userId"))
	b.current.Store(token)
	fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer","expires_in":3600}`, token)
}

func problem(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"type":"list","correlationId":"c-1","data":[{"type":"error","code":%q,"source":null}]}`, code)
}

// failing makes the bank respond to token requests with a status.
func failing(status int) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(status); return true }
}

func empty(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{}`) }

// newBank returns a bank on a loopback port.
func newBank(t *testing.T, api http.HandlerFunc) *bank {
	b := &bank{api: api}
	b.current.Store("")
	b.Server = httptest.NewServer(b)
	t.Cleanup(b.Close)
	return b
}

// inMemory returns a bank and its client without a network, for tests in virtual
// time.
func inMemory(t *testing.T, api http.HandlerFunc, opts ...transport.ClientOption) (*bank, *transport.Client) {
	t.Helper()
	b := &bank{api: api}
	b.current.Store("")
	return b, newClient(t, b, opts...)
}

func newClient(t *testing.T, h http.Handler, opts ...transport.ClientOption) *transport.Client {
	t.Helper()
	c, err := transport.New(append([]transport.ClientOption{
		transport.WithAPIKey("the-key"), transport.WithHTTPClient(&http.Client{Transport: handled{h}}),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func (b *bank) client(t *testing.T, opts ...transport.ClientOption) *transport.Client {
	t.Helper()
	c, err := transport.New(append([]transport.ClientOption{transport.WithBaseURL(b.URL), transport.WithAPIKey("the-key")}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// handled is an HTTP transport that calls a handler.
type handled struct{ http.Handler }

func (h handled) RoundTrip(r *http.Request) (*http.Response, error) {
	done := make(chan *http.Response, 1)
	go func() {
		rec := httptest.NewRecorder()
		server := httptest.NewRequest(r.Method, r.URL.String(), r.Body)
		server.Header = r.Header.Clone()
		h.ServeHTTP(rec, server)
		res := rec.Result()
		res.Request = r
		done <- res
	}()
	select {
	case res := <-done:
		return res, nil
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

// fast retries with short delays.
var fast = transport.WithRetryPolicy(transport.RetryPolicy{BaseDelay: time.Millisecond})

func get(ctx context.Context, c *transport.Client, opts ...transport.Option) (value.JSON, error) {
	var out value.JSON
	err := c.Do(ctx, transport.NewRequest(&opGet, "u", "t"), &out, opts...)
	return out, err
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func is(target error) func(error) bool { return func(err error) bool { return errors.Is(err, target) } }

func decodeError(err error) bool {
	var e *transport.DecodeError
	return errors.As(err, &e)
}

func textLogger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}
