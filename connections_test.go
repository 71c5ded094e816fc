package basiq_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/transport"
)

const reference = `{"type":"job","id":"j-1","links":{"self":"/jobs/j-1"}}`

// TestRefreshConnection checks that status 202 means a new job, and 200 an
// existing one.
func TestRefreshConnection(t *testing.T) {
	for _, c := range []struct {
		status   int
		existing bool
	}{{http.StatusAccepted, false}, {http.StatusOK, true}} {
		b := newFakeAPI(t)
		b.mux.HandleFunc("POST /users/u-1/connections/c-1/refresh", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(c.status)
			respond(w, reference)
		})
		b.job("j-1", steps("j-1", "verify-credentials=success"))
		client := b.onLoopback()
		r, err := client.RefreshConnection(t.Context(), "u-1", "c-1", basiq.WaitOptions{})
		if err != nil || r.Existing != c.existing || r.UserID() != "u-1" {
			t.Errorf("%d: %+v, %v", c.status, r, err)
		}
		job, err := client.StartRefresh(t.Context(), "u-1", "c-1")
		if err != nil || job.Existing() != c.existing || job.ID() != "j-1" {
			t.Errorf("%d: %v, %v", c.status, job, err)
		}
		again, err := client.ResumeJob(job.Token())
		if err != nil || again.Existing() != c.existing {
			t.Errorf("%d: %v, %v", c.status, again, err)
		}
	}
}

// TestRefreshMFA checks that a refresh can answer the bank's question before
// the job names its user.
func TestRefreshMFA(t *testing.T) {
	b := newFakeAPI(t)
	b.on("POST /users/u-7/connections/c-1/refresh", reference)
	b.job("j-1", strings.NewReplacer(`,"source":"https://basiq.invalid/users/u-1/connections/c-1"`, "", `{"type":"link","url":"/users/u-1/connections/c-1"}`, "null").
		Replace(asking("")), answered)
	b.on("POST /jobs/j-1/mfa", accepted)
	if _, err := b.onLoopback().RefreshConnection(t.Context(), "u-7", "c-1", basiq.WaitOptions{OnMFA: pets, Interval: 1}); err != nil {
		t.Fatal(err)
	}
	if posts := b.calls("POST /jobs/j-1/mfa"); len(posts) != 1 || posts[0].token != "Bearer "+tokenText+"-CLIENT_ACCESS-u-7" {
		t.Errorf("%+v", posts)
	}
}

// TestRefreshFailures checks that errors of the refresh request are returned
// unchanged.
func TestRefreshFailures(t *testing.T) {
	for reply, is := range map[string]error{
		"400 invalid-credentials": transport.ErrInvalidParameter, "403 no-production-access": transport.ErrForbidden,
		"404 resource-not-found": transport.ErrNotFound, "503": transport.ErrOutcomeUnknown,
	} {
		b := newFakeAPI(t)
		b.on("POST /users/u-1/connections/c-1/refresh", reply)
		_, err := b.onLoopback().RefreshConnection(t.Context(), "u-1", "c-1", basiq.WaitOptions{})
		if !errors.Is(err, is) || len(b.requests) != 1 {
			t.Errorf("%s: %v after %d calls", reply, err, len(b.requests))
		}
	}
	b := newFakeAPI(t)
	b.on("POST /users/u-1/connections/c-1/refresh", `{"type":"job"}`)
	if _, err := b.onLoopback().StartRefresh(t.Context(), "u-1", "c-1"); err == nil {
		t.Error("a job without ID is accepted")
	} else {
		wantText(t, err.Error(), "returned no job ID")
	}
}

// TestRefreshConnections checks that all jobs are waited for, even if one
// fails.
func TestRefreshConnections(t *testing.T) {
	b := newFakeAPI(t)
	b.on("POST /users/u-1/connections/refresh", `{"type":"list","data":[{"type":"job","id":"j-1"},{"type":"job","id":"j-2"},{"type":"job","id":"j-3"}]}`)
	b.job("j-1", steps("j-1", running), steps("j-1", done))
	b.job("j-2", steps("j-2", `verify-credentials=failed={"code":"maintenance"}`))
	b.job("j-3", steps("j-3", done))
	results, err := b.onLoopback().RefreshConnections(t.Context(), "u-1", basiq.WaitOptions{Interval: time.Millisecond})
	var failed *basiq.JobError
	if !errors.As(err, &failed) || failed.JobID != "j-2" || !errors.Is(err, basiq.ErrJobMaintenance) {
		t.Error(err)
	}
	if len(results) != 3 || results[0] == nil || results[1] != nil || results[2] == nil || results[0].Job.ID != "j-1" {
		t.Errorf("%v", results)
	}
	b.on("POST /users/u-2/connections/refresh", `{"type":"list","data":[]}`)
	if results, err := b.onLoopback().RefreshConnections(t.Context(), "u-2", basiq.WaitOptions{}); err != nil || len(results) != 0 {
		t.Errorf("%v, %v", results, err)
	}
}

// TestPurgeAndRefresh checks the order of the calls, and the error after data
// was deleted.
func TestPurgeAndRefresh(t *testing.T) {
	const purge, refresh = "POST /users/u-1/connections/c-1/purge", "POST /users/u-1/connections/c-1/refresh"
	for _, c := range []struct {
		name      string
		purged    string
		refreshes []string // status of each refresh
		job       string
		calls     []string
		is        error
		purgedErr bool
	}{
		{"a new job", "204", []string{"202"}, done, []string{purge, refresh, "GET /jobs/j-1"}, nil, false},
		{"a job that was running before", "204", []string{"200", "202"}, done, []string{purge, refresh, "GET /jobs/j-1", refresh, "GET /jobs/j-1"}, nil, false},
		{"always the same job", "204", []string{"200", "200"}, done, []string{purge, refresh, "GET /jobs/j-1", refresh, "GET /jobs/j-1"}, nil, false},
		{"an old job that fails", "204", []string{"200", "202"}, `verify-credentials=failed={"code":"maintenance"}`,
			[]string{purge, refresh, "GET /jobs/j-1", refresh, "GET /jobs/j-1"}, basiq.ErrJobMaintenance, true},
		{"an old job whose login is rejected", "204", []string{"200", "202"}, `verify-credentials=failed={"code":"invalid-credentials"}`,
			[]string{purge, refresh, "GET /jobs/j-1"}, basiq.ErrJobInvalidCredentials, true},
		{"no purge", "404", nil, done, []string{purge}, transport.ErrNotFound, false},
		{"no refresh", "204", []string{"503"}, done, []string{purge, refresh}, transport.ErrOutcomeUnknown, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newFakeAPI(t)
			b.on(purge, c.purged)
			b.mux.HandleFunc(refresh, func(w http.ResponseWriter, _ *http.Request) {
				status := 0
				_, _ = fmt.Sscan(c.refreshes[0], &status)
				c.refreshes = c.refreshes[1:]
				w.WriteHeader(status)
				respond(w, reference)
			})
			b.job("j-1", steps("j-1", c.job))
			_, err := b.onLoopback().PurgeAndRefresh(t.Context(), "u-1", "c-1", basiq.WaitOptions{})
			var calls []string
			for _, a := range b.requests {
				calls = append(calls, a.call)
			}
			if !slices.Equal(calls, c.calls) {
				t.Errorf("called %q", calls)
			}
			var gone *basiq.PurgedError
			if c.is == nil && err != nil || c.is != nil && !errors.Is(err, c.is) || errors.As(err, &gone) != c.purgedErr {
				t.Errorf("%v", err)
			}
			if c.purgedErr {
				wantText(t, err.Error(), "connection c-1 was purged")
			}
		})
	}
}

// TestStartRefreshKeepsCallerOptions checks that the caller's WithResponse
// works beside the one that StartRefresh uses.
func TestStartRefreshKeepsCallerOptions(t *testing.T) {
	b := newFakeAPI(t)
	b.mux.HandleFunc("POST /users/u-1/connections/c-1/refresh", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusAccepted)
		respond(w, `{"type":"job","id":"j-1"}`)
	})
	var res *http.Response
	job, err := b.inMemory().StartRefresh(t.Context(), "u-1", "c-1", transport.WithResponse(&res))
	if err != nil || job.ID() != "j-1" || res == nil || res.StatusCode != http.StatusAccepted {
		t.Errorf("%v, %v, %v", job, err, res)
	}
}
