package faults

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/transport"
)

// generated holds the operations and syntax trees of the generated code.
type generated struct {
	operations map[string]transport.Operation // by package and variable
	files      map[string]*ast.File
	fset       *token.FileSet
}

// readGenerated parses the generated code, except for the JSON codecs.
func readGenerated(t *testing.T) *generated {
	t.Helper()
	names, err := filepath.Glob(root + "/generated/*/*.gen.go")
	if err != nil {
		t.Fatal(err)
	}
	g := &generated{operations: map[string]transport.Operation{}, files: map[string]*ast.File{}, fset: token.NewFileSet()}
	for _, name := range names {
		if strings.HasSuffix(name, "_json.gen.go") {
			continue
		}
		file, err := parser.ParseFile(g.fset, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		g.files[name] = file
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Names) != 1 || len(spec.Values) != 1 || !strings.HasPrefix(spec.Names[0].Name, "op") {
				return true
			}
			lit, ok := spec.Values[0].(*ast.CompositeLit)
			if !ok {
				return true
			}
			var op transport.Operation
			for _, e := range lit.Elts {
				kv := e.(*ast.KeyValueExpr)
				switch kv.Key.(*ast.Ident).Name {
				case "ID":
					op.ID = literal(kv.Value)
				case "Path":
					op.Path = literal(kv.Value)
				case "Method":
					op.Method = strings.ToUpper(strings.TrimPrefix(kv.Value.(*ast.SelectorExpr).Sel.Name, "Method"))
				}
			}
			g.operations[file.Name.Name+"."+spec.Names[0].Name] = op
			return true
		})
	}
	if len(g.operations) < 60 {
		t.Fatalf("only %d operations were found", len(g.operations))
	}
	return g
}

func literal(e ast.Expr) string {
	if lit, ok := e.(*ast.BasicLit); ok {
		s, _ := strconv.Unquote(lit.Value)
		return s
	}
	return ""
}

// TestPathValuesOfEveryOperation passes hostile values for every path parameter. Each
// value is either rejected before a request is sent, or reaches the intended route
// unchanged, even if the server decodes the path twice.
func TestPathValuesOfEveryOperation(t *testing.T) {
	hostile := []string{
		"", ".", "..", "%2e%2e", "%2E.", "..%2f", "..%252f", "/", `\`, "a/b", `..\x`, "?x", "#f", ";v", "\x00", "\r\nX: y", "{userId}", strings.Repeat("x", 10_000), "\xff",
		"\u202e", "a b", "é", "a%20b", "*", "a+b", "~", "@", ":",
	}
	must := map[string]bool{"": true, ".": true, "..": true, "/": true, `\`: true, "a/b": true, "\x00": true, "\r\nX: y": true, "\xff": true, "%2e%2e": true, "..%2f": true}
	g := readGenerated(t)
	var (
		mux     *http.ServeMux // has only the route of the operation under test
		reached bool
		values  []string
	)
	sends := 0
	client, err := transport.New(transport.WithBaseURL("https://bank.example"), transport.WithTokenSource(transport.StaticToken("token")),
		transport.WithAPIKey("key"), transport.WithHTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			sends++
			rec := httptest.NewRecorder()
			server, err := http.NewRequest(r.Method, "http://h"+r.URL.EscapedPath(), nil)
			if err != nil {
				return nil, err
			}
			mux.ServeHTTP(rec, server)
			// A server that decodes twice must see the same segments.
			twice, err := url.PathUnescape(server.URL.Path)
			if err == nil && (strings.Count(twice, "/") != strings.Count(r.URL.EscapedPath(), "/") || twice != server.URL.Path) {
				t.Errorf("%s decoded twice is %q", r.URL.EscapedPath(), twice)
			}
			return rec.Result(), nil
		})}))
	if err != nil {
		t.Fatal(err)
	}
	cells := 0
	for name, op := range g.operations {
		n, pattern := 0, op.Method+" "
		for segment := range strings.SplitSeq(op.Path[1:], "/") {
			if pattern += "/"; strings.HasPrefix(segment, "{") {
				pattern += fmt.Sprintf("{p%d}", n)
				n++
			} else {
				pattern += segment
			}
		}
		mux = http.NewServeMux()
		mux.HandleFunc(pattern, func(_ http.ResponseWriter, r *http.Request) {
			reached = true
			for i := range n {
				values = append(values, r.PathValue(fmt.Sprintf("p%d", i)))
			}
		})
		for at := range n {
			for _, v := range hostile {
				given := slices.Repeat([]string{"good"}, n)
				given[at] = v
				before := sends
				reached, values = false, nil
				err := client.Do(context.Background(), transport.NewRequest(&op, given...), nil, transport.WithScope(transport.ScopeServer))
				cells++
				var pe *transport.PathError
				switch {
				case errors.As(err, &pe):
					if sends != before || pe.Operation != op.ID {
						t.Errorf("%s: %q was rejected, but sent: %v", name, v, err)
					}
				case must[v]:
					t.Errorf("%s: %q was not rejected: %v", name, v, err)
				case err != nil || !reached || !slices.Equal(values, given):
					t.Errorf("%s: %q reached its route: %t, with %q: %v", name, v, reached, values, err)
				}
			}
		}
	}
	if cells < 1000 {
		t.Errorf("only %d values were tested", cells)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestPathsAreBuiltInOnePlace: generated code passes its parameters to NewRequest
// unchanged, one for each parameter of the path template, and does not build paths in
// any other way.
func TestPathsAreBuiltInOnePlace(t *testing.T) {
	g := readGenerated(t)
	requests := 0
	for name, file := range g.files {
		for _, imp := range file.Imports {
			switch path := strings.Trim(imp.Path.Value, `"`); {
			case slices.Contains([]string{"context", "io", "iter", "net/http", "strconv"}, path), strings.HasPrefix(path, "github.com/basiq-sdk/basiq-go/transport"):
			case path == "strings": // to join the values of a query parameter
				ast.Inspect(file, func(n ast.Node) bool {
					if use, ok := n.(*ast.SelectorExpr); ok && fmt.Sprint(use.X) == "strings" && use.Sel.Name != "Join" {
						t.Errorf("%s uses strings.%s", name, use.Sel.Name)
					}
					return true
				})
			default:
				t.Errorf("%s imports %s", name, path)
			}
		}
		for _, decl := range file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			params := map[string]bool{}
			for _, field := range fn.Type.Params.List {
				for _, p := range field.Names {
					params[p.Name] = true
				}
			}
			ast.Inspect(fn, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.BinaryExpr:
					if n.Op == token.ADD {
						t.Errorf("%s: generated code must not concatenate", g.fset.Position(n.Pos()))
					}
				case *ast.CallExpr:
					sel, ok := n.Fun.(*ast.SelectorExpr)
					if !ok || sel.Sel.Name != "NewRequest" {
						return true
					}
					requests++
					at := g.fset.Position(n.Pos())
					address, ok := n.Args[0].(*ast.UnaryExpr)
					if !ok {
						t.Errorf("%s: the operation is not a variable", at)
						return true
					}
					op := g.operations[file.Name.Name+"."+address.X.(*ast.Ident).Name]
					if op.Path == "" || strings.Count(op.Path, "{") != len(n.Args)-1 {
						t.Errorf("%s: %d values for %s", at, len(n.Args)-1, op.Path)
					}
					seen := map[string]bool{}
					for _, arg := range n.Args[1:] {
						if call, ok := arg.(*ast.CallExpr); ok && len(call.Args) == 1 { // conversion of an enum value
							if id, ok := call.Fun.(*ast.Ident); ok && id.Name == "string" {
								arg = call.Args[0]
							}
						}
						id, ok := arg.(*ast.Ident)
						if !ok || !params[id.Name] || seen[id.Name] {
							t.Errorf("%s: an argument is not a distinct parameter", at)
							continue
						}
						seen[id.Name] = true
					}
				}
				return true
			})
		}
	}
	if requests < 60 {
		t.Errorf("only %d requests were checked", requests)
	}
}
