package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
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

// alteration makes a server differ in one respect.
type alteration struct {
	name    string
	method  string
	path    string                        // pattern of the path
	request func(*http.Request)           // changes the request
	refuse  func(*http.Request) bool      // requests that get the status and the body
	status  int                           // replaces the status of successes, or of all if refuse is set
	failure int                           // replaces the status of errors
	header  string                        // is removed
	body    func(document map[string]any) // changes the body
	code    string                        // replaces error codes
	want    []string                      // differences, as patterns; each must be found, and there are no others
}

func (a alteration) wrap(inner http.Handler) http.Handler {
	path := regexp.MustCompile("^" + a.path + "$")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != a.method || !path.MatchString(r.URL.Path) {
			inner.ServeHTTP(w, r)
			return
		}
		refused := a.refuse != nil && a.refuse(r)
		if a.request != nil {
			a.request(r)
		}
		got := httptest.NewRecorder()
		inner.ServeHTTP(got, r)
		status, body := got.Code, got.Body.Bytes()
		var document map[string]any
		dec := json.NewDecoder(bytes.NewReader(body))
		dec.UseNumber()
		if dec.Decode(&document) == nil {
			if refused {
				document = map[string]any{"type": "list", "correlationId": "c-1", "data": []any{map[string]any{"type": "error", "code": a.code, "title": "Refused.", "detail": "Refused."}}}
			}
			if list, ok := document["data"].([]any); ok && a.code != "" && a.refuse == nil && status >= 400 {
				list[0].(map[string]any)["code"] = a.code
			}
			if a.body != nil && status < 300 {
				a.body(document)
			}
			body, _ = json.Marshal(document)
		}
		switch {
		case refused, a.refuse == nil && a.status != 0 && status < 300:
			status = a.status
		case a.failure != 0 && status >= 400:
			status = a.failure
		}
		for name, values := range got.Header() {
			w.Header()[name] = values
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		if a.header != "" {
			w.Header()[a.header] = nil // net/http would guess a Content-Type otherwise
		}
		w.WriteHeader(status)
		_, _ = w.Write(body)
	})
}

// items changes each item of a list.
func items(change func(item map[string]any)) func(map[string]any) {
	return func(document map[string]any) {
		list, _ := document["data"].([]any)
		for _, item := range list {
			change(item.(map[string]any))
		}
	}
}

const userPath = `/users/[^/]+`

var alterations = []alteration{
	{
		name: "a missing member", method: "GET", path: userPath + "/accounts",
		body: items(func(a map[string]any) { delete(a, "availableFunds") }),
		want: []string{`data\.Accounts\.List: the member data\[\]\.availableFunds is missing; the fake server sends it`},
	},
	{
		name: "an undocumented member", method: "GET", path: userPath + "/accounts",
		body: items(func(a map[string]any) { a["colour"] = "max@example.com" }),
		want: []string{`data\.Accounts\.List: the member data\[\]\.colour; the fake server does not send it`},
	},
	{
		name: "an undocumented member whose name is personal", method: "GET", path: userPath + "/accounts",
		body: items(func(a map[string]any) { a["max@example.com"] = true }),
		want: []string{`data\.Accounts\.List: the member data\[\]\.\(a name that is not an identifier\); the fake server does not send it`},
	},
	{
		name: "another type", method: "GET", path: userPath + "/transactions",
		body: items(func(a map[string]any) { a["amount"] = json.Number(a["amount"].(string)) }),
		want: []string{`data\.Transactions\.List: data\[\]\.amount is number, and string from the fake server`},
	},
	{
		name: "null", method: "GET", path: userPath + "/connections",
		body: items(func(a map[string]any) { a["institution"] = nil }),
		want: []string{`data\.Connections\.List: data\[\]\.institution is always null, and never null from the fake server`},
	},
	{
		name: "relative links", method: "GET", path: userPath + "/consents",
		body: func(d map[string]any) { d["links"].(map[string]any)["self"] = "/users/u-1/consents" },
		want: []string{`core\.Consents\.List: links\.self is a relative URL, and an absolute URL from the fake server`},
	},
	{
		name: "another word of an enumeration", method: "GET", path: "/notifications/webhooks/[^/]+",
		body: func(d map[string]any) { d["type"] = "Webhook" },
		want: []string{`webhooks\.Webhooks\.Get: type is Webhook, and webhook from the fake server`},
	},
	{
		name: "an unknown word of an enumeration", method: "GET", path: userPath + "/connections",
		body: items(func(a map[string]any) { a["status"] = "max" }),
		want: []string{`data\.Connections\.List: data\[\]\.status has a word that is not in the vocabulary`},
	},
	{
		name: "another status of a success", method: "POST", path: "/users", status: http.StatusOK,
		want: []string{`core\.Users\.Create \([^)]*: create\): status 200, and 201 from the fake server`},
	},
	{
		name: "another status of an error", method: "GET", path: userPath + "/connections/[^/]+", failure: http.StatusBadRequest,
		want: []string{`data\.Connections\.Get \(connections: absent\): status 400, and 404 from the fake server`},
	},
	{
		name: "another error code", method: "GET", path: userPath + "/accounts/[^/]+", code: "no-such-account",
		want: []string{
			`data\.Accounts\.Get \(accounts: absent\): error code no-such-account, and resource-not-found from the fake server`,
			`data\.Accounts\.Get \(accounts: malformed\): error code no-such-account, and parameter-not-valid from the fake server`,
		},
	},
	{
		name: "another error code with a personal text", method: "GET", path: userPath + "/accounts/[^/]+", code: "No account of Max",
		want: []string{`data\.Accounts\.Get \(accounts: (absent|malformed)\): error code \(a word that is not in the vocabulary\), and (resource-not-found|parameter-not-valid) from the fake server`},
	},
	{
		name: "a missing header", method: "GET", path: "/events/types", header: "Content-Type",
		want: []string{
			`core\.Events\.ListTypes \([^)]*\): the header Content-Type is missing; the fake server sends it`,
			`core\.Events\.ListTypes \([^)]*\): media type none, and application/json from the fake server`,
		},
	},
	{
		name: "smaller pages", method: "GET", path: userPath + "/transactions",
		request: func(r *http.Request) {
			q := r.URL.Query()
			if n, err := strconv.Atoi(q.Get("limit")); (err == nil && n > 100 && n <= 500 || q.Get("limit") == "") && q.Get("next") == "" {
				q.Set("limit", "100")
				r.URL.RawQuery = q.Encode()
			}
		},
		want: []string{`data\.Transactions\.List \(transactions: (default|largest) limit\): a full page has 100 items, and 500 from the fake server`},
	},
	{
		name: "a limit that is refused", method: "GET", path: userPath + "/transactions", status: http.StatusBadRequest, code: "parameter-not-valid",
		refuse: func(r *http.Request) bool { return r.URL.Query().Get("limit") == "500" },
		want:   []string{`data\.Transactions\.List \(transactions: largest limit\): status 400, and 200 from the fake server`},
	},
	{
		name: "a filter that is refused", method: "GET", path: userPath + "/transactions", status: http.StatusBadRequest, code: "parameter-not-valid",
		refuse: func(r *http.Request) bool { return strings.Contains(r.URL.Query().Get("filter"), "transaction.class") },
		want:   []string{`data\.Transactions\.List \(transaction filters: by class\): status 400, and 200 from the fake server`},
	},
}

// TestDifferencesAreFoundAndNamed: each alteration of a server is listed, with its
// operation, and nothing else is.
func TestDifferencesAreFoundAndNamed(t *testing.T) {
	target, _ := fakeTarget(t, 1, nil)
	fake := record(t, target)
	for _, a := range alterations {
		t.Run(a.name, func(t *testing.T) {
			target, srv := fakeTarget(t, 7, a.wrap)
			report := Compare(record(t, target), fake)
			got := lines(report)
			for _, want := range a.want {
				if !slices.ContainsFunc(got, regexp.MustCompile("^"+want+"$").MatchString) {
					t.Errorf("%s is not in the list", want)
				}
			}
			all := regexp.MustCompile("^(" + strings.Join(a.want, "|") + ")$")
			for _, line := range got {
				if !all.MatchString(line) {
					t.Errorf("unexpected: %s", line)
				}
			}
			text := strings.Join(append(got, report.NotCompared...), "\n")
			user, err := srv.User(target.UserID)
			if err != nil {
				t.Fatal(err)
			}
			for _, value := range []string{"max@", "of Max", target.UserID, target.APIKey, user.Accounts[0].ID} {
				if strings.Contains(text, value) {
					t.Errorf("the list has a value of a response")
				}
			}
		})
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
