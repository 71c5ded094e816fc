package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// pkg is what go list prints about a package, or about its variant for a test.
type pkg struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	ImportMap  map[string]string
	DepOnly    bool
	Module     *struct{ GoVersion string }
}

// checker type-checks packages. It parses a file once for all platforms.
type checker struct {
	fset  *token.FileSet
	files map[string]*ast.File
}

func newChecker() *checker {
	return &checker{fset: token.NewFileSet(), files: map[string]*ast.File{}}
}

// check type-checks packages and their tests, as a directory's go command names them,
// for a platform. It returns their number, variants for tests included, and their faults.
// The error means that packages could not be listed or read.
func (c *checker) check(dir, platform string, patterns ...string) (int, []string, error) {
	goos, goarch, _ := strings.Cut(platform, "/")
	sizes := types.SizesFor("gc", goarch)
	if sizes == nil {
		return 0, nil, fmt.Errorf("%q is not a platform", platform)
	}
	listed, err := list(dir, goos, goarch, patterns)
	if err != nil {
		return 0, nil, err
	}
	n, checked := 0, map[string]*types.Package{"unsafe": types.Unsafe}
	var faults []string
	for _, p := range listed {
		if p.ImportPath == "unsafe" || strings.HasSuffix(p.ImportPath, ".test") {
			continue // the main package of a test is generated
		}
		files, err := c.parse(p)
		if err != nil {
			return 0, nil, err
		}
		info := &types.Info{}
		if !p.DepOnly {
			n++
			info.Types = map[ast.Expr]types.TypeAndValue{}
		}
		config := types.Config{
			Importer: imports{checked, p.ImportMap}, Sizes: sizes, IgnoreFuncBodies: p.DepOnly,
			Error: func(err error) { faults = append(faults, err.Error()) },
		}
		if p.Module != nil && p.Module.GoVersion != "" {
			config.GoVersion = "go" + p.Module.GoVersion
		}
		path, _, _ := strings.Cut(p.ImportPath, " ")
		checked[p.ImportPath], _ = config.Check(path, c.fset, files, info)
		if !p.DepOnly {
			faults = append(faults, c.shifts(files, info, sizes)...)
		}
	}
	slices.Sort(faults)
	return n, slices.Compact(faults), nil
}

// list returns packages, the variants for their tests, and all that they import,
// imported packages first.
func list(dir, goos, goarch string, patterns []string) ([]*pkg, error) {
	args := []string{"list", "-deps", "-test", "-json=ImportPath,Dir,GoFiles,ImportMap,DepOnly,Module"}
	cmd := exec.Command("go", append(args, patterns...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+goarch)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, stderr.Bytes())
	}
	var listed []*pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		p := &pkg{}
		if err := dec.Decode(p); err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		listed = append(listed, p)
	}
	return listed, nil
}

// parse returns the files of a package.
func (c *checker) parse(p *pkg) ([]*ast.File, error) {
	var files []*ast.File
	for _, name := range p.GoFiles {
		path := filepath.Join(p.Dir, name)
		f := c.files[path]
		if f == nil {
			var err error
			if f, err = parser.ParseFile(c.fset, path, nil, parser.SkipObjectResolution); err != nil {
				return nil, err
			}
			c.files[path] = f
		}
		files = append(files, f)
	}
	return files, nil
}

// imports finds the packages that one package imports.
type imports struct {
	checked map[string]*types.Package
	renamed map[string]string // import path in the source → import path that go list prints
}

func (i imports) Import(path string) (*types.Package, error) {
	if to := i.renamed[path]; to != "" {
		path = to
	}
	if p := i.checked[path]; p != nil {
		return p, nil
	}
	return nil, errors.New("it is not among the packages that go list prints")
}

// shifts returns the shifts of an int, uint or uintptr by at least as many bits as it has.
// Only these types differ between platforms; go vet on any platform checks the others.
func (c *checker) shifts(files []*ast.File, info *types.Info, sizes types.Sizes) []string {
	var faults []string
	shift := func(at token.Pos, x, y ast.Expr) {
		of := info.TypeOf(x)
		if of == nil || info.Types[x].Value != nil || info.Types[y].Value == nil {
			return // it has a type error, or is a constant, or is shifted by a variable
		}
		t, ok := of.Underlying().(*types.Basic)
		if !ok {
			return
		}
		if k := t.Kind(); k != types.Int && k != types.Uint && k != types.Uintptr {
			return
		}
		bits := sizes.Sizeof(t) * 8
		if n, ok := constant.Int64Val(constant.ToInt(info.Types[y].Value)); ok && n >= bits {
			faults = append(faults, fmt.Sprintf("%s: %s has %d bits, and is shifted by %d", c.fset.Position(at), t, bits, n))
		}
	}
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BinaryExpr:
				if n.Op == token.SHL || n.Op == token.SHR {
					shift(n.OpPos, n.X, n.Y)
				}
			case *ast.AssignStmt:
				if n.Tok == token.SHL_ASSIGN || n.Tok == token.SHR_ASSIGN {
					shift(n.TokPos, n.Lhs[0], n.Rhs[0])
				}
			}
			return true
		})
	}
	return faults
}
