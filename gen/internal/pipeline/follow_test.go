package pipeline_test

import (
	"bytes"
	"maps"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/basiq-sdk/basiq-go/gen/internal/canon"
	"github.com/basiq-sdk/basiq-go/gen/internal/pipeline"
	"github.com/basiq-sdk/basiq-go/gen/internal/source"
)

// Shelves is a description of one method, without and with an optional parameter.
const (
	shelvesWithout = `openapi: 3.0.3
info: {title: Shelves, version: '1'}
paths:
  /books:
    get:
      operationId: listBooks
      responses: {200: {description: d, content: {application/json: {schema: {$ref: '#/components/schemas/Book'}}}}}
components: {schemas: {Book: {type: object, properties: {title: {type: string}}}}}
`
	shelvesParameter = "      parameters: [{name: limit, in: query, schema: {type: integer}}]\n"
)

var shelvesWith = strings.Replace(shelvesWithout, "      operationId", shelvesParameter+"      operationId", 1)

// The configuration of a repository whose only domain is shelves, and its files.
const shelvesConfig = "version: 1\nmodule: example.com/m\nruntime: " + pipeline.Runtime + "\nsource: {path: a}\ndomains: {shelves: {file: shelves.yml}}\n"

func shelvesFiles() fstest.MapFS {
	return fstest.MapFS{
		"overlays/shelves/10.yaml": {Data: []byte("overlay: 1.0.0\ninfo: {title: t, version: 1.0.0}\nactions:\n  - {target: $.info, update: {description: is a client.}}\n")},
		// Today, the method takes its parameters as an argument.
		"overlays/shelves/names.lock": {Data: []byte("GET /books: Books.List\nGET /books params: ListBooksParams\n")},
	}
}

// shelf builds a description of shelves.
func shelf(t *testing.T, config string, files fstest.MapFS, mode pipeline.Mode, cache *pipeline.Cache, description string) (*pipeline.Runner, *pipeline.Build) {
	t.Helper()
	dir, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := source.ParseConfig(source.ConfigFile, []byte(config))
	if err != nil {
		t.Fatal(err)
	}
	data, err := canon.Snapshot("shelves.yml", []byte(description))
	if err != nil {
		t.Fatal(err)
	}
	r := pipeline.NewRunner(t.Context(), pipeline.RunnerOptions{Dir: dir, Config: cfg, Files: files, Mode: mode, Cache: cache})
	res, err := r.Run(t.Context(), []source.Snapshot{source.NewSnapshot("shelves", data, source.Origin{})}, pipeline.StageCheck)
	if err != nil {
		t.Fatal(err)
	}
	if b := res.Builds[0]; !b.Built() || b.Types == nil {
		t.Fatal(b.Err)
	}
	return r, res.Builds[0]
}

func sameFiles(a, b *pipeline.Build) bool {
	return maps.EqualFunc(a.Package.Files, b.Package.Files, bytes.Equal)
}

// TestFollowKeepsTheFormOfMethods builds a description as it follows one whose method
// had no parameters yet: it takes them as an option, whatever the names lock of today
// says. What follows that, and has changed in nothing, is that; what has changed is
// built again.
func TestFollowKeepsTheFormOfMethods(t *testing.T) {
	cache := pipeline.NewCache()
	_, before := shelf(t, shelvesConfig, shelvesFiles(), pipeline.Lenient, cache, shelvesWithout)
	r, after := shelf(t, shelvesConfig, shelvesFiles(), pipeline.Lenient, cache, shelvesWith)
	followed := r.Follow(t.Context(), before, after)
	if followed == after || !followed.Built() || followed.Types == nil || sameFiles(followed, after) {
		t.Fatalf("the method takes its parameters as it does today; error %v", followed.Err)
	}
	if m := followed.Model.Resources[0].Methods[0]; m.Options == nil {
		t.Error("the method has no option")
	}
	if m := after.Model.Resources[0].Methods[0]; m.Options != nil {
		t.Error("the build that follows nothing has changed")
	}
	if again := r.Follow(t.Context(), followed, after); again != followed {
		t.Error("what has not changed is built again")
	}
	// The same, without anything that could be shared.
	_, cold := shelf(t, shelvesConfig, shelvesFiles(), pipeline.Lenient, nil, shelvesWithout)
	rc, fresh := shelf(t, shelvesConfig, shelvesFiles(), pipeline.Lenient, nil, shelvesWith)
	if !sameFiles(rc.Follow(t.Context(), cold, fresh), followed) {
		t.Error("the build differs from one that shares nothing")
	}

	described := shelvesFiles()
	described["overlays/shelves/10.yaml"].Data = bytes.ReplaceAll(described["overlays/shelves/10.yaml"].Data, []byte("is a client"), []byte("is the client"))
	locked := shelvesFiles()
	locked["overlays/shelves/names.lock"].Data = append(locked["overlays/shelves/names.lock"].Data, "type /components/schemas/Book: Volume\n"...)
	for name, c := range map[string]struct {
		files       fstest.MapFS
		description string
	}{
		"description": {shelvesFiles(), strings.ReplaceAll(shelvesWith, "title: {type: string}", "title: {type: string}, isbn: {type: string}")},
		"overlay":     {described, shelvesWith},
		"names lock":  {locked, shelvesWith},
	} {
		r, changed := shelf(t, shelvesConfig, c.files, pipeline.Lenient, cache, c.description)
		next := r.Follow(t.Context(), followed, changed)
		if next == followed || sameFiles(next, followed) || next.Model.Resources[0].Methods[0].Options == nil {
			t.Errorf("after another %s, the build is the one before", name)
		}
	}
}

// TestEveryInputLeadsToABuildOfItsOwn changes each input of a build, one at a time: a
// cache does not return the build of the others. Nothing is built again for equal ones.
func TestEveryInputLeadsToABuildOfItsOwn(t *testing.T) {
	cache := pipeline.NewCache()
	_, first := shelf(t, shelvesConfig, shelvesFiles(), pipeline.Lenient, cache, shelvesWith)
	if _, again := shelf(t, shelvesConfig, shelvesFiles(), pipeline.Lenient, cache, "# prose\n"+shelvesWith); again != first {
		t.Error("equal inputs are built twice")
	}
	edit := func(name, old, new string) fstest.MapFS {
		files := shelvesFiles()
		files[name].Data = bytes.Replace(files[name].Data, []byte(old), []byte(new), 1)
		return files
	}
	more := shelvesFiles()
	more["overlays/shelves/20.yaml"] = &fstest.MapFile{Data: []byte("overlay: 1.0.0\ninfo: {title: t, version: 1.0.0}\nactions:\n  - {target: $.info, update: {x-example: fmt.Println()}}\n")}
	seen := map[*pipeline.Build]string{first: "nothing"}
	for _, c := range []struct {
		input, config string
		files         fstest.MapFS
		mode          pipeline.Mode
		description   string
	}{
		{"the description", shelvesConfig, shelvesFiles(), pipeline.Lenient, shelvesWithout},
		{"an overlay", shelvesConfig, edit("overlays/shelves/10.yaml", "a client", "the client"), pipeline.Lenient, shelvesWith},
		{"the number of overlays", shelvesConfig, more, pipeline.Lenient, shelvesWith},
		{"the names lock", shelvesConfig, edit("overlays/shelves/names.lock", "Books.List", "Books.Browse"), pipeline.Lenient, shelvesWith},
		{"the module", strings.Replace(shelvesConfig, "example.com/m", "example.com/n", 1), shelvesFiles(), pipeline.Lenient, shelvesWith},
		{"the folder", shelvesConfig + "output: clients\n", shelvesFiles(), pipeline.Lenient, shelvesWith},
		{"the package", strings.Replace(shelvesConfig, "file: shelves.yml", "file: shelves.yml, package: stacks", 1), shelvesFiles(), pipeline.Lenient, shelvesWith},
		{"the mode", shelvesConfig, shelvesFiles(), pipeline.Strict, shelvesWith},
	} {
		_, b := shelf(t, c.config, c.files, c.mode, cache, c.description)
		if of, ok := seen[b]; ok {
			t.Errorf("with %s changed, the build is that with %s changed", c.input, of)
		}
		seen[b] = c.input
	}
}
