package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
)

// TestRun runs the program without an API key.
func TestRun(t *testing.T) {
	t.Setenv(basiq.EnvAPIKey, "")
	var out bytes.Buffer
	pdf := filepath.Join(t.TempDir(), "report.pdf")
	if err := run(t.Context(), &out, "", 6, pdf); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Income from 2030-11-06 to 2031-05-06\n", "  RIDE SHARE PAYMENT ", " a month "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("output does not contain %q:\n%s", want, &out)
		}
	}
	if file, err := os.ReadFile(pdf); err != nil || !bytes.HasPrefix(file, []byte("%PDF-")) {
		t.Errorf("%.20q, %v", file, err)
	}
}

// TestRunWithKey runs the program with an API key, against the fake server.
func TestRunWithKey(t *testing.T) {
	server := basiqtest.NewServer(t)
	t.Setenv(basiq.EnvAPIKey, server.APIKey())
	t.Setenv(basiq.EnvBaseURL, server.URL)
	userID, err := server.AddUser("max@example.com")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.AddConnection(userID, basiqtest.Gilfoyle); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := run(t.Context(), &out, userID, 3, ""); err != nil || !strings.Contains(out.String(), "BENEFIT PAYMENT") {
		t.Errorf("%v, %s", err, &out)
	}
	if err := run(t.Context(), &out, "", 3, ""); err == nil || !strings.Contains(err.Error(), "-user") {
		t.Error(err)
	}
	if err := run(t.Context(), &out, userID, -3, ""); err == nil || !strings.Contains(err.Error(), "is after To") {
		t.Error(err)
	}
}
