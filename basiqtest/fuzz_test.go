package basiqtest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// FuzzFilter: an arbitrary filter is either rejected or results in valid conditions.
func FuzzFilter(f *testing.F) {
	for _, seed := range []string{
		"account.id.eq('1'),transaction.postDate.bt('2031-01-01','2031-01-31')", "transaction.postDate.bt('2031-01-01,2031-01-31')",
		"transaction.status.eq(posted)", ".eq('')", "account.id.eq(", "account.id.eq('", "transaction.postDate.gt('')", "a.b.c.d('x'),", "account.id.eq('(,)')",
	} {
		f.Add(seed)
	}
	r := &row{account: &account{conn: &connection{institution: institutions[0]}}, post: pageDate}
	f.Fuzz(func(t *testing.T, text string) {
		conds, fault := parseFilter(text, transactionFilter)
		if (fault == "") != (len(conds) > 0) {
			t.Fatalf("%d conditions, fault %q", len(conds), fault)
		}
		for _, c := range conds {
			if transactionFilter[c.field] == "" || len(c.args) == 0 || c.op == "bt" && len(c.args) != 2 {
				t.Fatalf("condition %+v", c)
			}
		}
		matches(conds, r.field)
	})
}

// FuzzStatement: an arbitrary statement results in rows or in a documented failure.
func FuzzStatement(f *testing.F) {
	for _, seed := range []string{"date,description,amount\n2031-05-01,COFFEE,-4.50\n", "%PDF-1.7", "date,description,amount\n", "\"", "a,b\n1", "date,description,amount,account\n2031-05-01,A,1,2\n"} {
		f.Add("csv", []byte(seed))
	}
	f.Add("pdf", []byte("%PDF-"))
	f.Fuzz(func(t *testing.T, kind string, file []byte) {
		rows, failure := readStatement(kind, file, pageDate)
		if failure != nil && (len(rows) > 0 || failure.code == "") {
			t.Fatalf("%d rows with %+v", len(rows), failure)
		}
		for _, r := range rows {
			if r.description == "" || r.day.After(pageDate) {
				t.Fatalf("%+v", r)
			}
		}
	})
}

// FuzzRequest: the server responds to arbitrary requests, and never with a 5xx status.
func FuzzRequest(f *testing.F) {
	for _, r := range routes {
		path := strings.NewReplacer("{userId}", "U", "{", "", "}", "").Replace(r.Path)
		f.Add(r.Method, path, "filter=a.b.eq('c')&limit=5&next=x", r.Body, []byte(`{"email":"max@example.com"}`))
	}
	f.Add("POST", "/users/U/statements", "", "multipart/form-data; boundary=x", []byte("--x\r\nContent-Disposition: form-data; name=\"statement\"\r\n\r\n%PDF-\r\n--x--\r\n"))
	f.Add("POST", "/reports", "", "application/json", []byte(`{"reportType":"STATEMENT_01","title":"x","filters":[{"name":"fromDate","value":"2031-01-01"},{"name":"account","value":[1]},{"name":"user","value":null}]}`))
	s, err := Start(WithNow(time.Date(2031, 5, 6, 0, 0, 0, 0, time.UTC)), WithTransactions(5))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(s.Close)
	f.Fuzz(func(t *testing.T, method, path, query, media string, body []byte) {
		s.mu.Lock()
		s.state = newState(1)
		s.tokens["t"] = &token{version: "3.0", expires: s.now().Add(time.Hour)}
		s.mu.Unlock()
		user, err := s.AddUser("max@example.com")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.AddConnection(user, Whistler); err != nil {
			t.Fatal(err)
		}
		target := &url.URL{Path: strings.ReplaceAll(path, "U", user), RawQuery: query}
		r, err := http.NewRequest(method, "http://"+strings.TrimPrefix(s.URL, "http://")+target.EscapedPath(), bytes.NewReader(body))
		if err != nil {
			t.Skip()
		}
		r.URL.RawQuery = query
		r.Header.Set("Authorization", "Bearer t")
		r.Header.Set("Content-Type", media)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code < 200 || w.Code >= 500 {
			t.Fatalf("%s %s: %d %s", method, target, w.Code, w.Body)
		}
	})
}

// FuzzBankData: arbitrary data is either rejected or served by all operations that show
// it, and survives being written and read.
func FuzzBankData(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"accounts":[{"class":"credit-card","creditLimit":"10","balance":"-3.5","transactions":[{"amount":"-1","pending":true},{"amount":"2","description":"SALARY","daysAgo":9}]}]}`,
		`{"accounts":[{"number":"1234","transactions":[{"amount":"1","direction":"debit","category":"EXP-014","merchant":"A","tags":["\\"],"biller":{"code":"1","name":"\""}}]}],"payees":[{}],"identities":[{"addresses":[{"line1":"1 A"}]}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var d BankData
		if json.Unmarshal(text, &d) != nil {
			t.Skip()
		}
		s, err := New(WithNow(pageDate))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		user, err := s.AddUser("max@example.com")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.AddConnection(user, d.Login()); err != nil {
			t.Skip()
		}
		again, err := New(WithNow(pageDate))
		if err != nil {
			t.Fatal(err)
		}
		defer again.Close()
		s.tokens["t"] = &token{text: "t", version: "3.0", expires: s.now().Add(time.Hour)}
		var state bytes.Buffer
		if err := s.WriteState(&state); err != nil {
			t.Fatal(err)
		}
		if err := again.ReadState(&state); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"GET /accounts", "GET /transactions?limit=3", "GET /identities", "GET /payees", "POST /affordability", "POST /income", "POST /expenses"} {
			var bodies [2]string
			for i, srv := range []*Server{s, again} {
				method, rest, _ := strings.Cut(path, " ")
				r := httptest.NewRequest(method, "http://sandbox.example/users/"+user+rest, nil)
				r.Header.Set("Authorization", "Bearer t")
				w := httptest.NewRecorder()
				srv.ServeHTTP(w, r)
				if w.Code >= 500 || w.Body.Len() > 0 && !json.Valid(w.Body.Bytes()) {
					t.Fatalf("%s: %d %s", path, w.Code, w.Body)
				}
				bodies[i] = w.Body.String()
			}
			if !strings.Contains(bodies[0], "correlationId") && !strings.Contains(bodies[0], "next=") && bodies[0] != bodies[1] {
				t.Fatalf("%s differs:\n%s\n%s", path, bodies[0], bodies[1])
			}
		}
	})
}
