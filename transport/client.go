package transport

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/basiq-sdk/basiq-go/internal/sdkerrors"
)

// DefaultBaseURL is the address of Basiq's API.
const DefaultBaseURL = "https://au-api.basiq.io"

// Version is this SDK's version, as it stands in the User-Agent header.
const Version = "0.1.0-dev"

// Client sends calls. Make one with New, share it, and Close it when it is no
// longer needed; one that is forgotten leaks nothing. A Client is safe for
// concurrent use.
type Client struct {
	*state // behind a pointer, where printing does not follow
}

type state struct {
	settings
	http      *http.Client
	single    *http.Client // for classes C and D
	plain     bool         // their transports are net/http's, and speak HTTP/2 over TLS only
	idle      func()       // closes idle connections; nil if the HTTP client is the caller's
	key       secret
	tokens    *tokenCache
	userAgent []string
	observers []*Observer
	clock     func() time.Time // nil for time.Now
	budget    *budget
	throttle  throttle
	logger    *slog.Logger
	closed    atomic.Bool
	warned    atomic.Bool // of an HTTP client that retries
}

// config is a Client in the making.
type config struct {
	client *Client
	own    *http.Client
	suffix string
	source TokenSource
	store  TokenStore
	limits tokenLimits
}

// WithAPIKey sets the API key, exactly as Basiq's dashboard shows it. It is
// sent verbatim after "Basic ": it must not be encoded again. White space
// around it, and a leading "Basic ", are dropped.
func WithAPIKey(key string) ClientOption {
	return clientOption(func(c *config) error {
		key = strings.TrimSpace(key)
		if kind, rest, ok := strings.Cut(key, " "); ok && strings.EqualFold(kind, "Basic") {
			key = strings.TrimSpace(rest)
		}
		switch {
		case key == "" || strings.EqualFold(key, "Basic"):
			return errors.New("the API key is empty: take it from Basiq's dashboard")
		case !headerValue(key) || strings.ContainsAny(key, " \t"):
			return errors.New("the API key has white space or control characters in it: take it from Basiq's dashboard as it is")
		}
		c.client.key = newSecret(key)
		return nil
	})
}

// WithHTTPClient sets the HTTP client: for a proxy, certificates, or tracing in
// its Transport. Its redirect policy is not used, as redirects are never
// followed. A Transport that retries by itself multiplies with this client's
// retries and knows nothing of safety classes: turn one of the two off. An
// attempt that has used up ten new connections is ended. A Transport must not add
// an Idempotency-Key header, which net/http takes as permission to send a POST twice.
// The default sends calls of the classes C and D over HTTP/1.1, as net/http sends a
// request again by itself when an HTTP/2 server resets its stream with
// PROTOCOL_ERROR: with a Transport of your own, that may do a thing twice.
//
// Two settings of the default Transport are worth having in your own. An HTTP/2
// connection that was silent for 15 seconds is probed with a ping
// (http.Transport.HTTP2): otherwise one that a firewall has forgotten fails calls for
// many minutes. IdleConnTimeout is below the server's: otherwise some calls meet a
// connection that is being closed, and for what must not be sent twice that ends as
// ErrOutcomeUnknown. The default is 50 seconds, and half a second on the connections
// that calls of the classes C and D have to themselves.
//
// In a browser (GOOS=js), the default is the Fetch API, as in net/http: it has its own
// connections and limits, and a failure never proves that a call was not sent. Never
// give an API key to a browser: use WithTokenSource with a CLIENT_ACCESS token.
func WithHTTPClient(h *http.Client) ClientOption {
	return clientOption(func(c *config) error {
		if h == nil {
			return errors.New("the HTTP client is nil")
		}
		c.own = h
		return nil
	})
}

// WithUserAgentSuffix adds to the User-Agent header, such as "shop/2.1".
func WithUserAgentSuffix(s string) ClientOption {
	return clientOption(func(c *config) error {
		if !headerValue(s) {
			return errors.New("the user agent suffix has control characters")
		}
		c.suffix = s
		return nil
	})
}

// ErrClosed is the error of a call of a client that was closed.
var ErrClosed = errors.New("basiq: the client is closed")

// New returns a Client. It needs WithAPIKey or WithTokenSource.
func New(opts ...ClientOption) (*Client, error) {
	sdkerrors.Register(sdkerrors.Transport, made)
	base, err := parseBase(DefaultBaseURL)
	if err != nil {
		return nil, err
	}
	client := &Client{&state{
		settings: settings{base: base, timeout: time.Minute, maxBody: 32 << 20, policy: RetryPolicy{}.withDefaults()},
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
	if client.key == nil && c.source == nil {
		return nil, errors.New("basiq: no credentials: give WithAPIKey or WithTokenSource; basiq.NewClient also reads BASIQ_API_KEY")
	}
	if client.key == nil && c.store != nil {
		return nil, errors.New("basiq: a token store tells applications apart by the API key: give WithAPIKey beside WithTokenSource, or share tokens in the source")
	}
	if err := checkPlain(client.base, client.insecure); err != nil {
		return nil, fmt.Errorf("basiq: %w", err)
	}
	agent := "basiq-go/" + Version + " (" + runtime.Version() + ")"
	if c.suffix != "" {
		agent += " " + c.suffix
	}
	client.userAgent = []string{agent}
	client.budget = newBudget(client.policy.Budget)
	client.connect(c.own)
	if c.source == nil {
		c.source = keySource{client}
	}
	client.tokens = newTokenCache(client, c.source, c.store, c.limits)
	return client, nil
}

// connect makes the HTTP clients: copies of the caller's, or our own. What must not
// be sent twice has one of its own.
func (c *Client) connect(own *http.Client) {
	h := http.Client{}
	if own != nil {
		h = *own
	}
	h.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	single := h
	if h.Transport == nil {
		h.Transport, single.Transport, c.idle = defaultTransports()
	}
	t, plain := h.Transport.(*http.Transport) // both are of one kind
	c.plain = plain && (t.Protocols == nil || !t.Protocols.UnencryptedHTTP2())
	h.Transport, single.Transport = straight{h.Transport}, straight{single.Transport}
	c.http, c.single = &h, &single
}

// straight hides from net/http where an answer redirects to: it would look at
// that before it asks whether to follow, and fail where it is no address.
type straight struct{ http.RoundTripper }

const hiddenLocation = "Basiq-Go-Location"

func (s straight) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := s.RoundTripper.RoundTrip(req)
	if err == nil && res != nil && res.StatusCode >= 300 && res.StatusCode <= 399 {
		if to := res.Header["Location"]; to != nil {
			delete(res.Header, "Location")
			res.Header[hiddenLocation] = to
		}
	}
	return res, err
}

// uncover puts back what was hidden.
func uncover(res *http.Response) {
	if to := res.Header[hiddenLocation]; to != nil && res.StatusCode >= 300 && res.StatusCode <= 399 {
		delete(res.Header, hiddenLocation)
		res.Header["Location"] = to
	}
}

// Close ends what the client does in the background, waits for it, and closes
// idle connections. Calls that were sent come to their own end; those that wait
// for a token, and later ones, fail with ErrClosed. It can be called more than
// once, and returns nil.
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

// BaseURL returns the address that calls go to.
func (c *Client) BaseURL() string {
	if c == nil || c.state == nil {
		return ""
	}
	return c.base.String()
}

func parseBase(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Hostname() == "" {
		return nil, errors.New("the base URL is no absolute URL: give one such as " + DefaultBaseURL)
	}
	switch {
	case u.User != nil:
		return nil, fmt.Errorf("the base URL of %s holds credentials: leave them out", u.Host)
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, fmt.Errorf("the base URL of %s has a query or fragment: leave it out", u.Host)
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("the base URL's scheme is %q: use https", u.Scheme)
	case cleaned(u.EscapedPath()) != "":
		return nil, fmt.Errorf("the base URL of %s has a path that %s", u.Host, cleaned(u.EscapedPath()))
	}
	u.Path, u.RawPath = strings.TrimSuffix(u.Path, "/"), strings.TrimSuffix(u.RawPath, "/")
	return u, nil
}

// checkPlain refuses to send tokens in clear over a network, unless asked to.
func checkPlain(base *url.URL, insecure bool) error {
	if base.Scheme == "http" && !insecure && !loopback(base.Hostname()) {
		return fmt.Errorf("the base URL http://%s would send tokens in clear: use https, or ask for it with WithInsecureBaseURL", base.Host)
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
