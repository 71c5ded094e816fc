package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync"
	"sync/atomic"

	"github.com/basiq-sdk/basiq-go/internal/neterr"
)

// attemptTrace records what net/http did with one attempt. An error alone does not
// say whether the request was sent; this does.
type attemptTrace struct {
	trace httptrace.ClientTrace
	asked atomic.Int32 // connections that net/http asked the pool for
	got   atomic.Int32 // connections that it got
	fresh atomic.Int32 // those of them that were new
	wrote atomic.Int32 // requests whose headers were written

	dialled      atomic.Bool // a connection was made, perhaps to a proxy
	contextEnded bool        // the context ended before anything was sent
	end          context.CancelCauseFunc

	// careful means that over HTTP/1, net/http asks for another connection only if
	// nothing was written to the one before.
	careful bool
	mu      sync.Mutex
	conn    net.Conn // the last one that net/http got
}

// maxFresh is how many new connections one attempt may use. net/http itself retries
// a request when a connection ends before the server has processed it, without
// limit: a server that answers every HTTP/2 connection with GOAWAY would get
// thousands of requests a second.
const maxFresh = 10

var errConnections = errors.New("the server closed ten new connections, one after another, without a response")

// traceAttempt returns a context that makes net/http record the attempt. The caller
// must end the context with the trace.
func traceAttempt(ctx context.Context) (context.Context, *attemptTrace) {
	t := &attemptTrace{}
	ctx, t.end = context.WithCancelCause(ctx)
	t.trace.GetConn = func(string) { t.asked.Add(1) }
	t.trace.ConnectDone = func(_, _ string, err error) {
		if err == nil {
			t.dialled.Store(true)
		}
	}
	t.trace.GotConn = func(c httptrace.GotConnInfo) {
		t.mu.Lock()
		t.conn = c.Conn
		t.mu.Unlock()
		t.got.Add(1)
		if !c.Reused && t.fresh.Add(1) > maxFresh {
			t.end(errConnections)
		}
	}
	t.trace.WroteHeaders = func() { t.wrote.Add(1) }
	return httptrace.WithClientTrace(ctx, &t.trace), t
}

// cause returns why an attempt failed: the end of its context, the reason why this
// package ended the attempt, or net/http's error without the URL.
func (t *attemptTrace) cause(ctx context.Context, err error) error {
	if t.fresh.Load() > maxFresh && ctx.Err() == nil {
		return errConnections
	}
	err = withoutURL(err)
	if t.reconnecting() {
		err = fmt.Errorf("the connection was closed without a response, and no other could be made: %w", err)
	}
	return ownError(ctx, err)
}

// reconnecting reports whether net/http was waiting for another connection because
// one to which it had written headers had ended.
func (t *attemptTrace) reconnecting() bool {
	return t.wrote.Load() > 0 && t.asked.Load() > t.got.Load()
}

// http2 reports whether the last connection used HTTP/2.
func (t *attemptTrace) http2() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	c, ok := t.conn.(interface{ ConnectionState() tls.ConnectionState })
	return ok && c.ConnectionState().NegotiatedProtocol == "h2"
}

// onlyUnwritten reports whether net/http itself retries a request over HTTP/1 only
// if nothing of it was written.
func onlyUnwritten(h *http.Request) bool {
	switch h.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return false
	}
	return h.Header["Idempotency-Key"] == nil && h.Header["X-Idempotency-Key"] == nil
}

// unsent reports whether the request was provably never sent. That is the case if
// net/http asked for a connection and never wrote the request's headers to one, or
// wrote them only to the buffer of a dead idle connection and asked for another.
//
// An HTTP client that records no trace proves nothing. Nor does an attempt that was
// cancelled while it had a connection: HTTP/2 reports headers after they were
// written, and may write them after the caller has stopped waiting.
func (t *attemptTrace) unsent(err error) bool {
	switch {
	case t.contextEnded:
		return true
	case t.careful && t.reconnecting() && !t.http2():
		return true
	case t.asked.Load() == 0 || t.wrote.Load() > 0:
		return false
	}
	return t.got.Load() == 0 || !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled)
}

// refusedStream is what errors.As converts net/http's HTTP/2 errors into. It must
// have the same fields in the same order.
type refusedStream struct {
	StreamID uint32
	Code     uint32
	Cause    error
}

func (refusedStream) Error() string { return "stream refused" }

const codeRefusedStream = 7 // RFC 9113: the request was not processed

// classify returns the outcome of an attempt that ended without a response, and
// whether a retry would fail in the same way. t is nil if a response had begun.
func classify(err error, t *attemptTrace) (o Outcome, permanent bool) {
	o = OutcomeUnknown
	var stream refusedStream
	switch {
	case t != nil && t.unsent(err):
		o = OutcomeNeverSent
	case t != nil && errors.As(err, &stream) && stream.Code == codeRefusedStream:
		o = OutcomeNeverSent
	}
	return o, neterr.Permanent(err)
}

// withoutURL returns the cause of net/http's error, without the URL: its query may
// hold personal data.
func withoutURL(err error) error {
	var ue *url.Error
	if errors.As(err, &ue) {
		return ue.Err
	}
	return err
}
