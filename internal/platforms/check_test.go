package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// module writes a module with a package for each fault that depends on the platform, in
// its code or in its tests.
func module(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":            "module example.com/m\n\ngo 1.26\n",
		"kill/kill.go":      "package kill\n\nimport \"syscall\"\n\nfunc Kill() error { return syscall.Kill(1, syscall.SIGTERM) }\n",
		"size/size.go":      "package size\n\nconst Large int = 1 << 40\n",
		"shift/shift.go":    "package shift\n\nfunc High(n int) (uint64, int) {\n\tn >>= 40\n\treturn uint64(n) << 40, n << 31\n}\n",
		"files/a_linux.go":  "package files\n\nconst A = 1\n",
		"files/b.go":        "package files\n\nconst B = A\n",
		"test/p.go":         "package test\n",
		"test/p_test.go":    "package test\n\nconst Large int = 1 << 40\n",
		"outer/p.go":        "package outer\n",
		"outer/p_test.go":   "package outer\n\nconst Inside = 1\n",
		"outer/out_test.go": "package outer_test\n\nimport \"example.com/m/outer\"\n\nconst Large int = outer.Inside << 40\n",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("GOWORK", "off")
	return dir
}

// TestFaultsOfAPlatformAreFound checks that each fault is found on its platforms only,
// and named with its position.
func TestFaultsOfAPlatformAreFound(t *testing.T) {
	dir := module(t)
	c := newChecker()
	for platform, want := range map[string][]string{
		"linux/amd64":   nil,
		"linux/386":     {"out_test.go:5:", "p_test.go:3:", "shift.go:4:4: int has 32 bits, and is shifted by 40", "size.go:3:"},
		"windows/amd64": {"b.go:3:", "kill.go:5:"},
	} {
		n, faults, err := c.check(dir, platform, "./...")
		if err != nil {
			t.Fatalf("%s: %v", platform, err)
		}
		if n != 9 {
			t.Errorf("%s: %d packages, want 6, 2 with tests, and 1 test outside its package", platform, n)
		}
		text := strings.Join(faults, "\n")
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s: %s is not found in\n%s", platform, w, text)
			}
		}
		if want == nil && len(faults) > 0 {
			t.Errorf("%s: found\n%s", platform, text)
		}
		if platform == "linux/386" && (strings.Contains(text, "kill.go") || len(faults) != len(want)) {
			t.Errorf("%s: found\n%s", platform, text)
		}
	}
}

// TestUnknownPlatformsAndPackagesAreErrors checks that nothing passes unread.
func TestUnknownPlatformsAndPackagesAreErrors(t *testing.T) {
	dir := module(t)
	for platform, pattern := range map[string]string{"linux/pdp11": "./...", "plan10/amd64": "./...", "linux/386": "./missing"} {
		if n, faults, err := newChecker().check(dir, platform, pattern); err == nil && len(faults) == 0 {
			t.Errorf("%s of %s: %d packages pass", pattern, platform, n)
		}
	}
}
