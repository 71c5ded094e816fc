// Package replay runs a history of upstream through the generator, commit by
// commit in one process, with the overlays of today: what each commit would
// have meant for the Go API, and whether the generator can build it.
package replay

import (
	"context"
	"fmt"
	"go/types"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/godiff"
	"github.com/basiq-sdk/basiq-go/gen/internal/pipeline"
	"github.com/basiq-sdk/basiq-go/gen/internal/report"
	"github.com/basiq-sdk/basiq-go/gen/internal/specdiff"
	"github.com/basiq-sdk/basiq-go/gen/internal/track"
)

// Result is the outcome of a replay.
type Result struct {
	Source string        `json:"source,omitempty"` // whose history it is, if there are several
	Steps  []report.Step `json:"commits"`
	States int           `json:"states"` // of a domain in a commit
	Built  int           `json:"built"`  // of these, how many could be generated and type-checked
	Faults []string      `json:"faults"` // of the generator itself: a panic, or output that does not compile
	Took   time.Duration `json:"-"`

	previous string // the commit before
}

// States builds states of commits, as track.History does.
type States interface {
	State(ctx context.Context, c track.Commit) (report.State, error)
}

// Run replays commits in order. progress, if not nil, is called before
// each of them, and at the end.
func Run(ctx context.Context, states States, commits []track.Commit, progress func(done, total int, commit string)) (*Result, error) {
	start := time.Now()
	res := &Result{Faults: []string{}}
	known := map[string]last{}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	built := ahead(ctx, states, commits)
	for i, c := range commits {
		if progress != nil {
			progress(i, len(commits), c.Hash)
		}
		b := <-built
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		step, faults := res.one(ctx, c, b, known, i == 0)
		res.Steps = append(res.Steps, step)
		for _, f := range faults {
			res.Faults = append(res.Faults, fmt.Sprintf("%s: %s", c.Hash, f))
		}
	}
	if progress != nil {
		progress(len(commits), len(commits), "")
	}
	res.Took = time.Since(start)
	return res, nil
}

// GCPercent is the garbage collector's setting for a replay: a short run over
// many small documents, where memory is cheaper than collecting it.
const GCPercent = 400

// built is the state of a commit, or the error that building it returned.
type built struct {
	state report.State
	err   error
}

// ahead builds the states of commits, in order, two ahead of the reader,
// so that a second processor is busy when one domain changes.
func ahead(ctx context.Context, states States, commits []track.Commit) <-chan built {
	const window = 2
	queue := make(chan chan built, window)
	go func() {
		defer close(queue)
		for _, c := range commits {
			one := make(chan built, 1)
			select {
			case queue <- one:
			case <-ctx.Done():
				return
			}
			go func() { one <- build(ctx, states, c) }()
		}
	}()
	out := make(chan built)
	go func() {
		defer close(out)
		for one := range queue {
			select {
			case out <- <-one:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

func build(ctx context.Context, states States, c track.Commit) (b built) {
	defer func() {
		if p := recover(); p != nil {
			b.err = diag.Errorf(diag.Pos{}, "panic", "panic: %v", p)
		}
	}()
	b.state, b.err = states.State(ctx, c)
	return b
}

// note appends to the message of a step.
func note(step *report.Step, text string) {
	if step.Message != "" {
		text = step.Message + ", " + text
	}
	step.Message = text
}

// last is the newest build of a domain that passed, and its commit.
type last struct {
	build  *pipeline.Build
	commit string
}

// one replays a commit. A fault or a panic ends this commit, not the replay.
func (res *Result) one(ctx context.Context, c track.Commit, b built, known map[string]last, first bool) (step report.Step, faults []string) {
	step = report.Step{Commit: c.Hash, Date: c.Date, Status: "unchanged", Bump: report.None}
	defer func() {
		if p := recover(); p != nil {
			step = stopped(step, diag.List{diag.Errorf(diag.Pos{}, "panic", "panic: %v", p)})
			faults = append(faults, fmt.Sprintf("panic: %v", p))
		}
	}()
	if b.err != nil {
		return stopped(step, diag.FromError(b.err, diag.Pos{})), faultsOf(b.err)
	}
	if first {
		step.Status = "first"
	}
	var stops diag.List
	for _, name := range slices.Sorted(maps.Keys(b.state.Domains)) {
		d := b.state.Domains[name]
		res.States++
		step.Skipped += len(d.Skipped())
		if !d.Built() {
			stops = append(stops, b.state.Snapshots[name].Locate(diag.FromError(d.Err, diag.Pos{}))...)
			faults = append(faults, faultsOf(d.Err)...)
			continue
		}
		res.Built++
		before, had := known[name]
		if b.state.Follow != nil {
			d = b.state.Follow(ctx, before.build, d)
		}
		known[name] = last{d, c.Hash}
		switch {
		case first:
		case !had:
			note(&step, "with "+name)
		case before.build.Snapshot.SHA256 != d.Snapshot.SHA256:
			step.Domains = append(step.Domains, name)
			compare(&step, b.state.ImportPath(name), before.build, d)
			if res.previous != "" && before.commit != res.previous {
				note(&step, name+" since "+before.commit[:8])
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if _, ok := b.state.Domains[name]; !ok {
			note(&step, "without "+name)
		}
	}
	res.previous = c.Hash
	if len(stops) > 0 {
		return stopped(step, stops), faults
	}
	return step, faults
}

// compare adds the changes of one domain to the step.
func compare(step *report.Step, importPath string, before, after *pipeline.Build) {
	step.Status = "changed"
	for _, f := range specdiff.Facts(before.Tree, after.Tree) {
		step.Facts++
		step.Parts += f.Parts
	}
	step.Lines += Lines(before.Package.Files, after.Package.Files)
	step.Source += Lines(map[string][]byte{"": before.Snapshot.Data}, map[string][]byte{"": after.Snapshot.Data})
	for _, c := range godiff.Packages(map[string]*types.Package{importPath: before.Types}, map[string]*types.Package{importPath: after.Types}) {
		step.Go++
		if !c.Compatible {
			step.Broken++
		}
	}
	switch {
	case step.Broken > 0:
		step.Bump = report.Major
	case step.Go > 0:
		step.Bump = report.Minor
	case step.Lines > 0:
		step.Bump = report.Patch
	}
}

// Ratio is a number of generated lines for each unit of change.
type Ratio struct {
	Median float64 // over the commits that changed a fact
	Total  float64 // over the whole history
}

// PerFact is the number of generated lines for each changed fact. A fact that
// adds or removes a whole schema counts as one.
func (r *Result) PerFact() Ratio { return r.ratio(func(s report.Step) int { return s.Facts }) }

// PerPart is the number of generated lines for each changed fact, where a whole schema
// or operation counts as many as its properties, parameters and values plus one.
func (r *Result) PerPart() Ratio { return r.ratio(func(s report.Step) int { return s.Parts }) }

// PerSnapshotLine is the number of generated lines for each changed line of a
// snapshot, which states one thing about the API.
func (r *Result) PerSnapshotLine() Ratio {
	return r.ratio(func(s report.Step) int { return s.Source })
}

func (r *Result) ratio(of func(report.Step) int) (out Ratio) {
	var each []float64
	lines, causes := 0, 0
	for _, s := range r.Steps {
		if n := of(s); n > 0 {
			each = append(each, float64(s.Lines)/float64(n))
			lines, causes = lines+s.Lines, causes+n
		}
	}
	if len(each) == 0 {
		return out
	}
	slices.Sort(each)
	middle := len(each) / 2
	out.Median = (each[(len(each)-1)/2] + each[middle]) / 2
	out.Total = float64(lines) / float64(causes)
	return out
}

// Lines counts the lines that differ between two sets of files.
func Lines(before, after map[string][]byte) (n int) {
	names := map[string]bool{}
	for name := range before {
		names[name] = true
	}
	for name := range after {
		names[name] = true
	}
	for name := range names {
		for i, line := range strings.Split(string(diff.Diff("a", before[name], "b", after[name])), "\n") {
			if i > 2 && (strings.HasPrefix(line, "+") || strings.HasPrefix(line, "-")) {
				n++
			}
		}
	}
	return n
}

// stopped marks a step in which some domain could not be built.
func stopped(step report.Step, list diag.List) report.Step {
	step.Status, step.Bump = "stopped", report.Unknown
	step.Message = fmt.Sprintf("%s: %s [%s]", list[0].Pos, list[0].Message, list[0].Code)
	if n := len(list) - 1; n > 0 {
		step.Message += fmt.Sprintf(" and %d more", n)
	}
	return step
}

// faultsOf returns the findings that are faults of the generator itself.
func faultsOf(err error) (out []string) {
	for _, a := range diag.FromError(err, diag.Pos{}) {
		switch a.Code {
		case "panic", "internal", "emit", "generated-type", "generated-syntax":
			out = append(out, a.Error())
		}
	}
	return out
}
