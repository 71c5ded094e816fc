package repo_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/internal/loopback"
	"github.com/basiq-sdk/basiq-go/webhook"
)

// TestREADME runs the README's first program as a newcomer would: in a separate
// folder that requires this module, against an in-memory fake server.
func TestREADME(t *testing.T) {
	root()
	t.Parallel()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	if lines := bytes.Count(text, []byte("\n")); lines >= 250 {
		t.Errorf("README.md has %d lines, want fewer than 250: move details to docs/", lines)
	}
	code := program(t, "README.md")
	srv := basiqtest.NewServer(t)
	env := []string{"BASIQ_API_KEY=" + srv.APIKey(), "BASIQ_BASE_URL=" + srv.URL}
	if out, err := newcomer(t, "main.go", code, env, "run", "."); err != nil || !strings.HasSuffix(out, " max@example.com\n") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestQuickstartOutput compares the output in the guide with that of the
// program, which its own test holds.
func TestQuickstartOutput(t *testing.T) {
	root()
	t.Parallel()
	text, err := os.ReadFile("docs/getting-started.md")
	if err != nil {
		t.Fatal(err)
	}
	output, err := os.ReadFile("examples/quickstart/testdata/output.txt")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(text, append(append([]byte("```text\n"), output...), "```"...)) {
		t.Error("the output in docs/getting-started.md is outdated: copy examples/quickstart/testdata/output.txt")
	}
}

// program returns the first main package in a page.
func program(t *testing.T, page string) string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range goBlocks(page, string(text)) {
		if strings.HasPrefix(b.code, "package main\n") {
			return b.code
		}
	}
	t.Fatalf("%s contains no program", page)
	return ""
}

// newcomer writes code to a folder that requires this module, and runs the go
// command there.
func newcomer(t *testing.T, name, code string, env []string, args ...string) (string, error) {
	t.Helper()
	repo, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, content := range map[string]string{
		name: code,
		"go.mod": "module newcomer\n\ngo 1.26\n\nrequire github.com/basiq-sdk/basiq-go v0.0.0\n\n" +
			"replace github.com/basiq-sdk/basiq-go => " + strconv.Quote(filepath.ToSlash(repo)) + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off"), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestWebApplication runs the web application of the guide: a customer gives
// consent and comes back, the bank asks a question, and a webhook arrives.
func TestWebApplication(t *testing.T) {
	root()
	t.Parallel()
	code := program(t, "docs/web-application.md")
	listener, err := loopback.Listen()
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	srv := basiqtest.NewServer(t, basiqtest.WithTransactions(20), basiqtest.WithRedirectURL("http://"+address+"/back"),
		basiqtest.WithNow(time.Date(2031, 5, 6, 0, 0, 0, 0, time.UTC)))
	secret := "whsec_" + base64.RawStdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 29))
	dir := t.TempDir()
	binary := filepath.Join(dir, "app")
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(code), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-o", binary, filepath.Join(dir, "main.go")).CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	ctx, stop := context.WithCancel(t.Context())
	app := exec.CommandContext(ctx, binary)
	app.Env = append(os.Environ(), "BASIQ_API_KEY="+srv.APIKey(), "BASIQ_BASE_URL="+srv.URL, "BASIQ_WEBHOOK_SECRET="+secret, "ADDR="+address)
	log, err := app.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := app.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		stop()
		_ = app.Wait()
	}()

	site := "http://" + address
	var res *http.Response
	for range 100 {
		if res, err = http.Get(site + "/back"); err == nil {
			_ = res.Body.Close()
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err != nil {
		t.Fatal(err)
	}
	logged := bufio.NewScanner(log)
	if !logged.Scan() || res.StatusCode != http.StatusBadRequest {
		t.Errorf("status %d for a browser without a visit", res.StatusCode)
	}
	customer := &customer{t: t, site: site, srv: srv}
	if shown := customer.connects(basiqtest.Gilfoyle); strings.Count(shown, "\n") < 3 || strings.Contains(shown, "<form") {
		t.Errorf("the customer sees:\n%s", shown)
	}
	login := basiqtest.WentworthSmith
	login.Institution = basiqtest.PiedPiper // always asks a question
	asked := customer.connects(login)
	if !strings.Contains(asked, "<form") || strings.Count(asked, `name="answer"`) != 2 {
		t.Fatalf("after the bank's question, the customer sees:\n%s", asked)
	}
	for _, form := range []url.Values{{}, {"answer": {"Basiq"}}} { // too few answers: none is sent, and the question stays open
		if shown := customer.sends("/answer", form); strings.Count(shown, `name="answer"`) != 2 || !logged.Scan() {
			t.Errorf("after too few answers, the customer sees:\n%s", shown)
		}
	}
	if shown := customer.sends("/answer", url.Values{"answer": {"Basiq", basiqtest.Hooli}}); strings.Count(shown, "\n") < 3 || strings.Contains(shown, "<form") {
		t.Errorf("after the answers, the customer sees:\n%s", shown)
	}
	srv.Fail(basiqtest.Fault{Operation: "core.Users.Create", Status: http.StatusBadRequest})
	if shown := customer.sends("/connect", url.Values{"email": {"max@example.com"}}); strings.Contains(shown, "basiq:") || !logged.Scan() || !strings.Contains(logged.Text(), "core.Users.Create") {
		t.Errorf("the customer sees %s, and the operator %s", shown, logged.Text())
	}
	foreignPosts(t, site)
	cookieOverTLS(t, site)

	signer, err := webhook.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	body := `{"eventTypeId":"transactions.updated","eventId":"e-1","links":{"eventEntity":"` + srv.URL + `/users/u-1/transactions"}}`
	req := httptest.NewRequest(http.MethodPost, "http://"+address+"/webhook", strings.NewReader(body))
	req.RequestURI = ""
	for name, value := range signer.Headers("m-1", time.Now(), []byte(body)) {
		req.Header.Set(name, value)
	}
	if res, err = http.DefaultClient.Do(req); err != nil || res.StatusCode != http.StatusNoContent {
		t.Fatalf("the webhook: %v, %v", res, err)
	}
	_ = res.Body.Close()
	if !logged.Scan() || !strings.HasSuffix(logged.Text(), "transactions.updated u-1") {
		t.Errorf("the application logged %q", logged.Text())
	}
}

// customer simulates a customer's browser.
type customer struct {
	t    *testing.T
	site string
	srv  *basiqtest.Server
	http *http.Client
}

// connects goes to the Consent UI and back, and returns the page shown after
// that.
func (c *customer) connects(login basiqtest.Login) string {
	c.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		c.t.Fatal(err)
	}
	c.http = &http.Client{Jar: jar, Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := c.http.PostForm(c.site+"/connect", url.Values{"email": {"max@example.com"}})
	if err != nil {
		c.t.Fatal(err)
	}
	_ = res.Body.Close()
	back, err := c.srv.VisitConsentLink(res.Header.Get("Location"), login)
	if err != nil {
		c.t.Fatal(err)
	}
	if res, err = c.http.Get(back); err != nil {
		c.t.Fatal(err)
	}
	return c.read(res)
}

// sends posts a form, and returns the page shown after that.
func (c *customer) sends(path string, form url.Values) string {
	c.t.Helper()
	res, err := c.http.PostForm(c.site+path, form)
	if err != nil {
		c.t.Fatal(err)
	}
	return c.read(res)
}

func (c *customer) read(res *http.Response) string {
	c.t.Helper()
	defer res.Body.Close()
	shown, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return string(shown)
}

// foreignPosts checks that posts from other sites are rejected.
func foreignPosts(t *testing.T, site string) {
	t.Helper()
	for _, header := range [][2]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://elsewhere.example"}} {
		for _, path := range []string{"/connect", "/answer"} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, site+path, strings.NewReader("email=max@example.com"))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			req.Header.Set(header[0], header[1])
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			if res.StatusCode != http.StatusForbidden {
				t.Errorf("POST %s from another site: %d", path, res.StatusCode)
			}
		}
	}
}

// cookieOverTLS checks the cookie behind two proxies that terminate TLS: one
// that sets X-Forwarded headers, and one that only preserves the Host header.
func cookieOverTLS(t *testing.T, site string) {
	t.Helper()
	target, err := url.Parse(site)
	if err != nil {
		t.Fatal(err)
	}
	for name, rewrite := range map[string]func(*httputil.ProxyRequest){
		"forwarded": func(r *httputil.ProxyRequest) { r.SetURL(target); r.SetXForwarded() },
		"host":      func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Host = "shop.example" },
	} {
		proxy := httptest.NewTLSServer(&httputil.ReverseProxy{Rewrite: rewrite})
		browser := proxy.Client()
		browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		res, err := browser.PostForm(proxy.URL+"/connect", url.Values{"email": {"max@example.com"}})
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if cookies := res.Cookies(); len(cookies) != 1 || !cookies[0].Secure || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteLaxMode || cookies[0].MaxAge <= 0 {
			t.Errorf("%s: got cookies %+v", name, cookies)
		}
		proxy.Close()
	}
}
