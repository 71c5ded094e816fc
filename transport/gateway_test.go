package transport_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/transport"
)

// TestGatewayLinks: only a link to the API's own host leads to the base URL, and only
// within the list's route.
func TestGatewayLinks(t *testing.T) {
	const own = transport.DefaultBaseURL
	for link, follow := range map[string]bool{
		own + "/things?next=a": true, own + ":443/things?next=a": true, strings.ToUpper(own[:12]) + own[12:] + "/things?next=a": true,
		own + ".evil.example/things?next=a": false, "http" + own[5:] + "/things?next=a": false, strings.Replace(own, "://", "://user:word@", 1) + "/things?next=a": false,
		own + ":8443/things?next=a": false, own + "/token": false, own + "/things/../token": false, own + "/things/%2e%2e/token": false, "https://evil.example/things?next=a": false,
		strings.Replace(own, "au-api", "api", 1) + "/things?next=a": false,
	} {
		b := newBank(t, func(w http.ResponseWriter, r *http.Request) {
			next := ""
			if !r.URL.Query().Has("next") {
				next = link
			}
			body, _ := json.Marshal(map[string]any{"data": []any{map[string]string{"id": "1"}}, "next": next})
			_, _ = w.Write(body)
		})
		if ids, err := list(b.client(t)); !errors.Is(err, transport.ErrPageLink) || len(ids) > 1 {
			t.Errorf("%s without the option: %v", link, err)
		}
		ids, err := list(b.client(t, transport.WithGatewayLinks()))
		if follow != (err == nil && len(ids) == 2) || !follow && (!errors.Is(err, transport.ErrPageLink) || strings.Contains(err.Error(), "word")) {
			t.Errorf("%s: %v, %v", link, ids, err)
		}
	}
	u := &url.URL{Scheme: "https", Host: "au-api.basiq.io", Path: "/jobs/j"}
	if got := (*transport.Client)(nil).GatewayLink(u); got != u {
		t.Error("a nil client changes links")
	}
}
