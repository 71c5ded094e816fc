package transport

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/basiq-sdk/basiq-go/internal/contexts"
)

// throttle keeps the rate of requests within what the API accepts. It does nothing
// until the API has rejected requests as too many for longer than a moment. From
// then on, calls of that operation are queued and sent in order, at a limited rate.
// The rate starts with what the API accepted, falls with every rejection, grows
// slowly without any, and is unlimited again after half a minute without any.
// Limits are not published and differ between operations, so each operation has a
// limiter of its own.
//
// Retries spread a short burst. Only sending fewer requests ends a lasting excess,
// and lets all clients with the same API key have their share. Only reads are
// throttled: what rejects a change may be a limit of another kind, such as that of a
// connection which is refreshed too often, and does not depend on the rate.
type throttle struct {
	off      bool
	active   atomic.Int32 // number of limiters; while it is 0, a call costs only this check
	mu       sync.Mutex
	limiters map[string]*limiter // by operation
}

const (
	throttleWindow     = time.Second      // rejections within it are only counted
	throttleCut        = 0.15             // the largest decrease of the rate, at most once a second
	throttleWeight     = 0.75             // of the share of rejections in that decrease
	throttleGrowth     = 0.015            // increase of the rate in a second
	throttleCalm       = 10 * time.Second // without rejections, after which the rate grows faster
	throttleFastGrowth = 0.10             // increase of the rate in a second, from then on
	throttleIdleReset  = 30 * time.Second // without rejections, after which the limiter is dropped
	throttleMinRate    = 0.5              // requests a second
	throttleMinSamples = 5                // accepted requests from which a rate can be derived
	throttleMinShare   = 0.05             // of rejections among responses, from which the rate is limited
)

// limiter limits the rate of one operation's calls.
type limiter struct {
	rate      float64   // requests a second; 0 while rejections are only counted
	next      time.Time // when the next call may be sent
	grown     time.Time // when rate was last increased
	rejected  time.Time // when the API last rejected a call
	began     time.Time // when counting began: at the last decrease, or at the first rejection
	responses int
	limited   int             // responses that were rejections
	queue     []chan struct{} // waiting calls; a channel is closed when its call is the first
}

// WithoutThrottle turns off client-side throttling: the client then sends every call
// at once, and retries rate-limited ones as the [RetryPolicy] says. Use it in programs
// that keep to the API's rate limits by other means.
func WithoutThrottle() ClientOption {
	return clientOption(func(c *config) error { c.client.throttle.off = true; return nil })
}

// pass waits until a call of the operation may be sent, and returns how long that
// took, also if it fails. It fails at once if the wait would end after the deadline of
// ctx.
func (t *throttle) pass(ctx context.Context, op *Operation, safety Safety) (time.Duration, error) {
	if t.active.Load() == 0 || safety != SafetyRead {
		return 0, nil
	}
	start := time.Now()
	t.mu.Lock()
	p := t.limiters[op.ID]
	if p != nil && len(p.queue) == 0 && start.Sub(p.rejected) > throttleIdleReset {
		delete(t.limiters, op.ID)
		t.active.Add(-1)
		p = nil
	}
	if p == nil || p.rate == 0 {
		t.mu.Unlock()
		return 0, nil
	}
	p.grow(start)
	wait := p.next.Sub(start) + time.Duration(float64(len(p.queue))/p.rate*float64(time.Second))
	if wait > 0 && !fitsDeadline(ctx, wait) {
		t.mu.Unlock()
		return 0, fmt.Errorf("it would be sent after its deadline, in about %s: %w", wait.Round(time.Millisecond), context.DeadlineExceeded)
	}
	turn := make(chan struct{})
	p.queue = append(p.queue, turn)
	first := len(p.queue) == 1
	t.mu.Unlock()
	defer t.leave(p, turn)
	if !first {
		select {
		case <-turn:
		case <-ctx.Done():
			return time.Since(start), interrupted(ContextError(ctx))
		}
	}
	for {
		t.mu.Lock()
		now := time.Now()
		wait := p.next.Sub(now)
		if wait <= 0 {
			p.grow(now)
			gap := (0.5 + rand.Float64()) / p.rate // jitter, so that clients do not send in step
			p.next = now.Add(time.Duration(gap * float64(time.Second)))
		}
		t.mu.Unlock()
		if wait <= 0 {
			return now.Sub(start), nil
		}
		if err := contexts.Sleep(ctx, wait); err != nil {
			return time.Since(start), interrupted(err)
		}
	}
}

func interrupted(err error) error {
	return fmt.Errorf("the wait in the queue was interrupted: %w", err)
}

// leave removes a call from the queue, and wakes the call that is now the first.
func (t *throttle) leave(p *limiter, turn chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.Index(p.queue, turn)
	p.queue = slices.Delete(p.queue, i, i+1)
	if i == 0 && len(p.queue) > 0 {
		close(p.queue[0])
	}
}

// limits reports whether the throttle, and not the retry budget, limits the retry
// after this result. The budget is for outages: an API that rate-limits calls works.
func (t *throttle) limits(safety Safety, r *result) bool {
	return !t.off && safety == SafetyRead && r.api != nil && r.api.rateLimited()
}

// observe records the result of an attempt.
func (t *throttle) observe(op *Operation, safety Safety, r *result) {
	limited := r.api != nil && r.api.rateLimited()
	if t.off || safety != SafetyRead || !limited && t.active.Load() == 0 {
		return
	}
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.limiters[op.ID]
	if p == nil {
		if !limited {
			return
		}
		p = &limiter{began: now}
		if t.limiters == nil {
			t.limiters = map[string]*limiter{}
		}
		t.limiters[op.ID] = p
		t.active.Add(1)
	}
	if r.err == nil || r.api != nil {
		p.responses++
	}
	if limited {
		p.limited++
		p.reject(now)
	}
}

// reject records a rejection, and limits or decreases the rate.
func (p *limiter) reject(now time.Time) {
	calm := now.Sub(p.rejected)
	p.rejected = now
	counted := now.Sub(p.began)
	if counted < throttleWindow {
		return
	}
	responses, limited := p.responses, p.limited
	share := float64(limited) / float64(responses)
	p.began, p.responses, p.limited = now, 0, 0
	switch {
	case p.rate == 0 && calm > throttleCalm: // a new burst, a while after the last one
	case p.rate == 0 && share < throttleMinShare: // too few to be caused by the rate
	case p.rate == 0:
		rate := float64(responses - limited)
		if rate < throttleMinSamples {
			rate = max(rate, float64(responses)/2)
		}
		p.rate = max(rate/counted.Seconds(), throttleMinRate)
		p.next, p.grown = now, now
	default:
		p.grow(now)
		p.rate = max(p.rate*(1-min(share*throttleWeight, throttleCut)), throttleMinRate)
	}
}

// grow increases the rate for the time since it was last increased.
func (p *limiter) grow(now time.Time) {
	seconds := now.Sub(p.grown).Seconds()
	if seconds <= 0 {
		return
	}
	p.grown = now
	growth := throttleGrowth
	if now.Sub(p.rejected) > throttleCalm {
		growth = throttleFastGrowth
	}
	p.rate += p.rate * growth * seconds
}

// notSent returns the error of a call that was queued and never sent: it would have
// been sent after its deadline, or its context ended.
func notSent(req *Request, o *call, err error) error {
	return &ThrottledError{Operation: req.op.ID, Method: req.op.Method, Path: req.op.Path, Safety: o.safety, Err: err}
}
