package repo_test

import (
	"bytes"
	"encoding/json"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/basiq-sdk/basiq-go"

type pkg struct {
	ImportPath string
	Standard   bool
	Imports    []string
	CgoFiles   []string
	SFiles     []string
	Dir        string
	GoFiles    []string
	Module     *struct{ Path string }
}

func list(t *testing.T, args ...string) []pkg {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list", "-json=ImportPath,Standard,Imports,CgoFiles,SFiles,Dir,GoFiles,Module"}, args...)...).Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var pkgs []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var p pkg
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
	return pkgs
}

// TestConsumersCompileOnlyUs checks that consumers compile only the standard
// library and this module, without unsafe or cgo.
func TestConsumersCompileOnlyUs(t *testing.T) {
	root()
	deps := list(t, "-deps", ".", "./transport/...", "./generated/...", "./basiqtest/...", "./webhook/...", "./legacy/...", "./sqlstore/...")
	if len(deps) < 50 {
		t.Fatalf("only %d packages were checked", len(deps))
	}
	ours := 0
	for _, p := range deps {
		if p.Standard {
			continue
		}
		if p.Module == nil || p.Module.Path != module {
			t.Errorf("consumers compile %s, which is not part of this module", p.ImportPath)
			continue
		}
		ours++
		if slices.Contains(p.Imports, "unsafe") || len(p.CgoFiles) > 0 || len(p.SFiles) > 0 {
			t.Errorf("%s uses unsafe, cgo or assembly", p.ImportPath)
		}
		for _, name := range p.GoFiles {
			data, err := os.ReadFile(filepath.Join(p.Dir, name))
			if err != nil || bytes.Contains(data, []byte("\n//go:linkname")) {
				t.Errorf("%s/%s uses go:linkname (%v)", p.ImportPath, name, err)
			}
		}
	}
	if ours < 9 {
		t.Errorf("only %d packages of this module were checked", ours)
	}
}

// TestConsumersRequireOnlyUs checks the same for files with any build tag,
// because go mod tidy in a consumer's module considers all of them.
func TestConsumersRequireOnlyUs(t *testing.T) {
	root()
	looked := 0
	for _, p := range list(t, ".", "./transport/...", "./generated/...", "./basiqtest/...", "./webhook/...", "./legacy/...", "./sqlstore/...") {
		files, err := filepath.Glob(filepath.Join(p.Dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly|parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			if len(f.Comments) > 0 && f.Comments[0].List[0].Text == "//go:build ignore" {
				continue
			}
			looked++
			for _, imp := range f.Imports {
				path := strings.Trim(imp.Path.Value, `"`)
				first, _, _ := strings.Cut(path, "/")
				if strings.Contains(first, ".") && path != module && !strings.HasPrefix(path, module+"/") {
					t.Errorf("%s imports %s", name, path)
				}
			}
		}
	}
	if looked < 100 {
		t.Errorf("only %d files were checked", looked)
	}
}

// TestConsumersGetOneMoreModule checks that this module requires go-cmp only.
// Minimal version selection would otherwise upgrade a consumer's dependencies,
// and scanners read go.sum, including the requirements of tests.
func TestConsumersGetOneMoreModule(t *testing.T) {
	root()
	mod := moduleFile(t, ".")
	if mod.Module.Path != module || len(mod.Require) != 1 || mod.Require[0].Path != "github.com/google/go-cmp" {
		t.Errorf("module %s requires %v, want go-cmp only: move what needs more to a separate module, such as gen or internal/contract", mod.Module.Path, mod.Require)
	}
	sums, err := os.ReadFile("go.sum")
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(sums, []byte("\n")); n > 2 {
		t.Errorf("go.sum has %d lines, want the 2 of go-cmp", n)
	}
}

// TestInstalledModulesReplaceNothing checks that no module has replace or
// exclude directives. They apply only in the main module, so builds elsewhere
// would differ, and go install rejects modules with them.
func TestInstalledModulesReplaceNothing(t *testing.T) {
	root()
	for _, dir := range []string{".", "gen", "cmd/basiq", "basiqotel"} {
		mod := moduleFile(t, dir)
		if len(mod.Replace) > 0 || len(mod.Exclude) > 0 {
			t.Errorf("%s/go.mod has %d replace and %d exclude directives", dir, len(mod.Replace), len(mod.Exclude))
		}
	}
}

type goMod struct {
	Module           struct{ Path string }
	Require          []struct{ Path string }
	Replace, Exclude []json.RawMessage
}

func moduleFile(t *testing.T, dir string) (mod goMod) {
	t.Helper()
	out, err := exec.Command("go", "mod", "edit", "-json", filepath.Join(dir, "go.mod")).Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatal(err)
	}
	return mod
}

// TestGeneratedImports checks that generated packages import only the standard
// library and the transport packages.
func TestGeneratedImports(t *testing.T) {
	root()
	pkgs := list(t, "./generated/...")
	if len(pkgs) != 11 {
		t.Errorf("%d generated packages, want 11", len(pkgs))
	}
	for _, p := range pkgs {
		for _, imp := range p.Imports {
			first, _, _ := strings.Cut(imp, "/")
			standard := !strings.Contains(first, ".")
			if !standard && imp != module+"/transport" && !strings.HasPrefix(imp, module+"/transport/") {
				t.Errorf("%s imports %s", p.ImportPath, imp)
			}
		}
	}
}

// TestTransportKnowsNoDomain checks that the transport packages do not import
// generated packages.
func TestTransportKnowsNoDomain(t *testing.T) {
	root()
	for _, p := range list(t, "./transport/...") {
		for _, imp := range p.Imports {
			if imp == module || strings.HasPrefix(imp, module+"/generated") || strings.HasPrefix(imp, module+"/gen") {
				t.Errorf("%s imports %s", p.ImportPath, imp)
			}
		}
	}
}

// TestCauseIsReadInOnePlace checks that only internal/contexts, which is behind
// transport.ContextError, calls context.Cause. A cause may be the error of
// another call, so only its text is kept.
func TestCauseIsReadInOnePlace(t *testing.T) {
	root()
	for _, p := range list(t, "-deps", ".", "./basiqtest", "./webhook", "./legacy", "./sqlstore") {
		if p.Standard {
			continue
		}
		for _, name := range p.GoFiles {
			if p.ImportPath == module+"/internal/contexts" {
				continue
			}
			data, err := os.ReadFile(filepath.Join(p.Dir, name))
			if err != nil || bytes.Contains(data, []byte("context.Cause(")) {
				t.Errorf("%s/%s calls context.Cause (%v): use transport.ContextError", p.ImportPath, name, err)
			}
		}
	}
}

// TestServersListenOnAnyLoopback refuses what does not work on a machine that has
// only IPv6: listening on 127.0.0.1. Use loopback.Listen instead.
func TestServersListenOnAnyLoopback(t *testing.T) {
	root()
	looked := 0
	for _, dir := range []string{".", "basiqtest", "examples", "internal", "legacy", "sqlstore", "transport", "webhook"} {
		err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && (dir == "." && name != "." || d.Name() == "redistore" || d.Name() == "loopback"):
				return fs.SkipDir
			case d.IsDir() || !strings.HasSuffix(name, ".go"):
				return nil
			}
			looked++
			text, err := os.ReadFile(name)
			if bytes.Contains(text, []byte(`.Listen("tcp", "`+`127.0.0.1:0")`)) {
				t.Errorf("%s listens on 127.0.0.1: use loopback.Listen", name)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if looked < 100 {
		t.Errorf("only %d files were read", looked)
	}
}
