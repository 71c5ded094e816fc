package basiq_test

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go"
)

// apiKey is the API key of the tests, and tokenText the prefix of their tokens.
// Tests check that neither is printed or logged.
const (
	apiKey    = "not-a-real-api-key"
	tokenText = "not-a-real-token"
)

// fakeAPI is an HTTP handler that stands in for Basiq and returns the responses
// that a test configures. It issues tokens itself, and records all other
// requests.
type fakeAPI struct {
	t        *testing.T
	mux      *http.ServeMux
	mu       sync.Mutex
	requests []recordedRequest

	tokens  atomic.Int64 // number of token requests
	refused atomic.Bool  // the API does not know the key
}

// recordedRequest is a request that a fakeAPI received.
type recordedRequest struct {
	at    time.Time
	call  string // "GET /jobs/j-1"
	query string
	body  string
	token string
}

func newFakeAPI(t *testing.T) *fakeAPI {
	b := &fakeAPI{t: t, mux: http.NewServeMux()}
	b.mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		b.tokens.Add(1)
		if b.refused.Load() {
			respond(w, "404 parameter-not-valid")
			return
		}
		fmt.Fprintf(w, `{"access_token":"%s-%s-%s","token_type":"Bearer","expires_in":3600}`, tokenText, r.FormValue("scope"), r.FormValue("userId"))
	})
	return b
}

func (b *fakeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/token" {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		b.mu.Lock()
		b.requests = append(b.requests, recordedRequest{time.Now(), r.Method + " " + r.URL.Path, r.URL.RawQuery, string(body), r.Header.Get("Authorization")})
		b.mu.Unlock()
	}
	b.mux.ServeHTTP(w, r)
}

// calls returns the recorded requests with a method and path.
func (b *fakeAPI) calls(call string) []recordedRequest {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []recordedRequest
	for _, a := range b.requests {
		if a.call == call {
			out = append(out, a)
		}
	}
	return out
}

// job makes the fake return one body after another for a job, and repeat the
// last. See respond.
func (b *fakeAPI) job(id string, bodies ...string) {
	var mu sync.Mutex
	b.mux.HandleFunc("GET /jobs/"+id, func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		body := bodies[0]
		if len(bodies) > 1 {
			bodies = bodies[1:]
		}
		mu.Unlock()
		respond(w, body)
	})
}

// respond writes body as the response. A body that starts with a number is a
// status: "503", "429 Retry-After=7", "404 resource-not-found".
func respond(w http.ResponseWriter, body string) {
	status := 0
	if n, _ := fmt.Sscanf(body, "%d", &status); n == 0 || status < 100 {
		_, _ = io.WriteString(w, body)
		return
	}
	_, rest, _ := strings.Cut(body, " ")
	if header, value, ok := strings.Cut(rest, "="); ok {
		w.Header().Set(header, value)
		rest = ""
	}
	w.WriteHeader(status)
	if rest != "" {
		fmt.Fprintf(w, `{"type":"list","correlationId":"c-1","data":[{"type":"error","code":%q}]}`, rest)
	}
}

func (b *fakeAPI) on(pattern, body string) {
	b.mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) { respond(w, body) })
}

// inMemory returns a client that calls the fake without a network, for tests
// with a fake clock.
func (b *fakeAPI) inMemory(opts ...basiq.Option) *basiq.Client {
	b.t.Helper()
	return b.client(append([]basiq.Option{
		basiq.WithBaseURL("https://basiq.invalid"), basiq.WithHTTPClient(&http.Client{Transport: handlerTransport{b}}),
	}, opts...)...)
}

// onLoopback returns a client that calls the fake over TCP.
func (b *fakeAPI) onLoopback(opts ...basiq.Option) *basiq.Client {
	b.t.Helper()
	server := httptest.NewServer(b)
	b.t.Cleanup(server.Close)
	return b.client(append([]basiq.Option{basiq.WithBaseURL(server.URL)}, opts...)...)
}

func (b *fakeAPI) client(opts ...basiq.Option) *basiq.Client {
	b.t.Helper()
	c, err := basiq.NewClient(append([]basiq.Option{basiq.WithAPIKey(apiKey)}, opts...)...)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = c.Transport.Close() })
	return c
}

// handlerTransport is an http.RoundTripper that calls a handler directly.
type handlerTransport struct{ http.Handler }

func (h handlerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	done := make(chan *http.Response, 1)
	go func() {
		rec := httptest.NewRecorder()
		server := httptest.NewRequest(r.Method, r.URL.String(), r.Body)
		server.Header = r.Header.Clone()
		h.ServeHTTP(rec, server)
		res := rec.Result()
		res.Request = r
		done <- res
	}()
	select {
	case res := <-done:
		return res, nil
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

// steps returns a connection job, for example of "verify-credentials=success
// retrieve-accounts=pending". A value after a second "=" is the step's result
// as JSON.
func steps(id, text string) string {
	var out []string
	for _, f := range strings.Fields(text) {
		part := strings.SplitN(f, "=", 3)
		result := "null"
		if len(part) == 3 {
			result = part[2]
		}
		out = append(out, fmt.Sprintf(`{"title":%q,"status":%q,"result":%s}`, part[0], part[1], result))
	}
	return fmt.Sprintf(`{"type":"job","id":%q,"jobType":"connection","created":"2031-05-01T02:03:04Z","updated":"2031-05-01T02:03:05Z","steps":[%s],"links":{"self":"/jobs/%s"}}`,
		id, strings.Join(out, ","), id)
}

func repeat(body string, n int) []string { return slices.Repeat([]string{body}, n) }

// wantText fails unless text contains all of want.
func wantText(t *testing.T, text string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("%q does not contain %q", text, w)
		}
	}
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

type tlsError = tls.CertificateVerificationError

var noHost = &net.DNSError{Err: "no such host", Name: "basiq.invalid", IsNotFound: true}

func newLoggers(w io.Writer) (text, json *slog.Logger) {
	return slog.New(slog.NewTextHandler(w, nil)), slog.New(slog.NewJSONHandler(w, nil))
}

// allForms formats a value with every verb of fmt, as JSON, and with log/slog.
func allForms(v any) string {
	var b strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&b, verb+"\n", v)
		fmt.Fprintf(&b, verb+"\n", []any{v, struct{ V any }{v}})
		if e, ok := v.(error); ok {
			fmt.Fprintf(&b, verb+"\n", fmt.Errorf("wrapped: %w", e))
		}
		if p := reflect.ValueOf(v); p.Kind() == reflect.Pointer && !p.IsNil() {
			fmt.Fprintf(&b, verb+"\n", p.Elem().Interface())
		}
	}
	if data, err := json.Marshal(v); err == nil {
		b.Write(data)
	}
	text, jsonLog := newLoggers(&b)
	text.Info("m", "v", v)
	jsonLog.Info("m", "v", v)
	return b.String()
}
