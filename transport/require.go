package transport

import "fmt"

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

// RangeError is the error of a call that was not sent because a number is beyond
// the limit that the API documents.
type RangeError struct {
	Operation string // "data.Transactions.List"
	Name      string // name on the wire: "limit"
	Value     int
	Most      int
}

// Error names the operation, the parameter and the limit.
func (e *RangeError) Error() string {
	if e == nil {
		return "<nil>"
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
