package basiq

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/internal/contexts"
	"github.com/basiq-sdk/basiq-go/internal/neterr"
	"github.com/basiq-sdk/basiq-go/internal/retries"
	"github.com/basiq-sdk/basiq-go/transport"
)

// Bounds of what a wait puts up with.
const (
	maxMissing    = 3 // answers that the job is not known, before it is seen first
	maxUnreadable = 3 // answers in a row that cannot be read
)

// errStopped says that a loop over the steps was left.
var errStopped = errors.New("stopped")

// waiter is one wait for a job.
type waiter struct {
	*Job
	o        WaitOptions
	caller   context.Context
	ctx      context.Context // ends with the wait
	start    time.Time
	deadline time.Time
	interval time.Duration // bounds the next pause

	polls      int
	missing    int
	unreadable int
	last       error // of the last poll, if it failed and may be repeated
	latest     *core.Job
	steps      map[string]core.StepStatus
	asked      challengeLog
}

// follow waits, and hands every change of a step to emit, which says whether to
// go on.
func (j *Job) follow(ctx context.Context, o WaitOptions, emit func(StepChange) bool) (*JobResult, error) {
	if j == nil || j.jobState == nil {
		return nil, errors.New("basiq: the job is nil or a zero value: get one from Client.Job")
	}
	if err := j.client.ready(ctx, "the wait for a job"); err != nil {
		return nil, err
	}
	o, err := o.check()
	if err != nil {
		return nil, err
	}
	w := &waiter{Job: j, o: o, caller: ctx, start: time.Now(), interval: o.Interval, steps: map[string]core.StepStatus{}}
	deadline, bounded := ctx.Deadline()
	if own := w.start.Add(o.Timeout); o.Timeout > 0 && (!bounded || own.Before(deadline)) {
		deadline = own
	} else if !bounded {
		deadline = w.start.Add(defaultTimeout)
	}
	w.deadline = deadline
	var cancel context.CancelFunc
	w.ctx, cancel = context.WithDeadline(ctx, deadline)
	defer cancel()
	for {
		job, retryAfter, err := w.poll()
		if err != nil {
			return nil, err
		}
		if job != nil {
			if user := idIn(job, "users"); w.o.UserID != "" && user != "" && !strings.EqualFold(user, w.o.UserID) {
				w.latest = nil // nothing of it is told
				return nil, w.ended(ErrJobOwner)
			}
			if err := w.report(job, emit); err != nil {
				return nil, err
			}
			switch step, how := standing(job); how {
			case jobFailed:
				return nil, w.failure(job, step)
			case jobDone:
				return w.succeed(job), nil
			}
			if err := w.ask(job); err != nil {
				return nil, err
			}
		}
		if err := w.pause(retryAfter); err != nil {
			return nil, err
		}
	}
}

// poll asks how the job stands. It returns nothing when the answer is not to
// be had now but may be later.
func (w *waiter) poll() (*core.Job, time.Duration, error) {
	if err := w.client.polls.wait(w.ctx); err != nil {
		return nil, 0, w.ended(nil)
	}
	w.polls++
	var res *http.Response
	job, err := w.client.Core.Jobs.Get(w.ctx, w.id, transport.WithoutRetry(), transport.WithResponse(&res))
	if err != nil {
		if path := (*transport.PathError)(nil); errors.As(err, &path) {
			w.polls-- // nothing was sent
			return nil, 0, err
		}
		if w.ctx.Err() != nil {
			return nil, 0, w.ended(nil)
		}
		wait, ok := w.tolerate(err)
		if !ok {
			return nil, 0, w.ended(err)
		}
		w.last = err
		return nil, wait, nil
	}
	w.latest, w.last, w.unreadable = job, nil, 0
	w.noteUser(idIn(job, "users"))
	if res == nil {
		return job, 0, nil
	}
	return job, transport.RetryAfter(res.Header), nil
}

// tolerate tells whether a poll that failed may go better later, and when.
func (w *waiter) tolerate(err error) (time.Duration, bool) {
	var (
		api  *transport.Error
		send *transport.SendError
		read *transport.DecodeError
	)
	switch {
	case errors.As(err, &api):
		if api.Status == http.StatusNotFound && api.Path == "/jobs/{jobId}" {
			w.missing++
			return api.RetryAfter, w.latest == nil && w.missing <= maxMissing
		}
		return api.RetryAfter, errors.Is(api, transport.ErrRateLimited) || retries.Of(api.Status).Allowed(uint8(transport.SafetyRead))
	case errors.Is(err, transport.ErrRateLimited): // this client held the poll back
		return 0, true
	case errors.As(err, &send):
		return 0, w.latest != nil || !neterr.Permanent(send)
	case errors.Is(err, transport.ErrTokenTimeout):
		return 0, true
	case errors.As(err, &read), errors.Is(err, transport.ErrNoContent):
		w.unreadable++
		return 0, w.unreadable <= maxUnreadable
	}
	return 0, false
}

// report hands out what has changed since the last poll.
func (w *waiter) report(job *core.Job, emit func(StepChange) bool) error {
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
			JobID: w.id, Title: step.Title, Status: step.Status, Previous: before,
			Number: i + 1, Total: len(job.Steps), Step: step,
		}
		if w.o.OnStep != nil {
			if err := contained("OnStep", func() error { w.o.OnStep(change); return nil }); err != nil {
				return w.ended(err)
			}
		}
		if !emit(change) {
			return errStopped
		}
	}
	return nil
}

// contained calls a callback, and makes an error of a panic. What it panicked
// with may be personal and is not told.
func contained(name string, call func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%s panicked with a %T", name, v)
		}
	}()
	return call()
}

// Ways in which a job stands.
type jobStanding uint8

const (
	jobRunning jobStanding = iota
	jobDone
	jobFailed
)

// standing tells how a job stands, and which step failed, -1 if that is not
// known. Only what is known to be success is success; a failed step is looked
// for first, because those after it stay pending for ever.
func standing(job *core.Job) (int, jobStanding) {
	const success, failed = string(core.StepStatusSuccess), string(core.StepStatusFailed)
	done := 0
	for i, step := range job.Steps {
		switch word(string(step.Status)) {
		case failed:
			return i, jobFailed
		case success, string(core.StepStatusSkipped):
			done++
		}
	}
	switch top := word(job.Status); {
	case top == failed:
		return -1, jobFailed
	case done > 0 && done == len(job.Steps) && (top == "" || top == success):
		return -1, jobDone
	}
	return -1, jobRunning
}

func word(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

func (w *waiter) succeed(job *core.Job) *JobResult {
	r := &JobResult{Job: job, Existing: w.existing, userID: w.user()}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.result = r
	return r
}

// pause waits until the next poll: growing pauses with some chance in them, so
// that jobs that began together are not polled together.
func (w *waiter) pause(retryAfter time.Duration) error {
	d := w.interval - rand.N(w.interval/4+1)
	w.interval = min(w.interval+w.interval/2, w.o.MaxInterval)
	left := time.Until(w.deadline)
	switch {
	case retryAfter > d && retryAfter >= left:
		return w.ended(fmt.Errorf("the API asks to wait %s, and no time is left for that: %w", retryAfter, context.DeadlineExceeded))
	case retryAfter > d:
		d = retryAfter
	case d >= left && left > 2*w.o.Interval:
		d = left - w.o.Interval // for a last look
	}
	if contexts.Sleep(w.ctx, d) != nil {
		return w.ended(nil)
	}
	return nil
}

// ended makes the error of a wait that ended without the job. Without a reason,
// it is that the time is over.
func (w *waiter) ended(reason error) error {
	e := &WaitError{JobID: w.id, Polls: w.polls, Waited: time.Since(w.start), Err: reason, job: w.Job}
	if reason == nil {
		if e.Err = transport.ContextError(w.caller); e.Err == nil {
			e.Err = context.DeadlineExceeded
		}
	}
	if e.Last = w.last; e.Last == nil {
		e.Last = w.asked.err
	}
	if w.latest != nil {
		for _, step := range w.latest.Steps {
			if s := word(string(step.Status)); s != string(core.StepStatusSuccess) && s != string(core.StepStatusSkipped) {
				e.Step, e.Status = step.Title, step.Status
				break
			}
		}
	}
	return e
}
