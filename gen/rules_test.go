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
// looked at; the libraries beneath are held by the tests of hostile
// descriptions, which count what is dialled.
func TestStagesTouchNothing(t *testing.T) {
	const stages = "github.com/basiq-sdk/basiq-go/gen/internal/"
	world := []string{"os", "os/exec", "os/signal", "io/ioutil", "net", "net/http", "net/rpc", "plugin", "syscall", "unsafe", "C", "embed"}
	may := map[string][]string{ // beyond nothing
		"canon":            {"net/http"}, // the names of statuses
		"diag":             nil,
		"emit":             nil,
		"model":            {"net/http"}, // the names of methods and statuses
		"overlay":          nil,
		"overlay/jsonpath": nil,
		"spec":             nil,
		"check":            {"os"}, // reads what the toolchain has compiled
		"output":           {"os"}, // writes below a root
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
