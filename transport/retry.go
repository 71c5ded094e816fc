package transport

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// RetryPolicy says how often and how patiently a failed call is sent again.
// Whether it may be at all, the operation's Safety decides:
//
//	                      A read   B idempotent   C write   D unrepeatable
//	never sent            yes      yes            yes       yes
//	429                   yes      yes            yes       no
//	502, 503, 504         yes      yes            no        no
//	500                   yes      no             no        no
//	lost on the way       yes      yes            no        no
//
// The zero value is the default policy.
type RetryPolicy struct {
	// MaxAttempts is how often a call is sent at most; 0 means 3, 1 means once.
	MaxAttempts int
	// BaseDelay is the longest wait before the second attempt, doubled with
	// each one after; 0 means 500 milliseconds. The wait is chosen at random
	// between zero and it.
	BaseDelay time.Duration
	// MaxDelay bounds that wait; 0 means 8 seconds.
	MaxDelay time.Duration
	// MaxRetryAfter is how long the API may ask to wait for; 0 means one
	// minute. When it asks for more, the call ends with its answer.
	MaxRetryAfter time.Duration
}

func (p RetryPolicy) withDefaults() RetryPolicy {
	if p.MaxAttempts == 0 {
		p.MaxAttempts = 3
	}
	if p.BaseDelay == 0 {
		p.BaseDelay = 500 * time.Millisecond
	}
	if p.MaxDelay == 0 {
		p.MaxDelay = 8 * time.Second
	}
	if p.MaxRetryAfter == 0 {
		p.MaxRetryAfter = time.Minute
	}
	return p
}

func (p RetryPolicy) check() error {
	if p.MaxAttempts < 0 || p.BaseDelay < 0 || p.MaxDelay < 0 || p.MaxRetryAfter < 0 {
		return errors.New("the retry policy has a negative value: 0 means the default, MaxAttempts 1 means no repetition")
	}
	return nil
}

// WithRetryPolicy sets the client's retry policy.
func WithRetryPolicy(p RetryPolicy) ClientOption {
	return func(c *config) error { c.retry = p; return p.check() }
}

// WithRetry sets the retry policy of a call.
func WithRetry(p RetryPolicy) Option { return func(c *call) { c.retry = &p } }

// SendError is the error of a call that got no answer.
type SendError struct {
	Operation string
	Sent      bool // whether the request may have reached the API
	Attempts  int  // how often the call was tried
	Err       error
}

// Error says whether the API may have acted.
func (e *SendError) Error() string {
	outcome := "it was not sent"
	if e.Sent {
		outcome = "its outcome is unknown"
	}
	attempts := ""
	if e.Attempts > 1 {
		attempts = fmt.Sprintf(" after %d attempts", e.Attempts)
	}
	return fmt.Sprintf("basiq: %s: there is no answer%s, %s: %v", e.Operation, attempts, outcome, e.Err)
}

// Unwrap returns the cause.
func (e *SendError) Unwrap() error { return e.Err }

// mayRepeat tells whether a call that ended with err may be sent again.
func mayRepeat(op *Operation, err error) bool {
	var unanswered *SendError
	if errors.As(err, &unanswered) {
		return !unanswered.Sent || op.Safety <= SafetyIdempotent
	}
	var answered *Error
	if !errors.As(err, &answered) {
		return false
	}
	switch {
	case errors.Is(answered, ErrRateLimited):
		return op.Safety <= SafetyWrite
	case answered.Status == http.StatusInternalServerError:
		return op.Safety == SafetyRead
	case errors.Is(answered, ErrUnavailable):
		return op.Safety <= SafetyIdempotent
	}
	return false
}

// wait returns how long to wait before attempt number n is followed by the
// next, or false when the API asks for longer than the policy allows.
func (p RetryPolicy) wait(n int, err error) (time.Duration, bool) {
	longest := min(p.BaseDelay<<min(n-1, 20), p.MaxDelay)
	if longest <= 0 {
		longest = p.MaxDelay
	}
	d := rand.N(longest + 1)
	var e *Error
	if errors.As(err, &e) && e.RetryAfter > 0 {
		if e.RetryAfter > p.MaxRetryAfter {
			return 0, false
		}
		d = max(d, e.RetryAfter)
	}
	return d, true
}

// pause waits, unless the context would end first: then it does not begin, and
// the caller gets both the API's answer and the deadline's error at once.
func pause(ctx context.Context, d time.Duration, err error) error {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < d {
		return fmt.Errorf("%w; there is no time left to repeat the call: %w", err, context.DeadlineExceeded)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w; waiting to repeat the call: %w", err, ctx.Err())
	}
}

// budget keeps repetitions from multiplying the load on a service that is in
// trouble: each costs a token, and only successes earn them back.
type budget struct {
	mu    sync.Mutex
	spent float64
}

const (
	budgetSize  = 20  // repetitions that a run of failures may cost
	budgetEarns = 0.1 // what a success earns back
)

func (b *budget) take() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.spent+1 > budgetSize {
		return false
	}
	b.spent++
	return true
}

func (b *budget) earn() {
	b.mu.Lock()
	b.spent = max(0, b.spent-budgetEarns)
	b.mu.Unlock()
}

// Attempt is what happened when a call was sent once. It holds no value of the
// request or answer.
type Attempt struct {
	Operation *Operation
	Number    int           // counts from 1
	Status    int           // 0 when there was no answer
	Err       error         // nil on success
	Duration  time.Duration // from before the token was asked for to the answer's last byte
	Wait      time.Duration // until the next attempt; 0 when there is none, or it follows at once
}

// WithObserver hears of every attempt, after it. f is called by the goroutine
// that makes the call, and must be safe for concurrent use.
func WithObserver(f func(Attempt)) ClientOption {
	return func(c *config) error { c.observe = f; return nil }
}
