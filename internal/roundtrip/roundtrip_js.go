// Package roundtrip contains the default HTTP transports of a client.
package roundtrip

import (
	"errors"
	"net/http"
	"strings"
	"syscall/js"
)

// Default returns the transports of a client without WithHTTPClient. In a browser they
// use the Fetch API, as net/http does if no dialer is set.
func Default() (most, single http.RoundTripper, idle func()) {
	t := &http.Transport{DisableCompression: true}
	if !fetches() {
		return t, t, t.CloseIdleConnections
	}
	return fetching{t}, fetching{t}, func() {}
}

// fetches reports whether net/http uses the Fetch API, by net/http's own rule: it does
// not in Node.js.
func fetches() bool {
	process := js.Global().Get("process")
	node := process.Type() == js.TypeObject && strings.HasPrefix(process.Get("argv0").String(), "node")
	return !node && !js.Global().Get("fetch").IsUndefined()
}

// fetching is a transport that uses the Fetch API.
type fetching struct{ *http.Transport }

var errFetchRedirect = errors.New("the server redirected the call, and redirects are not followed")

func (f fetching) RoundTrip(req *http.Request) (*http.Response, error) {
	// A browser sets these two itself, and may otherwise send a CORS preflight for them.
	delete(req.Header, "User-Agent")
	delete(req.Header, "Accept-Encoding")
	// Without this, fetch follows redirects, with the token and the body.
	req.Header["js.fetch:redirect"] = []string{"manual"}
	res, err := f.Transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode == 0 { // a redirect, of which a browser reveals nothing
		_ = res.Body.Close()
		return nil, errFetchRedirect
	}
	// The body is already decompressed, whatever the header says.
	delete(res.Header, "Content-Encoding")
	delete(res.Header, "Content-Length")
	res.ContentLength = -1
	return res, nil
}
