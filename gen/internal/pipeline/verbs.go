package pipeline

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/output"
	"github.com/basiq-sdk/basiq-go/gen/internal/source"
)

// Options of a verb.
type Options struct {
	Dir      string   // the repository
	Mirror   string   // directory that stands in for the network
	Domains  []string // Lint: only these; all if empty
	Force    bool     // Generate: ignore the stamp of the last run
	Mode     Mode     // Lint, PrepareUpdate: Lenient goes on past overlays that do not fit
	Cache    *Cache   // shared with other runs; may be nil
	Progress *Progress

	// Imports is RunnerOptions.Imports.
	Imports func() []string
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
		if _, err := os.Stat(filepath.Join(d, filepath.FromSlash(source.ConfigFile))); err == nil {
			return d, nil
		}
		if d == filepath.Dir(d) {
			return "", diag.Errorf(diag.Pos{File: source.ConfigFile}, "no-repository",
				"not found in the working directory or a parent directory").
				WithHint("run from within the repository, or name it with --dir")
		}
	}
}

// Generate generates the clients and writes what changed.
func Generate(ctx context.Context, opts Options) error {
	r, err := open(ctx, opts)
	if err != nil {
		return err
	}
	defer r.close()
	if start := time.Now(); !opts.Force && r.unchanged() {
		opts.Progress.Summary("nothing to do: inputs, generator and output are those of the last run (%d ms)", time.Since(start).Milliseconds())
		return nil
	}
	r.runner.CompileImports()
	set, err := r.pull(ctx)
	if err != nil {
		return err
	}
	res, err := r.run(ctx, set)
	if err != nil {
		return err
	}
	plan, err := r.plan(set, res, nil)
	if err != nil {
		return err
	}
	return r.write(plan)
}

// Check returns the difference between the disk and what Generate would
// write. The error says what else is wrong: the lock, an overlay that does not
// fit, missing documentation, an import that callers should not have to compile.
func Check(ctx context.Context, opts Options) (string, error) {
	r, err := open(ctx, opts)
	if err != nil {
		return "", err
	}
	defer r.close()
	r.runner.CompileImports()
	set, err := r.pull(ctx)
	if err != nil {
		return "", err
	}
	res, err := r.run(ctx, set)
	if err != nil {
		return "", err
	}
	plan, err := r.plan(set, res, nil)
	if err != nil {
		return "", err
	}
	documented, documentable := res.Coverage()
	opts.Progress.Summary("%s; documentation %d of %d parts", plan.Preview(), documented, documentable)
	findings := r.rules()
	if documented < documentable {
		findings = append(findings, diag.Errorf(diag.Pos{File: "overlays"}, "undocumented", "%d of %d parts have no documentation", documentable-documented, documentable).
			WithHint("run  go run ./gen lint  to see which"))
	}
	return plan.Diff(), findings.Err()
}

// Lint reports what in the overlaid specifications makes poor Go.
func Lint(ctx context.Context, opts Options) error {
	r, err := open(ctx, opts)
	if err != nil {
		return err
	}
	defer r.close()
	for _, name := range opts.Domains {
		if _, ok := r.config.Domains[name]; !ok {
			return diag.Errorf(diag.Pos{File: source.ConfigFile}, "no-domain", "there is no domain %q", name)
		}
	}
	set, err := r.pull(ctx)
	if err != nil {
		return err
	}
	if len(opts.Domains) > 0 {
		set.Snapshots = slices.DeleteFunc(set.Snapshots, func(s source.Snapshot) bool { return !slices.Contains(opts.Domains, s.Domain) })
	}
	res, err := r.runner.Run(ctx, set.Snapshots, StageModel)
	if err != nil {
		return err
	}
	var findings diag.List
	for _, b := range res.Builds { // of a lenient run; a strict one stopped
		findings = slices.Concat(findings, b.Skipped(), b.Defects(), diag.FromError(b.Err, diag.Pos{}))
	}
	findings = append(findings, res.Findings()...)
	documented, documentable := res.Coverage()
	percent := 100.0
	if documentable > 0 {
		percent = 100 * float64(documented) / float64(documentable)
	}
	opts.Progress.Summary("documentation: %d of %d parts (%.1f %%); %d findings", documented, documentable, percent, len(findings))
	return opts.Progress.kinds(findings).Err()
}

// Pull makes sure that specs/ holds the pinned snapshots.
func Pull(ctx context.Context, opts Options) error {
	r, err := open(ctx, opts)
	if err != nil {
		return err
	}
	defer r.close()
	set, err := source.Ensure(ctx, r.sourceOptions())
	if err != nil {
		return err
	}
	files := map[string][]byte{}
	for _, s := range set.Snapshots {
		files[s.Path] = s.Data
	}
	plan, err := output.NewPlan(r.root, files)
	if err != nil {
		return err
	}
	if err := plan.Apply(r.root); err != nil {
		return err
	}
	opts.Progress.Summary("%s", plan.Summary())
	return nil
}

// Verify pulls the pinned snapshots again, and fails if the source serves
// anything else than what specs/ holds.
func Verify(ctx context.Context, opts Options) error {
	r, err := open(ctx, opts)
	if err != nil {
		return err
	}
	defer r.close()
	set, err := source.Verify(ctx, r.sourceOptions())
	if err != nil {
		return err
	}
	opts.Progress.Summary("fetched again: %d of %d; all are what the lock pins", len(set.Snapshots), len(r.config.Domains))
	return nil
}

// repository is the folder that a verb works on.
type repository struct {
	opts   Options
	root   *os.Root
	config *source.Config
	runner *Runner
}

func open(ctx context.Context, opts Options) (*repository, error) {
	root, err := os.OpenRoot(opts.Dir)
	if err != nil {
		return nil, diag.Errorf(diag.Pos{File: opts.Dir}, "no-repository", "cannot open: %v", err)
	}
	cfg, err := source.LoadConfig(opts.Dir)
	if err != nil {
		root.Close()
		return nil, err
	}
	return &repository{opts: opts, root: root, config: cfg, runner: NewRunner(ctx, RunnerOptions{
		Dir: opts.Dir, Config: cfg, Files: root.FS(), Mode: opts.Mode, Cache: opts.Cache, Progress: opts.Progress, Imports: opts.Imports,
	})}, nil
}

func (r *repository) close() { _ = r.root.Close() }

func (r *repository) sourceOptions() source.Options {
	return source.Options{Dir: r.opts.Dir, Config: r.config, Mirror: r.opts.Mirror}
}

// pull returns the pinned snapshots.
func (r *repository) pull(ctx context.Context) (set *source.Set, err error) {
	err = r.timed(StagePull, "snapshots", func() (int, error) {
		set, err = source.Ensure(ctx, r.sourceOptions())
		if err != nil {
			return 0, err
		}
		return len(set.Snapshots), nil
	})
	return set, err
}

// run takes snapshots through all stages, and reports details.
func (r *repository) run(ctx context.Context, set *source.Set) (*Result, error) {
	res, err := r.runner.Run(ctx, set.Snapshots, StageCheck)
	if err == nil {
		r.opts.Progress.details(res)
	}
	return res, err
}

func (r *repository) timed(name Stage, unit string, run func() (int, error)) error {
	start := time.Now()
	n, err := run()
	if err == nil {
		r.opts.Progress.Stage(name, n, unit, time.Since(start))
	}
	return err
}
