package transport

import (
	"container/list"
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// tokenKey is the key of a cached token.
type tokenKey struct {
	scope  Scope
	userID string
}

func keyOf(s Scope, userID string) tokenKey {
	if s == ScopeClient {
		return tokenKey{ScopeClient, userID}
	}
	if s == ScopeDeclared {
		return tokenKey{scope: ScopeDeclared}
	}
	return tokenKey{scope: ScopeServer}
}

// maxConsecutiveRejections is how many consecutive tokens may be rejected without having
// worked before the last of them is kept.
const maxConsecutiveRejections = 10

// tokenLimits are the options for tokens.
type tokenLimits struct {
	refreshAge time.Duration // of a token with a lifetime of one hour
	users      int
}

func defaultTokenLimits() tokenLimits { return tokenLimits{refreshAge: 25 * time.Minute, users: 1000} }

// heldToken is a cached token. Only worked and the denials change.
type heldToken struct {
	token                 Token
	header                func() []string // value of the Authorization header, behind a closure
	fetched               time.Time
	refreshAt             time.Time // from then on, a call refreshes it in the background
	until                 time.Time // from then on, it is not used
	consecutiveRejections int       // consecutive tokens before it that were rejected without having worked
	confined              error     // why a user's token must not leave the server; nil if it may
	worked                atomic.Bool
	anyDenied             atomic.Bool

	// denied holds, by operation, when it rejected this token after it had rejected
	// the one before. It is not a sync.Map, which would be compiled into every package
	// that uses a Client.
	mu     sync.Mutex
	denied map[string]time.Time
}

// denialOf returns the key of an operation in denied. All operations of Client.Call have
// the same ID.
func denialOf(op *Operation) string { return op.ID + " " + op.Path }

// deny records that an operation rejected this new token after it had rejected the one
// before: the token is not the reason.
func (h *heldToken) deny(op *Operation) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.denied == nil {
		h.denied = map[string]time.Time{}
	}
	h.denied[denialOf(op)] = time.Now()
	h.anyDenied.Store(true)
}

// allow undoes deny after the operation has accepted the token.
func (h *heldToken) allow(op *Operation) {
	if !h.anyDenied.Load() {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.denied, denialOf(op))
}

// deniedBy reports whether deny was called for the operation within the last minute.
func (h *heldToken) deniedBy(op *Operation) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	at, ok := h.denied[denialOf(op)]
	return ok && time.Since(at) < tokenFloor
}

// tokenCache caches the SERVER_ACCESS token, and those of the most recently used users.
type tokenCache struct {
	client *Client
	source TokenSource
	store  TokenStore
	limits tokenLimits

	ctx    context.Context // of the flights; Close cancels it
	cancel context.CancelFunc
	wg     sync.WaitGroup

	slots chan struct{} // one is held by each request for a user's token

	mu             sync.Mutex
	closed         bool
	throttledUntil time.Time // until then, no tokens are requested: the API rate-limited a token request
	throttleErr    error     // the response that said so
	server         tokenSlot
	declared       tokenSlot                  // of ScopeDeclared
	users          map[tokenKey]*list.Element // of *tokenSlot
	recent         *list.List                 // the slots in users, most recently used first
}

// tokenSlot is the state of one token. A call that finds no valid token starts a flight,
// and all other calls wait for it, each until its own deadline.
type tokenSlot struct {
	key                   tokenKey
	held                  *heldToken
	shared                bool  // tokens may be passed on, not only used for API calls
	rejected              Token // rejected by the API, and not replaced yet
	consecutiveRejections int   // of the next token
	flight                *flight
	err                   error     // of the last flight
	failures              int       // consecutive failed flights
	negativeCacheUntil    time.Time // until then, calls fail with err and start no flight
	refreshPausedUntil    time.Time // until then, there is no refresh in the background
}

func newTokenCache(c *Client, source TokenSource, store TokenStore, limits tokenLimits) *tokenCache {
	t := &tokenCache{
		client: c, source: source, store: store, limits: limits,
		server:   tokenSlot{key: tokenKey{scope: ScopeServer}},
		declared: tokenSlot{key: tokenKey{scope: ScopeDeclared}},
		users:    map[tokenKey]*list.Element{}, recent: list.New(), slots: make(chan struct{}, maxConcurrentFetches),
	}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	return t
}

// get returns a valid token, which remains valid for minLife if tokens live that long. It
// adds the time for which it waited to w.
func (t *tokenCache) get(ctx context.Context, key tokenKey, minLife time.Duration, w *tokenWait) (*heldToken, error) {
	for again := false; ; again = true {
		held, f, err := t.lookup(ctx, key, minLife)
		if held != nil || err != nil {
			return held, err
		}
		start := time.Now()
		select {
		case <-f.done:
			w.add(f, start)
			// A background refresh is not retried when it fails, so this caller
			// starts a flight of its own.
			if f.err != nil && f.background {
				continue
			}
			// The flight may have been started for a shorter minLife, and have
			// found another process's token.
			if f.err == nil && !again && f.held.endsWithin(minLife, t.client.Now()) {
				continue
			}
			return f.held, f.err
		case <-ctx.Done():
			w.add(f, start)
			return nil, &TokenError{Scope: key.scope, Err: fmt.Errorf("waiting for the token: %w", ContextError(ctx))}
		}
	}
}

// lookup returns a valid token, or a flight to wait for, or the cached error of the last
// flight. A flight that it starts gets the values of ctx.
func (t *tokenCache) lookup(ctx context.Context, key tokenKey, minLife time.Duration) (*heldToken, *flight, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, nil, ErrClosed
	}
	slot, now := t.slot(key), time.Now()
	if held, at := slot.held, t.client.Now(); held != nil && at.Before(held.until) && !held.endsWithin(minLife, at) {
		if at.After(held.refreshAt) && slot.flight == nil && now.After(slot.refreshPausedUntil) && now.After(t.throttledUntil) {
			t.start(ctx, slot, true, 0)
		}
		return held, nil, nil
	}
	if slot.flight == nil {
		if now.Before(slot.negativeCacheUntil) {
			return nil, nil, slot.err
		}
		if now.Before(t.throttledUntil) { // the rate limit is per application, not per user
			return nil, nil, &TokenError{Scope: key.scope, Err: t.throttleErr}
		}
		t.start(ctx, slot, false, minLife)
	}
	return nil, slot.flight, nil
}

// share causes the next token for the key to be compared with the SERVER_ACCESS token.
func (t *tokenCache) share(key tokenKey) {
	if key.scope == ScopeClient {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.slot(key).shared = true
	}
}

// mayLeave returns nil if a user's token may leave the server, and otherwise the reason
// why not. It then also discards the token, because the source may return a different
// one next time.
func (t *tokenCache) mayLeave(key tokenKey, held *heldToken) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if key.scope != ScopeClient {
		return nil
	}
	why := held.confined
	if server := t.server.held; server != nil && server.token.Reveal() == held.token.Reveal() {
		why = errServers
	}
	if slot := t.slot(key); why != nil && slot.held == held {
		slot.held = nil
	}
	return why
}

// endsWithin reports whether the token expires within minLife, although a new one would
// not.
func (h *heldToken) endsWithin(minLife time.Duration, now time.Time) bool {
	return h.until.Sub(now) < minLife && h.until.Sub(h.fetched) > minLife
}

// slot returns the slot of a key. If it creates one and there are too many, it evicts the
// least recently used.
func (t *tokenCache) slot(key tokenKey) *tokenSlot {
	switch key.scope {
	case ScopeClient:
	case ScopeDeclared:
		return &t.declared
	default:
		return &t.server
	}
	if e := t.users[key]; e != nil {
		t.recent.MoveToFront(e)
		return e.Value.(*tokenSlot)
	}
	for len(t.users) >= t.limits.users {
		last := t.recent.Back()
		delete(t.users, last.Value.(*tokenSlot).key)
		t.recent.Remove(last)
	}
	s := &tokenSlot{key: key}
	t.users[key] = t.recent.PushFront(s)
	return s
}

// reject records that the API rejected a token, and reports whether the call should be
// sent again with a new one. Only the cached token is dropped: a late rejection of a
// replaced token has no effect. If many consecutive tokens are rejected without having
// worked, tokens are not the reason, and the last one is kept for a minute.
func (t *tokenCache) reject(key tokenKey, held *heldToken) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	slot := t.slot(key)
	if slot.held != held {
		if slot.held == nil && slot.flight == nil { // the slot was evicted
			slot.rejected = held.token
		}
		return true
	}
	rejections := 0
	if !held.worked.Load() {
		rejections = held.consecutiveRejections + 1
	}
	if rejections > maxConsecutiveRejections && t.client.Now().Sub(held.fetched) < tokenFloor {
		return false
	}
	slot.consecutiveRejections = rejections
	slot.held, slot.rejected = nil, held.token
	return true
}

// newHeldToken validates a token, and returns it with its times.
func (t *tokenCache) newHeldToken(token Token, fetched time.Time) (*heldToken, error) {
	text, now := token.Reveal(), t.client.Now()
	if text == "" || len(text) > maxTokenSize || !bearer(text) {
		return nil, ErrBadToken
	}
	expires := token.Expires()
	if expires.IsZero() {
		expires = fetched.Add(tokenLifetime)
	}
	left := expires.Sub(now)
	if left <= 0 {
		return nil, fmt.Errorf("%w: it has expired", ErrBadToken)
	}
	left = min(left, tokenLongest)
	life := max(left, expires.Sub(fetched))
	age := time.Duration(float64(t.limits.refreshAge) * life.Hours() * (0.9 + 0.2*rand.Float64()))
	header := []string{"Bearer " + text}
	return &heldToken{
		token: token, header: func() []string { return header }, fetched: fetched,
		refreshAt: fetched.Add(max(age, tokenFloor)),
		until:     now.Add(max(left-tokenLeeway, min(left, tokenFloor))),
	}, nil
}

// bearer reports whether a text is valid after "Bearer ".
func bearer(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// close cancels the flights and waits for them. The wait is limited, because a token
// source may not respect its context.
func (t *tokenCache) close() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.cancel()
	done := make(chan struct{})
	go func() {
		t.wg.Wait()
		close(done)
	}()
	limit := time.NewTimer(closeLimit)
	defer limit.Stop()
	select {
	case <-done:
	case <-limit.C:
	}
}

const closeLimit = 5 * time.Second
