package main

import (
	"bytes"
	"context"
	"testing"
)

// TestInterrupted: a run that is broken off is not called a fault of anybody's.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var stdout, stderr bytes.Buffer
	code := run(ctx, []string{"generate", "--force", "--dir", ".."}, &stdout, &stderr)
	if code != exitInterrupted || stderr.String() != "gen: interrupted; nothing was written\n" {
		t.Errorf("exit code %d: %s", code, stderr.String())
	}
}
