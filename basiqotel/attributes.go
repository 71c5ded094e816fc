package basiqotel

import (
	"context"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/basiq-sdk/basiq-go/transport"
)

// Attributes that the semantic conventions do not have.
const (
	operationKey   = attribute.Key("basiq.operation") // "core.Users.Create"
	safetyKey      = attribute.Key("basiq.safety")    // class: "A" to "D"
	outcomeKey     = attribute.Key("basiq.outcome")   // transport.Outcome
	attemptsKey    = attribute.Key("basiq.attempts")
	waitReasonKey  = attribute.Key("basiq.wait.reason") // "retry", "throttle" or "token"
	correlationKey = attribute.Key("basiq.correlation_id")
	workflowKey    = attribute.Key("basiq.workflow") // "WaitForJob"
	jobIDKey       = attribute.Key("basiq.job.id")
	pollsKey       = attribute.Key("basiq.job.polls")
	batchesKey     = attribute.Key("basiq.sync.batches")
	changesKey     = attribute.Key("basiq.sync.changes")
	stoppedKey     = attribute.Key("basiq.workflow.stopped")
	linkKey        = attribute.Key("basiq.link") // "started by" or "waited for"
	driftKindKey   = attribute.Key("basiq.drift.kind")
	storeStepKey   = attribute.Key("basiq.token_store.step") // "load", "lock" or "save"
)

// tokenID is the ID of the operation of token requests.
const tokenID = "token"

// Values of error.type, in addition to status codes and the codes of jobs.
const (
	errorCanceled  = "canceled"   // the caller canceled the context
	errorTimeout   = "timeout"    // a deadline or timeout has passed
	errorThrottled = "throttled"  // not sent, because the API is rate limiting
	errorToken     = "token"      // there is no access token
	errorInvalid   = "invalid"    // refused before anything was sent
	errorClosed    = "closed"     // the client is closed
	errorNotSent   = "not_sent"   // DNS, TCP or TLS failed
	errorLost      = "lost"       // there was no complete response
	errorDecode    = "decode"     // the response cannot be decoded
	errorTooLarge  = "too_large"  // the response is too large
	errorNoContent = "no_content" // the response has no content
	errorOther     = "_OTHER"     // of the conventions
)

// errorType returns the error.type for the error of a call or attempt, which has a low
// cardinality.
func errorType(status int, outcome transport.Outcome, err error) string {
	var (
		throttled *transport.ThrottledError
		send      *transport.SendError
	)
	switch {
	case status >= 400:
		return strconv.Itoa(status)
	case errors.As(err, &throttled):
		return errorThrottled
	case errors.Is(err, context.Canceled):
		return errorCanceled
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, transport.ErrTokenTimeout):
		return errorTimeout
	case errors.Is(err, transport.ErrClosed):
		return errorClosed
	case errors.As(err, new(*transport.TokenError)):
		return errorToken
	case errors.Is(err, transport.ErrTooLarge):
		return errorTooLarge
	case errors.Is(err, transport.ErrNoContent):
		return errorNoContent
	case errors.As(err, new(*transport.DecodeError)):
		return errorDecode
	case errors.As(err, &send) && send.Sent:
		return errorLost
	case send != nil:
		return errorNotSent
	case outcome == transport.OutcomeNeverSent:
		return errorInvalid
	}
	return errorOther
}

// workflowErrorType returns the error.type for the error of a workflow: the code of a job,
// or what errorType returns for the call that failed.
func workflowErrorType(w transport.Workflow) string {
	if w.Code != "" {
		return w.Code
	}
	kind := errorType(0, transport.OutcomeUnknown, w.Err)
	var api *transport.Error
	if kind == errorOther && errors.As(w.Err, &api) {
		return strconv.Itoa(api.Status)
	}
	return kind
}

// wait is a wait of a call.
type wait struct {
	reason string
	time   time.Duration
}

// waitsOf returns the waits of a call that took time.
func waitsOf(c transport.Call) []wait {
	var waits []wait
	for _, w := range []wait{{"retry", c.Wait - c.Throttled}, {"throttle", c.Throttled}, {"token", c.TokenWait}} {
		if w.time > 0 {
			waits = append(waits, w)
		}
	}
	return waits
}

// identifier reports whether a text looks like an ID. Others may contain anything.
func identifier(s string) bool {
	for _, c := range s {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_') {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

// server is the part of the attributes that depends on the base URL.
type server struct {
	base, origin, path, address string
	port                        int
}

// servers caches the server of the last base URL: nearly always, there is only one.
type servers struct{ last atomic.Pointer[server] }

func (s *servers) of(base string) *server {
	if last := s.last.Load(); last != nil && last.base == base {
		return last
	}
	u, err := url.Parse(base)
	if err != nil { // the client has parsed it
		u = &url.URL{}
	}
	found := &server{base: base, origin: u.Scheme + "://" + u.Host, path: u.EscapedPath(), address: u.Hostname(), port: 443}
	if u.Scheme == "http" {
		found.port = 80
	}
	if port, err := strconv.Atoi(u.Port()); err == nil {
		found.port = port
	}
	s.last.Store(found)
	return found
}

// attributes returns those that spans and metrics of attempts share.
func (s *server) attributes(op *transport.Operation) []attribute.KeyValue {
	return append(make([]attribute.KeyValue, 0, 10),
		semconv.HTTPRequestMethodKey.String(op.Method), semconv.URLTemplate(s.path+op.Path),
		semconv.ServerAddress(s.address), semconv.ServerPort(s.port))
}

// redacted returns the URL for a path template, with REDACTED in place of every parameter.
func (s *server) redacted(template string) string {
	segments := strings.Split(template, "/")
	for i, segment := range segments {
		if strings.ContainsAny(segment, "{…") {
			segments[i] = "REDACTED"
		}
	}
	return s.origin + s.path + strings.Join(segments, "/")
}
