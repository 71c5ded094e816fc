package basiq_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/transport"
)

// TestJobsErrorTellsFailedFromRunning checks that the error of a wait for several
// jobs says which failed and at which step, and which can be waited for again.
func TestJobsErrorTellsFailedFromRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newFakeAPI(t)
		b.job("j-failed", steps("j-failed", `verify-credentials=failed={"code":"invalid-credentials"}`))
		b.job("j-done", steps("j-done", done))
		b.job("j-slow", append(repeat(steps("j-slow", running), 30), steps("j-slow", done))...)
		b.job("j-asks", asking("/jobs/j-asks/mfa"))
		b.on("GET /jobs/j-gone", "404 resource-not-found")
		b.on("GET /jobs/j-refused", "400 invalid-credentials")
		b.job("j-theirs", `{"id":"j-theirs","steps":[{"title":"verify-credentials","status":"pending"}],"links":{"source":"/users/u-2/connections/c-1"}}`)
		client := b.inMemory()
		ids := []string{"j-failed", "j-done", "j-slow", "j-asks", "j-gone", "j-refused", "j-theirs", "j-slow"}
		results, err := client.WaitForJobs(t.Context(), ids, basiq.WaitOptions{UserID: "u-1", Timeout: 20 * time.Second})
		var failed *basiq.JobsError
		if !errors.As(fmt.Errorf("connecting: %w", err), &failed) || failed.Total != 7 || len(failed.Errs) != 6 || len(results) != 8 || results[1] == nil {
			t.Fatalf("%d results, %v", len(results), err)
		}
		for _, e := range failed.Failed() {
			if e.JobID != "j-failed" || e.Step != "verify-credentials" {
				t.Errorf("failed: %v", e)
			}
		}
		if len(failed.Failed()) != 1 || len(basiq.WaitErrors(err)) != 4 {
			t.Errorf("%d jobs failed, and %d are unknown: %v", len(failed.Failed()), len(basiq.WaitErrors(err)), err)
		}
		for _, target := range []error{basiq.ErrJobInvalidCredentials, basiq.ErrJobOwner, transport.ErrNotFound, context.DeadlineExceeded} {
			if !errors.Is(err, target) {
				t.Errorf("%v is not found in %v", target, err)
			}
		}
		wantText(t, err.Error(), "basiq: 6 of 7 jobs did not succeed: job j-failed failed at verify-credentials: invalid-credentials; stopped waiting for job j-slow", "job j-asks needs")
		if strings.Contains(err.Error(), "\n") || strings.Count(err.Error(), "basiq: ") != 1 {
			t.Errorf("the text is %q", err)
		}
		if text := allForms(err); strings.Contains(text, apiKey) || strings.Contains(text, tokenText) {
			t.Errorf("the error prints a secret: %s", text)
		}
		if b, failure := json.Marshal(err); failure != nil || !strings.Contains(string(b), `"total":7`) {
			t.Errorf("%s, %v", b, failure)
		}

		var running []string
		for _, job := range failed.Running() {
			running = append(running, job.ID())
			if job.ID() != "j-slow" {
				continue
			}
			again, err := client.ResumeJob(job.Token())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := again.Wait(t.Context(), basiq.WaitOptions{}); err != nil {
				t.Errorf("waiting again: %v", err)
			}
		}
		if strings.Join(running, " ") != "j-slow j-asks" {
			t.Errorf("%q continue", running)
		}
	})
}

// TestJobsErrorOfATest checks the methods of an error that a test makes.
func TestJobsErrorOfATest(t *testing.T) {
	err := &basiq.JobsError{Total: 1, Errs: []error{&basiq.MFARequiredError{MFA: basiq.MFA{JobID: "j-1"}}}}
	if jobs := err.Running(); len(jobs) != 1 || jobs[0].ID() != "j-1" || !strings.Contains(err.Error(), "1 of 1 job did not") {
		t.Errorf("%v, %v", jobs, err)
	}
	if basiq.WaitErrors(nil) != nil || basiq.WaitErrors(errors.New("x")) != nil || basiq.WaitErrors((*basiq.WaitError)(nil)) != nil {
		t.Error("errors are found where there are none")
	}
}

// TestJobsErrorWithoutReasons: errors that are nil have no jobs, and do not panic.
func TestJobsErrorWithoutReasons(t *testing.T) {
	e := &basiq.JobsError{Total: 3, Errs: []error{nil, (*basiq.WaitError)(nil), (*basiq.JobError)(nil)}}
	if running, failed := e.Running(), e.Failed(); len(running) != 0 || len(failed) != 0 {
		t.Errorf("%v, %v", running, failed)
	}
	if text := e.Error(); !strings.HasPrefix(text, "basiq: 3 of 3 jobs did not succeed: unknown reason") {
		t.Error(text)
	}
}
