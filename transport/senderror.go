package transport

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// SendError is the error of a call that got no answer: the API was not
// reached, hung up, or took too long. The cause is wrapped, for errors.Is with
// context.DeadlineExceeded, context.Canceled and io.ErrUnexpectedEOF, and for
// errors.As with net's errors; the cause of a context is in the text only.
// errors.Is with ErrOutcomeUnknown reports whether something may have been changed
// nevertheless.
type SendError struct {
	Operation string // "core.Users.Get"
	Method    string
	Path      string          // template
	Attempts  int             // how often the call was tried
	Waits     []time.Duration // before the second attempt and those after it
	Safety    Safety          // the operation's class
	Sent      bool            // whether the last attempt may have reached the API
	Err       error           // of the last attempt

	// EarlierUnknown tells that an earlier attempt may have been executed.
	EarlierUnknown bool

	stop    error  // why the call was not repeated, if something stopped it
	earlier *Error // what the API said to an earlier attempt, if the context ended
}

// Error describes the failure, without the address that was called: its values
// may be personal.
func (e *SendError) Error() string {
	if e == nil {
		return "<nil>"
	}
	return e.text()
}

func (e SendError) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "basiq: %s: %s %s: ", e.Operation, e.Method, e.Path)
	if e.Err != nil {
		b.WriteString(told(e.Err))
	}
	history(&b, e.Attempts, e.Waits, e.stop)
	if e.earlier != nil {
		fmt.Fprintf(&b, "; before that the API answered %d", e.earlier.Status)
	}
	switch {
	case e.unknown():
		b.WriteString("; outcome unknown: the call may have been executed")
	case !e.Sent && e.Safety != SafetyRead:
		b.WriteString("; the call was never sent")
	}
	return b.String()
}

// Format prints the text under every verb.
func (e SendError) Format(f fmt.State, verb rune) { formatText(f, verb, e.text()) }

func (e SendError) safe() safe {
	return safe{Message: e.text(), Operation: e.Operation, Method: e.Method, Path: e.Path, Attempts: e.Attempts}
}

// MarshalJSON encodes what the text tells.
func (e SendError) MarshalJSON() ([]byte, error) { return json.Marshal(e.safe()) }

// MarshalText returns the text, for XML, YAML and their like.
func (e SendError) MarshalText() ([]byte, error) { return []byte(e.text()), nil }

// LogValue makes log/slog write what the text tells, member by member.
func (e SendError) LogValue() slog.Value {
	return slog.GroupValue(slog.String("message", e.text()), slog.String("operation", e.Operation),
		slog.Bool("sent", e.Sent), slog.Int("attempts", e.Attempts))
}

func (e SendError) unknown() bool {
	return e.Safety != SafetyRead && (e.Sent || e.EarlierUnknown)
}

// Is tells whether target is ErrOutcomeUnknown, and the outcome is unknown.
func (e *SendError) Is(target error) bool {
	return e != nil && target == ErrOutcomeUnknown && e.unknown()
}

// Unwrap returns the cause, what kept the call from being repeated, and, where
// the context ended after the API had answered, that answer.
func (e *SendError) Unwrap() []error {
	if e == nil {
		return nil
	}
	causes := make([]error, 0, 3)
	for _, err := range []error{e.Err, e.stop} {
		if err != nil {
			causes = append(causes, err)
		}
	}
	if e.earlier != nil {
		causes = append(causes, e.earlier)
	}
	return causes
}
