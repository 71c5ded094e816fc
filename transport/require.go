package transport

import (
	"fmt"
	"unicode/utf8"
)

// MissingError is the error of a call that was not sent because a required
// parameter or field was not given.
type MissingError struct {
	Operation string // "reporting.Reports.Create"
	Name      string // name in the API: "reportType", or "email or mobile" if one of them is required
}

// Error names the operation and what is missing.
func (e *MissingError) Error() string {
	if e == nil {
		return "<nil>"
	}
	return fmt.Sprintf("basiq: %s: %s is required", e.Operation, e.Name)
}

// Require makes the call fail with a [*MissingError] if given is false.
func (r *Request) Require(name string, given bool) {
	if !given {
		r.Fail(&MissingError{Operation: r.inner().op.ID, Name: name})
	}
}

// RequireOne makes the call fail if not exactly one of the alternatives is given. name
// lists them: "email or mobile".
func (r *Request) RequireOne(name string, given ...bool) {
	count := 0
	for _, g := range given {
		if g {
			count++
		}
	}
	r.Require(name, count > 0)
	if count > 1 {
		r.Fail(fmt.Errorf("basiq: %s: only one of %s may be set", r.inner().op.ID, name))
	}
}

// RangeError is the error of a call that was not sent because a number, or the length
// of a text, is outside the range that the API documents.
type RangeError struct {
	Operation string // "data.Transactions.List"
	Name      string // name in the API: "limit"
	Value     int    // the rejected value, or the number of characters of the text
	Most      int    // the largest value that is allowed; the smallest is 0

	text bool // Value is the length of a text
}

// Error names the operation, the parameter and the limit.
func (e *RangeError) Error() string {
	if e == nil {
		return "<nil>"
	}
	if e.text {
		return fmt.Sprintf("basiq: %s: %s has %d characters: the maximum is %d", e.Operation, e.Name, e.Value, e.Most)
	}
	return fmt.Sprintf("basiq: %s: %s is %d: it must be between 0 and %d", e.Operation, e.Name, e.Value, e.Most)
}

// AtMost makes the call fail with a [*RangeError] if value is negative or greater than
// most.
func (r *Request) AtMost(name string, value, most int) {
	if value < 0 || value > most {
		r.Fail(&RangeError{Operation: r.inner().op.ID, Name: name, Value: value, Most: most})
	}
}

// NotLonger makes the call fail with a [*RangeError] if text has more characters than
// most.
func (r *Request) NotLonger(name, text string, most int) {
	if n := utf8.RuneCountInString(text); n > most {
		r.Fail(&RangeError{Operation: r.inner().op.ID, Name: name, Value: n, Most: most, text: true})
	}
}
