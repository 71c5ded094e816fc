package transport_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/basiq-sdk/basiq-go/transport"
)

type requestID struct{}

// withRequestID returns the request ID of the context.
func withRequestID(ctx context.Context) http.Header {
	id, _ := ctx.Value(requestID{}).(string)
	return http.Header{"X-Request-Id": {id}}
}

// received collects the values of a header by path.
type received struct {
	mu     sync.Mutex
	header map[string][]http.Header
}

func (r *received) keep(req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.header == nil {
		r.header = map[string][]http.Header{}
	}
	r.header[req.URL.Path] = append(r.header[req.URL.Path], req.Header.Clone())
}

const thingPath = "/users/u/things/t" // that get requests

// TestHeaderOfTheContext: WithHeaderFunc sets headers from the context of the call for every
// attempt. Without a value, none is sent. Token requests get none.
func TestHeaderOfTheContext(t *testing.T) {
	var got received
	failures := 1
	b := newBank(t, func(w http.ResponseWriter, r *http.Request) {
		got.keep(r)
		if failures--; failures >= 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		empty(w, r)
	})
	b.token = func(_ http.ResponseWriter, r *http.Request) bool { got.keep(r); return false }
	c := b.client(t, fast, transport.WithHeaderFunc(withRequestID))
	for _, id := range []string{"order-42", ""} {
		if _, err := get(context.WithValue(t.Context(), requestID{}, id), c); err != nil {
			t.Fatal(err)
		}
	}
	var ids []string
	for _, h := range got.header[thingPath] {
		ids = append(ids, strings.Join(h["X-Request-Id"], ","))
	}
	if !slices.Equal(ids, []string{"order-42", "order-42", ""}) || len(got.header[thingPath][2]["X-Request-Id"]) != 0 {
		t.Errorf("%q", ids)
	}
	if h := got.header["/token"]; len(h) != 1 || h[0]["X-Request-Id"] != nil {
		t.Errorf("the token request has %v", h)
	}
}

// TestHeadersTakePrecedence: a function of the call takes precedence over one of the
// client, and WithHeader over both. An option of one call does not affect another.
func TestHeadersTakePrecedence(t *testing.T) {
	var got received
	b := newBank(t, func(w http.ResponseWriter, r *http.Request) { got.keep(r); empty(w, r) })
	of := func(name, value string) transport.SharedOption {
		return transport.WithHeaderFunc(func(context.Context) http.Header { return http.Header{name: {value}} })
	}
	c := b.client(t, of("x-a", "client"), of("X-B", "client"), of("X-C", "client"), of("User-Agent", "client"),
		transport.WithObserver(transport.Observer{Header: func(context.Context, transport.Attempt) http.Header {
			return http.Header{"X-A": {"observer"}, "X-D": {"observer", "twice"}}
		}}))
	if _, err := get(t.Context(), c, of("X-B", "call"), of("X-C", "call"), transport.WithHeader("X-C", "header")); err != nil {
		t.Fatal(err)
	}
	if _, err := get(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	for i, want := range []http.Header{
		{"X-A": {"client"}, "X-B": {"call"}, "X-C": {"header"}, "X-D": {"observer", "twice"}, "User-Agent": {"client"}},
		{"X-A": {"client"}, "X-B": {"client"}, "X-C": {"client"}, "X-D": {"observer", "twice"}, "User-Agent": {"client"}},
	} {
		for name, values := range want {
			if h := got.header[thingPath][i]; !slices.Equal(h[name], values) {
				t.Errorf("call %d: %s is %q, want %q", i, name, h[name], values)
			}
		}
	}
}

// TestHeaderFunctionsOfACall: the functions of calls that overlap do not mix.
func TestHeaderFunctionsOfACall(t *testing.T) {
	var got received
	b := newBank(t, func(w http.ResponseWriter, r *http.Request) { got.keep(r); empty(w, r) })
	of := func(value string) transport.SharedOption {
		return transport.WithHeaderFunc(func(context.Context) http.Header { return http.Header{"X-Call": {value}} })
	}
	none := transport.WithHeaderFunc(func(context.Context) http.Header { return nil })
	var c *transport.Client
	nested := false
	c = b.client(t, none, none, transport.WithHeaderFunc(func(ctx context.Context) http.Header {
		if !nested {
			nested = true
			if _, err := get(ctx, c, of("inner")); err != nil {
				t.Error(err)
			}
		}
		return nil
	}))
	if _, err := get(t.Context(), c, of("outer")); err != nil {
		t.Fatal(err)
	}
	var calls []string
	for _, h := range got.header[thingPath] {
		calls = append(calls, h.Get("X-Call"))
	}
	if !slices.Equal(calls, []string{"inner", "outer"}) {
		t.Errorf("%q", calls)
	}
}

// TestObserverHeader: an observer adds headers to every attempt, with the context of the
// attempt, also to token requests.
func TestObserverHeader(t *testing.T) {
	var got received
	b := newBank(t, func(w http.ResponseWriter, r *http.Request) { got.keep(r); empty(w, r) })
	b.token = func(_ http.ResponseWriter, r *http.Request) bool { got.keep(r); return false }
	c := b.client(t, transport.WithObserver(transport.Observer{
		StartAttempt: func(ctx context.Context, a transport.Attempt) context.Context {
			return context.WithValue(ctx, requestID{}, "span of "+a.Operation.ID)
		},
		Header: func(ctx context.Context, _ transport.Attempt) http.Header { return withRequestID(ctx) },
	}))
	if _, err := get(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{thingPath: "span of test.Things.Get", "/token": "span of token"} {
		if h := got.header[path]; len(h) != 1 || h[0].Get("X-Request-Id") != want {
			t.Errorf("%s: %v", path, h)
		}
	}
}

// TestHeadersFromFunctionsAreChecked: a header that WithHeader refuses makes a call fail
// before it is sent, and is named.
func TestHeadersFromFunctionsAreChecked(t *testing.T) {
	for name, test := range map[string]struct {
		header http.Header
		want   string
	}{
		"credential":   {http.Header{"Authorization": {"x"}}, "the header Authorization is set by the client"},
		"lower case":   {http.Header{"authorization": {"x"}}, "the header Authorization is set by the client"},
		"length":       {http.Header{"Content-Length": {"1"}}, "the header Content-Length is set by the client"},
		"line break":   {http.Header{"X-A": {"fine", "a\r\nAuthorization: b"}}, "the value of header X-A contains control characters"},
		"invalid name": {http.Header{"X A": {"x"}}, `"X_A" is not a valid header name`},
	} {
		for source, opt := range map[string]transport.ClientOption{
			"WithHeaderFunc":  transport.WithHeaderFunc(func(context.Context) http.Header { return test.header }),
			"Observer.Header": transport.WithObserver(transport.Observer{Header: func(context.Context, transport.Attempt) http.Header { return test.header }}),
		} {
			b := newBank(t, empty)
			c := b.client(t, opt, transport.WithTokenSource(transport.StaticToken("token")))
			_, err := get(t.Context(), c)
			if err == nil || !strings.Contains(err.Error(), "test.Things.Get: "+source+": "+test.want) || b.calls.Load() != 0 {
				t.Errorf("%s of %s: %v, %d requests", name, source, err, b.calls.Load())
			}
		}
	}
	if _, err := transport.New(transport.WithAPIKey("the-key"), transport.WithHeaderFunc(nil)); err == nil {
		t.Error("a nil function is accepted")
	}
}

// TestIdempotencyKeyFromAFunction: as with WithHeader, the header is sent under a name that
// net/http does not take as permission to send a POST twice.
func TestIdempotencyKeyFromAFunction(t *testing.T) {
	var names []string
	rt := roundTripper(func(r *http.Request) (*http.Response, error) {
		for name := range r.Header {
			if strings.EqualFold(name, "Idempotency-Key") {
				names = append(names, name)
			}
		}
		return canned{status: 200, body: `{}`}.RoundTrip(r)
	})
	c := cannedClient(t, rt, transport.WithHeaderFunc(func(context.Context) http.Header {
		return http.Header{"Idempotency-Key": {"1"}}
	}))
	if err := c.Do(t.Context(), transport.NewRequest(&opWrite), nil); err != nil || !slices.Equal(names, []string{"idempotency-key"}) {
		t.Errorf("%q, %v", names, err)
	}
}
