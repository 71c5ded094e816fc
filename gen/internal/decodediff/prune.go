package decodediff

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
)

// source is the source of a generated package, by declaration. Decoding an example takes
// a fraction of a package: with all of it, most of the time would go into compiling
// services, and into linking net/http, which they import.
type source struct {
	imports map[string]string         // path by name
	decls   map[string][]*declaration // by name; those of a type are its own and its methods
}

// declaration is a declaration, or a group of them, without its comment.
type declaration struct {
	text []byte
	uses map[string]bool // names of what it may refer to: declarations and imports
}

// parse reads the source of a package.
func parse(files map[string][]byte) (*source, error) {
	s := &source{imports: map[string]string{}, decls: map[string][]*declaration{}}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, name, files[name], parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		imports := map[string]string{}
		for _, spec := range f.Imports {
			p, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return nil, err
			}
			as := path.Base(p)
			if spec.Name != nil {
				as = spec.Name.Name
			}
			if other := s.imports[as]; other != "" && other != p {
				return nil, fmt.Errorf("%s: %s is imported as %s, as is %s", name, p, as, other)
			}
			imports[as], s.imports[as] = p, p
		}
		for _, decl := range f.Decls {
			d := &declaration{text: files[name][fset.Position(decl.Pos()).Offset:fset.Position(decl.End()).Offset], uses: uses(decl)}
			for _, of := range names(decl, imports) {
				s.decls[of] = append(s.decls[of], d)
			}
		}
	}
	return s, nil
}

// names returns the names with which a declaration is needed: those that it declares, or
// the receiver's type of a method. A method that has a type of another module than the
// standard library in its signature, but for those of packages wire and value, has none.
// Only encoding/json, fmt and package wire call methods while a value is decoded and
// listed, and none of them imports such a type.
func names(decl ast.Decl, imports map[string]string) (out []string) {
	switch decl := decl.(type) {
	case *ast.FuncDecl:
		if decl.Recv == nil {
			return []string{decl.Name.Name}
		}
		for used := range uses(decl.Type) {
			p := imports[used]
			if first, _, _ := strings.Cut(p, "/"); strings.Contains(first, ".") && path.Base(p) != "wire" && path.Base(p) != "value" {
				return nil
			}
		}
		for used := range uses(decl.Recv) {
			out = append(out, used)
		}
	case *ast.GenDecl:
		for _, spec := range decl.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				out = append(out, spec.Name.Name)
			case *ast.ValueSpec:
				for _, name := range spec.Names {
					out = append(out, name.Name)
				}
			}
		}
	}
	return out
}

// uses returns the names that a part of the source may refer to. There are more than
// there need to be: those of local variables are among them.
func uses(n ast.Node) map[string]bool {
	out := map[string]bool{}
	var visit func(ast.Node) bool
	visit = func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			out[n.Name] = true
		case *ast.SelectorExpr:
			ast.Inspect(n.X, visit)
			return false
		case *ast.Field: // its names are no references
			ast.Inspect(n.Type, visit)
			return false
		}
		return true
	}
	ast.Inspect(n, visit)
	return out
}

// of returns a file of the package with the declarations of types, and of all that these
// may refer to.
func (s *source) of(pkg string, types ...string) []byte {
	needed := map[string]bool{}
	var need func(name string)
	need = func(name string) {
		if needed[name] || name == "_" {
			return
		}
		needed[name] = true
		for _, d := range s.decls[name] {
			for used := range d.uses {
				need(used)
			}
		}
	}
	for _, t := range types {
		need(t)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "package %s\n", pkg)
	for _, name := range slices.Sorted(maps.Keys(needed)) {
		if p := s.imports[name]; p != "" {
			fmt.Fprintf(&b, "import %s %q\n", name, p)
		}
	}
	written := map[*declaration]bool{}
	for _, name := range slices.Sorted(maps.Keys(needed)) {
		for _, d := range s.decls[name] {
			if !written[d] {
				written[d] = true
				b.Write(d.text)
				b.WriteByte('\n')
			}
		}
	}
	return b.Bytes()
}
