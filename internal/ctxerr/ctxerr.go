// Package ctxerr makes the error of a call whose context has ended.
//
// context.Cause is not fit for that: errgroup makes the error of one call the
// cause of all others of its group, and net/http returns it as theirs.
package ctxerr

import "context"

// Of returns nil if ctx has not ended. Otherwise it returns an error that
// matches ctx.Err() and nothing else. Its text also has the cause.
func Of(ctx context.Context) error {
	err := ctx.Err()
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != nil && cause != err {
		return &ended{err, cause.Error()}
	}
	return err
}

// ended is the end of a context with a cause of its own.
type ended struct {
	err   error  // context.Canceled or context.DeadlineExceeded
	cause string // text only: the cause may be the error of another call
}

func (e *ended) Error() string { return e.err.Error() + " (cause: " + e.cause + ")" }

func (e *ended) Unwrap() error { return e.err }
