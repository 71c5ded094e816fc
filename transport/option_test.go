package transport_test

import (
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
