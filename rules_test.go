package basiq_test

import (
	"bytes"
	"encoding/json"
	"os/exec"
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
	Module     *struct{ Path string }
}

func list(t *testing.T, args ...string) []pkg {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list", "-json=ImportPath,Standard,Imports,CgoFiles,Module"}, args...)...).Output()
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

// TestConsumersCompileOnlyUs holds the dependency rule: what a consumer
// compiles is the standard library and this module, without unsafe or cgo.
func TestConsumersCompileOnlyUs(t *testing.T) {
	deps := list(t, "-deps", ".", "./transport/...", "./generated/...", "./basiqtest/...")
	if len(deps) < 50 {
		t.Fatalf("only %d packages were looked at", len(deps))
	}
	ours := 0
	for _, p := range deps {
		if p.Standard {
			continue
		}
		if p.Module == nil || p.Module.Path != module {
			t.Errorf("%s is compiled by consumers and is not ours", p.ImportPath)
			continue
		}
		ours++
		if slices.Contains(p.Imports, "unsafe") || len(p.CgoFiles) > 0 {
			t.Errorf("%s uses unsafe or cgo", p.ImportPath)
		}
	}
	if ours < 9 {
		t.Errorf("only %d of our packages were looked at", ours)
	}
}

// TestGeneratedImports holds what generated packages may import: the standard
// library, and of this module the transport tree only.
func TestGeneratedImports(t *testing.T) {
	pkgs := list(t, "./generated/...")
	if len(pkgs) != 7 {
		t.Errorf("%d generated packages, want 7", len(pkgs))
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

// TestTransportKnowsNoDomain keeps imports pointing one way.
func TestTransportKnowsNoDomain(t *testing.T) {
	for _, p := range list(t, "./transport/...") {
		for _, imp := range p.Imports {
			if imp == module || strings.HasPrefix(imp, module+"/generated") || strings.HasPrefix(imp, module+"/gen") {
				t.Errorf("%s imports %s", p.ImportPath, imp)
			}
		}
	}
}
