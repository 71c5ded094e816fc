package transport

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// proxyError hides an error that may hold text from a proxy. net/http makes an error
// of the reason phrase alone, which may hold anything, such as the password that was
// sent to the proxy.
type proxyError struct{ err error }

// proxyStatuses are the statuses with which proxies reject CONNECT requests.
var proxyStatuses = []int{400, 401, 403, 404, 405, 407, 408, 429, 500, 501, 502, 503, 504}

// Error names the status if the reason phrase is the standard one of that status.
func (e *proxyError) Error() string {
	phrase := e.err.Error()
	if i := slices.IndexFunc(proxyStatuses, func(status int) bool { return http.StatusText(status) == phrase }); i >= 0 {
		return fmt.Sprintf("the proxy answered CONNECT with %d %s", proxyStatuses[i], phrase)
	}
	return "the proxy rejected the connection, with a reason that is not shown because it may hold secrets"
}

func (e *proxyError) Unwrap() error { return e.err }

// standardPrefixes are the prefixes of the standard library's own errors. Their
// texts hold nothing that the other side sent.
var standardPrefixes = []string{"EOF", "context ", "http2: ", "http: ", "io: ", "net/http: ", "tls: ", "unexpected EOF", "unknown status code", "x509: "}

// hideProxyReason hides an error that may hold text from a proxy: one that occurred
// after a connection was dialled and before it was used, and has no known form.
func (t *attemptTrace) hideProxyReason(err error) error {
	if t == nil || !t.dialled.Load() || t.got.Load() > 0 || err == errConnections || fmt.Sprintf("%T", err) != "*errors.errorString" {
		return err
	}
	if slices.ContainsFunc(standardPrefixes, func(prefix string) bool { return strings.HasPrefix(err.Error(), prefix) }) {
		return err
	}
	return &proxyError{err}
}
