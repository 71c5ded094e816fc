package transport

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// Error is the error of a call that the API answered with anything but success.
// Its text, under every verb, as JSON and in a log,
// holds no value of the request and none of the API's own words; its members may.
type Error struct {
	Operation     string // "core.Users.Get"
	Method        string
	Path          string // template: no value of it is personal
	Status        int
	Problems      []Problem
	CorrelationID string          // for Basiq's support
	RetryAfter    time.Duration   // what the API asked for, 0 if nothing
	Attempts      int             // how often the call was sent
	Waits         []time.Duration // before the second attempt and those after it
	Safety        Safety          // the operation's class
	Body          []byte          // the answer's body, up to 64 KiB; it may hold personal data

	// EarlierUnknown tells that an earlier attempt may have been executed: a
	// deletion that now meets 404 may be its own doing.
	EarlierUnknown bool

	stop error // why the call was not repeated, if something stopped it
}

// Problem is one thing that the API found wrong. Every member may be empty.
type Problem struct {
	Code   string // "parameter-not-valid"; an open set, see the Code constants
	Title  string
	Detail string
	Source Source
}

// Source is the place in a request at fault.
type Source struct {
	Parameter string // the parameter
	Pointer   string // the place in the body
}

// NewError returns an error as the API's answer with this status would give it:
// for tests of code that handles errors.
func NewError(status int, problems ...Problem) *Error {
	return &Error{Operation: "test", Method: http.MethodGet, Path: "/", Status: status, Problems: problems, Attempts: 1}
}

// Kinds of failure, for errors.Is.
var (
	// ErrNotFound is status 404, but for POST /token.
	ErrNotFound = errors.New("basiq: not found")
	// ErrUnauthorized is status 401, and 404 of POST /token: the API does not know
	// the API key.
	ErrUnauthorized = errors.New("basiq: unauthorized")
	// ErrForbidden is a 403 that says neither that the token has expired nor that
	// there were too many calls.
	ErrForbidden = errors.New("basiq: forbidden")
	// ErrTokenExpired is an answer that refuses the access token, and not the
	// call: the package documentation says which. A new token was refused, too.
	ErrTokenExpired = errors.New("basiq: access token expired")
	// ErrRateLimited is status 429, or a 403 with the code too-many-requests. It
	// is also the kind of a ThrottledError.
	ErrRateLimited = errors.New("basiq: rate limited")
	// ErrGone is status 410, except from POST /token.
	ErrGone = errors.New("basiq: no longer available")
	// ErrConflict is status 409, or the code resource-already-exists, except from
	// POST /token.
	ErrConflict = errors.New("basiq: already exists")
	// ErrInvalidParameter is status 400, except from POST /token.
	ErrInvalidParameter = errors.New("basiq: invalid parameter")
	// ErrUnavailable is status 502, 503 or 504, or one from 520 to 529, which
	// content delivery networks send when they cannot reach the API.
	ErrUnavailable = errors.New("basiq: unavailable")
	// ErrRedirected is a status from 300 to 399.
	ErrRedirected = errors.New("basiq: redirected, which is not followed")

	// ErrOutcomeUnknown is the error of a call that changes something, was sent,
	// and may have been executed: look before calling again.
	ErrOutcomeUnknown = errors.New("basiq: outcome unknown")
	// ErrRetryBudget is the error of a call that was not repeated because too
	// many were: it is this client that held back, not the API.
	ErrRetryBudget = errors.New("basiq: this client's retry budget is spent")
	// ErrNoContent is the error of a call that succeeded without the answer
	// that it was made for: the body is empty, or null.
	ErrNoContent = errors.New("basiq: the API answered without content")
)

// Code returns the code of the first problem, or "".
func (e *Error) Code() string {
	if e == nil {
		return ""
	}
	if len(e.Problems) == 0 {
		return ""
	}
	return e.Problems[0].Code
}

// Error describes the failure without any value of the request and without
// the API's own words, so that it is safe to log.
func (e *Error) Error() string {
	if e == nil {
		return "<nil>"
	}
	return e.text()
}

func (e Error) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "basiq: %s: %s %s: %d", e.Operation, e.Method, e.Path, e.Status)
	if text := http.StatusText(e.Status); text != "" {
		b.WriteByte(' ')
		b.WriteString(text)
	}
	for _, p := range e.Problems {
		if codeLike(p.Code) {
			b.WriteString(": ")
			b.WriteString(p.Code)
		}
		if codeLike(p.Source.Parameter) {
			fmt.Fprintf(&b, " (%s)", p.Source.Parameter)
		}
	}
	if e.keyUnknown() {
		b.WriteString(": the API does not know the API key")
	}
	if e.CorrelationID != "" {
		fmt.Fprintf(&b, " [correlation id %s]", printable(e.CorrelationID))
	}
	history(&b, e.Attempts, e.Waits, e.stop)
	if e.RetryAfter > 0 {
		fmt.Fprintf(&b, "; the API asks to wait %s", e.RetryAfter)
	}
	switch {
	case e.EarlierUnknown:
		b.WriteString("; an earlier attempt may have been executed")
	case e.outcomeUnknown():
		b.WriteString("; outcome unknown")
	}
	return b.String()
}

// history tells of earlier attempts, and why there was no further one.
func history(b *strings.Builder, attempts int, waits []time.Duration, stop error) {
	if attempts > 1 {
		var sum time.Duration
		for _, w := range waits {
			sum += w
		}
		fmt.Fprintf(b, " after %d attempts", attempts)
		if sum > 0 {
			fmt.Fprintf(b, " and waits of %s", sum.Round(time.Millisecond))
		}
	}
	if stop != nil {
		fmt.Fprintf(b, "; not repeated: %s", strings.TrimPrefix(stop.Error(), "basiq: "))
	}
}

// Format prints the text under every verb: printed member by member, the error
// would show what the API said of personal data.
func (e Error) Format(f fmt.State, verb rune) { formatText(f, verb, e.text()) }

func formatText(f fmt.State, verb rune, text string) {
	switch verb {
	case 'q':
		fmt.Fprintf(f, "%q", text)
	case 'x', 'X':
		fmt.Fprintf(f, "%"+string(verb), text)
	default:
		_, _ = f.Write([]byte(text))
	}
}

// safe is what is encoded of an error.
type safe struct {
	Message       string   `json:"message"`
	Operation     string   `json:"operation"`
	Method        string   `json:"method"`
	Path          string   `json:"path"`
	Status        int      `json:"status,omitempty"`
	Codes         []string `json:"codes,omitempty"`
	CorrelationID string   `json:"correlationId,omitempty"`
	Attempts      int      `json:"attempts"`
}

func (e Error) safe() safe {
	s := safe{
		Message: e.text(), Operation: e.Operation, Method: e.Method, Path: e.Path, Status: e.Status,
		CorrelationID: printable(e.CorrelationID), Attempts: e.Attempts,
	}
	for _, p := range e.Problems {
		if codeLike(p.Code) {
			s.Codes = append(s.Codes, p.Code)
		}
	}
	return s
}

// MarshalJSON encodes what the text tells, member by member; not the body, and
// not the API's own words.
func (e Error) MarshalJSON() ([]byte, error) { return json.Marshal(e.safe()) }

// MarshalText returns the text, for XML, YAML and their like.
func (e Error) MarshalText() ([]byte, error) { return []byte(e.text()), nil }

// GobEncode encodes what MarshalJSON does.
func (e Error) GobEncode() ([]byte, error) { return json.Marshal(e.safe()) }

// GobDecode reads what GobEncode wrote.
func (e *Error) GobDecode(data []byte) error {
	if e == nil {
		return errors.New("basiq: there is no Error to decode into")
	}
	var s safe
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	*e = Error{Operation: s.Operation, Method: s.Method, Path: s.Path, Status: s.Status, CorrelationID: s.CorrelationID, Attempts: s.Attempts}
	for _, code := range s.Codes {
		e.Problems = append(e.Problems, Problem{Code: code})
	}
	return nil
}

// LogValue makes log/slog write what the text tells, member by member.
func (e Error) LogValue() slog.Value {
	s := e.safe()
	return slog.GroupValue(
		slog.String("message", s.Message), slog.String("operation", s.Operation), slog.Int("status", s.Status),
		slog.Any("codes", s.Codes), slog.String("correlationId", s.CorrelationID), slog.Int("attempts", s.Attempts),
	)
}

// Is tells whether the failure is of the kind that target stands for.
func (e *Error) Is(target error) bool {
	if e == nil {
		return false
	}
	switch target {
	case ErrNotFound, ErrGone, ErrConflict, ErrInvalidParameter:
		if e.Path == opToken.Path {
			return false // POST /token answers for no record and no parameter of the call
		}
	}
	switch target {
	case ErrNotFound:
		return e.Status == http.StatusNotFound
	case ErrTokenExpired:
		return e.tokenRejected()
	case ErrUnauthorized:
		return e.Status == http.StatusUnauthorized || e.keyUnknown()
	case ErrForbidden:
		return e.Status == http.StatusForbidden && !e.tokenRejected() && !e.rateLimited()
	case ErrRateLimited:
		return e.rateLimited()
	case ErrGone:
		return e.Status == http.StatusGone
	case ErrConflict:
		return e.Status == http.StatusConflict || e.has(CodeResourceAlreadyExists)
	case ErrInvalidParameter:
		return e.Status == http.StatusBadRequest
	case ErrUnavailable:
		return e.Status >= 502 && e.Status <= 504 || e.Status >= 520 && e.Status <= 529
	case ErrRedirected:
		return e.Status >= 300 && e.Status <= 399
	case ErrOutcomeUnknown:
		return e.EarlierUnknown || e.outcomeUnknown()
	}
	return false
}

// Unwrap returns what kept the call from being repeated: the end of the context
// (context.DeadlineExceeded also when it had not come yet, but would have come
// during the wait), or ErrRetryBudget. It is nil when nothing did.
func (e *Error) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.stop
}

// keyUnknown tells whether the API does not know the API key. It says so with a
// 404 of the token endpoint: that must not be taken for what a call looked for.
func (e *Error) keyUnknown() bool {
	return e.Status == http.StatusNotFound && e.Path == opToken.Path
}

func (e *Error) has(code string) bool {
	for _, p := range e.Problems {
		if p.Code == code {
			return true
		}
	}
	return false
}

// rateLimited tells whether the API refused a call for being one too many. It
// says so with 429, or with a 403 whose code says it.
func (e *Error) rateLimited() bool {
	return e.Status == http.StatusTooManyRequests || e.Status == http.StatusForbidden && e.has(CodeTooManyRequests)
}

// outcomeUnknown tells whether a call that changes something may have been
// executed although the API answered with a failure.
func (e Error) outcomeUnknown() bool {
	return e.Safety != SafetyRead && !e.rule().Unexecuted
}

// tokenRejected tells whether the API refused the access token itself. An
// expired one is answered with 403 access-denied, which elsewhere would mean a
// missing permission; a wrong one with 401 invalid-authorization-token. POST
// /token is called without one.
func (e *Error) tokenRejected() bool {
	if e.Path == opToken.Path {
		return false
	}
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
