// Package emit writes the Go source of a domain from its model. oapi-codegen
// declares the types, through this package's templates; jennifer writes
// everything that has methods; x/tools settles imports and format. Nothing
// here reads the specification.
package emit

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"

	. "github.com/dave/jennifer/jen"
	"golang.org/x/tools/imports"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/model"
)

// Target says where the package goes and what it calls.
type Target struct {
	ImportPath string // of the package to be written
	Runtime    string // import path of the transport package
}

// Package is the source of a generated package.
type Package struct {
	Name       string
	ImportPath string
	Files      map[string][]byte   // by file name
	Symbols    map[string]diag.Pos // where a declared name comes from: "User", "User.Email", "UsersService.Get"
}

// Domain writes a domain's package.
func Domain(d *model.Domain, target Target) (*Package, error) {
	if err := checkSecrets(d); err != nil {
		return nil, err
	}
	decls, err := typeDecls(d)
	if err != nil {
		return nil, err
	}
	e := &emitter{d: d, target: target, p: newPaths(target.Runtime), decls: decls, pkg: &Package{
		Name: d.Package, ImportPath: target.ImportPath, Files: map[string][]byte{}, Symbols: map[string]diag.Pos{},
	}}
	e.symbols()
	if err := e.file("client.gen.go", packageDoc(d), e.client); err != nil {
		return nil, err
	}
	for _, r := range d.Resources {
		if err := e.file(r.File()+".gen.go", "", func(g *Group) { e.resource(g, r) }); err != nil {
			return nil, err
		}
		if err := e.codecFile(r.File()+"_json.gen.go", r.Types); err != nil {
			return nil, err
		}
	}
	shared := slices.DeleteFunc(slices.Clone(d.Types), func(t *model.Type) bool { return t.Owner != nil })
	if len(shared) > 0 {
		if err := e.file("types.gen.go", "", func(g *Group) { e.types(g, nil, shared) }); err != nil {
			return nil, err
		}
		if err := e.codecFile("types_json.gen.go", shared); err != nil {
			return nil, err
		}
	}
	return e.pkg, nil
}

type emitter struct {
	d      *model.Domain
	target Target
	p      paths
	decls  map[string]string
	pkg    *Package
}

func packageDoc(d *model.Domain) string {
	return comment("", paragraphs(sentence("Package "+d.Package, d.Doc), embedding))
}

// embedding warns of what every type does that has a MarshalJSON.
const embedding = "Types encode themselves as JSON. A struct that embeds one gets its MarshalJSON and UnmarshalJSON, too, and loses its own " +
	"fields in JSON: hold the value in a named field instead, or add members to the value itself with its JSON field's Set."

// client declares the domain's Client, its way in.
func (e *emitter) client(g *Group) {
	g.Add(docs("Client gives access to the resources of the domain. It is safe for concurrent use."))
	g.Type().Id("Client").StructFunc(func(g *Group) {
		for _, r := range e.d.Resources {
			g.Id(r.Name).Op("*").Id(r.Service())
		}
	})
	g.Line()
	g.Add(docs("New returns a Client that sends its calls through c."))
	g.Func().Id("New").Params(Id("c").Op("*").Qual(e.p.transport, "Client")).Op("*").Id("Client").Block(
		Return(Op("&").Id("Client").Values(DictFunc(func(dict Dict) {
			for _, r := range e.d.Resources {
				dict[Id(r.Name)] = Op("&").Id(r.Service()).Values(Dict{Id("client"): Id("c")})
			}
		}))))
}

// resource writes a resource's file in reading order: the service, what it
// takes, what it returns, and the descriptions of its operations.
func (e *emitter) resource(g *Group, r *model.Resource) {
	e.p.service(g, e.d, r)
	e.types(g, r, r.Types)
	e.p.operations(g, e.d, r)
}

func (e *emitter) types(g *Group, r *model.Resource, types []*model.Type) {
	appliers := map[*model.Type]*model.Method{}
	resources := e.d.Resources
	if r != nil {
		resources = []*model.Resource{r}
	}
	for _, res := range resources {
		for _, s := range sentBy(res) {
			if s.Owner == r {
				appliers[s.Type] = s.by
			}
		}
	}
	filters := map[string]bool{}
	for _, t := range types {
		g.Op(e.decls[t.Name])
		for _, was := range t.Was {
			g.Add(docs(fmt.Sprintf("%s is the old name of %s.\n\nDeprecated: use %s.", was, t.Name, t.Name)))
			g.Type().Id(was).Op("=").Id(t.Name)
			g.Line()
		}
		if m := appliers[t]; m != nil {
			e.p.apply(g, t, m)
		}
		for _, f := range t.Fields {
			if f.Filter != nil && !filters[f.Filter.Type] {
				filters[f.Filter.Type] = true
				e.p.filter(g, f.Filter)
			}
		}
	}
}

func (e *emitter) codecFile(name string, types []*model.Type) error {
	types = slices.DeleteFunc(slices.Clone(types), func(t *model.Type) bool { return t.Kind == model.Enum || !t.HasJSON() })
	if len(types) == 0 {
		return nil
	}
	return e.file(name, "", func(g *Group) {
		for _, t := range types {
			if t.Kind == model.Union {
				e.p.union(g, t)
				continue
			}
			e.p.codec(g, t)
		}
	})
}

// file renders one file and adds it to the package.
func (e *emitter) file(name, packageDoc string, build func(*Group)) error {
	f := NewFilePathName(e.target.ImportPath, e.d.Package)
	for _, p := range []string{e.p.transport, e.p.wire, e.p.value} {
		f.ImportName(p, path.Base(p))
	}
	f.HeaderComment("Code generated by basiq-go gen from " + e.d.SpecFile + "; DO NOT EDIT.")
	build(f.Group)
	var b bytes.Buffer
	if err := f.Render(&b); err != nil {
		return e.broken(name, err)
	}
	src, err := e.finish(name, b.Bytes(), packageDoc)
	if err != nil {
		return e.broken(name, err)
	}
	e.pkg.Files[name] = src
	return nil
}

func (e *emitter) broken(name string, err error) error {
	first, _, _ := strings.Cut(err.Error(), "\n")
	return diag.Errorf(diag.Pos{File: e.d.SpecFile}, "emit", "writing %s/%s: %s", e.d.Package, name, first).
		WithHint("this is a fault of the generator: please report it")
}

// finish adds the imports that the type declarations need, which jennifer has
// not seen, puts the package comment in, and formats.
func (e *emitter) finish(name string, src []byte, packageDoc string) ([]byte, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, src, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	used := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := sel.X.(*ast.Ident); ok {
				used[id.Name] = true
			}
		}
		return true
	})
	var needed []string
	for _, p := range []string{e.p.transport, e.p.value, e.p.wire} {
		if used[path.Base(p)] {
			needed = append(needed, p)
		}
	}
	header, imported, body := split(fset, file, src, needed)
	var b bytes.Buffer
	b.WriteString(header)
	b.WriteString("\n\n")
	b.WriteString(packageDoc)
	fmt.Fprintf(&b, "package %s\n\n", e.d.Package)
	if len(imported) > 0 {
		b.WriteString("import (\n")
		for _, group := range imported {
			for _, p := range group {
				fmt.Fprintf(&b, "\t%q\n", p)
			}
			b.WriteString("\n")
		}
		b.WriteString(")\n\n")
	}
	b.Write(body)
	return imports.Process(name, b.Bytes(), &imports.Options{FormatOnly: true, Comments: true, TabIndent: true, TabWidth: 8})
}

// split takes a rendered file apart: its header, its imports (the standard
// library's first, needed added) and what follows them.
func split(fset *token.FileSet, file *ast.File, src []byte, needed []string) (header string, imported [][]string, body []byte) {
	header, _, _ = strings.Cut(string(src), "\n")
	std, own := []string(nil), needed
	for _, spec := range file.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		if first, _, _ := strings.Cut(p, "/"); strings.Contains(first, ".") {
			own = append(own, p)
		} else {
			std = append(std, p)
		}
	}
	for _, group := range [][]string{std, own} {
		if slices.Sort(group); len(group) > 0 {
			imported = append(imported, slices.Compact(group))
		}
	}
	end := fset.Position(file.Name.End()).Offset
	for _, d := range file.Decls {
		if gen, ok := d.(*ast.GenDecl); ok && gen.Tok == token.IMPORT {
			end = fset.Position(gen.End()).Offset
		}
	}
	return header, imported, src[end:]
}

// symbols records where each exported name comes from, so that a fault found
// in the Go source can be shown in the specification.
func (e *emitter) symbols() {
	s := e.pkg.Symbols
	for _, r := range e.d.Resources {
		s[r.Service()] = r.Pos
		for _, m := range r.Methods {
			s[r.Service()+"."+m.Name] = m.Pos
			s[m.Var()] = m.Pos
			if m.Page != nil {
				s[r.Service()+"."+m.AllName()] = m.Pos
			}
		}
	}
	for _, t := range e.d.Types {
		s[t.Name] = t.Pos
		for _, f := range t.Fields {
			s[t.Name+"."+f.Name] = f.Pos
			if f.Filter != nil {
				s[f.Filter.Type] = f.Filter.Pos
			}
		}
		for _, v := range t.Values {
			s[v.Name] = v.Pos
		}
		for _, v := range t.Variants {
			s[t.Name+"."+v.Name] = v.Pos
		}
	}
}
