package repo_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestDocCommentsStartWithTheName checks that every exported declaration has a doc comment,
// and that the comment starts with the declared name, as go doc and search expect. An
// article may precede the name. All modules are checked, and generated code as well.
//
// The comments of fields and enum values in generated code are exempt: they come from the
// descriptions of the API, which are phrases ("Status of the consent."), and go doc shows
// them next to the name only.
func TestDocCommentsStartWithTheName(t *testing.T) {
	root()
	t.Parallel()
	declared := 0
	for _, file := range goFiles(t) {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, file, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if f.Name.Name == "main" || strings.HasPrefix(file, "bench/plain/") { // another generator's code
			continue
		}
		for _, d := range exportedDeclarations(f) {
			if d.member && ast.IsGenerated(f) {
				continue
			}
			declared++
			if problem := d.problem(); problem != "" {
				t.Errorf("%s: %s: %s", fset.Position(d.pos), d.names[0], problem)
			}
		}
	}
	if declared < 3000 {
		t.Errorf("only %d declarations were checked", declared)
	}
}

// declaration is an exported declaration with its doc comment.
type declaration struct {
	names    []string
	doc      string
	optional bool // the comment of the group, or the one on the same line, may be enough
	member   bool // a field, or one of a group of constants
	pos      token.Pos
}

// problem returns what is wrong with the doc comment, or "".
func (d declaration) problem() string {
	words := strings.Fields(d.doc)
	named := func(word string) bool {
		word = strings.TrimRight(word, ",.:")
		return slices.Contains(d.names, word) || slices.Contains(d.names, strings.TrimSuffix(word, "'s"))
	}
	if len(words) > 1 && (words[0] == "A" || words[0] == "An" || words[0] == "The") {
		words = words[1:]
	}
	switch {
	case len(words) == 0 && d.optional:
		return ""
	case len(words) == 0:
		return "the doc comment is missing"
	case words[0] == "Deprecated:" || named(words[0]):
		return ""
	}
	return "the doc comment starts with " + words[0] + ": start with the name"
}

// exportedDeclarations returns the declarations of a file that go doc shows.
func exportedDeclarations(f *ast.File) (list []declaration) {
	add := func(names []*ast.Ident, doc *ast.CommentGroup, optional, member bool) {
		var exported []string
		for _, n := range names {
			if n.IsExported() {
				exported = append(exported, n.Name)
			}
		}
		if len(exported) > 0 {
			list = append(list, declaration{exported, doc.Text(), optional, member, names[0].Pos()})
		}
	}
	for _, decl := range f.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			if decl.Recv == nil || ast.IsExported(receiverName(decl)) {
				add([]*ast.Ident{decl.Name}, decl.Doc, false, false)
			}
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					doc := spec.Doc
					if !decl.Lparen.IsValid() {
						doc = decl.Doc
					}
					add([]*ast.Ident{spec.Name}, doc, false, false)
					if spec.Name.IsExported() {
						addMembers(spec.Type, add)
					}
				case *ast.ValueSpec:
					if decl.Lparen.IsValid() {
						add(spec.Names, spec.Doc, decl.Doc != nil || spec.Comment != nil, true)
					} else {
						add(spec.Names, decl.Doc, false, false)
					}
				}
			}
		}
	}
	return list
}

// addMembers adds the methods of an interface, and the fields of a struct that have a doc
// comment of their own.
func addMembers(typ ast.Expr, add func(names []*ast.Ident, doc *ast.CommentGroup, optional, member bool)) {
	switch typ := typ.(type) {
	case *ast.InterfaceType:
		for _, m := range typ.Methods.List {
			add(m.Names, m.Doc, len(typ.Methods.List) == 1 || m.Comment != nil, false)
		}
	case *ast.StructType:
		for _, field := range typ.Fields.List {
			add(field.Names, field.Doc, true, true)
		}
	}
}

// receiverName returns the name of the receiver's type.
func receiverName(f *ast.FuncDecl) string {
	typ := f.Recv.List[0].Type
	for {
		switch t := typ.(type) {
		case *ast.StarExpr:
			typ = t.X
		case *ast.IndexExpr:
			typ = t.X
		case *ast.IndexListExpr:
			typ = t.X
		case *ast.Ident:
			return t.Name
		default:
			return ""
		}
	}
}

// packageExamples returns the code in the comment of each package that consumers import:
// the first block, and all others that define a variable. A package's comment starts with
// its use: the first block follows the first paragraph, or the second.
func packageExamples(t *testing.T) (blocks []block) {
	t.Helper()
	for _, p := range list(t, ".", "./transport/...", "./generated/...", "./basiqtest", "./webhook", "./legacy") {
		fset := token.NewFileSet()
		found := false
		for _, name := range p.GoFiles {
			file := filepath.Join(p.Dir, name)
			f, err := parser.ParseFile(fset, file, nil, parser.ParseComments|parser.PackageClauseOnly)
			if err != nil {
				t.Fatal(err)
			}
			if f.Doc == nil {
				continue
			}
			for i, b := range codeBlocks(fset, f.Doc) {
				if i == 0 && b.paragraphs <= 2 {
					found = true
				}
				if i == 0 || strings.Contains(b.code, ":=") {
					blocks = append(blocks, b.block)
				}
			}
		}
		if !found && !strings.Contains(p.ImportPath, "/internal") {
			t.Errorf("%s: the package comment does not start with an example, after the first paragraph or the second", p.ImportPath)
		}
	}
	return blocks
}

// docBlock is a block of code in a comment.
type docBlock struct {
	block
	paragraphs int // before it
}

// codeBlocks returns the blocks of code in a comment.
func codeBlocks(fset *token.FileSet, doc *ast.CommentGroup) (blocks []docBlock) {
	at := fset.Position(doc.Pos())
	paragraphs, inCode, empty := 0, false, true
	for i, line := range doc.List {
		text := strings.TrimPrefix(line.Text, "//")
		code, indented := strings.CutPrefix(text, "\t")
		switch {
		case indented && !inCode:
			blocks = append(blocks, docBlock{block{page: at.Filename, line: at.Line + i}, paragraphs})
			fallthrough
		case indented:
			inCode = true
			blocks[len(blocks)-1].code += code + "\n"
		case text == "" && inCode:
			blocks[len(blocks)-1].code += "\n"
		case text != "":
			if empty {
				paragraphs++
			}
			inCode = false
		}
		empty = text == ""
	}
	return blocks
}

// TestWorkflowsNameTheirRequests checks that the comment of each method of basiq.Client and
// basiq.Job that takes a context names the HTTP requests that it sends.
func TestWorkflowsNameTheirRequests(t *testing.T) {
	root()
	t.Parallel()
	request := regexp.MustCompile(`(?:GET|POST|DELETE)\s/\w+`)
	methods := 0
	for _, file := range goFiles(t) {
		if filepath.Dir(file) != "." || strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range f.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Recv == nil || !fn.Name.IsExported() || fn.Type.Params.NumFields() == 0 || receiverName(fn) != "Client" && receiverName(fn) != "Job" {
				continue
			}
			if first := fn.Type.Params.List[0].Names; len(first) == 0 || first[0].Name != "ctx" {
				continue
			}
			methods++
			if !request.MatchString(fn.Doc.Text()) {
				t.Errorf("%s: the comment of %s does not name the HTTP request, such as GET /users/{userId}", file, fn.Name.Name)
			}
		}
	}
	if methods < 20 {
		t.Errorf("only %d methods were checked", methods)
	}
}

// TestExamplesCoverEveryWorkflow checks that each exported method of basiq.Client is called
// by an example, which go doc's website shows below the method.
func TestExamplesCoverEveryWorkflow(t *testing.T) {
	root()
	t.Parallel()
	called := map[string]bool{}
	var methods []string
	for _, file := range goFiles(t) {
		if filepath.Dir(file) != "." || strings.HasSuffix(file, "_test.go") && !strings.HasPrefix(file, "example") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range f.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			switch {
			case !ok:
			case fn.Recv != nil && receiverName(fn) == "Client" && fn.Name.IsExported():
				methods = append(methods, fn.Name.Name)
			case fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Example"):
				ast.Inspect(fn, func(n ast.Node) bool {
					if s, ok := n.(*ast.SelectorExpr); ok {
						if x, ok := s.X.(*ast.Ident); ok && x.Name == "client" {
							called[s.Sel.Name] = true
						}
					}
					return true
				})
			}
		}
	}
	if len(methods) < 20 {
		t.Fatalf("basiq.Client has %d methods; are they found?", len(methods))
	}
	for _, name := range methods {
		if !called[name] {
			t.Errorf("no example calls client.%s: add one to example_*_test.go", name)
		}
	}
}
