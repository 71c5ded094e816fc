package track

import (
	"context"
	"maps"
	"slices"

	"github.com/basiq-sdk/basiq-go/gen/internal/pipeline"
	"github.com/basiq-sdk/basiq-go/gen/internal/report"
	"github.com/basiq-sdk/basiq-go/gen/internal/source"
)

// UpdateReport compares what is pinned with what is about to be. It is nil
// when nothing is pinned yet. It must be made before the new pin is written.
func (t *Tracker) UpdateReport(ctx context.Context, u *pipeline.PendingUpdate) (*report.Report, error) {
	lock, err := source.LoadLock(t.opts.Dir)
	if err != nil || lock == nil {
		return nil, err
	}
	made := map[string]*pipeline.Build{}
	for _, b := range u.Builds {
		made[b.Name] = b
	}
	new := report.State{
		Side:    report.Side{Kind: "upstream", Name: u.Lock.Commit, Commit: u.Lock.Commit, Date: t.date(u.Lock.Commit)},
		Domains: made, ImportPath: t.runner.ImportPath,
	}
	// What stayed need not be made again.
	pinned, err := snapshotsOf(t.tree, &source.Config{Domains: known(t.config.Domains, lock.Domains)})
	if err != nil {
		return nil, err
	}
	config := t.committed(ctx)
	moved := func(domain string) bool {
		was, had := config.Domains[domain]
		return had && was.Package != t.config.Domains[domain].Package
	}
	old := map[string]*pipeline.Build{}
	var changed, elsewhere []source.Snapshot
	for _, s := range pinned {
		d := made[s.Domain]
		switch {
		case moved(s.Domain):
			elsewhere = append(elsewhere, s)
		case d != nil && d.Snapshot.SHA256 == s.SHA256 && len(d.Skipped()) == 0:
			old[s.Domain] = d
		default:
			changed = append(changed, s)
		}
	}
	res, err := t.runner.Run(ctx, changed, pipeline.StageCheck)
	if err != nil {
		return nil, err
	}
	maps.Copy(old, res.ByDomain())
	from := report.State{
		Side:    report.Side{Kind: "upstream", Name: lock.Commit, Commit: lock.Commit, Date: t.date(lock.Commit)},
		Domains: old, ImportPath: t.runner.ImportPath,
	}
	// What is no longer configured, or is another package now, is built as it
	// was committed.
	gone := maps.Clone(config.Domains)
	maps.DeleteFunc(gone, func(name string, _ source.Domain) bool { _, ok := t.config.Domains[name]; return ok })
	if len(gone)+len(elsewhere) > 0 {
		committed, err := t.archive(ctx, "HEAD")
		if err != nil {
			return nil, err
		}
		last, err := snapshotsOf(committed, &source.Config{Domains: gone})
		if err != nil {
			return nil, err
		}
		runner := t.newRunner(ctx, config, committed)
		res, err := runner.Run(ctx, slices.Concat(last, elsewhere), pipeline.StageCheck)
		if err != nil {
			return nil, err
		}
		maps.Copy(old, res.ByDomain())
		from.ImportPath = runner.ImportPath
		changed = slices.Concat(changed, last, elsewhere)
	}
	if len(changed) == 0 {
		return report.New(ctx, from, new)
	}
	if err := t.Consumers(ctx, &new); err != nil {
		return nil, err
	}
	r, err := report.New(ctx, from, new)
	if err != nil {
		return nil, err
	}
	r.Examples = t.Examples(ctx, from, new)
	if tag := t.LastTag(ctx); tag != "" {
		r.Users, err = t.Users(ctx, new, tag)
	}
	return r, err
}

// committed is the configuration as it was committed; today's where there is
// none.
func (t *Tracker) committed(ctx context.Context) *source.Config {
	data, err := t.git(ctx, "show", "HEAD:./"+source.ConfigFile)
	if err != nil {
		return t.config
	}
	config, err := source.ParseConfig(source.ConfigFile, data)
	if err != nil {
		return t.config
	}
	return config
}

// known are the domains that are both configured and pinned.
func known(configured map[string]source.Domain, pinned map[string]source.Pin) map[string]source.Domain {
	out := map[string]source.Domain{}
	for _, name := range slices.Sorted(maps.Keys(configured)) {
		if _, ok := pinned[name]; ok {
			out[name] = configured[name]
		}
	}
	return out
}
