package transport

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/basiq-sdk/basiq-go/internal/safetext"
	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// DecodeError is the error of a call that the API executed, and whose response could
// not be decoded: it is not JSON, is cut off, or has another type than expected. The
// operation has taken effect: do not retry a write because of this error.
type DecodeError struct {
	Operation   string // "core.Users.Get"
	Method      string
	Path        string // template
	Status      int
	ContentType string
	Field       string // path of the invalid member, such as "data[3].amount"; "" for the whole body, or if not known
	Offset      int64  // byte of the body at which decoding stopped; -1 if not known
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

// Error names the operation and the position in the body, and contains no values.
func (e *DecodeError) Error() string {
	if e == nil {
		return "<nil>"
	}
	return e.text()
}

func (e *DecodeError) text() string {
	text := fmt.Sprintf("basiq: %s: the response (%d, %q) cannot be decoded", e.Operation, e.Status, safetext.Identifier(e.ContentType))
	if e.Field != "" {
		text += " at " + safetext.Identifier(e.Field)
	}
	if e.Offset >= 0 {
		text += fmt.Sprintf(", byte %d", e.Offset)
	}
	if strings.HasPrefix(e.ContentType, "text/html") {
		text += ": it is a web page: check the base URL, and proxies between here and the API"
	}
	var typ *wire.TypeError
	switch {
	case errors.As(e.Err, &typ):
		text += ": " + typ.Error()
	case e.Offset < 0 && e.Err != nil:
		text += ": " + safeErrorText(e.Err)
	}
	return text
}

// redact redacts the credentials that the server echoed.
func (e *DecodeError) redact(secrets []string) {
	e.ContentType, e.Field = redact(e.ContentType, secrets...), redact(e.Field, secrets...)
	e.Err = redactError(e.Err, secrets)
}

// Format prints the text of Error under every verb, because the cause may hold a value.
func (e DecodeError) Format(f fmt.State, verb rune) { safetext.Format(f, verb, e.text()) }

// MarshalJSON encodes the text of Error, and the operation, method, path and status.
func (e DecodeError) MarshalJSON() ([]byte, error) {
	return json.Marshal(safe{Message: e.text(), Operation: e.Operation, Method: e.Method, Path: e.Path, Status: e.Status, Attempts: 1})
}

// MarshalText returns the text of Error, for XML, YAML and similar formats.
func (e DecodeError) MarshalText() ([]byte, error) { return []byte(e.text()), nil }

// LogValue makes log/slog write the text of Error.
func (e *DecodeError) LogValue() slog.Value {
	if e == nil {
		return slog.Value{}
	}
	return slog.StringValue(e.text())
}

// Unwrap returns the cause.
func (e *DecodeError) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Err
}
