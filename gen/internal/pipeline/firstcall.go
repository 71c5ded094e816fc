package pipeline

import (
	"fmt"
	"go/types"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/basiq-sdk/basiq-go/gen/internal/model"
)

// exampleBase stands for a base URL that the description does not give.
const exampleBase = "https://api.example.com"

// resolve returns a server's address, which may be relative to the description's.
func resolve(document, server string) string {
	base, err := url.Parse(document)
	if err != nil {
		return server
	}
	u, err := base.Parse(server)
	if err != nil {
		return server
	}
	return u.String()
}

// firstCall writes the lines of Go that make a first call, and lists what they import.
func firstCall(b *Build, base string) (lines, imports []string) {
	if u, err := url.Parse(base); err != nil || u.Host == "" {
		base = exampleBase + "/" + strings.TrimLeft(base, "/")
	}
	m, args := simplest(b)
	if m == nil {
		return nil, nil
	}
	imports = []string{"context", "fmt", "log", Runtime, b.Package.ImportPath}
	if strings.Contains(strings.Join(args, " "), "value.") {
		imports = append(imports, Runtime+"/value")
	}
	options := []string{fmt.Sprintf("transport.WithBaseURL(%q)", strings.TrimSuffix(base, "/"))}
	credentials := credentials(b.Name, m)
	if len(credentials) == 0 {
		credentials = []string{"transport.WithoutCredentials()"}
	} else {
		imports = append(imports, "os")
	}
	options = append(options, credentials...)
	result := "err = "
	show := "fmt.Println(err)"
	if m.Result != nil {
		result, show = "res, err := ", "fmt.Println(res, err)"
	}
	slices.Sort(imports)
	return []string{
		"c, err := transport.New(" + strings.Join(options, ", ") + ")",
		"if err != nil { log.Fatal(err) }",
		"client := " + b.Config.Package + ".New(c)",
		fmt.Sprintf("%sclient.%s.%s(%s)", result, m.Resource.Name, m.Name, strings.Join(args, ", ")),
		show,
	}, slices.Compact(imports)
}

// credentials are the options that set the credentials of a method: those of its first
// alternative.
func credentials(domain string, m *model.Method) (options []string) {
	if len(m.Security) == 0 {
		return nil
	}
	for _, s := range m.Security[0] {
		variable := strings.ToUpper(domain + "_" + strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
				return r
			}
			return '_'
		}, s.Name))
		options = append(options, fmt.Sprintf("transport.WithCredential(%q, os.Getenv(%q))", s.Name, variable))
	}
	return options
}

// simplest returns the method that needs the least to be called, and its arguments.
func simplest(b *Build) (best *model.Method, args []string) {
	least := 0
	for _, r := range b.Model.Resources {
		for _, m := range r.Methods {
			if m.Stream {
				continue
			}
			given, cost := arguments(b.Types, m)
			if given == nil {
				continue
			}
			if m.HTTP != "GET" {
				cost += 10
			}
			if best == nil || cost < least {
				best, args, least = m, given, cost
			}
		}
	}
	return best, args
}

// arguments writes the arguments of a method, and says how much a caller has to know.
func arguments(pkg *types.Package, m *model.Method) (args []string, cost int) {
	service, ok := pkg.Scope().Lookup(m.Resource.Service()).(*types.TypeName)
	if !ok {
		return nil, 0
	}
	object, _, _ := types.LookupFieldOrMethod(types.NewPointer(service.Type()), true, pkg, m.Name)
	f, ok := object.(*types.Func)
	if !ok {
		return nil, 0
	}
	params := f.Signature().Params()
	args = []string{"context.Background()"}
	for i := 1; i < params.Len(); i++ {
		if f.Signature().Variadic() && i == params.Len()-1 {
			break
		}
		arg, c := example(params.At(i).Type(), params.At(i).Name(), m.Params)
		args, cost = append(args, arg), cost+c
	}
	return args, cost
}

// example writes a value of a type for a parameter or field of the given name, and says
// how much there is to fill in. A method's params have their required fields.
func example(t types.Type, name string, params *model.Type) (text string, cost int) {
	typeName := types.TypeString(t, func(p *types.Package) string { return path.Base(p.Path()) })
	switch u := t.Underlying().(type) {
	case *types.Basic:
		switch {
		case u.Info()&types.IsString != 0:
			return strconv.Quote(name), 2
		case u.Info()&types.IsNumeric != 0:
			return "1", 2
		case u.Info()&types.IsBoolean != 0:
			return "true", 2
		}
	case *types.Pointer:
		text, cost = example(u.Elem(), name, params)
		if strings.HasSuffix(text, "}") {
			return "&" + text, cost
		}
	case *types.Slice, *types.Map: // nil would be refused where it is required
		return typeName + "{}", 20
	case *types.Struct:
		named, ok := t.(*types.Named)
		if !ok || params == nil || named.Obj().Name() != params.Name {
			return typeName + "{}", 1
		}
		var fields []string
		for _, f := range params.Fields {
			i := slices.IndexFunc(slices.Collect(u.Fields()), func(v *types.Var) bool { return v.Name() == f.Name })
			if !f.Required || f.ReadOnly || i < 0 {
				continue
			}
			value, c := example(u.Field(i).Type(), f.Wire, nil)
			fields, cost = append(fields, f.Name+": "+value), cost+c+1
		}
		return typeName + "{" + strings.Join(fields, ", ") + "}", cost
	}
	return "nil", 20 // what has to be made first
}
