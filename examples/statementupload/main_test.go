package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go"
)

// TestRun runs the program without an API key.
func TestRun(t *testing.T) {
	t.Setenv(basiq.EnvAPIKey, "")
	var out bytes.Buffer
	if err := run(t.Context(), &out, "", "", ""); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"sent april.csv, 98 bytes\n", "2031-04-15  SALARY                  1900.00\n", "2031-04-02  COFFEE                    -4.50\n",
		"may.csv cannot be read: missing-required-field: ", "See Detail, correct the file, and upload it again.\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("output does not contain %q:\n%s", want, &out)
		}
	}
}

func TestBadInput(t *testing.T) {
	t.Setenv(basiq.EnvAPIKey, "not-a-real-api-key")
	if err := run(t.Context(), &bytes.Buffer{}, "u-1", "", "a.pdf"); err == nil || !strings.Contains(err.Error(), "-institution") {
		t.Error(err)
	}
	if err := run(t.Context(), &bytes.Buffer{}, "u-1", "AU1", filepath.Join(t.TempDir(), "none.pdf")); err == nil || !strings.Contains(err.Error(), "none.pdf") {
		t.Error(err)
	}
}
