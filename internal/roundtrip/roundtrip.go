//go:build !js

// Package roundtrip contains the default HTTP transports of a client. They are apart from
// package transport so that its tests are all outside of it: a test inside would make the
// go command compile the whole SDK once more for it.
package roundtrip

import (
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

const (
	// idleTimeout is below the idle timeouts of common load balancers: 60 seconds on
	// AWS, 75 in nginx. If the server closes a connection while a request is being
	// sent, it is unknown whether the request was executed.
	idleTimeout = 50 * time.Second
	// singleIdleTimeout is the same for calls that must not be sent twice. It is below
	// any reasonable timeout of a server, and long enough for consecutive calls.
	singleIdleTimeout = 500 * time.Millisecond
)

// Changed, if it is not nil, changes the first transport that Default returns. A test gives
// a client's own transport a network in memory with it.
var Changed func(*http.Transport)

// Default returns the transports of a client without WithHTTPClient: one for most calls,
// one for calls of classes C and D, and a function that closes their idle connections.
//
// The second has its own connections, so that no call is sent on one that was idle
// for longer than singleIdleTimeout. It uses HTTP/1.1 only: over HTTP/2, net/http
// itself retries a request whose stream is reset with PROTOCOL_ERROR, although the
// request may have been executed.
func Default() (most, single http.RoundTripper, idle func()) {
	m, s := newTransport(idleTimeout), newTransport(singleIdleTimeout)
	m.ForceAttemptHTTP2 = true
	// All calls share one HTTP/2 connection. Without pings, they fail for many minutes
	// after a firewall has dropped it.
	m.HTTP2 = &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 5 * time.Second}
	s.Protocols = new(http.Protocols)
	s.Protocols.SetHTTP1(true)
	if Changed != nil {
		Changed(m)
	}
	return m, s, func() {
		m.CloseIdleConnections()
		s.CloseIdleConnections()
	}
}

func newTransport(idle time.Duration) *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:    15 * time.Second,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		MaxIdleConns:           100,
		MaxIdleConnsPerHost:    32,
		IdleConnTimeout:        idle,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: 128 << 10,
		DisableCompression:     true, // package transport decompresses responses, within the size limit
	}
}
