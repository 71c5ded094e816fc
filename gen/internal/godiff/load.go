package godiff

import (
	"errors"
	"fmt"
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Tree is a module's source: a folder, a revision, or either with other files
// put over it.
type Tree struct {
	Module string
	FS     fs.FS
	Over   map[string][]byte // by slash-separated path; nil for a file that is not to be there
}

// ReadFile reads a file of the tree.
func (t Tree) ReadFile(name string) ([]byte, error) {
	if data, ok := t.Over[name]; ok {
		if data == nil {
			return nil, fs.ErrNotExist
		}
		return data, nil
	}
	return fs.ReadFile(t.FS, name)
}

// files lists the Go files of a folder that make up its package, without
// those that a build leaves out.
func (t Tree) files(dir string) ([]string, error) {
	names := map[string]bool{}
	entries, err := fs.ReadDir(t.FS, dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		if !e.IsDir() {
			names[path.Join(dir, e.Name())] = true
		}
	}
	for name, data := range t.Over {
		if path.Dir(name) == dir {
			names[name] = data != nil
		}
	}
	ctx := build.Default
	ctx.OpenFile = func(name string) (io.ReadCloser, error) {
		data, err := t.ReadFile(name)
		if err != nil {
			return nil, err
		}
		return io.NopCloser(strings.NewReader(string(data))), nil
	}
	ctx.JoinPath = path.Join
	var out []string
	for name, there := range names {
		if !there || !strings.HasSuffix(name, ".go") {
			continue
		}
		if ok, err := ctx.MatchFile(dir, path.Base(name)); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		} else if ok {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out, nil
}

// Packages lists the folders that hold packages which callers can import.
func (t Tree) Packages() ([]string, error) {
	dirs := map[string]bool{}
	err := fs.WalkDir(t.FS, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			base := d.Name()
			if name != "." && (strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "testdata" || base == "internal" || name == "gen" || name == "examples") {
				return fs.SkipDir
			}
			if _, err := fs.Stat(t.FS, path.Join(name, "go.mod")); err == nil && name != "." {
				return fs.SkipDir // a module of its own
			}
			return nil
		}
		if strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			dirs[path.Dir(name)] = true
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for name, data := range t.Over {
		if data != nil && strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			dirs[path.Dir(name)] = true
		}
	}
	var out []string
	for dir := range dirs {
		files, err := t.files(dir)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(files, func(f string) bool { return !strings.HasSuffix(f, "_test.go") }) {
			out = append(out, dir)
		}
	}
	slices.Sort(out)
	return out, nil
}

// Imports lists what the tree's packages import from outside of their module.
func (t Tree) Imports(dirs ...string) ([]string, error) {
	seen := map[string]bool{}
	for _, dir := range dirs {
		files, err := t.files(dir)
		if err != nil {
			return nil, err
		}
		for _, name := range files {
			data, err := t.ReadFile(name)
			if err != nil {
				return nil, err
			}
			f, err := parser.ParseFile(token.NewFileSet(), name, data, parser.ImportsOnly)
			if err != nil {
				return nil, err
			}
			for _, spec := range f.Imports {
				if p, err := strconv.Unquote(spec.Path.Value); err == nil && !t.own(p) && p != "unsafe" && p != "C" {
					seen[p] = true
				}
			}
		}
	}
	return union(seen, nil), nil
}

// own reports whether an import path is of the tree's module.
func (t Tree) own(importPath string) bool {
	rel, ok := strings.CutPrefix(importPath, t.Module)
	return ok && (rel == "" || rel[0] == '/')
}

// Loader type-checks the packages of a tree from source.
type Loader struct {
	tree Tree
	fset *token.FileSet
	rest types.Importer // what is not of the tree's module
	done map[string]*loaded

	foreign bool // the tree holds files only: every import is the rest's
}

type loaded struct {
	pkg *types.Package
	err error
}

// NewLoader returns a Loader. export opens the compiled form of a package that
// is not of the tree's module.
func NewLoader(tree Tree, export func(importPath string) (io.ReadCloser, error)) *Loader {
	fset := token.NewFileSet()
	return &Loader{tree: tree, fset: fset, rest: importer.ForCompiler(fset, "gc", export), done: map[string]*loaded{}}
}

// Over returns a Loader for another tree, whose packages may import those of
// this one.
func (l *Loader) Over(tree Tree) *Loader {
	return &Loader{tree: tree, fset: l.fset, rest: l, done: map[string]*loaded{}}
}

// Files returns a Loader that takes files from another tree and every import
// from this one: old programs over new packages.
func (l *Loader) Files(tree Tree) *Loader {
	return &Loader{tree: tree, fset: l.fset, rest: l, foreign: true, done: map[string]*loaded{}}
}

// Import implements types.Importer.
func (l *Loader) Import(importPath string) (*types.Package, error) {
	if importPath == "unsafe" {
		return types.Unsafe, nil
	}
	if l.foreign || !l.tree.own(importPath) {
		return l.rest.Import(importPath)
	}
	pkg, err := l.Load(strings.TrimPrefix(strings.TrimPrefix(importPath, l.tree.Module), "/"))
	if pkg != nil {
		return pkg, nil // what is wrong with it is told once, where it is
	}
	return nil, err
}

// Load type-checks the package in a folder of the tree. What is wrong with it
// is a list of errors with positions.
func (l *Loader) Load(dir string) (*types.Package, error) {
	if dir == "" {
		dir = "."
	}
	if p := l.done[dir]; p != nil {
		return p.pkg, p.err
	}
	l.done[dir] = &loaded{err: fmt.Errorf("import cycle at %s", dir)}
	files, err := l.tree.files(dir)
	if err == nil {
		files = slices.DeleteFunc(files, func(f string) bool { return strings.HasSuffix(f, "_test.go") })
		if len(files) == 0 {
			err = fmt.Errorf("there is no package in %s", dir)
		}
	}
	var pkg *types.Package
	if err == nil {
		pkg, err = l.Check(path.Join(l.tree.Module, dir), files)
	}
	l.done[dir] = &loaded{pkg, err}
	return pkg, err
}

// Check type-checks files of the tree as one package.
func (l *Loader) Check(importPath string, files []string) (*types.Package, error) {
	var parsed []*ast.File
	for _, name := range files {
		data, err := l.tree.ReadFile(name)
		if err != nil {
			return nil, err
		}
		f, err := parser.ParseFile(l.fset, name, data, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		parsed = append(parsed, f)
	}
	var errs []error
	cfg := types.Config{Importer: l, Error: func(err error) { errs = append(errs, err) }}
	pkg, _ := cfg.Check(importPath, l.fset, parsed, nil) // every error has been handed to cfg.Error
	return pkg, errors.Join(errs...)
}
