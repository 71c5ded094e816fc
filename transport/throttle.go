package transport

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// throttle brings what a client sends down to what the API takes. It does
// nothing before the API refuses calls for being too many, over more than a
// moment: then calls of that operation leave in the order in which they came, at
// a rate that begins with what the API took, falls with every refusal, grows
// slowly without any, and is given up after half a minute of peace. Limits are
// not published, and differ between operations, so each has a rate of its own.
//
// Repeating calls spreads a moment's excess; only sending fewer ends one that
// lasts, and lets all clients of one key have their share. Only reads are held
// back: what refuses a change may be a limit of its own, such as that of one
// connection which is refreshed too often, and stands at any rate.
type throttle struct {
	off    bool
	active atomic.Int32 // how many paces there are; 0 costs a call this one look
	mu     sync.Mutex
	paces  map[string]*pace // by operation
}

const (
	throttleWatch  = time.Second      // refusals within it are a moment's, and only counted
	throttleCut    = 0.15             // of the rate, at the most, at a refusal, once a second
	throttleWeight = 0.75             // of the share of refusals, in what is cut
	throttleGrowth = 0.015            // of the rate, in a second
	throttleCalm   = 10 * time.Second // without refusals, after which growth is
	throttleHurry  = 0.10             // of the rate, in a second
	throttlePeace  = 30 * time.Second // without refusals, after which there is no pace
	throttleLeast  = 0.5              // calls a second: nobody is brought to a stop
	throttleTrust  = 5                // calls that were taken, and tell a rate
	throttleShare  = 0.05             // of refusals in the answers, from which on there is a rate
)

// pace is the rate of one operation's calls.
type pace struct {
	rate    float64   // calls a second; 0 while refusals are only counted
	next    time.Time // when the next call may leave
	grown   time.Time // up to when rate has grown
	refused time.Time // when the API refused a call last
	began   time.Time // since when answers are counted: the last cut, or before there is a rate
	answers int
	limited int             // those of them that were refusals
	queue   []chan struct{} // the calls that wait: each is closed when it is the first
}

// WithoutThrottle turns off what slows reads down while the API keeps refusing
// them as too many. The client then sends as often as it is called, and repeats
// what the API refuses as the RetryPolicy says: for programs that keep to the
// limits by other means.
func WithoutThrottle() ClientOption {
	return clientOption(func(c *config) error { c.client.throttle.off = true; return nil })
}

// pass waits until a call of the operation may leave, and tells how long that
// took. It fails at once when the wait cannot end in time.
func (t *throttle) pass(ctx context.Context, op *Operation, safety Safety) (time.Duration, error) {
	if t.active.Load() == 0 || safety != SafetyRead {
		return 0, nil
	}
	start := time.Now()
	t.mu.Lock()
	p := t.paces[op.ID]
	if p != nil && len(p.queue) == 0 && start.Sub(p.refused) > throttlePeace {
		delete(t.paces, op.ID)
		t.active.Add(-1)
		p = nil
	}
	if p == nil || p.rate == 0 {
		t.mu.Unlock()
		return 0, nil
	}
	p.grow(start)
	wait := p.next.Sub(start) + time.Duration(float64(len(p.queue))/p.rate*float64(time.Second))
	if wait > 0 && !fits(ctx, wait) {
		t.mu.Unlock()
		return 0, fmt.Errorf("its turn would come too late, in about %s: %w", wait.Round(time.Millisecond), context.DeadlineExceeded)
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
			return 0, cutShort(ContextError(ctx))
		}
	}
	for {
		t.mu.Lock()
		now := time.Now()
		wait := p.next.Sub(now)
		if wait <= 0 {
			p.grow(now)
			gap := (0.5 + rand.Float64()) / p.rate // jitter, so that clients fall out of step
			p.next = now.Add(time.Duration(gap * float64(time.Second)))
		}
		t.mu.Unlock()
		if wait <= 0 {
			return now.Sub(start), nil
		}
		if err := sleep(ctx, wait); err != nil {
			return 0, cutShort(err)
		}
	}
}

func cutShort(err error) error { return fmt.Errorf("the wait for its turn was cut short: %w", err) }

// leave takes a call out of the queue; who comes to its head has its turn.
func (t *throttle) leave(p *pace, turn chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.Index(p.queue, turn)
	p.queue = slices.Delete(p.queue, i, i+1)
	if i == 0 && len(p.queue) > 0 {
		close(p.queue[0])
	}
}

// limits reports whether the retry after this result is left to the throttle: the
// API works, and the calls that it refuses as too many are about to be queued. The
// retry budget is for outages.
func (t *throttle) limits(safety Safety, r *result) bool {
	return !t.off && safety == SafetyRead && r.api != nil && r.api.rateLimited()
}

// heard notes what the API said to a call.
func (t *throttle) heard(op *Operation, safety Safety, r *result) {
	limited := r.api != nil && r.api.rateLimited()
	if t.off || safety != SafetyRead || !limited && t.active.Load() == 0 {
		return
	}
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.paces[op.ID]
	if p == nil {
		if !limited {
			return
		}
		p = &pace{began: now}
		if t.paces == nil {
			t.paces = map[string]*pace{}
		}
		t.paces[op.ID] = p
		t.active.Add(1)
	}
	if r.err == nil || r.api != nil {
		p.answers++
	}
	if limited {
		p.limited++
		p.refuse(now)
	}
}

// refuse notes a refusal.
func (p *pace) refuse(now time.Time) {
	calm := now.Sub(p.refused)
	p.refused = now
	counted := now.Sub(p.began)
	if counted < throttleWatch {
		return
	}
	answers, limited := p.answers, p.limited
	share := float64(limited) / float64(answers)
	p.began, p.answers, p.limited = now, 0, 0
	switch {
	case p.rate == 0 && calm > throttleCalm: // another moment, a while after the one before
	case p.rate == 0 && share < throttleShare: // that is not for the rate
	case p.rate == 0:
		rate := float64(answers - limited)
		if rate < throttleTrust {
			rate = max(rate, float64(answers)/2)
		}
		p.rate = max(rate/counted.Seconds(), throttleLeast)
		p.next, p.grown = now, now
	default:
		p.grow(now)
		p.rate = max(p.rate*(1-min(share*throttleWeight, throttleCut)), throttleLeast)
	}
}

// grow brings the rate up to date.
func (p *pace) grow(now time.Time) {
	seconds := now.Sub(p.grown).Seconds()
	if seconds <= 0 {
		return
	}
	p.grown = now
	growth := throttleGrowth
	if now.Sub(p.refused) > throttleCalm {
		growth = throttleHurry
	}
	p.rate += p.rate * growth * seconds
}

// notSent makes the error of a call whose turn would come too late, or whose
// caller stopped waiting for it, before it was sent once.
func notSent(req *Request, o *call, err error) error {
	return &ThrottledError{Operation: req.op.ID, Method: req.op.Method, Path: req.op.Path, Safety: o.safety, Err: err}
}
