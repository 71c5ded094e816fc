package faults

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// fault is a way in which a call can fail. Exactly one of dial, accept, halfway, http2,
// answer and store is set.
type fault struct {
	name string

	dial    func(context.Context) (net.Conn, error) // replaces dialing
	accept  func(net.Conn)                          // called before a request is read
	halfway bool                                    // reset after the request's headers were read, but not its body
	http2   func(*network, net.Conn)                // called for HTTP/2 connections
	answer  func(*exchange)                         // called after the request was read
	store   storeFault                              // of the store that the processes share

	executed bool                     // whether the API executes the request
	also     func(*http.Request) bool // further requests that are hit by the fault
	resends  bool                     // whether net/http resends requests by itself
	timeout  time.Duration            // of an attempt; 0 means limit
	wait     time.Duration            // the server's Retry-After
	cert     *tls.Certificate         // of the API
	roots    *x509.CertPool           // trusted by the client
}

// short is the timeout of an attempt that gets no complete response. It must be long
// enough for attempts that do, even on a busy machine.
var short = 200 * time.Millisecond

// catalogue returns the faults in the order of the matrix.
func catalogue(t *testing.T) []*fault {
	good, roots := certificate(t)
	bad, _ := certificate(t)
	names := newNames(t)
	list := []*fault{
		{name: "connection refused", dial: func(ctx context.Context) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", "127.0.0.1:1")
		}},
		{name: "no such host", dial: names.dial("absent.test.")},
		{name: "DNS failure", dial: names.dial("failing.test.")},
		{name: "untrusted certificate", cert: &good, roots: roots, accept: func(c net.Conn) {
			s := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{bad}})
			_ = s.Handshake()
			_ = s.Close()
		}},
		{name: "reset during TLS handshake", cert: &good, roots: roots, accept: func(c net.Conn) {
			_, _ = c.Read(make([]byte, 1))
			reset(c)
		}},
		{name: "reset before the request", accept: func(c net.Conn) {
			_, _ = c.Read(make([]byte, 1))
			reset(c)
		}},
		{name: "reset during the request", halfway: true},
		{name: "reset before headers", executed: true, answer: func(x *exchange) { reset(x) }},
		{name: "reset during headers", executed: true, answer: func(x *exchange) {
			_, _ = x.Write(x.head[:len(x.head)/2])
			reset(x)
		}},
		{name: "reset after headers", executed: true, answer: func(x *exchange) {
			_, _ = x.Write(x.head)
			time.Sleep(5 * time.Millisecond) // otherwise the reset would discard the headers
			reset(x)
		}},
		{name: "truncated body", executed: true, answer: func(x *exchange) {
			_, _ = x.Write(append(x.head, x.rest[:len(x.rest)/2]...))
		}},
		{name: "no headers", executed: true, timeout: short, answer: func(x *exchange) { stall(x) }},
		{name: "slow headers", executed: true, timeout: short, answer: func(x *exchange) { drip(x, x.head, x.network.fault) }},
		{name: "stalled body", executed: true, timeout: short, answer: func(x *exchange) {
			_, _ = x.Write(append(x.head, x.rest[:len(x.rest)/2]...))
			stall(x)
		}},
		{name: "slow body", executed: true, timeout: short, answer: func(x *exchange) {
			_, _ = x.Write(x.head)
			drip(x, x.rest, x.network.fault)
		}},
		{name: "429", answer: problemResponse(http.StatusTooManyRequests, nothing)},
		{name: "429 with Retry-After in seconds", wait: time.Second, answer: problemResponse(http.StatusTooManyRequests, seconds)},
		{name: "429 with Retry-After as a date", wait: time.Second, answer: problemResponse(http.StatusTooManyRequests, date(0))},
		{name: "503", answer: problemResponse(http.StatusServiceUnavailable, nothing)},
		{name: "503 with Retry-After in seconds", wait: time.Second, answer: problemResponse(http.StatusServiceUnavailable, seconds)},
		{name: "503 with Retry-After as a date", wait: time.Second, answer: problemResponse(http.StatusServiceUnavailable, date(0))},
		{name: "503 with Retry-After over a minute", answer: problemResponse(http.StatusServiceUnavailable, func(h http.Header) { h.Set("Retry-After", "61") })},
		{name: "500", executed: true, answer: problemResponse(http.StatusInternalServerError, nothing)},
		{name: "502", executed: true, answer: problemResponse(http.StatusBadGateway, nothing)},
		{name: "504", executed: true, answer: problemResponse(http.StatusGatewayTimeout, nothing)},
		{name: "HTML error page", executed: true, answer: func(x *exchange) {
			x.reply(http.StatusBadGateway, http.Header{"Content-Type": {"text/html"}}, "<html><h1>Bad gateway</h1>")
		}},
		{name: "wrong content type", executed: true, answer: func(x *exchange) {
			x.reply(http.StatusOK, http.Header{"Content-Type": {"text/html"}}, "<html>Sign in to the network</html>")
		}},
		{name: "invalid JSON", executed: true, answer: func(x *exchange) {
			x.reply(http.StatusOK, http.Header{"Content-Type": {"application/json"}}, `{"type":"list","data":[{"id":1},`)
		}},
		{name: "gzip bomb", executed: true, answer: func(x *exchange) {
			x.reply(http.StatusOK, http.Header{"Content-Encoding": {"gzip"}}, bomb)
		}},
	}
	for _, status := range []int{301, 302, 307, 308} {
		for _, host := range []string{"the same", "another"} {
			list = append(list, &fault{name: fmt.Sprintf("%d to %s host", status, host), answer: func(x *exchange) {
				to := x.network.otherHost.Addr().String()
				if host == "the same" {
					to = x.network.api.Listener.Addr().String()
				}
				x.reply(status, http.Header{"Location": {"http://" + to + "/elsewhere"}}, "")
			}})
		}
	}
	return append(list,
		&fault{name: "expired token as 403", answer: func(x *exchange) {
			x.problem(http.StatusForbidden, nil, "access-denied", "Token has expired")
		}},
		&fault{name: "expired token as 401", answer: func(x *exchange) {
			x.problem(http.StatusUnauthorized, nil, "invalid-authorization-token", "No")
		}},
		&fault{name: "revoked key", also: func(r *http.Request) bool { return callOf(r) == "token" }, answer: func(x *exchange) {
			if callOf(x.request) == "token" {
				x.problem(http.StatusNotFound, nil, "parameter-not-valid", "unable to authenticate, check API key")
				return
			}
			x.problem(http.StatusUnauthorized, nil, "invalid-authorization-token", "No")
		}},
		&fault{name: "clock skew", wait: time.Second, answer: problemResponse(http.StatusTooManyRequests, date(-2*time.Hour))},
		&fault{name: "GOAWAY before the request", resends: true, http2: goAway(false)},
		&fault{name: "GOAWAY after the request", executed: true, http2: goAway(true)},
		&fault{name: "store fails", store: storeFails},
		&fault{name: "store hangs", store: storeHangs, timeout: short},
		&fault{name: "store confuses keys", store: storeConfused},
		&fault{name: "lock held by a dead process", store: storeHeld},
	)
}

// bomb is 1 kB of gzip that decompresses to 1 MB.
var bomb = func() string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(make([]byte, 1<<20))
	_ = z.Close()
	return b.String()
}()

// maxResponse is the response size limit, which the bomb exceeds.
const maxResponse = 256 << 10

func nothing(http.Header) {}

func seconds(h http.Header) { h.Set("Retry-After", "1") }

// date sets a Retry-After one second in the future, by a clock that is off by wrong.
func date(wrong time.Duration) func(http.Header) {
	return func(h http.Header) {
		now := time.Now().Add(wrong).UTC()
		h.Set("Date", now.Format(http.TimeFormat))
		h.Set("Retry-After", now.Add(time.Second).Format(http.TimeFormat))
	}
}

// problemResponse responds with a problem that echoes the token and the body, which
// must not be logged.
func problemResponse(status int, header func(http.Header)) func(*exchange) {
	return func(x *exchange) {
		h := http.Header{}
		header(h)
		x.problem(status, h, "some-code", x.request.Header.Get("Authorization")+string(x.body))
	}
}

func (x *exchange) problem(status int, h http.Header, code, detail string) {
	x.reply(status, h, fmt.Sprintf(`{"type":"list","correlationId":"c-1","data":[{"type":"error","code":%q,"title":%q,"detail":%q,"source":null}]}`, code, detail, detail))
}

func (x *exchange) reply(status int, h http.Header, body string) {
	res := http.Response{
		StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Header: h, Request: x.request,
		ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body)), Close: true,
	}
	_ = res.Write(x)
}

// certificate returns a self-signed certificate for the loopback addresses.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// names is a name server: names with the label absent do not exist, and all others
// result in a server failure.
type names struct{ net.PacketConn }

func newNames(t *testing.T) *names {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil { // the machine may have only IPv6
		conn, err = net.ListenPacket("udp6", "[::1]:0")
	}
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { _ = conn.Close(); <-done })
	go func() {
		defer close(done)
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			if n < 12 {
				continue
			}
			const response, noSuchName, failure = 0x80, 3, 2
			buf[2] |= response
			buf[3] = failure
			if bytes.Contains(buf[:n], []byte("\x06absent")) {
				buf[3] = noSuchName
			}
			_, _ = conn.WriteTo(buf[:n], from)
		}
	}()
	return &names{conn}
}

// dial returns a dial function that fails to resolve host.
func (n *names) dial(host string) func(context.Context) (net.Conn, error) {
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", n.LocalAddr().String())
	}}
	d := &net.Dialer{Resolver: resolver}
	return func(ctx context.Context) (net.Conn, error) { return d.DialContext(ctx, "tcp", host+":80") }
}
