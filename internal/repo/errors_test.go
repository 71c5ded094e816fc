package repo_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestGuidesListEveryError checks that the guides name every exported error variable of
// the packages that consumers import, as code.
func TestGuidesListEveryError(t *testing.T) {
	root()
	t.Parallel()
	found := 0
	for dir, page := range map[string]string{
		".": "docs/errors.md", "transport": "docs/errors.md", "transport/value": "docs/errors.md", "webhook": "docs/webhooks.md",
	} {
		text, err := os.ReadFile(filepath.FromSlash(page))
		if err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(filepath.FromSlash(dir), "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range errorVariables(parsed) {
				found++
				if !strings.Contains(string(text), "`"+name+"`") && !strings.Contains(string(text), "."+name+"`") {
					t.Errorf("%s does not list %s of %s", page, name, file)
				}
			}
		}
	}
	if found < 60 {
		t.Errorf("only %d error variables were found", found)
	}
}

// errorVariables returns the names of the exported variables of a file that are errors.
func errorVariables(file *ast.File) []string {
	var names []string
	for _, decl := range file.Decls {
		vars, ok := decl.(*ast.GenDecl)
		if !ok || vars.Tok != token.VAR {
			continue
		}
		for _, spec := range vars.Specs {
			for _, id := range spec.(*ast.ValueSpec).Names {
				if id.IsExported() && strings.HasPrefix(id.Name, "Err") {
					names = append(names, id.Name)
				}
			}
		}
	}
	return names
}
