// Package emit writes the Go source of an API domain from its model. It never
// reads the specification.
//
// oapi-codegen resolves the model's types, as OpenAPI schemas, to Go types
// (declared.go). jennifer writes every declaration. Each kind of declaration has
// a file: types.go, enums.go, unions.go, codecs.go, services.go, params.go,
// forms.go, filters.go, client.go, routes.go, commands.go and commandparams.go.
// file.go renders and formats them. index.go writes the table of methods in Markdown.
package emit

import (
	"slices"

	. "github.com/dave/jennifer/jen"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/model"
)

// Target is the location of a generated package and of its runtime.
type Target struct {
	ImportPath string // of the generated package
	Runtime    string // import path of the transport package

	Formatter *Formatter // shared with other packages; may be nil
}

// Package is the source of a generated package.
type Package struct {
	Name       string
	ImportPath string
	Files      map[string][]byte   // by file name
	Symbols    map[string]diag.Pos // origin of each declared name: "User", "User.Email", "UsersService.Get"
}

// Generate generates a domain's package.
func Generate(d *model.Domain, target Target) (*Package, error) {
	if err := checkSecrets(d); err != nil {
		return nil, err
	}
	e := newEmitter(d.Package, d.SpecFile, target)
	if err := e.declare(d); err != nil {
		return nil, err
	}
	e.symbols(d)
	e.nameSecurity(d)
	e.nameApplies(d)
	if err := e.file("client.gen.go", packageDoc(d), func(g *Group) { e.client(g, d) }); err != nil {
		return nil, err
	}
	for _, r := range d.Resources {
		if err := e.file(r.File()+".gen.go", "", func(g *Group) { e.resource(g, d, r) }); err != nil {
			return nil, err
		}
	}
	// A type's place depends on nothing but its name.
	types := slices.DeleteFunc(slices.Clone(d.Types), func(t *model.Type) bool { return t.Params })
	if len(types) > 0 {
		if err := e.file("types.gen.go", "", func(g *Group) { e.types(g, types, sendings(d.Resources...)) }); err != nil {
			return nil, err
		}
		if err := e.codecFile("types_json.gen.go", types); err != nil {
			return nil, err
		}
	}
	return e.pkg, nil
}

// emitter writes the files of one package.
type emitter struct {
	pkg    *Package
	source string // file that the package is generated from: "specs/data.yml"

	formatter *Formatter

	// The import paths of the packages that generated code calls.
	transport, wire, value string

	security map[string]string                  // the variables of security requirements, by securityKey
	applies  map[*model.Type]map[sending]string // the methods that set a struct on a request
	declared map[string]declaration             // the package's types by name, as oapi-codegen declares them
	named    []string                           // import paths of further packages, each imported under its last element
}

func newEmitter(name, source string, target Target) *emitter {
	return &emitter{
		pkg:       &Package{Name: name, ImportPath: target.ImportPath, Files: map[string][]byte{}, Symbols: map[string]diag.Pos{}},
		source:    source,
		formatter: target.Formatter,
		transport: target.Runtime, wire: target.Runtime + "/wire", value: target.Runtime + "/value",
	}
}

// imported returns the import path of a package that generated code calls.
func (e *emitter) imported(name string) string {
	return map[string]string{"transport": e.transport, "wire": e.wire, "value": e.value}[name]
}

// resource writes a resource's file in reading order: the service, the
// parameters of its methods, and the descriptions of its operations.
func (e *emitter) resource(g *Group, d *model.Domain, r *model.Resource) {
	e.service(g, r)
	e.types(g, r.Types, sendings(r))
	e.operations(g, d, r)
}

// symbols records the origin of each exported name, so that an error in the Go
// source can be shown at its place in the specification.
func (e *emitter) symbols(d *model.Domain) {
	s := e.pkg.Symbols
	for _, r := range d.Resources {
		s[r.Service()] = r.Pos
		for _, m := range r.Methods {
			s[r.Service()+"."+m.Name] = m.Pos
			s[m.Var()] = m.Pos
			if m.Page != nil {
				s[r.Service()+"."+m.AllName()] = m.Pos
			}
		}
	}
	for _, t := range d.Types {
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
