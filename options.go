package basiq

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/basiq-sdk/basiq-go/transport"
)

// SharedOption configures a client, if passed to [NewClient], or a single call.
type SharedOption = transport.SharedOption

// RetryPolicy configures retries. A zero field means its default.
type RetryPolicy = transport.RetryPolicy

// Observer is notified of every workflow, call and attempt, and of responses that
// deviate from their types.
type Observer = transport.Observer

// Types that an [Observer] receives.
type (
	// Workflow is a task of several calls, such as a wait for a job, or a sync.
	Workflow = transport.Workflow
	// Call is a call with all its attempts.
	Call = transport.Call
	// Attempt is one attempt of a call.
	Attempt = transport.Attempt
	// Outcome is whether a call or an attempt was executed.
	Outcome = transport.Outcome
	// Drift is a difference between a response and its type.
	Drift = transport.Drift
	// Operation is an operation of the API.
	Operation = transport.Operation
)

// Values of Outcome.
const (
	OutcomeDone       = transport.OutcomeDone       // it succeeded
	OutcomeNeverSent  = transport.OutcomeNeverSent  // it failed before the request was sent
	OutcomeRefused    = transport.OutcomeRefused    // the API rejected it without executing it
	OutcomeUnknown    = transport.OutcomeUnknown    // it may have been executed
	OutcomeUnreadable = transport.OutcomeUnreadable // it succeeded, and the response cannot be read
)

// TokenSource provides access tokens instead of an API key.
type TokenSource = transport.TokenSource

// TokenStore shares access tokens between processes.
type TokenStore = transport.TokenStore

// WithTimeout limits each attempt of a call. The default is one minute. 0 means
// no limit except the context's deadline.
func WithTimeout(d time.Duration) SharedOption { return transport.WithTimeout(d) }

// WithCallTimeout limits a call as a whole, including retries and the waits
// between them. The default is 0, which means no limit except the context's
// deadline.
func WithCallTimeout(d time.Duration) SharedOption { return transport.WithCallTimeout(d) }

// WithRetryPolicy configures how calls are retried, within the limits of their
// safety classes.
func WithRetryPolicy(p RetryPolicy) SharedOption { return transport.WithRetryPolicy(p) }

// WithoutRetry disables retries: each call is sent once, and a second time only
// if its access token was rejected.
func WithoutRetry() SharedOption { return transport.WithoutRetry() }

// WithoutThrottle disables the throttle, which slows reads down while the API
// responds with rate limit errors.
func WithoutThrottle() Option { return transport.WithoutThrottle() }

// WithTokenSource uses access tokens from s instead of requesting them with an
// API key.
func WithTokenSource(s TokenSource) Option { return transport.WithTokenSource(s) }

// WithTokenStore shares access tokens with other processes that use the same
// API key. The API key is required even if there is a [TokenSource].
func WithTokenStore(s TokenStore) Option { return transport.WithTokenStore(s) }

// WithTokenRefresh sets the age at which a token is refreshed in the
// background. The default is 25 minutes; tokens are valid for 60.
func WithTokenRefresh(age time.Duration) Option { return transport.WithTokenRefresh(age) }

// WithPollInterval sets the default of [WaitOptions.Interval]. An interval below
// 50 ms also raises the rate of polls, which SetPollRate limits.
func WithPollInterval(d time.Duration) Option { return transport.WithPollInterval(d) }

// WithClock uses now instead of time.Now, for tests. See [transport.WithClock].
func WithClock(now func() time.Time) Option { return transport.WithClock(now) }

// WithHeaderFunc sets request headers that depend on the context, such as a
// request ID. See transport.WithHeaderFunc.
func WithHeaderFunc(f func(ctx context.Context) http.Header) SharedOption {
	return transport.WithHeaderFunc(f)
}

// WithObserver adds an observer, for tracing and metrics.
func WithObserver(o Observer) Option { return transport.WithObserver(o) }

// WithLogger logs every attempt: successes at level debug, attempts that are
// retried, 404s and canceled calls at level info, other failures and deviating
// responses at level warn. It logs no credentials and no values of
// requests or responses. See [transport.WithLogger].
func WithLogger(l *slog.Logger) Option { return transport.WithLogger(l) }

// WithUserAgentSuffix appends s, such as "shop/1.0", to the User-Agent header.
func WithUserAgentSuffix(s string) Option { return transport.WithUserAgentSuffix(s) }

// WithGatewayLinks makes links to the API's own host lead to the base URL, for
// gateways that pass responses on unchanged. See [transport.WithGatewayLinks].
func WithGatewayLinks() SharedOption { return transport.WithGatewayLinks() }

// WithInsecureBaseURL allows plain http to any host. Tokens and personal data
// are then sent unencrypted.
func WithInsecureBaseURL() SharedOption { return transport.WithInsecureBaseURL() }
