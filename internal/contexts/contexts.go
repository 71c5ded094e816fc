// Package contexts waits, and reports why a context ended.
package contexts

import (
	"context"
	"time"

	"github.com/basiq-sdk/basiq-go/internal/safetext"
)

// Err returns nil if ctx has not ended. Otherwise it returns an error that matches
// ctx.Err() and nothing else. Its text includes context.Cause, but the cause is not
// in the chain: errgroup makes the error of one call the cause of all others in its
// group.
func Err(ctx context.Context) error {
	err := ctx.Err()
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != nil && cause != err {
		return &endedError{err, safetext.OneLine(cause.Error())}
	}
	return err
}

// endedError is the error of a context that ended with a cause of its own.
type endedError struct {
	err   error  // context.Canceled or context.DeadlineExceeded
	cause string // text only
}

func (e *endedError) Error() string { return e.err.Error() + " (cause: " + e.cause + ")" }

func (e *endedError) Unwrap() error { return e.err }

// Sleep waits for d. If ctx ends first, it returns Err(ctx) at once.
func Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return Err(ctx)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return Err(ctx)
	}
}
