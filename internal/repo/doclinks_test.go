package repo_test

import (
	"go/ast"
	"go/doc"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestDocLinksResolve checks every doc link in the comments of the packages that consumers
// import: [Name], [Type.Method], [pkg.Name]. Text in brackets that looks like a link and is
// not one is an error as well, because go doc prints it with its brackets.
func TestDocLinksResolve(t *testing.T) {
	root()
	t.Parallel()
	packages := map[string]*doc.Package{}
	links := 0
	for _, p := range list(t, ".", "./transport/...", "./generated/...", "./basiqtest", "./webhook", "./legacy") {
		if !strings.Contains(p.ImportPath, "/internal") {
			packages[p.ImportPath] = readPackage(t, p)
		}
	}
	for _, p := range packages {
		walkDocs(p, func(where, text string) {
			for _, link := range docLinks(p.Parser().Parse(text)) {
				switch link := link.(type) {
				case *comment.DocLink:
					links++
					if target := packages[link.ImportPath]; target != nil && link.Name != "" && !declares(target, link.Recv, link.Name) {
						t.Errorf("%s: %s: %s has no %s", p.ImportPath, where, link.ImportPath, strings.TrimPrefix(link.Recv+"."+link.Name, "."))
					}
				case comment.Plain:
					if at := looksLikeLink.FindString(string(link)); at != "" {
						t.Errorf("%s: %s: %s is not a link: the name does not exist, or the package is not imported", p.ImportPath, where, at)
					}
				}
			}
		})
	}
	if links < 500 {
		t.Errorf("only %d links were checked", links)
	}
}

func readPackage(t *testing.T, p pkg) *doc.Package {
	t.Helper()
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range p.GoFiles {
		f, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	read, err := doc.NewFromFiles(fset, files, p.ImportPath)
	if err != nil {
		t.Fatal(err)
	}
	return read
}

// walkDocs calls f with the comment of each exported declaration.
func walkDocs(p *doc.Package, f func(where, text string)) {
	f("package comment", p.Doc)
	values := func(list []*doc.Value) {
		for _, v := range list {
			f(v.Names[0], v.Doc)
		}
	}
	funcs := func(list []*doc.Func) {
		for _, fn := range list {
			f(strings.TrimPrefix(strings.TrimLeft(fn.Recv, "*")+"."+fn.Name, "."), fn.Doc)
		}
	}
	values(p.Consts)
	values(p.Vars)
	funcs(p.Funcs)
	for _, typ := range p.Types {
		f(typ.Name, typ.Doc)
		values(typ.Consts)
		values(typ.Vars)
		funcs(typ.Funcs)
		funcs(typ.Methods)
	}
}

// docLinks returns the links and the plain texts of a comment, without its code.
func docLinks(d *comment.Doc) (list []comment.Text) {
	texts := func(all []comment.Text) {
		for _, text := range all {
			switch text.(type) {
			case *comment.DocLink, comment.Plain:
				list = append(list, text)
			}
		}
	}
	var blocks func([]comment.Block)
	blocks = func(all []comment.Block) {
		for _, b := range all {
			switch b := b.(type) {
			case *comment.Paragraph:
				texts(b.Text)
			case *comment.Heading:
				texts(b.Text)
			case *comment.List:
				for _, item := range b.Items {
					blocks(item.Content)
				}
			}
		}
	}
	blocks(d.Content)
	return list
}

var looksLikeLink = regexp.MustCompile(`\[\*?(?:[a-z]+\.)?[A-Z][A-Za-z]*(?:\.[A-Z][A-Za-z]*)?\]`)

// declares reports whether a package exports a name, or a type a method or field.
func declares(p *doc.Package, recv, name string) bool {
	found := false
	values := func(list []*doc.Value) {
		for _, v := range list {
			found = found || recv == "" && slices.Contains(v.Names, name)
		}
	}
	funcs := func(list []*doc.Func, of string) {
		for _, f := range list {
			found = found || recv == of && f.Name == name
		}
	}
	values(p.Consts)
	values(p.Vars)
	funcs(p.Funcs, "")
	for _, typ := range p.Types {
		found = found || recv == "" && typ.Name == name || recv == typ.Name && hasMember(typ, name)
		values(typ.Consts)
		values(typ.Vars)
		funcs(typ.Funcs, "")
		funcs(typ.Methods, typ.Name)
	}
	return found
}

// hasMember reports whether a struct has a field, or an interface a method.
func hasMember(typ *doc.Type, name string) bool {
	found := false
	ast.Inspect(typ.Decl, func(n ast.Node) bool {
		if field, ok := n.(*ast.Field); ok {
			for _, id := range field.Names {
				found = found || id.Name == name
			}
		}
		return !found
	})
	return found
}
