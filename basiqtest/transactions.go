package basiqtest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxPage is the maximum number of transactions on a page.
const maxPage = 500

// cursor is a position in a snapshot of a list, taken when its first page was requested.
type cursor struct {
	path    string // path of the list
	ledgers []ledger
	conds   []condition
	form    form
	objects []object // of lists other than transactions
	at      int
	limit   int
}

// maxCursors is the maximum number of cursors; the oldest ones are removed.
const maxCursors = 4096

func (s *Server) remember(c *cursor) string {
	id := s.ephemeral.id()
	s.cursors[id] = c
	if s.cursorID = append(s.cursorID, id); len(s.cursorID) > maxCursors {
		delete(s.cursors, s.cursorID[0])
		s.cursorID = s.cursorID[1:]
	}
	return id
}

func (s *Server) listTransactions(q *request) response {
	return s.pageOfRows(q, transactionFilter, full, q.user.ledgers)
}

// pageOfRows returns a page of a list of transactions: the first one, or the one at the
// request's cursor.
func (s *Server) pageOfRows(q *request, known filterFields, f form, all func() []ledger) response {
	var place *cursor
	if next := q.query["next"]; len(next) > 0 {
		place = s.cursors[next[0]]
		if place == nil || place.path != q.URL.Path {
			return badParameter("next", "The value of next is not valid.")
		}
	} else {
		limit, a := q.limit()
		if a != nil {
			return *a
		}
		conds, a := q.filter(known)
		if a != nil {
			return *a
		}
		place = &cursor{path: q.URL.Path, ledgers: all(), conds: conds, form: f, limit: limit}
	}
	rows, size := s.cut(place)
	next := ""
	if end := place.at + place.limit; end < size {
		following := *place
		following.at = end
		next = q.URL.Path + "?next=" + url.QueryEscape(s.remember(&following))
	}
	return response{status: http.StatusOK, page: &page{rows, size, place.form, s.root(), q.URL.RequestURI(), next}}
}

// append appends the encoded page to b.
func (p *page) append(b []byte) []byte {
	b = slices.Grow(b, rowSize*len(p.rows)+256)
	b = append(b, `{"type":"list","count":`...)
	b = strconv.AppendInt(b, int64(len(p.rows)), 10)
	b = append(b, `,"size":`...)
	b = strconv.AppendInt(b, int64(p.size), 10)
	b = append(b, `,"data":[`...)
	for i, r := range p.rows {
		if i > 0 {
			b = append(b, ',')
		}
		b = r.append(b, p.root, p.form)
	}
	b = append(b, `],"links":{"self":`...)
	b = appendText(b, p.root+p.self)
	if p.next != "" {
		b = append(b, `,"next":`...)
		b = appendText(b, p.root+p.next)
	}
	return append(b, `}}`...)
}

// appendText appends a JSON string.
func appendText(b []byte, text string) []byte {
	if !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' || strings.ContainsRune(`"\<>&`, r) }) {
		return append(append(append(b, '"'), text...), '"')
	}
	quoted, _ := json.Marshal(text) // a string can always be encoded
	return append(b, quoted...)
}

// limit reads the page size.
func (q *request) limit() (int, *response) {
	given := q.query.Get("limit")
	if given == "" {
		return maxPage, nil
	}
	n, err := strconv.Atoi(given)
	switch {
	case err != nil || n < 1:
		return 0, new(badParameter("limit", "The value of limit is not valid."))
	case n > maxPage:
		return 0, new(badParameter("limit", "The maximum of limit is 500."))
	}
	return n, nil
}

// field returns the value that a filter compares.
func (r *row) field(name string) string {
	switch name {
	case "account.id":
		return r.account.id
	case "connection.id":
		return r.account.conn.id
	case "institution.id":
		return r.account.conn.institution.id
	case "transaction.id":
		return r.id
	case "transaction.status":
		return r.status
	case "transaction.direction":
		return r.direction
	case "transaction.class":
		return r.class
	case "transaction.postDate":
		if r.post.IsZero() {
			return ""
		}
		return r.post.Format(time.RFC3339)
	}
	return ""
}

func (s *Server) getTransaction(q *request) response {
	for r := range s.rowsOf(q.user.ledgers()) {
		if r.id == q.path["transactionId"] {
			return encoded("application/json", r.append(nil, s.root(), full))
		}
	}
	return notFound("transaction")
}
