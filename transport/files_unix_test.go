//go:build unix

package transport_test

import (
	"syscall"
	"testing"
)

// needFiles skips a test that opens more files than this process may. Every
// connection to a server in the same process takes two.
func needFiles(t *testing.T, n uint64) {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if uint64(limit.Cur) < n {
		t.Skipf("needs %d open files, and this process may have %d (ulimit -n)", n, limit.Cur)
	}
}
