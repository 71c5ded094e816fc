package transport

import (
	"net/http"
	"strings"
	"time"

	"github.com/basiq-sdk/basiq-go/transport/value"
)

// maxErrorBody limits the part of an error response's body that is kept.
const maxErrorBody = 64 << 10

// newError returns the error of a response, whatever its body is: a list of problems, a
// flat object, the message of a gateway, HTML or nothing. credentials are redacted,
// because some servers echo them.
func newError(op *Operation, safety Safety, res *http.Response, text string, credentials ...string) *Error {
	text = strings.ToValidUTF8(redact(text[:min(len(text), maxErrorBody)], credentials...), "�")
	clean := func(text string) string { return redact(text, credentials...) } // decoding may reveal a credential that was escaped in the body
	e := &Error{
		Operation: op.ID, Method: op.Method, Path: op.Path, Status: res.StatusCode, Safety: safety,
		Body: []byte(text), RetryAfter: retryAfter(res.Header, time.Now()),
	}
	doc, err := value.ParseJSON(strings.TrimPrefix(text, "\ufeff"))
	if err != nil { // perhaps JSON that was cut off
		e.Body = []byte(redactCut(text, credentials...))
		return e
	}
	e.CorrelationID = clean(textOf(doc, "correlationId"))
	items := []value.JSON{doc}
	for _, name := range []string{"data", "errors"} {
		switch list, _ := doc.Get(name); list.Kind() {
		case value.KindArray:
			items = list.Items()
		case value.KindObject: // some responses contain one object instead of a list
			items = []value.JSON{list}
		}
	}
	if doc.Kind() == value.KindArray {
		items = doc.Items()
	}
	const most = 64 // hostile responses may contain more
	for _, item := range items[:min(len(items), most)] {
		if p := newProblem(item, clean); p != (Problem{}) {
			e.Problems = append(e.Problems, p)
		}
	}
	return e
}

// newProblem returns the problem that item describes; clean redacts its texts.
func newProblem(item value.JSON, clean func(string) string) Problem {
	p := Problem{
		Code:   clean(first(item, "code")),
		Title:  clean(first(item, "title")),
		Detail: clean(first(item, "detail", "details", "message", "Message", "error_description")),
	}
	// Gateways put a code such as invalid_request, or a sentence, into "error".
	if text := clean(textOf(item, "error")); p.Code == "" && codeLike(text) {
		p.Code = text
	} else if p.Detail == "" {
		p.Detail = text
	}
	if source, ok := item.Get("source"); ok {
		p.Source = Source{Parameter: clean(textOf(source, "parameter")), Pointer: clean(textOf(source, "pointer"))}
	}
	return p
}

// first returns the text of the first member that has one.
func first(item value.JSON, names ...string) string {
	for _, name := range names {
		if text := textOf(item, name); text != "" {
			return text
		}
	}
	return ""
}

func textOf(j value.JSON, name string) string {
	v, ok := j.Get(name)
	if !ok {
		return ""
	}
	text, _ := v.Text()
	return text
}

// Codes that the API documents. It also sends others.
const (
	CodeParameterNotSupplied      = "parameter-not-supplied"
	CodeParameterNotValid         = "parameter-not-valid"
	CodePathParameterNotValid     = "path-parameter-not-valid"
	CodeUnsupportedAccept         = "unsupported-accept"
	CodeInvalidContent            = "invalid-content"
	CodeInstitutionNotSupported   = "institution-not-supported"
	CodeInvalidCredentials        = "invalid-credentials"
	CodeEventAlreadySubscribed    = "event-already-subscribed"
	CodeNoWebhooksFound           = "no-webhooks-found"
	CodeUnauthorizedAccess        = "unauthorized-access"
	CodeInvalidAuthorizationToken = "invalid-authorization-token"
	CodeInvalidToken              = "invalid-token"
	CodeUnauthorized              = "unauthorized"
	CodeForbiddenAccess           = "forbidden-access"
	CodeNoProductionAccess        = "no-production-access"
	CodeAccessDenied              = "access-denied"
	CodeTooManySandboxConnections = "too-many-sandbox-connections"
	CodeResourceNotFound          = "resource-not-found"
	CodeResourceAlreadyExists     = "resource-already-exists"
	CodeResourceNoLongerAvailable = "resource-no-longer-available"
	CodeTooManyRequests           = "too-many-requests"
	CodeInternalServerError       = "internal-server-error"
	CodeServiceUnavailable        = "service-unavailable"
	CodeMaintenance               = "maintenance-error"
)

// Advice returns one or two sentences on what to do about the error, or "" if there is
// no advice beyond the code.
func (e *Error) Advice() string {
	if e == nil {
		return ""
	}
	if e.tokenRejected() {
		return "The API rejected the access token, and then a new one. Check that the API key is still enabled, and that this machine's clock is correct."
	}
	if e.Path == opToken.Path && e.routeUnknown() {
		return "The base URL leads to an API, but not to where it issues tokens. Check the path of the base URL."
	}
	if e.keyUnknown() { // checked first, because the code says that a parameter is not valid
		return "No application has this API key. Check that it was copied completely, was not deleted, and belongs to this environment."
	}
	if e.Path != opToken.Path && e.noActiveConsent() { // checked first, because the code says that something else is wrong
		return "The user's consent was revoked or has expired, and their data is being deleted. Ask the user for consent again."
	}
	for _, p := range e.Problems {
		if text := adviceOf(p.Code); text != "" {
			return text
		}
	}
	switch e.Status {
	case http.StatusUnauthorized:
		return "The credential does not allow this call. A CLIENT_ACCESS token is valid for its own user only."
	case http.StatusForbidden:
		return "The application is not allowed to do this. Check what the API key is enabled for in Basiq's dashboard."
	case http.StatusNotFound:
		return "Nothing with this ID exists in the application to which the API key belongs. IDs of other applications are not found either."
	case http.StatusGone:
		return "The resource behind the link has expired. Create a new one."
	case http.StatusRequestEntityTooLarge:
		return "The file is too large. Split it, or send fewer pages."
	case http.StatusTooManyRequests:
		return "The rate limit was exceeded. Wait, and spread the calls over time."
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout, 520, 521, 522, 523, 524, 525, 526, 527, 528, 529:
		return "The API is currently unavailable. Basiq recommends waiting about five minutes before you call again."
	}
	if e.Status >= 300 && e.Status <= 399 {
		return "Something between here and the API redirects the calls. Check the base URL."
	}
	return ""
}

//go:noinline
func adviceOf(code string) string {
	switch code {
	case CodeParameterNotSupplied:
		return "A required value is missing. Source names it."
	case CodeParameterNotValid, CodePathParameterNotValid:
		return "A value is not valid. Source names it. For a filter, check its field names."
	case CodeUnsupportedAccept:
		return "The API cannot produce the media type in the Accept header. Do not override that header."
	case CodeInvalidContent:
		return "The body is not valid for this operation."
	case CodeInstitutionNotSupported:
		return "The institution is not supported. List the connectors to see the supported ones."
	case CodeInvalidCredentials:
		return "The bank rejected the login: the credentials are wrong, the login is locked, or the bank needs an answer from the user. Send the user to the Consent UI. Do not retry with the same credentials."
	case CodeEventAlreadySubscribed:
		return "The webhook already subscribes to this event. Remove the event, or update the webhook."
	case CodeNoWebhooksFound:
		return "There is no webhook. Create one first."
	case CodeUnauthorizedAccess:
		return "The token belongs to another user. Use the token of the user whose data is requested."
	case CodeForbiddenAccess:
		return "The token has the wrong scope for this call. MFA responses need CLIENT_ACCESS, all other calls SERVER_ACCESS."
	case CodeNoProductionAccess:
		return "The API key is not enabled for live data. Ask Basiq to enable it, or use the sandbox institutions."
	case CodeTooManySandboxConnections:
		return "The sandbox allows 500 connections per application. Delete some."
	case CodeResourceAlreadyExists:
		return "The resource already exists. Use or update it."
	case CodeResourceNoLongerAvailable:
		return "The resource behind the link has expired. Create a new one."
	case CodeTooManyRequests:
		return "The rate limit was exceeded. Wait, and spread the calls over time."
	case CodeInternalServerError:
		return "Basiq had an internal error. Call again later. If the error persists, send the correlation ID to Basiq's support."
	case CodeServiceUnavailable, CodeMaintenance:
		return "The API is currently unavailable. Basiq recommends waiting about five minutes before you call again."
	}
	return ""
}
