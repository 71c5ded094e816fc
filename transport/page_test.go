package transport_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/basiq-sdk/basiq-go/transport"
)

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

func TestInvalidPageLinks(t *testing.T) {
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
