package faults

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go/internal/loopback"
)

// network connects a client to the fake API. It consists of a proxy that breaks
// connections and responses, and a dialer that decides which connections go through
// the proxy. Unless connections are reused, every request has its own, so that the
// Nth connection is the Nth request.
type network struct {
	api       *fakeAPI
	fault     *fault
	target    string // the kind of call that is hit by the fault; other calls pass
	from      int64  // index of the first connection that is broken
	once      bool   // whether it is the only one
	reuse     bool   // whether connections are reused; then all go through the proxy, and requests are counted instead
	lifted    atomic.Bool
	proxy     net.Listener
	otherHost net.Listener // another host, which must not receive requests

	dials          atomic.Int64
	open           atomic.Int64 // open connections of the client
	seen           atomic.Int64 // requests of the target kind whose headers reached the proxy
	reused         atomic.Int64 // those of them that arrived on a reused connection
	otherHostConns atomic.Int64 // connections to otherHost

	mu    sync.Mutex
	conns map[net.Conn]bool
	wg    sync.WaitGroup
}

func newNetwork(t *testing.T, a *fakeAPI, f *fault, c call, once, reuse bool) *network {
	t.Helper()
	n := &network{api: a, fault: f, target: c.target, from: int64(c.before), once: once, reuse: reuse, conns: map[net.Conn]bool{}}
	if reuse {
		n.from-- // the token request is not of the target kind
	}
	n.proxy = n.listen(t, n.serve)
	n.otherHost = n.listen(t, func(net.Conn) { n.otherHostConns.Add(1) })
	return n
}

// listen calls serve for every connection, and closes the connection afterwards.
func (n *network) listen(t *testing.T, serve func(net.Conn)) net.Listener {
	t.Helper()
	l, err := loopback.Listen()
	if err != nil {
		t.Fatal(err)
	}
	n.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			n.mu.Lock()
			n.conns[conn] = true
			n.mu.Unlock()
			n.wg.Go(func() {
				defer func() {
					_ = conn.Close()
					n.mu.Lock()
					delete(n.conns, conn)
					n.mu.Unlock()
				}()
				serve(conn)
			})
		}
	})
	return l
}

// close closes the proxy and all connections, and waits for their goroutines.
func (n *network) close() {
	_ = n.proxy.Close()
	_ = n.otherHost.Close()
	n.mu.Lock()
	for conn := range n.conns {
		_ = conn.Close()
	}
	n.mu.Unlock()
	n.wg.Wait()
}

// transport returns the client's http.Transport.
func (n *network) transport() *http.Transport {
	tr := &http.Transport{
		DisableKeepAlives: !n.reuse, DisableCompression: true, MaxResponseHeaderBytes: 128 << 10,
		DialContext: n.dial,
	}
	if n.fault.roots != nil {
		tr.TLSClientConfig = &tls.Config{RootCAs: n.fault.roots}
	}
	if n.fault.http2 != nil {
		tr.Protocols = new(http.Protocols)
		tr.Protocols.SetUnencryptedHTTP2(true)
	}
	return tr
}

// broken reports whether the next connection must be broken.
func (n *network) broken() bool {
	at := n.dials.Add(1) - 1
	return !n.lifted.Load() && (at == n.from || at > n.from && !n.once)
}

func (n *network) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	address := n.api.Listener.Addr().String()
	if n.reuse {
		address = n.proxy.Addr().String()
	} else if n.broken() {
		if n.fault.dial != nil {
			return n.fault.dial(ctx)
		}
		address = n.proxy.Addr().String()
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	n.open.Add(1)
	return &counted{Conn: conn, open: &n.open}, nil
}

// counted is a connection that counts as open until it is closed.
type counted struct {
	net.Conn
	open *atomic.Int64
	once sync.Once
}

func (c *counted) Close() error {
	c.once.Do(func() { c.open.Add(-1) })
	return c.Conn.Close()
}

// exchange is a request that reached the proxy, and the API's response to it.
type exchange struct {
	net.Conn
	network *network
	request *http.Request
	body    []byte
	head    []byte // response headers including the blank line; nil if the request was not forwarded
	rest    []byte // response body
}

// serve serves one connection of the proxy.
func (n *network) serve(conn net.Conn) {
	f := n.fault
	if f.accept != nil {
		f.accept(conn)
		return
	}
	if f.http2 != nil {
		f.http2(n, conn)
		return
	}
	in := bufio.NewReader(conn)
	for first := true; n.respond(conn, in, first) && n.reuse; first = false {
	}
}

// respond reads a request and responds to it. It reports whether the connection can be
// reused.
func (n *network) respond(conn net.Conn, in *bufio.Reader, first bool) bool {
	f := n.fault
	r, err := http.ReadRequest(in)
	if err != nil {
		return false
	}
	hit := callOf(r) == n.target
	if hit {
		at := n.seen.Add(1) - 1
		if !first {
			n.reused.Add(1)
		}
		if n.reuse {
			hit = !n.lifted.Load() && (at == n.from || at > n.from && !n.once)
		}
	}
	if hit && f.halfway {
		reset(conn)
		return false
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return false
	}
	x := &exchange{Conn: conn, network: n, request: r, body: body}
	pass := !hit && (f.also == nil || !f.also(r) || n.reuse && (n.seen.Load() <= n.from || n.once))
	if (f.executed || pass) && !x.forward() {
		return false
	}
	if pass {
		return x.relay()
	}
	f.answer(x)
	return false
}

// relay passes the API's response on. It reports whether the connection can be reused.
func (x *exchange) relay() bool {
	if !x.network.reuse {
		_, _ = x.Write(append(x.head, x.rest...))
		return false
	}
	res, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(append(x.head, x.rest...))), x.request)
	if err != nil {
		return false
	}
	res.Close = false
	res.Header.Del("Connection")
	return res.Write(x) == nil
}

// forward sends the request to the fake API and reads its response.
func (x *exchange) forward() bool {
	conn, err := net.Dial("tcp", x.network.api.Listener.Addr().String())
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	out := x.request.Clone(context.Background())
	out.Body, out.ContentLength, out.Close = io.NopCloser(bytes.NewReader(x.body)), int64(len(x.body)), true
	out.TransferEncoding = nil
	if out.Write(conn) != nil {
		return false
	}
	response, err := io.ReadAll(conn)
	if err != nil {
		return false
	}
	at := bytes.Index(response, []byte("\r\n\r\n"))
	if at < 0 {
		return false
	}
	x.head, x.rest = response[:at+4], response[at+4:]
	return true
}

// reset closes a connection with a TCP reset.
func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}

// stall keeps a connection open until the client closes it.
func stall(c net.Conn) {
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	_, _ = io.Copy(io.Discard, c)
}

// drip writes text one byte at a time, too slowly for an attempt's timeout, until the
// client closes the connection.
func drip(c net.Conn, text []byte, f *fault) {
	for _, b := range text {
		time.Sleep(f.timeout / 6)
		if _, err := c.Write([]byte{b}); err != nil {
			return
		}
	}
	stall(c)
}
