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
// be nil. The functions are called in the goroutine of the call or of a token refresh.
// They must be safe for concurrent use, and quick. Their arguments contain names,
// templates and numbers, but no values of requests or responses. The error of a
// TokenStore is passed unchanged.
type Observer struct {
	// StartAttempt is called before an attempt. The context that it returns, for
	// example with a span, is used for the attempt. Of the Attempt, only Operation,
	// Number and Wait are set.
	StartAttempt func(ctx context.Context, a Attempt) context.Context
	// EndAttempt is called after the response was read, or if there was none. ctx is
	// the context that StartAttempt returned.
	EndAttempt func(ctx context.Context, a Attempt)
	// Drift is called for every difference between a response and its type. The call
	// does not fail, and the value is kept.
	Drift func(ctx context.Context, d Drift)
	// StoreFailure is called when a TokenStore fails. The client then gets a token of
	// its own. step is "load", "lock" or "save".
	StoreFailure func(ctx context.Context, step string, err error)
}

// Attempt is one attempt of a call. Token requests are calls of the operation "token".
type Attempt struct {
	Operation *Operation    // ID, method, path template and safety class
	Number    int           // 1 for the first
	Wait      time.Duration // before this attempt: retry delay, and time in the throttle's and the retry budget's queues

	Status        int // 0 if there was no response
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
	return &Observer{
		EndAttempt: func(ctx context.Context, a Attempt) {
			level, message := levelOf(a)
			if !l.Enabled(ctx, level) {
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
			l.LogAttrs(ctx, level, message, attrs...)
		},
		Drift: func(ctx context.Context, d Drift) {
			l.LogAttrs(ctx, slog.LevelWarn, "basiq: drift", slog.String("operation", d.Operation), slog.String("path", d.Path),
				slog.String("kind", d.Kind.String()), slog.String("want", d.Want), slog.String("got", d.Got))
		},
		StoreFailure: func(ctx context.Context, step string, err error) {
			l.LogAttrs(ctx, slog.LevelWarn, "basiq: token store failed", slog.String("step", step), slog.String("error", err.Error()))
		},
	}
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

// observeStart calls the observers' StartAttempt.
func (c *Client) observeStart(ctx context.Context, a Attempt) context.Context {
	for _, o := range c.observers {
		if o.StartAttempt != nil {
			if derived := o.StartAttempt(ctx, a); derived != nil {
				ctx = derived
			}
		}
	}
	return ctx
}

// observe calls the observers' EndAttempt.
func (c *Client) observe(r *result, again bool) {
	if len(c.observers) == 0 {
		return
	}
	a := r.event
	a.Outcome, a.Err, a.Again, a.NextWait = r.outcome, r.err, again, r.wait
	if r.api != nil {
		shown := *r.api // a copy: the call's error is not complete yet
		shown.Attempts, a.Err = a.Number, &shown
	}
	if r.unanswered != nil {
		shown := *r.unanswered
		shown.Attempts, a.Err = a.Number, &shown
	}
	for _, o := range c.observers {
		if o.EndAttempt != nil {
			o.EndAttempt(r.ctx, a)
		}
	}
}

// driftHook returns the function to which decoding reports drift; nil if no
// observer asks for it.
func (e *execution) driftHook() func(wire.Drift) {
	var observers []func(context.Context, Drift)
	for _, o := range e.client.observers {
		if o.Drift != nil {
			observers = append(observers, o.Drift)
		}
	}
	if observers == nil {
		return nil
	}
	return func(d wire.Drift) {
		d.Path = redact(d.Path, e.secrets()...) // the server chooses the names of members
		for _, observe := range observers {
			observe(e.last.ctx, Drift{e.op.ID, d})
		}
	}
}

func (t *tokenCache) storeFailed(ctx context.Context, step string, err error) {
	for _, o := range t.client.observers {
		if o.StoreFailure != nil {
			o.StoreFailure(ctx, step, err)
		}
	}
}

func (c *Client) warn(ctx context.Context, message string, op *Operation) {
	if c.logger != nil {
		c.logger.LogAttrs(ctx, slog.LevelWarn, "basiq: "+message, slog.String("operation", op.ID))
	}
}
