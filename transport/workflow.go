package transport

import (
	"context"
	"time"
)

// Workflow is a task of several calls, for observers: a wait for a job, a sync, another
// method of basiq.Client that is more than one call, or a task of your own.
type Workflow struct {
	// Name is the name of the method of basiq.Client, such as "WaitForJob" (also for
	// Job.Wait and Job.Steps), "SyncTransactions" or "CreateReport", or a name of your own.
	Name string
	// JobID is the ID of the job of a WaitForJob. It is left out if it does not look like
	// an ID, because IDs of jobs can come through a browser.
	JobID string

	Err      error         // nil if the workflow succeeded; safe to log, unless it is your own
	Code     string        // why a job failed, such as "invalid-credentials"; "" for other errors
	Stopped  bool          // the caller left the loop over the workflow's iterator
	Duration time.Duration // of the whole workflow
	Polls    int           // of the job
	Batches  int           // that a sync yielded
	Changes  int           // in these batches
}

// RunWorkflow calls run, and makes observers see it as a workflow. The calls that run
// makes with the context that it gets are part of the workflow. run may set Code,
// Stopped and the counts in w. RunWorkflow returns the error of run.
//
// The workflows of package basiq call RunWorkflow themselves. Call it for a task of your
// own, such as connecting a user.
func (c *Client) RunWorkflow(ctx context.Context, w Workflow, run func(ctx context.Context, w *Workflow) error) error {
	if err := c.ready(ctx, "RunWorkflow"); err != nil {
		return err
	}
	if !c.watched.workflows {
		return run(ctx, &w)
	}
	started := Workflow{Name: w.Name}
	if codeLike(w.JobID) {
		started.JobID = w.JobID
	}
	for _, o := range c.observers {
		if o.StartWorkflow != nil {
			ctx = derived(ctx, o.StartWorkflow(ctx, started))
		}
	}
	start := time.Now()
	err := errAborted
	defer func() {
		w.Name, w.JobID = started.Name, started.JobID
		w.Err, w.Duration = err, time.Since(start)
		if !codeLike(w.Code) {
			w.Code = ""
		}
		for _, o := range c.observers {
			if o.EndWorkflow != nil {
				o.EndWorkflow(ctx, w)
			}
		}
	}()
	err = run(ctx, &w)
	return err
}
