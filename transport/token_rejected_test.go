package transport_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/basiq-sdk/basiq-go/transport"
)

// TestTokenRejectedByOneOperation: an operation that rejects several new tokens,
// while others accept them, has another reason. It does not cost a new token each
// time, and an expired token is still replaced for it.
func TestTokenRejectedByOneOperation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		denied := true
		b, c := inMemory(t, func(w http.ResponseWriter, r *http.Request) {
			if denied && strings.HasSuffix(r.URL.Path, "/denied") {
				problem(w, http.StatusForbidden, transport.CodeAccessDenied)
				return
			}
			empty(w, r)
		})
		call := func(path string) error { return c.Call(t.Context(), http.MethodGet, path, nil, nil) }
		for range 100 {
			if err := call("/ok"); err != nil {
				t.Fatal(err)
			}
			if err := call("/denied"); !errors.Is(err, transport.ErrTokenExpired) {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		if n := b.tokens.Load(); n > 4 {
			t.Errorf("%d token requests in a hundred seconds", n)
		}
		denied = false
		if err := call("/denied"); err != nil {
			t.Fatal(err)
		}
		b.strict = true
		b.current.Store("revoked")
		if err := call("/denied"); err != nil {
			t.Errorf("after it was allowed, a revoked token is not replaced: %v", err)
		}
	})
}

// TestTokenRateLimitAppliesToAllUsers: a rate limit on token requests applies to the
// application, whoever the users are.
func TestTokenRateLimitAppliesToAllUsers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, c := inMemory(t, empty)
		b.delay = 100 * time.Millisecond
		b.token = failing(http.StatusTooManyRequests)
		ask := func(i int) error {
			_, err := c.Token(t.Context(), transport.TokenRequest{Scope: transport.ScopeClient, UserID: strconv.Itoa(i)})
			return err
		}
		for _, err := range herd(1000, ask) {
			if !errors.Is(err, transport.ErrRateLimited) {
				t.Fatal(err)
			}
		}
		before := b.tokens.Load()
		if before > 100 {
			t.Errorf("%d token requests for a thousand users", before)
		}
		if _, err := c.Token(t.Context(), transport.TokenRequest{}); !errors.Is(err, transport.ErrRateLimited) || b.tokens.Load() != before {
			t.Errorf("the server's token: %v, after %d more requests", err, b.tokens.Load()-before)
		}
		b.token = nil
		time.Sleep(2 * time.Minute)
		if err := ask(1); err != nil {
			t.Errorf("two minutes later: %v", err)
		}
	})
}

// TestTokenTimeout: calls that wait for the token get its error, and not that of
// their own deadline.
func TestTokenTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, c := inMemory(t, empty)
		b.delay = 5 * time.Minute
		start := time.Now()
		_, err := get(t.Context(), c)
		if !errors.Is(err, transport.ErrTokenTimeout) || errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 30*time.Second {
			t.Errorf("%v after %s", err, time.Since(start))
		}
		waiting := make(chan error)
		go func() { _, err := get(t.Context(), c); waiting <- err }()
		time.Sleep(time.Second)
		_ = c.Close()
		if err := <-waiting; !errors.Is(err, transport.ErrClosed) {
			t.Errorf("closed meanwhile: %v", err)
		}
		time.Sleep(10 * time.Minute) // the bank's goroutines end
	})
}

// TestMinLifeIsMetAfterWaiting: a call that needs a token for half an hour does not
// get a shorter one that another call found in the store.
func TestMinLifeIsMetAfterWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemoryStore()
		b := &bank{api: empty}
		clients := fleet(t, 2, b, store)
		req := transport.TokenRequest{Scope: transport.ScopeClient, UserID: "u"}
		if _, err := clients[0].Token(t.Context(), req); err != nil {
			t.Fatal(err)
		}
		store.each(func(key string, value []byte) {
			var s map[string]any
			if err := json.Unmarshal(value, &s); err != nil {
				t.Fatal(err)
			}
			s["fetched"], s["expires"] = time.Now().Add(-55*time.Minute), time.Now().Add(5*time.Minute)
			store.values[key], _ = json.Marshal(s)
		})
		store.slow = time.Second
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := clients[1].Token(t.Context(), req); err != nil {
				t.Error(err)
			}
		})
		time.Sleep(time.Millisecond)
		long := req
		long.MinLife = 30 * time.Minute
		token, err := clients[1].Token(t.Context(), long)
		if err != nil || time.Until(token.Expires()) < long.MinLife {
			t.Errorf("it lives for %s, %v", time.Until(token.Expires()), err)
		}
		wg.Wait()
	})
}

// TestRejectionOfAnEvictedToken: a user's rejected token is not loaded from the store
// again because its slot was evicted.
func TestRejectionOfAnEvictedToken(t *testing.T) {
	store := newMemoryStore()
	b := newBank(t, nil)
	var once sync.Once
	var c *transport.Client
	b.api = func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.Header.Get("Authorization"), "Bearer token-1-") {
			once.Do(func() {
				if _, err := c.Token(context.Background(), transport.TokenRequest{Scope: transport.ScopeClient, UserID: "other"}); err != nil {
					t.Error(err)
				}
			})
			problem(w, http.StatusUnauthorized, transport.CodeInvalidAuthorizationToken)
			return
		}
		empty(w, r)
	}
	c = b.client(t, transport.WithTokenStore(store), transport.WithTokenCacheSize(1))
	if err := c.Call(t.Context(), http.MethodGet, "/users/one", nil, nil, transport.WithScope(transport.ScopeClient)); err != nil {
		t.Error(err)
	}
}

// TestOutcomeStaysUnknown: if an attempt may have been executed, the outcome remains
// unknown when the next attempt gets no token.
func TestOutcomeStaysUnknown(t *testing.T) {
	b := newBank(t, nil)
	b.api = func(w http.ResponseWriter, _ *http.Request) {
		if b.calls.Load() == 1 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		b.token = failing(http.StatusInternalServerError)
		problem(w, http.StatusUnauthorized, transport.CodeInvalidAuthorizationToken)
	}
	c := b.client(t, fast)
	err := c.Do(t.Context(), transport.NewRequest(operation(transport.SafetyIdempotent)), nil)
	var token *transport.TokenError
	if !errors.Is(err, transport.ErrOutcomeUnknown) || !errors.As(err, &token) {
		t.Errorf("the error is %v", err)
	}
}
