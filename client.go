package basiq

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"github.com/basiq-sdk/basiq-go/generated/affordability"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/generated/enrich"
	"github.com/basiq-sdk/basiq-go/generated/identity"
	"github.com/basiq-sdk/basiq-go/generated/reporting"
	"github.com/basiq-sdk/basiq-go/generated/webhooks"
	"github.com/basiq-sdk/basiq-go/internal/sdkerrors"
	"github.com/basiq-sdk/basiq-go/transport"
)

// Environment variables that NewClient reads where no option says otherwise.
const (
	EnvAPIKey  = "BASIQ_API_KEY"
	EnvBaseURL = "BASIQ_BASE_URL"
)

// Client gives access to every domain of the API. It is safe for concurrent use.
type Client struct {
	Affordability *affordability.Client // summaries; deprecated by Basiq in favour of reports
	Core          *core.Client          // users, consents, auth links, events, jobs
	Data          *data.Client          // accounts, transactions, connections, statements, connectors
	Enrich        *enrich.Client        // what is behind a transaction's text
	Identity      *identity.Client      // who the account holders are
	Reporting     *reporting.Client     // reports
	Webhooks      *webhooks.Client      // webhooks and their deliveries

	// Transport is what all of them send through: for calls that have no
	// method, and for tokens to hand to the Consent UI.
	Transport *transport.Client

	polls *pacer
}

// Option configures NewClient.
type Option = transport.ClientOption

// ready says what keeps a method from its work: a client that NewClient has not
// made, or a context that is nil.
func (c *Client) ready(ctx context.Context, method string) error {
	switch {
	case c == nil || c.Transport == nil || c.Core == nil || c.Data == nil || c.Reporting == nil || c.polls == nil:
		return fmt.Errorf("basiq: %s: the client is nil or incomplete: make one with NewClient", method)
	case ctx == nil:
		return fmt.Errorf("basiq: %s: the context is nil: give the request's, or context.Background()", method)
	}
	return nil
}

// Close ends what the client does in the background, and closes idle connections.
// It returns nil. See transport.Client.Close.
func (c *Client) Close() error {
	if c == nil {
		return nil
	}
	return c.Transport.Close()
}

// Error is the error of a call that the API answered with anything but success.
type Error = transport.Error

// WithAPIKey sets the API key, exactly as Basiq's dashboard shows it. The
// default is the environment's BASIQ_API_KEY.
func WithAPIKey(key string) Option { return transport.WithAPIKey(key) }

// WithBaseURL sets the API's address. The default is the environment's
// BASIQ_BASE_URL, or transport.DefaultBaseURL.
func WithBaseURL(address string) SharedOption { return transport.WithBaseURL(address) }

// WithHTTPClient sets the HTTP client to send with. See transport.WithHTTPClient
// for what is expected of it: redirects, repetitions, TLS.
func WithHTTPClient(h *http.Client) Option { return transport.WithHTTPClient(h) }

// NewClient returns a client for all domains. Every option of the transport
// package can be given; options win over the environment. Nothing is sent. It
// fails without an API key or a TokenSource, and when an option is invalid.
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
	if err != nil {
		return nil, err
	}
	return &Client{
		Affordability: affordability.New(t),
		Core:          core.New(t),
		Data:          data.New(t),
		Enrich:        enrich.New(t),
		Identity:      identity.New(t),
		Reporting:     reporting.New(t),
		Webhooks:      webhooks.New(t),
		Transport:     t,
		polls:         newPacer(defaultPollRate),
	}, nil
}
