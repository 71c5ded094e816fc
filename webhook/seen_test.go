package webhook_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/basiq-sdk/basiq-go/webhook"
)

// receive passes a signed delivery to a handler and returns the status.
func receive(h http.Handler, key []byte, id, body string) int {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header = signed(key, id, now(), body)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

// TestSharedStoreDistinguishesWebhooks: messages of different webhooks are not
// duplicates, even if they have the same ID.
func TestSharedStoreDistinguishesWebhooks(t *testing.T) {
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

// TestMessagesAreHandledOnceDuringRotation delivers a message with the old secret,
// with both secrets in either order, and with the new secret.
func TestMessagesAreHandledOnceDuringRotation(t *testing.T) {
	old, fresh := base64.StdEncoding.EncodeToString(keyOf(24)), base64.StdEncoding.EncodeToString(keyOf(29))
	for name, steps := range map[string][]struct {
		secrets []string
		key     []byte
	}{
		"handled with the old secret": {{[]string{old}, keyOf(24)}, {[]string{fresh, old}, keyOf(29)}, {[]string{old, fresh}, keyOf(24)}},
		"handled with both secrets":   {{[]string{old, fresh}, keyOf(24)}, {[]string{fresh}, keyOf(29)}},
		"handled with the new secret": {{[]string{fresh, old}, keyOf(29)}, {[]string{old}, keyOf(24)}, {[]string{fresh}, keyOf(29)}},
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

// recorder is a SeenStore that records the keys passed to Begin.
type recorder struct {
	keys []string
	*webhook.Memory
}

func (r *recorder) Begin(ctx context.Context, key string) (webhook.Progress, error) {
	r.keys = append(r.keys, key)
	return r.Memory.Begin(ctx, key)
}

// TestStoreKeysDoNotContainTheSecret: a key ends with the message ID, has at most
// 300 characters, and does not contain the secret.
func TestStoreKeysDoNotContainTheSecret(t *testing.T) {
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

// TestNilAndZeroValues: a zero Memory works. Other nil and zero values report which
// constructor to use instead of dereferencing nil.
func TestNilAndZeroValues(t *testing.T) {
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
		t.Error("Begin of a nil Memory returned no error")
	}
	if err := none.End(t.Context(), "m", true); err == nil {
		t.Error("End of a nil Memory returned no error")
	}
	for _, v := range []*webhook.Verifier{nil, {}} {
		if _, err := v.Verify(signed(keyOf(29), "m-1", now(), sample), []byte(sample)); err == nil || !strings.Contains(err.Error(), "NewVerifier") {
			t.Errorf("a verifier without secrets: %v", err)
		}
		wantPanic(t, "NewVerifier", func() { webhook.NewHandler(v, func(context.Context, *webhook.Event) error { return nil }) })
	}
	for _, s := range []*webhook.Signer{nil, {}} {
		wantPanic(t, "NewSigner", func() { s.Headers("m-1", time.Now(), nil) })
	}
	var e *webhook.Event
	if e.UserID() != "" || e.FetchEntity(t.Context(), nil, nil) == nil || (&webhook.Event{}).FetchEvent(t.Context(), nil, nil) == nil {
		t.Error("a nil event has a user ID, or a fetch without a client succeeded")
	}
	h := webhook.NewHandler(verifierOf(t, documented()), func(context.Context, *webhook.Event) error { return nil })
	w := httptest.NewRecorder()
	h.ServeHTTP(w, &http.Request{Method: http.MethodPost, Header: signed(keyOf(29), "m-1", now(), "")})
	if w.Code != http.StatusBadRequest {
		t.Errorf("a request without a body: %d", w.Code)
	}
}

// wantPanic checks that f panics with a text that contains what.
func wantPanic(t *testing.T, what string, f func()) {
	t.Helper()
	defer func() {
		if text, _ := recover().(string); !strings.Contains(text, what) {
			t.Errorf("f panicked with %q, want a text that contains %s", text, what)
		}
	}()
	f()
}

// began returns what a Memory says of each message in turn; what is fresh is
// handled.
func began(t *testing.T, m *webhook.Memory, keys ...string) string {
	t.Helper()
	var said []string
	for _, key := range keys {
		progress, err := m.Begin(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		if progress == webhook.Fresh {
			if err := m.End(t.Context(), key, true); err != nil {
				t.Fatal(err)
			}
		}
		said = append(said, [...]string{"fresh", "busy", "done"}[progress])
	}
	return strings.Join(said, " ")
}

// TestFullMemoryForgetsTheOldest: a message that is there already takes no room,
// and is not forgotten by its own second delivery.
func TestFullMemoryForgetsTheOldest(t *testing.T) {
	for _, c := range []struct {
		most int
		keys string
		want string
	}{
		{1, "a a a", "fresh done done"},
		{1, "a b b a", "fresh fresh done fresh"},
		{2, "a b a b", "fresh fresh done done"},
		{2, "a b c b c a", "fresh fresh fresh done done fresh"},
		{3, "a b c a b c", "fresh fresh fresh done done done"},
	} {
		if got := began(t, webhook.NewMemory(c.most), strings.Fields(c.keys)...); got != c.want {
			t.Errorf("a Memory of %d says of %s: %s, want %s", c.most, c.keys, got, c.want)
		}
	}
}

// TestFullMemoryKeepsWhatIsBeingHandled: a claim stays until its end, however
// many other messages come.
func TestFullMemoryKeepsWhatIsBeingHandled(t *testing.T) {
	m := webhook.NewMemory(2)
	for _, key := range []string{"held-1", "held-2"} {
		if progress, err := m.Begin(t.Context(), key); progress != webhook.Fresh || err != nil {
			t.Fatal(progress, err)
		}
	}
	if got, want := began(t, m, "a", "b", "b", "held-1", "held-2"), "fresh fresh done busy busy"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestMemoryRemembersFor49Hours runs on a fake clock.
func TestMemoryRemembersFor49Hours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := webhook.NewMemory(0)
		if progress, err := m.Begin(t.Context(), "held"); progress != webhook.Fresh || err != nil {
			t.Fatal(progress, err)
		}
		if got := began(t, m, "a"); got != "fresh" {
			t.Fatal(got)
		}
		time.Sleep(49*time.Hour - time.Nanosecond)
		if got := began(t, m, "a", "b"); got != "done fresh" {
			t.Errorf("just before 49 hours: %s", got)
		}
		time.Sleep(time.Nanosecond)
		if got := began(t, m, "a", "b", "held"); got != "fresh done busy" {
			t.Errorf("after 49 hours: %s", got)
		}
	})
}

// leases is a ClaimStore whose claims expire when a test says so.
type leases struct {
	webhook.SeenStore // not called
	claims            map[string]string
	done              map[string]bool
	count             int
}

func (s *leases) Claim(_ context.Context, key string) (string, webhook.Progress, error) {
	switch {
	case s.done[key]:
		return "", webhook.Done, nil
	case s.claims[key] != "":
		return "", webhook.Busy, nil
	}
	s.count++
	s.claims[key] = fmt.Sprint("token-", s.count)
	return s.claims[key], webhook.Fresh, nil
}

func (s *leases) EndClaim(_ context.Context, key, token string, handled bool) error {
	if s.claims[key] != token {
		return webhook.ErrClaimLost
	}
	delete(s.claims, key)
	s.done[key] = handled
	return nil
}

// TestExpiredClaimIsNotEndedByItsFormerOwner: the claim of a slow callback expires,
// and another delivery of the message is handled. When the slow callback returns, it
// does not end the claim of the other one.
func TestExpiredClaimIsNotEndedByItsFormerOwner(t *testing.T) {
	for _, failure := range []error{nil, errors.New("failed")} {
		store := &leases{claims: map[string]string{}, done: map[string]bool{}}
		var h http.Handler
		var inner, depth int
		var reported []error
		h = webhook.NewHandler(verifierOf(t, documented()), func(context.Context, *webhook.Event) error {
			if depth++; depth > 1 {
				return nil
			}
			clear(store.claims) // this claim expires
			inner = receive(h, keyOf(29), "m-1", sample)
			return failure
		}, webhook.WithSeenStore(store), webhook.WithOnError(func(_ *http.Request, err error) { reported = append(reported, err) }))
		outer := receive(h, keyOf(29), "m-1", sample)
		want := http.StatusNoContent
		if failure != nil {
			want = http.StatusInternalServerError
		}
		if inner != http.StatusNoContent || outer != want {
			t.Errorf("inner %d, outer %d, want 204 and %d", inner, outer, want)
		}
		if again := receive(h, keyOf(29), "m-1", sample); again != http.StatusNoContent || depth != 2 {
			t.Errorf("a later delivery: %d after %d calls, want the message to stay handled", again, depth)
		}
		if len(reported) != 2 || !errors.Is(reported[1], webhook.ErrHandled) || failure == nil && !errors.Is(reported[0], webhook.ErrClaimLost) || failure != nil && !errors.Is(reported[0], failure) {
			t.Errorf("reported: %v", reported)
		}
	}
}
