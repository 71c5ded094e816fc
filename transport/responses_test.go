package transport_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go/transport"
)

func TestRedirectsAreNotFollowed(t *testing.T) {
	var leaked atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { leaked.Add(1) }))
	defer other.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		b := newBank(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/elsewhere" {
				leaked.Add(1)
			}
			w.Header().Set("Location", other.URL)
			w.WriteHeader(status)
		})
		_, err := get(context.Background(), b.client(t))
		var e *transport.Error
		if !errors.As(err, &e) || e.Status != status {
			t.Errorf("%d: got %v", status, err)
		}
	}
	if leaked.Load() != 0 {
		t.Errorf("%d redirects were followed", leaked.Load())
	}
}

func TestResponsesOfEveryKind(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	chunk := make([]byte, 1<<20)
	for range 64 {
		_, _ = z.Write(chunk)
	}
	_ = z.Close()
	for _, c := range []struct {
		name    string
		answer  func(http.ResponseWriter)
		wantErr func(error) bool
	}{
		{"empty", func(w http.ResponseWriter) {}, is(transport.ErrNoContent)},
		{"204", func(w http.ResponseWriter) { w.WriteHeader(204) }, is(transport.ErrNoContent)},
		{"not JSON", func(w http.ResponseWriter) { io.WriteString(w, "<html>") }, decodeError},
		{"cut off", func(w http.ResponseWriter) { io.WriteString(w, `{"a":`) }, decodeError},
		{"shorter than it says", func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, `{}`)
		}, is(io.ErrUnexpectedEOF)},
		{"gzip bomb", func(w http.ResponseWriter) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb.Bytes())
		}, is(transport.ErrTooLarge)},
		{"HTML error page", func(w http.ResponseWriter) { w.WriteHeader(502); io.WriteString(w, "<html>") }, is(transport.ErrUnavailable)},
		{"gateway message", func(w http.ResponseWriter) {
			w.WriteHeader(403)
			io.WriteString(w, `{"message":"Missing Authentication Token"}`)
		}, is(transport.ErrForbidden)},
		{"flat error", func(w http.ResponseWriter) {
			w.WriteHeader(409)
			io.WriteString(w, `{"code":"resource-already-exists"}`)
		}, is(transport.ErrConflict)},
		{"throttled", func(w http.ResponseWriter) { w.Header().Set("Retry-After", "7"); w.WriteHeader(429) }, func(err error) bool {
			var e *transport.Error
			return errors.As(err, &e) && e.RetryAfter == 7*time.Second && errors.Is(err, transport.ErrRateLimited)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBank(t, func(w http.ResponseWriter, _ *http.Request) { c.answer(w) })
			client := b.client(t, transport.WithRetryPolicy(transport.RetryPolicy{MaxAttempts: 1}))
			if _, err := get(context.Background(), client); !c.wantErr(err) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestUserWithoutActiveConsent: the API has no code for a consent that was revoked or
// has expired, only a text, which is not the same everywhere.
func TestUserWithoutActiveConsent(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		kind   error
		none   bool
	}{
		{400, `{"data":[{"code":"parameter-not-valid","title":"Bad request","detail":"User doesn't have an active consent"}]}`, transport.ErrInvalidParameter, true},
		{400, `{"message":"400 Bad request – user doesn't have an active consent"}`, transport.ErrInvalidParameter, true},
		{404, `{"data":[{"code":"resource-not-found","title":"No active consent found","detail":""}]}`, transport.ErrNotFound, true},
		{400, `{"data":[{"code":"parameter-not-valid","detail":"A user ID is not valid"}]}`, transport.ErrInvalidParameter, false},
		{403, `{"data":[{"code":"forbidden-access","detail":"An active consent is not enough"}]}`, transport.ErrForbidden, false},
	} {
		b := newBank(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(c.status); io.WriteString(w, c.body) })
		_, err := get(t.Context(), b.client(t))
		var e *transport.Error
		if !errors.As(err, &e) || !errors.Is(err, c.kind) || errors.Is(err, transport.ErrNoActiveConsent) != c.none || strings.Contains(e.Advice(), "consent again") != c.none {
			t.Errorf("%d %s: got %v", c.status, c.body, err)
		}
	}
}

func TestStalledResponseEndsInTime(t *testing.T) {
	release := make(chan struct{})
	b := newBank(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"a":`)
		w.(http.Flusher).Flush()
		<-release
	})
	defer close(release)
	start := time.Now()
	_, err := get(context.Background(), b.client(t), transport.WithCallTimeout(100*time.Millisecond))
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 20*time.Second {
		t.Errorf("got %v after %v", err, time.Since(start))
	}
}
