package basiq

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/internal/contexts"
	"github.com/basiq-sdk/basiq-go/internal/neterr"
	"github.com/basiq-sdk/basiq-go/internal/retries"
	"github.com/basiq-sdk/basiq-go/transport"
)

// Limits of failures that a wait tolerates.
const (
	maxNotFound  = 3 // 404 responses before the job is seen for the first time
	maxMalformed = 3 // consecutive responses that cannot be decoded
)

// errStopped means that the caller left the loop over an iterator.
var errStopped = errors.New("stopped")

// waiter is the state of one wait for a job.
type waiter struct {
	job       *Job // not embedded, which would add its methods to waiter
	o         WaitOptions
	opts      []transport.Option // of every request
	callerCtx context.Context    // as passed to Wait
	ctx       context.Context    // callerCtx with the wait's deadline
	start     time.Time
	deadline  time.Time
	interval  time.Duration // upper limit of the next interval between polls

	polls     int
	notFound  int
	malformed int
	lastErr   error     // temporary failure of the last poll, or nil
	lastJob   *core.Job // the job at the last successful poll
	steps     map[string]core.StepStatus
	mfa       mfaProgress
}

// pollUntilDone implements Wait and Steps. It passes every change of a step to
// emit, and returns neither a result nor an error if emit returns false.
func (j *Job) pollUntilDone(ctx context.Context, o WaitOptions, opts []transport.Option, emit func(StepChange) bool) (*JobResult, error) {
	if j == nil || j.jobState == nil {
		return nil, errors.New("basiq: the Job is nil or a zero value: create it with Client.Job")
	}
	if err := j.client.checkReady(ctx, "Job.Wait"); err != nil {
		return nil, err
	}
	var result *JobResult
	wait := transport.Workflow{Name: "WaitForJob", JobID: j.id}
	err := j.client.Transport.RunWorkflow(ctx, wait, func(ctx context.Context, workflow *transport.Workflow) (err error) {
		result, err = j.waitUntilDone(ctx, o, opts, emit, &workflow.Polls)
		if err == errStopped {
			workflow.Stopped = true
			return nil
		}
		workflow.Code = workflowCode(err)
		return err
	})
	return result, err
}

// waitUntilDone is pollUntilDone for a client and a job that are valid. It counts the polls.
func (j *Job) waitUntilDone(ctx context.Context, o WaitOptions, opts []transport.Option, emit func(StepChange) bool, polls *int) (*JobResult, error) {
	o, err := o.withDefaults(j.client.Transport.PollInterval())
	if err != nil {
		return nil, err
	}
	w := &waiter{job: j, o: o, opts: opts, callerCtx: ctx, start: time.Now(), interval: o.Interval, steps: map[string]core.StepStatus{}}
	deadline, hasDeadline := ctx.Deadline()
	if timeout := w.start.Add(o.Timeout); o.Timeout > 0 && (!hasDeadline || timeout.Before(deadline)) {
		deadline = timeout
	} else if !hasDeadline {
		deadline = w.start.Add(defaultTimeout)
	}
	w.deadline = deadline
	var cancel context.CancelFunc
	w.ctx, cancel = context.WithDeadline(ctx, deadline)
	defer cancel()
	for {
		job, retryAfter, err := w.poll()
		*polls = w.polls
		if err != nil {
			return nil, err
		}
		if job != nil {
			if user := linkedID(job, "users"); w.o.UserID != "" && user != "" && !strings.EqualFold(user, w.o.UserID) {
				w.lastJob = nil // the error must reveal nothing about another user's job
				return nil, w.waitError(ErrJobOwner)
			}
			if err := w.reportSteps(job, emit); err != nil {
				return nil, err
			}
			switch step, result := outcome(job); result {
			case jobFailed:
				return nil, w.jobError(job, step)
			case jobDone:
				return w.jobResult(job), nil
			}
			if err := w.handleMFA(job); err != nil {
				return nil, err
			}
		}
		if err := w.waitForNextPoll(retryAfter); err != nil {
			return nil, err
		}
	}
}

// poll requests the job. It returns a nil job if the request failed for a
// temporary reason, with the delay that the API asked for.
func (w *waiter) poll() (*core.Job, time.Duration, error) {
	if err := w.job.client.polls.wait(w.ctx); err != nil {
		return nil, 0, w.waitError(nil)
	}
	var res *http.Response
	job, err := w.job.client.Core.Jobs.Get(w.ctx, w.job.id, slices.Concat(w.opts, []transport.Option{transport.WithoutRetry(), transport.WithResponse(&res)})...)
	if errors.As(err, new(*transport.PathError)) {
		return nil, 0, err // the request was not sent
	}
	w.polls++
	if err != nil {
		if w.ctx.Err() != nil {
			return nil, 0, w.waitError(nil)
		}
		wait, ok := w.temporary(err)
		if !ok {
			return nil, 0, w.waitError(err)
		}
		w.lastErr = err
		return nil, wait, nil
	}
	w.lastJob, w.lastErr, w.malformed = job, nil, 0
	w.job.setUser(linkedID(job, "users"))
	if res == nil {
		return job, 0, nil
	}
	return job, transport.RetryAfter(res.Header), nil
}

// temporary reports whether a failed poll may succeed later, and returns the
// delay that the API asked for.
func (w *waiter) temporary(err error) (time.Duration, bool) {
	var (
		api  *transport.Error
		send *transport.SendError
		read *transport.DecodeError
	)
	switch {
	case errors.As(err, &api):
		if api.Status == http.StatusNotFound && api.Path == "/jobs/{jobId}" {
			w.notFound++
			return api.RetryAfter, w.lastJob == nil && w.notFound <= maxNotFound
		}
		return api.RetryAfter, errors.Is(api, transport.ErrRateLimited) || retries.Of(api.Status).Allowed(uint8(transport.SafetyRead))
	case errors.Is(err, transport.ErrRateLimited): // this client's throttle delayed the poll
		return 0, true
	case errors.As(err, &send):
		return 0, w.lastJob != nil || !neterr.Permanent(send)
	case errors.Is(err, transport.ErrTokenTimeout):
		return 0, true
	case errors.As(err, &read), errors.Is(err, transport.ErrNoContent):
		w.malformed++
		return 0, w.malformed <= maxMalformed
	}
	return 0, false
}

// reportSteps passes the changes since the last poll to OnStep and emit.
func (w *waiter) reportSteps(job *core.Job, emit func(StepChange) bool) error {
	seen := map[core.StepTitle]int{}
	for i, step := range job.Steps {
		seen[step.Title]++
		key := string(step.Title) + "\x00" + strconv.Itoa(seen[step.Title])
		before, known := w.steps[key]
		if known && before == step.Status {
			continue
		}
		w.steps[key] = step.Status
		change := StepChange{
			JobID: w.job.id, Title: step.Title, Status: step.Status, Previous: before,
			Number: i + 1, Total: len(job.Steps), Step: step,
		}
		if w.o.OnStep != nil {
			if err := recoverPanic("OnStep", func() error { w.o.OnStep(change); return nil }); err != nil {
				return w.waitError(err)
			}
		}
		if !emit(change) {
			return errStopped
		}
	}
	return nil
}

// recoverPanic calls a callback and converts a panic to an error. The panic's
// value may be personal, so the error contains only its type.
func recoverPanic(name string, call func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%s panicked with a %T", name, v)
		}
	}()
	return call()
}

// jobOutcome is whether a job has ended, and how.
type jobOutcome uint8

const (
	jobRunning jobOutcome = iota
	jobDone
	jobFailed
)

// outcome returns the outcome of a job, and the index of the step that failed:
// -1 if that is unknown. A job counts as done only if every step is known to have succeeded.
// Failed steps are looked for first, because the steps after them stay pending
// forever.
func outcome(job *core.Job) (int, jobOutcome) {
	const success, failed = string(core.StepStatusSuccess), string(core.StepStatusFailed)
	done := 0
	for i, step := range job.Steps {
		switch normalized(string(step.Status)) {
		case failed:
			return i, jobFailed
		case success, string(core.StepStatusSkipped):
			done++
		}
	}
	switch top := normalized(job.Status); {
	case top == failed:
		return -1, jobFailed
	case done > 0 && done == len(job.Steps) && (top == "" || top == success):
		return 0, jobDone
	}
	return 0, jobRunning
}

// normalized returns s in lower case, without surrounding space.
func normalized(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

func (w *waiter) jobResult(job *core.Job) *JobResult {
	r := &JobResult{Job: job, Existing: w.job.existing, userID: w.job.user()}
	w.job.mu.Lock()
	defer w.job.mu.Unlock()
	w.job.result = r
	return r
}

// waitForNextPoll waits until the next poll. The intervals grow and are
// randomized, so that jobs that were started together are not polled together.
func (w *waiter) waitForNextPoll(retryAfter time.Duration) error {
	d := w.interval - rand.N(w.interval/4+1)
	w.interval = min(w.interval+w.interval/2, w.o.MaxInterval)
	left := time.Until(w.deadline)
	switch {
	case retryAfter > d && retryAfter >= left:
		return w.waitError(fmt.Errorf("the API asked to retry after %s, and no time is left for that: %w", retryAfter, context.DeadlineExceeded))
	case retryAfter > d:
		d = retryAfter
	case d >= left && left > 2*w.o.Interval:
		d = left - w.o.Interval // leaves time for a last poll
	}
	if contexts.Sleep(w.ctx, d) != nil {
		return w.waitError(nil)
	}
	return nil
}

// waitError returns the error of a wait that ended before the job did. If
// reason is nil, it is that the context ended or the wait timed out.
func (w *waiter) waitError(reason error) error {
	e := &WaitError{JobID: w.job.id, Polls: w.polls, Waited: time.Since(w.start), Err: reason, job: w.job}
	if reason == nil {
		if e.Err = transport.ContextError(w.callerCtx); e.Err == nil {
			e.Err = context.DeadlineExceeded
		}
	}
	if e.Last = w.lastErr; e.Last == nil {
		e.Last = w.mfa.err
	}
	if w.lastJob != nil {
		for _, step := range w.lastJob.Steps {
			if s := normalized(string(step.Status)); s != string(core.StepStatusSuccess) && s != string(core.StepStatusSkipped) {
				e.Step, e.Status = step.Title, step.Status
				break
			}
		}
	}
	return e
}
