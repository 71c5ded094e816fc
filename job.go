package basiq

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/transport"
)

// Job is a handle for a background job of Basiq's, which fetches a connection's
// data, processes an uploaded statement, or creates a report. Methods that
// start a job return one; [Client.Job] creates one from a job's ID. It is safe
// for concurrent use.
type Job struct {
	*jobState // a pointer, because fmt does not print what a nested pointer points to
}

type jobState struct {
	client   *Client
	id       string
	existing bool

	mu       sync.Mutex
	userID   string
	answered []string // fingerprints of the MFA questions that were answered, the newest last
	late     bool     // the last answer was sent after its question had expired
	result   *JobResult
}

// Job returns a handle for the job with this ID. It sends no request.
func (c *Client) Job(jobID string) *Job {
	return &Job{&jobState{client: c, id: jobID}}
}

// WaitForJob waits until a job has ended, and returns its result. See [Job.Wait].
//
// GET /jobs/{jobId}: SERVER_ACCESS token. If OnMFA is set, also POST
// /jobs/{jobId}/mfa: CLIENT_ACCESS token bound to the user.
func (c *Client) WaitForJob(ctx context.Context, jobID string, o WaitOptions, opts ...transport.Option) (*JobResult, error) {
	return c.Job(jobID).Wait(ctx, o, opts...)
}

// WaitForJobs waits for several jobs at once, for example those of a
// [ConsentReturn]. It returns one result for each ID, in the same order. The
// result of a job that did not succeed is nil, and the error is a [*JobsError] with
// the error of each. An ID that occurs more than once is waited for once.
// Callbacks may be called for different jobs at the same time.
//
// GET /jobs/{jobId} for each job, as [Job.Wait].
func (c *Client) WaitForJobs(ctx context.Context, jobIDs []string, o WaitOptions, opts ...transport.Option) ([]*JobResult, error) {
	return runWorkflow(ctx, c, "WaitForJobs", func(ctx context.Context) ([]*JobResult, error) {
		jobs := make([]*Job, len(jobIDs))
		for i, id := range jobIDs {
			jobs[i] = c.Job(id)
		}
		return waitForAll(ctx, jobs, o, opts)
	})
}

func waitForAll(ctx context.Context, jobs []*Job, o WaitOptions, opts []transport.Option) ([]*JobResult, error) {
	results, errs := make([]*JobResult, len(jobs)), make([]error, len(jobs))
	var wg sync.WaitGroup
	first := map[string]int{} // index of each ID, so that a job is waited for once
	for i, j := range jobs {
		if _, twice := first[j.ID()]; !twice {
			first[j.ID()] = i
			wg.Go(func() { results[i], errs[i] = j.Wait(ctx, o, opts...) })
		}
	}
	wg.Wait()
	for i, j := range jobs {
		results[i] = results[first[j.ID()]]
	}
	errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	if len(errs) > 0 {
		return results, &JobsError{Total: len(first), Errs: errs}
	}
	return results, nil
}

// ID returns the job's ID.
func (j *Job) ID() string {
	if j == nil || j.jobState == nil {
		return ""
	}
	return j.id
}

// Existing reports whether the request that should start the job returned one
// that was already queued or running.
func (j *Job) Existing() bool { return j != nil && j.jobState != nil && j.existing }

// Result returns the job's result, or nil until a wait has seen the job
// succeed.
func (j *Job) Result() *JobResult {
	if j == nil || j.jobState == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.result
}

// WaitOptions configures a wait for a job. The zero value is valid, unless the
// bank may ask the user an MFA question.
type WaitOptions struct {
	// Timeout limits the wait. The default is the context's deadline or, if it
	// has none, ten minutes. Most jobs take 3 to 30 seconds.
	Timeout time.Duration
	// Interval is the interval between the first two polls. Each further interval
	// is 1.5 times as long, up to MaxInterval. Up to a quarter of it is subtracted
	// at random. The default is one second, or that of WithPollInterval.
	Interval time.Duration
	// MaxInterval is the longest interval between two polls. The default is ten
	// seconds, or Interval if that is longer.
	MaxInterval time.Duration
	// UserID is the user to whom the job must belong. If the job belongs to
	// another user, the wait fails with ErrJobOwner. Set UserID whenever the job's
	// ID came through a browser, as in a ConsentReturn. It is also required to
	// answer an MFA question, if the job does not name its user.
	UserID string
	// OnMFA is called once for each MFA question of the bank. It returns one
	// answer for each prompt, in the same order. For an approval in the bank's
	// app, it returns the single answer "confirmed". Its context ends when the
	// question expires or the wait ends; the wait then returns an error without
	// waiting for OnMFA. If OnMFA is nil, a question ends the wait with an
	// *MFARequiredError.
	OnMFA func(ctx context.Context, question MFA) ([]string, error)
	// OnStep is called for every change of a step. It should return quickly,
	// because it delays the next poll.
	OnStep func(StepChange)
}

const (
	defaultTimeout     = 10 * time.Minute
	defaultInterval    = time.Second
	defaultMaxInterval = 10 * time.Second
)

func (o WaitOptions) withDefaults(interval time.Duration) (WaitOptions, error) {
	for name, d := range map[string]time.Duration{"Timeout": o.Timeout, "Interval": o.Interval, "MaxInterval": o.MaxInterval} {
		if d < 0 {
			return o, fmt.Errorf("basiq: WaitOptions.%s is negative: %s", name, d)
		}
	}
	if o.Interval == 0 {
		o.Interval = cmp.Or(interval, defaultInterval)
	}
	if o.MaxInterval == 0 {
		o.MaxInterval = defaultMaxInterval
	}
	o.MaxInterval = max(o.MaxInterval, o.Interval)
	return o, nil
}

// StepChange is a change to a step of a job.
type StepChange struct {
	JobID    string
	Title    core.StepTitle  // the step's title
	Status   core.StepStatus // current status
	Previous core.StepStatus // status at the previous poll; "" at the first
	Number   int             // position of the step, starting at 1
	Total    int             // number of steps of the job
	Step     core.JobStep    // the step as returned by the API
}

// Wait polls the job until it has ended, and returns its result. A job has
// succeeded if it has steps, and each of them has succeeded or was skipped.
//
// Wait fails with one of these errors, which contain the job's ID:
//
//   - [*JobError]: a step has failed. Later steps then stay pending forever.
//   - [*MFARequiredError]: the bank asks the user a question, and OnMFA is nil.
//   - [*MFAError]: the bank's question could not be answered.
//   - [*WaitError]: the outcome is unknown, because the wait timed out or the API
//     returned an error. The job itself continues.
//
// Failures for which reads are retried (see package transport) do not end the wait
// before its timeout. Neither do up to three 404 responses before the job is seen for the
// first time. Wait respects Retry-After. All waits of a client share one poll
// rate; see [Client.SetPollRate].
//
// opts apply to each poll, and to the request with the user's answers. Polls are
// never retried by the client, whatever the options: Wait polls again instead.
//
// GET /jobs/{jobId}: SERVER_ACCESS token. If OnMFA is set, also POST
// /jobs/{jobId}/mfa: CLIENT_ACCESS token bound to the user.
func (j *Job) Wait(ctx context.Context, o WaitOptions, opts ...transport.Option) (*JobResult, error) {
	return j.pollUntilDone(ctx, o, opts, func(StepChange) bool { return true })
}

// Steps returns an iterator over the changes of the job's steps, and waits as
// Wait does. The first poll yields every step. The loop ends when the job has
// succeeded; Result then returns its result. If the wait fails, the last
// iteration yields the error that Wait would return. Leaving the loop stops the
// polling.
//
// GET /jobs/{jobId}, as [Job.Wait].
func (j *Job) Steps(ctx context.Context, o WaitOptions, opts ...transport.Option) iter.Seq2[StepChange, error] {
	return func(yield func(StepChange, error) bool) {
		stopped := false
		_, err := j.pollUntilDone(ctx, o, opts, func(c StepChange) bool {
			stopped = !yield(c, nil)
			return !stopped
		})
		if err != nil && !stopped {
			yield(StepChange{JobID: j.ID()}, err)
		}
	}
}

// JobResult is the result of a job that succeeded.
type JobResult struct {
	Job      *core.Job // the job after its last step
	Existing bool      // see Job.Existing
	userID   string
}

// ConnectionID returns the ID of the job's connection, or "" if the job names
// none.
func (r *JobResult) ConnectionID() string { return linkedID(r.job(), "connections") }

// job returns r.Job, or nil if r is nil.
func (r *JobResult) job() *core.Job {
	if r == nil {
		return nil
	}
	return r.Job
}

// ReportID returns the ID of the report that the job created, or "" if it was
// not a report job.
func (r *JobResult) ReportID() string {
	job := r.job()
	if id := linkedID(job, "reports"); id != "" || job == nil || job.Kind != "report" {
		return id
	}
	return job.ID // a report has the same ID as its job
}

// UserID returns the ID of the user to whom the job belongs, or "" if it is
// unknown.
func (r *JobResult) UserID() string {
	if id := linkedID(r.job(), "users"); id != "" || r == nil {
		return id
	}
	return r.userID
}

// Links returns the links in the results of the steps, in their order. They are
// relative or absolute, as the API returned them.
func (r *JobResult) Links() []string { return stepLinks(r.job()) }

// Step returns the first step with this title, or nil if there is none.
func (r *JobResult) Step(title core.StepTitle) *core.JobStep {
	job := r.job()
	if job == nil {
		return nil
	}
	if i := slices.IndexFunc(job.Steps, func(s core.JobStep) bool { return s.Title == title }); i >= 0 {
		return &job.Steps[i]
	}
	return nil
}

// setUser records the job's user, unless it is known already.
func (j *Job) setUser(userID string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if userID != "" && j.userID == "" {
		j.userID = userID
	}
}

func (j *Job) user() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.userID
}

// maxAnswered is the maximum number of answered questions that a job remembers.
const maxAnswered = 32

// claim marks an MFA question as being answered. It reports false if that
// question was already claimed.
func (j *Job) claim(fingerprint string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if slices.Contains(j.answered, fingerprint) {
		return false
	}
	j.answered = append(j.answered, fingerprint)
	if n := len(j.answered); n > maxAnswered {
		j.answered = slices.Clone(j.answered[n-maxAnswered:])
	}
	return true
}

// recordLate records whether the question had expired by the time the answer
// was sent.
func (j *Job) recordLate(question MFA) {
	late := j.client.timeLeft(question) == 0
	j.mu.Lock()
	defer j.mu.Unlock()
	j.late = late
}

func (j *Job) isLate() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.late
}

// release undoes claim for a question that was not answered after all.
func (j *Job) release(fingerprint string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.answered = slices.DeleteFunc(j.answered, func(s string) bool { return s == fingerprint })
}
