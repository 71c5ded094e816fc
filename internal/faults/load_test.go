package faults

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/transport"
)

// raced is set if the race detector is on, which makes the tests ten times slower.
var raced bool

// loadAPI is a fake API for load tests. It responds to every call with the requested
// user, fails one call in twenty, and lets its token expire.
type loadAPI struct {
	*httptest.Server
	seed   uint64
	expire []int64 // the token expires after these numbers of successful calls
	down   atomic.Bool
	tokens atomic.Int64
	sends  atomic.Int64
	served atomic.Int64
	faults atomic.Int64
	good   atomic.Int64 // the number of the valid token; 0 if none is

	mu   sync.Mutex
	done map[string]int // users created, by email address
	seen map[string]uint64
}

func newLoadAPI(t *testing.T, expire ...int64) *loadAPI {
	b := &loadAPI{seed: 1, expire: expire, done: map[string]int{}, seen: map[string]uint64{}}
	b.Server = httptest.NewServer(b)
	t.Cleanup(b.Close)
	return b
}

func (b *loadAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/token" {
		n := b.tokens.Add(1)
		b.good.Store(n)
		fmt.Fprintf(w, `{"access_token":"token-%d","token_type":"Bearer","expires_in":3600}`, n)
		return
	}
	b.sends.Add(1)
	body, _ := io.ReadAll(r.Body)
	if b.down.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if r.Header.Get("Authorization") != fmt.Sprint("Bearer token-", b.good.Load()) {
		problem(w, http.StatusForbidden, "access-denied")
		return
	}
	id := strings.TrimPrefix(r.URL.Path, "/users/")
	if r.Method == http.MethodPost {
		_, id, _ = strings.Cut(string(body), `"email":"`)
		id, _, _ = strings.Cut(id, `"`)
	}
	b.mu.Lock()
	b.seen[id]++
	draw := rand.New(rand.NewPCG(b.seed, b.seen[id]<<32|hash(id)))
	fails := draw.IntN(20) == 0
	kind := draw.IntN(6)
	if r.Method == http.MethodPost && (!fails || kind > 1) {
		b.done[id]++
	}
	b.mu.Unlock()
	response := fmt.Sprintf(`{"type":"user","id":%q,"email":%q}`, id, id)
	if fails {
		b.faults.Add(1)
		switch kind {
		case 0:
			w.WriteHeader(http.StatusTooManyRequests)
		case 1:
			w.WriteHeader(http.StatusServiceUnavailable)
		case 2:
			w.WriteHeader(http.StatusInternalServerError)
		case 3:
			if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
				reset(conn)
			}
		case 4:
			w.Header().Set("Content-Length", fmt.Sprint(len(response)))
			_, _ = io.WriteString(w, response[:len(response)/2])
		case 5:
			_, _ = io.WriteString(w, response[:len(response)/2])
		}
		return
	}
	if slices.Contains(b.expire, b.served.Add(1)) {
		b.good.Store(0)
	}
	_, _ = io.WriteString(w, response)
}

func hash(s string) (h uint64) {
	for i := range len(s) {
		h = h*31 + uint64(s[i])
	}
	return h & (1<<32 - 1)
}

// client returns a client of the fake API.
func (b *loadAPI) client(t *testing.T, opts ...transport.ClientOption) *basiq.Client {
	t.Helper()
	tr := &http.Transport{MaxConnsPerHost: 100, MaxIdleConnsPerHost: 100}
	t.Cleanup(tr.CloseIdleConnections)
	c, err := basiq.NewClient(append([]transport.ClientOption{
		basiq.WithAPIKey(canaryKey), basiq.WithBaseURL(b.URL), transport.WithHTTPClient(&http.Client{Transport: tr}),
		transport.WithRetryPolicy(transport.RetryPolicy{BaseDelay: 10 * time.Millisecond}),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Transport.Close() })
	return c
}

// callAll makes n concurrent calls, one in ten of which is a create that must not be
// executed twice. It returns how many of them failed.
func (b *loadAPI) callAll(t *testing.T, c *basiq.Client, round, n int) (failed int) {
	t.Helper()
	var failures atomic.Int64
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			id := fmt.Sprintf("u-%d-%d", round, i)
			var user *core.User
			var err error
			if i%10 == 9 {
				user, err = c.Core.Users.Create(context.Background(), core.CreateUserParams{Email: id})
			} else {
				user, err = c.Core.Users.Get(context.Background(), id)
			}
			if err == nil {
				if user.ID != id || user.Email != id {
					t.Errorf("the call for %s got the response for %s, %s", id, user.ID, user.Email)
				}
				return
			}
			failures.Add(1)
			var (
				api    *transport.Error
				lost   *transport.SendError
				decode *transport.DecodeError
			)
			if !errors.As(err, &api) && !errors.As(err, &lost) && !errors.As(err, &decode) {
				t.Errorf("%s: an error of an undocumented type: %v", id, err)
			}
			b.mu.Lock()
			defer b.mu.Unlock()
			if b.done[id] > 0 && !errors.Is(err, transport.ErrOutcomeUnknown) && decode == nil {
				t.Errorf("%s was created, but the error does not match ErrOutcomeUnknown: %v", id, err)
			}
		})
	}
	wg.Wait()
	return int(failures.Load())
}

func heap() uint64 {
	runtime.GC()
	runtime.GC() // the first run clears sync.Pools only partly
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestLoad makes 10,000 concurrent calls while the token expires and one response in
// twenty is faulty. Every call gets its own response or a typed error. An expiry
// costs one token request, nothing is created twice, and memory does not grow.
func TestLoad(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	n := 10_000
	if raced {
		n = 2000
	}
	b := newLoadAPI(t, int64(n/3), int64(n+n/8))
	c := b.client(t)
	start := time.Now()
	failed := b.callAll(t, c, 1, n)
	took := time.Since(start)
	if got := b.tokens.Load(); got != 2 {
		t.Errorf("%d token requests, want one for the start and one for the expiry", got)
	}
	if b.faults.Load() < int64(n/40) {
		t.Errorf("only %d faults", b.faults.Load())
	}
	// One fault in six is an unreadable response, which is not retried. A create
	// fails at its first fault.
	if failed == 0 || failed > n/40 {
		t.Errorf("%d of %d calls failed after %d faults", failed, n, b.faults.Load())
	}
	b.mu.Lock()
	for id, times := range b.done {
		if times > 1 {
			t.Errorf("%s was created %d times", id, times)
		}
	}
	clear(b.done)
	clear(b.seen)
	b.mu.Unlock()
	t.Logf("%d calls, %d requests, %d faults, %d failures in %s", n, b.sends.Load(), b.faults.Load(), failed, took)

	before := heap()
	for round := range 3 {
		b.callAll(t, c, 2+round, n/4)
		b.mu.Lock()
		clear(b.done)
		clear(b.seen)
		b.mu.Unlock()
	}
	if after := heap(); after > before+4<<20 {
		t.Errorf("the heap grew from %d to %d bytes", before, after)
	} else {
		t.Logf("the heap had %d bytes before and %d after", before, after)
	}
	if got := b.tokens.Load(); got != 3 {
		t.Errorf("%d token requests after another expiry, want 3", got)
	}
}

// TestLoadDeadServer: if every request fails, at most 10% more requests are sent than
// calls are made.
func TestLoadDeadServer(t *testing.T) {
	n := 10_000
	if testing.Short() || raced {
		n = 1000
	}
	b := newLoadAPI(t)
	b.down.Store(true)
	c := b.client(t)
	if failed := b.callAll(t, c, 1, n); failed != n {
		t.Errorf("%d of %d calls failed", failed, n)
	}
	sends := int(b.sends.Load())
	if sends > n+n/10 || sends < n {
		t.Errorf("%d requests for %d calls, want at most 10%% more", sends, n)
	}
	// The retry budget limits the requests, and the error says so.
	_, err := c.Core.Users.Get(context.Background(), "u")
	if !errors.Is(err, transport.ErrRetryBudget) || !errors.Is(err, transport.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	t.Logf("%d requests for %d calls", sends, n)
}
