//go:build !js

package transport

import (
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

const (
	// idleTimeout is below those of the load balancers in use: 60 seconds on AWS,
	// 75 in nginx. A connection that the server closes while a request is on its
	// way leaves it open whether the request was executed.
	idleTimeout = 50 * time.Second
	// singleIdle is the same for what must not be sent twice: below any timeout
	// that a server may reasonably have, and long enough for calls in a row.
	singleIdle = 500 * time.Millisecond
)

// defaultTransports returns what a client sends with unless it is given an HTTP
// client: one for most calls, one for those of the classes C and D, and a function
// that closes their idle connections.
//
// The second has connections of its own, so that no call goes out on one that was
// idle for longer than singleIdle. It speaks HTTP/1.1 only: over HTTP/2, net/http
// sends a request again by itself when its stream is reset with PROTOCOL_ERROR,
// which does not say that it was not executed.
func defaultTransports() (most, single http.RoundTripper, idle func()) {
	m, s := newTransport(idleTimeout), newTransport(singleIdle)
	m.ForceAttemptHTTP2 = true
	// All calls share one HTTP/2 connection. Without a look at it, one that a
	// firewall has forgotten fails them for many minutes.
	m.HTTP2 = &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 5 * time.Second}
	s.Protocols = new(http.Protocols)
	s.Protocols.SetHTTP1(true)
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
		DisableCompression:     true, // answers are decompressed here, within the limit
	}
}
