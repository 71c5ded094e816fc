package transport_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/basiq-sdk/basiq-go/transport"
)

// measuredMinutes is how long clients send calls. The first minute is not counted.
func measuredMinutes() int {
	if raceEnabled {
		return 3
	}
	return 4
}

// clientStats is the result of fifty clients with four callers each.
type clientStats struct {
	sends, good   int64   // after the first minute
	least, most   int64   // answers of one client
	slowest, mean float64 // seconds from a call to its response
}

// runClients lets clients call a server that accepts a limited number of calls a
// second, and rejects the others. After each response, a caller waits for a random
// time of up to twice pause, so that callers do not send in step.
func runClients(t *testing.T, limit int, pause time.Duration, retryAfter string, opts ...transport.ClientOption) (c clientStats) {
	const clients, callers = 50, 4
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var second int64
		var given int
		var sends, good atomic.Int64
		var took, slowest time.Duration
		served := make([]atomic.Int64, clients)
		settled := time.Now().Add(time.Minute)
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(measuredMinutes())*time.Minute)
		defer cancel()
		var wg sync.WaitGroup
		for i := range clients {
			client := cannedClient(t, roundTripper(func(r *http.Request) (*http.Response, error) {
				mu.Lock()
				defer mu.Unlock()
				now := time.Now()
				if now.After(settled) {
					sends.Add(1)
				}
				if now := now.Unix(); now != second {
					second, given = now, 0
				}
				if given++; given > limit {
					refusal := canned{status: http.StatusTooManyRequests}
					if retryAfter != "" {
						refusal.header = http.Header{"Retry-After": {retryAfter}}
					}
					return refusal.RoundTrip(r)
				}
				return canned{status: http.StatusOK, body: "{}"}.RoundTrip(r)
			}), append(opts, transport.WithRetryPolicy(transport.RetryPolicy{}))...)
			for k := range callers {
				wg.Go(func() {
					time.Sleep(time.Duration(i*callers+k) * 5 * time.Millisecond)
					for ctx.Err() == nil {
						start := time.Now()
						if _, err := get(ctx, client); err == nil && time.Now().After(settled) {
							good.Add(1)
							served[i].Add(1)
							mu.Lock()
							took += time.Since(start)
							slowest = max(slowest, time.Since(start))
							mu.Unlock()
						}
						time.Sleep(rand.N(2*pause + 1))
					}
				})
			}
		}
		wg.Wait()
		var counts []int64
		for i := range served {
			counts = append(counts, served[i].Load())
		}
		c = clientStats{sends.Load(), good.Load(), slices.Min(counts), slices.Max(counts), slowest.Seconds(), took.Seconds() / float64(good.Load())}
	})
	return c
}

// TestCompetingClientsShareTheRateLimit (R6): fifty clients that want twice as much
// as the API accepts, a hundred calls a second, soon send about as much as it
// accepts, and share it.
func TestCompetingClientsShareTheRateLimit(t *testing.T) {
	const limit, clients = 100, 50
	seconds := int64(measuredMinutes()-1) * 60
	for _, c := range []struct {
		name, retryAfter string
		pause            time.Duration
	}{
		{"the API says when to come back", "1", time.Second},
		{"the API does not say", "", time.Second},
		{"callers that never pause", "1", time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := runClients(t, limit, c.pause, c.retryAfter)
			t.Logf("%+v", got)
			if got.sends > seconds*limit*12/10 {
				t.Errorf("%d requests, where %d would be taken", got.sends, seconds*limit)
			}
			if got.good < seconds*limit*9/10 {
				t.Errorf("%d responses, want about %d", got.good, seconds*limit)
			}
			if fair := got.good / clients; got.least < fair/3 || got.most > fair*3 {
				t.Errorf("of %d responses, one client got %d and another %d", got.good, got.least, got.most)
			}
		})
	}
	t.Run("clients that want less than there is", func(t *testing.T) {
		got := runClients(t, limit, 4*time.Second, "1")
		t.Logf("%+v", got)
		if got.sends != got.good || got.slowest > 0 {
			t.Errorf("calls were slowed: %+v", got)
		}
	})
	t.Run("without the throttle", func(t *testing.T) {
		if got := runClients(t, limit, time.Second, "1", transport.WithoutThrottle()); got.sends < seconds*limit*3/2 {
			t.Errorf("%+v: the server limits the clients too little for this test", got)
		}
	})
}
