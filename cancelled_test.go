package basiq_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/transport"
)

// causes is an HTTP client that returns the cause of a context, as net/http does
// since Go 1.23.
func causes(h http.Handler) *http.Client {
	return &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		res, err := handled{h}.RoundTrip(r)
		if r.Context().Err() != nil {
			return nil, context.Cause(r.Context())
		}
		return res, err
	})}
}

// TestCancelledWaitForAJob: a wait whose context is cancelled with the error of
// another call as its cause does not say that the job is not known.
func TestCancelledWaitForAJob(t *testing.T) {
	for _, c := range []struct {
		name string
		job  func(http.ResponseWriter, *http.Request)
	}{
		{"between polls", func(w http.ResponseWriter, _ *http.Request) { answer(w, steps("j-1", running)) }},
		{"within a poll", func(_ http.ResponseWriter, r *http.Request) { time.Sleep(time.Minute) }},
		{"while the user is asked", func(w http.ResponseWriter, _ *http.Request) { answer(w, asking("/jobs/j-1/mfa")) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.mux.HandleFunc("GET /jobs/j-1", c.job)
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(1500*time.Millisecond, func() { cancel(transport.NewError(http.StatusNotFound)) })
				_, err := b.inMemory(basiq.WithHTTPClient(causes(b))).WaitForJob(ctx, "j-1", basiq.WaitOptions{
					OnMFA: func(ctx context.Context, _ basiq.MFA) ([]string, error) { <-ctx.Done(); return nil, context.Cause(ctx) },
				})
				var w *basiq.WaitError
				if !errors.As(err, &w) || !errors.Is(err, context.Canceled) || errors.Is(err, transport.ErrNotFound) || errors.As(err, new(*transport.Error)) {
					t.Errorf("%v", err)
				}
				wantText(t, err.Error(), "404")
				time.Sleep(time.Hour)
			})
		})
	}
}

// TestCallbackErrorIsNotTheJobs: what the API said to a call that OnMFA made, it
// did not say to the wait.
func TestCallbackErrorIsNotTheJobs(t *testing.T) {
	b := newBench(t)
	b.job("j-1", asking("/jobs/j-1/mfa"))
	_, err := b.onLoopback().WaitForJob(t.Context(), "j-1", basiq.WaitOptions{
		OnMFA: func(context.Context, basiq.MFA) ([]string, error) {
			return nil, fmt.Errorf("looking up the phone: %w", transport.NewError(http.StatusNotFound))
		},
	})
	var m *basiq.MFAError
	if !errors.As(err, &m) || errors.Is(err, transport.ErrNotFound) || errors.Is(err, basiq.ErrMFARejected) {
		t.Errorf("%v", err)
	}
	wantText(t, err.Error(), "looking up the phone", "404")
}

// TestCancelledSyncBelievesNothing: a sync whose context ends, with the error of
// another call as its cause or with an answer of its own, neither removes what it
// could not look at nor blames an account.
func TestCancelledSyncBelievesNothing(t *testing.T) {
	for _, c := range []struct {
		name string
		at   string // the call that the context ends with
		say  string // what the API says to it
	}{
		{"the list of accounts", "/accounts", ""},
		{"a list of transactions", "/transactions", ""},
		{"one transaction", "/transactions/t-00001", ""},
		{"one transaction, which is not found", "/transactions/t-00001", "404 resource-not-found"},
		{"a list, which is not found", "/transactions", "404 resource-not-found"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, client := newLedger(t, 500)
			m := newMirror(t)
			for i := range 3 {
				l.add("a-1", at(i, false), false)
			}
			if err := m.sync(client, basiq.SyncOptions{}, nil); err != nil || len(m.rows) != 3 {
				t.Fatalf("%v, %d rows", err, len(m.rows))
			}
			l.hide["t-00001"] = true
			ctx, cancel := context.WithCancelCause(t.Context())
			b := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if !strings.HasSuffix(r.URL.Path, c.at) {
					l.bench.ServeHTTP(w, r)
					return
				}
				cancel(transport.NewError(http.StatusNotFound))
				answer(w, c.say)
			})
			trip := causes(b)
			if c.say != "" { // the answer is there before anybody sees the end of the context
				trip = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
					return handled{b}.RoundTrip(r.WithContext(context.WithoutCancel(r.Context())))
				})}
			}
			again := l.bench.inMemory(basiq.WithHTTPClient(trip), transport.WithRetryPolicy(transport.RetryPolicy{MaxAttempts: 1}))
			var err error
			for batch, failure := range again.SyncTransactions(ctx, "u-1", m.cursor, basiq.SyncOptions{PostedOnly: true}) {
				if err = failure; err == nil {
					m.apply(batch)
				}
			}
			if !errors.Is(err, context.Canceled) || errors.Is(err, transport.ErrNotFound) || len(m.rows) != 3 {
				t.Errorf("%v, %d rows", err, len(m.rows))
			}
			if strings.Contains(err.Error(), "was not synced") {
				t.Errorf("an account is blamed: %v", err)
			}
		})
	}
}
