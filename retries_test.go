package basiq_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/transport"
)

type scripted func(*http.Request) (status int, body string)

func (f scripted) RoundTrip(r *http.Request) (*http.Response, error) {
	status, body := f(r)
	header := http.Header{"Content-Type": {"application/json"}}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), ContentLength: -1, Request: r}, nil
}

func clientOf(t *testing.T, f scripted) *basiq.Client {
	t.Helper()
	c, err := basiq.NewClient(basiq.WithTokenSource(transport.StaticToken("token-12345")), basiq.WithBaseURL("https://bank.example"),
		transport.WithHTTPClient(&http.Client{Transport: f}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// TestJobPollsByStatus checks that a wait continues after a status for which
// reads are retried, and after 404 for a new job, and ends after any other.
func TestJobPollsByStatus(t *testing.T) {
	for status := 300; status <= 599; status++ {
		synctest.Test(t, func(t *testing.T) {
			polls := 0
			c := clientOf(t, func(*http.Request) (int, string) {
				if polls++; polls == 1 {
					return status, `{}`
				}
				return http.StatusOK, `{"type":"job","id":"j","steps":[{"title":"verify-credentials","status":"success"}]}`
			})
			_, err := c.WaitForJob(t.Context(), "j", basiq.WaitOptions{})
			retried := status == 404 || status == 408 || status == 429 || status == 500 ||
				status >= 502 && status <= 504 || status >= 520 && status <= 529
			if (err == nil) != retried {
				t.Errorf("status %d: the wait continued: %t, want %t, as internal/retries has it for reads: %v", status, err == nil, retried, err)
			}
		})
	}
}

// TestMFAAnswersByStatus checks that the next wait asks again if the API
// rejected the answer without reading it, and that the answer counts as given
// for any other status.
func TestMFAAnswersByStatus(t *testing.T) {
	for status := 400; status <= 599; status++ {
		synctest.Test(t, func(t *testing.T) {
			b := newFakeAPI(t)
			b.job("j-1", asking("/jobs/j-1/mfa"))
			b.on("POST /jobs/j-1/mfa", fmt.Sprint(status))
			asked := 0
			options := basiq.WaitOptions{Timeout: time.Minute, OnMFA: func(context.Context, basiq.MFA) ([]string, error) {
				asked++
				return []string{"1", "2"}, nil
			}}
			job := b.inMemory().Job("j-1")
			for range 2 {
				if _, err := job.Wait(t.Context(), options); err == nil {
					t.Errorf("%d: no error", status)
				}
			}
			again := status == 401 || status == 403 || status == 404 || status == 408 || status == 429
			if asked != 1+btoi(again) {
				t.Errorf("%d: asked %d times, want asked again: %t", status, asked, again)
			}
		})
	}
}
