package basiq

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/internal/safetext"
	"github.com/basiq-sdk/basiq-go/transport"
)

// JobError is the error of a job that failed. Its text contains the job ID, the
// step and the code, under every verb of fmt, as JSON and in logs. Title and
// Detail are texts of the bank or of Basiq, which may be personal; they are
// available as fields only.
//
// errors.Is matches the documented codes, such as [ErrJobInvalidCredentials]. If
// the bank's MFA question failed, it matches either [ErrMFARejected] or
// [ErrMFAExpired].
type JobError struct {
	JobID        string
	Kind         string         // kind of job: "connection", "statement" or "report"
	Step         core.StepTitle // the first step that failed; "" if unknown
	Code         core.StepCode  // the reason; banks can return codes of their own
	Title        string         // short description of the reason
	Detail       string         // full description of the reason
	ConnectionID string         // the job's connection; "" if unknown
	Existing     bool           // see Job.Existing
	Job          *core.Job      // the job when it failed

	late bool // the answer was sent after the question had expired
}

// Error returns the job ID, the step and the code.
func (e *JobError) Error() string {
	if e == nil {
		return "<nil>"
	}
	return e.text()
}

func (e *JobError) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "basiq: job %s failed", safetext.Identifier(e.JobID))
	if e.Step != "" {
		fmt.Fprintf(&b, " at %s", safetext.Identifier(string(e.Step)))
	}
	if e.Code != "" {
		fmt.Fprintf(&b, ": %s", safetext.Identifier(string(e.Code)))
	}
	return b.String()
}

// Format writes the text of Error for every verb.
func (e JobError) Format(f fmt.State, verb rune) { safetext.Format(f, verb, e.text()) }

// MarshalJSON encodes the contents of the text.
func (e JobError) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Message string         `json:"message"`
		JobID   string         `json:"jobId"`
		Step    core.StepTitle `json:"step,omitempty"`
		Code    core.StepCode  `json:"code,omitempty"`
	}{e.text(), e.JobID, e.Step, e.Code})
}

// LogValue returns the contents of the text for log/slog, as a group.
func (e *JobError) LogValue() slog.Value {
	if e == nil {
		return slog.Value{}
	}
	return slog.GroupValue(slog.String("message", e.text()), slog.String("jobId", safetext.Identifier(e.JobID)),
		slog.String("step", safetext.Identifier(string(e.Step))), slog.String("code", safetext.Identifier(string(e.Code))))
}

// Is reports whether the job failed for the reason that target represents.
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
	return ok && code.matches(e.Code)
}

// outage reports whether the institution or Basiq caused the failure, so that it
// says nothing about the user's answer.
func (e *JobError) outage() bool {
	switch e.Code {
	case core.StepCodeMaintenance, core.StepCodeServiceUnavailable, core.StepCodeSystemUnavailable, core.StepCodeConnectorError,
		core.StepCodeInstitutionNotAvailable, core.StepCodeUnknownError, core.StepCodeMaintenanceError,
		core.StepCodeTemporaryUnavailable, core.StepCodeTemporaryUnavailableQueued:
		return true
	}
	return false
}

// jobError returns the error of a job that failed at a step. step is -1 if the
// step is unknown.
func (w *waiter) jobError(job *core.Job, step int) error {
	e := &JobError{JobID: w.job.id, Kind: job.Kind, ConnectionID: linkedID(job, "connections"), Existing: w.job.existing, Job: job, late: w.job.isLate()}
	if step < 0 {
		return e
	}
	e.Step = job.Steps[step].Title
	if why, ok := job.Steps[step].Result.Failure(); ok {
		e.Code, e.Title, e.Detail = why.Code, why.Title, why.Detail
		if e.Detail == "" { // the API's description says "detail", its examples say "details"
			for name, raw := range why.JSON.Extra() {
				if name == "details" {
					_ = json.Unmarshal(raw, &e.Detail)
				}
			}
		}
	}
	return e
}

// ErrJobOwner means that a job does not belong to [WaitOptions.UserID]. Its ID
// may come from another user's browser or may have been forged.
var ErrJobOwner = errors.New("basiq: the job belongs to another user")

// WaitError is the error of a wait that ended before the job did, because the
// wait timed out, the context ended, or the API returned an error. The job
// itself continues. errors.Is matches the cause: context.DeadlineExceeded,
// context.Canceled, [transport.ErrNotFound] if the job does not exist, or another
// error of package transport. The cause of a context (context.Cause) appears in
// the text only.
type WaitError struct {
	JobID  string
	Step   core.StepTitle  // the first step that was not done at the last successful poll; "" if there was none
	Status core.StepStatus // status of that step
	Polls  int             // number of polls
	Waited time.Duration   // duration of the wait
	Err    error           // why the wait ended
	Last   error           // error of the last poll, or of an answer that the bank may or may not have received; may be nil

	job *Job
}

// Job returns a handle to continue waiting, or to take a resume token from.
func (e *WaitError) Job() *Job {
	if e == nil {
		return nil
	}
	if e.job == nil { // not created by a wait, but by a test, for example
		return (*Client)(nil).Job(e.JobID)
	}
	return e.job
}

// Error returns the job ID, the last known status, and the cause.
func (e *WaitError) Error() string {
	if e == nil {
		return "<nil>"
	}
	return e.text()
}

func (e *WaitError) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "basiq: stopped waiting for job %s after %s and ", safetext.Identifier(e.JobID), e.Waited.Round(time.Millisecond))
	if e.Polls == 1 {
		b.WriteString("1 poll")
	} else {
		fmt.Fprintf(&b, "%d polls", e.Polls)
	}
	if e.Step != "" {
		fmt.Fprintf(&b, "; %s was %s", safetext.Identifier(string(e.Step)), safetext.Identifier(string(e.Status)))
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %s", strings.TrimPrefix(e.Err.Error(), "basiq: "))
	}
	if e.Last != nil && (e.Err == nil || e.Last.Error() != e.Err.Error()) {
		fmt.Fprintf(&b, "; last error: %s", strings.TrimPrefix(e.Last.Error(), "basiq: "))
	}
	return b.String()
}

// Format writes the text of Error for every verb.
func (e WaitError) Format(f fmt.State, verb rune) { safetext.Format(f, verb, e.text()) }

// MarshalJSON encodes the contents of the text.
func (e WaitError) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Message string          `json:"message"`
		JobID   string          `json:"jobId"`
		Step    core.StepTitle  `json:"step,omitempty"`
		Status  core.StepStatus `json:"status,omitempty"`
		Polls   int             `json:"polls"`
	}{e.text(), e.JobID, e.Step, e.Status, e.Polls})
}

// LogValue returns the contents of the text for log/slog, as a group.
func (e *WaitError) LogValue() slog.Value {
	if e == nil {
		return slog.Value{}
	}
	return slog.GroupValue(slog.String("message", e.text()), slog.String("jobId", safetext.Identifier(e.JobID)), slog.Int("polls", e.Polls))
}

// refusal returns the code with which the API refused to return the job, or "".
// It refuses with status 400 and one of the codes of a failed job.
func (e *WaitError) refusal() core.StepCode {
	var api *transport.Error
	if !errors.As(e.Err, &api) || api.Status != http.StatusBadRequest {
		return ""
	}
	return core.StepCode(api.Code())
}

// Is reports whether the API refused to return the job for the reason that
// target represents, such as [ErrJobInvalidCredentials].
func (e *WaitError) Is(target error) bool {
	code, ok := target.(jobCode)
	return ok && e != nil && code.matches(e.refusal())
}

// Advice returns what to do about the cause, in a few sentences, or "" if there
// is no advice for it.
func (e *WaitError) Advice() string {
	if e == nil {
		return ""
	}
	if text := (&JobError{Code: e.refusal()}).Advice(); text != "" {
		return text
	}
	var api *transport.Error
	if errors.As(e.Err, &api) {
		return api.Advice()
	}
	return ""
}

// Unwrap returns Err and Last, if they are not nil.
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

// made reports whether err is an error of this package.
func made(err error) bool {
	switch err.(type) {
	case *WaitError, *JobError, *JobsError, *MFARequiredError, *MFAError, *PurgedError, *ReportError, jobCode:
		return true
	}
	switch err {
	case ErrMFARejected, ErrMFAExpired, ErrMFAAskedAgain, ErrMFALink, ErrJobOwner, ErrResumeToken, ErrSyncCursor,
		ErrConsentState, ErrConsentNoJob, ErrConsentReturn, ErrMetricAbsent, ErrMetricKind:
		return true
	}
	return false
}

// causeText returns the text of an error's cause, which may be nil.
func causeText(err error) string {
	if err == nil {
		return "unknown reason"
	}
	return strings.TrimPrefix(err.Error(), "basiq: ")
}
