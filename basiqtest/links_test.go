package basiqtest_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/basiqtest"
)

// visitor sends requests to a server that it knows by another address.
type visitor struct {
	t     *testing.T
	srv   *basiqtest.Server
	host  string
	token string
}

// do sends a request, and returns the body of its response.
func (v *visitor) do(method, path, body string, header ...string) string {
	v.t.Helper()
	r := httptest.NewRequest(method, "http://"+v.host+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+v.token)
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	v.srv.ServeHTTP(w, r)
	if w.Code >= 300 {
		v.t.Fatalf("%s %s: status %d: %.300s", method, path, w.Code, w.Body)
	}
	return w.Body.String()
}

// login obtains a token.
func (v *visitor) login() {
	v.t.Helper()
	var token struct {
		AccessToken string `json:"access_token"`
	}
	text := v.do(http.MethodPost, "/token", "scope=SERVER_ACCESS", "Authorization", "Basic "+v.srv.APIKey(), "basiq-version", "3.0", "Content-Type", "application/x-www-form-urlencoded")
	if err := json.Unmarshal([]byte(text), &token); err != nil {
		v.t.Fatal(err)
	}
	v.token = token.AccessToken
}

// idOf returns the ID in a response.
func idOf(t *testing.T, text string) string {
	t.Helper()
	var v struct{ ID string }
	if err := json.Unmarshal([]byte(text), &v); err != nil || v.ID == "" {
		t.Fatalf("%v: %.200s", err, text)
	}
	return v.ID
}

// TestLinksBeginWithTheAddressOfTheRequest: also links in what was made while the
// server was known by another address.
func TestLinksBeginWithTheAddressOfTheRequest(t *testing.T) {
	srv, err := basiqtest.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(srv.Close)
	v := &visitor{t: t, srv: srv, host: "inside.example:1234"}
	v.login()
	user := "/users/" + idOf(t, v.do("POST", "/users", `{"email":"max@example.com"}`))
	connection, err := srv.AddConnection(strings.TrimPrefix(user, "/users/"), basiqtest.WentworthSmith)
	if err != nil {
		t.Fatal(err)
	}
	var accounts struct{ Data []struct{ ID string } }
	if err := json.Unmarshal([]byte(v.do("GET", user+"/accounts", "")), &accounts); err != nil || len(accounts.Data) != 4 {
		t.Fatal(err, accounts)
	}
	account := accounts.Data[0].ID
	filters := `[{"name":"fromDate","value":"2000-01-01"},{"name":"account","value":"` + account + `"},{"name":"user","value":"` + strings.TrimPrefix(user, "/users/") + `"}]`
	report := idOf(t, v.do("POST", "/reports", `{"reportType":"STATEMENT_01","title":"Statement","filters":`+filters+`}`))
	v.do("GET", "/jobs/"+report, "")
	srv.FinishJobs()
	summary := idOf(t, v.do("POST", user+"/affordability", ""))
	hook := idOf(t, v.do("POST", "/notifications/webhooks", `{"url":"https://hooks.example","subscribedEvents":["user.updated"]}`))
	v.do("POST", user, `{"firstName":"Max"}`)
	v.do("POST", user+"/insights/expense-ratio", `{"expense":"100.00"}`)

	inside := v.host
	v.host = "sandbox.example:8080"
	for _, path := range []string{
		user, user + "/accounts", user + "/accounts/" + account, user + "/transactions?limit=20", user + "/consents", user + "/identities",
		user + "/connections", user + "/connections/" + connection, user + "/jobs", "/events", "/events/types", "/connectors",
		user + "/affordability", user + "/affordability/" + summary, user + "/affordability/" + summary + "/transactions",
		"/reports", "/reports/" + report, "/reports/" + report + "/transactions?limit=20", "/notifications/webhooks", "/notifications/webhooks/" + hook,
		user + "/insights", user + "/payees?limit=2", "/merchants?merchantName=Outback+Fuel",
	} {
		text := v.do("GET", path, "")
		if strings.Contains(text, inside) || strings.Contains(text, "http://localhost") || !strings.Contains(text, "http://"+v.host+"/") {
			t.Errorf("%s: links lead elsewhere: %.400s", path, text)
		}
	}
	// A receiver follows the links of a message by the address where the webhook was made.
	if text := v.do("GET", "/notifications/webhooks/"+hook+"/messages", ""); !strings.Contains(text, `"eventEntity":"http://`+inside+user+`"`) {
		t.Errorf("the payload's links lead elsewhere: %s", text)
	}
	// Every page is reached through the links.
	rows, next := 0, user+"/transactions?limit=200"
	for next != "" {
		var page struct {
			Data  []struct{ ID string }
			Links struct{ Next string }
		}
		if err := json.Unmarshal([]byte(v.do("GET", next, "")), &page); err != nil {
			t.Fatal(err)
		}
		rows += len(page.Data)
		next = strings.TrimPrefix(page.Links.Next, "http://"+v.host)
	}
	if rows != 508 {
		t.Errorf("%d rows", rows)
	}
}

// TestPublicURL: a proxy changes the Host header and the path.
func TestPublicURL(t *testing.T) {
	srv, err := basiqtest.New(basiqtest.WithPublicURL("https://proxy.example/basiq/"), basiqtest.WithAPIKey("my-key"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(srv.Close)
	v := &visitor{t: t, srv: srv, host: "inside.example:1234"}
	v.login()
	if text := v.do("GET", "/events/types", ""); srv.APIKey() != "my-key" || srv.URL != "https://proxy.example/basiq" || !strings.Contains(text, `"self":"https://proxy.example/basiq/events/types"`) {
		t.Errorf("%s: %s", srv.URL, text)
	}
	for _, bad := range []basiqtest.Option{
		basiqtest.WithPublicURL("proxy.example"), basiqtest.WithPublicURL("ftp://proxy.example"), basiqtest.WithPublicURL("https://a:b@proxy.example"),
		basiqtest.WithPublicURL("https://proxy.example/?a=1"), basiqtest.WithAPIKey(""), basiqtest.WithAPIKey("a b"),
	} {
		if srv, err := basiqtest.New(bad); err == nil {
			srv.Close()
			t.Error("an invalid option is accepted")
		}
	}
}
