// Package source fetches the API specifications. specs/sources.yaml configures where
// they come from, and specs/specs.lock pins their version.
package source

import (
	"fmt"
	"go/token"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/canon"
	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
)

// Files of the configuration, relative to the repository.
const (
	ConfigFile = "specs/sources.yaml"
	LockFile   = "specs/specs.lock"
)

// Config is specs/sources.yaml.
type Config struct {
	Module   string // import path of the repository's module
	Output   string // directory of the generated packages, relative to the repository
	Routes   string // directory of the package with the table of operations; none if empty
	Commands string // directory of the package with the commands of a command line; none if empty
	Client   string // import path of the package whose Client has a field for each domain; none if empty
	Runtime  string // import path of the transport package
	Default  string // name of the source of the domains that name no other
	Sources  map[string]Location
	Domains  map[string]DomainConfig
}

// DomainConfig is the configuration of a domain: a specification and the package that is generated from it.
type DomainConfig struct {
	File     string
	Package  string
	Overlays []string                  // globs; the default is overlays/common/*.yaml and overlays/<domain>/*.yaml
	Source   string                    // name of its source in Config.Sources
	Shapes   map[string]canon.Decision // of shared schemas that upstream wrote out with different shapes
	Pos      diag.Pos                  // of the file's name
}

// Kind is a kind of source.
type Kind string

// Kinds of sources.
const (
	GitHub Kind = "github" // files of a repository, by commit
	URL    Kind = "url"    // a document, or several below a URL
	Path   Kind = "path"   // a file, a directory, or a mirror by commit
	Readme Kind = "readme" // a document in ReadMe's registry
)

// Location is where specifications come from.
type Location struct {
	Name   string // unique in the configuration: what --to and mirrors call it
	Kind   Kind
	Where  string // owner/repository, URL, path, or registry ID
	Ref    string // branch, tag or commit
	Folder string // directory of the files within a repository
	Pos    diag.Pos
}

// String returns the source as the lock records it.
func (l Location) String() string {
	s := string(l.Kind) + ":" + l.Where
	if l.Folder != "" {
		s += "//" + l.Folder
	}
	return s
}

// LoadConfig parses specs/sources.yaml of the repository in dir.
func LoadConfig(dir string) (*Config, error) {
	data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(ConfigFile)))
	if err != nil {
		return nil, diag.Errorf(diag.Pos{File: ConfigFile}, "no-sources", "cannot be read: %v", err).
			WithHint("run the command in the repository, or set --dir")
	}
	return ParseConfig(ConfigFile, data)
}

var (
	domainName = regexp.MustCompile(`^[a-z][a-z0-9]{0,31}$`)
	schemaName = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)
	sourceName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)
	modulePath = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._~/-]*$`)
	fileName   = regexp.MustCompile(`^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$`)
	repository = regexp.MustCompile(`^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$`)
	refName    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_./-]{0,199}$`)
)

// ParseConfig parses a configuration. Unknown keys are errors.
func ParseConfig(file string, data []byte) (*Config, error) {
	root, err := canon.Parse(file, data)
	if err != nil {
		return nil, err
	}
	p := &parser{file: file}
	cfg := &Config{Output: "generated", Default: DefaultSource, Sources: map[string]Location{}, Domains: map[string]DomainConfig{}}
	p.members(root, "the configuration", map[string]func(*yaml.Node){
		"version": func(n *yaml.Node) {
			if n.Value != "1" {
				p.errorf(n, "bad-version", "version %q is not supported", n.Value).WithHint("set version to 1")
			}
		},
		"module":   func(n *yaml.Node) { cfg.Module = p.match(n, modulePath, "a module path") },
		"output":   func(n *yaml.Node) { cfg.Output = p.local(n) },
		"routes":   func(n *yaml.Node) { cfg.Routes = p.packageFolder(n, "routes") },
		"commands": func(n *yaml.Node) { cfg.Commands = p.packageFolder(n, "commands") },
		"client":   func(n *yaml.Node) { cfg.Client = p.match(n, modulePath, "an import path") },
		"runtime":  func(n *yaml.Node) { cfg.Runtime = p.match(n, modulePath, "an import path") },
		"source":   func(n *yaml.Node) { cfg.Default = p.source(n, cfg, DefaultSource) },
		"sources":  func(n *yaml.Node) { p.sources(n, cfg) },
		"domains":  func(n *yaml.Node) { p.domains(n, cfg) },
	}, "version", "module", "runtime", "source", "domains")
	p.resolve(root, cfg)
	p.ownFolders(root, cfg)
	if err := p.errs.Err(); err != nil {
		return nil, err
	}
	return cfg, nil
}

// ownFolders refuses to generate into a folder that holds something else:
// generated files that a run no longer makes are removed from it.
func (p *parser) ownFolders(root *yaml.Node, cfg *Config) {
	others := []string{"specs", "overlays"}
	if local, ok := strings.CutPrefix(cfg.Runtime, cfg.Module+"/"); ok {
		others = append(others, local)
	}
	folders := map[string]string{"output": cfg.Output, "routes": cfg.Routes, "commands": cfg.Commands}
	for key, folder := range folders {
		if folder == "" {
			continue
		}
		at := root
		if n := member(root, key); n != nil {
			at = n
		}
		holds := func(other string) bool {
			return folder == "." || other == folder || strings.HasPrefix(other, folder+"/")
		}
		first, _, _ := strings.Cut(folder, "/")
		switch i := slices.IndexFunc(others, holds); {
		case i >= 0:
			p.errorf(at, "bad-value", "%s is %q, which contains %s: it must be a separate directory", key, folder, others[i]).
				WithHint("name a directory for generated files only, such as  generated")
		case slices.Contains(others, first) || first == "vendor" || strings.HasPrefix(first, "."):
			p.errorf(at, "bad-value", "%s is %q, which is within %s: it must be a separate directory", key, folder, first).
				WithHint("name a directory for generated files only, such as  generated")
		}
	}
	for _, pair := range [][2]string{{"output", "routes"}, {"output", "commands"}, {"routes", "commands"}} {
		if folder := folders[pair[0]]; folder != "" && folder == folders[pair[1]] {
			p.errorf(root, "bad-value", "%s and %s are the same directory, %q", pair[0], pair[1], folder)
		}
	}
}

// packageFolder returns the directory of one package.
func (p *parser) packageFolder(n *yaml.Node, key string) string {
	p.packageName(&yaml.Node{Value: path.Base(n.Value), Line: n.Line, Column: n.Column})
	folder := p.local(n)
	if !domainName.MatchString(path.Base(folder)) {
		p.errorf(n, "bad-value", "%s is %q, whose last element is not a valid package name", key, n.Value)
	}
	return folder
}

// parser parses the files of this package and collects errors.
type parser struct {
	file string
	errs diag.List
}

func (p *parser) errorf(n *yaml.Node, code, format string, args ...any) *diag.Annotation {
	a := diag.Errorf(diag.Pos{File: p.file, Line: n.Line, Col: n.Column}, code, format, args...)
	p.errs = append(p.errs, a)
	return a
}

// members passes each member of a mapping to its function in known.
func (p *parser) members(n *yaml.Node, what string, known map[string]func(*yaml.Node), required ...string) {
	if n.Kind != yaml.MappingNode {
		p.errorf(n, "bad-value", "%s must be a mapping", what)
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		read := known[k.Value]
		if read == nil {
			p.errorf(k, "unknown-key", "%q is not a key of %s", k.Value, what).
				WithHint("use one of %s", strings.Join(slices.Sorted(maps.Keys(known)), ", "))
			continue
		}
		seen[k.Value] = true
		read(v)
	}
	for _, key := range required {
		if !seen[key] {
			p.errorf(n, "missing-key", "%s has no %q", what, key)
		}
	}
}

func (p *parser) text(n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode || n.Value == "" {
		p.errorf(n, "bad-value", "the value must be a non-empty string")
		return ""
	}
	return n.Value
}

func (p *parser) match(n *yaml.Node, re *regexp.Regexp, what string) string {
	s := p.text(n)
	if s != "" && (!re.MatchString(s) || strings.Contains(s, "..")) {
		p.errorf(n, "bad-value", "%q is not %s", s, what)
	}
	return s
}

// local parses a path that must be within the repository.
func (p *parser) local(n *yaml.Node) string {
	s := p.match(n, fileName, "a path within the repository")
	if s != "" && !filepath.IsLocal(filepath.FromSlash(s)) {
		p.errorf(n, "bad-value", "%q is outside the repository", s)
	}
	return path.Clean(s)
}

// DefaultSource is the name of the configuration's source if it has none.
const DefaultSource = "default"

// source parses the source of a domain or of the configuration: the name of one
// of the sources, or a source of its own, which is called own.
func (p *parser) source(n *yaml.Node, cfg *Config, own string) (name string) {
	if n.Kind == yaml.ScalarNode {
		return p.match(n, sourceName, "the name of a source")
	}
	p.declare(n, cfg, own, p.location(n))
	return own
}

func (p *parser) sources(n *yaml.Node, cfg *Config) {
	if n.Kind != yaml.MappingNode {
		p.errorf(n, "bad-value", "sources must be a mapping of names to sources")
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		p.declare(key, cfg, p.match(key, sourceName, "the name of a source"), p.location(n.Content[i+1]))
	}
}

func (p *parser) declare(n *yaml.Node, cfg *Config, name string, l Location) {
	if _, dup := cfg.Sources[name]; dup {
		p.errorf(n, "bad-source", "two sources are called %s", name).
			WithHint("a source that a domain does not share has the domain's name, and that of the configuration is called %s; give the other one a different name", DefaultSource)
		return
	}
	l.Name = name
	cfg.Sources[name] = l
}

// resolve looks up the sources that are given by name, wherever in the file they
// are declared.
func (p *parser) resolve(root *yaml.Node, cfg *Config) {
	known := func(n *yaml.Node, name string) {
		if _, ok := cfg.Sources[name]; !ok && name != "" && n != nil && n.Kind == yaml.ScalarNode {
			p.errorf(n, "no-source", "there is no source %q", name).
				WithHint("use one of %s, or add it under sources", strings.Join(slices.Sorted(maps.Keys(cfg.Sources)), ", "))
		}
	}
	known(member(root, "source"), cfg.Default)
	domains := member(root, "domains")
	for _, name := range cfg.names() {
		d, n := cfg.Domains[name], member(domains, name)
		if d.Source == "" {
			d.Source = cfg.Default
		}
		known(member(n, "source"), d.Source)
		if _, shared := cfg.Sources[name]; shared && d.Source != name {
			p.errorf(n, "bad-source", "domain %s has the name of a source that it does not use", name).
				WithHint("give the source a different name: --to takes the names of both")
		}
		if ref := member(n, "ref"); ref != nil {
			l := cfg.Sources[d.Source]
			l.Ref, l.Pos = p.match(ref, refName, "a branch, tag or commit"), diag.Pos{File: p.file, Line: ref.Line, Col: ref.Column}
			if d.Source == name { // its own source, which has a ref already
				p.errorf(ref, "bad-source", "domain %s has a source of its own, which the ref belongs to", name)
			}
			p.declare(ref, cfg, name, l)
			d.Source = name
		}
		cfg.Domains[name] = d
	}
}

func member(n *yaml.Node, key string) *yaml.Node {
	for i := 0; n != nil && n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

func (p *parser) location(n *yaml.Node) Location {
	l := Location{Pos: diag.Pos{File: p.file, Line: n.Line, Col: n.Column}}
	set := func(kind Kind, where string) {
		if l.Kind != "" {
			p.errorf(n, "bad-source", "a source has both %s and %s; only one is allowed", l.Kind, kind)
		}
		l.Kind, l.Where = kind, where
	}
	p.members(n, "a source", map[string]func(*yaml.Node){
		"github": func(v *yaml.Node) { set(GitHub, p.match(v, repository, "owner/repository")) },
		"url":    func(v *yaml.Node) { set(URL, p.text(v)) },
		"path":   func(v *yaml.Node) { set(Path, p.text(v)) },
		"readme": func(v *yaml.Node) {
			set(Readme, p.text(v))
			if _, err := ParseReadmeID(v.Value); err != nil {
				p.errorf(v, "bad-source", "%v", err)
			}
		},
		"ref":    func(v *yaml.Node) { l.Ref = p.match(v, refName, "a branch, tag or commit") },
		"folder": func(v *yaml.Node) { l.Folder = p.local(v) },
	})
	switch {
	case l.Kind == "":
		p.errorf(n, "bad-source", "a source needs one of github, url, path and readme")
	case l.Kind == GitHub && l.Ref == "":
		p.errorf(n, "bad-source", "a github source needs a ref: a branch, tag or commit")
	}
	return l
}

func (p *parser) domains(n *yaml.Node, cfg *Config) {
	if n.Kind != yaml.MappingNode || len(n.Content) == 0 {
		p.errorf(n, "bad-value", "domains must have at least one domain")
		return
	}
	packages := map[string]string{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, v := n.Content[i], n.Content[i+1]
		if !domainName.MatchString(name.Value) {
			p.errorf(name, "bad-value", "%q is not a valid domain name", name.Value).WithHint("use lower-case letters and digits")
			continue
		}
		d := DomainConfig{}
		p.members(v, "domain "+name.Value, map[string]func(*yaml.Node){
			"file": func(v *yaml.Node) {
				d.File, d.Pos = p.local(v), diag.Pos{File: p.file, Line: v.Line, Col: v.Column}
			},
			"package": func(v *yaml.Node) {
				p.match(v, domainName, "a package name")
				d.Package = p.packageName(v)
			},
			"overlays": func(v *yaml.Node) {
				for _, g := range v.Content {
					d.Overlays = append(d.Overlays, p.text(g))
				}
			},
			"source": func(v *yaml.Node) { d.Source = p.source(v, cfg, name.Value) },
			"shapes": func(v *yaml.Node) { d.Shapes = p.shapes(v) },
			"ref":    func(*yaml.Node) {}, // belongs to the source, which may be named further down
		}, "file")
		if d.Package == "" {
			d.Package = p.packageName(name)
		}
		if other, dup := packages[d.Package]; dup {
			p.errorf(name, "bad-value", "domains %s and %s have the same package", other, name.Value)
		}
		packages[d.Package] = name.Value
		cfg.Domains[name.Value] = d
	}
}

func (p *parser) shapes(n *yaml.Node) map[string]canon.Decision {
	if n.Kind != yaml.MappingNode {
		p.errorf(n, "bad-value", "shapes must be a mapping of the names of schemas to decisions")
		return nil
	}
	out := map[string]canon.Decision{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, v := p.match(n.Content[i], schemaName, "the name of a schema"), n.Content[i+1]
		out[name] = canon.Decision(v.Value)
		if out[name] != canon.Inline && out[name] != canon.Shared {
			p.errorf(v, "bad-value", "%q is not a decision about the shapes of %s", v.Value, name).
				WithHint("use %s or %s", canon.Inline, canon.Shared)
		}
	}
	return out
}

// packageName reads a name that must be valid for a package and its directory.
func (p *parser) packageName(n *yaml.Node) string {
	if token.IsKeyword(n.Value) || slices.Contains([]string{"main", "internal", "vendor", "testdata"}, n.Value) {
		p.errorf(n, "bad-value", "%q cannot be the name of a Go package that others import", n.Value).
			WithHint("set a different name with the key package of the domain")
	}
	return n.Value
}

// CheckDomain returns an error if name cannot be the name of a domain and of its package.
func CheckDomain(name string) error {
	p := &parser{}
	if p.packageName(&yaml.Node{Value: name}); !domainName.MatchString(name) {
		return fmt.Errorf("%q is not a valid domain name", name)
	}
	return p.errs.Err()
}

// Location returns where a domain's specification comes from.
func (c *Config) Location(domain string) Location { return c.Sources[c.Domains[domain].Source] }

// Used returns the names of the sources of which domains are made, in order.
func (c *Config) Used() []string {
	used := map[string]bool{}
	for _, d := range c.Domains {
		used[d.Source] = true
	}
	return slices.Sorted(maps.Keys(used))
}

// names returns the names of the domains in order.
func (c *Config) names() []string { return slices.Sorted(maps.Keys(c.Domains)) }

// SnapshotPath returns the path of a domain's snapshot.
func SnapshotPath(domain string) string { return fmt.Sprintf("specs/%s.yml", domain) }

var readmeID = regexp.MustCompile(`^@([A-Za-z0-9][A-Za-z0-9_-]*)(?:/v([0-9][0-9A-Za-z.-]*))?#([0-9a-z]{8,64})$`)

// ParseReadmeID parses an ID of ReadMe's registry, @name/v1.0#id, in which the version can
// be left out, and returns its last part, which identifies the document in the registry.
func ParseReadmeID(s string) (string, error) {
	m := readmeID.FindStringSubmatch(s)
	if m == nil {
		return "", fmt.Errorf("%q is not a registry ID of the form @name/v1.0#id", s)
	}
	return m[3], nil
}
