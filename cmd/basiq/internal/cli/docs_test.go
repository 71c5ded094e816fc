package cli

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestDocumentationIsComplete compares docs/cli.md with the exit codes, the
// environment variables, the tasks and the commands that basiq has.
func TestDocumentationIsComplete(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(data)
	for _, e := range exitCodes {
		if row := fmt.Sprintf("| %d | %s |", e.code, e.text); !strings.Contains(page, row) {
			t.Errorf("docs/cli.md lacks %s", row)
		}
	}
	for _, e := range environment {
		if !strings.Contains(page, "| `"+e.name+"` |") {
			t.Errorf("docs/cli.md lacks %s", e.name)
		}
	}
	root := tree()
	visit(root, func(c *cobra.Command) {
		task := c.GroupID == groupTasks || c.Annotations["task"] != ""
		if task && !strings.Contains(page, "`"+c.CommandPath()) {
			t.Errorf("docs/cli.md lacks %s", c.CommandPath())
		}
	})
	for _, m := range regexp.MustCompile(`(?m)(?:^|\x60)basiq ([a-z][a-z-]*)(?: ([a-z-]+))?`).FindAllStringSubmatch(page, -1) {
		args := slices.DeleteFunc(m[1:], func(s string) bool { return s == "" || s == "serves" })
		if c, _, err := root.Find(args); err != nil || c == root {
			t.Errorf("docs/cli.md names basiq %s, which does not exist (%v)", strings.Join(args, " "), err)
		}
	}
}
