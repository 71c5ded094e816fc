package basiqtest

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// AddApplication adds an application with an API key and data of its own, which is
// served at the same address. A request belongs to the application of its API key or
// access token. The options are those of s except [WithAPIKey] and [WithRequestLog],
// with opts applied after them. The applications have one clock: Advance moves it for
// all of them. Close closes all of them, too.
//
// The seed is that of s plus the number of the added application, so that they do not
// have the same IDs, unless [WithSeed] sets another.
//
// Code under test that calls the API for several applications can so be tested with one
// server. AddApplication returns an error if an option is not valid, if the applications
// would have an API key in common, or if s was itself added.
func (s *Server) AddApplication(opts ...Option) (*Server, error) {
	if err := s.usable("AddApplication"); err != nil {
		return nil, err
	}
	if s.main != nil {
		return nil, errors.New("basiqtest: AddApplication: the server was itself added: call the method of the server that listens")
	}
	cfg := s.cfg
	cfg.keys, cfg.log = nil, nil
	for _, opt := range opts {
		if opt == nil {
			continue
		}
		if err := opt(&cfg); err != nil {
			return nil, fmt.Errorf("basiqtest: AddApplication: %w", err)
		}
	}
	if cfg.address != s.cfg.address || !cfg.start.Equal(s.cfg.start) {
		return nil, errors.New("basiqtest: AddApplication: the applications have one address and one clock: leave out WithAddress and WithNow")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, other := range append([]*Server{s}, s.added...) {
		if slices.ContainsFunc(cfg.keys, func(k string) bool { return slices.Contains(other.keys, k) }) {
			return nil, errors.New("basiqtest: AddApplication: another application has the API key")
		}
	}
	if cfg.seed == s.cfg.seed {
		cfg.seed += uint64(len(s.added)) + 1
	}
	added := newApplication(cfg)
	added.ephemeral = newSource(hash(cfg.seed, "noise", added.keys[0])) // tokens select the application
	added.main, added.URL, added.offset = s, s.URL, s.offset
	added.serving.Go(added.deliver) // which reads what was set above
	s.added = append(s.added, added)
	return added, nil
}

// family returns the applications that share a clock, s first.
func (s *Server) family() []*Server {
	main := s
	if s.main != nil {
		main = s.main
	}
	main.mu.Lock()
	defer main.mu.Unlock()
	all := []*Server{s}
	for _, other := range append([]*Server{main}, main.added...) {
		if other != s {
			all = append(all, other)
		}
	}
	return all
}

// applicationOf returns the application of a request. It is s if no application accepts
// the request's credentials.
func (s *Server) applicationOf(r *http.Request) *Server {
	s.mu.Lock()
	added := s.added
	s.mu.Unlock()
	if len(added) == 0 {
		return s
	}
	header := r.Header.Get("Authorization")
	key, basic := strings.CutPrefix(header, "Basic ")
	token, bearer := strings.CutPrefix(header, "Bearer ")
	for _, other := range added {
		if basic && slices.Contains(other.keys, key) || bearer && other.Issued(token) {
			return other
		}
	}
	return s
}
