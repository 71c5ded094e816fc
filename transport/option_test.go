package transport_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/transport"
)

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

// TestZeroRequests: a Request that was not created by this package is rejected with
// an error, and not sent.
func TestZeroRequests(t *testing.T) {
	b, c := inMemory(t, empty)
	var zero transport.Request
	zero.SetQuery("a", "b")
	zero.SetHeader("X-A", "b")
	zero.SetForm(transport.Field{Name: "a", Value: "b"})
	zero.SetMultipart(transport.Part{Name: "a", Value: "b"})
	zero.SetFilter("filter", transport.Filter{})
	zero.Conceal("text")
	zero.Require("a", true)
	zero.AtMost("a", 1, 2)
	if zero.Operation() == nil {
		t.Error("it is a call of nothing")
	}
	for _, r := range []*transport.Request{nil, {}, &zero} {
		if err := c.Do(t.Context(), r, nil); err == nil || !strings.Contains(err.Error(), "NewRequest") {
			t.Errorf("got %v", err)
		}
	}
	var none *item
	if err := c.Call(t.Context(), http.MethodGet, "/things", nil, none); err == nil || !strings.Contains(err.Error(), "a nil *transport_test.item") {
		t.Errorf("into a nil pointer: %v", err)
	}
	if b.calls.Load() != 0 {
		t.Error("it was sent")
	}
	defer func() {
		if said, _ := recover().(string); !strings.Contains(said, "NewRequest") {
			t.Errorf("it says %q", said)
		}
	}()
	(*transport.Request)(nil).SetQuery("a", "b")
}
