package transport

import (
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/basiq-sdk/basiq-go/internal/safetext"
)

// ThrottledError is the error of a call that this client queued and did not send,
// because the API is rate limiting the operation. Either the call would have been
// sent after its deadline, or its context ended while it was queued. It matches
// [ErrRateLimited], although the API did not respond to this call, and
// context.DeadlineExceeded or context.Canceled.
type ThrottledError struct {
	Operation string // "core.Users.Get"
	Method    string
	Path      string // template
	Safety    Safety // safety class of the operation
	Err       error  // why the call was not queued any longer
}

// Error describes the failure. The text contains no values of the request.
func (e *ThrottledError) Error() string {
	if e == nil {
		return "<nil>"
	}
	return e.text()
}

func (e *ThrottledError) text() string {
	why := "the call left the queue"
	if e.Err != nil {
		why = safeErrorText(e.Err)
	}
	return fmt.Sprintf("basiq: %s: %s %s: not sent: %s; the API is rate limiting this operation", e.Operation, e.Method, e.Path, why)
}

// Format prints the text of Error under every verb.
func (e ThrottledError) Format(f fmt.State, verb rune) { safetext.Format(f, verb, e.text()) }

// MarshalJSON encodes the text of Error, and the operation, method and path.
func (e ThrottledError) MarshalJSON() ([]byte, error) {
	return json.Marshal(safe{Message: e.text(), Operation: e.Operation, Method: e.Method, Path: e.Path})
}

// MarshalText returns the text of Error, for XML, YAML and similar formats.
func (e ThrottledError) MarshalText() ([]byte, error) { return []byte(e.text()), nil }

// LogValue makes log/slog write the text of Error and the operation.
func (e *ThrottledError) LogValue() slog.Value {
	if e == nil {
		return slog.Value{}
	}
	return slog.GroupValue(slog.String("message", e.text()), slog.String("operation", e.Operation))
}

// Is reports whether target is [ErrRateLimited].
func (e *ThrottledError) Is(target error) bool { return e != nil && target == ErrRateLimited }

// Unwrap returns why the call left the queue.
func (e *ThrottledError) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Err
}
