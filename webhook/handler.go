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

// Defaults of [NewHandler].
const (
	DefaultMaxBody     = 1 << 20          // bytes
	DefaultReadTimeout = 10 * time.Second // to read the body
)

// SourceIPs returns the IP addresses that Basiq's documentation lists as the
// senders of deliveries.
func SourceIPs() []netip.Addr {
	return []netip.Addr{
		netip.AddrFrom4([4]byte{13, 238, 192, 210}), netip.AddrFrom4([4]byte{3, 24, 252, 173}), netip.AddrFrom4([4]byte{3, 104, 17, 39}),
	}
}

// Errors of deliveries that the handler rejects before it verifies them, for
// errors.Is.
var (
	// ErrSource means that the address is not one of those of [WithSources].
	ErrSource = errors.New("webhook: the sender's IP address is not on the allow-list")
	// ErrTooLarge means that the body is larger than [WithMaxBody] allows.
	ErrTooLarge = errors.New("webhook: the body is larger than the limit")
	// ErrIncomplete means that the connection ended, or [WithReadTimeout] passed,
	// before the whole body was received.
	ErrIncomplete = errors.New("webhook: the body is incomplete")
)

// Errors of valid deliveries that the handler does not pass to the callback
// because they are duplicates. Basiq delivers a message again if the response was
// lost or took too long.
var (
	// ErrHandled means that the callback has succeeded for the message before. The
	// response is 204.
	ErrHandled = errors.New("webhook: the message has already been handled")
	// ErrBusy means that another delivery of the message is in the callback. The
	// response is 409, so that Basiq tries again later.
	ErrBusy = errors.New("webhook: the message is already being handled")
)

// PanicError means that the callback panicked.
type PanicError struct {
	Value any
	Stack []byte
}

// Error implements error. The text does not include the value, which may be
// personal data.
func (e *PanicError) Error() string {
	if e == nil {
		return "<nil>"
	}
	return panicked
}

const panicked = "webhook: the callback panicked"

// Format prints the text of Error for every verb: by default, %#v would show the
// value.
func (PanicError) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, panicked) }

// LogValue makes log/slog write the text of Error.
func (e *PanicError) LogValue() slog.Value {
	if e == nil {
		return slog.Value{}
	}
	return slog.StringValue(panicked)
}

// MarshalText encodes the text of Error, for JSON, XML and similar formats.
func (PanicError) MarshalText() ([]byte, error) { return []byte(panicked), nil }

// GobEncode always fails, so that the value and the stack do not leave the program.
func (PanicError) GobEncode() ([]byte, error) {
	return nil, errors.New("webhook: a PanicError cannot be gob-encoded: encode the text of Error instead")
}

// HandlerOption configures [NewHandler].
type HandlerOption func(*handler)

// WithSeenStore sets the store that records which messages have been handled. By
// default, each handler has its own Memory. Handlers that can receive the same
// message, e.g. in several processes, must share a store, or each of them handles
// the message. nil turns deduplication off. Several webhooks can share a store:
// their messages are distinguished by the webhook's secret, even if they have the
// same ID.
func WithSeenStore(s SeenStore) HandlerOption { return func(h *handler) { h.seen = s } }

// WithMaxBody limits the size of a delivery's body, in bytes. The default is
// [DefaultMaxBody]; a typical delivery has a few hundred bytes. 0 rejects every
// body that is not empty.
func WithMaxBody(n int64) HandlerOption { return func(h *handler) { h.maxBody = n } }

// WithReadTimeout limits how long reading the body may take. The default is
// [DefaultReadTimeout]; 0 means no limit.
func WithReadTimeout(d time.Duration) HandlerOption { return func(h *handler) { h.readTimeout = d } }

// WithSources rejects deliveries from IP addresses that are not in allowed, e.g.
// SourceIPs(). An empty list, such as one that could not be loaded, rejects every
// delivery. An invalid address is always rejected.
//
// address returns the sender's IP address; set it if the receiver is behind a proxy.
// If it is nil, the address of the connection is used.
//
// The allow-list only reduces noise. It is the signature that proves who sent a
// delivery.
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

// WithOnError sets a function that is called with every delivery that was rejected or
// not handled, so that you can log or count it. That includes duplicates ([ErrHandled],
// [ErrBusy]), which are harmless. The error is safe to log, unless it was returned by
// your callback, your [SeenStore] or your [SecretSource]. By default, or if f is nil,
// errors are ignored.
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
	restricted  bool // whether only sources are allowed
	sources     []netip.Addr
	address     func(*http.Request) (netip.Addr, error)
	onError     func(*http.Request, error)
}

// NewHandler returns an http.Handler that verifies each delivery, decodes it, and
// passes it to handle. handle is called until it succeeds once for a message, no
// matter how often the message is delivered.
//
// The handler responds with 204 only after handle has returned nil, so that Basiq
// redelivers messages that were not handled. A message that has already been
// handled also gets 204. The other statuses are:
//
//   - 400 if the headers or the body are not those of a delivery
//   - 401 if the signature or the timestamp is invalid
//   - 403 if the sender's address is not on the allow-list
//   - 405 if the method is not POST
//   - 408 if reading the body takes too long
//   - 409, with a Retry-After of five seconds, if another delivery of the message
//     is still being handled, so that Basiq tries again later
//   - 413 if the body is too large
//   - 500 if handle, the [SeenStore] or the [SecretSource] returns an error, or handle
//     panics
//
// Responses have no body. The context passed to handle is canceled if the
// connection is closed. Nil options are ignored. NewHandler panics if verifier or
// handle is nil, or if verifier was not created by [NewVerifier] or [NewVerifierFrom].
func NewHandler(verifier *Verifier, handle func(context.Context, *Event) error, opts ...HandlerOption) http.Handler {
	if verifier == nil || verifier.verifier == nil || handle == nil {
		panic("webhook: NewHandler: the verifier must be created by NewVerifier, and the callback must not be nil")
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
	delivery, keys, err := h.verifier.verify(r.Context(), r.Header, body)
	switch {
	case errors.Is(err, ErrSecretSource):
		return http.StatusInternalServerError, err
	case errors.Is(err, ErrHeader):
		return http.StatusBadRequest, err
	case err != nil:
		return http.StatusUnauthorized, err
	}
	event, err := ParseEvent(delivery, body)
	if err != nil {
		return http.StatusBadRequest, err
	}
	return h.once(r, event, keys)
}

// read reads the body, subject to the size limit and the read timeout.
func (h *handler) read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength > h.maxBody {
		return nil, fmt.Errorf("%w of %d bytes", ErrTooLarge, h.maxBody)
	}
	if r.Body == nil { // the request did not come from a server
		return nil, nil
	}
	control := http.NewResponseController(w)
	if h.readTimeout > 0 { // servers without deadlines must have their own limits
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
	// After the body has been read, net/http watches for the connection to close,
	// and would mistake an expired deadline for that. It clears the deadline when
	// the body reaches EOF. That is before our deadline was set if a middleware has
	// read and restored the body, so clear it here.
	if h.readTimeout > 0 {
		_ = control.SetReadDeadline(time.Time{})
	}
	return body, nil
}

// once handles an event unless it has already been handled or is being handled.
func (h *handler) once(r *http.Request, event *Event, valid keySet) (int, error) {
	if h.seen == nil {
		return statusOf(h.call(r.Context(), event))
	}
	var claims []claim
	for _, key := range seenKeys(valid, event.ID) {
		token, progress, err := h.begin(r.Context(), key)
		if err == nil && progress == Fresh {
			claims = append(claims, claim{key, token})
			continue
		}
		_ = h.end(r, claims, false)
		switch {
		case err != nil:
			return http.StatusInternalServerError, fmt.Errorf("webhook: SeenStore: %w", err)
		case progress == Busy:
			return http.StatusConflict, ErrBusy
		}
		return http.StatusNoContent, ErrHandled
	}
	ended := false
	defer func() {
		if !ended { // the callback called runtime.Goexit
			_ = h.end(r, claims, false)
		}
	}()
	failure := h.call(r.Context(), event)
	ended = true
	if err := h.end(r, claims, failure == nil); err != nil && failure == nil {
		// The message was handled, although the store may not have recorded it.
		// A failure status would make Basiq deliver it again.
		return http.StatusNoContent, fmt.Errorf("webhook: SeenStore: %w", err)
	}
	return statusOf(failure)
}

// claim is a claim on a message. Its token is empty unless the store is a ClaimStore.
type claim struct{ key, token string }

// begin claims a message.
func (h *handler) begin(ctx context.Context, key string) (token string, progress Progress, err error) {
	if s, ok := h.seen.(ClaimStore); ok {
		return s.Claim(ctx, key)
	}
	progress, err = h.seen.Begin(ctx, key)
	return "", progress, err
}

// end releases the claims on a message, even if the sender has disconnected.
func (h *handler) end(r *http.Request, claims []claim, handled bool) error {
	var errs []error
	ctx := context.WithoutCancel(r.Context())
	for _, c := range claims {
		if s, ok := h.seen.(ClaimStore); ok {
			errs = append(errs, s.EndClaim(ctx, c.key, c.token, handled))
		} else {
			errs = append(errs, h.seen.End(ctx, c.key, handled))
		}
	}
	return errors.Join(errs...)
}

func statusOf(failure error) (int, error) {
	if failure != nil {
		return http.StatusInternalServerError, failure
	}
	return http.StatusNoContent, nil
}

// call calls the callback and converts a panic to a PanicError.
func (h *handler) call(ctx context.Context, event *Event) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return h.handle(ctx, event)
}

// remoteAddress returns the IP address of the connection's peer.
func remoteAddress(r *http.Request) (netip.Addr, error) {
	a, err := netip.ParseAddrPort(r.RemoteAddr)
	return a.Addr(), err
}
