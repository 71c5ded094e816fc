package transport

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Option changes one call.
type Option interface{ applyToCall(*call) error }

// ClientOption configures New.
type ClientOption interface{ applyToClient(*config) error }

// SharedOption configures New or changes one call. What a call is given wins.
type SharedOption interface {
	Option
	ClientOption
}

type callOption func(*call) error

func (f callOption) applyToCall(c *call) error { return f(c) }

type clientOption func(*config) error

func (f clientOption) applyToClient(c *config) error { return f(c) }

type sharedOption func(*settings) error

func (f sharedOption) applyToCall(c *call) error     { return f(&c.settings) }
func (f sharedOption) applyToClient(c *config) error { return f(&c.client.settings) }

// settings are what a client and a call can both be told.
type settings struct {
	base        *url.URL
	insecure    bool
	timeout     time.Duration // of one attempt
	callTimeout time.Duration // of all of them
	policy      RetryPolicy
	header      http.Header
	maxBody     int64
}

// call is what the options of one call add up to.
type call struct {
	settings
	query     []Field
	responses []**http.Response
	userID    string
	scope     Scope
	scoped    bool
	safety    Safety
	safe      bool
	cursor    *Cursor
	prefetch  bool
}

// WithTimeout bounds each time a call is sent, from dialling to the last byte
// of the answer. The default is one minute; 0 means no bound but the context's.
func WithTimeout(d time.Duration) SharedOption {
	return sharedOption(func(s *settings) error {
		if d < 0 {
			return fmt.Errorf("the timeout is negative: %s", d)
		}
		s.timeout = d
		return nil
	})
}

// WithCallTimeout bounds a call as a whole: all its attempts and the waits
// between them. The default, 0, is no bound but the context's.
func WithCallTimeout(d time.Duration) SharedOption {
	return sharedOption(func(s *settings) error {
		if d < 0 {
			return fmt.Errorf("the timeout is negative: %s", d)
		}
		s.callTimeout = d
		return nil
	})
}

// WithRetryPolicy sets how calls are repeated. It never makes a call be
// repeated that its safety class forbids to.
func WithRetryPolicy(p RetryPolicy) SharedOption {
	return sharedOption(func(s *settings) error {
		if err := p.check(); err != nil {
			return err
		}
		s.policy = p.withDefaults()
		return nil
	})
}

// WithoutRetry sends each call once. A call whose token was rejected is still
// sent again with a new one.
func WithoutRetry() SharedOption { return WithRetryPolicy(RetryPolicy{MaxAttempts: 1}) }

// WithHeader sets a header of calls. Those that the client sets itself
// (Authorization, Host, Content-Length and similar ones) are refused. An
// Idempotency-Key is sent, but the API does not document one: it changes nothing
// about how often a call is sent.
func WithHeader(name, value string) SharedOption {
	return sharedOption(func(s *settings) error {
		name, err := checkHeader(name, value)
		if err != nil {
			return err
		}
		h := s.header.Clone()
		if h == nil {
			h = http.Header{}
		}
		h[name] = []string{value}
		s.header = h
		return nil
	})
}

func checkHeader(name, value string) (string, error) {
	if !headerName(name) {
		return "", fmt.Errorf("%q is no name of a header", printable(name))
	}
	name = textproto.CanonicalMIMEHeaderKey(name)
	switch name {
	case "Idempotency-Key", "X-Idempotency-Key":
		// Under its canonical name, net/http takes it as permission to send a
		// POST once more when the connection ends, whatever was executed. Names
		// of headers are the same in any case to servers.
		name = strings.ToLower(name)
	case "Authorization", "Proxy-Authorization", "Host", "Content-Length", "Transfer-Encoding", "Connection", "Te", "Trailer", "Upgrade", "Accept-Encoding":
		return "", fmt.Errorf("the header %s is the client's own", name)
	}
	if !headerValue(value) {
		return "", fmt.Errorf("the header %s has a value with control characters", name)
	}
	return name, nil
}

// WithBaseURL sets the API's address; the default is DefaultBaseURL. It must
// hold no credentials, query or fragment. Plain http is allowed for this
// machine's own addresses only. Given to a call, the call's token goes there.
func WithBaseURL(address string) SharedOption {
	return sharedOption(func(s *settings) error {
		base, err := parseBase(address)
		if err != nil {
			return err
		}
		s.base = base
		return nil
	})
}

// WithInsecureBaseURL allows a base URL with plain http to any host. Tokens and
// personal data then cross the network in clear.
func WithInsecureBaseURL() SharedOption {
	return sharedOption(func(s *settings) error { s.insecure = true; return nil })
}

// WithMaxResponseSize bounds an answer that is decoded, in bytes after
// decompression. The default is 32 MiB. Answers streamed to an io.Writer are
// not bounded.
func WithMaxResponseSize(n int64) SharedOption {
	return sharedOption(func(s *settings) error {
		if n <= 0 {
			return fmt.Errorf("the response size limit must be positive, not %d", n)
		}
		s.maxBody = min(n, math.MaxInt64-1)
		return nil
	})
}

// WithQuery adds a query parameter to the call.
func WithQuery(name, value string) Option {
	return callOption(func(c *call) error {
		c.query = append(c.query, Field{name, value})
		return nil
	})
}

// WithResponse stores the answer that the call ended with, successful or not,
// for its status and headers. It stores nil if the call ended without an answer,
// whatever the API said to an earlier attempt. The answer's body, unless it was
// streamed, can be read again from memory. The request in it has no credentials.
func WithResponse(res **http.Response) Option {
	return callOption(func(c *call) error {
		if res != nil {
			*res = nil
			c.responses = append(c.responses, res)
		}
		return nil
	})
}

// WithUser says for which user a CLIENT_ACCESS token is to be used, where the
// path does not name one.
func WithUser(userID string) Option {
	return callOption(func(c *call) error {
		if userID == "" {
			return errors.New("WithUser is given no user")
		}
		c.userID = userID
		return nil
	})
}

// WithScope makes the call with another kind of credential than its operation
// asks for.
func WithScope(s Scope) Option {
	return callOption(func(c *call) error {
		if s > ScopeNone {
			return fmt.Errorf("there is no scope %d", s)
		}
		c.scope, c.scoped = s, true
		return nil
	})
}

// WithSafety overrides the safety class of an operation: for Call, whose
// operations have no documented one, or for a caller who knows better.
func WithSafety(s Safety) Option {
	return callOption(func(c *call) error {
		if s > SafetyUnrepeatable {
			return fmt.Errorf("there is no safety class %d", s)
		}
		c.safety, c.safe = s, true
		return nil
	})
}

// callOf adds up the settings of the client and the options of a call.
func (c *Client) callOf(req *Request, opts []Option) (*call, error) {
	o := &call{settings: c.settings, scope: req.op.Scope, safety: req.op.Safety, userID: req.userID}
	for _, opt := range opts {
		if opt == nil {
			continue
		}
		if err := opt.applyToCall(o); err != nil {
			return nil, fmt.Errorf("basiq: %s: %w", req.op.ID, err)
		}
	}
	if len(opts) > 0 && o.base != c.base {
		if err := checkPlain(o.base, o.insecure); err != nil {
			return nil, fmt.Errorf("basiq: %s: %w", req.op.ID, err)
		}
	}
	if len(o.query) > 0 {
		o.query = slices.Concat(req.query, o.query)
	} else {
		o.query = req.query
	}
	return o, nil
}
