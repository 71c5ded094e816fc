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
// that closes their idle connections. The latter have connections of their own, so
// that they never go out on one that was idle for longer than singleIdle, over
// HTTP/2 neither: a server's farewell can be lost with the connection.
func defaultTransports() (most, single http.RoundTripper, idle func()) {
	t := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:    15 * time.Second,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           100,
		MaxIdleConnsPerHost:    32,
		IdleConnTimeout:        idleTimeout,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: 128 << 10,
		DisableCompression:     true, // answers are decompressed here, within the limit
		// All calls share one HTTP/2 connection. Without a look at it, one that
		// a firewall has forgotten fails them for many minutes.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 5 * time.Second},
	}
	s := t.Clone()
	s.IdleConnTimeout = singleIdle
	return t, s, func() {
		t.CloseIdleConnections()
		s.CloseIdleConnections()
	}
}
