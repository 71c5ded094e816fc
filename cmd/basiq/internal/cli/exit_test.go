package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/transport"
)

// TestExitCodesAreThoseOfTheError checks the exit code of each kind of error, also
// if it is wrapped.
func TestExitCodesAreThoseOfTheError(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("disk full"), 1},
		{usagef("no such flag"), 2},
		{&transport.MissingError{Name: "email"}, 2},
		{transport.NewError(401), 3},
		{transport.NewError(403), 3},
		{&transport.TokenError{Err: transport.NewError(401)}, 3},
		{&transport.TokenError{Err: transport.NewError(503)}, 7},
		{transport.NewError(404), 4},
		{transport.NewError(410), 4},
		{transport.NewError(429), 5},
		{transport.NewError(400), 6},
		{transport.NewError(409), 6},
		{transport.NewError(422), 6},
		{transport.NewError(500), 7},
		{transport.NewError(503), 7},
		{&transport.SendError{Err: io.ErrUnexpectedEOF, Safety: transport.SafetyRead}, 7},
		{&transport.SendError{Err: context.DeadlineExceeded, Safety: transport.SafetyRead}, 11},
		{&transport.SendError{Err: io.ErrUnexpectedEOF, Safety: transport.SafetyUnrepeatable, Sent: true}, 8},
		{transport.ErrNoContent, 7},
		{&basiq.JobError{JobID: "j"}, 9},
		{&basiq.MFARequiredError{}, 10},
		{&basiq.WaitError{Err: context.DeadlineExceeded}, 11},
		{&basiq.WaitError{Err: context.DeadlineExceeded, Last: transport.NewError(404)}, 4},
		{&basiq.WaitError{Err: context.DeadlineExceeded, Last: transport.NewError(503)}, 11},
		{&coded{err: transport.NewError(404), before: "stopped"}, 4},
		{&coded{code: exitCredentials, err: errors.New("no key")}, 3},
		// Only stdout may end quietly: a connection that breaks does not.
		{&outputError{syscall.EPIPE}, 0},
		{&outputError{syscall.ENOSPC}, 1},
		{&transport.SendError{Err: syscall.EPIPE, Safety: transport.SafetyRead}, 7},
		{&transport.SendError{Err: syscall.EPIPE, Safety: transport.SafetyWrite, Sent: true}, 8},
	} {
		for _, err := range []error{c.err, wrapped(c.err)} {
			var b strings.Builder
			if got := (&app{err: &b}).report(context.Background(), err); got != c.want {
				t.Errorf("%v: exit code %d, want %d", err, got, c.want)
			}
			if (b.String() == "") != (c.want == 0) {
				t.Errorf("%v is reported as %q", err, b.String())
			}
		}
	}
}

func wrapped(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("while testing: %w", err)
}

// TestErrorsCannotControlTheTerminal checks the texts that come from the API.
func TestErrorsCannotControlTheTerminal(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	hostile := "\x1b[31m\u202e\r\n\u009bX"
	err := transport.NewError(400, transport.Problem{Code: "parameter-not-valid", Title: hostile, Detail: hostile})
	(&app{err: &b}).report(context.Background(), &coded{err: err, advice: "run " + hostile})
	if strings.ContainsAny(b.String(), "\x1b\u202e\r\u009b") {
		t.Errorf("%q", b.String())
	}
}
