package transport_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/basiq-sdk/basiq-go/transport"
	"github.com/basiq-sdk/basiq-go/transport/value"
)

func TestFilter(t *testing.T) {
	f := transport.Filter{}.And("account.id", "eq", "a,b)").And("transaction.postDate", "bt", "2031-01-01", "2031-01-31")
	if got, want := f.String(), "account.id.eq('a,b)'),transaction.postDate.bt('2031-01-01','2031-01-31')"; got != want || f.Err() != nil {
		t.Errorf("%s, %v; want %s", got, f.Err(), want)
	}
	base := transport.Filter{}.And("a", "eq", "1")
	if x, y := base.And("b", "eq", "2"), base.And("c", "eq", "3"); x.String() == y.String() || base.String() != "a.eq('1')" {
		t.Error("a filter is changed by what is made from it")
	}
	for _, v := range []string{"'", "a'),user.id.eq('b", `\`, "a\nb", "\x00"} {
		if bad := (transport.Filter{}).And("a", "eq", v); bad.Err() == nil {
			t.Errorf("%q is accepted: %s", v, bad)
		}
	}
	b := newBank(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.URL.Query().Get("filter"); got != f.String() {
			t.Errorf("the server reads %q", got)
		}
	})
	r := transport.NewRequest(&opList)
	r.SetFilter("filter", f)
	if err := b.client(t).Do(context.Background(), r, nil); err != nil {
		t.Error(err)
	}
	r = transport.NewRequest(&opList)
	r.SetFilter("filter", transport.Filter{}.And("a", "eq", "'"))
	if err := b.client(t).Do(context.Background(), r, nil); err == nil || b.calls.Load() != 1 {
		t.Errorf("%v after %d calls", err, b.calls.Load())
	}
}

// FuzzFilter: a filter either is parsed back to its terms and values, also after URL
// encoding, or was rejected.
func FuzzFilter(f *testing.F) {
	for _, v := range []string{"", "a", "a,b)", "'", "a'),user.id.eq('b", `\`, `\'`, "%27", "&x=y", "a+b c", "é\u2028", "\xff", "\ufffd", "\x00", "\r\n", "ʼ’＇", "))((,,"} {
		f.Add(v, "b", uint8(1))
		f.Add("a", v, uint8(3))
	}
	f.Add("\xe2\x80", "\x83", uint8(1)) // halves of a character
	f.Fuzz(func(t *testing.T, a, b string, n uint8) {
		want := []filterTerm{
			{"account.id", "eq", []string{a}},
			{"transaction.postDate", "bt", []string{a, b}},
			{"transaction.status", "in", slices.Repeat([]string{b, a}, 1+int(n%8))},
		}
		filter := transport.Filter{}
		for _, term := range want {
			filter = filter.And(term.path, term.op, term.args...)
		}
		if filter.Err() != nil {
			bad := func(r rune) bool { return r == '\'' || r == '\\' || r == 0xfffd || unicode.IsControl(r) }
			if !strings.ContainsFunc(a, bad) && !strings.ContainsFunc(b, bad) {
				t.Errorf("%q, %q: %v", a, b, filter.Err())
			}
			if len(a) > 8 && strings.Contains(filter.Err().Error(), a) {
				t.Errorf("the error shows the value: %v", filter.Err())
			}
			return
		}
		c := cannedClient(t, roundTripper(func(r *http.Request) (*http.Response, error) {
			query, err := url.ParseQuery(r.URL.RawQuery)
			if err != nil || len(query) != 1 || len(query["filter"]) != 1 {
				t.Fatalf("the query is %q, %v", r.URL.RawQuery, err)
			}
			got, err := parseFilter(query.Get("filter"))
			if err != nil || !slices.EqualFunc(got, want, filterTerm.equal) {
				t.Errorf("%q is read as %q, %v; want %q", query.Get("filter"), got, err, want)
			}
			return canned{status: 200, body: "{}"}.RoundTrip(r)
		}))
		r := transport.NewRequest(&opList)
		r.SetFilter("filter", filter)
		if err := c.Do(context.Background(), r, nil); err != nil {
			t.Error(err)
		}
	})
}

// filterTerm is path.op('arg','arg').
type filterTerm struct {
	path, op string
	args     []string
}

func (f filterTerm) equal(g filterTerm) bool {
	return f.path == g.path && f.op == g.op && slices.Equal(f.args, g.args)
}

// parseFilter parses a filter one rune at a time, independently of the code that
// builds filters.
func parseFilter(text string) ([]filterTerm, error) {
	var terms []filterTerm
	for {
		head, rest, ok := strings.Cut(text, "(")
		dot := strings.LastIndexByte(head, '.')
		if !ok || dot < 0 || strings.ContainsAny(head, "', )") {
			return terms, fmt.Errorf("no term at %q", text)
		}
		term := filterTerm{path: head[:dot], op: head[dot+1:]}
		for {
			if !strings.HasPrefix(rest, "'") {
				return terms, fmt.Errorf("no quote at %q", rest)
			}
			arg, after, ok := strings.Cut(rest[1:], "'")
			if !ok || after == "" {
				return terms, fmt.Errorf("no end of the value at %q", rest)
			}
			term.args = append(term.args, arg)
			rest = after[1:]
			if after[0] == ')' {
				break
			}
			if after[0] != ',' {
				return terms, fmt.Errorf("neither comma nor end at %q", after)
			}
		}
		terms = append(terms, term)
		if rest == "" {
			return terms, nil
		}
		if rest[0] != ',' {
			return terms, fmt.Errorf("no comma at %q", rest)
		}
		text = rest[1:]
	}
}

// TestFilterDays: an invalid date is rejected before anything is sent, and a valid
// one is sent in the format of the API.
func TestFilterDays(t *testing.T) {
	for _, c := range []struct {
		days []value.Date
		want string // "" if it is rejected
	}{
		{[]value.Date{"2031-05-06"}, "a.b.bt('2031-05-06')"},
		{[]value.Date{"2031-05-06", "2031-05-07T10:00:00Z"}, "a.b.bt('2031-05-06','2031-05-07T10:00:00Z')"},
		{[]value.Date{"07/05/2031"}, "a.b.bt('2031-05-07')"},
		{[]value.Date{""}, ""},
		{[]value.Date{"2031-05-06", "2031-13-99"}, ""},
		{[]value.Date{"soon"}, ""},
		{[]value.Date{"xx/yy/2031"}, ""},
	} {
		f := transport.Filter{}.AndDays("a.b", "bt", c.days...)
		if err := f.Err(); (err == nil) != (c.want != "") || err == nil && f.String() != c.want || err != nil && !strings.Contains(err.Error(), "is not a date such as 2031-05-06") {
			t.Errorf("%q: %s, %v", c.days, f, err)
		}
	}
}
