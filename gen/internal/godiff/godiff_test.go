package godiff_test

import (
	"io"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/basiq-sdk/basiq-go/gen/internal/godiff"
	"github.com/basiq-sdk/basiq-go/gen/internal/typecheck"

	"go/types"
)

func tree(files ...string) godiff.Tree {
	fsys := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		fsys[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	return godiff.Tree{Module: "example.com/m", FS: fsys}
}

func load(t *testing.T, tr godiff.Tree) map[string]*types.Package {
	t.Helper()
	dirs, err := tr.Packages()
	if err != nil {
		t.Fatal(err)
	}
	l := loader(t, tr)
	out := map[string]*types.Package{}
	for _, d := range dirs {
		p, err := l.Load(d)
		if err != nil {
			t.Fatal(err)
		}
		out[p.Path()] = p
	}
	return out
}

func loader(t *testing.T, tr godiff.Tree) *godiff.Loader {
	t.Helper()
	imports, err := typecheck.LoadImports(t.Context(), ".", "fmt")
	if err != nil {
		t.Fatal(err)
	}
	return godiff.NewLoader(tr, func(p string) (io.ReadCloser, error) { return imports.Open(p) })
}

const source = `package a
import "fmt"
// T is a type.
type T struct { A string; b int }
func (t *T) Do(x int) error { return fmt.Errorf("%d", x) }
const K = "k"
var op = 1
`

func TestPackagesReportsChanges(t *testing.T) {
	old := tree("a/a.go", source, "gone/g.go", "package gone", "internal/x/x.go", "package x", "gen/main.go", "package main")
	new := tree("a/a.go", strings.NewReplacer("A string", "A int; C bool", "Do(x int)", "Do(x string)", `"%d"`, `"%s"`).Replace(source), "came/c.go", "package came")
	var got []string
	for _, c := range godiff.Packages(load(t, old), load(t, new)) {
		mark := "-"
		if c.Compatible {
			mark = "+"
		}
		got = append(got, mark+c.String())
	}
	want := []string{
		"-a.T.A: changed from string to int", "+a.T.C: added", "-a.T.Do: changed from func(int) error to func(string) error",
		"+came: new package", "-gone: package removed",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	taking := func(param string) map[string]*types.Package {
		return load(t, tree("a/a.go", "package a\nimport \"example.com/m/deep/b\"\nfunc F("+param+") {}", "deep/b/b.go", "package b\ntype O int"))
	}
	if c := godiff.Packages(taking("...b.O"), taking("b.O")); len(c) != 1 || c[0].Text != "changed from func(...b.O) to func(b.O)" {
		t.Errorf("a type of another package: %v", c)
	}
	if same := godiff.Packages(load(t, old), load(t, old)); len(same) > 0 {
		t.Errorf("a package differs from itself: %v", same)
	}
}

// TestDeclarationsIgnoreCommentsAndLayout checks that only changed code is reported.
func TestDeclarationsIgnoreCommentsAndLayout(t *testing.T) {
	files := func(s string) map[string][]byte { return map[string][]byte{"a.go": []byte(s)} }
	for _, c := range []struct{ old, new, want string }{
		{"// T is a type.", "// T is another.\n", ""},
		{"{ A string; b int }", "{ A string /* comment */ ; b  int }", ""},
		{`"%d"`, `"%v"`, "T.Do"},
		{"var op = 1", "var op = 2", "op"},
		{`const K = "k"`, `const L = "k"`, "K L"},
	} {
		got := godiff.Declarations(files(source), files(strings.Replace(source, c.old, c.new, 1)))
		if strings.Join(got, " ") != c.want {
			t.Errorf("%q → %q: got %v, want %q", c.old, c.new, got, c.want)
		}
	}
}

// TestTreeReplacesAndDeletesFiles replaces generated files of a tree and deletes
// others.
func TestTreeReplacesAndDeletesFiles(t *testing.T) {
	tr := tree("a/a.go", source, "a/b.gen.go", "package a\ntype Old int", "user/u.go", "package user\nimport \"example.com/m/a\"\nvar X a.Old")
	l := loader(t, tr)
	if _, err := l.Load("user"); err != nil {
		t.Fatal(err)
	}
	tr.Over = map[string][]byte{"a/b.gen.go": nil, "a/c.gen.go": []byte("package a\ntype New int")}
	if _, err := loader(t, tr).Load("user"); err == nil || !strings.Contains(err.Error(), "user/u.go:3:9: undefined: a.Old") {
		t.Errorf("got %v", err)
	}
}

// TestMembersOfPairedTypesAreComparedByName changes the result type of a method. The
// members of the two types must not be compared with each other.
func TestMembersOfPairedTypesAreComparedByName(t *testing.T) {
	const old = `package a
type Client struct{ Things *ThingsService }
type ThingsService struct{}
func (s *ThingsService) List(n int) (*Thing, error) { return nil, nil }
type Thing struct { ID, Gone string; Kind Kind }
type Kind string
`
	const new = `package a
type Client struct{ Things *ThingsService }
type ThingsService struct{}
func (s *ThingsService) List(limit int) (*ThingList, error) { return nil, nil }
type Thing struct { ID string; Kind Sort; More int }
type ThingList struct { Data []Thing }
type Sort string
type Kind = Sort
`
	var got []string
	for _, c := range godiff.Packages(load(t, tree("a/a.go", old)), load(t, tree("a/a.go", new))) {
		mark := "-"
		if c.Compatible {
			mark = "+"
		}
		got = append(got, mark+c.String())
	}
	want := []string{
		"+a.Sort: added", "-a.Thing.Gone: removed", "+a.Thing.More: added", "+a.ThingList: added",
		"-a.ThingsService.List: changed from func(int) (*Thing, error) to func(int) (*ThingList, error)",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}
