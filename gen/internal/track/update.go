package track

import (
	"context"
	"io/fs"
	"path"
	"strings"
	"sync"

	"github.com/basiq-sdk/basiq-go/gen/internal/pipeline"
	"github.com/basiq-sdk/basiq-go/gen/internal/report"
	"github.com/basiq-sdk/basiq-go/gen/internal/source"
)

// UpdateReport compares what was committed last with what an update is about
// to write, as Diff does for HEAD and the working tree once it is written. It
// is nil if nothing was pinned yet. Call it before the update is applied.
//
// It compares with HEAD if that pins anything, or else with the working tree.
func (t *Tracker) UpdateReport(ctx context.Context, u *pipeline.PendingUpdate) (*report.Report, error) {
	if _, err := t.git(ctx, "cat-file", "-e", "HEAD:./"+source.LockFile); err == nil {
		s, tree, cfg, err := t.committed(ctx, "HEAD")
		if err == nil {
			s.Side = pinnedSide(s.Side)
			r, incomplete, err := t.updateReport(ctx, u, s, tree, cfg)
			if !incomplete {
				return r, err
			}
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
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
	r, _, err := t.updateReport(ctx, u, s, t.tree, t.config)
	return r, err
}

// updateReport compares an update with a state whose packages are in a tree. incomplete
// reports that they could not be loaded.
func (t *Tracker) updateReport(ctx context.Context, u *pipeline.PendingUpdate, old report.State, tree fs.FS, cfg *source.Config) (r *report.Report, incomplete bool, err error) {
	new := t.pending(u)
	// Compiling the decoders of the examples takes as long as all that follows.
	var examples *report.Examples
	var decoding sync.WaitGroup
	defer decoding.Wait() // it removes its temporary files
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	before, after := old, new // without the packages, which are loaded meanwhile
	decoding.Go(func() { examples = t.Examples(ctx, before, after) })

	if err := t.onDisk(ctx, &old, tree, cfg); err != nil {
		return nil, true, err
	}
	if err := t.pendingPackages(ctx, &new, u); err != nil {
		return nil, false, err
	}
	r, err = report.New(ctx, old, new)
	if err != nil || len(r.Cards) == 0 {
		return r, false, err
	}
	decoding.Wait()
	r.Examples = examples
	if tag := t.LastTag(ctx); tag != "" {
		r.Users, err = t.Users(ctx, new, tag)
	}
	return r, false, err
}

// pinnedSide is the side of upstream that a state of this repository pins.
func pinnedSide(s report.Side) report.Side {
	out := report.Side{Kind: "upstream", Name: s.Pin, Commit: s.Pin, Upstreams: s.Upstreams, Commits: s.Commits}
	if len(s.Upstreams) == 1 {
		out.Date = s.Upstreams[0].Date
	}
	return out
}

// pending returns the state that an update writes, without its packages.
func (t *Tracker) pending(u *pipeline.PendingUpdate) report.State {
	s := report.State{Side: t.upstream(report.Side{Kind: "upstream"}, t.config, u.Lock), ImportPath: t.runner.ImportPath, Domains: map[string]*pipeline.Build{}}
	for _, b := range u.Builds {
		s.Domains[b.Name] = b
	}
	return s
}

// pendingPackages loads every package of the working tree with the files of an update
// over it.
func (t *Tracker) pendingPackages(ctx context.Context, s *report.State, u *pipeline.PendingUpdate) error {
	over := u.Files()
	if over == nil {
		over = t.over(*s) // nothing will be written; what could be built is compared
	}
	return t.packages(ctx, s, t.source.With(over))
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
