package basiqtest

import (
	"net/http"
	"slices"
	"time"
)

// Request is a call that the server received. Credentials are not in it.
type Request struct {
	Operation string // the Go method that makes it: "core.Users.Create"; "" for one that is not part of the API
	Method    string
	Path      string // with its values
	Query     string // as it came
	Header    http.Header
	Body      []byte // the first 4 KiB; a placeholder where it holds credentials or answers to a bank
	Status    int    // that was answered; 0 while it is not, or when the connection was closed instead
	Time      time.Time
}

// What is recorded is bounded.
const (
	maxRequests = 10_000
	maxRecorded = 4 << 10
)

const placeholder = "[redacted]"

// secret are the operations whose bodies are not recorded.
var secret = map[string]bool{legacyConnect: true, "core.Jobs.SubmitMFA": true}

// record keeps a request. It is called with the lock held.
func (s *Server) record(q *request) *Request {
	body := slices.Clone(q.body[:min(len(q.body), maxRecorded)])
	if secret[q.operation] && len(body) > 0 {
		body = []byte(placeholder)
	}
	header := q.Header.Clone()
	if header.Get("Authorization") != "" {
		header.Set("Authorization", placeholder)
	}
	r := &Request{
		Operation: q.operation, Method: q.Method, Path: q.URL.Path, Query: q.URL.RawQuery, Header: header, Body: body, Time: s.now(),
	}
	s.calls[q.operation]++
	if q.route != nil {
		s.calls[q.route.Method+" "+q.route.Path]++
	}
	s.total++
	if s.requests = append(s.requests, r); len(s.requests) > maxRequests {
		s.requests = slices.Delete(s.requests, 0, maxRequests/10)
	}
	return r
}

// Requests returns the calls that the server received, the oldest first: the
// last 10,000 at most.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Request, len(s.requests))
	for i, r := range s.requests {
		out[i] = *r
		out[i].Header, out[i].Body = r.Header.Clone(), slices.Clone(r.Body)
	}
	return out
}

// Calls returns how often an operation was called, whatever was answered. It
// takes the same names as Fault.Operation, and panics when there is no such
// operation.
func (s *Server) Calls(operation string) int {
	if err := s.knows(operation); err != nil {
		panic("basiqtest: Calls: " + err.Error())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if operation == "" {
		return s.total
	}
	if n, ok := s.calls[operation]; ok {
		return n
	}
	n := 0
	for id, count := range s.calls {
		if goesBy(id, operation) {
			n += count
		}
	}
	return n
}

// ResetCalls forgets the calls so far.
func (s *Server) ResetCalls() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.calls)
	s.total, s.requests = 0, nil
}
