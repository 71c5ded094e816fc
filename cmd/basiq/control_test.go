package main

import (
	"bufio"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestTriggerTellsSandboxesFromTheAPI checks what webhooks trigger says of a base
// URL that is not a sandbox's, of a key that the sandbox does not know, and of a
// sandbox that wants its control key.
func TestTriggerTellsSandboxesFromTheAPI(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_sandbox/api/applications", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer control" {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"error":"send the control key"}`))
			return
		}
		_, _ = w.Write([]byte(`[{"number":1,"apiKey":"first"},{"number":2,"apiKey":"second"}]`))
	})
	mux.HandleFunc("POST /_sandbox/api/users/{id}/events", func(w http.ResponseWriter, r *http.Request) {
		var body map[string]string
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || r.PathValue("id") != "u 1" || r.URL.Query().Get("application") != "2" || body["eventTypeId"] != "user.created" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		_, _ = w.Write([]byte(`{"eventId":"e1"}`))
	})
	sandbox := httptest.NewServer(mux)
	t.Cleanup(sandbox.Close)
	other := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(other.Close)
	for _, c := range []struct {
		base, key, control, event string
		code                      int
		want                      string
	}{
		{sandbox.URL, "second", "control", "user.created", 0, `"eventId": "e1"`},
		{sandbox.URL, "second", "control", "user.craeted", 6, "did you mean user.created?"},
		{sandbox.URL, "third", "control", "user.created", 3, "does not know the API key"},
		{sandbox.URL, "second", "", "user.created", 3, "BASIQ_SANDBOX_CONTROL_KEY"},
		{other.URL, "second", "", "user.created", 4, "not that of a sandbox"},
		{"", "second", "", "user.created", 2, "Run basiq sandbox"},
		{"https://au-api.basiq.io", "second", "", "user.created", 2, "Run basiq sandbox"},
	} {
		cmd := basiq(t, "webhooks", "trigger", "u 1", c.event)
		cmd.Env = append(os.Environ(), "BASIQ_BASE_URL="+c.base, "BASIQ_API_KEY="+c.key, "BASIQ_SANDBOX_CONTROL_KEY="+c.control)
		out, err := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != c.code || !strings.Contains(string(out), c.want) {
			t.Errorf("%s with %q: exit code %d, %v: %s", c.base, c.control, code, err, out)
		}
	}
}

// TestReadWithoutContentFails: a read that returns nothing has not succeeded, while a
// change may have nothing to return.
func TestReadWithoutContentFails(t *testing.T) {
	t.Parallel()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"access_token":"not-a-token","expires_in":3600,"token_type":"Bearer"}`))
		}
	}))
	t.Cleanup(api.Close)
	for code, args := range map[int][]string{7: {"users", "get", "u"}, 0: {"users", "create", "--email", "max@example.com"}} {
		cmd := basiq(t, args...)
		cmd.Env = append(os.Environ(), "BASIQ_BASE_URL="+api.URL, "BASIQ_API_KEY=key")
		if out, _ := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != code {
			t.Errorf("%s: exit code %d, want %d: %s", args, cmd.ProcessState.ExitCode(), code, out)
		}
	}
}

// basiq returns a run of this test's binary as basiq.
func basiq(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// A binary of testscript.Main runs a command if it is called by the command's name.
	name := t.TempDir() + "/basiq"
	if err := os.Symlink(self, name); err != nil {
		t.Skip(err)
	}
	return exec.CommandContext(t.Context(), name, args...)
}

// TestFromNothingToTransactions does what a new user does with a sandbox: start
// it, check the setup, create a user, connect a bank, list the transactions, and
// receive an event.
func TestFromNothingToTransactions(t *testing.T) {
	t.Parallel()
	server := basiq(t, "sandbox", "--listen", loopback(t)+":0", "--job-pace", "0", "--application", "made-up-1", "--application", "made-up-2")
	stdout, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	lines := bufio.NewScanner(stdout)
	base := ""
	for lines.Scan() && base == "" {
		if name, value, ok := strings.Cut(strings.TrimSpace(lines.Text()), " "); ok && name == "API" {
			base = strings.TrimSpace(value)
		}
	}
	go func() {
		for lines.Scan() { // so that the sandbox can go on printing
		}
	}()
	run := func(args ...string) string {
		t.Helper()
		cmd := basiq(t, args...)
		cmd.Env = append(os.Environ(), "BASIQ_BASE_URL="+base, "BASIQ_API_KEY=made-up-2", "BASIQ_CONSENT_URL=")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	if out := run("check"); !strings.Contains(out, "a token was obtained") {
		t.Error(out)
	}
	var user struct{ ID string }
	if err := json.Unmarshal([]byte(run("users", "create", "--email", "max@example.com")), &user); err != nil {
		t.Fatal(err)
	}
	if out := run("sandbox", "connect", user.ID, "--login", "jared"); !strings.Contains(out, "connectionId") {
		t.Error(out)
	}
	if n := strings.Count(run("transactions", "list", user.ID, "--all", "-o", "jsonl"), "\n"); n < 500 {
		t.Errorf("%d transactions", n)
	}
	if out := run("webhooks", "trigger", user.ID, "transactions.updated"); !strings.Contains(out, "eventId") {
		t.Error(out)
	}
}

// loopback returns the address of this machine, which may have IPv6 only.
func loopback(t *testing.T) string {
	t.Helper()
	srv := httptest.NewServer(http.NotFoundHandler())
	defer srv.Close()
	host, _, err := net.SplitHostPort(srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return host
}
