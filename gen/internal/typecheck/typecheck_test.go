package typecheck_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/emit"
	"github.com/basiq-sdk/basiq-go/gen/internal/typecheck"
)

func imports(t *testing.T) *typecheck.Imports {
	t.Helper()
	const runtime = "github.com/basiq-sdk/basiq-go/transport"
	i, err := typecheck.LoadImports(context.Background(), "../../..", runtime, runtime+"/wire", runtime+"/value")
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// TestErrorsHavePositionsInTheSpecification checks that errors are reported at the
// line of the specification or overlay that the name comes from.
func TestErrorsHavePositionsInTheSpecification(t *testing.T) {
	imp := imports(t)
	symbols := map[string]diag.Pos{
		"Thing":              {File: "specs/test.yml", Line: 10, Col: 3},
		"Thing.Part":         {File: "specs/test.yml", Line: 12, Col: 5},
		"ThingsService":      {File: "specs/test.yml", Line: 1, Col: 1},
		"ThingsService.List": {File: "overlays/test/30-names.yaml", Line: 7, Col: 5},
		"KindA":              {File: "specs/test.yml", Line: 20, Col: 9},
	}
	for _, c := range []struct{ name, src, want string }{
		{"a field", "type Thing struct {\n\tName string\n\tPart Missing\n}", "specs/test.yml:12:5: "},
		{"a type", "type Thing = Missing", "specs/test.yml:10:3: "},
		{"a method", "type ThingsService struct{}\n\nfunc (s *ThingsService) List() int { return \"\" }", "overlays/test/30-names.yaml:7:5: "},
		{"a helper of a type", "type Thing struct{}\n\nfunc (t *Thing) apply() { missing() }", "specs/test.yml:10:3: "},
		{"a constant", "const KindA int = \"a\"", "specs/test.yml:20:9: "},
		{"an import that is not allowed", "import _ \"os/exec\"", "os/exec"},
		{"an unknown symbol", "var x = missing", "test/a.gen.go:3:9: "},
		{"an unused import", "import \"context\"", "\"context\" imported and not used"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := typecheck.Package(imp, &emit.Package{
				Name: "test", ImportPath: "example.com/test", Symbols: symbols,
				Files: map[string][]byte{"a.gen.go": []byte("package test\n\n" + c.src + "\n")},
			})
			var list diag.List
			if !errors.As(err, &list) || len(list) != 1 || !strings.Contains(list[0].Error(), c.want) {
				t.Errorf("got %v, want one diagnostic with …%s…", err, c.want)
			}
		})
	}
}

func TestValidPackagePasses(t *testing.T) {
	_, err := typecheck.Package(imports(t), &emit.Package{Name: "test", ImportPath: "example.com/test", Files: map[string][]byte{
		"a.gen.go": []byte("package test\n\nimport \"github.com/basiq-sdk/basiq-go/transport\"\n\ntype A struct{ c *transport.Client }\n"),
		"b.gen.go": []byte("package test\n\nvar b = A{}\n"),
	}})
	if err != nil {
		t.Error(err)
	}
}

func TestSyntaxErrorIsReported(t *testing.T) {
	_, err := typecheck.Package(imports(t), &emit.Package{Name: "test", Files: map[string][]byte{"a.gen.go": []byte("package test\nfunc {")}})
	if err == nil || !strings.Contains(err.Error(), "generated-syntax") {
		t.Errorf("got %v", err)
	}
}

// TestAddedPackagesAreLoadedOnce adds packages to loaded ones. What is loaded already
// does not start the go command, so that it works with a context that has ended.
func TestAddedPackagesAreLoadedOnce(t *testing.T) {
	imp := typecheck.NewImports("../../..")
	if err := imp.Add(t.Context(), "fmt"); err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := imp.Add(ended, "fmt", "io"); err != nil {
		t.Errorf("fmt imports io: %v", err)
	}
	if err := imp.Add(ended, "net/http"); err == nil {
		t.Error("net/http is loaded without the go command")
	}
	if _, err := imp.Import("net/http"); err == nil {
		t.Error("net/http can be imported before it is added")
	}
	if err := imp.Add(t.Context(), "net/http"); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"fmt", "net/http"} {
		if _, err := imp.Import(p); err != nil {
			t.Error(err)
		}
	}
}
