package basiq

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/basiq-sdk/basiq-go/internal/safetext"
	"github.com/basiq-sdk/basiq-go/transport"
)

// JobsError is the error of a wait for several jobs, such as WaitForJobs, if at
// least one of them did not succeed. errors.Is and errors.As find the errors of
// all waits; errors.As finds the first.
//
// Failed returns the jobs that failed, with the step and the reason. Running
// returns those that continue, and can be waited for again.
type JobsError struct {
	Total int     // number of jobs that were waited for
	Errs  []error // error of each wait that returned no result, in the order of the jobs
}

// Failed returns the errors of the jobs that failed.
func (e *JobsError) Failed() []*JobError {
	if e == nil {
		return nil
	}
	return JobErrors(e)
}

// Running returns the jobs that had not ended when the wait for them did, because
// it timed out, was canceled, or needs the user's answer to a question of the bank.
// Wait for them again, or store [Job.Token] of each, so that another process can. It
// does not return jobs that the API refuses to return, such as those of another
// user.
func (e *JobsError) Running() []*Job {
	if e == nil {
		return nil
	}
	var jobs []*Job
	for _, err := range e.Errs {
		var (
			wait     *WaitError
			required *MFARequiredError
			answered *MFAError
		)
		switch {
		case errors.As(err, &required):
			jobs = append(jobs, required.Job())
		case errors.As(err, &answered) && answered.Job() != nil:
			jobs = append(jobs, answered.Job())
		case errors.As(err, &wait) && !wait.unavailable():
			jobs = append(jobs, wait.Job())
		}
	}
	return jobs
}

// unavailable reports whether waiting for the job again is futile.
func (e *WaitError) unavailable() bool {
	return e == nil || errors.Is(e.Err, ErrJobOwner) || errors.Is(e.Err, transport.ErrNotFound) || e.refusal() != ""
}

// Error returns how many jobs did not succeed, and the text of each error.
func (e *JobsError) Error() string {
	if e == nil {
		return "<nil>"
	}
	return e.text()
}

func (e *JobsError) text() string {
	texts := make([]string, len(e.Errs))
	for i, err := range e.Errs {
		texts[i] = causeText(err)
	}
	noun := "jobs"
	if e.Total == 1 {
		noun = "job"
	}
	return fmt.Sprintf("basiq: %d of %d %s did not succeed: %s", len(e.Errs), e.Total, noun, strings.Join(texts, "; "))
}

// Unwrap returns Errs.
func (e *JobsError) Unwrap() []error {
	if e == nil {
		return nil
	}
	return e.Errs
}

// Format writes the text of Error for every verb.
func (e JobsError) Format(f fmt.State, verb rune) { safetext.Format(f, verb, e.text()) }

// MarshalJSON encodes the text, and the texts of Errs.
func (e JobsError) MarshalJSON() ([]byte, error) {
	texts := make([]string, len(e.Errs))
	for i, err := range e.Errs {
		texts[i] = causeText(err)
	}
	return json.Marshal(struct {
		Message string   `json:"message"`
		Total   int      `json:"total"`
		Errors  []string `json:"errors"`
	}{e.text(), e.Total, texts})
}

// LogValue returns the text for log/slog.
func (e *JobsError) LogValue() slog.Value {
	if e == nil {
		return slog.Value{}
	}
	return slog.StringValue(e.text())
}

// JobErrors returns all *JobErrors in an error that joins several, such as a
// [*JobsError], in the order of the jobs. errors.As finds only the first.
func JobErrors(err error) []*JobError { return allOf[*JobError](err) }

// WaitErrors returns all *WaitErrors in an error that joins several, such as a
// [*JobsError], in the order of the jobs: those of jobs whose outcome is unknown.
// errors.As finds only the first.
func WaitErrors(err error) []*WaitError { return allOf[*WaitError](err) }

// allOf returns the errors of type E in the tree of err, without those that they
// wrap themselves.
func allOf[E interface {
	error
	comparable
}](err error) []E {
	var none E
	switch e := err.(type) {
	case nil:
		return nil
	case E:
		if e == none {
			return nil
		}
		return []E{e}
	case interface{ Unwrap() []error }:
		var out []E
		for _, err := range e.Unwrap() {
			out = append(out, allOf[E](err)...)
		}
		return out
	}
	return allOf[E](errors.Unwrap(err))
}
