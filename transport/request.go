package transport

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/basiq-sdk/basiq-go/internal/safetext"
)

// Request is one call of an operation, created by a generated method. It prints as
// the name of the operation, because its values may be personal data.
type Request struct {
	*request // behind a pointer, which fmt does not follow
}

type request struct {
	op       *Operation
	path     string // escaped
	plain    string // path, not escaped
	rawQuery string // encoded by the caller; query is appended to it
	userID   string // value of the path parameter userId, if the path has one
	query    []queryParam
	header   http.Header
	body     body
	secrets  []string // texts of the body that are redacted in errors
	err      error
}

// Field is a name and a value in a form or query.
type Field struct{ Name, Value string }

// queryParam is a name and a value in a query.
type queryParam struct {
	name, value string
	encoded     bool // the value is escaped already
}

// NewRequest returns a call of op. values are the values of the path parameters, in
// the order of the template. A value that could change the route makes the call fail
// with a [*PathError] before it is sent. Such a value is one of these:
//   - empty
//   - "." or "..", also before a semicolon, question mark or number sign
//   - not valid UTF-8
//   - one that contains percent-encoded characters, slashes, backslashes or control
//     characters
func NewRequest(op *Operation, values ...string) *Request {
	if op == nil {
		panic("basiq: NewRequest: the operation is nil")
	}
	r := newRequest(request{op: op, path: op.Path, plain: op.Path})
	r.err = r.buildPath(values)
	return r
}

// errZeroRequest is the error of a Request that was not created by this package.
var errZeroRequest = errors.New("basiq: the request is a zero value: create it with NewRequest or NewCall")

// inner returns the request's content. A zero Request gets content whose call fails.
//
//go:noinline
func (r *Request) inner() *request {
	if r == nil {
		panic("basiq: the Request is nil: create it with NewRequest or NewCall")
	}
	if r.request == nil {
		r.request = &request{op: &Operation{ID: "call"}, err: errZeroRequest}
	}
	return r.request
}

func newRequest(r request) *Request {
	both := &struct { // one allocation; not embedded, which would add methods to the struct
		outer Request
		held  request
	}{held: r}
	both.outer.request = &both.held
	return &both.outer
}

// Format prints the operation's name under every verb.
func (r Request) Format(f fmt.State, verb rune) {
	text := "request"
	if r.request != nil {
		text += " of " + r.op.ID
	}
	safetext.Format(f, verb, text)
}

// Operation returns the operation that the request calls.
func (r *Request) Operation() *Operation { return r.inner().op }

// Fail makes the call fail with err before it is sent. Only the first error is kept.
func (r *Request) Fail(err error) {
	if in := r.inner(); in.err == nil {
		in.err = err
	}
}

// SetQuery appends a query parameter. It is encoded when the call is sent.
func (r *Request) SetQuery(name, value string) {
	in := r.inner()
	in.query = append(in.query, queryParam{name: name, value: value})
}

// SetHeader sets a header. A header that the client sets itself, or a value with
// control characters, makes the call fail.
func (r *Request) SetHeader(name, value string) {
	in := r.inner()
	name, err := checkHeader(name, value)
	if err != nil {
		r.Fail(fmt.Errorf("basiq: %s: %w", in.op.ID, err))
		return
	}
	if r.header == nil {
		r.header = http.Header{}
	}
	r.header[name] = []string{value}
}

// Conceal redacts texts that the call sends from error responses: some servers echo
// what they reject. Texts shorter than four bytes are not redacted.
func (r *Request) Conceal(texts ...string) {
	in := r.inner()
	in.secrets = append(in.secrets, texts...)
}

// buildPath builds the path from the values.
func (r *Request) buildPath(values []string) error {
	if len(values) == 0 && !strings.Contains(r.op.Path, "{") {
		return nil
	}
	var few [4]segmentText // not allocated
	segments := few[:0]
	rest := r.op.Path
	for _, v := range values {
		_, after, _ := strings.Cut(rest, "{")
		name, tail, _ := strings.Cut(after, "}")
		if why := badSegment(v); why != "" {
			return &PathError{Operation: r.op.ID, Name: name, Reason: why}
		}
		segments, rest = append(segments, segmentText{url.PathEscape(v), v}), tail
	}
	return r.fillPath(segments)
}

// literal escapes the part of a path template between its parameters. net/url would
// escape the whole path anew, with other rules for the parameters, if it were invalid.
func literal(text string) string {
	for i := range len(text) {
		if c := text[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("\"%<>\\^`{|}", c) >= 0 {
			return (&url.URL{Path: text}).EscapedPath()
		}
	}
	return text
}

// segmentText is the text of a path parameter.
type segmentText struct{ escaped, plain string }

// fillPath replaces the parameters of the template.
func (r *Request) fillPath(segments []segmentText) error {
	escaped, plain, rest := "", "", r.op.Path
	for _, s := range segments {
		before, after, ok := strings.Cut(rest, "{")
		if !ok {
			return fmt.Errorf("basiq: %s: more path values than parameters in %s", r.op.ID, r.op.Path)
		}
		name, tail, _ := strings.Cut(after, "}")
		if name == "userId" {
			r.userID = s.plain
		}
		escaped, plain, rest = escaped+literal(before)+s.escaped, plain+before+s.plain, tail
	}
	if strings.Contains(rest, "{") {
		return fmt.Errorf("basiq: %s: fewer path values than parameters in %s", r.op.ID, r.op.Path)
	}
	r.path, r.plain = escaped+literal(rest), plain+rest
	return nil
}

// badSegment returns why a value cannot be a path segment, or "" if it can.
//
// Escaping is enough for a server that decodes the path once. Servers behind a proxy
// may decode it twice, remove dot segments, or route by the decoded path. Escaping
// does not change "." and ".." at all. Therefore a value is rejected if any of these
// servers could take it for another value, or for more than one segment. No ID of
// the API is such a value.
func badSegment(v string) string {
	switch {
	case v == "":
		return "is empty"
	case dotSegment(v):
		return "is a dot segment, which servers remove from the path"
	case !utf8.ValidString(v):
		return "is not valid UTF-8"
	case strings.ContainsFunc(v, unicode.IsControl):
		return "contains control characters"
	case strings.ContainsAny(v, `/\\`):
		return "contains a slash, which would split it into two segments"
	}
	if percentEncoded(v) {
		return "is percent-encoded: pass the decoded value"
	}
	return ""
}

// dotSegment reports whether a server may remove a segment from the path, perhaps
// with the segment before it. Some servers first truncate a segment at a semicolon,
// or at a question mark or number sign after decoding it. Some trim dots and spaces.
func dotSegment(segment string) bool {
	name := segment
	if end := strings.IndexAny(segment, ";?#"); end >= 0 {
		name = segment[:end]
	}
	return strings.Trim(name, ". ") == "" && segment != ""
}

// percentEncoded reports whether a decoder would change a value. Some decoders
// decode what they can, and ignore a percent sign without hexadecimal digits.
func percentEncoded(v string) bool {
	hex := func(s string, n int) bool {
		return len(s) >= n && strings.Trim(s[:n], "0123456789abcdefABCDEF") == ""
	}
	for {
		_, after, found := strings.Cut(v, "%")
		if !found {
			return false
		}
		if hex(after, 2) || len(after) > 0 && (after[0] == 'u' || after[0] == 'U') && hex(after[1:], 4) {
			return true
		}
		v = after
	}
}

// PathError is the error of a call that was not sent because the value of a path
// parameter could change the route.
type PathError struct {
	Operation string // "core.Users.Get"
	Name      string // name of the parameter: "userId"
	Reason    string
}

// Error names the operation, the parameter and the reason, but not the value.
func (e *PathError) Error() string {
	if e == nil {
		return "<nil>"
	}
	return fmt.Sprintf("basiq: %s: path parameter %s %s", e.Operation, e.Name, e.Reason)
}

// ambiguous returns why a server may take an escaped path for another one, or "".
func ambiguous(path string) string {
	for range 3 { // proxies may decode more than once
		switch {
		case !utf8.ValidString(path): // some servers decode an overlong encoding to a dot
			return "is not valid UTF-8"
		case strings.ContainsFunc(path, unicode.IsControl):
			return "contains control characters"
		case strings.Contains(path, `\`):
			return "contains a backslash"
		case strings.Contains(path, "//"):
			return "contains an empty segment"
		}
		for _, segment := range strings.Split(path, "/") {
			if dotSegment(segment) {
				return "contains a dot segment"
			}
		}
		decoded, err := url.PathUnescape(path)
		if err != nil {
			return "is not correctly escaped"
		}
		if decoded == path {
			return ""
		}
		path = decoded
	}
	return "is escaped more than once"
}
