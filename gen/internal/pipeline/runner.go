// Package pipeline generates Go packages from API descriptions. The stages are
// those that CONTRIBUTING.md lists: pull, overlay, validate, model, emit, check, write.
//
// verbs.go holds what the command line offers. Each verb pulls snapshots, has a
// Runner take them through the stages, and plans and writes the result.
package pipeline

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/emit"
	"github.com/basiq-sdk/basiq-go/gen/internal/model"
	"github.com/basiq-sdk/basiq-go/gen/internal/source"
	"github.com/basiq-sdk/basiq-go/gen/internal/typecheck"
)

// Mode says what happens when overlays and description do not fit together.
type Mode int

const (
	// Strict stops after the stage that finds a fault, with the faults of all
	// domains.
	Strict Mode = iota
	// Lenient skips what overlays say about parts that a description does not
	// have. A domain that stops does not stop the others.
	Lenient
)

// Runner takes snapshots through the stages, from the overlays to the
// type-check. It touches neither the network nor, beyond reading overlays and
// compiling imports, the disk. It is safe for concurrent use by runs that go to
// the same stage.
type Runner struct {
	config   *source.Config
	mode     Mode
	inputs   map[string]func() *inputs // by domain
	imports  func() (*typecheck.Imports, error)
	cache    *Cache
	progress *Progress
	slots    chan struct{} // bounds how many builds run at once
}

// RunnerOptions say what a Runner works on.
type RunnerOptions struct {
	Dir      string         // of the repository; what generated code imports is compiled there
	Config   *source.Config // of the domains
	Files    fs.FS          // holds overlays/
	Mode     Mode
	Cache    *Cache    // shared with other runners; nil means one of its own
	Progress *Progress // is told each finished stage; may be nil

	// Imports lists further packages whose export data is loaded together with that
	// of what generated code imports, because the caller will need it; may be nil.
	Imports func() []string
}

// NewRunner returns a Runner. It reads nothing until it runs.
func NewRunner(ctx context.Context, o RunnerOptions) *Runner {
	var r *Runner
	r = &Runner{
		config: o.Config, mode: o.Mode, cache: cmp.Or(o.Cache, NewCache()), progress: o.Progress,
		inputs: map[string]func() *inputs{},
		slots:  make(chan struct{}, runtime.GOMAXPROCS(0)),
		imports: sync.OnceValues(func() (*typecheck.Imports, error) {
			rt := o.Config.Runtime
			needed := slices.Concat(typecheck.StandardImports, []string{rt, rt + "/wire", rt + "/value"})
			if o.Imports != nil {
				needed = append(needed, o.Imports()...)
			}
			return r.cache.Imports(ctx, o.Dir, needed...)
		}),
	}
	for name := range o.Config.Domains {
		r.inputs[name] = sync.OnceValue(func() *inputs { return r.cache.readInputs(o.Files, name, o.Config) })
	}
	return r
}

// CompileImports starts compiling what generated code imports, so that this is
// done by the time of the type-check. With a cold build cache, it is the
// longest wait of all.
func (r *Runner) CompileImports() {
	go func() { _, _ = r.imports() }() // the check stage reports the error
}

// ImportPath returns the import path of a domain's generated package.
func (r *Runner) ImportPath(domain string) string {
	return path.Join(r.config.Module, r.config.Output, r.config.Domains[domain].Package)
}

// Result is the result of Run.
type Result struct {
	Builds   []*Build      // in the order of the snapshots
	Routes   *emit.Package // the table of operations; nil if not asked for, or if lenient
	Commands *emit.Package // the commands of a command line; nil if not asked for, or if lenient
}

// Run takes snapshots through all stages up to and including last. In strict
// mode, it returns the faults of the first stage that finds any. In lenient
// mode, faults are in Build.Err, and Run fails only if ctx ends.
func (r *Runner) Run(ctx context.Context, snapshots []source.Snapshot, last Stage) (*Result, error) {
	res := &Result{}
	for _, s := range snapshots {
		res.Builds = append(res.Builds, r.cache.build(r, s))
	}
	for i, s := range stages {
		start := time.Now()
		count, err := r.stage(ctx, i, res)
		if err != nil {
			return res, err
		}
		r.progress.Stage(s.name, count, s.unit, time.Since(start))
		if s.name == last {
			break
		}
	}
	if r.mode == Strict {
		r.cache.keep(res.Builds)
	}
	return res, nil
}

// stage takes every build through one stage.
func (r *Runner) stage(ctx context.Context, i int, res *Result) (count int, err error) {
	var wg sync.WaitGroup
	for _, b := range bySize(res.Builds) {
		r.slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-r.slots }()
			if ctx.Err() == nil {
				b.done[i].Do(func() { r.step(ctx, i, b) })
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	var faults diag.List
	for _, b := range res.Builds {
		count += b.counts[i]
		faults = append(faults, diag.FromError(b.errs[i], diag.Pos{})...) // not b.Err: another run may be further
	}
	if r.mode == Lenient {
		return count, nil
	}
	if len(faults) == 0 && stages[i].table != nil {
		n, err := stages[i].table(r, res)
		return count + n, err
	}
	if len(faults) > 0 {
		return 0, faults // in the order of the domains
	}
	return count, nil
}

// bySize returns builds with the largest first. If one of them started last, the other
// processors would wait for it at the end of every stage.
func bySize(builds []*Build) []*Build {
	return slices.SortedStableFunc(slices.Values(builds), func(a, b *Build) int {
		return cmp.Compare(len(b.Snapshot.Data), len(a.Snapshot.Data))
	})
}

// step takes one build through one stage. A panic is a fault of this build.
func (r *Runner) step(ctx context.Context, i int, b *Build) {
	if i > 0 && b.errs[i-1] != nil {
		b.errs[i] = b.errs[i-1]
		return
	}
	defer func() {
		if p := recover(); p != nil {
			b.errs[i] = panicked(b.Snapshot.Path, p)
		}
		if b.errs[i] != nil {
			b.Err = b.errs[i]
		}
	}()
	b.counts[i], b.errs[i] = stages[i].run(r, ctx, b)
}

// panicked is the fault of a recovered panic.
func panicked(file string, p any) error {
	return diag.List{diag.Errorf(diag.Pos{File: file}, "panic", "the generator failed on this description: %v", p).
		WithHint("this is a bug in the generator: please report it\n%s", firstFrames(debug.Stack()))}
}

// firstFrames returns the part of a stack that names the place of a panic.
func firstFrames(stack []byte) string {
	const keep = 2000
	if len(stack) > keep {
		return fmt.Sprintf("%s…", stack[:keep])
	}
	return string(stack)
}

func (res *Result) models() []*model.Domain {
	models := make([]*model.Domain, len(res.Builds))
	for i, b := range res.Builds {
		models[i] = b.Model
	}
	return models
}

// Cache keeps builds by the content of everything that they are made from, so
// that states that share a domain build it once. It is safe for concurrent use.
//
// It also keeps parsed overlays, formatted files, and the export data of imported
// packages, so that the go command is asked for it once.
type Cache struct {
	mu      sync.Mutex
	builds  map[string]*Build
	recent  []string                      // keys, the most recently used last
	imports map[string]*typecheck.Imports // by directory of the module
	inputs  map[string]*inputs            // by digest

	formatter *emit.Formatter
}

// maxBuilds bounds what a Cache keeps: the domains of several states. A long
// history would fill the memory.
const maxBuilds = 80

// NewCache returns an empty Cache.
func NewCache() *Cache {
	return &Cache{
		builds: map[string]*Build{}, imports: map[string]*typecheck.Imports{}, inputs: map[string]*inputs{},
		formatter: emit.NewFormatter(),
	}
}

// Imports returns the export data of packages, which it loads unless it is loaded. dir
// is a directory in the module.
func (c *Cache) Imports(ctx context.Context, dir string, importPaths ...string) (*typecheck.Imports, error) {
	c.mu.Lock()
	if c.imports[dir] == nil {
		c.imports[dir] = typecheck.NewImports(dir)
	}
	imports := c.imports[dir]
	c.mu.Unlock()
	if err := imports.Add(ctx, importPaths...); err != nil {
		return nil, err
	}
	return imports, nil
}

// inputsOf returns the inputs with a digest, parsed unless they are kept.
func (c *Cache) inputsOf(digest string, parse func() *inputs) *inputs {
	c.mu.Lock()
	in := c.inputs[digest]
	c.mu.Unlock()
	if in != nil {
		return in
	}
	in = parse()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inputs[digest] = in
	return in
}

// build returns the build of a snapshot, a new one if there is none yet.
func (c *Cache) build(r *Runner, s source.Snapshot) *Build {
	in := &inputs{digest: s.Domain, err: diag.Errorf(diag.Pos{File: s.Path}, "no-domain", "there is no domain %q", s.Domain)}
	if read := r.inputs[s.Domain]; read != nil {
		in = read()
	}
	key := cacheKey(in, s, r.mode)
	c.mu.Lock()
	defer c.mu.Unlock()
	if b := c.builds[key]; b != nil {
		c.put(key, b)
		return b
	}
	b := r.newBuild(s, in)
	c.put(key, b)
	return b
}

func (r *Runner) newBuild(s source.Snapshot, in *inputs) *Build {
	return &Build{
		Name: s.Domain, Config: r.config.Domains[s.Domain], Snapshot: s, LockFile: lockFile(s.Domain),
		mode: r.mode, inputs: in, done: make([]sync.Once, len(stages)), counts: make([]int, len(stages)), errs: make([]error, len(stages)),
	}
}

// keep makes builds that passed in strict mode serve lenient runs as well:
// they skipped nothing.
func (c *Cache) keep(builds []*Build) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, b := range builds {
		c.put(cacheKey(b.inputs, b.Snapshot, Lenient), b)
	}
}

// put keeps a build as the most recently used one.
func (c *Cache) put(key string, b *Build) {
	c.builds[key] = b
	c.recent = append(slices.DeleteFunc(c.recent, func(k string) bool { return k == key }), key)
	if len(c.recent) > maxBuilds {
		delete(c.builds, c.recent[0])
		c.recent = c.recent[1:]
	}
}

func cacheKey(in *inputs, s source.Snapshot, mode Mode) string {
	return fmt.Sprintf("%s %s %d", in.digest, s.SHA256, mode)
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// ByDomain returns the builds by the names of their domains.
func (res *Result) ByDomain() map[string]*Build {
	out := make(map[string]*Build, len(res.Builds))
	for _, b := range res.Builds {
		out[b.Name] = b
	}
	return out
}

// Findings lists what makes poor Go, of all domains.
func (res *Result) Findings() (list diag.List) {
	for _, b := range res.Builds {
		if b.Model != nil {
			list = slices.Concat(list, b.Model.Warnings)
		}
	}
	return list
}

// Coverage counts the parts that have documentation, and those that should.
func (res *Result) Coverage() (documented, documentable int) {
	for _, b := range res.Builds {
		if b.Model != nil {
			documented, documentable = documented+b.Model.Documented, documentable+b.Model.Documentable
		}
	}
	return documented, documentable
}
