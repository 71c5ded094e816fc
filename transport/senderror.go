package transport

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/basiq-sdk/basiq-go/internal/safetext"
)

// SendError is the error of a call without a response: the API could not be reached,
// closed the connection, or took too long. It wraps the cause, such as
// context.DeadlineExceeded, context.Canceled, io.ErrUnexpectedEOF or an error of
// package net. context.Cause is only in the text. The error matches [ErrOutcomeUnknown]
// if the call changes something and may have been executed.
type SendError struct {
	Operation string // "core.Users.Get"
	Method    string
	Path      string          // path template, without values
	Attempts  int             // number of attempts
	Waits     []time.Duration // before each attempt but the first
	Safety    Safety          // safety class of the operation
	Sent      bool            // whether the last attempt may have reached the API
	Err       error           // of the last attempt

	// EarlierUnknown reports whether an earlier attempt may have been executed.
	EarlierUnknown bool

	stop    error  // what prevented a retry, if anything did
	earlier *Error // the error response to an earlier attempt, if the context ended
}

// Error describes the failure, without the URL: its values may be personal data.
func (e *SendError) Error() string {
	if e == nil {
		return "<nil>"
	}
	return e.text()
}

func (e *SendError) text() string {
	text := "basiq: " + e.Operation + ": " + e.Method + " " + e.Path + ": "
	if e.Err != nil {
		text += safeErrorText(e.Err)
	}
	text += history(e.Attempts, e.Waits, e.stop)
	if e.earlier != nil {
		text += fmt.Sprintf("; before that, the API responded with status %d", e.earlier.Status)
	}
	switch {
	case e.unknown():
		text += "; outcome unknown: the call may have been executed"
	case !e.Sent && e.Safety != SafetyRead:
		text += "; the call was never sent"
	}
	return text
}

// Format prints the text of Error under every verb.
func (e SendError) Format(f fmt.State, verb rune) { safetext.Format(f, verb, e.text()) }

func (e *SendError) safe() safe {
	return safe{Message: e.text(), Operation: e.Operation, Method: e.Method, Path: e.Path, Attempts: e.Attempts}
}

// MarshalJSON encodes the text of Error and the values in it.
func (e SendError) MarshalJSON() ([]byte, error) { return json.Marshal(e.safe()) }

// MarshalText returns the text of Error, for XML, YAML and similar formats.
func (e SendError) MarshalText() ([]byte, error) { return []byte(e.text()), nil }

// LogValue makes log/slog write the text of Error and the values in it.
func (e *SendError) LogValue() slog.Value {
	if e == nil {
		return slog.Value{}
	}
	return slog.GroupValue(slog.String("message", e.text()), slog.String("operation", e.Operation),
		slog.Bool("sent", e.Sent), slog.Int("attempts", e.Attempts))
}

func (e SendError) unknown() bool {
	return e.Safety != SafetyRead && (e.Sent || e.EarlierUnknown)
}

// Is reports whether target is [ErrOutcomeUnknown] and the outcome is unknown.
func (e *SendError) Is(target error) bool {
	return e != nil && target == ErrOutcomeUnknown && e.unknown()
}

// Unwrap returns the cause, what prevented a retry, and, if the context ended after an
// earlier attempt had got an error response, that [*Error].
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
