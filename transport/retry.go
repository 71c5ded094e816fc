package transport

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/basiq-sdk/basiq-go/internal/retries"
)

// RetryPolicy says how often and how patiently a failed call is retried. A zero
// field means its default. Whether a call may be retried at all is decided by the
// operation's Safety and by what came of the attempt: the table is in the package
// documentation.
//
// A host that does not exist, or a certificate that is not trusted, is not tried
// again: the result would be the same.
type RetryPolicy struct {
	// MaxAttempts is how often a call is sent at most. The default is 3; 1
	// means that nothing is repeated.
	MaxAttempts int
	// BaseDelay is the longest first wait. Each wait is drawn evenly from half of
	// its longest to its longest, so that a short outage does not meet two
	// attempts, and the longest doubles with every attempt. The default is 500 ms.
	BaseDelay time.Duration
	// MaxDelay bounds every wait. The default is 20 s.
	MaxDelay time.Duration
	// MaxRetryAfter is the longest wait that the API may ask for: for a longer
	// one the call fails at once, with an Error that has it. The default is one
	// minute.
	MaxRetryAfter time.Duration
	// Budget is how many retries a client sends without a success, so that a dead
	// server is not sent a storm. When it is spent, further retries wait for the
	// results of those that were sent: each one that succeeds lets another go, and
	// when all have failed, the calls that wait fail with ErrRetryBudget. After a
	// retry that failed, they leave one by one, a fiftieth of BaseDelay apart, until
	// a call succeeds. Ten other
	// calls that succeed also pay for one retry, and the first success after a
	// minute without failures restores the budget. The default is 100; -1 means
	// unlimited. It counts for all calls of a client and is ignored when it is
	// given to a call.
	Budget int
}

func (p RetryPolicy) check() error {
	if p.MaxAttempts < 0 || p.BaseDelay < 0 || p.MaxDelay < 0 || p.MaxRetryAfter < 0 || p.Budget < -1 {
		return fmt.Errorf("the retry policy has a negative member: %+v", p)
	}
	return nil
}

func (p RetryPolicy) withDefaults() RetryPolicy {
	def := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	def(&p.BaseDelay, 500*time.Millisecond)
	def(&p.MaxDelay, 20*time.Second)
	def(&p.MaxRetryAfter, time.Minute)
	if p.MaxAttempts == 0 {
		p.MaxAttempts = 3
	}
	if p.Budget == 0 {
		p.Budget = 100
	}
	return p
}

// delay draws the wait before attempt n+1: random, so that clients that failed
// together do not come back together; and at least half of the bound, so that the
// attempts of a call do not all fall into one short outage.
func (p RetryPolicy) delay(n int) time.Duration {
	bound := p.BaseDelay
	for range n - 1 {
		if bound >= p.MaxDelay/2 {
			bound = p.MaxDelay
			break
		}
		bound *= 2
	}
	bound = min(bound, p.MaxDelay)
	return bound/2 + rand.N(bound-bound/2)
}

// Outcome is what came of an attempt, as far as can be known.
type Outcome uint8

// Outcomes of an attempt.
const (
	// OutcomeDone is success.
	OutcomeDone Outcome = iota
	// OutcomeNeverSent is a failure before the request was sent: no address, no
	// connection, no TLS, or refused by HTTP/2 before it was processed.
	OutcomeNeverSent
	// OutcomeRefused is an answer that says that nothing was done: a status
	// below 500.
	OutcomeRefused
	// OutcomeUnknown is an answer that never came, or a status from 500 up: the
	// call may have been executed.
	OutcomeUnknown
	// OutcomeUnreadable is a success whose answer could not be read.
	OutcomeUnreadable
)

var outcomeNames = [...]string{"done", "never sent", "refused", "unknown", "unreadable"}

// String returns the outcome in words: "done", "never sent", "refused",
// "unknown" or "unreadable".
func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return fmt.Sprintf("outcome %d", uint8(o))
}

// rule returns the row of the table of retries for the result of an attempt that
// failed, and false if there is none: the call was executed.
func (r *result) rule() (retries.Row, bool) {
	switch {
	case r.outcome == OutcomeNeverSent:
		return retries.Of(retries.NeverSent), true
	case r.api != nil:
		return r.api.rule(), true
	case r.outcome == OutcomeUnknown:
		return retries.Of(retries.Lost), true
	}
	return retries.Row{}, false
}

// rule returns the row of the table of retries for the answer. Whether it is a
// rate limit does not depend on the status alone.
func (e *Error) rule() retries.Row {
	if e.rateLimited() {
		return retries.Of(http.StatusTooManyRequests)
	}
	return retries.Of(e.Status)
}

// retryable reports whether an operation of a class may be sent again after an
// attempt with this result.
func retryable(s Safety, r *result) bool {
	rule, ok := r.rule()
	return ok && !r.permanent && rule.Allowed(uint8(s))
}

// answered reports whether the API answered the call, with success or with a
// failure that a retry would not mend: it is alive then.
func (r *result) answered() bool {
	return r.err == nil || r.outcome == OutcomeUnreadable || r.api != nil && r.outcome == OutcomeRefused && !retryable(SafetyRead, r)
}

// sleep waits, or returns why the context ended first.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ContextError(ctx)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ContextError(ctx)
	}
}

// fits tells whether a wait ends before the context does.
func fits(ctx context.Context, wait time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return !ok || time.Until(deadline) > wait
}
