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
	"github.com/basiq-sdk/basiq-go/internal/sdkerrors"
	"github.com/basiq-sdk/basiq-go/transport"
)

// Reasons why a bank's question was not answered with success, for errors.Is.
var (
	// ErrMFARejected is the error of an answer that was refused, by the API or
	// by the bank: it was wrong.
	ErrMFARejected = errors.New("basiq: the answer to the bank's question was refused")
	// ErrMFAExpired is the error of an answer that came too late, right or wrong:
	// ask the user again after another refresh.
	ErrMFAExpired = errors.New("basiq: the bank's question has expired")
	// ErrMFAAskedAgain is the error of a bank that asks again what was answered:
	// the answer was probably wrong. It is not answered twice by itself.
	ErrMFAAskedAgain = errors.New("basiq: the bank asks the same question again")
)

// MFA is a question that a bank asks the user while a job waits. It has all
// that is needed to answer it elsewhere, with Client.AnswerMFA, and can be
// stored as JSON; the prompts may be personal.
type MFA struct {
	JobID       string         `json:"jobId"`
	UserID      string         `json:"userId"` // whose job it is, "" if not known
	Method      core.MFAMethod `json:"method"` // how the user is asked
	Description string         `json:"description"`
	Prompts     []string       `json:"prompts"`               // what to ask for, one for each answer, in order
	Expires     time.Time      `json:"expires"`               // until when it can be answered, zero if not known
	ResponseURL string         `json:"responseUrl,omitempty"` // where the answer goes, as the API wrote it

	clock func() time.Time // of the client that was asked, nil for time.Now
}

// TimeLeft returns how long the question can still be answered, 0 when it has
// expired, and -1 when that is not known. It goes by the clock of the client that
// was asked, and after a question was stored by that of this machine.
func (m MFA) TimeLeft() time.Duration {
	switch {
	case m.Expires.IsZero():
		return -1
	case m.clock != nil:
		return max(0, m.Expires.Sub(m.clock()))
	}
	return max(0, time.Until(m.Expires))
}

// MFARequiredError is the error of a wait without OnMFA for a job whose bank
// asks the user something. Answer with Client.AnswerMFA, here or in another
// process, before MFA.Expires, and go on waiting with the job that it returns.
type MFARequiredError struct{ MFA MFA }

// Error names the job and the method.
func (e *MFARequiredError) Error() string {
	if e == nil {
		return "<nil>"
	}
	return e.text()
}

func (e MFARequiredError) text() string {
	return fmt.Sprintf("basiq: job %s waits for the user's answer to a question (%s): give WaitOptions.OnMFA, or answer with AnswerMFA",
		printable(e.MFA.JobID), printable(string(e.MFA.Method)))
}

// Format prints the text under every verb.
func (e MFARequiredError) Format(f fmt.State, verb rune) { formatText(f, verb, e.text()) }

// MarshalJSON encodes what the text tells; MFA can be encoded by itself.
func (e MFARequiredError) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{"message": e.text(), "jobId": e.MFA.JobID})
}

// LogValue makes log/slog write the text.
func (e MFARequiredError) LogValue() slog.Value { return slog.StringValue(e.text()) }

// MFAError is the error of a bank's question that could not be answered. The
// cause is wrapped. errors.Is knows ErrMFAAskedAgain, and of an answer that was
// refused either ErrMFARejected or ErrMFAExpired.
type MFAError struct {
	JobID string
	Err   error

	kind error // ErrMFARejected, ErrMFAExpired or nil, where Err does not say so
	job  *Job
}

// Job returns a handle to go on waiting with. When no answer was sent, or the
// API did not take it, the next wait asks again.
func (e *MFAError) Job() *Job {
	if e == nil {
		return nil
	}
	return e.job
}

// Error names the job and the cause; no answer.
func (e *MFAError) Error() string {
	if e == nil {
		return "<nil>"
	}
	return e.text()
}

func (e MFAError) text() string {
	return fmt.Sprintf("basiq: job %s: the bank's question is not answered: %s", printable(e.JobID), because(e.Err))
}

// Format prints the text under every verb.
func (e MFAError) Format(f fmt.State, verb rune) { formatText(f, verb, e.text()) }

// MarshalJSON encodes what the text tells.
func (e MFAError) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{"message": e.text(), "jobId": e.JobID})
}

// LogValue makes log/slog write the text.
func (e MFAError) LogValue() slog.Value { return slog.StringValue(e.text()) }

// Unwrap returns the cause.
func (e *MFAError) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Err
}

// Is reports whether target is the reason for which the API refused the answer:
// ErrMFARejected or ErrMFAExpired.
func (e *MFAError) Is(target error) bool { return e != nil && e.kind != nil && target == e.kind }

// challengeLog is what a wait has seen of questions that were answered.
type challengeLog struct {
	gone  bool  // a poll has shown no question since the last answer
	again int   // polls that showed an answered one after that
	err   error // of the last answer, if the bank may have it nevertheless
}

// ask looks for a question to the user, and answers it.
func (w *waiter) ask(job *core.Job) error {
	question := w.question(job)
	if question == nil {
		w.asked.gone = true
		return nil
	}
	fingerprint := question.fingerprint()
	if !w.claim(fingerprint) {
		// It may take the bank a while. A question that had gone, and is there
		// twice after that, is asked anew.
		if w.asked.gone {
			if w.asked.again++; w.asked.again > 1 {
				return &MFAError{JobID: w.id, Err: ErrMFAAskedAgain, job: w.Job}
			}
		}
		return nil
	}
	w.asked = challengeLog{}
	if w.o.OnMFA == nil {
		w.release(fingerprint)
		return &MFARequiredError{MFA: *question}
	}
	answers, err := w.callback(*question)
	if err != nil {
		w.release(fingerprint)
		if w.ctx.Err() != nil {
			return w.ended(nil)
		}
		return &MFAError{JobID: w.id, Err: err, job: w.Job}
	}
	err = w.client.sendAnswer(w.ctx, *question, answers)
	w.noteLate(*question)
	if err != nil {
		if used, unknown := answerUsed(err); unknown {
			// The bank may have the answer: the job will tell.
			w.asked.err = err
			return nil
		} else if !used {
			w.release(fingerprint)
		}
		if w.ctx.Err() != nil {
			return w.ended(err)
		}
		return w.mfaError(*question, err)
	}
	w.interval = w.o.Interval // the user waits
	return nil
}

// mfaError makes the error of an answer that could not be given.
func (j *Job) mfaError(question MFA, err error) error {
	e := &MFAError{JobID: j.id, Err: err, job: j}
	var api *transport.Error
	if errors.As(err, new(*transport.TokenError)) || !errors.As(err, &api) || api.Path != answerPath || api.Status >= 500 {
		return e
	}
	used, _ := answerUsed(err)
	// A question that has expired may be unknown, or forbidden to answer.
	refused := used || api.Status == http.StatusNotFound || errors.Is(api, transport.ErrForbidden)
	switch {
	case refused && (api.Status == http.StatusGone || j.client.left(question) == 0):
		e.kind = ErrMFAExpired // it may have been right
	case used:
		e.kind = ErrMFARejected
	}
	return e
}

// left returns how long a question can still be answered by the client's clock,
// 0 when it has expired, and -1 when that is not known.
func (c *Client) left(question MFA) time.Duration {
	question.clock = c.Transport.Now
	return question.TimeLeft()
}

// question returns what the bank asks now, or nil.
func (w *waiter) question(job *core.Job) *MFA {
	for i := range job.Steps {
		step := &job.Steps[i]
		switch word(string(step.Status)) {
		case string(core.StepStatusSuccess), string(core.StepStatusSkipped), string(core.StepStatusFailed):
			continue
		}
		c, ok := step.Result.MFA()
		if !ok {
			continue
		}
		m := &MFA{JobID: w.id, UserID: w.o.UserID, Method: c.Method, Description: c.Description, Prompts: c.Prompts}
		m.Expires, m.clock = expiry(w.client.Transport.Now(), c.ExpiryMs), w.client.Transport.Now
		if m.UserID == "" {
			m.UserID = w.user()
		}
		if c.Links != nil {
			m.ResponseURL = c.Links.Response
		}
		return m
	}
	return nil
}

// expiry reads how long a question can be answered. The API documents
// milliseconds, and has an example that can only be seconds: nobody answers
// within ten seconds, so that such a number is taken for seconds.
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

// fingerprint tells questions of a job apart. The time left is no part of it.
func (m MFA) fingerprint() string {
	h := sha256.New()
	for _, part := range append([]string{string(m.Method), m.Description, m.ResponseURL}, m.Prompts...) {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:9])
}

// callback asks the caller. It runs in a goroutine of its own, so that the wait
// ends in time whatever the callback does.
func (w *waiter) callback(question MFA) ([]string, error) {
	ctx := w.ctx
	if left := question.TimeLeft(); left >= 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, left)
		defer cancel()
	}
	var answers []string
	err := errors.New("OnMFA ended its goroutine")
	done := make(chan struct{})
	go func() {
		defer close(done)
		failed := contained("OnMFA", func() (err error) {
			answers, err = w.o.OnMFA(ctx, question)
			return err
		})
		err = sdkerrors.TextOf(failed) // what another call failed with says nothing of this wait
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

// answerPath is the path template of the call that sends an answer.
const answerPath = "/jobs/{jobId}/mfa"

// answerUsed tells, of an answer that failed, whether it is used up, and
// whether that is not known.
func answerUsed(err error) (used, unknown bool) {
	if errors.As(err, new(*transport.TokenError)) {
		return false, false // it was not sent, whatever POST /token answered
	}
	if errors.Is(err, transport.ErrOutcomeUnknown) {
		return true, true
	}
	var api *transport.Error
	if !errors.As(err, &api) || api.Path != answerPath {
		return false, false // it was never sent
	}
	return !retries.Of(api.Status).Unread, false
}

// AnswerMFA answers a bank's question: one answer for each prompt, in their
// order; for an approval in the bank's app, the single word confirmed. Answers that
// are all empty are refused, and not sent. It is for questions that came as an *MFARequiredError. The answer is sent once, with
// a CLIENT_ACCESS token of the question's user, and is used up by that, right or
// wrong. Whether it was right, the job tells: go on waiting with the one that is
// returned, which knows that the question was answered. When MFA.Expires has
// passed, nothing is sent: the bank would refuse a right answer.
//
// It fails with an *MFAError. When errors.Is(err, transport.ErrOutcomeUnknown),
// the bank may have the answer nevertheless: go on waiting.
//
// POST /jobs/{jobId}/mfa: CLIENT_ACCESS token bound to the user.
func (c *Client) AnswerMFA(ctx context.Context, question MFA, answers []string) (*Job, error) {
	if err := c.ready(ctx, "AnswerMFA"); err != nil {
		return nil, err
	}
	job := c.Job(question.JobID)
	job.noteUser(question.UserID)
	if err := c.sendAnswer(ctx, question, answers); err != nil {
		if used, _ := answerUsed(err); used {
			job.claim(question.fingerprint())
		}
		job.noteLate(question)
		return job, job.mfaError(question, err)
	}
	job.noteLate(question)
	job.claim(question.fingerprint())
	return job, nil
}

func (c *Client) sendAnswer(ctx context.Context, m MFA, answers []string) error {
	switch {
	case m.UserID == "":
		return errors.New("the job does not name its user: say whose it is with WaitOptions.UserID, or MFA.UserID")
	case !slices.ContainsFunc(answers, func(s string) bool { return strings.TrimSpace(s) != "" }):
		return errors.New("there is no answer, or only empty ones")
	case len(m.Prompts) > 0 && len(answers) != len(m.Prompts):
		return fmt.Errorf("the bank has %d questions, and there are %d answers", len(m.Prompts), len(answers))
	case c.left(m) == 0:
		return ErrMFAExpired
	}
	jobID, err := c.answerGoesTo(m)
	if err != nil {
		return err
	}
	_, err = c.Core.Jobs.SubmitMFA(ctx, jobID, core.SubmitMFAParams{Answers: answers}, transport.WithUser(m.UserID))
	switch {
	case errors.As(err, new(*transport.TokenError)):
		return err // it was not sent
	case errors.Is(err, transport.ErrNoContent), errors.Is(err, transport.ErrTooLarge), errors.As(err, new(*transport.DecodeError)):
		return nil // it was accepted, and what the API said to it is of no use
	}
	return err
}

// ErrMFALink is the error of a question whose answer would go where no answer
// may go: another host, or anything but a job's question.
var ErrMFALink = errors.New("basiq: the link for the answer leads elsewhere")

// answerGoesTo returns the job that the link for the answer names. The answer
// is sent there by the very method that answers questions: whatever the link
// says, it reaches no other host and no other route.
func (c *Client) answerGoesTo(m MFA) (string, error) {
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
	u := base.ResolveReference(link)
	if u.User != nil || origin(u) != origin(base) || u.RawQuery != "" || u.Fragment != "" {
		return "", ErrMFALink
	}
	path := u.EscapedPath()
	if link.Host != "" || strings.HasPrefix(path, base.EscapedPath()+"/") {
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

// origin is the scheme, host and port of an address.
func origin(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	return u.Scheme + "://" + strings.ToLower(u.Hostname()) + ":" + port
}
