package transport_test

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/basiq-sdk/basiq-go/transport"
)

// siblingErrors are errors of other calls, which errgroup makes the cause of a
// context.
var siblingErrors = []error{
	transport.NewError(http.StatusNotFound),
	transport.NewError(http.StatusConflict),
	&transport.SendError{Operation: "other", Safety: transport.SafetyUnrepeatable, Sent: true, Err: io.ErrUnexpectedEOF},
	&transport.DecodeError{Operation: "other", Err: errors.New("not JSON")},
	&transport.TokenError{Err: transport.NewError(http.StatusNotFound)},
	&transport.ThrottledError{Operation: "other", Method: http.MethodGet, Path: "/other", Err: context.DeadlineExceeded},
	&transport.RangeError{Name: "limit"},
	fmt.Errorf("wrapped: %w", transport.ErrTooLarge),
	errors.Join(gzip.ErrChecksum, transport.ErrOutcomeUnknown, transport.ErrNoContent),
}

// checkCancelled fails the test unless err is the error of a cancelled call, without
// the cause in its chain.
func checkCancelled(t *testing.T, err, cause error) {
	t.Helper()
	if !errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("not the end of this call's context: %v", err)
	}
	for _, kind := range []error{
		transport.ErrNotFound, transport.ErrConflict, transport.ErrTooLarge, transport.ErrNoContent,
		io.ErrUnexpectedEOF, gzip.ErrChecksum, cause,
	} {
		if errors.Is(err, kind) {
			t.Errorf("cause %v: the error matches %v: %v", cause, kind, err)
		}
	}
	if errors.As(err, new(*transport.Error)) || errors.As(err, new(*transport.DecodeError)) {
		t.Errorf("cause %v: the chain holds an error of another call: %v", cause, err)
	}
	var send *transport.SendError
	if errors.As(err, &send) && send.Operation == "other" {
		t.Errorf("the chain holds another call's SendError: %v", err)
	}
	words := func(s string) string { // quoted text is redacted, as a server may have sent it
		first, _, _ := strings.Cut(strings.TrimPrefix(s, "basiq: "), `"`)
		return strings.ReplaceAll(first, "\n", "; ")
	}
	if err == nil || !strings.Contains(err.Error(), words(cause.Error())) {
		t.Errorf("the text does not contain the cause %q: %v", cause, err)
	}
}

// TestCancelledCallHidesItsSiblingsError: a call whose context is cancelled with the
// error of another call as its cause is cancelled, at any stage. It does not look as
// if the API had sent that error to it.
func TestCancelledCallHidesItsSiblingsError(t *testing.T) {
	for _, c := range []struct {
		name    string
		class   transport.Safety
		api     func(w http.ResponseWriter, reached func())
		out     func() any
		unknown bool // the API may have executed what the call asks for
	}{
		{"before the headers", transport.SafetyUnrepeatable, func(w http.ResponseWriter, reached func()) { reached() }, anyOut, true},
		{"within the body", transport.SafetyUnrepeatable, func(w http.ResponseWriter, reached func()) {
			_, _ = io.WriteString(w, `{"id":`)
			_ = http.NewResponseController(w).Flush()
			reached()
		}, anyOut, true},
		{"within a compressed body", transport.SafetyRead, func(w http.ResponseWriter, reached func()) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = io.WriteString(w, "\x1f\x8b\x08\x00")
			_ = http.NewResponseController(w).Flush()
			reached()
		}, anyOut, false},
		{"while the answer is streamed", transport.SafetyRead, func(w http.ResponseWriter, reached func()) {
			_, _ = io.WriteString(w, "half of it")
			_ = http.NewResponseController(w).Flush()
			reached()
		}, func() any { return io.Discard }, false},
		{"while a compressed answer is streamed", transport.SafetyRead, func(w http.ResponseWriter, reached func()) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = io.WriteString(w, "\x1f\x8b\x08\x00")
			_ = http.NewResponseController(w).Flush()
			reached()
		}, func() any { return io.Discard }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, cause := range siblingErrors {
				reached, end := make(chan struct{}), make(chan struct{})
				b := newBank(t, func(w http.ResponseWriter, r *http.Request) {
					c.api(w, func() { close(reached) })
					select {
					case <-r.Context().Done():
					case <-end:
					}
				})
				ctx, cancel := context.WithCancelCause(t.Context())
				go func() { <-reached; cancel(cause) }()
				err := b.client(t, fast).Do(ctx, transport.NewRequest(operation(c.class)), c.out())
				close(end)
				checkCancelled(t, err, cause)
				if errors.Is(err, transport.ErrOutcomeUnknown) != c.unknown {
					t.Errorf("cause %v: %v", cause, err)
				}
				b.Close()
			}
		})
	}
}

func anyOut() any { return new(item) }

// TestCancelledWaitHidesItsSiblingsError: the same for all waits of a call without a
// server: for a connection, a token, or the next attempt.
func TestCancelledWaitHidesItsSiblingsError(t *testing.T) {
	block := func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, fmt.Errorf("dial: %w", context.Cause(r.Context()))
	}
	for _, c := range []struct {
		name   string
		source transport.TokenSource
		trip   func(*http.Request) (*http.Response, error)
		begun  bool // the context ends before the call starts
	}{
		{"a connection", transport.StaticToken("t"), block, false},
		{"a token", transport.TokenSourceFunc(func(ctx context.Context, _ transport.TokenRequest) (transport.Token, error) {
			<-ctx.Done()
			return transport.Token{}, ctx.Err()
		}), block, false},
		{"the next attempt", transport.StaticToken("t"), func(*http.Request) (*http.Response, error) { return nil, errors.New("refused") }, false},
		{"nothing, as the context had ended", transport.StaticToken("t"), block, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, cause := range siblingErrors {
				synctest.Test(t, func(t *testing.T) {
					client, err := transport.New(transport.WithTokenSource(c.source), transport.WithHTTPClient(&http.Client{Transport: roundTripper(c.trip)}),
						transport.WithRetryPolicy(transport.RetryPolicy{BaseDelay: time.Hour, MaxDelay: time.Hour, MaxAttempts: 99}))
					if err != nil {
						t.Fatal(err)
					}
					defer func() { _ = client.Close() }()
					ctx, cancel := context.WithCancelCause(t.Context())
					if c.begun {
						cancel(cause)
					}
					time.AfterFunc(time.Second, func() { cancel(cause) })
					_, err = get(ctx, client)
					checkCancelled(t, err, cause)
				})
			}
		})
	}
}

// TestDeadlineWithACause: the same for a deadline with a cause.
func TestDeadlineWithACause(t *testing.T) {
	b := newBank(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, transport.NewError(http.StatusGone))
	defer cancel()
	_, err := get(ctx, b.client(t))
	if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || errors.Is(err, transport.ErrGone) || !strings.Contains(err.Error(), "410") {
		t.Error(err)
	}
}

// TestNetworkErrorOfACancelledCall: whatever error an HTTP client returns after the
// context has ended, the call is cancelled.
func TestNetworkErrorOfACancelledCall(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	reset := errors.New("connection reset")
	client := newClient(t, http.NotFoundHandler(), transport.WithTokenSource(transport.StaticToken("t")), transport.WithHTTPClient(&http.Client{
		Transport: roundTripper(func(*http.Request) (*http.Response, error) { cancel(); return nil, reset }),
	}))
	if _, err := get(ctx, client); !errors.Is(err, context.Canceled) || !errors.Is(err, reset) {
		t.Error(err)
	}
}

// TestForeignErrorsDoNotPassForTheAPIs: an error that the caller's own code returns
// to a call may be the error of another call. Only its text is included.
func TestForeignErrorsDoNotPassForTheAPIs(t *testing.T) {
	for _, foreign := range []error{transport.NewError(http.StatusNotFound), &transport.ThrottledError{Path: "/other"}, &transport.RangeError{Name: "limit"}} {
		t.Run(fmt.Sprintf("%T", foreign), func(t *testing.T) {
			checkErrorsFromOutside(t, fmt.Errorf("downloading: %w", foreign))
		})
	}
}

func checkErrorsFromOutside(t *testing.T, foreign error) {
	t.Helper()
	var asked atomic.Int32
	answers := func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, `{"id":"1"}`)
	}
	for name, call := range map[string]func(b *bank) error{
		"an HTTP client": func(b *bank) error {
			_, err := get(t.Context(), b.client(t, fast, transport.WithTokenSource(transport.StaticToken("t")), transport.WithHTTPClient(&http.Client{
				Transport: roundTripper(func(*http.Request) (*http.Response, error) { return nil, foreign }),
			})))
			return err
		},
		"a token source": func(b *bank) error {
			_, err := get(t.Context(), b.client(t, transport.WithTokenSource(transport.TokenSourceFunc(func(context.Context, transport.TokenRequest) (transport.Token, error) {
				return transport.Token{}, foreign
			}))))
			return err
		},
		"the content of a file": func(b *bank) error {
			r := transport.NewRequest(operation(transport.SafetyUnrepeatable))
			r.SetMultipart(transport.Part{Name: "f", File: &transport.File{Name: "f", Content: iotest.ErrReader(foreign)}})
			return b.client(t).Do(t.Context(), r, nil)
		},
		"the writer of an answer": func(b *bank) error {
			r, w := io.Pipe()
			_ = r.CloseWithError(foreign)
			return b.client(t).Do(t.Context(), transport.NewRequest(operation(transport.SafetyRead)), w)
		},
	} {
		err := call(newBank(t, answers))
		kinds := []any{new(*transport.Error), new(*transport.ThrottledError), new(*transport.RangeError)}
		if err == nil || errors.Is(err, transport.ErrNotFound) || errors.Is(err, transport.ErrRateLimited) ||
			slices.ContainsFunc(kinds, func(kind any) bool { return errors.As(err, kind) }) || !strings.Contains(err.Error(), "downloading: basiq: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTokenSourceOfAnotherClient: the error of POST /token is included for the call
// that needed the token, whichever client requested it.
func TestTokenSourceOfAnotherClient(t *testing.T) {
	inner := newBank(t, empty)
	inner.token = failing(http.StatusNotFound)
	other := inner.client(t)
	outer := newBank(t, empty)
	_, err := get(t.Context(), outer.client(t, transport.WithTokenSource(transport.TokenSourceFunc(other.Token))))
	if !errors.Is(err, transport.ErrUnauthorized) || errors.Is(err, transport.ErrNotFound) {
		t.Error(err)
	}
}

// TestCancelledListHidesItsSiblingsError: the same while the pages of a list are
// fetched.
func TestCancelledListHidesItsSiblingsError(t *testing.T) {
	for _, opts := range [][]transport.Option{nil, {transport.WithPrefetch()}} {
		for _, cause := range siblingErrors {
			ctx, cancel := context.WithCancelCause(t.Context())
			b := newBank(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.RawQuery == "" {
					_, _ = io.WriteString(w, `{"data":[{"id":"1"}],"next":"/things?next=2"}`)
					return
				}
				cancel(cause)
				<-r.Context().Done()
			})
			var last error
			n := 0
			request := func() *transport.Request { return transport.NewRequest(&opList) }
			for _, err := range transport.All(ctx, b.client(t, fast), request, func(p *page) ([]item, string) { return p.Data, p.Next }, opts...) {
				last = err
				n++
			}
			if n != 2 {
				t.Errorf("%d results", n)
			}
			checkCancelled(t, last, cause)
		}
	}
}
