package transport

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"
)

// RetryPolicy says how often and how patiently a failed call is sent again. A
// zero member means its default. Whether a call may be sent again at all, the
// operation's Safety decides:
//
//	                           A read  B idempotent  C write  D unrepeatable
//	provably never sent        yes     yes           yes      yes
//	429 (or a 403 saying so)   yes     yes           yes      no
//	408, 502, 503, 504         yes     yes           no       no
//	500                        yes     no            no       no
//	answer lost on the way     yes     yes           no       no
//	anything else              no      no            no       no
//
// A host that does not exist, or a certificate that is not trusted, is not
// tried again: it will be the same.
type RetryPolicy struct {
	// MaxAttempts is how often a call is sent at most. The default is 3; 1
	// means that nothing is repeated.
	MaxAttempts int
	// BaseDelay bounds the first wait, which is drawn evenly from 0 to it. Each
	// further bound is twice the one before. The default is 500 ms.
	BaseDelay time.Duration
	// MaxDelay bounds the bound. The default is 20 s.
	MaxDelay time.Duration
	// MaxRetryAfter is the longest wait that the API may ask for: for a longer
	// one the call fails at once, with an Error that has it. The default is one
	// minute.
	MaxRetryAfter time.Duration
	// Budget is how many calls a client may repeat while nothing succeeds, so
	// that an outage is not answered with a storm. A call that succeeds after
	// being repeated gives its share back, ten others that succeed pay for one,
	// and the first success after a quiet minute fills it. The default is 100;
	// -1 means no bound. It counts for all calls of a client: given to a call,
	// it is ignored.
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

// delay draws the wait before attempt n+1: full jitter, so that clients that
// failed together do not come back together.
func (p RetryPolicy) delay(n int) time.Duration {
	bound := p.BaseDelay
	for range n - 1 {
		if bound >= p.MaxDelay/2 {
			bound = p.MaxDelay
			break
		}
		bound *= 2
	}
	return rand.N(min(bound, p.MaxDelay))
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

// repeatable is the table of classes: whether an operation of a class may be
// sent again after an attempt with this result.
func repeatable(s Safety, r *result) bool {
	if r.permanent {
		return false
	}
	switch r.outcome {
	case OutcomeNeverSent:
		return true
	case OutcomeRefused:
		return r.api.rateLimited() && s <= SafetyWrite ||
			r.api.Status == http.StatusRequestTimeout && s <= SafetyIdempotent
	case OutcomeUnknown:
		switch {
		case r.api == nil: // the answer never came, or was cut off
			return s <= SafetyIdempotent
		case r.api.Status == http.StatusInternalServerError:
			return s == SafetyRead
		case slices.Contains([]int{http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout}, r.api.Status):
			return s <= SafetyIdempotent
		}
	}
	return false
}

// budget is a bucket of tokens: repeating a call takes one. It is what keeps a
// thousand calls to a dead server from becoming three thousand.
type budget struct {
	mu       sync.Mutex
	capacity float64
	left     float64
	failed   time.Time // when an attempt failed last
}

const (
	budgetPerSuccess = 0.1         // ten successes pay for one repetition
	budgetQuiet      = time.Minute // without failures, after which a success fills the bucket
)

func newBudget(n int) *budget { return &budget{capacity: float64(n), left: float64(n)} }

// take tells whether a call may be repeated.
func (b *budget) take() bool {
	if b.capacity < 0 {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failed = time.Now()
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}

// succeed notes a success after so many repetitions.
func (b *budget) succeed(repeated int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.left == b.capacity || b.capacity < 0 {
		return
	}
	if time.Since(b.failed) > budgetQuiet {
		b.left = b.capacity
		return
	}
	b.left = min(b.capacity, b.left+max(float64(repeated), budgetPerSuccess))
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
