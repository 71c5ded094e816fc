package transport

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/basiq-sdk/basiq-go/internal/safetext"
)

// Option changes one call.
type Option interface{ applyToCall(*call) error }

// ClientOption configures New.
type ClientOption interface{ applyToClient(*config) error }

// SharedOption configures New or changes one call. An option of a call takes
// precedence over one of the client.
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

// settings are what SharedOptions set.
type settings struct {
	base        *url.URL
	address     string // base as text
	insecure    bool
	gateway     bool
	timeout     time.Duration // of one attempt
	callTimeout time.Duration // of all of them
	policy      RetryPolicy
	header      http.Header
	headerFuncs []func(context.Context) http.Header
	maxBody     int64
}

// call holds the settings and options of one call.
type call struct {
	settings
	query     []queryParam
	params    *Request // the optional parameters, if they were given as an option
	responses []responseTarget
	response  *http.Response // this call's own, which responses receive
	userID    string
	scope     Scope
	scoped    bool
	safety    Safety
	safe      bool
	cursor    *Cursor
	prefetch  bool
	flight    *flight // of the token that the call requests; nil for all other calls
}

// WithTimeout sets the timeout of each attempt, from dialling to the last byte of the
// response. The default is one minute. 0 means that only the context limits it.
func WithTimeout(d time.Duration) SharedOption {
	return sharedOption(func(s *settings) error {
		if d < 0 {
			return fmt.Errorf("WithTimeout: the timeout is %s: it must not be negative", d)
		}
		s.timeout = d
		return nil
	})
}

// WithCallTimeout sets the timeout of a whole call: all attempts and the waits
// between them. The default, 0, means that only the context limits it.
func WithCallTimeout(d time.Duration) SharedOption {
	return sharedOption(func(s *settings) error {
		if d < 0 {
			return fmt.Errorf("WithCallTimeout: the timeout is %s: it must not be negative", d)
		}
		s.callTimeout = d
		return nil
	})
}

// WithRetryPolicy sets how calls are retried. No policy makes the client retry a
// call that its safety class does not allow to be retried.
//
//go:noinline
func WithRetryPolicy(p RetryPolicy) SharedOption {
	return sharedOption(func(s *settings) error {
		if err := p.validate(); err != nil {
			return err
		}
		s.policy = p.withDefaults()
		return nil
	})
}

// WithoutRetry turns off retries. A call whose access token was rejected is still
// sent again with a new token.
func WithoutRetry() SharedOption { return WithRetryPolicy(RetryPolicy{MaxAttempts: 1}) }

// WithHeader sets a request header. It is an error to set one that the client sets
// itself, such as Authorization, Host or Content-Length. An Idempotency-Key is sent,
// but the API does not document one: it does not change how often a call is sent.
//
//go:noinline
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
		return "", fmt.Errorf("%q is not a valid header name", safetext.Identifier(name))
	}
	name = textproto.CanonicalMIMEHeaderKey(name)
	switch name {
	case "Idempotency-Key", "X-Idempotency-Key":
		// Under its canonical name, net/http takes this header as permission to
		// retry a POST when the connection ends, even if the request was executed.
		// Servers ignore the case of header names.
		name = strings.ToLower(name)
	case "Authorization", "Proxy-Authorization", "Host", "Content-Length", "Transfer-Encoding", "Connection", "Te", "Trailer", "Upgrade", "Accept-Encoding":
		return "", fmt.Errorf("the header %s is set by the client and cannot be overridden", name)
	}
	if !headerValue(value) {
		return "", fmt.Errorf("the value of header %s contains control characters", name)
	}
	return name, nil
}

// WithBaseURL sets the base URL of the API. The default is [DefaultBaseURL]. It must not
// contain credentials, a query or a fragment. http is allowed only for loopback
// addresses. As an option of a call, it also sends the call's token to that URL.
//
//go:noinline
func WithBaseURL(address string) SharedOption {
	return sharedOption(func(s *settings) error {
		base, err := parseBase(address)
		if err != nil {
			return err
		}
		s.base, s.address = base, base.String()
		return nil
	})
}

// WithInsecureBaseURL allows http base URLs for any host. Tokens and personal data
// then cross the network unencrypted.
func WithInsecureBaseURL() SharedOption {
	return sharedOption(func(s *settings) error { s.insecure = true; return nil })
}

// WithMaxResponseSize limits the size of a response body that is decoded, in bytes
// after decompression. The default is 32 MiB. Bodies that are streamed to an
// io.Writer are not limited.
func WithMaxResponseSize(n int64) SharedOption {
	return sharedOption(func(s *settings) error {
		if n <= 0 {
			return fmt.Errorf("WithMaxResponseSize: the limit is %d: it must be positive", n)
		}
		s.maxBody = min(n, math.MaxInt64-1)
		return nil
	})
}

// WithQuery adds a query parameter to the call.
func WithQuery(name, value string) Option {
	return callOption(func(c *call) error {
		c.query = append(c.query, queryParam{name: name, value: value})
		return nil
	})
}

// WithResponse stores the response of the call's last attempt in *res, for its status
// and headers, whether or not the call succeeded. It stores nil if the last attempt
// got no response, even if an earlier attempt did. Unless it was streamed, the body
// can be read again from memory. The request in the response has no credentials.
//
// A method that sends several requests stores the response of each of them, one after
// the other, so that *res is the last. Read *res after the method has returned: requests
// that are sent at the same time take turns in storing theirs.
//
//go:noinline
func WithResponse(res **http.Response) Option {
	target := responseTarget{mu: new(sync.Mutex), to: res}
	return callOption(func(c *call) error {
		if res != nil {
			target.store(nil)
			c.responses = append(c.responses, target)
		}
		return nil
	})
}

// responseTarget is where WithResponse stores a response. Calls that share the option
// share the mutex, too.
type responseTarget struct {
	mu *sync.Mutex
	to **http.Response
}

func (t responseTarget) store(res *http.Response) {
	t.mu.Lock()
	defer t.mu.Unlock()
	*t.to = res
}

// WithUser sets the user whose CLIENT_ACCESS token is used, for operations whose
// path does not contain the user.
func WithUser(userID string) Option {
	return callOption(func(c *call) error {
		if userID == "" {
			return errors.New("WithUser: user ID is empty")
		}
		c.userID = userID
		return nil
	})
}

// WithScope overrides the kind of credential with which the operation is called.
func WithScope(s Scope) Option {
	return callOption(func(c *call) error {
		if s > ScopeDeclared {
			return fmt.Errorf("WithScope: %d is not a scope: use one of the Scope constants", s)
		}
		c.scope, c.scoped = s, true
		return nil
	})
}

// WithSafety overrides the safety class of the operation. It is meant for Call, whose
// operations have no documented class.
func WithSafety(s Safety) Option {
	return callOption(func(c *call) error {
		if s > SafetyUnrepeatable {
			return fmt.Errorf("WithSafety: %d is not a safety class: use one of the Safety constants", s)
		}
		c.safety, c.safe = s, true
		return nil
	})
}

// OptionalParams makes the struct that embeds it an Option. Generated code embeds it
// in the optional parameters that the API added to an operation after its method was
// released: the method's signature stays as it was. In any other struct it is an
// Option that makes the call fail.
type OptionalParams struct{}

func (OptionalParams) applyToCall(*call) error {
	return errors.New("OptionalParams is embedded in a struct that is not the parameters of a generated method: use WithQuery or WithHeader")
}

// optionalParams is implemented by generated structs that embed OptionalParams.
// ParamsOf returns the operation that takes the parameters, and a function that sets
// them on a request.
type optionalParams interface {
	Option
	ParamsOf() (*Operation, func(*Request))
}

// setParams takes the optional parameters of the operation that is called.
func (o *call) setParams(op *Operation, p optionalParams) error {
	of, apply := p.ParamsOf()
	switch {
	case of == nil || apply == nil:
		return fmt.Errorf("basiq: %s: %T.ParamsOf returns nil: pass only parameters of generated methods", op.ID, p)
	case of.Upstream != op.Upstream || of.Method != op.Method || of.Path != op.Path: // methods for other media types share the parameters
		return fmt.Errorf("basiq: %s: %T is not an option of this operation: pass it only to the method that its documentation names", op.ID, p)
	case o.params != nil:
		return fmt.Errorf("basiq: %s: %T is given twice: set all parameters in one", op.ID, p)
	}
	o.params = newRequest(request{op: op})
	apply(o.params)
	o.query = append(o.query, o.params.query...)
	return o.params.err
}

// callOf applies the options of a call to the settings of the client.
func (c *Client) callOf(req *Request, opts []Option) (*call, error) {
	o := &call{settings: c.settings, scope: req.op.Scope, safety: req.op.Safety, userID: req.userID}
	for _, opt := range opts {
		if opt == nil {
			continue
		}
		if nilPointer(opt) {
			return nil, fmt.Errorf("basiq: %s: the option is a nil %T: leave it out, or pass a value", req.op.ID, opt)
		}
		if p, ok := opt.(optionalParams); ok {
			if err := o.setParams(req.op, p); err != nil {
				return nil, err
			}
			continue
		}
		if err := opt.applyToCall(o); err != nil {
			return nil, fmt.Errorf("basiq: %s: %w", req.op.ID, err)
		}
	}
	if req.op.Server != "" && o.base == c.base {
		return nil, fmt.Errorf("basiq: %s: the operation is on the server %s: pass WithBaseURL with it to this call", req.op.ID, safetext.Identifier(req.op.Server))
	}
	if len(opts) > 0 && o.base != c.base {
		if err := checkPlain(o.base, o.insecure); err != nil {
			return nil, fmt.Errorf("basiq: %s: %w", req.op.ID, err)
		}
	}
	if len(o.query) > 0 {
		o.query = append(req.query[:len(req.query):len(req.query)], o.query...)
	} else {
		o.query = req.query
	}
	return o, nil
}
