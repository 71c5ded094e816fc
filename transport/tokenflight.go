package transport

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// flight is one effort to get a token. It belongs to nobody: whoever started
// it may leave, and what goes wrong in it lands as an error.
type flight struct {
	background bool // nobody waited for it when it started
	done       chan struct{}
	once       sync.Once

	// Written before done is closed, and not after.
	held *heldToken
	err  error
}

// How long things take that have to do with flights.
const (
	flightLimit  = 30 * time.Second // of a flight
	flightPause  = 30 * time.Second // after one in the background failed
	holdRefusal  = 5 * time.Second  // a refusal answers for a further flight
	holdThrottle = time.Minute      // the same, when the API says that there were too many
	holdLongest  = 5 * time.Minute
)

// start begins a flight. The cache's lock is held.
func (t *tokenCache) start(slot *tokenSlot, background bool, minLife time.Duration) {
	f := &flight{background: background, done: make(chan struct{})}
	slot.flight = f
	req := TokenRequest{Scope: slot.key.scope, UserID: slot.key.userID, Rejected: slot.rejected, MinLife: minLife, background: background, shared: slot.shared}
	t.wg.Add(1)
	go func() {
		defer t.wg.Done()
		t.fly(slot, f, req)
	}()
}

// fly gets the token and lands, whatever happens: within the limit, even when
// the source does not heed its context.
func (t *tokenCache) fly(slot *tokenSlot, f *flight, req TokenRequest) {
	ctx, cancel := context.WithTimeout(t.ctx, flightLimit)
	defer cancel()
	var held *heldToken
	err := errors.New("the token source ended its goroutine")
	// over is why the flight lands when its time is over: no caller's own time is.
	over := func() error {
		if t.ctx.Err() != nil {
			return ErrClosed
		}
		return ErrTokenTimeout
	}
	stop := context.AfterFunc(ctx, func() { t.land(slot, f, nil, over()) })
	defer stop()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the token source panicked with a %T", p)
		}
		if err != nil && ctx.Err() != nil {
			err = over()
		}
		t.land(slot, f, held, err)
	}()
	held, err = t.fetch(ctx, req)
}

// maxTurns is how many users' tokens are asked for at a time: when the API has
// had too many requests, few are under way that do not know of it yet.
const maxTurns = 16

// turn waits for a turn to ask for a user's token; done gives it back.
func (t *tokenCache) turn(ctx context.Context) (done func(), err error) {
	select {
	case t.turns <- struct{}{}:
	case <-ctx.Done():
		return nil, ContextError(ctx)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if time.Now().Before(t.quiet) {
		<-t.turns
		return nil, t.refusal
	}
	return func() { <-t.turns }, nil
}

// fetch asks the store, if there is one, or the source.
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
		return nil, Token{}, withoutOtherCalls(err)
	}
	held, err := t.hold(token, start)
	return held, token, err
}

// confine says why a user's token that a TokenSource gave must not leave the
// server: it is what the source gives for SERVER_ACCESS too, or that is not known.
// The source is asked at once, since its tokens may change with time.
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
		return fmt.Errorf("the source must also give a SERVER_ACCESS token, to compare with: %w", withoutOtherCalls(err))
	case server.Reveal() == token.Reveal():
		return errServers
	case server.Reveal() == "":
		return fmt.Errorf("%w: the source must also give a SERVER_ACCESS token, to compare with", ErrBadToken)
	}
	return nil
}

// land ends a flight, once.
func (t *tokenCache) land(slot *tokenSlot, f *flight, held *heldToken, err error) {
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
			t.quiet, t.refusal = time.Now().Add(holdFor(err, 0)), api
		}
		switch now := time.Now(); {
		case err == nil:
			held.barren, slot.barren = slot.barren, 0
			slot.held, slot.rejected = held, Token{}
			slot.err, slot.failures, slot.hold, slot.pause = nil, 0, time.Time{}, time.Time{}
		case f.background:
			slot.pause = now.Add(max(flightPause, holdFor(err, 0)))
		default:
			slot.err, slot.hold = err, now.Add(holdFor(err, slot.failures))
			slot.failures++
		}
	})
}

// holdFor says for how long a flight's error answers for further flights.
func holdFor(err error, failures int) time.Duration {
	var e *Error
	switch {
	case errors.Is(err, ErrTokenTimeout), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return 0 // it took its time already
	case !errors.As(err, &e):
		return min(time.Second<<min(failures, 3), holdRefusal)
	case throttled(e):
		return min(max(holdThrottle, e.RetryAfter), holdLongest)
	case e.Status < 500:
		return min(max(holdRefusal, e.RetryAfter), holdLongest)
	}
	return max(min(time.Second<<min(failures, 3), holdRefusal), min(e.RetryAfter, holdLongest))
}

// throttled tells whether /token had too many requests: it says so with 429, or
// with a 403 of its own.
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
