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

// TestRetryR6: fifty clients that want twice as much as the API gives, a hundred
// calls a second: what it gives is used, and no client starves. What is sent is
// bounded by the callers and what they are made to wait; the clients have no
// throttle of their own that would bring it down to what is given. Callers do not
// move in step here, as they would not anywhere.
func TestRetryR6(t *testing.T) {
	const clients, callers, limit, minutes = 50, 4, 100, 3
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var second int64
		var given int
		var sends, good atomic.Int64
		served := make([]atomic.Int64, clients)
		ctx, cancel := context.WithTimeout(context.Background(), minutes*time.Minute)
		defer cancel()
		var wg sync.WaitGroup
		for i := range clients {
			c := cannedClient(t, roundTripper(func(r *http.Request) (*http.Response, error) {
				sends.Add(1)
				mu.Lock()
				defer mu.Unlock()
				if now := time.Now().Unix(); now != second {
					second, given = now, 0
				}
				if given++; given > limit {
					return canned{status: http.StatusTooManyRequests, header: http.Header{"Retry-After": {"1"}}}.RoundTrip(r)
				}
				return canned{status: http.StatusOK, body: "{}"}.RoundTrip(r)
			}), transport.WithRetryPolicy(transport.RetryPolicy{}))
			for k := range callers {
				wg.Go(func() {
					time.Sleep(time.Duration(i*callers+k) * 5 * time.Millisecond)
					for ctx.Err() == nil {
						if _, err := get(ctx, c); err == nil {
							good.Add(1)
							served[i].Add(1)
						}
						time.Sleep(rand.N(2 * time.Second))
					}
				})
			}
		}
		wg.Wait()
		var counts []int64
		for i := range served {
			counts = append(counts, served[i].Load())
		}
		least := slices.Min(counts)
		const seconds = minutes * 60
		if n := good.Load(); n < seconds*limit*9/10 {
			t.Errorf("%d calls were answered in %d seconds", n, seconds)
		}
		if fair := good.Load() / clients; least < fair/2 {
			t.Errorf("one client got %d answers, where its share is %d", least, fair)
		}
		if n := sends.Load(); n > seconds*clients*callers*11/10 {
			t.Errorf("%d requests of %d callers who call once a second", n, clients*callers)
		}
		t.Logf("%d requests, %d answers, of one client %d to %d", sends.Load(), good.Load(), least, slices.Max(counts))
	})
}
