package source

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
)

// Mirrors are directories that replace the network, by the name of the source.
type Mirrors map[string]string

// Mirrors parses a list of mirrors, NAME=DIR each, separated as in PATH. A
// directory without a name is the mirror of the default source.
func (c *Config) Mirrors(list string) (Mirrors, error) {
	out := Mirrors{}
	for _, entry := range filepath.SplitList(list) {
		if entry == "" {
			continue
		}
		name, dir, named := strings.Cut(entry, "=")
		if !named || !sourceName.MatchString(name) {
			name, dir = c.Default, entry
		}
		if _, ok := c.Sources[name]; !ok {
			return nil, diag.Errorf(diag.Pos{File: ConfigFile}, "no-source", "there is no source %q, of which %s would be the mirror", name, dir).
				WithHint("use one of %s", strings.Join(slices.Sorted(maps.Keys(c.Sources)), ", "))
		}
		if other, dup := out[name]; dup {
			return nil, diag.Errorf(diag.Pos{File: ConfigFile}, "two-mirrors", "source %s has two mirrors, %s and %s", name, other, dir).
				WithHint("name the source of each, as in  %s=%s", name, dir)
		}
		out[name] = dir
	}
	return out, nil
}

// Of returns the mirror of a location. With any mirror, the network is not used
// for the others either.
func (m Mirrors) Of(l Location) (string, error) {
	if dir, ok := m[l.Name]; ok {
		return dir, nil
	}
	return "", diag.Errorf(l.Pos, "no-mirror", "source %s has no mirror, while %s has: the network is not used beside mirrors", l.Name, strings.Join(slices.Sorted(maps.Keys(m)), ", ")).
		WithHint("add  %s=DIR  to the mirrors, or remove all of them", l.Name)
}

// Targets parses what an update moves to: NAME@REF for each source or domain,
// separated by commas. A REF alone is for the only source. Without targets, every
// source moves to the newest commit of its ref; with some, the others stay.
func (c *Config) Targets(list string) (map[string]string, error) {
	if list == "" {
		return nil, nil
	}
	out := map[string]string{}
	for target := range strings.SplitSeq(list, ",") {
		name, ref, named := strings.Cut(target, "@")
		used := c.Used()
		if !named {
			if len(used) > 1 {
				return nil, diag.Errorf(diag.Pos{File: ConfigFile}, "ambiguous-ref", "%q does not name its source: there are %s", target, strings.Join(used, ", ")).
					WithHint("write  %s@%s", used[0], target)
			}
			name, ref = used[0], target
		}
		_, domain := c.Domains[name]
		if !domain && !slices.Contains(used, name) {
			return nil, diag.Errorf(diag.Pos{File: ConfigFile}, "no-source", "%q names a source or domain that does not exist", target).
				WithHint("use one of the sources %s, or a domain", strings.Join(used, ", "))
		}
		if _, dup := out[name]; dup || ref == "" {
			return nil, diag.Errorf(diag.Pos{File: ConfigFile}, "bad-ref", "%s needs exactly one commit, branch or tag: %s", name, list)
		}
		out[name] = ref
	}
	return out, nil
}

// target returns what --to takes to move a domain to its pinned commit.
func (l *Lock) target(c *Config, domain string) string {
	switch {
	case l.Domains[domain].Commit != "":
		return domain + "@" + l.Pinned(domain)
	case len(c.Used()) > 1:
		return c.Domains[domain].Source + "@" + l.Pinned(domain)
	}
	return l.Pinned(domain)
}

// Place is a commit of a source of which domains are made.
type Place struct {
	Name    string // of the source, or of a domain that has a commit of its own
	Source  string // in the format of Location.String
	Mirror  string // its name in Mirrors
	Commit  string // "" for a source without commits
	Domains []string
}

// Places lists where the lock pins the domains of a configuration.
func (l *Lock) Places(c *Config) (places []Place) {
	at := map[string]int{}
	for _, domain := range c.names() {
		pin, ok := l.Domains[domain]
		if !ok {
			continue
		}
		place := Place{Name: c.Domains[domain].Source, Source: c.Location(domain).String(), Mirror: c.Domains[domain].Source, Commit: l.Pinned(domain)}
		if pin.Commit != "" {
			place.Name = domain
		}
		i, known := at[place.Name]
		if !known {
			i = len(places)
			at[place.Name] = i
			places = append(places, place)
		}
		places[i].Domains = append(places[i].Domains, domain)
	}
	slices.SortFunc(places, func(a, b Place) int { return strings.Compare(a.Name, b.Name) })
	return places
}
