package basiqtest

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go/internal/files"
	"github.com/basiq-sdk/basiq-go/internal/redact"
	"github.com/basiq-sdk/basiq-go/internal/urls"
	"github.com/basiq-sdk/basiq-go/transport"
)

// RecordOptions configures a Recorder. The zero value records the API itself.
type RecordOptions struct {
	// BaseURL is the base URL of the client that is recorded; transport.DefaultBaseURL
	// if empty. It must be that of basiq.WithBaseURL.
	BaseURL string
	// Transport sends the requests. It must decompress the responses that it asked to be
	// compressed, as an http.Transport does. nil means an http.Transport for HTTP/1.1,
	// with the proxy of the environment.
	Transport http.RoundTripper
	// Replace has the replacements of values that the test itself sends, such as the ID of
	// the user whose data is recorded: {userID: "user-1"}. They apply to whole values, to
	// IDs in paths, and to values of query parameters and filters. Other values are
	// replaced by generated ones, so a test that does not get an ID from a response needs
	// its replacement to send the same request again. A value that is its own replacement
	// is kept.
	Replace map[string]string
	// KeepAmounts records amounts, balances, limits and rates as they are. By default
	// they are replaced, too.
	KeepAmounts bool
}

// Recorder is an http.RoundTripper that records the exchanges of a client with the API,
// for Replay. Create one with [NewRecorder] or Record. It is safe for concurrent use.
//
// The file has no secrets and no personal data. Strings and numbers are replaced, unless
// their member is known to have harmless values, such as types, statuses, dates other
// than dates of birth, currencies and the IDs of institutions. The same value is always
// replaced in the same way, so that IDs, links and pages fit together. Request headers,
// and response headers other than Content-Type and Retry-After, are not recorded. Bodies that are neither JSON nor CSV, such as PDF documents, become
// placeholders of the same media type.
//
// Dates and, with [RecordOptions.KeepAmounts], amounts can identify a person to somebody
// who knows the account. Record the sandbox rather than a customer, and read the file
// before you commit it.
type Recorder struct {
	file   string
	base   *url.URL
	next   http.RoundTripper
	opts   RecordOptions
	mu     sync.Mutex
	taken  []*takenExchange // in the order of the requests
	failed error            // why the recording is incomplete
}

// takenExchange is an exchange as it was. It is only kept in memory.
type takenExchange struct {
	method, accept string
	url            *url.URL
	requestBody    []byte // if it is JSON, or a form as JSON
	authorization  string
	status         int // 0 until the response is there
	header         http.Header
	body           []byte
}

// maxTaken is the maximum size of a recorded response body.
const maxTaken = 64 << 20

// Record returns a Recorder for a test, and saves the file when the test ends, unless
// the test has failed.
func Record(tb testing.TB, file string, o RecordOptions) *Recorder {
	tb.Helper()
	r, err := NewRecorder(file, o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Logf("%s was not written, because the test has failed", file)
			return
		}
		if err := r.Save(); err != nil {
			tb.Error(err)
		}
	})
	return r
}

// NewRecorder returns a Recorder whose Save writes to file. It returns an error if the
// folder does not exist, file is a folder or a device, or an option is not valid.
func NewRecorder(file string, o RecordOptions) (*Recorder, error) {
	if dir := filepath.Dir(file); file == "" {
		return nil, errors.New("basiqtest: NewRecorder: the file has no name")
	} else if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("basiqtest: NewRecorder: the folder %s does not exist: create it", dir)
	}
	if err := files.Replaceable(file); err != nil {
		return nil, fmt.Errorf("basiqtest: NewRecorder: %w", err)
	}
	base, err := url.Parse(cmp.Or(o.BaseURL, transport.DefaultBaseURL))
	if err != nil || base.Host == "" || base.RawQuery != "" || base.User != nil {
		return nil, errors.New("basiqtest: NewRecorder: BaseURL is not the base URL of an API: pass that of basiq.WithBaseURL")
	}
	used := map[string]bool{}
	for from, to := range o.Replace {
		switch {
		case from == "" || from != to && !replacement.MatchString(to):
			return nil, errors.New("basiqtest: NewRecorder: Replace: a value is empty, or its replacement has characters other than letters, digits, '.', '_' and '-'")
		case used[to]:
			return nil, fmt.Errorf("basiqtest: NewRecorder: Replace: two values have the replacement %q", to)
		}
		used[to] = true
	}
	o.Replace = maps.Clone(o.Replace)
	r := &Recorder{file: file, base: base, next: o.Transport, opts: o}
	if r.next == nil {
		own := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: 15 * time.Second, Protocols: new(http.Protocols)}
		own.Protocols.SetHTTP1(true) // over HTTP/2, net/http retries requests itself
		r.next = own
	}
	return r, nil
}

var replacement = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)

var errNotRecorder = errors.New("basiqtest: the Recorder is nil or was not made by NewRecorder or Record")

// HTTPClient returns an HTTP client for basiq.WithHTTPClient that is recorded.
func (r *Recorder) HTTPClient() *http.Client { return &http.Client{Transport: r} }

// RoundTrip sends a request and records the exchange. Requests without a response are
// not recorded, and one that leads to another host than [RecordOptions.BaseURL] is not
// sent.
func (r *Recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	if r == nil || r.base == nil {
		return nil, errNotRecorder
	}
	if urls.Origin(req.URL) != urls.Origin(r.base) {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, errors.New("basiqtest: Recorder: the request leads to another host than RecordOptions.BaseURL: set it to the base URL of the client")
	}
	sent := req.Clone(req.Context())
	sent.Header.Del("Accept-Encoding") // net/http decompresses only what it asked for itself
	t := &takenExchange{method: req.Method, url: req.URL, accept: req.Header.Get("Accept"), authorization: req.Header.Get("Authorization")}
	if err := t.takeRequest(sent); err != nil {
		return nil, err
	}
	r.mu.Lock()
	r.taken = append(r.taken, t)
	r.mu.Unlock()
	res, err := r.next.RoundTrip(sent)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxTaken+1))
	if err == nil && len(body) > maxTaken {
		err = fmt.Errorf("basiqtest: Recorder: the response is larger than %d bytes and cannot be recorded", maxTaken)
		r.mu.Lock()
		r.failed = err
		r.mu.Unlock()
	}
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	t.status, t.header, t.body = res.StatusCode, res.Header.Clone(), body
	r.mu.Unlock()
	out := *res
	out.Body, out.Request = io.NopCloser(bytes.NewReader(body)), req
	return &out, nil
}

// maxTakenRequest is the maximum size of a recorded request body.
const maxTakenRequest = 1 << 20

// takeRequest reads the body of a request if it is to be recorded, and replaces it by
// one that can be sent.
func (t *takenExchange) takeRequest(sent *http.Request) error {
	media, _, _ := mime.ParseMediaType(sent.Header.Get("Content-Type"))
	if sent.Body == nil || sent.ContentLength <= 0 || sent.ContentLength > maxTakenRequest || media != "application/json" && media != "application/x-www-form-urlencoded" {
		return nil
	}
	body, err := io.ReadAll(sent.Body)
	_ = sent.Body.Close()
	if err != nil {
		return err
	}
	sent.Body = io.NopCloser(bytes.NewReader(body))
	if media == "application/json" {
		t.requestBody = body
		return nil
	}
	if form, err := url.ParseQuery(string(body)); err == nil {
		t.requestBody = formJSON(form)
	}
	return nil
}

// formJSON returns the fields of a form as a JSON object.
func formJSON(form url.Values) []byte {
	fields := map[string]string{}
	for name := range form {
		fields[name] = form.Get(name)
	}
	b, _ := json.Marshal(fields) // strings can always be encoded
	return b
}

// Save replaces secrets and personal data and writes the file. An existing file is
// replaced as a whole, or left as it is if Save returns an error: the file cannot be
// written, a response was too large, or a credential would be in the file.
func (r *Recorder) Save() error {
	if r == nil || r.base == nil {
		return errNotRecorder
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failed != nil {
		return fmt.Errorf("basiqtest: Save: the recording is incomplete: %w", r.failed)
	}
	red := redact.New(r.opts.Replace)
	red.KeepAmounts = r.opts.KeepAmounts
	red.Own = strings.ToLower(r.base.Scheme) + "://" + strings.ToLower(r.base.Host)
	red.OwnPath = strings.TrimSuffix(r.base.EscapedPath(), "/")
	f := &fixture{Version: fixtureVersion, Note: fixtureNote, Exchanges: []fixtureExchange{}}
	for _, t := range r.taken {
		if t.status != 0 {
			f.Exchanges = append(f.Exchanges, r.exchange(red, t))
		}
	}
	data, err := f.encode()
	if err != nil {
		return fmt.Errorf("basiqtest: Save: %w", err)
	}
	if r.leaks(data) {
		return fmt.Errorf("basiqtest: Save: %s was not written, because a credential would be in it: report this as a bug of basiqtest", r.file)
	}
	if err := files.Replace(r.file, 0o644, func(w io.Writer) error { _, err := w.Write(data); return err }); err != nil {
		return fmt.Errorf("basiqtest: Save: %w", err)
	}
	return nil
}

// leaks reports whether a credential of a request is in the text of the file.
func (r *Recorder) leaks(data []byte) bool {
	for _, t := range r.taken {
		_, credential, _ := strings.Cut(t.authorization, " ")
		if len(credential) >= 8 && bytes.Contains(data, []byte(credential)) {
			return true
		}
	}
	return false
}

// path returns the escaped path of a request below the base URL.
func (r *Recorder) path(t *takenExchange) string {
	below := strings.TrimPrefix(t.url.EscapedPath(), strings.TrimSuffix(r.base.EscapedPath(), "/"))
	return "/" + strings.TrimPrefix(below, "/")
}

// exchange returns an exchange with its values replaced.
func (r *Recorder) exchange(red *redact.Redactor, t *takenExchange) fixtureExchange {
	out := fixtureExchange{
		Request:  fixtureRequest{Method: t.method, Path: red.Path(r.path(t)), Query: red.Query(t.url.Query())},
		Response: fixtureResponse{Status: t.status, Header: recordedHeader(t.header)},
	}
	if t.accept != "application/json" {
		out.Request.Accept = mediaTypes(t.accept)
	}
	out.Request.Body, _ = red.JSON(t.requestBody)
	if len(t.body) == 0 {
		return out
	}
	media, _, _ := mime.ParseMediaType(t.header.Get("Content-Type"))
	if doc, ok := red.JSON(t.body); ok {
		out.Response.Body = doc
	} else if text, ok := redactCSV(red, t.body); ok && strings.HasSuffix(media, "/csv") {
		out.Response.Text = text
	} else {
		out.Response.Placeholder = true
	}
	if kept := out.Response.Header["Content-Type"]; kept != "" {
		out.Response.Header["Content-Type"] = mediaTypes(kept)
	}
	if wait := out.Response.Header["Retry-After"]; wait != "" && !retryAfter.MatchString(wait) {
		delete(out.Response.Header, "Retry-After")
	}
	return out
}

// retryAfter has the two forms of the Retry-After header.
var retryAfter = regexp.MustCompile(`^([0-9]{1,9}|[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT)$`)

// mediaTypes returns the media types in a header, without their parameters, in which a
// server could send anything.
func mediaTypes(header string) string {
	var out []string
	for part := range strings.SplitSeq(header, ",") {
		if media, _, err := mime.ParseMediaType(part); err == nil && mediaType.MatchString(media) {
			out = append(out, media)
		}
	}
	return strings.Join(out, ", ")
}

var mediaType = regexp.MustCompile(`^(application|text|image|\*)/[a-z+*-]{1,40}$`)

// redactCSV replaces the values of a CSV document. The first line names the members, as
// far as it has names of columns.
func redactCSV(red *redact.Redactor, body []byte) (string, bool) {
	lines, err := csv.NewReader(bytes.NewReader(body)).ReadAll()
	if err != nil || len(lines) == 0 {
		return "", false
	}
	names := slices.Clone(lines[0])
	for i, name := range names {
		names[i] = redact.Column(name, i+1)
	}
	out := [][]string{names}
	for _, line := range lines[1:] {
		for i, text := range line {
			line[i] = red.Text(names[i], text, false)
		}
		out = append(out, line)
	}
	var b strings.Builder
	if err := csv.NewWriter(&b).WriteAll(out); err != nil {
		return "", false
	}
	return b.String(), true
}
