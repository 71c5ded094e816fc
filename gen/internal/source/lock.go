package source

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/canon"
	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
)

// Lock is specs/specs.lock, which pins the pulled specifications.
type Lock struct {
	SourcePin                      // of the configuration's default source
	Sources   map[string]SourcePin // of the others, by name
	Domains   map[string]Pin
}

// SourcePin is what the lock says of a source.
type SourcePin struct {
	Source string // the configured source, in the format of Location.String
	Ref    string
	Commit string // "" for a source without commits, and where every domain has its own
}

// Pin is one domain's entry of the lock.
type Pin struct {
	File     string
	Source   string // name of its source, "" for the default
	Commit   string // if it differs from the source's
	Shapes   string // decisions about shared schemas, as DomainConfig.shapes writes them
	Document string // SHA-256 of the fetched document, for a source without commits
	Snapshot string // SHA-256 of the canonical snapshot
	Pos      diag.Pos
}

const lockHeader = `# What was pulled, by commit and SHA-256. Written by  gen update; do not edit.
`

// Marshal renders the lock.
func (l *Lock) Marshal() ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(lockHeader)
	entries := func(indent string, entries ...[2]string) {
		for _, e := range entries {
			if e[1] != "" {
				fmt.Fprintf(&b, "%s%s: %s\n", indent, e[0], quote(e[1]))
			}
		}
	}
	b.WriteString("version: 1\n")
	entries("", l.SourcePin.entries()...)
	if len(l.Sources) > 0 {
		b.WriteString("sources:\n")
	}
	for _, name := range slices.Sorted(maps.Keys(l.Sources)) {
		fmt.Fprintf(&b, "  %s:\n", name)
		entries("    ", l.Sources[name].entries()...)
	}
	b.WriteString("domains:\n")
	for _, name := range slices.Sorted(maps.Keys(l.Domains)) {
		p := l.Domains[name]
		fmt.Fprintf(&b, "  %s:\n", name)
		entries("    ", [2]string{"file", p.File}, [2]string{"source", p.Source}, [2]string{"commit", p.Commit}, [2]string{"shapes", p.Shapes},
			[2]string{"document", p.Document}, [2]string{"snapshot", p.Snapshot})
	}
	return b.Bytes(), nil
}

func (p SourcePin) entries() [][2]string {
	return [][2]string{{"source", p.Source}, {"ref", p.Ref}, {"commit", p.Commit}}
}

// keys parses a source's entry.
func (p *SourcePin) keys(r *parser) map[string]func(*yaml.Node) {
	return map[string]func(*yaml.Node){
		"source": func(n *yaml.Node) { p.Source = r.text(n) },
		"ref":    func(n *yaml.Node) { p.Ref = r.text(n) },
		"commit": func(n *yaml.Node) { p.Commit = r.match(n, commitHex, "a commit") },
	}
}

// quote returns a string in YAML, quoted if YAML would not read it as a string.
func quote(s string) string {
	out, err := yaml.Marshal(s)
	if err != nil {
		return fmt.Sprintf("%q", s)
	}
	return string(bytes.TrimSpace(out))
}

// LoadLock parses the lock of the repository in dir. It returns nil if there is none.
func LoadLock(dir string) (*Lock, error) {
	data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(LockFile)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, diag.Errorf(diag.Pos{File: LockFile}, "lock-unreadable", "%v", err)
	}
	return ParseLock(LockFile, data)
}

var (
	sha256Hex = regexp.MustCompile(`^[0-9a-f]{64}$`)
	commitHex = regexp.MustCompile(`^[0-9a-f]{40}$`)
)

// ParseLock parses a lock.
func ParseLock(file string, data []byte) (*Lock, error) {
	root, err := canon.Parse(file, data)
	if err != nil {
		return nil, err
	}
	p := &parser{file: file}
	l := &Lock{Sources: map[string]SourcePin{}, Domains: map[string]Pin{}}
	keys := l.SourcePin.keys(p)
	keys["version"] = func(n *yaml.Node) {
		if n.Value != "1" {
			p.errorf(n, "bad-version", "version %q is not supported", n.Value).WithHint("set version to 1")
		}
	}
	keys["sources"] = func(n *yaml.Node) {
		for i := 0; i+1 < len(n.Content); i += 2 {
			var pin SourcePin
			p.members(n.Content[i+1], "a source", pin.keys(p), "source")
			l.Sources[p.match(n.Content[i], sourceName, "the name of a source")] = pin
		}
	}
	keys["domains"] = func(n *yaml.Node) {
		for i := 0; i+1 < len(n.Content); i += 2 {
			p.pin(l, n.Content[i], n.Content[i+1])
		}
	}
	p.members(root, "the lock", keys, "version", "source", "domains")
	if err := p.errs.Err(); err != nil {
		return nil, err
	}
	return l, nil
}

// pin parses a domain's entry of a lock.
func (p *parser) pin(l *Lock, name, v *yaml.Node) {
	if !domainName.MatchString(name.Value) {
		p.errorf(name, "bad-value", "%q is not a valid domain name", name.Value)
		return
	}
	pin := Pin{Pos: diag.Pos{File: p.file, Line: name.Line, Col: name.Column}}
	p.members(v, "domain "+name.Value, map[string]func(*yaml.Node){
		"file":     func(n *yaml.Node) { pin.File = p.local(n) },
		"source":   func(n *yaml.Node) { pin.Source = p.match(n, sourceName, "the name of a source") },
		"commit":   func(n *yaml.Node) { pin.Commit = p.match(n, commitHex, "a commit") },
		"shapes":   func(n *yaml.Node) { pin.Shapes = p.text(n) },
		"document": func(n *yaml.Node) { pin.Document = p.match(n, sha256Hex, "a SHA-256") },
		"snapshot": func(n *yaml.Node) { pin.Snapshot = p.match(n, sha256Hex, "a SHA-256") },
	}, "file", "snapshot")
	l.Domains[name.Value] = pin
}

// source returns the pin of a source by its name, "" for the default.
func (l *Lock) source(name string) SourcePin {
	if name == "" {
		return l.SourcePin
	}
	return l.Sources[name]
}

// find returns the pin of a source: the one of its name, or another of the same
// place and ref, since a source can be renamed, or become the default.
func (l *Lock) find(at Location, name string) SourcePin {
	if pin := l.source(name); pin.Source == at.String() {
		return pin
	}
	for _, other := range append([]string{""}, slices.Sorted(maps.Keys(l.Sources))...) {
		if pin := l.source(other); pin.Source == at.String() && pin.Ref == at.Ref {
			return pin
		}
	}
	return SourcePin{}
}

// Pinned returns the commit that a domain is pinned to, or "" for a source
// without commits.
func (l *Lock) Pinned(domain string) string {
	p := l.Domains[domain]
	return cmp.Or(p.Commit, l.source(p.Source).Commit)
}
