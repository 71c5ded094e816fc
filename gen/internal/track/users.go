package track

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/godiff"
	"github.com/basiq-sdk/basiq-go/gen/internal/report"
)

// LastTag is the newest tag of this repository, "" when it has none.
func (t *Tracker) LastTag(ctx context.Context) string {
	out, err := t.git(ctx, "describe", "--tags", "--abbrev=0")
	if err != nil {
		return "" // no tag yet, or no repository at all
	}
	return strings.TrimSpace(string(out))
}

// Users type-checks programs against a state's packages: those in a folder,
// or, of a revision of this repository, the examples and the tests of its
// public API. Programs are not run.
func (t *Tracker) Users(ctx context.Context, s report.State, from string) (*report.Users, error) {
	tree, mine, err := t.programs(ctx, from)
	if err != nil {
		return nil, err
	}
	groups, err := tree.Groups()
	if err != nil {
		return nil, diag.Errorf(diag.Pos{File: from}, "users-unreadable", "%v", err)
	}
	if mine {
		groups = slices.DeleteFunc(groups, func(g godiff.Group) bool { return !publicUse(g) })
	}
	ours := t.source.With(t.over(s))
	dirs, err := ours.Packages()
	if err != nil {
		return nil, err
	}
	needed, err := ours.Imports(dirs...)
	if err != nil {
		return nil, err
	}
	// What else this module requires can be imported by its own tests.
	var required []string
	if mine {
		required = t.required()
	}
	u := &report.Users{From: from, Failures: []string{}}
	checked, more := t.checkable(u, tree, groups, required)
	needed = append(needed, more...)
	slices.Sort(needed)
	base, err := t.loaderWith(ctx, ours, slices.Compact(needed))
	if err != nil {
		return nil, err
	}
	loader := base
	if !mine {
		loader = base.Over(tree)
	}
	for _, g := range checked {
		u.Packages++
		checker := loader
		if mine {
			checker = base.Files(tree) // its imports are today's packages, its files the revision's
		}
		if _, err := checker.TypeCheck(tree.ImportPath(g), g.Files); err != nil {
			u.Failures = append(u.Failures, strings.Split(err.Error(), "\n")...)
		}
	}
	return u, nil
}

// checkable returns the programs that can be checked, and what they import of the
// standard library and of required modules. It records the others in u.
func (t *Tracker) checkable(u *report.Users, tree godiff.Tree, groups []godiff.Group, required []string) (checked []godiff.Group, needed []string) {
	for _, g := range groups {
		if other := t.foreign(tree, g, required); other != "" {
			u.Skipped = append(u.Skipped, fmt.Sprintf("%s: it imports %s", g.Dir, other))
			continue
		}
		checked = append(checked, g)
		for _, p := range g.Imports {
			if (standard(p) || ofModule(p, required)) && p != "unsafe" && p != "C" {
				needed = append(needed, p)
			}
		}
	}
	return checked, needed
}

var moduleLine = regexp.MustCompile(`(?m)^module\s+"?([^\s"]+)`)

// programs returns the tree of programs that a name stands for. mine reports
// whether it is a revision of this repository.
func (t *Tracker) programs(ctx context.Context, from string) (tree godiff.Tree, mine bool, err error) {
	dir := from
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(t.opts.Dir, dir)
	}
	if info, statErr := os.Stat(dir); statErr == nil && info.IsDir() {
		tree = godiff.Tree{Module: "users.invalid", FS: os.DirFS(dir)}
		if data, err := fs.ReadFile(tree.FS, "go.mod"); err == nil {
			if m := moduleLine.FindSubmatch(data); m != nil {
				tree.Module = string(m[1])
			}
		}
		return tree, false, nil
	}
	commit, err := t.git(ctx, "rev-parse", "--verify", "--end-of-options", from+"^{commit}")
	if err != nil {
		return tree, false, diag.Errorf(diag.Pos{}, "no-users", "%s is neither a directory nor a revision of this repository", from)
	}
	files, err := t.archive(ctx, strings.TrimSpace(string(commit)))
	return godiff.Tree{Module: t.config.Module, FS: files}, true, err
}

// publicUse reports whether files of a revision use the API as its users do:
// examples, and tests from outside, of what users import.
func publicUse(g godiff.Group) bool {
	first, _, _ := strings.Cut(g.Dir, "/")
	if first == "gen" || slices.Contains(strings.Split(g.Dir, "/"), "internal") {
		return false
	}
	return g.External || first == "examples" && !strings.HasSuffix(g.Name, "_test")
}

var requireLine = regexp.MustCompile(`(?m)^(?:require)?\s+([^\s/]+\.[^\s]+) v`)

// required lists the modules that this one requires.
func (t *Tracker) required() (out []string) {
	data, err := fs.ReadFile(t.tree, "go.mod")
	if err != nil {
		return nil // then nothing but the standard library can be imported
	}
	for _, m := range requireLine.FindAllSubmatch(data, -1) {
		out = append(out, string(m[1]))
	}
	return out
}

// foreign returns an import that is not of the standard library, this module,
// the programs' own, or one of others.
func (t *Tracker) foreign(tree godiff.Tree, g godiff.Group, others []string) string {
	known := append([]string{tree.Module, t.config.Module, t.config.Runtime}, others...)
	for _, p := range g.Imports {
		if !standard(p) && !ofModule(p, known) {
			return p
		}
	}
	return ""
}

// ofModule reports whether an import path lies below one of some paths.
func ofModule(importPath string, paths []string) bool {
	return slices.ContainsFunc(paths, func(m string) bool { return importPath == m || strings.HasPrefix(importPath, m+"/") })
}

// standard reports whether an import path is the standard library's.
func standard(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return !strings.Contains(first, ".")
}
