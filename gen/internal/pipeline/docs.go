package pipeline

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/output"
	"github.com/basiq-sdk/basiq-go/gen/internal/reference"
)

// guidesFolder holds the guides that the reference includes, if there is one.
const guidesFolder = "docs"

// Docs writes the reference of the generated clients, as pages in HTML, to a directory.
// It removes pages that an earlier run wrote there and that no longer exist.
func Docs(ctx context.Context, opts Options, dir string) error {
	site, err := Reference(ctx, opts)
	if err != nil {
		return err
	}
	start := time.Now()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return diag.Errorf(diag.Pos{File: dir}, "output-unwritable", "cannot be made: %v", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return diag.Errorf(diag.Pos{File: dir}, "output-unwritable", "cannot be opened: %v", err)
	}
	defer root.Close()
	plan, err := docsPlan(root, dir, site.Files)
	if err != nil {
		return err
	}
	if err := plan.Apply(root); err != nil {
		return err
	}
	opts.Progress.Stage(StageWrite, len(plan.Write), "files", time.Since(start))
	opts.Progress.Summary("%s; open %s", plan.Summary(), filepath.Join(dir, "index.html"))
	return nil
}

// docsPlan compares the pages with what is in the directory. Files of others stay: one
// that would be replaced is an error.
func docsPlan(root *os.Root, dir string, files map[string][]byte) (*output.Plan, error) {
	plan, err := output.NewPlan(root, files)
	if err != nil {
		return nil, err
	}
	err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".html" {
			return err
		}
		data, err := root.ReadFile(filepath.FromSlash(name))
		if err != nil {
			return err
		}
		ours := bytes.Contains(data, []byte(reference.Mark))
		switch {
		case files[name] != nil && !ours:
			return diag.Errorf(diag.Pos{File: path.Join(filepath.ToSlash(dir), name)}, "output-not-ours", "was not made by this generator, which would replace it").
				WithHint("delete or move it, or name another directory with --output")
		case files[name] == nil && ours:
			return plan.Remove(root, name)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return plan, nil
}

// Reference makes the pages of the reference.
func Reference(ctx context.Context, opts Options) (*reference.Site, error) {
	r, err := open(ctx, opts)
	if err != nil {
		return nil, err
	}
	defer r.close()
	set, err := r.pull(ctx)
	if err != nil {
		return nil, err
	}
	res, err := r.runner.Run(ctx, set.Snapshots, StageModel)
	if err != nil {
		return nil, err
	}
	guides, err := readGuides(r.root.FS())
	if err != nil {
		return nil, err
	}
	return reference.Build(reference.Options{
		Domains: r.runner.inOrder(res.models()), Module: r.config.Module, Output: r.config.Output,
		Client: r.config.Client, Commands: r.config.Commands != "", Guides: guides,
	})
}

// readGuides returns the guides in the order in which their list, README.md, links to
// them.
func readGuides(fsys fs.FS) ([]reference.Guide, error) {
	names, err := fs.Glob(fsys, guidesFolder+"/*.md")
	if err != nil {
		return nil, err
	}
	var guides []reference.Guide
	for _, name := range names {
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, diag.Errorf(diag.Pos{File: name}, "guide-unreadable", "%v", err)
		}
		guides = append(guides, reference.Guide{File: name, Text: text})
	}
	list, err := fs.ReadFile(fsys, guidesFolder+"/README.md")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, diag.Errorf(diag.Pos{File: guidesFolder + "/README.md"}, "guide-unreadable", "%v", err)
	}
	place := func(g reference.Guide) int {
		if path.Base(g.File) == "README.md" {
			return -1
		}
		if i := strings.Index(string(list), "("+path.Base(g.File)+")"); i >= 0 {
			return i
		}
		return len(list)
	}
	slices.SortStableFunc(guides, func(a, b reference.Guide) int { return cmp.Compare(place(a), place(b)) })
	return guides, nil
}
