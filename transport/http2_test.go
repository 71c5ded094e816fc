package transport_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go/internal/loopback"
	"github.com/basiq-sdk/basiq-go/transport"
)

// overHTTP2 returns a server that uses HTTP/2, and a transport that trusts it.
func overHTTP2(t *testing.T, h http.HandlerFunc) (*httptest.Server, *http.Transport) {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true, DisableCompression: true}
	t.Cleanup(tr.CloseIdleConnections)
	return s, tr
}

// stalling is a connection whose writes block while gate is locked, as they do when
// the other side reads nothing.
type stalling struct {
	net.Conn
	gate chan struct{} // has an item when writes may pass
}

func (s stalling) Write(p []byte) (int, error) {
	s.gate <- <-s.gate
	return s.Conn.Write(p)
}

// TestStalledWriteMayHaveBeenSent: HTTP/2 may send a request's headers after the
// attempt has ended. What may have been sent is not retried, and its outcome is
// unknown.
func TestStalledWriteMayHaveBeenSent(t *testing.T) {
	var posts atomic.Int64
	s, tr := overHTTP2(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			posts.Add(1)
		}
		empty(w, r)
	})
	gate := make(chan struct{}, 1)
	gate <- struct{}{}
	tr.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, network, address)
		return stalling{c, gate}, err
	}
	c, err := transport.New(transport.WithTokenSource(transport.StaticToken("token-x")), transport.WithBaseURL(s.URL),
		transport.WithHTTPClient(&http.Client{Transport: tr}), transport.WithTimeout(200*time.Millisecond), fast)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := get(t.Context(), c, transport.WithTimeout(10*time.Second)); err != nil {
		t.Fatal(err)
	}
	<-gate
	time.AfterFunc(300*time.Millisecond, func() { gate <- struct{}{} })
	err = c.Do(t.Context(), transport.NewRequest(operation(transport.SafetyUnrepeatable)), nil)
	if !errors.Is(err, transport.ErrOutcomeUnknown) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the error is %v", err)
	}
	if _, err := get(t.Context(), c, transport.WithTimeout(10*time.Second)); err != nil { // behind it on the same connection
		t.Fatal(err)
	}
	if n := posts.Load(); n > 1 {
		t.Errorf("it was executed %d times", n)
	}
}

// TestStreamRefusedDuringTheResponse: a stream that is refused after its response
// began was processed.
func TestStreamRefusedDuringTheResponse(t *testing.T) {
	var headers atomic.Int64
	base, tr := refusing(t, &headers)
	c, err := transport.New(transport.WithTokenSource(transport.StaticToken("token-x")), transport.WithBaseURL(base), transport.WithHTTPClient(&http.Client{Transport: tr}), fast)
	if err != nil {
		t.Fatal(err)
	}
	var out item
	err = c.Do(t.Context(), transport.NewRequest(operation(transport.SafetyUnrepeatable)), &out)
	if n := headers.Load(); n != 1 || !errors.Is(err, transport.ErrOutcomeUnknown) {
		t.Errorf("%d requests: %v", n, err)
	}
}

// refusing is an HTTP/2 server that starts a response, and then refuses the stream.
func refusing(t *testing.T, headers *atomic.Int64) (string, *http.Transport) {
	s := httptest.NewTLSServer(nil)
	certificate, pool := s.TLS.Certificates[0], x509.NewCertPool()
	pool.AddCert(s.Certificate())
	s.Close()
	plain, err := loopback.Listen()
	if err != nil {
		t.Fatal(err)
	}
	l := tls.NewListener(plain, &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"h2"}})
	t.Cleanup(func() { _ = l.Close() })
	const data, head, reset, settings, ping = 0, 1, 3, 4, 6
	frame := func(w io.Writer, kind, flags byte, stream uint32, payload []byte) {
		h := []byte{byte(len(payload) >> 16), byte(len(payload) >> 8), byte(len(payload)), kind, flags, 0, 0, 0, 0}
		binary.BigEndian.PutUint32(h[5:], stream)
		_, _ = w.Write(append(h, payload...))
	}
	serve := func(c net.Conn) {
		defer c.Close()
		_, _ = io.ReadFull(c, make([]byte, 24)) // the preface
		frame(c, settings, 0, 0, nil)
		h := make([]byte, 9)
		for {
			if _, err := io.ReadFull(c, h); err != nil {
				return
			}
			payload := make([]byte, int(h[0])<<16|int(h[1])<<8|int(h[2]))
			if _, err := io.ReadFull(c, payload); err != nil {
				return
			}
			stream := binary.BigEndian.Uint32(h[5:])
			switch {
			case h[3] == settings && h[4] == 0:
				frame(c, settings, 1, 0, nil)
			case h[3] == ping && h[4] == 0:
				frame(c, ping, 1, 0, payload)
			case h[3] == head:
				headers.Add(1)
				frame(c, head, 4, stream, []byte{0x88}) // 200
				frame(c, data, 0, stream, []byte(`{"id":"jo`))
				time.Sleep(20 * time.Millisecond)
				frame(c, reset, 0, stream, []byte{0, 0, 0, 7}) // REFUSED_STREAM
			}
		}
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serve(c)
		}
	}()
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true, DisableCompression: true}
	t.Cleanup(tr.CloseIdleConnections)
	return "https://" + l.Addr().String(), tr
}
