package webhook_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go/webhook"
)

// vault is a source of secrets that a test changes, with a clock.
type vault struct {
	mu      sync.Mutex
	at      time.Time
	secrets []string
	err     error
	calls   int
}

func newVault(secrets ...string) *vault { return &vault{at: clock, secrets: secrets} }

func (v *vault) source(context.Context) ([]string, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.calls++
	return v.secrets, v.err
}

func (v *vault) now() time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.at
}

func (v *vault) set(err error, secrets ...string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.secrets, v.err = secrets, err
}

func (v *vault) advance(d time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.at = v.at.Add(d)
}

func (v *vault) verifier(t *testing.T, opts ...webhook.VerifierOption) *webhook.Verifier {
	t.Helper()
	verifier, err := webhook.NewVerifierFrom(v.source, append([]webhook.VerifierOption{webhook.WithClock(v.now)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return verifier
}

// verify verifies a delivery that is signed with a key at the vault's time.
func (v *vault) verify(t *testing.T, verifier *webhook.Verifier, key []byte) (webhook.Delivery, error) {
	t.Helper()
	return verifier.VerifyContext(t.Context(), signed(key, "m-1", fmt.Sprint(v.now().Unix()), sample), []byte(sample))
}

func encoded(key []byte) string { return "whsec_" + base64.RawStdEncoding.EncodeToString(key) }

// TestSecretsAreRotatedWithoutARestart checks that a new secret is accepted at once,
// the old one as long as the source returns it, and not longer than a minute after.
func TestSecretsAreRotatedWithoutARestart(t *testing.T) {
	older, newer := keyOf(24), keyOf(32)
	v := newVault(encoded(older))
	verifier := v.verifier(t)
	if d, err := v.verify(t, verifier, older); err != nil || d.Secret != 0 {
		t.Fatal(d, err)
	}
	v.advance(10 * time.Second)
	v.set(nil, encoded(newer), encoded(older))
	if d, err := v.verify(t, verifier, newer); err != nil || d.Secret != 0 {
		t.Errorf("the new secret right after the rotation: %+v, %v", d, err)
	}
	if d, err := v.verify(t, verifier, older); err != nil || d.Secret != 1 {
		t.Errorf("the old secret during the rotation: %+v, %v", d, err)
	}
	v.set(nil, encoded(newer))
	v.advance(59 * time.Second)
	if _, err := v.verify(t, verifier, older); err != nil {
		t.Errorf("the old secret within a minute: %v", err)
	}
	v.advance(time.Second)
	if _, err := v.verify(t, verifier, older); !errors.Is(err, webhook.ErrSignature) {
		t.Errorf("the old secret after a minute: %v", err)
	}
	if _, err := v.verify(t, verifier, newer); err != nil {
		t.Errorf("the new secret: %v", err)
	}
	if v.calls != 3 {
		t.Errorf("the source was called %d times", v.calls)
	}
}

// TestForgedDeliveriesDoNotFloodTheSource checks that deliveries with a wrong
// signature make a verifier call its source once in five seconds at most, and those
// with invalid headers never.
func TestForgedDeliveriesDoNotFloodTheSource(t *testing.T) {
	v := newVault(documented())
	verifier := v.verifier(t)
	for range 100 {
		if _, err := v.verify(t, verifier, keyOf(20)); !errors.Is(err, webhook.ErrSignature) {
			t.Fatal(err)
		}
		v.advance(100 * time.Millisecond)
	}
	if v.calls > 3 {
		t.Errorf("the source was called %d times in ten seconds", v.calls)
	}
	v = newVault(documented())
	verifier = v.verifier(t)
	for _, h := range []http.Header{{}, signed(keyOf(29), "m-1", "0", sample), signed(keyOf(29), "m-1", "x", sample)} {
		if _, err := verifier.VerifyContext(t.Context(), h, []byte(sample)); err == nil {
			t.Error("an invalid delivery is accepted")
		}
	}
	if v.calls != 0 {
		t.Errorf("the source was called %d times for invalid headers", v.calls)
	}
}

// TestSecretRefresh checks how often a source is called.
func TestSecretRefresh(t *testing.T) {
	for refresh, want := range map[time.Duration]int{0: 12, 10 * time.Second: 6, time.Minute: 1, time.Hour: 1} {
		v := newVault(documented())
		verifier := v.verifier(t, webhook.WithSecretRefresh(refresh))
		for range 12 {
			if _, err := v.verify(t, verifier, keyOf(29)); err != nil {
				t.Fatal(err)
			}
			v.advance(5 * time.Second)
		}
		if v.calls != want {
			t.Errorf("with a refresh every %s, the source was called %d times in a minute, want %d", refresh, v.calls, want)
		}
	}
	if _, err := webhook.NewVerifierFrom(nil); !errors.Is(err, webhook.ErrSecretSource) {
		t.Errorf("a nil source: %v", err)
	}
	if _, err := webhook.NewVerifierFrom(newVault().source, nil, webhook.WithSecretRefresh(-1)); err == nil {
		t.Error("a negative refresh is accepted")
	}
	if _, err := webhook.NewVerifierOf([]string{documented()}, webhook.WithSecretRefresh(time.Second)); err == nil {
		t.Error("a refresh without a source is accepted")
	}
}

// TestFailingSourceMakesBasiqTryAgain checks that a delivery is answered with 500
// while the source fails, and not as if its signature were wrong; that secrets are
// used until they are due; and that the delivery is handled once the source works.
func TestFailingSourceMakesBasiqTryAgain(t *testing.T) {
	outage := errors.New("the vault is sealed")
	v := newVault(documented())
	v.set(outage)
	var failures []error
	handled := 0
	handler := webhook.NewHandler(v.verifier(t), func(context.Context, *webhook.Event) error { handled++; return nil },
		webhook.WithOnError(func(_ *http.Request, err error) { failures = append(failures, err) }))
	deliver := func(id string, key []byte) int {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(sample))
		r.Header = signed(key, id, fmt.Sprint(v.now().Unix()), sample)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Code
	}
	if status := deliver("m-1", keyOf(29)); status != http.StatusInternalServerError || handled != 0 {
		t.Errorf("status %d while the source fails", status)
	}
	for _, secrets := range [][]string{{}, {""}, {documented(), "whsec_short"}} {
		v.set(nil, secrets...)
		if status := deliver("m-1", keyOf(29)); status != http.StatusInternalServerError {
			t.Errorf("status %d for the secrets of %d characters", status, len(strings.Join(secrets, "")))
		}
	}
	for i, err := range failures {
		if !errors.Is(err, webhook.ErrSecretSource) || i == 0 && !errors.Is(err, outage) || strings.Contains(err.Error(), documented()) {
			t.Errorf("failure %d: %v", i, err)
		}
	}
	if len(failures) != 4 {
		t.Errorf("%d failures", len(failures))
	}
	v.set(nil, documented())
	if status := deliver("m-1", keyOf(29)); status != http.StatusNoContent || handled != 1 {
		t.Errorf("status %d after the outage", status)
	}
	v.set(outage)
	v.advance(30 * time.Second)
	if status := deliver("m-2", keyOf(29)); status != http.StatusNoContent {
		t.Errorf("status %d with secrets of half a minute ago", status)
	}
	if status := deliver("m-3", keyOf(20)); status != http.StatusInternalServerError {
		t.Errorf("status %d for a signature that a new secret may explain", status)
	}
	v.advance(30 * time.Second)
	if status := deliver("m-4", keyOf(29)); status != http.StatusInternalServerError {
		t.Errorf("status %d with secrets that may have been removed", status)
	}
}

// TestMessagesAreHandledOnceWhileTheSourceRotates checks that a message that was
// handled under the old secret is a duplicate under the new one, as long as the source
// returns both.
func TestMessagesAreHandledOnceWhileTheSourceRotates(t *testing.T) {
	older, newer := keyOf(24), keyOf(32)
	v := newVault(encoded(older))
	handled := 0
	handler := webhook.NewHandler(v.verifier(t, webhook.WithSecretRefresh(0)), func(context.Context, *webhook.Event) error { handled++; return nil })
	for i, c := range []struct {
		key     []byte
		secrets []string
	}{{older, []string{encoded(older)}}, {newer, []string{encoded(newer), encoded(older)}}} {
		v.set(nil, c.secrets...)
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(sample))
		r.Header = signed(c.key, "m-1", fmt.Sprint(v.now().Unix()), sample)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != http.StatusNoContent {
			t.Errorf("delivery %d: %d", i, w.Code)
		}
	}
	if handled != 1 {
		t.Errorf("handled %d times", handled)
	}
}

// TestSlowSourceBlocksNobodyElse checks that deliveries are verified with valid
// secrets while the source is being asked because of a forged one, and that a
// delivery whose sender has left does not wait for its turn.
func TestSlowSourceBlocksNobodyElse(t *testing.T) {
	var calls atomic.Int64
	asked, release := make(chan struct{}), make(chan struct{})
	v := newVault()
	verifier, err := webhook.NewVerifierFrom(func(context.Context) ([]string, error) {
		if calls.Add(1) == 2 {
			close(asked)
			<-release
		}
		return []string{documented()}, nil
	}, webhook.WithClock(v.now))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.verify(t, verifier, keyOf(29)); err != nil {
		t.Fatal(err)
	}
	v.advance(10 * time.Second)
	forged := make(chan error, 1)
	go func() {
		_, err := v.verify(t, verifier, keyOf(20))
		forged <- err
	}()
	<-asked
	if _, err := v.verify(t, verifier, keyOf(29)); err != nil {
		t.Error(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	h := signed(keyOf(20), "m-1", fmt.Sprint(v.now().Unix()), sample)
	if _, err := verifier.VerifyContext(gone, h, []byte(sample)); !errors.Is(err, webhook.ErrSecretSource) || !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(release)
	if err := <-forged; !errors.Is(err, webhook.ErrSignature) {
		t.Error(err)
	}
}

// TestSourceIsCalledOnceForConcurrentDeliveries checks that many deliveries at the
// same time share one call of the source.
func TestSourceIsCalledOnceForConcurrentDeliveries(t *testing.T) {
	v := newVault(documented())
	verifier := v.verifier(t)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if _, err := v.verify(t, verifier, keyOf(29)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if v.calls != 1 {
		t.Errorf("the source was called %d times", v.calls)
	}
	if text := fmt.Sprintf("%v %+v %#v", verifier, verifier, *verifier); strings.Contains(text, documented()[6:20]) {
		t.Errorf("the verifier prints a secret: %s", text)
	}
}
