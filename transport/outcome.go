package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync"
	"sync/atomic"
)

// trail is what net/http did with one attempt. A failure alone does not tell
// whether the request went out; this does.
type trail struct {
	trace httptrace.ClientTrace
	begun atomic.Int32 // connections asked for
	found atomic.Int32 // connections that were got

	dialled atomic.Bool // a connection was made, perhaps to a proxy

	fresh atomic.Int32 // the new ones of them
	wrote atomic.Int32 // requests whose headers were written
	end   context.CancelCauseFunc
	over  bool // the context was over before anything began

	// careful says that HTTP/1 asks for another connection only when nothing was
	// written to the one before.
	careful bool
	mu      sync.Mutex
	conn    net.Conn // the last one that was got
}

// maxFresh is how many new connections one attempt may use up. net/http sends a
// request again by itself when a connection ends without having looked at it,
// and never stops: a server that greets every HTTP/2 connection with GOAWAY is
// sent thousands of requests a second.
const maxFresh = 10

var errConnections = errors.New("one connection after another was ended by the other side before it answered")

// follow makes net/http leave a trail. The context is the attempt's: it is to be
// ended with the trail.
func follow(ctx context.Context) (context.Context, *trail) {
	t := &trail{}
	ctx, t.end = context.WithCancelCause(ctx)
	t.trace.GetConn = func(string) { t.begun.Add(1) }
	t.trace.ConnectDone = func(_, _ string, err error) {
		if err == nil {
			t.dialled.Store(true)
		}
	}
	t.trace.GotConn = func(c httptrace.GotConnInfo) {
		t.mu.Lock()
		t.conn = c.Conn
		t.mu.Unlock()
		t.found.Add(1)
		if !c.Reused && t.fresh.Add(1) > maxFresh {
			t.end(errConnections)
		}
	}
	t.trace.WroteHeaders = func() { t.wrote.Add(1) }
	return httptrace.WithClientTrace(ctx, &t.trace), t
}

// cause is why an attempt failed: the end of its context, what made this
// package end the attempt, or what net/http says, without the address.
func (t *trail) cause(ctx context.Context, err error) error {
	if t.fresh.Load() > maxFresh && ctx.Err() == nil {
		return errConnections
	}
	err = withoutURL(err)
	if t.reconnecting() {
		err = fmt.Errorf("the connection that was used first was closed without an answer, and there is no other: %w", err)
	}
	return ownError(ctx, err)
}

// reconnecting reports whether net/http was getting another connection, since one
// to which it wrote headers had ended.
func (t *trail) reconnecting() bool {
	return t.wrote.Load() > 0 && t.begun.Load() > t.found.Load()
}

// http2 reports whether the last connection was one of HTTP/2.
func (t *trail) http2() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	c, ok := t.conn.(interface{ ConnectionState() tls.ConnectionState })
	return ok && c.ConnectionState().NegotiatedProtocol == "h2"
}

// onlyUnwritten reports whether net/http repeats a request over HTTP/1 by itself
// only if nothing of it was written.
func onlyUnwritten(h *http.Request) bool {
	switch h.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return false
	}
	return h.Header["Idempotency-Key"] == nil && h.Header["X-Idempotency-Key"] == nil
}

// unsent tells whether the request was provably never sent: net/http asked for
// a connection, and never wrote a request's headers to one, or wrote them to the
// buffer of an idle connection that turned out to be dead, and asked for another. An HTTP client that
// leaves no trail proves nothing; neither does an attempt that was broken off with
// a connection: HTTP/2 says that headers were written once they were, and may
// write them after nobody waits any more.
func (t *trail) unsent(err error) bool {
	switch {
	case t.over:
		return true
	case t.careful && t.reconnecting() && !t.http2():
		return true
	case t.begun.Load() == 0 || t.wrote.Load() > 0:
		return false
	}
	return t.found.Load() == 0 || !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled)
}

// refusedStream has the form that net/http gives to HTTP/2 errors on request of
// errors.As: same members, in this order.
type refusedStream struct {
	StreamID uint32
	Code     uint32
	Cause    error
}

func (refusedStream) Error() string { return "stream refused" }

const codeRefusedStream = 7 // of RFC 9113: not processed at all

// classify says what came of an attempt that ended without an answer, and
// whether there is no use in trying again. t is nil when an answer had begun.
func classify(err error, t *trail) (o Outcome, permanent bool) {
	o = OutcomeUnknown
	var stream refusedStream
	switch {
	case t != nil && t.unsent(err):
		o = OutcomeNeverSent
	case t != nil && errors.As(err, &stream) && stream.Code == codeRefusedStream:
		o = OutcomeNeverSent
	}
	return o, misconfigured(err)
}

// misconfigured tells whether an error will be the same however often the call
// is sent: a host that does not exist, a certificate that is not trusted.
func misconfigured(err error) bool {
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return dns.IsNotFound
	}
	var (
		verification *tls.CertificateVerificationError
		authority    x509.UnknownAuthorityError
		host         x509.HostnameError
		invalid      x509.CertificateInvalidError
		address      *net.AddrError
	)
	return errors.Is(err, http.ErrSchemeMismatch) || errors.As(err, &verification) || errors.As(err, &authority) || errors.As(err, &host) ||
		errors.As(err, &invalid) || errors.As(err, &address)
}

// withoutURL drops the address from net/http's error: its query may hold
// personal data. The cause stays, for errors.Is.
func withoutURL(err error) error {
	var ue *url.Error
	if errors.As(err, &ue) {
		return ue.Err
	}
	return err
}
