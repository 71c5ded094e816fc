package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/webhook"
)

// TestListenVerifiesPrintsAndForwards receives a message of the fake server,
// passes it on to an application that verifies it, and checks that the webhook
// is gone afterwards.
func TestListenVerifiesPrintsAndForwards(t *testing.T) {
	t.Parallel()
	srv := basiqtest.NewServer(t)
	id, err := srv.AddUser("max@example.com")
	if err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(t.TempDir(), "secret")
	forwarded := make(chan webhook.Type, 1)
	application := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := os.ReadFile(secret)
		if err != nil {
			t.Error(err)
		}
		verifier, err := webhook.NewVerifier(strings.TrimSpace(string(text)))
		if err != nil {
			t.Error(err)
			return
		}
		webhook.NewHandler(verifier, func(_ context.Context, e *webhook.Event) error {
			forwarded <- e.Type
			return nil
		}).ServeHTTP(w, r)
	}))
	t.Cleanup(application.Close)
	cmd := command(t, srv, "webhooks", "listen", "--count", "1", "--event", "transactions.updated", "--forward-to", application.URL, "--secrets-to", secret)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(stderr)
	if line, err := lines.ReadString('\n'); err != nil || !strings.HasPrefix(line, "Listening on http://") {
		t.Fatal(line, err)
	}
	if _, err := srv.Trigger(id, "transactions.updated"); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(lines)
	if err := cmd.Wait(); err != nil || len(rest) > 0 {
		t.Fatalf("%v: %s", err, rest)
	}
	var got struct{ Type, UserID string }
	if err := json.Unmarshal([]byte(out.String()), &got); err != nil || got.Type != "transactions.updated" || got.UserID != id {
		t.Errorf("%v: %s", err, out.String())
	}
	if kind := <-forwarded; kind != webhook.TransactionsUpdated {
		t.Errorf("%s was passed on", kind)
	}
	if list, err := srv.Client(t).Webhooks.Webhooks.List(t.Context()); err != nil || len(list.Data) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
}

// TestConsentLinkSendsOneBrowserOn opens the address that consents link prints,
// and checks where it leads and that the token is in no output.
func TestConsentLinkSendsOneBrowserOn(t *testing.T) {
	t.Parallel()
	srv := basiqtest.NewServer(t)
	id, err := srv.AddUser("max@example.com")
	if err != nil {
		t.Fatal(err)
	}
	cmd := command(t, srv, "consent", "link", id, "--state", "s1", "--action", "connect")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var errs strings.Builder
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	address, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err, errs.String())
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	address = strings.TrimSpace(address)
	wrong, err := client.Get(address + "x")
	if err != nil || wrong.StatusCode != http.StatusNotFound {
		t.Fatal(wrong, err)
	}
	wrong.Body.Close()
	resp, err := client.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	to, err := resp.Location()
	if err != nil || !strings.HasPrefix(to.String(), srv.URL+"/consent?") || to.Query().Get("state") != "s1" || to.Query().Get("action") != "connect" {
		t.Errorf("%v, %v", to, err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if token := to.Query().Get("token"); token == "" || strings.Contains(errs.String()+address, token) {
		t.Error("the token is missing, or is printed")
	}
}
