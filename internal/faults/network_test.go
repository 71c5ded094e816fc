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

// network is the way from a client to its bank: a proxy that breaks connections
// and answers, and a dialler that decides which connections go through it. Unless
// connections are used again, every request has one of its own, so that the Nth
// connection is the Nth request.
type network struct {
	bank     *bank
	fault    *fault
	hits     string // the kind of call whose answers are broken; other calls pass
	from     int64  // the first connection that is broken
	once     bool   // and the only one
	reuse    bool   // all connections go through the proxy, and are used again; requests are counted in place of them
	lifted   atomic.Bool
	proxy    net.Listener
	stranger net.Listener // another host; nobody has any business there

	dials     atomic.Int64
	open      atomic.Int64 // connections of the client that are not closed
	seen      atomic.Int64 // requests of the kind whose headers arrived at the proxy
	reused    atomic.Int64 // those of them that came on a connection that was used before
	strangers atomic.Int64 // connections to the stranger

	mu    sync.Mutex
	conns map[net.Conn]bool
	wg    sync.WaitGroup
}

func newNetwork(t *testing.T, b *bank, f *fault, c call, once, reuse bool) *network {
	t.Helper()
	n := &network{bank: b, fault: f, hits: c.hits, from: int64(c.before), once: once, reuse: reuse, conns: map[net.Conn]bool{}}
	if reuse {
		n.from-- // the request for the token is of another kind
	}
	n.proxy = n.listen(t, n.serve)
	n.stranger = n.listen(t, func(net.Conn) { n.strangers.Add(1) })
	return n
}

// listen hands every connection to serve, and closes it after that.
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

// close ends the proxy and all connections, and waits for what they run.
func (n *network) close() {
	_ = n.proxy.Close()
	_ = n.stranger.Close()
	n.mu.Lock()
	for conn := range n.conns {
		_ = conn.Close()
	}
	n.mu.Unlock()
	n.wg.Wait()
}

// transport is what the client sends with.
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

// broken tells whether the next connection is to be broken.
func (n *network) broken() bool {
	at := n.dials.Add(1) - 1
	return !n.lifted.Load() && (at == n.from || at > n.from && !n.once)
}

func (n *network) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	address := n.bank.Listener.Addr().String()
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

// counted is a connection that is open until it is closed.
type counted struct {
	net.Conn
	open *atomic.Int64
	once sync.Once
}

func (c *counted) Close() error {
	c.once.Do(func() { c.open.Add(-1) })
	return c.Conn.Close()
}

// exchange is a request that arrived at the proxy, and what the bank answers it.
type exchange struct {
	net.Conn
	network *network
	request *http.Request
	body    []byte
	head    []byte // of the bank's answer, with its empty line; nil if the bank was not asked
	rest    []byte // its body
}

// serve breaks one connection.
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
	for first := true; n.answer(conn, in, first) && n.reuse; first = false {
	}
}

// answer reads a request and answers it, and tells whether the connection can
// be used again.
func (n *network) answer(conn net.Conn, in *bufio.Reader, first bool) bool {
	f := n.fault
	r, err := http.ReadRequest(in)
	if err != nil {
		return false
	}
	hit := kindOf(r) == n.hits
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

// relay hands the bank's answer on, and keeps the connection.
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

// forward asks the bank.
func (x *exchange) forward() bool {
	conn, err := net.Dial("tcp", x.network.bank.Listener.Addr().String())
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
	answer, err := io.ReadAll(conn)
	if err != nil {
		return false
	}
	at := bytes.Index(answer, []byte("\r\n\r\n"))
	if at < 0 {
		return false
	}
	x.head, x.rest = answer[:at+4], answer[at+4:]
	return true
}

// reset ends a connection as a machine does that knows nothing of it.
func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}

// stall keeps a connection open until the client has had enough of it.
func stall(c net.Conn) {
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	_, _ = io.Copy(io.Discard, c)
}

// drip writes a byte now and then, until nobody reads it: so few that they never
// are all there in time.
func drip(c net.Conn, text []byte, f *fault) {
	for _, b := range text {
		time.Sleep(f.timeout / 6)
		if _, err := c.Write([]byte{b}); err != nil {
			return
		}
	}
	stall(c)
}
