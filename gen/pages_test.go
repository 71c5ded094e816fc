package main

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestCommandsOnPages parses every command of the generator in the blocks of the pages:
// the verb, its flags and the number of its arguments must be valid.
func TestCommandsOnPages(t *testing.T) {
	t.Parallel()
	var files []string
	for _, pattern := range []string{"../*.md", "../docs/*.md", "*.md", "../overlays/*.md"} {
		found, err := filepath.Glob(filepath.FromSlash(pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	line := regexp.MustCompile("(?m)(?:^|`)go run (?:\\./gen|github\\.com/basiq-sdk/basiq-go/gen@latest) ([^\n`#|>]+)")
	parsed := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range line.FindAllStringSubmatch(string(text), -1) {
			parsed++
			// Brackets enclose what may be left out.
			args := strings.Fields(strings.NewReplacer("[", "", "]", "").Replace(m[1]))
			for i, a := range args {
				args[i] = strings.Trim(a, "'")
			}
			if args[0] == "help" {
				continue // cobra adds it when it runs
			}
			cmd, rest, err := root(io.Discard, io.Discard).Find(args)
			if err != nil {
				t.Errorf("%s: %s: %v", file, m[0], err)
				continue
			}
			if err := cmd.ParseFlags(rest); err != nil {
				t.Errorf("%s: %s: %v", file, m[0], err)
				continue
			}
			args = cmd.Flags().Args()
			if cmd.Name() == "gen" && (len(args) > 0 || cmd.Flags().NFlag() == 0) {
				t.Errorf("%s: %s: there is no such command", file, m[0])
			}
			if err := cmd.ValidateArgs(args); err != nil && !strings.Contains(m[1], "<") { // <last tag> is one argument
				t.Errorf("%s: %s: %v", file, m[0], err)
			}
		}
	}
	if parsed < 20 {
		t.Errorf("only %d commands were parsed", parsed)
	}
}
