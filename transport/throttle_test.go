package transport_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/basiq-sdk/basiq-go/transport"
)

// limiter is a server that accepts a limited number of calls in each second.
type limiter struct {
	mu           sync.Mutex
	limit        int
	second       int64
	given        int
	sends, taken int
	paths        []string
	times        []time.Time
}

func (l *limiter) RoundTrip(r *http.Request) (*http.Response, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sends++
	l.paths, l.times = append(l.paths, r.URL.Path), append(l.times, time.Now())
	if now := time.Now().Unix(); now != l.second {
		l.second, l.given = now, 0
	}
	if l.given++; l.given > l.limit {
		return canned{status: http.StatusTooManyRequests}.RoundTrip(r)
	}
	l.taken++
	return canned{status: http.StatusOK, body: "{}"}.RoundTrip(r)
}

func (l *limiter) set(limit int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.limit, l.sends, l.taken, l.paths, l.times = limit, 0, 0, nil, nil
}

func (l *limiter) counts() (sends, taken int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sends, l.taken
}

// throttled returns a client whose calls of opGet the server limits to about five a
// second.
func throttled(t *testing.T, l *limiter, opts ...transport.ClientOption) *transport.Client {
	c := cannedClient(t, l, opts...)
	l.set(5)
	for range 60 {
		_, _ = get(t.Context(), c)
		time.Sleep(50 * time.Millisecond)
	}
	start := time.Now()
	for range 5 {
		_, _ = get(t.Context(), c)
	}
	if took := time.Since(start); took < 400*time.Millisecond || took > 2*time.Second {
		t.Fatalf("five calls of about five a second take %s", took)
	}
	l.set(5)
	return c
}

// TestThrottleIgnoresSingleRejections: if the API rejects calls for a moment now and
// then, nothing is throttled.
func TestThrottleIgnoresSingleRejections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &limiter{}
		c := cannedClient(t, l)
		for minute := range 5 {
			l.set(1000)
			for range 100 {
				start := time.Now()
				if _, err := get(t.Context(), c); err != nil || time.Since(start) > 0 {
					t.Fatalf("minute %d: %v after %s", minute, err, time.Since(start))
				}
				time.Sleep(10 * time.Millisecond)
			}
			l.set(0)
			for range 20 {
				if _, err := get(t.Context(), c); !errors.Is(err, transport.ErrRateLimited) {
					t.Fatal(err)
				}
			}
			time.Sleep(time.Duration(11+3*minute) * time.Second)
		}
	})
}

// TestThrottleWithOneClient: one client that wants more than the limit gets nearly
// all of it. Half a minute after the limit is lifted, the client is as fast as
// before.
func TestThrottleWithOneClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &limiter{limit: 50}
		c := cannedClient(t, l)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				for ctx.Err() == nil {
					_, _ = get(ctx, c)
					time.Sleep(rand.N(20 * time.Millisecond))
				}
			})
		}
		run := func(limit int, d time.Duration) (sends, taken float64) {
			l.set(limit)
			time.Sleep(d)
			s, n := l.counts()
			return float64(s) / d.Seconds(), float64(n) / d.Seconds()
		}
		run(50, 10*time.Second)
		if sends, taken := run(50, 5*time.Minute); sends > 50*1.2 || taken < 50*0.96 {
			t.Errorf("of 50 calls a second, %.1f were sent and %.1f taken", sends, taken)
		} else {
			t.Logf("of 50 calls a second, %.1f were sent and %.1f taken", sends, taken)
		}
		run(10, 20*time.Second)
		if sends, taken := run(10, time.Minute); sends > 10*1.2 || taken < 10*0.85 {
			t.Errorf("of 10 calls a second, %.1f were sent and %.1f taken", sends, taken)
		}
		run(1e6, 40*time.Second)
		if sends, _ := run(1e6, time.Minute); sends < 500 {
			t.Errorf("long after the limit was lifted, %.1f calls a second were sent", sends)
		}
		cancel()
		wg.Wait()
		time.Sleep(31 * time.Second)
		start := time.Now()
		for range 100 {
			_, _ = get(t.Context(), c)
		}
		if took := time.Since(start); took > 0 {
			t.Errorf("after half a minute of peace, a hundred calls take %s", took)
		}
	})
}

// TestThrottleRespectsDeadlines: a call that would be sent after its deadline fails
// at once, and is not sent.
func TestThrottleRespectsDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &limiter{}
		c := throttled(t, l)
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() { _, _ = get(t.Context(), c) })
		}
		synctest.Wait()
		before, _ := l.counts()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		_, err := get(ctx, c)
		if took := time.Since(start); took > 0 {
			t.Errorf("the call returned after %s", took)
		}
		var e *transport.ThrottledError
		if errors.As(err, new(*transport.Error)) {
			t.Errorf("the error is a response, and there was none: %v", err)
		}
		if !errors.As(err, &e) || !errors.Is(err, transport.ErrRateLimited) || !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, transport.ErrOutcomeUnknown) {
			t.Errorf("the error is %v", err)
		} else if !strings.HasPrefix(err.Error(), "basiq: test.Things.Get: GET /users/{userId}/things/{thingId}: not sent: it would be sent after its deadline, in about ") {
			t.Errorf("the error is %v", err)
		}
		if after, _ := l.counts(); after != before {
			t.Errorf("%d calls were sent", after-before)
		}
		wg.Wait()
	})
}

// TestThrottleQueue: calls are sent in the order in which they were made. Cancelled
// calls leave the queue.
func TestThrottleQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &limiter{}
		c := throttled(t, l)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		var want []string
		start := time.Now()
		var errs [30]error
		for i := range errs {
			mine := ctx
			if i%3 == 0 {
				mine = t.Context()
				want = append(want, fmt.Sprintf("/users/u/things/%d", i))
			}
			wg.Go(func() {
				errs[i] = c.Do(mine, transport.NewRequest(&opGet, "u", fmt.Sprint(i)), nil)
			})
			synctest.Wait() // it has come to its place
		}
		cancel()
		wg.Wait()
		for i, err := range errs {
			if i%3 != 0 && (!errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "not sent: the wait in the queue was interrupted")) {
				t.Errorf("call %d, given up: %v", i, err)
			}
		}
		if !slices.Equal(l.paths, want) {
			t.Errorf("sent were\n%q, want\n%q", l.paths, want)
		}
		var gaps []time.Duration
		for i := 1; i < len(l.times); i++ {
			gaps = append(gaps, l.times[i].Sub(l.times[i-1]))
		}
		if slices.Max(gaps) < slices.Min(gaps)*11/10 {
			t.Errorf("calls leave at the intervals %s: clients would stay in step", gaps)
		}
		if took := time.Since(start); took > 4*time.Second {
			t.Errorf("ten calls of about five a second took %s: those given up still had their turns", took)
		}
	})
}

// TestThrottleIsPerOperation: limits differ between operations.
func TestThrottleIsPerOperation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &limiter{}
		c := throttled(t, l)
		l.set(1000)
		start := time.Now()
		for range 100 {
			if err := c.Do(t.Context(), transport.NewRequest(&opList), nil); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took > 0 {
			t.Errorf("calls of another operation take %s", took)
		}
	})
}

// TestThrottleIsObserved: the time in the queue is reported as the wait of the
// attempt.
func TestThrottleIsObserved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var waited []time.Duration
		c := throttled(t, &limiter{}, transport.WithObserver(transport.Observer{
			EndAttempt: func(_ context.Context, a transport.Attempt) { waited = append(waited, a.Wait) },
		}))
		waited = nil
		start := time.Now()
		for range 3 {
			_, _ = get(t.Context(), c)
		}
		var sum time.Duration
		for _, w := range waited {
			sum += w
		}
		if len(waited) != 3 || sum != time.Since(start) || sum == 0 {
			t.Errorf("three calls in %s are reported to have waited %s", time.Since(start), waited)
		}
	})
}

// TestThrottledRetry: a retry that would be sent after the deadline ends with the
// error of the API.
func TestThrottledRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &limiter{}
		c := throttled(t, l)
		l.set(0)
		var wg sync.WaitGroup
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		retry := transport.WithRetryPolicy(transport.RetryPolicy{BaseDelay: time.Millisecond})
		var err error
		wg.Go(func() { _, err = get(ctx, c, retry) })
		synctest.Wait()
		for range 100 {
			wg.Go(func() { _, _ = get(t.Context(), c) })
		}
		wg.Wait()
		var e *transport.Error
		if !errors.As(err, &e) || e.Attempts != 1 || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "not retried: it would be sent after its deadline") {
			t.Errorf("the error is %v", err)
		}
	})
}

// TestThrottleStorm: the rate of many simultaneous calls falls to what the API
// accepts within seconds, and all calls succeed.
func TestThrottleStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const calls, limit = 3000, 100
		l := &limiter{limit: limit}
		c := cannedClient(t, l, transport.WithRetryPolicy(transport.RetryPolicy{MaxAttempts: 20, Budget: -1}))
		start := time.Now()
		var wg sync.WaitGroup
		for range calls {
			wg.Go(func() {
				if _, err := get(t.Context(), c); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		took := time.Since(start)
		sends, _ := l.counts()
		t.Logf("%d calls, %d requests in %s", calls, sends, took)
		if took > calls/limit*time.Second*2 {
			t.Errorf("%d calls took %s, where the API takes %d a second", calls, took, limit)
		}
		if sends > calls*5 {
			t.Errorf("%d calls were sent %d times", calls, sends)
		}
	})
}

// TestThrottleOutage: an API that rejects everything for long does not stop a client.
func TestThrottleOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &limiter{}
		c := throttled(t, l)
		l.set(0)
		for start := time.Now(); time.Since(start) < 10*time.Minute; {
			_, _ = get(t.Context(), c)
		}
		if sends, _ := l.counts(); sends > 400 || sends < 200 {
			t.Errorf("%d calls were sent to an API that took none for ten minutes", sends)
		}
		l.set(1000)
		start := time.Now()
		if _, err := get(t.Context(), c); err != nil || time.Since(start) > 4*time.Second {
			t.Errorf("the first call that is taken again: %v after %s", err, time.Since(start))
		}
	})
}

// TestThrottleNewcomer: a new client gets a share of a rate limit that another client
// has used up. Neither sends at regular intervals, in which one might be rejected
// every time.
func TestThrottleNewcomer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &limiter{limit: 40}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		var taken [2]int
		run := func(n int) {
			c := cannedClient(t, l)
			for range 8 {
				wg.Go(func() {
					for ctx.Err() == nil {
						if _, err := get(ctx, c); err == nil {
							l.mu.Lock()
							taken[n]++
							l.mu.Unlock()
						}
						time.Sleep(rand.N(20 * time.Millisecond))
					}
				})
			}
		}
		run(0)
		time.Sleep(time.Minute)
		run(1)
		time.Sleep(5 * time.Minute)
		l.mu.Lock()
		before := taken
		l.mu.Unlock()
		time.Sleep(5 * time.Minute)
		cancel()
		wg.Wait()
		first, second := taken[0]-before[0], taken[1]-before[1]
		t.Logf("in five minutes, the first client got %d and the second %d", first, second)
		if first > 3*second || second > 3*first || first+second < 40*300*85/100 {
			t.Errorf("in five minutes, the first client got %d and the second %d", first, second)
		}
	})
}

// TestThrottleIgnoresRareRejections: a small share of rejections, independent of the
// rate, does not throttle.
func TestThrottleIgnoresRareRejections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var answers int
		var held atomic.Int64
		c := cannedClient(t, roundTripper(func(r *http.Request) (*http.Response, error) {
			mu.Lock()
			defer mu.Unlock()
			answers++
			if answers%50 == 0 {
				return canned{status: http.StatusTooManyRequests}.RoundTrip(r)
			}
			return canned{status: http.StatusOK, body: "{}"}.RoundTrip(r)
		}))
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		const callers = 20
		var wg sync.WaitGroup
		for range callers {
			wg.Go(func() {
				for ctx.Err() == nil {
					start := time.Now()
					if _, _ = get(ctx, c); time.Since(start) > 0 {
						held.Add(1)
					}
					time.Sleep(rand.N(200 * time.Millisecond))
				}
			})
		}
		wg.Wait()
		if held.Load() > 0 {
			t.Errorf("%d calls were held back", held.Load())
		}
		if wanted := callers * 10 * 600; answers < wanted*9/10 {
			t.Errorf("of %d calls, %d were sent", wanted, answers)
		}
	})
}

// TestThrottleAppliesToReadsOnly: changes are rejected for other reasons, such as one
// connection that is refreshed too often, which does not concern other connections.
func TestThrottleAppliesToReadsOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &limiter{limit: 1}
		c := cannedClient(t, l)
		start := time.Now()
		for range 200 {
			if err := c.Do(t.Context(), transport.NewRequest(&opDelete, "u", "t"), nil, transport.WithSafety(transport.SafetyUnrepeatable)); err != nil && !errors.Is(err, transport.ErrRateLimited) {
				t.Fatal(err)
			}
			time.Sleep(50 * time.Millisecond)
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("two hundred changes took %s", took)
		}
	})
}

// TestThrottleStartsWithFewFailures: callers want more than the server accepts, all
// at once. Until the throttle knows the rate, calls are rejected for a second or two.
// Hardly any call fails because of that, and none because of the retry budget, which
// is for outages.
func TestThrottleStartsWithFewFailures(t *testing.T) {
	for _, callers := range []int{50, 100, 200, 400} {
		synctest.Test(t, func(t *testing.T) {
			l := &limiter{limit: 100}
			c := cannedClient(t, l, transport.WithRetryPolicy(transport.RetryPolicy{}))
			var calls, failed atomic.Int64
			start := time.Now()
			var wg sync.WaitGroup
			for range callers {
				wg.Go(func() {
					for time.Since(start) < 20*time.Second {
						calls.Add(1)
						_, err := get(t.Context(), c)
						if errors.Is(err, transport.ErrRetryBudget) {
							t.Errorf("a rate limit used up the retry budget: %v", err)
						}
						if err != nil {
							failed.Add(1)
						}
						time.Sleep(50 * time.Millisecond)
					}
				})
			}
			wg.Wait()
			sends, taken := l.counts()
			t.Logf("%d callers: %d calls, %d failed, %d requests, %d taken", callers, calls.Load(), failed.Load(), sends, taken)
			if failed.Load() > int64(callers) {
				t.Errorf("%d of %d calls failed", failed.Load(), calls.Load())
			}
			if taken < 20*100*9/10 || sends > taken*2 {
				t.Errorf("%d requests, of which %d were taken", sends, taken)
			}
		})
	}
}
