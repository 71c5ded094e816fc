package basiqtest

import (
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/basiq-sdk/basiq-go/transport"
)

// maxBody is the maximum size of a request body; larger ones are rejected with 413.
const maxBody = 10 << 20

// request is a request that the server is handling.
type request struct {
	*http.Request
	route     *route
	path      map[string]string // path parameters
	query     url.Values
	body      []byte
	media     string // of the response
	operation string // the Go method that makes the request
	file      string // name of the uploaded file
	token     *token
	user      *user // named by the path
}

// handler handles an operation. It is called with the server's lock held.
type handler func(*Server, *request) response

// table finds the operation for a request.
type table struct {
	byLength map[int][]*entryPoint // by number of path segments
}

type entryPoint struct {
	route    *route
	segments []string
}

var operations = sync.OnceValue(func() *table {
	t := &table{byLength: map[int][]*entryPoint{}}
	for i := range routes {
		t.add(&routes[i])
	}
	t.add(&legacyRoute)
	t.add(&consentRoute)
	t.add(&insightTypeRoute)
	return t
})

func (t *table) add(r *route) {
	segments := strings.Split(r.Path[1:], "/")
	t.byLength[len(segments)] = append(t.byLength[len(segments)], &entryPoint{r, segments})
}

// find returns the operation for a method and path. If several match, it returns the
// one with the most fixed segments. If none does, otherMethod reports whether the path
// exists for another method.
func (t *table) find(method string, segments []string) (found *entryPoint, otherMethod bool) {
	best := -1
	for _, e := range t.byLength[len(segments)] {
		fixed := e.matches(segments)
		switch {
		case fixed < 0:
		case e.route.Method != method:
			otherMethod = true
		case fixed > best:
			best, found = fixed, e
		}
	}
	return found, otherMethod
}

// matches returns the number of fixed segments in the operation's path, or -1 if the
// path does not match.
func (e *entryPoint) matches(segments []string) int {
	fixed := 0
	for i, want := range e.segments {
		switch {
		case want[0] == '{':
		case want != segments[i]:
			return -1
		default:
			fixed++
		}
	}
	return fixed
}

// ServeHTTP handles a request to the API.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mustBeUsable("ServeHTTP")
	if other := s.applicationOf(r); other != s {
		other.ServeHTTP(w, r)
		return
	}
	q, a := s.receive(r)
	s.mu.Lock()
	f, rec := s.matchFault(q), s.record(q)
	s.mu.Unlock()
	if f == nil {
		f = &Fault{}
	}
	s.pause(r, f.Delay)
	if f.Drop == DropBefore {
		s.finish(rec, &response{})
		panic(http.ErrAbortHandler)
	}
	if a == nil && (f.Status == 0 || f.Executed) {
		a = new(s.handle(q))
	}
	if f.Status != 0 {
		a = new(f.response())
	}
	if f.Drop == DropAfter {
		s.finish(rec, &response{})
		panic(http.ErrAbortHandler)
	}
	s.finish(rec, a)
	s.send(w, r, *a, f.Truncate)
}

// receive finds the operation and reads the request.
func (s *Server) receive(r *http.Request) (*request, *response) {
	q := &request{Request: r, query: r.URL.Query(), path: map[string]string{}}
	segments := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	for i, segment := range segments {
		text, err := url.PathUnescape(segment)
		if err != nil || text == "" {
			// A path with an empty ID is rejected by the gateway.
			return q, new(gatewayError(http.StatusForbidden, "Invalid request"))
		}
		segments[i] = text
	}
	e, otherMethod := s.table.find(r.Method, segments)
	switch {
	case e == nil && otherMethod:
		return q, new(errorResponse(http.StatusMethodNotAllowed, problem{"method-not-allowed", "Method not allowed.", "", nil}))
	case e == nil:
		return q, new(noRoute())
	}
	q.route, q.operation = e.route, e.route.ID
	for _, m := range e.route.Answers {
		if acceptable(r.Header.Get("Accept"), m.Type) {
			q.operation = m.ID
			break
		}
	}
	for i, name := range e.segments {
		if name[0] == '{' {
			q.path[name[1:len(name)-1]] = segments[i]
		}
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	switch {
	case len(body) > maxBody:
		_, _ = io.Copy(io.Discard, io.LimitReader(r.Body, 8*maxBody)) // otherwise the client does not read the response
		return q, new(errorResponse(http.StatusRequestEntityTooLarge, problem{"invalid-content", "Request Too Long", "", nil}))
	case err != nil:
		return q, new(badContent("The body is incomplete."))
	}
	q.body = body
	return q, nil
}

func noRoute() response {
	return errorResponse(http.StatusNotFound, problem{"resource-not-found", "Route not found.", "Route not found for this API version.", nil})
}

// handle makes the checks that all operations share, and calls the operation's handler.
func (s *Server) handle(q *request) response {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tick()
	s.requested = rootOf(q.Request)
	defer func() { s.requested = "" }()
	if q.route.Scope != transport.ScopeKey {
		if a := s.authorize(q); a != nil {
			return *a
		}
	}
	if a := q.negotiate(); a != nil {
		return *a
	}
	for name, value := range q.path {
		if !wellFormed(value) {
			return badParameter(name, "The value of "+name+" is not valid.")
		}
	}
	if id, given := q.path["userId"]; given {
		if q.user = s.users[id]; q.user == nil {
			return notFound("user")
		}
	}
	handle := handlers[q.route.ID]
	switch q.route { // without a method in the SDK, so they have no entry in handlers
	case &consentRoute:
		handle = (*Server).getConsent
	case &insightTypeRoute:
		handle = (*Server).getInsightType
	}
	if handle == nil {
		return errorResponse(http.StatusNotImplemented, problem{"not-implemented", q.route.ID + " is not implemented by this server.", "", nil})
	}
	return handle(s, q)
}

// negotiate checks the media type of the body, and selects that of the response.
func (q *request) negotiate() *response {
	accept := q.Header.Get("Accept")
	if len(q.route.Answers) > 0 {
		q.media = q.route.Answers[0].Type
		if accept != "" && accept != "*/*" {
			i := slices.IndexFunc(q.route.Answers, func(m media) bool { return acceptable(accept, m.Type) })
			if i < 0 {
				return new(errorResponse(http.StatusBadRequest, problem{"unsupported-accept", "Unsupported Accept header.", "Ask for " + q.media + ".", object{"parameter": "Accept"}}))
			}
			q.media = q.route.Answers[i].Type
		}
	}
	if q.route.Body == "" || len(q.body) == 0 || q.route.Scope == transport.ScopeKey {
		return nil
	}
	if kind, _, err := mime.ParseMediaType(q.Header.Get("Content-Type")); err != nil || kind != q.route.Body {
		return new(errorResponse(http.StatusUnsupportedMediaType, problem{"unsupported-content-type", "Unsupported content type.", "Send " + q.route.Body + ".", nil}))
	}
	return nil
}

// acceptable reports whether an Accept header accepts a media type.
func acceptable(accept, media string) bool {
	for part := range strings.SplitSeq(accept, ",") {
		kind, _, err := mime.ParseMediaType(part)
		if err == nil && (kind == media || kind == "*/*" || strings.HasSuffix(kind, "/*") && strings.HasPrefix(media, kind[:len(kind)-1])) {
			return true
		}
	}
	return false
}

// buffers is a pool for pages, which are large.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// send writes a response, or only its first truncate bytes if truncate is positive.
func (s *Server) send(w http.ResponseWriter, r *http.Request, a response, truncate int) {
	body := a.body()
	if a.page != nil {
		buffer := buffers.Get().(*[]byte)
		body = a.page.append((*buffer)[:0])
		defer func() { *buffer = body; buffers.Put(buffer) }()
	}
	h := w.Header()
	for name, value := range a.header {
		h.Set(name, value)
	}
	if body != nil {
		if a.media == "" {
			a.media = "application/json"
		}
		h.Set("Content-Type", a.media)
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(a.status)
	if truncate > 0 && len(body) > 0 {
		_, _ = w.Write(body[:min(truncate, len(body)-1)])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}
