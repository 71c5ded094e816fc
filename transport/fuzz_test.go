package transport_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/basiq-sdk/basiq-go/transport"
)

// canned responds to every request in the same way.
type canned struct {
	status int
	header http.Header
	body   string
}

func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	h := c.header.Clone()
	if h == nil {
		h = http.Header{}
	}
	return &http.Response{StatusCode: c.status, Header: h, Body: io.NopCloser(strings.NewReader(c.body)), ContentLength: -1, Request: r}, nil
}

func cannedClient(t testing.TB, rt http.RoundTripper, opts ...transport.ClientOption) *transport.Client {
	t.Helper()
	c, err := transport.New(append([]transport.ClientOption{
		transport.WithBaseURL("https://bank.example"), transport.WithTokenSource(transport.StaticToken("canary-token")),
		transport.WithHTTPClient(&http.Client{Transport: rt}), transport.WithoutRetry(),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// FuzzErrorBody: every error response, whatever its body, is an error with its
// status, of limited length, on one line, and without the token.
func FuzzErrorBody(f *testing.F) {
	for _, body := range []string{
		"", "null", "{}", "[]", "<html>", `{"data":[{"code":"x"}]}`, `{"data":{"code":"x"}}`, `{"errors":[{"code":"x"}]}`, `[{"code":"x"}]`,
		`{"correlationId":"a\nb","data":[{"code":"access-denied","title":"token expired","source":{"parameter":"p\r\nq","pointer":"/x"}}]}`,
		`{"message":"canary-token"}`, `{"code":"canary-token"}`, `{"correlationId":"canary-token"}`, "\ufeff{}", "\xff\xfe", `{"data":[1,null,"x",[],{}]}`,
		`{"code":"` + strings.Repeat("x", 10_000) + `"}`, `{"data":[` + strings.Repeat(`{"code":"x"},`, 1000) + `{}]}`, strings.Repeat("[", 20_000),
		`{"code":"` + strings.Repeat("é", 40) + `"}`, `{"code":"\u202etxt"}`, `{"data":{"data":{"data":{}}}}`, `{"source":[],"detail":{},"code":1}`,
	} {
		for _, status := range []int{304, 400, 401, 403, 429, 503} {
			f.Add(uint16(status), body, "c-1")
		}
	}
	f.Fuzz(func(t *testing.T, status uint16, body, id string) {
		if status = 300 + status%300; len(id) > 0 && status%2 == 0 {
			body = strings.Replace(body, "c-1", id, 1)
		}
		c := cannedClient(t, canned{status: int(status), body: body})
		_, err := get(context.Background(), c)
		var e *transport.Error
		if !errors.As(err, &e) || e.Status != int(status) {
			t.Fatalf("got %v", err)
		}
		text := err.Error()
		encoded, jsonErr := json.Marshal(e)
		switch {
		case len(text) > 20_000 || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
			t.Errorf("the text is %q", text)
		case strings.Contains(text+string(e.Body)+string(encoded), "canary-token"):
			t.Errorf("the token is shown: %s", text)
		case fmt.Sprintf("%+v", err) != text || fmt.Sprintf("%#v", e) != text:
			t.Errorf("it prints as %+v", err)
		case jsonErr != nil || !json.Valid(encoded):
			t.Errorf("as JSON it is %s, %v", encoded, jsonErr)
		case len(e.Body) > 3*64<<10 || len(e.Problems) > 64:
			t.Errorf("%d bytes and %d problems are kept", len(e.Body), len(e.Problems))
		case errors.Is(err, transport.ErrTokenExpired) && errors.Is(err, transport.ErrForbidden):
			t.Error("it is both kinds of 403")
		}
		_ = e.Advice()
	})
}

// FuzzPageLink: a link either leads to the list's own route on its own host, or is an
// error.
func FuzzPageLink(f *testing.F) {
	for _, link := range []string{
		"", "/things?next=2", "https://bank.example/things?next=2", "https://bank.example:443/things/", "?next=2", "things?next=2", "//evil.example/things",
		"https://evil.example/things", "https://bank.example@evil.example/things", "https://bank.example.evil.example/things", "http://bank.example/things",
		"https://user:word@bank.example/things", "/things/../token", "/things/%2e%2e/token", "/things/%252e%252e/token", `/things\..\token`, "/thingsx",
		"/things/x/..;/y", "HTTPS://BANK.EXAMPLE/things?x", "https://bank.example:/things", "https://bank.example:8443/things", "javascript:alert(1)", "/things?next=\n", "/things#f", "/things%00",
		"https:///things", "https:/things", "///things", "/things?next=" + strings.Repeat("x", 20_000), "\x00", "https://[::1]/things", "mailto:x", "/Things", "/%74hings",
	} {
		f.Add(link)
	}
	f.Fuzz(func(t *testing.T, link string) {
		first, err := json.Marshal(map[string]any{"data": []any{map[string]string{"id": "1"}}, "next": link})
		if err != nil {
			t.Skip()
		}
		calls := 0
		c := cannedClient(t, roundTripper(func(r *http.Request) (*http.Response, error) {
			calls++
			if u := r.URL; u.Scheme != "https" || u.Host != "bank.example" || u.User != nil {
				t.Errorf("%q leads to %s", link, u)
			}
			// However often the path is decoded, it stays where it was.
			path := r.URL.EscapedPath()
			for range 4 {
				clean := strings.ReplaceAll(path, `\`, "/")
				if clean != "/things" && !strings.HasPrefix(clean, "/things/") || strings.Contains(clean+"/", "/../") || strings.Contains(clean, "//") {
					t.Errorf("%q leads to %s", link, r.URL)
				}
				decoded, err := url.PathUnescape(path)
				if err != nil {
					break
				}
				path = decoded
			}
			body := string(first)
			if calls > 1 {
				body = `{"data":[{"id":"2"}]}`
			}
			return canned{status: 200, body: body}.RoundTrip(r)
		}))
		ids, err := list(c)
		switch {
		case calls > 2 || calls == 2 && (err != nil || len(ids) != 2):
			t.Errorf("%d calls, %v, %v", calls, ids, err)
		case calls == 1 && err == nil && link != "" && utf8.ValidString(link):
			t.Errorf("%q is neither followed nor rejected", link)
		case err != nil && (!errors.Is(err, transport.ErrPageLink) || len(ids) != 1):
			t.Errorf("%v, %v", ids, err)
		case err != nil && strings.Contains(err.Error(), "word"):
			t.Errorf("the error shows the link: %v", err)
		}
	})
}

// FuzzTokenAnswer: every response to POST /token either is a token that is a valid
// header value and expires, or an error that does not show it.
func FuzzTokenAnswer(f *testing.F) {
	for _, body := range []string{
		"", "null", "[]", `""`, `{}`, `{"access_token":"canary"}`, `{"access_token":"canary","token_type":"mac"}`, `{"access_token":"can\r\nary"}`, `{"access_token":["canary"]}`,
		`{"access_token":"canary","expires_in":1e400}`, `{"access_token":"canary","expires_in":-0}`, `{"access_token":"canary","expires_in":"1e3"}`, `{"access_token":"canary","expires_in":0.1}`,
		`{"access_token":"canary","expires_in":9223372036854775808}`, `{"access_token":"canary","expires_in":86400.0001}`, `{"access_token":"canary","expires_in":true}`,
		`{"access_token":"canary","expires_in":{"a":1}}`, `{"access_token":"canary\u0000"}`, `{"access_token":"canary\ud83d"}`, "{\"access_token\":\"canary\xff\"}", `{"access_token":"canary"} {}`,
		`{"access_token":"a","access_token":"canary"}`, `{"access_token":"` + strings.Repeat("canary", 5000) + `"}`, "\ufeff" + `{"access_token":"canary","expires_in":3600}`, "canary",
	} {
		f.Add(uint8(0), body)
		f.Add(uint8(200), body)
	}
	f.Fuzz(func(t *testing.T, status uint8, body string) {
		code := http.StatusOK
		if status >= 128 {
			code = 300 + int(status)
		}
		var sent []string
		start := time.Now()
		key, err := transport.New(transport.WithBaseURL("https://bank.example"), transport.WithAPIKey("the-key"), transport.WithoutRetry(),
			transport.WithHTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
				if r.URL.Path == "/token" {
					return canned{status: code, body: body}.RoundTrip(r)
				}
				sent = r.Header["Authorization"]
				return canned{status: 200, body: "{}"}.RoundTrip(r)
			})}))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = key.Close() }()
		token, err := key.Token(context.Background(), transport.TokenRequest{})
		if err != nil {
			var te *transport.TokenError
			if !errors.As(err, &te) || strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), "canary") {
				t.Errorf("got %v", err)
			}
			return
		}
		life := token.Expires().Sub(start)
		if code != http.StatusOK || life < time.Minute || life > 24*time.Hour+time.Minute || strings.ContainsFunc(token.Reveal(), func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
			t.Errorf("%q gives a token that lives for %s", body, life)
		}
		if _, err := get(context.Background(), key); err != nil || len(sent) != 1 || sent[0] != "Bearer "+token.Reveal() {
			t.Errorf("it is sent as %q, %v", sent, err)
		}
	})
}

// FuzzRetryAfter: a Retry-After header never gives a negative wait, and a number of
// seconds is read exactly.
func FuzzRetryAfter(f *testing.F) {
	for _, v := range []string{"", "0", "1", "1.5", "-1", "1e400", "1e18", "NaN", "inf", "0x10", "1_000", " 7 ", "Wed, 21 Oct 2015 07:28:00 GMT", "Wednesday, 21-Oct-15 07:28:00 GMT", "Wed Oct 21 07:28:00 2015", "soon", "9223372036854775807"} {
		f.Add(v, "", "")
		f.Add(v, "2", "Wed, 21 Oct 2015 07:27:00 GMT")
	}
	f.Fuzz(func(t *testing.T, one, two, date string) {
		h := http.Header{"Retry-After": {one, two}, "Date": {date}}
		_, err := get(context.Background(), cannedClient(t, canned{status: 429, header: h}))
		var e *transport.Error
		if !errors.As(err, &e) || e.RetryAfter < 0 {
			t.Fatalf("%q: %v", one, err)
		}
		if n, err := strconv.ParseUint(one, 10, 31); err == nil && e.RetryAfter < time.Duration(n)*time.Second {
			t.Errorf("%q: %s", one, e.RetryAfter)
		}
		if one == "" && two == "" && e.RetryAfter != 0 {
			t.Errorf("nothing is read as %s", e.RetryAfter)
		}
	})
}
