// Package pipeline joins the generator's stages: snapshots, overlays,
// validation, model, source, check, disk. Each stage is a function of values;
// only the first and the last touch the network or the disk.
package pipeline

import (
	"context"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/emit"
	"github.com/basiq-sdk/basiq-go/gen/internal/model"
	"github.com/basiq-sdk/basiq-go/gen/internal/source"
	"github.com/basiq-sdk/basiq-go/gen/internal/typecheck"
)

// Options of a run.
type Options struct {
	Dir     string   // the repository
	Mirror  string   // directory that stands in for the network
	Domains []string // Lint: only these; all when empty
	Force   bool     // ignore the stamp of the last run
	// KeepGoing sets aside overlay actions that do not apply, so that the
	// findings of the stages after the overlays are seen as well.
	KeepGoing bool
	Report    *Reporter
}

// FindRoot returns dir, or the closest folder around the working directory
// that holds specs/sources.yaml.
func FindRoot(dir string) (string, error) {
	if dir != "" {
		return filepath.Abs(dir)
	}
	wd, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for d := wd; ; d = filepath.Dir(d) {
		if _, err := os.Stat(filepath.Join(d, "specs", "sources.yaml")); err == nil {
			return d, nil
		}
		if d == filepath.Dir(d) {
			return "", diag.Errorf(diag.Pos{File: "specs/sources.yaml"}, "no-repository",
				"not found in the working directory or any folder around it").
				WithHint("run from within the repository, or name it with --dir")
		}
	}
}

// run holds the state of one pass through the stages.
type run struct {
	opts    Options
	root    *os.Root
	config  *source.Config
	domains []*Domain
	routes  *emit.Package // nil when the configuration asks for none
	imports func() (*typecheck.Imports, error)
}

func newRun(opts Options) (*run, error) {
	root, err := os.OpenRoot(opts.Dir)
	if err != nil {
		return nil, diag.Errorf(diag.Pos{File: opts.Dir}, "no-repository", "cannot open: %v", err)
	}
	cfg, err := source.LoadConfig(opts.Dir)
	if err != nil {
		root.Close()
		return nil, err
	}
	return &run{opts: opts, root: root, config: cfg}, nil
}

func (r *run) close() { _ = r.root.Close() }

// compileImports starts compiling what generated code imports while the
// earlier stages run: with a cold build cache this is the longest wait of all.
func (r *run) compileImports(ctx context.Context) {
	type result struct {
		imports *typecheck.Imports
		err     error
	}
	ch := make(chan result, 1)
	go func() {
		rt := r.config.Runtime
		imports, err := typecheck.LoadImports(ctx, r.opts.Dir, rt, rt+"/wire", rt+"/value")
		ch <- result{imports, err}
	}()
	r.imports = sync.OnceValues(func() (*typecheck.Imports, error) {
		res := <-ch
		return res.imports, res.err
	})
}

// each runs stage for every domain, as many at once as there are processors,
// and collects all findings in the order of the domains.
func (r *run) each(ctx context.Context, stage func(*Domain) error) error {
	errs := make([]error, len(r.domains))
	limit := make(chan struct{}, runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for i, d := range r.domains {
		limit <- struct{}{}
		wg.Go(func() {
			defer func() { <-limit }()
			if errs[i] = ctx.Err(); errs[i] == nil {
				errs[i] = stage(d)
			}
		})
	}
	wg.Wait()
	var list diag.List
	for _, err := range errs {
		list = append(list, diag.FromError(err, diag.Pos{})...)
	}
	if len(list) == 0 {
		return nil
	}
	return list
}

func (r *run) timed(name, unit string, stage func() (int, error)) error {
	start := time.Now()
	n, err := stage()
	if err == nil {
		r.opts.Report.Stage(name, n, unit, time.Since(start))
	}
	return err
}

// build takes the snapshots through every stage up to the generated packages.
func (r *run) build(ctx context.Context, set *source.Set) error {
	if err := r.timed("overlay", "actions", func() (int, error) { return r.overlay(ctx, set) }); err != nil {
		return err
	}
	if err := r.timed("emit", "files", func() (int, error) { return r.emit(ctx) }); err != nil {
		return err
	}
	return r.timed("check", "packages", func() (int, error) {
		imports, err := r.imports()
		if err != nil {
			return 0, err
		}
		err = r.each(ctx, func(d *Domain) error { return d.check(imports) })
		if err == nil && r.routes != nil {
			_, err = typecheck.Package(imports, r.routes)
			return len(r.domains) + 1, err
		}
		return len(r.domains), err
	})
}

// overlay loads the domains, applies their overlays, validates, and builds the models.
func (r *run) overlay(ctx context.Context, set *source.Set) (int, error) {
	if err := r.load(set); err != nil {
		return 0, err
	}
	actions := 0
	for _, d := range r.domains {
		for _, o := range d.Overlays {
			actions += len(o.Actions)
		}
	}
	return actions, r.each(ctx, func(d *Domain) error { return d.describe(ctx, r.root.FS(), r.opts.KeepGoing) })
}

func (r *run) load(set *source.Set) error {
	var list diag.List
	for _, s := range set.Snapshots {
		if len(r.opts.Domains) > 0 && !slices.Contains(r.opts.Domains, s.Domain) {
			continue
		}
		d := newDomain(r.config, s)
		list = append(list, diag.FromError(d.load(r.root.FS()), diag.Pos{})...)
		r.domains = append(r.domains, d)
	}
	for _, name := range r.opts.Domains {
		if _, ok := r.config.Domains[name]; !ok {
			list = append(list, diag.Errorf(diag.Pos{File: "specs/sources.yaml"}, "no-domain", "there is no domain %q", name))
		}
	}
	return list.Err()
}

func (r *run) emit(ctx context.Context) (int, error) {
	err := r.each(ctx, func(d *Domain) error { return d.emit(r.config) })
	n := 0
	for _, d := range r.domains {
		if d.Package != nil {
			n += len(d.Package.Files)
		}
	}
	if err == nil && r.config.Routes != "" {
		r.routes, err = emit.Routes(r.models(), path.Base(r.config.Routes), emit.Target{
			ImportPath: path.Join(r.config.Module, r.config.Routes),
			Runtime:    r.config.Runtime,
		})
		n++
	}
	return n, err
}

// routesFile is the file that emit.Routes writes.
const routesFile = "routes.gen.go"

func (r *run) models() []*model.Domain {
	models := make([]*model.Domain, len(r.domains))
	for i, d := range r.domains {
		models[i] = d.Model
	}
	return models
}

// files are all files of the run, by path within the repository.
func (r *run) files() (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, d := range r.domains {
		for name, src := range d.Package.Files {
			files[path.Join(r.config.Output, d.Config.Package, name)] = src
		}
		lock, err := d.Model.Lock.Marshal()
		if err != nil {
			return nil, err
		}
		files[d.LockFile] = lock
	}
	if r.routes != nil {
		for name, src := range r.routes.Files {
			files[path.Join(r.config.Routes, name)] = src
		}
	}
	files[path.Join(r.config.Output, "README.md")] = emit.MethodTable(r.models())
	return files, nil
}

func (r *run) details() {
	for _, d := range r.domains {
		for _, res := range d.Results {
			r.opts.Report.Detail("%s", res)
		}
		methods, fields := 0, 0
		for _, res := range d.Model.Resources {
			methods += len(res.Methods)
		}
		for _, t := range d.Model.Types {
			fields += len(t.Fields)
		}
		r.opts.Report.Detail("%s: %d resources, %d methods, %d types, %d fields", d.Name, len(d.Model.Resources), methods, len(d.Model.Types), fields)
	}
}
