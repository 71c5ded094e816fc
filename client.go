package basiq

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/basiq-sdk/basiq-go/generated/affordability"
	"github.com/basiq-sdk/basiq-go/generated/analytics"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/generated/enrich"
	"github.com/basiq-sdk/basiq-go/generated/identity"
	"github.com/basiq-sdk/basiq-go/generated/insights"
	"github.com/basiq-sdk/basiq-go/generated/merchants"
	"github.com/basiq-sdk/basiq-go/generated/payees"
	"github.com/basiq-sdk/basiq-go/generated/reporting"
	"github.com/basiq-sdk/basiq-go/generated/webhooks"
	"github.com/basiq-sdk/basiq-go/internal/sdkerrors"
	"github.com/basiq-sdk/basiq-go/transport"
)

// Environment variables that [NewClient] reads. Options take precedence.
const (
	EnvAPIKey     = "BASIQ_API_KEY"
	EnvBaseURL    = "BASIQ_BASE_URL"
	EnvConsentURL = "BASIQ_CONSENT_URL" // address of the Consent UI, such as that of a sandbox
)

// Client gives access to every domain of the API. Create one with [NewClient]. It
// is safe for concurrent use.
type Client struct {
	Affordability *affordability.Client // summaries; deprecated by Basiq in favour of reports
	Analytics     *analytics.Client     // numbers of users and connections over time
	Core          *core.Client          // users, consents, auth links, events, jobs
	Data          *data.Client          // accounts, transactions, connections, statements, connectors
	Enrich        *enrich.Client        // merchant and category data for a transaction's description
	Identity      *identity.Client      // identities of account holders
	Insights      *insights.Client      // verification of what a user claims
	Merchants     *merchants.Client     // search for merchants
	Payees        *payees.Client        // payees that users have saved at their institutions
	Reporting     *reporting.Client     // reports
	Webhooks      *webhooks.Client      // webhooks and their deliveries

	// Transport sends the requests of all domains. Use it for API calls that
	// have no method here, and to obtain access tokens.
	Transport *transport.Client

	polls      *pollLimiter
	consentURL string // of EnvConsentURL
}

// Option configures [NewClient].
type Option = transport.ClientOption

// checkReady returns an error that names the method if the client was not made
// by NewClient, or if ctx is nil.
func (c *Client) checkReady(ctx context.Context, method string) error {
	switch {
	case c == nil || c.Transport == nil || c.Core == nil || c.Data == nil || c.Insights == nil || c.Reporting == nil || c.polls == nil:
		return fmt.Errorf("basiq: %s: the client is nil or incomplete: create it with NewClient", method)
	case ctx == nil:
		return fmt.Errorf("basiq: %s: the context is nil: pass the request's context, or context.Background()", method)
	}
	return nil
}

// Close stops background token refreshes and closes idle connections. It always
// returns nil. See [transport.Client.Close].
func (c *Client) Close() error {
	if c == nil {
		return nil
	}
	return c.Transport.Close()
}

// Error is the error of a call that received an unsuccessful response from the
// API.
type Error = transport.Error

// WithAPIKey sets the API key, exactly as Basiq's dashboard shows it. The
// default is the environment variable BASIQ_API_KEY.
func WithAPIKey(key string) Option { return transport.WithAPIKey(key) }

// WithBaseURL sets the base URL of the API. The default is the environment
// variable BASIQ_BASE_URL or, if that is not set, [transport.DefaultBaseURL].
func WithBaseURL(address string) SharedOption { return transport.WithBaseURL(address) }

// WithHTTPClient sets the HTTP client that sends the requests. See
// [transport.WithHTTPClient] for the requirements on redirects, retries and TLS.
func WithHTTPClient(h *http.Client) Option { return transport.WithHTTPClient(h) }

// NewClient returns a client for all domains. It accepts every client option of
// the transport package; options take precedence over the environment. It sends
// no requests. It returns an error if there is neither an API key nor a
// [TokenSource], or if an option is invalid.
func NewClient(opts ...Option) (*Client, error) {
	sdkerrors.Register(sdkerrors.Main, made)
	var env []Option
	if key := os.Getenv(EnvAPIKey); key != "" {
		env = append(env, WithAPIKey(key))
	}
	if address := os.Getenv(EnvBaseURL); address != "" {
		env = append(env, WithBaseURL(address))
	}
	t, err := transport.New(append(env, opts...)...)
	if errors.Is(err, sdkerrors.ErrNoCredentials) {
		return nil, errors.New("basiq: no credentials: set " + EnvAPIKey + ", or use WithAPIKey or WithTokenSource")
	}
	if err != nil {
		return nil, err
	}
	return &Client{
		Affordability: affordability.New(t),
		Analytics:     analytics.New(t),
		Core:          core.New(t),
		Data:          data.New(t),
		Enrich:        enrich.New(t),
		Identity:      identity.New(t),
		Insights:      insights.New(t),
		Merchants:     merchants.New(t),
		Payees:        payees.New(t),
		Reporting:     reporting.New(t),
		Webhooks:      webhooks.New(t),
		Transport:     t,
		polls:         newPollLimiter(pollRateOf(t.PollInterval())),
		consentURL:    os.Getenv(EnvConsentURL),
	}, nil
}
