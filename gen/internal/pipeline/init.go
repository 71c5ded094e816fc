package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"golang.org/x/mod/modfile"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/source"
)

// Runtime is the package that the clients of another module are built on, and
// runtimeModule is its module.
const (
	Runtime       = runtimeModule + "/transport"
	runtimeModule = "github.com/basiq-sdk/basiq-go"
)

// InitOptions are the options of Init.
type InitOptions struct {
	Dir        string // a folder in the module; the working directory if empty
	Definition string // as source.ParseDefinition parses it
	Name       string // of the domain; after the file or the title of the description if empty
	Version    string // of the runtime and generator that the module is to use, as go get takes it
	Mirror     string // directory that replaces the network
	Endpoints  source.Endpoints
	Client     *http.Client
	Progress   *Progress
}

// Started is what Init set up.
type Started struct {
	Domain    string
	Files     []string // that were written, by path within the module
	Decisions []Decision
	Findings  diag.List
	Call      []string // lines of Go that make a first call
	Imports   []string // that they need
}

// start is a run of Init.
type start struct {
	InitOptions
	root       *os.Root
	module     string
	definition source.Definition
	config     *source.Config
	text       []byte // of the configuration
	lock       *source.Lock
	set        *source.Set
	build      *Build
	result     *Result
	overlay    []byte
	decisions  []Decision
}

// Init sets a module up for the client of one API: it pulls and pins the description,
// decides what the generator has to know, generates, and writes everything at once.
// It writes nothing if anything fails or a file exists already.
func Init(ctx context.Context, o InitOptions) (*Started, error) {
	s := &start{InitOptions: o}
	if err := s.open(); err != nil {
		return nil, err
	}
	defer func() { _ = s.root.Close() }()
	for _, step := range []func(context.Context) error{s.pull, s.free} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	restore, err := s.require(ctx)
	if err != nil {
		return nil, err
	}
	done, err := s.finish(ctx)
	if err != nil {
		return nil, errors.Join(err, restore())
	}
	return done, nil
}

// open finds the module, and what the definition names.
func (s *start) open() error {
	wd, err := os.Getwd()
	if err != nil {
		return err
	}
	dir := filepath.Join(wd, s.Dir)
	if filepath.IsAbs(s.Dir) {
		dir = s.Dir
	}
	for at := dir; ; at = filepath.Dir(at) {
		data, err := os.ReadFile(filepath.Join(at, "go.mod"))
		if err == nil {
			s.Dir, s.module = at, modfile.ModulePath(data)
			break
		}
		if at == filepath.Dir(at) {
			return diag.Errorf(diag.Pos{}, "no-module", "there is no go.mod in %s or a parent directory", dir).
				WithHint("run  go mod init  first: the client becomes a package of that module")
		}
	}
	if s.module == "" {
		return diag.Errorf(diag.Pos{File: "go.mod"}, "no-module", "the file does not name the module").WithHint("add a line such as  module example.com/client")
	}
	if s.definition, err = source.ParseDefinition(s.Definition, s.Dir, wd); err != nil {
		return diag.Errorf(diag.Pos{}, "bad-definition", "%v", err)
	}
	if s.root, err = os.OpenRoot(s.Dir); err != nil {
		return diag.Errorf(diag.Pos{File: s.Dir}, "no-module", "cannot open: %v", err)
	}
	return s.refuse(source.ConfigFile, source.LockFile)
}

// refuse returns an error if one of the files exists.
func (s *start) refuse(names ...string) error {
	for _, name := range names {
		if _, err := s.root.Lstat(filepath.FromSlash(name)); !errors.Is(err, fs.ErrNotExist) {
			return diag.Errorf(diag.Pos{File: name}, "exists", "exists already; init sets up a module that has no clients yet").
				WithHint("to add an API, name it under domains in %s, and run  gen update", source.ConfigFile)
		}
	}
	return nil
}

// provisional is the domain's name while its title is not known.
const provisional = "api"

// pull fetches the description, and names its domain.
func (s *start) pull(ctx context.Context) (err error) {
	if err = s.configure(cmp.Or(s.Name, provisional)); err != nil {
		return err
	}
	s.set, s.lock, err = source.Update(ctx, source.Options{
		Dir: s.Dir, Config: s.config, Mirror: s.Mirror, Endpoints: s.Endpoints, Client: s.Client,
	}, "")
	if err != nil || s.Name != "" {
		return err
	}
	s.Name = s.suggest()
	source.Rename(s.set, s.lock, provisional, s.Name)
	return s.configure(s.Name)
}

// configure makes the configuration.
func (s *start) configure(domain string) (err error) {
	s.text = s.definition.Render(s.module, Runtime, domain)
	if s.config, err = source.ParseConfig(source.ConfigFile, s.text); err == nil {
		return nil
	}
	if s.Name != "" && source.CheckDomain(s.Name) != nil {
		return diag.Errorf(diag.Pos{}, "bad-name", "%q cannot be the name of a domain: it becomes the name of its Go package", s.Name).
			WithHint("use lower-case letters and digits")
	}
	return err
}

// suggest names the domain after the description's file or, if that is called as any
// description might be, after its title.
func (s *start) suggest() string {
	if name := domainOf(strings.TrimSuffix(path.Base(s.definition.File), path.Ext(s.definition.File))); name != provisional {
		return name
	}
	var description struct{ Info struct{ Title string } }
	if yaml.Unmarshal(s.set.Snapshots[0].Origin.Data, &description) != nil {
		return provisional // with whatever else a YAML library may find wrong
	}
	return domainOf(description.Info.Title)
}

// filler are words of titles and files that do not tell an API from others.
var filler = map[string]bool{"api": true, "apis": true, "rest": true, "openapi": true, "swagger": true, "the": true, "public": true, "specification": true, "service": true, "http": true,
	"spec": true, "schema": true, "definition": true, "index": true, "latest": true, "json": true, "yaml": true}

// domainOf makes the name of a domain of the title of a description.
func domainOf(title string) string {
	var name strings.Builder
	for _, word := range strings.FieldsFunc(strings.ToLower(title), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') }) {
		version := strings.Trim(strings.TrimPrefix(word, "v"), "0123456789") == ""
		if filler[word] || version || name.Len()+len(word) > 32 {
			continue
		}
		name.WriteString(word)
	}
	if source.CheckDomain(name.String()) != nil {
		return provisional
	}
	return name.String()
}

// free makes sure that no file exists that Init would write.
func (s *start) free(context.Context) error {
	return s.refuse(s.set.Snapshots[0].Path, directiveFile, s.config.Output, path.Join("overlays", s.Name))
}

// finish generates, and writes all files.
func (s *start) finish(ctx context.Context) (*Started, error) {
	if err := s.generate(ctx); err != nil {
		return nil, s.set.Snapshots[0].Locate(diag.FromError(err, diag.Pos{}))
	}
	r := &repository{root: s.root, config: s.config, opts: Options{Dir: s.Dir, Progress: s.Progress}}
	lock, err := s.lock.Marshal()
	if err != nil {
		return nil, err
	}
	plan, err := r.plan(s.set, s.result, map[string][]byte{
		source.ConfigFile: s.text, source.LockFile: lock, s.overlayFile(): s.overlay, directiveFile: directive(s.Version),
	})
	if err != nil {
		return nil, err
	}
	done := &Started{Domain: s.Name, Files: slices.Sorted(maps.Keys(plan.Write)), Decisions: s.decisions, Findings: s.result.Findings()}
	done.Call, done.Imports = firstCall(s.build, s.base())
	return done, r.write(plan)
}

// overlayFile is the overlay with the decisions.
func (s *start) overlayFile() string { return path.Join("overlays", s.Name, "10-decisions.yaml") }

// directiveFile holds the go:generate directive. Its package has nothing else, so that
// it compiles in whichever module it is.
const directiveFile = "specs/generate.go"

func directive(version string) []byte {
	return []byte("// Package specs holds the pinned descriptions of APIs, of which clients are generated.\npackage specs\n\n" +
		"//go:generate go run " + runtimeModule + "/gen@" + cmp.Or(version, "latest") + " generate\n")
}

// base returns the base URL of the API, "" if the description has none.
func (s *start) base() string {
	server := s.build.Document.Root().Get("servers").Items()
	if len(server) == 0 {
		return ""
	}
	address := server[0].Str("url")
	for _, v := range server[0].Get("variables").Members() {
		address = strings.ReplaceAll(address, "{"+v.Name()+"}", v.Get("default").Text())
	}
	if s.definition.Kind == source.URL {
		return resolve(s.definition.Where, address)
	}
	return address
}

// writeIn writes a file in a temporary folder.
func writeIn(dir, name string, data []byte) error {
	name = filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return fmt.Errorf("make a temporary folder: %w", err)
	}
	return os.WriteFile(name, data, 0o600)
}
