package source

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/canon"
	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
)

// Options of Ensure and Update.
type Options struct {
	Dir       string // the repository
	Config    *Config
	Mirror    string // directories that replace the network for github sources; see Config.Mirrors
	Endpoints Endpoints
	Client    *http.Client
	// KeepGoing makes Update go on past descriptions that cannot be read, which
	// are in Set.Failed then, and past those that the source does not have.
	KeepGoing bool
	// Announce makes Update look for files that the source did not have at the
	// pinned commit; they are in Set.New.
	Announce bool
}

// Snapshot is a domain's canonical snapshot.
type Snapshot struct {
	Domain string
	Path   string // "specs/core.yml"
	Data   []byte
	SHA256 string
	Origin Origin

	root   *yaml.Node // of the data with digest rootOf; nil if it has not been parsed
	rootOf string
}

// Tree returns the snapshot as canon.Parse reads it. It must not be changed: copies of
// the snapshot share it.
func (s Snapshot) Tree() (*yaml.Node, error) {
	if s.root != nil && s.rootOf == s.SHA256 {
		return s.root, nil
	}
	return canon.Parse(s.Path, s.Data)
}

// Parsed returns the snapshot with its tree, as canon.SnapshotTree returns it with the
// data.
func (s Snapshot) Parsed(root *yaml.Node) Snapshot {
	s.root, s.rootOf = root, s.SHA256
	return s
}

// Set holds the snapshots of a run, by domain.
type Set struct {
	Snapshots []Snapshot
	Fetched   int              // number of snapshots that were not on disk
	Failed    map[string]error // by domain, why there is no snapshot; see Options.KeepGoing
	Stale     []string         // snapshots on disk of domains that are no longer configured
	New       []string         // files that no domain uses; see Options.Announce
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// Ensure returns the pinned snapshots. It fetches missing ones at the pinned commit.
// All must match the lock. It writes no files.
func Ensure(ctx context.Context, o Options) (*Set, error) {
	lock, err := LoadLock(o.Dir)
	if err != nil {
		return nil, err
	}
	if lock == nil {
		return nil, diag.Errorf(diag.Pos{File: LockFile}, "no-lock", "the file does not exist, because no specifications have been pulled yet").
			WithHint("run  make update  to pull and pin them")
	}
	root, err := os.OpenRoot(o.Dir)
	if err != nil {
		return nil, diag.Errorf(diag.Pos{File: o.Dir}, "no-repository", "cannot open: %v", err)
	}
	defer root.Close()
	f, err := newFetcher(o)
	if err != nil {
		return nil, err
	}
	set := &Set{}
	return set, o.forEach(set, func(name string) (Snapshot, bool, error) { return f.ensure(ctx, o, root, lock, name) })
}

// ensure returns a domain's pinned snapshot: the one on disk, or, if there is
// none, what the source has at the pinned commit.
func (f *fetcher) ensure(ctx context.Context, o Options, root *os.Root, lock *Lock, name string) (s Snapshot, fetched bool, err error) {
	pin := lock.Domains[name]
	if d, l := o.Config.Domains[name], o.Config.Location(name); !lock.pins(name, d, l) {
		return Snapshot{}, false, diag.Errorf(l.Pos, "not-pinned", "domain %s (%s of %s) is not pinned by the lock", name, d.File, l).
			WithHint("run  make update  to pull and pin it")
	}
	file := SnapshotPath(name)
	data, err := readSnapshot(root, file)
	switch {
	case err == nil:
		if sum := digest(data); sum != pin.Snapshot {
			return Snapshot{}, false, diag.Errorf(diag.Pos{File: file}, "snapshot-differs",
				"is not the pinned snapshot: its SHA-256 is %s, but the lock has %s", sum, pin.Snapshot).
				WithHint("restore it with git, or delete it to pull it again; make changes in an overlay instead")
		}
		return Snapshot{Domain: name, Path: file, Data: data, SHA256: pin.Snapshot}, false, nil
	case !errors.Is(err, fs.ErrNotExist):
		return Snapshot{}, false, diag.Errorf(diag.Pos{File: file}, "snapshot-unreadable", "%v", err)
	}
	s, _, err = f.snapshot(ctx, o, name, pin.File, lock.Pinned(name))
	if err == nil && s.SHA256 != pin.Snapshot {
		err = diag.Errorf(pin.Pos, "snapshot-differs", "the source's document for %s is not the pinned one: its SHA-256 is %s, but the lock has %s",
			name, s.SHA256, pin.Snapshot).WithHint("if you trust the source, run  make update  to pin the new document")
	}
	return s, true, err
}

// Verify fetches every description at the commit that the lock pins, and
// compares what it gets with the snapshots on disk and with the lock. A lock and
// a snapshot that were changed together agree with each other, and not with the
// source. Nothing is written.
func Verify(ctx context.Context, o Options) (*Set, error) {
	if _, err := Ensure(ctx, o); err != nil {
		return nil, err
	}
	lock, err := LoadLock(o.Dir)
	if err != nil {
		return nil, err
	}
	f, err := newFetcher(o)
	if err != nil {
		return nil, err
	}
	if err := f.onRefs(ctx, o.Config, lock); err != nil {
		return nil, err
	}
	set := &Set{}
	return set, o.forEach(set, func(name string) (Snapshot, bool, error) {
		pin := lock.Domains[name]
		at := lock.Pinned(name)
		s, document, err := f.snapshot(ctx, o, name, pin.File, at)
		switch {
		case err != nil:
			return Snapshot{}, false, err
		case at == "" && document != pin.Document:
			return Snapshot{}, false, diag.Errorf(pin.Pos, "document-differs", "the source serves another document for %s than the one that was pulled; it has no commits, so that the pinned one cannot be fetched again", name).
				WithHint("run  make update  to pin what it serves now")
		case s.SHA256 != pin.Snapshot:
			return Snapshot{}, false, diag.Errorf(pin.Pos, "snapshot-differs", "what the source serves for %s at %s is not what is in %s: its SHA-256 is %s, the lock says %s",
				name, at, SnapshotPath(name), s.SHA256, pin.Snapshot).
				WithHint("the snapshot and the lock were changed, or the generator now writes snapshots differently: run  gen update --to %s  and look at the difference", lock.target(o.Config, name))
		}
		return s, true, nil
	})
}

// onRefs checks the commits of the lock as onRef does.
func (f *fetcher) onRefs(ctx context.Context, c *Config, lock *Lock) error {
	if len(f.mirrors) > 0 {
		return nil
	}
	checked := map[string]bool{}
	for _, name := range c.names() {
		l, commit := c.Location(name), lock.Pinned(name)
		if key := l.Name + "@" + commit; commit == "" || l.Kind != GitHub || checked[key] {
			continue
		} else {
			checked[key] = true
		}
		if err := f.onRef(ctx, l, commit); err != nil {
			return err
		}
	}
	return nil
}

// pins reports whether the lock pins what the configuration says of a domain.
func (l *Lock) pins(domain string, d DomainConfig, at Location) bool {
	pin, ok := l.Domains[domain]
	return ok && l.source(pin.Source).Source == at.String() && pin.File == d.File && pin.Shapes == d.shapes()
}

// shapes returns the decisions about shapes as the lock records them.
func (d DomainConfig) shapes() string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(d.Shapes)) {
		list = append(list, name+"="+string(d.Shapes[name]))
	}
	return strings.Join(list, ",")
}

func readSnapshot(root *os.Root, file string) ([]byte, error) {
	info, err := root.Lstat(filepath.FromSlash(file))
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("is not a regular file")
	}
	return root.ReadFile(filepath.FromSlash(file))
}

// snapshot fetches a document and returns its snapshot.
func (f *fetcher) snapshot(ctx context.Context, o Options, domain, file, commit string) (s Snapshot, document string, err error) {
	raw, name, err := f.fetch(ctx, o.Config.Location(domain), file, commit)
	if found := diag.FromError(err, diag.Pos{}); len(found) > 0 && found[0].Code == "no-document" && !o.KeepGoing {
		return Snapshot{}, "", f.absent(ctx, o, domain, commit, found[0])
	}
	if err != nil {
		return Snapshot{}, "", err
	}
	data, root, err := canon.SnapshotTree(name, raw, o.Config.Domains[domain].Shapes)
	if err != nil {
		return Snapshot{}, "", err
	}
	return NewSnapshot(domain, data, Origin{name, raw}).Parsed(root), digest(raw), nil
}

// NewSnapshot returns the snapshot of a domain that holds data.
func NewSnapshot(domain string, data []byte, origin Origin) Snapshot {
	return Snapshot{Domain: domain, Path: SnapshotPath(domain), Data: data, SHA256: digest(data), Origin: origin}
}

// forEach runs get for every domain, with limited concurrency, and collects the
// snapshots and errors in the order of the domains.
func (o Options) forEach(set *Set, get func(name string) (Snapshot, bool, error)) error {
	names := o.Config.names()
	snapshots := make([]Snapshot, len(names))
	fetched := make([]bool, len(names))
	errs := make([]error, len(names))
	limit := make(chan struct{}, 4)
	var wg sync.WaitGroup
	for i, name := range names {
		limit <- struct{}{}
		wg.Go(func() {
			defer func() { <-limit }()
			snapshots[i], fetched[i], errs[i] = get(name)
		})
	}
	wg.Wait()
	var list diag.List
	for i, err := range errs {
		found := diag.FromError(err, diag.Pos{File: names[i]})
		switch {
		case len(found) == 0:
			set.Snapshots = append(set.Snapshots, snapshots[i])
		case !o.KeepGoing:
			list = append(list, found...)
		case found[0].Code != "no-document":
			if set.Failed == nil {
				set.Failed = map[string]error{}
			}
			set.Failed[names[i]] = found
		}
		if fetched[i] {
			set.Fetched++
		}
	}
	return list.Err()
}

// staleSnapshots returns the snapshots of domains that are no longer configured.
func staleSnapshots(o Options) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(o.Dir, "specs"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // nothing has been pulled yet
	}
	if err != nil {
		return nil, diag.Errorf(diag.Pos{File: "specs"}, "no-repository", "%v", err)
	}
	var stale []string
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".yml")
		if _, known := o.Config.Domains[name]; ok && !known && e.Type().IsRegular() {
			stale = append(stale, path.Join("specs", e.Name()))
		}
	}
	return stale, nil
}
