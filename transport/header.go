package transport

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
)

// WithHeaderFunc sets request headers that depend on the context, such as a request ID.
// f is called before every attempt, with the attempt's context: that of the call, or the
// one that Observer.StartAttempt derived from it. Names without a value, or with an empty
// one, are left out. f must be safe for concurrent use.
//
//	transport.WithHeaderFunc(func(ctx context.Context) http.Header {
//		return http.Header{"X-Request-Id": {requestID(ctx)}}
//	})
//
// The rules of WithHeader apply: a header that the client sets itself, or a value with
// control characters, makes the call fail before it is sent. A header of WithHeader takes
// precedence. Of several functions that return the same header, the last one does.
//
// f is not called for token requests. They serve many calls, and a request ID of one of
// them would mislead. Headers for the propagation of traces, which token requests need,
// too, belong in Observer.Header.
//
//go:noinline
func WithHeaderFunc(f func(ctx context.Context) http.Header) SharedOption {
	return sharedOption(func(s *settings) error {
		if f == nil {
			return errors.New("WithHeaderFunc: the function is nil")
		}
		s.headerFuncs = append(slices.Clip(s.headerFuncs), f)
		return nil
	})
}

// dynamicHeader returns the headers that observers and WithHeaderFunc add to an attempt.
func (e *execution) dynamicHeader(ctx context.Context) (http.Header, error) {
	c, funcs := e.client, e.call.headerFuncs
	if e.op == &opToken {
		funcs = nil
	}
	if len(funcs) == 0 && !c.watched.headers {
		return nil, nil
	}
	header := http.Header{}
	for _, o := range c.observers {
		if o.Header == nil {
			continue
		}
		if err := addHeader(header, o.Header(ctx, e.last.event)); err != nil {
			return nil, fmt.Errorf("basiq: %s: Observer.Header: %w", e.op.ID, err)
		}
	}
	for _, f := range funcs {
		if err := addHeader(header, f(ctx)); err != nil {
			return nil, fmt.Errorf("basiq: %s: WithHeaderFunc: %w", e.op.ID, err)
		}
	}
	return header, nil
}

// addHeader adds the headers in more that have a value, or returns an error if one of them
// must not be sent.
func addHeader(header, more http.Header) error {
	for name, values := range more {
		values = slices.DeleteFunc(slices.Clone(values), func(v string) bool { return v == "" })
		for _, v := range values {
			checked, err := checkHeader(name, v)
			if err != nil {
				return err
			}
			header[checked] = values
		}
	}
	return nil
}
