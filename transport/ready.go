package transport

import (
	"context"
	"fmt"
)

// ready returns an error if the client or the context is missing.
func (c *Client) ready(ctx context.Context, operation string) error {
	switch {
	case c == nil || c.state == nil:
		return fmt.Errorf("basiq: %s: the client is nil or a zero value: create it with transport.New or basiq.NewClient", operation)
	case ctx == nil:
		return fmt.Errorf("basiq: %s: the context is nil: pass the request's context, or context.Background()", operation)
	}
	return nil
}

// name returns the ID of the operation that the request calls.
func (r *Request) name() string {
	if r == nil || r.request == nil {
		return "call"
	}
	return r.op.ID
}

// checkCreated returns an error if the request was not created by this package.
func (r *Request) checkCreated() error {
	if r == nil || r.request == nil {
		return errZeroRequest
	}
	return nil
}
