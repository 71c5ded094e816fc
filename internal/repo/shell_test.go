package repo_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/internal/pages"
)

// notRun are the commands of the pages that no test runs, each with the reason.
var notRun = map[string]string{
	"export BASIQ_API_KEY=…":                                       "it sets the reader's own key",
	"BASIQ_API_KEY=… make test-live":                               "it needs a key of Basiq's",
	"BASIQ_API_KEY=… BASIQ_TEST_USER=… go test -record ./shop":     "it needs a key of Basiq's",
	"go test ./shop":                                               "the package is the reader's",
	"go run ./internal/mutants transport/value":                    "it takes minutes; make mutants runs it",
	"go run ./internal/mutants -files '^(retry|page)' transport":   "it takes minutes; make mutants runs it",
	"go run ./gen update":                                          "it needs the network; gen's own test parses it",
	"go run ./gen update --keep-going":                             "it needs the network; gen's own test parses it",
	"go run ./gen diff":                                            "gen's own tests run and parse it",
	"go run ./gen diff HEAD~10 HEAD --users HEAD~10":               "it takes long; gen's own test parses it",
	"go run ./gen diff upstream:1234567 upstream:main --examples":  "it needs the network; gen's own test parses it",
	"go run ./gen diff 1234567..89abcde --format html > diff.html": "it needs a mirror; gen's own test parses it",
	"go run github.com/basiq-sdk/basiq-go/gen@latest update":       "it needs a release; gen's own test parses it",
	"go run github.com/basiq-sdk/basiq-go/gen@latest check":        "it needs a release; gen's own test parses it",
	"go run github.com/basiq-sdk/basiq-go/gen@latest init github:up-banking/api@master:v1/openapi.json": "it needs a release; gen's own test parses it",
}

// TestCommandsOnPages checks every command of a block of shell code in the pages. It runs
// what needs nothing but Go. Make's targets and the modules of go get must exist. What
// calls basiq or the sandbox is run by cmd/basiq's test of the same name, because that
// module needs a database, which few who work on the SDK have to download.
func TestCommandsOnPages(t *testing.T) {
	root()
	t.Parallel()
	commands, err := pages.Commands(".")
	if err != nil {
		t.Fatal(err)
	}
	if len(commands) < 30 {
		t.Fatalf("the pages have %d commands; are they found?", len(commands))
	}
	var onSandbox, run []string // pages with commands of basiq; commands that were run
	for _, c := range commands {
		if c.Word() == "basiq" {
			onSandbox = append(onSandbox, c.Page)
		}
	}
	stale := map[string]bool{}
	for text := range notRun {
		stale[text] = true
	}
	for _, c := range commands {
		if notRun[c.Text] != "" {
			delete(stale, c.Text)
			if dir, ok := strings.CutPrefix(c.Text, "go run ./"); ok {
				checkMainPackage(t, c, strings.Fields(dir)[0])
			}
			continue
		}
		switch words := strings.Fields(c.Text); {
		case slices.Contains(onSandbox, c.Page) && !strings.HasPrefix(c.Text, "make "):
		case words[0] == "make":
			checkMakeTarget(t, c, words[1:])
		case c.Text == "go get "+module, c.Text == "go get "+module+"/basiqotel":
		case strings.HasPrefix(c.Text, "go run ./examples/") && len(words) == 3:
			if slices.Contains(run, c.Text) {
				continue
			}
			run = append(run, c.Text)
			if out, err := exec.Command("go", words[1:]...).CombinedOutput(); err != nil {
				t.Errorf("%s:%d: %s: %v\n%s", c.Page, c.Line, c.Text, err, out)
			}
		default:
			t.Errorf("%s:%d: no test runs  %s: add it to notRun with the reason, or to a test", c.Page, c.Line, c.Text)
		}
	}
	for text := range stale {
		t.Errorf("notRun has a command that is on no page: %s", text)
	}
	if len(run) == 0 {
		t.Error("no command was run")
	}
}

// checkMainPackage checks that a folder has a program.
func checkMainPackage(t *testing.T, c pages.Command, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(filepath.FromSlash(dir), "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil && regexp.MustCompile(`(?m)^package main$`).Match(text) {
			return
		}
	}
	t.Errorf("%s:%d: %s is not a program", c.Page, c.Line, dir)
}

// checkMakeTarget checks that make knows what to do, in the folder that the page is about.
func checkMakeTarget(t *testing.T, c pages.Command, args []string) {
	t.Helper()
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("make is not installed")
	}
	out, err := exec.Command("make", append([]string{"-n"}, args...)...).CombinedOutput()
	if err != nil || len(out) == 0 {
		t.Errorf("%s:%d: %s: %v\n%s", c.Page, c.Line, c.Text, err, out)
	}
}

// TestBlocksNameTheirLanguage checks that every block of code says what it is, so that it
// is coloured and, if it is a command, tested.
func TestBlocksNameTheirLanguage(t *testing.T) {
	root()
	t.Parallel()
	files, err := pages.Files(".")
	if err != nil || len(files) < 30 {
		t.Fatal(len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(filepath.FromSlash(file))
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range pages.Unnamed(string(text)) {
			t.Errorf("%s:%d: the block does not name its language", file, line)
		}
	}
}
