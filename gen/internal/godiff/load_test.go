package godiff_test

import (
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/gen/internal/godiff"
)

// TestUnchangedPackagesAreCheckedOnce loads two versions of a tree. A package is shared
// unless a file of it or of a package that it imports has changed.
func TestUnchangedPackagesAreCheckedOnce(t *testing.T) {
	older := tree(
		"base/b.go", "package base\ntype B struct{ A int }\n", "base/b_test.go", "package base\n",
		"user/u.go", "package user\nimport \"example.com/m/base\"\nvar U base.B\n",
		"far/f.go", "package far\nimport \"example.com/m/user\"\nvar F = user.U\n",
		"alone/a.go", "package alone\nconst A = 1\n", "alone/a_test.go", "package alone\n",
		"broken/b.go", "package broken\nvar x int = \"\"\n",
		"grown/g.go", "package grown\n",
	)
	first := loader(t, older)
	next := first.Like(older.With(map[string][]byte{
		"base/b.go":       []byte("package base\ntype B struct{ A int; C bool }\n"),
		"alone/a_test.go": []byte("package alone // not part of the package\n"),
		"grown/more.go":   []byte("package grown\n"),
	}))
	for dir, want := range map[string]bool{"base": false, "user": false, "far": false, "alone": true, "broken": true, "grown": false} {
		was, wasErr := first.Load(dir)
		is, isErr := next.Load(dir)
		if got := was == is; got != want {
			t.Errorf("%s is shared: %t, want %t", dir, got, want)
		}
		if want && wasErr != isErr {
			t.Errorf("%s: the error was %v and is %v", dir, wasErr, isErr)
		}
	}
	if _, err := next.Load("broken"); err == nil || !strings.Contains(err.Error(), "broken/b.go:2") {
		t.Errorf("the error of a shared package is %v", err)
	}
}

// TestReplacedFilesOfPrivatePackagesAreNotImportable holds that a file that is replaced
// adds a package only where users can import one.
func TestReplacedFilesOfPrivatePackagesAreNotImportable(t *testing.T) {
	tr := tree("a/a.go", "package a\n", "cmd/tool/go.mod", "module example.com/m/cmd/tool\n", "cmd/tool/sub/s.go", "package sub\n").With(map[string][]byte{
		"b/b.go": []byte("package b\n"), "a/internal/x/x.go": []byte("package x\n"),
		"cmd/tool/sub/s.go": []byte("package sub\n"), "gen/g/g.go": []byte("package g\n"), "c/c_test.go": []byte("package c\n"),
	})
	got, err := tr.Packages()
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a", "b"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestTreesReadFilesOnce holds that a tree made by NewTree keeps what it has read.
func TestTreesReadFilesOnce(t *testing.T) {
	files := tree("a/a.go", "package a\n").FS
	reads := map[string]int{}
	tr := godiff.NewTree("example.com/m", counted{files, reads})
	for range 2 {
		if dirs, err := tr.Packages(); err != nil || !slices.Equal(dirs, []string{"a"}) {
			t.Fatal(dirs, err)
		}
		if _, err := tr.Imports("a"); err != nil {
			t.Fatal(err)
		}
		if _, err := loader(t, tr).Load("a"); err != nil {
			t.Fatal(err)
		}
	}
	if reads["a/a.go"] != 1 {
		t.Errorf("a/a.go is read %d times", reads["a/a.go"])
	}
}

// counted counts how often each file is opened.
type counted struct {
	fs.FS
	opened map[string]int
}

func (c counted) Open(name string) (fs.File, error) {
	c.opened[name]++
	return c.FS.Open(name)
}
