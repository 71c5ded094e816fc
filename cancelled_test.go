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

// causes returns an HTTP client whose error is the cause of a cancelled
// context, as in net/http since Go 1.23.
func causes(h http.Handler) *http.Client {
	return &http.Client{Transport: roundTripFunc(func(r *http.Request) (*http.Response, error) {
		res, err := handlerTransport{h}.RoundTrip(r)
		if r.Context().Err() != nil {
			return nil, context.Cause(r.Context())
		}
		return res, err
	})}
}

// TestCancelledJobWait checks that a cancelled wait does not match the
// context's cause, which may be the error of another call.
func TestCancelledJobWait(t *testing.T) {
	for _, c := range []struct {
		name string
		job  func(http.ResponseWriter, *http.Request)
	}{
		{"between polls", func(w http.ResponseWriter, _ *http.Request) { respond(w, steps("j-1", running)) }},
		{"during a poll", func(_ http.ResponseWriter, r *http.Request) { time.Sleep(time.Minute) }},
		{"while the user is asked", func(w http.ResponseWriter, _ *http.Request) { respond(w, asking("/jobs/j-1/mfa")) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newFakeAPI(t)
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

// TestCallbackErrorIsNotAnAPIError checks that an API error that OnMFA returns
// does not count as an API error of the wait.
func TestCallbackErrorIsNotAnAPIError(t *testing.T) {
	b := newFakeAPI(t)
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

// TestCancelledSyncRemovesNothing checks that a sync whose context ends neither
// removes transactions nor reports an account as rejected, even if the cause or
// a response says 404.
func TestCancelledSyncRemovesNothing(t *testing.T) {
	for _, c := range []struct {
		name string
		at   string // path of the request that cancels the context
		say  string // response to it; "" for an error
	}{
		{"the list of accounts", "/accounts", ""},
		{"a list of transactions", "/transactions", ""},
		{"one transaction", "/transactions/t-00001", ""},
		{"one transaction, which is not found", "/transactions/t-00001", "404 resource-not-found"},
		{"a list, which is not found", "/transactions", "404 resource-not-found"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, client := newLedger(t, 500)
			m := newLocalCopy(t)
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
					l.api.ServeHTTP(w, r)
					return
				}
				cancel(transport.NewError(http.StatusNotFound))
				respond(w, c.say)
			})
			trip := causes(b)
			if c.say != "" { // the response arrives before the cancellation is noticed
				trip = &http.Client{Transport: roundTripFunc(func(r *http.Request) (*http.Response, error) {
					return handlerTransport{b}.RoundTrip(r.WithContext(context.WithoutCancel(r.Context())))
				})}
			}
			again := l.api.inMemory(basiq.WithHTTPClient(trip), transport.WithRetryPolicy(transport.RetryPolicy{MaxAttempts: 1}))
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
