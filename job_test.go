package basiq_test

import (
	"context"
	"crypto/x509"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/transport"
)

const (
	running = "verify-credentials=in-progress retrieve-accounts=pending retrieve-transactions=pending"
	done    = `verify-credentials=success={"type":"link","url":"/users/u-1/connections/c-1"} retrieve-accounts=success retrieve-transactions=success`
)

// TestJobPollIntervalsGrow checks that the intervals between polls are random
// and grow up to the maximum (J1).
func TestJobPollIntervalsGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newFakeAPI(t)
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
		interval := time.Second
		for i := range 20 {
			pause := polls[i+1].at.Sub(polls[i].at)
			pauses[pause] = true
			if pause > interval || pause < interval*3/4 {
				t.Errorf("interval %d is %s, want at most %s, less up to a quarter", i+1, pause, interval)
			}
			interval = min(interval*3/2, 10*time.Second)
			if bound := 10 * time.Second; before < bound*3/4 && pause <= before || pause > bound || i > 7 && pause < bound*3/4 {
				t.Errorf("interval %d is %s after %s", i+1, pause, before)
			}
			before = pause
		}
		if len(pauses) != 20 {
			t.Errorf("the intervals are not random: %v", pauses)
		}
		if first := polls[1].at.Sub(polls[0].at); first < 750*time.Millisecond || first > time.Second {
			t.Errorf("the first interval is %s", first)
		}
	})
}

// TestJobPollsRespectRetryAfter checks that Retry-After is respected in
// successful and unsuccessful responses, even if it exceeds a minute (J2).
func TestJobPollsRespectRetryAfter(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		after  string
		want   time.Duration
	}{
		{"success", 200, "42", 42 * time.Second},
		{"429", 429, "30", 30 * time.Second},
		{"503, more than a minute", 503, "150", 150 * time.Second},
		{"shorter than the interval", 200, "0.1", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, n := newFakeAPI(t), 0
				b.mux.HandleFunc("GET /jobs/j-1", func(w http.ResponseWriter, _ *http.Request) {
					if n++; n > 1 {
						respond(w, steps("j-1", done))
						return
					}
					w.Header().Set("Retry-After", c.after)
					w.WriteHeader(c.status)
					respond(w, steps("j-1", running))
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

// TestJobRetryAfterBeyondDeadline checks that a wait ends at once if
// Retry-After exceeds its deadline (J2).
func TestJobRetryAfterBeyondDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newFakeAPI(t)
		b.job("j-1", "429 Retry-After=90")
		start := time.Now()
		_, err := b.inMemory().WaitForJob(t.Context(), "j-1", basiq.WaitOptions{Timeout: time.Minute})
		if time.Since(start) > time.Second || !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, transport.ErrRateLimited) {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
		wantText(t, err.Error(), "j-1", "1m30s")
	})
}

// TestJobWaitSurvivesFiveMinutesOfFailures checks that temporary failures do
// not end a wait, and cause no requests other than polls (J3).
func TestJobWaitSurvivesFiveMinutesOfFailures(t *testing.T) {
	for _, failure := range []string{"503", "429", "502", "500 internal-server-error", "504", "403 too-many-requests", "408"} {
		t.Run(failure, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newFakeAPI(t)
				start := time.Now()
				b.mux.HandleFunc("GET /jobs/j-1", func(w http.ResponseWriter, _ *http.Request) {
					switch since := time.Since(start); {
					case since < 3*time.Second:
						respond(w, steps("j-1", running))
					case since < 5*time.Minute:
						respond(w, failure)
					default:
						respond(w, steps("j-1", done))
					}
				})
				if _, err := b.inMemory().WaitForJob(t.Context(), "j-1", basiq.WaitOptions{}); err != nil {
					t.Fatal(err)
				}
				if n := len(b.calls("GET /jobs/j-1")); n < 30 || n > 48 || n != len(b.requests) {
					t.Errorf("%d polls of %d calls", n, len(b.requests))
				}
			})
		})
	}
}

// TestJobNetworkFailures checks that network failures do not end a wait, except
// those that are due to a wrong configuration: an unknown host, unless it was
// reached before, and an untrusted certificate.
func TestJobNetworkFailures(t *testing.T) {
	for _, c := range []struct {
		name  string
		after int // polls that succeed before
		fail  func(r *http.Request) error
		ok    bool
	}{
		{"no connection", 0, func(*http.Request) error { return errors.New("connection refused") }, true},
		{"no such host, after a success", 1, func(*http.Request) error { return noHost }, true},
		{"no such host", 0, func(*http.Request) error { return noHost }, false},
		{"not trusted", 0, func(*http.Request) error { return &tlsError{Err: x509.UnknownAuthorityError{}} }, false},
		{"plain HTTP where HTTPS is expected", 0, func(*http.Request) error { return http.ErrSchemeMismatch }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, n := newFakeAPI(t), 0
				b.job("j-1", append(repeat(steps("j-1", running), c.after), steps("j-1", done))...)
				client := b.inMemory(basiq.WithHTTPClient(&http.Client{Transport: roundTripFunc(func(r *http.Request) (*http.Response, error) {
					if r.URL.Path == "/token" {
						return handlerTransport{b}.RoundTrip(r)
					}
					if n++; n > c.after && n < c.after+5 {
						return nil, c.fail(r)
					}
					return handlerTransport{b}.RoundTrip(r)
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

// TestJobNotFoundIsToleratedThreeTimes checks that a wait tolerates three 404
// responses for a new job, and none for a job that was seen (J4).
func TestJobNotFoundIsToleratedThreeTimes(t *testing.T) {
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
		{"forbidden", []string{"403 forbidden-access"}, 1, false},
		{"an invalid ID", []string{"400 path-parameter-not-valid"}, 1, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newFakeAPI(t)
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
				wantText(t, err.Error(), "j-1", "stopped waiting for job")
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

// TestJobOutcomes checks the outcome of a wait for each kind of job (J5). In
// the last cases the job does not end, so the wait times out.
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
		{name: "an unknown code", body: steps("j-1", failed(`{"code":"bank-burnt-down"}`)),
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
		{name: "an unknown status", body: steps("j-1", "verify-credentials=success retrieve-accounts=finished"), is: context.DeadlineExceeded},
		{name: "a report that is not ready", body: `{"id":"j-1","jobType":"report","status":"in-progress","steps":[{"title":"create-report","status":"success"}]}`, is: context.DeadlineExceeded},
		{name: "it stays pending", body: steps("j-1", running), is: context.DeadlineExceeded},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newFakeAPI(t)
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
				if !errors.As(err, &e) || e.Code != c.code || e.Step != c.step || e.JobID != "j-1" || len(b.requests) != 1 {
					t.Errorf("%#v after %d polls", e, len(b.requests))
				}
			})
		})
	}
}

var errAnyJob = errors.New("any")

// TestJobMalformedResponses checks that a wait tolerates three consecutive
// responses that cannot be decoded.
func TestJobMalformedResponses(t *testing.T) {
	for _, body := range []string{"<html>", "", `{"id":`} {
		synctest.Test(t, func(t *testing.T) {
			b := newFakeAPI(t)
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

// TestJobWaitEndsWithContext checks that a wait ends at once with its context,
// and that its error can be used to continue (J6).
func TestJobWaitEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newFakeAPI(t)
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

// TestJobWaitEndsWithContextOverTCP checks the same over TCP, while a response
// is pending.
func TestJobWaitEndsWithContextOverTCP(t *testing.T) {
	b, entered, end := newFakeAPI(t), make(chan struct{}), make(chan struct{})
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
	if late := time.Since(left); late > 500*time.Millisecond { // TestJobWaitEndsWithContext has the exact time; this machine may be busy
		t.Errorf("returned after %s", late)
	}
}

// TestJobDeadlines checks which of the timeout and the context's deadline
// applies.
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
		{"a millisecond", 0, time.Millisecond, time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newFakeAPI(t)
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
					t.Errorf("the last poll was %s before the end", c.want-last)
				}
			})
		})
	}
}

// TestJobWaitSurvivesSlowTokenEndpoint checks that a token endpoint that does
// not respond for minutes does not end a wait.
func TestJobWaitSurvivesSlowTokenEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newFakeAPI(t)
		b.job("j-1", steps("j-1", done))
		begin := time.Now()
		client := basiq.WithHTTPClient(&http.Client{Transport: roundTripFunc(func(r *http.Request) (*http.Response, error) {
			if r.URL.Path == "/token" && time.Since(begin) < 2*time.Minute {
				<-r.Context().Done()
				return nil, r.Context().Err()
			}
			return handlerTransport{b}.RoundTrip(r)
		})})
		if _, err := b.inMemory(client).WaitForJob(t.Context(), "j-1", basiq.WaitOptions{Timeout: 10 * time.Minute}); err != nil {
			t.Errorf("%v after %s", err, time.Since(begin))
		}
	})
}

// TestWaitsUnderTheFakeServerAreQuick waits for a job of eight polls with default
// options. At the default interval it would take longer than the deadline.
func TestWaitsUnderTheFakeServerAreQuick(t *testing.T) {
	srv := basiqtest.NewServer(t)
	client := srv.Client(t)
	userID, err := srv.AddUser("max@example.com")
	if err != nil {
		t.Fatal(err)
	}
	jobIDs, err := srv.Connect(userID, basiqtest.Gilfoyle)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	if _, err := client.WaitForJobs(ctx, jobIDs, basiq.WaitOptions{UserID: userID}); err != nil {
		t.Error(err)
	}
	if _, err := basiq.NewClient(append(srv.Options(), basiq.WithPollInterval(0))...); err == nil {
		t.Error("an interval of 0 is accepted")
	}
}
