package transport_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/basiq-sdk/basiq-go/transport"
)

// dyingConn is a connection to which nothing can be written after dead is set. Reads
// continue.
type dyingConn struct {
	net.Conn
	dead *atomic.Bool
}

func (c dyingConn) Write(p []byte) (int, error) {
	if c.dead.Load() {
		return 0, syscall.EPIPE
	}
	return c.Conn.Write(p)
}

// TestDeadIdleConnection: if an idle connection is dead and the server accepts no
// other, the error contains both, and the request was never sent, in every class.
func TestDeadIdleConnection(t *testing.T) {
	for class := transport.SafetyRead; class <= transport.SafetyUnrepeatable; class++ {
		var dead atomic.Bool
		b := newBank(t, empty)
		h := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if dead.Load() {
				return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
			}
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			return dyingConn{conn, &dead}, err
		}}}
		c := b.client(t, transport.WithTokenSource(transport.StaticToken("t")), transport.WithHTTPClient(h), transport.WithoutRetry())
		if _, err := get(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		dead.Store(true)
		r := transport.NewRequest(operation(class))
		if class != transport.SafetyRead {
			r.SetForm(transport.Field{Name: "a", Value: "b"})
		}
		err := c.Do(t.Context(), r, nil)
		var send *transport.SendError
		if !errors.As(err, &send) || !errors.Is(err, syscall.ECONNREFUSED) || !strings.Contains(err.Error(), "the connection was closed without a response") {
			t.Fatalf("class %v: %v", class, err)
		}
		if errors.Is(err, transport.ErrOutcomeUnknown) || class != transport.SafetyRead && send.Sent {
			t.Errorf("class %v: nothing was sent, and %v", class, err)
		}
		if b.calls.Load() != 1 {
			t.Errorf("class %v: %d calls", class, b.calls.Load())
		}
	}
}

// TestRetryingHTTPClientAndDeadServer: if an HTTP client retries what may have been
// executed, and then finds no server, the outcome is unknown. The error says why.
func TestRetryingHTTPClientAndDeadServer(t *testing.T) {
	b := newBank(t, func(w http.ResponseWriter, _ *http.Request) { hangUp(w) })
	var dead atomic.Bool
	inner := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		if dead.Load() {
			return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
	repeats := roundTripper(func(r *http.Request) (*http.Response, error) {
		if res, err := inner.RoundTrip(r); err == nil {
			return res, nil
		}
		dead.Store(true)
		r.Body, _ = r.GetBody()
		return inner.RoundTrip(r)
	})
	r := transport.NewRequest(operation(transport.SafetyUnrepeatable))
	r.SetForm(transport.Field{Name: "a", Value: "b"})
	err := b.client(t, transport.WithTokenSource(transport.StaticToken("t")), transport.WithHTTPClient(&http.Client{Transport: repeats})).Do(t.Context(), r, nil)
	if !errors.Is(err, transport.ErrOutcomeUnknown) || !errors.Is(err, syscall.ECONNREFUSED) || !strings.Contains(err.Error(), "the connection was closed without a response") || b.calls.Load() != 1 {
		t.Errorf("%v after %d calls", err, b.calls.Load())
	}
}
