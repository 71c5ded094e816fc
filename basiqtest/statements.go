package basiqtest

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxStatementRows is the maximum number of rows of a CSV statement.
const maxStatementRows = 10_000

var (
	statementInvalid = &failure{"bank-statement-invalid", "The statement is not valid", "The file is not a PDF document."}
	emptyFile        = &failure{"empty-file", "The file is empty", "The file has no transactions."}
	tooManyRows      = &failure{"row-count-exceeded", "The file has too many rows", "Split the file into smaller ones."}
	noColumn         = &failure{"missing-required-field", "A column is missing", "The columns date, description and amount are required."}
	noValue          = &failure{"missing-required-field-value", "A value is missing", "Each row must have a date, a description and an amount."}
	badValue         = &failure{"invalid-field-value", "A value is not valid", "Dates must have the form YYYY-MM-DD, and amounts up to two decimals."}
	badRow           = &failure{"invalid-csv-row", "A row is not valid", "Each row must have a value for each column."}
	otherAccount     = &failure{"account-data-differs", "The account differs", "All rows of a file must belong to one account."}
	future           = &failure{"txn-after-last-updated-date", "A transaction is too new", "A transaction is dated after today."}
)

// uploadStatement handles POST /users/{userId}/statements.
func (s *Server) uploadStatement(q *request) response {
	institutionID, file, a := q.statement()
	if a != nil {
		return *a
	}
	kind := "csv"
	if bytes.HasPrefix(file, []byte("%PDF-")) || strings.HasSuffix(strings.ToLower(q.file), ".pdf") {
		kind = "pdf"
	}
	i := institutionOf(institutionID)
	switch {
	case institutionID == "":
		return missingParameter("institutionId", "institutionId is required.")
	case i == nil || !slices.Contains(i.methods, kind):
		return errorResponse(http.StatusBadRequest, problem{"institution-not-supported", "The institution is not supported.",
			"Statements of this institution are not supported.", object{"parameter": "institutionId"}})
	case s.full():
		return forbidden("too-many-sandbox-connections", "Too many sandbox connections.", "The sandbox is limited to 500 connections.")
	}
	return s.started(s.statementJob(q.user, i, kind, file), true)
}

// statement reads the parts of the multipart body.
func (q *request) statement() (institutionID string, file []byte, a *response) {
	bad := new(badParameter("statement", "The statement is not valid."))
	_, params, err := mime.ParseMediaType(q.Header.Get("Content-Type"))
	if err != nil {
		return "", nil, bad
	}
	given := false
	for r := multipart.NewReader(bytes.NewReader(q.body), params["boundary"]); ; {
		part, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", nil, bad
		}
		content, err := io.ReadAll(part)
		if err != nil {
			return "", nil, bad
		}
		switch part.FormName() {
		case "institutionId":
			institutionID = string(content)
		case "statement":
			file, given, q.file = content, true, part.FileName()
		}
	}
	if !given {
		return "", nil, new(missingParameter("statement", "The file is required."))
	}
	return institutionID, file, nil
}

// statementJob creates the job that reads a statement. Only the result of its first step
// links to its connection.
func (s *Server) statementJob(u *user, i *institution, kind string, file []byte) *job {
	now := s.now()
	c := &connection{
		id: s.ids.id(), user: u.id, owner: u, institution: i, method: kind, status: "active", created: now, lastUsed: now,
	}
	var rows []entryOfDay
	var j *job
	link := func(path string) object { return object{"type": "link", "url": path} }
	j = s.newJob(statementJob, u, i,
		&step{title: "verify-credentials", do: func(st *step) *failure {
			var f *failure
			if rows, f = readStatement(kind, file, s.now()); f != nil {
				return f
			}
			u.connections = append(u.connections, c)
			j.conn, c.job = c, j
			st.result = link(c.path())
			s.emit(u, "connection.created", c.path(), connectionEvent(c))
			return nil
		}},
		&step{title: "retrieve-accounts", do: func(st *step) *failure {
			s.statementAccount(c)
			st.result = link("/users/" + u.id + "/accounts?filter=connection.id.eq('" + c.id + "')")
			return nil
		}},
		&step{title: "retrieve-transactions", do: func(st *step) *failure {
			s.statementRows(c, rows)
			st.result = link("/users/" + u.id + "/transactions?filter=connection.id.eq('" + c.id + "')")
			return nil
		}})
	j.noSource = true
	return j
}

func (s *Server) statementAccount(c *connection) {
	h := everyday(0, salary)
	a := h.open(s.cfg.seed, c, &persona{first: "Statement", last: "Holder", ownership: "UNKNOWN"}, 0)
	a.created, a.updated = stamp(c.created), stamp(s.now())
	a.from, a.to = s.now().AddDate(0, 0, -span).Format(time.DateOnly), s.now().Format(time.DateOnly)
	c.accounts = []*account{a}
	s.emit(c.owner, "account.updated", "/users/"+c.user+"/accounts", nil)
}

// statementRows adds the transactions: those of a CSV file, or generated ones for a PDF.
func (s *Server) statementRows(c *connection, rows []entryOfDay) {
	a := c.accounts[0]
	key := hash(s.cfg.seed, a.id)
	if c.method == "pdf" {
		a.opening = &opening{key: key, n: min(s.cfg.transactions, 60), day: s.now().Truncate(24 * time.Hour), balance: a.balance}
	}
	slices.SortStableFunc(rows, func(x, y entryOfDay) int { return x.day.Compare(y.day) })
	for n, e := range rows {
		a.balance += e.cents
		id := hash(key, strconv.Itoa(n))
		r := &row{
			id: string(appendUUID(nil, id, hash(id))), account: a, status: "posted", post: e.day, direction: "credit", class: "direct-credit",
			cents: e.cents, description: e.description, balance: a.balance,
		}
		if e.cents < 0 {
			r.direction, r.class = "debit", "payment"
		}
		a.added = append(a.added, r)
	}
	slices.Reverse(a.added)
	c.round++
	s.emit(c.owner, "transactions.updated", "/users/"+c.user+"/transactions", object{
		"count": strconv.Itoa(a.postedCount()), "connection": object{"type": "connection", "id": c.id, "links": object{"self": local(c.path())}},
	})
}

// entryOfDay is a row of a statement file.
type entryOfDay struct {
	day time.Time
	entry
}

// readStatement reads a statement file. The CSV format is specific to this package: a
// header line (date, description, amount and optionally account), and a line for each
// transaction.
func readStatement(kind string, file []byte, now time.Time) ([]entryOfDay, *failure) {
	if len(bytes.TrimSpace(file)) == 0 {
		return nil, emptyFile
	}
	if kind == "pdf" {
		if !bytes.HasPrefix(file, []byte("%PDF-")) {
			return nil, statementInvalid
		}
		return nil, nil
	}
	r := csv.NewReader(bytes.NewReader(file))
	lines, err := r.ReadAll()
	if err != nil {
		return nil, badRow
	}
	column := map[string]int{}
	for i, name := range lines[0] {
		column[strings.ToLower(strings.TrimSpace(name))] = i
	}
	for _, name := range []string{"date", "description", "amount"} {
		if _, there := column[name]; !there {
			return nil, noColumn
		}
	}
	switch lines = lines[1:]; {
	case len(lines) == 0:
		return nil, emptyFile
	case len(lines) > maxStatementRows:
		return nil, tooManyRows
	}
	out := make([]entryOfDay, 0, len(lines))
	for _, line := range lines {
		date, description, amount := line[column["date"]], line[column["description"]], line[column["amount"]]
		if date == "" || description == "" || amount == "" {
			return nil, noValue
		}
		day, err := time.Parse(time.DateOnly, date)
		cents, valid := centsOf(amount)
		if err != nil || !valid {
			return nil, badValue
		}
		if day.After(now) {
			return nil, future
		}
		if i, there := column["account"]; there && line[i] != lines[0][i] {
			return nil, otherAccount
		}
		out = append(out, entryOfDay{day, entry{description: description, cents: cents}})
	}
	return out, nil
}

var amountForm = regexp.MustCompile(`^([+-]?)([0-9]{1,12})(?:\.([0-9]{1,2}))?$`)

// centsOf parses an amount such as -12.50.
func centsOf(text string) (cents int64, valid bool) {
	m := amountForm.FindStringSubmatch(text)
	if m == nil {
		return 0, false
	}
	cents, err := strconv.ParseInt(m[2]+(m[3] + "00")[:2], 10, 64)
	if m[1] == "-" {
		cents = -cents
	}
	return cents, err == nil
}
