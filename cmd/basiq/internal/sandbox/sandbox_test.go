package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"math"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/transport"
)

// send sends a request to the sandbox without a network. header has names and values.
func (s *running) send(method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host, r.RemoteAddr = "127.0.0.1:8787", "127.0.0.1:5000"
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		switch header[i] {
		case "Host":
			r.Host = header[i+1]
		case "Remote":
			r.RemoteAddr = header[i+1]
		default:
			r.Header.Set(header[i], header[i+1])
		}
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// TestControlIsForThisMachineOrTheKey: nobody else can read or change the sandbox, and no
// page of another site can, whatever the browser sends along.
func TestControlIsForThisMachineOrTheKey(t *testing.T) {
	s := start(t, nil)
	const key = "Bearer control-key"
	for name, c := range map[string]struct {
		header []string
		status int
	}{
		"this machine":                {nil, 204},
		"this machine over IPv6":      {[]string{"Remote", "[::1]:5000", "Host", "[::1]:8787"}, 204},
		"localhost":                   {[]string{"Host", "localhost:8787"}, 204},
		"another machine":             {[]string{"Remote", "192.0.2.1:5000"}, 401},
		"another machine with a key":  {[]string{"Remote", "192.0.2.1:5000", "Host", "sandbox.example", "Authorization", key}, 204},
		"a wrong key":                 {[]string{"Remote", "192.0.2.1:5000", "Authorization", "Bearer control-kez"}, 401},
		"an API key":                  {[]string{"Remote", "192.0.2.1:5000", "Authorization", "Bearer sandbox-key"}, 401},
		"a proxy on this machine":     {[]string{"X-Forwarded-For", "192.0.2.1"}, 401},
		"a name that is not ours":     {[]string{"Host", "attacker.example"}, 401},
		"localhost as a subdomain":    {[]string{"Host", "localhost.attacker.example"}, 401},
		"another site":                {[]string{"Sec-Fetch-Site", "cross-site", "Origin", "https://attacker.example"}, 403},
		"another site with a key":     {[]string{"Sec-Fetch-Site", "cross-site", "Authorization", key}, 403},
		"another port of the machine": {[]string{"Sec-Fetch-Site", "same-site", "Origin", "http://127.0.0.1:3000"}, 403},
		"an old browser":              {[]string{"Origin", "https://attacker.example"}, 403},
		"a sandboxed frame":           {[]string{"Origin", "null"}, 403},
		"the console":                 {[]string{"Sec-Fetch-Site", "same-origin", "Origin", "http://127.0.0.1:8787"}, 204},
	} {
		if w := s.send("POST", "/_sandbox/api/jobs/finish", "", c.header...); w.Code != c.status {
			t.Errorf("%s: status %d, want %d: %s", name, w.Code, c.status, w.Body)
		}
		if w := s.send("GET", "/_sandbox/api/users", "", c.header...); (w.Code == 200) != (c.status == 204) && c.header[0] != "Origin" {
			t.Errorf("%s: reading: status %d", name, w.Code)
		}
	}
	if w := s.send("POST", "/_sandbox/api/users", `{"email":"max@example.com"}`, "Content-Type", "text/plain"); w.Code != 415 {
		t.Errorf("a form's content type: status %d", w.Code)
	}
	behind := start(t, func(c *Config) { c.PublicURL = "https://sandbox.example/basiq" })
	if w := behind.send("GET", "/_sandbox/api/users", ""); w.Code != 401 {
		t.Errorf("behind a proxy without a key: status %d", w.Code)
	}
}

// TestConsoleLogin: a browser on another machine needs the control key.
func TestConsoleLogin(t *testing.T) {
	s := start(t, nil)
	remote := []string{"Remote", "192.0.2.1:5000", "Host", "sandbox.example"}
	if w := s.send("GET", "/_sandbox/", "", remote...); !strings.Contains(w.Body.String(), "Control key") || strings.Contains(w.Body.String(), "console.js") {
		t.Errorf("%s", w.Body)
	}
	form := append(remote, "Content-Type", "application/x-www-form-urlencoded")
	if w := s.send("POST", "/_sandbox/login", "key=wrong", form...); w.Code != 403 || len(w.Result().Cookies()) != 0 {
		t.Errorf("a wrong key: status %d", w.Code)
	}
	if w := s.send("POST", "/_sandbox/login", "key=control-key", append(form, "Origin", "https://attacker.example")...); w.Code != 403 {
		t.Errorf("another site: status %d", w.Code)
	}
	w := s.send("POST", "/_sandbox/login", "key=control-key", form...)
	cookies := w.Result().Cookies()
	if w.Code != 303 || len(cookies) != 1 || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteStrictMode {
		t.Fatal(w.Code, cookies)
	}
	if w := s.send("GET", "/_sandbox/", "", append(remote, "Cookie", cookies[0].String())...); !strings.Contains(w.Body.String(), "console.js") {
		t.Errorf("%s", w.Body)
	}
}

// TestControlAPIIsDescribed: web/openapi.json has exactly the operations that there are.
func TestControlAPIIsDescribed(t *testing.T) {
	s := start(t, nil)
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			Summary   string
			Responses map[string]any
		}
	}
	if err := json.Unmarshal(s.send("GET", "/_sandbox/api/openapi.json", "").Body.Bytes(), &doc); err != nil || doc.OpenAPI != "3.0.3" {
		t.Fatal(err, doc.OpenAPI)
	}
	var described, there []string
	for path, methods := range doc.Paths {
		for method, op := range methods {
			described = append(described, strings.ToUpper(method)+" "+path)
			if op.Summary == "" || op.Responses["200"] == nil == (op.Responses["204"] == nil) {
				t.Errorf("%s %s is not described", method, path)
			}
		}
	}
	for pattern := range s.controls() {
		there = append(there, pattern)
	}
	slices.Sort(described)
	slices.Sort(there)
	if !slices.Equal(described, there) {
		t.Errorf("described: %s\nthere:     %s", described, there)
	}
}

// TestControlAPI: a test in another language does what package basiqtest does in Go.
func TestControlAPI(t *testing.T) {
	s := start(t, func(c *Config) {
		c.Keys = List{"first-key", "second-key"}
		c.Now.Time = time.Date(2031, 5, 6, 0, 0, 0, 0, time.UTC)
	})
	call := func(method, path, body string, status int) map[string]any {
		t.Helper()
		w := s.send(method, "/_sandbox/api"+path, body)
		if w.Code != status {
			t.Fatalf("%s %s: status %d, want %d: %s", method, path, w.Code, status, w.Body)
		}
		var v map[string]any
		_ = json.Unmarshal(w.Body.Bytes(), &v) // a list is not needed
		return v
	}
	user, _ := call("POST", "/users", `{"email":"max@example.com"}`, 200)["id"].(string)
	connection, _ := call("POST", "/users/"+user+"/connections", `{"login":"Whistler"}`, 200)["connectionId"].(string)
	if u := s.state(t, user); len(u.Accounts) != 2 {
		t.Errorf("%+v", u)
	}
	call("POST", "/users/"+user+"/connections", `{"data":{"accounts":[{"name":"Mine","transactions":[{"description":"SALARY","amount":"12.50","daysAgo":2}]}]}}`, 200)
	if u := s.state(t, user); len(u.Accounts) != 3 || u.Accounts[2].Name != "Mine" || u.Accounts[2].Balance != "12.50" {
		t.Errorf("%+v", u)
	}
	call("POST", "/connections/"+connection+"/invalidate", "", 204)
	call("POST", "/users/"+user+"/events", `{"eventTypeId":"user.updated"}`, 200)
	call("POST", "/policy/change", "", 204)
	call("POST", "/tokens/expire", "", 204)
	call("POST", "/tokens/revoke", "", 204)
	if now := call("POST", "/clock/advance", `{"days":1,"seconds":60}`, 200)["now"]; now != "2031-05-07T00:01:00Z" {
		t.Errorf("it is %v", now)
	}
	if link := call("POST", "/users/"+user+"/consent-link", `{"action":"manage","state":"a b"}`, 200)["url"]; !strings.HasPrefix(link.(string), "http://127.0.0.1:8787/consent?action=manage&state=a+b&token=not-a-token.") {
		t.Error(link)
	}
	call("POST", "/users/"+user+"/revoke-consent", "", 204)
	call("POST", "/faults", `{"operation":"GET /users/{userId}","status":503,"times":-1}`, 200)
	if _, err := s.client.Core.Users.Get(t.Context(), user, transport.WithRetryPolicy(transport.RetryPolicy{MaxAttempts: 1})); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("the fault has no effect: %v", err)
	}
	call("DELETE", "/faults", "", 204)
	call("POST", "/faults", `{"operation":"Users.Get","limit":1,"windowSeconds":3600}`, 200)
	for i, want := range []error{nil, transport.ErrRateLimited} {
		if _, err := s.client.Core.Users.Get(t.Context(), user); !errors.Is(err, want) {
			t.Errorf("%d: %v", i, err)
		}
	}
	call("DELETE", "/faults", "", 204)
	for _, path := range []string{"/applications", "/institutions", "/logins", "/users", "/webhooks", "/faults", "/requests"} {
		call("GET", path, "", 200)
	}
	// The other application has nothing of it.
	if n := call("GET", "/users?application=2", "", 200)["total"]; n != 0.0 {
		t.Errorf("%v users", n)
	}
	for path, body := range map[string]string{
		"/users": `{"email":"x"}`, "/users?application=3": `{"email":"max@example.com"}`, "/users?application=x": "", "/clock/advance": `{"days":-1}`,
		"/faults": `{"drop":"sometimes"}`, "/faults?": `{"operation":"Users.Bake","status":500}`, "/faults?a=": `{}`, "/users/" + user + "/connections": `{"login":"nobody"}`, "/users/" + user + "/connections?": `{"data":{"accounts":[{"class":"x"}]}}`, "/faults?d=": `{"limit":1}`,
		"/users/" + user + "/events": `{"eventTypeId":"x"}`, "/clock/advance?": `{"hours":1}`,
		"/faults?b=": `{"delayMs":99999999999999}`, "/faults?c=": `{"status":429,"retryAfterSeconds":99999999999}`, "/users?b=": `{"email":"max@example.com"} x`,
	} {
		if message, _ := call("POST", path, body, 400)["error"].(string); message == "" {
			t.Errorf("%s: there is no message", path)
		}
	}
	for _, path := range []string{"/users/none/consent-link", "/users/none/revoke-consent", "/connections/none/invalidate", "/messages/none/redeliver", "/users/none/connections", "/users/none/events"} {
		call("POST", path, "", 404)
	}
	call("GET", "/users/none", "", 404)
	for range 8 { // from 2031
		call("POST", "/clock/advance", `{"days":7305}`, 200)
	}
	call("POST", "/clock/advance", `{"days":7305}`, 400)
}

// TestEachKeyHasItsOwnData: the users of one application do not exist in another.
func TestEachKeyHasItsOwnData(t *testing.T) {
	s := start(t, func(c *Config) { c.Keys = List{"first-key", "second-key"} })
	user := s.user(t)
	second, err := basiq.NewClient(basiq.WithBaseURL(s.url), basiq.WithAPIKey("second-key"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = second.Transport.Close() })
	if _, err := second.Core.Users.Get(t.Context(), user); err == nil || !strings.Contains(err.Error(), "resource-not-found") {
		t.Errorf("another application's user: %v", err)
	}
	if other, err := s.apps[1].AddUser("erika@example.com"); err != nil || other == user {
		t.Error("two applications have the same IDs", err)
	}
	if w := s.send("POST", "/token", "scope=SERVER_ACCESS", "Authorization", "Basic third-key", "basiq-version", "3.0", "Content-Type", "application/x-www-form-urlencoded"); w.Code != 404 {
		t.Errorf("an unknown key: status %d", w.Code)
	}
}

// TestRateLimit: more requests than the limit are rejected with 429 and Retry-After.
func TestRateLimit(t *testing.T) {
	s := start(t, func(c *Config) { c.Rate = 0.5 })
	if w := s.send("GET", "/users/x", ""); w.Code != 403 {
		t.Fatal(w.Code)
	}
	w := s.send("GET", "/users/x", "")
	if w.Code != 429 || w.Header().Get("Retry-After") != "2" || !strings.Contains(w.Body.String(), `"code":"too-many-requests"`) {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	if w := s.send("GET", "/_sandbox/api/requests", ""); !strings.Contains(w.Body.String(), `"status":429`) {
		t.Errorf("the log lacks the request: %s", w.Body)
	}
	b := newBucket(2)
	now := time.Unix(0, 0)
	for i, want := range []time.Duration{0, 0, 500 * time.Millisecond} {
		if got := b.take(now); got != want {
			t.Errorf("request %d waits for %s", i, got)
		}
	}
	if b.take(now.Add(500*time.Millisecond)) != 0 {
		t.Error("the limit does not recover")
	}
}

// TestOrigins: web pages of the configured origins, and no others, can call the API.
func TestOrigins(t *testing.T) {
	s := start(t, func(c *Config) { c.Origins = List{"http://localhost:3000"} })
	w := s.send("OPTIONS", "/users/x", "", "Origin", "http://localhost:3000", "Access-Control-Request-Method", "GET")
	if w.Code != 204 || w.Header().Get("Access-Control-Allow-Origin") != "http://localhost:3000" || !strings.Contains(w.Header().Get("Access-Control-Allow-Headers"), "Authorization") {
		t.Error(w.Code, w.Header())
	}
	if w := s.send("GET", "/users/x", "", "Origin", "http://localhost:3000"); w.Header().Get("Access-Control-Allow-Origin") == "" || w.Code != 403 {
		t.Error(w.Code, w.Header())
	}
	if w := s.send("GET", "/users/x", "", "Origin", "http://attacker.example"); w.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Error(w.Header())
	}
	if w := s.send("GET", "/_sandbox/api/users", "", "Origin", "http://localhost:3000"); w.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Error("the control API can be called from other origins", w.Header())
	}
}

// TestReboundPagesCannotUseTheAPI: the host name of a page of another site leads to the
// sandbox, whose API key is easy to guess.
func TestReboundPagesCannotUseTheAPI(t *testing.T) {
	s := start(t, nil)
	token := func(s *running, header ...string) int {
		t.Helper()
		return s.send("POST", "/token", "scope=SERVER_ACCESS", append(header, "Authorization", "Basic sandbox-key", "basiq-version", "3.0", "Content-Type", "application/x-www-form-urlencoded")...).Code
	}
	for name, c := range map[string]struct {
		header []string
		status int
	}{
		"a rebound page":           {[]string{"Host", "attacker.example:8787", "Origin", "http://attacker.example:8787"}, 403},
		"a program, by any name":   {[]string{"Host", "sandbox:8787"}, 200},
		"a page of this machine":   {[]string{"Host", "localhost:8787", "Origin", "http://localhost:3000"}, 200}, // which cannot read the response
		"a page, by an IP address": {[]string{"Host", "192.0.2.7:8787", "Origin", "http://192.0.2.7:8787"}, 200},
	} {
		if got := token(s, c.header...); got != c.status {
			t.Errorf("%s: status %d", name, got)
		}
	}
	open := start(t, func(c *Config) { c.Origins = List{"http://shop.example"} })
	if got := token(open, "Host", "sandbox.example", "Origin", "http://shop.example"); got != 200 {
		t.Errorf("a page that may call the API: status %d", got)
	}
}

// visitor is a browser without a script.
type visitor struct {
	t *testing.T
	*http.Client
}

func newVisitor(t *testing.T) *visitor {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{t, &http.Client{Jar: jar}}
}

func (v *visitor) get(address string) (*http.Response, string) {
	v.t.Helper()
	res, err := v.Get(address)
	if err != nil {
		v.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return res, string(text)
}

var formToken = regexp.MustCompile(`name="form" value="([^"]+)"`)

// TestVisitBelongsToItsBrowser: another browser cannot open the visit, and no other site
// can send its forms.
func TestVisitBelongsToItsBrowser(t *testing.T) {
	s := start(t, nil)
	user := s.user(t)
	v := newVisitor(t)
	res, text := v.get(s.link(t, user, basiq.ConsentOptions{}))
	visit := res.Request.URL.String()
	form := formToken.FindStringSubmatch(text)[1]
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
		"X-Frame-Options":         "DENY", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
	} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if res, text := newVisitor(t).get(visit); res.StatusCode != 404 || !strings.Contains(text, "This page has expired") {
		t.Errorf("another browser: status %d", res.StatusCode)
	}
	post := func(form string, header ...string) int {
		t.Helper()
		r, err := http.NewRequest("POST", visit+"/agree", strings.NewReader(url.Values{"form": {form}}.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for i := 0; i+1 < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		res, err := v.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res.StatusCode
	}
	if got := post("wrong"); got != 403 {
		t.Errorf("a wrong form token: status %d", got)
	}
	if got := post(form, "Origin", "https://attacker.example"); got != 403 {
		t.Errorf("another site: status %d", got)
	}
	if len(s.state(t, user).Consents) != 0 {
		t.Error("a forged form gave consent")
	}
	if got := post(form); got != 200 || len(s.state(t, user).Consents) != 1 {
		t.Errorf("status %d", got)
	}
}

// TestWrongLinks: the page says what is wrong, and does not show the token.
func TestWrongLinks(t *testing.T) {
	s := start(t, nil)
	user := s.user(t)
	server, err := s.client.Transport.Token(t.Context(), transport.TokenRequest{})
	if err != nil {
		t.Fatal(err)
	}
	link := s.link(t, user, basiq.ConsentOptions{Action: "extend"})
	for query, want := range map[string]string{
		"":                         "The link has no token.",
		"token=made-up":            "token is unknown.",
		"token=" + server.Reveal(): "SERVER_ACCESS token",
		strings.TrimPrefix(link, s.url+"/consent?"): "requires an active consent.",
	} {
		res, text := newVisitor(t).get(s.url + "/consent?" + query)
		if res.StatusCode != 400 || !strings.Contains(text, want) || strings.Contains(text, "made-up") || strings.Contains(text, "not-a-token.") {
			t.Errorf("%s: status %d, %s", want, res.StatusCode, text)
		}
	}
}

// TestConfigErrors: they name the flag.
func TestConfigErrors(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"--listen":             func(c *Config) { c.Address = "8787" },
		"--application":        func(c *Config) { c.Keys = List{"a", "a"} },
		"--rate-limit":         func(c *Config) { c.Rate = -1 },
		"--cors-origin":        func(c *Config) { c.Origins = List{"localhost:3000"} },
		"--public-url: ":       func(c *Config) { c.PublicURL = "sandbox.example" },
		"--transactions(-1): ": func(c *Config) { c.Transactions = -1 },
		"--redirect-url: ":     func(c *Config) { c.RedirectURL = "app" },
		"--redirect-url: the":  func(c *Config) { c.RedirectURL = "//app.example/back" },
		"--rate-limit and":     func(c *Config) { c.Rate = math.NaN() },
	} {
		cfg := Config{Address: "127.0.0.1:0"}
		change(&cfg)
		if s, err := New(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
			if s != nil {
				s.Close()
			}
		}
	}
}

// TestRun: it prints how to use the sandbox, serves it, and ends with the context.
func TestRun(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, w := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := Run(ctx, Config{Address: "127.0.0.1:0", ControlKey: "control-key"}, w)
		_ = w.CloseWithError(io.EOF)
		ended <- err
	}()
	var said bytes.Buffer
	text := make([]byte, 64<<10)
	n, err := r.Read(text)
	said.Write(text[:n])
	address := regexp.MustCompile(`API +(http://\S+)`).FindStringSubmatch(said.String())
	if err != nil || address == nil {
		t.Fatal(err, said.String())
	}
	for _, want := range []string{"API key      sandbox-key", "/_sandbox/", "Control key  control-key", basiqtest.Whistler.Password, "bighead", "curl -s"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("it does not say %s: %s", want, said.String())
		}
	}
	if res, text := newVisitor(t).get(address[1] + "/"); res.StatusCode != 200 || !strings.Contains(text, "sandbox console") {
		t.Errorf("status %d", res.StatusCode)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestPrintedAddressesCanBeCalled: what is printed leads to the sandbox, and only promises
// that no key is needed if that is so.
func TestPrintedAddressesCanBeCalled(t *testing.T) {
	s := start(t, nil)
	for _, c := range []struct {
		address, root string
		keyless       bool
	}{
		{"[::]:8787", "http://localhost:8787", true},
		{"0.0.0.0:8787", "http://localhost:8787", true},
		{"[::1]:8787", "http://[::1]:8787", true},
		{"192.0.2.1:8787", "http://192.0.2.1:8787", false},
	} {
		var said bytes.Buffer
		if err := s.introduce(&said, c.address); err != nil {
			t.Fatal(err)
		}
		if text := said.String(); !strings.Contains(text, "BASIQ_BASE_URL="+c.root+" ") || strings.Contains(text, "not needed") != c.keyless {
			t.Errorf("%s: %s", c.address, text)
		}
	}
}

func TestMoney(t *testing.T) {
	for amount, want := range map[string]string{"0.00": "0.00", "-1842.50": "−1,842.50", "412000.00": "412,000.00", "1234567.89": "1,234,567.89"} {
		if got := money(amount); got != want {
			t.Errorf("%s: %s", amount, got)
		}
	}
}

// TestBehindAPathPrefix: a proxy serves the sandbox below a path, which it removes.
func TestBehindAPathPrefix(t *testing.T) {
	proxy := httptest.NewUnstartedServer(nil)
	proxy.Start()
	t.Cleanup(proxy.Close)
	s := start(t, func(c *Config) { c.PublicURL = proxy.URL + "/basiq/" })
	proxy.Config.Handler = http.StripPrefix("/basiq", s)
	client, err := basiq.NewClient(basiq.WithBaseURL(proxy.URL+"/basiq"), basiq.WithAPIKey("sandbox-key"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	user := s.user(t, basiqtest.WentworthSmith)
	link, err := client.ConsentLink(t.Context(), user, basiq.ConsentOptions{PageURL: proxy.URL + "/basiq/consent", Action: "connect"})
	if err != nil {
		t.Fatal(err)
	}
	v := newVisitor(t)
	res, text := v.get(link.Reveal())
	if res.StatusCode != 200 || !strings.HasPrefix(res.Request.URL.Path, "/basiq/consent/") || !strings.Contains(text, "Choose your bank") {
		t.Fatal(res.StatusCode, res.Request.URL, text)
	}
	for _, address := range regexp.MustCompile(`(?:href|src|action)="([^"]+)"`).FindAllStringSubmatch(text, -1) {
		if to := address[1]; !strings.HasPrefix(to, "/basiq/") && to != "data:," && to != "#main" {
			t.Errorf("the page has a link to %s", to)
		}
	}
	if res, text := v.get(proxy.URL + "/basiq/_sandbox/static/style.css"); res.StatusCode != 200 || !strings.Contains(text, "prefers-color-scheme") {
		t.Errorf("status %d", res.StatusCode)
	}
	if res, text := v.get(proxy.URL + "/basiq/"); res.Request.URL.Path != "/basiq/_sandbox/" || !strings.Contains(text, "Control key") {
		t.Error(res.Request.URL, text)
	}
}

// TestProxyThatChangesTheHostHeader: a browser's forms have the origin of the public URL.
func TestProxyThatChangesTheHostHeader(t *testing.T) {
	s := start(t, func(c *Config) { c.PublicURL = "http://sandbox.example/basiq" })
	key := []string{"Authorization", "Bearer control-key"}
	for origin, status := range map[string]int{"http://sandbox.example": 204, "http://attacker.example": 403, "https://sandbox.example": 403} {
		if w := s.send("POST", "/_sandbox/api/jobs/finish", "", append(key, "Origin", origin)...); w.Code != status {
			t.Errorf("%s: status %d", origin, w.Code)
		}
	}
}

// TestCookiesAreForHTTPSOnlyBehindHTTPS: the proxy speaks https with the browser, and http
// with the sandbox.
func TestCookiesAreForHTTPSOnlyBehindHTTPS(t *testing.T) {
	for public, secure := range map[string]bool{"": false, "https://sandbox.example": true} {
		s := start(t, func(c *Config) { c.PublicURL = public })
		user, err := s.app().AddUser("max@example.com")
		if err != nil {
			t.Fatal(err)
		}
		var link struct{ URL string }
		w := s.send("POST", "/_sandbox/api/users/"+user+"/consent-link", "{}", "Authorization", "Bearer control-key")
		if err := json.Unmarshal(w.Body.Bytes(), &link); err != nil {
			t.Fatal(err)
		}
		_, query, _ := strings.Cut(link.URL, "?")
		cookies := s.send("GET", "/consent?"+query, "").Result().Cookies()
		if len(cookies) != 1 || cookies[0].Secure != secure {
			t.Errorf("%q: %v", public, cookies)
		}
	}
}

// TestConsentLinkOfAnotherApplication: the link's token says whose user it is for.
func TestConsentLinkOfAnotherApplication(t *testing.T) {
	s := start(t, func(c *Config) { c.Keys = List{"first-key", "second-key"} })
	user, err := s.apps[1].AddUser("erika@example.com")
	if err != nil {
		t.Fatal(err)
	}
	var made struct{ URL string }
	w := s.send("POST", "/_sandbox/api/users/"+user+"/consent-link?application=2", "{}")
	if err := json.Unmarshal(w.Body.Bytes(), &made); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(made.URL)
	if err != nil {
		t.Fatal(err)
	}
	if _, text := newVisitor(t).get(s.url + u.RequestURI()); !strings.Contains(text, "Share your data") {
		t.Error(text)
	}
}

// TestJobsUnderAClockThatStandsStill: they advance when they are polled.
func TestJobsUnderAClockThatStandsStill(t *testing.T) {
	s := start(t, func(c *Config) {
		c.Polled, c.Pace, c.Now.Time = false, time.Second, time.Date(2031, 5, 6, 0, 0, 0, 0, time.UTC)
	})
	jobs, err := s.app().Connect(s.user(t), basiqtest.Jared)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.client.WaitForJob(t.Context(), jobs[0], basiq.WaitOptions{Interval: time.Millisecond}); err != nil {
		t.Error(err)
	}
}

// TestFlags: the defaults, and what a flag accepts.
func TestFlags(t *testing.T) {
	t.Setenv(EnvControlKey, "of-the-environment")
	var cfg Config
	flags := flag.NewFlagSet("sandbox", flag.ContinueOnError)
	cfg.Register(flags)
	if err := flags.Parse([]string{"-application", "a,b", "-application", "c", "-now", "2031-05-06", "-rate-limit", "2.5"}); err != nil {
		t.Fatal(err)
	}
	if cfg.Keys.String() != "a,b,c" || cfg.Now.String() != "2031-05-06T00:00:00Z" || cfg.Rate != 2.5 || cfg.ControlKey != "of-the-environment" || cfg.Address != "127.0.0.1:8787" {
		t.Errorf("%+v", cfg)
	}
	if cfg.Keys.Set("a,,b") == nil || cfg.Now.Set("yesterday") == nil {
		t.Error("a value that is not valid is accepted")
	}
}

// TestThousandUsersAreSmall: 1,000 users with 5,000 transactions each, whose rows are made
// when they are asked for.
func TestThousandUsersAreSmall(t *testing.T) {
	s := start(t, func(c *Config) { c.Transactions = 5000 })
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	for range 1000 {
		user, err := s.app().AddUser("max@example.com")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.app().AddConnection(user, basiqtest.WentworthSmith); err != nil {
			t.Fatal(err)
		}
	}
	if grown := heap() - before; grown > 100<<20 {
		t.Errorf("%d MB", grown>>20)
	} else {
		t.Logf("%d MB", grown>>20)
	}
}
