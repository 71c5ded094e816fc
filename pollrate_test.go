package basiq_test

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/basiq-sdk/basiq-go"
)

// TestJobPollsShareOneRate checks that waits for ten thousand jobs do not
// exceed the client's poll rate (J7).
func TestJobPollsShareOneRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const jobs, rate = 10_000, 500
		b := newFakeAPI(t)
		b.mux.HandleFunc("GET /jobs/{id}", func(w http.ResponseWriter, r *http.Request) {
			respond(w, steps(r.PathValue("id"), "verify-credentials=success"))
		})
		client := b.inMemory()
		if err := client.SetPollRate(rate); err != nil {
			t.Fatal(err)
		}
		ids := make([]string, jobs)
		for i := range ids {
			ids[i] = fmt.Sprint("j-", i)
		}
		results, err := client.WaitForJobs(t.Context(), ids, basiq.WaitOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range results {
			if r.Job.ID != ids[i] {
				t.Fatalf("result %d is of %s", i, r.Job.ID)
			}
		}
		if len(b.requests) != jobs {
			t.Fatalf("%d polls", len(b.requests))
		}
		for i := rate; i < jobs; i++ {
			if span := b.requests[i].at.Sub(b.requests[i-rate].at); span < time.Second {
				t.Fatalf("%d polls in %s", rate, span)
			}
		}
		if all := b.requests[jobs-1].at.Sub(b.requests[0].at); all > jobs/rate*time.Second {
			t.Errorf("it took %s", all)
		}
	})
}

// TestCancelledWaitsUseUpNoPolls checks that cancelled waits do not delay the
// others (J7).
func TestCancelledWaitsUseUpNoPolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newFakeAPI(t)
		b.mux.HandleFunc("GET /jobs/{id}", func(w http.ResponseWriter, r *http.Request) { respond(w, steps("j", done)) })
		client := b.inMemory()
		if err := client.SetPollRate(0.1); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() { _, _ = client.WaitForJob(ctx, "given-up", basiq.WaitOptions{}) })
		}
		time.Sleep(time.Second)
		cancel()
		wg.Wait()
		start := time.Now()
		if _, err := client.WaitForJob(t.Context(), "j", basiq.WaitOptions{}); err != nil {
			t.Fatal(err)
		}
		if got := time.Since(start); got > 10*time.Second {
			t.Errorf("waited for %s", got)
		}
	})
	for _, rate := range []float64{0, -1} {
		if err := newFakeAPI(t).inMemory().SetPollRate(rate); err == nil {
			t.Errorf("a rate of %g is accepted", rate)
		}
	}
}

// TestInvalidPollRates checks that SetPollRate rejects invalid and extremely
// low rates.
func TestInvalidPollRates(t *testing.T) {
	client := newFakeAPI(t).inMemory()
	for _, rate := range []float64{0, -1, 1e-12, math.NaN(), math.Inf(1)} {
		if err := client.SetPollRate(rate); err == nil {
			t.Errorf("%g a second is accepted", rate)
		}
	}
	if err := client.SetPollRate(1.0 / 60); err != nil {
		t.Error(err)
	}
}
