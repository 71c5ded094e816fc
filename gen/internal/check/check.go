// Package check type-checks generated packages in memory, before anything is
// written, and shows what it finds where a maintainer can mend it: at the
// place in the specification, or in the overlay, that the name comes from.
package check

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

// LoadImports compiles, unless the build cache has them, the packages that
// generated code imports. dir is a folder of the module. Where the go command
// cannot load them (go.mod does not parse, a module cannot be downloaded), the
// error is one finding that holds the go command's own message.
func LoadImports(ctx context.Context, dir string, patterns ...string) (*Imports, error) {
	patterns = append(slices.Clone(StandardImports), patterns...)
	pkgs, err := packages.Load(&packages.Config{
		Context: ctx, Dir: dir,
		Mode: packages.NeedName | packages.NeedExportFile | packages.NeedImports | packages.NeedDeps,
	}, patterns...)
	if err != nil {
		return nil, fmt.Errorf("compiling the packages that generated code imports: %w", err)
	}
	imp := &Imports{exports: map[string]string{}, dir: dir}
	var list diag.List
	packages.Visit(pkgs, nil, func(p *packages.Package) {
		imp.exports[p.PkgPath] = p.ExportFile
		for _, e := range p.Errors {
			if e.Kind != packages.ListError {
				list = append(list, diag.Errorf(diag.Pos{File: e.Pos}, "runtime", "%s: %s", p.PkgPath, e.Msg).
					WithHint("generated code is checked against this package, which does not compile"))
			}
		}
	})
	if len(list) > 0 {
		return nil, list
	}
	if slices.ContainsFunc(patterns, func(p string) bool { return imp.exports[p] == "" }) {
		if err := goList(ctx, dir, patterns); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("the go command compiled no export data for some of %s", strings.Join(patterns, ", "))
	}
	return imp, nil
}

// goList runs go list on packages and returns its complaint, if it has one.
// packages.Load swallows what the go command says of a whole module.
func goList(ctx context.Context, dir string, patterns []string) error {
	cmd := exec.CommandContext(ctx, "go", append([]string{"list", "-export", "--"}, patterns...)...)
	cmd.Dir = dir
	var stderr strings.Builder
	cmd.Stderr = &stderr
	err := cmd.Run()
	if err == nil {
		return nil
	}
	// One message a package: packages of one module have the same.
	var lines []string
	for line := range strings.Lines(stderr.String()) {
		if line = strings.TrimRight(line, "\r\n"); !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	says := cmp.Or(strings.TrimSpace(strings.Join(lines, "\n")), err.Error())
	hint := "fix what it reports: generated code is checked against these packages; go mod tidy adds what go.mod lacks"
	for _, c := range []struct{ pattern, hint string }{
		{"permission denied|read-only file system", "let this user write to the folders that  go env GOMODCACHE GOCACHE  names, or set others"},
		{"vendor", "run  go mod vendor  (go work vendor  in a workspace), or leave -mod=vendor out of GOFLAGS"},
		{"GOPROXY=off|dial tcp|no such host|connection refused|i/o timeout", "run  go mod download  where a module proxy can be reached; GOPROXY names the one to use"},
		{"parsing go.mod|parsing go.work", "correct that file"},
		{"go.mod file not found", "run  go mod init  and  go get  for the package that generated code runs on"},
	} {
		if regexp.MustCompile(c.pattern).MatchString(says) {
			hint = c.hint
			break
		}
	}
	return diag.List{diag.Errorf(diag.Pos{}, "go-command", "the go command cannot load the packages that generated code imports:\n%s", says).WithHint("%s", hint)}
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
