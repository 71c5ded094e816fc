package pipeline

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/output"
	"github.com/basiq-sdk/basiq-go/gen/internal/source"
)

// PendingUpdate is an update of the pin that was generated and not yet written.
type PendingUpdate struct {
	Lock   *source.Lock
	Builds []*Build
	New    []string // files that upstream added and no domain uses
	repo   *repository
	plan   *output.Plan
}

// PrepareUpdate pulls what the source serves now, or at to, and generates
// from it. Nothing is written before Apply.
func PrepareUpdate(ctx context.Context, opts Options, to string) (*PendingUpdate, error) {
	r, err := open(ctx, opts)
	if err != nil {
		return nil, err
	}
	u := &PendingUpdate{repo: r}
	if err := u.prepare(ctx, to); err != nil {
		u.Close()
		return nil, err
	}
	return u, nil
}

func (u *PendingUpdate) prepare(ctx context.Context, to string) error {
	r := u.repo
	r.runner.CompileImports()
	var set *source.Set
	err := r.timed(StagePull, "snapshots", func() (n int, err error) {
		opts := r.sourceOptions()
		opts.Announce = true
		set, u.Lock, err = source.Update(ctx, opts, to)
		if err != nil {
			return 0, err
		}
		return len(set.Snapshots), nil
	})
	if err != nil {
		return err
	}
	u.New = set.New
	lock, err := u.Lock.Marshal()
	if err != nil {
		return err
	}
	res, err := r.run(ctx, set)
	u.Builds = res.Builds
	if err != nil {
		return u.locate(diag.FromError(err, diag.Pos{})).Err()
	}
	if slices.ContainsFunc(u.Builds, func(b *Build) bool { return !b.Built() }) {
		return nil // only a lenient run gets here; the report shows what stopped
	}
	if u.plan, err = r.plan(set, res, map[string][]byte{source.LockFile: lock}); err != nil {
		return err
	}
	for _, name := range set.Stale {
		if err := u.plan.Remove(r.root, name); err != nil {
			return err
		}
	}
	return nil
}

// locate moves positions from the snapshots, which are not written, to upstream's
// documents.
func (u *PendingUpdate) locate(list diag.List) diag.List {
	for _, b := range u.Builds {
		list = b.Snapshot.Locate(list)
	}
	return list
}

// Files are the files that the update writes, by path within the repository,
// nil for one that it removes. There are none if it cannot be written.
func (u *PendingUpdate) Files() map[string][]byte {
	if u.plan == nil {
		return nil
	}
	files := maps.Clone(u.plan.Write)
	for _, name := range u.plan.Delete {
		files[name] = nil
	}
	return files
}

// Apply writes the update. One that was prepared in lenient mode is never
// written: Apply returns what would stop a strict one.
func (u *PendingUpdate) Apply() error {
	if len(u.New) > 0 {
		u.repo.opts.Progress.Summary("upstream added files that no domain uses: %s; to generate a client for one, name it in %s", strings.Join(u.New, ", "), source.ConfigFile)
	}
	var list diag.List
	for _, b := range u.Builds {
		list = slices.Concat(list, b.Skipped(), b.Defects(), diag.FromError(b.Err, diag.Pos{}))
	}
	if err := u.locate(list).Err(); err != nil {
		return err
	}
	if u.repo.opts.Mode == Lenient {
		u.repo.opts.Progress.Summary("nothing was written because of --keep-going;  gen update  would succeed")
		return nil
	}
	if err := u.repo.write(u.plan); err != nil {
		return err
	}
	for _, b := range u.Builds {
		b.undocumented(u.repo.opts.Progress)
	}
	return nil
}

// undocumented reports the parts for which  gen check  will require documentation.
func (b *Build) undocumented(p *Progress) {
	var parts []string
	for _, f := range b.Model.Warnings {
		if f.Code == "undocumented" {
			parts = append(parts, strings.TrimSuffix(f.Message, " has no documentation"))
		}
	}
	if len(parts) == 0 {
		return
	}
	file := path.Join("overlays", b.Name, "40-docs.yaml")
	if n := len(b.Overlays); n > 0 {
		file = b.Overlays[n-1].File // documentation comes last
	}
	const most = 100
	if more := len(parts) - most; more > 0 {
		parts = append(parts[:most], fmt.Sprintf("and %d more, which  gen lint --verbose  lists", more))
	}
	p.Summary("gen check will fail until %s describes: %s", file, strings.Join(parts, ", "))
}

// Close releases the repository.
func (u *PendingUpdate) Close() { u.repo.close() }
