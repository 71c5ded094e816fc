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

// apiKey is the key of the tests. Tests look for it, and for the tokens that
// begin with tokenText, in everything that is printed.
const (
	apiKey    = "a-key-that-is-none"
	tokenText = "a-token-that-is-none"
)

// bench is a Basiq that answers what a test says. It issues tokens itself, and
// keeps what was asked and when.
type bench struct {
	t    *testing.T
	mux  *http.ServeMux
	mu   sync.Mutex
	asks []ask

	tokens  atomic.Int64 // tokens that were asked for
	refused atomic.Bool  // the API does not know the key
}

// ask is one request.
type ask struct {
	at    time.Time
	call  string // "GET /jobs/j-1"
	query string
	body  string
	token string
}

func newBench(t *testing.T) *bench {
	b := &bench{t: t, mux: http.NewServeMux()}
	b.mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		b.tokens.Add(1)
		if b.refused.Load() {
			answer(w, "404 parameter-not-valid")
			return
		}
		fmt.Fprintf(w, `{"access_token":"%s-%s-%s","token_type":"Bearer","expires_in":3600}`, tokenText, r.FormValue("scope"), r.FormValue("userId"))
	})
	return b
}

func (b *bench) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/token" {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		b.mu.Lock()
		b.asks = append(b.asks, ask{time.Now(), r.Method + " " + r.URL.Path, r.URL.RawQuery, string(body), r.Header.Get("Authorization")})
		b.mu.Unlock()
	}
	b.mux.ServeHTTP(w, r)
}

// calls returns the requests of a method and path.
func (b *bench) calls(call string) []ask {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []ask
	for _, a := range b.asks {
		if a.call == call {
			out = append(out, a)
		}
	}
	return out
}

// job makes a job answer one body after another, and the last for ever.
// A body that is a number is a status.
func (b *bench) job(id string, bodies ...string) {
	var mu sync.Mutex
	b.mux.HandleFunc("GET /jobs/"+id, func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		body := bodies[0]
		if len(bodies) > 1 {
			bodies = bodies[1:]
		}
		mu.Unlock()
		answer(w, body)
	})
}

// answer writes a body, or for a number a status: "503", "429 Retry-After=7",
// "404 resource-not-found".
func answer(w http.ResponseWriter, body string) {
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

func (b *bench) on(pattern, body string) {
	b.mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) { answer(w, body) })
}

// inMemory is a client that reaches the bench without a network, for tests in
// virtual time.
func (b *bench) inMemory(opts ...basiq.Option) *basiq.Client {
	b.t.Helper()
	return b.client(append([]basiq.Option{
		basiq.WithBaseURL("https://basiq.invalid"), basiq.WithHTTPClient(&http.Client{Transport: handled{b}}),
	}, opts...)...)
}

// onLoopback is a client that reaches the bench over TCP.
func (b *bench) onLoopback(opts ...basiq.Option) *basiq.Client {
	b.t.Helper()
	server := httptest.NewServer(b)
	b.t.Cleanup(server.Close)
	return b.client(append([]basiq.Option{basiq.WithBaseURL(server.URL)}, opts...)...)
}

func (b *bench) client(opts ...basiq.Option) *basiq.Client {
	b.t.Helper()
	c, err := basiq.NewClient(append([]basiq.Option{basiq.WithAPIKey(apiKey)}, opts...)...)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = c.Transport.Close() })
	return c
}

// handled is an HTTP transport that is its own server.
type handled struct{ http.Handler }

func (h handled) RoundTrip(r *http.Request) (*http.Response, error) {
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

// steps writes a connection job: "verify-credentials=success retrieve-accounts=pending".
// A value after a second "=" is the step's result as JSON.
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

// wantText fails unless a text holds all of what is wanted.
func wantText(t *testing.T, text string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("%q does not say %q", text, w)
		}
	}
}

type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

type tlsError = tls.CertificateVerificationError

var noHost = &net.DNSError{Err: "no such host", Name: "basiq.invalid", IsNotFound: true}

func newLoggers(w io.Writer) (text, json *slog.Logger) {
	return slog.New(slog.NewTextHandler(w, nil)), slog.New(slog.NewJSONHandler(w, nil))
}

// allForms prints a value in every way there is.
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

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
