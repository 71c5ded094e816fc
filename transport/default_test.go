package transport

import (
	"net/http"
	"testing"
	"time"
)

// TestIdleConnectionsCloseBeforeTheServers: load balancers on AWS close idle
// connections after 60 seconds, nginx after 75.
func TestIdleConnectionsCloseBeforeTheServers(t *testing.T) {
	most, single, _ := defaultTransports()
	for rt, longest := range map[http.RoundTripper]time.Duration{most: 55 * time.Second, single: time.Second} {
		if idle := rt.(*http.Transport).IdleConnTimeout; idle <= 0 || idle > longest {
			t.Errorf("idle connections are closed after %s, want at most %s", idle, longest)
		}
	}
}
