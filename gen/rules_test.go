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

// TestStagesTouchNothing holds what each stage may reach. What lies between
// fetching and writing sees values only: it can open no file, dial no host
// and run no program, whatever a description tells it. Direct imports are
// looked at here, and the libraries beneath in TestLibrariesBeneathStages; the
// tests of hostile descriptions count what is dialled.
func TestStagesTouchNothing(t *testing.T) {
	const stages = "github.com/basiq-sdk/basiq-go/gen/internal/"
	world := []string{"os", "os/exec", "os/signal", "io/ioutil", "net", "net/http", "net/rpc", "plugin", "syscall", "unsafe", "C", "embed"}
	may := map[string][]string{ // beyond nothing
		"canon":   {"net/http"}, // the names of statuses
		"diag":    nil,
		"emit":    nil,
		"model":   {"net/http"}, // the names of methods and statuses
		"overlay": nil,
		"spec":    nil,
		"check":   {"os", "os/exec"}, // reads what the toolchain has compiled, and asks the go command what is wrong with a module
		"output":  {"os"},            // writes below a root
	}
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./internal/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	looked := 0
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
		looked++
		for _, imp := range p.Imports {
			if slices.Contains(world, imp) && !slices.Contains(allowed, imp) {
				t.Errorf("%s imports %s", p.ImportPath, imp)
			}
		}
	}
	if looked != len(may) {
		t.Errorf("%d stages were looked at, want %d", looked, len(may))
	}
}

// TestLibrariesBeneathStages lists the packages of others, in the stages between
// fetching and writing, that could reach the world, with what they are there
// for. One more is a decision.
func TestLibrariesBeneathStages(t *testing.T) {
	may := map[string]string{ // package: what it imports of the world
		"github.com/getkin/kin-openapi/openapi3":              "net/http os",        // loads by path and address, which nothing here asks of it
		"github.com/santhosh-tekuri/jsonschema/v6":            "embed os",           // of kin-openapi: schemas by path
		"golang.org/x/text/message":                           "os",                 // of jsonschema: the language of messages
		"github.com/dave/jennifer/jen":                        "os",                 // can save files; nothing here does
		"github.com/speakeasy-api/openapi/overlay":            "os",                 // of oapi-codegen: its own overlays, which are not used
		"github.com/speakeasy-api/openapi/overlay/loader":     "os",                 // the same
		"github.com/oapi-codegen/oapi-codegen/v2/pkg/codegen": "embed net/http os",  // templates by path, which are not used
		"github.com/oapi-codegen/oapi-codegen/v2/pkg/util":    "net/http",           // loads documents; it is handed one that was loaded
		"golang.org/x/mod/internal/lazyregexp":                "os",                 // of oapi-codegen: whether a test runs
		"golang.org/x/mod/modfile":                            "os",                 // of goimports
		"golang.org/x/tools/imports":                          "os",                 // goimports, within oapi-codegen
		"golang.org/x/tools/internal/event/label":             "unsafe",             // of goimports
		"golang.org/x/tools/internal/gocommand":               "os os/exec syscall", // of goimports: the go command, to find packages that are not imported
		"golang.org/x/tools/internal/gopathwalk":              "os",                 // of goimports
		"golang.org/x/tools/internal/imports":                 "os",                 // of goimports
		"golang.org/x/tools/internal/modindex":                "os",                 // of goimports
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
			t.Errorf("%s imports %q of the world, and %q was decided on", p.ImportPath, got, may[p.ImportPath])
		}
		if len(reaches) > 0 {
			found++
		}
	}
	if found != len(may) {
		t.Errorf("%d packages of others reach the world, and %d are listed: strike out what is gone", found, len(may))
	}
}

// TestStatusNamesAreAllThatIsUsed holds the two stages that import net/http to
// its names: constants and StatusText, nothing that could send.
func TestStatusNamesAreAllThatIsUsed(t *testing.T) {
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
		t.Error("no use was found: the test does not see what it should")
	}
}
