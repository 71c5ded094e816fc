package transport

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"time"
)

// Do sends a call and reads its answer into out: nil to discard it, a
// generated type (wire.Decodable), *value.JSON, *json.RawMessage or *[]byte to
// have it as it came, an io.Writer to stream it, or anything that encoding/json
// can fill.
//
// It fails with an *Error when the API answers with anything but success, with
// a *SendError when it does not answer, with a *TokenError when there is no
// access token to call it with, with ErrNoContent when out wants an answer and
// there is none, with ErrTooLarge or a *DecodeError when the answer cannot be
// read, and, before anything is sent, with a *PathError, a *MissingError, a *RangeError or
// ErrClosed.
func (c *Client) Do(ctx context.Context, req *Request, out any, opts ...Option) error {
	if err := c.ready(ctx, req.name()); err != nil {
		return err
	}
	if err := req.made(); err != nil {
		return err
	}
	if v := reflect.ValueOf(out); v.Kind() == reflect.Pointer && v.IsNil() {
		return fmt.Errorf("basiq: %s: the answer cannot be read into a nil %T: give a pointer to a value, or nil to discard it", req.op.ID, out)
	}
	o, err := c.callOf(req, opts)
	if err != nil {
		return err
	}
	if req.err != nil {
		return req.err
	}
	return c.run(ctx, req, req.address(o), out, o)
}

// address is where the request goes.
func (r *Request) address(o *call) *url.URL {
	u := *o.base
	u.Path += r.plain
	if u.RawPath != "" || r.path != r.plain {
		u.RawPath = o.base.EscapedPath() + r.path
	}
	u.RawQuery = r.rawQuery
	if query := encode(o.query, false); query != "" {
		if u.RawQuery != "" {
			u.RawQuery += "&"
		}
		u.RawQuery += query
	}
	return &u
}

// run sends a call until it succeeds, cannot be helped, or may not be repeated.
func (c *Client) run(ctx context.Context, req *Request, u *url.URL, out any, o *call) error {
	if c.closed.Load() {
		return ErrClosed
	}
	if o.callTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.callTimeout)
		defer cancel()
	}
	var (
		waits     []time.Duration
		unknown   bool   // an earlier attempt may have been executed
		earlier   *Error // what the API said last
		wait      time.Duration
		refreshed bool
		repeated  int
		taken     int // from the retry budget
		r         result
	)
	for number := 1; ; number++ {
		paced, err := c.throttle.pass(ctx, req.op, o.safety)
		switch {
		case err != nil && number == 1:
			return notSent(req, o, err)
		case err != nil:
			return r.conclude(number-1, waits, false, earlier, err) // only reads are held back
		}
		g, err := c.authorize(ctx, req, o)
		if err != nil {
			o.forget()
			if unknown && o.safety != SafetyRead {
				return r.conclude(number-1, waits, true, earlier, err) // what came of it counts for more
			}
			return err
		}
		retry := repeated > 0 && !r.rejected && !c.throttle.limits(o.safety, &r)
		if retry {
			queued, err := c.budget.take(ctx, o.policy)
			if err != nil {
				return r.conclude(number-1, waits, unknown && o.safety != SafetyRead, earlier, err)
			}
			paced += queued
			taken++
		}
		r = c.attempt(ctx, req, u, out, o, g, number, wait+paced)
		c.budget.settle(retry, r.answered(), taken)
		c.throttle.heard(req.op, o.safety, &r)
		if r.err == nil {
			if g.held != nil {
				g.held.allow(req.op)
			}
			c.observe(&r, false)
			return nil
		}
		again, err := c.again(ctx, req, o, g, &r, &refreshed, repeated)
		if again {
			wait = r.wait
			waits = append(waits, wait)
			unknown = unknown || r.outcome == OutcomeUnknown
			if r.api != nil {
				earlier = r.api
			}
			c.observe(&r, true)
			if !r.rejected {
				repeated++
			}
			if err = sleep(ctx, wait); err == nil {
				continue
			}
			waits = waits[:len(waits)-1]
			err = fmt.Errorf("the wait was cut short: %w", err)
		} else {
			c.observe(&r, false)
		}
		return r.conclude(number, waits, unknown && o.safety != SafetyRead, earlier, err)
	}
}

// again decides whether a call that failed is sent again, and after which wait.
// If not, err is what stood against it, nil when the failure itself did.
func (c *Client) again(ctx context.Context, req *Request, o *call, g *grant, r *result, refreshed *bool, repeated int) (bool, error) {
	if r.partial {
		return false, nil // half of an answer was handed out
	}
	if err := ContextError(ctx); err != nil { // nobody waits
		if retryable(o.safety, r) && !errors.Is(r.err, ctx.Err()) {
			return false, err
		}
		return false, nil
	}
	if r.api != nil && g.held != nil && r.api.tokenRejected() {
		if *refreshed {
			g.held.deny(req.op)
			return false, nil
		}
		if g.held.deniedBy(req.op) || !c.tokens.reject(g.key, g.held) {
			return false, nil
		}
		*refreshed, r.rejected = true, true
		if !req.body.rewindable() {
			return false, errNotRewindable
		}
		return true, nil
	}
	if !retryable(o.safety, r) || repeated+1 >= o.policy.MaxAttempts {
		return false, nil
	}
	if !req.body.rewindable() {
		return false, errNotRewindable
	}
	r.wait = o.policy.delay(repeated + 1)
	if r.api != nil {
		if r.api.RetryAfter > o.policy.MaxRetryAfter {
			return false, fmt.Errorf("the API asks for a longer wait than %s", o.policy.MaxRetryAfter)
		}
		r.wait = max(r.wait, r.api.RetryAfter)
	}
	if !fits(ctx, r.wait) {
		return false, fmt.Errorf("no time is left for a wait of %s: %w", r.wait.Round(time.Millisecond), context.DeadlineExceeded)
	}
	if !c.throttle.limits(o.safety, r) && c.budget.spent() {
		return false, ErrRetryBudget
	}
	return true, nil
}

// conclude makes the error that the caller gets.
func (r *result) conclude(attempts int, waits []time.Duration, unknown bool, earlier *Error, stop error) error {
	switch {
	case r.api != nil:
		r.api.Attempts, r.api.Waits, r.api.EarlierUnknown, r.api.stop = attempts, waits, unknown, stop
	case r.unanswered != nil:
		r.unanswered.Attempts, r.unanswered.Waits, r.unanswered.EarlierUnknown, r.unanswered.stop = attempts, waits, unknown, stop
		if errors.Is(r.unanswered.Err, context.DeadlineExceeded) || errors.Is(r.unanswered.Err, context.Canceled) {
			r.unanswered.earlier = earlier
		}
	case unknown && r.outcome == OutcomeNeverSent: // this attempt; the one before may have been
		return fmt.Errorf("%w; before that: %w", r.err, ErrOutcomeUnknown)
	}
	return r.err
}

// grant is the credential of one attempt.
type grant struct {
	key    tokenKey
	held   *heldToken // nil unless it is an access token
	header []string   // value of the Authorization header, nil for none
}

// secrets returns the credential alone, and for an API key also what it encodes.
func (g *grant) secrets() []string {
	if len(g.header) == 0 {
		return nil
	}
	kind, text, _ := strings.Cut(g.header[0], " ")
	if kind == "Basic" {
		if inner, err := base64.StdEncoding.DecodeString(text); err == nil {
			return []string{text, string(inner)}
		}
	}
	return []string{text}
}

// authorize finds the credential of a call.
func (c *Client) authorize(ctx context.Context, req *Request, o *call) (*grant, error) {
	switch o.scope {
	case ScopeNone:
		return &grant{}, nil
	case ScopeKey:
		if c.key == nil {
			return nil, fmt.Errorf("basiq: %s needs the API key, and the client has none", req.op.ID)
		}
		return &grant{header: []string{"Basic " + c.key()}}, nil
	case ScopeClient:
		if o.userID == "" {
			return nil, fmt.Errorf("basiq: %s is called with a user's token: say whose with WithUser", req.op.ID)
		}
	}
	g := &grant{key: keyOf(o.scope, o.userID)}
	var err error
	if g.held, err = c.tokens.get(ctx, g.key, 0); err != nil {
		return nil, err
	}
	g.header = g.held.header()
	return g, nil
}

// success tells whether a status is one.
func success(status int) bool { return status >= http.StatusOK && status <= 299 }
