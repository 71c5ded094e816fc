package transport_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go/transport"
)

// TestServerTextIsNotShown: net/http quotes server data that is not valid HTTP, which
// may be an echo of the request. None of it is in an error or a log.
func TestServerTextIsNotShown(t *testing.T) {
	const token, user, query = "token-canary", "user-canary", "query-canary"
	echo := func(f func(head string) string) func(net.Conn) {
		return func(c net.Conn) {
			_, _ = io.WriteString(c, f("/users/"+user+"?q="+query+" Bearer "+token))
		}
	}
	for name, answer := range map[string]func(net.Conn){
		"an echo":               echo(func(s string) string { return "GET " + s + " HTTP/1.1\r\n\r\n" }),
		"a header line":         echo(func(s string) string { return "HTTP/1.1 200 OK\r\n" + s + "\r\n\r\n" }),
		"a header's first line": echo(func(s string) string { return "HTTP/1.1 200 OK\r\n " + s + "\r\n\r\n" }),
		"a header with spaces":  echo(func(s string) string { return "HTTP/1.1 200 OK\r\nA " + s + ": b\r\n\r\n" }),
		"a status":              echo(func(s string) string { return "HTTP/1.1 " + s + "\r\n\r\n" }),
		"a length":              echo(func(s string) string { return "HTTP/1.1 200 OK\r\nContent-Length: " + s + "\r\n\r\n" }),
		"two lengths": echo(func(s string) string {
			return "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: " + s + "\r\n\r\n"
		}),
		"an encoding": echo(func(s string) string { return "HTTP/1.1 200 OK\r\nTransfer-Encoding: " + s + "\r\n\r\n" }),
		"a chunk":     echo(func(s string) string { return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + s + "\r\n" }),
		"a trailer": echo(func(s string) string {
			return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n" + s + "\r\n\r\n"
		}),
		"a place to redirect to": echo(func(s string) string {
			return "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: https://a.example/%zz" + s + "\r\n\r\n"
		}),
	} {
		t.Run(name, func(t *testing.T) {
			var log strings.Builder
			server := newFaulty(t, nil, answer)
			c, err := transport.New(transport.WithBaseURL("http://"+server.Addr().String()), transport.WithTokenSource(transport.StaticToken(token)),
				transport.WithoutRetry(), transport.WithLogger(textLogger(&log)))
			if err != nil {
				t.Fatal(err)
			}
			var out any
			err = c.Call(t.Context(), http.MethodGet, "/users/"+user+"?q="+query, nil, &out)
			if err == nil {
				t.Fatal("it is accepted as a response")
			}
			if redirected := strings.Contains(name, "redirect"); redirected != errors.Is(err, transport.ErrRedirected) {
				t.Errorf("the error is %v", err)
			}
			for _, said := range []string{err.Error(), fmt.Sprintf("%+v %#v", err, err), log.String()} {
				for _, canary := range []string{token, user, query} {
					if strings.Contains(said, canary) {
						t.Errorf("it shows the %s: %s", canary, said)
					}
				}
			}
		})
	}
}

// TestRedirectsAreHandedOut: the response of WithResponse contains the Location
// header.
func TestRedirectsAreHandedOut(t *testing.T) {
	_, c := inMemory(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "https://elsewhere.example/%zz")
		w.WriteHeader(http.StatusFound)
	})
	var one, other *http.Response
	_, err := get(t.Context(), c, transport.WithResponse(&one), transport.WithResponse(nil), transport.WithResponse(&other))
	if !errors.Is(err, transport.ErrRedirected) || one == nil || one != other || one.Header.Get("Location") != "https://elsewhere.example/%zz" || len(one.Header) != 1 {
		t.Errorf("%v, %v", err, one)
	}
}

// TestSentencesAreNotCodes: an error's text contains the codes of the API, and none
// of its sentences, whichever member contains them.
func TestSentencesAreNotCodes(t *testing.T) {
	for body, want := range map[string]string{
		`{"error":"no user jane@canary.example, 0412345678"}`:                               "GET /users/{userId}/things/{thingId}: 400 Bad Request",
		`{"error":"invalid_request"}`:                                                       "400 Bad Request: invalid_request",
		`{"code":"no canary here","error":"canary"}`:                                        "400 Bad Request",
		`{"data":[{"code":"bad","source":{"parameter":"the canary's address"}}]}`:           "400 Bad Request: bad",
		`{"data":[{"code":"bad","source":{"parameter":"accounts[0].id"}}]}`:                 "400 Bad Request: bad (accounts[0].id)",
		`{"data":[{"code":"` + strings.Repeat("canary", 20) + `"}]}`:                        "400 Bad Request",
		`{"error":{"code":"canary"},"data":[{"code":"bad","title":"canary","detail":"x"}]}`: "400 Bad Request: bad",
	} {
		_, c := inMemory(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, body)
		})
		_, err := get(t.Context(), c)
		encoded, _ := json.Marshal(err)
		if text := err.Error(); !strings.HasSuffix(text, want) || strings.Contains(text+string(encoded), "canary") {
			t.Errorf("%s: %s %s", body, text, encoded)
		}
	}
}

// TestDecodeErrorIsSafe: no form of the error contains the invalid value.
func TestDecodeErrorIsSafe(t *testing.T) {
	_, c := inMemory(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"id":4711471147114711}`) })
	var out struct{ ID string }
	err := c.Do(t.Context(), transport.NewRequest(&opGet, "u", "t"), &out)
	encoded, _ := json.Marshal(err)
	if !decodeError(err) || !strings.Contains(string(encoded), `"message":"basiq: `) {
		t.Fatalf("%v %s", err, encoded)
	}
	for _, text := range []string{err.Error(), string(encoded), fmt.Sprintf("%v %+v %#v %q", err, err, err, err)} {
		if strings.Contains(text, "4711") {
			t.Errorf("it shows the value: %s", text)
		}
	}
}

// TestBackslashesInPaths: a proxy may take a backslash for a slash.
func TestBackslashesInPaths(t *testing.T) {
	b, c := inMemory(t, empty)
	for _, path := range []string{`/users/u-1\..\u-2`, `/users/u-1/..%5C..%5Cu-2`, `/users/u-1/..%255Cu-2`, `/a\\b`} {
		var refused *transport.PathError
		if err := c.Call(t.Context(), http.MethodDelete, path, nil, nil); !errors.As(err, &refused) || b.calls.Load() > 0 {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestHugeLimitsDoNotOverflow: the largest numbers are valid options.
func TestHugeLimitsDoNotOverflow(t *testing.T) {
	_, c := inMemory(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = io.WriteString(z, `{"id":"x"}`)
		_ = z.Close()
	}, transport.WithMaxResponseSize(math.MaxInt64))
	if out, err := get(t.Context(), c); err != nil || out.String() != `{"id":"x"}` {
		t.Errorf("%s, %v", out, err)
	}
	server := newFaulty(t, nil, says("HTTP/1.1 200 OK\r\nContent-Length: 4611686018427387904\r\n\r\n{}", 0))
	c, err := transport.New(transport.WithBaseURL("http://"+server.Addr().String()), transport.WithTokenSource(transport.StaticToken("token-x")),
		transport.WithoutRetry(), transport.WithMaxResponseSize(math.MaxInt64))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := get(t.Context(), c); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a length that lies: %v", err)
	}
	_, c = inMemory(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		transport.WithRetryPolicy(transport.RetryPolicy{BaseDelay: math.MaxInt64, MaxDelay: math.MaxInt64}))
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := get(ctx, c); !errors.Is(err, transport.ErrUnavailable) {
		t.Errorf("a wait without end: %v", err)
	}
}

// TestOnlyIDsArePrintedAsCorrelationIDs checks that errors and logs omit any other
// text that a server sends as a correlation ID.
func TestOnlyIDsArePrintedAsCorrelationIDs(t *testing.T) {
	for id, shown := range map[string]bool{
		"no user max@example.com, +61400000000": false, "a b": false, strings.Repeat("a", 65): false, "max@example.com": false,
		"0b7f1a2e-6f4e-4f0a-9d49-1f2f3c4d5e6f": true, "a.b_c-D9": true,
	} {
		var log strings.Builder
		_, c := inMemory(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `{"correlationId":%q,"data":[{"code":"x"}]}`, id)
		}, transport.WithLogger(textLogger(&log)))
		_, err := get(t.Context(), c)
		var api *transport.Error
		if !errors.As(err, &api) || api.CorrelationID != id {
			t.Fatalf("%q: %v", id, err)
		}
		encoded, _ := json.Marshal(err)
		for _, text := range []string{err.Error(), string(encoded), log.String()} {
			if strings.Contains(text, id) != shown {
				t.Errorf("%q: printed is %t, want %t: %s", id, !shown, shown, text)
			}
		}
	}
}
