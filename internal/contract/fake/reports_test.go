//lint:file-ignore SA1019 what is deprecated is served, too

package fake_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/affordability"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/generated/reporting"
	"github.com/basiq-sdk/basiq-go/transport"
	"github.com/basiq-sdk/basiq-go/transport/value"
)

func text(name, v string) reporting.Filter {
	return reporting.Filter{Name: name, Value: reporting.NewFilterValueText(v)}
}

func list(name string, v ...string) reporting.Filter {
	return reporting.Filter{Name: name, Value: reporting.NewFilterValueList(v)}
}

// TestReports: a report is made in a job, tells what the transactions tell, and
// is kept for two weeks.
func TestReports(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithNow(noon), basiqtest.WithTransactions(300))
	client, _ := checked(t, srv)
	svc, ctx := client.Reporting.Reports, t.Context()
	user, _ := connected(t, srv, basiqtest.AshMann)
	accounts, err := client.Data.Accounts.List(ctx, user, data.ListAccountsParams{})
	if err != nil {
		t.Fatal(err)
	}
	account := accounts.Data[0].ID
	filters := []reporting.Filter{text("fromDate", "2030-11-01"), text("toDate", "2031-04-30"), list("accounts", account), list("users", user)}
	make := func(t *testing.T, more ...reporting.Filter) *reporting.Report {
		t.Helper()
		ref, err := svc.Create(ctx, reporting.CreateReportParams{ReportType: "CON_AFFOR_01", Title: "Half a year", Filters: append(filters[:4:4], more...)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := svc.Get(ctx, ref.ID); !errors.Is(err, transport.ErrNotFound) {
			t.Errorf("before the job has ended: %v", err)
		}
		_, job := watch(t, client, ref.ID)
		link, ok := job.Steps[0].Result.Link()
		if !ok || link.URL != "/reports/"+ref.ID || job.Links.Source != link.URL || job.Status != "success" || job.Kind != "report" {
			t.Errorf("job %+v", job)
		}
		r, err := svc.Get(ctx, ref.ID)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := make(t)
	found, ok := r.Data.Affordability()
	if !ok || len(found.Accounts) != 1 || len(found.Metrics) != 8 || len(found.Groups) < 5 {
		t.Fatalf("%t: %d accounts, %d metrics, %d groups", ok, len(found.Accounts), len(found.Metrics), len(found.Groups))
	}
	n := 0
	var sum value.Decimal = "0"
	for tx, err := range svc.AllTransactions(ctx, r.ID, reporting.ListTransactionsParams{}) {
		if err != nil {
			t.Fatal(err)
		}
		if day := string(tx.PostDate)[:10]; day < "2030-11-01" || day > "2031-04-30" || tx.AccountID != account {
			t.Errorf("%s of account %s", day, tx.AccountID)
		}
		if tx.Class == "direct-credit" {
			if sum, err = sum.Add(tx.Amount); err != nil {
				t.Fatal(err)
			}
		}
		n++
	}
	salary := found.Groups[0]
	if n < 50 || salary.ID != "INC-001" || salary.Analysis.Amount.Total != sum || salary.Analysis.Frequency.Kind != "bi-weekly" {
		t.Errorf("%d transactions; income %s of %s, %s", n, salary.Analysis.Amount.Total, sum, salary.Analysis.Frequency.Kind)
	}
	debits, err := svc.ListTransactions(ctx, r.ID, reporting.ListTransactionsParams{Filter: reporting.TransactionFilter{}.Direction(reporting.DirectionDebit)})
	if err != nil || len(debits.Data) == 0 || len(debits.Data) >= n {
		t.Errorf("%d of %d are debits, %v", len(debits.Data), n, err)
	}

	some := make(t, list("includeGroups", "INC-001"), list("includeMetrics"))
	if found, _ := some.Data.Affordability(); len(found.Groups) != 1 || len(found.Metrics) != 8 {
		t.Errorf("%d groups, %d metrics", len(found.Groups), len(found.Metrics))
	}
	none := make(t, reporting.Filter{Name: "includeGroups", Value: reporting.FilterValueOf("null")})
	if found, _ := none.Data.Affordability(); len(found.Groups) != 0 {
		t.Errorf("%d groups, want none", len(found.Groups))
	}

	ref, err := svc.Create(ctx, reporting.CreateReportParams{ReportType: "STATEMENT_01", Title: "Statement", Filters: []reporting.Filter{
		text("fromDate", "2030-11-01"), text("account", account), text("user", user),
	}})
	if err != nil {
		t.Fatal(err)
	}
	srv.FinishJobs()
	statement, err := svc.Get(ctx, ref.ID)
	if err != nil {
		t.Fatal(err)
	}
	if found, ok := statement.Data.Statement(); !ok || len(found.Accounts) != 1 || found.Identity.FullName != "Ash Mann" {
		t.Errorf("%t: %+v", ok, found)
	}
	var b bytes.Buffer
	if err := isPDF(&b, svc.GetPDF(ctx, ref.ID, &b)); err != nil {
		t.Error(err)
	}
	srv.Advance(14 * 24 * time.Hour)
	if _, err := svc.Get(ctx, ref.ID); !errors.Is(err, transport.ErrNotFound) {
		t.Errorf("after two weeks: %v", err)
	}
	if left, err := svc.List(ctx); err != nil || len(left.Data) != 0 {
		t.Errorf("%+v, %v", left, err)
	}
}

// TestReportsRefused: what is wrong with a request for a report is told with
// the documented statuses and codes.
func TestReportsRefused(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithTransactions(10))
	client, _ := checked(t, srv)
	user, _ := connected(t, srv, basiqtest.Whistler)
	other, _ := connected(t, srv, basiqtest.Whistler)
	accounts, err := client.Data.Accounts.List(t.Context(), user, data.ListAccountsParams{})
	if err != nil {
		t.Fatal(err)
	}
	account := accounts.Data[0].ID
	upload, err := client.Data.Statements.Upload(t.Context(), user, data.UploadStatementParams{
		InstitutionID: basiqtest.ExampleBank, Statement: transport.File{Name: "a.csv", Content: strings.NewReader("date,description,amount\n2020-01-01,A,1\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	watch(t, client, upload.ID)
	accounts, err = client.Data.Accounts.List(t.Context(), user, data.ListAccountsParams{})
	if err != nil {
		t.Fatal(err)
	}
	fromCSV := accounts.Data[len(accounts.Data)-1].ID
	var six []string
	for range 6 {
		six = append(six, newUser(t, srv))
	}
	from, to := text("fromDate", "2020-01-01"), text("toDate", "2020-12-31")
	for _, c := range []struct {
		name, kind, title, want string
		filters                 []reporting.Filter
	}{
		{"no such type", "OTHER", "A", "400 parameter-not-valid", []reporting.Filter{from}},
		{"long title", "CON_AFFOR_01", strings.Repeat("x", 51), "400 parameter-not-valid", []reporting.Filter{from, to, list("accounts", account), list("users", user)}},
		{"no dates", "CON_AFFOR_01", "A", "400 parameter-not-supplied", []reporting.Filter{list("accounts", account), list("users", user)}},
		{"wrong date", "CON_AFFOR_01", "A", "400 parameter-not-valid", []reporting.Filter{text("fromDate", "1/1/2020"), to, list("accounts", account), list("users", user)}},
		{"wrong order", "CON_AFFOR_01", "A", "400 parameter-not-valid", []reporting.Filter{text("fromDate", "2021-01-01"), to, list("accounts", account), list("users", user)}},
		{"six users", "CON_AFFOR_01", "A", "400 forbidden-access", []reporting.Filter{from, to, list("accounts", account), list("users", six...)}},
		{"an account twice", "CON_AFFOR_01", "A", "400 forbidden-access", []reporting.Filter{from, to, list("accounts", account, account), list("users", user)}},
		{"a filter twice", "CON_AFFOR_01", "A", "400 forbidden-access", []reporting.Filter{from, from, to, list("accounts", account), list("users", user)}},
		{"from a table", "CON_AFFOR_01", "A", "400 forbidden-access", []reporting.Filter{from, to, list("accounts", fromCSV), list("users", user)}},
		{"no such user", "CON_AFFOR_01", "A", "404 resource-not-found", []reporting.Filter{from, to, list("accounts", account), list("users", "nobody")}},
		{"not theirs", "CON_AFFOR_01", "A", "404 resource-not-found", []reporting.Filter{from, to, list("accounts", account), list("users", other)}},
		{"no account", "STATEMENT_01", "A", "400 parameter-not-supplied", []reporting.Filter{from, text("user", user)}},
	} {
		params := reporting.CreateReportParams{ReportType: c.kind, Title: "A", Filters: c.filters}
		if err := params.JSON.Set("title", json.RawMessage(strconv.Quote(c.title))); err != nil { // as the client refuses long ones itself
			t.Fatal(err)
		}
		if _, err := client.Reporting.Reports.Create(t.Context(), params); codeOf(err) != c.want {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	srv.FailNextJob("create-report", "system-unavailable")
	ref, err := client.Reporting.Reports.Create(t.Context(), reporting.CreateReportParams{
		ReportType: "STATEMENT_01", Title: "A", Filters: []reporting.Filter{from, text("account", account), text("user", user)},
	})
	if err != nil {
		t.Fatal(err)
	}
	steps, job := watch(t, client, ref.ID)
	if f, _ := job.Steps[0].Result.Failure(); steps != "create-report:failed" || f == nil || f.Code != core.StepCodeSystemUnavailable || job.Status != "failed" || job.Links != nil {
		t.Errorf("%s: %+v", steps, job)
	}
}

// TestReportQuota: no more reports in a day than users were made, when asked to be strict.
func TestReportQuota(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithNow(noon), basiqtest.WithTransactions(5), basiqtest.WithStrictQuotas())
	client, _ := checked(t, srv)
	user, _ := connected(t, srv, basiqtest.Whistler)
	accounts, err := client.Data.Accounts.List(t.Context(), user, data.ListAccountsParams{})
	if err != nil {
		t.Fatal(err)
	}
	ask := func() error {
		_, err := client.Reporting.Reports.Create(t.Context(), reporting.CreateReportParams{
			ReportType: "STATEMENT_01", Title: "A", Filters: []reporting.Filter{text("fromDate", "2020-01-01"), text("account", accounts.Data[0].ID), text("user", user)},
		}, transport.WithoutRetry())
		return err
	}
	if err := ask(); err != nil {
		t.Error(err)
	}
	if err := ask(); !errors.Is(err, transport.ErrRateLimited) {
		t.Errorf("the second report of a day with one user: %v", err)
	}
}

// TestSummaries: the older summaries add up, and are refused as documented.
func TestSummaries(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithNow(noon), basiqtest.WithTransactions(300))
	client, _ := checked(t, srv)
	ctx, svc := t.Context(), client.Affordability
	user, _ := connected(t, srv, basiqtest.LaurieBream)
	accounts, err := client.Data.Accounts.List(ctx, user, data.ListAccountsParams{})
	if err != nil {
		t.Fatal(err)
	}
	first := affordability.CreateParams{Accounts: []string{accounts.Data[0].ID}, FromMonth: "2030-06", ToMonth: "2031-05"}
	income, err := svc.Income.Create(ctx, user, first)
	if err != nil || len(income.Regular) != 1 || income.Regular[0].Source != "INVOICE PAYMENT CUSTOMER" {
		t.Errorf("%+v, %v", income, err)
	}
	expenses, err := svc.Expenses.Create(ctx, user, first)
	if err != nil || len(expenses.Payments) < 3 {
		t.Errorf("%+v, %v", expenses, err)
	}
	for _, c := range []struct {
		name   string
		params affordability.CreateParams
		want   string
	}{
		{"two currencies", affordability.CreateParams{}, "400 parameter-not-valid"},
		{"order", affordability.CreateParams{FromMonth: "2031-05", ToMonth: "2031-04"}, "400 parameter-not-valid"},
		{"form", affordability.CreateParams{FromMonth: "May"}, "400 parameter-not-valid"},
		{"not theirs", affordability.CreateParams{Accounts: []string{"nothing"}}, "404 resource-not-found"},
	} {
		if _, err := svc.Affordability.Create(ctx, user, c.params); codeOf(err) != c.want {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := svc.Affordability.Create(ctx, newUser(t, srv), affordability.CreateParams{}); !errors.Is(err, transport.ErrNoContent) {
		t.Errorf("without transactions: %v", err)
	}
}

// TestReportJSON: the report that is made without a server has as much to tell.
func TestReportJSON(t *testing.T) {
	b := basiqtest.ReportJSON(3, 500)
	if !bytes.Equal(b, basiqtest.ReportJSON(3, 500)) {
		t.Error("the seed does not decide the report")
	}
	var r reporting.Report
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	found, ok := r.Data.Affordability()
	if !ok || len(found.Groups) < 5 || len(found.Metrics) != 8 {
		t.Error(fmt.Sprint(ok, found))
	}
	var connectors data.ConnectorList
	if err := json.Unmarshal(basiqtest.ConnectorsPage(1000), &connectors); err != nil || len(connectors.Data) != 1000 {
		t.Errorf("%d connectors, %v", len(connectors.Data), err)
	}
}
