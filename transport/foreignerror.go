package transport

import (
	"context"
	"errors"
	"fmt"

	"github.com/basiq-sdk/basiq-go/internal/contexts"
	"github.com/basiq-sdk/basiq-go/internal/sdkerrors"
)

// ownError returns err, which was returned by the HTTP client, without errors of other
// calls in its chain. If ctx has ended, the result matches ctx.Err().
//
// net/http returns context.Cause, which may be the error of another call in the same
// group, and an http.RoundTripper may return any error. Neither must make this call
// look as if the API had responded to it.
func ownError(ctx context.Context, err error) error {
	ended := ctx.Err()
	if of := ContextError(ctx); of != ended { // ctx has a cause, and err may contain it in any form
		return of
	}
	err = sdkerrors.TextOf(err)
	if ended != nil && !errors.Is(err, ended) {
		return fmt.Errorf("%w: %w", ended, err)
	}
	return err
}

// made reports whether err is an error of this package.
func made(err error) bool {
	_, token := err.(*TokenError)
	return token || isKind(err) || pathOf(err) != nil
}

// withoutForeignCalls is sdkerrors.TextOf for the error of a TokenSource, which may
// be the error of POST /token, or say why there is no token.
func withoutForeignCalls(err error) error {
	foreign := func(e error) bool {
		switch e {
		case ErrUnauthorized, ErrTokenExpired, ErrRateLimited, ErrUnavailable, ErrRedirected, ErrRetryBudget, ErrClosed, ErrTokenTimeout,
			ErrBadToken:
			return false
		}
		switch e.(type) {
		case *TokenError:
			return false
		case *DecodeError: // see unreadable
			return true
		case *Error, *SendError:
			if errors.Is(e, ErrOutcomeUnknown) { // of another operation than the call that was not sent
				return true
			}
		}
		path := pathOf(e)
		return sdkerrors.Made(e) && (path == nil || *path != opToken.Path)
	}
	if sdkerrors.Holds(err, foreign) {
		return errors.New(err.Error())
	}
	return err
}

// kinds are this package's error values for errors.Is.
var kinds = [...]error{
	ErrNotFound, ErrUnauthorized, ErrForbidden, ErrTokenExpired, ErrRateLimited, ErrGone, ErrConflict, ErrInvalidParameter,
	ErrNoActiveConsent, ErrUnavailable, ErrRedirected, ErrOutcomeUnknown, ErrRetryBudget, ErrNoContent, ErrTooLarge, ErrClosed, ErrPageLink,
	ErrTokenTimeout, ErrBadToken,
}

// isKind reports whether err is one of this package's error values for errors.Is.
func isKind(err error) bool {
	for _, kind := range kinds {
		if err == kind {
			return true
		}
	}
	return false
}

// pathOf returns the path template in an error of this package, "" if the error has
// none, and nil for all other errors.
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

// ContextError returns nil if ctx has not ended. Otherwise it returns an error that
// matches ctx.Err() and nothing else. Its text includes context.Cause, but the cause
// is not in the chain: errgroup makes the error of one call the cause of all others
// in its group. The calls of a Client return such errors.
func ContextError(ctx context.Context) error {
	if ctx == nil {
		return nil
	}
	return contexts.Err(ctx)
}
