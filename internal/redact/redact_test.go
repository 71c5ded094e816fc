package redact

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func redacted(t *testing.T, r *Redactor, doc string) string {
	t.Helper()
	out, ok := r.JSON([]byte(doc))
	if !ok {
		t.Fatalf("not JSON: %s", doc)
	}
	return string(out)
}

// TestValuesAreReplacedByTheirMembers has a value of each kind.
func TestValuesAreReplacedByTheirMembers(t *testing.T) {
	const user = "5e1f2a3b-0000-4abc-8def-1234567890ab"
	for _, test := range []struct{ name, in, want string }{
		{"kept words", `{"type":"account","status":"available","currency":"AUD"}`, `{"currency":"AUD","status":"available","type":"account"}`},
		{"words that are not words", `{"status":"Max Smith","type":"0412 345 678","class":"Smith","country":"Australia"}`, `{"class":"class 1","country":"Australia","status":"status 2","type":"0000 000 001"}`},
		{"email", `{"email":"Max@Example.com","other":"max@example.com"}`, `{"email":"person-1@example.com","other":"person-1@example.com"}`},
		{"phone", `{"mobile":"+61412345678","phoneNumbers":["0298765432"]}`, `{"mobile":"+61400000001","phoneNumbers":["+61400000002"]}`},
		{"account number", `{"accountNo":"062-000 12345678","bsb":"062-000"}`, `{"accountNo":"000-000 00000001","bsb":"000-002"}`},
		{"names", `{"accountHolder":"Max Smith","fullName":"Max Smith","firstName":"Max"}`, `{"accountHolder":"accountHolder 1","firstName":"firstName 2","fullName":"accountHolder 1"}`},
		{"description", `{"description":"CARD PURCHASE 1234 MAX"}`, `{"description":"description 1"}`},
		{"amounts", `{"amount":"-12.50","balance":"12.50","availableFunds":"0.00","creditLimit":"","n":12.5}`, `{"amount":"-1.00","availableFunds":"0.00","balance":"1.00","creditLimit":"","n":2.0}`},
		{"dates", `{"postDate":"2031-05-06T00:00:00Z","DOB":"1984-05-06","birthDate":"1984-05-07","fromMonth":"2031-05"}`, `{"DOB":"1970-01-01","birthDate":"1970-01-01","fromMonth":"2031-05","postDate":"2031-05-06T00:00:00Z"}`},
		{"IDs", `{"id":"` + user + `","userId":"` + user + `","connection":"abc-1","institution":"AU00000"}`, `{"connection":"id-1","id":"00000000-0000-4000-8000-000000000002","institution":"AU00000","userId":"00000000-0000-4000-8000-000000000002"}`},
		{"event", `{"id":"` + strings.Repeat("ab12", 16) + `","eventTypeId":"user.created"}`, `{"eventTypeId":"user.created","id":"` + strings.Repeat("0", 63) + `1"}`},
		{"secrets", `{"secret":"abc","access_token":"def","token_type":"Bearer","mfa-response":["1234"],"password":"x"}`, `{"access_token":"redacted-token-1","mfa-response":["redacted"],"password":"redacted","secret":"redactedredactedredacted","token_type":"Bearer"}`},
		{"numbers", `{"count":500,"size":1200,"postcode":2000,"n":0,"big":1e3}`, `{"big":1.5,"count":500,"n":0,"postcode":1,"size":1200}`},
		{"others", `{"a":null,"b":true,"c":[],"d":{},"e":""}`, `{"a":null,"b":true,"c":[],"d":{},"e":""}`},
		{"error", `{"data":[{"type":"error","code":"access-denied","title":"Access denied for Max.","detail":"Token has expired, Max","source":{"parameter":"userId"}}]}`, `{"data":[{"code":"access-denied","detail":"Redacted: the token has expired.","source":{"parameter":"userId"},"title":"Redacted.","type":"error"}]}`},
		{"step", `{"steps":[{"title":"verify-credentials"},{"title":"Mr"}]}`, `{"steps":[{"title":"verify-credentials"},{"title":"title 1"}]}`},
		{"member names", `{"max@example.com":1,"0412345678":2,"maskedNumber":"xx12"}`, `{"maskedNumber":"maskedNumber 1","member-1":1,"member-2":2}`},
		{"members named after persons", `{"MaxSmith":{"a":true},"Max":[true],"DOB":"","ABN":"","Code":"","Text":"","token_type":""}`, `{"ABN":"","Code":"","DOB":"","Text":"","member-1":[true],"member-2":{"a":true},"token_type":""}`},
		{"numbers that are too long for their members", `{"count":61412345678,"status":412345678,"version":1e9,"size":12345678}`, `{"count":1,"size":12345678,"status":2,"version":1.5}`},
		{"report", `{"reportType":"CON_AFFOR_01","filters":[{"name":"fromDate","value":"2031-05-06"},{"name":"users","value":["` + user + `"]}]}`, `{"filters":[{"name":"fromDate","value":"1970-01-01"},{"name":"users","value":["00000000-0000-4000-8000-000000000001"]}],"reportType":"CON_AFFOR_01"}`},
		{"not an object", `"Max"`, `"text 1"`},
	} {
		if diff := cmp.Diff(test.want, redacted(t, New(nil), test.in)); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}

// TestAmountsCanBeKept: they are, in the members that have amounts.
func TestAmountsCanBeKept(t *testing.T) {
	r := New(nil)
	r.KeepAmounts = true
	got := redacted(t, r, `{"amount":"-12.50","balance":7.25,"assets":61412345678,"description":"12.50","accountNo":"1250","value":"0412345678901"}`)
	if want := `{"accountNo":"0001","amount":"-12.50","assets":1,"balance":7.25,"description":"2.00","value":"0000000000002"}`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestColumnsAreNamedByKnownWords: the first line of a table without names is data.
func TestColumnsAreNamedByKnownWords(t *testing.T) {
	for _, name := range []string{"date", "Transaction Date", "postDate", "post_date", "ACCOUNT NUMBER", "Account-Holder", "accountId"} {
		if got := Column(name, 1); got != name {
			t.Errorf("%q becomes %q", name, got)
		}
	}
	for _, name := range []string{"", " ", "Max Smith", "max", "Account Max", "Date of Birth", "062-000", "date.", "ſtatus", strings.Repeat("date ", 10)} {
		if got := Column(name, 2); got != "column-2" {
			t.Errorf("%q becomes %q", name, got)
		}
	}
}

// TestLinksStillFit: an ID has the same replacement in members, links, cursors and
// filters, and links to other hosts lead to example.com.
func TestLinksStillFit(t *testing.T) {
	r := New(map[string]string{"u-1": "user-max"})
	r.Own = "http://127.0.0.1:8080"
	for _, test := range [][2]string{
		{"http://127.0.0.1:8080/users/u-1/accounts/a-1", "https://au-api.basiq.io/users/user-max/accounts/id-1"},
		{"https://au-api.basiq.io/users/u-1/transactions?next=a-1", "https://au-api.basiq.io/users/user-max/transactions?next=id-1"},
		{"/jobs/j-1", "/jobs/id-2"},
		{"/users/u-1/accounts?filter=institution.id.eq('AU00000')", "/users/user-max/accounts?filter=institution.id.eq%28%27AU00000%27%29"},
		{"https://connect.basiq.io/abcdef", "https://connect.basiq.io/id-3"},
		{"https://max:secret@bank.example/max?token=abc#max", "https://example.com/id-4?token=redacted"},
		{"/connectors/AU00000/web", "/connectors/AU00000/web"},
		{"://", "url 1"},
	} {
		if got := r.Text("self", test[0], false); got != test[1] {
			t.Errorf("%s: got %s, want %s", test[0], got, test[1])
		}
	}
	for _, test := range [][2]string{
		{"account.id.eq('a-1'),transaction.postDate.bt('2031-05-01','2031-05-31'),transaction.direction.eq('debit')", "account.id.eq('id-1'),transaction.postDate.bt('2031-05-01','2031-05-31'),transaction.direction.eq('debit')"},
		{"user.id.eq(u-1)", "user.id.eq(user-max)"},
		{"account.name.eq('Max Smith')", "account.name.eq('redacted')"},
		{"Max Smith", "redacted"},
		{"connector.institution.country.eq('New Zealand'),connector.institution.tier.in('1','2')", "connector.institution.country.eq('New Zealand'),connector.institution.tier.in('1','2')"},
	} {
		if got := r.Query(url.Values{"filter": {test[0]}}).Get("filter"); got != test[1] {
			t.Errorf("%s: got %s, want %s", test[0], got, test[1])
		}
	}
	if got := r.Query(url.Values{"q": {"MAX SMITH"}, "limit": {"500"}, "apiKey": {"x"}}).Encode(); got != "apiKey=redacted&limit=500&q=redacted" {
		t.Errorf("query: %s", got)
	}
}

// TestInvalidDocumentsAreRefused: they are not JSON.
func TestInvalidDocumentsAreRefused(t *testing.T) {
	for _, doc := range []string{"", "{", "{} {}", "{}x", "<html>", "NaN"} {
		if out, ok := New(nil).JSON([]byte(doc)); ok {
			t.Errorf("%q: %s", doc, out)
		}
	}
}

// FuzzRedactor: a marker with the form of personal data does not survive, wherever it
// is, and valid JSON stays valid JSON.
func FuzzRedactor(f *testing.F) {
	f.Add("email", "x", `{"a":1}`)
	f.Add("status", "", `[1,2]`)
	f.Add("id", "-", `"x"`)
	f.Add("links", "/users/", `null`)
	f.Add("filter", "account.id.eq('", `1e9`)
	f.Add("postDate", "2031-05-06T", `{"type":"error"}`)
	f.Add("title", "active consent", `{"self":"https://au-api.basiq.io/users/u"}`)
	f.Fuzz(func(t *testing.T, name, text, document string) {
		if _, ok := New(nil).JSON([]byte(document)); ok != (json.Valid([]byte(document))) {
			t.Fatalf("JSON reports %t for %q", ok, document)
		}
		const mark = "Zyxwv0491570156"
		marked := []string{mark, text + mark, mark + text, text + mark + text, "https://au-api.basiq.io/users/" + mark, "?next=" + mark, "max." + mark + "@example.com"}
		members := map[string]any{name: marked, "type": mark, "x" + mark: text}
		for _, member := range []string{"status", "id", "title", "amount", "postDate", "DOB", "mobile", "self", "code", "name", "value", "reportType", "secret", "filter", "tier", "pointer"} {
			members[member] = marked
		}
		doc, err := json.Marshal([]any{members, map[string]any{"type": "error", "data": members}, mark, json.RawMessage(strictJSON(document))})
		if err != nil {
			t.Fatal(err)
		}
		r := New(nil)
		r.KeepAmounts = len(name)%2 == 0
		out, ok := r.JSON(doc)
		if !ok || !json.Valid(out) {
			t.Fatalf("valid JSON becomes %q", out)
		}
		path := r.Path("/users/" + url.PathEscape(text+mark) + "/" + mark)
		query := r.Query(url.Values{name: marked, "filter": {"account.id.eq('" + mark + "')", text + mark}, "limit": {mark}, "next": {mark}}).Encode()
		for _, got := range []string{string(out), path, query, r.URL(text + mark), r.URL("https://" + mark + ".example/" + mark)} {
			if strings.Contains(strings.ToLower(got), "zyxwv") || strings.Contains(got, "0491570156") {
				t.Fatalf("the marker survives: %s", got)
			}
		}
	})
}

// strictJSON returns the document if it is valid JSON, and null otherwise.
func strictJSON(document string) []byte {
	if json.Valid([]byte(document)) {
		return []byte(document)
	}
	return []byte("null")
}
