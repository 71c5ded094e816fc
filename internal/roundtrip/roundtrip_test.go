package roundtrip_test

import (
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go/internal/roundtrip"
)

// TestIdleConnectionsCloseBeforeTheServers: load balancers close idle connections
// after 60 seconds on AWS, and after 75 seconds in nginx.
func TestIdleConnectionsCloseBeforeTheServers(t *testing.T) {
	most, single, _ := roundtrip.Default()
	for rt, longest := range map[http.RoundTripper]time.Duration{most: 55 * time.Second, single: time.Second} {
		if idle := rt.(*http.Transport).IdleConnTimeout; idle <= 0 || idle > longest {
			t.Errorf("idle connections are closed after %s, want at most %s", idle, longest)
		}
	}
}

// TestUnrepeatableCallsUseHTTP1: over HTTP/2, net/http itself retries some requests
// that may have been executed.
func TestUnrepeatableCallsUseHTTP1(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Seen", r.Proto) }))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	most, single, closeIdle := roundtrip.Default()
	defer closeIdle()
	for rt, want := range map[http.RoundTripper]string{most: "HTTP/2.0", single: "HTTP/1.1"} {
		rt.(*http.Transport).TLSClientConfig.RootCAs = roots
		res, err := (&http.Client{Transport: rt}).Post(server.URL, "text/plain", nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if got := res.Header.Get("Seen"); got != want {
			t.Errorf("the request is sent over %s, want %s", got, want)
		}
	}
}
