package pipeline

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
)

// Progress reports to people, or to a program, what a run does. A nil Progress
// reports nothing.
type Progress struct {
	w       io.Writer
	json    bool
	verbose bool
	mu      sync.Mutex
}

// NewProgress returns a Progress that writes to w: a line per stage, with
// details if verbose, or a JSON object per line.
func NewProgress(w io.Writer, asJSON, verbose bool) *Progress {
	return &Progress{w: w, json: asJSON, verbose: verbose}
}

// Event is one line of progress in its JSON form.
type Event struct {
	Event   string           `json:"event"` // stage, detail, finding, summary
	Stage   string           `json:"stage,omitempty"`
	Count   int              `json:"count,omitempty"`
	Unit    string           `json:"unit,omitempty"`
	Millis  float64          `json:"ms,omitempty"`
	Text    string           `json:"text,omitempty"`
	Finding *diag.Annotation `json:"finding,omitempty"`
}

func (p *Progress) emit(e Event) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.json {
		line, err := json.Marshal(e)
		if err == nil {
			fmt.Fprintf(p.w, "%s\n", line)
		}
		return
	}
	switch e.Event {
	case "stage":
		fmt.Fprintf(p.w, "%-9s %5d %-11s %7.1f ms\n", e.Stage, e.Count, e.Unit, e.Millis)
	case "detail":
		if p.verbose {
			fmt.Fprintf(p.w, "          %s\n", e.Text)
		}
	case "finding":
		fmt.Fprintln(p.w, e.Finding.Error())
	default:
		fmt.Fprintln(p.w, e.Text)
	}
}

// Stage reports a finished stage.
func (p *Progress) Stage(name Stage, count int, unit string, took time.Duration) {
	p.emit(Event{Event: "stage", Stage: string(name), Count: count, Unit: unit, Millis: float64(took.Microseconds()) / 1000})
}

// Detail reports something that only a verbose run shows.
func (p *Progress) Detail(format string, args ...any) {
	p.emit(Event{Event: "detail", Text: fmt.Sprintf(format, args...)})
}

// Finding reports a fault, or a part of the specification that makes poor Go.
func (p *Progress) Finding(a *diag.Annotation) { p.emit(Event{Event: "finding", Finding: a}) }

// Summary reports the result of a run.
func (p *Progress) Summary(format string, args ...any) {
	p.emit(Event{Event: "summary", Text: fmt.Sprintf(format, args...)})
}

// details reports every overlay action, and the size of each domain.
func (p *Progress) details(res *Result) {
	for _, b := range res.Builds {
		for _, r := range b.Results {
			p.Detail("%s", r)
		}
		if b.Model == nil {
			continue
		}
		methods, fields := 0, 0
		for _, r := range b.Model.Resources {
			methods += len(r.Methods)
		}
		for _, t := range b.Model.Types {
			fields += len(t.Fields)
		}
		p.Detail("%s: %d resources, %d methods, %d types, %d fields", b.Name, len(b.Model.Resources), methods, len(b.Model.Types), fields)
	}
}

// maxOfKind is how many findings of a kind are shown, unless all are asked for.
const maxOfKind = 20

// kinds reports how many findings there are of each kind, the most frequent first,
// and returns those to be shown.
func (p *Progress) kinds(findings diag.List) (shown diag.List) {
	count, warnings := map[string]int{}, map[string]bool{}
	for _, f := range findings {
		count[f.Code]++
		warnings[f.Code] = f.Severity == diag.Warning
	}
	codes := slices.SortedFunc(maps.Keys(count), func(a, b string) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b))
	})
	for _, code := range codes {
		advice := "each needs an action in an overlay"
		switch {
		case code == "undocumented" || code == "doc-style":
			advice = "describe the parts in an overlay"
		case warnings[code]:
			advice = "one line in an overlay accepts them:  - {target: $, update: {x-accept: [" + code + "]}}"
		}
		p.Summary("%6d %-26s %s", count[code], code, advice)
	}
	findings.Sort()
	seen := map[string]int{}
	for _, f := range findings {
		if seen[f.Code]++; seen[f.Code] <= maxOfKind || p != nil && (p.verbose || p.json) {
			shown = append(shown, f)
		}
	}
	if hidden := len(findings) - len(shown); hidden > 0 {
		p.Summary("%d more are shown with --verbose", hidden)
	}
	return shown
}
