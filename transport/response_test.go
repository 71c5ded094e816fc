package transport_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"

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
