package basiqtest_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
)

var noon = time.Date(2031, time.May, 6, 12, 0, 0, 0, time.UTC)

// linkFor returns a link to the Consent UI for a new user.
func linkFor(t *testing.T, srv *basiqtest.Server, opts basiq.ConsentOptions) (link *url.URL, userID string) {
	t.Helper()
	userID, err := srv.AddUser("max@example.com")
	if err != nil {
		t.Fatal(err)
	}
	return linkOf(t, srv, userID, opts), userID
}

func linkOf(t *testing.T, srv *basiqtest.Server, userID string, opts basiq.ConsentOptions) *url.URL {
	t.Helper()
	made, err := srv.Client(t).ConsentLink(t.Context(), userID, opts)
	if err != nil {
		t.Fatal(err)
	}
	link, err := url.Parse(made.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	return link
}

// TestConsentVisit: step by step through consent, login, the bank's question and return.
func TestConsentVisit(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithNow(noon))
	link, userID := linkFor(t, srv, basiq.ConsentOptions{State: "s-1"})
	v, err := srv.OpenConsentLink(link)
	if err != nil {
		t.Fatal(err)
	}
	if purpose, permissions := v.Purpose(); purpose == "" || len(permissions) != 4 || len(permissions[0].Attributes) != 3 {
		t.Errorf("%q, %v", purpose, permissions)
	}
	if c, err := v.Consent(); err != nil || c.Status != "active" || !c.Expires.Equal(noon.Add(365*24*time.Hour)) {
		t.Fatal(c, err)
	}
	jobID, err := v.Connect("", basiqtest.Richard.At(basiqtest.PiedPiper))
	if err != nil {
		t.Fatal(err)
	}
	var j *basiqtest.JobState
	for range 3 {
		if j, err = v.Job(jobID); err != nil {
			t.Fatal(err)
		}
	}
	if j.Question == nil || j.Question.Method != "token" || len(j.Question.Prompts) != 1 || j.Ended {
		t.Fatalf("%+v", j)
	}
	if err := v.Answer(jobID, "1234"); err != nil {
		t.Fatal(err)
	}
	srv.FinishJobs()
	if j, err = v.Job(jobID); err != nil || !j.Ended || j.Failed || j.Question != nil {
		t.Fatal(j, err)
	}
	if err := v.Answer(jobID, "1234"); err == nil {
		t.Error("an answer is accepted twice")
	}
	back, err := v.ReturnURL(jobID)
	if err != nil || back != "https://app.example/return?jobId="+jobID+"&jobIds="+jobID+"&state=s-1" {
		t.Error(back, err)
	}
	u, err := srv.User(userID)
	if err != nil || len(u.Accounts) != 4 || len(u.Connections) != 1 || u.Connections[0].Status != "active" || len(u.Jobs) != 1 || u.Consent != "active" || u.Accounts[0].Posted == 0 {
		t.Errorf("%+v, %v", u, err)
	}
	if err := v.Revoke(); err != nil {
		t.Fatal(err)
	}
	if d, err := v.Details(); err != nil || len(d.Connections) != 0 || d.Consent != "revoked" {
		t.Errorf("%+v, %v", d, err)
	}
	srv.Advance(2 * time.Hour)
	for name, err := range map[string]error{
		"Consent": func() error { _, err := v.Consent(); return err }(), "Revoke": v.Revoke(), "Answer": v.Answer(jobID, "1"),
		"Job": func() error { _, err := v.Job(jobID); return err }(), "Details": func() error { _, err := v.Details(); return err }(),
		"Connect": func() error { _, err := v.Connect("", basiqtest.Richard); return err }(),
	} {
		if err == nil || !strings.Contains(err.Error(), "expired") {
			t.Errorf("%s with an expired token: %v", name, err)
		}
	}
}

// TestVisitsThatWereNotOpened: they return errors, and do not panic.
func TestVisitsThatWereNotOpened(t *testing.T) {
	for _, v := range []*basiqtest.ConsentVisit{nil, {}} {
		_, consent := v.Consent()
		_, details := v.Details()
		_, connect := v.Connect("", basiqtest.Richard)
		_, job := v.Job("j")
		_, back := v.ReturnURL()
		for _, err := range []error{consent, details, connect, job, back, v.Revoke(), v.Answer("j", "1")} {
			if err == nil || !strings.Contains(err.Error(), "was not opened") {
				t.Error(err)
			}
		}
		if _, permissions := v.Purpose(); v.PolicyChanged() || len(permissions) != 4 {
			t.Error(permissions)
		}
	}
}

// TestConsentVisitRenewsAConnection: the link names the connection.
func TestConsentVisitRenewsAConnection(t *testing.T) {
	srv := basiqtest.NewServer(t)
	userID, err := srv.AddUser("max@example.com")
	if err != nil {
		t.Fatal(err)
	}
	connection, err := srv.AddConnection(userID, basiqtest.Whistler)
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.InvalidateConnection(connection); err != nil {
		t.Fatal(err)
	}
	v, err := srv.OpenConsentLink(linkOf(t, srv, userID, basiq.ConsentOptions{Action: basiq.ConsentActionConnect, ConnectionID: connection}))
	if err != nil || v.ConnectionID != connection {
		t.Fatal(err)
	}
	if _, err := v.Connect(v.ConnectionID, basiqtest.Richard); err != nil {
		t.Fatal(err)
	}
	srv.FinishJobs()
	if u, err := srv.User(userID); err != nil || len(u.Connections) != 1 || u.Connections[0].Status != "active" || u.Connections[0].Login != basiqtest.Richard.ID {
		t.Errorf("%+v, %v", u, err)
	}
	if err := srv.InvalidateConnection("unknown"); err == nil {
		t.Error("a connection that does not exist is invalidated")
	}
}

// TestVisitConnectsWithConsentOnly: no bank is connected before the user has agreed, or
// after the consent has ended, and no consent is made up for it.
func TestVisitConnectsWithConsentOnly(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithNow(noon))
	link, userID := linkFor(t, srv, basiq.ConsentOptions{})
	v, err := srv.OpenConsentLink(link)
	if err != nil {
		t.Fatal(err)
	}
	refused := func(consents int) {
		t.Helper()
		if _, err := v.Connect("", basiqtest.Jared); err == nil || !strings.Contains(err.Error(), "no active consent") {
			t.Errorf("a bank is connected: %v", err)
		}
		if u, err := srv.User(userID); err != nil || len(u.Consents) != consents || len(u.Jobs) != 0 {
			t.Errorf("%+v, %v", u, err)
		}
	}
	refused(0)
	if _, err := v.Consent(); err != nil {
		t.Fatal(err)
	}
	if err := srv.RevokeConsent(userID); err != nil {
		t.Fatal(err)
	}
	refused(1)
}

// TestOpenConsentLinkErrors: they say what is wrong, and do not contain the token.
func TestOpenConsentLinkErrors(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithNow(noon))
	link, _ := linkFor(t, srv, basiq.ConsentOptions{})
	token := link.Query().Get("token")
	for query, want := range map[string]string{
		"":                                    "no token",
		"token=secret-value":                  "unknown",
		"token=" + token + "&action=bake":     "no action",
		"token=" + token + "&action=extend":   "requires an active consent",
		"token=" + token + "&connectionId=x":  "does not have the link's connection",
		"token=" + token + "&institutionId=x": "does not exist",
		"token=%zz":                           "not encoded correctly",
	} {
		if _, err := srv.OpenConsentLink(&url.URL{RawQuery: query}); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), token) || strings.Contains(err.Error(), "secret-value") {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// TestJobsAdvanceByTheClockWithoutPolls: a program that waits for webhooks does not poll.
func TestJobsAdvanceByTheClockWithoutPolls(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithNow(noon), basiqtest.WithJobPace(time.Second))
	userID, err := srv.AddUser("max@example.com")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := srv.Connect(userID, basiqtest.Jared.At(basiqtest.PiedPiper)); err != nil {
		t.Fatal(err)
	}
	status := func() string {
		u, err := srv.User(userID)
		if err != nil {
			t.Fatal(err)
		}
		var steps []string
		for _, st := range u.Jobs[0].Steps {
			steps = append(steps, st.Status)
		}
		return strings.Join(steps, " ")
	}
	for _, want := range []string{"pending pending pending pending", "in-progress pending pending pending", "success in-progress pending pending", "success in-progress pending pending"} {
		if got := status(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		srv.Advance(time.Second)
	}
	if srv.Advance(3 * time.Minute); status() != "success failed pending pending" {
		t.Errorf("the bank's question is never given up: %s", status())
	}
}

// TestImmediateJobs: a job has ended before the next request, unless it needs an answer.
func TestImmediateJobs(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithNow(noon), basiqtest.WithImmediateJobs())
	link, userID := linkFor(t, srv, basiq.ConsentOptions{})
	if _, err := srv.Connect(userID, basiqtest.Jared); err != nil {
		t.Fatal(err)
	}
	v, err := srv.OpenConsentLink(link)
	if err != nil {
		t.Fatal(err)
	}
	jobID, err := v.Connect("", basiqtest.Jared.At(basiqtest.PiedPiper))
	if err != nil {
		t.Fatal(err)
	}
	if j, err := v.Job(jobID); err != nil || j.Question == nil {
		t.Fatal(j, err)
	}
	if err := v.Answer(jobID, "1234"); err != nil {
		t.Fatal(err)
	}
	u, err := srv.User(userID)
	if err != nil || len(u.Jobs) != 2 || !u.Jobs[0].Ended || u.Jobs[0].Failed || !u.Jobs[1].Ended || u.Jobs[1].Failed {
		t.Errorf("%+v, %v", u, err)
	}
}

// TestRequestLogAndRedelivery: the log has the correlation ID that the client received.
func TestRequestLogAndRedelivery(t *testing.T) {
	var mu sync.Mutex
	delivered := 0
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		delivered++
	}))
	t.Cleanup(receiver.Close)
	var logged []basiqtest.Request
	srv, err := basiqtest.New(basiqtest.WithNow(noon), basiqtest.WithRequestLog(func(r basiqtest.Request) { logged = append(logged, r) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(srv.Close)
	v := &visitor{t: t, srv: srv, host: "sandbox.example"}
	v.login()
	v.do("POST", "/notifications/webhooks", `{"url":"`+receiver.URL+`","subscribedEvents":["user.created"]}`)
	w := httptest.NewRecorder()
	srv.ServeHTTP(w, httptest.NewRequest("GET", "http://sandbox.example/users/none", nil))
	r := httptest.NewRequest("GET", "http://sandbox.example/users/none", nil)
	r.Header.Set("Authorization", "Bearer "+v.token)
	w = httptest.NewRecorder()
	srv.ServeHTTP(w, r)
	last := logged[len(logged)-1]
	if len(logged) != 4 || last.Status != 404 || last.Operation != "core.Users.Get" || last.CorrelationID == "" || !strings.Contains(w.Body.String(), last.CorrelationID) || logged[0].Status != 200 {
		t.Errorf("%+v", logged)
	}
	if _, err := srv.AddUser("max@example.com"); err != nil {
		t.Fatal(err)
	}
	srv.Advance(0)
	hooks := srv.Webhooks()
	if len(hooks) != 1 || len(hooks[0].Messages) != 1 || hooks[0].Messages[0].Status != "success" || hooks[0].Messages[0].Attempts[0].Status != 200 {
		t.Fatalf("%+v", hooks)
	}
	if err := srv.Redeliver(hooks[0].Messages[0].ID); err != nil {
		t.Fatal(err)
	}
	srv.Advance(0)
	if mu.Lock(); delivered != 2 || len(srv.Webhooks()[0].Messages[0].Attempts) != 2 {
		t.Errorf("%d deliveries", delivered)
	}
	mu.Unlock()
	if err := srv.Redeliver("unknown"); err == nil {
		t.Error("a message that does not exist is delivered")
	}
	if users := srv.Users(); len(users) != 1 || users[0].Email != "max@example.com" {
		t.Errorf("%+v", users)
	}
	if _, err := srv.User("unknown"); err == nil {
		t.Error("a user who does not exist is found")
	}
	if _, err := srv.Inject(basiqtest.Fault{Operation: "Users.Bake", Status: 500}); err == nil {
		t.Error("a fault of an operation that does not exist is injected")
	}
}
