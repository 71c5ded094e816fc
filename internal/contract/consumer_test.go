package contract_test

import (
	"bytes"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

const (
	sdk     = "github.com/basiq-sdk/basiq-go"
	version = "v0.0.1"
)

// TestAddingTheSDKUpgradesNoOtherModule adds the SDK, as a module proxy would serve it, to
// a program that depends on old versions of modules that the generator also uses. The
// program must still compile with those versions: if the generator's requirements
// leaked, they would be upgraded.
//
// The old modules are stand-ins that are served from a directory, so that the test does
// not need a network. Newer versions of them are not served.
func TestAddingTheSDKUpgradesNoOtherModule(t *testing.T) {
	proxy := t.TempDir()
	for _, m := range []module.Version{
		{Path: "github.com/getkin/kin-openapi", Version: "v0.120.0"},
		{Path: "golang.org/x/exp", Version: "v0.0.0-20230905200255-921286631fa9"},
		{Path: "golang.org/x/tools", Version: "v0.1.0"},
	} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "go.mod"), "module "+m.Path+"\n\ngo 1.20\n")
		write(t, filepath.Join(dir, "old", "old.go"), "package old\n\nconst Version = \""+m.Version+"\"\n")
		publish(t, proxy, m, dir)
	}
	repo, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	publish(t, proxy, module.Version{Path: sdk, Version: version}, repo)

	consumer := t.TempDir()
	goCommand := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("go", args...)
		cmd.Dir = consumer
		// go-cmp comes from the module cache of the test run, whose download
		// directory has the layout of a module proxy.
		cmd.Env = append(os.Environ(), "GOFLAGS=-modcacherw", "GOWORK=off", "GOSUMDB=off", "GOTOOLCHAIN=local",
			"GOMODCACHE="+filepath.Join(consumer, ".mod"),
			"GOPROXY="+fileURL(proxy)+","+fileURL(filepath.Join(moduleCache(t), "cache", "download"))+",off")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	write(t, filepath.Join(consumer, "go.mod"), `module example.com/consumer

go 1.26

require (
	github.com/getkin/kin-openapi v0.120.0
	golang.org/x/exp v0.0.0-20230905200255-921286631fa9
	golang.org/x/tools v0.1.0
)
`)
	write(t, filepath.Join(consumer, "main.go"), `package main

import (
	kin "github.com/getkin/kin-openapi/old"
	exp "golang.org/x/exp/old"
	tools "golang.org/x/tools/old"
)

func main() { println(kin.Version, exp.Version, tools.Version) }
`)
	goCommand("mod", "tidy")
	goCommand("build", "./...")
	before := strings.Fields(goCommand("list", "-m", "-f", "{{if not .Main}}{{.Path}}@{{.Version}}{{end}}", "all"))

	write(t, filepath.Join(consumer, "bank.go"), `package main

import (
	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/webhook"
)

var (
	_ = basiq.NewClient
	_ = basiqtest.Start
	_ = webhook.NewVerifier
)
`)
	goCommand("get", sdk+"@"+version)
	goCommand("mod", "tidy")
	compileAtHome(t, consumer, repo, goCommand)
	after := strings.Fields(goCommand("list", "-m", "-f", "{{if not .Main}}{{.Path}}@{{.Version}}{{end}}", "all"))
	added := slices.DeleteFunc(slices.Clone(after), func(m string) bool { return slices.Contains(before, m) })
	for _, m := range before {
		if !slices.Contains(after, m) {
			t.Errorf("%s has changed: %v", m, after)
		}
	}
	if len(added) != 2 || added[0] != sdk+"@"+version || !strings.HasPrefix(added[1], "github.com/google/go-cmp@") {
		t.Errorf("the SDK adds %v, want only itself and go-cmp, which is not built", added)
	}
	sums, err := os.ReadFile(filepath.Join(consumer, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(sums)) {
		path, _, _ := strings.Cut(line, " ")
		if path != sdk && path != "github.com/google/go-cmp" && !slices.ContainsFunc(before, func(m string) bool { return strings.HasPrefix(m, path+"@") }) {
			t.Errorf("go.sum has the unexpected line %s", line)
		}
	}
}

// compileAtHome compiles a program that requires the published SDK. The go command would
// compile the SDK once more where it is downloaded to, so that it is compiled in the
// repository, in the same program and with the same versions of other modules. What is
// downloaded must be the same files.
func compileAtHome(t *testing.T, consumer, repo string, goCommand func(args ...string) string) {
	t.Helper()
	const format = `{{with .Module}}{{if eq .Path "` + sdk + `"}}{{$.ImportPath}} {{join $.GoFiles " "}} {{join $.SFiles " "}} {{join $.EmbedFiles " "}}{{end}}{{end}}`
	packages := 0
	for line := range strings.Lines(goCommand("list", "-deps", "-f", format, "./...")) {
		packages++
		fields := strings.Fields(line)
		dir := filepath.FromSlash(strings.TrimPrefix(strings.TrimPrefix(fields[0], sdk), "/"))
		for _, name := range fields[1:] {
			published, err := os.ReadFile(filepath.Join(consumer, ".mod", filepath.FromSlash(sdk)+"@"+version, dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if ours, err := os.ReadFile(filepath.Join(repo, dir, name)); err != nil || !bytes.Equal(ours, published) {
				t.Errorf("%s of the published module is not that of the repository: %v", filepath.Join(dir, name), err)
			}
		}
	}
	if packages < 15 {
		t.Errorf("the program imports only %d packages of the SDK", packages)
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		data, err := os.ReadFile(filepath.Join(consumer, name))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(consumer, strings.Replace(name, "go.", "home.", 1)), string(data))
	}
	goCommand("mod", "edit", "-replace", sdk+"="+repo, "home.mod")
	goCommand("build", "-modfile=home.mod", "./...")
}

// publish adds a module to a directory that has the layout of a module proxy.
func publish(t *testing.T, proxy string, m module.Version, dir string) {
	t.Helper()
	escaped, err := module.EscapePath(m.Path)
	if err != nil {
		t.Fatal(err)
	}
	at := filepath.Join(proxy, filepath.FromSlash(escaped), "@v")
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(at, m.Version+".mod"), string(mod))
	write(t, filepath.Join(at, m.Version+".info"), `{"Version":"`+m.Version+`","Time":"2026-01-01T00:00:00Z"}`)
	write(t, filepath.Join(at, "list"), m.Version+"\n")
	var archive bytes.Buffer
	if err := zip.CreateFromDir(&archive, m, dir); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(at, m.Version+".zip"), archive.String())
}

func fileURL(path string) string {
	return (&url.URL{Scheme: "file", Path: "/" + strings.TrimPrefix(filepath.ToSlash(path), "/")}).String()
}

func moduleCache(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
