package transport_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/transport"
)

var opCreate = transport.Operation{ID: "test.Things.Create", Method: http.MethodPost, Path: "/things", Safety: transport.SafetyUnrepeatable}

// otherCalls are kinds of errors that say something about an operation that was sent.
var otherCalls = []error{transport.ErrNoContent, transport.ErrTooLarge, transport.ErrOutcomeUnknown}

// wantUnsent fails unless err is a *TokenError that says nothing about the call that
// needed the token.
func wantUnsent(t *testing.T, name string, err error) {
	t.Helper()
	if !errors.As(err, new(*transport.TokenError)) || errors.As(err, new(*transport.DecodeError)) {
		t.Errorf("%s: %v, want a TokenError without a DecodeError", name, err)
	}
	for _, kind := range otherCalls {
		if errors.Is(err, kind) {
			t.Errorf("%s: %v matches %v", name, err, kind)
		}
	}
}

// TestUnreadableTokenResponses checks that a response of POST /token that cannot be read
// is ErrBadToken. As an ErrNoContent, ErrTooLarge or DecodeError, it would mean that the
// call was executed.
func TestUnreadableTokenResponses(t *testing.T) {
	for name, body := range map[string]string{
		"empty": "", "a web page": "<html>", "truncated": `{"access_token":"a`, "null": "null", "large": `{"access_token":"` + strings.Repeat("a", 5000) + `"}`,
	} {
		b := &bank{api: empty, token: func(w http.ResponseWriter, _ *http.Request) bool {
			_, _ = io.WriteString(w, body)
			return true
		}}
		c := newClient(t, b, transport.WithMaxResponseSize(4096))
		err := c.Do(t.Context(), transport.NewRequest(&opCreate), nil)
		wantUnsent(t, name, err)
		if !errors.Is(err, transport.ErrBadToken) || b.calls.Load() != 0 {
			t.Errorf("%s: %v after %d calls, want ErrBadToken", name, err, b.calls.Load())
		}
	}
}

// TestTokenSourceErrorsOfExecutedCalls checks the same for a TokenSource that uses
// another client.
func TestTokenSourceErrorsOfExecutedCalls(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"empty":     func(http.ResponseWriter, *http.Request) {},
		"malformed": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") },
		"large":     func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat(" ", 5000)) },
		"500":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
	} {
		other := newClient(t, answer, transport.WithTokenSource(transport.StaticToken("t")), transport.WithMaxResponseSize(4096), transport.WithoutRetry())
		source := transport.TokenSourceFunc(func(ctx context.Context, _ transport.TokenRequest) (transport.Token, error) {
			var out map[string]string
			return transport.Token{}, other.Call(ctx, http.MethodPost, "/token", nil, &out)
		})
		wantUnsent(t, name, newClient(t, http.HandlerFunc(empty), transport.WithTokenSource(source)).Do(t.Context(), transport.NewRequest(&opCreate), nil))
	}
}
