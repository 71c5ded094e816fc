package basiq

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/basiq-sdk/basiq-go/generated/reporting"
	"github.com/basiq-sdk/basiq-go/internal/safetext"
	"github.com/basiq-sdk/basiq-go/transport"
	"github.com/basiq-sdk/basiq-go/transport/value"
)

// Report types that Basiq documents. [reporting.ReportsService.ListTypes]
// returns all that are available.
//
// [ReportTypeBusinessAffordability] must be enabled by Basiq. Its filters are not
// documented: [reporting.ReportsService.GetType] returns them, and [CustomReport] takes them. Its
// result has the structure of an [AffordabilityReport]'s.
const (
	ReportTypeAffordability         = "CON_AFFOR_01"
	ReportTypeBusinessAffordability = "BUS_AFFOR_01"
	ReportTypeStatement             = "STATEMENT_01"
)

// ReportRequest is a request for a report: an [AffordabilityReport], a
// [StatementReport], a [CustomReport], or a type of your own.
type ReportRequest interface {
	// Params returns the parameters of the API call, or an error if the request
	// is invalid.
	Params() (reporting.CreateReportParams, error)
}

// AffordabilityReport requests a report about the income, expenses and debts of
// users (type CON_AFFOR_01). Read the result with findings, ok :=
// report.Data.Affordability().
type AffordabilityReport struct {
	Title          string     // at most 50 characters
	From, To       value.Date // first and last day of the report
	Users          []string   // IDs of one to five users
	Accounts       []string   // IDs of the users' accounts to include
	IncludeMetrics Selection  // metrics to include; the default is all
	IncludeGroups  Selection  // groups of transactions to include; the default is all
	Extra          []reporting.Filter
}

// Params implements [ReportRequest].
func (r AffordabilityReport) Params() (reporting.CreateReportParams, error) {
	b := newReport(ReportTypeAffordability, r.Title)
	b.days(r.From, r.To, true)
	b.list("Accounts", "accounts", r.Accounts, 0)
	b.list("Users", "users", r.Users, maxReportUsers)
	b.selection("IncludeMetrics", "includeMetrics", r.IncludeMetrics)
	b.selection("IncludeGroups", "includeGroups", r.IncludeGroups)
	return b.params(r.Extra)
}

// StatementReport requests an account's statement as a report (type
// STATEMENT_01). Read the result with findings, ok := report.Data.Statement().
type StatementReport struct {
	Title   string     // at most 50 characters
	From    value.Date // first day of the report
	To      value.Date // last day of the report; if empty, the API chooses it
	User    string     // the user's ID
	Account string     // the account's ID
	Extra   []reporting.Filter
}

// Params implements [ReportRequest].
func (r StatementReport) Params() (reporting.CreateReportParams, error) {
	b := newReport(ReportTypeStatement, r.Title)
	b.days(r.From, r.To, false)
	b.text("Account", "account", r.Account)
	b.text("User", "user", r.User)
	return b.params(r.Extra)
}

// CustomReport requests a report of any type, with any filters. To send a member
// of the request that this version does not know, such as reportSubType, call
// [reporting.ReportsService.Create] with params.JSON.Set.
type CustomReport struct {
	Type    string // as returned by Reports.ListTypes in package reporting
	Title   string // at most 50 characters
	Filters []reporting.Filter
}

// Params implements [ReportRequest].
func (r CustomReport) Params() (reporting.CreateReportParams, error) {
	b := newReport(r.Type, r.Title)
	if r.Type == "" {
		b.fail("report Type is empty: Reports.ListTypes returns the available types")
	}
	return b.params(r.Filters)
}

// Selection selects the metrics or groups that a report includes. The zero
// value means the API's default, which is all of them.
type Selection struct {
	kind selectionKind
	ids  []string
}

type selectionKind uint8

const (
	selectDefault selectionKind = iota
	selectAll
	selectNone
	selectSome
)

// SelectAll explicitly selects all.
func SelectAll() Selection { return Selection{kind: selectAll} }

// SelectNone selects none.
func SelectNone() Selection { return Selection{kind: selectNone} }

// Select selects those with the given IDs, such as "ME001". Without IDs, it
// selects none.
func Select(ids ...string) Selection {
	if len(ids) == 0 {
		return SelectNone()
	}
	return Selection{kind: selectSome, ids: slices.Clone(ids)}
}

// TextFilter returns a report filter with a string value, for [CustomReport] and
// the Extra fields.
func TextFilter(name, v string) reporting.Filter {
	return reporting.Filter{Name: name, Value: reporting.NewFilterValueText(v)}
}

// ListFilter returns a report filter with a list value. An empty list is sent
// as an empty list.
func ListFilter(name string, values ...string) reporting.Filter {
	return reporting.Filter{Name: name, Value: reporting.NewFilterValueList(values)}
}

// NullFilter returns a report filter with the value null.
func NullFilter(name string) reporting.Filter {
	f := reporting.Filter{Name: name}
	f.JSON.SetNull("value")
	return f
}

const (
	maxReportUsers = 5
	maxReportTitle = 50
)

// reportBuilder collects the filters of a report, and remembers the first
// error.
type reportBuilder struct {
	out reporting.CreateReportParams
	err error
}

func newReport(kind, title string) *reportBuilder {
	b := &reportBuilder{out: reporting.CreateReportParams{ReportType: kind, Title: title}}
	switch n := utf8.RuneCountInString(title); {
	case n == 0:
		b.fail("report Title is empty")
	case n > maxReportTitle:
		b.fail(fmt.Sprintf("report Title has %d characters; the API allows at most %d", n, maxReportTitle))
	}
	return b
}

//go:noinline
func (b *reportBuilder) fail(why string) {
	if b.err == nil {
		b.err = errors.New("basiq: " + why)
	}
}

func (b *reportBuilder) add(f reporting.Filter) { b.out.Filters = append(b.out.Filters, f) }

// text adds the filter of a required field.
func (b *reportBuilder) text(field, name, v string) {
	if v == "" {
		b.fail("report " + field + " is empty: an ID is required")
	}
	b.add(TextFilter(name, v))
}

func (b *reportBuilder) days(from, to value.Date, both bool) {
	var days []value.Date
	for _, d := range []struct {
		field    string
		name     string
		day      value.Date
		required bool
	}{{"From", "fromDate", from, true}, {"To", "toDate", to, both}} {
		if d.day == "" && !d.required {
			continue
		}
		at, err := d.day.Time()
		if err != nil {
			b.fail(fmt.Sprintf("report %s is %q, want a date such as 2031-05-06", d.field, safetext.Identifier(string(d.day))))
			continue
		}
		day := value.DateOf(at) // normalizes the format
		days = append(days, day)
		b.add(TextFilter(d.name, string(day)))
	}
	if len(days) == 2 && days[0] > days[1] {
		b.fail(fmt.Sprintf("report From (%s) is after To (%s)", days[0], days[1]))
	}
}

// list adds the list filter of a field. It checks that the list is not empty, contains no
// empty or duplicate values, and has no more than most values; 0 means no
// limit. The API rejects such lists as well, but its error code does not say
// why.
func (b *reportBuilder) list(field, name string, values []string, most int) {
	known := make(map[string]bool, len(values))
	for _, v := range values {
		known[v] = true
	}
	switch {
	case len(values) == 0:
		b.fail("report " + field + " is empty: at least one ID is required")
	case known[""]:
		b.fail("report " + field + " contains an empty ID")
	case len(known) < len(values):
		b.fail("report " + field + " contains a duplicate ID")
	case most > 0 && len(values) > most:
		b.fail(fmt.Sprintf("report %s has %d values; the API allows at most %d", field, len(values), most))
	}
	b.add(ListFilter(name, values...))
}

func (b *reportBuilder) selection(field, name string, s Selection) {
	switch s.kind {
	case selectAll:
		b.add(ListFilter(name))
	case selectNone:
		b.add(NullFilter(name))
	case selectSome:
		b.list(field, name, s.ids, 0)
	}
}

func (b *reportBuilder) params(extra []reporting.Filter) (reporting.CreateReportParams, error) {
	for _, f := range extra {
		if f.Name == "" {
			b.fail("report contains a filter without a Name")
		}
		if slices.ContainsFunc(b.out.Filters, func(g reporting.Filter) bool { return g.Name == f.Name }) {
			b.fail("report contains the filter " + safetext.Identifier(f.Name) + " twice")
		}
		b.add(f)
	}
	if b.err != nil {
		return reporting.CreateReportParams{}, b.err
	}
	return b.out, nil
}

// StartReport requests a report and returns the job that creates it, without
// waiting. When the job is done, pass [JobResult.ReportID] to
// [reporting.ReportsService.Get] or [reporting.ReportsService.GetPDF]. Every call creates a new report, and
// every report is billed.
//
// POST /reports: SERVER_ACCESS token, retried only if the request was never
// sent (class D).
func (c *Client) StartReport(ctx context.Context, r ReportRequest, opts ...transport.Option) (*Job, error) {
	if err := c.checkReady(ctx, "StartReport"); err != nil {
		return nil, err
	}
	if r == nil {
		return nil, errors.New("basiq: StartReport: the ReportRequest is nil")
	}
	params, err := r.Params()
	if err != nil {
		return nil, err
	}
	ref, err := c.Reporting.Reports.Create(ctx, params, opts...)
	if err != nil {
		return nil, err
	}
	return c.startedJob(ref.ID, "", nil)
}

// CreateReport requests a report, waits until it has been created, and fetches
// it. See [Client.StartReport], [Job.Wait], and [reporting.ReportsService.Get].
//
// If the report was created but cannot be fetched, the error is a [*ReportError]
// with the report's ID. Fetch it later instead of requesting, and paying for,
// another one.
//
// POST /reports, retried only if the request was never sent (class D), then GET
// /jobs/{jobId} and GET /reports/{id}: SERVER_ACCESS token.
func (c *Client) CreateReport(ctx context.Context, r ReportRequest, o WaitOptions, opts ...transport.Option) (*reporting.Report, error) {
	return runWorkflow(ctx, c, "CreateReport", func(ctx context.Context) (*reporting.Report, error) {
		job, err := c.StartReport(ctx, r, opts...)
		if err != nil {
			return nil, err
		}
		result, err := job.Wait(ctx, o, opts...)
		if err != nil {
			return nil, err
		}
		report, err := c.Reporting.Reports.Get(ctx, result.ReportID(), opts...)
		if err != nil {
			return nil, &ReportError{ReportID: result.ReportID(), JobID: job.ID(), Err: err}
		}
		return report, nil
	})
}

// ReportError is the error for a report that was created but could not be
// fetched. Err is the cause. Fetch the report with Reports.Get in package
// reporting.
type ReportError struct {
	ReportID string
	JobID    string
	Err      error
}

// Error returns the report ID and the cause.
func (e *ReportError) Error() string {
	if e == nil {
		return "<nil>"
	}
	return fmt.Sprintf("basiq: report %s was created but could not be fetched: %s", safetext.Identifier(e.ReportID), causeText(e.Err))
}

// Unwrap returns Err.
func (e *ReportError) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Err
}
