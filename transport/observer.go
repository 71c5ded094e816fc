package transport

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// Observer is told what a client does: enough for traces and metrics. Each of
// its functions may be nil. They are called in the goroutine of the call, or of
// a token's refresh, and must be safe for concurrent use and quick. What they
// are told holds names, templates and numbers, never values; the error of a
// TokenStore is passed on as it is.
type Observer struct {
	// StartAttempt is called before a call is sent; what it returns is the
	// context of the attempt, with a span in it for instance. Of the Attempt
	// only the first members are set, up to Wait.
	StartAttempt func(ctx context.Context, a Attempt) context.Context
	// EndAttempt is called when the answer was read, or there was none. ctx is
	// what StartAttempt returned.
	EndAttempt func(ctx context.Context, a Attempt)
	// Drift is called for every difference between an answer and its type.
	// Nothing fails for it, and the value is kept.
	Drift func(ctx context.Context, d Drift)
	// StoreFailure is called when a TokenStore failed: this process then gets a
	// token for itself. step is "load", "lock" or "save".
	StoreFailure func(ctx context.Context, step string, err error)
}

// Attempt is one sending of a call. Requests for tokens are calls too, of the
// operation "token".
type Attempt struct {
	Operation *Operation    // what is called: its ID, method, path template, safety class
	Number    int           // 1 for the first
	Wait      time.Duration // before this attempt: after the one before, and for its turn when the API refuses too many

	Status        int // 0 if there was no answer
	Outcome       Outcome
	Err           error         // what went wrong, nil if nothing did; safe to log
	Duration      time.Duration // from before the request was made to after the answer was read
	RetryAfter    time.Duration // what the API asked for
	CorrelationID string        // of an answer that is no success
	Again         bool          // the call is sent again
	NextWait      time.Duration // before that
}

// Drift is a difference between an answer and the type it was read into. It
// names places, never values.
type Drift struct {
	Operation string // "data.Transactions.List"
	wire.Drift
}

// WithObserver adds an observer.
func WithObserver(o Observer) ClientOption {
	return clientOption(func(c *config) error {
		c.client.observers = append(c.client.observers, &o)
		return nil
	})
}

// WithLogger logs every attempt: successes at debug level; failures, drift,
// failures of a TokenStore and an HTTP client that repeats calls by itself as
// warnings. What is logged holds no credential and no value of a request or an
// answer; the error of a TokenStore is logged as it is. In logs of your own, do
// not put a value that holds a secret (core.AccessToken, webhooks.Webhook) into a
// struct: slog's JSON handler writes the JSON of a struct, which has the secret.
func WithLogger(l *slog.Logger) ClientOption {
	return clientOption(func(c *config) error {
		if l == nil {
			return errors.New("the logger is nil")
		}
		c.client.logger = l
		c.client.observers = append(c.client.observers, logObserver(l))
		return nil
	})
}

func logObserver(l *slog.Logger) *Observer {
	return &Observer{
		EndAttempt: func(ctx context.Context, a Attempt) {
			level, message := slog.LevelDebug, "basiq: call"
			if a.Err != nil {
				level, message = slog.LevelWarn, "basiq: call failed"
			}
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
			if codeLike(a.CorrelationID) { // any other text may hold anything
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

// observeStart tells observers that an attempt begins.
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

// observe tells observers what came of an attempt, and of what follows.
func (c *Client) observe(r *result, again bool) {
	if len(c.observers) == 0 {
		return
	}
	a := r.event
	a.Outcome, a.Err, a.Again, a.NextWait = r.outcome, r.err, again, r.wait
	if r.api != nil {
		shown := *r.api // the one that the caller gets is not finished yet
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

// driftHook returns what decoding reports differences to, nil if nobody hears.
func (c *Client) driftHook(op *Operation, r *result) func(wire.Drift) {
	var hears []func(context.Context, Drift)
	for _, o := range c.observers {
		if o.Drift != nil {
			hears = append(hears, o.Drift)
		}
	}
	if hears == nil {
		return nil
	}
	return func(d wire.Drift) {
		d.Path = scrub(d.Path, r.secrets()...) // names of members are the server's words
		for _, hear := range hears {
			hear(r.ctx, Drift{op.ID, d})
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
