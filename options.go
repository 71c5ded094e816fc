package basiq

import (
	"log/slog"
	"time"

	"github.com/basiq-sdk/basiq-go/transport"
)

// SharedOption configures NewClient or changes one call.
type SharedOption = transport.SharedOption

// RetryPolicy says how calls are repeated. The zero value of each member means
// its default.
type RetryPolicy = transport.RetryPolicy

// Observer is told of every attempt of a call, and of answers that differ from
// their types.
type Observer = transport.Observer

// TokenSource gets access tokens in place of the API key.
type TokenSource = transport.TokenSource

// TokenStore shares access tokens between processes.
type TokenStore = transport.TokenStore

// WithTimeout bounds each time a call is sent. The default is one minute; 0
// means no bound but the context's.
func WithTimeout(d time.Duration) SharedOption { return transport.WithTimeout(d) }

// WithCallTimeout bounds a call as a whole, with its repetitions and waits. The
// default, 0, is no bound but the context's.
func WithCallTimeout(d time.Duration) SharedOption { return transport.WithCallTimeout(d) }

// WithRetryPolicy sets how calls are repeated, within what their safety class
// allows.
func WithRetryPolicy(p RetryPolicy) SharedOption { return transport.WithRetryPolicy(p) }

// WithoutRetry sends each call once, or twice when its token was rejected.
func WithoutRetry() SharedOption { return transport.WithoutRetry() }

// WithoutThrottle turns off what slows reads down while the API keeps refusing
// them as too many.
func WithoutThrottle() Option { return transport.WithoutThrottle() }

// WithTokenSource uses tokens from elsewhere instead of getting them with an API
// key.
func WithTokenSource(s TokenSource) Option { return transport.WithTokenSource(s) }

// WithTokenStore shares tokens with other processes that have the same API key,
// which must be given beside a TokenSource, too.
func WithTokenStore(s TokenStore) Option { return transport.WithTokenStore(s) }

// WithTokenRefresh sets the age at which a token is renewed in the background.
// The default is 25 of its 60 minutes.
func WithTokenRefresh(age time.Duration) Option { return transport.WithTokenRefresh(age) }

// WithClock takes the time from now instead of time.Now, in tests. See
// transport.WithClock.
func WithClock(now func() time.Time) Option { return transport.WithClock(now) }

// WithObserver adds an observer, for traces and metrics.
func WithObserver(o Observer) Option { return transport.WithObserver(o) }

// WithLogger logs every attempt: successes at debug level, failures and drift
// as warnings. No credential and no value of a request or an answer is logged.
// See transport.WithLogger.
func WithLogger(l *slog.Logger) Option { return transport.WithLogger(l) }

// WithUserAgentSuffix adds to the User-Agent header, such as "shop/1.0".
func WithUserAgentSuffix(s string) Option { return transport.WithUserAgentSuffix(s) }

// WithInsecureBaseURL allows plain http to any host: tokens and personal data
// then cross the network in clear.
func WithInsecureBaseURL() SharedOption { return transport.WithInsecureBaseURL() }
