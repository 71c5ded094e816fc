package pipeline

import (
	"cmp"
	"context"
	"errors"
	"go/types"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/emit"
	"github.com/basiq-sdk/basiq-go/gen/internal/model"
	"github.com/basiq-sdk/basiq-go/gen/internal/overlay"
	"github.com/basiq-sdk/basiq-go/gen/internal/source"
	"github.com/basiq-sdk/basiq-go/gen/internal/spec"
	"github.com/basiq-sdk/basiq-go/gen/internal/typecheck"
)

// Stage is a step of a generation, named as CONTRIBUTING.md names it.
type Stage string

// Stages, in the order in which they run. StagePull and StageWrite are the only ones
// that touch the network or the disk.
const (
	StagePull     Stage = "pull"
	StageOverlay  Stage = "overlay"
	StageValidate Stage = "validate"
	StageModel    Stage = "model"
	StageEmit     Stage = "emit"
	StageCheck    Stage = "check"
	StageWrite    Stage = "write"
)

// stage is a Stage that turns a snapshot into a Go package, step by step.
type stage struct {
	name Stage
	unit string // what run counts
	// run takes the build of one domain through the stage.
	run func(*Runner, context.Context, *Build) (count int, err error)
	// table does the same for the table of operations, which needs every
	// domain. It is nil where the stage has nothing to do for it.
	table func(*Runner, *Result) (count int, err error)
}

var stages = []stage{
	{StageOverlay, "actions", (*Runner).overlay, nil},
	{StageValidate, "documents", (*Runner).validate, nil},
	{StageModel, "types", (*Runner).model, nil},
	{StageEmit, "files", (*Runner).emit, (*Runner).emitTables},
	{StageCheck, "packages", (*Runner).check, (*Runner).checkTables},
}

// Build is what the stages make of one domain. A field is set once the stage
// that fills it has passed.
type Build struct {
	Name     string
	Config   source.DomainConfig
	Snapshot source.Snapshot
	LockFile string // the names lock

	Tree       *yaml.Node // the snapshot, before its overlays; not to be changed
	Overlays   []*overlay.Document
	Results    []overlay.Result // of every overlay action that ran
	Unapplied  []overlay.Result // overlay actions that do not apply; empty unless lenient
	Undeclared diag.List        // properties that overlays describe and nothing declares; removed if lenient
	Retracted  diag.List        // faults for which a lenient build dropped what overlays say at their place
	Document   *spec.Document
	Model      *model.Domain
	Package    *emit.Package
	Types      *types.Package

	Err error // why the build stopped, a diag.List

	mode   Mode
	inputs *inputs
	after  *model.Lock      // of the build that this one follows; see Runner.Follow
	shared bool             // the document is another build's, too, and must not be changed
	faults func() diag.List // of a lenient build, what validation finds
	done   []sync.Once      // by stage
	counts []int            // by stage
	errs   []error          // by stage, nil for one that passed
}

// Built reports whether every stage passed that ran. It is false for nil, a
// domain that a state does not have.
func (b *Build) Built() bool { return b != nil && b.Err == nil }

// Skipped lists what overlays say and a lenient build went on without: actions
// that do not apply, and statements about parts that the description lacks. Each
// would stop a strict build.
func (b *Build) Skipped() diag.List {
	if b == nil {
		return nil
	}
	var list diag.List
	for _, r := range b.Unapplied {
		list = append(list, r.Err)
	}
	list = slices.Concat(list, b.Undeclared, b.Retracted)
	if b.Model != nil {
		list = append(list, slices.DeleteFunc(slices.Clone(b.Model.Tolerated), b.own)...)
	}
	return list
}

// Defects lists the faults of the description itself that a lenient build went
// on past, because the rest of it is sound. Each would stop a strict build.
func (b *Build) Defects() (list diag.List) {
	if b == nil {
		return nil
	}
	if b.faults != nil {
		list = b.faults()
	}
	if b.Model != nil {
		list = append(slices.Clone(list), slices.DeleteFunc(slices.Clone(b.Model.Tolerated), func(a *diag.Annotation) bool { return !b.own(a) })...)
	}
	return list
}

// own reports whether a fault is in the description, not in an overlay.
func (b *Build) own(a *diag.Annotation) bool {
	return a.Pos.File == b.Snapshot.Path
}

// overlay applies the domain's overlays to its snapshot.
func (r *Runner) overlay(_ context.Context, b *Build) (int, error) {
	if b.inputs.err != nil {
		return 0, b.inputs.err
	}
	b.Overlays = b.inputs.overlays
	actions := 0
	for _, o := range b.Overlays {
		actions += len(o.Actions)
	}
	if list := byIndex(b.Overlays); b.mode == Strict && len(list) > 0 {
		return actions, list.Err()
	}
	doc, results, err := b.load(b.Overlays)
	b.Results = results
	if err != nil && b.mode == Lenient {
		doc, err = b.skip()
	}
	if err != nil {
		return actions, err
	}
	b.Undeclared = undeclared(doc, b.mode == Lenient)
	if b.mode == Strict && len(b.Undeclared) > 0 {
		return actions, b.Undeclared.Err()
	}
	b.Document = doc
	return actions, nil
}

// sortedIndex matches a selector by index in a list that snapshots sort.
var sortedIndex = regexp.MustCompile(`\b(parameters|enum|required|type|security)(?:['"]\])?\[\s*(-?[0-9])`)

// byIndex reports the actions that select an element of a sorted list by its index:
// it would not be the element that has this index upstream.
func byIndex(overlays []*overlay.Document) (list diag.List) {
	for _, o := range overlays {
		for _, a := range o.Actions {
			if m := sortedIndex.FindStringSubmatch(a.Target); m != nil {
				list = append(list, diag.Errorf(a.Pos, "sorted-index", "%s selects by index in %s, which the snapshot sorts: it may be a different element than in upstream's document", a.Target, m[1]).
					WithHint("select by value, such as  parameters[?@.name == 'limit']  or  enum[?@ == 'draft']"))
			}
		}
	}
	return list
}

func (b *Build) load(overlays []*overlay.Document) (*spec.Document, []overlay.Result, error) {
	if b.Tree == nil {
		root, err := b.Snapshot.Tree()
		if err != nil {
			return nil, nil, err
		}
		b.Tree = root
	}
	return spec.LoadTree(b.Name, b.Snapshot.Path, clone(b.Tree), overlays, overlay.Options{KeepGoing: true})
}

// clone copies a tree, which takes a fraction of the time of parsing it.
func clone(n *yaml.Node) *yaml.Node {
	c := *n
	if n.Content != nil {
		c.Content = make([]*yaml.Node, len(n.Content))
		for i, child := range n.Content {
			c.Content[i] = clone(child)
		}
	}
	return &c
}

// skip loads the document with those overlay actions that apply. Leaving one
// out can make another fail that built on it, hence the repetition.
func (b *Build) skip() (*spec.Document, error) {
	docs, results := b.Overlays, b.Results
	for {
		failed := map[diag.Pos]bool{}
		for _, r := range results {
			if r.Err != nil {
				failed[r.Action.Pos] = true
				b.Unapplied = append(b.Unapplied, r)
			}
		}
		kept := make([]*overlay.Document, len(docs))
		for i, o := range docs {
			c := *o
			c.Actions = slices.DeleteFunc(slices.Clone(o.Actions), func(a overlay.Action) bool { return failed[a.Pos] })
			kept[i] = &c
		}
		doc, again, err := b.load(kept)
		if err == nil || !slices.ContainsFunc(again, func(r overlay.Result) bool { return r.Err != nil }) {
			return doc, err
		}
		docs, results = kept, again
	}
}

// validate checks the overlaid document against the OpenAPI specification.
func (r *Runner) validate(ctx context.Context, b *Build) (int, error) {
	if b.mode == Strict {
		return 1, b.Document.Validate(ctx)
	}
	// Only references must be sound for the stages that follow. Everything else
	// takes long to validate, and is left to whoever asks for it.
	ctx = context.WithoutCancel(ctx)
	b.faults = sync.OnceValue(func() diag.List {
		if b.Err != nil {
			return nil // says more
		}
		return diag.FromError(b.Document.Validate(ctx), diag.Pos{})
	})
	return 1, b.retracting(b.Document.References)
}

// model decides every Go name, type and method.
func (r *Runner) model(_ context.Context, b *Build) (int, error) {
	build := func() (err error) {
		lock := b.inputs.lock.Fresh()
		if b.after != nil {
			lock = b.inputs.lock.After(b.after)
		}
		b.Model, err = model.Build(b.Document, model.Options{Package: b.Config.Package, Lock: lock, Lenient: b.mode == Lenient})
		return err
	}
	if b.mode == Strict || b.shared {
		if err := build(); err != nil {
			return 0, err
		}
		return len(b.Model.Types), nil
	}
	if err := b.retracting(build); err != nil {
		return 0, err
	}
	return len(b.Model.Types), nil
}

// maxRetractions bounds how often a stage is run again.
const maxRetractions = 10

// retracting runs part of a stage. While it fails at places about which
// overlays say something, that is dropped, and it is run again.
func (b *Build) retracting(run func() error) error {
	for range maxRetractions {
		err := run()
		if err == nil {
			return nil
		}
		retracted := b.Document.Retract(diag.FromError(err, diag.Pos{}))
		if len(retracted) == 0 {
			return err
		}
		b.Retracted = append(b.Retracted, retracted...)
	}
	return run()
}

// emit writes the package's source.
func (r *Runner) emit(_ context.Context, b *Build) (n int, err error) {
	b.Package, err = emit.Generate(b.Model, emit.Target{ImportPath: r.ImportPath(b.Name), Runtime: r.config.Runtime, Formatter: r.cache.formatter})
	if err != nil {
		return 0, err
	}
	return len(b.Package.Files), nil
}

// check type-checks the package.
func (r *Runner) check(_ context.Context, b *Build) (int, error) {
	imports, err := r.imports()
	if err != nil {
		return 0, err
	}
	b.Types, err = typecheck.Package(imports, b.Package)
	return 1, err
}

// emitTables writes the table of operations and the commands, if the
// configuration asks for them.
func (r *Runner) emitTables(res *Result) (n int, err error) {
	target := func(folder string) emit.Target {
		return emit.Target{ImportPath: path.Join(r.config.Module, folder), Runtime: r.config.Runtime, Formatter: r.cache.formatter}
	}
	if folder := r.config.Routes; folder != "" {
		if res.Routes, err = emit.Routes(res.models(), path.Base(folder), target(folder)); err != nil {
			return 0, err
		}
		n += len(res.Routes.Files)
	}
	if folder := r.config.Commands; folder != "" {
		importPath := func(d *model.Domain) string { return r.ImportPath(d.Name) }
		if res.Commands, err = emit.Commands(r.inOrder(res.models()), path.Base(folder), target(folder), importPath); err != nil {
			return n, err
		}
		n += len(res.Commands.Files)
	}
	return n, nil
}

// inOrder returns the domains in the order of the configuration, in which a name
// belongs to the domain that had it first.
func (r *Runner) inOrder(domains []*model.Domain) []*model.Domain {
	return slices.SortedFunc(slices.Values(domains), func(x, y *model.Domain) int {
		return cmp.Compare(r.config.Domains[x.Name].Pos.Line, r.config.Domains[y.Name].Pos.Line)
	})
}

func (r *Runner) checkTables(res *Result) (n int, err error) {
	imports, err := r.imports()
	if err != nil {
		return 0, err
	}
	made := madeImports{imports, map[string]*types.Package{}}
	for _, b := range res.Builds {
		made.packages[r.ImportPath(b.Name)] = b.Types
	}
	for _, p := range []*emit.Package{res.Routes, res.Commands} {
		if p == nil {
			continue
		}
		if _, err = typecheck.Package(made, p); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// madeImports are the packages of a run, which may not be on disk yet, and what
// they import.
type madeImports struct {
	*typecheck.Imports
	packages map[string]*types.Package
}

// Import returns an imported package.
func (m madeImports) Import(p string) (*types.Package, error) {
	if made := m.packages[p]; made != nil {
		return made, nil
	}
	return m.Imports.Import(p)
}

// inputs are what a domain's build is made from, beside its snapshot.
type inputs struct {
	overlays []*overlay.Document
	lock     *model.Lock
	digest   string // of all files, and of what the configuration says
	err      error  // why they cannot be read
}

// overlayFiles lists a domain's overlays in the order in which they apply.
func overlayFiles(fsys fs.FS, domain string, globs []string) ([]string, error) {
	given := len(globs) > 0
	if !given {
		globs = []string{"overlays/common/*.yaml", path.Join("overlays", domain, "*.yaml")}
	}
	var files []string
	for _, g := range globs {
		found, err := fs.Glob(fsys, g)
		if err != nil {
			return nil, diag.Errorf(diag.Pos{File: source.ConfigFile}, "bad-glob", "domain %s: overlays %q: %v", domain, g, err)
		}
		if given && len(found) == 0 {
			return nil, diag.Errorf(diag.Pos{File: source.ConfigFile}, "overlay-missing", "domain %s: overlays %q match no file", domain, g)
		}
		slices.Sort(found)
		files = append(files, found...)
	}
	return files, nil
}

// readInputs reads a domain's overlays and names lock. It parses those that the cache
// does not hold.
func (c *Cache) readInputs(fsys fs.FS, domain string, cfg *source.Config) (in *inputs) {
	in = &inputs{digest: domain}
	defer func() {
		if p := recover(); p != nil {
			in.err = panicked(path.Join("overlays", domain), p)
		}
	}()
	d := cfg.Domains[domain]
	key := []string{domain, d.Package, cfg.Module, cfg.Output, cfg.Runtime}
	names, err := overlayFiles(fsys, domain, d.Overlays)
	list := diag.FromError(err, diag.Pos{})
	var overlays []file
	for _, name := range names {
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			list = append(list, diag.Errorf(diag.Pos{File: name}, "overlay-unreadable", "%v", err))
			continue
		}
		overlays = append(overlays, file{name, data})
		key = append(key, name, string(data))
	}
	lock := file{name: lockFile(domain)}
	switch data, err := fs.ReadFile(fsys, lock.name); {
	case err == nil:
		lock.data = data
		key = append(key, lock.name, string(data))
	case !errors.Is(err, fs.ErrNotExist):
		list = append(list, diag.Errorf(diag.Pos{File: lock.name}, "names-lock-unreadable", "%v", err))
	}
	in.digest = digest(strings.Join(key, "\x00"))
	if len(list) == 0 {
		return c.inputsOf(in.digest, func() *inputs { return parseInputs(in, overlays, lock) })
	}
	in = parseInputs(in, overlays, lock)
	in.err = append(list, diag.FromError(in.err, diag.Pos{})...)
	return in
}

type file struct {
	name string
	data []byte
}

// parseInputs parses overlays and the names lock, whose data is nil if there is none.
func parseInputs(in *inputs, overlays []file, lock file) *inputs {
	var list diag.List
	for _, f := range overlays {
		o, err := overlay.Parse(f.name, f.data)
		if err != nil {
			list = append(list, diag.FromError(err, diag.Pos{File: f.name})...)
			continue
		}
		in.overlays = append(in.overlays, o)
	}
	in.lock = model.NewLock(lock.name)
	if lock.data != nil {
		var err error
		in.lock, err = model.ParseLock(lock.name, lock.data)
		list = append(list, diag.FromError(err, diag.Pos{File: lock.name})...)
	}
	if len(list) > 0 {
		in.err = list
	}
	return in
}

func lockFile(domain string) string { return path.Join("overlays", domain, "names.lock") }
