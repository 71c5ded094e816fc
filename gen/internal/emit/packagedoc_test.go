package emit_test

import (
	"go/doc/comment"
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/gen/internal/emit"
)

// TestPackageCommentStartsWithTheExample checks that the code of x-example is the second
// block of the package's comment, unchanged, and that each service is listed.
func TestPackageCommentStartsWithTheExample(t *testing.T) {
	m := domainOf(t, shapes, shapesOverlay)
	m.Doc = "manages things."
	m.Example = "thing, err := client.Get(ctx)\nif err != nil {\n\treturn err // */ ends nothing\n}\n\nprint(thing)"
	pkg, err := emit.Generate(m, target("things"))
	if err != nil {
		t.Fatal(err)
	}
	f, err := parser.ParseFile(token.NewFileSet(), "", pkg.Files["client.gen.go"], parser.ParseComments|parser.PackageClauseOnly)
	if err != nil {
		t.Fatal(err)
	}
	content := new(comment.Parser).Parse(f.Doc.Text()).Content
	code, ok := content[1].(*comment.Code)
	if !ok || strings.TrimSpace(code.Text) != m.Example {
		t.Errorf("the second block is %#v, want the code\n%s", content[1], m.Example)
	}
	for _, r := range m.Resources {
		if !strings.Contains(f.Doc.Text(), "Client."+r.Name+" (["+r.Service()+"])") {
			t.Errorf("the comment does not list %s:\n%s", r.Service(), f.Doc.Text())
		}
	}
}
