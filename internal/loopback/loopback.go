// Package loopback listens on the loopback interface, for fake servers and tests.
package loopback

import (
	"errors"
	"net"
)

// Listen listens on a free TCP port of the loopback interface, over IPv4 or, if the
// machine has only IPv6, over IPv6.
func Listen() (net.Listener, error) {
	l, err4 := net.Listen("tcp4", "127.0.0.1:0")
	if err4 == nil {
		return l, nil
	}
	l, err6 := net.Listen("tcp6", "[::1]:0")
	if err6 == nil {
		return l, nil
	}
	return nil, errors.Join(err4, err6)
}
