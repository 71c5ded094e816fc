package pipeline

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/godiff"
	"github.com/basiq-sdk/basiq-go/gen/internal/source"
)

// rules checks what no compiler does: that imports respect the
// dependency rule, and that the lock and the snapshots name no domain that is not
// configured.
func (r *repository) rules() diag.List {
	list := r.stray()
	tree := godiff.Tree{Module: r.config.Module, FS: r.root.FS()}
	dirs, err := tree.Packages()
	if err != nil {
		return append(list, diag.FromError(err, diag.Pos{})...)
	}
	for _, dir := range dirs {
		list = append(list, r.imported(tree, dir)...)
	}
	return list
}

// imported checks a package that callers compile against the dependency rule.
func (r *repository) imported(tree godiff.Tree, dir string) (list diag.List) {
	files, err := fs.Glob(tree.FS, path.Join(dir, "*.go"))
	if err != nil {
		return diag.FromError(err, diag.Pos{File: dir})
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		src, err := tree.ReadFile(name)
		if err != nil {
			return append(list, diag.FromError(err, diag.Pos{File: name})...)
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, name, src, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			list = append(list, diag.Errorf(diag.Pos{File: name}, "go-syntax", "%v", err))
			continue
		}
		if len(f.Comments) > 0 && f.Comments[0].List[0].Text == "//go:build ignore" {
			continue // no build has it, and go mod tidy does not look at it
		}
		for _, spec := range f.Imports {
			p, err := strconv.Unquote(spec.Path.Value)
			if why := r.refused(dir, p); err == nil && why != "" {
				at := fset.Position(spec.Pos())
				list = append(list, diag.Errorf(diag.Pos{File: name, Line: at.Line, Col: at.Column}, "dependency", "imports %s: %s", p, why).
					WithHint("what callers compile may import only the standard library and this module, and each package only those below it"))
			}
		}
	}
	return list
}

// refused returns why a package may not import a path, "" if it may.
func (r *repository) refused(dir, importPath string) string {
	within := func(root string) bool { return importPath == root || strings.HasPrefix(importPath, root+"/") }
	m := r.config.Module
	first, _, _ := strings.Cut(importPath, "/")
	standard := !strings.Contains(first, ".")
	runtime, local := strings.CutPrefix(r.config.Runtime, m+"/")
	switch {
	case importPath == "unsafe" || importPath == "C":
		return "callers compile neither unsafe nor cgo"
	case standard || within(r.config.Runtime) && !within(path.Join(m, r.config.Output)):
		return ""
	case !within(m):
		return "it is not in this module"
	case within(m + "/gen"):
		return "the generator is not part of what callers compile"
	case dir == r.config.Output || strings.HasPrefix(dir, r.config.Output+"/"):
		return "generated packages import only the transport"
	case local && (dir == runtime || strings.HasPrefix(dir, runtime+"/")) && !within(m+"/internal"):
		return "the transport imports nothing above it"
	}
	return ""
}

// stray finds snapshots and pins of domains that are not configured.
func (r *repository) stray() (list diag.List) {
	const hint = "run  make update, which removes what is no longer configured"
	found, err := fs.Glob(r.root.FS(), "specs/*.yml")
	if err != nil {
		return diag.FromError(err, diag.Pos{File: "specs"})
	}
	for _, file := range found {
		name := strings.TrimSuffix(path.Base(file), ".yml")
		if _, ok := r.config.Domains[name]; !ok {
			list = append(list, diag.Errorf(diag.Pos{File: file}, "stray-snapshot", "domain %s is not configured", name).WithHint(hint))
		}
	}
	lock, err := source.LoadLock(r.opts.Dir)
	if err != nil || lock == nil {
		return append(list, diag.FromError(err, diag.Pos{})...) // a missing lock was reported before
	}
	for _, name := range slices.Sorted(maps.Keys(lock.Domains)) {
		if _, ok := r.config.Domains[name]; !ok {
			list = append(list, diag.Errorf(lock.Domains[name].Pos, "stray-pin", "domain %s is not configured", name).WithHint(hint))
		}
	}
	return list
}
