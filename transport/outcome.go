package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
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
		t.found.Add(1)
		if !c.Reused && t.fresh.Add(1) > maxFresh {
			t.end(errConnections)
		}
	}
	t.trace.WroteHeaders = func() { t.wrote.Add(1) }
	return httptrace.WithClientTrace(ctx, &t.trace), t
}

// cause is why an attempt failed: what net/http says, without the address, or
// what made this package end the attempt.
func (t *trail) cause(err error) error {
	if t.fresh.Load() > maxFresh {
		return errConnections
	}
	return withoutURL(err)
}

// unsent tells whether the request was provably never sent: net/http asked for
// a connection, and never wrote a request's headers to one. An HTTP client that
// leaves no trail proves nothing; neither does an attempt that was broken off with
// a connection: HTTP/2 says that headers were written once they were, and may
// write them after nobody waits any more.
func (t *trail) unsent(err error) bool {
	switch {
	case t.over:
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
