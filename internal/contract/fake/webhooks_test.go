package fake_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/generated/webhooks"
	"github.com/basiq-sdk/basiq-go/transport"
)

// receiver is an application's webhook endpoint.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []*http.Request
	bodies []string
	status int
}

func newReceiver(t *testing.T, status int) *receiver {
	r := &receiver{status: status}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got, r.bodies = append(r.got, req), append(r.bodies, string(body))
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(r.status)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.got)
}

func (r *receiver) respond(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

var noon = time.Date(2031, 5, 6, 12, 0, 0, 0, time.UTC)

func hook(t *testing.T, client *basiq.Client, url string, events ...string) *webhooks.Webhook {
	t.Helper()
	h, err := client.Webhooks.Webhooks.Create(t.Context(), webhooks.WebhookParams{URL: url, SubscribedEvents: events})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// TestDelivery: a message is signed as documented, and retried on the documented schedule
// until it is accepted, always with the same ID.
func TestDelivery(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithNow(noon), basiqtest.WithSignedServerTime())
	client, _ := checked(t, srv)
	r := newReceiver(t, http.StatusFound) // a redirect is a failure
	h := hook(t, client, r.URL, "user.created")
	encodedKey, _ := strings.CutPrefix(h.Secret.Reveal(), "whsec_")
	key, err := base64.RawStdEncoding.DecodeString(encodedKey)
	if err != nil || len(encodedKey) != 39 {
		t.Fatalf("secret of %d characters: %v", len(encodedKey), err)
	}
	newUser(t, srv)
	srv.Advance(0)
	at := noon
	for i, gap := range []time.Duration{0, 5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour} {
		if gap > 0 {
			srv.Advance(gap - time.Second)
			if n := r.count(); n != i {
				t.Fatalf("%d attempts one second before the next one is due, want %d", n, i)
			}
			srv.Advance(time.Second)
		}
		at = at.Add(gap)
		if n := r.count(); n != i+1 {
			t.Fatalf("%d attempts after %s, want %d", n, at.Sub(noon), i+1)
		}
		req, body := r.got[i], r.bodies[i]
		id, seconds := req.Header.Get("webhook-id"), req.Header.Get("webhook-timestamp")
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + seconds + "." + body))
		if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); req.Header.Get("webhook-signature") != want {
			t.Errorf("attempt %d: signature %s, want %s", i, req.Header.Get("webhook-signature"), want)
		}
		if seconds != strconv.FormatInt(at.Unix(), 10) || id == "" || id != r.got[0].Header.Get("webhook-id") || body != r.bodies[0] {
			t.Errorf("attempt %d: id %s at %s", i, id, seconds)
		}
	}
	r.respond(http.StatusNoContent)
	srv.Advance(10 * time.Hour)
	srv.Advance(100 * time.Hour)
	if n := r.count(); n != 7 {
		t.Errorf("%d attempts, want none after the seventh was accepted", n)
	}
	var payload struct {
		EventID, EventTypeID string
		Links                struct{ Event, EventEntity string }
	}
	if err := json.Unmarshal([]byte(r.bodies[0]), &payload); err != nil || payload.EventTypeID != "user.created" || len(payload.EventID) != 64 {
		t.Fatalf("payload %s: %v", r.bodies[0], err)
	}
	event, err := client.Core.Events.Get(t.Context(), payload.EventID)
	if err != nil || payload.Links.Event != srv.URL+"/events/"+event.ID || payload.Links.EventEntity != srv.URL+"/users/"+event.UserID {
		t.Errorf("event %+v of %+v: %v", event, payload, err)
	}
	messages, err := client.Webhooks.Webhooks.ListMessages(t.Context(), h.ID, webhooks.ListMessagesParams{})
	if err != nil || len(messages.Data) != 1 || len(messages.Data[0].Attempts) != 7 || messages.Data[0].EventID != event.ID {
		t.Fatalf("messages %+v: %v", messages, err)
	}
	if m, err := client.Webhooks.Webhooks.GetMessage(t.Context(), h.ID, messages.Data[0].ID); err != nil || len(m.Attempts) != 7 {
		t.Errorf("message %+v: %v", m, err)
	}
}

// TestWebhookIsDisabledAfterEightAttempts: after eight failed attempts, the webhook is
// disabled until it is updated.
func TestWebhookIsDisabledAfterEightAttempts(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithNow(noon))
	client, _ := checked(t, srv)
	r := newReceiver(t, http.StatusInternalServerError)
	h := hook(t, client, r.URL, "user.created", "user.updated")
	newUser(t, srv)
	srv.Advance(48 * time.Hour)
	if n := r.count(); n != 8 {
		t.Fatalf("%d attempts, want 8", n)
	}
	r.respond(http.StatusOK)
	newUser(t, srv)
	srv.Advance(48 * time.Hour)
	if n := r.count(); n != 8 {
		t.Errorf("%d attempts: the webhook is not disabled", n)
	}
	if _, err := client.Webhooks.Webhooks.Update(t.Context(), h.ID, webhooks.WebhookParams{URL: r.URL}); err != nil {
		t.Fatal(err)
	}
	newUser(t, srv)
	srv.Advance(0)
	if n := r.count(); n != 9 {
		t.Errorf("%d attempts: the webhook is still disabled after it was updated", n)
	}
}

// TestDeliveryWithoutWithNow: if the clock is not stopped, messages are delivered
// immediately.
func TestDeliveryWithoutWithNow(t *testing.T) {
	srv := basiqtest.NewServer(t)
	client, _ := checked(t, srv)
	r := newReceiver(t, http.StatusOK)
	h := hook(t, client, r.URL, "user.created", "transactions.updated")
	if _, err := srv.RotateWebhookSecret(h.ID); err != nil {
		t.Fatal(err)
	}
	newUser(t, srv)
	for deadline := time.Now().Add(5 * time.Second); r.count() == 0 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	if n := r.count(); n != 1 {
		t.Fatalf("%d attempts", n)
	}
	if signatures := strings.Fields(r.got[0].Header.Get("webhook-signature")); len(signatures) != 2 {
		t.Errorf("signatures after the secret was rotated: %v", signatures)
	}
	seconds, _ := strconv.ParseInt(r.got[0].Header.Get("webhook-timestamp"), 10, 64)
	if age := time.Since(time.Unix(seconds, 0)); age < -time.Second || age > 10*time.Second {
		t.Errorf("the timestamp is %s old", age)
	}
}

// TestWebhookManagement: secrets are returned only when a webhook is created or updated.
// Invalid requests are rejected with the documented codes.
func TestWebhookManagement(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithNow(noon))
	client, _ := checked(t, srv)
	svc := client.Webhooks.Webhooks
	ctx := t.Context()
	code := func(err error) string {
		var e *basiq.Error
		if errors.As(err, &e) {
			return e.Code()
		}
		return ""
	}
	if err := svc.SendTestMessage(ctx, webhooks.SendTestMessageParams{EventTypeID: "user.created"}); code(err) != "no-webhooks-found" {
		t.Errorf("a test message without webhooks: %v", err)
	}
	r := newReceiver(t, http.StatusOK)
	h := hook(t, client, r.URL, "user.created")
	if h.Secret == "" || h.Status != "active" {
		t.Errorf("%+v", h)
	}
	for want, params := range map[string]webhooks.WebhookParams{
		"event-already-subscribed": {URL: "https://other.example/", SubscribedEvents: []string{"user.created"}},
		"resource-already-exists":  {URL: r.URL},
		"invalid-content":          {URL: "https://other.example/", SubscribedEvents: []string{"user.imagined"}},
		"parameter-not-valid":      {URL: "nowhere"},
	} {
		if _, err := svc.Create(ctx, params); code(err) != want {
			t.Errorf("%s: %v", want, err)
		}
	}
	if got, err := svc.Get(ctx, h.ID); err != nil || got.Secret != "" {
		t.Errorf("%+v, %v", got, err)
	}
	if list, err := svc.List(ctx); err != nil || len(list.Data) != 1 || list.Data[0].Secret != "" {
		t.Errorf("%+v, %v", list, err)
	}
	if got, err := svc.Update(ctx, h.ID, webhooks.WebhookParams{URL: r.URL, Name: "mine", SubscribedEvents: []string{"user.updated"}}); err != nil || got.Secret != h.Secret || got.Name != "mine" {
		t.Errorf("%+v, %v", got, err)
	}
	if err := svc.SendTestMessage(ctx, webhooks.SendTestMessageParams{EventTypeID: "user.updated"}); err != nil {
		t.Error(err)
	}
	srv.Advance(0)
	if n := r.count(); n != 1 {
		t.Errorf("%d test messages", n)
	}
	for range 5 {
		if err := svc.SendTestMessage(ctx, webhooks.SendTestMessageParams{EventTypeID: "user.updated"}); err != nil {
			t.Error(err)
		}
	}
	n := 0
	for _, err := range svc.AllMessages(ctx, h.ID, webhooks.ListMessagesParams{Limit: 2}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 6 || srv.Calls("Webhooks.ListMessages") != 3 {
		t.Errorf("%d messages on %d pages", n, srv.Calls("Webhooks.ListMessages"))
	}
	if err := svc.Delete(ctx, h.ID); err != nil {
		t.Error(err)
	}
	if _, err := svc.Get(ctx, h.ID); !errors.Is(err, transport.ErrNotFound) {
		t.Error(err)
	}
}

// TestEvents: events are listed for seven days, and can be filtered.
func TestEvents(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithNow(noon), basiqtest.WithTransactions(5))
	client, _ := checked(t, srv)
	user, _ := connected(t, srv, basiqtest.Whistler)
	newUser(t, srv)
	kinds := func(f core.EventFilter) []string {
		t.Helper()
		list, err := client.Core.Events.List(t.Context(), core.ListEventsParams{Filter: f})
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, e := range list.Data {
			out = append(out, string(e.Entity)+"."+string(e.Verb))
			if _, err := client.Core.Events.Get(t.Context(), e.ID); err != nil {
				t.Error(err)
			}
		}
		slices.Reverse(out)
		return out
	}
	want := []string{"user.created", "consent.created", "connection.created", "connection.activated", "account.updated", "transactions.updated", "user.created"}
	if got := kinds(core.EventFilter{}); !slices.Equal(got, want) {
		t.Errorf("events %v", got)
	}
	if got := kinds(core.EventFilter{}.UserID(user).Entity("connection").Verb("activated")); !slices.Equal(got, []string{"connection.activated"}) {
		t.Errorf("filtered events %v", got)
	}
	srv.Advance(7 * 24 * time.Hour)
	if got := kinds(core.EventFilter{}); len(got) != 0 {
		t.Errorf("events after a week: %v", got)
	}
	types, err := client.Core.Events.ListTypes(t.Context())
	if err != nil || len(types.Data) != 15 {
		t.Errorf("%+v, %v", types, err)
	}
	for _, e := range types.Data {
		if got, err := client.Core.Events.GetType(t.Context(), e.ID); err != nil || got.Description == "" {
			t.Errorf("%+v, %v", got, err)
		}
	}
	if _, err := client.Core.Events.Get(t.Context(), "nothing"); !errors.Is(err, transport.ErrNotFound) {
		t.Error(err)
	}
	if _, err := srv.Trigger(user, "consent.archived"); err != nil {
		t.Error(err)
	}
}
