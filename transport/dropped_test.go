//go:build !js

package transport_test

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/basiq-sdk/basiq-go/internal/roundtrip"
	"github.com/basiq-sdk/basiq-go/transport"
)

// droppable is one end of a connection in memory. Once the connection is dropped, what
// is written to either end is lost, as it is after a firewall forgot the connection.
type droppable struct {
	net.Conn
	dropped *atomic.Bool
}

func (d droppable) Write(p []byte) (int, error) {
	if d.dropped.Load() {
		return len(p), nil
	}
	return d.Conn.Write(p)
}

// memory is a network in memory with one server, which a test with a fake clock can use.
type memory struct {
	accept chan net.Conn
	closed chan struct{}
	close  func()

	mu    sync.Mutex
	conns []*atomic.Bool // whether each connection was dropped
}

func newMemory() *memory {
	m := &memory{accept: make(chan net.Conn), closed: make(chan struct{})}
	m.close = sync.OnceFunc(func() { close(m.closed) })
	return m
}

func (m *memory) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 443} }

func (m *memory) Close() error {
	m.close()
	return nil
}

func (m *memory) Accept() (net.Conn, error) {
	select {
	case c := <-m.accept:
		return c, nil
	case <-m.closed:
		return nil, net.ErrClosed
	}
}

func (m *memory) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	dropped := &atomic.Bool{}
	select {
	case m.accept <- droppable{far, dropped}:
	case <-m.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.conns = append(m.conns, dropped)
	return droppable{near, dropped}, nil
}

// drop drops all connections, and returns how many there have been.
func (m *memory) drop() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, dropped := range m.conns {
		dropped.Store(true)
	}
	return len(m.conns)
}

// TestDroppedConnection: a connection on which no data arrives any more is detected and
// replaced within a call. The client is a default one, but for its network.
func TestDroppedConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := newMemory()
		s := httptest.NewUnstartedServer(http.HandlerFunc(empty))
		_ = s.Listener.Close()
		s.Listener, s.EnableHTTP2 = network, true
		s.StartTLS()
		defer s.Close()
		roundtrip.Changed = func(tr *http.Transport) {
			tr.TLSClientConfig.RootCAs = x509.NewCertPool()
			tr.TLSClientConfig.RootCAs.AddCert(s.Certificate())
			tr.DialContext = network.DialContext
		}
		c, err := transport.New(transport.WithTokenSource(transport.StaticToken("token-x")), transport.WithBaseURL(s.URL))
		roundtrip.Changed = nil
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for range 2 { // on one connection
			if _, err := get(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
		if n := network.drop(); n != 1 {
			t.Fatalf("%d connections, want 1", n)
		}
		start := time.Now()
		_, err = get(t.Context(), c)
		if n := network.drop(); err != nil || n != 2 {
			t.Errorf("%v, after %d connections, want 2", err, n)
		}
		if took := time.Since(start); took > 30*time.Second { // the attempt's own timeout is a minute
			t.Errorf("it took %s", took)
		}
	})
}

// TestDefaultClientUsesItsOwnTransports: a client without WithHTTPClient uses HTTP/2, and
// HTTP/1.1 for calls that must not be sent twice. Its transports trust the system's root
// certificates, which are read once in a process; hence it runs in one of its own.
func TestDefaultClientUsesItsOwnTransports(t *testing.T) {
	s, _ := overHTTP2(t, func(w http.ResponseWriter, r *http.Request) { _, _ = fmt.Fprintf(w, "{\"proto\":%q}", r.Proto) })
	if base := os.Getenv("DEFAULT_CLIENT_OF"); base != "" {
		c, err := transport.New(transport.WithTokenSource(transport.StaticToken("token-x")), transport.WithBaseURL(base))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for _, class := range []transport.Safety{transport.SafetyRead, transport.SafetyUnrepeatable} {
			var out struct {
				Proto string `json:"proto"`
			}
			if err := c.Do(t.Context(), transport.NewRequest(operation(class)), &out); err != nil {
				t.Fatal(err)
			}
			fmt.Printf("class %s: %s\n", class, out.Proto)
		}
		return
	}
	if runtime.GOOS != "linux" {
		t.Skip("the system's roots cannot be set here")
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestDefaultClientUsesItsOwnTransports$")
	cmd.Env = append(os.Environ(), "SSL_CERT_FILE="+file, "SSL_CERT_DIR="+filepath.Dir(file), "DEFAULT_CLIENT_OF="+s.URL)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "class A: HTTP/2.0\n") || !strings.Contains(string(out), "class D: HTTP/1.1\n") {
		t.Errorf("%v\n%s", err, out)
	}
}
