package basiqtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/basiq-sdk/basiq-go/generated/core"
)

// Report types.
const (
	affordabilityReport = "CON_AFFOR_01"
	businessReport      = "BUS_AFFOR_01" // its filters, other than toDate, are an assumption
	statementReport     = "STATEMENT_01"
)

// Limits of reports.
const (
	maxReportUsers = 5
	maxReportTitle = 50
	reportsPerDay  = 1000
	reportLife     = 14 * 24 * time.Hour
)

// reportTypes has the report types and their filters: name, type, and whether the filter
// is required.
var reportTypes = []struct {
	id, name, description string
	filters               []object
}{
	{affordabilityReport, "Consumer affordability", "What users earn, spend, own and owe.", []object{
		{"name": "fromDate", "type": "date", "required": true}, {"name": "toDate", "type": "date", "required": true},
		{"name": "accounts", "type": "array", "required": true}, {"name": "users", "type": "array", "required": true},
		{"name": "includeGroups", "type": "array", "required": false}, {"name": "includeMetrics", "type": "array", "required": false},
	}},
	{businessReport, "Business affordability", "What businesses earn, spend, own and owe.", []object{
		{"name": "fromDate", "type": "date", "required": true}, {"name": "toDate", "type": "date", "required": false},
		{"name": "accounts", "type": "array", "required": true}, {"name": "users", "type": "array", "required": true},
		{"name": "includeGroups", "type": "array", "required": false}, {"name": "includeMetrics", "type": "array", "required": false},
	}},
	{statementReport, "Statement", "The transactions of one account, as a bank statement.", []object{
		{"name": "fromDate", "type": "date", "required": true}, {"name": "toDate", "type": "date", "required": false},
		{"name": "account", "type": "string", "required": true}, {"name": "user", "type": "string", "required": true},
	}},
}

// report is a requested report. It has the same ID as its job.
type report struct {
	id       string
	kind     string
	title    string
	filters  []reportFilter
	created  time.Time
	users    []*user
	accounts []*account
	from, to string // days, inclusive
	ready    bool
	data     object
}

type reportFilter struct {
	Name  string          `json:"name"`
	Value json.RawMessage `json:"value"`
}

// forbiddenFilter returns the error that the API returns for filters that are not
// allowed: status 400 with code forbidden-access.
func forbiddenFilter(detail string) response {
	return errorResponse(http.StatusBadRequest, problem{"forbidden-access", "Forbidden", detail, object{"parameter": "filters"}})
}

func (s *Server) createReport(q *request) response {
	r, a := s.readReport(q.body)
	if a != nil {
		return *a
	}
	if !s.withinDay("reports") {
		return errorResponse(http.StatusTooManyRequests, problem{"too-many-requests", "Too many requests.", "The daily quota of reports is used up.", nil})
	}
	var owner *user
	if len(r.users) == 1 {
		owner = r.users[0]
	}
	j := s.newJob(reportJob, nil, nil, &step{title: "create-report", do: func(st *step) *failure {
		s.makeReport(r)
		st.result = object{"type": "link", "url": "/reports/" + r.id}
		return nil
	}})
	j.user = owner
	r.id = j.id
	s.reports = append(s.reports, r)
	return accepted(object{"type": "job", "id": j.id, "links": object{"self": "/jobs/" + j.id}})
}

// withinDay counts a use of a daily quota, and reports whether it is within the quota.
func (s *Server) withinDay(what string) bool {
	day := s.now().Format(time.DateOnly)
	limit := reportsPerDay
	if s.cfg.strictQuotas {
		limit = min(limit, s.usersOn(day))
	}
	s.made[what+day]++
	return s.made[what+day] <= limit || s.cfg.noQuotas
}

// usersOn returns the number of users created on a day.
func (s *Server) usersOn(day string) int {
	n := 0
	for _, u := range s.users {
		if u.created.Format(time.DateOnly) == day {
			n++
		}
	}
	return n
}

// readReport reads and checks the body of a request for a report.
func (s *Server) readReport(body []byte) (*report, *response) {
	var given struct {
		ReportType, Title string
		Filters           []reportFilter
	}
	if err := json.Unmarshal(body, &given); err != nil {
		return nil, new(badContent("The body is not valid."))
	}
	known := slices.IndexFunc(reportTypes, func(t struct {
		id, name, description string
		filters               []object
	}) bool {
		return t.id == given.ReportType
	})
	switch {
	case given.ReportType == "":
		return nil, new(missingParameter("reportType", "The report type is required."))
	case known < 0:
		return nil, new(badParameter("reportType", "The report type does not exist."))
	case given.Title == "":
		return nil, new(missingParameter("title", "The title is required."))
	case len([]rune(given.Title)) > maxReportTitle:
		return nil, new(badParameter("title", "The title has more than 50 characters."))
	}
	r := &report{kind: given.ReportType, title: given.Title, filters: given.Filters, created: s.now()}
	values := map[string]json.RawMessage{}
	for _, f := range given.Filters {
		if _, twice := values[f.Name]; twice {
			return nil, new(forbiddenFilter("The filter " + f.Name + " was entered twice."))
		}
		values[f.Name] = f.Value
	}
	for _, f := range reportTypes[known].filters {
		name, _ := f["name"].(string)
		if v := values[name]; f["required"] == true && (v == nil || string(v) == "null") {
			return nil, new(missingParameter(name, "The filter "+name+" is required."))
		}
	}
	if a := r.days(values, s.now()); a != nil {
		return nil, a
	}
	return r, s.subjects(r, values)
}

// days reads the date range of a report.
func (r *report) days(values map[string]json.RawMessage, now time.Time) *response {
	r.to = now.Format(time.DateOnly)
	for name, to := range map[string]*string{"fromDate": &r.from, "toDate": &r.to} {
		raw, given := values[name]
		if !given || string(raw) == "null" {
			continue
		}
		if json.Unmarshal(raw, to) != nil || len(*to) != len(time.DateOnly) || !isDate(*to) {
			return new(badParameter(name, "The date must have the form YYYY-MM-DD."))
		}
	}
	if r.kind == businessReport {
		r.to = now.Format(time.DateOnly) // whatever was given
	}
	if r.from > r.to {
		return new(badParameter("fromDate", "fromDate is after toDate."))
	}
	return nil
}

// subjects reads the users and accounts of a report.
func (s *Server) subjects(r *report, values map[string]json.RawMessage) *response {
	lists := [2][]string{}
	names := [2]string{"users", "accounts"}
	if r.kind == statementReport {
		names = [2]string{"user", "account"}
	}
	for i, name := range names {
		var one string
		if json.Unmarshal(values[name], &lists[i]) != nil {
			if json.Unmarshal(values[name], &one) != nil {
				return new(badParameter(name, "The value of "+name+" has the wrong type."))
			}
			lists[i] = []string{one}
		}
		if len(lists[i]) == 0 || slices.Contains(lists[i], "") {
			return new(missingParameter(name, "The filter "+name+" is empty."))
		}
		sorted := slices.Sorted(slices.Values(lists[i]))
		if len(slices.Compact(sorted)) != len(lists[i]) {
			return new(forbiddenFilter("A value of " + name + " was entered twice."))
		}
	}
	if len(lists[0]) > maxReportUsers {
		return new(forbiddenFilter("A report can cover at most five users."))
	}
	var theirs []*account
	for _, id := range lists[0] {
		u := s.users[id]
		if u == nil {
			return new(notFound("user"))
		}
		if a := u.lacksConsent(); a != nil {
			return a
		}
		r.users = append(r.users, u)
		theirs = append(theirs, u.accounts()...)
	}
	for _, id := range lists[1] {
		i := slices.IndexFunc(theirs, func(a *account) bool { return a.id == id })
		switch {
		case i < 0:
			return new(notFound("account"))
		case theirs[i].conn.method == "csv":
			return new(forbiddenFilter("The source of an account is not supported."))
		}
		r.accounts = append(r.accounts, theirs[i])
	}
	return nil
}

// reportRows returns the posted transactions that a report covers.
func (s *Server) reportRows(r *report) []*row {
	var out []*row
	for _, a := range r.accounts {
		for _, row := range s.posted(a) {
			if day := row.post.Format(time.DateOnly); day >= r.from && day <= r.to {
				out = append(out, row)
			}
		}
	}
	return out
}

// includes returns a function that reports whether an ID is included by a filter. An
// absent or empty filter includes everything, and a null filter nothing.
func (r *report) includes(name string) func(string) bool {
	for _, f := range r.filters {
		if f.Name != name {
			continue
		}
		var list []string
		switch err := json.Unmarshal(f.Value, &list); {
		case string(f.Value) == "null":
			return func(string) bool { return false }
		case err == nil && len(list) > 0:
			return func(id string) bool { return slices.Contains(list, id) }
		}
	}
	return func(string) bool { return true }
}

// makeReport generates the report's data, which does not change later.
func (s *Server) makeReport(r *report) {
	r.ready = true
	link := local("/reports/" + r.id + "/transactions")
	switch r.kind {
	case affordabilityReport, businessReport:
		end, _ := time.Parse(time.DateOnly, r.to) // checked
		r.data = affordability(r.accounts, s.reportRows(r), end, link, r.includes("includeGroups"), r.includes("includeMetrics"))
	case statementReport:
		r.data = s.statementData(r.accounts[0], link)
	default:
		panic("basiqtest: reports of type " + r.kind + " have no data yet: add it to makeReport")
	}
}

// statementData returns the data of a statement report.
func (s *Server) statementData(a *account, link local) object {
	who := Identity{FirstName: a.holder}
	if people := a.conn.identities(); len(people) > 0 {
		who = people[0]
	}
	addresses := []object{}
	for _, p := range who.addresses() {
		addresses = append(addresses, object{"addressLine1": p.Line1, "city": p.City, "state": p.State, "postCode": p.Postcode, "country": "Australia"})
	}
	v := reportAccount(a)
	v["maskedNumber"], v["isOwned"], v["creationDate"] = a.masked(), true, a.created
	v["meta"] = object{"addresses": nil, "creditCard": nil, "depositRates": nil, "features": nil, "fees": nil, "lendingRates": nil, "loan": nil, "termDeposit": nil}
	delete(v, "creditLimit")
	delete(v, "transactionIntervals")
	return object{
		"account": []object{v},
		"accreditation": object{
			"title": "Accreditation", "description": "This document was generated by a test server.", "entityName": "Example Pty Ltd",
			"licenceNo": "000000", "cdrAccessModel": "none",
		},
		"identity": object{
			"customerType": "person", "fullName": who.fullName(), "firstName": who.FirstName, "lastName": who.LastName,
			"emails": who.emails(), "phoneNumbers": who.phones(), "physicalAddresses": addresses,
		},
		"institution":  object{"name": a.conn.institution.name, "logo": "https://logos.example/" + a.conn.institution.id + "/full.svg", "abn": "00000000000", "acn": "000000000"},
		"transactions": link,
	}
}

// reportOf returns a report that is ready and has not expired.
func (s *Server) reportOf(id string) (*report, *response) {
	for _, r := range s.reports {
		if r.id == id && r.ready && s.now().Before(r.created.Add(reportLife)) {
			return r, nil
		}
	}
	return nil, new(notFound("report"))
}

// reportSummary returns a report as lists represent it.
func (s *Server) reportSummary(r *report) object {
	filters := r.filters
	if filters == nil {
		filters = []reportFilter{}
	}
	return object{
		"type": "report", "id": r.id, "reportType": r.kind, "title": r.title, "filters": filters, "createdBy": "basiqtest",
		"createdDate": r.created.Format("2006-01-02T15:04:05Z"), "expiresAt": stamp(r.created.Add(reportLife)),
		"links": object{"self": s.root() + "/reports/" + r.id},
	}
}

func (s *Server) getReport(q *request) response {
	r, a := s.reportOf(q.path["id"])
	if a != nil {
		return *a
	}
	if q.media == "application/pdf" {
		return encoded(q.media, pdf(r.title, r.kind, "from "+r.from+" to "+r.to, fmt.Sprint(len(s.reportRows(r)), " transactions")))
	}
	out := s.reportSummary(r)
	out["data"] = rebase(r.data, s.root())
	return ok(out)
}

func (s *Server) listReports(q *request) response {
	return s.pageOfObjects(q, filterFields{}, func([]condition) []object {
		data := []object{}
		for _, r := range slices.Backward(s.reports) {
			if _, a := s.reportOf(r.id); a == nil {
				data = append(data, s.reportSummary(r))
			}
		}
		return data
	})
}

func (s *Server) reportTransactions(q *request) response {
	r, a := s.reportOf(q.path["reportId"])
	if a != nil {
		return *a
	}
	return s.pageOfRows(q, reportRowFilter, reported, func() []ledger { return []ledger{{posted: s.reportRows(r)}} })
}

func (s *Server) deleteReport(q *request) response {
	r, a := s.reportOf(q.path["id"])
	if a != nil {
		return *a
	}
	s.reports = slices.DeleteFunc(s.reports, func(o *report) bool { return o == r })
	return noContent()
}

func reportTypeList(only string) []object {
	data := []object{}
	for _, t := range reportTypes {
		if only == "" || only == t.id {
			data = append(data, object{"type": "reportType", "id": t.id, "name": t.name, "description": t.description, "filters": t.filters})
		}
	}
	return data
}

func (s *Server) listReportTypes(*request) response {
	data := reportTypeList("")
	return ok(object{"type": "list", "count": len(data), "data": data})
}

func (s *Server) getReportType(q *request) response {
	data := reportTypeList(q.path["reportTypeId"])
	if len(data) == 0 {
		return notFound("report type")
	}
	return ok(object{"type": "list", "count": len(data), "data": data})
}

// FailNextJob makes the step called stepTitle fail in the next job that has such a step,
// with an error code of the API. An example is "create-report" of a report. If
// verify-credentials fails with a code such as "invalid-credentials", the connection
// becomes invalid. FailNextJob panics if the API has no such step title or code.
func (s *Server) FailNextJob(stepTitle, code string) {
	s.mustBeUsable("FailNextJob")
	if !core.StepTitle(stepTitle).Known() {
		panic(fmt.Sprintf("basiqtest: FailNextJob: step %q does not exist: see the StepTitle constants of package core", stepTitle))
	}
	if !core.StepCode(code).Known() {
		panic(fmt.Sprintf("basiqtest: FailNextJob: code %q does not exist: see the StepCode constants of package core", code))
	}
	f := &failure{code, "The job failed", "The test called FailNextJob."}
	for _, known := range []*failure{badLogin, locked, mustAct} { // these make a connection invalid
		if stepTitle == "verify-credentials" && code == known.code {
			f = known
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forcedFailures = append(s.forcedFailures, forcedFailure{stepTitle, f})
}

// forcedFailure is a failure of a future job, set by FailNextJob.
type forcedFailure struct {
	title   string
	failure *failure
}

// ReportJSON returns a report of type CON_AFFOR_01 over n transactions of one account,
// in the format of GET /reports/{id}. n below 0 counts as 0. The same seed returns the
// same bytes.
func ReportJSON(seed uint64, n int) []byte {
	c := sampleConnection(seed)
	p := personas[WentworthSmith.ID]
	a := p.holdings[0].open(seed, c, p, 0)
	a.created, a.updated = stamp(pageDate.AddDate(-3, 0, 0)), stamp(pageDate)
	a.from, a.to = pageDate.AddDate(0, 0, -span).Format(time.DateOnly), pageDate.Format(time.DateOnly)
	all := func(string) bool { return true }
	id := newSource(seed).id()
	b, err := json.Marshal(object{
		"type": "report", "id": id, "reportType": affordabilityReport, "title": "Affordability", "createdBy": "basiqtest", "createdDate": stamp(pageDate),
		"filters": []object{{"name": "fromDate", "value": a.from}, {"name": "toDate", "value": a.to}, {"name": "accounts", "value": []string{a.id}}, {"name": "users", "value": []string{c.user}}},
		"links":   object{"self": defaultHost + "/reports/" + id},
		"data":    rebase(affordability([]*account{a}, a.history(seed, max(n, 0), pageDate), pageDate, local("/reports/"+id+"/transactions"), all, all), defaultHost),
	})
	if err != nil {
		panic(err) // plain values can always be encoded
	}
	return b
}
