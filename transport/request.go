package transport

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Request is one call of an operation, made by a generated method. It is printed
// without what is in it, which may be personal.
type Request struct {
	*request // behind a pointer, where printing does not follow
}

type request struct {
	op       *Operation
	path     string // escaped
	plain    string // path, not escaped
	rawQuery string // encoded by the caller; query comes after it
	userID   string // value of the path parameter userId, if the path has one
	query    []Field
	header   http.Header
	body     body
	secrets  []string // texts of the body that are taken out of errors
	err      error
}

// Field is a name and a value of a form or query.
type Field struct{ Name, Value string }

// NewRequest returns a call of op. values are those of the path's parameters,
// in the order of the template. A value that cannot be a path segment of its
// own makes the call fail before it is sent, as the path would otherwise lead
// elsewhere: one that is empty, "." or ".." (also before a semicolon), not valid
// UTF-8, or that has percent-encoded characters, slashes, backslashes or control
// characters.
func NewRequest(op *Operation, values ...string) *Request {
	if op == nil {
		panic("basiq: NewRequest: the operation is nil")
	}
	r := newRequest(request{op: op, path: op.Path, plain: op.Path})
	r.err = r.buildPath(values)
	return r
}

// errUnmade is the failure of a request that no function of this package made.
var errUnmade = errors.New("basiq: the request is a zero value: make one with NewRequest or NewCall")

// in returns what is in the request. A zero Request takes everything, and its call
// fails.
func (r *Request) in() *request {
	if r == nil {
		panic("basiq: the Request is nil: make one with NewRequest or NewCall")
	}
	if r.request == nil {
		r.request = &request{op: &Operation{ID: "call"}, err: errUnmade}
	}
	return r.request
}

func newRequest(r request) *Request {
	both := &struct {
		Request
		held request
	}{held: r}
	both.request = &both.held
	return &both.Request
}

// Format prints the operation's name under every verb.
func (r Request) Format(f fmt.State, verb rune) {
	text := "request"
	if r.request != nil {
		text += " of " + r.op.ID
	}
	formatText(f, verb, text)
}

// Operation returns what the request is a call of.
func (r *Request) Operation() *Operation { return r.in().op }

// Fail makes the call fail with err before it is sent. The first failure counts.
func (r *Request) Fail(err error) {
	if in := r.in(); in.err == nil {
		in.err = err
	}
}

// SetQuery appends a query parameter. It is encoded when the call is sent.
func (r *Request) SetQuery(name, value string) {
	in := r.in()
	in.query = append(in.query, Field{name, value})
}

// SetHeader sets a header. One that the client sets itself, or a value with
// control characters, makes the call fail.
func (r *Request) SetHeader(name, value string) {
	in := r.in()
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

// Conceal has texts that the call sends taken out of what is kept of an answer
// other than success: some servers echo what they did not like. Texts shorter
// than four bytes are not looked for.
func (r *Request) Conceal(texts ...string) {
	in := r.in()
	in.secrets = append(in.secrets, texts...)
}

// buildPath is the only place where values become a path.
func (r *Request) buildPath(values []string) error {
	if len(values) == 0 && !strings.Contains(r.op.Path, "{") {
		return nil
	}
	var escaped, plain strings.Builder
	rest := r.op.Path
	for _, v := range values {
		before, after, ok := strings.Cut(rest, "{")
		if !ok {
			return fmt.Errorf("basiq: %s: more path values than parameters in %s", r.op.ID, r.op.Path)
		}
		name, tail, _ := strings.Cut(after, "}")
		if why := badSegment(v); why != "" {
			return &PathError{Operation: r.op.ID, Name: name, Reason: why}
		}
		if name == "userId" {
			r.userID = v
		}
		escaped.WriteString(before)
		escaped.WriteString(url.PathEscape(v))
		plain.WriteString(before)
		plain.WriteString(v)
		rest = tail
	}
	if strings.Contains(rest, "{") {
		return fmt.Errorf("basiq: %s: fewer path values than parameters in %s", r.op.ID, r.op.Path)
	}
	escaped.WriteString(rest)
	plain.WriteString(rest)
	r.path, r.plain = escaped.String(), plain.String()
	return nil
}

// badSegment says why a value cannot be a path segment, or "".
//
// Escaping keeps a value apart from the path for a server that decodes once.
// Servers behind a proxy may decode twice, fold dots, or route by the decoded
// path, and escaping does not help with "." and ".." at all, which escape to
// themselves. So a value is refused when any of them could take it for another
// one, or for more than one segment. No ID of the API is such a value.
func badSegment(v string) string {
	switch {
	case v == "":
		return "is empty"
	case folded(v):
		return "would be folded out of the path"
	case !utf8.ValidString(v):
		return "is not UTF-8"
	case strings.ContainsFunc(v, unicode.IsControl):
		return "has control characters"
	case strings.ContainsAny(v, `/\\`):
		return "has a slash, which would make it more than one segment"
	}
	if percentEncoded(v) {
		return "is percent-encoded: give it as it is"
	}
	return ""
}

// folded reports whether a server may drop a segment from the path, and what
// stands before it. Some servers cut a segment at a semicolon first, and some cut
// dots and spaces off its end.
func folded(segment string) bool {
	name, _, _ := strings.Cut(segment, ";")
	return strings.Trim(name, ". ") == "" && segment != ""
}

// percentEncoded reports whether a decoder would change a value, or a part of it:
// some decode what they can, and pass over a percent sign that stands alone.
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

// PathError is the error of a call that was not sent because a path parameter
// cannot stand in a path.
type PathError struct {
	Operation string // "core.Users.Get"
	Name      string // name of the parameter: "userId"
	Reason    string
}

// Error names the operation, the parameter and the reason; not the value.
func (e *PathError) Error() string {
	if e == nil {
		return "<nil>"
	}
	return fmt.Sprintf("basiq: %s: path parameter %s %s", e.Operation, e.Name, e.Reason)
}

// cleaned says why an escaped path may be taken for another one on its way, or
// "".
func cleaned(path string) string {
	for range 3 { // a proxy may decode more often than it should
		switch {
		case strings.ContainsFunc(path, unicode.IsControl):
			return "has control characters"
		case strings.Contains(path, `\`):
			return "has a backslash"
		case strings.Contains(path, "//"):
			return "has an empty segment"
		}
		for segment := range strings.SplitSeq(path, "/") {
			if folded(segment) {
				return "has a segment of dots"
			}
		}
		decoded, err := url.PathUnescape(path)
		if err != nil {
			return "is badly escaped"
		}
		if decoded == path {
			return ""
		}
		path = decoded
	}
	return "is escaped more than once"
}
