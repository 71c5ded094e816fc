package basiqtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/internal/redact"
	"github.com/basiq-sdk/basiq-go/transport"
)

// Replayer answers requests from a file that a Recorder has written. Create one with
// Replay. It is an http.RoundTripper for clients and an http.Handler for servers, and
// safe for concurrent use.
//
// A request is matched by its method, path and query, and by the media type that it
// accepts. If it was recorded several times, the responses are replayed in their order,
// and each is replayed once. A request that was not recorded, or not as often, fails.
// Requests for access tokens are matched by their scope; those that were not recorded
// succeed, because when a client asks for one depends on the time.
type Replayer struct {
	file string

	mu        sync.Mutex
	exchanges []fixtureExchange
	used      []bool
	missed    []error
}

// Replay returns a Replayer for a file. It returns an error if the file cannot be read
// or is not a recording.
func Replay(file string) (*Replayer, error) {
	f, err := readFixture(file)
	if err != nil {
		return nil, err
	}
	return &Replayer{file: file, exchanges: f.Exchanges, used: make([]bool, len(f.Exchanges))}, nil
}

var errNotReplayer = errors.New("basiqtest: the Replayer is nil or was not made by Replay")

// HTTPClient returns an HTTP client for basiq.WithHTTPClient that makes no connections.
func (r *Replayer) HTTPClient() *http.Client { return &http.Client{Transport: r} }

// Options returns the options for a client whose requests are answered from the file:
// an HTTP client, an API key that is made up, and delays of a few milliseconds between
// retries and between polls of a job.
func (r *Replayer) Options() []basiq.Option {
	return []basiq.Option{
		basiq.WithHTTPClient(r.HTTPClient()), basiq.WithAPIKey("replayed"), basiq.WithBaseURL(transport.DefaultBaseURL),
		basiq.WithPollInterval(time.Millisecond),
		transport.WithRetryPolicy(transport.RetryPolicy{BaseDelay: time.Millisecond, MaxDelay: 10 * time.Millisecond}),
	}
}

// RoundTrip returns the recorded response. The error of a request that was not recorded
// names the nearest one that was.
func (r *Replayer) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer func() { _ = req.Body.Close() }()
	}
	status, header, body, err := r.respond(req, req.URL.Scheme+"://"+req.URL.Host)
	if err != nil {
		return nil, err
	}
	return &http.Response{
		Status: strconv.Itoa(status) + " " + http.StatusText(status), StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: req,
	}, nil
}

// ServeHTTP sends the recorded response. The response to a request that was not recorded
// has status 501 and a text that names the nearest one that was.
func (r *Replayer) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	status, header, body, err := r.respond(req, rootOf(req))
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotImplemented)
		return
	}
	for name, values := range header {
		w.Header()[name] = values
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// Err returns an error that lists the requests that were not recorded, or nil if there
// were none.
func (r *Replayer) Err() error {
	if r == nil || r.file == "" {
		return errNotReplayer
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return errors.Join(r.missed...)
}

// Unused returns the recorded requests that were not made, in the order of the file.
func (r *Replayer) Unused() []string {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for i, e := range r.exchanges {
		if !r.used[i] {
			out = append(out, e.Request.String())
		}
	}
	return out
}

// replayedToken is the response to requests for access tokens.
const replayedToken = `{"access_token":"replayed","token_type":"Bearer","expires_in":3600}`

// respond returns the response to a request. Links in it begin with root.
func (r *Replayer) respond(req *http.Request, root string) (int, http.Header, []byte, error) {
	if r == nil || r.file == "" {
		return 0, nil, nil, errNotReplayer
	}
	scope, err := readScope(req)
	if err != nil {
		return 0, nil, nil, fmt.Errorf("basiqtest: Replay: the body of the request cannot be read: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	matches := 0
	for _, exact := range []bool{true, false} { // free text in a query was replaced, and then matches any
		for i := range r.exchanges {
			e := &r.exchanges[i]
			if !e.Request.matches(req, scope, exact) {
				continue
			}
			if !r.used[i] {
				r.used[i] = true
				header, body := e.Response.content(root)
				return e.Response.Status, header, body, nil
			}
			if !exact {
				matches++
			}
		}
	}
	if scope != "" {
		return http.StatusOK, http.Header{"Content-Type": {"application/json"}}, []byte(replayedToken), nil
	}
	asked := fixtureRequest{Method: req.Method, Path: req.URL.EscapedPath(), Query: req.URL.Query()}
	err = fmt.Errorf("basiqtest: Replay: %s was not recorded in %s, which is empty: record it again", asked, r.file)
	if near := r.nearest(&asked); near != nil {
		err = fmt.Errorf("basiqtest: Replay: %s was not recorded in %s; the nearest recorded request is %s", asked, r.file, near)
	}
	if matches > 0 {
		err = fmt.Errorf("basiqtest: Replay: %s was recorded %s in %s, and is made once more: record it again", asked, times(matches), r.file)
	}
	r.missed = append(r.missed, err)
	return 0, nil, nil, err
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return strconv.Itoa(n) + " times"
}

// readScope reads the body of a request to its end. It returns the scope of a request for
// an access token, and "" for other requests.
func readScope(req *http.Request) (string, error) {
	if req.Body == nil {
		return "", nil
	}
	body, err := io.ReadAll(io.LimitReader(req.Body, maxTakenRequest))
	if err == nil {
		_, err = io.Copy(io.Discard, req.Body)
	}
	if err != nil || req.Method != http.MethodPost || req.URL.Path != "/token" {
		return "", err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return "", err
	}
	return form.Get("scope"), nil
}

// scope returns the scope of a recorded request for an access token.
func (q *fixtureRequest) scope() string {
	var form struct{ Scope string }
	if q.Path != "/token" || json.Unmarshal(q.Body, &form) != nil {
		return ""
	}
	return form.Scope
}

// matches reports whether a request is the recorded one. scope is that of a request for
// an access token. Unless exact is set, free text in the recorded query matches any.
func (q *fixtureRequest) matches(req *http.Request, scope string, exact bool) bool {
	if path, err := url.PathUnescape(q.Path); err != nil || q.Method != req.Method || path != req.URL.Path {
		return false
	}
	if scope != "" && scope != q.scope() {
		return false
	}
	if accept := req.Header.Get("Accept"); q.Accept != "" && q.Accept != mediaTypes(accept) || q.Accept == "" && accept != "" && !acceptable(accept, "application/json") {
		return false
	}
	query := req.URL.Query()
	if len(query) != len(q.Query) {
		return false
	}
	for name, want := range q.Query {
		if exact && !slices.Equal(query[name], want) || !slices.EqualFunc(query[name], want, matchesValue) {
			return false
		}
	}
	return true
}

// matchesValue reports whether a value of a query is the recorded one, in which free
// text was replaced by redact.Redacted.
func matchesValue(got, want string) bool {
	parts := strings.Split(want, redact.Redacted)
	rest, ok := strings.CutPrefix(got, parts[0])
	if !ok || len(parts) == 1 {
		return got == want
	}
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(rest, part)
		if i < 0 {
			return false
		}
		rest = rest[i+len(part):]
	}
	return strings.HasSuffix(rest, parts[len(parts)-1])
}

// content returns the headers and the body of a response.
func (p *fixtureResponse) content(root string) (http.Header, []byte) {
	header := http.Header{}
	for name, value := range p.Header {
		header.Set(name, value)
	}
	body := []byte(p.Text)
	switch {
	case len(p.Body) > 0:
		body = bytes.ReplaceAll(p.Body, []byte(`"`+redact.Canonical+`/`), []byte(`"`+root+`/`))
	case p.Placeholder:
		body = placeholderOf(p.Header["Content-Type"])
	}
	return header, body
}

// placeholderOf returns a document of a media type.
func placeholderOf(contentType string) []byte {
	switch media, _, _ := mime.ParseMediaType(contentType); {
	case media == "application/pdf":
		return pdf("This document takes the place of a recorded one.")
	case media == "text/html":
		return []byte("<html><body>" + redact.Redacted + "</body></html>\n")
	}
	return []byte(redact.Redacted + "\n")
}

// String returns the method, the path and the query.
func (q fixtureRequest) String() string {
	out := q.Method + " " + q.Path
	if len(q.Query) > 0 {
		query, err := url.QueryUnescape(q.Query.Encode())
		if err != nil {
			query = q.Query.Encode()
		}
		out += "?" + query
	}
	if q.Accept != "" {
		out += " (" + q.Accept + ")"
	}
	return out
}

// nearest returns the recorded request that has the most in common with one, or nil if
// nothing was recorded.
func (r *Replayer) nearest(q *fixtureRequest) *fixtureRequest {
	best, most := (*fixtureRequest)(nil), -1
	for i := range r.exchanges {
		if n := r.exchanges[i].Request.common(q); n > most {
			best, most = &r.exchanges[i].Request, n
		}
	}
	return best
}

// common returns how much two requests have in common: above all the path, then the
// method, then the query.
func (q *fixtureRequest) common(other *fixtureRequest) int {
	n := 0
	a, b := strings.Split(q.Path, "/"), strings.Split(other.Path, "/")
	for i := range min(len(a), len(b)) {
		if a[i] == b[i] {
			n += 10
		}
	}
	if len(a) == len(b) {
		n += 10
	}
	if q.Method == other.Method {
		n += 5
	}
	for name, values := range q.Query {
		if _, ok := other.Query[name]; ok {
			n++
			if slices.EqualFunc(other.Query[name], values, matchesValue) {
				n++
			}
		}
	}
	return n
}
