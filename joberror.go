package basiq

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"
	"unicode"

	"github.com/basiq-sdk/basiq-go/generated/core"
)

// JobError is the error of a job that failed. Its text, under every verb, as
// JSON and in a log, names the job, the step and the code; Title and Detail,
// which are the bank's or Basiq's own words, are in the members only.
//
// errors.Is knows the documented codes, such as ErrJobInvalidCredentials, and of a
// bank's question either ErrMFARejected or ErrMFAExpired.
type JobError struct {
	JobID        string
	Kind         string         // what the job was for: "connection", "statement", "report"
	Step         core.StepTitle // the first step that failed, "" if the job does not say
	Code         core.StepCode  // why; banks' own reasons are no fixed set
	Title        string         // why, in a few words
	Detail       string         // why, in full
	ConnectionID string         // of the connection that the job worked on, as far as it is known
	Existing     bool           // see Job.Existing
	Job          *core.Job      // the job as it stood

	late bool // the answer was given as the question had expired
}

// Error names the job, the step and the code.
func (e *JobError) Error() string {
	if e == nil {
		return "<nil>"
	}
	return e.text()
}

func (e JobError) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "basiq: job %s failed", printable(e.JobID))
	if e.Step != "" {
		fmt.Fprintf(&b, " at %s", printable(string(e.Step)))
	}
	if e.Code != "" {
		fmt.Fprintf(&b, ": %s", printable(string(e.Code)))
	}
	return b.String()
}

// Format prints the text under every verb.
func (e JobError) Format(f fmt.State, verb rune) { formatText(f, verb, e.text()) }

// MarshalJSON encodes what the text tells.
func (e JobError) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Message string         `json:"message"`
		JobID   string         `json:"jobId"`
		Step    core.StepTitle `json:"step,omitempty"`
		Code    core.StepCode  `json:"code,omitempty"`
	}{e.text(), e.JobID, e.Step, e.Code})
}

// LogValue makes log/slog write what the text tells, member by member.
func (e JobError) LogValue() slog.Value {
	return slog.GroupValue(slog.String("message", e.text()), slog.String("jobId", printable(e.JobID)),
		slog.String("step", printable(string(e.Step))), slog.String("code", printable(string(e.Code))))
}

// Is tells whether the job failed for the reason that target stands for.
func (e *JobError) Is(target error) bool {
	if e == nil {
		return false
	}
	expired := e.late || e.Code == core.StepCodeJobTimedOut
	switch target {
	case ErrMFARejected:
		return e.Step == core.StepTitleMFAChallenge && !expired && !e.outage()
	case ErrMFAExpired:
		return e.Step == core.StepTitleMFAChallenge && expired
	}
	code, ok := target.(jobCode)
	return ok && e.Code != "" && core.StepCode(code) == e.Code
}

// outage reports whether the institution or Basiq is at fault, so that nobody's
// answer to a question was wrong.
func (e *JobError) outage() bool {
	switch e.Code {
	case core.StepCodeMaintenance, core.StepCodeServiceUnavailable, core.StepCodeSystemUnavailable, core.StepCodeConnectorError,
		core.StepCodeInstitutionNotAvailable, core.StepCodeUnknownError:
		return true
	}
	return false
}

// failure makes the error of a job that failed at a step; at none that is known
// when step is -1.
func (w *waiter) failure(job *core.Job, step int) error {
	e := &JobError{JobID: w.id, Kind: job.Kind, ConnectionID: idIn(job, "connections"), Existing: w.existing, Job: job, late: w.isLate()}
	if step < 0 {
		return e
	}
	e.Step = job.Steps[step].Title
	if why, ok := job.Steps[step].Result.Failure(); ok {
		e.Code, e.Title, e.Detail = why.Code, why.Title, why.Detail
		if e.Detail == "" { // the description and the examples of the API differ
			for name, raw := range why.JSON.Extra() {
				if name == "details" {
					_ = json.Unmarshal(raw, &e.Detail)
				}
			}
		}
	}
	return e
}

// JobErrors returns the failures of several jobs that an error joins, such as that
// of WaitForJobs, in the order of the jobs. errors.As finds the first only.
func JobErrors(err error) []*JobError {
	var out []*JobError
	switch e := err.(type) {
	case nil:
	case *JobError:
		if e != nil {
			out = append(out, e)
		}
	case interface{ Unwrap() []error }:
		for _, err := range e.Unwrap() {
			out = append(out, JobErrors(err)...)
		}
	default:
		out = append(out, JobErrors(errors.Unwrap(err))...)
	}
	return out
}

// ErrJobOwner is the error of a wait for a job of another user than
// WaitOptions.UserID: its ID comes from the wrong browser, or was made up.
var ErrJobOwner = errors.New("basiq: the job is another user's")

// WaitError is the error of a wait that ended before the job did: the
// time was over, the context ended, or the API did not tell how the job stands.
// The job itself goes on. errors.Is knows the cause: context.DeadlineExceeded,
// context.Canceled, transport.ErrNotFound for a job that is not known (any
// more), and all others of the transport package. The cause of a context is in
// the text only.
type WaitError struct {
	JobID  string
	Step   core.StepTitle  // the first step that was not done when the job was seen last, "" if it was not seen
	Status core.StepStatus // how that step stood
	Polls  int
	Waited time.Duration
	Err    error // why the wait ended
	Last   error // why the last poll failed, if it did; or why it is not known whether the bank has an answer

	job *Job
}

// Job returns a handle to go on waiting with, or to take a resume token of.
func (e *WaitError) Job() *Job {
	if e == nil {
		return nil
	}
	if e.job == nil { // it was made by hand
		return (*Client)(nil).Job(e.JobID)
	}
	return e.job
}

// Error names the job, how it stood, and the cause.
func (e *WaitError) Error() string {
	if e == nil {
		return "<nil>"
	}
	return e.text()
}

func (e WaitError) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "basiq: gave up waiting for job %s after %s and ", printable(e.JobID), e.Waited.Round(time.Millisecond))
	if e.Polls == 1 {
		b.WriteString("1 poll")
	} else {
		fmt.Fprintf(&b, "%d polls", e.Polls)
	}
	if e.Step != "" {
		fmt.Fprintf(&b, "; %s was %s", printable(string(e.Step)), printable(string(e.Status)))
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %s", strings.TrimPrefix(e.Err.Error(), "basiq: "))
	}
	if e.Last != nil && (e.Err == nil || e.Last.Error() != e.Err.Error()) {
		fmt.Fprintf(&b, "; the last failure was: %s", strings.TrimPrefix(e.Last.Error(), "basiq: "))
	}
	return b.String()
}

// Format prints the text under every verb.
func (e WaitError) Format(f fmt.State, verb rune) { formatText(f, verb, e.text()) }

// MarshalJSON encodes what the text tells.
func (e WaitError) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Message string          `json:"message"`
		JobID   string          `json:"jobId"`
		Step    core.StepTitle  `json:"step,omitempty"`
		Status  core.StepStatus `json:"status,omitempty"`
		Polls   int             `json:"polls"`
	}{e.text(), e.JobID, e.Step, e.Status, e.Polls})
}

// LogValue makes log/slog write what the text tells, member by member.
func (e WaitError) LogValue() slog.Value {
	return slog.GroupValue(slog.String("message", e.text()), slog.String("jobId", printable(e.JobID)), slog.Int("polls", e.Polls))
}

// Unwrap returns Err and Last.
func (e *WaitError) Unwrap() []error {
	if e == nil {
		return nil
	}
	var causes []error
	for _, err := range []error{e.Err, e.Last} {
		if err != nil {
			causes = append(causes, err)
		}
	}
	return causes
}

// made reports whether this package makes such an error.
func made(err error) bool {
	switch err.(type) {
	case *WaitError, *JobError, *MFARequiredError, *MFAError, *PurgedError, *ReportError, jobCode:
		return true
	}
	switch err {
	case ErrMFARejected, ErrMFAExpired, ErrMFAAskedAgain, ErrMFALink, ErrJobOwner, ErrResumeToken, ErrSyncCursor,
		ErrConsentState, ErrConsentNoJob, ErrConsentReturn:
		return true
	}
	return false
}

// formatText prints a text under a verb. Errors and secrets print so, member by
// member would tell what is not to be told.
func formatText(f fmt.State, verb rune, text string) {
	switch verb {
	case 'q':
		fmt.Fprintf(f, "%q", text)
	case 'x', 'X':
		fmt.Fprintf(f, "%"+string(verb), text)
	default:
		_, _ = io.WriteString(f, text)
	}
}

// because is the text of a cause within another error, which may have none.
func because(err error) string {
	if err == nil {
		return "the reason is not known"
	}
	return strings.TrimPrefix(err.Error(), "basiq: ")
}

// printable keeps identifiers and drops what could forge a log line.
func printable(s string) string {
	const longest = 64
	if len(s) > longest {
		s = strings.ToValidUTF8(s[:longest], "")
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.IsSpace(r) {
			return '_'
		}
		return r
	}, s)
}
