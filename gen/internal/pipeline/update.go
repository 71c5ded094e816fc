package pipeline

import (
	"context"
	"path"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/output"
	"github.com/basiq-sdk/basiq-go/gen/internal/source"
)

// NewPin is a move of the pin that is ready to be written.
type NewPin struct {
	Lock    *source.Lock
	Domains []*Domain
	run     *run
	plan    *output.Plan
}

// Update moves the pin, and regenerates. Nothing is written unless all of it can be.
func Update(ctx context.Context, opts Options, to string) error {
	u, err := PrepareUpdate(ctx, opts, to)
	if err != nil {
		return err
	}
	defer u.Close()
	return u.Apply()
}

// PrepareUpdate does everything of Update but the writing.
func PrepareUpdate(ctx context.Context, opts Options, to string) (*NewPin, error) {
	r, err := newRun(opts)
	if err != nil {
		return nil, err
	}
	u := &NewPin{run: r}
	if err := u.prepare(ctx, to); err != nil {
		u.Close()
		return nil, err
	}
	return u, nil
}

func (u *NewPin) prepare(ctx context.Context, to string) error {
	r := u.run
	r.compileImports(ctx)
	var set *source.Set
	err := r.timed("pull", "snapshots", func() (n int, err error) {
		set, u.Lock, err = source.Update(ctx, r.sourceOptions(), to)
		if err != nil {
			return 0, err
		}
		return len(set.Snapshots), nil
	})
	if err != nil {
		return err
	}
	data, err := u.Lock.Marshal()
	if err != nil {
		return err
	}
	if u.plan, err = r.plan(ctx, set, map[string][]byte{path.Join("specs", "specs.lock"): data}); err != nil {
		return err
	}
	for _, name := range set.Stale {
		if err := u.plan.Remove(r.root, name); err != nil {
			return err
		}
	}
	u.Domains = r.domains
	return nil
}

// Misfits are the findings about overlay actions that were set aside.
func (u *NewPin) Misfits() diag.List {
	var list diag.List
	for _, d := range u.Domains {
		for _, r := range d.Aside {
			list = append(list, r.Err)
		}
		list = append(list, d.Phantoms...)
	}
	list.Sort()
	return list
}

// Apply writes. With actions set aside it refuses: what they repaired would
// be lost silently.
func (u *NewPin) Apply() error {
	if err := u.Misfits().Err(); err != nil {
		return err
	}
	return u.run.write(u.plan)
}

// Close releases the repository.
func (u *NewPin) Close() { u.run.close() }
