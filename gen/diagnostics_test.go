package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/canon"
	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/emit"
	"github.com/basiq-sdk/basiq-go/gen/internal/model"
	"github.com/basiq-sdk/basiq-go/gen/internal/overlay"
	"github.com/basiq-sdk/basiq-go/gen/internal/source"
	"github.com/basiq-sdk/basiq-go/gen/internal/spec"
	"github.com/basiq-sdk/basiq-go/gen/internal/typecheck"
)

// library holds the files of the small API in testdata/library, by their names in
// diagnostics.
type library map[string]string

const (
	upstreamFile = "library.yaml"
	repairsFile  = "overlays/library/10-repairs.yaml"
	namesFile    = "overlays/library/20-names.yaml"
	snapshotFile = "specs/library.yml"
)

func readLibrary(t *testing.T) library {
	t.Helper()
	lib := library{}
	for name, file := range map[string]string{
		upstreamFile: "upstream/library.yaml", repairsFile: repairsFile, namesFile: namesFile, source.ConfigFile: "specs/sources.yaml.txt",
	} {
		data, err := os.ReadFile(filepath.Join("testdata", "library", filepath.FromSlash(file)))
		if os.IsNotExist(err) {
			data, err = os.ReadFile(filepath.Join("testdata", "library", filepath.FromSlash(strings.TrimSuffix(file, ".txt"))))
		}
		if err != nil {
			t.Fatal(err)
		}
		lib[name] = string(data)
	}
	lib[source.LockFile] = "version: 1\nsource: path:upstream\ndomains:\n  library:\n    file: library.yaml\n    snapshot: " + strings.Repeat("0a", 32) + "\n"
	return lib
}

// build runs all stages. It adds the snapshot to the files.
func (lib library) build(imports *typecheck.Imports) diag.List {
	if _, err := source.ParseConfig(source.ConfigFile, []byte(lib[source.ConfigFile])); err != nil {
		return diag.FromError(err, diag.Pos{})
	}
	if _, err := source.ParseLock(source.LockFile, []byte(lib[source.LockFile])); err != nil {
		return diag.FromError(err, diag.Pos{})
	}
	snapshot, err := canon.Snapshot(upstreamFile, []byte(lib[upstreamFile]))
	if err != nil {
		return diag.FromError(err, diag.Pos{})
	}
	lib[snapshotFile] = string(snapshot)
	var overlays []*overlay.Document
	for _, name := range []string{repairsFile, namesFile} {
		o, err := overlay.Parse(name, []byte(lib[name]))
		if err != nil {
			return diag.FromError(err, diag.Pos{})
		}
		overlays = append(overlays, o)
	}
	doc, _, err := spec.Load("library", snapshotFile, snapshot, overlays, overlay.Options{KeepGoing: true})
	if err != nil {
		return diag.FromError(err, diag.Pos{})
	}
	if err := doc.Validate(context.Background()); err != nil {
		return diag.FromError(err, diag.Pos{})
	}
	m, err := model.Build(doc, model.Options{Package: "library"})
	if err != nil {
		return diag.FromError(err, diag.Pos{})
	}
	pkg, err := emit.Generate(m, emit.Target{ImportPath: "example.com/library", Runtime: runtimePath})
	if err != nil {
		return diag.FromError(err, diag.Pos{})
	}
	if _, err := typecheck.Package(imports, pkg); err != nil {
		return diag.FromError(err, diag.Pos{})
	}
	return m.Warnings // what lint reports
}

// line returns the line of a key in a YAML document, by its path of keys.
func (lib library) line(file, keys string) int {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(lib[file]), &doc); err != nil || len(doc.Content) == 0 {
		return -1
	}
	n, line := doc.Content[0], 1
next:
	for _, key := range strings.Split(keys, " > ") {
		if i, err := strconv.Atoi(key); err == nil && n.Kind == yaml.SequenceNode && i < len(n.Content) {
			n = n.Content[i]
			line = n.Line
			continue
		}
		for i := 0; i+1 < len(n.Content) && n.Kind == yaml.MappingNode; i += 2 {
			if n.Content[i].Value == key {
				line, n = n.Content[i].Line, n.Content[i+1]
				continue next
			}
		}
		return -1
	}
	return line
}

// minExact is the number of errors that must be reported exactly. It may only grow.
const minExact = 81

// TestErrorsHaveTheRightCodeAndLine puts one error at a time into valid files, and
// checks the code, file and line of the first diagnostic.
func TestErrorsHaveTheRightCodeAndLine(t *testing.T) {
	imports, err := typecheck.LoadImports(t.Context(), "..", runtimePath, runtimePath+"/wire", runtimePath+"/value")
	if err != nil {
		t.Fatal(err)
	}
	good := readLibrary(t)
	if found := good.build(imports); len(found) > 0 {
		t.Fatalf("the valid files have errors: %v", found)
	}
	exact, alone := 0, 0
	for _, c := range errorCorpus {
		lib := readLibrary(t)
		if strings.Count(lib[c.file], c.old) != 1 {
			t.Errorf("%s: %q occurs %d times in %s", c.name, c.old, strings.Count(lib[c.file], c.old), c.file)
			continue
		}
		lib[c.file] = strings.Replace(lib[c.file], c.old, c.new, 1)
		found := lib.build(imports)
		file, where, byKey := strings.Cut(c.at, " > ")
		line := 0
		if byKey {
			line = lib.line(file, where)
		} else if f, n, ok := strings.Cut(c.at, ":"); ok {
			file = f
			line, _ = strconv.Atoi(n)
		}
		want := fmt.Sprintf("%s:%d [%s]", file, line, c.code)
		got := "nothing"
		if len(found) > 0 {
			got = fmt.Sprintf("%s:%d [%s]", found[0].Pos.File, found[0].Pos.Line, found[0].Code)
		}
		if got == want {
			exact++
			if len(found) == 1 {
				alone++
			}
		} else {
			t.Errorf("%s:\n got  %s\n want %s\n %v", c.name, got, want, found)
		}
	}
	if exact < minExact {
		t.Errorf("%d errors are reported exactly, but at least %d must be", exact, minExact)
	}
	t.Logf("%d of %d errors are reported with the right code, file and line; %d of them without further diagnostics", exact, len(errorCorpus), alone)
}
