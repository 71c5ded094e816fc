package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestStagesHaveNoSideEffects checks that the stages between fetching and writing cannot
// open files, make connections or run programs, whatever a specification contains. It
// checks direct imports; TestLibrariesWithSideEffects checks the libraries that they
// use, and the tests with hostile specifications count connections.
func TestStagesHaveNoSideEffects(t *testing.T) {
	const stages = "github.com/basiq-sdk/basiq-go/gen/internal/"
	world := []string{"os", "os/exec", "os/signal", "io/ioutil", "net", "net/http", "net/rpc", "plugin", "syscall", "unsafe", "C", "embed"}
	may := map[string][]string{ // exceptions
		"canon":     {"net/http"}, // names of statuses
		"diag":      nil,
		"emit":      nil,
		"model":     {"net/http"}, // names of methods and statuses
		"overlay":   nil,
		"spec":      nil,
		"typecheck": {"os", "os/exec"}, // reads export data, and runs the go command to diagnose a module
		"output":    {"os"},            // writes below an os.Root
	}
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./internal/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		allowed, stage := may[strings.TrimPrefix(p.ImportPath, stages)]
		if !stage {
			if slices.Contains(p.Imports, "plugin") || slices.Contains(p.Imports, "unsafe") || slices.Contains(p.Imports, "C") {
				t.Errorf("%s imports plugin, unsafe or C", p.ImportPath)
			}
			continue
		}
		checked++
		for _, imp := range p.Imports {
			if slices.Contains(world, imp) && !slices.Contains(allowed, imp) {
				t.Errorf("%s imports %s", p.ImportPath, imp)
			}
		}
	}
	if checked != len(may) {
		t.Errorf("%d stages were checked, want %d", checked, len(may))
	}
}

// TestLibrariesWithSideEffects lists the third-party packages in these stages that could
// have side effects, with the reason why they are used. Additions need a decision.
func TestLibrariesWithSideEffects(t *testing.T) {
	may := map[string]string{ // package: its imports that can have side effects
		"github.com/getkin/kin-openapi/openapi3":              "net/http os",        // can load by path and URL, which is not used
		"github.com/santhosh-tekuri/jsonschema/v6":            "embed os",           // used by kin-openapi; can load schemas by path
		"golang.org/x/text/message":                           "os",                 // used by jsonschema; language of messages
		"github.com/dave/jennifer/jen":                        "os",                 // can save files, which is not used
		"github.com/speakeasy-api/openapi/overlay":            "os",                 // used by oapi-codegen for overlays, which are not used
		"github.com/speakeasy-api/openapi/overlay/loader":     "os",                 // the same
		"github.com/oapi-codegen/oapi-codegen/v2/pkg/codegen": "embed net/http os",  // can load templates by path, which is not used
		"github.com/oapi-codegen/oapi-codegen/v2/pkg/util":    "net/http",           // can load documents, which is not used
		"golang.org/x/mod/internal/lazyregexp":                "os",                 // used by oapi-codegen; detects tests
		"golang.org/x/mod/modfile":                            "os",                 // used by goimports
		"golang.org/x/tools/imports":                          "os",                 // goimports, used by oapi-codegen
		"golang.org/x/tools/internal/event/label":             "unsafe",             // used by goimports
		"golang.org/x/tools/internal/gocommand":               "os os/exec syscall", // used by goimports to find packages, which is not used
		"golang.org/x/tools/internal/gopathwalk":              "os",                 // used by goimports
		"golang.org/x/tools/internal/imports":                 "os",                 // used by goimports
		"golang.org/x/tools/internal/modindex":                "os",                 // used by goimports
	}
	world := []string{"os", "os/exec", "net", "net/http", "net/rpc", "plugin", "syscall", "unsafe", "embed", "C"}
	out, err := exec.Command("go", "list", "-deps", "-json=ImportPath,Imports,Standard", "./internal/canon", "./internal/diag",
		"./internal/emit", "./internal/model", "./internal/overlay/...", "./internal/spec").Output()
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var p struct {
			ImportPath string
			Imports    []string
			Standard   bool
		}
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		if p.Standard || strings.HasPrefix(p.ImportPath, "github.com/basiq-sdk/") {
			continue
		}
		var reaches []string
		for _, imp := range p.Imports {
			if slices.Contains(world, imp) {
				reaches = append(reaches, imp)
			}
		}
		if got := strings.Join(reaches, " "); got != may[p.ImportPath] {
			t.Errorf("%s imports %q, but only %q is allowed", p.ImportPath, got, may[p.ImportPath])
		}
		if len(reaches) > 0 {
			found++
		}
	}
	if found != len(may) {
		t.Errorf("%d packages can have side effects, but %d are listed: remove the others from the list", found, len(may))
	}
}

// TestStagesOnlyUseNamesOfNetHTTP checks that the stages that import net/http only use
// constants and StatusText.
func TestStagesOnlyUseNamesOfNetHTTP(t *testing.T) {
	uses := 0
	for _, dir := range []string{"canon", "model"} {
		files, err := filepath.Glob(filepath.Join("internal", dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			for _, use := range regexp.MustCompile(`\bhttp\.[A-Z][A-Za-z]*`).FindAllString(string(data), -1) {
				if uses++; !strings.HasPrefix(use, "http.Status") && !strings.HasPrefix(use, "http.Method") {
					t.Errorf("%s uses %s", file, use)
				}
			}
		}
	}
	if uses == 0 {
		t.Error("no use was found; the pattern must match the existing ones")
	}
}
