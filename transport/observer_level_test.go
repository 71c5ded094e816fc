package transport_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/transport"
)

// TestOnlyFailuresToLookAtAreWarnings checks the level of what a logger gets.
func TestOnlyFailuresToLookAtAreWarnings(t *testing.T) {
	for _, test := range []struct {
		name     string
		statuses []int // of the attempts
		want     string
	}{
		{"success", []int{200}, "DEBUG"},
		{"healed by a retry", []int{503, 200}, "INFO DEBUG"},
		{"not found", []int{404}, "INFO"},
		{"not allowed", []int{400}, "WARN"},
		{"down", []int{503, 503, 503}, "INFO INFO WARN"},
	} {
		var log bytes.Buffer
		b, c := inMemory(t, nil, transport.WithLogger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))))
		b.api = func(w http.ResponseWriter, r *http.Request) {
			if status := test.statuses[b.calls.Load()-1]; status != 200 {
				w.WriteHeader(status)
				return
			}
			empty(w, r)
		}
		_, _ = get(context.Background(), c)
		var levels []string
		for line := range strings.Lines(log.String()) {
			if strings.Contains(line, "operation=token") {
				continue
			}
			_, rest, _ := strings.Cut(line, "level=")
			level, _, _ := strings.Cut(rest, " ")
			levels = append(levels, level)
		}
		if got := strings.Join(levels, " "); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

// TestPanicOfAnObserverInATokenRequest: the token request serves many calls, so that they
// fail with an error that names observers as a possible reason.
func TestPanicOfAnObserverInATokenRequest(t *testing.T) {
	_, c := inMemory(t, empty, transport.WithObserver(transport.Observer{StartAttempt: func(ctx context.Context, a transport.Attempt) context.Context {
		if a.Operation.ID == "token" {
			panic("max@example.com")
		}
		return nil
	}}))
	_, err := get(t.Context(), c)
	var failed *transport.TokenError
	if !errors.As(err, &failed) || !strings.Contains(err.Error(), "an observer panicked") || strings.Contains(err.Error(), "max@") {
		t.Error(err)
	}
}
