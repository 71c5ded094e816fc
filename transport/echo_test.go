package transport_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/internal/loopback"
	"github.com/basiq-sdk/basiq-go/transport"
)

// echoed is a token with characters that JSON, URLs and HTML escape.
const echoed = "canary/token+with-signs_and=more"

// escapes returns the escaped forms of a text in responses.
func escapes(s string) map[string]string {
	var unicode, upper strings.Builder
	for _, r := range s {
		fmt.Fprintf(&unicode, `\u%04x`, r)
		fmt.Fprintf(&upper, `\u%04X`, r)
	}
	quoted, _ := json.Marshal(s)
	twice, _ := json.Marshal(string(quoted[1 : len(quoted)-1]))
	slashed := strings.ReplaceAll(s, "/", `\/`)
	nested, _ := json.Marshal(slashed)
	return map[string]string{
		"as it is": s, "slash": slashed, "plus": strings.ReplaceAll(s, "+", `\u002B`), "hyphen": strings.ReplaceAll(s, "-", `\u002d`),
		"every character": unicode.String(), "upper case": upper.String(), "JSON": string(quoted[1 : len(quoted)-1]), "JSON in JSON": string(twice[1 : len(twice)-1]),
		"escaped twice": string(nested[1 : len(nested)-1]), "URL": url.QueryEscape(s), "URL in lower case": strings.ToLower(url.QueryEscape(s)), "every byte": hexEscaped(s),
		"HTML": html.EscapeString(s), "HTML in decimal": strings.NewReplacer("/", "&#47;", "+", "&#43;").Replace(s), "HTML in hexadecimal": strings.NewReplacer("/", "&#x2F;", "=", "&#x3d;").Replace(s),
	}
}

func hexEscaped(s string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, "%%%02x", s[i])
	}
	return b.String()
}

// everything returns all texts of an error and a log.
func everything(t *testing.T, err error, log string) string {
	t.Helper()
	var api *transport.Error
	var b strings.Builder
	fmt.Fprintf(&b, "%v %+v %#v %s", err, err, err, log)
	if errors.As(err, &api) {
		fmt.Fprintf(&b, "%s %q %+v", api.Body, api.CorrelationID, api.Problems)
		var decoded any
		if json.Unmarshal(api.Body, &decoded) == nil {
			fmt.Fprintf(&b, "%v", decoded)
		}
	}
	text := b.String()
	for range 3 { // what a reader would undo
		if plain, err := url.PathUnescape(text); err == nil {
			text += plain
		}
		text += html.UnescapeString(text)
	}
	return text
}

// TestEscapedEchoesAreRedacted: a server echoes the token in every escaped form, in
// every member of a problem.
func TestEscapedEchoesAreRedacted(t *testing.T) {
	for name, spelling := range escapes(echoed) {
		for place, body := range map[string]string{
			"detail":         `{"data":[{"code":"access-denied","detail":"not ` + spelling + ` here"}]}`,
			"code":           `{"data":[{"code":"` + spelling + `"}]}`,
			"title":          `{"data":[{"title":"` + spelling + `"}]}`,
			"parameter":      `{"data":[{"source":{"parameter":"` + spelling + `","pointer":"/` + spelling + `"}}]}`,
			"correlation id": `{"correlationId":"` + spelling + `","data":[]}`,
			"error":          `{"error":"` + spelling + `"}`,
			"no JSON":        `<p>` + spelling + `</p>`,
			"cut off":        `{"data":[{"detail":"` + spelling[:len(spelling)*3/4],
			"shortened":      `{"data":[{"detail":"token ` + spelling[:len(spelling)*3/4] + `..."}]}`,
		} {
			var log strings.Builder
			b, c := inMemory(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusBadRequest)
				_, _ = io.WriteString(w, body)
			}, transport.WithTokenSource(transport.StaticToken(echoed)), transport.WithLogger(textLogger(&log)))
			_ = b
			_, err := get(t.Context(), c)
			if err == nil {
				t.Fatal("no error")
			}
			if text := everything(t, err, log.String()); strings.Contains(text, "canary") {
				t.Errorf("%s in %s: %s", name, place, text)
			}
		}
	}
}

// TestEchoAtTheLimit: a secret that is cut by the size limit of the body is redacted,
// wherever it is cut.
func TestEchoAtTheLimit(t *testing.T) {
	const limit = 64 << 10
	for at := 4; at <= len(echoed); at++ {
		_, c := inMemory(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadGateway)
			_, _ = io.WriteString(w, strings.Repeat("x", limit-at)+echoed+" and more")
		}, transport.WithTokenSource(transport.StaticToken(echoed)), transport.WithoutRetry())
		_, err := get(t.Context(), c)
		var api *transport.Error
		if !errors.As(err, &api) || strings.Contains(string(api.Body), echoed[:4]) || !strings.HasSuffix(string(api.Body), "x[redacted]") {
			t.Errorf("cut after %d bytes: %v, %q", at, err, api.Body[max(0, len(api.Body)-40):])
		}
	}
}

// TestEchoesInHeaders: secrets are redacted in the content type of a response that
// cannot be decoded, and in the response of WithResponse.
func TestEchoesInHeaders(t *testing.T) {
	var log strings.Builder
	_, c := inMemory(t, func(w http.ResponseWriter, r *http.Request) {
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		w.Header().Set("Content-Type", "text/plain; token="+token)
		w.Header().Set("X-Echo", r.Header.Get("Authorization"))
		_, _ = io.WriteString(w, `{"`+strings.ReplaceAll(token, "/", `\/`)+`":{"id":}}`)
	}, transport.WithTokenSource(transport.StaticToken(echoed)), transport.WithLogger(textLogger(&log)))
	var res *http.Response
	var out item
	err := c.Do(t.Context(), transport.NewRequest(&opGet, "u", "t"), &out, transport.WithResponse(&res))
	var unread *transport.DecodeError
	if !errors.As(err, &unread) {
		t.Fatalf("got %v", err)
	}
	text, _ := json.Marshal(unread)
	said := everything(t, err, log.String()+string(text)+unread.ContentType+unread.Field+fmt.Sprint(res.Header, res.Status))
	if strings.Contains(said, "canary") || !strings.HasPrefix(unread.ContentType, "text/plain") {
		t.Errorf("it shows the token: %s", said)
	}
}

// TestEchoesInDrift: secrets are redacted in the names of undeclared members, which
// the server chooses.
func TestEchoesInDrift(t *testing.T) {
	for _, token := range []string{echoed, "canary_token_in_letters_alone", strings.Repeat("canary-", 40)} {
		var log strings.Builder
		_, c := inMemory(t, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"id":"1","`+token+`":1,"nested":{"`+strings.ReplaceAll(token, "/", `\/`)+`":[1]}}`)
		}, transport.WithTokenSource(transport.StaticToken(token)), transport.WithLogger(textLogger(&log)))
		var out item
		if err := c.Do(t.Context(), transport.NewRequest(&opGet, "u", "t"), &out); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(log.String(), "drift") || strings.Contains(log.String(), "canary") {
			t.Errorf("the log has %s", log.String())
		}
	}
}

// TestDecodingErrorsShowNoValue: the error of a caller's own type quotes the value
// that it could not decode.
func TestDecodingErrorsShowNoValue(t *testing.T) {
	_, c := inMemory(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `"canary"`) })
	var out ownType
	err := c.Call(t.Context(), http.MethodGet, "/things", nil, &out)
	if err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("got %v", err)
	}
}

type ownType struct{}

func (*ownType) UnmarshalJSON(data []byte) error { return fmt.Errorf("cannot read %q as a day", data) }

// TestDecodedKeysAreRedacted: a server that decodes the API key may echo its parts.
func TestDecodedKeysAreRedacted(t *testing.T) {
	const inner = "canary-application:canary-word"
	c := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"data":[{"detail":"no application `+inner+`"}]}`)
	}), transport.WithAPIKey(base64.StdEncoding.EncodeToString([]byte(inner))))
	_, err := c.Token(t.Context(), transport.TokenRequest{Scope: transport.ScopeServer})
	if err == nil || strings.Contains(everything(t, err, ""), "canary") {
		t.Errorf("got %v: %s", err, everything(t, err, ""))
	}
}

// TestProxyReasonsAreNotShown: net/http makes an error of the reason phrase with
// which a proxy rejects a connection.
func TestProxyReasonsAreNotShown(t *testing.T) {
	for reason, says := range map[string]string{
		"canary-word is wrong":          "is not shown",
		"No \x1b[31mcanary\x07":         "is not shown",
		"Proxy Authentication Required": "407 Proxy Authentication Required",
		"Service Unavailable":           "503 Service Unavailable",
	} {
		listener, err := loopback.Listen()
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				_, _ = http.ReadRequest(bufio.NewReader(conn))
				_, _ = io.WriteString(conn, "HTTP/1.1 499 "+reason+"\r\n\r\n")
				_ = conn.Close()
			}
		}()
		proxy := &url.URL{Scheme: "http", User: url.UserPassword("name", "canary-word"), Host: listener.Addr().String()}
		var log strings.Builder
		c, err := transport.New(transport.WithBaseURL("https://bank.example"), transport.WithTokenSource(transport.StaticToken("token")), transport.WithoutRetry(),
			transport.WithLogger(textLogger(&log)), transport.WithHTTPClient(&http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(proxy)}}))
		if err != nil {
			t.Fatal(err)
		}
		_, err = get(t.Context(), c)
		if err == nil || !strings.Contains(err.Error(), says) || strings.ContainsAny(err.Error(), "\x1b\x07") || strings.Contains(everything(t, err, log.String()), "canary") {
			t.Errorf("%q: %v; %s", reason, err, log.String())
		}
		_ = c.Close()
		_ = listener.Close()
	}
	// What an HTTP client of the caller's own says is not a proxy's word.
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	c, err := transport.New(transport.WithBaseURL(s.URL), transport.WithTokenSource(transport.StaticToken("token")), transport.WithoutRetry(),
		transport.WithHTTPClient(&http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) { return nil, errors.New("the vault is\tsealed") })}))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := get(t.Context(), c); err == nil || !strings.Contains(err.Error(), "the vault is_sealed") {
		t.Errorf("got %v", err)
	}
}

// TestHostileBodiesAreScannedInTime: a body with the beginnings of many escapes takes
// no longer than others, and is kept.
func TestHostileBodiesAreScannedInTime(t *testing.T) {
	for _, s := range []string{`\`, `%`, `&`, `\u`, `\u00`, `%2`, `&#`, "c", "canary", `\"`} {
		body := strings.Repeat(s, 64<<10/len(s))
		_, c := inMemory(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, body)
		}, transport.WithTokenSource(transport.StaticToken(echoed)))
		_, err := get(t.Context(), c)
		var api *transport.Error
		if !errors.As(err, &api) || len(api.Body) < 60<<10 {
			t.Errorf("%q: %v", s, err)
		}
	}
}
