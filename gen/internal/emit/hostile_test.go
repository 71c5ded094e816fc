package emit_test

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/basiq-sdk/basiq-go/gen/internal/canon"
	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/emit"
	"github.com/basiq-sdk/basiq-go/gen/internal/model"
	"github.com/basiq-sdk/basiq-go/gen/internal/overlay"
	"github.com/basiq-sdk/basiq-go/gen/internal/spec"
)

// hostile is a specification in which ⟦n⟧ marks every place of untrusted text. It
// is JSON, so that payloads are easy to quote.
const hostile = `{
 "openapi": "3.0.3", "info": {"title": "t⟦1⟧", "version": "1⟦2⟧", "description": "d⟦3⟧"},
 "servers": [{"url": "https://example.com/s⟦4⟧", "description": "d⟦5⟧"}],
 "security": [{"token": []}],
 "paths": {
  "/things⟦6⟧/{thingId}": {
   "summary": "s⟦7⟧",
   "get": {
    "operationId": "getThing⟦8⟧", "summary": "s⟦9⟧", "description": "d⟦10⟧", "tags": ["t⟦11⟧"],
    "parameters": [
     {"name": "thingId", "in": "path", "required": true, "description": "d⟦12⟧", "schema": {"type": "string"}},
     {"name": "query⟦13⟧", "in": "query", "description": "d⟦14⟧", "schema": {"type": "string", "default": "v⟦15⟧", "pattern": ".*⟦16⟧", "format": "f⟦17⟧"}},
     {"name": "X-Header⟦18⟧", "in": "header", "schema": {"type": "string"}},
     {"name": "kind", "in": "query", "schema": {"type": "string", "enum": ["one⟦19⟧", "two"]}}
    ],
    "responses": {
     "200": {"description": "d⟦20⟧", "headers": {"X-H⟦21⟧": {"schema": {"type": "string"}}},
      "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}, "text/csv⟦22⟧": {"schema": {"type": "string"}}}},
     "404": {"description": "d⟦23⟧"}
    }
   },
   "post": {
    "operationId": "postThing",
    "parameters": [{"name": "thingId", "in": "path", "required": true, "schema": {"type": "string"}}],
    "requestBody": {"description": "d⟦24⟧", "required": true, "content": {"multipart/form-data": {"schema": {"type": "object", "required": ["file⟦25⟧"], "properties": {"file⟦25⟧": {"type": "string", "format": "binary"}, "note⟦26⟧": {"type": "string"}}}}}},
    "responses": {"204": {"description": "d"}}
   }
  }
 },
 "components": {
  "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "d⟦27⟧"}},
  "schemas": {
   "Thing": {"type": "object", "title": "t⟦28⟧", "description": "d⟦29⟧", "x-extra": "x⟦30⟧", "required": ["name⟦31⟧"],
    "properties": {
     "name⟦31⟧": {"type": "string", "description": "d⟦32⟧", "example": "e⟦33⟧", "default": "v⟦34⟧"},
     "status": {"type": "string", "enum": ["open⟦35⟧", "closed"], "description": "d⟦36⟧"},
     "date": {"type": "string", "format": "f⟦37⟧"},
     "map": {"type": "object", "additionalProperties": {"type": "integer", "format": "int64⟦38⟧"}},
     "part": {"type": "object", "properties": {"inner⟦39⟧": {"type": "boolean"}}},
     "other": {"$ref": "#/components/schemas/Other⟦40⟧"}
    }},
   "Other⟦40⟧": {"type": "object", "properties": {"a": {"type": "number"}}}
  }
 }
}`

const positions = 40

var payloads = []string{
	"\nfunc init() { panic(1) }",
	"\r\nfunc init() { panic(1) }",
	"\rvar hostile = 1",
	"*/ func init() {} /*",
	"`; func init() {}; var _ = `",
	`"; func init() {}; var _ = "`,
	"\n//go:generate false",
	"\n//line /etc/passwd:1",
	"\u2028func init() {}",
	"\u202e\u2066hidden\u2069",
	"${HOME}$(id){{.}}%s\x00",
}

// source generates the Go source of a specification.
func source(doc string) (*emit.Package, error) {
	snapshot, err := canon.Snapshot("hostile.json", []byte(doc))
	if err != nil {
		return nil, err
	}
	d, _, err := spec.Load("hostile", "specs/hostile.yml", snapshot, nil, overlay.Options{})
	if err != nil {
		return nil, err
	}
	if err := d.Validate(context.Background()); err != nil {
		return nil, err
	}
	m, err := model.Build(d, model.Options{Package: "hostile"})
	if err != nil {
		return nil, err
	}
	pkg, err := emit.Generate(m, target("hostile"))
	if err != nil {
		return nil, err
	}
	table, err := emit.Routes([]*model.Domain{m}, "fake", target("fake"))
	if err != nil {
		return nil, err
	}
	maps.Copy(pkg.Files, table.Files) // another package, which contains the same untrusted text
	return pkg, nil
}

func target(name string) emit.Target {
	return emit.Target{ImportPath: "example.com/" + name, Runtime: "github.com/basiq-sdk/basiq-go/transport"}
}

// fill puts text, quoted for JSON, at position n and nothing at the others.
func fill(n int, text string) string {
	quoted, err := jsonQuote(text)
	if err != nil {
		panic(err)
	}
	return marker.ReplaceAllStringFunc(hostile, func(m string) string {
		if m == fmt.Sprintf("⟦%d⟧", n) {
			return quoted
		}
		return ""
	})
}

var marker = regexp.MustCompile(`⟦\d+⟧`)

func jsonQuote(s string) (string, error) {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ':
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String(), nil
}

// shape lists the kinds of all syntax nodes of a package in the order of its
// files, without names, comments and the content of literals.
func shape(t *testing.T, pkg *emit.Package) []string {
	t.Helper()
	var out []string
	for _, name := range slices.Sorted(maps.Keys(pkg.Files)) {
		if strings.ContainsAny(name, "/\\") || !strings.HasSuffix(name, ".gen.go") {
			t.Errorf("file name %q", name)
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, pkg.Files[name], parser.SkipObjectResolution|parser.ParseComments)
		if err != nil {
			t.Fatalf("%s does not parse: %v\n%s", name, err, pkg.Files[name])
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case nil, *ast.CommentGroup, *ast.Comment:
				return false
			case *ast.BasicLit:
				out = append(out, "literal "+n.Kind.String())
				return false
			}
			out = append(out, reflect.TypeOf(n).String())
			return true
		})
	}
	return out
}

// TestHostileTextCannotChangeTheCode puts every payload at every position. Either
// the run fails with a diagnostic, or its source differs from the harmless
// source in comments, literals and names only.
func TestHostileTextCannotChangeTheCode(t *testing.T) {
	harmless, err := source(fill(0, ""))
	if err != nil {
		t.Fatal(err)
	}
	want := shape(t, harmless)
	if len(want) < 500 {
		t.Fatalf("the harmless source has only %d nodes", len(want))
	}
	// If a value has a line break, the snapshot drops its enumeration as prose,
	// and the source is that of a plain string.
	plain := map[int][]string{}
	for n, enum := range map[int]string{19: `, "enum": ["one⟦19⟧", "two"]`, 35: `, "enum": ["open⟦35⟧", "closed"]`} {
		pkg, err := source(marker.ReplaceAllString(strings.Replace(hostile, enum, "", 1), ""))
		if err != nil {
			t.Fatal(err)
		}
		plain[n] = shape(t, pkg)
	}
	// The names of members with a quote are escaped when they are sent.
	quoted := func(n int) []string {
		pkg, err := source(fill(n, `"`))
		if err != nil {
			t.Fatal(err)
		}
		return shape(t, pkg)
	}
	refused, equal := 0, 0
	for n := 1; n <= positions; n++ {
		for i, payload := range payloads {
			pkg, err := source(fill(n, payload))
			if err != nil {
				var list diag.List
				var one *diag.Annotation
				if !errors.As(err, &list) && !errors.As(err, &one) {
					t.Errorf("position %d, payload %d: %v is not a diagnostic", n, i, err)
				}
				refused++
				continue
			}
			if got := shape(t, pkg); !slices.Equal(got, want) && !(strings.ContainsAny(payload, `"\`) && slices.Equal(got, quoted(n))) && !(strings.ContainsAny(payload, "\r\n") && slices.Equal(got, plain[n])) {
				t.Errorf("position %d, payload %q: the source has a different shape", n, payload)
			}
			for name, src := range pkg.Files {
				for _, line := range strings.Split(string(src), "\n") {
					if strings.HasPrefix(line, "//go:") || strings.HasPrefix(line, "//line") || strings.HasPrefix(line, "//export") {
						t.Errorf("position %d, payload %q: %s has a directive: %s", n, payload, name, line)
					}
				}
				if i := strings.IndexFunc(string(src), func(r rune) bool {
					return r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028')
				}); i >= 0 {
					t.Errorf("position %d, payload %q: %s has a hidden character: %s", n, payload, name, strconv.Quote(string(src[max(0, i-40):min(len(src), i+40)])))
				}
			}
			equal++
		}
	}
	t.Logf("%d runs: %d refused, %d of the same shape", refused+equal, refused, equal)
	if refused == 0 || equal == 0 {
		t.Error("the payloads must lead to both errors and sources")
	}
}
