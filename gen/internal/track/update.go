package track

import (
	"context"
	"io/fs"
	"path"
	"strings"

	"github.com/basiq-sdk/basiq-go/gen/internal/godiff"
	"github.com/basiq-sdk/basiq-go/gen/internal/pipeline"
	"github.com/basiq-sdk/basiq-go/gen/internal/report"
	"github.com/basiq-sdk/basiq-go/gen/internal/source"
)

// UpdateReport compares what was committed last with what an update is about
// to write, as Diff does for HEAD and the working tree once it is written. It
// is nil if nothing was pinned yet. Call it before the update is applied.
func (t *Tracker) UpdateReport(ctx context.Context, u *pipeline.PendingUpdate) (*report.Report, error) {
	old, err := t.before(ctx)
	if err != nil || old == nil {
		return nil, err
	}
	new, err := t.pending(ctx, u)
	if err != nil {
		return nil, err
	}
	r, err := report.New(ctx, *old, new)
	if err != nil || len(r.Cards) == 0 {
		return r, err
	}
	r.Examples = t.Examples(ctx, *old, new)
	if tag := t.LastTag(ctx); tag != "" {
		r.Users, err = t.Users(ctx, new, tag)
	}
	return r, err
}

// before is the state that an update starts from: HEAD if it pins anything, or
// else the working tree. It is nil if that pins nothing either.
func (t *Tracker) before(ctx context.Context) (*report.State, error) {
	if _, err := t.git(ctx, "cat-file", "-e", "HEAD:./"+source.LockFile); err == nil {
		s, err := t.revision(ctx, "HEAD")
		if err == nil {
			s.Side = pinnedSide(s.Side)
			return &s, nil
		}
		if ctx.Err() != nil {
			return nil, err
		}
		// HEAD is not a complete state: compare with the working tree.
	}
	lock, err := source.LoadLock(t.opts.Dir)
	if err != nil || lock == nil {
		return nil, err
	}
	pinned, err := snapshotsOf(t.tree, &source.Config{Domains: known(t.config.Domains, lock.Domains)})
	if err != nil {
		return nil, err
	}
	s, err := t.build(ctx, t.upstream(report.Side{Kind: "upstream"}, t.config, lock), &source.Set{Snapshots: pinned})
	if err != nil {
		return nil, err
	}
	return &s, t.onDisk(ctx, &s, t.tree, t.config)
}

// pinnedSide is the side of upstream that a state of this repository pins.
func pinnedSide(s report.Side) report.Side {
	out := report.Side{Kind: "upstream", Name: s.Pin, Commit: s.Pin, Upstreams: s.Upstreams, Commits: s.Commits}
	if len(s.Upstreams) == 1 {
		out.Date = s.Upstreams[0].Date
	}
	return out
}

// pending is the state that an update writes: its builds, and every package of
// the working tree with the files of the update over it.
func (t *Tracker) pending(ctx context.Context, u *pipeline.PendingUpdate) (report.State, error) {
	s := report.State{Side: t.upstream(report.Side{Kind: "upstream"}, t.config, u.Lock), ImportPath: t.runner.ImportPath, Domains: map[string]*pipeline.Build{}}
	for _, b := range u.Builds {
		s.Domains[b.Name] = b
	}
	over := u.Files()
	if over == nil {
		over = t.over(s) // nothing will be written; what could be built is compared
	}
	return s, t.packages(ctx, &s, godiff.Tree{Module: t.config.Module, FS: t.tree, Over: over})
}

// known are the domains that are both configured and pinned.
func known(configured map[string]source.DomainConfig, pinned map[string]source.Pin) map[string]source.DomainConfig {
	out := map[string]source.DomainConfig{}
	for name, d := range configured {
		if _, ok := pinned[name]; ok {
			out[name] = d
		}
	}
	return out
}

// generatedFiles are the files of a domain's package in a tree.
func generatedFiles(tree fs.FS, dir string) (map[string][]byte, error) {
	found, err := fs.Glob(tree, path.Join(dir, "*.gen.go"))
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, f := range found {
		if files[strings.TrimPrefix(f, dir+"/")], err = fs.ReadFile(tree, f); err != nil {
			return nil, err
		}
	}
	return files, nil
}
