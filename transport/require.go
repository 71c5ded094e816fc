package transport

import "fmt"

// MissingError is the error of a call that was not sent because a required
// parameter or field was not given.
type MissingError struct {
	Operation string // "reporting.Reports.Create"
	Name      string // name on the wire: "reportType"
}

// Error names the operation and what is missing.
func (e *MissingError) Error() string {
	return fmt.Sprintf("basiq: %s: %s is required", e.Operation, e.Name)
}

// Require makes the call fail with a *MissingError unless given is true.
func (r *Request) Require(name string, given bool) {
	if !given {
		r.Fail(&MissingError{Operation: r.op.ID, Name: name})
	}
}
