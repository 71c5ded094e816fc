package faults

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/webhook"
)

// storeFault is a way in which a store that processes share can fail. Calls use it as a
// TokenStore, and deliveries as a SeenStore.
type storeFault int

const (
	storeWorks    storeFault = iota
	storeFails               // every method returns errStore
	storeHangs               // every method waits for its context to end
	storeConfused            // Load returns the value of another key
	storeHeld                // another process holds the lock or the claim
)

var errStore = errors.New("the store is unavailable")

// leaseLeft is how long the lock of a process that has died is still held.
const leaseLeft = 300 * time.Millisecond

// sharedStore is a store with a fault, which hits the first use of the store or all.
type sharedStore struct {
	kind    storeFault
	once    bool
	foreign []byte // the value of another key
	started sync.Once
	start   time.Time // first use of the lock
	lifted  atomic.Bool
	hits    atomic.Int64

	mu     sync.Mutex
	values map[string][]byte
	seen   webhook.Memory
}

func newSharedStore(t *testing.T, kind storeFault, once bool) *sharedStore {
	t.Helper()
	s := &sharedStore{kind: kind, once: once, values: map[string][]byte{}}
	if kind == storeConfused {
		s.foreign = foreignValue(t)
	}
	return s
}

// hit returns the error of a fault that concerns every method, and reports whether one
// that concerns a single method applies.
func (s *sharedStore) hit(ctx context.Context, kinds ...storeFault) (bool, error) {
	if s.lifted.Load() {
		return false, nil
	}
	for _, k := range append(kinds, storeFails, storeHangs) {
		if s.kind != k || s.hits.Add(1) > 1 && s.once {
			continue
		}
		switch k {
		case storeFails:
			return true, errStore
		case storeHangs:
			<-ctx.Done()
			return true, fmt.Errorf("%w: %w", errStore, ctx.Err())
		}
		return true, nil
	}
	return false, nil
}

// Load implements transport.TokenStore.
func (s *sharedStore) Load(ctx context.Context, key string) ([]byte, error) {
	if hit, err := s.hit(ctx, storeConfused); hit {
		return s.foreign, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.values[key], nil
}

// Save implements transport.TokenStore.
func (s *sharedStore) Save(ctx context.Context, key string, value []byte, _ time.Duration) error {
	if hit, err := s.hit(ctx); hit {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values[key] = value
	return nil
}

// Lock implements transport.TokenStore.
func (s *sharedStore) Lock(ctx context.Context, _ string, _ time.Duration) (func(), error) {
	s.started.Do(func() { s.start = time.Now() })
	if time.Since(s.start) < leaseLeft {
		if hit, err := s.hit(ctx, storeHeld); hit {
			return nil, err
		}
	} else if hit, err := s.hit(ctx); hit {
		return nil, err
	}
	return func() {}, nil // a cell has one process
}

// Begin implements webhook.SeenStore.
func (s *sharedStore) Begin(ctx context.Context, key string) (webhook.Progress, error) {
	if hit, err := s.hit(ctx, storeHeld); hit {
		return webhook.Busy, err
	}
	return s.seen.Begin(ctx, key)
}

// End implements webhook.SeenStore.
func (s *sharedStore) End(ctx context.Context, key string, handled bool) error {
	return s.seen.End(ctx, key, handled)
}

// foreignValue returns a value that a client with the same API key has stored under
// another key: it belongs to another base URL.
func foreignValue(t *testing.T) []byte {
	t.Helper()
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			_, _ = io.WriteString(w, `{"access_token":"`+canaryToken+`of-another-key","token_type":"Bearer","expires_in":3600}`)
			return
		}
		_, _ = io.WriteString(w, `{"type":"user","id":"u"}`)
	}))
	defer other.Close()
	store := newSharedStore(t, storeWorks, false)
	client, err := basiq.NewClient(basiq.WithAPIKey(canaryKey), basiq.WithBaseURL(other.URL), basiq.WithTokenStore(store))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := client.Core.Users.Get(context.Background(), "u"); err != nil {
		t.Fatal(err)
	}
	for _, value := range store.values {
		return value
	}
	t.Fatal("the client stored no token")
	return nil
}
