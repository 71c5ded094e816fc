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

// list returns the names of the descriptions that a source holds beside each
// other at a commit: files of the form that a domain can be made of. It has none
// for a source that is a single document.
func (f *fetcher) list(ctx context.Context, l Location, commit string) ([]string, error) {
	dir := ""
	switch {
	case l.Kind == GitHub && f.mirror != "":
		dir = filepath.Join(f.mirror, commit, filepath.FromSlash(l.Folder))
	case l.Kind == GitHub:
		return f.listGitHub(ctx, l, commit)
	case l.Kind == Path:
		dir = filepath.Join(f.dir, filepath.FromSlash(l.Where))
		if filepath.IsAbs(l.Where) {
			dir = l.Where
		}
		dir = filepath.Join(dir, commit)
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

func (f *fetcher) listGitHub(ctx context.Context, l Location, commit string) ([]string, error) {
	u := f.endpoints.GitHubAPI + "/repos/" + l.Where + "/contents/" + l.Folder + "?ref=" + commit
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
	d, l := o.Config.Domains[domain], o.Config.location(domain)
	where := l.String()
	if commit != "" {
		where += " at " + commit[:min(12, len(commit))]
	}
	a := diag.Errorf(d.Pos, "no-document", "domain %s: %s has no file %s: %s", domain, where, path.Join(l.Folder, d.File), cause.Message)
	names, err := f.list(ctx, l, commit)
	names = slices.DeleteFunc(names, func(name string) bool { return o.Config.configured(l, name) })
	if err != nil || len(names) == 0 {
		return a.WithHint("correct the file's name, name a commit that has it, or remove the domain")
	}
	return a.WithHint("if upstream renamed it, write the new name here; if it is gone, remove the domain\nfiles that no domain names: %s", strings.Join(names, ", "))
}

// configured reports whether some domain is made from a file of a location.
func (c *Config) configured(l Location, file string) bool {
	for name, d := range c.Domains {
		if d.File == file && c.location(name).String() == l.String() {
			return true
		}
	}
	return false
}

// added lists the files that the configuration's source has at one commit and
// did not have at another, and that no domain is made from. What cannot be
// listed is not announced: nothing else depends on it.
func (f *fetcher) added(ctx context.Context, c *Config, before, after string) (names []string) {
	if before == "" || after == "" || before == after {
		return nil
	}
	had, err := f.list(ctx, c.Source, before)
	if err != nil {
		return nil
	}
	has, err := f.list(ctx, c.Source, after)
	if err != nil {
		return nil
	}
	for _, name := range has {
		if !slices.Contains(had, name) && !c.configured(c.Source, name) {
			names = append(names, path.Join(c.Source.Folder, name))
		}
	}
	return names
}
