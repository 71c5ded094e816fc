package basiq_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/affordability"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/transport"
)

// quick polls the in-memory server with minimal intervals.
var quick = basiq.WaitOptions{Interval: time.Millisecond}

func asked(on func(context.Context, basiq.MFA) ([]string, error)) basiq.WaitOptions {
	return basiq.WaitOptions{Interval: time.Millisecond, MaxInterval: time.Millisecond, OnMFA: on}
}

func answering(answers ...string) func(context.Context, basiq.MFA) ([]string, error) {
	return func(context.Context, basiq.MFA) ([]string, error) { return answers, nil }
}

// newUser returns a fake server, a client of it, and the ID of a new user.
func newUser(t *testing.T, opts ...basiqtest.Option) (*basiqtest.Server, *basiq.Client, string) {
	t.Helper()
	srv := basiqtest.NewServer(t, opts...)
	client := srv.Client(t)
	if err := client.SetPollRate(1e6); err != nil {
		t.Fatal(err)
	}
	user, err := client.Core.Users.Create(t.Context(), core.CreateUserParams{Email: "max@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	return srv, client, user.ID
}

// TestScenario verifies accounts from start to finish: consent link, two banks
// of which one asks a question, return, jobs, accounts and transactions.
func TestScenario(t *testing.T) {
	for _, opts := range [][]basiqtest.Option{nil, {basiqtest.WithRelativeLinks(), basiqtest.WithResultLists()}} {
		srv, client, userID := newUser(t, opts...)
		state := basiq.NewState()
		link, err := client.ConsentLink(t.Context(), userID, basiq.ConsentOptions{State: state})
		if err != nil {
			t.Fatal(err)
		}
		back, err := srv.VisitConsentLink(link.Reveal(), basiqtest.WentworthSmith, basiqtest.Jared.At(basiqtest.PiedPiper))
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(back)
		if err != nil {
			t.Fatal(err)
		}
		returned, err := basiq.ParseConsentReturn(u, state)
		if err != nil || len(returned.JobIDs) != 2 {
			t.Fatalf("%v, %v", returned, err)
		}
		var mu sync.Mutex
		var questions []basiq.MFA
		results, err := client.WaitForJobs(t.Context(), returned.JobIDs, asked(func(_ context.Context, m basiq.MFA) ([]string, error) {
			mu.Lock()
			defer mu.Unlock()
			questions = append(questions, m)
			return []string{"1234"}, nil
		}))
		if err != nil {
			t.Fatal(err)
		}
		if len(questions) != 1 || questions[0].Method != core.MFAMethodToken || questions[0].UserID != userID || questions[0].TimeLeft() <= time.Minute {
			t.Errorf("%+v", questions)
		}
		for _, r := range results {
			connection, err := client.Data.Connections.Get(t.Context(), userID, r.ConnectionID())
			if err != nil || connection.Status != data.ConnectionStatusActive || r.UserID() != userID {
				t.Errorf("%+v, %v", connection, err)
			}
		}
		n := 0
		for _, err := range client.Transactions(t.Context(), userID, basiq.TransactionWindow{ConnectionID: results[1].ConnectionID(), PostedOnly: true}) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if n != 500 {
			t.Errorf("%d transactions", n)
		}
	}
}

// TestScenarioFailures checks the errors for the logins that fail in the
// sandbox, and for wrong and late answers.
func TestScenarioFailures(t *testing.T) {
	atMFA := basiqtest.Jared.At(basiqtest.PiedPiper)
	for _, c := range []struct {
		name  string
		login basiqtest.Login
		on    func(*basiqtest.Server) func(context.Context, basiq.MFA) ([]string, error)
		is    error
		user  bool
	}{
		{"the login is locked", basiqtest.Bighead, nil, basiq.ErrJobInvalidCredentials, true},
		{"the user must act", basiqtest.Erlich, nil, basiq.ErrJobAccountNotAccessible, true},
		{"the bank is not available", basiqtest.JianYang, nil, basiq.ErrJobServiceUnavailable, false},
		{"a wrong answer", atMFA, func(*basiqtest.Server) func(context.Context, basiq.MFA) ([]string, error) { return answering("4321") }, basiq.ErrMFARejected, true},
		{"a late answer", atMFA, func(srv *basiqtest.Server) func(context.Context, basiq.MFA) ([]string, error) {
			return func(context.Context, basiq.MFA) ([]string, error) {
				srv.Advance(3 * time.Minute)
				return []string{"1234"}, nil
			}
		}, basiq.ErrMFAExpired, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv, client, userID := newUser(t, basiqtest.WithNow(time.Date(2031, 5, 6, 0, 0, 0, 0, time.UTC)))
			jobs, err := srv.Connect(userID, c.login)
			if err != nil {
				t.Fatal(err)
			}
			o := quick
			if c.on != nil {
				o = asked(c.on(srv))
			}
			_, err = client.WaitForJob(t.Context(), jobs[0], o)
			if !errors.Is(err, c.is) {
				t.Fatal(err)
			}
			var e *basiq.JobError
			if errors.As(err, &e) && (e.NeedsUser() != c.user || e.Advice() == "" || e.Detail == "") {
				t.Errorf("%+v", *e)
			}
			if n := srv.Calls("core.Jobs.SubmitMFA"); n > 1 {
				t.Errorf("%d answers", n)
			}
		})
	}
}

// TestScenarioNetworkFaults checks that a wait survives network faults in polls
// and answers.
func TestScenarioNetworkFaults(t *testing.T) {
	srv, client, userID := newUser(t)
	jobs, err := srv.Connect(userID, basiqtest.Jared.At(basiqtest.PiedPiper))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []basiqtest.Fault{
		{Operation: "core.Jobs.Get", Status: http.StatusServiceUnavailable, Times: 3},
		{Operation: "core.Jobs.Get", Drop: basiqtest.DropAfter, Times: 2},
		{Operation: "core.Jobs.Get", Truncate: 20, Times: 2},
		{Operation: "core.Jobs.Get", Status: http.StatusTooManyRequests, Times: 2},
		{Operation: "core.Jobs.SubmitMFA", Drop: basiqtest.DropAfter}, // after the bank has received the answer
	} {
		srv.Fail(f)
	}
	r, err := client.WaitForJob(t.Context(), jobs[0], asked(answering("1234")))
	if err != nil || r.ConnectionID() == "" || srv.Calls("core.Jobs.SubmitMFA") != 1 {
		t.Errorf("%v, %v after %d answers", r, err, srv.Calls("core.Jobs.SubmitMFA"))
	}
}

// TestScenarioRefresh checks new and existing jobs, a question that is answered
// elsewhere, and a purge.
func TestScenarioRefresh(t *testing.T) {
	srv, client, userID := newUser(t)
	connectionID, err := srv.AddConnection(userID, basiqtest.Jared.At(basiqtest.PiedPiper))
	if err != nil {
		t.Fatal(err)
	}
	job, err := client.StartRefresh(t.Context(), userID, connectionID)
	if err != nil || job.Existing() {
		t.Fatalf("%v, %v", job, err)
	}
	again, err := client.StartRefresh(t.Context(), userID, connectionID)
	if err != nil || !again.Existing() || again.ID() != job.ID() {
		t.Fatalf("%v, %v", again, err)
	}
	_, err = job.Wait(t.Context(), quick)
	var required *basiq.MFARequiredError
	if !errors.As(err, &required) || required.MFA.UserID != userID {
		t.Fatal(err)
	}
	answered, err := client.AnswerMFA(t.Context(), required.MFA, []string{"1234"})
	if err != nil {
		t.Fatal(err)
	}
	if r, err := answered.Wait(t.Context(), quick); err != nil || r.ConnectionID() != connectionID {
		t.Fatalf("%v, %v", r, err)
	}
	if _, err := client.AnswerMFA(t.Context(), required.MFA, []string{"1234"}); !errors.Is(err, basiq.ErrMFARejected) {
		t.Errorf("an answer nobody waits for: %v", err)
	}
	if r, err := client.PurgeAndRefresh(t.Context(), userID, connectionID, asked(answering("1234"))); err != nil || r.Existing {
		t.Errorf("%v, %v", r, err)
	}
	results, err := client.RefreshConnections(t.Context(), userID, asked(answering("1234")))
	if err != nil || len(results) != 1 || results[0].ConnectionID() != connectionID {
		t.Errorf("%v, %v", results, err)
	}
}

// TestScenarioSync checks that a copy matches the bank over several days, with
// refreshes that give pending transactions new IDs.
func TestScenarioSync(t *testing.T) {
	srv, client, userID := newUser(t, basiqtest.WithNow(time.Now()), basiqtest.WithTransactions(2000))
	connectionID, err := srv.AddConnection(userID, basiqtest.WentworthSmith)
	if err != nil {
		t.Fatal(err)
	}
	m := newLocalCopy(t)
	for run := range 5 {
		m.changes = nil
		for batch, err := range client.SyncTransactions(t.Context(), userID, m.cursor, basiq.SyncOptions{}) {
			if err != nil {
				t.Fatal(err)
			}
			if run == 0 && len(m.changes) > 700 {
				break // simulates a crash
			}
			m.apply(batch)
		}
		if run > 0 {
			want := map[string]string{}
			for tx, err := range client.Transactions(t.Context(), userID, basiq.TransactionWindow{}) {
				if err != nil {
					t.Fatal(err)
				}
				want[tx.ID] = fmt.Sprint(tx.Status, " ", tx.Amount)
			}
			if len(want) < 2000 || !maps.Equal(m.rows, want) {
				t.Errorf("run %d: %d transactions, want %d", run, len(m.rows), len(want))
			}
		}
		if run > 1 && (len(m.changes) == 0 || len(m.changes) > 200) {
			t.Errorf("run %d: %d changes", run, len(m.changes))
		}
		if run > 0 {
			srv.Advance(3 * 24 * time.Hour)
			if _, err := client.RefreshConnection(t.Context(), userID, connectionID, quick); err != nil {
				t.Fatal(err)
			}
		}
	}
	for id, n := range m.inserted {
		if n != 1 && strings.HasPrefix(m.rows[id], "posted") {
			t.Errorf("%s was inserted %d times", id, n)
		}
	}
}

// TestScenarioStatement checks that an uploaded statement has its account and
// transactions.
func TestScenarioStatement(t *testing.T) {
	_, client, userID := newUser(t)
	file := "date,description,amount\n2025-01-02,COFFEE,-4.50\n2025-01-03,SALARY,1900.00\n"
	var sent int64
	r, err := client.UploadStatement(t.Context(), userID, basiq.Statement{
		InstitutionID: basiqtest.ExampleBank, Name: "january.csv", Content: strings.NewReader(file), OnProgress: func(n, _ int64) { sent = n },
	}, quick)
	if err != nil || r.ConnectionID() == "" || sent != int64(len(file)) {
		t.Fatalf("%+v, %v, %d bytes", r, err, sent)
	}
	n := 0
	for _, err := range client.Transactions(t.Context(), userID, basiq.TransactionWindow{ConnectionID: r.ConnectionID()}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 2 {
		t.Errorf("%d transactions", n)
	}
	_, err = client.UploadStatement(t.Context(), userID, basiq.Statement{InstitutionID: basiqtest.ExampleBank, Name: "empty.csv", Content: strings.NewReader("date,description,amount\n")}, quick)
	if !errors.Is(err, basiq.ErrJobEmptyFile) {
		t.Error(err)
	}
	_, err = client.UploadStatement(t.Context(), userID, basiq.Statement{InstitutionID: basiqtest.Hooli, Name: "a.csv", Content: strings.NewReader(file)}, quick)
	if !errors.Is(err, transport.ErrInvalidParameter) {
		t.Error(err)
	}
}

// TestScenarioReports checks both report types, their selections, and the PDF.
func TestScenarioReports(t *testing.T) {
	srv, client, userID := newUser(t, basiqtest.WithNow(time.Date(2031, 5, 6, 0, 0, 0, 0, time.UTC)))
	if _, err := srv.AddConnection(userID, basiqtest.WentworthSmith); err != nil {
		t.Fatal(err)
	}
	list, err := client.Data.Accounts.List(t.Context(), userID, data.ListAccountsParams{})
	if err != nil {
		t.Fatal(err)
	}
	r := basiq.AffordabilityReport{Title: "Loan 42", From: "2031-01-01", To: "2031-04-30", Users: []string{userID}, Accounts: []string{list.Data[0].ID, list.Data[1].ID}}
	sizes := func(metrics, groups basiq.Selection) (int, int) {
		t.Helper()
		r.IncludeMetrics, r.IncludeGroups = metrics, groups
		report, err := client.CreateReport(t.Context(), r, quick)
		if err != nil {
			t.Fatal(err)
		}
		findings, ok := report.Data.Affordability()
		if !ok || len(findings.Accounts) != 2 {
			t.Fatalf("%+v", findings)
		}
		return len(findings.Metrics), len(findings.Groups)
	}
	metrics, groups := sizes(basiq.Selection{}, basiq.Selection{})
	if metrics == 0 || groups == 0 {
		t.Fatalf("%d metrics, %d groups", metrics, groups)
	}
	if m, g := sizes(basiq.SelectAll(), basiq.SelectNone()); m != metrics || g != 0 {
		t.Errorf("all and none: %d metrics, %d groups", m, g)
	}
	if m, g := sizes(basiq.Select("ME001"), basiq.SelectAll()); m != 1 || g != groups {
		t.Errorf("one and all: %d metrics, %d groups", m, g)
	}

	job, err := client.StartReport(t.Context(), basiq.StatementReport{Title: "S", From: "2031-01-01", To: "2031-04-30", User: userID, Account: list.Data[0].ID})
	if err != nil {
		t.Fatal(err)
	}
	made, err := job.Wait(t.Context(), quick)
	if err != nil {
		t.Fatal(err)
	}
	report, err := client.Reporting.Reports.Get(t.Context(), made.ReportID())
	if err != nil {
		t.Fatal(err)
	}
	if findings, ok := report.Data.Statement(); !ok || len(findings.Accounts) != 1 || findings.Accounts[0].ID != list.Data[0].ID {
		t.Errorf("%+v", findings)
	}
	var pdf bytes.Buffer
	if err := client.Reporting.Reports.GetPDF(t.Context(), made.ReportID(), &pdf); err != nil || !bytes.HasPrefix(pdf.Bytes(), []byte("%PDF-")) {
		t.Errorf("%v, %.20q", err, pdf.String())
	}
	r.Accounts = []string{"another-account"}
	if _, err := client.CreateReport(t.Context(), r, quick); !errors.Is(err, transport.ErrInvalidParameter) && !errors.Is(err, transport.ErrNotFound) {
		t.Errorf("an unknown account: %v", err)
	}

	months := affordability.CreateParams{Accounts: []string{list.Data[0].ID}, FromMonth: "2031-01", ToMonth: "2031-04"}
	//lint:ignore SA1019 deprecated methods must keep working
	if income, err := client.Affordability.Income.Create(t.Context(), userID, months); err != nil || income.ID == "" {
		t.Errorf("%+v, %v", income, err)
	}
	months.FromMonth, months.ToMonth = "2020-01", "2020-02"
	//lint:ignore SA1019 deprecated methods must keep working
	if _, err := client.Affordability.Expenses.Create(t.Context(), userID, months); !errors.Is(err, transport.ErrNoContent) {
		t.Errorf("expenses of months without transactions: %v", err)
	}
}
