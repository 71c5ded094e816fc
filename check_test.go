package basiq_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/transport"
)

// checked returns the report of a client with this base URL, and fails if it
// contains a secret.
func checked(t *testing.T, address string, opts ...basiq.Option) *basiq.CheckReport {
	t.Helper()
	c, err := basiq.NewClient(append([]basiq.Option{basiq.WithAPIKey(apiKey), basiq.WithBaseURL(address)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Transport.Close() }()
	r := c.Check(t.Context(), basiq.CheckOptions{})
	if text := fmt.Sprintf("%s %+v %#v", r, r, r); strings.Contains(text, apiKey) || strings.Contains(text, tokenText) {
		t.Errorf("the report contains a secret: %s", text)
	}
	return r
}

// TestCheckFindsCause checks, for each response to POST /token, which check
// fails and with what summary and advice.
func TestCheckFindsCause(t *testing.T) {
	problem := func(status int, code, parameter, detail string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"type":"list","correlationId":"c-1","data":[{"code":%q,"title":"%s","detail":%q,"source":{"parameter":%q}}]}`,
				code, r.Header.Get("Authorization"), detail, parameter)
		}
	}
	page := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "<html><body>Welcome</body></html>")
		}
	}
	tests := map[string]struct {
		answer http.HandlerFunc
		failed basiq.CheckName
		says   string
		advice string
	}{
		"unknown key":     {problem(404, "parameter-not-valid", "", "check API key"), basiq.CheckAPIKey, "does not know the key", "dashboard"},
		"wrong path":      {problem(404, "resource-not-found", "", "Route not found for this API version."), basiq.CheckBaseURL, "no tokens at this path", basiq.EnvBaseURL},
		"malformed key":   {problem(400, "parameter-not-valid", "Authorization", "Invalid authorization header."), basiq.CheckAPIKey, "cannot read the key", "do not encode it again"},
		"version missing": {problem(400, "parameter-not-valid", "basiq-version", "Version must be specified."), basiq.CheckVersion, "3.0", "removes the basiq-version header"},
		"version old":     {problem(400, "parameter-not-valid", "", "Version no longer supported."), basiq.CheckVersion, "3.0", "update"},
		"disabled":        {problem(403, "forbidden-access", "", "Account disabled"), basiq.CheckAPIKey, "disabled", "dashboard"},
		"throttled 403":   {problem(403, "forbidden-access", "", "Invalid request"), basiq.CheckServerScope, "too many", "five minutes"},
		"throttled 429":   {problem(429, "too-many-requests", "", ""), basiq.CheckServerScope, "too many", "five minutes"},
		"unauthorised":    {problem(401, "unauthorized-access", "", ""), basiq.CheckAPIKey, "rejects the key", "dashboard"},
		"unavailable":     {problem(503, "service-unavailable", "", ""), basiq.CheckServerScope, "unavailable", "status"},
		"web page":        {page(200), basiq.CheckBaseURL, "not from Basiq's API", basiq.EnvBaseURL},
		"web page, 404":   {page(404), basiq.CheckBaseURL, "not from Basiq's API", basiq.EnvBaseURL},
		"web page, 501":   {page(501), basiq.CheckBaseURL, "not from Basiq's API", basiq.EnvBaseURL},
		"gateway, 429":    {page(429), basiq.CheckServerScope, "too many", "five minutes"},
		"gateway, 500":    {page(500), basiq.CheckServerScope, "unavailable", "later"},
		"gateway, 502":    {page(502), basiq.CheckServerScope, "unavailable", "later"},
		"gateway, 503":    {page(503), basiq.CheckServerScope, "unavailable", "later"},
		"gateway, 504":    {page(504), basiq.CheckServerScope, "unavailable", "later"},
		"CDN, 522":        {page(522), basiq.CheckServerScope, "unavailable", "later"},
		"gateway, 408":    {page(408), basiq.CheckServerScope, "unavailable", "later"},
		"another service": {func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }, basiq.CheckBaseURL, "not from Basiq's API", basiq.EnvBaseURL},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://www.example.com/", http.StatusFound)
		}, basiq.CheckBaseURL, "not from Basiq's API", basiq.EnvBaseURL},
		"no token": {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{}`) }, basiq.CheckServerScope, "no usable token", "between"},
		"hang-up":  {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, basiq.CheckBaseURL, "cannot be reached", "firewall"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var calls atomic.Int64
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				calls.Add(1)
				test.answer(w, r)
			}))
			defer s.Close()
			r := checked(t, s.URL)
			if r.OK() {
				t.Fatalf("nothing failed:\n%s", r)
			}
			for _, f := range r.Findings {
				if (f.Status == basiq.CheckFailed) != (f.Check == test.failed) {
					t.Errorf("%s: %s", f.Check, f.Status)
				}
			}
			f := r.Finding(test.failed)
			if !strings.Contains(f.Summary, test.says) || !strings.Contains(f.Advice, test.advice) || f.Err == nil {
				t.Errorf("%+v", f)
			}
			if r.Calls != 1 || calls.Load() != 1 {
				t.Errorf("reported %d calls, made %d", r.Calls, calls.Load())
			}
		})
	}
}

// TestCheckUnreachable checks the findings if there is no response.
func TestCheckUnreachable(t *testing.T) {
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for address, says := range map[string]string{
		secure.URL: "certificate", strings.Replace(plain.URL, "http:", "https:", 1): "TLS connection", gone.URL: "cannot be reached",
		"https://basiq.invalid": "",
	} {
		r := checked(t, address)
		if f := r.Finding(basiq.CheckBaseURL); f.Status != basiq.CheckFailed || !strings.Contains(f.Summary, says) || f.Advice == "" {
			t.Errorf("%s: %+v", address, f)
		}
		if f := r.Finding(basiq.CheckAPIKey); f.Status != basiq.CheckSkipped {
			t.Errorf("%s: API key: %+v", address, f)
		}
	}
}

// TestCheckEndsWithItsContext checks that a cancelled check says so.
func TestCheckEndsWithItsContext(t *testing.T) {
	s := basiqtest.NewServer(t)
	c := s.Client(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r := c.Check(ctx, basiq.CheckOptions{}); r.OK() || !strings.Contains(r.String(), "cancelled") {
		t.Errorf("%s", r)
	}
}

// TestCheckComparesClocks checks the reported clock skew.
func TestCheckComparesClocks(t *testing.T) {
	for _, test := range []struct {
		off    time.Duration // of the API's clock
		status basiq.CheckStatus
		says   string
	}{
		{0, basiq.CheckOK, "within"}, {20 * time.Second, basiq.CheckOK, "within"},
		{10 * time.Minute, basiq.CheckWarning, "behind"}, {-10 * time.Minute, basiq.CheckWarning, "ahead of"},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", time.Now().Add(test.off).UTC().Format(http.TimeFormat))
			fmt.Fprintf(w, `{"access_token":"%s","token_type":"Bearer","expires_in":3600}`, tokenText)
		}))
		r := checked(t, s.URL)
		s.Close()
		if f := r.Finding(basiq.CheckClock); f.Status != test.status || !strings.Contains(f.Summary, test.says) || !r.OK() {
			t.Errorf("%s: %+v", test.off, f)
		}
		if d := (r.Skew + test.off).Abs(); d > 2*time.Second {
			t.Errorf("%s: the skew is %s", test.off, r.Skew)
		}
	}
}

// TestCheckUser checks the finding for a user's token.
func TestCheckUser(t *testing.T) {
	s := basiqtest.NewServer(t)
	c := s.Client(t)
	user, err := c.Core.Users.Create(t.Context(), core.CreateUserParams{Email: "max@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	r := c.Check(t.Context(), basiq.CheckOptions{UserID: user.ID})
	for _, f := range r.Findings {
		if f.Status != basiq.CheckOK {
			t.Errorf("%+v", f)
		}
	}
	if !r.OK() || r.Calls != 2 {
		t.Errorf("%d calls:\n%s", r.Calls, r)
	}
	r = c.Check(t.Context(), basiq.CheckOptions{UserID: "nobody"})
	if f := r.Finding(basiq.CheckClientScope); f.Status != basiq.CheckFailed || !strings.Contains(f.Advice, "application") {
		t.Errorf("%+v", f)
	}
}

// TestCheckUserDuringOutage checks that a gateway's error page for the user's
// token is not blamed on the user ID.
func TestCheckUserDuringOutage(t *testing.T) {
	for status, says := range map[int]string{429: "too many", 503: "unavailable", 522: "unavailable"} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.FormValue("userId") != "" {
				w.Header().Set("Content-Type", "text/html")
				w.WriteHeader(status)
				return
			}
			fmt.Fprintf(w, `{"access_token":"%s","token_type":"Bearer","expires_in":3600}`, tokenText)
		}))
		c, err := basiq.NewClient(basiq.WithAPIKey(apiKey), basiq.WithBaseURL(s.URL))
		if err != nil {
			t.Fatal(err)
		}
		r := c.Check(t.Context(), basiq.CheckOptions{UserID: "u-1"})
		if f := r.Finding(basiq.CheckClientScope); f.Status != basiq.CheckFailed || !strings.Contains(f.Summary, says) {
			t.Errorf("%d: %+v", status, f)
		}
		_ = c.Close()
		s.Close()
	}
}

// TestCheckTokenSource checks the findings for tokens from a TokenSource.
func TestCheckTokenSource(t *testing.T) {
	s := basiqtest.NewServer(t)
	good, err := s.Client(t).Transport.Token(t.Context(), transport.TokenRequest{Scope: transport.ScopeServer})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]basiq.CheckStatus{good.Reveal(): basiq.CheckOK, tokenText: basiq.CheckFailed} {
		c, err := basiq.NewClient(basiq.WithBaseURL(s.URL), transport.WithTokenSource(transport.StaticToken(text)))
		if err != nil {
			t.Fatal(err)
		}
		r := c.Check(t.Context(), basiq.CheckOptions{})
		if f := r.Finding(basiq.CheckAPIKey); f.Status != want || r.Calls != 1 || r.OK() != (want == basiq.CheckOK) {
			t.Errorf("%d calls:\n%s", r.Calls, r)
		}
		_ = c.Transport.Close()
	}
}

// TestGatewayOutageSkipsBaseURLCheck checks that a gateway's error response says
// nothing about the base URL, whatever its content type is.
func TestGatewayOutageSkipsBaseURLCheck(t *testing.T) {
	for _, kind := range []string{"text/plain", "application/xhtml+xml", "text/html", ""} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = []string{kind}
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, "upstream")
		}))
		r := checked(t, s.URL)
		for _, name := range []basiq.CheckName{basiq.CheckBaseURL, basiq.CheckClock} {
			if f := r.Finding(name); f.Status != basiq.CheckSkipped {
				t.Errorf("%s: %+v", kind, f)
			}
		}
		s.Close()
	}
}

// TestCheckUserBlamesUserIDOnlyIfAPIRejectsIt checks the findings for other
// responses to the request for a user's token.
func TestCheckUserBlamesUserIDOnlyIfAPIRejectsIt(t *testing.T) {
	for name, c := range map[string]struct {
		status     int
		kind, body string
		says       string
	}{
		"rate limit":   {403, "application/json", `{"data":[{"code":"access-denied","title":"Forbidden","detail":"Invalid request"}]}`, "too many"},
		"timeout":      {408, "text/html", "<html>", "unavailable"},
		"not found":    {404, "text/html", "<html>", "not from Basiq's API"},
		"web page":     {200, "text/html", "<html>", "not from Basiq's API"},
		"unknown user": {404, "application/json", `{"data":[{"code":"resource-not-found"}]}`, "for this user"},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.FormValue("userId") != "" {
				w.Header().Set("Content-Type", c.kind)
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
				return
			}
			fmt.Fprintf(w, `{"access_token":"%s","token_type":"Bearer","expires_in":3600}`, tokenText)
		}))
		client, err := basiq.NewClient(basiq.WithAPIKey(apiKey), basiq.WithBaseURL(s.URL))
		if err != nil {
			t.Fatal(err)
		}
		f := client.Check(t.Context(), basiq.CheckOptions{UserID: "u-1"}).Finding(basiq.CheckClientScope)
		if f.Status != basiq.CheckFailed || !strings.Contains(f.Summary, c.says) || strings.Contains(f.Advice, "user ID") != (name == "unknown user") {
			t.Errorf("%s: %+v", name, f)
		}
		_ = client.Close()
		s.Close()
	}
}

// TestCheckTokenSourceFails checks that an error of the token source says nothing
// about the base URL, even if the error is one of this SDK.
func TestCheckTokenSourceFails(t *testing.T) {
	for _, cause := range []error{
		&transport.Error{Operation: "token", Path: "/token", Status: 503}, &transport.SendError{Operation: "token", Path: "/token", Err: io.EOF}, io.EOF,
	} {
		for _, failing := range []transport.Scope{transport.ScopeServer, transport.ScopeClient} {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, `{"data":[]}`)
			}))
			c, err := basiq.NewClient(basiq.WithBaseURL(s.URL), basiq.WithTokenSource(transport.TokenSourceFunc(func(_ context.Context, req transport.TokenRequest) (transport.Token, error) {
				if req.Scope == failing {
					return transport.Token{}, cause
				}
				return transport.NewToken(tokenText, time.Time{}), nil
			})))
			if err != nil {
				t.Fatal(err)
			}
			r := c.Check(t.Context(), basiq.CheckOptions{UserID: "u-1"})
			name, address := basiq.CheckServerScope, basiq.CheckSkipped
			if failing == transport.ScopeClient {
				name, address = basiq.CheckClientScope, basiq.CheckOK
			}
			if f := r.Finding(name); f.Status != basiq.CheckFailed || !strings.Contains(f.Advice, "token source") || r.Finding(basiq.CheckBaseURL).Status != address {
				t.Errorf("%T for %s:\n%s", cause, failing, r)
			}
			_ = c.Close()
			s.Close()
		}
	}
}

// TestCheckClosedClient checks that the report names the closed client as the cause.
func TestCheckClosedClient(t *testing.T) {
	c, err := basiq.NewClient(basiq.WithAPIKey(apiKey), basiq.WithBaseURL("http://127.0.0.1:1"))
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	if r := c.Check(t.Context(), basiq.CheckOptions{}); r.OK() || !strings.Contains(r.String(), "closed") || strings.Contains(r.String(), "token source") {
		t.Errorf("%s", r)
	}
}
