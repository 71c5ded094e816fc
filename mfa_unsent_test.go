package basiq_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/transport"
)

// newAskingAPI returns a fake whose job j-1 asks a question until it is answered,
// and the number of answers that it received. clientToken responds to requests for
// the user's token.
func newAskingAPI(t *testing.T, clientToken func(http.ResponseWriter)) (b *fakeAPI, sent *atomic.Int32) {
	b, sent = &fakeAPI{t: t, mux: http.NewServeMux()}, new(atomic.Int32)
	b.mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("scope") == "CLIENT_ACCESS" && clientToken != nil {
			clientToken(w)
			return
		}
		fmt.Fprintf(w, `{"access_token":"%s-%s","token_type":"Bearer","expires_in":3600}`, tokenText, r.FormValue("scope"))
	})
	b.mux.HandleFunc("GET /jobs/j-1", func(w http.ResponseWriter, _ *http.Request) {
		if sent.Load() > 0 {
			_, _ = io.WriteString(w, answered)
			return
		}
		_, _ = io.WriteString(w, asking("/jobs/j-1/mfa"))
	})
	b.mux.HandleFunc("POST /jobs/j-1/mfa", func(w http.ResponseWriter, _ *http.Request) {
		sent.Add(1)
		_, _ = io.WriteString(w, accepted)
	})
	return b, sent
}

// TestMFAQuestionIsKeptWhenNoTokenIsIssued checks that an answer without a token
// counts as not sent, whatever POST /token responds, and that the next wait asks again.
func TestMFAQuestionIsKeptWhenNoTokenIsIssued(t *testing.T) {
	for _, response := range []string{"500", "503", "400", "409", "410", "", "null", "no JSON", "{}"} {
		synctest.Test(t, func(t *testing.T) {
			bad := true
			b, sent := newAskingAPI(t, func(w http.ResponseWriter) {
				if bad {
					respond(w, response)
					return
				}
				_, _ = io.WriteString(w, `{"access_token":"`+tokenText+`-u-1","token_type":"Bearer","expires_in":3600}`)
			})
			questions := 0
			o := basiq.WaitOptions{UserID: "u-1", OnMFA: func(ctx context.Context, m basiq.MFA) ([]string, error) {
				questions++
				return pets(ctx, m)
			}}
			client := b.inMemory(transport.WithoutRetry())
			job := client.Job("j-1")
			_, err := job.Wait(t.Context(), o)
			if !errors.As(err, new(*transport.TokenError)) || sent.Load() != 0 || errors.Is(err, basiq.ErrMFARejected) {
				t.Errorf("%s: sent %d times, %v", response, sent.Load(), err)
			}
			_, err = client.AnswerMFA(t.Context(), basiq.MFA{JobID: "j-1", UserID: "u-1"}, []string{"Rex"})
			if !errors.As(err, new(*transport.TokenError)) || sent.Load() != 0 {
				t.Errorf("%s: AnswerMFA sent %d times, %v", response, sent.Load(), err)
			}
			bad = false
			resumed, err := b.inMemory().ResumeJob(job.Token())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := resumed.Wait(t.Context(), o); err != nil || questions != 2 || sent.Load() != 1 {
				t.Errorf("%s: asked %d times, sent %d times, %v", response, questions, sent.Load(), err)
			}
		})
	}
}

// TestMFAAnswerWithLargeResponseIsAccepted checks that the body of the response to an
// accepted answer does not matter, and that the question is not asked twice.
func TestMFAAnswerWithLargeResponseIsAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newFakeAPI(t)
		b.job("j-1", asking(""), asking(""), answered)
		b.on("POST /jobs/j-1/mfa", `{"id":"`+strings.Repeat("x", 8<<10)+`"}`)
		if _, err := b.inMemory(transport.WithMaxResponseSize(4<<10)).WaitForJob(t.Context(), "j-1", basiq.WaitOptions{UserID: "u-1", OnMFA: pets}); err != nil {
			t.Error(err)
		}
		if n := len(b.calls("POST /jobs/j-1/mfa")); n != 1 {
			t.Errorf("sent %d times", n)
		}
	})
}

// foreignErrors are errors of other calls that a callback may return.
var foreignErrors = []error{
	transport.ErrNotFound, transport.ErrGone, transport.ErrConflict, transport.ErrInvalidParameter, transport.ErrOutcomeUnknown,
	transport.NewError(http.StatusNotFound),
	&transport.SendError{Operation: "other", Path: "/other", Sent: true, Safety: transport.SafetyUnrepeatable, Err: io.EOF},
	&transport.TokenError{Err: transport.NewError(http.StatusGone)},
	&basiq.WaitError{JobID: "other", Err: transport.ErrNotFound},
	&basiq.JobError{JobID: "other", Step: "mfa-challenge", Code: "maintenance"},
	basiq.ErrMFARejected, basiq.ErrMFAExpired, basiq.ErrMFAAskedAgain, basiq.ErrJobOwner, basiq.ErrJobMaintenance,
	&basiq.MFARequiredError{MFA: basiq.MFA{JobID: "other"}},
	&basiq.MFAError{JobID: "other", Err: basiq.ErrMFARejected},
	&basiq.PurgedError{Err: transport.ErrGone}, &basiq.ReportError{Err: transport.ErrGone},
}

// wantNoneOf fails if err is nil or matches an error of foreignErrors.
func wantNoneOf(t *testing.T, name string, err error) {
	t.Helper()
	for _, kind := range []error{
		transport.ErrNotFound, transport.ErrGone, transport.ErrConflict, transport.ErrInvalidParameter, transport.ErrOutcomeUnknown,
		basiq.ErrMFARejected, basiq.ErrMFAExpired, basiq.ErrMFAAskedAgain, basiq.ErrJobOwner, basiq.ErrJobMaintenance,
	} {
		if err == nil || errors.Is(err, kind) {
			t.Errorf("%s: is %v: %v", name, kind, err)
		}
	}
	if errors.As(err, new(*basiq.MFARequiredError)) || errors.As(err, new(*basiq.PurgedError)) || len(basiq.JobErrors(err)) > 0 {
		t.Errorf("%s: it contains the error of another job: %v", name, err)
	}
}

// TestCallbackErrorsOfOtherCallsAreText checks that only the text is kept if a callback
// returns an error of another call, so that it does not look like an error of this one.
func TestCallbackErrorsOfOtherCallsAreText(t *testing.T) {
	for _, other := range foreignErrors {
		name := fmt.Sprintf("%T %v", other, other)
		wrapped := fmt.Errorf("mine: %w", errors.Join(io.ErrClosedPipe, other))
		synctest.Test(t, func(t *testing.T) {
			b, sent := newAskingAPI(t, nil)
			_, err := b.inMemory().WaitForJob(t.Context(), "j-1", basiq.WaitOptions{UserID: "u-1", OnMFA: func(context.Context, basiq.MFA) ([]string, error) {
				return nil, wrapped
			}})
			wantNoneOf(t, "OnMFA: "+name, err)
			wantText(t, err.Error(), "mine: ")
			if sent.Load() != 0 {
				t.Errorf("%s: sent", name)
			}
		})
		source := transport.TokenSourceFunc(func(context.Context, transport.TokenRequest) (transport.Token, error) {
			return transport.Token{}, wrapped
		})
		client, err := basiq.NewClient(basiq.WithTokenSource(source))
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		_, err = client.Core.Users.Get(t.Context(), "u-1")
		wantNoneOf(t, "the token source: "+name, err)
		wantText(t, err.Error(), "mine: ")
	}
}

// TestMFABlankAnswersAreNotSent checks that the question can still be answered after a
// blank form was submitted.
func TestMFABlankAnswersAreNotSent(t *testing.T) {
	for _, empty := range [][]string{nil, {}, {"", ""}, {" ", "\t"}} {
		synctest.Test(t, func(t *testing.T) {
			b, sent := newAskingAPI(t, nil)
			client := b.inMemory()
			_, err := client.WaitForJob(t.Context(), "j-1", basiq.WaitOptions{})
			var required *basiq.MFARequiredError
			if !errors.As(err, &required) {
				t.Fatal(err)
			}
			job, err := client.AnswerMFA(t.Context(), required.MFA, empty)
			if err == nil || sent.Load() != 0 {
				t.Errorf("%q: sent %d times, %v", empty, sent.Load(), err)
			}
			questions := 0
			_, err = job.Wait(t.Context(), basiq.WaitOptions{OnMFA: func(context.Context, basiq.MFA) ([]string, error) {
				questions++
				return []string{"", "Mini"}, nil // some answers may be blank, but not all
			}})
			if err != nil || questions != 1 || sent.Load() != 1 {
				t.Errorf("%q: asked %d times, sent %d times, %v", empty, questions, sent.Load(), err)
			}
		})
	}
}

// TestWaitForJobsWaitsOnceForAnID checks that the question of a job whose ID occurs
// twice is answered once, and that its result is returned for both.
func TestWaitForJobsWaitsOnceForAnID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, sent := newAskingAPI(t, nil)
		b.job("j-2", steps("j-2", "verify-credentials=failed"))
		var questions atomic.Int32
		results, err := b.inMemory().WaitForJobs(t.Context(), []string{"j-1", "j-2", "j-1", "j-2"}, basiq.WaitOptions{UserID: "u-1", OnMFA: func(ctx context.Context, m basiq.MFA) ([]string, error) {
			questions.Add(1)
			return pets(ctx, m)
		}})
		if questions.Load() != 1 || sent.Load() != 1 {
			t.Errorf("asked %d times, sent %d times", questions.Load(), sent.Load())
		}
		if len(results) != 4 || results[0] == nil || results[2] != results[0] || results[1] != nil || results[3] != nil || len(basiq.JobErrors(err)) != 1 {
			t.Errorf("%v, %v", results, err)
		}
	})
}

// TestMFAOutageIsNotARejectedAnswer checks that a question that failed because of an
// outage is not reported as a rejected answer.
func TestMFAOutageIsNotARejectedAnswer(t *testing.T) {
	for code, temporary := range map[string]bool{
		"maintenance": true, "service-unavailable": true, "system-unavailable": true, "connector-error": true, "institution-not-available": true, "unknown-error": false,
	} {
		b := newFakeAPI(t)
		b.job("j-1", steps("j-1", `mfa-challenge=failed={"type":"error","code":"`+code+`"}`))
		_, err := b.inMemory().WaitForJob(t.Context(), "j-1", basiq.WaitOptions{})
		var failed *basiq.JobError
		if !errors.As(err, &failed) || errors.Is(err, basiq.ErrMFARejected) || errors.Is(err, basiq.ErrMFAExpired) {
			t.Fatalf("%s: %v", code, err)
		}
		if failed.NeedsUser() || failed.Temporary() != temporary || failed.Advice() == "" || strings.Contains(failed.Advice(), "incorrect") {
			t.Errorf("%s: NeedsUser %t, Temporary %t, %s", code, failed.NeedsUser(), failed.Temporary(), failed.Advice())
		}
	}
}

// TestMFALateAnswerHasExpired checks that an answer that is rejected after its question
// has expired matches ErrMFAExpired, whatever the status, and otherwise does not.
func TestMFALateAnswerHasExpired(t *testing.T) {
	for _, c := range []struct {
		response      string
		late, expired bool
	}{
		{"400", true, true}, {"404 resource-not-found", true, true}, {"403 forbidden-access", true, true}, {"410", true, true}, {"410", false, true},
		{"400", false, false}, {"404 resource-not-found", false, false}, {"403 forbidden-access", false, false}, {"429", true, false}, {"503", true, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newFakeAPI(t)
			b.mux.HandleFunc("POST /jobs/j-1/mfa", func(w http.ResponseWriter, _ *http.Request) {
				if c.late {
					time.Sleep(2 * time.Second)
				}
				respond(w, c.response)
			})
			_, err := b.inMemory(transport.WithoutRetry()).AnswerMFA(t.Context(), basiq.MFA{JobID: "j-1", UserID: "u-1", Prompts: []string{"code"}, Expires: time.Now().Add(time.Second)}, []string{"1"})
			if err == nil || errors.Is(err, basiq.ErrMFAExpired) != c.expired {
				t.Errorf("%+v: %v", c, err)
			}
		})
	}
}
