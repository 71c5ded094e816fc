package transport_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go/internal/loopback"
	"github.com/basiq-sdk/basiq-go/transport"
	"github.com/basiq-sdk/basiq-go/transport/value"
)

// faulty is a server that reads requests correctly and responds incorrectly.
type faulty struct {
	net.Listener
	sends atomic.Int64 // requests that arrived
	wg    sync.WaitGroup
}

// newFaulty returns a server that passes every connection to accept, if it is not
// nil, and every request to answer. Then it closes the connection.
func newFaulty(t *testing.T, accept func(net.Conn) net.Conn, answer func(net.Conn)) *faulty {
	t.Helper()
	l, err := loopback.Listen()
	if err != nil {
		t.Fatal(err)
	}
	f := &faulty{Listener: l}
	f.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			f.wg.Go(func() {
				defer func() { _ = conn.Close() }()
				in := conn
				if accept != nil {
					if in = accept(conn); in == nil {
						return
					}
				}
				if req, err := http.ReadRequest(bufio.NewReader(in)); err == nil {
					_, _ = io.Copy(io.Discard, req.Body)
					f.sends.Add(1)
					answer(in)
				}
			})
		}
	})
	t.Cleanup(func() { _ = l.Close(); f.wg.Wait() })
	return f
}

// says returns an answer function that writes text, and then stalls if stall is not
// 0.
func says(text string, stall time.Duration) func(net.Conn) {
	return func(c net.Conn) {
		_, _ = io.WriteString(c, text)
		hold(c, stall)
	}
}

// hold keeps a connection open until the other side closes it, or for d.
func hold(c net.Conn, d time.Duration) {
	if d > 0 {
		_ = c.SetReadDeadline(time.Now().Add(d))
		_, _ = c.Read(make([]byte, 1))
	}
}

// pours writes without end.
func pours(head, text string) func(net.Conn) {
	return func(c net.Conn) {
		_, _ = io.WriteString(c, head)
		_ = c.SetWriteDeadline(time.Now().Add(5 * time.Second))
		for {
			if _, err := io.WriteString(c, text); err != nil {
				return
			}
		}
	}
}

func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}

func zipped(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, text)
	_ = z.Close()
	return b.String()
}

// damaged changes a bit of the checksum.
func damaged(gzip string) string {
	b := []byte(gzip)
	b[len(b)-6] ^= 1
	return string(b)
}

func answer(status int, headers, body string) string {
	return fmt.Sprintf("HTTP/1.1 %d X\r\nContent-Length: %d\r\n%s\r\n%s", status, len(body), headers, body)
}

// certificate returns a self-signed certificate.
func certificate(t *testing.T, host string, until time.Time) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: until, DNSNames: []string{host},
		IsCA: true, BasicConstraintsValid: true,
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

type kind func(error) bool

func sendError(sent bool) kind {
	return func(err error) bool {
		var e *transport.SendError
		return errors.As(err, &e) && e.Sent == sent && e.Attempts > 0
	}
}

func status(code int) kind {
	return func(err error) bool {
		var e *transport.Error
		return errors.As(err, &e) && e.Status == code
	}
}

func none(err error) bool { return err == nil }

// Attempts of classes A, B, C and D.
var (
	lost     = [4]int64{3, 3, 1, 1}
	limited  = [4]int64{3, 3, 3, 1}
	readOnly = [4]int64{3, 1, 1, 1}
	once     = [4]int64{1, 1, 1, 1}
)

// TestAttemptsByFaultAndClass (R1): the number of attempts and the error, for every
// fault and every class.
func TestAttemptsByFaultAndClass(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	faults := []struct {
		name     string
		answer   func(net.Conn)
		attempts [4]int64
		kind     kind
	}{
		{"reset after sending", reset, lost, sendError(true)},
		{"closed before headers", func(net.Conn) {}, lost, sendError(true)},
		{"garbage status line", says("BANANA\r\n\r\n", 0), lost, sendError(true)},
		{"300 KB of headers", says(ok+"X: "+strings.Repeat("x", 300<<10)+"\r\n\r\n", 0), lost, sendError(true)},
		{"1xx without end", pours("", "HTTP/1.1 103 Early\r\nLink: x\r\n\r\n"), lost, sendError(true)},
		{"stall before headers", says("", time.Second), lost, sendError(true)},
		{"stall in headers", says(ok+"X:", time.Second), lost, sendError(true)},
		{"stall in body", says(ok+"Content-Length: 10\r\n\r\n{", time.Second), lost, sendError(true)},
		{"body shorter than its length", says(ok+"Content-Length: 10\r\n\r\n{}", 0), lost, sendError(true)},
		{"body longer than its length", says(ok+"Content-Length: 2\r\n\r\n{}{}", 0), once, none},
		{"length beyond the limit", says(ok+"Content-Length: 99999999999\r\n\r\n{", 0), once, is(transport.ErrTooLarge)},
		{"body without end", pours(ok+"\r\n", strings.Repeat(" ", 1<<10)), once, is(transport.ErrTooLarge)},
		{"bad chunk", says(ok+"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 0), lost, sendError(true)},
		{"chunks cut off", says(ok+"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", 0), lost, sendError(true)},
		{"bad gzip", says(answer(200, "Content-Encoding: gzip\r\n", strings.Repeat("no gzip ", 9)), 0), once, decodeError},
		{"gzip cut off", says(answer(200, "Content-Encoding: gzip\r\n", zipped(`{"a":"bcdefghijklmnopq"}`)[:30]), 0), lost, sendError(true)},
		{"gzip damaged", says(answer(200, "Content-Encoding: gzip\r\n", damaged(zipped(`{"a":1}`))), 0), once, decodeError},
		{"gzip bomb", says(answer(200, "Content-Encoding: gzip\r\n", zipped(strings.Repeat(" ", 8<<20))), 0), once, is(transport.ErrTooLarge)},
		{"gzip", says(answer(200, "Content-Encoding: gzip\r\n", zipped(`{}`)), 0), once, none},
		{"empty 200", says(answer(200, "", ""), 0), once, is(transport.ErrNoContent)},
		{"204", says("HTTP/1.1 204 X\r\n\r\n", 0), once, is(transport.ErrNoContent)},
		{"204 with a body", says("HTTP/1.1 204 X\r\nContent-Length: 2\r\n\r\n{}", 0), once, is(transport.ErrNoContent)},
		{"HTML", says(answer(200, "Content-Type: text/html\r\n", "<html>"), 0), once, decodeError},
		{"JSON cut off", says(answer(200, "", `{"a":`), 0), once, decodeError},
		{"JSON with a byte order mark", says(answer(200, "", "\ufeff{}"), 0), once, none},
		{"UTF-16", says(answer(200, "", "{\x00}\x00"), 0), once, decodeError},
		{"JSON as text", says(answer(200, "Content-Type: text/plain\r\n", "{}"), 0), once, none},
		{"206", says(answer(206, "", "{}"), 0), once, none},
		{"501", says(answer(501, "", "{}"), 0), once, status(501)},
		{"500", says(answer(500, "", "{}"), 0), readOnly, status(500)},
		{"520", says(answer(520, "", "{}"), 0), readOnly, is(transport.ErrUnavailable)},
		{"529", says(answer(529, "", "{}"), 0), readOnly, is(transport.ErrUnavailable)},
		{"429", says(answer(429, "", "{}"), 0), limited, is(transport.ErrRateLimited)},
		{"403 with the code of a limit", says(answer(403, "", `{"data":[{"code":"too-many-requests"}]}`), 0), limited, is(transport.ErrRateLimited)},
	}
	for _, code := range []int{301, 302, 303, 307, 308, 400, 401, 403, 404, 409, 410, 413, 415, 422, 425, 505, 519, 530} {
		faults = append(faults, struct {
			name     string
			answer   func(net.Conn)
			attempts [4]int64
			kind     kind
		}{fmt.Sprint(code), says(answer(code, "Location: http://127.0.0.1:1/\r\n", "{}"), 0), once, status(code)})
	}
	for _, code := range []int{408, 502, 503, 504} {
		faults = append(faults, struct {
			name     string
			answer   func(net.Conn)
			attempts [4]int64
			kind     kind
		}{fmt.Sprint(code), says(answer(code, "", "{}"), 0), lost, status(code)})
	}
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			for class, want := range f.attempts {
				server := newFaulty(t, nil, f.answer)
				err := callFaulty(t, server, transport.Safety(class), nil)
				if n := server.sends.Load(); n != want || !f.kind(err) {
					t.Errorf("class %v: %d sends, want %d; the error is %v", transport.Safety(class), n, want, err)
				}
				var api *transport.Error
				unknown := class > 0 && err != nil && (errors.As(err, new(*transport.SendError)) || errors.Is(err, transport.ErrRedirected) || errors.As(err, &api) && api.Status >= 500 && api.Status != http.StatusNotImplemented)
				if errors.Is(err, transport.ErrOutcomeUnknown) != unknown {
					t.Errorf("class %v: outcome unknown is %t: %v", transport.Safety(class), !unknown, err)
				}
			}
		})
	}
}

// callFaulty calls an operation of a class, with connections that are not reused:
// net/http itself retries reads on reused connections.
func callFaulty(t *testing.T, f *faulty, class transport.Safety, tr *http.Transport, opts ...transport.Option) error {
	t.Helper()
	if tr == nil {
		tr = &http.Transport{DisableKeepAlives: true, MaxResponseHeaderBytes: 128 << 10}
	}
	scheme := "http"
	if tr.TLSClientConfig != nil {
		scheme = "https"
	}
	c, err := transport.New(transport.WithBaseURL(scheme+"://"+f.Addr().String()), transport.WithTokenSource(transport.StaticToken("token-x")),
		transport.WithHTTPClient(&http.Client{Transport: tr}), fast, transport.WithTimeout(400*time.Millisecond), transport.WithMaxResponseSize(1<<20))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	var out value.JSON
	start := time.Now()
	err = c.Do(context.Background(), transport.NewRequest(operation(class)), &out, opts...)
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("class %v: it took %s", class, took)
	}
	return err
}

// TestUnsentRequestsAreRetriedInEveryClass (R1): what fails before the request is
// sent is retried in every class, unless the failure is permanent.
func TestUnsentRequestsAreRetriedInEveryClass(t *testing.T) {
	good, pool := certificate(t, "127.0.0.1", time.Now().Add(time.Hour))
	other, otherPool := certificate(t, "other.example", time.Now().Add(time.Hour))
	expired, expiredPool := certificate(t, "127.0.0.1", time.Now().Add(-time.Hour))
	_, unknown := certificate(t, "127.0.0.1", time.Now().Add(time.Hour))
	server := func(c tls.Certificate) func(net.Conn) net.Conn {
		return func(conn net.Conn) net.Conn {
			s := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{c}})
			if s.Handshake() != nil {
				return nil
			}
			return s
		}
	}
	trust := func(p *x509.CertPool, name string) *tls.Config { return &tls.Config{RootCAs: p, ServerName: name} }
	dial := func(err error) func(context.Context, string, string) (net.Conn, error) {
		return func(context.Context, string, string) (net.Conn, error) { return nil, err }
	}
	for name, f := range map[string]struct {
		accept   func(net.Conn) net.Conn
		tr       *http.Transport
		attempts int
	}{
		"refused": {nil, &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", "127.0.0.1:1")
		}}, 3},
		"no such host":      {nil, &http.Transport{DialContext: dial(&net.DNSError{Err: "no such host", IsNotFound: true})}, 1},
		"names fail":        {nil, &http.Transport{DialContext: dial(&net.DNSError{Err: "try again", IsTemporary: true})}, 3},
		"black hole":        {nil, &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }}, 3},
		"unknown authority": {server(good), &http.Transport{TLSClientConfig: trust(unknown, "127.0.0.1")}, 1},
		"another host":      {server(other), &http.Transport{TLSClientConfig: trust(otherPool, "127.0.0.1")}, 1},
		"expired":           {server(expired), &http.Transport{TLSClientConfig: trust(expiredPool, "127.0.0.1")}, 1},
		"TLS stalls":        {func(c net.Conn) net.Conn { hold(c, time.Second); time.Sleep(time.Second); return nil }, &http.Transport{TLSClientConfig: trust(pool, "")}, 3},
		"TLS reset":         {func(c net.Conn) net.Conn { reset(c); return nil }, &http.Transport{TLSClientConfig: trust(pool, "")}, 3},
		"no TLS at all":     {func(c net.Conn) net.Conn { says("HTTP/1.1 400 X\r\n\r\n", 0)(c); return nil }, &http.Transport{TLSClientConfig: trust(pool, "")}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for class := range transport.Safety(4) {
				s := newFaulty(t, f.accept, func(net.Conn) {})
				tr := f.tr.Clone()
				err := callFaulty(t, s, class, tr)
				var e *transport.SendError
				if !errors.As(err, &e) || e.Sent || e.Attempts != f.attempts || s.sends.Load() != 0 || errors.Is(err, transport.ErrOutcomeUnknown) {
					t.Errorf("class %v: %d requests arrived; %v", class, s.sends.Load(), err)
				}
			}
		})
	}
}

// TestHangUpAfterSendingHasUnknownOutcome (R11): if the connection ends after an
// unrepeatable request was sent, there is one attempt, and the error says that the
// outcome is unknown. The same holds on a reused connection, on which net/http may
// retry.
func TestHangUpAfterSendingHasUnknownOutcome(t *testing.T) {
	for _, reused := range []bool{false, true} {
		var sends, creations atomic.Int64
		b := newBank(t, func(w http.ResponseWriter, r *http.Request) {
			sends.Add(1)
			if r.Method == http.MethodPost {
				creations.Add(1)
				hangUp(w)
				return
			}
			empty(w, r)
		})
		c := b.client(t)
		if reused {
			for range 3 {
				if _, err := get(context.Background(), c); err != nil {
					t.Fatal(err)
				}
			}
		}
		req := transport.NewRequest(operation(transport.SafetyUnrepeatable))
		req.SetJSON(thing("x"))
		err := c.Do(context.Background(), req, nil)
		if creations.Load() != 1 || !errors.Is(err, transport.ErrOutcomeUnknown) || !strings.Contains(err.Error(), "outcome unknown") || !errors.Is(err, io.EOF) {
			t.Errorf("reused %t: %d sends; %v", reused, creations.Load(), err)
		}
	}
}

// TestIdleConnectionHangUpHasUnknownOutcome (R11): a call on an idle connection that
// the server has closed neither fails nor is executed twice.
func TestIdleConnectionHangUpHasUnknownOutcome(t *testing.T) {
	var creations atomic.Int64
	b := newBank(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			creations.Add(1)
		}
		empty(w, r)
	})
	c := b.client(t)
	for range 50 {
		if _, err := get(context.Background(), c); err != nil {
			t.Fatal(err)
		}
		b.CloseClientConnections()
		req := transport.NewRequest(operation(transport.SafetyUnrepeatable))
		req.SetJSON(thing("x"))
		before := creations.Load()
		err := c.Do(context.Background(), req, nil)
		if n := creations.Load() - before; n > 1 || err == nil && n != 1 || err != nil && !errors.Is(err, transport.ErrOutcomeUnknown) && n != 0 {
			t.Fatalf("%d executions; %v", n, err)
		}
	}
}

// TestNetHTTPDoesNotRetryUnrepeatableCalls (R12): no Idempotency-Key is sent.
// net/http would take it as permission to retry a POST.
func TestNetHTTPDoesNotRetryUnrepeatableCalls(t *testing.T) {
	b := newBank(t, func(w http.ResponseWriter, r *http.Request) {
		for name := range r.Header {
			if strings.Contains(name, "Idempotency") {
				t.Errorf("%s is sent", name)
			}
		}
		if r.Method != http.MethodPost || r.URL.Path != "/things" {
			empty(w, r)
			return
		}
		problem(w, http.StatusTooManyRequests, "x")
	})
	c := b.client(t, fast)
	for class := range transport.Safety(4) {
		_ = c.Do(context.Background(), transport.NewRequest(operation(class)), nil)
	}
}

// TestRetryingHTTPClientIsReported (R13): the retries of an HTTP client multiply with
// the SDK's. The client logs one warning.
func TestRetryingHTTPClientIsReported(t *testing.T) {
	var logs bytes.Buffer
	server := newFaulty(t, nil, reset)
	inner := &http.Transport{DisableKeepAlives: true}
	stubborn := roundTripper(func(r *http.Request) (res *http.Response, err error) {
		for range 3 {
			if res, err = inner.RoundTrip(r.Clone(r.Context())); err == nil {
				break
			}
		}
		return res, err
	})
	c, err := transport.New(transport.WithBaseURL("http://"+server.Addr().String()), transport.WithTokenSource(transport.StaticToken("token-x")),
		transport.WithHTTPClient(&http.Client{Transport: stubborn}), fast, transport.WithLogger(textLogger(&logs)))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := c.Do(context.Background(), transport.NewRequest(operation(transport.SafetyIdempotent)), nil); err == nil {
			t.Error("there is no error")
		}
	}
	if n := server.sends.Load(); n != 18 {
		t.Errorf("%d sends of two calls, want 2 times 3 times 3", n)
	}
	if n := strings.Count(logs.String(), "retries requests itself"); n != 1 {
		t.Errorf("warned %d times: %s", n, logs.String())
	}
}
