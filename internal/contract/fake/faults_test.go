package fake_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/transport"
)

// TestFaults: injected faults affect the configured number of requests, and requests are
// counted.
func TestFaults(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithTransactions(20))
	client := srv.Client(t)
	user, _ := connected(t, srv, basiqtest.Whistler)
	list := func() error {
		_, err := client.Data.Transactions.List(t.Context(), user, data.ListTransactionsParams{})
		return err
	}
	const op = "Transactions.List"
	status := func(want int) func(error) bool {
		return func(err error) bool {
			var e *basiq.Error
			return errors.As(err, &e) && e.Status == want
		}
	}
	fine := func(err error) bool { return err == nil }
	for _, c := range []struct {
		name          string
		fault         basiqtest.Fault
		calls, struck int
		want          func(error) bool
	}{
		{"one 503 is retried", basiqtest.Fault{Operation: op, Status: 503}, 2, 1, fine},
		{"three 503 are not", basiqtest.Fault{Operation: "GET /users/{userId}/transactions", Status: 503, Times: 3}, 3, 3, status(503)},
		{"after the first", basiqtest.Fault{Operation: "data.Transactions.List", Status: 503, After: 1}, 1, 0, fine},
		{"not retryable", basiqtest.Fault{Operation: op, Status: 400, Code: "parameter-not-valid"}, 1, 1, status(400)},
		{"rate-limited", basiqtest.Fault{Operation: op, Status: 429, Times: -1, RetryAfter: time.Hour}, 1, 1, func(err error) bool {
			var e *basiq.Error
			return errors.As(err, &e) && e.RetryAfter == time.Hour && errors.Is(err, transport.ErrRateLimited)
		}},
		{"dropped", basiqtest.Fault{Operation: op, Drop: basiqtest.DropBefore}, 2, 1, fine},
		{"response lost", basiqtest.Fault{Operation: op, Drop: basiqtest.DropAfter}, 2, 1, fine},
		{"truncated", basiqtest.Fault{Operation: op, Truncate: 100}, 2, 1, fine},
		{"delayed", basiqtest.Fault{Operation: op, Delay: time.Millisecond}, 1, 1, fine},
		{"a gateway's HTML page", basiqtest.Fault{Operation: op, Status: 502, Body: "<html>", Times: -1}, 3, 3, status(502)},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv.ResetCalls()
			f := srv.Fail(c.fault)
			err := list()
			f.Stop()
			if !c.want(err) || srv.Calls(op) != c.calls || srv.Calls("GET /users/{userId}/transactions") != c.calls || f.Count() != c.struck {
				t.Errorf("%v after %d calls, %d of which failed", err, srv.Calls(op), f.Count())
			}
		})
	}
	t.Run("executed", func(t *testing.T) {
		f := srv.Fail(basiqtest.Fault{Operation: "Users.Create", Status: 500, Executed: true})
		srv.ResetCalls()
		_, err := client.Core.Users.Create(t.Context(), core.CreateUserParams{Email: "twice@example.com"})
		if !errors.Is(err, transport.ErrOutcomeUnknown) || f.Count() != 1 || srv.Calls("Users.Create") != 1 {
			t.Errorf("%v after %d calls", err, srv.Calls("Users.Create"))
		}
	})
	t.Run("a caller who gives up ends the delay", func(t *testing.T) {
		defer srv.Fail(basiqtest.Fault{Operation: op, Delay: time.Hour, Times: -1}).Stop()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		if _, err := client.Data.Transactions.List(ctx, user, data.ListTransactionsParams{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
	for _, f := range []basiqtest.Fault{{Operation: "Nothing.Do", Status: 500}, {Operation: op}, {Status: 42}} {
		func() {
			defer func() {
				if v := recover(); v == nil || !strings.HasPrefix(v.(string), "basiqtest: Fail: ") {
					t.Errorf("%+v: %v", f, v)
				}
			}()
			srv.Fail(f)
		}()
	}
}

// TestRecordedRequestsAreRedacted: requests are recorded without API keys, tokens and MFA
// answers.
func TestRecordedRequestsAreRedacted(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithTransactions(1))
	client := srv.Client(t)
	user := newUser(t, srv)
	jobs, err := srv.Connect(user, basiqtest.Jared.At(basiqtest.PiedPiper))
	if err != nil {
		t.Fatal(err)
	}
	watch(t, client, jobs[0])
	if _, err := client.Core.Jobs.SubmitMFA(t.Context(), jobs[0], core.SubmitMFAParams{Answers: []string{"1234"}}, transport.WithUser(user)); err != nil {
		t.Fatal(err)
	}
	requests := srv.Requests()
	last := requests[len(requests)-1]
	if last.Operation != "core.Jobs.SubmitMFA" || last.Method != "POST" || last.Path != "/jobs/"+jobs[0]+"/mfa" || last.Status != 202 || last.Time.IsZero() || len(last.Body) == 0 {
		t.Errorf("the last request is %+v", last)
	}
	for _, r := range requests {
		text := strings.Join(r.Header["Authorization"], "") + string(r.Body)
		for _, secret := range []string{srv.APIKey(), "Bearer", "1234"} {
			if strings.Contains(text, secret) {
				t.Errorf("the recorded request of %s contains %q", r.Operation, secret)
			}
		}
		if len(r.Header["Authorization"]) == 0 {
			t.Errorf("%s: the Authorization header is missing", r.Operation)
		}
	}
}

// TestInvalidFaultsPanic: misspelled or ambiguous operations, and faults without effect,
// panic immediately.
func TestInvalidFaultsPanic(t *testing.T) {
	srv := basiqtest.NewServer(t)
	wantPanic := func(what string, f func()) {
		t.Helper()
		defer func() {
			if text := fmt.Sprint(recover()); !strings.HasPrefix(text, "basiqtest: ") {
				t.Errorf("%s: recovered %q", what, text)
			}
		}()
		f()
	}
	for _, operation := range []string{"List", "Get", "Create", ".List", "transactions.List", "Transactions.list", "data.Transactions", "GET /users/{id}/transactions", "GET", "core.List"} {
		wantPanic(operation, func() { srv.Fail(basiqtest.Fault{Operation: operation, Status: 503}) })
		wantPanic("Calls of "+operation, func() { srv.Calls(operation) })
	}
	for _, f := range []basiqtest.Fault{
		{}, {Status: 99}, {Status: 600}, {Status: 503, After: -1}, {Delay: -1}, {Truncate: -1}, {Status: 429, RetryAfter: -1}, {Drop: 7}, {Drop: -1}, {Status: 503, Times: -2},
		{Drop: basiqtest.DropAfter, Code: "parameter-not-valid"}, {Truncate: 1, Body: "x"}, {Delay: 1, RetryAfter: 1},
	} {
		wantPanic(fmt.Sprintf("%+v", f), func() { srv.Fail(f) })
	}
	wantPanic("a long name", func() { srv.Fail(basiqtest.Fault{Operation: strings.Repeat("x", 1<<20), Status: 503}) })
	for _, code := range []string{"", "invalid-credential", "INVALID-CREDENTIALS"} {
		wantPanic("the code "+code, func() { srv.FailNextJob("verify-credentials", code) })
	}
	for _, operation := range []string{"", "data.Transactions.List", "Transactions.List", "GET /users/{userId}/transactions", "legacy.Connections.Create"} {
		srv.Fail(basiqtest.Fault{Operation: operation, Status: 503}).Stop()
		srv.Calls(operation)
	}
}

// TestFaultIsNotChangedLater: the longest wait is a positive number of seconds, and changes
// that a test makes to the header of a fault after it was injected have no effect.
func TestFaultIsNotChangedLater(t *testing.T) {
	srv := basiqtest.NewServer(t)
	header := http.Header{"X-Reason": {"first"}}
	srv.Fail(basiqtest.Fault{Status: 429, RetryAfter: math.MaxInt64, Header: header})
	header["X-Reason"][0] = "second"
	header.Set("X-Other", "third")
	response, err := http.Get(srv.URL + "/users/u")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if h := response.Header; h.Get("Retry-After") != "9223372037" || h.Get("X-Reason") != "first" || h.Get("X-Other") != "" {
		t.Errorf("the header is %v", h)
	}
}
