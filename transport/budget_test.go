package transport_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/basiq-sdk/basiq-go/transport"
)

// outage is a server behind one connection. Calls take a while. While it is down, all
// calls fail, including those in flight.
type outage struct {
	service time.Duration
	mu      sync.Mutex
	broken  chan struct{} // closed when calls in flight are lost
	down    bool
	sends   atomic.Int64
}

func newOutage(service time.Duration) *outage {
	return &outage{service: service, broken: make(chan struct{})}
}

func (o *outage) RoundTrip(r *http.Request) (*http.Response, error) {
	o.sends.Add(1)
	o.mu.Lock()
	down, broken := o.down, o.broken
	o.mu.Unlock()
	if down {
		return nil, syscall.ECONNREFUSED
	}
	select {
	case <-time.After(o.service):
		return canned{status: http.StatusOK, body: `{}`}.RoundTrip(r)
	case <-broken:
		return nil, io.ErrUnexpectedEOF
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

func (o *outage) stop() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.down = true
	close(o.broken)
	o.broken = make(chan struct{})
}

func (o *outage) start() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.down = false
}

// TestReadsSurviveARestart: a server restarts while calls are in flight. If that
// takes 0.1 s, at most 2 % of the reads fail, however many calls there are and
// however long each takes. The same holds for 0.7 s, which is longer than two
// attempts of most calls.
func TestReadsSurviveARestart(t *testing.T) {
	for _, outage := range []time.Duration{100 * time.Millisecond, 400 * time.Millisecond, 700 * time.Millisecond} {
		for _, service := range []time.Duration{5 * time.Millisecond, 50 * time.Millisecond, time.Second} {
			for _, n := range []int{50, 100, 200, 400} {
				t.Run(fmt.Sprintf("%d reads of %s down for %s", n, service, outage), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						o := newOutage(service)
						c := cannedClient(t, o, transport.WithRetryPolicy(transport.RetryPolicy{}))
						var failed atomic.Int64
						var wg sync.WaitGroup
						for range n {
							wg.Go(func() {
								if _, err := get(t.Context(), c); err != nil {
									failed.Add(1)
								}
							})
						}
						synctest.Wait()
						o.stop()
						time.Sleep(outage)
						o.start()
						wg.Wait()
						t.Logf("%d failed", failed.Load())
						if failed.Load() > int64(n/50) {
							t.Errorf("%d of %d reads failed", failed.Load(), n)
						}
						if sends := o.sends.Load(); sends > int64(n*2+100) {
							t.Errorf("%d requests for %d calls", sends, n)
						}
					})
				})
			}
		}
	}
}

// TestDeadServerAfterSuccesses: a server that stops is sent at most a hundred
// retries, however many calls succeeded before and however many are in flight.
func TestDeadServerAfterSuccesses(t *testing.T) {
	for _, parallel := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			o := newOutage(50 * time.Millisecond)
			c := cannedClient(t, o, transport.WithRetryPolicy(transport.RetryPolicy{}))
			herd(5000, simpleGet(c))
			calls := int64(1000)
			if parallel {
				o.sends.Store(0)
				var wg sync.WaitGroup
				wg.Go(func() { herd(1000, simpleGet(c)) })
				synctest.Wait()
				o.stop()
				herd(1000, simpleGet(c))
				wg.Wait()
				calls = 2000
			} else {
				o.stop()
				o.sends.Store(0)
				for range 1000 {
					_, _ = get(t.Context(), c)
				}
			}
			if sends := o.sends.Load(); sends > calls+100 {
				t.Errorf("%d requests for %d calls of a dead server", sends, calls)
			}
			start := time.Now()
			if _, err := get(t.Context(), c); !errors.Is(err, transport.ErrRetryBudget) {
				t.Errorf("the error does not say that it was the budget: %v", err)
			}
			if took := time.Since(start); took > 0 {
				t.Errorf("a call without a budget waited %s before it failed", took)
			}
		})
	}
}

// TestRetriesWaitForABudget: retries beyond the budget wait for the results of those
// that were sent, for at most 20 seconds, and no longer than their context.
func TestRetriesWaitForABudget(t *testing.T) {
	policy := transport.WithRetryPolicy(transport.RetryPolicy{MaxAttempts: 2, BaseDelay: 10 * time.Millisecond, MaxDelay: 10 * time.Millisecond, Budget: 1})
	synctest.Test(t, func(t *testing.T) {
		var wg sync.WaitGroup
		ctx, cancel := context.WithCancel(t.Context())
		o := newOutage(time.Hour) // the retry that is sent does not end
		c := cannedClient(t, o, policy, transport.WithTimeout(0))
		o.stop()
		wg.Go(func() { _, _ = get(ctx, c) })
		synctest.Wait()
		o.start()
		time.Sleep(20 * time.Millisecond)
		o.mu.Lock()
		o.down = true // for others
		o.mu.Unlock()
		start := time.Now()
		_, err := get(t.Context(), c)
		if took := time.Since(start); !errors.Is(err, transport.ErrRetryBudget) || took < 20*time.Second || took > 20100*time.Millisecond {
			t.Errorf("after %s: %v", took, err)
		}
		short, end := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer end()
		start = time.Now()
		_, err = get(short, c)
		if took := time.Since(start); !errors.Is(err, context.DeadlineExceeded) || took != 100*time.Millisecond {
			t.Errorf("after %s: %v", took, err)
		}
		// The retry that was under way succeeds nowhere: its call is given up, and
		// its token is lost with it.
		cancel()
		wg.Wait()
		if _, err = get(t.Context(), c); !errors.Is(err, transport.ErrRetryBudget) {
			t.Errorf("the budget is not spent: %v", err)
		}
	})
}

// TestRetryIntervalFollowsThePolicy: retries of calls with short delays are neither
// delayed nor rejected because of the interval between retries.
func TestRetryIntervalFollowsThePolicy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOutage(time.Millisecond)
		c := cannedClient(t, o, transport.WithRetryPolicy(transport.RetryPolicy{BaseDelay: time.Millisecond, MaxDelay: time.Millisecond}))
		o.stop()
		start := time.Now()
		herd(20, func(int) error {
			_, err := get(t.Context(), c)
			var e *transport.SendError
			if !errors.As(err, &e) || e.Attempts != 3 || errors.Is(err, transport.ErrRetryBudget) {
				t.Errorf("it was not tried three times: %v", err)
			}
			return err
		})
		if took := time.Since(start); took > 5*time.Millisecond {
			t.Errorf("it took %s", took)
		}
	})
}
