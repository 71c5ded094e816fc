package transport_test

import (
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go/transport"
)

// TestClock: tokens expire by the client's clock.
func TestClock(t *testing.T) {
	now := time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)
	b := newBank(t, empty)
	c := b.client(t, transport.WithClock(func() time.Time { return now }), transport.WithTokenRefresh(time.Hour))
	for _, step := range []struct {
		passes time.Duration
		tokens int64
	}{{0, 1}, {30 * time.Minute, 1}, {30 * time.Minute, 2}, {time.Minute, 2}, {24 * time.Hour, 3}} {
		now = now.Add(step.passes)
		if _, err := get(t.Context(), c); err != nil || b.tokens.Load() != step.tokens || !c.Now().Equal(now) {
			t.Errorf("at %s: %v, %d tokens, want %d", now, err, b.tokens.Load(), step.tokens)
		}
	}
	token, err := c.Token(t.Context(), transport.TokenRequest{Scope: transport.ScopeServer})
	if want := now.Add(time.Hour); err != nil || !token.Expires().Equal(want) {
		t.Errorf("%v, until %s, want %s", err, token.Expires(), want)
	}
	if _, err := transport.New(transport.WithAPIKey("k"), transport.WithClock(nil)); err == nil {
		t.Error("a nil clock is accepted")
	}
	plain := b.client(t)
	if d := time.Since(plain.Now()); d < 0 || d > time.Minute {
		t.Errorf("without a clock, the time is %s off", d)
	}
}
