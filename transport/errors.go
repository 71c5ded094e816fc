package transport

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/basiq-sdk/basiq-go/internal/safetext"
)

// Error is the error of a call to which the API responded with any status but
// success. Its text, under every verb, as JSON and in logs, contains no values of the
// request and no text from the API. Its fields may.
type Error struct {
	Operation     string // "core.Users.Get"
	Method        string
	Path          string // path template, without values
	Status        int
	Problems      []Problem
	CorrelationID string          // for Basiq's support; Error prints it only if it looks like an ID
	RetryAfter    time.Duration   // from the Retry-After header; 0 if there is none
	Attempts      int             // number of attempts
	Waits         []time.Duration // before each attempt but the first
	Safety        Safety          // safety class of the operation
	Body          []byte          // the response body, up to 64 KiB; it may contain personal data

	// EarlierUnknown reports whether an earlier attempt may have been executed. If so,
	// a deletion that fails with 404 may have succeeded in that attempt.
	EarlierUnknown bool

	stop error // what prevented a retry, if anything did
}

// Problem is one entry of an error response. Every field may be empty.
type Problem struct {
	Code   string // such as "parameter-not-valid"; see the Code constants, to which the API may add
	Title  string
	Detail string
	Source Source
}

// Source names the invalid part of a request.
type Source struct {
	Parameter string // name of the parameter
	Pointer   string // JSON pointer into the body
}

// NewError returns the error that a response with this status and these problems
// would cause. It is for tests of code that handles errors.
func NewError(status int, problems ...Problem) *Error {
	return &Error{Operation: "test", Method: http.MethodGet, Path: "/", Status: status, Problems: problems, Attempts: 1}
}

// Kinds of errors, for errors.Is.
var (
	// ErrNotFound matches status 404, except for POST /token.
	ErrNotFound = errors.New("basiq: not found")
	// ErrUnauthorized matches status 401, and status 404 of POST /token, which means
	// that the API does not know the API key.
	ErrUnauthorized = errors.New("basiq: unauthorized")
	// ErrForbidden matches status 403, unless it means that the token has expired or
	// that the call was rate-limited.
	ErrForbidden = errors.New("basiq: forbidden")
	// ErrTokenExpired matches a response that rejects the access token rather than the
	// call; see the package documentation. The API also rejected a new token.
	ErrTokenExpired = errors.New("basiq: access token expired")
	// ErrRateLimited matches status 429, status 403 with the code too-many-requests,
	// and every ThrottledError.
	ErrRateLimited = errors.New("basiq: rate limited")
	// ErrGone matches status 410, except from POST /token.
	ErrGone = errors.New("basiq: no longer available")
	// ErrConflict matches status 409, and the code resource-already-exists, except from
	// POST /token.
	ErrConflict = errors.New("basiq: already exists")
	// ErrInvalidParameter matches status 400, except from POST /token.
	ErrInvalidParameter = errors.New("basiq: invalid parameter")
	// ErrNoActiveConsent matches status 400 and 404 with a text that says that the user
	// has no active consent. The API has no code for it. Such errors also match
	// ErrInvalidParameter or ErrNotFound.
	ErrNoActiveConsent = errors.New("basiq: the user has no active consent")
	// ErrUnavailable matches status 502, 503 and 504, and statuses from 520 to 529,
	// which content delivery networks send when they cannot reach the API.
	ErrUnavailable = errors.New("basiq: unavailable")
	// ErrRedirected matches statuses from 300 to 399. Redirects are not followed.
	ErrRedirected = errors.New("basiq: redirects are not followed")

	// ErrOutcomeUnknown matches the error of a call that changes something and may
	// have been executed. Check whether it was before you call again.
	ErrOutcomeUnknown = errors.New("basiq: outcome unknown")
	// ErrRetryBudget matches the error of a call that was not retried because the
	// client's retry budget was spent: see RetryPolicy.
	ErrRetryBudget = errors.New("basiq: the client's retry budget is spent")
	// ErrNoContent is the error of a call that succeeded, and whose response body is
	// empty or null although a value was expected.
	ErrNoContent = errors.New("basiq: the response has no content")
)

// Code returns the code of the first problem, or "" if there is none.
func (e *Error) Code() string {
	if e == nil {
		return ""
	}
	if len(e.Problems) == 0 {
		return ""
	}
	return e.Problems[0].Code
}

// Error describes the failure. The text is safe to log: it contains no values of the
// request and no text from the API.
func (e *Error) Error() string {
	if e == nil {
		return "<nil>"
	}
	return e.text()
}

func (e *Error) text() string {
	text := fmt.Sprintf("basiq: %s: %s %s: %d", e.Operation, e.Method, e.Path, e.Status)
	if status := http.StatusText(e.Status); status != "" {
		text += " " + status
	}
	for i := range e.Problems {
		p := &e.Problems[i]
		if codeLike(p.Code) {
			text += ": " + p.Code
		}
		if codeLike(p.Source.Parameter) {
			text += " (" + p.Source.Parameter + ")"
		}
	}
	if e.keyUnknown() {
		text += ": the API does not know the API key"
	} else if e.Path == opToken.Path && e.routeUnknown() {
		text += ": the API has no tokens at this base URL"
	}
	if codeLike(e.CorrelationID) {
		text += " [correlation id " + e.CorrelationID + "]"
	}
	text += history(e.Attempts, e.Waits, e.stop)
	if e.RetryAfter > 0 {
		text += "; the API asked to wait " + e.RetryAfter.String()
	}
	switch {
	case e.EarlierUnknown:
		text += "; an earlier attempt may have been executed"
	case e.outcomeUnknown():
		text += "; outcome unknown"
	}
	return text
}

// history says how many attempts there were, and what prevented a retry.
func history(attempts int, waits []time.Duration, stop error) (text string) {
	if attempts > 1 {
		var sum time.Duration
		for _, w := range waits {
			sum += w
		}
		text = fmt.Sprintf(" after %d attempts", attempts)
		if sum > 0 {
			text += " and waits of " + sum.Round(time.Millisecond).String()
		}
	}
	if stop != nil {
		text += "; not retried: " + strings.TrimPrefix(stop.Error(), "basiq: ")
	}
	return text
}

// Format prints the text of Error under every verb. The error's fields may contain
// personal data.
func (e Error) Format(f fmt.State, verb rune) { safetext.Format(f, verb, e.text()) }

// safe holds what the JSON and log forms of an error contain.
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

func (e *Error) safe() safe {
	s := safe{
		Message: e.text(), Operation: e.Operation, Method: e.Method, Path: e.Path, Status: e.Status,
		Attempts: e.Attempts,
	}
	if codeLike(e.CorrelationID) { // other texts may contain personal data
		s.CorrelationID = e.CorrelationID
	}
	for _, p := range e.Problems {
		if codeLike(p.Code) {
			s.Codes = append(s.Codes, p.Code)
		}
	}
	return s
}

// MarshalJSON encodes the text of Error and the values in it. It does not encode the
// body or other text from the API.
func (e Error) MarshalJSON() ([]byte, error) { return json.Marshal(e.safe()) }

// MarshalText returns the text of Error, for XML, YAML and similar formats.
func (e Error) MarshalText() ([]byte, error) { return []byte(e.text()), nil }

// GobEncode encodes what MarshalJSON encodes. Without it, encoding/gob would encode the
// body.
func (e Error) GobEncode() ([]byte, error) { return json.Marshal(e.safe()) }

// GobDecode decodes what GobEncode encoded.
func (e *Error) GobDecode(data []byte) error {
	if e == nil {
		return errors.New("basiq: cannot decode into a nil *Error")
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

// LogValue makes log/slog write the text of Error and the values in it.
func (e *Error) LogValue() slog.Value {
	if e == nil {
		return slog.Value{}
	}
	s := e.safe()
	return slog.GroupValue(
		slog.String("message", s.Message), slog.String("operation", s.Operation), slog.Int("status", s.Status),
		slog.Any("codes", s.Codes), slog.String("correlationId", s.CorrelationID), slog.Int("attempts", s.Attempts),
	)
}

// Is reports whether the error is of the kind target: see [ErrNotFound] and the others.
func (e *Error) Is(target error) bool {
	if e == nil {
		return false
	}
	switch target {
	case ErrNotFound, ErrGone, ErrConflict, ErrInvalidParameter, ErrNoActiveConsent:
		if e.Path == opToken.Path {
			return false // POST /token does not respond to the resource or the parameters of the call
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
	case ErrNoActiveConsent:
		return e.noActiveConsent()
	case ErrUnavailable:
		return e.Status >= 502 && e.Status <= 504 || e.Status >= 520 && e.Status <= 529
	case ErrRedirected:
		return e.Status >= 300 && e.Status <= 399
	case ErrOutcomeUnknown:
		return e.EarlierUnknown || e.outcomeUnknown()
	}
	return false
}

// Unwrap returns what prevented a retry, or nil if nothing did. It is the error of the
// context, or [ErrRetryBudget]. It is context.DeadlineExceeded also if the deadline would
// have passed during the wait before the retry.
func (e *Error) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.stop
}

// keyUnknown reports whether the API does not know the API key. The token endpoint
// then responds with 404, which must not pass for a resource that was not found.
func (e *Error) keyUnknown() bool {
	return e.Status == http.StatusNotFound && e.Path == opToken.Path && !e.routeUnknown()
}

// routeUnknown reports whether the API has no route at the path of the request. It says
// so in a text only; the code is that of a resource that was not found.
func (e *Error) routeUnknown() bool {
	return e.Status == http.StatusNotFound && e.says("route not found")
}

// says reports whether the text of a problem contains words, in lower case.
func (e *Error) says(words string) bool {
	for i := range e.Problems {
		if strings.Contains(strings.ToLower(e.Problems[i].Title+" "+e.Problems[i].Detail), words) {
			return true
		}
	}
	return false
}

func (e *Error) has(code string) bool {
	for i := range e.Problems {
		if e.Problems[i].Code == code {
			return true
		}
	}
	return false
}

// noActiveConsent reports whether the API refused a call because the user's consent was
// revoked or has expired. It says so in a text only.
func (e *Error) noActiveConsent() bool {
	return (e.Status == http.StatusBadRequest || e.Status == http.StatusNotFound) && e.says("active consent")
}

// rateLimited reports whether the API rejected a call because of a rate limit, with
// 429 or with 403 and the code too-many-requests.
func (e *Error) rateLimited() bool {
	return e.Status == http.StatusTooManyRequests || e.Status == http.StatusForbidden && e.has(CodeTooManyRequests)
}

// outcomeUnknown reports whether a call that changes something may have been executed
// although the API responded with an error.
func (e *Error) outcomeUnknown() bool {
	return e.Safety != SafetyRead && !e.rule().Unexecuted
}

// unexplained reports whether the API rejected a call with 401 and no body, as it does
// for operations whose 401 has none. The access token may be the reason.
func (e *Error) unexplained() bool {
	return e.Status == http.StatusUnauthorized && e.Path != opToken.Path && len(e.Body) == 0
}

// tokenRejected reports whether the API rejected the access token itself. It responds
// to an expired token with 403 access-denied, which in other APIs means a missing
// permission, and to an unknown one with 401 invalid-authorization-token. Insights send
// access-denied with 401, and with 403 for missing scopes, which a new token does not
// add; payees send 401 invalid-token. POST /token is called without a token.
func (e *Error) tokenRejected() bool {
	if e.Path == opToken.Path {
		return false
	}
	for _, p := range e.Problems {
		switch e.Status {
		case http.StatusUnauthorized:
			if p.Code == CodeInvalidAuthorizationToken || p.Code == CodeInvalidToken || p.Code == CodeAccessDenied {
				return true
			}
		case http.StatusForbidden:
			text := strings.ToLower(p.Title + " " + p.Detail)
			if p.Code == CodeAccessDenied && !strings.Contains(text, "scope") || strings.Contains(text, "token") && strings.Contains(text, "expired") {
				return true
			}
		}
	}
	return false
}
