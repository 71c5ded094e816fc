package transport

import (
	"fmt"
	"unicode/utf8"
)

// MissingError is the error of a call that was not sent because a required
// parameter or field was not given.
type MissingError struct {
	Operation string // "reporting.Reports.Create"
	Name      string // name on the wire: "reportType"; "email or mobile" where one of several is required
}

// Error names the operation and what is missing.
func (e *MissingError) Error() string {
	if e == nil {
		return "<nil>"
	}
	return fmt.Sprintf("basiq: %s: %s is required", e.Operation, e.Name)
}

// Require makes the call fail with a *MissingError unless given is true.
func (r *Request) Require(name string, given bool) {
	if !given {
		r.Fail(&MissingError{Operation: r.in().op.ID, Name: name})
	}
}

// RangeError is the error of a call that was not sent because a number, or the
// length of a text, is beyond the limit that the API documents.
type RangeError struct {
	Operation string // "data.Transactions.List"
	Name      string // name on the wire: "limit"
	Value     int    // or the number of characters of a text
	Most      int

	text bool // it is the length of a text
}

// Error names the operation, the parameter and the limit.
func (e *RangeError) Error() string {
	if e == nil {
		return "<nil>"
	}
	if e.text {
		return fmt.Sprintf("basiq: %s: %s has %d characters: the API takes %d at most", e.Operation, e.Name, e.Value, e.Most)
	}
	return fmt.Sprintf("basiq: %s: %s is %d: it must be from 0 to %d", e.Operation, e.Name, e.Value, e.Most)
}

// AtMost makes the call fail with a *RangeError if value is negative, or larger
// than most.
func (r *Request) AtMost(name string, value, most int) {
	if value < 0 || value > most {
		r.Fail(&RangeError{Operation: r.in().op.ID, Name: name, Value: value, Most: most})
	}
}

// NotLonger makes the call fail with a *RangeError if text has more characters than
// most.
func (r *Request) NotLonger(name, text string, most int) {
	if n := utf8.RuneCountInString(text); n > most {
		r.Fail(&RangeError{Operation: r.in().op.ID, Name: name, Value: n, Most: most, text: true})
	}
}
