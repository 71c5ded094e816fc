package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/cmd/basiq/internal/jsontree"
	"github.com/basiq-sdk/basiq-go/transport"
)

// Exit codes of basiq, by the kind of error. docs/cli.md lists them.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitCredentials = 3
	exitNotFound    = 4
	exitRateLimited = 5
	exitRefused     = 6
	exitUnavailable = 7
	exitUnknown     = 8
	exitJobFailed   = 9
	exitMFA         = 10
	exitTimeout     = 11
	exitInterrupted = 130
)

// exitCodes documents the exit codes.
var exitCodes = []struct {
	code int
	text string
}{
	{exitOK, "success"},
	{exitFailure, "any other failure, such as a file that cannot be written"},
	{exitUsage, "unknown command, flag or value; a value is missing"},
	{exitCredentials, "no API key, or the API rejects the key, its token or its permissions (401, 403)"},
	{exitNotFound, "not found, or no longer available (404, 410)"},
	{exitRateLimited, "rate limited (429)"},
	{exitRefused, "the API refuses the request (other 4xx)"},
	{exitUnavailable, "the API cannot be reached, is unavailable (5xx), or its response cannot be read"},
	{exitUnknown, "outcome unknown: the change may have been made; check before you try again"},
	{exitJobFailed, "the job failed"},
	{exitMFA, "the bank's question was not answered"},
	{exitTimeout, "the wait or the call took too long; a job continues"},
	{exitInterrupted, "interrupted"},
}

// usageError is an error in how basiq was called.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// coded is an error with an exit code, advice or a beginning of its own.
type coded struct {
	code   int    // 0 means the one of err
	before string // what the command has done before the error
	err    error
	advice string
}

func (e *coded) Error() string {
	if e.before != "" {
		return e.before + ": " + strings.TrimPrefix(e.err.Error(), "basiq: ")
	}
	return e.err.Error()
}
func (e *coded) Unwrap() error { return e.err }

// exitCode returns the exit code for an error.
func exitCode(ctx context.Context, err error) int {
	var usage *usageError
	var own *coded
	var api *basiq.Error
	is := func(target error) bool { return errors.Is(err, target) }
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &usage), as[*transport.MissingError](err), as[*transport.PathError](err), as[*transport.RangeError](err):
		return exitUsage
	case errors.As(err, &own) && own.code != 0:
		return own.code
	case is(transport.ErrOutcomeUnknown):
		return exitUnknown
	case is(context.Canceled) && ctx.Err() != nil:
		return exitInterrupted
	case as[*basiq.MFARequiredError](err), as[*basiq.MFAError](err):
		return exitMFA
	case as[*basiq.JobError](err):
		return exitJobFailed
	case is(transport.ErrRateLimited):
		return exitRateLimited
	case is(transport.ErrNotFound), is(transport.ErrGone):
		return exitNotFound
	case is(transport.ErrUnauthorized), is(transport.ErrForbidden), is(transport.ErrTokenExpired):
		return exitCredentials
	case is(context.DeadlineExceeded): // also of a wait whose polls failed for another reason
		return exitTimeout
	case errors.As(err, &api) && api.Status >= 400 && api.Status < 500:
		return exitRefused
	case errors.As(err, &api), as[*transport.SendError](err), as[*transport.DecodeError](err), is(transport.ErrTooLarge), is(transport.ErrPageLink), is(transport.ErrNoContent):
		return exitUnavailable
	case as[*transport.TokenError](err):
		return exitUnavailable
	}
	return exitFailure
}

func as[T error](err error) bool {
	var target T
	return errors.As(err, &target)
}

// report prints an error on stderr and returns the exit code.
func (a *app) report(ctx context.Context, err error) int {
	if err == nil {
		return exitOK
	}
	if out := (*outputError)(nil); errors.As(err, &out) && errors.Is(out, syscall.EPIPE) {
		return exitOK // the reader, such as head, has what it wants
	}
	code := exitCode(ctx, err)
	text := err.Error()
	var own *coded
	if code == exitInterrupted {
		text = "interrupted"
		if errors.As(err, &own) && own.before != "" {
			text = own.before + ": " + text
		}
	} else if !strings.HasPrefix(text, "basiq: ") {
		text = strings.TrimPrefix(text, "basiq ")
	}
	a.note("basiq: %s", printable(strings.TrimPrefix(text, "basiq: ")))
	a.explain(err)
	return code
}

// explain prints what the API said about an error, and what to do.
func (a *app) explain(err error) {
	var own *coded
	var job *basiq.JobError
	var missing *transport.MissingError
	var api *basiq.Error
	var advice string
	if errors.As(err, &api) {
		for _, p := range api.Problems {
			a.noteReason(p.Title, p.Detail)
		}
		advice = api.Advice()
	}
	if errors.As(err, &job) {
		a.noteReason(job.Title, job.Detail)
		advice = job.Advice()
	}
	if errors.As(err, &missing) {
		advice = "Set it with its flag, or with --body; see --help."
	}
	if errors.As(err, &own) && own.advice != "" {
		advice = own.advice
	}
	for line := range strings.Lines(advice) {
		line = jsontree.Visible(strings.TrimRight(line, "\n"))
		if strings.HasPrefix(line, "  ") { // a command to copy
			a.note("%s", line)
			continue
		}
		a.note("%s", strings.Join(wrapText(line, 80), "\n"))
	}
}

// noteReason prints what the API or a bank says about a failure.
func (a *app) noteReason(title, detail string) {
	title = strings.TrimSuffix(printable(title), ".")
	if detail = printable(detail); title != "" && detail != "" {
		title += ": "
	}
	if title+detail != "" {
		a.note("%s", strings.Join(wrapText(title+detail, 80), "\n"))
	}
}

// printable returns a text on one line, without what could control a terminal.
func printable(s string) string { return jsontree.Visible(strings.Join(strings.Fields(s), " ")) }
