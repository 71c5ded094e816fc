package main

import (
	"bufio"
	"bytes"
	"flag"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
)

var update = flag.Bool("update", false, "rewrite testdata/output.txt")

// TestRun compares the output without an API key with testdata/output.txt.
// docs/getting-started.md contains the same text.
func TestRun(t *testing.T) {
	t.Setenv(basiq.EnvAPIKey, "")
	var out bytes.Buffer
	if err := run(t.Context(), strings.NewReader(""), &out); err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/output.txt"
	if *update {
		if err := os.WriteFile(golden, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), want) {
		t.Errorf("got\n%s\nwant\n%s\nIf the change is intended, run the test with -update, and update docs/getting-started.md.", &out, want)
	}
}

// TestTerminal runs the program with an API key, and simulates a user at the
// terminal.
func TestTerminal(t *testing.T) {
	server := basiqtest.NewServer(t)
	t.Setenv(basiq.EnvAPIKey, server.APIKey())
	t.Setenv(basiq.EnvBaseURL, server.URL)
	interval = time.Millisecond
	defer func() { interval = 0 }()
	typed, keyboard := io.Pipe()
	screen, out := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(t.Context(), typed, out)
		_ = out.CloseWithError(io.EOF)
		ended <- err
	}()
	var seen []string
	for lines := bufio.NewScanner(screen); lines.Scan(); {
		line := lines.Text()
		seen = append(seen, line)
		if strings.HasPrefix(line, "https://consent.basiq.io/") {
			back, err := server.VisitConsentLink(line, basiqtest.Gilfoyle.Answering("Hooli"))
			if err != nil {
				t.Error(err)
			}
			go func() { _, _ = io.WriteString(keyboard, back+"\n") }()
		}
	}
	if err := <-ended; err != nil {
		t.Fatalf("%v after\n%s", err, strings.Join(seen, "\n"))
	}
	text := strings.Join(seen, "\n")
	for _, want := range []string{"retrieve-transactions  success", "Everyday Account", "report  Quickstart"} {
		if !strings.Contains(text, want) {
			t.Errorf("output does not contain %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, server.APIKey()) {
		t.Error("the output contains the key")
	}
}

// TestFailures checks the explanation of errors.
func TestFailures(t *testing.T) {
	server := basiqtest.NewServer(t)
	t.Setenv(basiq.EnvAPIKey, "not-a-real-api-key")
	t.Setenv(basiq.EnvBaseURL, server.URL)
	err := run(t.Context(), strings.NewReader(""), io.Discard)
	if err == nil || !strings.Contains(explain(err), "No application has this API key") {
		t.Errorf("%s", explain(err))
	}
	t.Setenv(basiq.EnvAPIKey, server.APIKey())
	for typed, want := range map[string]string{
		"": "no input", "https://app.example/return?jobId=j-1&state=wrong\n": "is not the expected one",
	} {
		if err := run(t.Context(), strings.NewReader(typed), io.Discard); err == nil || !strings.Contains(explain(err), want) {
			t.Errorf("%q: %v", typed, err)
		}
	}
}
