package transport

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/basiq-sdk/basiq-go/internal/retries"
)

// RetryPolicy sets how often and after which delays a failed call is retried. A zero
// field has its default value. Whether a call may be retried at all depends on the
// operation's Safety and on the failure: see the table in the package documentation.
//
// Permanent failures, such as a host that does not exist or a certificate that is not
// trusted, are not retried.
type RetryPolicy struct {
	// MaxAttempts is the maximum number of attempts. The default is 3; 1 means no
	// retries.
	MaxAttempts int
	// BaseDelay is the maximum of the first delay. The maximum doubles with every
	// attempt. Each delay is random, between half of its maximum and the maximum, so
	// that a short outage does not affect two attempts. The default is 500 ms.
	BaseDelay time.Duration
	// MaxDelay limits every delay. The default is 20 s.
	MaxDelay time.Duration
	// MaxRetryAfter is the longest Retry-After that is respected. If the API asks for
	// a longer wait, the call fails at once, and Error.RetryAfter contains it. The
	// default is one minute.
	MaxRetryAfter time.Duration
	// Budget is the number of retries that a client may send without a success, so
	// that a dead server is not flooded. The default is 100; -1 means unlimited. It is
	// shared by all calls of a client, and ignored in an option of a call.
	//
	// When the budget is spent, further retries wait for the results of those that
	// were sent. Each success admits another retry. When all have failed, the waiting
	// calls fail with ErrRetryBudget. After a failed retry, retries are sent one by
	// one, a fiftieth of BaseDelay apart, until a call succeeds.
	//
	// Ten successful calls add one retry to the budget. The first success after a
	// minute without failures restores it.
	Budget int
}

// validate returns an error if a field is out of range.
func (p RetryPolicy) validate() error {
	if p.MaxAttempts < 0 || p.BaseDelay < 0 || p.MaxDelay < 0 || p.MaxRetryAfter < 0 || p.Budget < -1 {
		return fmt.Errorf("the retry policy has a negative field; only Budget may be -1: %+v", p)
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

// delay returns the delay before attempt n+1. It is random, so that clients that failed
// together do not retry together. It is at least half of its maximum, so that the
// attempts of a call do not all fall into one short outage.
func (p RetryPolicy) delay(n int) time.Duration {
	longest := min(p.BaseDelay, p.MaxDelay)
	for range n - 1 {
		longest += min(longest, p.MaxDelay-longest)
	}
	return longest/2 + rand.N(longest-longest/2)
}

// Outcome is the outcome of an attempt, as far as it is known.
type Outcome uint8

// Outcomes of an attempt.
const (
	// OutcomeDone means that the attempt succeeded.
	OutcomeDone Outcome = iota
	// OutcomeNeverSent means that the attempt failed before the request was sent: in
	// DNS, TCP or TLS, or because the HTTP/2 server refused the stream unprocessed.
	OutcomeNeverSent
	// OutcomeRefused means that the API rejected the request without executing it,
	// with a status below 500.
	OutcomeRefused
	// OutcomeUnknown means that the request may have been executed: there was no
	// complete response, or the status is 500 or higher.
	OutcomeUnknown
	// OutcomeUnreadable means that the attempt succeeded, and that the response could
	// not be read.
	OutcomeUnreadable
)

var outcomeNames = [...]string{"done", "never sent", "refused", "unknown", "unreadable"}

// String returns the name of the outcome: "done", "never sent", "refused",
// "unknown" or "unreadable".
func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return fmt.Sprintf("outcome %d", uint8(o))
}

// rule returns the row of the retry table for a failed attempt, and false if there is
// none because the call was executed.
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

// rule returns the row of the retry table for the response. Not only status 429 is a rate
// limit.
func (e *Error) rule() retries.Row {
	if e.rateLimited() {
		return retries.Of(http.StatusTooManyRequests)
	}
	return retries.Of(e.Status)
}

// retryable reports whether an operation of this class may be retried after an attempt
// with this result.
func retryable(s Safety, r *result) bool {
	rule, ok := r.rule()
	return ok && !r.permanent && rule.Allowed(uint8(s))
}

// answered reports whether the API handled the request, with success or with an error
// that a retry would not avoid. The API is then available.
func (r *result) answered() bool {
	return r.err == nil || r.outcome == OutcomeUnreadable || r.api != nil && r.outcome == OutcomeRefused && !retryable(SafetyRead, r)
}

// fitsDeadline reports whether a wait ends before the context does.
func fitsDeadline(ctx context.Context, wait time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return !ok || time.Until(deadline) > wait
}
