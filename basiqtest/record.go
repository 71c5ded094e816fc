package basiqtest

import (
	"net/http"
	"slices"
	"time"
)

// Request is a request that the server received. Credentials are redacted.
type Request struct {
	Operation string // the Go method that makes it, such as "core.Users.Create"; "" if the API has no such operation
	Method    string
	Path      string // with parameter values
	Query     string // raw
	Header    http.Header
	Body      []byte // the first 4 KiB; a placeholder if it contains credentials or MFA answers
	Status    int    // of the response; 0 if there is none yet, or if the connection was closed
	Time      time.Time

	CorrelationID string // of an error response
}

// Limits of what is recorded.
const (
	maxRequests = 10_000
	maxRecorded = 4 << 10 // bytes of a body
)

const placeholder = "[redacted]"

// secretBodies has the operations whose bodies are not recorded.
var secretBodies = map[string]bool{legacyConnect: true, "core.Jobs.SubmitMFA": true}

// record records a request. It is called with the lock held.
func (s *Server) record(q *request) *Request {
	body := slices.Clone(q.body[:min(len(q.body), maxRecorded)])
	if secretBodies[q.operation] && len(body) > 0 {
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

// finish records the response to a request, and gives an error response its correlation
// ID.
func (s *Server) finish(r *Request, a *response) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.Status = a.status
	if list, ok := a.json.(object); ok && a.status >= 400 && list["type"] == "list" {
		r.CorrelationID = s.ephemeral.id()
		list["correlationId"] = r.CorrelationID
	}
	if s.cfg.log != nil {
		s.cfg.log(*r)
	}
}

// Requests returns the requests that the server received, oldest first. It keeps up to
// 10,000 of the most recent ones.
func (s *Server) Requests() []Request {
	s.mustBeUsable("Requests")
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Request, len(s.requests))
	for i, r := range s.requests {
		out[i] = *r
		out[i].Header, out[i].Body = r.Header.Clone(), slices.Clone(r.Body)
	}
	return out
}

// Calls returns how many requests for an operation the server received, whatever the
// response was. operation has the same form as [Fault.Operation]; "" counts all requests.
// Calls panics if the operation does not exist.
func (s *Server) Calls(operation string) int {
	s.mustBeUsable("Calls")
	if err := s.checkOperation(operation); err != nil {
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
		if matchesID(id, operation) {
			n += count
		}
	}
	return n
}

// ResetCalls clears the recorded requests and counts.
func (s *Server) ResetCalls() {
	s.mustBeUsable("ResetCalls")
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.calls)
	s.total, s.requests = 0, nil
}
