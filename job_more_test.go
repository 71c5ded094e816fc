package basiq_test

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/transport"
)

// TestJobOfAnotherUser: an ID that came through a browser may be that of
// anybody's job. As soon as the job names its user, the wait ends and tells
// nothing of it.
func TestJobOfAnotherUser(t *testing.T) {
	const named = `{"id":"j-1","links":{"source":"https://basiq.invalid/users/u-2/connections/c-1"},"steps":[{"title":"verify-credentials","status":"success","result":{"type":"link","url":"/users/u-2/connections/c-1"}}]}`
	for _, c := range []struct {
		name, user string
		bodies     []string
		refused    bool
	}{
		{"its own", "u-2", []string{named}, false},
		{"its own, in capitals", "U-2", []string{named}, false},
		{"nobody in particular", "", []string{named}, false},
		{"another's", "u-1", []string{named}, true},
		{"another's, not named at first", "u-1", []string{steps("j-1", running), named}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.job("j-1", c.bodies...)
				told := ""
				results, err := b.inMemory().WaitForJobs(t.Context(), []string{"j-1"}, basiq.WaitOptions{UserID: c.user, OnStep: func(s basiq.StepChange) {
					told += string(s.Status) + " "
				}})
				if errors.Is(err, basiq.ErrJobOwner) != c.refused || (err == nil) == c.refused || (results[0] != nil) == c.refused {
					t.Fatal(results, err)
				}
				if c.refused && (strings.Contains(told, "success") || strings.Contains(err.Error(), "verify-credentials")) {
					t.Errorf("it was told: %s; %v", told, err)
				}
			})
		})
	}
}

// TestJobTokenLate: a token endpoint that is silent for minutes is waited out
// like everything else that does not answer.
func TestJobTokenLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.job("j-1", steps("j-1", done))
		begin := time.Now()
		client := basiq.WithHTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.URL.Path == "/token" && time.Since(begin) < 2*time.Minute {
				<-r.Context().Done()
				return nil, r.Context().Err()
			}
			return handled{b}.RoundTrip(r)
		})})
		if _, err := b.inMemory(client).WaitForJob(t.Context(), "j-1", basiq.WaitOptions{Timeout: 10 * time.Minute}); err != nil {
			t.Errorf("%v after %s", err, time.Since(begin))
		}
	})
}

// TestStartRefreshResponse: the caller's own options count beside ours.
func TestStartRefreshResponse(t *testing.T) {
	b := newBench(t)
	b.mux.HandleFunc("POST /users/u-1/connections/c-1/refresh", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusAccepted)
		answer(w, `{"type":"job","id":"j-1"}`)
	})
	var res *http.Response
	job, err := b.inMemory().StartRefresh(t.Context(), "u-1", "c-1", transport.WithResponse(&res))
	if err != nil || job.ID() != "j-1" || res == nil || res.StatusCode != http.StatusAccepted {
		t.Errorf("%v, %v, %v", job, err, res)
	}
}

// TestPollRates: a rate that is none is refused, however small.
func TestPollRates(t *testing.T) {
	client := newBench(t).inMemory()
	for _, rate := range []float64{0, -1, 1e-12, math.NaN(), math.Inf(1)} {
		if err := client.SetPollRate(rate); err == nil {
			t.Errorf("%g a second is accepted", rate)
		}
	}
	if err := client.SetPollRate(1.0 / 60); err != nil {
		t.Error(err)
	}
}

// TestJobErrors: of several jobs that failed, every failure is found.
func TestJobErrors(t *testing.T) {
	b := newBench(t)
	b.job("j-1", steps("j-1", `verify-credentials=failed={"code":"invalid-credentials"}`))
	b.job("j-2", steps("j-2", done))
	b.job("j-3", steps("j-3", `verify-credentials=failed={"code":"maintenance"}`))
	b.on("GET /jobs/j-4", "403 forbidden-access")
	results, err := b.inMemory().WaitForJobs(t.Context(), []string{"j-1", "j-2", "j-3", "j-4"}, basiq.WaitOptions{Interval: time.Millisecond})
	var ids []string
	for _, failed := range basiq.JobErrors(fmt.Errorf("connecting: %w", err)) {
		ids = append(ids, failed.JobID)
	}
	if strings.Join(ids, " ") != "j-1 j-3" || results[1] == nil || len(basiq.JobErrors(nil)) > 0 {
		t.Errorf("%v of %v", ids, err)
	}
	if id := (&basiq.WaitError{JobID: "j-9"}).Job().ID(); id != "j-9" {
		t.Errorf("the job of an error made by hand is %q", id)
	}
}

// TestWaitForNoJob: an ID that cannot be one is refused before anything is sent,
// and nothing is said of polls.
func TestWaitForNoJob(t *testing.T) {
	srv := basiqtest.NewServer(t)
	client := srv.Client(t)
	for _, id := range []string{"", "..", "a/b", "%2e%2e"} {
		_, err := client.WaitForJob(t.Context(), id, basiq.WaitOptions{})
		var (
			path *transport.PathError
			wait *basiq.WaitError
		)
		if !errors.As(err, &path) || path.Name != "jobId" || errors.As(err, &wait) || strings.Contains(err.Error(), "poll") {
			t.Errorf("%q: %v", id, err)
		}
		if _, err := client.WaitForJobs(t.Context(), []string{id}, basiq.WaitOptions{}); !errors.As(err, &path) {
			t.Errorf("of several, %q: %v", id, err)
		}
		for _, err := range client.Job(id).Steps(t.Context(), basiq.WaitOptions{}) {
			if !errors.As(err, &path) {
				t.Errorf("steps of %q: %v", id, err)
			}
		}
	}
	if n := srv.Calls(""); n != 0 && srv.Calls("core.Jobs.Get") != 0 {
		t.Errorf("%d calls were made", n)
	}
}
