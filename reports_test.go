package basiq_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/affordability"
	"github.com/basiq-sdk/basiq-go/generated/reporting"
	"github.com/basiq-sdk/basiq-go/transport"
)

// TestReportRequests checks the body of each request, and that invalid requests
// are not sent.
func TestReportRequests(t *testing.T) {
	afford := basiq.AffordabilityReport{Title: "Loan 42", From: "2031-01-01", To: "2031-06-30", Users: []string{"u-1"}, Accounts: []string{"a-1", "a-2"}}
	with := func(change func(*basiq.AffordabilityReport)) basiq.AffordabilityReport {
		r := afford
		change(&r)
		return r
	}
	const base = `{"reportType":"CON_AFFOR_01","title":"Loan 42","filters":[{"name":"fromDate","value":"2031-01-01"},{"name":"toDate","value":"2031-06-30"},{"name":"accounts","value":["a-1","a-2"]},{"name":"users","value":["u-1"]}`
	for _, c := range []struct {
		name string
		r    basiq.ReportRequest
		want string
	}{
		{"default metrics and groups", afford, base + `]}`},
		{"all", with(func(r *basiq.AffordabilityReport) {
			r.IncludeMetrics, r.IncludeGroups = basiq.SelectAll(), basiq.SelectAll()
		}), base + `,{"name":"includeMetrics","value":[]},{"name":"includeGroups","value":[]}]}`},
		{"none", with(func(r *basiq.AffordabilityReport) { r.IncludeMetrics = basiq.SelectNone() }), base + `,{"name":"includeMetrics","value":null}]}`},
		{"some", with(func(r *basiq.AffordabilityReport) { r.IncludeGroups = basiq.Select("INC-1") }), base + `,{"name":"includeGroups","value":["INC-1"]}]}`},
		{"an empty selection", with(func(r *basiq.AffordabilityReport) { r.IncludeGroups = basiq.Select() }), base + `,{"name":"includeGroups","value":null}]}`},
		{"extra filters", with(func(r *basiq.AffordabilityReport) {
			r.Extra = []reporting.Filter{basiq.TextFilter("reportSubType", "x"), basiq.ListFilter("l"), basiq.NullFilter("n")}
		}), base + `,{"name":"reportSubType","value":"x"},{"name":"l","value":[]},{"name":"n","value":null}]}`},
		{"days in other formats", with(func(r *basiq.AffordabilityReport) { r.From, r.To = "01/01/2031", "2031-06-30T10:00:00Z" }), base + `]}`},
		{"a statement", basiq.StatementReport{Title: "S", From: "2031-01-01", User: "u-1", Account: "a-1"},
			`{"reportType":"STATEMENT_01","title":"S","filters":[{"name":"fromDate","value":"2031-01-01"},{"name":"account","value":"a-1"},{"name":"user","value":"u-1"}]}`},
		{"a statement with a last day", basiq.StatementReport{Title: "S", From: "2031-01-01", To: "2031-01-01", User: "u-1", Account: "a-1"},
			`{"reportType":"STATEMENT_01","title":"S","filters":[{"name":"fromDate","value":"2031-01-01"},{"name":"toDate","value":"2031-01-01"},{"name":"account","value":"a-1"},{"name":"user","value":"u-1"}]}`},
		{"another type", basiq.CustomReport{Type: "NEW_01", Title: "N", Filters: []reporting.Filter{basiq.TextFilter("a", "b")}},
			`{"reportType":"NEW_01","title":"N","filters":[{"name":"a","value":"b"}]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newFakeAPI(t)
			b.on("POST /reports", reference)
			if _, err := b.onLoopback().StartReport(t.Context(), c.r); err != nil {
				t.Fatal(err)
			}
			if got := b.calls("POST /reports")[0].body; got != c.want {
				t.Errorf("got %s\nwant %s", got, c.want)
			}
		})
	}
	for _, c := range []struct {
		r    basiq.ReportRequest
		want string
	}{
		{nil, "the ReportRequest is nil"},
		{with(func(r *basiq.AffordabilityReport) { r.Title = "" }), "Title is empty"},
		{with(func(r *basiq.AffordabilityReport) { r.Title = strings.Repeat("é", 51) }), "51 characters"},
		{with(func(r *basiq.AffordabilityReport) { r.From = "" }), "From is \"\""},
		{with(func(r *basiq.AffordabilityReport) { r.To = "soon" }), "To is \"soon\""},
		{with(func(r *basiq.AffordabilityReport) { r.From, r.To = r.To, r.From }), "is after To"},
		{with(func(r *basiq.AffordabilityReport) { r.Users = nil }), "report Users is empty: at least one ID is required"},
		{with(func(r *basiq.AffordabilityReport) { r.Accounts = nil }), "report Accounts is empty: at least one ID is required"},
		{with(func(r *basiq.AffordabilityReport) { r.Users = strings.Split("abcdef", "") }), "report Users has 6 values; the API allows at most 5"},
		{with(func(r *basiq.AffordabilityReport) { r.Accounts = []string{"a", "b", "a"} }), "report Accounts contains a duplicate ID"},
		{with(func(r *basiq.AffordabilityReport) { r.Accounts = []string{"a", ""} }), "report Accounts contains an empty ID"},
		{with(func(r *basiq.AffordabilityReport) { r.IncludeMetrics = basiq.Select("m", "m") }), "report IncludeMetrics contains a duplicate ID"},
		{with(func(r *basiq.AffordabilityReport) { r.Extra = []reporting.Filter{basiq.TextFilter("users", "u")} }), "filter users twice"},
		{with(func(r *basiq.AffordabilityReport) { r.Extra = []reporting.Filter{{}} }), "without a Name"},
		{basiq.StatementReport{Title: "S", From: "2031-01-01", Account: "a-1"}, "report User is empty"},
		{basiq.StatementReport{Title: "S", From: "2031-01-01", User: "u-1"}, "report Account is empty"},
		{basiq.CustomReport{Title: "N"}, "Type is empty"},
	} {
		b := newFakeAPI(t)
		_, err := b.onLoopback().StartReport(t.Context(), c.r)
		if err == nil || len(b.requests) > 0 {
			t.Errorf("%+v is accepted", c.r)
			continue
		}
		wantText(t, err.Error(), "basiq: ", c.want)
	}
}

const report = `{"type":"report","id":"r-1","reportType":"CON_AFFOR_01","title":"Loan 42","createdDate":"2031-07-01T06:56:44","data":{
	"metrics":[{"id":"ME001","title":"Income","result":{"format":"money","value":1900.5}}],"groups":[],"accounts":[{"id":"a-1"}],"transactions":"/reports/r-1/transactions"}}`

var loan = basiq.AffordabilityReport{Title: "Loan 42", From: "2031-01-01", To: "2031-06-30", Users: []string{"u-1"}, Accounts: []string{"a-1"}}

// TestCreateReport checks that a report is requested, waited for and fetched.
func TestCreateReport(t *testing.T) {
	b := newFakeAPI(t)
	b.on("POST /reports", reference)
	b.job("j-1", `{"id":"j-1","jobType":"report","status":"in-progress","steps":[{"title":"create-report","status":"in-progress","result":null}],"links":null}`,
		`{"id":"j-1","jobType":"report","status":"success","steps":[{"title":"create-report","status":"success","result":{"type":"link","url":"/reports/r-1"}}],"links":{"self":"/jobs/j-1"}}`)
	b.mux.HandleFunc("GET /reports/r-1", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept") == "application/pdf" {
			w.Header().Set("Content-Type", "application/pdf")
			respond(w, "%PDF-1.7 page")
			return
		}
		respond(w, report)
	})
	client := b.onLoopback()
	got, err := client.CreateReport(t.Context(), loan, basiq.WaitOptions{Interval: time.Millisecond})
	if err != nil || got.ID != "r-1" {
		t.Fatalf("%+v, %v", got, err)
	}
	findings, ok := got.Data.Affordability()
	if !ok || findings.Metrics[0].ID != "ME001" || findings.Metrics[0].Result.Value != "1900.5" {
		t.Errorf("%+v", findings)
	}
	var pdf bytes.Buffer
	if err := client.Reporting.Reports.GetPDF(t.Context(), got.ID, &pdf); err != nil || pdf.String() != "%PDF-1.7 page" {
		t.Errorf("%q, %v", pdf.String(), err)
	}
	if n := len(b.calls("POST /reports")); n != 1 {
		t.Errorf("%d reports were requested", n)
	}
}

// TestCreateReportFailures checks the error of each step.
func TestCreateReportFailures(t *testing.T) {
	const made = `{"id":"j-1","jobType":"report","status":"success","steps":[{"title":"create-report","status":"success","result":{"type":"link","url":"/reports/r-1"}}]}`
	b := newFakeAPI(t)
	b.on("POST /reports", "400 forbidden-access")
	if _, err := b.onLoopback().CreateReport(t.Context(), loan, basiq.WaitOptions{}); !errors.Is(err, transport.ErrInvalidParameter) {
		t.Error(err)
	}

	b = newFakeAPI(t)
	b.on("POST /reports", "503")
	if _, err := b.onLoopback().CreateReport(t.Context(), loan, basiq.WaitOptions{}); !errors.Is(err, transport.ErrOutcomeUnknown) || len(b.requests) != 1 {
		t.Errorf("%v after %d calls: a report is billed", err, len(b.requests))
	}

	b = newFakeAPI(t)
	b.on("POST /reports", reference)
	b.job("j-1", `{"id":"j-1","jobType":"report","status":"failed","links":null,"steps":[{"title":"create-report","status":"failed","result":null}]}`)
	var failed *basiq.JobError
	if _, err := b.onLoopback().CreateReport(t.Context(), loan, basiq.WaitOptions{}); !errors.As(err, &failed) || failed.Kind != "report" {
		t.Error(err)
	}

	b = newFakeAPI(t)
	b.on("POST /reports", reference)
	b.job("j-1", made)
	b.on("GET /reports/r-1", "403 forbidden-access")
	var unfetched *basiq.ReportError
	_, err := b.onLoopback().CreateReport(t.Context(), loan, basiq.WaitOptions{})
	if !errors.As(err, &unfetched) || unfetched.ReportID != "r-1" || unfetched.JobID != "j-1" || !errors.Is(err, transport.ErrForbidden) {
		t.Error(err)
	}
	wantText(t, err.Error(), "report r-1 was created but could not be fetched")
}

// TestNoTransactions checks that a summary without transactions (204) is
// ErrNoContent.
func TestNoTransactions(t *testing.T) {
	b := newFakeAPI(t)
	b.on("POST /users/u-1/income", "204")
	b.on("POST /users/u-1/expenses", "204")
	b.on("POST /users/u-1/affordability", "204")
	client, params := b.onLoopback(), affordability.CreateParams{Accounts: []string{"a-1"}, FromMonth: "2031-01", ToMonth: "2031-03"}
	//lint:ignore SA1019 deprecated methods must keep working
	_, income := client.Affordability.Income.Create(t.Context(), "u-1", params)
	//lint:ignore SA1019 deprecated methods must keep working
	_, expenses := client.Affordability.Expenses.Create(t.Context(), "u-1", params)
	//lint:ignore SA1019 deprecated methods must keep working
	_, all := client.Affordability.Affordability.Create(t.Context(), "u-1", params)
	for _, err := range []error{income, expenses, all} {
		if !errors.Is(err, transport.ErrNoContent) {
			t.Error(err)
		}
	}
	if len(b.requests) != 3 {
		t.Errorf("%d calls", len(b.requests))
	}
}

// TestFindingsDependOnReportType checks that the report type determines the
// type of the findings, because a report of another type may have members of
// the same names.
func TestFindingsDependOnReportType(t *testing.T) {
	for _, c := range []struct {
		report                   string
		affordability, statement bool
	}{
		{`{"reportType":"CON_AFFOR_01","data":{"accounts":[]}}`, true, false},
		{`{"data":{"accounts":[]},"reportType":"CON_AFFOR_01"}`, true, false},
		{`{"reportType":"BUS_AFFOR_01","data":{"accounts":[]}}`, true, false},
		{`{"reportType":"STATEMENT_01","data":{"account":{}}}`, false, true},
		{`{"reportType":"STATEMENT_01","data":{"account":{},"accounts":[]}}`, false, true},
		{`{"reportType":"OTHER_01","data":{"accounts":[],"account":{}}}`, false, false},
		{`{"data":{"accounts":[]}}`, true, false},
		{`{"data":{"account":{}}}`, false, true},
		{`{"reportType":"CON_AFFOR_01"}`, false, false},
		{`{"reportType":"CON_AFFOR_01","data":null}`, false, false},
	} {
		var r reporting.Report
		if err := json.Unmarshal([]byte(c.report), &r); err != nil {
			t.Fatal(err)
		}
		_, affordability := r.Data.Affordability()
		_, statement := r.Data.Statement()
		if affordability != c.affordability || statement != c.statement {
			t.Errorf("%s: affordability %t, statement %t", c.report, affordability, statement)
		}
		if again, err := json.Marshal(&r); err != nil || len(again) != len(c.report) {
			t.Errorf("%s is encoded as %s (%v)", c.report, again, err)
		}
	}
	constructed := reporting.NewFindingsStatement(reporting.StatementFindings{})
	_, affordability := constructed.Affordability()
	if _, statement := constructed.Statement(); !statement || affordability {
		t.Errorf("constructed findings of a statement: affordability %t, statement %t", affordability, statement)
	}
}

// TestReportTypesHaveFindings checks that every report type with a constant has
// exactly one accessor for its findings, and is known to the fake server.
func TestReportTypesHaveFindings(t *testing.T) {
	source, err := parser.ParseFile(token.NewFileSet(), "reports.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	ast.Inspect(source, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(spec.Names[0].Name, "ReportType") {
			ids = append(ids, strings.Trim(spec.Values[0].(*ast.BasicLit).Value, `"`))
		}
		return true
	})
	if len(ids) < 2 {
		t.Fatalf("reports.go has only the types %v", ids)
	}
	types, err := basiqtest.NewServer(t).Client(t).Reporting.Reports.ListTypes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		if !slices.ContainsFunc(types.Data, func(r reporting.ReportType) bool { return r.ID == id }) {
			t.Errorf("basiqtest does not list %s: add it to basiqtest/reports.go", id)
		}
		var r reporting.Report
		if err := json.Unmarshal([]byte(`{"reportType":"`+id+`","data":{}}`), &r); err != nil {
			t.Fatal(err)
		}
		var found []string
		for v, i := reflect.ValueOf(r.Data), 0; i < v.NumMethod(); i++ {
			if m := v.Method(i); m.Type().NumIn() == 0 && m.Type().NumOut() == 2 && m.Type().Out(1).Kind() == reflect.Bool && m.Call(nil)[1].Bool() {
				found = append(found, v.Type().Method(i).Name)
			}
		}
		if len(found) != 1 {
			t.Errorf("the findings of %s have the accessors %v, want one: add a variant in overlays/reporting/20-repairs.yaml", id, found)
		}
	}
}
