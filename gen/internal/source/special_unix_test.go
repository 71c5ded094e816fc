//go:build unix

package source_test

import (
	"context"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/basiq-sdk/basiq-go/gen/internal/source"
)

// TestOnlyRegularFilesAreRead names a pipe, a device and a folder as the file of
// a source: none is opened, for reading it might never end.
func TestOnlyRegularFilesAreRead(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	for _, where := range []string{pipe, "/dev/zero"} {
		o := repo(t, config("{path: '"+where+"'}"))
		_, _, err := source.Update(context.Background(), o, "")
		if err == nil || !strings.Contains(err.Error(), where+" is not a regular file [not-regular]") {
			t.Errorf("%s: %v", where, err)
		}
	}
	// In a folder, and in a mirror.
	o := repo(t, config("{path: upstream}"))
	put(t, o.Dir, "upstream/pets.yml/inside", "")
	if _, _, err := source.Update(context.Background(), o, ""); err == nil || !strings.Contains(err.Error(), "[not-regular]") {
		t.Errorf("a folder: %v", err)
	}
	o = repo(t, config("{github: o/r, ref: main}"))
	o.Mirror = t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(o.Mirror, "main"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := source.Update(context.Background(), o, ""); err == nil {
		t.Error("a mirror's ref is read from a pipe")
	}
}
