package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// result is what came of one attempt.
type result struct {
	err        error      // what the caller gets if this is the end; nil for success
	api        *Error     // err, if the API answered
	unanswered *SendError // err, if it did not
	outcome    Outcome
	permanent  bool // it will be the same however often it is tried
	partial    bool // some of the answer was handed to the caller
	rejected   bool // the access token was refused, and the call is sent again with another
	wait       time.Duration

	grant *grant   // what the attempt was authorised with, and
	req   *Request // what it sent: servers echo both

	event Attempt // for observers
	ctx   context.Context
}

// attempt sends a call once, and reads the answer.
func (c *Client) attempt(ctx context.Context, req *Request, u *url.URL, out any, o *call, g *grant, number int, wait time.Duration) (r result) {
	o.forget()
	r.grant, r.req = g, req
	if len(c.observers) > 0 {
		r.event = Attempt{Operation: req.op, Number: number, Wait: wait}
		ctx = c.observeStart(ctx, r.event)
		r.ctx = ctx
		start := time.Now()
		defer func() { r.event.Duration = time.Since(start) }()
	}
	if o.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.timeout)
		defer cancel()
	}
	own := ctx // without the cause with which t ends an attempt
	ctx, t := follow(ctx)
	defer t.end(nil)
	h, err := c.request(ctx, req, u, o, g)
	if err != nil {
		r.err, r.outcome, r.permanent = err, OutcomeNeverSent, true
		return r
	}
	if err := ContextError(own); err != nil { // net/http does not send it then, and leaves no trail of that
		if h.Body != nil {
			_ = h.Body.Close()
		}
		t.over = true
		r.lost(req.op, o, err, t)
		return r
	}
	sender := c.http
	if o.safety > SafetyIdempotent {
		sender = c.single
	}
	t.careful = c.plain && onlyUnwritten(h)
	res, err := sender.Do(h)
	if h.Body != nil {
		_ = h.Body.Close()
	}
	if t.wrote.Load() > 2 && !c.warned.Swap(true) {
		c.warn(ctx, "the HTTP client repeats requests by itself, whatever their safety class: turn that off", req.op)
	}
	if err != nil {
		r.lost(req.op, o, t.cause(own, err), t)
		return r
	}
	defer func() { _ = res.Body.Close() }()
	uncover(res)
	c.answered(own, req, res, out, o, g, &r)
	return r
}

// answered makes the result of an attempt that the API answered.
func (c *Client) answered(ctx context.Context, req *Request, res *http.Response, out any, o *call, g *grant, r *result) {
	r.event.Status = res.StatusCode
	o.keep(res, r)
	defer o.keepTrailer(res, r)
	if success(res.StatusCode) {
		if g.held != nil && !g.held.worked.Load() {
			g.held.worked.Store(true)
		}
		c.read(ctx, req.op, o, res, out, r)
		var unread *DecodeError
		if r.err != nil && errors.As(r.err, &unread) {
			unread.conceal(r.secrets())
		}
		return
	}
	text := c.errorBody(res, o)
	r.api = newError(req.op, o.safety, res, text, r.secrets()...)
	if g.held != nil && !g.held.worked.Load() && !r.api.tokenRejected() && res.StatusCode != http.StatusUnauthorized {
		g.held.worked.Store(true)
	}
	o.keepBody(string(r.api.Body))
	r.err, r.outcome = r.api, OutcomeRefused
	if !r.api.rule().Unexecuted {
		r.outcome = OutcomeUnknown
	}
	r.event.RetryAfter, r.event.CorrelationID = r.api.RetryAfter, r.api.CorrelationID
}

// secrets returns what must not be kept of an answer.
func (r *result) secrets() []string {
	return append(r.grant.secrets(), r.req.secrets...)
}

// lost makes the result of an attempt without an answer, or with half of one.
func (r *result) lost(op *Operation, o *call, err error, t *trail) {
	r.outcome, r.permanent = classify(err, t)
	r.unanswered = &SendError{
		Operation: op.ID, Method: op.Method, Path: op.Path, Safety: o.safety, Sent: r.outcome != OutcomeNeverSent, Err: scrubError(t.proxied(err), r.secrets()),
	}
	r.err = r.unanswered
	o.forget()
}

// Values of headers that all calls share. They are not changed by anyone.
var (
	acceptJSON = []string{"application/json"}
	acceptGzip = []string{"gzip"}
	version3   = []string{"3.0"}
)

// request makes the HTTP request of one attempt.
func (c *Client) request(ctx context.Context, req *Request, u *url.URL, o *call, g *grant) (*http.Request, error) {
	body, size, err := req.body.open(ctx)
	if err != nil {
		return nil, fmt.Errorf("basiq: %s: %w", req.op.ID, withoutOthers(err))
	}
	header := make(http.Header, 8)
	header["Accept"] = acceptJSON
	if req.op.Accept != "" {
		header["Accept"] = []string{req.op.Accept}
	}
	header["User-Agent"] = c.userAgent
	header["Accept-Encoding"] = acceptGzip
	if o.scope == ScopeKey {
		header["Basiq-Version"] = version3
	}
	for name, values := range req.header {
		header[name] = values
	}
	for name, values := range o.header {
		header[name] = values
	}
	if g.header != nil {
		header["Authorization"] = g.header
	}
	h := (&http.Request{
		Method: req.op.Method, URL: u, Host: u.Host, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	once := o.safety > SafetyIdempotent && replayed(h.Method)
	if body == nil && once {
		h.Body = emptyBody{}
	}
	if body != nil {
		h.Body, h.ContentLength = body, size
		if header["Content-Type"] == nil {
			header["Content-Type"] = []string{req.body.contentType}
		}
		if req.body.segments == nil && !once {
			// net/http then sends the body again on another connection when
			// it wrote nothing on the first.
			h.GetBody = func() (io.ReadCloser, error) {
				again, _, err := req.body.open(ctx)
				return again, err
			}
		}
	}
	return h, nil
}

// replayed reports whether net/http takes the method as permission to send a
// request once more when its connection ends, if it can read the body again.
func replayed(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// emptyBody is an empty body that net/http cannot know to be empty, and so does
// not send again by itself.
type emptyBody struct{}

func (emptyBody) Read([]byte) (int, error) { return 0, io.EOF }
func (emptyBody) Close() error             { return nil }

// keep hands an answer to whoever asked for it.
func (o *call) keep(res *http.Response, r *result) {
	if len(o.responses) == 0 {
		return
	}
	shown := presentable(res, r.secrets())
	for _, to := range o.responses {
		*to = shown
	}
}

// forget takes back what keep handed out.
func (o *call) forget() {
	for _, to := range o.responses {
		*to = nil
	}
}

// keepTrailer adds what came after the body to the answer that was handed out.
func (o *call) keepTrailer(res *http.Response, r *result) {
	for _, to := range o.responses {
		if *to != nil {
			(*to).Trailer = scrubHeader(res.Trailer, r.secrets())
		}
	}
}

// keepBody makes a text the body of the answer that was handed out.
func (o *call) keepBody(text string) {
	for _, to := range o.responses {
		(*to).Body = io.NopCloser(strings.NewReader(text))
	}
}

// presentable is the answer as it may be handed out: without credentials.
func presentable(res *http.Response, secrets []string) *http.Response {
	out := *res
	out.Body = http.NoBody
	out.Status = oneLine(scrub(res.Status, secrets...))
	out.Header, out.Trailer = scrubHeader(res.Header, secrets), nil
	if res.Request != nil {
		sent := *res.Request
		sent.Header = res.Request.Header.Clone()
		sent.Header.Del("Authorization")
		sent.Body, sent.GetBody = nil, nil
		out.Request = &sent
	}
	return &out
}
