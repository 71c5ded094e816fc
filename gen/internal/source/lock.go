package source

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"go.yaml.in/yaml/v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/canon"
	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
)

// Lock is specs/specs.lock, which pins the pulled specifications.
type Lock struct {
	Source  string // the configured source, in the format of Location.String
	Ref     string
	Commit  string
	Domains map[string]Pin
}

// Pin is one domain's entry of the lock.
type Pin struct {
	File     string
	Source   string // if it differs from the lock's
	Commit   string // if it differs from the lock's
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
	fmt.Fprintf(&b, "version: 1\nsource: %s\n", quote(l.Source))
	if l.Ref != "" {
		fmt.Fprintf(&b, "ref: %s\n", quote(l.Ref))
	}
	if l.Commit != "" {
		fmt.Fprintf(&b, "commit: %s\n", quote(l.Commit))
	}
	b.WriteString("domains:\n")
	cfg := Config{Domains: map[string]DomainConfig{}}
	for name := range l.Domains {
		cfg.Domains[name] = DomainConfig{}
	}
	for _, name := range cfg.names() {
		p := l.Domains[name]
		fmt.Fprintf(&b, "  %s:\n    file: %s\n", name, quote(p.File))
		for _, extra := range [][2]string{{"source", p.Source}, {"commit", p.Commit}, {"document", p.Document}} {
			if extra[1] != "" {
				fmt.Fprintf(&b, "    %s: %s\n", extra[0], quote(extra[1]))
			}
		}
		fmt.Fprintf(&b, "    snapshot: %s\n", quote(p.Snapshot))
	}
	return b.Bytes(), nil
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
	l := &Lock{Domains: map[string]Pin{}}
	p.members(root, "the lock", map[string]func(*yaml.Node){
		"version": func(n *yaml.Node) {
			if n.Value != "1" {
				p.errorf(n, "bad-version", "version %q is not supported", n.Value).WithHint("set version to 1")
			}
		},
		"source": func(n *yaml.Node) { l.Source = p.text(n) },
		"ref":    func(n *yaml.Node) { l.Ref = p.text(n) },
		"commit": func(n *yaml.Node) { l.Commit = p.match(n, commitHex, "a commit") },
		"domains": func(n *yaml.Node) {
			for i := 0; i+1 < len(n.Content); i += 2 {
				name, v := n.Content[i], n.Content[i+1]
				if !domainName.MatchString(name.Value) {
					p.errorf(name, "bad-value", "%q is not a valid domain name", name.Value)
					continue
				}
				pin := Pin{Pos: diag.Pos{File: file, Line: name.Line, Col: name.Column}}
				p.members(v, "domain "+name.Value, map[string]func(*yaml.Node){
					"file":     func(n *yaml.Node) { pin.File = p.local(n) },
					"source":   func(n *yaml.Node) { pin.Source = p.text(n) },
					"commit":   func(n *yaml.Node) { pin.Commit = p.match(n, commitHex, "a commit") },
					"document": func(n *yaml.Node) { pin.Document = p.match(n, sha256Hex, "a SHA-256") },
					"snapshot": func(n *yaml.Node) { pin.Snapshot = p.match(n, sha256Hex, "a SHA-256") },
				}, "file", "snapshot")
				l.Domains[name.Value] = pin
			}
		},
	}, "version", "source", "domains")
	if err := p.errs.Err(); err != nil {
		return nil, err
	}
	return l, nil
}

// commit returns the commit that a domain is pinned to, or "" for a source without
// commits.
func (l *Lock) commit(domain string) string { return cmp.Or(l.Domains[domain].Commit, l.Commit) }
