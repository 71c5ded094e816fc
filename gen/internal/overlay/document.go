package overlay

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
)

// Document is one overlay document, as Parse returns it.
type Document struct {
	File        string
	Version     string // of the specification: "1.0.0"
	Title       string
	Revision    string // info.version: the overlay's own version
	Description string // info.description
	Extends     string // informational: what is overlaid is up to the caller
	Actions     []Action
}

// Action is one entry of a document's actions. Only Parse makes actions that
// Apply can run.
type Action struct {
	Pos          diag.Pos
	Target       string // JSONPath (RFC 9535)
	Description  string
	Update       *yaml.Node // nil when the action has none
	Remove       bool
	Copy         string     // JSONPath of the node to copy, "" when the action has none
	Expect       *yaml.Node // x-expect
	ExpectAbsent []string   // x-expect-absent
	AllowNoop    bool       // x-allow-noop

	target     *query
	copy       *query
	primitives bool // 1.1: primitives can be updated, and targets must be of one kind
}

// Outcome tells what became of an action.
type Outcome int

// Outcomes of an action; the package's documentation explains them.
const (
	Applied Outcome = iota + 1
	AlreadyMended
	TargetGone
	PreimageDiffers
	Failed
	NoChange
)

// String returns the outcome in words.
func (o Outcome) String() string {
	switch o {
	case Applied:
		return "applied"
	case AlreadyMended:
		return "already mended"
	case TargetGone:
		return "target gone"
	case PreimageDiffers:
		return "preimage differs"
	case Failed:
		return "failed"
	case NoChange:
		return "no change"
	}
	return fmt.Sprintf("outcome %d", int(o))
}

// Result is what became of one action.
type Result struct {
	Action  *Action
	Outcome Outcome
	Matches int              // nodes that the target selected
	Changed int              // of these, how many the action changed
	Already []string         // Applied: members of the update that every changed match had before; they could go
	Err     *diag.Annotation // nil for Applied and NoChange
}

// String returns a line for a report: "core/20-repairs.yaml:31: applied to 3 places".
func (r Result) String() string {
	pos := r.Action.Pos
	pos.Col = 0
	text := pos.String() + ": " + r.text()
	if n := len(r.Already); n > 3 {
		text += fmt.Sprintf("; already there: %s and %d more", strings.Join(r.Already[:3], ", "), n-3)
	} else if n > 0 {
		text += "; already there: " + strings.Join(r.Already, ", ")
	}
	return text
}

func (r Result) text() string {
	switch {
	case r.Outcome == Applied && r.Changed < r.Matches:
		return fmt.Sprintf("applied to %d of %s", r.Changed, places(r.Matches))
	case r.Outcome == Applied:
		return "applied to " + places(r.Changed)
	case r.Outcome == NoChange && r.Matches == 0:
		return "no change: nothing matches, which is allowed"
	case r.Outcome == NoChange:
		return "no change: already so in " + places(r.Matches) + ", which is allowed"
	case r.Outcome == TargetGone:
		return "target gone: nothing matches " + r.Action.Target
	case r.Err != nil:
		return r.Outcome.String() + ": " + r.Err.Message
	}
	return r.Outcome.String()
}

func places(n int) string {
	if n == 1 {
		return "1 place"
	}
	return fmt.Sprintf("%d places", n)
}

// Options of Apply. The zero value is strict and stops at the first fault.
type Options struct {
	// Lenient makes AlreadyMended and TargetGone succeed, as the
	// specification has it. x-expect is enforced all the same.
	Lenient bool
	// KeepGoing collects the faults of all actions instead of stopping at
	// the first. An action that fails is skipped, so that later faults may
	// follow from it.
	KeepGoing bool
}
