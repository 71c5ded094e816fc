package basiq_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/transport"
)

const (
	running = "verify-credentials=in-progress retrieve-accounts=pending retrieve-transactions=pending"
	done    = `verify-credentials=success={"type":"link","url":"/users/u-1/connections/c-1"} retrieve-accounts=success retrieve-transactions=success`
)

// TestJobJ1: pending twenty times, then success: 21 polls, whose pauses grow,
// with some chance in them, up to a bound.
func TestJobJ1(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.job("j-1", append(repeat(steps("j-1", running), 20), steps("j-1", done))...)
		r, err := b.inMemory().WaitForJob(t.Context(), "j-1", basiq.WaitOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if r.ConnectionID() != "c-1" || r.UserID() != "u-1" {
			t.Errorf("connection %q of user %q", r.ConnectionID(), r.UserID())
		}
		polls := b.calls("GET /jobs/j-1")
		if len(polls) != 21 {
			t.Fatalf("%d polls", len(polls))
		}
		pauses := map[time.Duration]bool{}
		var before time.Duration
		for i := range 20 {
			pause := polls[i+1].at.Sub(polls[i].at)
			pauses[pause] = true
			if bound := 10 * time.Second; before < bound*3/4 && pause <= before || pause > bound || i > 7 && pause < bound*3/4 {
				t.Errorf("pause %d is %s after %s", i+1, pause, before)
			}
			before = pause
		}
		if len(pauses) != 20 {
			t.Errorf("there is no chance in the pauses: %v", pauses)
		}
		if first := polls[1].at.Sub(polls[0].at); first < 750*time.Millisecond || first > time.Second {
			t.Errorf("the first pause is %s", first)
		}
	})
}

// TestJobJ2: what the API asks for with Retry-After is heeded, of answers that
// succeed and of those that do not, also beyond a minute.
func TestJobJ2(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		after  string
		want   time.Duration
	}{
		{"of a success", 200, "42", 42 * time.Second},
		{"429", 429, "30", 30 * time.Second},
		{"503 for long", 503, "150", 150 * time.Second},
		{"shorter than the own pause", 200, "0.1", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, n := newBench(t), 0
				b.mux.HandleFunc("GET /jobs/j-1", func(w http.ResponseWriter, _ *http.Request) {
					if n++; n > 1 {
						answer(w, steps("j-1", done))
						return
					}
					w.Header().Set("Retry-After", c.after)
					w.WriteHeader(c.status)
					answer(w, steps("j-1", running))
				})
				if _, err := b.inMemory().WaitForJob(t.Context(), "j-1", basiq.WaitOptions{}); err != nil {
					t.Fatal(err)
				}
				polls := b.calls("GET /jobs/j-1")
				got := polls[1].at.Sub(polls[0].at)
				if c.want > 0 && got != c.want || c.want == 0 && (got < 750*time.Millisecond || got > time.Second) {
					t.Errorf("waited %s, want %s", got, c.want)
				}
			})
		})
	}
}

// TestJobRetryAfterBeyondTheEnd: a wait that cannot fit is not begun.
func TestJobRetryAfterBeyondTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.job("j-1", "429 Retry-After=90")
		start := time.Now()
		_, err := b.inMemory().WaitForJob(t.Context(), "j-1", basiq.WaitOptions{Timeout: time.Minute})
		if time.Since(start) > time.Second || !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, transport.ErrRateLimited) {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
		wantText(t, err.Error(), "j-1", "1m30s")
	})
}

// TestJobJ3: five minutes of failures of every kind that passes are survived,
// with polls that keep their distance, and nothing but polls.
func TestJobJ3(t *testing.T) {
	for _, failure := range []string{"503", "429", "502", "500 internal-server-error", "504", "403 too-many-requests", "408"} {
		t.Run(failure, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				start := time.Now()
				b.mux.HandleFunc("GET /jobs/j-1", func(w http.ResponseWriter, _ *http.Request) {
					switch since := time.Since(start); {
					case since < 3*time.Second:
						answer(w, steps("j-1", running))
					case since < 5*time.Minute:
						answer(w, failure)
					default:
						answer(w, steps("j-1", done))
					}
				})
				if _, err := b.inMemory().WaitForJob(t.Context(), "j-1", basiq.WaitOptions{}); err != nil {
					t.Fatal(err)
				}
				if n := len(b.calls("GET /jobs/j-1")); n < 30 || n > 48 || n != len(b.asks) {
					t.Errorf("%d polls of %d calls", n, len(b.asks))
				}
			})
		})
	}
}

// TestJobNetworkFailures: hang-ups are waited out, and so is a host that is
// gone for a while; a host that never was, or is not trusted, is not.
func TestJobNetworkFailures(t *testing.T) {
	for _, c := range []struct {
		name  string
		after int // polls that succeed before
		fail  func(r *http.Request) error
		ok    bool
	}{
		{"no connection", 0, func(*http.Request) error { return errors.New("connection refused") }, true},
		{"no such host, in between", 1, func(*http.Request) error { return noHost }, true},
		{"no such host", 0, func(*http.Request) error { return noHost }, false},
		{"not trusted", 0, func(*http.Request) error { return &tlsError{Err: x509.UnknownAuthorityError{}} }, false},
		{"plain HTTP where HTTPS is expected", 0, func(*http.Request) error { return http.ErrSchemeMismatch }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, n := newBench(t), 0
				b.job("j-1", append(repeat(steps("j-1", running), c.after), steps("j-1", done))...)
				client := b.inMemory(basiq.WithHTTPClient(&http.Client{Transport: tripper(func(r *http.Request) (*http.Response, error) {
					if r.URL.Path == "/token" {
						return handled{b}.RoundTrip(r)
					}
					if n++; n > c.after && n < c.after+5 {
						return nil, c.fail(r)
					}
					return handled{b}.RoundTrip(r)
				})}))
				_, err := client.WaitForJob(t.Context(), "j-1", basiq.WaitOptions{})
				if c.ok != (err == nil) {
					t.Errorf("%v after %d polls", err, n)
				}
				if !c.ok && n != 1 {
					t.Errorf("%d polls", n)
				}
			})
		})
	}
}

// TestJobJ4: a job that is not visible yet is tolerated three times; one that
// disappears, not at all.
func TestJobJ4(t *testing.T) {
	const missing = "404 resource-not-found"
	for _, c := range []struct {
		name   string
		bodies []string
		polls  int
		ok     bool
	}{
		{"three times", append(repeat(missing, 3), steps("j-1", running), steps("j-1", done)), 5, true},
		{"four times", append(repeat(missing, 4), steps("j-1", done)), 4, false},
		{"it disappears", []string{steps("j-1", running), missing, steps("j-1", done)}, 2, false},
		{"no right to see it", []string{"403 forbidden-access"}, 1, false},
		{"a bad ID", []string{"400 path-parameter-not-valid"}, 1, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.job("j-1", c.bodies...)
				_, err := b.inMemory().WaitForJob(t.Context(), "j-1", basiq.WaitOptions{})
				if n := len(b.calls("GET /jobs/j-1")); n != c.polls || c.ok != (err == nil) {
					t.Fatalf("%v after %d polls", err, n)
				}
				if c.ok {
					return
				}
				var w *basiq.WaitError
				if !errors.As(err, &w) || w.JobID != "j-1" || w.Polls != c.polls || w.Job().ID() != "j-1" {
					t.Errorf("%#v", w)
				}
				if strings.HasPrefix(c.bodies[len(c.bodies)-2+btoi(len(c.bodies) == 1)], missing) && !errors.Is(err, transport.ErrNotFound) {
					t.Errorf("%v is not ErrNotFound", err)
				}
				wantText(t, err.Error(), "j-1", "gave up waiting for job")
			})
		})
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// TestJobOutcomes (J5): what a job's steps say, and what becomes of the wait.
// The jobs of the last cases are answered for ever: the wait ends with its time.
func TestJobOutcomes(t *testing.T) {
	failed := func(result string) string {
		return "verify-credentials=failed=" + result + " retrieve-accounts=pending retrieve-transactions=pending"
	}
	for _, c := range []struct {
		name string
		body string
		code core.StepCode
		step core.StepTitle
		is   error // nil: success
	}{
		{name: "success", body: steps("j-1", done)},
		{name: "a skipped step is done", body: steps("j-1", "verify-credentials=success mfa-challenge=skipped retrieve-accounts=success")},
		{name: "steps in another order", body: steps("j-1", "retrieve-transactions=success verify-credentials=success")},
		{name: "another case", body: steps("j-1", "verify-credentials=Success")},
		{name: "a report", body: `{"id":"j-1","jobType":"report","status":"success","steps":[{"title":"create-report","status":"success","result":{"type":"link","url":"/reports/r-1"}}]}`},

		{name: "the later steps stay pending", body: steps("j-1", failed(`{"code":"invalid-credentials","title":"no","detail":"d"}`)),
			code: "invalid-credentials", step: "verify-credentials", is: basiq.ErrJobInvalidCredentials},
		{name: "the failure is in a list", body: steps("j-1", failed(`[{"code":"maintenance"}]`)),
			code: "maintenance", step: "verify-credentials", is: basiq.ErrJobMaintenance},
		{name: "a code that nobody knows", body: steps("j-1", failed(`{"code":"bank-burnt-down"}`)),
			code: "bank-burnt-down", step: "verify-credentials", is: basiq.ErrJob("bank-burnt-down")},
		{name: "no reason", body: steps("j-1", failed("null")), step: "verify-credentials", is: errAnyJob},
		{name: "a failure after success", body: steps("j-1", `verify-credentials=success retrieve-accounts=failed={"code":"job-timed-out"} retrieve-transactions=in-progress`),
			code: "job-timed-out", step: "retrieve-accounts", is: basiq.ErrJobTimedOut},
		{name: "a failed question", body: steps("j-1", `verify-credentials=success mfa-challenge=failed={"code":"invalid-credentials"}`),
			code: "invalid-credentials", step: "mfa-challenge", is: basiq.ErrMFARejected},
		{name: "a failed report", body: `{"id":"j-1","jobType":"report","status":"failed","links":null,"steps":[{"title":"create-report","status":"failed","result":null}]}`,
			step: "create-report", is: errAnyJob},
		{name: "a failed report without steps", body: `{"id":"j-1","jobType":"report","status":"failed","links":null,"steps":[]}`, is: errAnyJob},

		{name: "no steps", body: `{"type":"job","id":"j-1","steps":[]}`, is: context.DeadlineExceeded},
		{name: "a report without steps", body: `{"id":"j-1","jobType":"report","status":"success","steps":[]}`, is: context.DeadlineExceeded},
		{name: "an empty object", body: `{}`, is: context.DeadlineExceeded},
		{name: "an error in place of a job", body: `{"type":"list","data":[{"code":"access-denied"}]}`, is: context.DeadlineExceeded},
		{name: "a status that nobody knows", body: steps("j-1", "verify-credentials=success retrieve-accounts=finished"), is: context.DeadlineExceeded},
		{name: "a report that is not ready", body: `{"id":"j-1","jobType":"report","status":"in-progress","steps":[{"title":"create-report","status":"success"}]}`, is: context.DeadlineExceeded},
		{name: "it stays pending", body: steps("j-1", running), is: context.DeadlineExceeded},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.job("j-1", c.body)
				start := time.Now()
				r, err := b.inMemory().WaitForJob(t.Context(), "j-1", basiq.WaitOptions{Timeout: 3 * time.Minute})
				if c.is == nil {
					if err != nil || r == nil || time.Since(start) > 0 {
						t.Errorf("%v, %v after %s", r, err, time.Since(start))
					}
					return
				}
				if r != nil || c.is != errAnyJob && !errors.Is(err, c.is) {
					t.Fatalf("%v, %v", r, err)
				}
				wantText(t, err.Error(), "j-1")
				if c.is == context.DeadlineExceeded {
					if got := time.Since(start); got != 3*time.Minute {
						t.Errorf("ended after %s", got)
					}
					return
				}
				var e *basiq.JobError
				if !errors.As(err, &e) || e.Code != c.code || e.Step != c.step || e.JobID != "j-1" || len(b.asks) != 1 {
					t.Errorf("%#v after %d polls", e, len(b.asks))
				}
			})
		})
	}
}

var errAnyJob = errors.New("any")

// TestJobUnreadable: an answer that cannot be read is tolerated three times in
// a row.
func TestJobUnreadable(t *testing.T) {
	for _, body := range []string{"<html>", "", `{"id":`} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			b.job("j-1", append(repeat(body, 3), append([]string{steps("j-1", running)}, append(repeat(body, 3), steps("j-1", done))...)...)...)
			if _, err := b.inMemory().WaitForJob(t.Context(), "j-1", basiq.WaitOptions{}); err != nil {
				t.Errorf("%q: %v", body, err)
			}
			b.job("j-2", body)
			_, err := b.inMemory().WaitForJob(t.Context(), "j-2", basiq.WaitOptions{})
			if n := len(b.calls("GET /jobs/j-2")); err == nil || n != 4 || errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%q: %v after %d polls", body, err, n)
			}
		})
	}
}

// TestJobJ6: a wait ends with its context, at once, and its error has what is
// needed to go on.
func TestJobJ6(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.job("j-1", append(repeat(steps("j-1", running), 3), steps("j-1", done))...)
		client := b.inMemory()
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(1500*time.Millisecond, func() { cancel(errors.New("the shop closes")) })
		start := time.Now()
		_, err := client.WaitForJob(ctx, "j-1", basiq.WaitOptions{})
		if got := time.Since(start); got != 1500*time.Millisecond {
			t.Errorf("ended after %s", got)
		}
		var w *basiq.WaitError
		if !errors.As(err, &w) || !errors.Is(err, context.Canceled) || w.JobID != "j-1" || w.Step != "verify-credentials" || w.Status != "in-progress" {
			t.Fatalf("%#v", err)
		}
		wantText(t, err.Error(), "the shop closes", "verify-credentials was in-progress", " polls") // two or three: waits are random
		again, err := client.ResumeJob(w.Job().Token())
		if err != nil {
			t.Fatal(err)
		}
		if r, err := again.Wait(t.Context(), basiq.WaitOptions{}); err != nil || r.ConnectionID() != "c-1" {
			t.Errorf("%v, %v", r, err)
		}
	})
}

// TestJobJ6Loopback holds the same over TCP, while an answer is waited for.
func TestJobJ6Loopback(t *testing.T) {
	b, entered, end := newBench(t), make(chan struct{}), make(chan struct{})
	defer close(end)
	b.mux.HandleFunc("GET /jobs/j-1", func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		select {
		case <-r.Context().Done():
		case <-end:
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	var left time.Time
	go func() { <-entered; left = time.Now(); cancel() }()
	_, err := b.onLoopback().WaitForJob(ctx, "j-1", basiq.WaitOptions{})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if late := time.Since(left); late > 500*time.Millisecond { // TestJobJ6 has the exact time; this machine may be busy
		t.Errorf("returned %s late", late)
	}
}

// TestJobDeadlines: whose deadline counts.
func TestJobDeadlines(t *testing.T) {
	for _, c := range []struct {
		name    string
		context time.Duration
		timeout time.Duration
		want    time.Duration
	}{
		{"neither", 0, 0, 10 * time.Minute},
		{"the context's, which is longer than the default", time.Hour, 0, time.Hour},
		{"the option", 0, time.Hour, time.Hour},
		{"the option, which is shorter", time.Hour, time.Minute, time.Minute},
		{"the context's, which is shorter", time.Minute, time.Hour, time.Minute},
		{"a moment", 0, time.Millisecond, time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.job("j-1", steps("j-1", running))
				ctx := t.Context()
				if c.context > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, c.context)
					defer cancel()
				}
				start := time.Now()
				_, err := b.inMemory().WaitForJob(ctx, "j-1", basiq.WaitOptions{Timeout: c.timeout})
				if got := time.Since(start); got != c.want || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%v after %s", err, got)
				}
				polls := b.calls("GET /jobs/j-1")
				if last := polls[len(polls)-1].at.Sub(start); c.want > time.Second && c.want-last > 2*time.Second {
					t.Errorf("the last look was %s before the end", c.want-last)
				}
			})
		})
	}
}

// TestJobJ7: ten thousand jobs are polled no faster than the client may.
func TestJobJ7(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const jobs, rate = 10_000, 500
		b := newBench(t)
		b.mux.HandleFunc("GET /jobs/{id}", func(w http.ResponseWriter, r *http.Request) {
			answer(w, steps(r.PathValue("id"), "verify-credentials=success"))
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
		if len(b.asks) != jobs {
			t.Fatalf("%d polls", len(b.asks))
		}
		for i := rate; i < jobs; i++ {
			if span := b.asks[i].at.Sub(b.asks[i-rate].at); span < time.Second {
				t.Fatalf("%d polls in %s", rate, span)
			}
		}
		if all := b.asks[jobs-1].at.Sub(b.asks[0].at); all > jobs/rate*time.Second {
			t.Errorf("it took %s", all)
		}
	})
}

// TestJobPacerLeavesNoGap: waits that are given up cost those that go on
// nothing.
func TestJobPacerLeavesNoGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.mux.HandleFunc("GET /jobs/{id}", func(w http.ResponseWriter, r *http.Request) { answer(w, steps("j", done)) })
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
		if err := newBench(t).inMemory().SetPollRate(rate); err == nil {
			t.Errorf("a rate of %g is accepted", rate)
		}
	}
}
