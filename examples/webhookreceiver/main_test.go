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

// TestRun subscribes the program to a Basiq in memory, and has it receive an
// event, and refuse what Basiq has not sent.
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
	server.Advance(0) // delivers what is due
	res, err := http.Post(address, "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusBadRequest {
		t.Errorf("an unsigned delivery is answered with %s", res.Status)
	}
	http.DefaultClient.CloseIdleConnections()
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"user.created of user " + id + "\n", "not handled: webhook: "} {
		if strings.Count(out.String(), want) != 1 {
			t.Errorf("it does not say %q once, but\n%s", want, &out)
		}
	}
}

// TestSecrets: without a secret that can be one, the program does not start.
func TestSecrets(t *testing.T) {
	if err := run(t.Context(), nil, listen(t), ""); err == nil || !strings.Contains(err.Error(), envSecret) {
		t.Errorf("without a secret: %v", err)
	}
	if err := run(t.Context(), nil, listen(t), "short"); !errors.Is(err, webhook.ErrSecret) {
		t.Errorf("with a short secret: %v", err)
	}
}
