package basiq

import (
	"context"
	"errors"

	"github.com/basiq-sdk/basiq-go/transport"
)

// runWorkflow calls run, and makes observers see it as the workflow of a method.
func runWorkflow[T any](ctx context.Context, c *Client, method string, run func(context.Context) (T, error)) (out T, err error) {
	if err := c.checkReady(ctx, method); err != nil {
		return out, err
	}
	err = c.Transport.RunWorkflow(ctx, transport.Workflow{Name: method}, func(ctx context.Context, w *transport.Workflow) (err error) {
		out, err = run(ctx)
		w.Code = workflowCode(err)
		return err
	})
	return out, err
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
