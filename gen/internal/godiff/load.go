package godiff

import (
	"bytes"
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
	"sync"
)

// Tree is the source of a module: a directory or a revision, possibly with replaced
// files.
type Tree struct {
	Module string
	FS     fs.FS
	Over   map[string][]byte // replaced files by slash-separated path; nil for a deleted file

	kept *kept // what was read of FS; nil means that it is read each time
}

// kept is what was read of a file system. It is safe for concurrent use.
type kept struct {
	mu    sync.Mutex
	lists map[string][]string // Go files by directory
	data  map[string][]byte   // by path
}

// NewTree returns a Tree that reads every file of a module once.
func NewTree(module string, fsys fs.FS) Tree {
	return Tree{Module: module, FS: fsys, kept: &kept{lists: map[string][]string{}, data: map[string][]byte{}}}
}

// With returns the tree with replaced files.
func (t Tree) With(over map[string][]byte) Tree {
	t.Over = over
	return t
}

// ReadFile reads a file of the tree.
func (t Tree) ReadFile(name string) ([]byte, error) {
	if data, ok := t.Over[name]; ok {
		if data == nil {
			return nil, fs.ErrNotExist
		}
		return data, nil
	}
	if t.kept == nil {
		return fs.ReadFile(t.FS, name)
	}
	t.kept.mu.Lock()
	defer t.kept.mu.Unlock()
	if data, ok := t.kept.data[name]; ok {
		return data, nil
	}
	data, err := fs.ReadFile(t.FS, name)
	if err == nil {
		t.kept.data[name] = data
	}
	return data, err
}

// files returns the Go files of a directory, without those that build constraints
// exclude.
func (t Tree) files(dir string) ([]string, error) {
	if t.kept == nil || t.replaces(dir) {
		return t.list(dir)
	}
	t.kept.mu.Lock()
	list, ok := t.kept.lists[dir]
	t.kept.mu.Unlock()
	if ok {
		return slices.Clone(list), nil
	}
	list, err := t.list(dir)
	if err != nil {
		return nil, err
	}
	t.kept.mu.Lock()
	defer t.kept.mu.Unlock()
	t.kept.lists[dir] = list
	return slices.Clone(list), nil
}

// replaces reports whether files of a directory are replaced.
func (t Tree) replaces(dir string) bool {
	for name := range t.Over {
		if path.Dir(name) == dir {
			return true
		}
	}
	return false
}

// list is files without the memory of earlier calls.
func (t Tree) list(dir string) ([]string, error) {
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
			if t.private(name) {
				return fs.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(name, ".go") && !isTest(name) {
			dirs[path.Dir(name)] = true
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	within := func(dir string) bool {
		for ; dir != "."; dir = path.Dir(dir) {
			if t.private(dir) {
				return true
			}
		}
		return false
	}
	for name, data := range t.Over {
		if data != nil && strings.HasSuffix(name, ".go") && !isTest(name) && !within(path.Dir(name)) {
			dirs[path.Dir(name)] = true
		}
	}
	var out []string
	for dir := range dirs {
		files, err := t.files(dir)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(files, func(f string) bool { return !isTest(f) }) {
			out = append(out, dir)
		}
	}
	slices.Sort(out)
	return out, nil
}

// private reports whether the packages in a directory cannot be imported by users, or
// belong to a separate module.
func (t Tree) private(dir string) bool {
	if dir == "." {
		return false
	}
	base := path.Base(dir)
	if strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "testdata" || base == "internal" || dir == "gen" || dir == "examples" {
		return true
	}
	_, err := fs.Stat(t.FS, path.Join(dir, "go.mod"))
	return err == nil
}

// Imports returns the packages of other modules that the tree's packages import, without
// those that only their tests do: Load leaves tests out, too.
func (t Tree) Imports(dirs ...string) ([]string, error) {
	seen := map[string]bool{}
	for _, dir := range dirs {
		files, err := t.files(dir)
		if err != nil {
			return nil, err
		}
		for _, name := range slices.DeleteFunc(files, isTest) {
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

	twin *Loader // of another version of the tree, with which packages are shared; may be nil
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

// Like returns a Loader for another version of the tree. The two share the packages
// that are the same in both, which are type-checked once.
func (l *Loader) Like(tree Tree) *Loader {
	return &Loader{tree: tree, fset: l.fset, rest: l.rest, done: map[string]*loaded{}, twin: l}
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
		files = slices.DeleteFunc(files, isTest)
		if len(files) == 0 {
			err = fmt.Errorf("no package in %s", dir)
		}
	}
	if err == nil && l.twin != nil {
		if p := l.shared(dir, files); p != nil {
			l.done[dir] = p
			return p.pkg, p.err
		}
	}
	var pkg *types.Package
	if err == nil {
		pkg, err = l.TypeCheck(path.Join(l.tree.Module, dir), files)
	}
	l.done[dir] = &loaded{pkg, err}
	return pkg, err
}

// shared returns the twin's package in a directory if it has the same files as this
// tree's, and all that it imports is shared as well. Otherwise, it returns nil.
func (l *Loader) shared(dir string, files []string) *loaded {
	if l.tree.Module != l.twin.tree.Module {
		return nil
	}
	theirs, err := l.twin.tree.files(dir)
	if err != nil || !slices.Equal(files, slices.DeleteFunc(theirs, isTest)) {
		return nil
	}
	for _, name := range files {
		ours, err := l.tree.ReadFile(name)
		if err != nil {
			return nil
		}
		if theirs, err := l.twin.tree.ReadFile(name); err != nil || !bytes.Equal(ours, theirs) {
			return nil
		}
	}
	_, _ = l.twin.Load(dir) // an error is shared with the package
	p := l.twin.done[dir]
	if p.pkg == nil {
		return nil
	}
	for _, imported := range p.pkg.Imports() {
		if !l.tree.own(imported.Path()) {
			continue
		}
		if ours, err := l.Import(imported.Path()); err != nil || ours != imported {
			return nil
		}
	}
	return p
}

func isTest(file string) bool { return strings.HasSuffix(file, "_test.go") }

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
