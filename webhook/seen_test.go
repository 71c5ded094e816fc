package webhook_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go/webhook"
)

// receive hands a signed delivery to a handler, and returns the status.
func receive(h http.Handler, key []byte, id, body string) int {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header = signed(key, id, now(), body)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

// TestSharedStoreTellsWebhooksApart: a message of one webhook is not taken for
// one of another webhook with the same ID.
func TestSharedStoreTellsWebhooksApart(t *testing.T) {
	store := webhook.NewMemory(0)
	calls := map[int]int{}
	secretOf := func(n int) string { return base64.StdEncoding.EncodeToString(keyOf(n)) }
	for _, n := range []int{24, 29, 24, 29} {
		h := webhook.NewHandler(verifierOf(t, secretOf(n)), func(context.Context, *webhook.Event) error { calls[n]++; return nil }, webhook.WithSeenStore(store))
		if status := receive(h, keyOf(n), "m-1", sample); status != http.StatusNoContent {
			t.Errorf("webhook %d: %d", n, status)
		}
	}
	if calls[24] != 1 || calls[29] != 1 {
		t.Errorf("the webhooks' callbacks were called %v times, want once each", calls)
	}
}

// TestMessagesAreHandledOnceAcrossSecrets follows a store while a webhook's
// secret is replaced: with the old one, with both in either order, with the new.
func TestMessagesAreHandledOnceAcrossSecrets(t *testing.T) {
	old, fresh := base64.StdEncoding.EncodeToString(keyOf(24)), base64.StdEncoding.EncodeToString(keyOf(29))
	for name, steps := range map[string][]struct {
		secrets []string
		key     []byte
	}{
		"handled under the old": {{[]string{old}, keyOf(24)}, {[]string{fresh, old}, keyOf(29)}, {[]string{old, fresh}, keyOf(24)}},
		"handled under both":    {{[]string{old, fresh}, keyOf(24)}, {[]string{fresh}, keyOf(29)}},
		"handled under the new": {{[]string{fresh, old}, keyOf(29)}, {[]string{old}, keyOf(24)}, {[]string{fresh}, keyOf(29)}},
	} {
		store, calls := webhook.NewMemory(0), 0
		for _, s := range steps {
			h := webhook.NewHandler(verifierOf(t, s.secrets...), func(context.Context, *webhook.Event) error { calls++; return nil }, webhook.WithSeenStore(store))
			if status := receive(h, s.key, "m-1", sample); status != http.StatusNoContent {
				t.Errorf("%s: %d", name, status)
			}
		}
		if calls != 1 {
			t.Errorf("%s: handled %d times", name, calls)
		}
	}
}

// recorder is a store that keeps the keys that it was given.
type recorder struct {
	keys []string
	*webhook.Memory
}

func (r *recorder) Begin(ctx context.Context, key string) (webhook.Progress, error) {
	r.keys = append(r.keys, key)
	return r.Memory.Begin(ctx, key)
}

// TestStoreKeysShowNoSecret: a key ends in the message's ID, is short, and holds
// nothing of the secret.
func TestStoreKeysShowNoSecret(t *testing.T) {
	store := &recorder{Memory: new(webhook.Memory)}
	h := webhook.NewHandler(verifierOf(t, documented()), func(context.Context, *webhook.Event) error { return nil }, webhook.WithSeenStore(store))
	id := strings.Repeat("x", 256)
	if status := receive(h, keyOf(29), id, sample); status != http.StatusNoContent || len(store.keys) != 1 {
		t.Fatalf("%d, %q", status, store.keys)
	}
	key := store.keys[0]
	if !strings.HasSuffix(key, ":"+id) || len(key) > 300 || strings.Contains(key, fmt.Sprintf("%x", keyOf(29)[:4])) || strings.Contains(key, documented()[6:12]) {
		t.Errorf("the key is %q", key)
	}
}

// TestZeroValues: a zero Memory works; nothing else made without its function
// dereferences nil.
func TestZeroValues(t *testing.T) {
	var memory webhook.Memory
	for _, want := range []webhook.Progress{webhook.Fresh, webhook.Busy} {
		if p, err := memory.Begin(t.Context(), "m"); p != want || err != nil {
			t.Errorf("%d, %v", p, err)
		}
	}
	if err := new(webhook.Memory).End(t.Context(), "m", true); err != nil {
		t.Error(err)
	}
	var none *webhook.Memory
	if _, err := none.Begin(t.Context(), "m"); err == nil {
		t.Error("a nil Memory claims a message")
	}
	if err := none.End(t.Context(), "m", true); err == nil {
		t.Error("a nil Memory remembers a message")
	}
	for _, v := range []*webhook.Verifier{nil, {}} {
		if _, err := v.Verify(signed(keyOf(29), "m-1", now(), sample), []byte(sample)); err == nil || !strings.Contains(err.Error(), "NewVerifier") {
			t.Errorf("a verifier without secrets: %v", err)
		}
		says(t, "NewVerifier", func() { webhook.NewHandler(v, func(context.Context, *webhook.Event) error { return nil }) })
	}
	for _, s := range []*webhook.Signer{nil, {}} {
		says(t, "NewSigner", func() { s.Headers("m-1", time.Now(), nil) })
	}
	var e *webhook.Event
	if e.UserID() != "" || e.FetchEntity(t.Context(), nil, nil) == nil || (&webhook.Event{}).FetchEvent(t.Context(), nil, nil) == nil {
		t.Error("a nil event has a user, or is fetched")
	}
	h := webhook.NewHandler(verifierOf(t, documented()), func(context.Context, *webhook.Event) error { return nil })
	w := httptest.NewRecorder()
	h.ServeHTTP(w, &http.Request{Method: http.MethodPost, Header: signed(keyOf(29), "m-1", now(), "")})
	if w.Code != http.StatusBadRequest {
		t.Errorf("a request without a body: %d", w.Code)
	}
}

// says expects f to panic with a text that names what is missing.
func says(t *testing.T, what string, f func()) {
	t.Helper()
	defer func() {
		if text, _ := recover().(string); !strings.Contains(text, what) {
			t.Errorf("it says %q, not %s", text, what)
		}
	}()
	f()
}
