package transport_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/basiq-sdk/basiq-go/transport"
)

// memoryStore is a token store for the clients of one test.
type memoryStore struct {
	mu     sync.Mutex
	values map[string][]byte
	locks  map[string]time.Time
	broken error // of every operation
	slow   time.Duration
	ttl    time.Duration // of the last lock
}

func newMemoryStore() *memoryStore {
	return &memoryStore{values: map[string][]byte{}, locks: map[string]time.Time{}}
}

func (s *memoryStore) wait(ctx context.Context) error {
	select {
	case <-time.After(s.slow):
		return s.broken
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *memoryStore) Load(ctx context.Context, key string) ([]byte, error) {
	if err := s.wait(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.values[key], nil
}

func (s *memoryStore) Save(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if err := s.wait(ctx); err != nil {
		return err
	}
	if ttl <= 0 || ttl > time.Hour {
		return errors.New("odd time to live")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values[key] = value
	return nil
}

func (s *memoryStore) Lock(ctx context.Context, key string, ttl time.Duration) (func(), error) {
	if err := s.wait(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Now().Before(s.locks[key]) {
		return nil, nil
	}
	until := time.Now().Add(ttl)
	s.locks[key], s.ttl = until, ttl
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.locks[key].Equal(until) {
			delete(s.locks, key)
		}
	}, nil
}

// each calls f with every stored value under the lock, and counts them. f may replace
// and delete the value.
func (s *memoryStore) each(f func(key string, value []byte)) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, value := range s.values {
		f(key, value)
	}
	return len(s.values)
}

// fleet is several clients that share a store and a bank.
func fleet(t *testing.T, n int, b *bank, s transport.TokenStore, opts ...transport.ClientOption) []*transport.Client {
	clients := make([]*transport.Client, n)
	for i := range clients {
		clients[i] = newClient(t, b, append(opts, transport.WithTokenStore(s))...)
	}
	return clients
}

// TestStoreSharesTokens: a thousand processes request as many tokens as one.
func TestStoreSharesTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemoryStore()
		store.slow = time.Millisecond
		b := &bank{api: empty, strict: true, delay: 200 * time.Millisecond}
		b.current.Store("")
		clients := fleet(t, 1000, b, store)
		call := func(i int) error { return simpleGet(clients[i])(i) }
		round := func(want int64) {
			t.Helper()
			for _, err := range herd(len(clients), call) {
				if err != nil {
					t.Fatal(err)
				}
			}
			synctest.Wait()
			if n := b.tokens.Load(); n != want {
				t.Fatalf("%d token requests, want %d", n, want)
			}
		}
		round(1) // all of them cold
		b.current.Store("revoked")
		round(2)
		for range 3 * 60 { // three hours
			time.Sleep(time.Minute)
			for _, err := range herd(len(clients)/20, call) {
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		time.Sleep(time.Minute)
		if n := b.tokens.Load(); n < 7 || n > 12 {
			t.Errorf("%d token requests in three hours", n)
		}
		n := store.each(func(key string, value []byte) {
			if !strings.HasPrefix(key, "basiq-token:") || strings.Contains(key+string(value), "the-key") {
				t.Errorf("the store holds %s", key)
			}
		})
		if n != 1 {
			t.Errorf("the store holds %d tokens, want one for all", n)
		}
	})
}

// TestStoreFailures: a store that fails, is slow, or returns invalid values does not
// fail calls, and is reported.
func TestStoreFailures(t *testing.T) {
	for name, spoil := range map[string]func(*memoryStore){
		"broken": func(s *memoryStore) { s.broken = errors.New("down") },
		"slow":   func(s *memoryStore) { s.slow = time.Hour },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := newMemoryStore()
				spoil(store)
				var reported atomic.Int64
				b := &bank{api: empty}
				clients := fleet(t, 3, b, store, transport.WithObserver(transport.Observer{
					StoreFailure: func(context.Context, string, error) { reported.Add(1) },
				}))
				for i, c := range clients {
					if err := simpleGet(c)(i); err != nil {
						t.Error(err)
					}
				}
				if b.tokens.Load() != 3 || reported.Load() == 0 {
					t.Errorf("%d token requests, %d failures reported", b.tokens.Load(), reported.Load())
				}
			})
		})
	}
}

// TestInvalidStoredTokensAreIgnored: a stored value that is not a valid token is
// replaced.
func TestInvalidStoredTokensAreIgnored(t *testing.T) {
	for _, value := range []string{``, `null`, `{`, `[]`, `{"token":"a b","expires":"2999-01-01T00:00:00Z"}`, `{"token":"","expires":"2999-01-01T00:00:00Z"}`, `{"token":"old","expires":"1999-01-01T00:00:00Z"}`} {
		synctest.Test(t, func(t *testing.T) {
			store := newMemoryStore()
			b := &bank{api: empty, strict: true}
			clients := fleet(t, 2, b, store)
			if err := simpleGet(clients[0])(0); err != nil {
				t.Fatal(err)
			}
			store.each(func(key string, _ []byte) { store.values[key] = []byte(value) })
			if err := simpleGet(clients[1])(0); err != nil || b.tokens.Load() != 2 {
				t.Errorf("%s: %v after %d token requests", value, err, b.tokens.Load())
			}
		})
	}
}

// TestExpiredStoreLock: a process that dies while it holds the lock delays others
// until the lock expires, and fails none of them.
func TestExpiredStoreLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemoryStore()
		b := &bank{api: empty}
		clients := fleet(t, 20, b, store)
		if err := simpleGet(clients[0])(0); err != nil {
			t.Fatal(err)
		}
		store.each(func(key string, _ []byte) {
			delete(store.values, key)
			store.locks[key] = time.Now().Add(store.ttl)
		})
		begin, ttl := time.Now(), store.ttl
		var wg sync.WaitGroup
		for i, c := range clients[1:] {
			wg.Go(func() {
				if err := simpleGet(c)(i); err != nil || time.Since(begin) < ttl || time.Since(begin) > ttl+time.Second {
					t.Errorf("%v after %s, with a lock of %s", err, time.Since(begin), ttl)
				}
			})
		}
		wg.Wait()
		if n := b.tokens.Load(); n != 2 {
			t.Errorf("%d token requests, want one before and one after", n)
		}
	})
}

// TestStoreSeparatesTokens: users, keys and base URLs do not share tokens.
func TestStoreSeparatesTokens(t *testing.T) {
	store := newMemoryStore()
	b := &bank{api: empty, token: func(w http.ResponseWriter, r *http.Request) bool {
		_, _ = w.Write([]byte(`{"access_token":"` + strings.ReplaceAll(r.Header.Get("Authorization"), " ", "-") + r.FormValue("userId") + r.Host + `"}`))
		return true
	}}
	for _, opts := range [][]transport.ClientOption{
		nil,
		{transport.WithAPIKey("other-key")},
		{transport.WithBaseURL("https://example.com")},
	} {
		c := fleet(t, 1, b, store, opts...)[0]
		for _, user := range []string{"", "a", "b"} {
			req := transport.TokenRequest{}
			if user != "" {
				req = transport.TokenRequest{Scope: transport.ScopeClient, UserID: user}
			}
			if _, err := c.Token(context.Background(), req); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := store.each(func(string, []byte) {}); b.tokens.Load() != 9 || n != 9 {
		t.Errorf("%d token requests, %d tokens stored, want 9 of each", b.tokens.Load(), n)
	}
}

// TestStoreSeparatesVersions: a token belongs to the API version of its request, and
// is not used for calls of another version.
func TestStoreSeparatesVersions(t *testing.T) {
	b := newBank(t, nil)
	store := newMemoryStore()
	for _, opts := range [][]transport.ClientOption{nil, {transport.WithHeader("basiq-version", "2.1")}} {
		c, err := transport.New(append(opts, transport.WithBaseURL(b.URL), transport.WithAPIKey("the-key"), transport.WithTokenSource(transport.StaticToken("a-token")), transport.WithTokenStore(store))...)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Token(t.Context(), transport.TokenRequest{Scope: transport.ScopeServer}); err != nil {
			t.Fatal(err)
		}
		_ = c.Close()
	}
	if n := store.each(func(string, []byte) {}); n != 2 {
		t.Errorf("%d tokens are stored, want one for each version", n)
	}
}

// TestStoreNeedsAKey: the tokens of a token source do not say to which application
// they belong. Without a key, an application could get another's tokens from the
// store.
func TestStoreNeedsAKey(t *testing.T) {
	b := newBank(t, nil)
	opts := []transport.ClientOption{transport.WithBaseURL(b.URL), transport.WithTokenSource(transport.StaticToken("a-token")), transport.WithTokenStore(newMemoryStore())}
	if _, err := transport.New(opts...); err == nil || !strings.Contains(err.Error(), "WithTokenStore requires WithAPIKey") {
		t.Errorf("a store without a key: %v", err)
	}
	c, err := transport.New(append(opts, transport.WithAPIKey("the-key"))...)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
}

// TestStoredTokensAreNotUsedToTheEnd checks that a stored token with ten seconds left is
// replaced.
func TestStoredTokensAreNotUsedToTheEnd(t *testing.T) {
	for left, want := range map[time.Duration]int64{10 * time.Second: 2, 11 * time.Second: 1} {
		synctest.Test(t, func(t *testing.T) {
			b := &bank{api: empty}
			clients := fleet(t, 2, b, newMemoryStore())
			if err := simpleGet(clients[0])(0); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour - left)
			if err := simpleGet(clients[1])(1); err != nil || b.tokens.Load() != want {
				t.Errorf("%s before it expires: %v, %d token requests, want %d", left, err, b.tokens.Load(), want)
			}
		})
	}
}

// unsaved is a store whose Save fails.
type unsaved struct{ *memoryStore }

func (unsaved) Save(context.Context, string, []byte, time.Duration) error { return errors.New("full") }

// TestFailedSavesAreReported checks that a save that fails is reported, and that one that
// succeeds is not.
func TestFailedSavesAreReported(t *testing.T) {
	for _, c := range []struct {
		store transport.TokenStore
		want  string
	}{{newMemoryStore(), ""}, {unsaved{newMemoryStore()}, "save"}} {
		got := ""
		clients := fleet(t, 1, &bank{api: empty}, c.store, transport.WithObserver(transport.Observer{
			StoreFailure: func(_ context.Context, step string, _ error) { got += step },
		}))
		if err := simpleGet(clients[0])(0); err != nil || got != c.want {
			t.Errorf("%v, reported %q, want %q", err, got, c.want)
		}
	}
}

// countingStore counts loads.
type countingStore struct {
	*memoryStore
	loads atomic.Int64
}

func (s *countingStore) Load(ctx context.Context, key string) ([]byte, error) {
	s.loads.Add(1)
	return s.memoryStore.Load(ctx, key)
}

// TestWaitingProcessesPollTheStore checks that a process that waits for another's token
// looks for it five times a second.
func TestWaitingProcessesPollTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &countingStore{memoryStore: newMemoryStore()}
		b := &bank{api: empty, delay: 10 * time.Second}
		clients := fleet(t, 2, b, store)
		herd(2, func(i int) error { return simpleGet(clients[i])(i) })
		if n := store.loads.Load(); n < 40 || n > 70 {
			t.Errorf("%d loads in ten seconds, want about fifty", n)
		}
	})
}
