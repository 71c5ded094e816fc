package conformance

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go/basiqtest"
)

// fakeTarget returns a target for a fake server, whose user has more transactions than a
// page. Tests that change what the server sends pass a handler around it, or nil.
func fakeTarget(t *testing.T, seed uint64, wrap func(http.Handler) http.Handler) (Target, *basiqtest.Server) {
	t.Helper()
	srv, err := basiqtest.New(basiqtest.WithSeed(seed), basiqtest.WithTransactions(620), basiqtest.WithoutQuotas())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(srv.Close)
	user, err := srv.AddUser("max@example.com")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := srv.AddConnection(user, basiqtest.WentworthSmith); err != nil {
		t.Fatal(err)
	}
	var h http.Handler = srv
	if wrap != nil {
		h = wrap(h)
	}
	listening := httptest.NewServer(h)
	t.Cleanup(listening.Close)
	return Target{BaseURL: listening.URL, APIKey: srv.APIKey(), UserID: user, Write: true, Poll: time.Millisecond}, srv
}

func record(t *testing.T, target Target) *Recording {
	t.Helper()
	out, err := Run(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func lines(r *Report) []string {
	var out []string
	for _, d := range r.Differences {
		out = append(out, d.String())
	}
	return out
}

// TestEqualServersDoNotDiffer: IDs, amounts and dates of the servers differ, shapes do
// not.
func TestEqualServersDoNotDiffer(t *testing.T) {
	api, _ := fakeTarget(t, 7, nil)
	fake, srv := fakeTarget(t, 1, nil)
	got, want := record(t, api), record(t, fake)
	report := Compare(got, want)
	for _, line := range append(lines(report), report.NotCompared...) {
		t.Error(line)
	}
	if len(want.order) < 100 {
		t.Errorf("only %d exchanges were compared", len(want.order))
	}
	var seen []string
	for _, k := range want.order {
		seen = append(seen, k.operation)
	}
	for _, operation := range []string{
		"core.Auth.CreateToken", "core.Users.Create", "core.Users.Delete", "core.AuthLinks.Create", "core.Consents.List", "core.Jobs.Get",
		"data.Accounts.Get", "data.Connections.Refresh", "data.Connectors.List", "data.Transactions.List", "webhooks.Webhooks.Update",
	} {
		if !slices.Contains(seen, operation) {
			t.Errorf("the suite does not call %s", operation)
		}
	}
	if n := len(srv.Users()); n != 1 {
		t.Errorf("%d users are left, want the one that was there before", n)
	}
	if n := len(srv.Webhooks()); n != 0 {
		t.Errorf("%d webhooks are left", n)
	}
}

// TestScenariosReachEveryStep: a step that fails before anything is sent compares
// nothing.
func TestScenariosReachEveryStep(t *testing.T) {
	target, _ := fakeTarget(t, 1, nil)
	out := record(t, target)
	for _, s := range scenarios {
		if !slices.ContainsFunc(out.order, func(k key) bool { return k.scenario == s.name }) {
			t.Errorf("the scenario %q made no request", s.name)
		}
	}
	for _, k := range out.order {
		e := out.exchanges[k]
		switch {
		case e.statuses[0], e.statuses[http.StatusNotImplemented], e.statuses[http.StatusMethodNotAllowed]:
			t.Errorf("%s (%s): status %s", k.operation, k.step(), statuses(e))
		case k.operation == "":
			t.Errorf("%s: the operation is not known", k.step())
		}
	}
}

// methods counts the requests of a server by method, except for access tokens.
type methods map[string]int

func countMethods(srv *basiqtest.Server) methods {
	out := methods{}
	for _, r := range srv.Requests() {
		if r.Path != "/token" {
			out[r.Method]++
		}
	}
	return out
}

// TestReadOnlyRunChangesNothing: without Write, the scenarios that write are skipped.
func TestReadOnlyRunChangesNothing(t *testing.T) {
	target, srv := fakeTarget(t, 1, nil)
	target.Write = false
	out := record(t, target)
	got := countMethods(srv)
	if len(got) != 1 || got[http.MethodGet] < 50 {
		t.Errorf("requests by method: %v, want only GET", got)
	}
	if len(out.Skipped) != 5 {
		t.Errorf("skipped: %q, want the 5 scenarios that write", out.Skipped)
	}
}

// TestReadOnlyRunRefusesRequestsThatWrite: even if a scenario is not marked as writing,
// its requests are not sent.
func TestReadOnlyRunRefusesRequestsThatWrite(t *testing.T) {
	target, srv := fakeTarget(t, 1, nil)
	target.Write = false
	unmarked := slices.Clone(scenarios)
	for i := range unmarked {
		unmarked[i].write = false
	}
	unmarked = append(unmarked, scenario{name: "every method", run: func(r *run) {
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
			for _, path := range []string{"/token", "/users/token", "/users/" + target.UserID, "/users/" + target.UserID + "/token"} {
				if method != http.MethodPost || path != "/token" {
					r.raw(method, "test", method, path, `{}`)
				}
			}
		}
	}})
	_, err := runAll(t.Context(), target, unmarked)
	if !errors.Is(err, errReadOnly) || !strings.Contains(err.Error(), "core.Users.Create") {
		t.Errorf("%v, want an error that names the operations", err)
	}
	if got := countMethods(srv); len(got) != 1 || got[http.MethodGet] == 0 {
		t.Errorf("requests by method: %v, want only GET", got)
	}
	for _, r := range srv.Requests() {
		if r.Path == "/token" && r.Method != http.MethodPost {
			t.Errorf("%s /token was sent", r.Method)
		}
	}
}

// TestCleanUpAfterFailure: what was created is deleted although the responses to the
// scenario's own deletions, and to its creations, are of no use.
func TestCleanUpAfterFailure(t *testing.T) {
	deletions := 0
	target, srv := fakeTarget(t, 1, func(inner http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodDelete {
				if deletions++; deletions < 6 {
					http.Error(w, "broken", http.StatusServiceUnavailable)
					return
				}
			}
			inner.ServeHTTP(w, r)
		})
	})
	out := record(t, target)
	if out.Left != 0 || len(srv.Users()) != 1 || len(srv.Webhooks()) != 0 {
		t.Errorf("%d left, %d users, %d webhooks", out.Left, len(srv.Users()), len(srv.Webhooks()))
	}
}

// TestCleanUpAfterCancellation: when ctx ends in the middle, the users and webhooks are
// deleted, and the error says where the suite stopped.
func TestCleanUpAfterCancellation(t *testing.T) {
	for _, at := range []string{"/users/[^/]+/auth_link", "/notifications/webhooks/[^/]+"} {
		ctx, cancel := context.WithCancel(t.Context())
		path := regexp.MustCompile("^" + at + "$")
		created := 0
		target, srv := fakeTarget(t, 1, func(inner http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost && r.URL.Path == "/users" {
					created++
				}
				if path.MatchString(r.URL.Path) && r.Method == http.MethodGet && !strings.HasSuffix(r.URL.Path, absentID) && created > 0 {
					cancel()
				}
				inner.ServeHTTP(w, r)
			})
		})
		out, err := Run(ctx, target)
		if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "the suite was stopped in the scenario") {
			t.Errorf("%v, want an error that names the scenario", err)
		}
		if created == 0 || out.Left != 0 || len(srv.Users()) != 1 || len(srv.Webhooks()) != 0 {
			t.Errorf("%d created, %d left, %d users, %d webhooks", created, out.Left, len(srv.Users()), len(srv.Webhooks()))
		}
		cancel()
	}
}

// TestCleanUpThatFailsIsReported: what could not be deleted is counted.
func TestCleanUpThatFailsIsReported(t *testing.T) {
	target, srv := fakeTarget(t, 1, func(inner http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.Method == http.MethodDelete:
				http.Error(w, "broken", http.StatusForbidden)
			case r.Method == http.MethodPost && r.URL.Path == "/notifications/webhooks":
				inner.ServeHTTP(httptest.NewRecorder(), r)
				panic(http.ErrAbortHandler) // the response is lost
			default:
				inner.ServeHTTP(w, r)
			}
		})
	})
	out := record(t, target)
	if users := len(srv.Users()) - 1; users == 0 || out.Left != users || out.Unknown == 0 {
		t.Errorf("%d left of %d users, %d unknown", out.Left, users, out.Unknown)
	}
}

// TestKeyThatIsNotAcceptedStopsTheSuite: nothing is compared.
func TestKeyThatIsNotAcceptedStopsTheSuite(t *testing.T) {
	target, _ := fakeTarget(t, 1, nil)
	target.APIKey = "not-the-key"
	if _, err := Run(t.Context(), target); err == nil || !strings.Contains(err.Error(), "the API gave no access token") {
		t.Errorf("%v", err)
	}
	target.APIKey = ""
	if _, err := Run(t.Context(), target); err == nil || !strings.Contains(err.Error(), "APIKey is empty") {
		t.Errorf("%v", err)
	}
}

// TestMissingUserIsReported: scenarios that need a user are listed as not compared.
func TestMissingUserIsReported(t *testing.T) {
	api, _ := fakeTarget(t, 7, nil)
	api.UserID, api.Write = "", false
	fake, _ := fakeTarget(t, 1, nil)
	report := Compare(record(t, api), record(t, fake))
	if len(report.Differences) != 0 {
		t.Errorf("differences: %v", report.Differences)
	}
	if n := len(report.NotCompared); n != 12 || !slices.Contains(report.NotCompared, "the API was not asked: accounts: it needs a user with a connection") {
		t.Errorf("%d not compared: %q", n, report.NotCompared)
	}
}
