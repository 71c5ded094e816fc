package output_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/gen/internal/output"
)

const header = output.Header + " from specs/a.yml; DO NOT EDIT.\n\npackage a\n"

func repository(t *testing.T, files map[string]string) (*os.Root, string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	return root, dir
}

// tree returns the files of a directory with their contents.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(p)
		rel, _ := filepath.Rel(dir, p)
		b.WriteString(rel + "=" + string(data) + ";")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPlanWritesChangedAndDeletesStaleFiles(t *testing.T) {
	root, dir := repository(t, map[string]string{
		"generated/a/same.gen.go":    header + "// same",
		"generated/a/changed.gen.go": header + "// old",
		"generated/b/stale.gen.go":   header,
		"generated/b/ours.go":        "package b",
		"generated/c/stale.gen.go":   header,
		"generated/a/theirs.gen.go":  "package a // made by something else",
	})
	plan, err := output.NewPlan(root, map[string][]byte{
		"generated/a/same.gen.go":    []byte(header + "// same"),
		"generated/a/changed.gen.go": []byte(header + "// new"),
		"generated/d/new.gen.go":     []byte(header),
	}, "generated")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := plan.Summary(), "2 files written, 2 removed, 1 unchanged"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for _, line := range []string{"-// old", "+// new", "--- a/generated/b/stale.gen.go", "+++ b/generated/d/new.gen.go"} {
		if !strings.Contains(plan.Diff(), line) {
			t.Errorf("the diff lacks %q:\n%s", line, plan.Diff())
		}
	}
	if err := plan.Apply(root); err != nil {
		t.Fatal(err)
	}
	want := "generated/a/changed.gen.go=" + header + "// new;generated/a/same.gen.go=" + header + "// same;" +
		"generated/a/theirs.gen.go=package a // made by something else;generated/b/ours.go=package b;generated/d/new.gen.go=" + header + ";"
	if got := tree(t, dir); got != want {
		t.Errorf("the tree is\n%s\nwant\n%s", got, want)
	}
	if _, err := os.Stat(filepath.Join(dir, "generated/c")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the empty directory of a removed domain still exists")
	}
}

// TestOnlyOwnFilesAreTouched leaves alone what lies deeper than the generated
// packages or in another module, and refuses to replace what is not its own.
func TestOnlyOwnFilesAreTouched(t *testing.T) {
	files := map[string]string{
		"generated/a/vendor/b/b.gen.go": header,
		"generated/module/go.mod":       "module m",
		"generated/module/a.gen.go":     header,
		"elsewhere/a.gen.go":            header,
		"generated/a/client.gen.go":     "package a // somebody's own",
		"generated/README.md":           "# Somebody's own",
	}
	root, dir := repository(t, files)
	before := tree(t, dir)
	plan, err := output.NewPlan(root, map[string][]byte{"generated/b/b.gen.go": []byte(header)}, "generated")
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.Delete) > 0 {
		t.Errorf("the plan removes %v", plan.Delete)
	}
	for _, name := range []string{"generated/a/client.gen.go", "generated/README.md"} {
		_, err := output.NewPlan(root, map[string][]byte{name: []byte(header)}, "generated")
		if err == nil || !strings.Contains(err.Error(), name+": was not made by this generator") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if got := tree(t, dir); got != before {
		t.Errorf("the tree is\n%s\nwant\n%s", got, before)
	}
}

// TestWriteFileFollowsNoLink writes a file where a link leads to another one.
func TestWriteFileFollowsNoLink(t *testing.T) {
	root, dir := repository(t, map[string]string{"kept": "kept"})
	if err := os.Symlink("kept", filepath.Join(dir, "link")); err != nil {
		t.Skip("there are no symbolic links here: ", err)
	}
	if err := os.Symlink(".", filepath.Join(dir, "folder")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"link", "folder/kept"} {
		if err := output.WriteFile(root, name, []byte("new")); err == nil || !strings.Contains(err.Error(), "[output-symlink]") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if err := output.WriteFile(root, "a/b", []byte("new")); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(filepath.Join(dir, "kept")); err != nil || string(data) != "kept" {
		t.Errorf("the file that the link leads to holds %q: %v", data, err)
	}
}

// TestFailureRestoresAllFiles checks that all files are restored if one cannot be
// replaced.
func TestFailureRestoresAllFiles(t *testing.T) {
	root, dir := repository(t, map[string]string{
		"generated/a.gen.go":            header + "// old a",
		"generated/z.gen.go/in-the-way": "a directory in place of a file",
	})
	before := tree(t, dir)
	plan, err := output.NewPlan(root, map[string][]byte{"generated/a.gen.go": []byte("new a"), "generated/b/b.gen.go": []byte("new b")}, "generated")
	if err != nil {
		t.Fatal(err)
	}
	plan.Write["generated/z.gen.go"] = []byte("new z")
	err = plan.Apply(root)
	if err == nil || !strings.Contains(err.Error(), "generated/z.gen.go: cannot be written") {
		t.Errorf("got %v", err)
	}
	if got := tree(t, dir); got != before {
		t.Errorf("the tree is\n%s\nwant\n%s", got, before)
	}
}

func TestPathsOutsideAreRejected(t *testing.T) {
	root, _ := repository(t, nil)
	for _, name := range []string{"../a", "/etc/passwd", "a/../../b", ""} {
		if _, err := output.NewPlan(root, map[string][]byte{name: nil}); err == nil {
			t.Errorf("%q is accepted", name)
		}
	}
}
