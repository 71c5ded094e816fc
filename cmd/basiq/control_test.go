package main

import (
	"encoding/json"
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
