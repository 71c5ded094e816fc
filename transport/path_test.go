package transport_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/basiq-sdk/basiq-go/transport"
)

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
