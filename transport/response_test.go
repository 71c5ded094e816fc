package transport_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go/transport"
)

// TestWithResponseWithoutResponse: WithResponse stores nil if the call ended without
// a response, and not the response to an earlier attempt or call.
func TestWithResponseWithoutResponse(t *testing.T) {
	for name, c := range map[string]struct {
		second func(w http.ResponseWriter) // the response to the second attempt
		out    any
		status int // of the response that is stored, 0 for none
	}{
		"none":                     {hangUp, new(item), 0},
		"half of one":              {halfOfIt, new(item), 0},
		"half of one, streamed":    {halfOfIt, io.Discard, 0},
		"an error":                 {func(w http.ResponseWriter) { w.WriteHeader(http.StatusConflict) }, new(item), http.StatusConflict},
		"one that is not readable": {func(w http.ResponseWriter) { _, _ = io.WriteString(w, "<html>") }, new(item), http.StatusOK},
		"success":                  {func(w http.ResponseWriter) { _, _ = io.WriteString(w, `{"id":"1"}`) }, new(item), http.StatusOK},
	} {
		b := newBank(t, nil)
		b.api = func(w http.ResponseWriter, _ *http.Request) {
			if b.calls.Load() == 1 {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			c.second(w)
		}
		res := &http.Response{StatusCode: http.StatusTeapot} // of an earlier call
		err := b.client(t, transport.WithRetryPolicy(transport.RetryPolicy{MaxAttempts: 2, BaseDelay: 1})).
			Do(t.Context(), transport.NewRequest(operation(transport.SafetyRead)), c.out, transport.WithResponse(&res))
		switch {
		case c.status == 0 && (res != nil || err == nil):
			t.Errorf("%s: %v, and the response is %v", name, err, res.Status)
		case c.status != 0 && (res == nil || res.StatusCode != c.status):
			t.Errorf("%s: %v, and the response is %v", name, err, res)
		}
	}

	b := newBank(t, empty)
	client := b.client(t)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range map[string]func(opt transport.Option) error{
		"a context that has ended": func(opt transport.Option) error { _, err := get(ended, client, opt); return err },
		"a path that is refused": func(opt transport.Option) error {
			return client.Do(t.Context(), transport.NewRequest(&opGet, "..", "t"), nil, opt)
		},
		"a client that is closed": func(opt transport.Option) error {
			c := b.client(t)
			_ = c.Close()
			_, err := get(t.Context(), c, opt)
			return err
		},
	} {
		res := &http.Response{}
		if err := call(transport.WithResponse(&res)); err == nil || res != nil {
			t.Errorf("%s: %v, and a response of another call", name, err)
		}
	}
	b = newBank(t, empty) // calls above may still use the other one's token endpoint
	b.strict = true       // the token is rejected, and there is no other
	b.token = failing(http.StatusServiceUnavailable)
	res := &http.Response{}
	if _, err := get(t.Context(), b.client(t, transport.WithTokenSource(oneToken()), fast), transport.WithResponse(&res)); err == nil || res != nil {
		t.Errorf("no second token: %v, and the response is %v", err, res)
	}
}

func halfOfIt(w http.ResponseWriter) {
	w.Header().Set("Content-Length", "100")
	_, _ = io.WriteString(w, `{"id":`)
	_ = http.NewResponseController(w).Flush()
	hangUp(w)
}

// oneToken is a token source with only one token.
func oneToken() transport.TokenSource {
	return transport.TokenSourceFunc(func(_ context.Context, req transport.TokenRequest) (transport.Token, error) {
		if req.Rejected.Reveal() != "" {
			return transport.Token{}, errors.New("no other token")
		}
		return transport.StaticToken("first").Token(context.Background(), req)
	})
}

// TestWithResponseIsSharedByConcurrentCalls checks that calls at the same time can
// share the option, and that each response that is stored is whole. It is for the
// race detector.
func TestWithResponseIsSharedByConcurrentCalls(t *testing.T) {
	b := newBank(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Thing", r.URL.Path)
		_, _ = io.WriteString(w, `{"id":"`+r.URL.Path+`"}`)
	})
	client := b.client(t)
	var res *http.Response
	option := transport.WithResponse(&res)
	var wg sync.WaitGroup
	for _, thing := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		wg.Go(func() {
			if err := client.Do(t.Context(), transport.NewRequest(&opGet, "u-1", thing), new(item), option); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if res == nil {
		t.Fatal("no response is stored")
	}
	text, err := io.ReadAll(res.Body)
	if path := res.Request.URL.Path; err != nil || res.Header.Get("X-Thing") != path || string(text) != `{"id":"`+path+`"}` {
		t.Errorf("the response to %s has the header %q and the body %s, %v", res.Request.URL.Path, res.Header.Get("X-Thing"), text, err)
	}
}

// TestTokenWith checks which options matter to a request for a token.
func TestTokenWith(t *testing.T) {
	b := newBank(t, empty)
	wait := make(chan struct{})
	b.token = func(http.ResponseWriter, *http.Request) bool { <-wait; return false }
	client := b.client(t)
	req := transport.TokenRequest{Scope: transport.ScopeClient, UserID: "u-1"}
	res := &http.Response{}
	_, err := client.TokenWith(t.Context(), req, transport.WithCallTimeout(time.Millisecond), transport.WithResponse(&res))
	if !errors.Is(err, context.DeadlineExceeded) || res != nil {
		t.Errorf("a call timeout: %v, response %v", err, res)
	}
	close(wait)
	token, err := client.TokenWith(t.Context(), req, transport.WithHeader("X-Thing", "a"), nil)
	if err != nil || token.Reveal() == "" {
		t.Errorf("%v, %v", token, err)
	}
	var none context.Context
	for what, err := range map[string]error{
		"an invalid option": second(client.TokenWith(t.Context(), req, transport.WithHeader("Host", "x"))),
		"no context":        second(client.TokenWith(none, req)),
		"no user":           second(client.TokenWith(t.Context(), transport.TokenRequest{Scope: transport.ScopeClient})),
	} {
		if err == nil {
			t.Errorf("%s is accepted", what)
		}
	}
}

func second[T any](_ T, err error) error { return err }
