package webhook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"runtime/debug"
	"slices"
	"time"
)

// Defaults of NewHandler.
const (
	DefaultMaxBody     = 1 << 20          // bytes
	DefaultReadTimeout = 10 * time.Second // for the body
)

// SourceIPs are the addresses that Basiq's documentation says deliveries come
// from.
func SourceIPs() []netip.Addr {
	return []netip.Addr{
		netip.AddrFrom4([4]byte{13, 238, 192, 210}), netip.AddrFrom4([4]byte{3, 24, 252, 173}), netip.AddrFrom4([4]byte{3, 104, 17, 39}),
	}
}

// Errors of deliveries that the handler refuses before it verifies them.
var (
	ErrSource     = errors.New("webhook: the sender's address is not allowed")
	ErrTooLarge   = errors.New("webhook: the body is larger than the limit")
	ErrIncomplete = errors.New("webhook: the body did not come whole")
)

// Errors of deliveries that are right, and are not handled: messages come again
// when an answer was lost or took too long.
var (
	ErrHandled = errors.New("webhook: the message was handled before")
	ErrBusy    = errors.New("webhook: the message is being handled")
)

// PanicError is the error of a callback that has panicked.
type PanicError struct {
	Value any
	Stack []byte
}

// Error implements error. It does not show the value, which may be personal.
func (*PanicError) Error() string { return panicked }

const panicked = "webhook: the callback has panicked"

// Format prints what Error says under every verb: %#v would show the value.
func (PanicError) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, panicked) }

// LogValue makes log/slog write what Error says.
func (PanicError) LogValue() slog.Value { return slog.StringValue(panicked) }

// MarshalText encodes what Error says, for JSON, XML and their like.
func (PanicError) MarshalText() ([]byte, error) { return []byte(panicked), nil }

// GobEncode fails: neither the value nor the stack is to leave the program.
func (PanicError) GobEncode() ([]byte, error) {
	return nil, errors.New("webhook: a PanicError cannot be encoded: encode what Error returns")
}

// HandlerOption configures NewHandler.
type HandlerOption func(*handler)

// WithSeenStore sets where it is remembered which messages were handled. The
// default is a Memory of the handler's own, so that two handlers that receive the
// same message both handle it unless they are given one store; nil lets every
// delivery through. Webhooks may share a store: their messages are told apart by
// the webhook's secret, even if they have the same ID.
func WithSeenStore(s SeenStore) HandlerOption { return func(h *handler) { h.seen = s } }

// WithMaxBody bounds a delivery's body, in bytes. The default is
// DefaultMaxBody: a delivery has a few hundred. 0 refuses every body.
func WithMaxBody(n int64) HandlerOption { return func(h *handler) { h.maxBody = n } }

// WithReadTimeout bounds how long a body may take to come. The default is
// DefaultReadTimeout; 0 is no bound.
func WithReadTimeout(d time.Duration) HandlerOption { return func(h *handler) { h.readTimeout = d } }

// WithSources refuses deliveries from addresses that are not on the allow-list
// (SourceIPs). An empty list, such as one that could not be loaded, refuses
// every delivery, and an invalid address is never allowed. address returns the sender's, for a receiver behind a proxy;
// nil takes it from the connection. A signature proves more than an address does:
// this only keeps noise away.
func WithSources(allowed []netip.Addr, address func(*http.Request) (netip.Addr, error)) HandlerOption {
	return func(h *handler) {
		h.restricted, h.sources = true, slices.Clone(allowed)
		for i, a := range h.sources {
			h.sources[i] = a.Unmap()
		}
		h.address = address
		if address == nil {
			h.address = remoteAddress
		}
	}
}

// WithOnError sets what is called with every delivery that was refused or not
// handled, to log or count it: those too that come again (ErrHandled, ErrBusy),
// which are nothing to worry about. The error is safe to log unless it is the
// callback's own. nil is the default, which does nothing.
func WithOnError(f func(*http.Request, error)) HandlerOption {
	return func(h *handler) {
		if h.onError = f; f == nil {
			h.onError = func(*http.Request, error) {}
		}
	}
}

type handler struct {
	verifier    *Verifier
	handle      func(context.Context, *Event) error
	seen        SeenStore
	maxBody     int64
	readTimeout time.Duration
	restricted  bool // to sources
	sources     []netip.Addr
	address     func(*http.Request) (netip.Addr, error)
	onError     func(*http.Request, error)
}

// NewHandler returns a handler that verifies a delivery, decodes it, and calls
// handle with it, once for each message however often it is delivered. It
// answers 204 only after handle has succeeded, so that Basiq delivers again what
// was not handled:
//
//   - 400 when the headers or the body are not those of a delivery, 401 when the
//     signature or the timestamp is wrong, 403 when the sender's address is not
//     allowed, 405 when the method is not POST, 408 when the body takes too long,
//     413 when it is too large;
//   - 409, with a Retry-After of five seconds, when another attempt to deliver the
//     message is being handled: Basiq comes back later;
//   - 500 when handle or the SeenStore fails, or handle panics.
//
// Answers have no body. The context that handle gets ends when the connection
// does. Options that are nil are skipped. NewHandler panics if verifier or handle
// is nil, or if verifier was not made by NewVerifier.
func NewHandler(verifier *Verifier, handle func(context.Context, *Event) error, opts ...HandlerOption) http.Handler {
	if verifier == nil || verifier.verifier == nil || handle == nil {
		panic("webhook: NewHandler needs a verifier that NewVerifier made, and a callback")
	}
	h := &handler{
		verifier: verifier, handle: handle, seen: NewMemory(0),
		maxBody: DefaultMaxBody, readTimeout: DefaultReadTimeout, onError: func(*http.Request, error) {},
	}
	for _, opt := range opts {
		if opt != nil {
			opt(h)
		}
	}
	return h
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status, err := h.serve(w, r)
	if err != nil {
		h.onError(r, err)
	}
	switch status {
	case http.StatusMethodNotAllowed:
		w.Header().Set("Allow", http.MethodPost)
	case http.StatusConflict:
		w.Header().Set("Retry-After", "5")
	}
	w.WriteHeader(status)
}

func (h *handler) serve(w http.ResponseWriter, r *http.Request) (int, error) {
	if r.Method != http.MethodPost {
		return http.StatusMethodNotAllowed, fmt.Errorf("%w: the method is not POST", ErrHeader)
	}
	if h.restricted {
		if a, err := h.address(r); err != nil || !a.IsValid() || !slices.Contains(h.sources, a.Unmap()) {
			return http.StatusForbidden, ErrSource
		}
	}
	body, err := h.read(w, r)
	switch {
	case errors.Is(err, ErrTooLarge):
		return http.StatusRequestEntityTooLarge, err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return http.StatusRequestTimeout, err
	case err != nil:
		return http.StatusBadRequest, err
	}
	delivery, err := h.verifier.Verify(r.Header, body)
	switch {
	case errors.Is(err, ErrHeader):
		return http.StatusBadRequest, err
	case err != nil:
		return http.StatusUnauthorized, err
	}
	event, err := ParseEvent(delivery, body)
	if err != nil {
		return http.StatusBadRequest, err
	}
	return h.once(r, event)
}

// read reads the body within the limits of size and time.
func (h *handler) read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength > h.maxBody {
		return nil, fmt.Errorf("%w of %d bytes", ErrTooLarge, h.maxBody)
	}
	if r.Body == nil { // of a request that no server has read
		return nil, nil
	}
	control := http.NewResponseController(w)
	if h.readTimeout > 0 { // a server that cannot set it has limits of its own
		_ = control.SetReadDeadline(time.Now().Add(h.readTimeout))
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, h.maxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, fmt.Errorf("%w of %d bytes", ErrTooLarge, h.maxBody)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrIncomplete, err)
	}
	// Once a body was read, net/http watches for the end of the connection, and
	// takes an expired deadline for it. It clears the deadline when the body is read
	// to its end: too early, if a middleware has read and restored the body.
	if h.readTimeout > 0 {
		_ = control.SetReadDeadline(time.Time{})
	}
	return body, nil
}

// once handles an event unless it was, or is being, handled.
func (h *handler) once(r *http.Request, event *Event) (int, error) {
	if h.seen == nil {
		return answer(h.call(r.Context(), event))
	}
	keys := h.verifier.seenKeys(event.ID)
	for i, key := range keys {
		progress, err := h.seen.Begin(r.Context(), key)
		if err == nil && progress == Fresh {
			continue
		}
		_ = h.end(r, keys[:i], false)
		switch {
		case err != nil:
			return http.StatusInternalServerError, fmt.Errorf("webhook: the store of handled messages: %w", err)
		case progress == Busy:
			return http.StatusConflict, ErrBusy
		}
		return http.StatusNoContent, ErrHandled
	}
	ended := false
	defer func() {
		if !ended { // the callback has ended its goroutine
			_ = h.end(r, keys, false)
		}
	}()
	failure := h.call(r.Context(), event)
	ended = true
	if err := h.end(r, keys, failure == nil); err != nil && failure == nil {
		// It was handled, and whether that is remembered is not known: Basiq
		// must not think otherwise.
		return http.StatusNoContent, fmt.Errorf("webhook: the store of handled messages: %w", err)
	}
	return answer(failure)
}

// end ends the claims on a message, also when the sender has gone.
func (h *handler) end(r *http.Request, keys []string, handled bool) error {
	var errs []error
	for _, key := range keys {
		errs = append(errs, h.seen.End(context.WithoutCancel(r.Context()), key, handled))
	}
	return errors.Join(errs...)
}

func answer(failure error) (int, error) {
	if failure != nil {
		return http.StatusInternalServerError, failure
	}
	return http.StatusNoContent, nil
}

// call calls the callback, whatever it does.
func (h *handler) call(ctx context.Context, event *Event) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return h.handle(ctx, event)
}

// remoteAddress is the address that the connection comes from.
func remoteAddress(r *http.Request) (netip.Addr, error) {
	a, err := netip.ParseAddrPort(r.RemoteAddr)
	return a.Addr(), err
}
