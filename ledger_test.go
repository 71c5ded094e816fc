package basiq_test

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/transport"
)

// ledger is a fake bank whose transactions a test changes. It filters and pages
// as Basiq does: by account, the newest first.
type ledger struct {
	t          *testing.T
	api        *fakeAPI
	mu         sync.Mutex
	rows       map[string]*row // by ID
	page       int             // page size
	next       int             // number of the next ID
	gets       int             // number of requests for a single transaction
	lists      int
	fail       func(list int) bool       // reports whether a list request fails
	gone       string                    // an account whose lists are not found
	amid       func()                    // called before a page is read
	seen       func(filter, next string) // called after a page was read
	hide       map[string]bool           // transactions that are missing from lists
	unknownKey bool                      // single transactions need a new token, and the key is unknown
	local      bool                      // filters use days in Sydney, not in UTC
	offset     bool                      // pages are located by counting rows, not by ID
}

type row struct {
	id, account, amount, text string
	pending                   bool
	date                      string // posting date, or transaction date if pending
}

func newLedger(t *testing.T, page int) (*ledger, *basiq.Client) {
	b := newFakeAPI(t)
	l := &ledger{t: t, api: b, rows: map[string]*row{}, page: page, hide: map[string]bool{}}
	b.mux.HandleFunc("GET /users/u-1/accounts", l.accounts)
	b.mux.HandleFunc("GET /users/u-1/transactions", l.list)
	b.mux.HandleFunc("GET /users/u-1/transactions/{id}", l.get)
	return l, b.inMemory(basiq.WithHTTPClient(&http.Client{Transport: handlerTransport{b}}), transport.WithRetryPolicy(transport.RetryPolicy{MaxAttempts: 1}))
}

func (l *ledger) add(account, date string, pending bool) *row {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.insert(account, date, pending)
}

func (l *ledger) insert(account, date string, pending bool) *row {
	l.next++
	r := &row{id: fmt.Sprintf("t-%05d", l.next), account: account, amount: fmt.Sprintf("-%d.50", l.next), text: "COFFEE", pending: pending, date: date}
	l.rows[r.id] = r
	return r
}

func (l *ledger) remove(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.rows, id)
}

func (l *ledger) accounts(w http.ResponseWriter, _ *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	first := map[string]string{}
	for _, r := range l.rows {
		if first[r.account] == "" || r.date < first[r.account] {
			first[r.account] = r.date
		}
	}
	var data []string
	for id, day := range first {
		data = append(data, fmt.Sprintf(`{"type":"account","id":%q,"transactionIntervals":[{"from":%q,"to":"2099-01-01"}]}`, id, day[:10]))
	}
	fmt.Fprintf(w, `{"type":"list","data":[%s]}`, strings.Join(data, ","))
}

func (r *row) json() string {
	status, post, made := "posted", `"`+r.date+`"`, `""`
	if r.pending {
		status, post, made = "pending", "null", `"`+r.date+`"`
	}
	return fmt.Sprintf(`{"type":"transaction","id":%q,"account":%q,"status":%q,"amount":%q,"description":%q,"postDate":%s,"transactionDate":%s}`,
		r.id, r.account, status, r.amount, r.text, post, made)
}

func (l *ledger) get(w http.ResponseWriter, req *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gets++
	if l.unknownKey {
		l.api.refused.Store(true)
		respond(w, "401 "+transport.CodeInvalidAuthorizationToken)
		return
	}
	r := l.rows[req.PathValue("id")]
	if r == nil {
		respond(w, "404 resource-not-found")
		return
	}
	respond(w, r.json())
}

var clause = regexp.MustCompile(`([a-zA-Z.]+)\.(eq|bt|gteq|lteq)\('([^']*)'(?:,'([^']*)')?\)`)

// matches reports whether a row matches a filter.
func (l *ledger) matches(r *row, clauses [][]string) bool {
	for _, c := range clauses {
		day := r.date[:10]
		if at, err := time.Parse(time.RFC3339, r.date); l.local && err == nil {
			day = at.Add(11 * time.Hour).Format("2006-01-02")
		}
		ok := false
		switch c[1] + "." + c[2] {
		case "account.id.eq":
			ok = r.account == c[3]
		case "transaction.status.eq":
			ok = r.pending == (c[3] == "pending")
		case "transaction.postDate.bt":
			ok = !r.pending && c[3] <= day && day <= c[4]
		case "transaction.postDate.gteq":
			ok = !r.pending && c[3] <= day
		case "transaction.postDate.lteq":
			ok = !r.pending && day <= c[3]
		default:
			l.t.Errorf("unexpected filter %s", c[0])
		}
		if !ok {
			return false
		}
	}
	return !l.hide[r.id]
}

func (l *ledger) list(w http.ResponseWriter, req *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lists++
	if l.fail != nil && l.fail(l.lists) {
		respond(w, "500 internal-server-error")
		return
	}
	filter := req.FormValue("filter")
	if l.gone != "" && strings.Contains(filter, "'"+l.gone+"'") {
		respond(w, "404 resource-not-found")
		return
	}
	if l.amid != nil {
		l.amid()
	}
	if rest := clause.ReplaceAllString(filter, ""); strings.Trim(rest, ",") != "" {
		l.t.Errorf("unexpected filter %q", rest)
	}
	var rows []*row
	clauses := clause.FindAllStringSubmatch(filter, -1)
	for _, r := range l.rows {
		if l.matches(r, clauses) {
			rows = append(rows, r)
		}
	}
	slices.SortFunc(rows, func(a, b *row) int {
		return cmp.Or(cmp.Compare(a.account, b.account), -cmp.Compare(a.date, b.date), cmp.Compare(a.id, b.id))
	})
	skipped, _ := strconv.Atoi(req.FormValue("next"))
	if after := req.FormValue("next"); l.offset {
		rows = rows[min(skipped, len(rows)):]
	} else if after != "" {
		rows = rows[slices.IndexFunc(rows, func(r *row) bool { return r.id == after })+1:]
	}
	next := ""
	if len(rows) > l.page {
		rows = rows[:l.page]
		mark := rows[l.page-1].id
		if l.offset {
			mark = strconv.Itoa(skipped + l.page)
		}
		next = "/users/u-1/transactions?" + url.Values{"filter": {filter}, "next": {mark}}.Encode()
	}
	data := make([]string, len(rows))
	for i, r := range rows {
		data[i] = r.json()
	}
	fmt.Fprintf(w, `{"type":"list","data":[%s],"links":{"next":%q}}`, strings.Join(data, ","), next)
	if l.seen != nil {
		l.seen(filter, req.FormValue("next"))
	}
}

// at returns midnight of a day before today, either in UTC, as web connections
// report it, or in Sydney, as open banking connections do.
func at(daysAgo int, sydney bool) string {
	day := time.Now().UTC().AddDate(0, 0, -daysAgo)
	if sydney {
		return day.Format("2006-01-02") + "T13:00:00Z"
	}
	return day.Format("2006-01-02") + "T00:00:00Z"
}
