package pipeline

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
)

// Reporter tells people, or a program, what a run does.
type Reporter struct {
	w       io.Writer
	json    bool
	verbose bool
	mu      sync.Mutex
}

// NewReporter writes to w: a line per stage, with details when verbose, or a
// JSON object per line.
func NewReporter(w io.Writer, asJSON, verbose bool) *Reporter {
	return &Reporter{w: w, json: asJSON, verbose: verbose}
}

// Event is one line of a run's report in its JSON form.
type Event struct {
	Event   string           `json:"event"` // stage, detail, finding, summary
	Stage   string           `json:"stage,omitempty"`
	Count   int              `json:"count,omitempty"`
	Unit    string           `json:"unit,omitempty"`
	Millis  float64          `json:"ms,omitempty"`
	Text    string           `json:"text,omitempty"`
	Finding *diag.Annotation `json:"finding,omitempty"`
}

func (r *Reporter) emit(e Event) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.json {
		line, err := json.Marshal(e)
		if err == nil {
			fmt.Fprintf(r.w, "%s\n", line)
		}
		return
	}
	switch e.Event {
	case "stage":
		fmt.Fprintf(r.w, "%-9s %5d %-11s %7.1f ms\n", e.Stage, e.Count, e.Unit, e.Millis)
	case "detail":
		if r.verbose {
			fmt.Fprintf(r.w, "          %s\n", e.Text)
		}
	case "finding":
		fmt.Fprintln(r.w, e.Finding.Error())
	default:
		fmt.Fprintln(r.w, e.Text)
	}
}

// Stage reports a finished stage.
func (r *Reporter) Stage(name string, count int, unit string, took time.Duration) {
	r.emit(Event{Event: "stage", Stage: name, Count: count, Unit: unit, Millis: float64(took.Microseconds()) / 1000})
}

// Detail reports something that only a verbose run shows.
func (r *Reporter) Detail(format string, args ...any) {
	r.emit(Event{Event: "detail", Text: fmt.Sprintf(format, args...)})
}

// Finding reports a fault, or a part of the specification that makes poor Go.
func (r *Reporter) Finding(a *diag.Annotation) { r.emit(Event{Event: "finding", Finding: a}) }

// Summary reports what a run came to.
func (r *Reporter) Summary(format string, args ...any) {
	r.emit(Event{Event: "summary", Text: fmt.Sprintf(format, args...)})
}
