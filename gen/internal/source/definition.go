package source

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

// Definition is where a description is, as somebody names it on the command line.
type Definition struct {
	Location
	File string // as DomainConfig.File
}

var githubFile = regexp.MustCompile(`^github:([^/@:]+/[^/@:]+)@([^:]+):(.+)$`)

// ParseDefinition parses github:owner/repository@ref:path, a URL, an ID of ReadMe's
// registry (@name/v1.0#id), or the name of a file. A file is named relative to wd, and
// located relative to the repository in dir.
func ParseDefinition(s, dir, wd string) (Definition, error) {
	switch {
	case strings.HasPrefix(s, "github:"):
		m := githubFile.FindStringSubmatch(s)
		if m == nil {
			return Definition{}, fmt.Errorf("%q is not of the form github:owner/repository@ref:path", s)
		}
		return Definition{Location{Kind: GitHub, Where: m[1], Ref: m[2]}, m[3]}, nil
	case strings.HasPrefix(s, "@"):
		if _, err := ParseReadmeID(s); err != nil {
			return Definition{}, err
		}
		return Definition{Location{Kind: Readme, Where: s}, "openapi.json"}, nil
	case strings.Contains(s, "://"):
		u, err := url.Parse(s)
		if err != nil || u.Host == "" {
			return Definition{}, fmt.Errorf("%q is not a URL with a host", s)
		}
		if u.User != nil {
			return Definition{}, fmt.Errorf("the URL of %s contains credentials, which would be written to %s: remove them", u.Host, ConfigFile)
		}
		if strings.HasSuffix(u.Path, "/") || u.Path == "" || strings.Contains(s, "{file}") {
			return Definition{}, fmt.Errorf("%q is not the URL of a file", s)
		}
		return Definition{Location{Kind: URL, Where: s}, documentName(u.Path)}, nil
	}
	if s == "" {
		return Definition{}, errors.New("the definition is empty: name a file, a URL, github:owner/repository@ref:path, or an ID of ReadMe's registry")
	}
	abs := s
	if !filepath.IsAbs(abs) {
		abs = filepath.Join(wd, s)
	}
	file := filepath.Base(abs)
	if !fileName.MatchString(file) {
		return Definition{}, fmt.Errorf("the name of the file %q has characters other than letters, digits, dot, dash and underscore: rename it", file)
	}
	where := filepath.Dir(abs)
	if rel, err := filepath.Rel(dir, where); err == nil {
		where = rel
	}
	return Definition{Location{Kind: Path, Where: filepath.ToSlash(where)}, file}, nil
}

// documentName returns a name for the document at the path of a URL.
func documentName(p string) string {
	if name := path.Base(p); fileName.MatchString(name) {
		return name
	}
	return "openapi"
}

// Render returns the text of ConfigFile for one domain that is made of a definition.
func (d Definition) Render(module, runtime, domain string) []byte {
	var b bytes.Buffer
	b.WriteString("# Where the API's description comes from. gen update pulls it, and pins what it\n# pulled in specs.lock.\n")
	fmt.Fprintf(&b, "version: 1\nmodule: %s\noutput: generated\nruntime: %s\n", quote(module), quote(runtime))
	fmt.Fprintf(&b, "source:\n  %s: %s\n", d.Kind, quote(d.Where))
	if d.Ref != "" {
		fmt.Fprintf(&b, "  ref: %s\n", quote(d.Ref))
	}
	fmt.Fprintf(&b, "domains:\n  %s:\n    file: %s\n", domain, quote(d.File))
	return b.Bytes()
}

// Rename gives the domain from in a set and its lock the name to.
func Rename(set *Set, lock *Lock, from, to string) {
	if from == to {
		return
	}
	lock.Domains[to] = lock.Domains[from]
	delete(lock.Domains, from)
	for i, s := range set.Snapshots {
		if s.Domain == from {
			set.Snapshots[i] = NewSnapshot(to, s.Data, s.Origin)
		}
	}
}
