package basiq

import (
	"context"
	"errors"

	"github.com/basiq-sdk/basiq-go/transport"
)

// runWorkflow calls run, and makes observers see it as the workflow of a method.
func runWorkflow[T any](ctx context.Context, c *Client, method string, run func(context.Context) (T, error)) (out T, err error) {
	err = c.runWorkflow(ctx, method, func(ctx context.Context) error {
		out, err = run(ctx)
		return err
	})
	return out, err
}

// runWorkflow is compiled once, the function of that name for every type of a result.
func (c *Client) runWorkflow(ctx context.Context, method string, run func(context.Context) error) error {
	if err := c.checkReady(ctx, method); err != nil {
		return err
	}
	return c.Transport.RunWorkflow(ctx, transport.Workflow{Name: method}, func(ctx context.Context, w *transport.Workflow) error {
		err := run(ctx)
		w.Code = workflowCode(err)
		return err
	})
}

// workflowCode returns Workflow.Code for an error.
func workflowCode(err error) string {
	var failed *JobError
	switch {
	case errors.As(err, &failed):
		return string(failed.Code)
	case errors.As(err, new(*MFARequiredError)):
		return "mfa-required"
	case errors.As(err, new(*MFAError)):
		return "mfa-failed"
	}
	return ""
}
