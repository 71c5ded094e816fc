package transport_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/basiq-sdk/basiq-go/internal/loopback"
	"github.com/basiq-sdk/basiq-go/transport"
)

// dropping is a server on a reused connection: it issues a token, reads the next
// request on the same connection, and closes it. It returns its address, the number
// of requests, and their headers.
func dropping(t *testing.T) (address string, sends *atomic.Int64, headers chan http.Header) {
	t.Helper()
	l, err := loopback.Listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	sends, headers = new(atomic.Int64), make(chan http.Header, 10)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				in := bufio.NewReader(conn)
				for {
					r, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					_, _ = io.Copy(io.Discard, r.Body)
					body := `{}`
					if r.URL.Path == "/token" {
						body = `{"access_token":"token-1","token_type":"Bearer","expires_in":3600}`
					} else if headers <- r.Header; sends.Add(1) == 1 {
						return
					}
					_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
				}
			}()
		}
	}()
	return "http://" + l.Addr().String(), sends, headers
}

// TestNothingMakesNetHTTPReplay: net/http itself retries some requests when a reused
// connection ends. No header and no method of a call of class C or D causes that.
func TestNothingMakesNetHTTPReplay(t *testing.T) {
	names := []string{"", "Idempotency-Key", "X-Idempotency-Key", "idempotency-key", "X-IDEMPOTENCY-KEY"}
	for _, class := range []transport.Safety{transport.SafetyWrite, transport.SafetyUnrepeatable} {
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodGet, http.MethodHead, http.MethodOptions} {
			for _, name := range names {
				for _, place := range []string{"client", "call", "request"} {
					for _, body := range []bool{false, true} {
						if name == "" && place != "client" || body && method == http.MethodHead {
							continue
						}
						t.Run(fmt.Sprintf("%s %s %s %s body=%t", class, method, name, place, body), func(t *testing.T) {
							address, sends, headers := dropping(t)
							opts := []transport.ClientOption{
								transport.WithAPIKey("the-key"), transport.WithBaseURL(address),
								// One pool for all calls, as it is with a caller's own client.
								transport.WithHTTPClient(&http.Client{Transport: &http.Transport{}}),
							}
							if name != "" && place == "client" {
								opts = append(opts, transport.WithHeader(name, "abc"))
							}
							c, err := transport.New(opts...)
							if err != nil {
								t.Fatal(err)
							}
							defer c.Close()
							req := transport.NewRequest(&transport.Operation{ID: "test.Things.Do", Method: method, Path: "/things", Safety: class})
							if name != "" && place == "request" {
								req.SetHeader(name, "abc")
							}
							if body {
								req.SetJSON(thing("x"))
							}
							var call []transport.Option
							if name != "" && place == "call" {
								call = append(call, transport.WithHeader(name, "abc"))
							}
							err = c.Do(t.Context(), req, nil, call...)
							if n := sends.Load(); n != 1 || !errors.Is(err, transport.ErrOutcomeUnknown) {
								t.Errorf("%d sends; %v", n, err)
							}
							if got := (<-headers).Get(name); name != "" && got != "abc" {
								t.Errorf("the header arrives as %q", got)
							}
						})
					}
				}
			}
		}
	}
}
