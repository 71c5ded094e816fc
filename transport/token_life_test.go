package transport_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/basiq-sdk/basiq-go/transport"
)

// TestTokenMinLife: a token for a browser must remain valid for a while. One that
// would not is replaced, and calls with it continue.
func TestTokenMinLife(t *testing.T) {
	ask := func(minLife time.Duration) transport.TokenRequest {
		return transport.TokenRequest{Scope: transport.ScopeClient, UserID: "ada", MinLife: minLife}
	}
	for _, c := range []struct {
		name     string
		age      time.Duration
		minLife  time.Duration
		life     int // seconds
		requests int64
	}{
		{"young enough", 10 * time.Minute, 30 * time.Minute, 3600, 1},
		{"too old", 55 * time.Minute, 30 * time.Minute, 3600, 2},
		{"too old, and nobody minds", 20 * time.Minute, 0, 3600, 1},
		{"no token lives that long", time.Minute, 30 * time.Minute, 600, 1},
		// A token is not used during its last ten seconds.
		{"just long enough", 100 * time.Second, 3490 * time.Second, 3600, 1},
		{"as long as the longest", 100 * time.Second, 3591 * time.Second, 3601, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, client := inMemory(t, nil)
				b.token = func(w http.ResponseWriter, _ *http.Request) bool {
					fmt.Fprintf(w, `{"access_token":"token-%d","token_type":"Bearer","expires_in":%d}`, b.tokens.Load(), c.life)
					return true
				}
				if _, err := client.Token(context.Background(), ask(0)); err != nil {
					t.Fatal(err)
				}
				time.Sleep(c.age)
				token, err := client.Token(context.Background(), ask(c.minLife))
				if err != nil {
					t.Fatal(err)
				}
				if got := b.tokens.Load(); got != c.requests {
					t.Errorf("%d tokens were asked for, want %d", got, c.requests)
				}
				left := time.Until(token.Expires())
				if c.life == 3600 && left < c.minLife {
					t.Errorf("the token lives for %s only", left)
				}
			})
		})
	}
}

// TestTokenMinLifeFailure: if a token cannot be replaced, calls that need a longer
// lifetime fail, and all others use the token.
func TestTokenMinLifeFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, client := inMemory(t, empty)
		if _, err := client.Token(context.Background(), transport.TokenRequest{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(24 * time.Minute / 2)
		b.token = failing(http.StatusBadRequest)
		if _, err := client.Token(context.Background(), transport.TokenRequest{MinLife: 55 * time.Minute}); err == nil {
			t.Error("a token that ends too soon was handed out")
		}
		if _, err := get(context.Background(), client); err != nil {
			t.Errorf("a call no longer has the token that is good: %v", err)
		}
	})
}

func TestRetryAfterOfAResponse(t *testing.T) {
	if got := transport.RetryAfter(http.Header{"Retry-After": {"7"}}); got != 7*time.Second {
		t.Errorf("got %s", got)
	}
	if got := transport.RetryAfter(nil); got != 0 {
		t.Errorf("got %s of no header", got)
	}
}

// TestWrongPathIsNotAnUnknownKey: a base URL with a wrong path does not pass for a wrong
// API key.
func TestWrongPathIsNotAnUnknownKey(t *testing.T) {
	b := newBank(t, empty)
	b.token = func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"data":[{"code":"resource-not-found","detail":"Route not found for this API version."}]}`))
		return true
	}
	_, err := get(context.Background(), b.client(t))
	var e *transport.Error
	if !errors.As(err, &e) || errors.Is(err, transport.ErrUnauthorized) || !strings.Contains(e.Advice(), "path of the base URL") || !strings.Contains(err.Error(), "no tokens at this base URL") {
		t.Errorf("%v: %s", err, e.Advice())
	}
}

// TestAdviceForAnUnknownKey: the API says that a parameter is not valid; the advice
// says what that means.
func TestAdviceForAnUnknownKey(t *testing.T) {
	b := newBank(t, empty)
	b.token = func(w http.ResponseWriter, _ *http.Request) bool {
		problem(w, http.StatusNotFound, transport.CodeParameterNotValid)
		return true
	}
	_, err := get(context.Background(), b.client(t))
	var e *transport.Error
	if !errors.As(err, &e) || !strings.Contains(e.Advice(), "No application has this API key") {
		t.Errorf("%v: %s", err, e.Advice())
	}
}
