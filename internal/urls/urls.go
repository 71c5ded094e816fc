// Package urls compares the hosts that URLs lead to.
package urls

import (
	"net"
	"net/url"
	"strings"
)

// Origin returns the scheme, host and port of a URL, in lower case and with the
// scheme's default port if the URL has none.
func Origin(u *url.URL) string {
	scheme, port := strings.ToLower(u.Scheme), u.Port()
	switch {
	case port != "":
	case scheme == "https":
		port = "443"
	case scheme == "http":
		port = "80"
	}
	return scheme + "://" + strings.ToLower(u.Hostname()) + ":" + port
}

// Loopback reports whether a host name or IP address is this machine's own.
func Loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
