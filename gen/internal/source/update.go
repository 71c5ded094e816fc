package source

import (
	"context"
	"os"
	"sync"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
)

// Update fetches the specifications at the newest commits of their sources, or at
// to, which Config.Targets parses. It returns the snapshots and the lock that pins
// them. It writes no files.
func Update(ctx context.Context, o Options, to string) (*Set, *Lock, error) {
	f, err := newFetcher(o)
	if err != nil {
		return nil, nil, err
	}
	old, err := LoadLock(o.Dir)
	if err != nil || old == nil {
		old = &Lock{} // a lock that cannot be read is written anew
	}
	u := &update{fetcher: f, o: o, old: old}
	if u.targets, err = o.Config.Targets(to); err != nil {
		return nil, nil, err
	}
	if u.root, err = os.OpenRoot(o.Dir); err != nil {
		return nil, nil, diag.Errorf(diag.Pos{File: o.Dir}, "no-repository", "cannot open: %v", err)
	}
	defer u.root.Close()
	if err := u.resolve(ctx); err != nil {
		return nil, nil, err
	}
	set := &Set{}
	var mu sync.Mutex
	err = o.forEach(set, func(name string) (Snapshot, bool, error) {
		s, pin, fetched, err := u.domain(ctx, name)
		mu.Lock()
		u.lock.Domains[name] = pin // of a description that cannot be read, too: reports say where it is
		mu.Unlock()
		return s, fetched, err
	})
	if err != nil {
		return nil, nil, err
	}
	if o.Announce {
		set.New = f.added(ctx, o.Config, old, u.lock)
	}
	set.Stale, err = staleSnapshots(o)
	return set, u.lock, err
}

// update is a run of Update.
type update struct {
	*fetcher
	o       Options
	root    *os.Root
	targets map[string]string
	old     *Lock // empty if nothing is pinned
	lock    *Lock // the new one
}

// stays reports whether a domain stays at its pin, because something else was
// named to be moved.
func (u *update) stays(domain string) bool {
	c := u.o.Config
	d := c.Domains[domain]
	if len(u.targets) == 0 || u.targets[domain] != "" || u.targets[d.Source] != "" {
		return false
	}
	return u.old.pins(domain, d, c.Location(domain))
}

// resolve starts the new lock with the commits of the sources.
func (u *update) resolve(ctx context.Context) error {
	c := u.o.Config
	u.lock = &Lock{SourcePin: SourcePin{Source: c.Sources[c.Default].String(), Ref: c.Sources[c.Default].Ref}, Sources: map[string]SourcePin{}, Domains: map[string]Pin{}}
	for _, name := range c.Used() {
		l := c.Sources[name]
		pin := SourcePin{Source: l.String(), Ref: l.Ref}
		before := u.old.find(l, u.locked(name))
		target, named := u.targets[name]
		var err error
		switch {
		case len(u.targets) > 0 && !named && before.Source == pin.Source && (before.Commit != "" || !u.needed(name)):
			pin = before
		case u.needed(name):
			pin.Commit, err = u.fetcher.resolve(ctx, l, target)
		}
		if err != nil {
			return err
		}
		if u.locked(name) == "" {
			u.lock.SourcePin = pin
		} else {
			u.lock.Sources[name] = pin
		}
	}
	return nil
}

// needed reports whether a domain of a source moves, and has no target of its own.
func (u *update) needed(source string) bool {
	for name, d := range u.o.Config.Domains {
		if d.Source == source && !u.stays(name) && (u.targets[name] == "" || name == source) {
			return true
		}
	}
	return false
}

// locked returns the name by which the lock knows a source.
func (u *update) locked(name string) string {
	if name == u.o.Config.Default {
		return ""
	}
	return name
}

// domain returns the snapshot of a domain, and the pin to it.
func (u *update) domain(ctx context.Context, name string) (s Snapshot, pin Pin, fetched bool, err error) {
	d, l := u.o.Config.Domains[name], u.o.Config.Location(name)
	pin = Pin{File: d.File, Source: u.locked(d.Source), Shapes: d.shapes()}
	at := u.lock.source(pin.Source).Commit
	if u.stays(name) {
		before := u.old.Domains[name]
		s, fetched, err = u.ensure(ctx, u.o, u.root, u.old, name)
		pin.Document, pin.Snapshot = before.Document, before.Snapshot
		if commit := u.old.Pinned(name); commit != at {
			pin.Commit = commit
		}
		return s, pin, fetched, err
	}
	if ref := u.targets[name]; ref != "" && name != d.Source {
		commit, err := u.fetcher.resolve(ctx, l, ref)
		if err != nil {
			return Snapshot{}, Pin{}, false, err
		}
		if commit != at {
			at, pin.Commit = commit, commit
		}
	}
	s, document, err := u.snapshot(ctx, u.o, name, pin.File, at)
	if at == "" {
		pin.Document = document
	}
	pin.Snapshot = s.SHA256
	return s, pin, true, err
}
