package transport

import (
	"context"
	"errors"
	"fmt"

	"github.com/basiq-sdk/basiq-go/internal/sdkerrors"
)

// ownError returns the error of a call that failed below this package, so that
// it tells of this call only. If ctx has ended, the result matches ctx.Err().
//
// net/http returns context.Cause, which may be the error of another call of the
// same group, and an http.RoundTripper may return what it likes. Neither may
// make a call look as if the API had answered it.
func ownError(ctx context.Context, err error) error {
	ended := ctx.Err()
	if of := ContextError(ctx); of != ended { // it has a cause, which err may hold in any form
		return of
	}
	err = withoutOthers(err)
	if ended != nil && !errors.Is(err, ended) {
		return fmt.Errorf("%w: %w", ended, err)
	}
	return err
}

// withoutOthers returns err, or its text alone if it holds an error that this
// module makes: that one is of another call.
func withoutOthers(err error) error { return sdkerrors.TextOf(err) }

// made reports whether this package makes such an error.
func made(err error) bool {
	_, token := err.(*TokenError)
	return token || isKind(err) || pathOf(err) != nil
}

// withoutOtherCalls is withoutOthers for the error of a TokenSource, which may
// tell what the API said to POST /token, and why there is no token.
func withoutOtherCalls(err error) error {
	foreign := func(e error) bool {
		switch e {
		case ErrUnauthorized, ErrTokenExpired, ErrRateLimited, ErrUnavailable, ErrRedirected, ErrRetryBudget, ErrNoContent, ErrTooLarge,
			ErrClosed, ErrTokenTimeout, ErrBadToken:
			return false
		}
		if _, token := e.(*TokenError); token {
			return false
		}
		path := pathOf(e)
		return sdkerrors.Made(e) && (path == nil || *path != opToken.Path)
	}
	if sdkerrors.Holds(err, foreign) {
		return errors.New(err.Error())
	}
	return err
}

// isKind reports whether err is one of the errors that errors.Is knows of this
// package.
func isKind(err error) bool {
	switch err {
	case ErrNotFound, ErrUnauthorized, ErrForbidden, ErrTokenExpired, ErrRateLimited, ErrGone, ErrConflict, ErrInvalidParameter,
		ErrUnavailable, ErrRedirected, ErrOutcomeUnknown, ErrRetryBudget, ErrNoContent, ErrTooLarge, ErrClosed, ErrPageLink,
		ErrTokenTimeout, ErrBadToken:
		return true
	}
	return false
}

// pathOf returns the path template of the call that an error of this package is
// about, "" if the error does not name it, and nil for all other errors.
func pathOf(err error) *string {
	var unnamed string
	switch e := err.(type) {
	case *Error:
		if e != nil {
			return &e.Path
		}
		return &unnamed
	case *SendError:
		if e != nil {
			return &e.Path
		}
		return &unnamed
	case *DecodeError:
		if e != nil {
			return &e.Path
		}
		return &unnamed
	case *ThrottledError:
		if e != nil {
			return &e.Path
		}
		return &unnamed
	case *PathError, *MissingError, *RangeError:
		return &unnamed
	}
	return nil
}

// ContextError returns nil if ctx has not ended. Otherwise it returns an error
// that matches ctx.Err() and nothing else; its text also has context.Cause. The
// errors of a Client's calls are made with it. The cause is not in the chain:
// errgroup makes the error of one call the cause of all others of its group.
func ContextError(ctx context.Context) error {
	if ctx == nil {
		return nil
	}
	err := ctx.Err()
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != nil && cause != err {
		return &endedError{err, oneLine(cause.Error())}
	}
	return err
}

// endedError is the end of a context with a cause of its own.
type endedError struct {
	err   error  // context.Canceled or context.DeadlineExceeded
	cause string // text only
}

func (e *endedError) Error() string { return e.err.Error() + " (cause: " + e.cause + ")" }

func (e *endedError) Unwrap() error { return e.err }
