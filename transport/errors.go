package transport

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/basiq-sdk/basiq-go/transport/value"
)

// Error is the error of every call that the API answered, and not with success.
type Error struct {
	Operation     string // "core.Users.Get"
	Method        string
	Path          string // template: no value of it is personal
	Status        int
	Problems      []Problem
	CorrelationID string        // for Basiq's support
	RetryAfter    time.Duration // what the API asked for, 0 if nothing
	Attempts      int           // how often the call was sent
	Body          []byte        // the answer's body, up to 64 KiB; it may hold personal data
}

// Problem is one thing that the API found wrong. Every member may be empty.
type Problem struct {
	Code      string // "parameter-not-valid"; an open set, see the Code constants
	Title     string
	Detail    string
	Parameter string // the parameter at fault
	Pointer   string // the place in the request at fault
}

// Codes that the API documents. It sends others too.
const (
	CodeParameterNotSupplied      = "parameter-not-supplied"
	CodeParameterNotValid         = "parameter-not-valid"
	CodePathParameterNotValid     = "path-parameter-not-valid"
	CodeUnsupportedAccept         = "unsupported-accept"
	CodeInvalidContent            = "invalid-content"
	CodeInstitutionNotSupported   = "institution-not-supported"
	CodeInvalidCredentials        = "invalid-credentials"
	CodeUnauthorizedAccess        = "unauthorized-access"
	CodeInvalidAuthorizationToken = "invalid-authorization-token"
	CodeForbiddenAccess           = "forbidden-access"
	CodeNoProductionAccess        = "no-production-access"
	CodeAccessDenied              = "access-denied"
	CodeResourceNotFound          = "resource-not-found"
	CodeResourceAlreadyExists     = "resource-already-exists"
	CodeResourceNoLongerAvailable = "resource-no-longer-available"
	CodeTooManyRequests           = "too-many-requests"
	CodeInternalServerError       = "internal-server-error"
	CodeServiceUnavailable        = "service-unavailable"
)

// Kinds of failure, for errors.Is.
var (
	ErrNotFound         = errors.New("basiq: not found")
	ErrUnauthorized     = errors.New("basiq: unauthorized")
	ErrForbidden        = errors.New("basiq: forbidden")
	ErrTokenExpired     = errors.New("basiq: access token expired")
	ErrRateLimited      = errors.New("basiq: rate limited")
	ErrGone             = errors.New("basiq: no longer available")
	ErrConflict         = errors.New("basiq: already exists")
	ErrInvalidParameter = errors.New("basiq: invalid parameter")
	ErrUnavailable      = errors.New("basiq: unavailable")

	// ErrNoContent is the error of a call that succeeded without the answer
	// that it was made for.
	ErrNoContent = errors.New("basiq: the API answered without content")
)

// Code returns the code of the first problem, or "".
func (e *Error) Code() string {
	if len(e.Problems) == 0 {
		return ""
	}
	return e.Problems[0].Code
}

// Error describes the failure without any value of the request and without
// the API's own words, so that it is safe to log.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "basiq: %s: %s %s: %d", e.Operation, e.Method, e.Path, e.Status)
	if text := http.StatusText(e.Status); text != "" {
		b.WriteByte(' ')
		b.WriteString(text)
	}
	for _, p := range e.Problems {
		if p.Code != "" {
			b.WriteString(": ")
			b.WriteString(printable(p.Code))
		}
		if p.Parameter != "" {
			fmt.Fprintf(&b, " (%s)", printable(p.Parameter))
		}
	}
	if e.CorrelationID != "" {
		fmt.Fprintf(&b, " [correlation id %s]", printable(e.CorrelationID))
	}
	if e.Attempts > 1 {
		fmt.Fprintf(&b, " after %d attempts", e.Attempts)
	}
	return b.String()
}

// printable keeps identifiers and drops what could forge a log line.
func printable(s string) string {
	if len(s) > 64 {
		s = s[:64]
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.IsSpace(r) {
			return '_'
		}
		return r
	}, s)
}

// Is tells whether the failure is of the kind that target stands for.
func (e *Error) Is(target error) bool {
	switch target {
	case ErrNotFound:
		return e.Status == http.StatusNotFound
	case ErrTokenExpired:
		return e.tokenRejected()
	case ErrUnauthorized:
		return e.Status == http.StatusUnauthorized
	case ErrForbidden:
		return e.Status == http.StatusForbidden && !e.tokenRejected()
	case ErrRateLimited:
		return e.Status == http.StatusTooManyRequests || e.Code() == CodeTooManyRequests
	case ErrGone:
		return e.Status == http.StatusGone
	case ErrConflict:
		return e.Status == http.StatusConflict || e.Code() == CodeResourceAlreadyExists
	case ErrInvalidParameter:
		return e.Status == http.StatusBadRequest
	case ErrUnavailable:
		return e.Status == http.StatusServiceUnavailable || e.Status == http.StatusBadGateway || e.Status == http.StatusGatewayTimeout
	}
	return false
}

// tokenRejected tells whether the API refused the access token itself. An
// expired one is answered with 403 access-denied, which elsewhere would mean a
// missing permission; a wrong one with 401 invalid-authorization-token.
func (e *Error) tokenRejected() bool {
	for _, p := range e.Problems {
		switch e.Status {
		case http.StatusUnauthorized:
			if p.Code == CodeInvalidAuthorizationToken {
				return true
			}
		case http.StatusForbidden:
			text := strings.ToLower(p.Title + " " + p.Detail)
			if p.Code == CodeAccessDenied || strings.Contains(text, "token") && strings.Contains(text, "expired") {
				return true
			}
		}
	}
	return false
}

const maxErrorBody = 64 << 10

// newError makes the error of an answer. Whatever the body is (a list of
// problems, a flat object, a gateway's message, HTML, nothing), there is one.
func newError(op *Operation, res *http.Response, text []byte, attempts int) *Error {
	e := &Error{
		Operation: op.ID, Method: op.Method, Path: op.Path, Status: res.StatusCode, Attempts: attempts,
		Body: text[:min(len(text), maxErrorBody)], RetryAfter: retryAfter(res.Header.Get("Retry-After"), time.Now()),
	}
	doc, err := value.ParseJSON(string(text))
	if err != nil {
		return e
	}
	e.CorrelationID = textOf(doc, "correlationId")
	list, ok := doc.Get("data")
	items := list.Items()
	if !ok || list.Kind() != value.KindArray {
		items = []value.JSON{doc}
	}
	for _, item := range items {
		p := Problem{Code: textOf(item, "code"), Title: textOf(item, "title"), Detail: textOf(item, "detail")}
		if p.Detail == "" {
			p.Detail = textOf(item, "message")
		}
		if source, ok := item.Get("source"); ok {
			p.Parameter, p.Pointer = textOf(source, "parameter"), textOf(source, "pointer")
		}
		if p != (Problem{}) {
			e.Problems = append(e.Problems, p)
		}
	}
	return e
}

func textOf(j value.JSON, name string) string {
	v, ok := j.Get(name)
	if !ok {
		return ""
	}
	text, _ := v.Text()
	return text
}

// retryAfter reads a Retry-After header in either of its forms.
func retryAfter(header string, now time.Time) time.Duration {
	if header == "" {
		return 0
	}
	if seconds, err := strconv.ParseInt(header, 10, 32); err == nil {
		return max(0, time.Duration(seconds)*time.Second)
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// DecodeError is the error of an answer that could not be read as what was
// expected: it is not JSON, or it is cut off.
type DecodeError struct {
	Operation   string
	Status      int
	ContentType string
	Err         error // names the place: a *wire.SyntaxError has offset and path
}

// Error names the operation and the place, not the values.
func (e *DecodeError) Error() string {
	return fmt.Sprintf("basiq: %s: the answer (%d, %q) cannot be decoded: %v", e.Operation, e.Status, printable(e.ContentType), e.Err)
}

// Unwrap returns the cause.
func (e *DecodeError) Unwrap() error { return e.Err }
