package transport_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/transport"
)

// TestEchoedSecretsInNestedEscapesAreRedacted has a server echo the token, or the
// decoded API key, in nested and unusual escapes.
func TestEchoedSecretsInNestedEscapesAreRedacted(t *testing.T) {
	const inner = "id/CANARYLEFT+x:CANARYRIGHT+secret=="
	const token = "aaaaBBBB/cccc+dddd/CANARYEND=="
	for name, r := range map[string]*strings.Replacer{
		"URL, twice":          strings.NewReplacer("/", "%252F", "+", "%252B", "=", "%253D"),
		"URL, twelve times":   strings.NewReplacer("/", "%"+strings.Repeat("25", 12)+"2F"),
		"HTML, twice":         strings.NewReplacer("/", "&amp;#47;", "+", "&amp;#43;", "=", "&amp;#61;"),
		"HTML, no semicolon":  strings.NewReplacer("/", "&#47", "+", "&#43", "=", "&#61"),
		"HTML, leading zeros": strings.NewReplacer("/", "&#x0000000002f;", "+", "&#000000000043;"),
		"HTML, named":         strings.NewReplacer("/", "&sol;", "+", "&plus;", "=", "&equals;"),
		"JSON in URL":         strings.NewReplacer("/", "%5C%2F", "+", "%5Cu002B"),
		"URL in HTML":         strings.NewReplacer("/", "&#37;2F", "+", "&#37;2B"),
		"HTML in URL":         strings.NewReplacer("/", "%26%2347%3B", "+", "%26%2343%3B"),
		"URL in JSON":         strings.NewReplacer("/", `\u00252F`, "+", `\u00252B`),
		"HTML in JSON":        strings.NewReplacer("/", `\u0026#47;`, "+", `\u0026#43;`),
		"JSON in JSON":        strings.NewReplacer("/", `\u005c/`, "+", `\u005cu002B`),
		"three languages":     strings.NewReplacer("/", `\u0025\u00326\u002347;`, "+", "%26amp;%2343;"),
		"form":                strings.NewReplacer("+", " "),
	} {
		for _, rejectKey := range []bool{false, true} {
			b, c := inMemory(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusBadRequest)
				fmt.Fprintf(w, `{"data":[{"code":"x","detail":"wrong: %s."}]}`, r.Replace(token))
			}, transport.WithAPIKey(base64.StdEncoding.EncodeToString([]byte(inner))))
			b.token = func(w http.ResponseWriter, _ *http.Request) bool {
				if rejectKey {
					w.WriteHeader(http.StatusBadRequest)
					fmt.Fprintf(w, `{"data":[{"code":"x","detail":"wrong: %s."}]}`, r.Replace(inner))
					return true
				}
				fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer","expires_in":3600}`, token)
				return true
			}
			_, err := get(t.Context(), c)
			var api *transport.Error
			if !errors.As(err, &api) {
				t.Fatalf("%s: %v", name, err)
			}
			if text := string(api.Body) + fmt.Sprint(api.Problems); strings.Contains(text, "CANARY") || !strings.Contains(text, "wrong: [redacted].") {
				t.Errorf("%s: %s", name, text)
			}
		}
	}
}

// rawServer returns a client of a server that writes a raw response, which may
// contain wireToken, and closes the connection.
func rawServer(t *testing.T, response string) *transport.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		_, _ = io.WriteString(conn, response)
		_ = conn.Close()
	}))
	t.Cleanup(server.Close)
	c, err := transport.New(transport.WithBaseURL(server.URL), transport.WithTokenSource(transport.StaticToken(wireToken)), transport.WithoutRetry())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

const wireToken = "tok-CANARY-123456789abcdef"

// chain returns the types and texts of err and of all errors that it wraps.
func chain(err error) string {
	text := fmt.Sprintf("%T %v\n", err, err)
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		if cause := e.Unwrap(); cause != nil {
			text += chain(cause)
		}
	case interface{ Unwrap() []error }:
		for _, cause := range e.Unwrap() {
			text += chain(cause)
		}
	}
	return text
}

// TestWrappedErrorsAreRedacted checks the errors that a SendError or DecodeError
// wraps, because net/http quotes server data that it cannot parse.
func TestWrappedErrorsAreRedacted(t *testing.T) {
	for _, response := range []string{
		"HTTP/1.1 200 OK\r\nauthorization was Bearer " + wireToken + "\r\n\r\n{}",
		wireToken + "\r\n\r\n",
		"HTTP/1.1 " + wireToken + " x\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: " + wireToken + "\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: " + wireToken + "\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nbad " + wireToken + "\r\n\r\n",
	} {
		_, err := get(t.Context(), rawServer(t, response))
		if err == nil || strings.Contains(chain(err), "CANARY") {
			t.Errorf("%q: %s", response, chain(err))
		}
	}
}

// TestRedactedErrorsCanBeUnwrapped checks that errors.Is and errors.As find the
// errors that a redacted error wraps.
func TestRedactedErrorsCanBeUnwrapped(t *testing.T) {
	timeout := &net.OpError{Op: "read", Err: &net.DNSError{Err: "late", IsTimeout: true}}
	for _, cause := range []error{io.ErrUnexpectedEOF, timeout} {
		_, c := inMemory(t, nil, transport.WithTokenSource(transport.StaticToken(wireToken)), transport.WithoutRetry(),
			transport.WithHTTPClient(&http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
				return nil, fmt.Errorf("after %s: %w", wireToken, cause)
			})}))
		_, err := get(t.Context(), c)
		var send *transport.SendError
		var netErr net.Error
		switch {
		case !errors.As(err, &send) || strings.Contains(chain(err), "CANARY"):
			t.Errorf("%s", chain(err))
		case !errors.Is(err, cause):
			t.Errorf("%v is not wrapped by %s", cause, chain(err))
		case cause == timeout && (!errors.As(send.Err, &netErr) || !netErr.Timeout()):
			t.Errorf("%s is not a timeout", chain(err))
		}
	}
}

// TestTrailersAndHeaderNamesAreRedacted checks responses that WithResponse stores.
func TestTrailersAndHeaderNamesAreRedacted(t *testing.T) {
	for _, status := range []string{"400 x", "200 OK"} {
		for _, rest := range []string{
			"\r\nTrailer: X-T\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX-T: " + wireToken + "\r\n\r\n",
			"\r\nTransfer-Encoding: chunked\r\nTrailer: X-" + wireToken + "\r\n\r\n2\r\n{}\r\n0\r\nX-" + wireToken + ": 1\r\n\r\n",
			"\r\nX-" + wireToken + ": 1\r\nContent-Length: 2\r\n\r\n{}",
		} {
			var res *http.Response
			_, err := get(t.Context(), rawServer(t, "HTTP/1.1 "+status+rest), transport.WithResponse(&res))
			if res == nil {
				t.Fatalf("no response: %v", err)
			}
			if text := strings.ToLower(fmt.Sprint(res.Header, res.Trailer)); strings.Contains(text, "canary-1") || !strings.Contains(text, "[redacted]") {
				t.Errorf("%q: %s", rest, text)
			}
		}
	}
}
