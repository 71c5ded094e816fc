package transport

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"time"
)

// DefaultBaseURL is the address of Basiq's API.
const DefaultBaseURL = "https://au-api.basiq.io"

// Version is this SDK's version, as it stands in the User-Agent header.
const Version = "0.1.0-dev"

// Client sends calls. Make one with New and share it.
type Client struct {
	base      *url.URL
	http      *http.Client
	key       secret
	tokens    TokenSource
	userAgent string
	timeout   time.Duration
	maxBody   int64
	onDrift   func(Drift)
	observe   func(Attempt)
	retry     RetryPolicy
	budget    *budget
}

// ClientOption configures New.
type ClientOption func(*config) error

type config struct {
	Client
	insecure bool
	own      *http.Client
	suffix   string
}

// WithAPIKey sets the API key, exactly as Basiq's dashboard shows it. It is
// sent verbatim after "Basic ": it must not be encoded again.
func WithAPIKey(key string) ClientOption {
	return func(c *config) error {
		key = strings.TrimSpace(key)
		key = strings.TrimSpace(strings.TrimPrefix(key, "Basic "))
		switch {
		case key == "":
			return errors.New("the API key is empty: take it from Basiq's dashboard")
		case !headerValue(key) || strings.ContainsAny(key, " \t"):
			return errors.New("the API key has white space or control characters in it: take it from Basiq's dashboard as it is")
		}
		c.key = newSecret(key)
		return nil
	}
}

// WithTokenSource makes the client use tokens from elsewhere instead of getting
// them with an API key.
func WithTokenSource(s TokenSource) ClientOption {
	return func(c *config) error {
		if s == nil {
			return errors.New("the token source is nil")
		}
		c.tokens = s
		return nil
	}
}

// WithBaseURL sets the API's address; the default is DefaultBaseURL. Plain http
// is allowed for this machine's own addresses only.
func WithBaseURL(address string) ClientOption {
	return func(c *config) error {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" {
			return errors.New("the base URL is no absolute URL")
		}
		switch {
		case u.User != nil:
			return fmt.Errorf("the base URL of %s holds credentials: leave them out", u.Host)
		case u.RawQuery != "" || u.Fragment != "":
			return fmt.Errorf("the base URL %s has a query or fragment: leave it out", u.Host)
		case u.Scheme != "https" && u.Scheme != "http":
			return fmt.Errorf("the base URL's scheme is %q: use https", u.Scheme)
		}
		u.Path = strings.TrimSuffix(u.Path, "/")
		c.base = u
		return nil
	}
}

// WithInsecureBaseURL allows a base URL with plain http to any host. Tokens and
// personal data then cross the network in clear.
func WithInsecureBaseURL() ClientOption {
	return func(c *config) error { c.insecure = true; return nil }
}

// WithHTTPClient sets the HTTP client. Its redirect policy is not used:
// redirects are never followed.
func WithHTTPClient(h *http.Client) ClientOption {
	return func(c *config) error {
		if h == nil {
			return errors.New("the HTTP client is nil")
		}
		c.own = h
		return nil
	}
}

// WithTimeout bounds each time a call is sent, from dialling to the last byte
// of the answer. The default is one minute; 0 means no bound but the context's.
func WithTimeout(d time.Duration) ClientOption {
	return func(c *config) error {
		if d < 0 {
			return fmt.Errorf("the timeout is negative: %s", d)
		}
		c.timeout = d
		return nil
	}
}

// WithMaxResponseSize bounds an answer that is decoded, in bytes after
// decompression. The default is 32 MiB. Streamed answers are not bounded.
func WithMaxResponseSize(n int64) ClientOption {
	return func(c *config) error {
		if n <= 0 {
			return fmt.Errorf("the response size limit must be positive, not %d", n)
		}
		c.maxBody = n
		return nil
	}
}

// WithUserAgentSuffix adds to the User-Agent header, such as "shop/2.1".
func WithUserAgentSuffix(s string) ClientOption {
	return func(c *config) error {
		if !headerValue(s) {
			return errors.New("the user agent suffix has control characters")
		}
		c.suffix = s
		return nil
	}
}

// WithDriftObserver hears of every answer that did not match its type:
// nothing fails for it, and the value is kept. f must be safe for concurrent use.
func WithDriftObserver(f func(Drift)) ClientOption {
	return func(c *config) error { c.onDrift = f; return nil }
}

// New returns a Client. It needs WithAPIKey or WithTokenSource.
func New(opts ...ClientOption) (*Client, error) {
	c := config{Client: Client{timeout: time.Minute, maxBody: 32 << 20, budget: &budget{}}}
	if err := WithBaseURL(DefaultBaseURL)(&c); err != nil {
		return nil, err
	}
	for _, opt := range opts {
		if err := opt(&c); err != nil {
			return nil, fmt.Errorf("basiq: %w", err)
		}
	}
	if c.key == nil && c.tokens == nil {
		return nil, errors.New("basiq: no credentials: give WithAPIKey or WithTokenSource")
	}
	if c.base.Scheme == "http" && !c.insecure && !loopback(c.base.Hostname()) {
		return nil, fmt.Errorf("basiq: the base URL http://%s would send tokens in clear: use https, or ask for it with WithInsecureBaseURL", c.base.Host)
	}
	c.userAgent = "basiq-go/" + Version + " (" + runtime.Version() + ")"
	if c.suffix != "" {
		c.userAgent += " " + c.suffix
	}
	h := http.Client{}
	if c.own != nil {
		h = *c.own
	}
	h.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c.http = &h
	client := c.Client
	if client.tokens == nil {
		client.tokens = &keyTokens{client: &client, slots: map[TokenRequest]*tokenSlot{}}
	}
	return &client, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
