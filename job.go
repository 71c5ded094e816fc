package basiq

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/basiq-sdk/basiq-go/generated/core"
)

// Job is a handle on work that Basiq does in the background: for a connection,
// an uploaded statement or a report. Client.Job makes one from a job's ID, and
// the calls that start a job return one. It is safe for concurrent use.
type Job struct{ *jobState } // behind a pointer, where printing does not follow

type jobState struct {
	client   *Client
	id       string
	existing bool

	mu       sync.Mutex
	userID   string
	answered []string // fingerprints of the challenges that were answered, the newest last
	late     bool     // the last answer was given as its question had expired
	result   *JobResult
}

// Job returns a handle on the job with this ID.
func (c *Client) Job(jobID string) *Job {
	return &Job{&jobState{client: c, id: jobID}}
}

// WaitForJob waits until a job has ended, and returns what it made. See Job.Wait.
func (c *Client) WaitForJob(ctx context.Context, jobID string, opts WaitOptions) (*JobResult, error) {
	return c.Job(jobID).Wait(ctx, opts)
}

// WaitForJobs waits for several jobs at once, such as those that the Consent UI
// returns with. There is one result for each ID, in their order, nil for a job
// that failed, and the error joins all failures: see JobErrors. An ID that is there
// twice is waited for once. Callbacks are called
// for different jobs at the same time.
func (c *Client) WaitForJobs(ctx context.Context, jobIDs []string, opts WaitOptions) ([]*JobResult, error) {
	if err := c.ready(ctx, "WaitForJobs"); err != nil {
		return nil, err
	}
	jobs := make([]*Job, len(jobIDs))
	for i, id := range jobIDs {
		jobs[i] = c.Job(id)
	}
	return waitForAll(ctx, jobs, opts)
}

func waitForAll(ctx context.Context, jobs []*Job, opts WaitOptions) ([]*JobResult, error) {
	results, errs := make([]*JobResult, len(jobs)), make([]error, len(jobs))
	var wg sync.WaitGroup
	first := map[string]int{} // by ID: a job that is there twice is waited for once
	for i, j := range jobs {
		if _, twice := first[j.ID()]; !twice {
			first[j.ID()] = i
			wg.Go(func() { results[i], errs[i] = j.Wait(ctx, opts) })
		}
	}
	wg.Wait()
	for i, j := range jobs {
		results[i] = results[first[j.ID()]]
	}
	return results, errors.Join(errs...)
}

// ID returns the job's ID.
func (j *Job) ID() string {
	if j == nil || j.jobState == nil {
		return ""
	}
	return j.id
}

// Existing tells whether the call that was to start the job found one that was
// queued or running already, and returned that.
func (j *Job) Existing() bool { return j != nil && j.jobState != nil && j.existing }

// Result returns what the job made, nil while it has not been seen to succeed.
func (j *Job) Result() *JobResult {
	if j == nil || j.jobState == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.result
}

// WaitOptions says how to wait for a job. The zero value will do, unless the
// bank may ask the user something.
type WaitOptions struct {
	// Timeout bounds the wait. The default is the context's deadline or, if it
	// has none, ten minutes. Jobs take from 3 to 30 seconds as a rule.
	Timeout time.Duration
	// Interval is the pause after the first poll. Each further pause is half as
	// long again, up to MaxInterval, and is shortened by up to a quarter at
	// random. The default is one second.
	Interval time.Duration
	// MaxInterval bounds the pauses. The default is ten seconds, or Interval if
	// that is longer.
	MaxInterval time.Duration
	// UserID is the job's owner. It is needed to answer a bank's question, when
	// the job itself does not name its user. A wait ends with ErrJobOwner as soon
	// as the job names another one: give UserID wherever the job's ID came
	// through a browser, as that of a ConsentReturn does.
	UserID string
	// OnMFA answers a bank's question: one answer for each prompt, in their
	// order; for an approval in the bank's app, the single word confirmed. It is
	// asked once for each question. Its context ends when the question expires
	// or the wait does, which then ends with an error whether OnMFA has returned
	// or not. Without OnMFA, a question ends the wait with an *MFARequiredError.
	OnMFA func(ctx context.Context, question MFA) ([]string, error)
	// OnStep is called for every change of a step. Keep it quick: nothing is
	// polled meanwhile.
	OnStep func(StepChange)
}

const (
	defaultTimeout     = 10 * time.Minute
	defaultInterval    = time.Second
	defaultMaxInterval = 10 * time.Second
)

func (o WaitOptions) check() (WaitOptions, error) {
	for name, d := range map[string]time.Duration{"Timeout": o.Timeout, "Interval": o.Interval, "MaxInterval": o.MaxInterval} {
		if d < 0 {
			return o, fmt.Errorf("basiq: WaitOptions.%s is negative: %s", name, d)
		}
	}
	if o.Interval == 0 {
		o.Interval = defaultInterval
	}
	if o.MaxInterval == 0 {
		o.MaxInterval = defaultMaxInterval
	}
	o.MaxInterval = max(o.MaxInterval, o.Interval)
	return o, nil
}

// StepChange is news of a step of a job.
type StepChange struct {
	JobID    string
	Title    core.StepTitle  // what is done
	Status   core.StepStatus // how the step stands now
	Previous core.StepStatus // how it stood before, "" at first sight
	Number   int             // the step's place in the job, from 1
	Total    int             // steps of the job
	Step     core.JobStep    // the step as the API tells it
}

// Wait polls the job until it has ended, and returns what it made. A job has
// succeeded when every step has succeeded or was skipped; a job without steps
// has not.
//
// It fails with a *JobError as soon as a step has failed (those after it then
// stay pending for ever), with an *MFARequiredError when the bank asks the user
// something and there is no OnMFA, with an *MFAError when an answer could not be
// given, and with a *WaitError when it is not known how the job ends: the time
// is over, or the API refuses to tell. Each of them has the job's ID, to go on
// later; the job itself goes on meanwhile.
//
// Failures of the API or the network that may pass (5xx, 429, no answer) are
// waited out until the time is over, and so are up to three answers that the
// job is not known, before it is seen first. What the API asks for with
// Retry-After is heeded. All waits of a client keep to one rate: see
// Client.SetPollRate.
//
// GET /jobs/{jobId}: SERVER_ACCESS token.
func (j *Job) Wait(ctx context.Context, opts WaitOptions) (*JobResult, error) {
	return j.follow(ctx, opts, func(StepChange) bool { return true })
}

// Steps iterates over the changes of the job's steps while it waits as Wait
// does. The first poll gives every step as it stands. The loop ends when the
// job has succeeded, and Result returns what it made; a failure is given once,
// as Wait would return it, and ends the loop. Nothing is polled after the loop.
func (j *Job) Steps(ctx context.Context, opts WaitOptions) iter.Seq2[StepChange, error] {
	return func(yield func(StepChange, error) bool) {
		stopped := false
		_, err := j.follow(ctx, opts, func(c StepChange) bool {
			stopped = !yield(c, nil)
			return !stopped
		})
		if err != nil && !stopped {
			yield(StepChange{JobID: j.ID()}, err)
		}
	}
}

// JobResult is what a job made.
type JobResult struct {
	Job      *core.Job // the job as it stood at its end
	Existing bool      // see Job.Existing
	userID   string
}

// ConnectionID returns the ID of the connection that the job worked on, from
// wherever the job names it, or "".
func (r *JobResult) ConnectionID() string { return idIn(r.job(), "connections") }

// job returns the job, nil of no result.
func (r *JobResult) job() *core.Job {
	if r == nil {
		return nil
	}
	return r.Job
}

// ReportID returns the ID of the report that a report job made, or "".
func (r *JobResult) ReportID() string {
	job := r.job()
	if id := idIn(job, "reports"); id != "" || job == nil || job.Kind != "report" {
		return id
	}
	return job.ID // the API gives the report its job's ID
}

// UserID returns the ID of the user whose job it was, as far as it is known,
// or "".
func (r *JobResult) UserID() string {
	if id := idIn(r.job(), "users"); id != "" || r == nil {
		return id
	}
	return r.userID
}

// Links returns where the results of the steps are found, in the order of the
// steps, as the API wrote them: relative or absolute.
func (r *JobResult) Links() []string { return stepLinks(r.job()) }

// Step returns a step of the job, nil if there is none with this title.
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

// noteUser keeps whose job it is, as soon as it is known.
func (j *Job) noteUser(userID string) {
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

// maxAnswered bounds how many challenges a job remembers.
const maxAnswered = 32

// claim takes a challenge for an answer. It reports false when it was answered,
// or is being answered.
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

// noteLate keeps whether a question has expired by the time that it was answered.
func (j *Job) noteLate(question MFA) {
	late := j.client.left(question) == 0
	j.mu.Lock()
	defer j.mu.Unlock()
	j.late = late
}

func (j *Job) isLate() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.late
}

// release gives a challenge back that was not answered after all.
func (j *Job) release(fingerprint string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.answered = slices.DeleteFunc(j.answered, func(s string) bool { return s == fingerprint })
}
