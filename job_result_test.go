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
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/transport"
)

// TestJobSteps: the iterator gives every change once, and stops polling when
// the loop does.
func TestJobSteps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		bodies := []string{
			steps("j-1", "verify-credentials=in-progress retrieve-accounts=pending"),
			steps("j-1", "verify-credentials=in-progress retrieve-accounts=pending"),
			steps("j-1", "retrieve-accounts=in-progress verify-credentials=success"),
			steps("j-1", "verify-credentials=success mfa-challenge=skipped retrieve-accounts=success"),
		}
		b.job("j-1", bodies...)
		client := b.inMemory()
		var heard, got []string
		describe := func(c basiq.StepChange) string {
			return fmt.Sprintf("%d/%d %s: %s > %s", c.Number, c.Total, c.Title, c.Previous, c.Status)
		}
		job := client.Job("j-1")
		for c, err := range job.Steps(t.Context(), basiq.WaitOptions{OnStep: func(c basiq.StepChange) { heard = append(heard, describe(c)) }}) {
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
		if !slices.Equal(got, want) || !slices.Equal(heard, want) {
			t.Errorf("got %q, heard %q", got, heard)
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
			t.Errorf("%d polls of a loop that was left", n)
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

// TestJobCallbackPanics: a callback that panics ends its wait, and nothing else.
func TestJobCallbackPanics(t *testing.T) {
	b := newBench(t)
	b.job("j-1", steps("j-1", done))
	_, err := b.onLoopback().WaitForJob(t.Context(), "j-1", basiq.WaitOptions{OnStep: func(basiq.StepChange) { panic("canary") }})
	var w *basiq.WaitError
	if !errors.As(err, &w) || w.JobID != "j-1" || strings.Contains(fmt.Sprintf("%#v", err), "canary") {
		t.Errorf("%#v", err)
	}
	wantText(t, err.Error(), "OnStep panicked with a string")
}

// TestJobResultLinks: what a job made is found wherever the job says it.
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
		{"the source is no connection", `"links":{"source":"/users/u-1/statements/s-1"},"steps":[{"title":"a","status":"success","result":{"type":"link","url":"/users/u-1/connections/c-3"}}]`,
			"c-3", "u-1", "", []string{"/users/u-1/connections/c-3"}},
		{"none", `"links":null,"steps":[{"title":"a","status":"success","result":{"type":"link","url":"/users/u-1/connections"}}]`, "", "u-1", "", []string{"/users/u-1/connections"}},
		{"a report", `"jobType":"report","status":"success","links":{"source":"/reports/r-1"},"steps":[{"title":"create-report","status":"success","result":null}]`, "", "", "r-1", nil},
		{"a report, in the step", `"jobType":"report","status":"success","steps":[{"title":"create-report","status":"success","result":{"type":"report","url":"https://au-api.basiq.io/reports/r-2"}}]`,
			"", "", "r-2", []string{"https://au-api.basiq.io/reports/r-2"}},
		{"a report, nowhere", `"jobType":"report","status":"success","steps":[{"title":"create-report","status":"success","result":null}]`, "", "", "j-1", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
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

// TestJobCodes: every code that the generated package knows has a sentinel that
// finds it and no other, and advice.
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
	if len(sentinels) != 26 {
		t.Errorf("%d sentinels", len(sentinels))
	}
	var none basiq.JobError
	if errors.Is(&none, basiq.ErrJob("")) || none.Advice() != "" || none.NeedsUser() || none.Temporary() {
		t.Error("a failure without a reason is taken for one with")
	}
	if e := (&basiq.JobError{Code: "invalid-credentials"}); !e.NeedsUser() || e.Temporary() {
		t.Error("invalid credentials need the user")
	}
	if e := (&basiq.JobError{Code: "maintenance"}); e.NeedsUser() || !e.Temporary() {
		t.Error("maintenance passes")
	}
}

// TestJobErrorDetails: the failure's words are members, under both names that
// the API has for them, and never printed.
func TestJobErrorDetails(t *testing.T) {
	for _, name := range []string{"detail", "details"} {
		b := newBench(t)
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

// TestJobOptions: options that cannot be are refused by name, and so is a job
// without ID.
func TestJobOptions(t *testing.T) {
	b := newBench(t)
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
	if !errors.As(err, &path) || len(b.asks) != 0 {
		t.Error(err)
	}
}

// TestResumeToken: a token carries on, and what is no token is refused.
func TestResumeToken(t *testing.T) {
	client := newBench(t).onLoopback()
	token := client.Job("j-1").Token()
	job, err := client.ResumeJob(token)
	if err != nil || job.ID() != "j-1" || job.Token() != token {
		t.Fatalf("%v, %v", job, err)
	}
	for name, bad := range map[string]string{
		"empty": "", "a job's ID": "j-1", "cut off": token[:len(token)-1], "cut off within": token[:20] + ".00000000",
		"changed": strings.Replace(token, "e", "f", 1), "another version": strings.Replace(token, "-1.", "-2.", 1),
		"endless": token + strings.Repeat("a", 10_000),
	} {
		_, err := client.ResumeJob(bad)
		if !errors.Is(err, basiq.ErrResumeToken) || len(err.Error()) < len(basiq.ErrResumeToken.Error())+5 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestJobSecrets: neither credentials nor answers are in anything that a job
// prints.
func TestJobSecrets(t *testing.T) {
	b := newBench(t)
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

// FuzzResumeJob: no text makes ResumeJob panic, and what it accepts it writes
// again in the same words.
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

// TestJobLeavesNothing: waits that end in every way leave neither goroutines
// nor connections behind.
func TestJobLeavesNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("waits", func(t *testing.T) {
		b := newBench(t)
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
		cancel() // ends the other waits, wherever they are
		endless.Wait()
	})
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<16)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
		}
	}
}
