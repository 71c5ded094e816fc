package cli

import (
	"html"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestCommandsOfTheReference parses the command on each page of an operation, which the
// generator writes.
func TestCommandsOfTheReference(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "go", "run", "./gen", "docs", "--output", dir)
	cmd.Dir = filepath.FromSlash("../../../..")
	cmd.Env = append(os.Environ(), "GOPROXY=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		if strings.Contains(string(out), "GOPROXY=off") {
			t.Skipf("the generator's modules are not downloaded: %s", out)
		}
		t.Fatalf("%v\n%s", err, out)
	}
	pages, err := filepath.Glob(filepath.Join(dir, "*", "*.html"))
	if err != nil {
		t.Fatal(err)
	}
	listing := regexp.MustCompile(`data-language="sh"><code>(basiq [^<]*)\n</code>`)
	seen := map[string]bool{}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Base(filepath.Dir(page)) == "guides" {
			continue
		}
		for _, m := range listing.FindAllSubmatch(text, -1) {
			line := html.UnescapeString(string(m[1]))
			root := (&app{out: io.Discard, err: io.Discard}).root()
			c, rest, err := root.Find(words(line)[1:])
			if err != nil {
				t.Errorf("%s: %v", line, err)
				continue
			}
			if err := c.ParseFlags(rest); err != nil {
				t.Errorf("%s: %v", line, err)
				continue
			}
			if err := c.ValidateArgs(c.Flags().Args()); err != nil {
				t.Errorf("%s: %v", line, err)
			}
			seen[c.Annotations["operation"]] = true
		}
	}
	for _, id := range OperationCommands() {
		if !seen[id] {
			t.Errorf("the reference has no command for %s", id)
		}
	}
}

// words splits a command line at its blanks, but for those between single quotes.
func words(line string) (out []string) {
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			out = append(out, part)
			continue
		}
		out = append(out, strings.Fields(part)...)
	}
	return out
}
