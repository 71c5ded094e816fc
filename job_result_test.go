package basiq_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/transport"
)

// TestJobSteps checks that the iterator yields every change once, and that
// polling stops when the loop is left.
func TestJobSteps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newFakeAPI(t)
		bodies := []string{
			steps("j-1", "verify-credentials=in-progress retrieve-accounts=pending"),
			steps("j-1", "verify-credentials=in-progress retrieve-accounts=pending"),
			steps("j-1", "retrieve-accounts=in-progress verify-credentials=success"),
			steps("j-1", "verify-credentials=success mfa-challenge=skipped retrieve-accounts=success"),
		}
		b.job("j-1", bodies...)
		client := b.inMemory()
		var reported, got []string
		describe := func(c basiq.StepChange) string {
			return fmt.Sprintf("%d/%d %s: %s > %s", c.Number, c.Total, c.Title, c.Previous, c.Status)
		}
		job := client.Job("j-1")
		for c, err := range job.Steps(t.Context(), basiq.WaitOptions{OnStep: func(c basiq.StepChange) { reported = append(reported, describe(c)) }}) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, describe(c))
		}
		want := []string{
			"1/2 verify-credentials:  > in-progress", "2/2 retrieve-accounts:  > pending",
			"1/2 retrieve-accounts: pending > in-progress", "2/2 verify-credentials: in-progress > success",
			"2/3 mfa-challenge:  > skipped", "3/3 retrieve-accounts: in-progress > success",
		}
		if !slices.Equal(got, want) || !slices.Equal(reported, want) {
			t.Errorf("got %q, OnStep got %q", got, reported)
		}
		if r := job.Result(); r == nil || r.Step("mfa-challenge") == nil || r.Step("no-such") != nil {
			t.Errorf("the result is %v", r)
		}

		b.job("j-2", bodies...)
		for range client.Job("j-2").Steps(t.Context(), basiq.WaitOptions{}) {
			break
		}
		time.Sleep(time.Minute)
		if n := len(b.calls("GET /jobs/j-2")); n != 1 {
			t.Errorf("%d polls after the loop was left", n)
		}

		b.job("j-3", steps("j-3", "verify-credentials=failed"))
		var errs int
		for _, err := range client.Job("j-3").Steps(t.Context(), basiq.WaitOptions{}) {
			var e *basiq.JobError
			if err != nil && errors.As(err, &e) {
				errs++
			}
		}
		if errs != 1 || client.Job("j-3").Result() != nil {
			t.Errorf("%d errors", errs)
		}
	})
}

// TestJobCallbackPanics checks that a panic in a callback ends the wait with an
// error.
func TestJobCallbackPanics(t *testing.T) {
	b := newFakeAPI(t)
	b.job("j-1", steps("j-1", done))
	_, err := b.onLoopback().WaitForJob(t.Context(), "j-1", basiq.WaitOptions{OnStep: func(basiq.StepChange) { panic("canary") }})
	var w *basiq.WaitError
	if !errors.As(err, &w) || w.JobID != "j-1" || strings.Contains(fmt.Sprintf("%#v", err), "canary") {
		t.Errorf("%#v", err)
	}
	wantText(t, err.Error(), "OnStep panicked with a string")
}

// TestJobResultLinks checks that the IDs in a result are found in all places
// where a job can contain them.
func TestJobResultLinks(t *testing.T) {
	for _, c := range []struct {
		name, body       string
		connection, user string
		report           string
		links            []string
	}{
		{"the source, absolute", `"links":{"source":"https://au-api.basiq.io/users/u-1/connections/c-1"},"steps":[{"title":"verify-credentials","status":"success"}]`, "c-1", "u-1", "", nil},
		{"the source, relative", `"links":{"source":"/users/u-1/connections/c-1"},"steps":[{"title":"verify-credentials","status":"success"}]`, "c-1", "u-1", "", nil},
		{"the step's result", `"links":{"self":"/jobs/j-1"},"steps":[{"title":"verify-credentials","status":"success","result":{"type":"link","url":"/users/u-1/connections/c-1"}}]`,
			"c-1", "u-1", "", []string{"/users/u-1/connections/c-1"}},
		{"a list", `"steps":[{"title":"verify-credentials","status":"success","result":[{"type":"link","url":"https://h/users/u-1/connections/c%201?x=1"}]}]`,
			"c 1", "u-1", "", []string{"https://h/users/u-1/connections/c%201?x=1"}},
		{"an unescaped filter", `"steps":[{"title":"a","status":"success","result":{"type":"link","url":"/users/u-1/accounts?filter=institution.id.eq('AU00000')/connections/no"}},{"title":"b","status":"success","result":{"url":"/users/u-1/connections/c-2"}}]`,
			"c-2", "u-1", "", []string{"/users/u-1/accounts?filter=institution.id.eq('AU00000')/connections/no", "/users/u-1/connections/c-2"}},
		{"the source is not a connection", `"links":{"source":"/users/u-1/statements/s-1"},"steps":[{"title":"a","status":"success","result":{"type":"link","url":"/users/u-1/connections/c-3"}}]`,
			"c-3", "u-1", "", []string{"/users/u-1/connections/c-3"}},
		{"none", `"links":null,"steps":[{"title":"a","status":"success","result":{"type":"link","url":"/users/u-1/connections"}}]`, "", "u-1", "", []string{"/users/u-1/connections"}},
		{"a report", `"jobType":"report","status":"success","links":{"source":"/reports/r-1"},"steps":[{"title":"create-report","status":"success","result":null}]`, "", "", "r-1", nil},
		{"a report, in the step", `"jobType":"report","status":"success","steps":[{"title":"create-report","status":"success","result":{"type":"report","url":"https://au-api.basiq.io/reports/r-2"}}]`,
			"", "", "r-2", []string{"https://au-api.basiq.io/reports/r-2"}},
		{"a report, nowhere", `"jobType":"report","status":"success","steps":[{"title":"create-report","status":"success","result":null}]`, "", "", "j-1", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newFakeAPI(t)
			b.job("j-1", `{"type":"job","id":"j-1",`+c.body+`}`)
			r, err := b.onLoopback().WaitForJob(t.Context(), "j-1", basiq.WaitOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if r.ConnectionID() != c.connection || r.UserID() != c.user || r.ReportID() != c.report || !slices.Equal(r.Links(), c.links) {
				t.Errorf("connection %q, user %q, report %q, links %q", r.ConnectionID(), r.UserID(), r.ReportID(), r.Links())
			}
		})
	}
}

// TestJobCodes checks that every known code has advice and a sentinel that
// matches it and no other.
func TestJobCodes(t *testing.T) {
	sentinels := map[core.StepCode]error{
		"account-data-differs": basiq.ErrJobAccountDataDiffers, "account-not-accessible-requires-user-action": basiq.ErrJobAccountNotAccessible,
		"authorization-failed": basiq.ErrJobAuthorizationFailed, "bank-statement-invalid": basiq.ErrJobStatementInvalid,
		"bank-statement-new-product": basiq.ErrJobStatementNewProduct, "bank-statement-not-supported": basiq.ErrJobStatementNotSupported,
		"bank-statement-parsing-error": basiq.ErrJobStatementParsing, "connector-error": basiq.ErrJobConnector, "empty-file": basiq.ErrJobEmptyFile,
		"institution-disabled": basiq.ErrJobInstitutionDisabled, "institution-not-available": basiq.ErrJobInstitutionNotAvailable,
		"institution-not-found": basiq.ErrJobInstitutionNotFound, "invalid-connection": basiq.ErrJobInvalidConnection,
		"invalid-credentials": basiq.ErrJobInvalidCredentials, "invalid-csv-row": basiq.ErrJobInvalidCSVRow, "invalid-field-value": basiq.ErrJobInvalidFieldValue,
		"job-timed-out": basiq.ErrJobTimedOut, "maintenance": basiq.ErrJobMaintenance, "missing-required-field": basiq.ErrJobMissingRequiredField,
		"missing-required-field-value": basiq.ErrJobMissingRequiredFieldValue, "row-count-exceeded": basiq.ErrJobRowCountExceeded,
		"service-unavailable": basiq.ErrJobServiceUnavailable, "system-unavailable": basiq.ErrJobSystemUnavailable,
		"job-invalidated": basiq.ErrJobInvalidated, "statement-not-available": basiq.ErrJobStatementNotAvailable, "temporary-unavailable": basiq.ErrJobTemporarilyUnavailable,
		"txn-after-last-updated-date": basiq.ErrJobTransactionAfterUpdateDate, "unknown-error": basiq.ErrJobUnknown, "user-action-required": basiq.ErrJobUserActionRequired,
	}
	for code := range sentinels {
		e := error(&basiq.JobError{JobID: "j-1", Step: "verify-credentials", Code: code})
		if !code.Known() {
			t.Errorf("%s is not known", code)
		}
		for other, sentinel := range sentinels {
			if got := errors.Is(fmt.Errorf("wrapped: %w", e), sentinel); got != (other == code) {
				t.Errorf("%s is %s: %t", code, other, got)
			}
		}
		if e.(*basiq.JobError).Advice() == "" {
			t.Errorf("%s has no advice", code)
		}
	}
	if len(sentinels) != 29 {
		t.Errorf("%d sentinels", len(sentinels))
	}
	var none basiq.JobError
	if errors.Is(&none, basiq.ErrJob("")) || none.Advice() != "" || none.NeedsUser() || none.Temporary() {
		t.Error("a failure without a code matches one")
	}
	if e := (&basiq.JobError{Code: "invalid-credentials"}); !e.NeedsUser() || e.Temporary() {
		t.Error("invalid credentials need the user")
	}
	if e := (&basiq.JobError{Code: "maintenance"}); e.NeedsUser() || !e.Temporary() {
		t.Error("maintenance is temporary")
	}
}

// TestJobRefusedWithACode: the API also responds to a request for a job with
// status 400 and the code of a failed job. The wait ends, and its error matches
// the code.
func TestJobRefusedWithACode(t *testing.T) {
	for _, code := range []core.StepCode{
		"invalid-credentials", "service-unavailable", "job-timed-out", "account-not-accessible-requires-user-action", "temporary-unavailable",
		"maintenance-error", "row-count-exceeded", "empty-file", "bank-statement-invalid", "bank-statement-new-product", "bank-statement-parsing-error",
		"bank-statement-not-supported", "statement-not-available", "temporary-unavailable-queued", "job-invalidated", "authorization-failed",
		"invalid-csv-row", "invalid-field-value", "missing-required-field", "missing-required-field-value", "account-data-differs",
	} {
		b := newFakeAPI(t)
		b.job("j-1", "400 "+string(code))
		_, err := b.onLoopback().WaitForJob(t.Context(), "j-1", basiq.WaitOptions{})
		var e *basiq.WaitError
		if !errors.As(err, &e) || !errors.Is(err, basiq.ErrJob(code)) || !errors.Is(err, transport.ErrInvalidParameter) || e.Polls != 1 {
			t.Errorf("%s: got %v", code, err)
		}
		if !code.Known() || e.Advice() != (&basiq.JobError{Code: code}).Advice() || e.Advice() == "" {
			t.Errorf("%s: the advice is %q", code, e.Advice())
		}
	}
	for sentinel, code := range map[error]string{basiq.ErrJobMaintenance: "maintenance-error", basiq.ErrJobTemporarilyUnavailable: "temporary-unavailable-queued"} {
		if err := (&basiq.JobError{Code: core.StepCode(code)}); !errors.Is(err, sentinel) || !err.Temporary() {
			t.Errorf("%s is not %v", code, sentinel)
		}
	}
	b := newFakeAPI(t)
	b.job("j-1", "400 parameter-not-valid")
	_, err := b.onLoopback().WaitForJob(t.Context(), "j-1", basiq.WaitOptions{})
	var e *basiq.WaitError
	if !errors.As(err, &e) || errors.Is(err, basiq.ErrJob("")) || !strings.Contains(e.Advice(), "is not valid") {
		t.Errorf("got %v", err)
	}
}

// TestJobErrorDetails checks that the texts of a failure are available as
// fields, under both names that the API uses, and are never printed.
func TestJobErrorDetails(t *testing.T) {
	for _, name := range []string{"detail", "details"} {
		b := newFakeAPI(t)
		b.job("j-1", `{"id":"j-1","jobType":"connection","links":{"source":"/users/u-1/connections/c-1"},
			"steps":[{"title":"verify-credentials","status":"failed","result":{"code":"invalid-credentials","title":"canary-1","`+name+`":"canary-2"}}]}`)
		_, err := b.onLoopback().WaitForJob(t.Context(), "j-1", basiq.WaitOptions{})
		var e *basiq.JobError
		if !errors.As(err, &e) || e.Title != "canary-1" || e.Detail != "canary-2" || e.ConnectionID != "c-1" || e.Kind != "connection" {
			t.Fatalf("%#v", e)
		}
		if e.Error() != "basiq: job j-1 failed at verify-credentials: invalid-credentials" {
			t.Error(e)
		}
		if text := allForms(e); strings.Contains(text, "canary") {
			t.Errorf("printed: %s", text)
		}
	}
}

// TestInvalidWaitOptions checks that invalid options and an empty job ID are
// rejected by name.
func TestInvalidWaitOptions(t *testing.T) {
	b := newFakeAPI(t)
	for name, o := range map[string]basiq.WaitOptions{
		"WaitOptions.Timeout": {Timeout: -1}, "WaitOptions.Interval": {Interval: -1}, "WaitOptions.MaxInterval": {MaxInterval: -1},
	} {
		_, err := b.onLoopback().WaitForJob(t.Context(), "j-1", o)
		if err == nil {
			t.Fatalf("%s is accepted", name)
		}
		wantText(t, err.Error(), name, "negative")
	}
	_, err := b.onLoopback().WaitForJob(t.Context(), "", basiq.WaitOptions{})
	var path *transport.PathError
	if !errors.As(err, &path) || len(b.requests) != 0 {
		t.Error(err)
	}
}

// TestResumeToken checks that a resume token restores the job, and that invalid
// tokens are rejected.
func TestResumeToken(t *testing.T) {
	client := newFakeAPI(t).onLoopback()
	token := client.Job("j-1").Token()
	job, err := client.ResumeJob(token)
	if err != nil || job.ID() != "j-1" || job.Token() != token {
		t.Fatalf("%v, %v", job, err)
	}
	for name, bad := range map[string]string{
		"empty": "", "a job's ID": "j-1", "truncated": token[:len(token)-1], "truncated with a checksum": token[:20] + ".00000000",
		"changed": strings.Replace(token, "e", "f", 1), "another version": strings.Replace(token, "-1.", "-2.", 1),
		"too long": token + strings.Repeat("a", 10_000),
	} {
		_, err := client.ResumeJob(bad)
		if !errors.Is(err, basiq.ErrResumeToken) || len(err.Error()) < len(basiq.ErrResumeToken.Error())+5 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestJobSecrets checks that nothing a job prints contains credentials.
func TestJobSecrets(t *testing.T) {
	b := newFakeAPI(t)
	b.job("j-1", "403 forbidden-access")
	client := b.onLoopback()
	_, err := client.WaitForJob(t.Context(), "j-1", basiq.WaitOptions{})
	var w *basiq.WaitError
	if !errors.As(err, &w) {
		t.Fatal(err)
	}
	for _, v := range []any{err, w.Job(), client, w.Job().Token()} {
		if text := allForms(v) + fmt.Sprintf("%v %+v %s %q", struct{ v any }{v}, struct{ v any }{v}, struct{ v any }{v}, struct{ v any }{v}); strings.Contains(text, apiKey) || strings.Contains(text, tokenText) {
			t.Errorf("%T prints a secret: %s", v, text)
		}
	}
}

// FuzzResumeJob checks that no string makes ResumeJob panic, and that an
// accepted token is reproduced.
func FuzzResumeJob(f *testing.F) {
	client, err := basiq.NewClient(basiq.WithAPIKey(apiKey))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(client.Job("j-1").Token())
	f.Add("basiq-job-1.e30.00000000")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		job, err := client.ResumeJob(text)
		if err != nil {
			if !errors.Is(err, basiq.ErrResumeToken) || job != nil {
				t.Errorf("%v, %v", job, err)
			}
			return
		}
		again, err := client.ResumeJob(job.Token())
		if err != nil || again.ID() != job.ID() || job.ID() == "" {
			t.Errorf("%v, %v", again, err)
		}
	})
}

// TestJobWaitsLeakNothing checks that waits leak neither goroutines nor
// connections, however they end.
func TestJobWaitsLeakNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("waits", func(t *testing.T) {
		b := newFakeAPI(t)
		b.job("done", steps("done", done))
		b.job("failed", steps("failed", "verify-credentials=failed"))
		b.job("running", steps("running", running))
		b.job("asking", strings.ReplaceAll(asking(""), "j-1", "asking"))
		b.on("POST /jobs/asking/mfa", accepted)
		b.mux.HandleFunc("GET /jobs/stuck", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		client := b.onLoopback()
		if err := client.SetPollRate(1e6); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var ending, endless sync.WaitGroup
		for range 20 {
			for _, id := range []string{"done", "failed", "running", "asking", "stuck"} {
				wg := &endless
				if id == "done" || id == "failed" {
					wg = &ending
				}
				wg.Go(func() {
					o := basiq.WaitOptions{Interval: 10 * time.Millisecond, OnMFA: func(ctx context.Context, m basiq.MFA) ([]string, error) {
						<-ctx.Done()
						return nil, ctx.Err()
					}}
					if _, err := client.WaitForJob(ctx, id, o); (err == nil) != (id == "done") {
						t.Errorf("%s: %v", id, err)
					}
					for range client.Job(id).Steps(ctx, o) {
						break
					}
				})
			}
		}
		ending.Wait()
		cancel() // ends the other waits
		endless.Wait()
	})
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<16)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
		}
	}
}

// TestJobErrors checks that the failures of several jobs are all found.
func TestJobErrors(t *testing.T) {
	b := newFakeAPI(t)
	b.job("j-1", steps("j-1", `verify-credentials=failed={"code":"invalid-credentials"}`))
	b.job("j-2", steps("j-2", done))
	b.job("j-3", steps("j-3", `verify-credentials=failed={"code":"maintenance"}`))
	b.on("GET /jobs/j-4", "403 forbidden-access")
	results, err := b.inMemory().WaitForJobs(t.Context(), []string{"j-1", "j-2", "j-3", "j-4"}, basiq.WaitOptions{Interval: time.Millisecond})
	var ids []string
	for _, failed := range basiq.JobErrors(fmt.Errorf("connecting: %w", err)) {
		ids = append(ids, failed.JobID)
	}
	if strings.Join(ids, " ") != "j-1 j-3" || results[1] == nil || len(basiq.JobErrors(nil)) > 0 {
		t.Errorf("%v of %v", ids, err)
	}
	if id := (&basiq.WaitError{JobID: "j-9"}).Job().ID(); id != "j-9" {
		t.Errorf("the job of a WaitError without a wait is %q", id)
	}
}

// TestInvalidJobIDs checks that an invalid ID is rejected before a request is
// sent, with an error that does not mention polls.
func TestInvalidJobIDs(t *testing.T) {
	srv := basiqtest.NewServer(t)
	client := srv.Client(t)
	for _, id := range []string{"", "..", "a/b", "%2e%2e"} {
		_, err := client.WaitForJob(t.Context(), id, basiq.WaitOptions{})
		var (
			path *transport.PathError
			wait *basiq.WaitError
		)
		if !errors.As(err, &path) || path.Name != "jobId" || errors.As(err, &wait) || strings.Contains(err.Error(), "poll") {
			t.Errorf("%q: %v", id, err)
		}
		if _, err := client.WaitForJobs(t.Context(), []string{id}, basiq.WaitOptions{}); !errors.As(err, &path) {
			t.Errorf("of several, %q: %v", id, err)
		}
		for _, err := range client.Job(id).Steps(t.Context(), basiq.WaitOptions{}) {
			if !errors.As(err, &path) {
				t.Errorf("steps of %q: %v", id, err)
			}
		}
	}
	if n := srv.Calls(""); n != 0 && srv.Calls("core.Jobs.Get") != 0 {
		t.Errorf("%d calls were made", n)
	}
}
