package transport

import (
	"context"
	"errors"
	"time"

	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// watched says which events have an observer. Nothing is measured for the others.
type watched struct{ calls, attempts, headers, tokens, workflows bool }

func watchedBy(observers []*Observer) (w watched) {
	for _, o := range observers {
		w.tokens = w.tokens || o.WaitedForToken != nil
		w.headers = w.headers || o.Header != nil
		w.attempts = w.attempts || o.StartAttempt != nil || o.EndAttempt != nil || w.headers
		// WaitedForToken needs the context of the token request's call; and only the end of
		// a call ends an attempt in which a callback panicked.
		w.calls = w.calls || o.StartCall != nil || o.EndCall != nil || w.tokens || w.attempts
		w.workflows = w.workflows || o.StartWorkflow != nil || o.EndWorkflow != nil
	}
	return w
}

// errAborted is the error of what was started and did not return.
var errAborted = errors.New("basiq: the call did not return: a callback panicked or called runtime.Goexit")

func (c *Client) startCall(ctx context.Context, call Call) context.Context {
	for _, o := range c.observers {
		if o.StartCall != nil {
			ctx = derived(ctx, o.StartCall(ctx, call))
		}
	}
	return ctx
}

func (c *Client) endCall(ctx context.Context, call Call) {
	for _, o := range c.observers {
		if o.EndCall != nil {
			o.EndCall(ctx, call)
		}
	}
}

// derived returns the context that an observer returned, or ctx if it returned nil.
func derived(ctx, of context.Context) context.Context {
	if of == nil {
		return ctx
	}
	return of
}

// refuse returns err, the error of a call that must not be sent, after observers have
// seen the call.
func (c *Client) refuse(ctx context.Context, op *Operation, err error) error {
	if c.watched.calls {
		call := Call{Operation: op, BaseURL: c.address}
		ctx = c.startCall(ctx, call)
		call.Outcome, call.Err = OutcomeNeverSent, err
		c.endCall(ctx, call)
	}
	return err
}

// runObserved is run for a client with an observer of calls.
func (e *execution) runObserved(ctx context.Context) (err error) {
	c, call := e.client, Call{Operation: e.op, BaseURL: e.call.address}
	ctx = c.startCall(ctx, call)
	if f := e.call.flight; f != nil {
		f.observed.Store(&ctx)
	}
	start := time.Now()
	call.Err = errAborted
	defer func() {
		if e.open { // a panic
			e.last.err, e.last.outcome = call.Err, OutcomeUnknown
			e.observe(false)
		}
		call.Attempts, call.Status, call.Outcome = e.attempts, e.last.event.Status, e.outcome(call.Err)
		call.Duration, call.Wait, call.Throttled, call.TokenWait = time.Since(start), e.waited, e.throttled, e.token.waited
		c.endCall(ctx, call)
	}()
	err = e.run(ctx)
	call.Err = err
	return err
}

// outcome returns the outcome of a call that has ended with err.
func (e *execution) outcome(err error) Outcome {
	switch {
	case err == nil:
		return OutcomeDone
	case e.outcomeUnknown():
		return OutcomeUnknown
	case e.attempts == 0:
		return OutcomeNeverSent
	}
	return e.last.outcome
}

// tokenWait is how long a call, or Client.Token, waited for access tokens.
type tokenWait struct {
	waited time.Duration
	flight *flight // the last one for which it waited
}

// add adds the time since start, in which a call waited for f.
func (w *tokenWait) add(f *flight, start time.Time) {
	w.waited += time.Since(start)
	w.flight = f
}

// link calls the observers' WaitedForToken if the call has waited since link was last
// called.
func (w *tokenWait) link(ctx context.Context, c *Client) {
	f := w.flight
	w.flight = nil
	if f == nil || !c.watched.tokens {
		return
	}
	token := f.observed.Load()
	if token == nil {
		return
	}
	for _, o := range c.observers {
		if o.WaitedForToken != nil {
			o.WaitedForToken(ctx, *token)
		}
	}
}

// startAttempt calls the observers' StartAttempt.
func (c *Client) startAttempt(ctx context.Context, a Attempt) context.Context {
	for _, o := range c.observers {
		if o.StartAttempt != nil {
			ctx = derived(ctx, o.StartAttempt(ctx, a))
		}
	}
	return ctx
}

// observe calls the observers' EndAttempt for the last attempt.
func (e *execution) observe(again bool) {
	if !e.open {
		return
	}
	e.open = false
	r := &e.last
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
	for _, o := range e.client.observers {
		if o.EndAttempt != nil {
			o.EndAttempt(r.ctx, a)
		}
	}
}

// driftHook returns the function to which decoding reports drift; nil if no
// observer asks for it.
func (e *execution) driftHook() func(wire.Drift) {
	for _, o := range e.client.observers {
		if o.Drift != nil {
			return e.reportDrift
		}
	}
	return nil
}

func (e *execution) reportDrift(d wire.Drift) {
	d.Path = redact(d.Path, e.secrets()...) // the server chooses the names of members
	for _, o := range e.client.observers {
		if o.Drift != nil {
			o.Drift(e.last.ctx, Drift{e.op.ID, d})
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
