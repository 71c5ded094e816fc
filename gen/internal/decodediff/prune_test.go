package decodediff

import (
	"bytes"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/gen/internal/emit"
	"github.com/basiq-sdk/basiq-go/gen/internal/pipeline"
	"github.com/basiq-sdk/basiq-go/gen/internal/typecheck"
)

// shop is a package as the generator writes it.
var shop = map[string]string{
	"types.gen.go": `package shop

import (
	"io/fs"
	"os"
	"io"

	"example.com/sdk/transport"
	"example.com/sdk/transport/wire"
)

// Order is an order.
type Order struct {
	Items []Item ` + "`json:\"items\"`" + `
	JSON  wire.Object
}

type Item struct{ Kind Kind }

type Kind string

const (
	KindBook Kind = "book"
	KindCoat Kind = "coat"
)

var kindValues = []Kind{KindBook, KindCoat}

func (v Kind) Known() bool { return len(kindValues) > 0 }

type Params struct{ Order }

func (p *Params) apply(req *transport.Request) { req.Body = p }

type Upload struct{ From io.Reader }
`,
	"types_json.gen.go": `package shop

import "example.com/sdk/transport/wire"

var orderType wire.Type

func (v *Order) JSONFields(f *wire.Fields) { f.Struct(&v.JSON, &orderType); wire.List(f, "items", &v.Items) }

func (v *Order) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, v) }
`,
	"orders.gen.go": `package shop

import "example.com/sdk/transport"

type OrdersService struct{ client *transport.Client }

func (s *OrdersService) Get() Order { return Order{} }
`,
}

// pruned returns the source that decoding a type of a package needs. edit replaces one
// text in the package by another.
func pruned(t *testing.T, typ string, edit ...string) string {
	t.Helper()
	files, replaced := map[string][]byte{}, len(edit) == 0
	for name, text := range shop {
		if len(edit) > 0 {
			replaced = replaced || strings.Contains(text, edit[0])
			text = strings.Replace(text, edit[0], edit[1], 1)
		}
		files[name] = []byte(text)
	}
	if !replaced {
		t.Fatalf("the package does not contain %q", edit[0])
	}
	src, err := parse(files)
	if err != nil {
		t.Fatal(err)
	}
	out := src.of("shop", typ)
	if _, err := parser.ParseFile(token.NewFileSet(), "", out, 0); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if again := src.of("shop", typ); !bytes.Equal(again, out) {
		t.Error("the source is another one the second time")
	}
	return string(out)
}

// TestProgramHasWhatDecodingNeeds checks which declarations of a package the program
// contains: those that a type leads to, and neither services nor, unless a type holds a
// value of it, the transport.
func TestProgramHasWhatDecodingNeeds(t *testing.T) {
	for typ, want := range map[string]map[string]bool{
		"Order":  {"type Order": true, "type Item": true, "type Kind": true, "KindCoat Kind": true, "kindValues =": true, ") Known()": true, ") JSONFields(": true, ") UnmarshalJSON(": true, "orderType": true, "type Params": false, "OrdersService": false, `"io"`: false, `transport"`: false, `wire"`: true},
		"Params": {"type Params": true, "type Order": true, "apply": false, `transport"`: false},
		"Upload": {"type Upload": true, `"io"`: true, "wire": false, "Order": false},
	} {
		got := pruned(t, typ)
		for text, has := range want {
			if strings.Contains(got, text) != has {
				t.Errorf("%s: the source contains %q: %v\n%s", typ, text, !has, got)
			}
		}
	}
}

// TestEveryChangeOfWhatDecodesIsSeen changes each part of a package, one at a time. The
// source that decodes an order changes, too, unless the part has nothing to do with it.
func TestEveryChangeOfWhatDecodesIsSeen(t *testing.T) {
	before := pruned(t, "Order")
	for edit, changes := range map[[2]string]bool{
		{`json:"items"`, `json:"lines"`}:                                         true,
		{"Items []Item", "Items []Kind"}:                                         true,
		{"struct{ Kind Kind }", "struct{ Kind *Kind }"}:                          true,
		{"type Kind string", "type Kind int"}:                                    true,
		{`KindCoat Kind = "coat"`, `KindCoat Kind = "c"`}:                        true,
		{"len(kindValues) > 0", "len(kindValues) > 1"}:                           true,
		{"var orderType wire.Type", "var orderType wire.Types"}:                  true,
		{`"items", &v.Items`, `"items", &v.Lines`}:                               true,
		{"wire.Unmarshal(data, v)", "wire.Read(data, v)"}:                        true,
		{"// Order is an order.", "// Order is a purchase."}:                     false,
		{"req.Body = p", "req.Body = *p"}:                                        false,
		{"From io.Reader", "From io.ReadCloser"}:                                 false,
		{"Get() Order { return Order{} }", "Get() (o Order) { return o }"}:       false,
		{"type Params struct{ Order }", "type Params struct{ Order; Note int }"}: false,
	} {
		if changed := pruned(t, "Order", edit[0], edit[1]) != before; changed != changes {
			t.Errorf("with %q for %q, the source changes: %v", edit[1], edit[0], changed)
		}
	}
}

// TestOneNameStandsForOneImport refuses a package whose files import two packages under
// one name: in the program, its declarations are in one file.
func TestOneNameStandsForOneImport(t *testing.T) {
	_, err := parse(map[string][]byte{"a.go": []byte("package a\nimport \"b/wire\"\n"), "b.go": []byte("package a\nimport \"c/wire\"\n")})
	if err == nil || !strings.Contains(err.Error(), "b.go: c/wire is imported as wire, as is b/wire") {
		t.Error(err)
	}
}

// TestPrunedSourceCompiles type-checks what decoding each type of a real package needs.
func TestPrunedSourceCompiles(t *testing.T) {
	imports, err := typecheck.LoadImports(t.Context(), "../../..", pipeline.Runtime, pipeline.Runtime+"/wire", pipeline.Runtime+"/value", "fmt", "log/slog")
	if err != nil {
		t.Fatal(err)
	}
	files, root := map[string][]byte{}, os.DirFS("../../../generated/data")
	names, err := fs.Glob(root, "*.gen.go")
	if err != nil || len(names) == 0 {
		t.Fatal("the package has no files", err)
	}
	for _, name := range names {
		if files[name], err = fs.ReadFile(root, name); err != nil {
			t.Fatal(err)
		}
	}
	src, err := parse(files)
	if err != nil {
		t.Fatal(err)
	}
	for name := range src.decls {
		pkg := &emit.Package{Name: "data", ImportPath: "example.com/data", Files: map[string][]byte{"types.go": src.of("data", name)}}
		if _, err := typecheck.Package(imports, pkg); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
