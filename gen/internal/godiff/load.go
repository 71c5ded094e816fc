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

// Tree is the source of a module: a directory or a revision, possibly with replaced
// files.
type Tree struct {
	Module string
	FS     fs.FS
	Over   map[string][]byte // replaced files by slash-separated path; nil for a deleted file
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

// files returns the Go files of a directory, without those that build constraints
// exclude.
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
	for name, exists := range names {
		if !exists || !strings.HasSuffix(name, ".go") {
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

// Packages returns the directories of the packages that users can import.
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
				return fs.SkipDir // a separate module
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

// Imports returns the packages of other modules that the tree's packages import.
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

// own reports whether an import path is in the tree's module.
func (t Tree) own(importPath string) bool {
	rel, ok := strings.CutPrefix(importPath, t.Module)
	return ok && (rel == "" || rel[0] == '/')
}

// Loader type-checks the packages of a tree from source.
type Loader struct {
	tree Tree
	fset *token.FileSet
	rest types.Importer // imports packages of other modules
	done map[string]*loaded

	foreign bool // rest imports all packages, including those of the tree's module
}

type loaded struct {
	pkg *types.Package
	err error
}

// NewLoader returns a Loader. export opens the export data of a package of another
// module.
func NewLoader(tree Tree, export func(importPath string) (io.ReadCloser, error)) *Loader {
	fset := token.NewFileSet()
	return &Loader{tree: tree, fset: fset, rest: importer.ForCompiler(fset, "gc", export), done: map[string]*loaded{}}
}

// Over returns a Loader for another tree, whose packages can import those of this
// one.
func (l *Loader) Over(tree Tree) *Loader {
	return &Loader{tree: tree, fset: l.fset, rest: l, done: map[string]*loaded{}}
}

// Files returns a Loader that reads files from another tree and imports all packages
// from this one. It type-checks old programs against new packages.
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
		return pkg, nil // its errors are reported where it is loaded
	}
	return nil, err
}

// Load type-checks the package in a directory of the tree. The error joins all type
// errors, with positions.
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
			err = fmt.Errorf("no package in %s", dir)
		}
	}
	var pkg *types.Package
	if err == nil {
		pkg, err = l.TypeCheck(path.Join(l.tree.Module, dir), files)
	}
	l.done[dir] = &loaded{pkg, err}
	return pkg, err
}

// TypeCheck type-checks files of the tree as one package.
func (l *Loader) TypeCheck(importPath string, files []string) (*types.Package, error) {
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
	pkg, _ := cfg.Check(importPath, l.fset, parsed, nil) // cfg.Error has collected all errors
	return pkg, errors.Join(errs...)
}
