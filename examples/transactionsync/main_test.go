package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
)

// TestRun runs the program without an API key.
func TestRun(t *testing.T) {
	t.Setenv(basiq.EnvAPIKey, "")
	var out bytes.Buffer
	if err := run(t.Context(), &out, "", ""); err != nil {
		t.Fatal(err)
	}
	want := `^today +50\d inserted, 0 changed, 0 removed, 0 accounts ended
a day later +[1-9]\d* inserted, \d+ changed, [1-9]\d* removed, 0 accounts ended
a week later +[1-9]\d* inserted, \d+ changed, [1-9]\d* removed, 0 accounts ended
revoked +0 inserted, 0 changed, 0 removed, [1-9]\d* accounts ended
the file has \d+ KiB
$`
	if !regexp.MustCompile(want).Match(out.Bytes()) {
		t.Errorf("got output %s", &out)
	}
}

// TestCrash checks that a truncated batch is written again, without duplicates.
func TestCrash(t *testing.T) {
	server := basiqtest.NewServer(t)
	client := server.Client(t)
	userID, err := server.AddUser("max@example.com")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.AddConnection(userID, basiqtest.Jared); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "transactions.jsonl")
	var whole int
	for _, cut := range []int{0, 1, 2, 3} { // quarters of the file that a crash leaves
		if err := syncFile(t.Context(), &bytes.Buffer{}, client, userID, file); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]int{}
		for l := range strings.Lines(string(text)) {
			var v line
			if err := json.Unmarshal([]byte(l), &v); err != nil {
				t.Fatal(err)
			}
			if v.Kind == basiq.TransactionInserted {
				seen[v.ID]++
			}
		}
		for id, n := range seen {
			if n != 1 {
				t.Fatalf("after %d quarters, %s appears %d times", cut, id, n)
			}
		}
		if whole == 0 {
			whole = len(seen)
		}
		if len(seen) != whole || whole < 500 {
			t.Fatalf("after %d quarters, there are %d transactions of %d", cut, len(seen), whole)
		}
		if err := os.Truncate(file, int64(len(text)*cut/4)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestBadInput(t *testing.T) {
	t.Setenv(basiq.EnvAPIKey, "not-a-real-api-key")
	if err := run(t.Context(), &bytes.Buffer{}, "", ""); err == nil || !strings.Contains(err.Error(), "-user") {
		t.Error(err)
	}
	file := filepath.Join(t.TempDir(), "other.txt")
	if err := os.WriteFile(file, []byte("dear diary\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syncFile(t.Context(), &bytes.Buffer{}, nil, "u-1", file); err == nil || !strings.Contains(err.Error(), "not a transactions file") {
		t.Error(err)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "dear diary\n" {
		t.Errorf("the file was changed: %q, %v", text, err)
	}
}
