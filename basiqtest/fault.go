package basiqtest

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Drop says when a connection is closed without an answer.
type Drop int

// When a connection is closed.
const (
	DropNever  Drop = iota
	DropBefore      // the call was received, and is not executed
	DropAfter       // the call was executed, and its answer is lost
)

// Fault is what goes wrong with calls of an operation.
type Fault struct {
	// Operation that fails, by the name of its Go method ("data.Transactions.List",
	// or "Transactions.List" for short) or by its call
	// ("GET /users/{userId}/transactions"). Empty means all. A method alone, such as
	// "List", is refused: it would mean many operations.
	Operation string

	After int // how many calls go well before
	Times int // how many fail; 0 means one, and a negative number all from then on

	// Status to answer with, in place of executing the call. Code is that of
	// the problem; empty means the usual one of the status. Body, if given, is
	// answered as it is, and Header added.
	Status     int
	Code       string
	Body       string
	Header     http.Header
	RetryAfter time.Duration // answered in seconds
	Executed   bool          // execute the call all the same, and answer with Status after that

	Delay    time.Duration // real time that passes before anything else happens
	Drop     Drop
	Truncate int // close the connection after so many bytes of the answer's body
}

// Failing is a Fault at work.
type Failing struct {
	s       *Server
	fault   Fault
	passed  int
	struck  int
	stopped bool
}

// Count returns how many calls have failed.
func (f *Failing) Count() int {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	return f.struck
}

// Stop ends the fault.
func (f *Failing) Stop() {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	f.stopped = true
}

// Fail makes calls go wrong from now on. Of several faults that concern a call,
// the one that was set first and is not used up strikes. It panics when there is
// no such operation, when the fault says nothing that could go wrong, or when a
// part of it cannot have an effect.
func (s *Server) Fail(f Fault) *Failing {
	if err := s.knows(f.Operation); err != nil {
		panic(fmt.Sprintf("basiqtest: Fail: %v", err))
	}
	if why := f.wrong(); why != "" {
		panic("basiqtest: Fail: " + why)
	}
	if f.Times == 0 {
		f.Times = 1
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	failing := &Failing{s: s, fault: f}
	s.faults = append(s.faults, failing)
	return failing
}

// wrong says what makes the fault one that cannot strike as it is meant to, or "".
func (f *Fault) wrong() string {
	switch {
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return fmt.Sprintf("%d is not a status", f.Status)
	case f.After < 0 || f.Delay < 0 || f.Truncate < 0 || f.RetryAfter < 0:
		return "After, Delay, Truncate and RetryAfter must not be negative"
	case f.Drop < DropNever || f.Drop > DropAfter:
		return fmt.Sprintf("there is no Drop %d", f.Drop)
	case f.Status == 0 && f.Delay == 0 && f.Drop == DropNever && f.Truncate == 0:
		return "the fault does nothing: give Status, Delay, Drop or Truncate"
	case f.Status == 0 && (f.Code != "" || f.Body != "" || f.Header != nil || f.RetryAfter != 0):
		return "Code, Body, Header and RetryAfter have no effect without Status"
	}
	return ""
}

// knows tells what is wrong with the name of an operation.
func (s *Server) knows(name string) error {
	if name == "" || legacyRoute.named(name) || slices.ContainsFunc(routes, func(r route) bool { return r.named(name) }) {
		return nil
	}
	return fmt.Errorf("there is no operation %q: give a method such as %q or %q, or a call such as %q", name, "core.Users.Get", "Users.Get", "GET /users/{userId}")
}

// named tells whether the operation goes by a name.
func (r *route) named(name string) bool {
	if name == r.Method+" "+r.Path || goesBy(r.ID, name) {
		return true
	}
	return slices.ContainsFunc(r.Answers, func(m media) bool { return goesBy(m.ID, name) })
}

// goesBy reports whether a name is that of a Go method: with its package, or with
// its service alone.
func goesBy(id, name string) bool {
	return id == name || strings.Contains(name, ".") && strings.HasSuffix(id, "."+name)
}

// concerns tells whether the request calls an operation by a name.
func (q *request) concerns(name string) bool {
	switch {
	case name == "":
		return true
	case q.route == nil:
		return false
	}
	return name == q.route.Method+" "+q.route.Path || goesBy(q.operation, name)
}

// strike picks the fault of a request. It is called with the lock held.
func (s *Server) strike(q *request) *Fault {
	for _, f := range s.faults {
		if f.stopped || !q.concerns(f.fault.Operation) || f.fault.Times > 0 && f.struck >= f.fault.Times {
			continue
		}
		if f.passed < f.fault.After {
			f.passed++
			continue
		}
		f.struck++
		return &f.fault
	}
	return nil
}

// usual are the codes that go with a status.
var usual = map[int]string{
	400: "parameter-not-valid", 401: "invalid-authorization-token", 403: "forbidden-access", 404: "resource-not-found", 409: "resource-already-exists",
	410: "resource-no-longer-available", 429: "too-many-requests", 500: "internal-server-error", 503: "service-unavailable",
}

// answer is what is answered in place of the operation's own answer.
func (f *Fault) answer() answer {
	code := f.Code
	if code == "" {
		code = usual[f.Status]
	}
	a := refuse(f.Status, problem{code, http.StatusText(f.Status), "", nil})
	switch {
	case f.Body != "":
		a = answer{status: f.Status, raw: []byte(f.Body)}
	case f.Status < 300 || code == "":
		a = answer{status: f.Status}
	}
	a.header = map[string]string{}
	for name, values := range f.Header {
		a.header[name] = strings.Join(values, ", ")
	}
	if kind := f.Header.Get("Content-Type"); kind != "" {
		a.media = kind
	}
	if f.RetryAfter > 0 {
		a.header["Retry-After"] = strconv.Itoa(int((f.RetryAfter + time.Second - 1) / time.Second))
	}
	return a
}

// pause lets real time pass, until the caller or the server gives up.
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
