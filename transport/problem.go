package transport

import (
	"net/http"
	"strings"
	"time"

	"github.com/basiq-sdk/basiq-go/transport/value"
)

// maxErrorBody bounds what is kept of the body of an answer that is no success.
const maxErrorBody = 64 << 10

// newError makes the error of an answer. Whatever the body is (a list of
// problems, a flat object, a gateway's message, HTML, nothing), there is one.
// credentials are taken out of the body: some servers echo them.
func newError(op *Operation, safety Safety, res *http.Response, text string, credentials ...string) *Error {
	text = strings.ToValidUTF8(scrub(text[:min(len(text), maxErrorBody)], credentials...), "�")
	told := func(text string) string { return scrub(text, credentials...) } // what was decoded is another text than what came
	e := &Error{
		Operation: op.ID, Method: op.Method, Path: op.Path, Status: res.StatusCode, Safety: safety,
		Body: []byte(text), RetryAfter: retryAfter(res.Header, time.Now()),
	}
	doc, err := value.ParseJSON(strings.TrimPrefix(text, "\ufeff"))
	if err != nil { // it may be JSON that was cut off
		e.Body = []byte(scrubCut(text, credentials...))
		return e
	}
	e.CorrelationID = told(textOf(doc, "correlationId"))
	items := []value.JSON{doc}
	for _, name := range []string{"data", "errors"} {
		switch list, _ := doc.Get(name); list.Kind() {
		case value.KindArray:
			items = list.Items()
		case value.KindObject: // a list of one, now and then
			items = []value.JSON{list}
		}
	}
	if doc.Kind() == value.KindArray {
		items = doc.Items()
	}
	const most = 64 // of a hostile answer
	for _, item := range items[:min(len(items), most)] {
		if p := newProblem(item, told); p != (Problem{}) {
			e.Problems = append(e.Problems, p)
		}
	}
	return e
}

// newProblem reads a problem; told takes out of a text what must not be kept.
func newProblem(item value.JSON, told func(string) string) Problem {
	p := Problem{
		Code:   told(first(item, "code")),
		Title:  told(first(item, "title")),
		Detail: told(first(item, "detail", "details", "message", "Message", "error_description")),
	}
	// A gateway's error is a code (invalid_request) or a sentence.
	if text := told(textOf(item, "error")); p.Code == "" && codeLike(text) {
		p.Code = text
	} else if p.Detail == "" {
		p.Detail = text
	}
	if source, ok := item.Get("source"); ok {
		p.Source = Source{Parameter: told(textOf(source, "parameter")), Pointer: told(textOf(source, "pointer"))}
	}
	return p
}

// first returns the first member with a text.
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

// Codes that the API documents. It sends others too.
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

// Advice returns what to do about the failure, in one or two sentences, or ""
// when there is nothing more to say than the code does.
func (e *Error) Advice() string {
	if e == nil {
		return ""
	}
	if e.tokenRejected() {
		return "The access token was refused twice, the second time a fresh one. Check that the API key is still enabled, and that this machine's clock is right."
	}
	if e.keyUnknown() { // its code says that a parameter is not valid
		return "No application has this API key. Check that it was copied whole, was not deleted, and belongs to this environment."
	}
	for _, p := range e.Problems {
		if text := adviceOf(p.Code); text != "" {
			return text
		}
	}
	switch e.Status {
	case http.StatusUnauthorized:
		return "The credential does not allow this call. A CLIENT_ACCESS token works for its own user only."
	case http.StatusForbidden:
		return "The application is not allowed to do this. Check what the API key is enabled for in Basiq's dashboard."
	case http.StatusNotFound:
		return "Nothing with this ID exists in the application that the API key belongs to. IDs of another application are not found either."
	case http.StatusGone:
		return "What the link led to has expired. Make a new one."
	case http.StatusRequestEntityTooLarge:
		return "The file is too large. Split it, or send fewer pages."
	case http.StatusTooManyRequests:
		return "Too many calls in too short a time. Wait, and spread calls out."
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout, 520, 521, 522, 523, 524, 525, 526, 527, 528, 529:
		return "The API is not available now. Basiq advises to wait about five minutes before calling again."
	}
	if e.Status >= 300 && e.Status <= 399 {
		return "Something between here and the API redirects calls. Check the base URL."
	}
	return ""
}

func adviceOf(code string) string {
	switch code {
	case CodeParameterNotSupplied:
		return "A required value is missing. Source names it."
	case CodeParameterNotValid, CodePathParameterNotValid:
		return "A value has the wrong form. Source names it; for a filter, check the names of its fields."
	case CodeUnsupportedAccept:
		return "The API cannot answer in the form that the Accept header asks for. Do not override that header."
	case CodeInvalidContent:
		return "The body is not what the operation expects."
	case CodeInstitutionNotSupported:
		return "The institution cannot be connected. List the connectors to see which can be."
	case CodeInvalidCredentials:
		return "The bank refused the login: it is wrong, locked, or needs an answer from the user. Send the user to the Consent UI; do not try the same login again."
	case CodeEventAlreadySubscribed:
		return "The webhook has this event already. Leave it out, or update the webhook."
	case CodeNoWebhooksFound:
		return "There is no webhook to send to. Create one first."
	case CodeUnauthorizedAccess:
		return "The token belongs to another user. Make the call with the token of the user whose data is asked for."
	case CodeForbiddenAccess:
		return "The token has the wrong scope for this call. Answers to a bank's questions need CLIENT_ACCESS, everything else SERVER_ACCESS."
	case CodeNoProductionAccess:
		return "The API key is not enabled for live data. Ask Basiq to enable it, or use the sandbox's institutions."
	case CodeTooManySandboxConnections:
		return "The sandbox holds 500 connections per application. Delete some."
	case CodeResourceAlreadyExists:
		return "There is one already. Use or update that one."
	case CodeResourceNoLongerAvailable:
		return "What the link led to has expired. Make a new one."
	case CodeTooManyRequests:
		return "Too many calls in too short a time. Wait, and spread calls out."
	case CodeInternalServerError:
		return "Basiq failed. Call again later; if it goes on, give the correlation id to Basiq's support."
	case CodeServiceUnavailable, CodeMaintenance:
		return "The API is not available now. Basiq advises to wait about five minutes before calling again."
	}
	return ""
}
