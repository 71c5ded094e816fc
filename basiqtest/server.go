package basiqtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/internal/loopback"
	"github.com/basiq-sdk/basiq-go/transport"
)

// Server is an in-memory fake of Basiq's API. Unless it was made with New, it listens on
// the loopback address. It is safe for concurrent use.
type Server struct {
	// URL is the server's base URL, for basiq.WithBaseURL.
	URL string

	cfg      config
	keys     []string     // API keys of the application
	http     *http.Server // nil if the server does not listen
	table    *table
	close    sync.Once
	serving  sync.WaitGroup
	delivery sync.Mutex      // held while webhooks are called
	wake     chan struct{}   // signals that there is something to deliver
	context  context.Context // ends with the server
	cancel   context.CancelFunc

	fresh   map[net.Conn]bool // connections without a request yet
	freshMu sync.Mutex        // guards fresh, which is nil once the server is closed

	main *Server // that this one was added to; nil unless AddApplication made it

	mu     sync.Mutex
	added  []*Server // by AddApplication
	offset time.Duration
	state
}

// servers counts the servers that were started, so that each has its own API key.
var servers atomic.Int64

// NewServer starts a server for a test and closes it when the test ends. It fails the
// test if an option is not valid or the server cannot listen.
func NewServer(tb testing.TB, opts ...Option) *Server {
	tb.Helper()
	s, err := Start(opts...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Close)
	return s
}

// Start starts a server for a program other than a test. The caller must call Close. It
// returns an error if an option is not valid or the server cannot listen. Nil options
// are ignored.
func Start(opts ...Option) (*Server, error) {
	s, err := newServer(opts)
	if err != nil {
		return nil, err
	}
	l, err := s.listen()
	if err != nil {
		s.Close()
		return nil, err
	}
	s.URL = "http://" + reachable(l.Addr().String())
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: time.Minute, ConnState: s.connState}
	s.serving.Go(func() { _ = s.http.Serve(l) })
	return s, nil
}

// New returns a server that does not listen: it is an http.Handler, for programs that
// serve it themselves. Its URL is that of [WithPublicURL], or http://localhost. The
// caller must call Close, which ends the delivery of webhook messages. Nil options are
// ignored.
func New(opts ...Option) (*Server, error) {
	s, err := newServer(opts)
	if err == nil && s.cfg.address != "" {
		s.Close()
		return nil, errors.New("basiqtest: New: the server does not listen: use Start, or leave out WithAddress")
	}
	return s, err
}

// listen listens on the configured address.
func (s *Server) listen() (net.Listener, error) {
	if s.cfg.address == "" {
		l, err := loopback.Listen()
		if err != nil {
			return nil, fmt.Errorf("basiqtest: listen: %w", err)
		}
		return l, nil
	}
	l, err := net.Listen("tcp", s.cfg.address)
	if err != nil {
		return nil, fmt.Errorf("basiqtest: WithAddress: cannot listen on %s: %w: choose another address, or port 0 for any free one", s.cfg.address, err)
	}
	return l, nil
}

// reachable returns an address that a client can call: one that stands for all addresses
// of the machine is not.
func reachable(address string) string {
	host, port, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsUnspecified() {
		return net.JoinHostPort("localhost", port)
	}
	return address
}

func newServer(opts []Option) (*Server, error) {
	cfg := defaults()
	for _, opt := range opts {
		if opt == nil {
			continue
		}
		if err := opt(&cfg); err != nil {
			return nil, fmt.Errorf("basiqtest: %w", err)
		}
	}
	s := newApplication(cfg)
	s.serving.Go(s.deliver)
	return s, nil
}

// newApplication returns a server with its own data that does not listen.
func newApplication(cfg config) *Server {
	if len(cfg.keys) == 0 {
		cfg.keys = []string{"not-a-key-" + strconv.FormatInt(servers.Add(1), 10)}
	}
	s := &Server{
		URL: cmp.Or(cfg.publicURL, "http://localhost"), cfg: cfg, table: operations(), keys: cfg.keys,
		wake: make(chan struct{}, 1), fresh: map[net.Conn]bool{}, state: newState(cfg.seed),
	}
	s.context, s.cancel = context.WithCancel(context.Background())
	return s
}

// connState tracks the connections without a request. A client may keep such a
// connection in its pool, and Shutdown would wait several seconds for it.
func (s *Server) connState(c net.Conn, state http.ConnState) {
	s.freshMu.Lock()
	defer s.freshMu.Unlock()
	switch {
	case state != http.StateNew:
		delete(s.fresh, c)
	case s.fresh == nil:
		_ = c.Close()
	default:
		s.fresh[c] = true
	}
}

// usable returns an error if the server is nil or was not created by New.
func (s *Server) usable(method string) error {
	if s == nil || s.table == nil {
		return fmt.Errorf("basiqtest: %s: the Server was not started: use NewServer, Start or New", method)
	}
	return nil
}

// mustBeUsable is usable for methods that return no error.
func (s *Server) mustBeUsable(method string) {
	if err := s.usable(method); err != nil {
		panic(err.Error())
	}
}

// Close stops the server. It waits up to five seconds for requests in flight.
func (s *Server) Close() {
	if s.usable("Close") != nil {
		return
	}
	s.close.Do(func() {
		s.mu.Lock()
		added := s.added
		s.mu.Unlock()
		for _, other := range added {
			other.Close()
		}
		s.cancel()
		s.freshMu.Lock()
		for c := range s.fresh {
			_ = c.Close()
		}
		s.fresh = nil
		s.freshMu.Unlock()
		if s.http != nil {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			if err := s.http.Shutdown(ctx); errors.Is(err, context.DeadlineExceeded) {
				_ = s.http.Close()
			}
		}
		s.serving.Wait()
	})
}

// APIKey returns the first API key that the server accepts: that of [WithAPIKey], or
// one that is made up and not valid anywhere else.
func (s *Server) APIKey() string {
	s.mustBeUsable("APIKey")
	return s.keys[0]
}

// Options returns the options for a client of this server: its base URL, its API key, its
// clock, which Advance moves, and delays of a few milliseconds between retries and between
// polls of a job.
func (s *Server) Options() []basiq.Option {
	s.mustBeUsable("Options")
	return []basiq.Option{
		basiq.WithBaseURL(s.URL), basiq.WithAPIKey(s.keys[0]), basiq.WithClock(s.Now), basiq.WithPollInterval(time.Millisecond),
		transport.WithRetryPolicy(transport.RetryPolicy{BaseDelay: time.Millisecond, MaxDelay: 10 * time.Millisecond}),
	}
}

// Client returns a client of the server for a test, and closes it when the test ends.
// opts are applied after those of Options. It fails the test if an option is not valid.
func (s *Server) Client(tb testing.TB, opts ...basiq.Option) *basiq.Client {
	tb.Helper()
	if err := s.usable("Client"); err != nil {
		tb.Fatal(err)
	}
	c, err := basiq.NewClient(append(s.Options(), opts...)...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = c.Transport.Close() })
	return c
}
