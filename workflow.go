package basiq

import (
	"context"

	"github.com/basiq-sdk/basiq-go/transport"
)

// runWorkflow calls run, and makes observers see it as the workflow of a method.
func runWorkflow[T any](ctx context.Context, c *Client, method string, run func(context.Context) (T, error)) (out T, err error) {
	if err := c.checkReady(ctx, method); err != nil {
		return out, err
	}
	err = c.Transport.RunWorkflow(ctx, transport.Workflow{Name: method}, func(ctx context.Context, _ *transport.Workflow) (err error) {
		out, err = run(ctx)
		return err
	})
	return out, err
}
