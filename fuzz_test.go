package basiq_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go"
)

// FuzzMFALink checks that whatever the response link is, the answer reaches the
// MFA route on the API's own host, or is not sent.
func FuzzMFALink(f *testing.F) {
	for _, link := range []string{
		"/jobs/j-1/mfa", "https://basiq.invalid/proxy/jobs/j-1/mfa", "//evil.invalid/jobs/j-1/mfa", "/jobs/%2e%2e/mfa", "/jobs/a%2fb/mfa",
		"https://basiq.invalid@evil.invalid/jobs/j-1/mfa", "jobs/j-1/mfa", "../jobs/j-1/mfa", "/users/u-1", "?x", "#", "", "/jobs//mfa", "\\\\evil.invalid/jobs/j/mfa",
	} {
		f.Add(link)
	}
	var reached []*http.Request
	client, err := basiq.NewClient(basiq.WithAPIKey(apiKey), basiq.WithBaseURL("https://basiq.invalid/proxy"), basiq.WithHTTPClient(&http.Client{
		Transport: roundTripFunc(func(r *http.Request) (*http.Response, error) {
			rec := httptest.NewRecorder()
			if r.URL.Path == "/proxy/token" {
				respond(rec, `{"access_token":"`+tokenText+`","token_type":"Bearer","expires_in":3600}`)
			} else {
				reached = append(reached, r)
				respond(rec, accepted)
			}
			return rec.Result(), nil
		}),
	}))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, link string) {
		reached = nil
		_, err := client.AnswerMFA(t.Context(), basiq.MFA{JobID: "j-1", UserID: "u-1", ResponseURL: link}, []string{"1234"})
		if err != nil {
			if len(reached) > 0 {
				t.Errorf("%q: %v, and %s was reached", link, err, reached[0].URL)
			}
			return
		}
		if len(reached) != 1 {
			t.Fatalf("%q: %d calls", link, len(reached))
		}
		u := reached[0].URL
		id, ok := strings.CutPrefix(u.EscapedPath(), "/proxy/jobs/")
		id, tail, _ := strings.Cut(id, "/")
		if !ok || tail != "mfa" || id == "" || u.Host != "basiq.invalid" || u.Scheme != "https" || u.RawQuery != "" {
			t.Errorf("%q reached %s", link, u)
		}
	})
}

// FuzzJob checks that a wait ends in time for every job, and that a job
// succeeds only if all its steps are known to be done.
func FuzzJob(f *testing.F) {
	for _, body := range []string{
		steps("j-1", running), steps("j-1", done), asking("/jobs/j-1/mfa"), steps("j-1", "verify-credentials=skipped"),
		`{"id":"j-1","jobType":"report","status":"failed","steps":[{"title":"create-report","status":"failed","result":[{"code":"x","details":5}]}]}`,
		`{"steps":[{"status":"success"}],"status":"success","links":null}`, `[]`, `null`, `{"steps":{}}`,
	} {
		f.Add(body)
	}
	var body string
	client, err := basiq.NewClient(basiq.WithAPIKey(apiKey), basiq.WithBaseURL("https://basiq.invalid"), basiq.WithHTTPClient(&http.Client{
		Transport: roundTripFunc(func(r *http.Request) (*http.Response, error) {
			rec := httptest.NewRecorder()
			switch r.URL.Path {
			case "/token":
				_, _ = io.WriteString(rec, `{"access_token":"`+tokenText+`","token_type":"Bearer","expires_in":3600}`)
			default:
				_, _ = io.WriteString(rec, body)
			}
			return rec.Result(), nil
		}),
	}))
	if err != nil {
		f.Fatal(err)
	}
	if err := client.SetPollRate(1e6); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		body = text
		r, err := client.WaitForJob(t.Context(), "j-1", basiq.WaitOptions{
			Interval: 1, MaxInterval: 1, Timeout: 2 * time.Millisecond, OnMFA: answering("1"), UserID: "u-1",
		})
		if err != nil {
			if !strings.Contains(err.Error(), "j-1") {
				t.Errorf("%v does not contain the job ID", err)
			}
			return
		}
		if len(r.Job.Steps) == 0 {
			t.Errorf("%s without steps counts as success", text)
		}
		for _, s := range r.Job.Steps {
			if status := strings.ToLower(strings.TrimSpace(string(s.Status))); status != "success" && status != "skipped" {
				t.Errorf("a step with status %q counts as done", status)
			}
		}
		_, _, _, _ = r.ConnectionID(), r.ReportID(), r.UserID(), r.Links()
	})
}
