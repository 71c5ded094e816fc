package basiq_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestREADME runs every whole program of the README as a newcomer would: in a
// folder of its own that requires this module, against a server.
func TestREADME(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	repo, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	bank := smallBank()
	defer bank.Close()
	programs := 0
	for i, block := range strings.Split(string(text), "```go\n") {
		code, _, ok := strings.Cut(block, "```")
		if i == 0 || !ok || !strings.HasPrefix(code, "package main") {
			continue
		}
		programs++
		dir := t.TempDir()
		for name, content := range map[string]string{
			"main.go": code,
			"go.mod": "module newcomer\n\ngo 1.26\n\nrequire github.com/basiq-sdk/basiq-go v0.0.0\n\n" +
				"replace github.com/basiq-sdk/basiq-go => " + repo + "\n",
		} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.Command("go", "run", ".")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "BASIQ_API_KEY=not-a-key", "BASIQ_BASE_URL="+bank.URL)
		out, err := cmd.CombinedOutput()
		if err != nil || string(out) != "max@example.com\n" {
			t.Errorf("program %d: %v\n%s", programs, err, out)
		}
	}
	if programs == 0 {
		t.Error("the README has no program")
	}
}
