package redistore_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go/examples/redistore"
	"github.com/basiq-sdk/basiq-go/webhook"
)

var _ webhook.ClaimStore = (*redistore.SeenStore)(nil)

func seenStore(t testing.TB, socket string) *redistore.SeenStore {
	t.Helper()
	s, err := redistore.NewSeenStore(connect(t, socket))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// herd calls f n times concurrently.
func herd(n int, f func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() { <-start; f(i) })
	}
	close(start)
	wg.Wait()
}

// claim claims a message and checks the progress.
func claim(t *testing.T, s *redistore.SeenStore, want webhook.Progress) string {
	t.Helper()
	token, got, err := s.Claim(t.Context(), "message")
	if err != nil || got != want || (token != "") != (want == webhook.Fresh) {
		t.Fatalf("progress %d, token %q, %v; want progress %d", got, token, err, want)
	}
	return token
}

// TestOneClaimWins: of 100 concurrent deliveries to ten processes, one gets the claim.
func TestOneClaimWins(t *testing.T) {
	socket := database(t)
	var stores []*redistore.SeenStore
	for range 10 {
		stores = append(stores, seenStore(t, socket))
	}
	var count [3]atomic.Int64
	herd(100, func(i int) {
		_, progress, err := stores[i%10].Claim(t.Context(), "message")
		if err != nil {
			t.Error(err)
		}
		count[progress].Add(1)
	})
	if count[webhook.Fresh].Load() != 1 || count[webhook.Busy].Load() != 99 {
		t.Errorf("%d claims are fresh, %d busy, want 1 and 99", count[webhook.Fresh].Load(), count[webhook.Busy].Load())
	}
}

// TestClaimsExpire: after a claim has expired, its former owner can neither complete nor
// release it. Redis has no clock that a test can set, so the test shortens the times of
// the keys.
func TestClaimsExpire(t *testing.T) {
	socket := database(t)
	ctx, db, s := t.Context(), connect(t, socket), seenStore(t, socket)
	lasts := func(want time.Duration) {
		t.Helper()
		if left := db.PTTL(ctx, "basiq-message:message").Val(); left > want || left < want-time.Minute/2 {
			t.Errorf("the key expires in %s, want %s", left, want)
		}
	}
	expire := func() {
		t.Helper()
		if err := db.PExpire(ctx, "basiq-message:message", 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	refused := func(token string) {
		t.Helper()
		for _, handled := range []bool{true, false} {
			if err := s.EndClaim(ctx, "message", token, handled); !errors.Is(err, webhook.ErrClaimLost) {
				t.Errorf("handled=%t: %v, want ErrClaimLost", handled, err)
			}
		}
	}
	first := claim(t, s, webhook.Fresh)
	claim(t, s, webhook.Busy)
	lasts(redistore.ClaimTTL)
	expire()
	refused(first) // although nobody else has claimed it yet
	second := claim(t, s, webhook.Fresh)
	refused(first)
	claim(t, s, webhook.Busy)
	if err := s.EndClaim(ctx, "message", second, false); err != nil {
		t.Fatal(err)
	}
	refused(second)
	third := claim(t, s, webhook.Fresh)
	if err := s.EndClaim(ctx, "message", third, true); err != nil {
		t.Fatal(err)
	}
	refused(third)
	claim(t, s, webhook.Done)
	lasts(redistore.Retention)
	expire()
	if p, err := s.Begin(ctx, "message"); p != webhook.Fresh || err != nil {
		t.Fatal(p, err)
	}
	if err := seenStore(t, socket).End(ctx, "message", true); !errors.Is(err, webhook.ErrClaimLost) {
		t.Errorf("End of another process: %v", err)
	}
	if err := s.End(ctx, "message", true); err != nil {
		t.Error(err)
	}
	claim(t, s, webhook.Done)
	if err := db.Set(ctx, "basiq-message:message", "something else", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Claim(ctx, "message"); err == nil {
		t.Error("a key with another use is a claim")
	}
	if _, err := redistore.NewSeenStore(nil); err == nil {
		t.Error("nil is a database")
	}
}

// TestReceiversHandleAMessageOnce: ten receivers that share Redis get 100 deliveries of
// each of five messages at once.
func TestReceiversHandleAMessageOnce(t *testing.T) {
	socket := database(t)
	secret := base64.StdEncoding.EncodeToString(key(3))
	signer, err := webhook.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	var handled atomic.Int64
	var receivers []http.Handler
	for range 10 {
		verifier, err := webhook.NewVerifier(secret)
		if err != nil {
			t.Fatal(err)
		}
		receivers = append(receivers, webhook.NewHandler(verifier, func(context.Context, *webhook.Event) error {
			handled.Add(1)
			return nil
		}, webhook.WithSeenStore(seenStore(t, socket))))
	}
	var status [600]atomic.Int64
	herd(500, func(i int) { status[deliver(signer, receivers[i%10], fmt.Sprint("message-", i%5))].Add(1) })
	if handled.Load() != 5 || status[204].Load()+status[409].Load() != 500 {
		t.Errorf("%d messages were handled, want 5; %d deliveries got 204 and %d got 409", handled.Load(), status[204].Load(), status[409].Load())
	}
}

// deliver passes a signed delivery to a handler and returns the status.
func deliver(signer *webhook.Signer, h http.Handler, id string) int {
	const body = `{"eventTypeId":"user.created","eventId":"e-1","links":{"eventEntity":"https://au-api.basiq.io/users/u-1"}}`
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	for name, value := range signer.Headers(id, time.Now(), []byte(body)) {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

// TestClaimsWithoutRedis: if Redis is unavailable or does not respond, a claim ends with
// its context, and is an error.
func TestClaimsWithoutRedis(t *testing.T) {
	silent, err := net.Listen("unix", filepath.Join(t.TempDir(), "silent")) // accepts connections, but never responds
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	for name, socket := range map[string]string{"away": filepath.Join(t.TempDir(), "away"), "silent": silent.Addr().String()} {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		begin := time.Now()
		if _, _, err := seenStore(t, socket).Claim(ctx, "message"); err == nil {
			t.Errorf("%s: the claim succeeded", name)
		}
		cancel()
		if d := time.Since(begin); d > 5*time.Second {
			t.Errorf("%s: took %s", name, d)
		}
	}
}
