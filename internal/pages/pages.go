// Package pages reads the shell commands of the repository's pages, so that tests can run
// them. Only tests import it.
package pages

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Command is a command of a block of shell code in a page.
type Command struct {
	Page string // path within the repository: "docs/cli.md"
	Line int
	Text string // without the comment after it; lines that end with \ are joined
}

// Word returns the first word of the command.
func (c Command) Word() string {
	word, _, _ := strings.Cut(c.Text, " ")
	return word
}

// patterns are the pages that people read.
var patterns = []string{"*.md", "docs/*.md", "docs/*/*.md", "gen/*.md", "bench/*.md", "examples/*/*.md", "overlays/*.md", "generated/*.md"}

// Files returns the paths of all pages within the repository in dir.
func Files(dir string) ([]string, error) {
	var files []string
	for _, pattern := range patterns {
		found, err := filepath.Glob(filepath.Join(dir, filepath.FromSlash(pattern)))
		if err != nil {
			return nil, err
		}
		for _, file := range found {
			name, err := filepath.Rel(dir, file)
			if err != nil {
				return nil, err
			}
			files = append(files, filepath.ToSlash(name))
		}
	}
	slices.Sort(files)
	return files, nil
}

// Commands returns the commands of all pages in the order in which a reader meets them.
func Commands(dir string) ([]Command, error) {
	files, err := Files(dir)
	if err != nil {
		return nil, err
	}
	var all []Command
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(file)))
		if err != nil {
			return nil, err
		}
		all = append(all, parse(file, string(text))...)
	}
	return all, nil
}

var (
	fence   = regexp.MustCompile("^ *```([a-z]*)(?: [a-z]+)?$")
	comment = regexp.MustCompile(`(^| )\s*# .*$`)
)

// parse returns the commands of a page.
func parse(file, text string) (out []Command) {
	inside, shell, joined := false, false, ""
	start := 0
	for i, line := range strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		if m := fence.FindStringSubmatch(line); m != nil {
			inside = !inside
			shell = inside && (m[1] == "sh" || m[1] == "console")
			continue
		}
		line = strings.TrimSpace(comment.ReplaceAllString(line, ""))
		if !shell || line == "" {
			continue
		}
		if joined == "" {
			start = i + 1
		}
		if part, more := strings.CutSuffix(line, `\`); more {
			joined += strings.TrimSpace(part) + " "
			continue
		}
		out = append(out, Command{file, start, joined + line})
		joined = ""
	}
	return out
}

// Unnamed returns the line of each block of code whose language is not named, which
// would neither be coloured nor run.
func Unnamed(text string) (lines []int) {
	inside := false
	for i, line := range strings.Split(text, "\n") {
		m := fence.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		if inside = !inside; inside && m[1] == "" {
			lines = append(lines, i+1)
		}
	}
	return lines
}
