package pipeline

import (
	"context"
	"errors"
	"go/types"
	"io/fs"
	"path"
	"slices"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/emit"
	"github.com/basiq-sdk/basiq-go/gen/internal/model"
	"github.com/basiq-sdk/basiq-go/gen/internal/overlay"
	"github.com/basiq-sdk/basiq-go/gen/internal/source"
	"github.com/basiq-sdk/basiq-go/gen/internal/spec"
	"github.com/basiq-sdk/basiq-go/gen/internal/typecheck"
)

// Domain is what the stages make of one domain: a field is set when the stage
// that fills it has passed.
type Domain struct {
	Name     string
	Config   source.DomainConfig
	Snapshot source.Snapshot
	Overlays []*overlay.Document
	Results  []overlay.Result // of every action that ran
	Aside    []overlay.Result // of those that did not apply, and were set aside
	Phantoms diag.List        // properties that overlays describe and nothing declares; left out
	Document *spec.Document
	Model    *model.Domain
	Package  *emit.Package
	Types    *types.Package
	LockFile string // the names lock
}

func newDomain(cfg *source.Config, s source.Snapshot) *Domain {
	return &Domain{
		Name: s.Domain, Config: cfg.Domains[s.Domain], Snapshot: s,
		LockFile: path.Join("overlays", s.Domain, "names.lock"),
	}
}

// load reads the domain's overlays.
func (d *Domain) load(fsys fs.FS) error {
	files, err := overlayFiles(fsys, d)
	list := diag.FromError(err, diag.Pos{})
	for _, file := range files {
		data, err := fs.ReadFile(fsys, file)
		if err != nil {
			list = append(list, diag.Errorf(diag.Pos{File: file}, "overlay-unreadable", "%v", err))
			continue
		}
		o, err := overlay.Parse(file, data)
		if err != nil {
			list = append(list, diag.FromError(err, diag.Pos{File: file})...)
			continue
		}
		d.Overlays = append(d.Overlays, o)
	}
	return list.Err()
}

// overlayFiles lists a domain's overlays in the order in which they apply.
func overlayFiles(fsys fs.FS, d *Domain) ([]string, error) {
	globs := d.Config.Overlays
	given := len(globs) > 0
	if !given {
		globs = []string{"overlays/common/*.yaml", path.Join("overlays", d.Name, "*.yaml")}
	}
	var files []string
	for _, g := range globs {
		found, err := fs.Glob(fsys, g)
		if err != nil {
			return nil, diag.Errorf(diag.Pos{File: "specs/sources.yaml"}, "bad-glob", "domain %s: overlays %q: %v", d.Name, g, err)
		}
		if given && len(found) == 0 {
			return nil, diag.Errorf(diag.Pos{File: "specs/sources.yaml"}, "overlay-missing", "domain %s: overlays %q match no file", d.Name, g)
		}
		slices.Sort(found)
		files = append(files, found...)
	}
	return files, nil
}

func (d *Domain) namesLock(fsys fs.FS) (*model.Lock, error) {
	data, err := fs.ReadFile(fsys, d.LockFile)
	if errors.Is(err, fs.ErrNotExist) {
		return model.NewLock(d.LockFile), nil
	}
	if err != nil {
		return nil, diag.Errorf(diag.Pos{File: d.LockFile}, "names-lock-unreadable", "%v", err)
	}
	return model.ParseLock(d.LockFile, data)
}

// describe applies the overlays, validates, and builds the model. With
// lenient, actions that do not apply are set aside instead of stopping it.
func (d *Domain) describe(ctx context.Context, fsys fs.FS, lenient bool) error {
	doc, results, err := spec.Load(d.Name, d.Snapshot.Path, d.Snapshot.Data, d.Overlays, overlay.Options{KeepGoing: true})
	d.Results = results
	if err != nil && lenient {
		doc, err = d.setAside()
	}
	if err != nil {
		return err
	}
	if d.Phantoms = phantoms(doc, lenient); !lenient && len(d.Phantoms) > 0 {
		return d.Phantoms.Err()
	}
	if err := doc.Validate(ctx); err != nil {
		return err
	}
	d.Document = doc
	lock, err := d.namesLock(fsys)
	if err != nil {
		return err
	}
	d.Model, err = model.Build(doc, model.Options{Package: d.Config.Package, Lock: lock, Lenient: lenient})
	if err == nil {
		d.Phantoms = append(d.Phantoms, d.Model.Unmatched...)
	}
	return err
}

// setAside loads the document with those actions that apply. Leaving one out
// can make another fail that built on it, hence the repetition.
func (d *Domain) setAside() (*spec.Document, error) {
	docs, results := d.Overlays, d.Results
	for {
		failed := map[diag.Pos]bool{}
		for _, r := range results {
			if r.Err != nil {
				failed[r.Action.Pos] = true
				d.Aside = append(d.Aside, r)
			}
		}
		kept := make([]*overlay.Document, len(docs))
		for i, o := range docs {
			c := *o
			c.Actions = slices.DeleteFunc(slices.Clone(o.Actions), func(a overlay.Action) bool { return failed[a.Pos] })
			kept[i] = &c
		}
		doc, again, err := spec.Load(d.Name, d.Snapshot.Path, d.Snapshot.Data, kept, overlay.Options{KeepGoing: true})
		if err == nil || !slices.ContainsFunc(again, func(r overlay.Result) bool { return r.Err != nil }) {
			return doc, err
		}
		docs, results = kept, again
	}
}

func (d *Domain) emit(cfg *source.Config) (err error) {
	d.Package, err = emit.Generate(d.Model, emit.Target{
		ImportPath: path.Join(cfg.Module, cfg.Output, d.Config.Package),
		Runtime:    cfg.Runtime,
	})
	return err
}

func (d *Domain) check(imports *typecheck.Imports) (err error) {
	d.Types, err = typecheck.Package(imports, d.Package)
	return err
}

// Void are the actions whose work upstream has done itself.
func (d *Domain) Void() []overlay.Result {
	return slices.DeleteFunc(slices.Clone(d.Results), func(r overlay.Result) bool { return r.Outcome != overlay.Obsolete })
}
