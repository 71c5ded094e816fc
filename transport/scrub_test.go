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

// TestNestedEscapesAreNotKept has a server echo the token, and what the API key
// encodes, in escapes of escapes, and in ways of writing them that few use.
func TestNestedEscapesAreNotKept(t *testing.T) {
	const inner = "id/CANARYLEFT+x:CANARYRIGHT+secret=="
	const token = "aaaaBBBB/cccc+dddd/CANARYEND=="
	for name, r := range map[string]*strings.Replacer{
		"URL, twice":               strings.NewReplacer("/", "%252F", "+", "%252B", "=", "%253D"),
		"URL, twelve times":        strings.NewReplacer("/", "%"+strings.Repeat("25", 12)+"2F"),
		"HTML, twice":              strings.NewReplacer("/", "&amp;#47;", "+", "&amp;#43;", "=", "&amp;#61;"),
		"HTML without a semicolon": strings.NewReplacer("/", "&#47", "+", "&#43", "=", "&#61"),
		"HTML with zeros":          strings.NewReplacer("/", "&#x0000000002f;", "+", "&#000000000043;"),
		"HTML with names":          strings.NewReplacer("/", "&sol;", "+", "&plus;", "=", "&equals;"),
		"JSON in URL":              strings.NewReplacer("/", "%5C%2F", "+", "%5Cu002B"),
		"URL in HTML":              strings.NewReplacer("/", "&#37;2F", "+", "&#37;2B"),
		"HTML in URL":              strings.NewReplacer("/", "%26%2347%3B", "+", "%26%2343%3B"),
		"URL in JSON":              strings.NewReplacer("/", `\u00252F`, "+", `\u00252B`),
		"HTML in JSON":             strings.NewReplacer("/", `\u0026#47;`, "+", `\u0026#43;`),
		"JSON in JSON":             strings.NewReplacer("/", `\u005c/`, "+", `\u005cu002B`),
		"three languages":          strings.NewReplacer("/", `\u0025\u00326\u002347;`, "+", "%26amp;%2343;"),
		"a form":                   strings.NewReplacer("+", " "),
	} {
		for _, refuse := range []bool{false, true} {
			b, c := inMemory(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusBadRequest)
				fmt.Fprintf(w, `{"data":[{"code":"x","detail":"wrong: %s."}]}`, r.Replace(token))
			}, transport.WithAPIKey(base64.StdEncoding.EncodeToString([]byte(inner))))
			b.token = func(w http.ResponseWriter, _ *http.Request) bool {
				if refuse {
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

// quoting is a server that hangs up after an answer, which may quote the token.
func quoting(t *testing.T, answer string) *transport.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		_, _ = io.WriteString(conn, answer)
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

// chain is the text of every error that err wraps.
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

// TestCausesAreScrubbed: net/http quotes what it cannot read, in errors that a
// SendError or a DecodeError wraps.
func TestCausesAreScrubbed(t *testing.T) {
	for _, answer := range []string{
		"HTTP/1.1 200 OK\r\nauthorization was Bearer " + wireToken + "\r\n\r\n{}",
		wireToken + "\r\n\r\n",
		"HTTP/1.1 " + wireToken + " x\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: " + wireToken + "\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: " + wireToken + "\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nbad " + wireToken + "\r\n\r\n",
	} {
		_, err := get(t.Context(), quoting(t, answer))
		if err == nil || strings.Contains(chain(err), "CANARY") {
			t.Errorf("%q: %s", answer, chain(err))
		}
	}
}

// TestScrubbedCausesKeepTheirKind: errors.Is and errors.As find what an error with
// the token in it wraps.
func TestScrubbedCausesKeepTheirKind(t *testing.T) {
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
			t.Errorf("%v is not in %s", cause, chain(err))
		case cause == timeout && (!errors.As(send.Err, &netErr) || !netErr.Timeout()):
			t.Errorf("%s is not a timeout", chain(err))
		}
	}
}

// TestEchoesInTrailersAndHeaderNames: WithResponse hands out neither.
func TestEchoesInTrailersAndHeaderNames(t *testing.T) {
	for _, status := range []string{"400 x", "200 OK"} {
		for _, answer := range []string{
			"\r\nTrailer: X-T\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX-T: " + wireToken + "\r\n\r\n",
			"\r\nTransfer-Encoding: chunked\r\nTrailer: X-" + wireToken + "\r\n\r\n2\r\n{}\r\n0\r\nX-" + wireToken + ": 1\r\n\r\n",
			"\r\nX-" + wireToken + ": 1\r\nContent-Length: 2\r\n\r\n{}",
		} {
			var res *http.Response
			_, err := get(t.Context(), quoting(t, "HTTP/1.1 "+status+answer), transport.WithResponse(&res))
			if res == nil {
				t.Fatalf("no response: %v", err)
			}
			if text := strings.ToLower(fmt.Sprint(res.Header, res.Trailer)); strings.Contains(text, "canary-1") || !strings.Contains(text, "[redacted]") {
				t.Errorf("%q: %s", answer, text)
			}
		}
	}
}
