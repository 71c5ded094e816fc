package basiq

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/internal/retries"
	"github.com/basiq-sdk/basiq-go/internal/safetext"
	"github.com/basiq-sdk/basiq-go/internal/sdkerrors"
	"github.com/basiq-sdk/basiq-go/internal/urls"
	"github.com/basiq-sdk/basiq-go/transport"
)

// Reasons why a bank's MFA question was not answered successfully, for errors.Is.
var (
	// ErrMFARejected means that the API or the bank rejected the answer as
	// incorrect.
	ErrMFARejected = errors.New("basiq: the answer to the bank's question was rejected")
	// ErrMFAExpired means that the answer came too late, whether it was correct
	// or not. Refresh the connection to get a new question.
	ErrMFAExpired = errors.New("basiq: the bank's question has expired")
	// ErrMFAAskedAgain means that the bank repeats a question that was answered,
	// probably because the answer was incorrect. A wait does not answer it a
	// second time.
	ErrMFAAskedAgain = errors.New("basiq: the bank asks the same question again")
)

// MFA is a multi-factor authentication question that a bank asks the user during
// a job. It contains everything that [Client.AnswerMFA] needs to answer it in
// another process, and can be stored as JSON. The prompts may be personal data.
type MFA struct {
	JobID       string         `json:"jobId"`
	UserID      string         `json:"userId"` // the job's user; "" if unknown
	Method      core.MFAMethod `json:"method"` // how the user is asked
	Description string         `json:"description"`
	Prompts     []string       `json:"prompts"`               // one prompt for each answer, in order
	Expires     time.Time      `json:"expires"`               // when the question expires; zero if unknown
	ResponseURL string         `json:"responseUrl,omitempty"` // where the answer is sent, as returned by the API

	clock func() time.Time // the client's clock; nil means time.Now
}

// TimeLeft returns how long the question can still be answered: 0 if it has
// expired, and -1 if that is unknown. It uses the clock of the client that
// received the question. After the question was stored and loaded, it uses the
// clock of this machine.
func (m MFA) TimeLeft() time.Duration {
	switch {
	case m.Expires.IsZero():
		return -1
	case m.clock != nil:
		return max(0, m.Expires.Sub(m.clock()))
	}
	return max(0, time.Until(m.Expires))
}

// MFARequiredError is the error of a wait whose job needs the user's answer to
// an MFA question, if OnMFA is nil. Call [Client.AnswerMFA] before [MFA.Expires],
// in this or another process, and continue waiting with the job that it
// returns.
type MFARequiredError struct {
	MFA MFA

	job *Job
}

// Job returns a handle for the job. A wait for it asks the question again, unless
// it was answered with the job that AnswerMFA returns.
func (e *MFARequiredError) Job() *Job {
	if e == nil {
		return nil
	}
	if e.job == nil { // not created by a wait, but by a test, for example
		return (*Client)(nil).Job(e.MFA.JobID)
	}
	return e.job
}

// Error returns the job ID and the MFA method.
func (e *MFARequiredError) Error() string {
	if e == nil {
		return "<nil>"
	}
	return e.text()
}

func (e *MFARequiredError) text() string {
	return fmt.Sprintf("basiq: job %s needs the user's answer to a question of the bank (%s): set WaitOptions.OnMFA, or call AnswerMFA",
		safetext.Identifier(e.MFA.JobID), safetext.Identifier(string(e.MFA.Method)))
}

// Format writes the text of Error for every verb.
func (e MFARequiredError) Format(f fmt.State, verb rune) { safetext.Format(f, verb, e.text()) }

// MarshalJSON encodes the text and the job ID. MFA can be encoded separately.
func (e MFARequiredError) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{"message": e.text(), "jobId": e.MFA.JobID})
}

// LogValue returns the text for log/slog.
func (e *MFARequiredError) LogValue() slog.Value {
	if e == nil {
		return slog.Value{}
	}
	return slog.StringValue(e.text())
}

// MFAError is the error of an MFA question that could not be answered. Err is
// the cause. errors.Is matches [ErrMFAAskedAgain] and, if an answer was rejected,
// either [ErrMFARejected] or [ErrMFAExpired].
type MFAError struct {
	JobID string
	Err   error

	kind error // ErrMFARejected, ErrMFAExpired, or nil if Err matches them itself
	job  *Job
}

// Job returns a handle to continue waiting. If no answer was sent, or the API
// did not accept it, the next wait asks again.
func (e *MFAError) Job() *Job {
	if e == nil {
		return nil
	}
	return e.job
}

// Error returns the job ID and the cause. It does not contain the answers.
func (e *MFAError) Error() string {
	if e == nil {
		return "<nil>"
	}
	return e.text()
}

func (e *MFAError) text() string {
	return fmt.Sprintf("basiq: job %s: the bank's question was not answered: %s", safetext.Identifier(e.JobID), causeText(e.Err))
}

// Format writes the text of Error for every verb.
func (e MFAError) Format(f fmt.State, verb rune) { safetext.Format(f, verb, e.text()) }

// MarshalJSON encodes the text and the job ID.
func (e MFAError) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{"message": e.text(), "jobId": e.JobID})
}

// LogValue returns the text for log/slog.
func (e *MFAError) LogValue() slog.Value {
	if e == nil {
		return slog.Value{}
	}
	return slog.StringValue(e.text())
}

// Unwrap returns Err.
func (e *MFAError) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Err
}

// Is reports whether target is the reason why the API rejected the answer:
// [ErrMFARejected] or [ErrMFAExpired].
func (e *MFAError) Is(target error) bool { return e != nil && e.kind != nil && target == e.kind }

// mfaProgress is what a wait has observed since the last answer.
type mfaProgress struct {
	cleared  bool  // a poll returned no question since then
	repeated int   // polls that returned the answered question after that
	err      error // error of the answer, if the bank may have received it all the same
}

// handleMFA answers the bank's question, if there is one.
func (w *waiter) handleMFA(job *core.Job) error {
	question := w.question(job)
	if question == nil {
		w.mfa.cleared = true
		return nil
	}
	fingerprint := question.fingerprint()
	if !w.job.claim(fingerprint) {
		// The answered question can remain for a while. If it disappears and
		// then appears in two polls, the bank asks it again.
		if w.mfa.cleared {
			if w.mfa.repeated++; w.mfa.repeated > 1 {
				return &MFAError{JobID: w.job.id, Err: ErrMFAAskedAgain, job: w.job}
			}
		}
		return nil
	}
	w.mfa = mfaProgress{}
	if w.o.OnMFA == nil {
		w.job.release(fingerprint)
		return &MFARequiredError{MFA: *question, job: w.job}
	}
	answers, err := w.callback(*question)
	if err != nil {
		w.job.release(fingerprint)
		if w.ctx.Err() != nil {
			return w.waitError(nil)
		}
		return &MFAError{JobID: w.job.id, Err: err, job: w.job}
	}
	err = w.job.client.sendAnswer(w.ctx, *question, answers, w.opts)
	w.job.recordLate(*question)
	if err != nil {
		if used, unknown := answerUsed(err); unknown {
			// The bank may have received the answer: the next polls will show.
			w.mfa.err = err
			return nil
		} else if !used {
			w.job.release(fingerprint)
		}
		if w.ctx.Err() != nil {
			return w.waitError(err)
		}
		return w.job.mfaError(*question, err)
	}
	w.interval = w.o.Interval // poll quickly again, because the user is waiting
	return nil
}

// mfaError returns the error of an answer that was not accepted.
func (j *Job) mfaError(question MFA, err error) error {
	e := &MFAError{JobID: j.id, Err: err, job: j}
	var api *transport.Error
	if errors.As(err, new(*transport.TokenError)) || !errors.As(err, &api) || api.Path != answerPath || api.Status >= 500 {
		return e
	}
	used, _ := answerUsed(err)
	// The API may respond to an expired question with 403 or 404.
	refused := used || api.Status == http.StatusNotFound || errors.Is(api, transport.ErrForbidden)
	switch {
	case refused && (api.Status == http.StatusGone || j.client.timeLeft(question) == 0):
		e.kind = ErrMFAExpired // the answer may have been correct
	case used:
		e.kind = ErrMFARejected
	}
	return e
}

// timeLeft returns question.TimeLeft by the client's clock.
func (c *Client) timeLeft(question MFA) time.Duration {
	question.clock = c.Transport.Now
	return question.TimeLeft()
}

// question returns the question that the bank asks now, or nil.
func (w *waiter) question(job *core.Job) *MFA {
	for i := range job.Steps {
		step := &job.Steps[i]
		switch normalized(string(step.Status)) {
		case string(core.StepStatusSuccess), string(core.StepStatusSkipped), string(core.StepStatusFailed):
			continue
		}
		c, ok := step.Result.MFA()
		if !ok {
			continue
		}
		m := &MFA{JobID: w.job.id, UserID: w.o.UserID, Method: c.Method, Description: c.Description, Prompts: c.Prompts}
		m.Expires, m.clock = expiry(w.job.client.Transport.Now(), c.ExpiryMs), w.job.client.Transport.Now
		if m.UserID == "" {
			m.UserID = w.job.user()
		}
		if c.Links != nil {
			m.ResponseURL = c.Links.Response
		}
		return m
	}
	return nil
}

// expiry returns the time at which a question expires, n being the time left.
// The API documents milliseconds, but one of its examples is only plausible in
// seconds. No user can answer within ten seconds, so a value below 10,000 is
// taken as seconds.
func expiry(now time.Time, n int) time.Time {
	const fewest, most = 10_000, 24 * 60 * 60 * 1000
	switch {
	case n <= 0 || n > most:
		return time.Time{}
	case n < fewest:
		return now.Add(time.Duration(n) * time.Second)
	}
	return now.Add(time.Duration(n) * time.Millisecond)
}

// fingerprint identifies a question within a job. It does not depend on the
// time left.
func (m MFA) fingerprint() string {
	h := sha256.New()
	for _, part := range append([]string{string(m.Method), m.Description, m.ResponseURL}, m.Prompts...) {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:9])
}

// callback calls OnMFA. It uses a separate goroutine, so that the wait ends in
// time even if OnMFA does not return.
func (w *waiter) callback(question MFA) ([]string, error) {
	ctx := w.ctx
	if left := question.TimeLeft(); left >= 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, left)
		defer cancel()
	}
	var answers []string
	err := errors.New("OnMFA called runtime.Goexit")
	done := make(chan struct{})
	go func() {
		defer close(done)
		callErr := recoverPanic("OnMFA", func() (err error) {
			answers, err = w.o.OnMFA(ctx, question)
			return err
		})
		err = sdkerrors.TextOf(callErr) // keep the text only: an error of another call is not one of this wait
	}()
	select {
	case <-done:
		if err != nil && ctx.Err() != nil && w.ctx.Err() == nil {
			return nil, fmt.Errorf("%w: %w", ErrMFAExpired, err)
		}
		return answers, err
	case <-ctx.Done():
		return nil, ErrMFAExpired
	}
}

// answerPath is the path template of SubmitMFA.
const answerPath = "/jobs/{jobId}/mfa"

// answerUsed reports, for an error of sendAnswer, whether the answer counts as
// given, and whether that is unknown.
func answerUsed(err error) (used, unknown bool) {
	if errors.As(err, new(*transport.TokenError)) {
		return false, false // the answer was never sent, because there was no token
	}
	if errors.Is(err, transport.ErrOutcomeUnknown) {
		return true, true
	}
	var api *transport.Error
	if !errors.As(err, &api) || api.Path != answerPath {
		return false, false // the answer was never sent
	}
	return !retries.Of(api.Status).Unread, false
}

// AnswerMFA answers a bank's question from an [*MFARequiredError]. Pass one
// answer for each prompt, in the same order. For an approval in the bank's app,
// pass the single answer "confirmed". If all answers are blank, nothing is sent.
//
// The answers are sent once, with a CLIENT_ACCESS token of the question's user,
// and cannot be corrected. To find out whether they were correct, continue
// waiting with the returned job, which records that the question was answered.
// If [MFA.Expires] has passed, nothing is sent, because the bank would reject
// even a correct answer.
//
// The error is an [*MFAError]. If it matches [transport.ErrOutcomeUnknown], the
// bank may have received the answers: continue waiting.
//
// POST /jobs/{jobId}/mfa: CLIENT_ACCESS token bound to the user.
func (c *Client) AnswerMFA(ctx context.Context, question MFA, answers []string, opts ...transport.Option) (*Job, error) {
	if err := c.checkReady(ctx, "AnswerMFA"); err != nil {
		return nil, err
	}
	job := c.Job(question.JobID)
	job.setUser(question.UserID)
	if err := c.sendAnswer(ctx, question, answers, opts); err != nil {
		if used, _ := answerUsed(err); used {
			job.claim(question.fingerprint())
		}
		job.recordLate(question)
		return job, job.mfaError(question, err)
	}
	job.recordLate(question)
	job.claim(question.fingerprint())
	return job, nil
}

func (c *Client) sendAnswer(ctx context.Context, m MFA, answers []string, opts []transport.Option) error {
	switch {
	case m.UserID == "":
		return errors.New("the job's user is unknown: set WaitOptions.UserID or MFA.UserID")
	case !slices.ContainsFunc(answers, func(s string) bool { return strings.TrimSpace(s) != "" }):
		return errors.New("no answer was given, or only blank ones")
	case len(m.Prompts) > 0 && len(answers) != len(m.Prompts):
		return fmt.Errorf("the number of answers (%d) differs from the number of prompts (%d)", len(answers), len(m.Prompts))
	case c.timeLeft(m) == 0:
		return ErrMFAExpired
	}
	jobID, err := c.mfaJobID(m)
	if err != nil {
		return err
	}
	_, err = c.Core.Jobs.SubmitMFA(ctx, jobID, core.SubmitMFAParams{Answers: answers}, slices.Concat(opts, []transport.Option{transport.WithUser(m.UserID)})...)
	switch {
	case errors.As(err, new(*transport.TokenError)):
		return err // the answer was never sent
	case errors.Is(err, transport.ErrNoContent), errors.Is(err, transport.ErrTooLarge), errors.As(err, new(*transport.DecodeError)):
		return nil // the answer was accepted; the body is not needed
	}
	return err
}

// ErrMFALink means that the API returned a response link that leads to another
// host, or does not belong to the MFA question of a job. The answer is not
// sent.
var ErrMFALink = errors.New("basiq: the response link of the bank's question is not an MFA link of this API")

// mfaJobID returns the ID of the job that the response link names. Only the ID
// is taken from the link, so the answer can reach no other host and no other
// route.
func (c *Client) mfaJobID(m MFA) (string, error) {
	if m.ResponseURL == "" {
		return m.JobID, nil
	}
	base, err := url.Parse(c.Transport.BaseURL())
	if err != nil {
		return "", err
	}
	link, err := url.Parse(m.ResponseURL)
	if err != nil {
		return "", ErrMFALink
	}
	link = c.Transport.GatewayLink(link)
	u := base.ResolveReference(link)
	if u.User != nil || urls.Origin(u) != urls.Origin(base) || u.RawQuery != "" || u.Fragment != "" {
		return "", ErrMFALink
	}
	path := u.EscapedPath()
	if strings.HasPrefix(path, base.EscapedPath()+"/") {
		path = strings.TrimPrefix(path, base.EscapedPath())
	}
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	if len(segments) != 3 || segments[0] != "jobs" || segments[2] != "mfa" {
		return "", ErrMFALink
	}
	id, err := url.PathUnescape(segments[1])
	if err != nil || id == "" {
		return "", ErrMFALink
	}
	return id, nil
}
