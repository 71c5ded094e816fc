package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/basiq-sdk/basiq-go/internal/safetext"
	"github.com/basiq-sdk/basiq-go/internal/sdkerrors"
)

// result is the result of one attempt.
type result struct {
	err        error      // the call's error if there is no retry; nil for success
	api        *Error     // err, if the API responded
	unanswered *SendError // err, if there was no response
	outcome    Outcome
	permanent  bool          // a retry would fail in the same way
	partial    bool          // a part of the response was handed to the caller
	rejected   bool          // the access token was rejected, and the call is sent again with a new one
	wait       time.Duration // before the next attempt, if there is one

	credential *credential

	event Attempt // for observers
	ctx   context.Context
}

// attempt sends the call once and reads the response. The attempt was queued for
// that long before.
func (e *execution) attempt(ctx context.Context, cred *credential, queued time.Duration) {
	c, o, wait := e.client, e.call, e.last.wait+queued
	o.clearResponse()
	e.attempts++
	e.last = result{credential: cred}
	r := &e.last
	if c.watched.attempts {
		r.event = Attempt{Operation: e.op, BaseURL: o.address, Number: e.attempts, Wait: wait}
		ctx, e.open = c.startAttempt(ctx, r.event), true
		start := time.Now()
		defer func() { r.event.Duration = time.Since(start) }()
	}
	r.ctx = ctx
	if o.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.timeout)
		defer cancel()
	}
	own := ctx // without the cause with which the trace ends an attempt
	ctx, trace := traceAttempt(ctx)
	defer trace.end(nil)
	h, err := e.request(ctx)
	if err != nil {
		r.err, r.outcome, r.permanent = err, OutcomeNeverSent, true
		return
	}
	if err := ContextError(own); err != nil { // net/http would not send the request, and would trace nothing
		if h.Body != nil {
			_ = h.Body.Close()
		}
		trace.contextEnded = true
		e.lost(err, trace)
		return
	}
	sender := c.http
	if o.safety > SafetyIdempotent {
		sender = c.single
	}
	trace.careful = c.plain && onlyUnwritten(h)
	res, err := sender.Do(h)
	if h.Body != nil {
		_ = h.Body.Close()
	}
	if trace.wrote.Load() > 2 && !c.warned.Swap(true) {
		c.warn(ctx, "the HTTP client retries requests itself, whatever their safety class: turn off its retries", e.op)
	}
	if err != nil {
		e.lost(trace.cause(own, err), trace)
		return
	}
	defer func() { _ = res.Body.Close() }()
	restoreLocation(res)
	e.receive(own, res)
}

// receive sets the result of an attempt to which the API responded.
func (e *execution) receive(ctx context.Context, res *http.Response) {
	r, o, held := &e.last, e.call, e.last.credential.held
	r.event.Status, r.event.Proto = res.StatusCode, res.Proto
	e.storeResponse(res)
	defer e.storeTrailer(res)
	if success(res.StatusCode) {
		if held != nil && !held.worked.Load() {
			held.worked.Store(true)
		}
		e.read(ctx, res)
		var unread *DecodeError
		if r.err != nil && errors.As(r.err, &unread) {
			unread.redact(e.secrets())
		}
		return
	}
	text := errorBody(res)
	r.api = newError(e.op, o.safety, res, text, e.secrets()...)
	if held != nil && !held.worked.Load() && !r.api.tokenRejected() && res.StatusCode != http.StatusUnauthorized {
		held.worked.Store(true)
	}
	o.storeBody(string(r.api.Body))
	r.err, r.outcome = r.api, OutcomeRefused
	if !r.api.rule().Unexecuted {
		r.outcome = OutcomeUnknown
	}
	r.event.RetryAfter, r.event.CorrelationID = r.api.RetryAfter, r.api.CorrelationID
}

// secrets returns the texts that are redacted from the response: servers echo
// credentials and what was sent.
func (e *execution) secrets() []string {
	return append(e.last.credential.secrets(), e.req.secrets...)
}

// lost sets the result of an attempt without a response, or with a part of one.
func (e *execution) lost(err error, trace *attemptTrace) {
	r := &e.last
	r.outcome, r.permanent = classify(err, trace)
	r.unanswered = &SendError{
		Operation: e.op.ID, Method: e.op.Method, Path: e.op.Path, Safety: e.call.safety, Sent: r.outcome != OutcomeNeverSent,
		Err: redactError(trace.hideProxyReason(err), e.secrets()),
	}
	r.err = r.unanswered
	e.call.clearResponse()
}

// Header values that all calls share. Nothing changes them.
var (
	acceptJSON = []string{"application/json"}
	acceptGzip = []string{"gzip"}
	version3   = []string{"3.0"}
)

// request returns the HTTP request of one attempt.
func (e *execution) request(ctx context.Context) (*http.Request, error) {
	req, o := e.req, e.call
	dynamic, err := e.dynamicHeader(ctx)
	if err != nil {
		return nil, err
	}
	body, size, err := req.body.open(ctx)
	if err != nil {
		return nil, fmt.Errorf("basiq: %s: %w", req.op.ID, sdkerrors.TextOf(err))
	}
	header := make(http.Header, 8)
	header["Accept"] = acceptJSON
	if req.op.Accept != "" {
		header["Accept"] = []string{req.op.Accept}
	}
	header["User-Agent"] = e.client.userAgent
	header["Accept-Encoding"] = acceptGzip
	if o.scope == ScopeKey {
		header["Basiq-Version"] = version3
	}
	for name, values := range dynamic {
		header[name] = values
	}
	for name, values := range req.header {
		header[name] = values
	}
	if o.params != nil {
		for name, values := range o.params.header {
			if name == "Cookie" {
				addCookie(header, values[0])
				continue
			}
			header[name] = values
		}
	}
	for name, values := range o.header {
		header[name] = values
	}
	h := (&http.Request{
		Method: req.op.Method, URL: e.url, Host: e.url.Host, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	e.last.credential.apply(h)
	once := o.safety > SafetyIdempotent && netHTTPRetries(h.Method)
	if body == nil && once {
		h.Body = emptyBody{}
	}
	if body != nil {
		h.Body, h.ContentLength = body, size
		if header["Content-Type"] == nil {
			header["Content-Type"] = []string{req.body.contentType}
		}
		if req.body.segments == nil && !once {
			// With GetBody, net/http sends the body again on another connection
			// if it wrote nothing to the first.
			h.GetBody = func() (io.ReadCloser, error) {
				again, _, err := req.body.open(ctx)
				return again, err
			}
		}
	}
	return h, nil
}

// netHTTPRetries reports whether net/http itself retries requests with this method
// when the connection ends, if it can read the body again.
func netHTTPRetries(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// emptyBody is an empty body. net/http cannot know that it is empty, and therefore
// does not retry the request itself.
type emptyBody struct{}

func (emptyBody) Read([]byte) (int, error) { return 0, io.EOF }
func (emptyBody) Close() error             { return nil }

// storeResponse stores the response where WithResponse asked for it.
func (e *execution) storeResponse(res *http.Response) {
	if len(e.call.responses) == 0 {
		return
	}
	shown := redactedResponse(res, e.last.credential, e.secrets())
	e.call.response = shown
	for _, to := range e.call.responses {
		to.store(shown)
	}
}

// clearResponse undoes storeResponse.
func (o *call) clearResponse() {
	o.response = nil
	for _, to := range o.responses {
		to.store(nil)
	}
}

// storeTrailer adds the trailer to the stored response. It arrives after the body.
func (e *execution) storeTrailer(res *http.Response) {
	if shown := e.call.response; shown != nil {
		shown.Trailer = redactHeader(res.Trailer, e.secrets())
	}
}

// storeBody makes text the body of the stored response.
func (o *call) storeBody(text string) {
	if o.response != nil {
		o.response.Body = io.NopCloser(strings.NewReader(text))
	}
}

// redactedResponse returns a copy of the response without credentials.
func redactedResponse(res *http.Response, cred *credential, secrets []string) *http.Response {
	out := *res
	out.Body = http.NoBody
	out.Status = safetext.OneLine(redact(res.Status, secrets...))
	out.Header, out.Trailer = redactHeader(res.Header, secrets), nil
	if res.Request != nil {
		sent := *res.Request
		sent.Header = res.Request.Header.Clone()
		cred.withdraw(&sent)
		sent.Body, sent.GetBody = nil, nil
		out.Request = &sent
	}
	return &out
}
