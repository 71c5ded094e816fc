package source

import (
	"context"
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
)

// list returns the names of the descriptions that a source holds at a commit
// beside a file, as a domain would name them. It has none for a source that is a
// single document.
func (f *fetcher) list(ctx context.Context, l Location, file, commit string) ([]string, error) {
	folder := path.Dir(file)
	names, err := f.listFolder(ctx, l, folder, commit)
	for i, name := range names {
		names[i] = path.Join(folder, name)
	}
	return names, err
}

func (f *fetcher) listFolder(ctx context.Context, l Location, folder, commit string) ([]string, error) {
	dir := ""
	switch {
	case l.Kind == GitHub && len(f.mirrors) > 0:
		mirror, err := f.mirrors.Of(l)
		if err != nil {
			return nil, err
		}
		dir = filepath.Join(mirror, commit, filepath.FromSlash(path.Join(l.Folder, folder)))
	case l.Kind == GitHub:
		return f.listGitHub(ctx, l, path.Join(l.Folder, folder), commit)
	case l.Kind == Path:
		dir = filepath.Join(f.dir, filepath.FromSlash(l.Where))
		if filepath.IsAbs(l.Where) {
			dir = l.Where
		}
		dir = filepath.Join(dir, commit, filepath.FromSlash(folder))
	default:
		return nil, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, diag.Errorf(l.Pos, "document-unreadable", "%v", err)
	}
	var names []string
	for _, e := range entries {
		if e.Type().IsRegular() && isDescription(e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

func (f *fetcher) listGitHub(ctx context.Context, l Location, folder, commit string) ([]string, error) {
	u := f.endpoints.GitHubAPI + "/repos/" + l.Where + "/contents/" + strings.TrimPrefix(folder, ".") + "?ref=" + commit
	body, err := f.get(ctx, u, "application/vnd.github+json", l.Pos)
	if err != nil {
		return nil, err
	}
	var entries []struct{ Name, Type string }
	if err := json.Unmarshal(body, &entries); err != nil {
		return nil, diag.Errorf(l.Pos, "bad-answer", "%s did not return a list of files: %v", u, err)
	}
	var names []string
	for _, e := range entries {
		if e.Type == "file" && isDescription(e.Name) {
			names = append(names, e.Name)
		}
	}
	slices.Sort(names)
	return names, nil
}

func isDescription(name string) bool {
	return fileName.MatchString(name) && slices.Contains([]string{".yml", ".yaml", ".json"}, path.Ext(name))
}

// absent says that the source does not have a domain's file, at the line that
// names it, and what the source has instead.
func (f *fetcher) absent(ctx context.Context, o Options, domain, commit string, cause *diag.Annotation) error {
	d, l := o.Config.Domains[domain], o.Config.Location(domain)
	where := l.String()
	if commit != "" {
		where += " at " + commit[:min(12, len(commit))]
	}
	a := diag.Errorf(d.Pos, "no-document", "domain %s: %s has no file %s: %s", domain, where, path.Join(l.Folder, d.File), cause.Message)
	names, err := f.list(ctx, l, d.File, commit)
	names = slices.DeleteFunc(names, func(name string) bool { return o.Config.configured(l, name) })
	if err != nil || len(names) == 0 {
		return a.WithHint("correct the file's name, name a commit that has it, or remove the domain")
	}
	return a.WithHint("if upstream renamed it, write the new name here; if it is gone, remove the domain\nfiles that no domain names: %s", strings.Join(names, ", "))
}

// configured reports whether some domain is made from a file of a location.
func (c *Config) configured(l Location, file string) bool {
	for name, d := range c.Domains {
		if d.File == file && c.Location(name).String() == l.String() {
			return true
		}
	}
	return false
}

// added lists the files that the sources have at the new lock's commits and did
// not have at the old one's, beside files of which a domain is made, and of which
// none is. What cannot be listed is not announced: nothing else depends on it.
func (f *fetcher) added(ctx context.Context, c *Config, before, after *Lock) (names []string) {
	seen := map[string]bool{}
	for _, domain := range c.names() {
		l, file := c.Location(domain), c.Domains[domain].File
		from, to := before.Pinned(domain), after.Pinned(domain)
		folder := l.Name + "/" + path.Dir(file)
		if from == "" || to == "" || from == to || seen[folder] || before.source(before.Domains[domain].Source).Source != l.String() {
			continue
		}
		seen[folder] = true
		had, err := f.list(ctx, l, file, from)
		if err != nil {
			continue
		}
		has, err := f.list(ctx, l, file, to)
		if err != nil {
			continue
		}
		for _, name := range has {
			if slices.Contains(had, name) || c.configured(l, name) {
				continue
			}
			name = path.Join(l.Folder, name)
			if len(c.Used()) > 1 {
				name = l.Name + ": " + name
			}
			names = append(names, name)
		}
	}
	return names
}
