package basiq_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/transport"
)

// TestOptionsReachTheTransport makes a failing call with the options of the
// root package, and checks the effect of each.
func TestOptionsReachTheTransport(t *testing.T) {
	const person = "max@example.com"
	var sent atomic.Int64
	var agent atomic.Value
	b := newFakeAPI(t)
	b.mux.HandleFunc("GET /users/{id}", func(w http.ResponseWriter, r *http.Request) {
		sent.Add(1)
		agent.Store(r.UserAgent())
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(`{"data":[{"code":"service-unavailable","title":"` + person + `","detail":"` + r.Header.Get("Authorization") + `"}]}`))
	})
	s := httptest.NewServer(b)
	defer s.Close()
	var log bytes.Buffer
	var seen atomic.Int64
	c, err := basiq.NewClient(basiq.WithAPIKey(apiKey), basiq.WithBaseURL(s.URL),
		basiq.WithTimeout(10*time.Second), basiq.WithCallTimeout(10*time.Second), basiq.WithTokenRefresh(20*time.Minute),
		basiq.WithRetryPolicy(basiq.RetryPolicy{MaxAttempts: 2, BaseDelay: time.Millisecond, MaxDelay: time.Millisecond}),
		basiq.WithObserver(basiq.Observer{EndAttempt: func(context.Context, transport.Attempt) { seen.Add(1) }}),
		basiq.WithLogger(slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))),
		basiq.WithUserAgentSuffix("shop/1.0"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Transport.Close() }()
	if _, err := c.Core.Users.Get(t.Context(), "a-user-of-ours"); !errors.Is(err, transport.ErrUnavailable) {
		t.Fatal(err)
	}
	if sent.Load() != 2 || seen.Load() != 3 {
		t.Errorf("%d requests, %d attempts including the token request", sent.Load(), seen.Load())
	}
	if a, _ := agent.Load().(string); !strings.HasSuffix(a, " shop/1.0") {
		t.Errorf("User-Agent: %s", a)
	}
	text := log.String()
	if !strings.Contains(text, "basiq: call failed") || !strings.Contains(text, "core.Users.Get") || strings.Count(text, "\n") != 3 {
		t.Errorf("got log\n%s", text)
	}
	for _, s := range []string{apiKey, tokenText, person, "a-user-of-ours"} {
		if strings.Contains(text, s) {
			t.Errorf("the log contains %s:\n%s", s, text)
		}
	}
}

// TestOptionsAreChecked checks that NewClient rejects invalid options.
func TestOptionsAreChecked(t *testing.T) {
	for name, opt := range map[string]basiq.Option{
		"timeout": basiq.WithTimeout(-1), "call timeout": basiq.WithCallTimeout(-1), "logger": basiq.WithLogger(nil),
		"token source": basiq.WithTokenSource(nil), "token store": basiq.WithTokenStore(nil), "refresh": basiq.WithTokenRefresh(0),
		"user agent": basiq.WithUserAgentSuffix("a\nb"), "retries": basiq.WithRetryPolicy(basiq.RetryPolicy{MaxAttempts: -1}),
		"plain http": basiq.WithBaseURL("http://basiq.invalid"),
	} {
		if c, err := basiq.NewClient(basiq.WithAPIKey(apiKey), opt); err == nil || c != nil {
			t.Errorf("%s: %v, %v", name, c, err)
		}
	}
	if _, err := basiq.NewClient(basiq.WithAPIKey(apiKey), basiq.WithBaseURL("http://basiq.invalid"), basiq.WithInsecureBaseURL(), basiq.WithoutRetry()); err != nil {
		t.Error(err)
	}
}

// TestSharedOptions checks that the options for clients also work for a single
// call.
func TestSharedOptions(t *testing.T) {
	b := newFakeAPI(t)
	b.on("GET /users/u-1", `{"id":"u-1"}`)
	c := b.inMemory()
	for name, opt := range map[string]basiq.SharedOption{
		"timeout": basiq.WithTimeout(time.Minute), "call timeout": basiq.WithCallTimeout(time.Minute),
		"no retry": basiq.WithoutRetry(), "retry": basiq.WithRetryPolicy(basiq.RetryPolicy{MaxAttempts: 2}),
	} {
		if _, err := c.Core.Users.Get(t.Context(), "u-1", opt); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if _, err := c.Core.Users.Get(t.Context(), "u-1"); !errors.Is(err, transport.ErrClosed) {
		t.Errorf("a closed client: %v", err)
	}
}
