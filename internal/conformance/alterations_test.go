package conformance

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// alteration makes a server differ in one respect.
type alteration struct {
	name    string
	method  string
	path    string                        // pattern of the path
	request func(*http.Request)           // changes the request
	refuse  func(*http.Request) bool      // requests that get the status and the body
	status  int                           // replaces the status of successes, or of all if refuse is set
	failure int                           // replaces the status of errors
	header  string                        // is removed
	body    func(document map[string]any) // changes the body
	extra   string                        // is added to the headers
	text    string                        // replaces the body
	named   string                        // replaces the parameter that an error names
	code    string                        // replaces error codes
	want    []string                      // differences, as patterns; each must be found, and there are no others
}

func (a alteration) wrap(inner http.Handler) http.Handler {
	path := regexp.MustCompile("^" + a.path + "$")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != a.method || !path.MatchString(r.URL.Path) {
			inner.ServeHTTP(w, r)
			return
		}
		refused := a.refuse != nil && a.refuse(r)
		if a.request != nil {
			a.request(r)
		}
		got := httptest.NewRecorder()
		inner.ServeHTTP(got, r)
		status, body := got.Code, got.Body.Bytes()
		var document map[string]any
		dec := json.NewDecoder(bytes.NewReader(body))
		dec.UseNumber()
		if dec.Decode(&document) == nil {
			if refused {
				document = map[string]any{"type": "list", "correlationId": "c-1", "data": []any{map[string]any{"type": "error", "code": a.code, "title": "Refused.", "detail": "Refused."}}}
			}
			if list, ok := document["data"].([]any); ok && a.code != "" && a.refuse == nil && status >= 400 {
				list[0].(map[string]any)["code"] = a.code
			}
			if list, ok := document["data"].([]any); ok && a.named != "" && status >= 400 {
				if source, ok := list[0].(map[string]any)["source"].(map[string]any); ok {
					source["parameter"] = a.named
				}
			}
			if a.body != nil && status < 300 {
				a.body(document)
			}
			body, _ = json.Marshal(document)
		}
		if a.text != "" {
			body = []byte(a.text)
		}
		switch {
		case refused, a.refuse == nil && a.status != 0 && status < 300:
			status = a.status
		case a.failure != 0 && status >= 400:
			status = a.failure
		}
		for name, values := range got.Header() {
			w.Header()[name] = values
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		if a.extra != "" {
			w.Header().Set(a.extra, "max@example.com")
		}
		if a.header != "" {
			w.Header()[a.header] = nil // net/http would guess a Content-Type otherwise
		}
		w.WriteHeader(status)
		_, _ = w.Write(body)
	})
}

// items changes each item of a list.
func items(change func(item map[string]any)) func(map[string]any) {
	return func(document map[string]any) {
		list, _ := document["data"].([]any)
		for _, item := range list {
			change(item.(map[string]any))
		}
	}
}

const userPath = `/users/[^/]+`

var alterations = []alteration{
	{
		name: "a missing member", method: "GET", path: userPath + "/accounts",
		body: items(func(a map[string]any) { delete(a, "availableFunds") }),
		want: []string{`data\.Accounts\.List: the member data\[\]\.availableFunds is missing; the fake server sends it`},
	},
	{
		name: "an undocumented member", method: "GET", path: userPath + "/accounts",
		body: items(func(a map[string]any) { a["colour"] = "max@example.com" }),
		want: []string{`data\.Accounts\.List: the member data\[\]\.colour; the fake server does not send it`},
	},
	{
		name: "an undocumented member whose name is personal", method: "GET", path: userPath + "/accounts",
		body: items(func(a map[string]any) { a["max@example.com"] = true }),
		want: []string{`data\.Accounts\.List: the member data\[\]\.\(a name that is not an identifier\); the fake server does not send it`},
	},
	{
		name: "another type", method: "GET", path: userPath + "/transactions",
		body: items(func(a map[string]any) { a["amount"] = json.Number(a["amount"].(string)) }),
		want: []string{`data\.Transactions\.List: data\[\]\.amount is number, and string from the fake server`},
	},
	{
		name: "null", method: "GET", path: userPath + "/connections",
		body: items(func(a map[string]any) { a["institution"] = nil }),
		want: []string{`data\.Connections\.List: data\[\]\.institution is always null, and never null from the fake server`},
	},
	{
		name: "null in some items", method: "GET", path: userPath + "/accounts",
		body: func(d map[string]any) {
			if list := d["data"].([]any); len(list) > 0 {
				list[0].(map[string]any)["name"] = nil
			}
		},
		want: []string{`data\.Accounts\.List: data\[\]\.name can be null, and never is from the fake server`},
	},
	{
		name: "a value where the fake server has null", method: "GET", path: userPath + "/consents",
		body: items(func(c map[string]any) { c["purpose"].(map[string]any)["other"] = "max@example.com" }),
		want: []string{`core\.Consents\.List: data\[\]\.purpose\.other is string, and always null from the fake server`},
	},
	{
		name: "another header", method: "GET", path: "/reports/types", extra: "Retry-After",
		want: []string{`reporting\.Reports\.ListTypes \(reports: types\): the header Retry-After; the fake server does not send it`},
	},
	{
		name: "a page in place of JSON", method: "GET", path: "/reports/types", text: "<html>max@example.com</html>",
		want: []string{`reporting\.Reports\.ListTypes: not a JSON body; the fake server sends one`},
	},
	{
		name: "relative links", method: "GET", path: userPath + "/consents",
		body: func(d map[string]any) { d["links"].(map[string]any)["self"] = "/users/u-1/consents" },
		want: []string{`core\.Consents\.List: links\.self is a relative URL, and an absolute URL from the fake server`},
	},
	{
		name: "another word of an enumeration", method: "GET", path: "/notifications/webhooks/[^/]+",
		body: func(d map[string]any) { d["type"] = "Webhook" },
		want: []string{`webhooks\.Webhooks\.Get: type is Webhook, and webhook from the fake server`},
	},
	{
		name: "an unknown word of an enumeration", method: "GET", path: userPath + "/connections",
		body: items(func(a map[string]any) { a["status"] = "max" }),
		want: []string{`data\.Connections\.List: data\[\]\.status has a word that is not in the vocabulary`},
	},
	{
		name: "another status of a success", method: "POST", path: "/users", status: http.StatusOK,
		want: []string{`core\.Users\.Create \([^)]*: create\): status 200, and 201 from the fake server`},
	},
	{
		name: "another status of an error", method: "GET", path: userPath + "/connections/[^/]+", failure: http.StatusBadRequest,
		want: []string{`data\.Connections\.Get \(connections: absent\): status 400, and 404 from the fake server`},
	},
	{
		name: "another error code", method: "GET", path: userPath + "/accounts/[^/]+", code: "no-such-account",
		want: []string{
			`data\.Accounts\.Get \(accounts: absent\): error code no-such-account, and resource-not-found from the fake server`,
			`data\.Accounts\.Get \(accounts: malformed\): error code no-such-account, and parameter-not-valid from the fake server`,
		},
	},
	{
		name: "another error parameter", method: "GET", path: userPath + "/accounts/[^/]+", named: "id",
		want: []string{`data\.Accounts\.Get \(accounts: malformed\): error parameter id, and accountId from the fake server`},
	},
	{
		name: "another error code with a personal text", method: "GET", path: userPath + "/accounts/[^/]+", code: "No account of Max",
		want: []string{`data\.Accounts\.Get \(accounts: (absent|malformed)\): error code \(a word that is not in the vocabulary\), and (resource-not-found|parameter-not-valid) from the fake server`},
	},
	{
		name: "a missing header", method: "GET", path: "/events/types", header: "Content-Type",
		want: []string{
			`core\.Events\.ListTypes \([^)]*\): the header Content-Type is missing; the fake server sends it`,
			`core\.Events\.ListTypes \([^)]*\): media type none, and application/json from the fake server`,
		},
	},
	{
		name: "smaller pages", method: "GET", path: userPath + "/transactions",
		request: func(r *http.Request) {
			q := r.URL.Query()
			if n, err := strconv.Atoi(q.Get("limit")); (err == nil && n > 100 && n <= 500 || q.Get("limit") == "") && q.Get("next") == "" {
				q.Set("limit", "100")
				r.URL.RawQuery = q.Encode()
			}
		},
		want: []string{`data\.Transactions\.List \(transactions: (default|largest) limit\): a full page has 100 items, and 500 from the fake server`},
	},
	{
		name: "a limit that is refused", method: "GET", path: userPath + "/transactions", status: http.StatusBadRequest, code: "parameter-not-valid",
		refuse: func(r *http.Request) bool { return r.URL.Query().Get("limit") == "500" },
		want:   []string{`data\.Transactions\.List \(transactions: largest limit\): status 400, and 200 from the fake server`},
	},
	{
		name: "a filter that is refused", method: "GET", path: userPath + "/transactions", status: http.StatusBadRequest, code: "parameter-not-valid",
		refuse: func(r *http.Request) bool { return strings.Contains(r.URL.Query().Get("filter"), "transaction.class") },
		want:   []string{`data\.Transactions\.List \(transaction filters: by class\): status 400, and 200 from the fake server`},
	},
}

// TestDifferencesAreFoundAndNamed: each alteration of a server is listed, with its
// operation, and nothing else is.
func TestDifferencesAreFoundAndNamed(t *testing.T) {
	target, _ := fakeTarget(t, 1, nil)
	fake := record(t, target)
	for _, a := range alterations {
		t.Run(a.name, func(t *testing.T) {
			target, srv := fakeTarget(t, 7, a.wrap)
			// The scenarios with the largest responses only if they are altered.
			api, err := runAll(t.Context(), target, slices.DeleteFunc(slices.Clone(scenarios), func(s scenario) bool {
				return strings.HasPrefix(s.name, "transaction") && !strings.HasSuffix(a.path, "/transactions")
			}))
			if err != nil {
				t.Fatal(err)
			}
			report := Compare(api, fake)
			got := lines(report)
			for _, want := range a.want {
				if !slices.ContainsFunc(got, regexp.MustCompile("^"+want+"$").MatchString) {
					t.Errorf("%s is not in the list", want)
				}
			}
			all := regexp.MustCompile("^(" + strings.Join(a.want, "|") + ")$")
			for _, line := range got {
				if !all.MatchString(line) {
					t.Errorf("unexpected: %s", line)
				}
			}
			text := strings.Join(append(got, report.NotCompared...), "\n")
			user, err := srv.User(target.UserID)
			if err != nil {
				t.Fatal(err)
			}
			for _, value := range []string{"max@", "of Max", target.UserID, target.APIKey, user.Accounts[0].ID} {
				if strings.Contains(text, value) {
					t.Errorf("the list has a value of a response")
				}
			}
		})
	}
}
