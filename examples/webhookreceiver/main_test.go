package main

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/webhooks"
	"github.com/basiq-sdk/basiq-go/internal/loopback"
	"github.com/basiq-sdk/basiq-go/webhook"
)

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := loopback.Listen()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestRun subscribes the program to a fake server's events. It must print an event,
// and reject an unsigned delivery.
func TestRun(t *testing.T) {
	l := listen(t)
	address := "http://" + l.Addr().String() + "/basiq"
	server := basiqtest.NewServer(t)
	hook, err := server.Client(t).Webhooks.Webhooks.Create(t.Context(), webhooks.WebhookParams{URL: address, SubscribedEvents: []string{"user.created"}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var out bytes.Buffer
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, &out, l, hook.Secret.Reveal()) }()

	id, err := server.AddUser("max@example.com")
	if err != nil {
		t.Fatal(err)
	}
	server.Advance(0) // delivers the pending events
	res, err := http.Post(address, "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusBadRequest {
		t.Errorf("response to an unsigned delivery: %s", res.Status)
	}
	http.DefaultClient.CloseIdleConnections()
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"user.created of user " + id + "\n", "delivery failed: webhook: "} {
		if strings.Count(out.String(), want) != 1 {
			t.Errorf("output does not contain %q exactly once:\n%s", want, &out)
		}
	}
}

// TestSecrets checks that the program does not start without a valid secret.
func TestSecrets(t *testing.T) {
	if err := run(t.Context(), nil, listen(t), ""); err == nil || !strings.Contains(err.Error(), envSecret) {
		t.Errorf("without a secret: %v", err)
	}
	if err := run(t.Context(), nil, listen(t), "short"); !errors.Is(err, webhook.ErrSecret) {
		t.Errorf("with a short secret: %v", err)
	}
}
