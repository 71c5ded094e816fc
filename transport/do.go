package transport

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/basiq-sdk/basiq-go/internal/contexts"
)

// Do sends a call and decodes the response body into out. out is one of:
//   - nil, to discard the body
//   - a generated type ([wire.Value]), or any value that encoding/json can decode into
//   - [*value.JSON], *json.RawMessage or *[]byte, for the body as it was received
//   - an io.Writer, to which the body is streamed
//   - a [*ByStatus], if it depends on the status of the response
//
// Do returns:
//   - an [*Error] if the API responds with any status but success
//   - a [*SendError] if there is no response
//   - a [*TokenError] if there is no access token for the call
//   - [ErrNoContent] if the response has no body, and out is not nil
//   - [ErrTooLarge] or a [*DecodeError] if the response cannot be read
//   - a [*PathError], a [*MissingError], a [*RangeError] or [ErrClosed], before
//     anything is sent
func (c *Client) Do(ctx context.Context, req *Request, out any, opts ...Option) error {
	if err := c.ready(ctx, req.name()); err != nil {
		return err
	}
	if err := req.checkCreated(); err != nil {
		return err
	}
	o, err := c.prepare(req, out, opts)
	if err != nil {
		return c.refuse(ctx, req.op, err)
	}
	return c.run(ctx, req, req.address(o), out, o)
}

// prepare returns the settings and options of a call, or an error if the call must not
// be sent.
func (c *Client) prepare(req *Request, out any, opts []Option) (*call, error) {
	if nilPointer(out) {
		return nil, fmt.Errorf("basiq: %s: the response cannot be decoded into a nil %T: pass a pointer to a value, or nil to discard the response", req.op.ID, out)
	}
	if part := nilEmbedded[json.Unmarshaler](out); part != nil && !callable(func() { decodeEmpty(out) }) {
		return nil, fmt.Errorf("basiq: %s: the response cannot be decoded into a %T: the %s that it embeds is nil: set it", req.op.ID, out, part)
	}
	o, err := c.callOf(req, opts)
	if err != nil {
		return nil, err
	}
	return o, req.err
}

// address returns the URL of the request.
func (r *Request) address(o *call) *url.URL {
	u := *o.base
	u.Path += r.plain
	if u.RawPath != "" || r.path != r.plain {
		u.RawPath = o.base.EscapedPath() + r.path
	}
	u.RawQuery = r.rawQuery
	if query := encodeQuery(o.query); query != "" {
		if u.RawQuery != "" {
			u.RawQuery += "&"
		}
		u.RawQuery += query
	}
	return &u
}

// run sends a call until it succeeds, fails for good, or must not be retried.
func (c *Client) run(ctx context.Context, req *Request, u *url.URL, out any, o *call) error {
	e := execution{client: c, req: req, op: req.op, url: u, out: out, call: o}
	e.by, _ = out.(*ByStatus)
	if c.watched.calls {
		return e.runObserved(ctx)
	}
	return e.run(ctx)
}

// execution is one call and its attempts.
type execution struct {
	client *Client
	req    *Request
	op     *Operation
	url    *url.URL
	out    any
	by     *ByStatus // out, if it depends on the status
	call   *call

	attempts  int             // sent so far
	waits     []time.Duration // between them
	retries   int             // attempts that the RetryPolicy counts: not those with a new access token
	budgeted  bool            // the next attempt took a token from the retry budget
	taken     int             // tokens taken from the retry budget
	refreshed bool            // the access token was replaced
	unknown   bool            // an attempt for which a retry was due may have been executed
	earlier   *Error          // the last error of the API for which a retry was due
	last      result          // of the last attempt

	// For observers.
	open      bool          // an attempt was started and has not ended
	waited    time.Duration // retry delays, and time in the queues of the throttle and the retry budget
	throttled time.Duration // the part of waited that was spent in the throttle's queue
	token     tokenWait
}

// run sends attempts until the call has ended, and returns the call's error.
func (e *execution) run(ctx context.Context) error {
	c := e.client
	if c.closed.Load() {
		return ErrClosed
	}
	if limit := e.call.callTimeout; limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	for {
		cred, queued, err := e.admit(ctx)
		if err != nil {
			return err
		}
		e.attempt(ctx, cred, queued)
		c.budget.settle(e.budgeted, e.last.answered(), e.taken)
		c.throttle.observe(e.op, e.call.safety, &e.last)
		if e.last.err == nil {
			if cred.held != nil {
				cred.held.allow(e.op)
			}
			e.observe(false)
			return nil
		}
		retry, stop := e.shouldRetry(ctx)
		e.observe(retry)
		if !retry {
			return e.finalError(stop)
		}
		e.unknown = e.unknown || e.last.outcome == OutcomeUnknown
		if e.last.api != nil {
			e.earlier = e.last.api
		}
		if !e.last.rejected {
			e.retries++
		}
		start := time.Now()
		err = contexts.Sleep(ctx, e.last.wait)
		e.waited += time.Since(start)
		if err != nil {
			return e.finalError(fmt.Errorf("the wait before the retry was interrupted: %w", err))
		}
		e.waits = append(e.waits, e.last.wait)
	}
}

// admit waits until the next attempt may be sent: for the throttle, the access
// token and the retry budget. It returns the credential and how long the attempt
// was queued, or the call's error if the attempt must not be sent.
func (e *execution) admit(ctx context.Context) (*credential, time.Duration, error) {
	c, o := e.client, e.call
	queued, err := c.throttle.pass(ctx, e.op, o.safety)
	e.throttled += queued
	e.waited += queued
	switch {
	case err != nil && e.attempts == 0:
		return nil, 0, notSent(e.req, o, err)
	case err != nil:
		return nil, 0, e.finalError(err)
	}
	cred, err := c.authorize(ctx, e.req, o, &e.token)
	e.token.link(ctx, c)
	if err != nil {
		o.clearResponse()
		if e.outcomeUnknown() { // the outcome of the earlier attempt matters more
			err = e.finalError(err)
		}
		return nil, 0, err
	}
	e.budgeted = e.retries > 0 && !e.last.rejected && !c.throttle.limits(o.safety, &e.last)
	if e.budgeted {
		wait, err := c.budget.take(ctx, o.policy)
		e.waited += wait
		if err != nil {
			return nil, 0, e.finalError(err)
		}
		queued += wait
		e.taken++
	}
	return cred, queued, nil
}

// shouldRetry decides whether a call whose last attempt failed is retried, and
// after which wait. If something other than that failure prevents the retry, stop
// says what.
func (e *execution) shouldRetry(ctx context.Context) (retry bool, stop error) {
	c, o, r := e.client, e.call, &e.last
	if r.partial {
		return false, nil // a part of the response was handed out
	}
	if err := ContextError(ctx); err != nil { // the caller no longer waits
		if retryable(o.safety, r) && !errors.Is(r.err, ctx.Err()) {
			return false, err
		}
		return false, nil
	}
	if held := r.credential.held; held != nil && r.api != nil && (r.api.tokenRejected() || r.api.unexplained()) {
		return e.shouldReplaceToken(held)
	}
	if !retryable(o.safety, r) || e.retries+1 >= o.policy.MaxAttempts {
		return false, nil
	}
	if !e.req.body.rewindable() {
		return false, errNotRewindable
	}
	r.wait = o.policy.delay(e.retries + 1)
	if r.api != nil {
		if r.api.RetryAfter > o.policy.MaxRetryAfter {
			return false, fmt.Errorf("the API asked for a wait longer than the maximum of %s", o.policy.MaxRetryAfter)
		}
		r.wait = max(r.wait, r.api.RetryAfter)
	}
	if !fitsDeadline(ctx, r.wait) {
		return false, fmt.Errorf("no time is left for a wait of %s before the deadline: %w", r.wait.Round(time.Millisecond), context.DeadlineExceeded)
	}
	if !c.throttle.limits(o.safety, r) && c.budget.spent() {
		return false, ErrRetryBudget
	}
	return true, nil
}

// shouldReplaceToken decides whether a call whose access token was rejected is
// sent again with a new one. That happens once in a call.
func (e *execution) shouldReplaceToken(held *heldToken) (retry bool, stop error) {
	if e.refreshed {
		held.deny(e.op)
		return false, nil
	}
	if held.deniedBy(e.op) || !e.client.tokens.reject(e.last.credential.key, held) {
		return false, nil
	}
	e.refreshed, e.last.rejected = true, true
	if !e.req.body.rewindable() {
		return false, errNotRewindable
	}
	return true, nil
}

// outcomeUnknown reports whether a call that changes something may have been
// executed by an attempt for which a retry was due.
func (e *execution) outcomeUnknown() bool {
	return e.unknown && e.call.safety != SafetyRead
}

// finalError returns the call's error: that of the last attempt, with the history
// of the call. stop is what prevented a retry, if anything did.
func (e *execution) finalError(stop error) error {
	r, unknown := &e.last, e.outcomeUnknown()
	switch {
	case r.api != nil:
		r.api.Attempts, r.api.Waits, r.api.EarlierUnknown, r.api.stop = e.attempts, e.waits, unknown, stop
	case r.unanswered != nil:
		r.unanswered.Attempts, r.unanswered.Waits, r.unanswered.EarlierUnknown, r.unanswered.stop = e.attempts, e.waits, unknown, stop
		if errors.Is(r.unanswered.Err, context.DeadlineExceeded) || errors.Is(r.unanswered.Err, context.Canceled) {
			r.unanswered.earlier = e.earlier
		}
	case unknown && r.outcome == OutcomeNeverSent: // this attempt; an earlier one may have been sent
		return fmt.Errorf("%w; before that: %w", r.err, ErrOutcomeUnknown)
	}
	return r.err
}

// success reports whether a status means success.
func success(status int) bool { return status >= http.StatusOK && status <= 299 }
