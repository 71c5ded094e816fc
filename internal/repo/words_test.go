package repo_test

import (
	"bufio"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/internal/pages"
)

// wording is a wording that the documentation does not use.
type wording struct {
	pattern *regexp.Regexp
	instead string
}

func readWordings(t *testing.T) []wording {
	t.Helper()
	file, err := os.Open("internal/repo/testdata/words.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var list []wording
	in := bufio.NewScanner(file)
	for n := 1; in.Scan(); n++ {
		line := strings.TrimSpace(in.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		pattern, instead, ok := strings.Cut(line, "=>")
		if !ok {
			t.Fatalf("words.txt:%d: want \"<pattern> => <instead>\", got %s", n, line)
		}
		// Lines are wrapped anywhere, so that any space can be a line break.
		pattern = strings.ReplaceAll(strings.TrimSpace(pattern), " ", `\s+`)
		list = append(list, wording{regexp.MustCompile(`(?i)\b(?:` + pattern + `)\b`), strings.TrimSpace(instead)})
	}
	if err := in.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

// TestPagesUseTheFieldsWords looks for wordings of testdata/words.txt in the pages and in
// the doc comments of all declarations, generated ones included.
func TestPagesUseTheFieldsWords(t *testing.T) {
	root()
	t.Parallel()
	wordings := readWordings(t)
	if len(wordings) < 15 {
		t.Fatalf("the list has %d wordings", len(wordings))
	}
	check := func(at, text string) {
		for _, w := range wordings {
			for _, m := range w.pattern.FindAllStringIndex(text, -1) {
				if before := strings.Fields(text[:m[0]]); len(before) > 0 && strings.EqualFold(before[len(before)-1], "there") {
					continue
				}
				t.Errorf("%s: write %q instead of %q", at, w.instead, strings.Join(strings.Fields(text[m[0]:m[1]]), " "))
			}
		}
	}
	files, err := pages.Files(".")
	if err != nil || len(files) < 30 {
		t.Fatal(len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(filepath.FromSlash(file))
		if err != nil {
			t.Fatal(err)
		}
		check(file, withoutCode(string(text)))
	}
	comments := 0
	for _, file := range goFiles(t) {
		comments += checkComments(t, file, check)
	}
	if comments < 5000 {
		t.Errorf("only %d comments were read", comments)
	}
}

// TestDocCommentsNameTheirSubject checks that no doc comment begins with "It", which leaves
// the reader to guess what it is about.
func TestDocCommentsNameTheirSubject(t *testing.T) {
	root()
	t.Parallel()
	for _, file := range goFiles(t) {
		checkComments(t, file, func(at, text string) {
			if first, _, _ := strings.Cut(text, " "); first == "It" {
				t.Errorf("%s: the comment begins with It: name the subject", at)
			}
		})
	}
}

// goFiles returns the Go files of all modules of the repository.
func goFiles(t *testing.T) []string {
	t.Helper()
	out, err := exec.Command("git", "ls-files", "*.go").Output()
	if err != nil {
		t.Skip("git is not available: ", err)
	}
	var files []string
	for _, file := range strings.Fields(string(out)) {
		if !strings.Contains(file, "/testdata/") {
			files = append(files, file)
		}
	}
	return files
}

// checkComments calls check with the doc comment of each declaration of a file, and
// returns how many there are.
func checkComments(t *testing.T, file string, check func(at, text string)) (comments int) {
	t.Helper()
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, file, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	read := func(groups ...*ast.CommentGroup) {
		for _, g := range groups {
			if g != nil {
				comments++
				check(fset.Position(g.Pos()).String(), g.Text())
			}
		}
	}
	read(f.Doc)
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			read(n.Doc)
			return false
		case *ast.GenDecl:
			read(n.Doc)
		case *ast.TypeSpec:
			read(n.Doc, n.Comment)
		case *ast.ValueSpec:
			read(n.Doc, n.Comment)
		case *ast.Field:
			read(n.Doc, n.Comment)
		}
		return true
	})
	return comments
}
