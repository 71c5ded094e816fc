// Package typecheck type-checks generated packages in memory, before any file is
// written. It reports errors where a maintainer can fix them: at the position in
// the specification or overlay that the name comes from.
package typecheck

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"golang.org/x/tools/go/packages"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/emit"
)

// Imports holds the export data of the packages that generated code may import. It
// is safe for concurrent use.
type Imports struct {
	dir string

	adding  sync.Mutex // held while the go command runs, so that it runs once
	data    sync.RWMutex
	exports map[string]string // import path → export data file

	mu       sync.Mutex
	importer types.Importer // reads each package once; made on first use
}

// NewImports returns an Imports without packages. dir is a directory in the module.
func NewImports(dir string) *Imports {
	return &Imports{dir: dir, exports: map[string]string{}}
}

// Import returns an imported package.
func (i *Imports) Import(p string) (*types.Package, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.importer == nil {
		i.importer = importer.ForCompiler(token.NewFileSet(), "gc", i.Open)
	}
	return i.importer.Import(p)
}

// StandardImports are the packages of the standard library that generated code
// imports.
var StandardImports = []string{"context", "io", "iter", "net/http", "slices", "strconv"}

// LoadImports loads the export data of StandardImports and other packages. See
// Imports.Add.
func LoadImports(ctx context.Context, dir string, importPaths ...string) (*Imports, error) {
	i := NewImports(dir)
	if err := i.Add(ctx, slices.Concat(StandardImports, importPaths)...); err != nil {
		return nil, err
	}
	return i, nil
}

// Add loads the export data of packages and of what they import, unless it is loaded.
// It compiles packages that are not in the build cache. If the go command cannot load
// them, for example because go.mod does not parse or a module cannot be downloaded,
// the error contains its message, and nothing is added.
func (i *Imports) Add(ctx context.Context, importPaths ...string) error {
	i.adding.Lock()
	defer i.adding.Unlock()
	missing := slices.DeleteFunc(slices.Clone(importPaths), func(p string) bool { return i.file(p) != "" })
	if len(missing) == 0 {
		return nil
	}
	found, err := exportFiles(ctx, i.dir, missing)
	if err != nil {
		return err
	}
	i.data.Lock()
	defer i.data.Unlock()
	maps.Copy(i.exports, found)
	return nil
}

// file returns the export data file of a package, "" if it is not loaded.
func (i *Imports) file(importPath string) string {
	i.data.RLock()
	defer i.data.RUnlock()
	return i.exports[importPath]
}

// exportFiles returns the export data files of packages and of what they import.
func exportFiles(ctx context.Context, dir string, importPaths []string) (map[string]string, error) {
	pkgs, err := packages.Load(&packages.Config{
		Context: ctx, Dir: dir,
		Mode: packages.NeedName | packages.NeedExportFile | packages.NeedImports | packages.NeedDeps,
	}, importPaths...)
	if err != nil {
		return nil, fmt.Errorf("compile the packages that generated code imports: %w", err)
	}
	exports := map[string]string{}
	var list diag.List
	packages.Visit(pkgs, nil, func(p *packages.Package) {
		if p.ExportFile != "" {
			exports[p.PkgPath] = p.ExportFile
		}
		for _, e := range p.Errors {
			if e.Kind != packages.ListError {
				list = append(list, diag.Errorf(diag.Pos{File: e.Pos}, "runtime", "%s: %s", p.PkgPath, e.Msg).
					WithHint("fix the package, so that generated code can be type-checked against it"))
			}
		}
	})
	if len(list) > 0 {
		return nil, list
	}
	if slices.ContainsFunc(importPaths, func(p string) bool { return exports[p] == "" }) {
		if err := goList(ctx, dir, importPaths); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("the go command returned no export data for some of the packages %s", strings.Join(importPaths, ", "))
	}
	return exports, nil
}

// goList runs go list on packages and returns its error, if any. packages.Load
// drops errors of the go command that concern a whole module.
func goList(ctx context.Context, dir string, patterns []string) error {
	cmd := exec.CommandContext(ctx, "go", append([]string{"list", "-export", "--"}, patterns...)...)
	cmd.Dir = dir
	var stderr strings.Builder
	cmd.Stderr = &stderr
	err := cmd.Run()
	if err == nil {
		return nil
	}
	// Packages of the same module repeat its message.
	var lines []string
	for line := range strings.Lines(stderr.String()) {
		if line = strings.TrimRight(line, "\r\n"); !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	output := cmp.Or(strings.TrimSpace(strings.Join(lines, "\n")), err.Error())
	hint := "fix the errors: generated code is type-checked against these packages; go mod tidy adds missing modules to go.mod"
	for _, c := range []struct{ pattern, hint string }{
		{"permission denied|read-only file system", "make the directories of  go env GOMODCACHE GOCACHE  writable, or set different ones"},
		{"vendor", "run  go mod vendor  (in a workspace  go work vendor), or remove -mod=vendor from GOFLAGS"},
		{"GOPROXY=off|dial tcp|no such host|connection refused|i/o timeout", "run  go mod download  with access to a module proxy, which GOPROXY sets"},
		{"parsing go.mod|parsing go.work", "correct the file"},
		{"go.mod file not found", "run  go mod init  and  go get  for the runtime package of the generated code"},
	} {
		if regexp.MustCompile(c.pattern).MatchString(output) {
			hint = c.hint
			break
		}
	}
	return diag.List{diag.Errorf(diag.Pos{}, "go-command", "the go command cannot load the packages that generated code imports:\n%s", output).WithHint("%s", hint)}
}

// Open returns the export data of a package.
func (i *Imports) Open(p string) (io.ReadCloser, error) {
	file := i.file(p)
	if file == "" {
		return nil, fmt.Errorf("generated code must not import %q", p)
	}
	return os.Open(file)
}

// Package type-checks a generated package and returns it. The error is a diag.List
// with positions in the specification.
func Package(imports types.Importer, pkg *emit.Package) (*types.Package, error) {
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range slices.Sorted(maps.Keys(pkg.Files)) {
		f, err := parser.ParseFile(fset, path.Join(pkg.Name, name), pkg.Files[name], parser.SkipObjectResolution)
		if err != nil {
			return nil, diag.List{diag.Errorf(diag.Pos{File: path.Join(pkg.Name, name)}, "generated-syntax", "%v", err).
				WithHint("this is a bug in the generator: please report it")}
		}
		files = append(files, f)
	}
	var list diag.List
	cfg := types.Config{
		Importer: imports,
		Error: func(err error) {
			var te types.Error
			if errors.As(err, &te) {
				list = append(list, locate(fset, files, pkg, te))
			}
		},
	}
	checked, _ := cfg.Check(pkg.ImportPath, fset, files, nil) // cfg.Error has collected all errors
	return checked, dedup(list).Err()
}

// locate converts a type error to a diagnostic at its line in the specification.
func locate(fset *token.FileSet, files []*ast.File, pkg *emit.Package, te types.Error) *diag.Annotation {
	at := fset.Position(te.Pos)
	pos := diag.Pos{File: at.Filename, Line: at.Line, Col: at.Column}
	for _, symbol := range enclosing(files, te.Pos) {
		if p, ok := pkg.Symbols[symbol]; ok {
			return diag.Errorf(p, "generated-type", "the Go source generated for this part does not compile: %s", te.Msg).
				WithHint("correct the name or type in an overlay; the error is in %s, line %d", at.Filename, at.Line)
		}
	}
	return diag.Errorf(pos, "generated-type", "%s", te.Msg).WithHint("this is a bug in the generator: please report it")
}

// enclosing returns the names of the declarations around a position, innermost
// first.
func enclosing(files []*ast.File, pos token.Pos) []string {
	for _, f := range files {
		if pos < f.FileStart || pos > f.FileEnd {
			continue
		}
		for _, d := range f.Decls {
			if pos < d.Pos() || pos > d.End() {
				continue
			}
			switch d := d.(type) {
			case *ast.FuncDecl:
				recv := receiverName(d)
				if recv == "" {
					return []string{d.Name.Name}
				}
				return []string{recv + "." + d.Name.Name, recv}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if pos < spec.Pos() || pos > spec.End() {
						continue
					}
					return inSpec(spec, pos)
				}
			}
		}
	}
	return nil
}

func inSpec(spec ast.Spec, pos token.Pos) []string {
	switch s := spec.(type) {
	case *ast.ValueSpec:
		return []string{s.Names[0].Name}
	case *ast.TypeSpec:
		if st, ok := s.Type.(*ast.StructType); ok {
			for _, field := range st.Fields.List {
				if pos >= field.Pos() && pos <= field.End() && len(field.Names) > 0 {
					return []string{s.Name.Name + "." + field.Names[0].Name, s.Name.Name}
				}
			}
		}
		return []string{s.Name.Name}
	}
	return nil
}

func receiverName(d *ast.FuncDecl) string {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return ""
	}
	t := d.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	if id, ok := t.(*ast.Ident); ok {
		return id.Name
	}
	return ""
}

// dedup removes diagnostics with the same position and message. A name that does
// not compile usually occurs several times.
func dedup(list diag.List) diag.List {
	list.Sort()
	return slices.CompactFunc(list, func(a, b *diag.Annotation) bool {
		return a.Pos == b.Pos && strings.EqualFold(a.Message, b.Message)
	})
}
