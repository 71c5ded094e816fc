package transport

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// proxyError stands for an error that may be what a proxy said: net/http makes
// an error of the reason phrase alone, which may hold anything, such as the
// password that the proxy was sent.
type proxyError struct{ err error }

// proxyStatuses are those that proxies refuse a connection with.
var proxyStatuses = []int{400, 401, 403, 404, 405, 407, 408, 429, 500, 501, 502, 503, 504}

// Error passes on a reason phrase that is the usual one of a status.
func (e *proxyError) Error() string {
	said := e.err.Error()
	if i := slices.IndexFunc(proxyStatuses, func(status int) bool { return http.StatusText(status) == said }); i >= 0 {
		return fmt.Sprintf("the proxy answered CONNECT with %d %s", proxyStatuses[i], said)
	}
	return "the proxy refused to connect, for a reason that is not shown"
}

func (e *proxyError) Unwrap() error { return e.err }

// own are the beginnings of errors that the standard library makes in the same
// way: their texts hold nothing of what another side said.
var own = []string{"EOF", "context ", "http2: ", "http: ", "io: ", "net/http: ", "tls: ", "unexpected EOF", "unknown status code", "x509: "}

// proxied hides what a proxy said: what failed between the dialling of a
// connection and its use, and does not say what it is.
func (t *trail) proxied(err error) error {
	if t == nil || !t.dialled.Load() || t.found.Load() > 0 || err == errConnections || fmt.Sprintf("%T", err) != "*errors.errorString" {
		return err
	}
	if slices.ContainsFunc(own, func(prefix string) bool { return strings.HasPrefix(err.Error(), prefix) }) {
		return err
	}
	return &proxyError{err}
}
