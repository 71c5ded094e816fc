package transport

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// DecodeError is the error of a successful answer that could not be read as
// what was expected: it is not JSON, is cut off, or has another shape. The API has
// done what the call asked for: do not repeat a write because of it.
type DecodeError struct {
	Operation   string // "core.Users.Get"
	Method      string
	Path        string // template
	Status      int
	ContentType string
	Field       string // path of the member at fault, such as "data[3].amount"; "" at the top, or if not known
	Offset      int64  // byte of the answer where reading stopped; -1 if not known
	Err         error
}

func newDecodeError(op *Operation, status int, contentType string, err error) *DecodeError {
	e := &DecodeError{
		Operation: op.ID, Method: op.Method, Path: op.Path, Status: status, ContentType: contentType, Offset: -1, Err: err,
	}
	var (
		syntax     *wire.SyntaxError
		jsonSyntax *json.SyntaxError
		jsonType   *json.UnmarshalTypeError
	)
	switch {
	case errors.As(err, &syntax):
		e.Field, e.Offset = syntax.Path, syntax.Offset
	case errors.As(err, &jsonSyntax):
		e.Offset = jsonSyntax.Offset
	case errors.As(err, &jsonType):
		e.Field, e.Offset = jsonType.Field, jsonType.Offset
	}
	return e
}

// Error names the operation and the place, not the values.
func (e *DecodeError) Error() string {
	if e == nil {
		return "<nil>"
	}
	return e.text()
}

func (e DecodeError) text() string {
	text := fmt.Sprintf("basiq: %s: the answer (%d, %q) cannot be decoded", e.Operation, e.Status, printable(e.ContentType))
	if e.Field != "" {
		text += " at " + printable(e.Field)
	}
	if e.Offset >= 0 {
		text += fmt.Sprintf(", byte %d", e.Offset)
	}
	if strings.HasPrefix(e.ContentType, "text/html") {
		text += ": it is a web page; check the base URL, and proxies on the way"
	}
	var typ *wire.TypeError
	switch {
	case errors.As(e.Err, &typ):
		text += ": " + typ.Error()
	case e.Offset < 0 && e.Err != nil:
		text += ": " + told(e.Err)
	}
	return text
}

// conceal takes out of the error what the server echoed of the credentials.
func (e *DecodeError) conceal(secrets []string) {
	e.ContentType, e.Field = scrub(e.ContentType, secrets...), scrub(e.Field, secrets...)
}

// Format prints the text under every verb: the cause may hold a value.
func (e DecodeError) Format(f fmt.State, verb rune) { formatText(f, verb, e.text()) }

// MarshalJSON encodes what the text tells.
func (e DecodeError) MarshalJSON() ([]byte, error) {
	return json.Marshal(safe{Message: e.text(), Operation: e.Operation, Method: e.Method, Path: e.Path, Status: e.Status, Attempts: 1})
}

// MarshalText returns the text, for XML, YAML and their like.
func (e DecodeError) MarshalText() ([]byte, error) { return []byte(e.text()), nil }

// LogValue makes log/slog write the text.
func (e DecodeError) LogValue() slog.Value { return slog.StringValue(e.text()) }

// Unwrap returns the cause.
func (e *DecodeError) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Err
}
