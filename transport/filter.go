package transport

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/basiq-sdk/basiq-go/transport/value"
)

// Filter is a condition in the API's filter syntax: terms such as
// transaction.status.eq('posted'), joined by commas, all of which must be true. The
// generated filter builders use it. A Filter is a value: And returns a new Filter and
// does not change the old one.
//
// The syntax has no documented escape for a quote. If a value contains a quote, a
// backslash or a control character, the call that uses the filter fails before
// anything is sent.
type Filter struct {
	text string
	err  error
}

// And adds the term path.op('arg', …).
func (f Filter) And(path, op string, args ...string) Filter {
	if f.err != nil {
		return f
	}
	if len(args) == 0 {
		f.err = fmt.Errorf("the filter %s.%s has no values", path, op)
		return f
	}
	for _, arg := range args {
		if strings.ContainsFunc(arg, unquotable) {
			f.err = fmt.Errorf("a value of the filter %s.%s contains a quote, backslash or control character, which Basiq's filter syntax cannot express", path, op)
			return f
		}
	}
	if f.text != "" {
		f.text += ","
	}
	f.text += path + "." + op + "('" + strings.Join(args, "','") + "')"
	return f
}

// AndDays is And for dates. If a date is empty or not valid, the call fails before
// anything is sent: the API would respond with 400, or ignore the filter. A date of the
// form 02/01/2006 is sent as 2006-01-02.
func (f Filter) AndDays(path, op string, days ...value.Date) Filter {
	args := make([]string, len(days))
	for i, d := range days {
		at, err := d.Time()
		if err != nil && f.err == nil {
			f.err = fmt.Errorf("a value of the filter %s.%s is not a date such as 2031-05-06", path, op)
		}
		if args[i] = string(d); len(args[i]) > 2 && args[i][2] == '/' {
			args[i] = string(value.DateOf(at))
		}
	}
	return f.And(path, op, args...)
}

func unquotable(r rune) bool {
	return r == '\'' || r == '\\' || r == unicode.ReplacementChar || unicode.IsControl(r)
}

// Raw adds a term in the API's syntax. Only control characters are rejected.
func (f Filter) Raw(term string) Filter {
	switch {
	case f.err != nil || term == "":
		return f
	case strings.ContainsFunc(term, unicode.IsControl):
		f.err = fmt.Errorf("the raw filter term contains a control character")
		return f
	case f.text != "":
		f.text += ","
	}
	f.text += term
	return f
}

// String returns the filter as it is sent to the API, before URL encoding.
func (f Filter) String() string { return f.text }

// Err returns why the filter cannot be sent, or nil.
func (f Filter) Err() error { return f.err }

// FilterIn adds the term path.in('value', …) for values of any string type.
func FilterIn[T ~string](f Filter, path string, values []T) Filter {
	args := make([]string, len(values))
	for i, v := range values {
		args[i] = string(v)
	}
	return f.And(path, "in", args...)
}

// SetFilter sets the query parameter name to f. An empty filter sets nothing. A filter
// with an error makes the call fail before it is sent.
func (r *Request) SetFilter(name string, f Filter) {
	if f.err != nil {
		r.Fail(fmt.Errorf("basiq: %s: %w", r.inner().op.ID, f.err))
		return
	}
	if f.text != "" {
		r.SetQuery(name, f.text)
	}
}
