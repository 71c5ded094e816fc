package transport

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"time"

	"github.com/basiq-sdk/basiq-go/transport/value"
	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// Do sends a call and reads its answer into out: nil to discard it, a
// generated type (wire.Decodable), *value.JSON or *[]byte to have it as it came,
// an io.Writer to stream it, or anything that encoding/json can fill.
//
// It fails with an *Error when the API answers with anything but success,
// with ErrNoContent when out wants an answer and there is none, and with a
// *DecodeError when the answer cannot be read.
func (c *Client) Do(ctx context.Context, req *Request, out any, opts ...Option) error {
	var o call
	for _, opt := range opts {
		opt(&o)
	}
	if req.err != nil {
		return req.err
	}
	u := *c.base
	u.Path, u.RawPath = c.base.Path+pathUnescape(req.path), c.base.EscapedPath()+req.path
	u.RawQuery = encode(append(req.query[:len(req.query):len(req.query)], o.query...), false)
	return c.send(ctx, req, &u, out, &o)
}

// pathUnescape decodes the path that was built: net/url wants both forms.
func pathUnescape(p string) string {
	decoded, err := url.PathUnescape(p)
	if err != nil {
		return p
	}
	return decoded
}

// send sends a call to an address: again after a transient failure, as far as
// the operation's class allows, and once more when the token was refused.
func (c *Client) send(ctx context.Context, req *Request, u *url.URL, out any, o *call) error {
	policy := c.retry
	if o.retry != nil {
		policy = *o.retry
	}
	policy = policy.withDefaults()
	replayed := false
	for number, retries := 1, 1; ; number++ {
		start := time.Now()
		token, res := c.attempt(ctx, req, u, out, o, number)
		seen := Attempt{Operation: req.op, Number: number, Status: res.status, Err: res.err, Duration: time.Since(start)}
		again := false
		var wait time.Duration
		var e *Error
		switch {
		case res.err == nil:
			c.budget.earn()
		case token != nil && !replayed && errors.As(res.err, &e) && e.tokenRejected():
			c.tokens.Reject(token.req, token.token)
			replayed, again = true, true
		case res.final || ctx.Err() != nil || retries >= policy.MaxAttempts || !mayRepeat(req.op, res.err):
		default:
			if wait, again = policy.wait(retries, res.err); again {
				again = c.budget.take()
				retries++
			}
		}
		if again && !req.body.rewindable() {
			again, res.err = false, errors.Join(res.err, errNotRewindable)
		}
		if again {
			seen.Wait = wait
		}
		if c.observe != nil {
			c.observe(seen)
		}
		if !again {
			return res.err
		}
		if wait > 0 {
			if err := pause(ctx, wait, res.err); err != nil {
				return err
			}
		}
	}
}

// usedToken is the token that an attempt went out with.
type usedToken struct {
	req   TokenRequest
	token Token
}

// result is what came of an attempt.
type result struct {
	err    error
	status int
	final  bool // not to be repeated: it failed before it could be sent, or part of the answer has reached the caller
}

func (c *Client) attempt(ctx context.Context, req *Request, u *url.URL, out any, o *call, number int) (*usedToken, result) {
	if d := c.timeoutOf(o); d > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d)
		defer cancel()
	}
	used, authorization, err := c.authorize(ctx, req, o)
	if err != nil {
		return nil, result{err: err, final: true}
	}
	body, size, err := req.body.open()
	if err != nil {
		return nil, result{err: err, final: true}
	}
	// A request that never got a connection was never sent.
	sent := false
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { sent = true }})
	h, err := http.NewRequestWithContext(traced, req.op.Method, u.String(), body)
	if err != nil {
		return nil, result{err: fmt.Errorf("basiq: %s: %w", req.op.ID, err), final: true}
	}
	if body != nil {
		h.ContentLength = size
		h.Header.Set("Content-Type", req.body.contentType)
	}
	if err := c.headers(h, req, o, authorization); err != nil {
		return nil, result{err: err, final: true}
	}
	res, err := c.http.Do(h)
	if err != nil {
		return used, result{err: &SendError{Operation: req.op.ID, Sent: sent, Attempts: number, Err: withoutURL(err)}}
	}
	defer res.Body.Close()
	if o.response != nil {
		*o.response = res
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		text, _ := io.ReadAll(io.LimitReader(res.Body, maxErrorBody))
		return used, result{err: newError(req.op, res, text, number), status: res.StatusCode}
	}
	written, err := c.read(req.op, res, out, number)
	return used, result{err: err, status: res.StatusCode, final: written}
}

func (c *Client) timeoutOf(o *call) time.Duration {
	if o.timeout > 0 {
		return o.timeout
	}
	return c.timeout
}

// withoutURL drops the address from net/http's error: its query may hold
// personal data. The cause stays, for errors.Is.
func withoutURL(err error) error {
	var ue *url.Error
	if errors.As(err, &ue) {
		return ue.Err
	}
	return err
}

func (c *Client) headers(h *http.Request, req *Request, o *call, authorization string) error {
	accept := req.op.Accept
	if accept == "" {
		accept = "application/json"
	}
	h.Header.Set("Accept", accept)
	h.Header.Set("User-Agent", c.userAgent)
	for name, values := range req.header {
		h.Header[name] = values
	}
	for name, values := range o.header {
		for _, v := range values {
			if !headerValue(v) {
				return fmt.Errorf("basiq: %s: header %s has a value with control characters", req.op.ID, printable(name))
			}
		}
		h.Header[name] = values
	}
	if authorization != "" {
		h.Header.Set("Authorization", authorization)
	}
	return nil
}

// authorize finds the credential of a call.
func (c *Client) authorize(ctx context.Context, req *Request, o *call) (*usedToken, string, error) {
	want := TokenRequest{Scope: req.op.Scope}
	switch req.op.Scope {
	case ScopeNone:
		return nil, "", nil
	case ScopeKey:
		if c.key == nil {
			return nil, "", fmt.Errorf("basiq: %s needs the API key, and the client has none", req.op.ID)
		}
		return nil, "Basic " + c.key(), nil
	case ScopeClient:
		if want.UserID = o.userID; want.UserID == "" {
			want.UserID = req.userID
		}
		if want.UserID == "" {
			return nil, "", fmt.Errorf("basiq: %s is called with a user's token: say whose with WithUser", req.op.ID)
		}
	}
	t, err := c.tokens.Token(ctx, want)
	if err != nil {
		return nil, "", err
	}
	text := t.Reveal()
	if text == "" || !headerValue(text) {
		return nil, "", errors.New("basiq: the token source gave no usable token")
	}
	return &usedToken{want, t}, "Bearer " + text, nil
}

// read reads a successful answer. An answer that breaks off is one that got
// lost on the way.
func (c *Client) read(op *Operation, res *http.Response, out any, number int) (written bool, err error) {
	if out == nil {
		_, _ = io.CopyN(io.Discard, res.Body, 256<<10) // lets the connection be used again
		return false, nil
	}
	lost := func(err error) error { return &SendError{Operation: op.ID, Sent: true, Attempts: number, Err: err} }
	if w, ok := out.(io.Writer); ok {
		n, err := io.Copy(w, res.Body)
		if err != nil {
			return n > 0, lost(err)
		}
		return n > 0, nil
	}
	text, err := readBounded(res.Body, res.ContentLength, c.maxBody)
	switch {
	case errors.Is(err, ErrTooLarge):
		return false, fmt.Errorf("basiq: %s: %w", op.ID, err)
	case err != nil:
		return false, lost(err)
	case len(bytes.TrimSpace(text)) == 0:
		return false, fmt.Errorf("basiq: %s: %w", op.ID, ErrNoContent)
	}
	if err := decode(op, text, out, c.onDrift); err != nil {
		return false, &DecodeError{Operation: op.ID, Status: res.StatusCode, ContentType: res.Header.Get("Content-Type"), Err: err}
	}
	return false, nil
}

func decode(op *Operation, text []byte, out any, onDrift func(Drift)) error {
	switch v := out.(type) {
	case wire.Decodable:
		var hook func(wire.Drift)
		if onDrift != nil {
			hook = func(d wire.Drift) { onDrift(Drift{op.ID, d}) }
		}
		return wire.DecodeString(string(text), v, hook)
	case *value.JSON:
		var err error
		*v, err = value.ParseJSON(string(text))
		return err
	case *[]byte:
		*v = text
		return nil
	}
	return json.Unmarshal(text, out)
}

// ErrTooLarge is the error of an answer beyond the size limit.
var ErrTooLarge = errors.New("the answer is larger than the limit")

func readBounded(r io.Reader, size, limit int64) ([]byte, error) {
	if size > limit {
		return nil, fmt.Errorf("%w of %d bytes", ErrTooLarge, limit)
	}
	var b bytes.Buffer
	if size > 0 {
		b.Grow(int(size) + bytes.MinRead)
	}
	n, err := b.ReadFrom(io.LimitReader(r, limit+1))
	if err == nil && n > limit {
		err = fmt.Errorf("%w of %d bytes", ErrTooLarge, limit)
	}
	return b.Bytes(), err
}

// sameRoute tells whether a link leads to the host and path that a call went
// to: nothing else may be given a token.
func sameRoute(link, base *url.URL, path string) bool {
	return link.Scheme == base.Scheme && link.Host == base.Host && link.User == nil && link.EscapedPath() == path &&
		!strings.Contains(link.EscapedPath(), "..")
}
