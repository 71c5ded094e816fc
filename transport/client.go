package transport

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/basiq-sdk/basiq-go/internal/roundtrip"
	"github.com/basiq-sdk/basiq-go/internal/sdkerrors"
	"github.com/basiq-sdk/basiq-go/internal/urls"
)

// DefaultBaseURL is the base URL of Basiq's API.
const DefaultBaseURL = "https://au-api.basiq.io"

// Version is the version of this SDK. It is sent in the User-Agent header.
const Version = "0.1.0-dev"

// Client sends calls. Create one with New, share it, and Close it when it is no
// longer needed. A Client that is dropped without Close leaks nothing. A Client is
// safe for concurrent use.
type Client struct {
	*state // behind a pointer, which fmt does not follow
}

type state struct {
	settings
	http         *http.Client
	single       *http.Client // for calls of classes C and D
	plain        bool         // their transports are *http.Transport, and use HTTP/2 over TLS only
	idle         func()       // closes idle connections; nil for the caller's HTTP client
	key          secret
	sourced      bool              // there is a TokenSource
	credentials  map[string]secret // of other APIs, by the name of their scheme
	tokens       *tokenCache
	userAgent    []string
	observers    []*Observer
	watched      watched          // what the observers want to see
	clock        func() time.Time // nil for time.Now
	pollInterval time.Duration    // 0 for the default
	budget       *budget
	throttle     throttle
	logger       *slog.Logger
	closed       atomic.Bool
	warned       atomic.Bool // the warning about an HTTP client that retries was logged
}

// config is what New is configured with.
type config struct {
	client *Client
	own    *http.Client
	suffix string
	source TokenSource
	store  TokenStore
	limits tokenLimits

	anonymous bool // no credential is needed
}

// WithAPIKey sets the API key, exactly as Basiq's dashboard shows it. It is sent
// verbatim after "Basic ": do not base64-encode it. Surrounding white space and a
// leading "Basic " are removed.
//
//go:noinline
func WithAPIKey(key string) ClientOption {
	return clientOption(func(c *config) error {
		key = strings.TrimSpace(key)
		if kind, rest, ok := strings.Cut(key, " "); ok && strings.EqualFold(kind, "Basic") {
			key = strings.TrimSpace(rest)
		}
		switch {
		case key == "" || strings.EqualFold(key, "Basic"):
			return errors.New("WithAPIKey: the API key is empty: copy it from Basiq's dashboard")
		case !headerValue(key) || strings.ContainsAny(key, " \t"):
			return errors.New("WithAPIKey: the API key contains white space or control characters: copy it from Basiq's dashboard unchanged")
		}
		c.client.key = newSecret(key)
		return nil
	})
}

// WithHTTPClient sets the HTTP client, for example to use a proxy, certificates or
// tracing in its Transport. The client is copied, and its redirect policy is ignored:
// redirects are never followed. An attempt that has used ten new connections fails.
//
// Requirements for a Transport of your own:
//   - It must not retry. Its retries would multiply with this client's, and it knows
//     nothing of safety classes.
//   - It must not add an Idempotency-Key header. net/http takes that header as
//     permission to send a POST twice.
//   - It should use HTTP/1.1 for calls of classes C and D, as the default does. Over
//     HTTP/2, net/http itself retries a request whose stream the server resets with
//     PROTOCOL_ERROR, even if the request was executed.
//
// Two settings of the default Transport are worth adopting:
//   - An HTTP/2 connection that was silent for 15 seconds is probed with a ping
//     (http.Transport.HTTP2). Otherwise, calls fail for many minutes on a connection
//     that a firewall has dropped.
//   - IdleConnTimeout is 50 seconds, and half a second on the separate connections of
//     classes C and D. It must be below the server's idle timeout. Otherwise, some
//     requests are sent on a connection that the server is closing, and a call that
//     must not be retried fails with [ErrOutcomeUnknown].
//
// In a browser (GOOS=js), the default is the Fetch API, as in net/http. It has its own
// connections and limits, and a failure never proves that a call was not sent. Never
// use an API key in a browser: use [WithTokenSource] with a CLIENT_ACCESS token.
//
//go:noinline
func WithHTTPClient(h *http.Client) ClientOption {
	return clientOption(func(c *config) error {
		if h == nil {
			return errors.New("WithHTTPClient: the HTTP client is nil")
		}
		if nilPointer(h.Transport) {
			return fmt.Errorf("WithHTTPClient: the Transport of the HTTP client is a nil %T: for the default, leave Transport unset", h.Transport)
		}
		c.own = h
		return nil
	})
}

// WithUserAgentSuffix appends s, such as "shop/2.1", to the User-Agent header.
//
//go:noinline
func WithUserAgentSuffix(s string) ClientOption {
	return clientOption(func(c *config) error {
		if !headerValue(s) {
			return errors.New("WithUserAgentSuffix: the suffix contains control characters")
		}
		c.suffix = s
		return nil
	})
}

// ErrClosed is returned by calls of a closed client.
var ErrClosed = errors.New("basiq: the client is closed")

// New returns a Client. [WithAPIKey] or [WithTokenSource] is required; for an API other
// than Basiq's, [WithCredential] or [WithoutCredentials] may take their place. New sends
// no requests. It returns an error that names the option if one is missing or not valid.
func New(opts ...ClientOption) (*Client, error) {
	sdkerrors.Register(sdkerrors.Transport, made)
	base, err := parseBase(DefaultBaseURL)
	if err != nil {
		return nil, err
	}
	client := &Client{&state{
		settings: settings{base: base, address: base.String(), timeout: time.Minute, maxBody: 32 << 20, policy: RetryPolicy{}.withDefaults()},
	}}
	c := config{client: client, limits: defaultTokenLimits()}
	for _, opt := range opts {
		if opt == nil {
			continue
		}
		if err := opt.applyToClient(&c); err != nil {
			return nil, fmt.Errorf("basiq: %w", err)
		}
	}
	if client.key == nil && c.source == nil && client.credentials == nil && !c.anonymous {
		return nil, fmt.Errorf("basiq: %w", sdkerrors.ErrNoCredentials)
	}
	if client.key == nil && c.store != nil {
		return nil, errors.New("basiq: WithTokenStore requires WithAPIKey, which separates the tokens of different applications: add WithAPIKey, or share tokens in the token source")
	}
	if err := checkPlain(client.base, client.insecure); err != nil {
		return nil, fmt.Errorf("basiq: %w", err)
	}
	agent := "basiq-go/" + Version + " (" + runtime.Version() + ")"
	if c.suffix != "" {
		agent += " " + c.suffix
	}
	client.userAgent = []string{agent}
	client.watched = watchedBy(client.observers)
	client.budget = newBudget(client.policy.Budget)
	client.connect(c.own)
	client.sourced = c.source != nil
	if c.source == nil {
		c.source = keySource{client}
	}
	client.tokens = newTokenCache(client, c.source, c.store, c.limits)
	return client, nil
}

// connect creates the HTTP clients, from the caller's if there is one. Calls that
// must not be sent twice use a client of their own.
func (c *Client) connect(own *http.Client) {
	h := http.Client{}
	if own != nil {
		h = *own
	}
	h.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	single := h
	if h.Transport == nil {
		h.Transport, single.Transport, c.idle = roundtrip.Default()
	}
	t, plain := h.Transport.(*http.Transport) // both have the same type
	c.plain = plain && (t.Protocols == nil || !t.Protocols.UnencryptedHTTP2())
	h.Transport, single.Transport = hideLocation{h.Transport}, hideLocation{single.Transport}
	c.http, c.single = &h, &single
}

// hideLocation hides the Location header of a redirect from net/http. It would parse
// the header before it calls CheckRedirect, and fail if it is not a URL.
type hideLocation struct{ http.RoundTripper }

const hiddenLocation = "Basiq-Go-Location"

func (s hideLocation) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := s.RoundTripper.RoundTrip(req)
	if err == nil && res != nil && res.StatusCode >= 300 && res.StatusCode <= 399 {
		if to := res.Header["Location"]; to != nil {
			delete(res.Header, "Location")
			res.Header[hiddenLocation] = to
		}
	}
	return res, err
}

// restoreLocation restores the Location header.
func restoreLocation(res *http.Response) {
	if to := res.Header[hiddenLocation]; to != nil && res.StatusCode >= 300 && res.StatusCode <= 399 {
		delete(res.Header, hiddenLocation)
		res.Header["Location"] = to
	}
}

// Close stops the client's background work, waits for it to end, and closes idle
// connections. Calls that were sent are completed. Calls that are waiting for a
// token, and all later calls, fail with [ErrClosed]. Close may be called more than
// once. It always returns nil.
func (c *Client) Close() error {
	if c == nil || c.state == nil {
		return nil
	}
	c.closed.Store(true)
	c.tokens.close()
	if c.idle != nil {
		c.idle()
	}
	return nil
}

// BaseURL returns the base URL of the API.
func (c *Client) BaseURL() string {
	if c == nil || c.state == nil {
		return ""
	}
	return c.base.String()
}

func parseBase(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Hostname() == "" {
		return nil, errors.New("the base URL is not an absolute URL: use one such as " + DefaultBaseURL)
	}
	switch {
	case u.User != nil:
		return nil, fmt.Errorf("the base URL of %s contains credentials: remove them", u.Host)
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, fmt.Errorf("the base URL of %s has a query or fragment: remove it", u.Host)
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("the base URL's scheme is %q: use https", u.Scheme)
	case ambiguous(u.EscapedPath()) != "":
		return nil, fmt.Errorf("the base URL of %s has a path that %s", u.Host, ambiguous(u.EscapedPath()))
	}
	u.Path, u.RawPath = strings.TrimSuffix(u.Path, "/"), strings.TrimSuffix(u.RawPath, "/")
	return u, nil
}

// checkPlain returns an error if tokens would cross a network unencrypted, unless
// insecure is set.
func checkPlain(base *url.URL, insecure bool) error {
	if base.Scheme == "http" && !insecure && !urls.Loopback(base.Hostname()) {
		return fmt.Errorf("the base URL http://%s would send tokens unencrypted: use https, or allow http with WithInsecureBaseURL", base.Host)
	}
	return nil
}
