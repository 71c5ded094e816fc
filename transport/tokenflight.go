package transport

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// flight is one request for a token, which all calls share. It runs in its own goroutine:
// the call that started it may end, and a failure or panic becomes its error.
type flight struct {
	background bool // it was started to refresh a token, and no call waited for it
	done       chan struct{}
	once       sync.Once
	observed   atomic.Pointer[context.Context] // of the call that requests the token, if it is observed

	// Written before done is closed.
	held *heldToken
	err  error
}

// Times of flights.
const (
	flightLimit    = 30 * time.Second // the longest flight
	flightPause    = 30 * time.Second // without a refresh, after one has failed
	rejectionTTL   = 5 * time.Second  // for which a rejection is cached
	throttleTTL    = time.Minute      // the same for a rate limit
	maxNegativeTTL = 5 * time.Minute
)

// start starts a flight for a call with the context ctx. The flight has the values of that
// context, such as the trace, but does not end with it: other calls wait for the flight,
// too. The caller holds the cache's lock.
func (t *tokenCache) start(ctx context.Context, slot *tokenSlot, background bool, minLife time.Duration) {
	f := &flight{background: background, done: make(chan struct{})}
	slot.flight = f
	req := TokenRequest{Scope: slot.key.scope, UserID: slot.key.userID, Rejected: slot.rejected, MinLife: minLife, background: background, shared: slot.shared, flight: f}
	ctx = context.WithoutCancel(ctx)
	t.wg.Add(1)
	go func() {
		defer t.wg.Done()
		t.run(ctx, slot, f, req)
	}()
}

// run gets the token and finishes the flight within flightLimit, whatever happens: even
// if the source does not respect its context.
func (t *tokenCache) run(ctx context.Context, slot *tokenSlot, f *flight, req TokenRequest) {
	ctx, cancel := context.WithTimeout(ctx, flightLimit)
	defer cancel()
	defer context.AfterFunc(t.ctx, cancel)()
	var held *heldToken
	err := errors.New("the token source or an observer called runtime.Goexit")
	// ended returns the error of a flight whose context has ended. It is not a
	// caller's context.
	ended := func() error {
		if t.ctx.Err() != nil {
			return ErrClosed
		}
		return ErrTokenTimeout
	}
	stop := context.AfterFunc(ctx, func() { t.finish(slot, f, nil, ended()) })
	defer stop()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the token source or an observer panicked with a %T", p)
		}
		if err != nil && ctx.Err() != nil {
			err = ended()
		}
		t.finish(slot, f, held, err)
	}()
	held, err = t.fetch(ctx, req)
}

// maxConcurrentFetches is how many users' tokens are requested at a time. It limits the
// requests that are in flight when the API starts to rate-limit them.
const maxConcurrentFetches = 16

// acquireSlot waits until another user's token may be requested. release must be called
// after the request.
func (t *tokenCache) acquireSlot(ctx context.Context) (release func(), err error) {
	select {
	case t.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ContextError(ctx)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if time.Now().Before(t.throttledUntil) {
		<-t.slots
		return nil, t.throttleErr
	}
	return func() { <-t.slots }, nil
}

// fetch gets a token from the store, if there is one, or from the source.
func (t *tokenCache) fetch(ctx context.Context, req TokenRequest) (held *heldToken, err error) {
	if t.store != nil {
		held, err = t.fetchShared(ctx, req)
	} else {
		held, _, err = t.fetchOwn(ctx, req)
	}
	if err == nil && req.Scope == ScopeClient {
		held.confined = t.confine(ctx, req, held.token)
	}
	return held, err
}

func (t *tokenCache) fetchOwn(ctx context.Context, req TokenRequest) (*heldToken, Token, error) {
	start := t.client.Now()
	token, err := t.source.Token(ctx, req)
	if err != nil {
		return nil, Token{}, withoutForeignCalls(err)
	}
	held, err := t.newHeldToken(token, start)
	return held, token, err
}

// confine returns why a user's token from a TokenSource must not leave the server:
// the source returns the same token for SERVER_ACCESS, or it is unknown whether it
// does. It requests the SERVER_ACCESS token immediately, because a source may change
// its tokens over time. It returns nil if the token may leave the server.
func (t *tokenCache) confine(ctx context.Context, req TokenRequest, token Token) error {
	if _, own := t.source.(keySource); own {
		return nil
	}
	if !req.shared {
		return errUncompared
	}
	server, err := t.source.Token(ctx, TokenRequest{Scope: ScopeServer})
	switch {
	case err != nil:
		return fmt.Errorf("the token source must also return a SERVER_ACCESS token, for comparison: %w", withoutForeignCalls(err))
	case server.Reveal() == token.Reveal():
		return errServers
	case server.Reveal() == "":
		return fmt.Errorf("%w: the token source must also return a SERVER_ACCESS token, for comparison", ErrBadToken)
	}
	return nil
}

// finish ends a flight, once.
func (t *tokenCache) finish(slot *tokenSlot, f *flight, held *heldToken, err error) {
	f.once.Do(func() {
		if err != nil {
			held, err = nil, &TokenError{Scope: slot.key.scope, Err: err}
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		defer close(f.done)
		f.held, f.err = held, err
		slot.flight = nil
		var api *Error
		if errors.As(err, &api) && throttled(api) {
			t.throttledUntil, t.throttleErr = time.Now().Add(negativeCacheFor(err, 0)), api
		}
		switch now := time.Now(); {
		case err == nil:
			held.consecutiveRejections, slot.consecutiveRejections = slot.consecutiveRejections, 0
			slot.held, slot.rejected = held, Token{}
			slot.err, slot.failures, slot.negativeCacheUntil, slot.refreshPausedUntil = nil, 0, time.Time{}, time.Time{}
		case f.background:
			slot.refreshPausedUntil = now.Add(max(flightPause, negativeCacheFor(err, 0)))
		default:
			slot.err, slot.negativeCacheUntil = err, now.Add(negativeCacheFor(err, slot.failures))
			slot.failures++
		}
	})
}

// negativeCacheFor returns for how long calls fail with a flight's error, without another
// flight.
func negativeCacheFor(err error, failures int) time.Duration {
	var e *Error
	switch {
	case errors.Is(err, ErrTokenTimeout), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return 0 // the flight already took long
	case !errors.As(err, &e):
		return min(time.Second<<min(failures, 3), rejectionTTL)
	case throttled(e):
		return min(max(throttleTTL, e.RetryAfter), maxNegativeTTL)
	case e.Status < 500:
		return min(max(rejectionTTL, e.RetryAfter), maxNegativeTTL)
	}
	return max(min(time.Second<<min(failures, 3), rejectionTTL), min(e.RetryAfter, maxNegativeTTL))
}

// throttled reports whether POST /token was rate-limited. The API then responds with 429,
// or with a 403 of its own kind.
func throttled(e *Error) bool {
	if e.rateLimited() {
		return true
	}
	if e.Status != http.StatusForbidden {
		return false
	}
	for _, p := range e.Problems {
		if strings.Contains(strings.ToLower(p.Title+" "+p.Detail), "invalid request") {
			return true
		}
	}
	return false
}
