// Package check type-checks generated packages in memory, before anything is
// written, and shows what it finds where a maintainer can mend it: at the
// place in the specification, or in the overlay, that the name comes from.
package check

import (
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
	"path"
	"slices"
	"strings"
	"sync"

	"golang.org/x/tools/go/packages"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/emit"
)

// Imports are the packages that generated code may import, as compiled by
// the toolchain.
type Imports struct {
	exports map[string]string // import path → export data file
	dir     string

	mu       sync.Mutex
	importer types.Importer // reads each package once; made on first use
}

// Import returns an imported package. It is safe for concurrent use.
func (i *Imports) Import(p string) (*types.Package, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.importer == nil {
		i.importer = importer.ForCompiler(token.NewFileSet(), "gc", i.Open)
	}
	return i.importer.Import(p)
}

// StandardImports are the standard library's packages that generated code uses.
var StandardImports = []string{"context", "io", "iter", "net/http", "strconv"}

// LoadImports compiles, where the build cache has not yet, the packages that
// generated code imports. dir is a folder of the module.
func LoadImports(ctx context.Context, dir string, patterns ...string) (*Imports, error) {
	pkgs, err := packages.Load(&packages.Config{
		Context: ctx, Dir: dir,
		Mode: packages.NeedName | packages.NeedExportFile | packages.NeedImports | packages.NeedDeps,
	}, append(slices.Clone(StandardImports), patterns...)...)
	if err != nil {
		return nil, fmt.Errorf("compiling the packages that generated code imports: %w", err)
	}
	imp := &Imports{exports: map[string]string{}, dir: dir}
	var list diag.List
	packages.Visit(pkgs, nil, func(p *packages.Package) {
		imp.exports[p.PkgPath] = p.ExportFile
		for _, e := range p.Errors {
			list = append(list, diag.Errorf(diag.Pos{File: e.Pos}, "runtime", "%s: %s", p.PkgPath, e.Msg).
				WithHint("generated code is checked against this package, which does not compile"))
		}
	})
	return imp, list.Err()
}

// Open returns the export data of a package.
func (i *Imports) Open(p string) (io.ReadCloser, error) {
	file := i.exports[p]
	if file == "" {
		return nil, fmt.Errorf("generated code may not import %q", p)
	}
	return os.Open(file)
}

// Package type-checks one generated package and returns it. The returned error
// is a diag.List, its positions those of the specification.
func Package(imports *Imports, pkg *emit.Package) (*types.Package, error) {
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range slices.Sorted(maps.Keys(pkg.Files)) {
		f, err := parser.ParseFile(fset, path.Join(pkg.Name, name), pkg.Files[name], parser.SkipObjectResolution)
		if err != nil {
			return nil, diag.List{diag.Errorf(diag.Pos{File: path.Join(pkg.Name, name)}, "generated-syntax", "%v", err).
				WithHint("this is a fault of the generator: please report it")}
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
	checked, _ := cfg.Check(pkg.ImportPath, fset, files, nil) // every error has been handed to cfg.Error
	return checked, dedup(list).Err()
}

// locate turns a type error into a finding at the specification's line.
func locate(fset *token.FileSet, files []*ast.File, pkg *emit.Package, te types.Error) *diag.Annotation {
	at := fset.Position(te.Pos)
	pos := diag.Pos{File: at.Filename, Line: at.Line, Col: at.Column}
	for _, symbol := range enclosing(files, te.Pos) {
		if p, ok := pkg.Symbols[symbol]; ok {
			return diag.Errorf(p, "generated-type", "the Go source made from here does not compile: %s", te.Msg).
				WithHint("in %s, line %d; mend the name or type in an overlay", at.Filename, at.Line)
		}
	}
	return diag.Errorf(pos, "generated-type", "%s", te.Msg).WithHint("this is a fault of the generator: please report it")
}

// enclosing names the declarations around a position, the innermost first.
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

// dedup keeps one finding for each place and message: a name that does not
// compile is usually met several times.
func dedup(list diag.List) diag.List {
	list.Sort()
	return slices.CompactFunc(list, func(a, b *diag.Annotation) bool {
		return a.Pos == b.Pos && strings.EqualFold(a.Message, b.Message)
	})
}
