package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"unicode"

	"github.com/basiq-sdk/basiq-go/gen/internal/canon"
	"github.com/basiq-sdk/basiq-go/gen/internal/emit"
	"github.com/basiq-sdk/basiq-go/gen/internal/model"
	"github.com/basiq-sdk/basiq-go/gen/internal/output"
	"github.com/basiq-sdk/basiq-go/gen/internal/overlay"
	"github.com/basiq-sdk/basiq-go/gen/internal/reference"
	"github.com/basiq-sdk/basiq-go/gen/internal/spec"
	"github.com/basiq-sdk/basiq-go/gen/internal/typecheck"
)

const runtimePath = "github.com/basiq-sdk/basiq-go/transport"

// compile runs all stages for a specification, up to its Go source and its reference.
func compile(doc string, overlays ...string) (*emit.Package, error) {
	snapshot, err := canon.Snapshot("api.yml", []byte(doc))
	if err != nil {
		return nil, err
	}
	var parsed []*overlay.Document
	for i, o := range overlays {
		d, err := overlay.Parse(fmt.Sprintf("overlay%d.yaml", i+1), []byte(o))
		if err != nil {
			return nil, err
		}
		parsed = append(parsed, d)
	}
	d, _, err := spec.Load("api", "specs/api.yml", snapshot, parsed, overlay.Options{KeepGoing: true})
	if err != nil {
		return nil, err
	}
	if err := d.Validate(context.Background()); err != nil {
		return nil, err
	}
	m, err := model.Build(d, model.Options{Package: "api"})
	if err != nil {
		return nil, err
	}
	lock, err := m.Lock.Marshal()
	if err != nil {
		return nil, err
	}
	if _, err := model.ParseLock("names.lock", lock); err != nil {
		return nil, fmt.Errorf("the names lock cannot be parsed: %s\n%s", err, lock)
	}
	pkg, err := emit.Generate(m, emit.Target{ImportPath: "example.com/api", Runtime: runtimePath})
	if err != nil {
		return nil, err
	}
	// Whatever has Go source has a reference, too.
	if _, err := reference.Build(reference.Options{Domains: []*model.Domain{m}, Module: "example.com/api", Output: ".", Commands: true}); err != nil {
		return nil, fmt.Errorf("the reference: %w", err)
	}
	return pkg, nil
}

// things is a specification with one operation, which returns the schema A.
const things = `openapi: 3.0.3
info: {title: t, version: '1'}
paths:
  /things:
    get:
      responses:
        200: {description: d, content: {application/json: {schema: {$ref: '#/components/schemas/A'}}}}
components:
  schemas:
`

// property returns things with properties of A, in line 10.
func property(body string) string {
	return things + "    A: {type: object, properties: {" + body + "}}\n"
}

// TestHostileSpecificationsAreHarmless runs the generator with malicious
// specifications. Each leads to exactly this error, or to source that type-checks.
func TestHostileSpecificationsAreHarmless(t *testing.T) {
	imports, err := typecheck.LoadImports(t.Context(), "..", runtimePath, runtimePath+"/wire", runtimePath+"/value")
	if err != nil {
		t.Fatal(err)
	}
	dialled := noNetwork(t)
	canary := filepath.Join(t.TempDir(), "canary.yml")
	if err := os.WriteFile(canary, []byte("type: string\nformat: the-canary\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	at := func(col int) string { return fmt.Sprintf("api.yml:10:%d: ", col) }
	const bidi = "\u202e\u2066"
	for _, c := range []struct{ name, doc, message string }{
		// References never lead outside the document.
		{"a file", property("a: {$ref: 'file:///etc/passwd'}"), "specs/api.yml:21:11: " + `the reference "file:///etc/passwd" leads outside the document [external-ref]`},
		{"a file that is there", property("a: {$ref: '" + canary + "'}"), "specs/api.yml:21:11: " + `the reference "` + canary + `" leads outside the document [external-ref]`},
		{"a relative file", property("a: {$ref: '../../../etc/passwd#/a'}"), "specs/api.yml:21:11: " + `the reference "../../../etc/passwd#/a" leads outside the document [external-ref]`},
		{"a web address", property("a: {$ref: 'http://example.com/a.yml#/A'}"), "specs/api.yml:21:11: " + `the reference "http://example.com/a.yml#/A" leads outside the document [external-ref]`},
		{"a local web address", property("a: {$ref: '" + dialled.URL + "/a.yml'}"), "specs/api.yml:21:11: " + `the reference "` + dialled.URL + `/a.yml" leads outside the document [external-ref]`},
		{"a metadata service", property("a: {$ref: 'http://169.254.169.254/latest/meta-data'}"), "specs/api.yml:21:11: " + `the reference "http://169.254.169.254/latest/meta-data" leads outside the document [external-ref]`},
		{"no scheme", property("a: {$ref: '//example.com/a.yml'}"), "specs/api.yml:21:11: " + `the reference "//example.com/a.yml" leads outside the document [external-ref]`},
		{"a bare fragment", property("a: {$ref: '#A'}"), "specs/api.yml:21:11: " + `the reference "#A" leads outside the document [external-ref]`},
		{"a discriminator that leads away", property("a: {oneOf: [{type: string}], discriminator: {propertyName: k, mapping: {b: 'http://169.254.169.254/x'}}}"), "specs/api.yml:26:15: " + `the reference "http://169.254.169.254/x" leads outside the document [external-ref]`},
		{"$id", property("a: {$id: 'http://169.254.169.254/x', type: string}"), ""},
		{"$self", "$self: http://169.254.169.254/x\n" + property("a: {type: string}"), ""},
		{"$schema", property("a: {$schema: 'http://169.254.169.254/x', type: string}"), ""},
		{"a dialect", strings.Replace(property("a: {type: string}"), "openapi: 3.0.3", "openapi: 3.1.0\njsonSchemaDialect: http://169.254.169.254/x", 1), ""},

		// Cycles are errors or pointers.
		{"a reference to itself", things + "    A: {$ref: '#/components/schemas/A'}\n", `api.yml:7:75: the reference "#/components/schemas/A" is part of a cycle of references [ref-cycle]`},
		{"references in a cycle", things + "    A: {$ref: '#/components/schemas/B'}\n    B: {$ref: '#/components/schemas/A'}\n", `api.yml:7:75: the reference "#/components/schemas/A" is part of a cycle of references [ref-cycle]`},
		{"allOf of itself", things + "    A: {allOf: [{$ref: '#/components/schemas/A'}]}\n", `specs/api.yml:19:11: #/components/schemas/A is composed of itself [allof-cycle]`},
		{"allOf in a cycle", things + "    A: {allOf: [{$ref: '#/components/schemas/B'}]}\n    B: {allOf: [{$ref: '#/components/schemas/A'}]}\n", `specs/api.yml:22:11: #/components/schemas/A is composed of itself [allof-cycle]`},
		{"a list of itself", things + "    A: {type: array, items: {$ref: '#/components/schemas/A'}}\n", `specs/api.yml:17:5: #/components/schemas/A contains itself without an object in between [type-cycle]`},
		{"a map of lists of itself", things + "    A: {type: object, additionalProperties: {type: array, items: {$ref: '#/components/schemas/A'}}}\n", `specs/api.yml:17:5: #/components/schemas/A contains itself without an object in between [type-cycle]`},
		{"an object of itself", property("a: {$ref: '#/components/schemas/A'}, b: {type: array, items: {$ref: '#/components/schemas/A'}}"), ""},
		{"one of itself", things + "    A: {oneOf: [{$ref: '#/components/schemas/A'}]}\n", ""},
		{"allOf twice of the same, thirty levels", diamonds(30), ""},
		{"allOf of too many", diamonds(70), `specs/api.yml:264:5: the schema is composed of more than 64 parts; the first beyond the limit is #/components/schemas/A65 [too-many-parts]`},
		{"a response that is a string", things + "    A: {type: string}\n", ""},
		{"a response that is a boolean", things + "    A: {type: boolean}\n", ""},
		{"a response that is a list", things + "    A: {type: array, items: {type: string}}\n", ""},
		{"an alias of itself", "openapi: 3.0.3\ninfo: &i {title: *i}\npaths: {}\n", `api.yml:2:18: the alias "*i" refers to itself [alias-cycle]`},
		{"nesting", things + "    A: " + strings.Repeat("{items: ", 9_000) + "{}" + strings.Repeat("}", 9_000) + "\n", at(1592) + `the document is nested more than 200 levels deep [too-deep]`},
		{"deeper nesting", things + "    A: " + strings.Repeat("{items: ", 20_000) + "{}" + strings.Repeat("}", 20_000) + "\n", `api.yml:10: exceeded max depth of 10000 [yaml-syntax]`},

		// Names are converted to Go names, which differ.
		{"two names that become one", property("a-b: {type: string}, a_b: {type: string}"), ""},
		{"two schemas that become one", property("x: {$ref: '#/components/schemas/a-b'}, y: {$ref: '#/components/schemas/a_b'}") + "    a-b: {type: object, properties: {p: {type: string}}}\n    a_b: {type: object, properties: {q: {type: string}}}\n", ""},
		{"two paths that become one", strings.Replace(property("a: {type: string}"), "paths:\n", "paths:\n  /THINGS: {get: {responses: {204: {description: d}}}}\n", 1), ""},
		{"two values that become one", property("a: {type: string, enum: [a b, a-b]}"), ""},
		{"a look-alike alone", property("\"\u0430\u0435\": {type: string}"), ""},
		{"a look-alike as a part", property("\"\u0430mount\": {type: string}, amount: {type: string}"), ""},
		{"bidi in a name", property("\"" + bidi + "a\": {type: string}"), at(36) + `the key "\u202e\u2066a" contains control or text direction characters [bad-key]`},
		{"a line break in a name", property(`"a\nb": {type: string}`), at(36) + `the key "a\nb" contains control or text direction characters [bad-key]`},
		{"a quote in a name", property(`'a"b': {type: string}`), ""},
		{"a backtick in a name", property("'a`b': {type: string}"), ""},
		{"a template in a name", property("'${HOME}$(id){{.}}%s': {type: string}"), ""},
		{"a path as a name", property("../../a: {type: string}, /etc/passwd: {type: string}"), ""},
		{"a path as a schema's name", property("x: {$ref: '#/components/schemas/..~1..~1a'}, y: {$ref: '#/components/schemas/~1etc~1b'}") +
			"    ../../a: {type: object, properties: {p: {type: string}}}\n    /etc/b: {type: object, properties: {p: {type: string}}}\n",
			""},
		{"two parameters that become one", strings.Replace(property("a: {type: string}"), "  /things:\n    get:\n", "  /things/{b-c}/{b_c}:\n    get:\n      parameters: [{name: b-c, in: path, required: true, schema: {type: string}}, {name: b_c, in: path, required: true, schema: {type: string}}, {name: d, in: query, schema: {type: string}}, {name: d, in: header, schema: {type: string}}, {name: body, in: query, schema: {type: string}}]\n", 1), ""},
		{"a path as a value", property("a: {type: string, enum: [../../a, /etc/passwd], default: ../../a}"), ""},
		{"a schema whose name is not an identifier", property("x: {$ref: '#/components/schemas/..'}") + "    ..: {type: object, properties: {p: {type: string}}}\n", ""},
		{"Go's words as names", property("func: {type: string}, type: {type: string}, init: {type: string}, main: {type: string}, _: {type: string}"), ""},
		{"names of a type's own methods", property("JSON: {type: string}, MarshalJSON: {type: string}, JSONFields: {type: string}, format: {type: string, format: password}, logValue: {type: string}"), ""},
		{"a schema called as the client", strings.ReplaceAll(property("a: {type: string}"), "schemas/A'", "schemas/client'") + "    client: {type: object, properties: {a: {type: string}}}\n", ""},
		{"a long name", property(strings.Repeat("a", 300) + ": {type: string}"), ""},
		{"a key of a megabyte", property("? " + strings.Repeat("a-", 500_000) + " : {type: string}"), at(38) + `the key "` + strings.Repeat("a-", 40) + `…" has 1000000 bytes; the limit is 1024 [bad-key]`},
		{"a location too long for the names lock", property("'" + strings.Repeat("-", 500) + "a': {type: string}"), ""},
		{"a parameter too long for the names lock", strings.Replace(property("a: {type: string}"), "    get:\n", "    get:\n      parameters: [{name: '"+strings.Repeat("-", 2000)+"a', in: query, schema: {type: string}}]\n", 1), ""},
		{"names that grow by nesting", property(strings.Repeat("abcdefghij: {type: object, properties: {", 40) + "x: {type: string}" + strings.Repeat("}}", 40)), ""},

		// Values are data.
		{"a line break in an enumeration", property(`a: {type: string, enum: ["a\nfunc init() {}", b]}`), ""},
		{"a value without a letter", property("a: {type: string, enum: ['`', b]}"), ""},
		{"an end of comment as a value", property("a: {type: string, enum: ['a */ func init() {} /*', b]}"), ""},
		{"a strange format", property(`a: {type: string, format: "../../x\n//go:generate sh"}`), ""},
		{"a strange default", property(`a: {type: string, default: "${HOME}\n` + "`" + `"}`), ""},
		{"a strange pattern", property(`a: {type: string, pattern: "(a+)+$("}`), ""},
		{"a strange media type", strings.Replace(property("a: {type: string}"), "application/json:", `"../../x\n/*": {schema: {type: string}}, application/json:`, 1), `api.yml:7:41: the key "../../x\n/*" contains control or text direction characters [bad-key]`},
		{"a tag that makes objects", property("a: !!python/object:os.system {type: string}"), at(39) + `the tag "!!python/object:os.system" is not allowed [bad-tag]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			pkg, err := compile(c.doc)
			switch {
			case c.message == "" && err != nil:
				t.Errorf("got error %v, want none", err)
			case c.message != "" && err == nil:
				t.Errorf("no error, want %s", c.message)
			case err != nil:
				first, _, _ := strings.Cut(err.Error(), "\n")
				if first != c.message && !(strings.HasSuffix(first, c.message) && !strings.Contains(c.message, "api.yml")) {
					t.Errorf("got  %s\nwant %s", first, c.message)
				}
				if strings.Contains(err.Error(), "the-canary") {
					t.Error("the message contains the content of a file")
				}
			default:
				if _, err := typecheck.Package(imports, pkg); err != nil {
					t.Errorf("the source does not compile: %v", err)
				}
				harmless(t, pkg)
			}
		})
	}
}

// diamonds returns a chain of schemas, each of which is composed of the next, twice.
func diamonds(levels int) string {
	var b strings.Builder
	b.WriteString(things + "    A: {allOf: [{$ref: '#/components/schemas/A1'}]}\n")
	for i := 1; i < levels; i++ {
		fmt.Fprintf(&b, "    A%d: {allOf: [{$ref: '#/components/schemas/A%d'}, {$ref: '#/components/schemas/A%d'}]}\n", i, i+1, i+1)
	}
	fmt.Fprintf(&b, "    A%d: {type: object, properties: {a: {type: string}}}\n", levels)
	return b.String()
}

// harmless checks that generated source has no directives, init functions or hidden
// characters.
func harmless(t *testing.T, pkg *emit.Package) {
	t.Helper()
	for name, src := range pkg.Files {
		if !fileName.MatchString(name) {
			t.Errorf("a file is called %q", name)
		}
		for line := range strings.Lines(string(src)) {
			if strings.HasPrefix(line, "//go:") || strings.HasPrefix(line, "//line") || strings.HasPrefix(line, "func init(") || strings.HasPrefix(line, "import \"C\"") {
				t.Errorf("%s: %s", name, line)
			}
		}
		if i := strings.IndexFunc(string(src), func(r rune) bool {
			return r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp))
		}); i >= 0 {
			t.Errorf("%s has a hidden character: %q", name, src[max(0, i-40):min(len(src), i+40)])
		}
	}
}

var fileName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,100}\.gen\.go$`)

// noNetwork fails the test if a connection is made. It counts the connections to the
// returned server and replaces http.DefaultTransport.
func noNetwork(t *testing.T) *httptest.Server {
	t.Helper()
	var connections atomic.Int64
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	s.Start()
	usual := http.DefaultTransport
	http.DefaultTransport = refuse(func(r *http.Request) { t.Errorf("a request was made: %s %s", r.Method, r.URL) })
	t.Cleanup(func() {
		http.DefaultTransport = usual
		s.Close()
		if n := connections.Load(); n > 0 {
			t.Errorf("%d connections were made", n)
		}
	})
	return s
}

type refuse func(*http.Request)

func (f refuse) RoundTrip(r *http.Request) (*http.Response, error) {
	f(r)
	return nil, fmt.Errorf("%s must not be requested", r.URL)
}

// TestReferencesInOverlaysStayInTheDocument checks the same for overlays. They are
// trusted, but a mistake must not fetch anything either.
func TestReferencesInOverlaysStayInTheDocument(t *testing.T) {
	dialled := noNetwork(t)
	doc := property("a: {type: string}")
	for update, message := range map[string]string{
		"{$ref: 'http://169.254.169.254/x'}":            `overlay1.yaml:6:20: the reference "http://169.254.169.254/x" leads outside the document [external-ref]`,
		"{$ref: '" + dialled.URL + "/x'}":               `overlay1.yaml:6:20: the reference "` + dialled.URL + `/x" leads outside the document [external-ref]`,
		"{$ref: '#/components/schemas/B'}":              `overlay1.yaml:6:20: the reference "#/components/schemas/B" does not resolve [dangling-ref]`,
		"{$ref: '#/components/schemas/A/properties/a'}": `overlay1.yaml:6:20: the reference "#/components/schemas/A/properties/a" is part of a cycle of references [ref-cycle]`,
		"{$ref: '#/info'}":                              `overlay1.yaml:6:20: bad data in "#/info" (expecting ref to schema object) [openapi-invalid]`,
	} {
		_, err := compile(doc, "overlay: 1.0.0\ninfo: {title: t, version: v}\nactions:\n  - target: $.components.schemas.A.properties.a\n    description: d\n    update: "+
			strings.Replace(update, "{$ref", "{      $ref", 1)+"\n")
		if first, _, _ := strings.Cut(fmt.Sprint(err), "\n"); first != message {
			t.Errorf("got  %s\nwant %s", first, message)
		}
	}
}

// TestDocumentationStaysInComments puts payloads into all documentation, which would be
// code, directives or hidden characters outside of comments. Only overlays contain
// documentation; that of upstream is dropped.
func TestDocumentationStaysInComments(t *testing.T) {
	imports, err := typecheck.LoadImports(t.Context(), "..", runtimePath, runtimePath+"/wire", runtimePath+"/value")
	if err != nil {
		t.Fatal(err)
	}
	for _, payload := range []string{
		"\nfunc init() { panic(1) }", "\r\nfunc init() { panic(1) }", "\rvar hostile = 1", "*/ func init() {} /*", "`; func init() {}",
		"\n//go:generate false", "\n\n//go:embed x", "\n//line /etc/passwd:1", "\u2028func init() {}", "\u0085func init() {}", "\u202e\u2066hidden\u2069", "\ufeff", "\x00\x1b[31m",
	} {
		text, err := json.Marshal("is a text." + payload)
		if err != nil {
			t.Fatal(err)
		}
		actions := ""
		for _, target := range []string{"$.info", "$.paths['/things'].get", "$.components.schemas.A", "$.components.schemas.A.properties.a", "$.components.schemas.A.properties.b"} {
			actions += fmt.Sprintf("  - {target: %q, update: {description: %s, x-doc: %s, x-deprecated: %s}}\n", target, text, text, text)
		}
		actions += fmt.Sprintf("  - {target: \"$.components.schemas.A.properties.b\", update: {x-enum: {c: {description: %s}}}}\n", text)
		actions += fmt.Sprintf("  - {target: $, update: {x-resources: {Things: {description: %s}}}}\n", text)
		pkg, err := compile(property("a: {type: string}, b: {type: string, enum: [c]}"), "overlay: 1.0.0\ninfo: {title: t, version: v}\nactions:\n"+actions)
		if err != nil {
			t.Errorf("%q: %v", payload, err)
			continue
		}
		if _, err := typecheck.Package(imports, pkg); err != nil {
			t.Errorf("%q: %v", payload, err)
		}
		harmless(t, pkg)
	}
}

// TestFileNamesAreSafe uses names with a special meaning to a file system, an operating
// system or the toolchain. Files stay in the package's directory and are compiled on
// all platforms.
func TestFileNamesAreSafe(t *testing.T) {
	for segment, want := range map[string]string{
		"CON": "con_resource", "nul": "nul_resource", "com1": "com1_resource",
		"x_test": "x_test_resource", "x_linux": "x_linux_resource", "x-amd64": "x_amd64_resource",
		"_x": "x", ".x": "x", "init": "init", "main": "main", "func": "func", "types": "types_resource", "client": "client_resource",
		"things_json": "things_json_resource", "linux": "linux", "..": "root", "%2e%2e": "n2e2e", "...": "root",
		"\u0430\u0435": "root", "a\u0430b": "ab", "a:b": "ab", `a\b`: "ab", "aa*bb?cc": "aa_bb_cc",
	} {
		pkg, err := compile(fmt.Sprintf("openapi: 3.0.3\ninfo: {title: t, version: '1'}\npaths:\n  %q: {get: {responses: {204: {description: d}}}}\n", "/"+segment))
		if err != nil {
			t.Errorf("%s: %v", segment, err)
			continue
		}
		if pkg.Files[want+".gen.go"] == nil || len(pkg.Files) != 2 {
			t.Errorf("%s: no %s.gen.go among %d files", segment, want, len(pkg.Files))
			for name := range pkg.Files {
				t.Logf("  %s", name)
			}
		}
		harmless(t, pkg)
	}
	long, err := compile("openapi: 3.0.3\ninfo: {title: t, version: '1'}\npaths:\n  /" + strings.Repeat("a", 300) + ": {get: {responses: {204: {description: d}}}}\n")
	if err != nil {
		t.Fatal(err)
	}
	for name := range long.Files {
		if len(name) > 200 {
			t.Errorf("a file has a name of %d characters", len(name))
		}
	}
	// Two resources with the same file name.
	_, err = compile("openapi: 3.0.3\ninfo: {title: t, version: '1'}\npaths:\n  /a: {get: {responses: {204: {description: d}}}}\n  /b: {get: {responses: {204: {description: d}}}}\n",
		"overlay: 1.0.0\ninfo: {title: t, version: v}\nactions:\n  - {target: \"$.paths['/a'].get\", update: {x-resource: XY}}\n  - {target: \"$.paths['/b'].get\", update: {x-resource: Xy}}\n")
	if err == nil || !strings.Contains(err.Error(), "are both called xy.gen.go [name-collision]") {
		t.Errorf("two resources with the same file: %v", err)
	}
}

// TestOutputStaysInItsDirectory checks the last stage with names that earlier stages
// never return.
func TestOutputStaysInItsDirectory(t *testing.T) {
	outside := t.TempDir()
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for _, link := range []struct{ name, to string }{{"folder", outside}, {"file.gen.go", filepath.Join(outside, "file")}, {"up", ".."}, {"etc", "/etc"}} {
		if err := os.Symlink(link.to, filepath.Join(dir, link.name)); err != nil {
			t.Skip(err)
		}
	}
	for name, code := range map[string]string{
		"../x.gen.go": "[output-outside]", "/etc/x.gen.go": "[output-outside]", "a/../../x.gen.go": "[output-outside]", "": "[output-outside]",
		"folder/x.gen.go": "[output-symlink]", "folder/new/x.gen.go": "[output-symlink]", "file.gen.go": "[output-symlink]",
		"up/x.gen.go": "[output-symlink]", "etc/x.gen.go": "[output-symlink]",
	} {
		plan, err := output.NewPlan(root, map[string][]byte{name: []byte("x")})
		if err == nil {
			err = plan.Apply(root)
			t.Errorf("%q was planned; applying it: %v", name, err)
			continue
		}
		if !strings.Contains(err.Error(), code) {
			t.Errorf("%q: got %v, want %s", name, err, code)
		}
	}
	if entries, err := os.ReadDir(outside); err != nil || len(entries) > 0 {
		t.Errorf("%d files were written outside (%v)", len(entries), err)
	}
}
