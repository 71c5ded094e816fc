package transport_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go/transport"
	"github.com/basiq-sdk/basiq-go/transport/value"
	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// item and page are what the generator would make of a small list.
type item struct{ ID string }

func (v *item) DecodeJSON(d *wire.Decoder) {
	var o wire.Object
	m := d.Members(&o, []string{"id"})
	for m.Next() {
		if m.Name() == "id" {
			v.ID = m.String()
		} else {
			m.Extra()
		}
	}
}

type page struct {
	Data []item
	Next string
}

func (v *page) DecodeJSON(d *wire.Decoder) {
	var o wire.Object
	m := d.Members(&o, []string{"data", "next"})
	for m.Next() {
		switch m.Name() {
		case "data":
			v.Data = wire.List[item](&m)
		case "next":
			v.Next = m.String()
		default:
			m.Extra()
		}
	}
}

var (
	opGet    = transport.Operation{ID: "test.Things.Get", Method: http.MethodGet, Path: "/users/{userId}/things/{thingId}"}
	opDelete = transport.Operation{ID: "test.Things.Delete", Method: http.MethodDelete, Path: "/users/{userId}/things/{thingId}"}
	opList   = transport.Operation{ID: "test.Things.List", Method: http.MethodGet, Path: "/things"}
	opClient = transport.Operation{ID: "test.Things.Answer", Method: http.MethodPost, Path: "/users/{userId}/answer", Scope: transport.ScopeClient, Safety: transport.SafetyUnrepeatable}
)

// bank is a server that issues tokens as Basiq does, and hands the rest to api.
type bank struct {
	*httptest.Server
	tokens  atomic.Int64
	calls   atomic.Int64
	current atomic.Value // the token that is good now
	delay   time.Duration
	fail    atomic.Int64 // status that /token answers with
}

func newBank(t *testing.T, api http.HandlerFunc) *bank {
	b := &bank{}
	b.current.Store("")
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/token" {
			b.calls.Add(1)
			if api != nil {
				api(w, r)
			}
			return
		}
		n := b.tokens.Add(1)
		time.Sleep(b.delay)
		if status := b.fail.Load(); status != 0 {
			w.WriteHeader(int(status))
			return
		}
		if r.Header.Get("Authorization") != "Basic the-key" || r.Header.Get("basiq-version") != "3.0" {
			http.Error(w, "credentials", http.StatusBadRequest)
			return
		}
		token := fmt.Sprintf("token-%d-%s-%s", n, r.FormValue("scope"), r.FormValue("userId"))
		b.current.Store(token)
		fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer","expires_in":3600}`, token)
	}))
	t.Cleanup(b.Close)
	return b
}

func (b *bank) client(t *testing.T, opts ...transport.ClientOption) *transport.Client {
	t.Helper()
	c, err := transport.New(append([]transport.ClientOption{transport.WithBaseURL(b.URL), transport.WithAPIKey("the-key")}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// fast repeats without making a test wait.
var fast = transport.WithRetryPolicy(transport.RetryPolicy{BaseDelay: time.Millisecond})

func get(ctx context.Context, c *transport.Client, opts ...transport.Option) (value.JSON, error) {
	var out value.JSON
	err := c.Do(ctx, transport.NewRequest(&opGet, "u", "t"), &out, opts...)
	return out, err
}

// TestTokenHerd: many callers on a cold client are one token request, and one
// more when the API stops accepting it.
func TestTokenHerd(t *testing.T) {
	var b *bank
	b = newBank(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+b.current.Load().(string) {
			w.WriteHeader(http.StatusForbidden)
			io.WriteString(w, `{"data":[{"code":"access-denied","detail":"Token has expired"}]}`)
			return
		}
		io.WriteString(w, `{}`)
	})
	b.delay = 50 * time.Millisecond
	c := b.client(t, transport.WithHTTPClient(&http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}))
	herd := func() {
		var wg sync.WaitGroup
		for range 500 {
			wg.Go(func() {
				if _, err := get(context.Background(), c); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	herd()
	if n := b.tokens.Load(); n != 1 {
		t.Fatalf("%d token requests on a cold client, want 1", n)
	}
	b.current.Store("revoked")
	herd()
	if n := b.tokens.Load(); n != 2 {
		t.Errorf("%d token requests after the token was refused, want 2", n)
	}
}

func TestTokenWaitersLeaveAlone(t *testing.T) {
	b := newBank(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{}`) })
	b.delay = 300 * time.Millisecond
	c := b.client(t)
	leader, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := get(leader, c); !errors.Is(err, context.Canceled) {
			t.Errorf("the cancelled leader got %v", err)
		}
	})
	time.Sleep(20 * time.Millisecond)
	for range 20 {
		wg.Go(func() {
			if _, err := get(context.Background(), c); err != nil {
				t.Errorf("a follower of a cancelled leader got %v", err)
			}
		})
	}
	wg.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
		defer cancel()
		start := time.Now()
		if _, err := get(ctx, c); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 200*time.Millisecond {
			t.Errorf("a follower with a deadline got %v after %v", err, time.Since(start))
		}
	})
	time.Sleep(20 * time.Millisecond)
	cancel()
	wg.Wait()
	if n := b.tokens.Load(); n != 1 {
		t.Errorf("%d token requests, want 1", n)
	}
}

func TestTokenFailureIsAskedOnce(t *testing.T) {
	b := newBank(t, nil)
	b.fail.Store(http.StatusServiceUnavailable)
	b.delay = 20 * time.Millisecond
	c := b.client(t, fast)
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			_, err := get(context.Background(), c)
			var e *transport.Error
			if !errors.As(err, &e) || e.Status != http.StatusServiceUnavailable || !errors.Is(err, transport.ErrUnavailable) {
				t.Errorf("got %v", err)
			}
		})
	}
	wg.Wait()
	if n := b.tokens.Load(); n != 3 {
		t.Errorf("%d token requests, want the 3 attempts of one flight: the failure holds for all", n)
	}
	if n := b.calls.Load(); n != 0 {
		t.Errorf("%d calls were sent without a token", n)
	}
}

type panicking struct{ http.RoundTripper }

func (panicking) RoundTrip(*http.Request) (*http.Response, error) { panic("no") }

func TestTokenPanicIsContained(t *testing.T) {
	b := newBank(t, nil)
	c := b.client(t, transport.WithHTTPClient(&http.Client{Transport: panicking{}}))
	if _, err := get(context.Background(), c); err == nil || !strings.Contains(err.Error(), "panicked") {
		t.Errorf("got %v", err)
	}
}

func TestRefusedTwiceIsTheAnswer(t *testing.T) {
	b := newBank(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		io.WriteString(w, `{"correlationId":"c-1","data":[{"code":"invalid-authorization-token"}]}`)
	})
	_, err := get(context.Background(), b.client(t))
	var e *transport.Error
	if !errors.As(err, &e) || e.Attempts != 2 || e.CorrelationID != "c-1" || !errors.Is(err, transport.ErrTokenExpired) {
		t.Errorf("got %v", err)
	}
	if b.calls.Load() != 2 || b.tokens.Load() != 2 {
		t.Errorf("%d calls and %d token requests, want 2 and 2", b.calls.Load(), b.tokens.Load())
	}
}

func TestOtherRefusalsRefreshNothing(t *testing.T) {
	for _, code := range []string{"forbidden-access", "no-production-access", "too-many-sandbox-connections"} {
		b := newBank(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprintf(w, `{"data":[{"code":%q,"source":null}]}`, code)
		})
		_, err := get(context.Background(), b.client(t))
		if !errors.Is(err, transport.ErrForbidden) || b.tokens.Load() != 1 || b.calls.Load() != 1 {
			t.Errorf("%s: %v, %d tokens, %d calls", code, err, b.tokens.Load(), b.calls.Load())
		}
	}
}

func TestClientTokens(t *testing.T) {
	var got atomic.Value
	b := newBank(t, func(w http.ResponseWriter, r *http.Request) { got.Store(r.Header.Get("Authorization")) })
	c := b.client(t)
	ctx := context.Background()
	if err := c.Do(ctx, transport.NewRequest(&opClient, "ada"), nil); err != nil || got.Load() != "Bearer token-1-CLIENT_ACCESS-ada" {
		t.Errorf("%v with %v", err, got.Load())
	}
	if err := c.Do(ctx, transport.NewRequest(&opClient, "ada"), nil, transport.WithUser("bob")); err != nil || got.Load() != "Bearer token-2-CLIENT_ACCESS-bob" {
		t.Errorf("%v with %v", err, got.Load())
	}
	if _, err := get(ctx, c); err != nil && !errors.Is(err, transport.ErrNoContent) {
		t.Error(err)
	}
	if got.Load() != "Bearer token-3-SERVER_ACCESS-" {
		t.Errorf("the server's call went out with %v", got.Load())
	}
}

// TestPathValues: a value reaches its own route as it is, or is refused; none
// changes the route.
func TestPathValues(t *testing.T) {
	var route, got atomic.Value
	mux := http.NewServeMux()
	mux.HandleFunc("DELETE /users/{user}/things/{thing}", func(_ http.ResponseWriter, r *http.Request) {
		route.Store("thing")
		got.Store(r.PathValue("thing"))
	})
	mux.HandleFunc("/", func(_ http.ResponseWriter, r *http.Request) { route.Store(r.URL.Path) })
	b := newBank(t, mux.ServeHTTP)
	c := b.client(t)
	for _, v := range []string{"a", "a?x=1", "a#f", "a;v", "{userId}", "a b", "ä", "..a", "100%", "a+b", "a&b", ":", "@", strings.Repeat("x", 10_000)} {
		route.Store("")
		err := c.Do(context.Background(), transport.NewRequest(&opDelete, "u", v), nil)
		if err != nil || route.Load() != "thing" || got.Load() != v {
			t.Errorf("%q: %v; route %v got %q", v, err, route.Load(), got.Load())
		}
	}
	before := b.calls.Load()
	for _, v := range []string{"", ".", "..", "/", "a/", "a//b", "a/../b", "a/b", `a\b`, `..\x`, "%41", "..%2f", "%2e", "%2e%2e", "%252e%252e", ".%2E", "a\nb", "a\x00b", "a\r\nX: y", "\xff"} {
		err := c.Do(context.Background(), transport.NewRequest(&opDelete, "u", v), nil)
		var pe *transport.PathError
		if !errors.As(err, &pe) || pe.Name != "thingId" || v != "" && v != "." && strings.Contains(err.Error(), v) {
			t.Errorf("%q: got %v", v, err)
		}
	}
	if b.calls.Load() != before {
		t.Error("a refused value was sent")
	}
}

func FuzzPathValue(f *testing.F) {
	f.Add("a/b", "..")
	mux := http.NewServeMux()
	hit := ""
	mux.HandleFunc("DELETE /users/{user}/things/{thing}", func(_ http.ResponseWriter, r *http.Request) {
		hit = r.PathValue("user") + "\x00" + r.PathValue("thing")
	})
	client, err := transport.New(transport.WithBaseURL("http://127.0.0.1:1"), transport.WithTokenSource(transport.StaticToken("t")),
		transport.WithHTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			rec := httptest.NewRecorder()
			server, err := http.NewRequest(r.Method, "http://h"+r.URL.EscapedPath(), nil)
			if err != nil {
				return nil, err
			}
			mux.ServeHTTP(rec, server)
			return rec.Result(), nil
		})}))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, user, thing string) {
		hit = ""
		err := client.Do(context.Background(), transport.NewRequest(&opDelete, user, thing), nil)
		var pe *transport.PathError
		if errors.As(err, &pe) {
			return
		}
		if err != nil || hit != user+"\x00"+thing {
			t.Errorf("%q, %q: %v, the route got %q", user, thing, err, hit)
		}
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestRedirectsAreNotFollowed(t *testing.T) {
	var leaked atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { leaked.Add(1) }))
	defer other.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		b := newBank(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/elsewhere" {
				leaked.Add(1)
			}
			w.Header().Set("Location", other.URL)
			w.WriteHeader(status)
		})
		_, err := get(context.Background(), b.client(t))
		var e *transport.Error
		if !errors.As(err, &e) || e.Status != status {
			t.Errorf("%d: got %v", status, err)
		}
	}
	if leaked.Load() != 0 {
		t.Errorf("%d redirects were followed", leaked.Load())
	}
}

func list(c *transport.Client) ([]string, error) {
	var ids []string
	request := func() *transport.Request {
		r := transport.NewRequest(&opList)
		r.SetQuery("limit", "2")
		return r
	}
	for it, err := range transport.All(context.Background(), c, request, func(p *page) ([]item, string) { return p.Data, p.Next }) {
		if err != nil {
			return ids, err
		}
		ids = append(ids, it.ID)
	}
	return ids, nil
}

func TestPages(t *testing.T) {
	for _, absolute := range []bool{false, true} {
		var b *bank
		b = newBank(t, func(w http.ResponseWriter, r *http.Request) {
			base := ""
			if absolute {
				base = b.URL
			}
			switch r.URL.RawQuery {
			case "limit=2":
				fmt.Fprintf(w, `{"data":[{"id":"1"},{"id":"2"}],"next":"%s/things?next=a"}`, base)
			case "next=a":
				fmt.Fprintf(w, `{"data":[],"next":"%s/things?next=b"}`, base)
			case "next=b":
				io.WriteString(w, `{"data":[{"id":"3"}]}`)
			default:
				t.Errorf("query is %q", r.URL.RawQuery)
			}
		})
		if ids, err := list(b.client(t)); err != nil || strings.Join(ids, "") != "123" {
			t.Errorf("%v, %v", ids, err)
		}
	}
}

func TestPageLinksThatAreNot(t *testing.T) {
	var leaked atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { leaked.Add(1) }))
	defer other.Close()
	for _, link := range []string{
		other.URL + "/things?next=a", "//evil.example/things", "https://evil.example/things", "/users/other/things", "/things/../token",
		"http://user:word@127.0.0.1/things", "/things?limit=2", "\x00",
	} {
		b := newBank(t, func(w http.ResponseWriter, r *http.Request) {
			body, _ := json.Marshal(map[string]any{"data": []any{map[string]string{"id": "1"}}, "next": link})
			_, _ = w.Write(body)
		})
		ids, err := list(b.client(t))
		if !errors.Is(err, transport.ErrPageLink) || strings.Contains(err.Error(), "word") {
			t.Errorf("%s: %v after %d items", link, err, len(ids))
		}
		if b.calls.Load() > 3 {
			t.Errorf("%s: %d calls", link, b.calls.Load())
		}
	}
	if leaked.Load() != 0 {
		t.Error("a link led to another host")
	}
}

func TestAnswersOfEveryKind(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	chunk := make([]byte, 1<<20)
	for range 64 {
		_, _ = z.Write(chunk)
	}
	_ = z.Close()
	for _, c := range []struct {
		name    string
		answer  func(http.ResponseWriter)
		wantErr func(error) bool
	}{
		{"empty", func(w http.ResponseWriter) {}, is(transport.ErrNoContent)},
		{"204", func(w http.ResponseWriter) { w.WriteHeader(204) }, is(transport.ErrNoContent)},
		{"not JSON", func(w http.ResponseWriter) { io.WriteString(w, "<html>") }, decodeError},
		{"cut off", func(w http.ResponseWriter) { io.WriteString(w, `{"a":`) }, decodeError},
		{"shorter than it says", func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, `{}`)
		}, is(io.ErrUnexpectedEOF)},
		{"gzip bomb", func(w http.ResponseWriter) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb.Bytes())
		}, is(transport.ErrTooLarge)},
		{"HTML error page", func(w http.ResponseWriter) { w.WriteHeader(502); io.WriteString(w, "<html>") }, is(transport.ErrUnavailable)},
		{"gateway message", func(w http.ResponseWriter) {
			w.WriteHeader(403)
			io.WriteString(w, `{"message":"Missing Authentication Token"}`)
		}, is(transport.ErrForbidden)},
		{"flat error", func(w http.ResponseWriter) {
			w.WriteHeader(409)
			io.WriteString(w, `{"code":"resource-already-exists"}`)
		}, is(transport.ErrConflict)},
		{"throttled", func(w http.ResponseWriter) { w.Header().Set("Retry-After", "7"); w.WriteHeader(429) }, func(err error) bool {
			var e *transport.Error
			return errors.As(err, &e) && e.RetryAfter == 7*time.Second && errors.Is(err, transport.ErrRateLimited)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBank(t, func(w http.ResponseWriter, _ *http.Request) { c.answer(w) })
			client := b.client(t, transport.WithRetryPolicy(transport.RetryPolicy{MaxAttempts: 1}))
			if _, err := get(context.Background(), client); !c.wantErr(err) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func is(target error) func(error) bool { return func(err error) bool { return errors.Is(err, target) } }

func decodeError(err error) bool {
	var e *transport.DecodeError
	return errors.As(err, &e)
}

func TestStalledAnswerEndsInTime(t *testing.T) {
	release := make(chan struct{})
	b := newBank(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"a":`)
		w.(http.Flusher).Flush()
		<-release
	})
	defer close(release)
	start := time.Now()
	_, err := get(context.Background(), b.client(t), transport.WithCallTimeout(100*time.Millisecond))
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 3*time.Second {
		t.Errorf("got %v after %v", err, time.Since(start))
	}
}

func TestOptionsAreChecked(t *testing.T) {
	key := transport.WithAPIKey("the-key")
	for _, c := range []struct {
		name string
		opts []transport.ClientOption
	}{
		{"no credentials", nil},
		{"empty key", []transport.ClientOption{transport.WithAPIKey(" \n")}},
		{"key of two lines", []transport.ClientOption{transport.WithAPIKey("the\nkey")}},
		{"base URL without host", []transport.ClientOption{key, transport.WithBaseURL("/path")}},
		{"base URL with user", []transport.ClientOption{key, transport.WithBaseURL("https://user:word@example.com")}},
		{"base URL with query", []transport.ClientOption{key, transport.WithBaseURL("https://example.com?a=b")}},
		{"plain http", []transport.ClientOption{key, transport.WithBaseURL("http://example.com")}},
		{"ftp", []transport.ClientOption{key, transport.WithBaseURL("ftp://example.com")}},
		{"negative timeout", []transport.ClientOption{key, transport.WithTimeout(-1)}},
		{"no limit", []transport.ClientOption{key, transport.WithMaxResponseSize(0)}},
		{"nil client", []transport.ClientOption{key, transport.WithHTTPClient(nil)}},
		{"user agent of two lines", []transport.ClientOption{key, transport.WithUserAgentSuffix("a\r\nX: y")}},
	} {
		_, err := transport.New(c.opts...)
		if err == nil || strings.Contains(err.Error(), "word") || strings.Contains(err.Error(), "the-key") {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := transport.New(key, transport.WithBaseURL("http://example.com"), transport.WithInsecureBaseURL()); err != nil {
		t.Error(err)
	}
}

// TestSecretsAreNotPrinted puts a used client, its token and its errors
// through everything that prints, and looks for the secrets.
func TestSecretsAreNotPrinted(t *testing.T) {
	key, token := "canary-"+"key", "canary-"+"token"
	b := newBank(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"data":[{"code":"parameter-not-valid","title":%q,"detail":%q}]}`, r.Header.Get("Authorization"), token)
	})
	c, err := transport.New(transport.WithBaseURL(b.URL), transport.WithAPIKey(key), transport.WithTokenSource(transport.StaticToken(token)))
	if err != nil {
		t.Fatal(err)
	}
	_, callErr := get(context.Background(), c)
	var out bytes.Buffer
	logs := []*slog.Logger{slog.New(slog.NewTextHandler(&out, nil)), slog.New(slog.NewJSONHandler(&out, nil))}
	for _, v := range []any{c, reflect.ValueOf(c).Elem().Interface(), transport.NewToken(token, time.Now()), transport.StaticToken(token)} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&out, verb+"\n", v)
			fmt.Fprintf(&out, verb+"\n", []any{v})
		}
		if data, err := json.Marshal(v); err == nil {
			out.Write(data)
		}
		for _, l := range logs {
			l.Info("m", "v", v)
		}
	}
	// An error's Problems and Body hold what the server said; its message does not.
	for _, verb := range []string{"%v", "%+v", "%s", "%q", "%x"} {
		fmt.Fprintf(&out, verb+"\n", callErr)
		fmt.Fprintf(&out, verb+"\n", fmt.Errorf("wrapped: %w", callErr))
	}
	logs[0].Info("m", "err", callErr)
	if out.Len() < 1000 {
		t.Fatalf("only %d bytes were printed", out.Len())
	}
	for _, s := range []string{key, token} {
		for _, form := range []string{s, fmt.Sprintf("%x", s), fmt.Sprintf("%d", []byte(s)), fmt.Sprintf("%q", s)} {
			if strings.Contains(out.String(), form) {
				t.Errorf("%s is printed as %s", s, form)
			}
		}
	}
}

func TestFilter(t *testing.T) {
	f := transport.Filter{}.And("account.id", "eq", "a,b)").And("transaction.postDate", "bt", "2031-01-01", "2031-01-31")
	if got, want := f.String(), "account.id.eq('a,b)'),transaction.postDate.bt('2031-01-01','2031-01-31')"; got != want || f.Err() != nil {
		t.Errorf("%s, %v; want %s", got, f.Err(), want)
	}
	base := transport.Filter{}.And("a", "eq", "1")
	if x, y := base.And("b", "eq", "2"), base.And("c", "eq", "3"); x.String() == y.String() || base.String() != "a.eq('1')" {
		t.Error("a filter is changed by what is made from it")
	}
	for _, v := range []string{"'", "a'),user.id.eq('b", `\`, "a\nb", "\x00"} {
		if bad := (transport.Filter{}).And("a", "eq", v); bad.Err() == nil {
			t.Errorf("%q is accepted: %s", v, bad)
		}
	}
	b := newBank(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.URL.Query().Get("filter"); got != f.String() {
			t.Errorf("the server reads %q", got)
		}
	})
	r := transport.NewRequest(&opList)
	r.SetFilter("filter", f)
	if err := b.client(t).Do(context.Background(), r, nil); err != nil {
		t.Error(err)
	}
	r = transport.NewRequest(&opList)
	r.SetFilter("filter", transport.Filter{}.And("a", "eq", "'"))
	if err := b.client(t).Do(context.Background(), r, nil); err == nil || b.calls.Load() != 1 {
		t.Errorf("%v after %d calls", err, b.calls.Load())
	}
}

func FuzzFilter(f *testing.F) {
	f.Add("a", "b")
	f.Fuzz(func(t *testing.T, a, b string) {
		filter := transport.Filter{}.And("x", "eq", a).And("y", "bt", a, b)
		if filter.Err() != nil {
			return
		}
		want := "x.eq('" + a + "'),y.bt('" + a + "','" + b + "')"
		if filter.String() != want || strings.Count(want, "'") != 6 {
			t.Errorf("%q", filter.String())
		}
	})
}

func BenchmarkGet(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"id":"an-id"}`) }))
	defer server.Close()
	c, err := transport.New(transport.WithBaseURL(server.URL), transport.WithTokenSource(transport.StaticToken("t")))
	if err != nil {
		b.Fatal(err)
	}
	b.Run("client", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var out item
			if err := c.Do(context.Background(), transport.NewRequest(&opGet, "u", "t"), &out); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("plain", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, server.URL+"/users/u/things/t", nil)
			if err != nil {
				b.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer t")
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				b.Fatal(err)
			}
			var out struct{ ID string }
			if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
				b.Fatal(err)
			}
			res.Body.Close()
		}
	})
}
