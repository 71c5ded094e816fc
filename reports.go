package basiq

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"unicode/utf8"

	"github.com/basiq-sdk/basiq-go/generated/reporting"
	"github.com/basiq-sdk/basiq-go/transport"
	"github.com/basiq-sdk/basiq-go/transport/value"
)

// Types of reports that Basiq documents. Reports.ListTypes of the reporting
// package names all that there are.
const (
	ReportTypeAffordability = "CON_AFFOR_01"
	ReportTypeStatement     = "STATEMENT_01"
)

// ReportRequest says which report to make: an AffordabilityReport, a
// StatementReport, a CustomReport, or a type of the caller's own.
type ReportRequest interface {
	// Params returns the parameters of the call, or what is wrong with the
	// request.
	Params() (reporting.CreateReportParams, error)
}

// AffordabilityReport asks for a report about what users earn, spend and owe:
// type CON_AFFOR_01. What it has found is findings, ok := report.Data.Affordability().
type AffordabilityReport struct {
	Title          string     // at most 50 characters
	From, To       value.Date // the days that are covered, both included
	Users          []string   // IDs of one to five users
	Accounts       []string   // IDs of the users' accounts to look at
	IncludeMetrics Selection  // figures to report; all, if nothing is said
	IncludeGroups  Selection  // groups of transactions to report; all, if nothing is said
	Extra          []reporting.Filter
}

// Params implements ReportRequest.
func (r AffordabilityReport) Params() (reporting.CreateReportParams, error) {
	b := newReport(ReportTypeAffordability, r.Title)
	b.days(r.From, r.To, true)
	b.list("accounts", r.Accounts, 0)
	b.list("users", r.Users, maxReportUsers)
	b.selection("includeMetrics", r.IncludeMetrics)
	b.selection("includeGroups", r.IncludeGroups)
	return b.params(r.Extra)
}

// StatementReport asks for an account's statement as a report: type
// STATEMENT_01. What it has found is findings, ok := report.Data.Statement().
type StatementReport struct {
	Title   string     // at most 50 characters
	From    value.Date // the first day that is covered
	To      value.Date // the last day; empty leaves it to the API
	User    string     // ID of the user
	Account string     // ID of the account
	Extra   []reporting.Filter
}

// Params implements ReportRequest.
func (r StatementReport) Params() (reporting.CreateReportParams, error) {
	b := newReport(ReportTypeStatement, r.Title)
	b.days(r.From, r.To, false)
	b.text("account", r.Account)
	b.text("user", r.User)
	return b.params(r.Extra)
}

// CustomReport asks for a report of any type, with any filters.
type CustomReport struct {
	Type    string // as Reports.ListTypes of the reporting package names it
	Title   string // at most 50 characters
	Filters []reporting.Filter
}

// Params implements ReportRequest.
func (r CustomReport) Params() (reporting.CreateReportParams, error) {
	b := newReport(r.Type, r.Title)
	if r.Type == "" {
		b.refuse("the report's type is empty: Reports.ListTypes names all that there are")
	}
	return b.params(r.Filters)
}

// Selection is which figures or groups a report holds. The zero value says
// nothing, which means all of them.
type Selection struct {
	kind selectionKind
	ids  []string
}

type selectionKind uint8

const (
	selectUnsaid selectionKind = iota
	selectAll
	selectNone
	selectSome
)

// SelectAll selects all, in so many words.
func SelectAll() Selection { return Selection{kind: selectAll} }

// SelectNone selects none.
func SelectNone() Selection { return Selection{kind: selectNone} }

// Select selects those with the given IDs, such as "ME001"; none, when none
// is given.
func Select(ids ...string) Selection {
	if len(ids) == 0 {
		return SelectNone()
	}
	return Selection{kind: selectSome, ids: slices.Clone(ids)}
}

// TextFilter returns a filter of a report whose value is a text, for
// CustomReport and the Extra of others.
func TextFilter(name, v string) reporting.Filter {
	return reporting.Filter{Name: name, Value: reporting.NewFilterValueText(v)}
}

// ListFilter returns a filter of a report whose value is a list; an empty one
// is sent as such.
func ListFilter(name string, values ...string) reporting.Filter {
	return reporting.Filter{Name: name, Value: reporting.NewFilterValueList(values)}
}

// NullFilter returns a filter of a report whose value is null.
func NullFilter(name string) reporting.Filter {
	f := reporting.Filter{Name: name}
	f.JSON.SetNull("value")
	return f
}

const (
	maxReportUsers = 5
	maxReportTitle = 50
)

// reportBuilder collects filters, and the first thing that is wrong.
type reportBuilder struct {
	out reporting.CreateReportParams
	err error
}

func newReport(kind, title string) *reportBuilder {
	b := &reportBuilder{out: reporting.CreateReportParams{ReportType: kind, Title: title}}
	switch n := utf8.RuneCountInString(title); {
	case n == 0:
		b.refuse("the report's title is empty")
	case n > maxReportTitle:
		b.refuse(fmt.Sprintf("the report's title has %d characters, more than the %d that the API allows", n, maxReportTitle))
	}
	return b
}

func (b *reportBuilder) refuse(why string) {
	if b.err == nil {
		b.err = errors.New("basiq: " + why)
	}
}

func (b *reportBuilder) add(f reporting.Filter) { b.out.Filters = append(b.out.Filters, f) }

func (b *reportBuilder) text(name, v string) {
	if v == "" {
		b.refuse("the report's " + name + " is empty")
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
			b.refuse(fmt.Sprintf("%s is %q, which is no day such as 2031-05-06", d.field, printable(string(d.day))))
			continue
		}
		day := value.DateOf(at) // whatever form it was given in
		days = append(days, day)
		b.add(TextFilter(d.name, string(day)))
	}
	if len(days) == 2 && days[0] > days[1] {
		b.refuse(fmt.Sprintf("From %s comes after To %s", days[0], days[1]))
	}
}

// list adds a list that must not be empty, have a value twice, or be longer
// than most, if that is not 0: the API refuses it, with a code that says
// nothing of the reason.
func (b *reportBuilder) list(name string, values []string, most int) {
	sorted := slices.Clone(values)
	sort.Strings(sorted)
	switch {
	case len(values) == 0:
		b.refuse("the report's " + name + " are empty")
	case sorted[0] == "":
		b.refuse("one of the report's " + name + " is empty")
	case len(slices.Compact(sorted)) < len(values):
		b.refuse("the report's " + name + " have one twice")
	case most > 0 && len(values) > most:
		b.refuse(fmt.Sprintf("the report has %d %s, more than the %d that the API allows", len(values), name, most))
	}
	b.add(ListFilter(name, values...))
}

func (b *reportBuilder) selection(name string, s Selection) {
	switch s.kind {
	case selectAll:
		b.add(ListFilter(name))
	case selectNone:
		b.add(NullFilter(name))
	case selectSome:
		b.list(name, s.ids, 0)
	}
}

func (b *reportBuilder) params(extra []reporting.Filter) (reporting.CreateReportParams, error) {
	for _, f := range extra {
		if f.Name == "" {
			b.refuse("a filter of the report has no name")
		}
		if slices.ContainsFunc(b.out.Filters, func(g reporting.Filter) bool { return g.Name == f.Name }) {
			b.refuse("the report's filter " + printable(f.Name) + " is there twice")
		}
		b.add(f)
	}
	if b.err != nil {
		return reporting.CreateReportParams{}, b.err
	}
	return b.out, nil
}

// StartReport asks for a report, and returns the job that makes it. The
// result's ReportID is what Reports.Get and Reports.GetPDF of the reporting
// package take. Each call is billed, and makes a new report.
//
// POST /reports: SERVER_ACCESS token, repeated only when it was never sent
// (class D).
func (c *Client) StartReport(ctx context.Context, r ReportRequest, opts ...transport.Option) (*Job, error) {
	if err := c.ready(ctx, "StartReport"); err != nil {
		return nil, err
	}
	if r == nil {
		return nil, errors.New("basiq: there is no request for a report")
	}
	params, err := r.Params()
	if err != nil {
		return nil, err
	}
	ref, err := c.Reporting.Reports.Create(ctx, params, opts...)
	if err != nil {
		return nil, err
	}
	return c.started(ref.ID, "", nil)
}

// CreateReport asks for a report, waits until it is made, and fetches it: see
// StartReport, Job.Wait and Reports.Get of the reporting package.
//
// Once the report is made, an error is a *ReportError, which names it: what was
// billed can still be fetched.
func (c *Client) CreateReport(ctx context.Context, r ReportRequest, opts WaitOptions) (*reporting.Report, error) {
	job, err := c.StartReport(ctx, r)
	if err != nil {
		return nil, err
	}
	result, err := job.Wait(ctx, opts)
	if err != nil {
		return nil, err
	}
	report, err := c.Reporting.Reports.Get(ctx, result.ReportID())
	if err != nil {
		return nil, &ReportError{ReportID: result.ReportID(), JobID: job.ID(), Err: err}
	}
	return report, nil
}

// ReportError is the error of a report that was made and could not be fetched.
// The cause is wrapped. Fetch it with Reports.Get of the reporting package.
type ReportError struct {
	ReportID string
	JobID    string
	Err      error
}

// Error names the report and the cause.
func (e *ReportError) Error() string {
	if e == nil {
		return "<nil>"
	}
	return fmt.Sprintf("basiq: report %s is made, and could not be fetched: %s", printable(e.ReportID), because(e.Err))
}

// Unwrap returns the cause.
func (e *ReportError) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Err
}
