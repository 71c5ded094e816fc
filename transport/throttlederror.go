package transport

import (
	"encoding/json"
	"fmt"
	"log/slog"
)

// ThrottledError is the error of a call that this client did not send: the API is
// rate limiting the operation, so its calls are queued, and the call's turn would
// have come after its deadline, or its context ended while it waited. It is not
// an answer of the API; errors.Is with ErrRateLimited is true all the same, as is
// errors.Is with context.DeadlineExceeded or context.Canceled.
type ThrottledError struct {
	Operation string // "core.Users.Get"
	Method    string
	Path      string // template
	Safety    Safety // the operation's class
	Err       error  // why the call did not wait for its turn
}

// Error describes the failure, without any value of the request.
func (e *ThrottledError) Error() string {
	if e == nil {
		return "<nil>"
	}
	return e.text()
}

func (e ThrottledError) text() string {
	why := "the call did not wait for its turn"
	if e.Err != nil {
		why = told(e.Err)
	}
	return fmt.Sprintf("basiq: %s: %s %s: not sent: %s; the API is rate limiting this operation", e.Operation, e.Method, e.Path, why)
}

// Format prints the text under every verb.
func (e ThrottledError) Format(f fmt.State, verb rune) { formatText(f, verb, e.text()) }

// MarshalJSON encodes the text, the operation, the method and the path.
func (e ThrottledError) MarshalJSON() ([]byte, error) {
	return json.Marshal(safe{Message: e.text(), Operation: e.Operation, Method: e.Method, Path: e.Path})
}

// MarshalText returns the text, for XML, YAML and similar encoders.
func (e ThrottledError) MarshalText() ([]byte, error) { return []byte(e.text()), nil }

// LogValue makes log/slog write the text and the operation.
func (e ThrottledError) LogValue() slog.Value {
	return slog.GroupValue(slog.String("message", e.text()), slog.String("operation", e.Operation))
}

// Is reports whether target is ErrRateLimited.
func (e *ThrottledError) Is(target error) bool { return e != nil && target == ErrRateLimited }

// Unwrap returns why the call did not wait for its turn.
func (e *ThrottledError) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Err
}
