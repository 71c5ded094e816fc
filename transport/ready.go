package transport

import (
	"context"
	"fmt"
)

// ready says what keeps a call from being made: a client or a context that is
// missing.
func (c *Client) ready(ctx context.Context, operation string) error {
	switch {
	case c == nil || c.state == nil:
		return fmt.Errorf("basiq: %s: the client is nil or a zero value: make one with transport.New or basiq.NewClient", operation)
	case ctx == nil:
		return fmt.Errorf("basiq: %s: the context is nil: give the request's, or context.Background()", operation)
	}
	return nil
}

// name returns what the request is a call of.
func (r *Request) name() string {
	if r == nil || r.request == nil {
		return "call"
	}
	return r.op.ID
}

// made says what keeps a request from being sent: that it was not made.
func (r *Request) made() error {
	if r == nil || r.request == nil {
		return errUnmade
	}
	return nil
}
