package transport

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// Observer receives the events of a client, for traces and metrics. Every function may
// be nil; one that is nil costs nothing. The functions are called in the goroutine of the
// call or of a token request. They must be safe for concurrent use, and quick. A panic in
// one is not recovered, except that a token request fails with a *TokenError, because it
// serves many calls. In a token request, they must not wait for a token of the same
// client, such as by making a call: that token request waits for them. Their arguments contain names, templates and numbers, but no
// values of requests or responses. The error of a TokenStore is passed unchanged.
//
// Workflows, calls and attempts are nested: a workflow makes calls, and a call makes
// attempts. Each is started once and ended once, whatever happens, even if a callback or
// the body of a loop panics. The contexts are nested in the same way: each Start function
// returns the context, for example with a span, that everything within gets. If it returns
// nil, the context stays as it was.
type Observer struct {
	// StartCall is called for every call, also for one that is refused before anything
	// is sent. Of the Call, only Operation and BaseURL are set. Each page of a list is a
	// call. A token request is a call of the operation "token"; its context has the
	// values of the call that started it, but may outlive it.
	StartCall func(ctx context.Context, c Call) context.Context
	// EndCall is called when the call has ended. ctx is the context that StartCall
	// returned.
	EndCall func(ctx context.Context, c Call)
	// StartAttempt is called before an attempt. Of the Attempt, only Operation, BaseURL,
	// Number and Wait are set.
	StartAttempt func(ctx context.Context, a Attempt) context.Context
	// EndAttempt is called after the response was read, or if there was none. ctx is
	// the context that StartAttempt returned.
	EndAttempt func(ctx context.Context, a Attempt)
	// Header returns headers that are added to an attempt, so that the API or a gateway
	// can continue a trace, such as traceparent. It is called after StartAttempt, also
	// for token requests. The rules of WithHeaderFunc apply, which takes precedence.
	Header func(ctx context.Context, a Attempt) http.Header
	// WaitedForToken is called in a call, or in Client.Token, that has waited for a token
	// request. ctx is the context of the call, or the one that was passed to Client.Token;
	// token is that of the token request, as StartCall returned it.
	// The call that started the token request is one of those that wait, unless it was
	// a refresh in the background. WaitedForToken is not called if a TokenSource or
	// another process requested the token.
	WaitedForToken func(ctx, token context.Context)
	// StartWorkflow is called for every workflow. Of the Workflow, only Name and JobID
	// are set.
	StartWorkflow func(ctx context.Context, w Workflow) context.Context
	// EndWorkflow is called when the workflow has ended. ctx is the context that
	// StartWorkflow returned.
	EndWorkflow func(ctx context.Context, w Workflow)
	// Drift is called for every difference between a response and its type. The call
	// does not fail, and the value is kept. ctx is that of the attempt.
	Drift func(ctx context.Context, d Drift)
	// StoreFailure is called when a TokenStore fails. The client then gets a token of
	// its own. step is "load", "lock" or "save".
	StoreFailure func(ctx context.Context, step string, err error)
}

// Call is a call of an operation, with all its attempts. Token requests are calls of the
// operation "token".
type Call struct {
	Operation *Operation // ID, method, path template and safety class
	BaseURL   string     // scheme, host and path prefix of the API

	Attempts  int           // 0 if nothing was sent
	Status    int           // of the last attempt; 0 if there was no response
	Outcome   Outcome       // OutcomeUnknown also if an earlier attempt may have been executed
	Err       error         // nil if the call succeeded; safe to log
	Duration  time.Duration // of the whole call
	Wait      time.Duration // retry delays, and time in the throttle's and the retry budget's queues
	Throttled time.Duration // the part of Wait that was spent in the throttle's queue
	TokenWait time.Duration // for an access token
}

// Attempt is one attempt of a call.
type Attempt struct {
	Operation *Operation    // ID, method, path template and safety class
	BaseURL   string        // scheme, host and path prefix of the API
	Number    int           // 1 for the first
	Wait      time.Duration // before this attempt: retry delay, and time in the throttle's and the retry budget's queues

	Status        int    // 0 if there was no response
	Proto         string // of the response, such as "HTTP/1.1"
	Outcome       Outcome
	Err           error         // nil if the attempt succeeded; safe to log
	Duration      time.Duration // from creating the request to the end of the response
	RetryAfter    time.Duration // from the Retry-After header
	CorrelationID string        // of an error response
	Again         bool          // the call is retried
	NextWait      time.Duration // the wait before the retry
}

// Drift is a difference between a response and the type into which it was decoded. It
// contains names, but no values.
type Drift struct {
	Operation string // "data.Transactions.List"
	wire.Drift
}

// WithObserver adds an observer. It may be used more than once.
//
//go:noinline
func WithObserver(o Observer) ClientOption {
	return clientOption(func(c *config) error {
		c.client.observers = append(c.client.observers, &o)
		return nil
	})
}

// WithLogger logs attempts: those that succeeded at debug level; those that are retried,
// found nothing (404) or were canceled by the caller at info level; all other failures as
// warnings. It also warns of drift, of failures of a TokenStore, and of an HTTP client
// that retries requests itself. The log contains no credentials and no values of requests or responses. The
// error of a TokenStore is logged unchanged.
//
// In logs of your own, do not log a struct that contains a type with a secret, such as
// core.AccessToken or webhooks.Webhook. slog's JSON handler writes the struct's JSON,
// which contains the secret.
//
//go:noinline
func WithLogger(l *slog.Logger) ClientOption {
	return clientOption(func(c *config) error {
		if l == nil {
			return errors.New("WithLogger: the logger is nil")
		}
		c.client.logger = l
		c.client.observers = append(c.client.observers, logObserver(l))
		return nil
	})
}

func logObserver(l *slog.Logger) *Observer {
	to := logTo{l}
	return &Observer{EndAttempt: to.attempt, Drift: to.drift, StoreFailure: to.storeFailure}
}

// logTo has the functions of the observer that logs. They are methods, because closures
// would be compiled again wherever logObserver is inlined.
type logTo struct{ logger *slog.Logger }

func (l logTo) attempt(ctx context.Context, a Attempt) {
	level, message := levelOf(a)
	if !l.logger.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("operation", a.Operation.ID), slog.String("method", a.Operation.Method), slog.String("path", a.Operation.Path),
		slog.Int("attempt", a.Number), slog.Int("status", a.Status), slog.String("outcome", a.Outcome.String()),
		slog.Duration("duration", a.Duration),
	}
	if a.Err != nil {
		attrs = append(attrs, slog.String("error", a.Err.Error()))
	}
	if codeLike(a.CorrelationID) { // other texts may contain personal data
		attrs = append(attrs, slog.String("correlationId", a.CorrelationID))
	}
	if a.Again {
		attrs = append(attrs, slog.Duration("nextWait", a.NextWait))
	}
	l.logger.LogAttrs(ctx, level, message, attrs...)
}

func (l logTo) drift(ctx context.Context, d Drift) {
	l.logger.LogAttrs(ctx, slog.LevelWarn, "basiq: drift", slog.String("operation", d.Operation), slog.String("path", d.Path),
		slog.String("kind", d.Kind.String()), slog.String("want", d.Want), slog.String("got", d.Got))
}

func (l logTo) storeFailure(ctx context.Context, step string, err error) {
	l.logger.LogAttrs(ctx, slog.LevelWarn, "basiq: token store failed", slog.String("step", step), slog.String("error", err.Error()))
}

// levelOf returns the level and the message for an attempt. Only what somebody may have
// to look at is a warning.
func levelOf(a Attempt) (slog.Level, string) {
	switch {
	case a.Err == nil:
		return slog.LevelDebug, "basiq: call"
	case a.Again:
		return slog.LevelInfo, "basiq: call is retried"
	case a.Status == http.StatusNotFound && a.Operation != &opToken, errors.Is(a.Err, context.Canceled):
		return slog.LevelInfo, "basiq: call failed"
	}
	return slog.LevelWarn, "basiq: call failed"
}

func (c *Client) warn(ctx context.Context, message string, op *Operation) {
	if c.logger != nil {
		c.logger.LogAttrs(ctx, slog.LevelWarn, "basiq: "+message, slog.String("operation", op.ID))
	}
}
