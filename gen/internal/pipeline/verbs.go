package pipeline

import (
	"context"
	"io/fs"
	"maps"
	"path"
	"strings"
	"time"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/output"
	"github.com/basiq-sdk/basiq-go/gen/internal/source"
)

func (r *run) sourceOptions() source.Options {
	return source.Options{Dir: r.opts.Dir, Config: r.config, Mirror: r.opts.Mirror}
}

// inputs are the paths that decide, together with the generator, what a run writes.
func (r *run) inputs() []string {
	in := []string{"go.mod", "specs", "overlays", r.config.Output}
	if local, ok := strings.CutPrefix(r.config.Runtime, r.config.Module+"/"); ok {
		in = append(in, local)
	}
	for _, d := range r.config.Domains {
		for _, pattern := range d.Overlays {
			files, _ := fs.Glob(r.root.FS(), pattern) // a bad pattern is for the run to report
			in = append(in, files...)
		}
	}
	if r.config.Routes != "" {
		in = append(in, path.Join(r.config.Routes, routesFile))
	}
	return in
}

// Generate writes what changed.
func Generate(ctx context.Context, opts Options) error {
	r, err := newRun(opts)
	if err != nil {
		return err
	}
	defer r.close()
	if !opts.Force {
		start := time.Now()
		if sum, err := stamp(r.root, r.inputs()); err == nil && sum == readStamp(r.root) {
			opts.Report.Summary("nothing to do: inputs, generator and output are those of the last run (%d ms)", time.Since(start).Milliseconds())
			return nil
		}
	}
	set, err := r.pull(ctx)
	if err != nil {
		return err
	}
	plan, err := r.plan(ctx, set, nil)
	if err != nil {
		return err
	}
	return r.write(plan)
}

func (r *run) pull(ctx context.Context) (set *source.Set, err error) {
	r.compileImports(ctx)
	err = r.timed("pull", "snapshots", func() (int, error) {
		set, err = source.Ensure(ctx, r.sourceOptions())
		if err != nil {
			return 0, err
		}
		return len(set.Snapshots), nil
	})
	return set, err
}

// plan builds everything and compares it with the disk. extra are files
// beside the generated ones.
func (r *run) plan(ctx context.Context, set *source.Set, extra map[string][]byte) (*output.Plan, error) {
	if err := r.build(ctx, set); err != nil {
		return nil, err
	}
	r.details()
	files, err := r.files()
	if err != nil {
		return nil, err
	}
	for _, s := range set.Snapshots {
		files[s.Path] = s.Data // one that was missing is written with the rest
	}
	maps.Copy(files, extra)
	owned := []string{r.config.Output}
	if r.config.Routes != "" {
		owned = append(owned, r.config.Routes)
	}
	return output.NewPlan(r.root, files, owned...)
}

func (r *run) write(plan *output.Plan) error {
	if err := r.timed("write", "files", func() (int, error) { return len(plan.Write), plan.Apply(r.root) }); err != nil {
		return err
	}
	if sum, err := stamp(r.root, r.inputs()); err == nil {
		writeStamp(r.root, sum)
	}
	r.opts.Report.Summary("%s", plan.Summary())
	return nil
}

// Pull makes sure that specs/ holds the pinned snapshots.
func Pull(ctx context.Context, opts Options) error {
	r, err := newRun(opts)
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
	r.opts.Report.Summary("%s", plan.Summary())
	return nil
}

// Check returns the difference between the disk and what Generate would write.
// The error tells what else is wrong: the lock, an overlay that does not fit,
// missing documentation, an import that callers should not have to compile.
func Check(ctx context.Context, opts Options) (string, error) {
	r, err := newRun(opts)
	if err != nil {
		return "", err
	}
	defer r.close()
	set, err := r.pull(ctx)
	if err != nil {
		return "", err
	}
	plan, err := r.plan(ctx, set, nil)
	if err != nil {
		return "", err
	}
	documented, documentable := r.coverage()
	opts.Report.Summary("%s; documentation %d of %d parts", plan.Summary(), documented, documentable)
	findings := r.rules()
	if documented < documentable {
		findings = append(findings, diag.Errorf(diag.Pos{File: "overlays"}, "undocumented", "%d of %d parts have no documentation", documentable-documented, documentable).
			WithHint("run  gen lint  to see which"))
	}
	return plan.Diff(), findings.Err()
}

func (r *run) coverage() (documented, documentable int) {
	for _, d := range r.domains {
		documented, documentable = documented+d.Model.Documented, documentable+d.Model.Documentable
	}
	return documented, documentable
}

// Lint reports what in the overlaid specifications makes poor Go.
func Lint(ctx context.Context, opts Options) error {
	r, err := newRun(opts)
	if err != nil {
		return err
	}
	defer r.close()
	set, err := source.Ensure(ctx, r.sourceOptions())
	if err != nil {
		return err
	}
	if _, err := r.overlay(ctx, set); err != nil {
		return err
	}
	var findings diag.List
	for _, d := range r.domains {
		findings = append(findings, d.Model.Warnings...)
	}
	documented, documentable := r.coverage()
	percent := 100.0
	if documentable > 0 {
		percent = 100 * float64(documented) / float64(documentable)
	}
	opts.Report.Summary("documentation: %d of %d parts (%.1f %%); %d findings", documented, documentable, percent, len(findings))
	return findings.Err()
}
