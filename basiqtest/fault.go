package basiqtest

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Drop is when the server closes a connection without responding.
type Drop int

// Values of Drop.
const (
	DropNever  Drop = iota
	DropBefore      // before the operation is executed
	DropAfter       // after the operation is executed; its response is lost
)

// Always is a value of [Fault.Times]: requests fail until [Failing.Stop] is called,
// however often the client retries them.
const Always = -1

// Fault describes how requests fail. Set at least one of Status, Delay, Drop, Truncate and
// Limit.
type Fault struct {
	// Operation is the operation that fails: its Go method ("data.Transactions.List",
	// or "Transactions.List" for short), or its HTTP method and path
	// ("GET /users/{userId}/transactions"). If empty, all operations fail. A name
	// without its service, such as "List", is not valid because it is ambiguous.
	//
	// Some methods share a route, and differ in the media type that they accept:
	// "Reports.Get" and "Reports.GetPDF" are both "GET /reports/{id}".
	Operation string

	After int // number of requests that succeed first

	// Times is the number of requests that fail. 0 means one, or Always if Limit is set.
	// A client retries most requests twice, so three failures outlast its retries.
	Times int

	// Limit makes the fault a rate limit: of the requests within a Window of the
	// server's clock, those after the first Limit fail. Status is then 429 by default,
	// and RetryAfter is the time until the window ends. A window begins with the first
	// request after the last one has ended. Without an Operation, all requests count,
	// also those for access tokens.
	Limit  int
	Window time.Duration

	// Status is the status of the response. Unless Executed is set, the operation is
	// not executed. Code is the error code; if empty, it is the usual one for the
	// status. If Body is set, it is sent as is. Header is added to the response.
	Status     int
	Code       string
	Body       string
	Header     http.Header
	RetryAfter time.Duration // rounded up to seconds
	Executed   bool          // execute the operation before responding with Status

	Delay    time.Duration // real time to wait before anything else
	Drop     Drop
	Truncate int // close the connection after this many bytes of the response body
}

// Failing is a Fault that has been injected with [Server.Fail].
type Failing struct {
	s        *Server
	fault    Fault
	passed   int
	failures int
	stopped  bool
	begun    time.Time // of the window of a rate limit
	within   int       // requests in it
}

// Count returns how many requests have failed.
func (f *Failing) Count() int {
	if f == nil || f.s == nil {
		return 0
	}
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	return f.failures
}

// Stop removes the fault.
func (f *Failing) Stop() {
	if f == nil || f.s == nil {
		return
	}
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	f.stopped = true
}

// Fail injects a fault into requests from now on. If several faults apply to a request,
// the one that was injected first and is not used up takes effect. Fail panics if the
// operation does not exist, if f does not say how to fail, or if one of its fields is
// not valid or cannot take effect.
func (s *Server) Fail(f Fault) *Failing {
	s.mustBeUsable("Fail")
	failing, err := s.Inject(f)
	if err != nil {
		panic("basiqtest: Fail: " + err.Error())
	}
	return failing
}

// Inject is like Fail, but returns an error instead of panicking, for faults that come
// from users.
func (s *Server) Inject(f Fault) (*Failing, error) {
	if err := s.usable("Inject"); err != nil {
		return nil, err
	}
	if err := s.checkOperation(f.Operation); err != nil {
		return nil, err
	}
	if why := f.invalid(); why != "" {
		return nil, errors.New(why)
	}
	switch {
	case f.Times != 0:
	case f.Limit > 0:
		f.Times = Always
	default:
		f.Times = 1
	}
	if f.Limit > 0 && f.Status == 0 {
		f.Status = http.StatusTooManyRequests
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f.Header = f.Header.Clone() // the caller may change it later
	failing := &Failing{s: s, fault: f}
	s.faults = append(s.faults, failing)
	return failing, nil
}

// invalid returns why the fault is not valid, or "" if it is valid.
func (f *Fault) invalid() string {
	switch {
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return fmt.Sprintf("Status %d is not an HTTP status from 200 to 599", f.Status)
	case f.Times < Always:
		return fmt.Sprintf("Times %d is not valid: use a number of requests, or Always", f.Times)
	case f.After < 0 || f.Delay < 0 || f.Truncate < 0 || f.RetryAfter < 0:
		return "After, Delay, Truncate and RetryAfter must not be negative"
	case f.Drop < DropNever || f.Drop > DropAfter:
		return fmt.Sprintf("Drop %d is not valid: use DropNever, DropBefore or DropAfter", f.Drop)
	case f.Limit < 0 || f.Window < 0:
		return "Limit and Window must not be negative"
	case (f.Limit > 0) != (f.Window > 0):
		return "Limit and Window must be set together"
	case f.Limit > 0 && (f.After > 0 || f.Drop != DropNever || f.Truncate > 0 || f.Executed):
		return "Limit cannot be combined with After, Drop, Truncate or Executed"
	case f.Limit > 0:
		return ""
	case f.Status == 0 && f.Delay == 0 && f.Drop == DropNever && f.Truncate == 0:
		return "the fault has no effect: set Status, Delay, Drop, Truncate or Limit"
	case f.Status == 0 && (f.Code != "" || f.Body != "" || f.Header != nil || f.RetryAfter != 0):
		return "Code, Body, Header and RetryAfter have no effect without Status"
	}
	return ""
}

// checkOperation returns an error if no operation has this name.
func (s *Server) checkOperation(name string) error {
	if name == "" || legacyRoute.hasName(name) || slices.ContainsFunc(routes, func(r route) bool { return r.hasName(name) }) {
		return nil
	}
	if near := nearest(name, operationNames()); near != "" {
		return fmt.Errorf("operation %q does not exist: the nearest is %q", name, near)
	}
	return fmt.Errorf("operation %q does not exist: use a Go method such as %q or %q, or an HTTP method and path such as %q", name, "core.Users.Get", "Users.Get", "GET /users/{userId}")
}

// hasName reports whether the operation has this name.
func (r *route) hasName(name string) bool {
	if name == r.Method+" "+r.Path || matchesID(r.ID, name) {
		return true
	}
	return slices.ContainsFunc(r.Answers, func(m media) bool { return matchesID(m.ID, name) })
}

// operationNames returns all names of operations.
func operationNames() (names []string) {
	add := func(id string) {
		_, short, _ := strings.Cut(id, ".")
		names = append(names, short, id)
	}
	for i := range routes {
		r := &routes[i]
		add(r.ID)
		for _, m := range r.Answers {
			add(m.ID)
		}
		names = append(names, r.Method+" "+r.Path)
	}
	return names
}

// matchesID reports whether a name refers to a Go method, with or without its package.
func matchesID(id, name string) bool {
	return id == name || strings.Contains(name, ".") && strings.HasSuffix(id, "."+name)
}

// matches reports whether the request calls the operation with this name.
func (q *request) matches(name string) bool {
	switch {
	case name == "":
		return true
	case q.route == nil:
		return false
	}
	return name == q.route.Method+" "+q.route.Path || matchesID(q.operation, name)
}

// matchFault returns the fault that applies to a request, or nil. It is called with
// the lock held.
func (s *Server) matchFault(q *request) *Fault {
	for _, f := range s.faults {
		if f.stopped || !q.matches(f.fault.Operation) || f.fault.Times > 0 && f.failures >= f.fault.Times {
			continue
		}
		if f.passed < f.fault.After {
			f.passed++
			continue
		}
		if f.fault.Limit == 0 {
			f.failures++
			return &f.fault
		}
		if left := f.limit(s.now()); left > 0 {
			f.failures++
			limited := f.fault
			if limited.RetryAfter == 0 {
				limited.RetryAfter = left
			}
			return &limited
		}
	}
	return nil
}

// limit counts a request against a rate limit. It returns 0 if the request is within the
// limit, and otherwise how long the window still lasts.
func (f *Failing) limit(now time.Time) time.Duration {
	if f.begun.IsZero() || now.Sub(f.begun) >= f.fault.Window {
		f.begun, f.within = now, 0
	}
	if f.within++; f.within <= f.fault.Limit {
		return 0
	}
	return f.fault.Window - now.Sub(f.begun)
}

// defaultCodes has the usual error code of each status.
var defaultCodes = map[int]string{
	400: "parameter-not-valid", 401: "invalid-authorization-token", 403: "forbidden-access", 404: "resource-not-found", 409: "resource-already-exists",
	410: "resource-no-longer-available", 429: "too-many-requests", 500: "internal-server-error", 503: "service-unavailable",
}

// response returns the response that replaces the operation's own.
func (f *Fault) response() response {
	code := f.Code
	if code == "" {
		code = defaultCodes[f.Status]
	}
	a := errorResponse(f.Status, problem{code, http.StatusText(f.Status), "", nil})
	switch {
	case f.Body != "":
		a = response{status: f.Status, raw: []byte(f.Body)}
	case f.Status < 300 || code == "":
		a = response{status: f.Status}
	}
	a.header = map[string]string{}
	for name, values := range f.Header {
		a.header[name] = strings.Join(values, ", ")
	}
	if kind := f.Header.Get("Content-Type"); kind != "" {
		a.media = kind
	}
	if f.RetryAfter > 0 {
		a.header["Retry-After"] = strconv.Itoa(int((f.RetryAfter-1)/time.Second + 1))
	}
	return a
}

// pause waits for d in real time. It aborts if the client disconnects or the server is
// closed.
func (s *Server) pause(r *http.Request, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
		panic(http.ErrAbortHandler)
	case <-s.context.Done():
		panic(http.ErrAbortHandler)
	}
}
