package fake_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/transport"
)

// call sends a request without the SDK's client, and returns the status, the error code and
// the body.
func call(t testing.TB, method, address, body string, headers ...string) (status int, code, text string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var envelope struct {
		CorrelationID string
		Data          []struct{ Code string }
	}
	if json.Unmarshal(data, &envelope) == nil && len(envelope.Data) > 0 {
		code = envelope.Data[0].Code
		if res.StatusCode >= 400 && envelope.CorrelationID == "" {
			t.Errorf("%s %s: no correlation ID: %s", method, address, data)
		}
	}
	return res.StatusCode, code, string(data)
}

func tokenOf(t testing.TB, srv *basiqtest.Server, version, form string) string {
	t.Helper()
	status, _, text := call(t, "POST", srv.URL+"/token", form,
		"Authorization", "Basic "+srv.APIKey(), "basiq-version", version, "Content-Type", "application/x-www-form-urlencoded")
	var token struct {
		Text    string `json:"access_token"`
		Expires int    `json:"expires_in"`
	}
	if err := json.Unmarshal([]byte(text), &token); err != nil || status != 200 || token.Expires != 3600 {
		t.Fatalf("token: %d %s", status, text)
	}
	return token.Text
}

// TestTokenRequests: invalid token requests are rejected as by the API.
func TestTokenRequests(t *testing.T) {
	srv := basiqtest.NewServer(t)
	const form = "application/x-www-form-urlencoded"
	key := "Basic " + srv.APIKey()
	for _, c := range []struct {
		name, authorization, version, media, body string
		status                                    int
		code, says                                string
	}{
		{"good", key, "3.0", form, "scope=SERVER_ACCESS", 200, "", `"token_type":"Bearer"`},
		{"earlier version", key, "2.1", form, "scope=SERVER_ACCESS", 200, "", "access_token"},
		{"no version", key, "", form, "scope=SERVER_ACCESS", 400, "parameter-not-valid", `"pointer":"header/basiq-version"`},
		{"old version", key, "1.0", form, "scope=SERVER_ACCESS", 400, "parameter-not-valid", "no longer supported"},
		{"no key", "", "3.0", form, "scope=SERVER_ACCESS", 400, "parameter-not-valid", "header required"},
		{"bearer", "Bearer x", "3.0", form, "scope=SERVER_ACCESS", 400, "parameter-not-valid", "Invalid authorization header"},
		{"two keys", key + " x", "3.0", form, "scope=SERVER_ACCESS", 400, "parameter-not-valid", "Invalid authorization header"},
		{"unknown key", "Basic unknown", "3.0", form, "scope=SERVER_ACCESS", 404, "parameter-not-valid", "check API key"},
		{"JSON", key, "3.0", "application/json", `{"scope":"SERVER_ACCESS"}`, 400, "invalid-content", ""},
		{"no scope", key, "3.0", form, "", 400, "parameter-not-supplied", `"parameter":"scope"`},
		{"unknown scope", key, "3.0", form, "scope=ADMIN", 400, "parameter-not-valid", `"parameter":"scope"`},
		{"unknown user", key, "3.0", form, "scope=CLIENT_ACCESS&userId=nobody", 400, "parameter-not-valid", `"parameter":"userId"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			headers := []string{"Content-Type", c.media}
			if c.authorization != "" {
				headers = append(headers, "Authorization", c.authorization)
			}
			if c.version != "" {
				headers = append(headers, "basiq-version", c.version)
			}
			status, code, text := call(t, "POST", srv.URL+"/token", c.body, headers...)
			if status != c.status || code != c.code || !strings.Contains(text, c.says) {
				t.Errorf("%d %s: %s", status, code, text)
			}
		})
	}
}

// TestBearers: access tokens are accepted and rejected as by the API.
func TestBearers(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithTransactions(3))
	user, connection := connected(t, srv, basiqtest.Whistler)
	other := newUser(t, srv)
	server := tokenOf(t, srv, "3.0", "scope=SERVER_ACCESS")
	client := tokenOf(t, srv, "3.0", "scope=CLIENT_ACCESS&userId="+user)
	foreign := tokenOf(t, srv, "3.0", "scope=CLIENT_ACCESS&userId="+other)
	earlier := tokenOf(t, srv, "2.1", "scope=SERVER_ACCESS")
	jobs, err := srv.Connect(user, basiqtest.Jared.At(basiqtest.PiedPiper))
	if err != nil {
		t.Fatal(err)
	}
	mfa := "/jobs/" + jobs[0] + "/mfa"
	const answer = `{"mfa-response":["1234"]}`
	for _, c := range []struct {
		name, method, path, body, token string
		status                          int
		code, says                      string
	}{
		{"server", "GET", "/users/" + user, "", server, 200, "", `"type":"user"`},
		{"client reads its user", "GET", "/users/" + user, "", client, 200, "", `"type":"user"`},
		{"another user's client", "GET", "/users/" + user, "", foreign, 401, "unauthorized-access", ""},
		{"client token for a server operation", "GET", "/users/" + user + "/accounts", "", client, 403, "forbidden-access", ""},
		{"unknown", "GET", "/users/" + user, "", "unknown", 401, "invalid-authorization-token", ""},
		{"none", "GET", "/users/" + user, "", "", 403, "", "Missing Authentication Token"},
		{"earlier version", "GET", "/users/" + user + "/jobs", "", earlier, 404, "resource-not-found", "for this API version"},
		{"server token submits MFA", "POST", mfa, answer, server, 403, "forbidden-access", ""},
		{"another user submits MFA", "POST", mfa, answer, foreign, 401, "unauthorized-access", ""},
		{"another user's job", "GET", "/jobs/" + jobs[0], "", foreign, 401, "unauthorized-access", ""},
		{"no user", "GET", "/users/nobody", "", server, 404, "resource-not-found", ""},
		{"malformed", "GET", "/users/a%20b", "", server, 400, "parameter-not-valid", ""},
		{"empty", "GET", "/users//accounts", "", server, 403, "", "Invalid request"},
		{"no route", "GET", "/nothing", "", server, 404, "resource-not-found", ""},
		{"no method", "PUT", "/users", "", server, 405, "method-not-allowed", ""},
		{"not JSON", "POST", "/users", "{", server, 400, "invalid-content", ""},
		{"no email", "POST", "/users", "{}", server, 400, "parameter-not-supplied", ""},
		{"invalid email", "POST", "/users", `{"email":"max"}`, server, 400, "parameter-not-valid", `"parameter":"email"`},
		{"invalid mobile", "POST", "/users", `{"mobile":"call me"}`, server, 400, "parameter-not-valid", `"parameter":"mobile"`},
		{"business without a name", "POST", "/users", `{"mobile":"+61400000000","businessIdNo":"1"}`, server, 400, "parameter-not-supplied", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			headers := []string{"Content-Type", "application/json"}
			if c.token != "" {
				headers = append(headers, "Authorization", "Bearer "+c.token)
			}
			status, code, text := call(t, c.method, srv.URL+c.path, c.body, headers...)
			if status != c.status || code != c.code || !strings.Contains(text, c.says) {
				t.Errorf("%d %s: %s", status, code, text)
			}
		})
	}
	t.Run("a client is not shown how a connection stands", func(t *testing.T) {
		path := srv.URL + "/users/" + user + "/connections/" + connection
		_, _, whole := call(t, "GET", path, "", "Authorization", "Bearer "+server)
		status, _, part := call(t, "GET", path, "", "Authorization", "Bearer "+client)
		for _, name := range []string{`"createdDate"`, `"lastUsed"`, `"status":"active"`} {
			if status != 200 || !strings.Contains(whole, name) || strings.Contains(part, name) {
				t.Errorf("%s: %d %s", name, status, part)
			}
		}
	})
	t.Run("accept", func(t *testing.T) {
		status, code, _ := call(t, "GET", srv.URL+"/users/"+user, "", "Authorization", "Bearer "+server, "Accept", "text/html")
		if status != 400 || code != "unsupported-accept" {
			t.Errorf("%d %s", status, code)
		}
	})
	t.Run("media", func(t *testing.T) {
		status, code, _ := call(t, "POST", srv.URL+"/users", "email=max", "Authorization", "Bearer "+server, "Content-Type", "text/plain")
		if status != 415 || code != "unsupported-content-type" {
			t.Errorf("%d %s", status, code)
		}
	})
	t.Run("expired", func(t *testing.T) {
		srv.Advance(time.Hour)
		status, code, text := call(t, "GET", srv.URL+"/users/"+user, "", "Authorization", "Bearer "+server)
		if status != 403 || code != "access-denied" || !strings.Contains(text, "Token has expired") || !strings.Contains(text, `"source":null`) {
			t.Errorf("%d %s: %s", status, code, text)
		}
	})
}

// TestTokenQuota: the token endpoint issues at most 1,500 tokens in five minutes.
func TestTokenQuota(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithNow(time.Date(2031, 5, 6, 0, 0, 0, 0, time.UTC)))
	for range 1500 {
		tokenOf(t, srv, "3.0", "scope=SERVER_ACCESS")
	}
	ask := func() int {
		status, _, _ := call(t, "POST", srv.URL+"/token", "scope=SERVER_ACCESS",
			"Authorization", "Basic "+srv.APIKey(), "basiq-version", "3.0", "Content-Type", "application/x-www-form-urlencoded")
		return status
	}
	if got := ask(); got != 403 {
		t.Errorf("the 1,501st request: %d", got)
	}
	srv.Advance(5 * time.Minute)
	if got := ask(); got != 200 {
		t.Errorf("five minutes later: %d", got)
	}
}

// TestExpiredTokenIsRenewed: the SDK's client renews an expired token by itself.
func TestExpiredTokenIsRenewed(t *testing.T) {
	srv := basiqtest.NewServer(t)
	client, _ := checked(t, srv)
	user := newUser(t, srv)
	for _, end := range []func(){func() {}, srv.ExpireTokens, srv.RevokeTokens} {
		end()
		if _, err := client.Core.Users.Get(t.Context(), user); err != nil {
			t.Error(err)
		}
	}
}

// TestClientsUseTheServersClock: what has expired on the server has also expired for its
// clients, without waiting.
func TestClientsUseTheServersClock(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithNow(noon))
	client := srv.Client(t)
	for n, d := range []time.Duration{0, 59 * time.Minute, time.Minute} {
		srv.Advance(d)
		if _, err := client.Core.Users.Get(t.Context(), "nobody"); !errors.Is(err, transport.ErrNotFound) {
			t.Fatal(err)
		}
		if !client.Transport.Now().Equal(srv.Now()) {
			t.Errorf("the server's time is %s, the client's %s", srv.Now(), client.Transport.Now())
		}
		if calls := srv.Calls("core.Users.Get"); calls != n+1 { // no request was rejected because of its token
			t.Errorf("%d requests for %d reads", calls, n+1)
		}
	}
}
