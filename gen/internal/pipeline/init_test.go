package pipeline_test

import (
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/gen/internal/pipeline"
	"github.com/basiq-sdk/basiq-go/gen/internal/source"
)

// shelves is a description of an API. BASE is its base URL.
const shelves = `openapi: 3.0.3
info: {title: The Shelves API (v2), version: '2'}
servers: [{url: BASE}]
security: [{key: []}]
paths:
  /shelves:
    post:
      operationId: addShelf
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Shelf'}}}}
      responses: {204: {description: d}}
    get:
      operationId: listShelves
      parameters: [{name: X-Library, in: header, required: true, schema: {type: string}}]
      responses: {200: {description: d, content: {application/json: {schema: {$ref: '#/components/schemas/Shelves'}}}}}
components:
  securitySchemes: {key: {type: apiKey, in: header, name: X-Key}}
  schemas:
    Shelves: {type: object, properties: {shelves: {type: array, items: {$ref: '#/components/schemas/Shelf'}}}}
    Shelf: {type: object, properties: {room: {type: string}}}
`

// module makes a module that can have a client, with the files of the arguments, name and
// text in turn.
func module(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	requireRepository(t, dir)
	for i := 0; i < len(files); i += 2 {
		write(t, filepath.Join(dir, filepath.FromSlash(files[i])), []byte(files[i+1]))
	}
	return dir
}

// requireRepository writes the go.mod of a module that requires this repository.
func requireRepository(t testing.TB, dir string) {
	t.Helper()
	repo, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "go.sum"), readFile(t, filepath.Join(repo, "go.sum")))
	write(t, filepath.Join(dir, "go.mod"), fmt.Appendf(nil, "module example.com/app\n\ngo 1.26.0\n\nrequire github.com/basiq-sdk/basiq-go v0.0.0\n\nreplace github.com/basiq-sdk/basiq-go => %q\n", filepath.ToSlash(repo)))
	t.Setenv("GOFLAGS", "-mod=mod")
	t.Setenv("GOPROXY", "off")
	t.Setenv("GOWORK", "off")
}

// tree returns the files below dir with their contents.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		rel, _ := filepath.Rel(dir, name)
		out[filepath.ToSlash(rel)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestInitPrintsAFirstCallThatWorks runs the lines that init prints, as they are.
func TestInitPrintsAFirstCallThatWorks(t *testing.T) {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Method + " " + r.URL.Path + " " + r.Header.Get("X-Key") + " " + r.Header.Get("X-Library"); got != "GET /v2/shelves the-key X-Library" {
			t.Errorf("the server got %s", got)
		}
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"shelves":[{"room":"attic"}]}`)
	}))
	defer api.Close()
	dir := module(t, "api/openapi.yaml", strings.ReplaceAll(shelves, "BASE", "'"+api.URL+"/{version}/', variables: {version: {default: v2}}"))
	done, err := pipeline.Init(t.Context(), pipeline.InitOptions{Dir: dir, Definition: filepath.Join(dir, "api", "openapi.yaml")})
	if err != nil {
		t.Fatal(err)
	}
	if done.Domain != "shelves" || len(done.Decisions) > 0 || len(done.Call) != 5 {
		t.Fatalf("got %+v", done)
	}
	program := "package main\n\nimport (\n\t\"" + strings.Join(done.Imports, "\"\n\t\"") + "\"\n)\n\nfunc main() {\n\t" + strings.Join(done.Call, "\n\t") + "\n}\n"
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(program), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "run", ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "SHELVES_KEY=the-key")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "attic") || !strings.Contains(string(out), "<nil>") {
		t.Errorf("%v\n%s\n%s", err, out, program)
	}
	files := tree(t, dir)
	if !strings.Contains(files["specs/generate.go"], "\n//go:generate go run github.com/basiq-sdk/basiq-go/gen@latest generate\n") {
		t.Errorf("specs/generate.go is %s", files["specs/generate.go"])
	}
	var progress strings.Builder
	if err := pipeline.Generate(t.Context(), pipeline.Options{Dir: dir, Progress: pipeline.NewProgress(&progress, false, false)}); err != nil || !strings.Contains(progress.String(), "nothing to do") {
		t.Errorf("gen generate afterwards: %v, %s", err, &progress)
	}
}

func TestInitTakesEveryKindOfDefinition(t *testing.T) {
	commit := strings.Repeat("1", 40)
	description := strings.ReplaceAll(shelves, "BASE", "/base")
	answers := map[string]string{
		"/repos/o/r/commits/main": commit, "/o/r/" + commit + "/specs/openapi.yaml": description, "/docs/shelves.yaml": description, "/registry/0123456789ab": description,
	}
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if answers[r.URL.Path] == "" {
			http.NotFound(w, r)
		}
		io.WriteString(w, answers[r.URL.Path])
	}))
	defer s.Close()
	for _, c := range []struct{ definition, source, lock, base, mirror string }{
		{definition: "github:o/r@main:specs/openapi.yaml", source: "source:\n  github: o/r\n  ref: main\ndomains:\n  shelves:\n    file: specs/openapi.yaml\n", lock: "\ncommit: \"" + commit + "\"\n", base: "https://api.example.com/base"},
		{definition: "github:o/r@main:specs/openapi.yaml", source: "  github: o/r\n", lock: "\ncommit: \"" + commit + "\"\n", base: "https://api.example.com/base", mirror: "mirror"},
		{definition: s.URL + "/docs/shelves.yaml", source: "source:\n  url: " + s.URL + "/docs/shelves.yaml\n", lock: "    document: ", base: s.URL + "/base"},
		{definition: "@Shelves_API/v2#0123456789ab", source: "source:\n  readme: '@Shelves_API/v2#0123456789ab'\n", lock: "    document: ", base: "https://api.example.com/base"},
		{definition: "@shelves#0123456789ab", source: "source:\n  readme: '@shelves#0123456789ab'\n", lock: "    document: ", base: "https://api.example.com/base"},
		{definition: "api/shelves_v2.json", source: "source:\n  path: api\ndomains:\n  shelves:\n    file: shelves_v2.json\n", lock: "    document: ", base: "https://api.example.com/base"},
	} {
		t.Run(c.definition+c.mirror, func(t *testing.T) {
			dir := module(t, "api/shelves_v2.json", description, "mirror/main", commit, "mirror/"+commit+"/specs/openapi.yaml", description)
			t.Chdir(dir)
			o := pipeline.InitOptions{
				Definition: c.definition, Client: s.Client(), Mirror: c.mirror,
				Endpoints: source.Endpoints{GitHubAPI: s.URL, GitHubRaw: s.URL, Readme: s.URL + "/registry"},
			}
			if c.mirror != "" {
				o.Client = &http.Client{Transport: http.NewFileTransport(http.Dir("nowhere"))}
			}
			done, err := pipeline.Init(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			files := tree(t, dir)
			if !strings.Contains(files["specs/sources.yaml"], c.source) {
				t.Errorf("sources.yaml is\n%s\nwant\n%s", files["specs/sources.yaml"], c.source)
			}
			if !strings.Contains(files["specs/specs.lock"], c.lock) {
				t.Errorf("specs.lock is\n%s\nwant %s", files["specs/specs.lock"], c.lock)
			}
			if !strings.Contains(done.Call[0], "WithBaseURL(\""+c.base+"\")") {
				t.Errorf("the first call is %s, want the base URL %s", done.Call[0], c.base)
			}
		})
	}
}

func TestInitWritesNothingIfItFails(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/redirect":
			http.Redirect(w, r, "/page", http.StatusFound)
		case "/page":
			io.WriteString(w, "<html>")
		default:
			http.NotFound(w, r)
		}
	}))
	defer s.Close()
	description := strings.ReplaceAll(shelves, "BASE", "/")
	for _, c := range []struct {
		name, definition, domain, want string
		files                          []string
	}{
		{"no definition", "", "", `the definition is empty`, nil},
		{"a file that does not exist", "b.yaml", "", `b\.yaml does not exist.*\[no-document\]|has no file b\.yaml`, nil},
		{"a page", s.URL + "/page", "", `\[not-a-mapping\]`, nil},
		{"a redirect", s.URL + "/redirect", "", `redirects are not followed`, nil},
		{"not found", s.URL + "/nothing", "", `404`, nil},
		{"plain HTTP", "http://api.example/shelves.yaml", "", `the scheme of .* is not https`, nil},
		{"credentials in a URL", "https://user:pw@api.example/shelves.yaml", "", `the URL of api\.example contains credentials`, nil},
		{"no file of a repository", "github:o/r@main", "", `not of the form github:owner/repository@ref:path`, nil},
		{"not an ID", "@shelves", "", `not a registry ID`, nil},
		{"a name that no package can have", "shelves.yaml", "func", `"func" cannot be the name of a domain`, nil},
		{"a configuration", "shelves.yaml", "", `specs/sources\.yaml: exists already`, []string{"specs/sources.yaml", "version: 1\n"}},
		{"a lock", "shelves.yaml", "", `specs/specs\.lock: exists already`, []string{"specs/specs.lock", "version: 1\n"}},
		{"overlays", "shelves.yaml", "", `overlays/shelves: exists already`, []string{"overlays/shelves/a.yaml", ""}},
		{"the folder of the output", "shelves.yaml", "", `generated: exists already`, []string{"generated/a.go", "package a\n"}},
		{"an API without anything that works", "bad.yaml", "", `\[`, []string{"bad.yaml", "openapi: 3.0.3\ninfo: {title: t, version: '1'}\nsecurity: [{none: []}]\npaths: {/a: {get: {responses: {204: {description: d}}}}}\n"}},
		{"a runtime that cannot be had", "shelves.yaml", "", `go get github\.com/basiq-sdk/basiq-go@latest: .*(?s:.)*\[no-runtime\]`, []string{"go.mod", "module example.com/app\n\ngo 1.26.0\n"}},
		{"no module", "shelves.yaml", "", `the file does not name the module`, []string{"go.mod", "go 1.26.0\n"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := module(t, append([]string{"shelves.yaml", description}, c.files...)...)
			t.Chdir(dir)
			before := tree(t, dir)
			_, err := pipeline.Init(t.Context(), pipeline.InitOptions{Definition: c.definition, Name: c.domain, Client: s.Client()})
			if err == nil || !regexp.MustCompile(c.want).MatchString(err.Error()) {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if after := tree(t, dir); fmt.Sprint(after) != fmt.Sprint(before) {
				t.Errorf("the module has changed: %q", after)
			}
		})
	}
}

// TestInitRequiresTheRuntime has a module that does not require it yet.
func TestInitRequiresTheRuntime(t *testing.T) {
	dir := module(t, "shelves.yaml", strings.ReplaceAll(shelves, "BASE", "/"))
	t.Chdir(dir)
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	without := strings.Replace(string(mod), "require github.com/basiq-sdk/basiq-go v0.0.0\n", "", 1)
	if err := os.WriteFile("go.mod", []byte(without), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := pipeline.Init(t.Context(), pipeline.InitOptions{Definition: "shelves.yaml"}); err != nil {
		t.Fatal(err)
	}
	if got := tree(t, dir)["go.mod"]; !strings.Contains(got, "require github.com/basiq-sdk/basiq-go v0.0.0-") {
		t.Errorf("go.mod is %s", got)
	}
}

// TestInitLeavesOutNoMoreThanItMust has a description with faults in several places, each
// of which would stop gen generate.
func TestInitLeavesOutNoMoreThanItMust(t *testing.T) {
	dir := module(t, "things.yaml", `openapi: 3.0.3
info: {title: Things, version: '1'}
paths:
  /things/{id}:
    get: {operationId: getThing, responses: {200: {description: d, content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}}}}
  /things:
    get: {operationId: listThings, responses: {200: {description: d, content: {application/json: {schema: {$ref: '#/components/schemas/Things'}}}}}}
components:
  schemas:
    Things: {type: object, properties: {things: {type: array, items: {$ref: '#/components/schemas/Thing'}}}}
    Thing:
      type: object
      required: [size]
      properties: {size: {type: integer}, color: {allOf: [{$ref: '#/components/schemas/Thing/properties/color'}]}}
`)
	t.Chdir(dir)
	done, err := pipeline.Init(t.Context(), pipeline.InitOptions{Definition: "things.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	var decisions []string
	for _, d := range done.Decisions {
		decisions = append(decisions, d.Text+" ["+d.Finding.Code+"]")
	}
	want := []string{
		"leaves out GET /things/{id} [path-parameter]",
		"keeps components/schemas/Thing/properties/color as raw JSON [allof-cycle]",
	}
	if strings.Join(decisions, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(decisions, "\n"), strings.Join(want, "\n"))
	}
	types := tree(t, dir)["generated/things/types.gen.go"]
	for _, field := range []string{"Size +int ", "Color +value.JSON "} {
		if !regexp.MustCompile(`\t` + field).MatchString(types) {
			t.Errorf("types.gen.go has no field %s:\n%s", field, types)
		}
	}
}
