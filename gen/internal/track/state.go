// Package track finds the states of the API that reports compare: commits of
// upstream, revisions of this repository, the working tree.
package track

import (
	"archive/zip"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"go/types"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/godiff"
	"github.com/basiq-sdk/basiq-go/gen/internal/pipeline"
	"github.com/basiq-sdk/basiq-go/gen/internal/report"
	"github.com/basiq-sdk/basiq-go/gen/internal/source"
)

// Options of a Tracker.
type Options struct {
	Dir    string          // the repository
	Mirror string          // directories that stand in for the network; see source.Config.Mirrors
	Raw    string          // address that serves files of GitHub's repositories; the public one when empty
	Cache  *pipeline.Cache // of builds, shared with others; may be nil
}

// Tracker builds states. Two states that share a domain's snapshot share its
// package.
type Tracker struct {
	opts    Options
	config  *source.Config
	mirrors source.Mirrors
	tree    fs.FS // the working tree
	runner  *pipeline.Runner
	source  godiff.Tree    // the packages of the working tree
	last    *godiff.Loader // the last one, nil at first

	head func() (committed, error) // what Prefetch reads; nil if it was not called
}

// New returns a Tracker on the repository in o.Dir.
func New(ctx context.Context, o Options) (*Tracker, error) {
	cfg, err := source.LoadConfig(o.Dir)
	if err != nil {
		return nil, err
	}
	if o.Cache == nil {
		o.Cache = pipeline.NewCache()
	}
	mirrors, err := cfg.Mirrors(o.Mirror)
	if err != nil {
		return nil, err
	}
	t := &Tracker{opts: o, config: cfg, mirrors: mirrors, tree: os.DirFS(o.Dir)}
	t.source = godiff.NewTree(cfg.Module, t.tree)
	t.runner = t.newRunner(ctx, cfg, t.tree)
	return t, nil
}

// newRunner returns a lenient runner for a configuration and its overlays.
func (t *Tracker) newRunner(ctx context.Context, cfg *source.Config, tree fs.FS) *pipeline.Runner {
	return pipeline.NewRunner(ctx, pipeline.RunnerOptions{
		Dir: t.opts.Dir, Config: cfg, Files: tree, Mode: pipeline.Lenient, Cache: t.opts.Cache,
	})
}

// Worktree is the name of the working tree as a state.
const Worktree = "worktree"

// State builds the state of a name: "worktree", "git:REV", "upstream:REF", or
// a bare name, which is a revision of this repository if there is one, or else
// upstream's.
func (t *Tracker) State(ctx context.Context, name string) (report.State, error) {
	kind, rest, explicit := strings.Cut(name, ":")
	switch {
	case name == Worktree:
		return t.worktree(ctx)
	case explicit && kind == "git":
		return t.revision(ctx, rest)
	case explicit && kind == "upstream":
		return t.Upstream(ctx, rest)
	}
	if _, err := t.git(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", name+"^{commit}"); err == nil {
		return t.revision(ctx, name)
	}
	return t.Upstream(ctx, name)
}

func (t *Tracker) git(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = t.opts.Dir
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && len(exit.Stderr) > 0 {
		return nil, fmt.Errorf("git %s: %s", args[0], bytes.TrimSpace(exit.Stderr))
	}
	return out, err
}

var shortHex = regexp.MustCompile(`^[0-9a-f]{6,39}$`)

// expand completes abbreviated commits from the folders of the mirrors. ref is
// what source.Config.Targets parses.
func (t *Tracker) expand(ref string) (string, error) {
	targets := strings.Split(ref, ",")
	for i, target := range targets {
		name, commit, named := strings.Cut(target, "@")
		if !named {
			commit = target
		}
		mirror := t.mirrorOf(name, named)
		if mirror == "" || !shortHex.MatchString(commit) {
			continue
		}
		found, err := filepath.Glob(filepath.Join(mirror, commit+"*"))
		if err != nil || len(found) == 0 {
			continue
		}
		if len(found) > 1 {
			return "", diag.Errorf(diag.Pos{}, "ambiguous-commit", "%s matches %d commits of the mirror", commit, len(found)).
				WithHint("use more of its digits")
		}
		targets[i] = strings.TrimSuffix(target, commit) + filepath.Base(found[0])
	}
	return strings.Join(targets, ","), nil
}

// mirrorOf returns the mirror of what a target names, "" if there is none.
func (t *Tracker) mirrorOf(name string, named bool) string {
	if used := t.config.Used(); !named && len(used) == 1 {
		return t.mirrors[used[0]]
	}
	if d, ok := t.config.Domains[name]; ok {
		return t.mirrors[d.Source]
	}
	return t.mirrors[name]
}

// Upstream builds the state of a commit, branch or tag of upstream, with the
// overlays of the working tree. Where there are several sources, ref says which
// one it is of, and the others are as the working tree pins them.
func (t *Tracker) Upstream(ctx context.Context, ref string) (report.State, error) {
	full, err := t.expand(ref)
	if err != nil {
		return report.State{}, err
	}
	set, lock, err := source.Update(ctx, source.Options{Dir: t.opts.Dir, Config: t.config, Mirror: t.opts.Mirror, KeepGoing: true}, full)
	if err != nil {
		return report.State{}, err
	}
	return t.build(ctx, t.upstream(report.Side{Kind: "upstream", Name: ref}, t.config, lock), set)
}

// upstream adds the commits of upstream that a lock names to a side.
func (t *Tracker) upstream(s report.Side, cfg *source.Config, lock *source.Lock) report.Side {
	if lock == nil {
		return s
	}
	s.Commits = map[string]string{}
	places := lock.Places(cfg)
	for _, p := range places {
		for _, domain := range p.Domains {
			s.Commits[domain] = p.Commit
		}
		s.Upstreams = append(s.Upstreams, report.Upstream{Name: p.Name, Source: p.Source, Commit: p.Commit, Date: t.date(p.Mirror, p.Commit), Domains: p.Domains})
	}
	switch {
	case len(places) != 1:
	case s.Kind == "upstream":
		s.Commit, s.Date, s.Name = places[0].Commit, s.Upstreams[0].Date, cmp.Or(s.Name, places[0].Commit)
	default:
		s.Pin = places[0].Commit
	}
	return s
}

// build builds the state of snapshots, with the overlays of the working tree. A
// description that could not be read is a build with an error.
func (t *Tracker) build(ctx context.Context, side report.Side, set *source.Set) (report.State, error) {
	res, err := t.runner.Run(ctx, set.Snapshots, pipeline.StageCheck)
	s := report.State{Side: side, Domains: res.ByDomain(), Snapshots: map[string]source.Snapshot{}, ImportPath: t.runner.ImportPath}
	for _, snapshot := range set.Snapshots {
		s.Snapshots[snapshot.Domain] = snapshot
	}
	for name, err := range set.Failed {
		s.Domains[name] = &pipeline.Build{Name: name, Config: t.config.Domains[name], Err: err}
	}
	if side.Kind == "upstream" {
		s.Follow = t.runner.Follow
	}
	return s, err
}

func (t *Tracker) worktree(ctx context.Context) (report.State, error) {
	set, err := source.Ensure(ctx, source.Options{Dir: t.opts.Dir, Config: t.config, Mirror: t.opts.Mirror})
	if err != nil {
		return report.State{}, err
	}
	s, err := t.build(ctx, t.upstream(report.Side{Kind: Worktree, Name: Worktree}, t.config, lockOf(t.tree)), set)
	if err != nil {
		return report.State{}, err
	}
	err = t.onDisk(ctx, &s, t.tree, t.config)
	return s, err
}

// revision builds the state of a commit of this repository: its snapshots,
// overlays, and the packages as they were committed.
func (t *Tracker) revision(ctx context.Context, rev string) (report.State, error) {
	s, tree, cfg, err := t.committed(ctx, rev)
	if err == nil {
		err = t.onDisk(ctx, &s, tree, cfg)
	}
	return s, err
}

// committed is revision without the packages. It returns the tree that holds them and
// its configuration, too.
func (t *Tracker) committed(ctx context.Context, rev string) (s report.State, tree fs.FS, cfg *source.Config, err error) {
	commit, err := t.git(ctx, "rev-parse", "--verify", "--end-of-options", rev+"^{commit}")
	if err != nil {
		if _, err := t.git(ctx, "rev-parse", "--git-dir"); err != nil {
			return s, nil, nil, diag.Errorf(diag.Pos{}, "no-git", "%s names a git revision, but %s is not in a git repository: %v", rev, t.opts.Dir, err).
				WithHint("without one, compare states of upstream (upstream:REF) and the working tree (worktree)")
		}
		return s, nil, nil, diag.Errorf(diag.Pos{}, "no-revision", "this repository has no revision %s", rev)
	}
	side := report.Side{Kind: "git", Name: rev, Commit: strings.TrimSpace(string(commit))}
	if tree, err = t.files(ctx, side.Commit); err != nil {
		return s, nil, nil, err
	}
	data, err := fs.ReadFile(tree, source.ConfigFile)
	if err != nil {
		return s, nil, nil, diag.Errorf(diag.Pos{File: source.ConfigFile}, "no-sources", "revision %s: %v", rev, err)
	}
	cfg, err = source.ParseConfig(source.ConfigFile, data)
	if err != nil {
		return s, nil, nil, err
	}
	side = t.upstream(side, cfg, lockOf(tree))
	snapshots, err := snapshotsOf(tree, cfg)
	if err != nil {
		return s, nil, nil, err
	}
	// The type-check would be against today's transport; the committed packages
	// are loaded by onDisk.
	runner := t.newRunner(ctx, cfg, tree)
	res, err := runner.Run(ctx, snapshots, pipeline.StageEmit)
	if err != nil {
		return s, nil, nil, err
	}
	return report.State{Side: side, Domains: res.ByDomain(), ImportPath: runner.ImportPath}, tree, cfg, nil
}

// lockOf returns the lock of a tree, or nil if there is none.
func lockOf(tree fs.FS) *source.Lock {
	data, err := fs.ReadFile(tree, source.LockFile)
	if err != nil {
		return nil
	}
	lock, err := source.ParseLock(source.LockFile, data)
	if err != nil {
		return nil // whoever needs the lock reports the error
	}
	return lock
}

// committed is the files of a commit.
type committed struct {
	commit string
	files  fs.FS
}

// Prefetch starts reading the files of HEAD into memory, for the UpdateReport that
// follows. If they cannot be read, the report says so.
func (t *Tracker) Prefetch(ctx context.Context) {
	head := sync.OnceValues(func() (c committed, err error) {
		commit, err := t.git(ctx, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
		if err != nil {
			return c, err
		}
		c.commit = strings.TrimSpace(string(commit))
		c.files, err = t.archive(ctx, c.commit)
		return c, err
	})
	t.head = head
	go func() { _, _ = head() }()
}

// files returns the files of a commit, which may have been read before.
func (t *Tracker) files(ctx context.Context, commit string) (fs.FS, error) {
	if t.head != nil {
		if c, err := t.head(); err == nil && c.commit == commit {
			return c.files, nil
		}
	}
	return t.archive(ctx, commit)
}

// archive reads a revision's files into memory.
func (t *Tracker) archive(ctx context.Context, commit string) (fs.FS, error) {
	data, err := t.git(ctx, "archive", "--format=zip", "-0", commit) // compressing would take longer than the rest
	if err != nil {
		return nil, err
	}
	return zip.NewReader(bytes.NewReader(data), int64(len(data)))
}

func snapshotsOf(tree fs.FS, cfg *source.Config) ([]source.Snapshot, error) {
	var out []source.Snapshot
	for name := range cfg.Domains {
		file := source.SnapshotPath(name)
		data, err := fs.ReadFile(tree, file)
		if err != nil {
			return nil, diag.Errorf(diag.Pos{File: file}, "snapshot-unreadable", "%v", err)
		}
		sum := sha256.Sum256(data)
		out = append(out, source.Snapshot{Domain: name, Path: file, Data: data, SHA256: hex.EncodeToString(sum[:])})
	}
	slices.SortFunc(out, func(a, b source.Snapshot) int { return strings.Compare(a.Domain, b.Domain) })
	return out, nil
}

// onDisk loads the packages that a tree holds, as its users import them.
func (t *Tracker) onDisk(ctx context.Context, s *report.State, tree fs.FS, cfg *source.Config) error {
	src := t.source
	if tree != t.tree {
		src = godiff.NewTree(cfg.Module, tree)
	}
	if err := t.packages(ctx, s, src); err != nil {
		return err
	}
	s.Source = map[string]map[string][]byte{}
	for name, d := range cfg.Domains {
		files, err := generatedFiles(tree, path.Join(cfg.Output, d.Package))
		if err != nil {
			return err
		}
		s.Source[s.ImportPath(name)] = files
	}
	return nil
}

// packages loads every package of a tree that callers can import, and records
// those that do not compile.
func (t *Tracker) packages(ctx context.Context, s *report.State, src godiff.Tree) error {
	dirs, err := src.Packages()
	if err != nil {
		return err
	}
	loader, err := t.loader(ctx, src, dirs)
	if err != nil {
		return err
	}
	s.API = map[string]*types.Package{}
	for _, dir := range dirs {
		pkg, err := loader.Load(dir)
		if err != nil {
			s.Broken = append(s.Broken, report.BrokenPackage(path.Join(src.Module, dir), diag.List{diag.Errorf(diag.Pos{File: dir}, "does-not-compile", "%v", err)}))
			continue
		}
		s.API[pkg.Path()] = pkg
	}
	return nil
}

// StandardImports returns the packages of the standard library that the working tree's
// packages import. It is empty if they cannot be read, which whoever loads them reports.
func (t *Tracker) StandardImports() []string {
	src := t.source
	dirs, err := src.Packages()
	if err != nil {
		return nil
	}
	imports, err := src.Imports(dirs...)
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(imports, func(p string) bool { return !standard(p) })
}

// loader returns a loader of packages of a tree.
func (t *Tracker) loader(ctx context.Context, src godiff.Tree, dirs []string) (*godiff.Loader, error) {
	needed, err := src.Imports(dirs...)
	if err != nil {
		return nil, err
	}
	return t.loaderWith(ctx, src, needed)
}

// loaderWith returns a loader for a tree whose packages import needed. It shares the
// packages that have not changed with the loader before it.
func (t *Tracker) loaderWith(ctx context.Context, src godiff.Tree, needed []string) (*godiff.Loader, error) {
	imports, err := t.opts.Cache.Imports(ctx, t.opts.Dir, needed...)
	if err != nil {
		return nil, err
	}
	if t.last == nil {
		t.last = godiff.NewLoader(src, imports.Open)
	} else {
		t.last = t.last.Like(src)
	}
	return t.last, nil
}

// Consumers type-checks the hand-written packages with a state's generated
// ones in place of those on disk, and records what no longer compiles.
func (t *Tracker) Consumers(ctx context.Context, s *report.State) error {
	src := t.source.With(t.over(*s))
	dirs, err := src.Packages()
	if err != nil {
		return err
	}
	loader, err := t.loader(ctx, src, dirs)
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		if strings.HasPrefix(dir, t.config.Output+"/") {
			continue
		}
		if _, err := loader.Load(dir); err != nil {
			s.Broken = append(s.Broken, report.BrokenPackage(path.Join(t.config.Module, dir),
				diag.List{diag.Errorf(diag.Pos{File: dir}, "does-not-compile", "%v", err)}))
		}
	}
	return nil
}

// over returns the generated files of a state by path. Files on disk that the state
// does not have are nil.
func (t *Tracker) over(s report.State) map[string][]byte {
	out := map[string][]byte{}
	for name, d := range s.Domains {
		if !d.Built() || d.Package == nil {
			continue
		}
		dir := path.Join(t.config.Output, t.config.Domains[name].Package)
		old, _ := fs.Glob(t.tree, path.Join(dir, "*.gen.go")) // the pattern is well formed
		for _, f := range old {
			out[f] = nil
		}
		for file, src := range d.Package.Files {
			out[path.Join(dir, file)] = src
		}
	}
	return out
}
