package main

import (
	"bytes"
	"context"
	"testing"
)

// TestInterruptedRunIsNotReportedAsAnError checks the exit code and message of an
// interrupted run.
func TestInterruptedRunIsNotReportedAsAnError(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var stdout, stderr bytes.Buffer
	code := run(ctx, []string{"generate", "--force", "--dir", ".."}, &stdout, &stderr)
	if code != exitInterrupted || stderr.String() != "gen: interrupted; no files were written\n" {
		t.Errorf("exit code %d: %s", code, stderr.String())
	}
}
