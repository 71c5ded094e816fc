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

// tokenKey is what a token is kept under.
type tokenKey struct {
	scope  Scope
	userID string
}

func keyOf(s Scope, userID string) tokenKey {
	if s == ScopeClient {
		return tokenKey{ScopeClient, userID}
	}
	return tokenKey{scope: ScopeServer}
}

// maxBarren is how many tokens may be refused in a row without having worked.
const maxBarren = 10

// tokenLimits are what can be told about tokens.
type tokenLimits struct {
	refreshAge time.Duration // of a token that lives for an hour
	users      int
}

func defaultTokenLimits() tokenLimits { return tokenLimits{refreshAge: 25 * time.Minute, users: 1000} }

// heldToken is a token with its times. It does not change, but for worked.
type heldToken struct {
	token     Token
	header    func() []string // value of the Authorization header, behind a closure
	fetched   time.Time
	refreshAt time.Time // from then on the next one is got in the background
	until     time.Time // from then on it is not used
	barren    int       // tokens before it, in a row, that were refused without having worked
	confined  error     // why a user's token must not leave the server, nil if it may
	worked    atomic.Bool
	anyDenied atomic.Bool

	// denied says by operation when it refused this token as it had refused the
	// one before. It is no sync.Map, which would be compiled into every package
	// that knows of a Client.
	mu     sync.Mutex
	denied map[string]time.Time
}

// denialOf names an operation; those of Client.Call have one ID.
func denialOf(op *Operation) string { return op.ID + " " + op.Path }

// deny notes that an operation refuses this token as it refused the one before,
// though it is fresh: it is not the token that the operation minds.
func (h *heldToken) deny(op *Operation) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.denied == nil {
		h.denied = map[string]time.Time{}
	}
	h.denied[denialOf(op)] = time.Now()
	h.anyDenied.Store(true)
}

// allow takes that back when the operation takes the token after all.
func (h *heldToken) allow(op *Operation) {
	if !h.anyDenied.Load() {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.denied, denialOf(op))
}

// deniedBy tells whether that was the case just now.
func (h *heldToken) deniedBy(op *Operation) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	at, ok := h.denied[denialOf(op)]
	return ok && time.Since(at) < tokenFloor
}

// tokenCache keeps tokens: one for the server, and one for each of the users
// most recently asked for.
type tokenCache struct {
	client *Client
	source TokenSource
	store  TokenStore
	limits tokenLimits

	ctx    context.Context // of the flights; ends with Close
	cancel context.CancelFunc
	wg     sync.WaitGroup

	turns chan struct{} // held by users' tokens that are asked for

	mu      sync.Mutex
	closed  bool
	quiet   time.Time // until then nothing is asked for, as there were too many requests
	refusal error     // what said so
	server  tokenSlot
	users   map[tokenKey]*list.Element // of *tokenSlot
	recent  *list.List                 // the slots in users, the one used last in front
}

// tokenSlot is the state of one token. Whoever finds no good token starts a
// flight, and all others wait for it, each until its own deadline.
type tokenSlot struct {
	key      tokenKey
	held     *heldToken
	shared   bool  // tokens are handed out, not used for calls alone
	rejected Token // refused by the API, and not replaced yet
	barren   int   // of the token that comes next
	flight   *flight
	err      error     // of the last flight
	failures int       // flights that failed in a row
	hold     time.Time // until then the error answers for a further flight
	pause    time.Time // until then nothing is got in the background
}

func newTokenCache(c *Client, source TokenSource, store TokenStore, limits tokenLimits) *tokenCache {
	t := &tokenCache{
		client: c, source: source, store: store, limits: limits,
		server: tokenSlot{key: tokenKey{scope: ScopeServer}},
		users:  map[tokenKey]*list.Element{}, recent: list.New(), turns: make(chan struct{}, maxTurns),
	}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	return t
}

// get returns a token that is good now, and for minLife if tokens live so long.
func (t *tokenCache) get(ctx context.Context, key tokenKey, minLife time.Duration) (*heldToken, error) {
	for again := false; ; again = true {
		held, f, err := t.look(key, minLife)
		if held != nil || err != nil {
			return held, err
		}
		select {
		case <-f.done:
			// A flight that nobody was meant to wait for failed: it was not
			// retried, so that this caller's own flight is worth a try.
			if f.err != nil && f.background {
				continue
			}
			// Nor is a flight for a shorter life, which may have found a token of
			// another process.
			if f.err == nil && !again && f.held.endsWithin(minLife, t.client.Now()) {
				continue
			}
			return f.held, f.err
		case <-ctx.Done():
			return nil, &TokenError{Scope: key.scope, Err: fmt.Errorf("waiting for it: %w", ContextError(ctx))}
		}
	}
}

// look returns a good token, or a flight to wait for, or the error that stands
// for one.
func (t *tokenCache) look(key tokenKey, minLife time.Duration) (*heldToken, *flight, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, nil, ErrClosed
	}
	slot, now := t.slot(key), time.Now()
	if held, at := slot.held, t.client.Now(); held != nil && at.Before(held.until) && !held.endsWithin(minLife, at) {
		if at.After(held.refreshAt) && slot.flight == nil && now.After(slot.pause) && now.After(t.quiet) {
			t.start(slot, true, 0)
		}
		return held, nil, nil
	}
	if slot.flight == nil {
		if now.Before(slot.hold) {
			return nil, nil, slot.err
		}
		if now.Before(t.quiet) { // the limit is of the application, whoever the user is
			return nil, nil, &TokenError{Scope: key.scope, Err: t.refusal}
		}
		t.start(slot, false, minLife)
	}
	return nil, slot.flight, nil
}

// share has the next token of a key compared with the server's.
func (t *tokenCache) share(key tokenKey) {
	if key.scope == ScopeClient {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.slot(key).shared = true
	}
}

// mayLeave says why a user's token must not be handed out, nil if it may be. One
// that must not is forgotten: the source may know better the next time.
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

// endsWithin tells whether the token lives no longer than minLife although a
// new one would.
func (h *heldToken) endsWithin(minLife time.Duration, now time.Time) bool {
	return h.until.Sub(now) < minLife && h.until.Sub(h.fetched) > minLife
}

// slot finds or makes the slot of a key, and drops the one that was not used
// for longest when there are too many.
func (t *tokenCache) slot(key tokenKey) *tokenSlot {
	if key.scope != ScopeClient {
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

// reject says that the API refused a token, and tells whether another try may
// go better. Only the token that is held now is dropped: a late refusal of one
// that was replaced drops nothing. When one replacement after another is
// refused without having worked once, tokens are not at fault, and the last of
// them stays for a minute.
func (t *tokenCache) reject(key tokenKey, held *heldToken) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	slot := t.slot(key)
	if slot.held != held {
		if slot.held == nil && slot.flight == nil { // it was dropped to make room
			slot.rejected = held.token
		}
		return true
	}
	barren := 0
	if !held.worked.Load() {
		barren = held.barren + 1
	}
	if barren > maxBarren && t.client.Now().Sub(held.fetched) < tokenFloor {
		return false
	}
	slot.barren = barren
	slot.held, slot.rejected = nil, held.token
	return true
}

// hold makes a token ready for use.
func (t *tokenCache) hold(token Token, fetched time.Time) (*heldToken, error) {
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

// bearer tells whether a text can stand after "Bearer ".
func bearer(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// close ends the flights and waits for them; not for ever, as a token source
// may not heed its context.
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
