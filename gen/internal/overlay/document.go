package overlay

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
)

// Document is an overlay document, as Parse returns it.
type Document struct {
	File        string
	Version     string // of the specification: "1.0.0"
	Title       string
	Revision    string // info.version: the overlay's own version
	Description string // info.description
	Extends     string // informational: the caller chooses the document to overlay
	Actions     []Action
}

// Action is an action of a document. Apply only runs actions that Parse created.
type Action struct {
	Pos          diag.Pos
	Target       string // JSONPath (RFC 9535)
	Description  string
	Update       *yaml.Node // nil if the action has none
	Remove       bool
	Copy         string     // JSONPath of the node to copy, or "" if the action has none
	Expect       *yaml.Node // x-expect
	ExpectAbsent []string   // x-expect-absent
	AllowNoop    bool       // x-allow-noop

	target     *query
	copy       *query
	primitives bool // 1.1: primitives can be updated, and matches must have the same kind
}

// Outcome is the outcome of an action.
type Outcome int

// Outcomes of an action, which the package documentation explains.
const (
	Applied Outcome = iota + 1
	Obsolete
	Unmatched
	TargetChanged
	Failed
	NoChange
)

// String returns the name of the outcome.
func (o Outcome) String() string {
	switch o {
	case Applied:
		return "applied"
	case Obsolete:
		return "obsolete"
	case Unmatched:
		return "unmatched"
	case TargetChanged:
		return "target changed"
	case Failed:
		return "failed"
	case NoChange:
		return "no change"
	}
	return fmt.Sprintf("outcome %d", int(o))
}

// Result is the result of an action.
type Result struct {
	Action  *Action
	Outcome Outcome
	Matches int              // number of nodes that the target selects
	Changed int              // number of these that the action changed
	Already []string         // Applied: members of the update that all changed matches already had, and that can be deleted
	Err     *diag.Annotation // nil for Applied and NoChange
}

// String returns the result in one line: "core/20-repairs.yaml:31: applied to 3 places".
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
		return "no change: obsolete in " + places(r.Matches) + ", which is allowed"
	case r.Outcome == Unmatched:
		return "unmatched: nothing matches " + r.Action.Target
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

// Options of Apply. The zero value is strict and stops at the first error.
type Options struct {
	// Lenient allows Obsolete and Unmatched, as the specification does. x-expect
	// is still enforced.
	Lenient bool
	// KeepGoing collects the errors of all actions instead of stopping at the first.
	// An action that fails is skipped, which may cause further errors.
	KeepGoing bool
}
