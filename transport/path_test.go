package transport_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/basiq-sdk/basiq-go/transport"
)

// TestPathValues: a value reaches its own route unchanged, or is rejected. No value
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
	for _, v := range []string{"a", "a?x=1", "a#f", "a;v", "{userId}", "a b", "ä", "..a", "a;..", "100%", "50% off", "%", "%%", "%zz", "a%2", "%u20", "a+b", "a&b", ":", "@", strings.Repeat("x", 10_000)} {
		route.Store("")
		err := c.Do(context.Background(), transport.NewRequest(&opDelete, "u", v), nil)
		if err != nil || route.Load() != "thing" || got.Load() != v {
			t.Errorf("%q: %v; route %v got %q", v, err, route.Load(), got.Load())
		}
	}
	before := b.calls.Load()
	for _, v := range []string{"", ".", "..", "/", "a/", "a//b", "a/../b", "a/b", `a\b`, `..\x`, "...", ". .", " ", "..;", ".;", ";", "..;x=y", ";x", ".. ;", "%41", "%2e%2e%2fusers%2fvictim%", "%%2e", "100%%41", "a%2fb%z", "%C0%AE", "%u002e%u002e", "%U002e", "%zz%2E", "..%2f", "%2e", "%2e%2e", "%252e%252e", ".%2E", "a\nb", "a\x00b", "a\r\nX: y", "\xff", "..?x", ".#x", "?x", "#x"} {
		err := c.Do(context.Background(), transport.NewRequest(&opDelete, "u", v), nil)
		var pe *transport.PathError
		if !errors.As(err, &pe) || pe.Name != "thingId" || len(v) > 1 && strings.Contains(err.Error(), v) {
			t.Errorf("%q: got %v", v, err)
		}
	}
	if b.calls.Load() != before {
		t.Error("a rejected value was sent")
	}
}

func TestTemplatesAreEscapedBesideTheirParameters(t *testing.T) {
	var got string
	b := newBank(t, func(_ http.ResponseWriter, r *http.Request) { got = r.RequestURI })
	op := opDelete
	op.Path = "/é d%/{ids}/(id='{id}')"
	req := transport.NewStyledRequest(&op, transport.PathValue{Param: transport.Param{Name: "ids"}, Value: transport.Items("a", "b,c")},
		transport.PathValue{Param: transport.Param{Name: "id", Slashes: true}, Value: transport.Text("x/y")})
	if err := b.client(t).Do(context.Background(), req, nil); err != nil {
		t.Fatal(err)
	}
	if want := "/%C3%A9%20d%25/a,b%2Cc/(id='x%2Fy')"; !strings.HasSuffix(got, want) {
		t.Errorf("sent %s, want %s", got, want)
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

// TestFoldedPathsAreRefusedEverywhere: paths with segments that some servers remove
// are rejected, whether they come from the caller or from the server.
func TestFoldedPathsAreRefusedEverywhere(t *testing.T) {
	for _, dots := range []string{"..;", "..;x=y", ".;", ";x", "..%3b", "%2e%2e;", "%2e%2e%3Bx", "...", "..%20", "%252e%252e;", "..%3fx", "..%23x", "..%253fx", "%c0%ae%c0%ae", "%25c0%25ae", "%80"} {
		var calls atomic.Int64
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			calls.Add(1)
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"data":[{"id":"1"}],"next":"/v3/things/`+dots+`/x?next=2"}`)
		}))
		c, err := transport.New(transport.WithBaseURL(s.URL+"/v3"), transport.WithTokenSource(transport.StaticToken("token")))
		if err != nil {
			t.Fatal(err)
		}
		var pe *transport.PathError
		if err := c.Call(t.Context(), http.MethodGet, "/users/"+dots+"/things", nil, nil); !errors.As(err, &pe) || calls.Load() != 0 {
			t.Errorf("Call with %q: %v", dots, err)
		}
		if _, err := transport.New(transport.WithBaseURL(s.URL+"/"+dots+"/v3"), transport.WithAPIKey("key")); err == nil {
			t.Errorf("a base URL with %q is taken", dots)
		}
		list := transport.All(t.Context(), c, func() *transport.Request { return transport.NewRequest(&opList) }, func(p *page) ([]item, string) { return p.Data, p.Next })
		items, last := 0, error(nil)
		for _, err := range list {
			if last = err; err == nil {
				items++
			}
		}
		if items != 1 || !errors.Is(last, transport.ErrPageLink) || calls.Load() != 1 {
			t.Errorf("a next link with %q: %d items, %v, %d calls", dots, items, last, calls.Load())
		}
		_ = c.Close()
		s.Close()
	}
}

// TestTypedNilsAreRejected checks that a nil pointer as a body or HTTP transport
// causes an error instead of a panic.
func TestTypedNilsAreRejected(t *testing.T) {
	b := newBank(t, empty)
	c := b.client(t)
	for _, body := range []any{(*item)(nil), (*strings.Reader)(nil), (*bytes.Buffer)(nil), (*struct{ A int })(nil)} {
		if err := c.Call(t.Context(), http.MethodPost, "/x", body, nil); err == nil || !strings.Contains(err.Error(), "nil *") {
			t.Errorf("body is a nil %T: %v", body, err)
		}
	}
	if b.calls.Load() != 0 {
		t.Errorf("%d calls were sent", b.calls.Load())
	}
	if _, err := transport.New(transport.WithAPIKey("key"), transport.WithHTTPClient(&http.Client{Transport: (*http.Transport)(nil)})); err == nil {
		t.Error("an HTTP client with a nil *http.Transport is accepted")
	}
}
