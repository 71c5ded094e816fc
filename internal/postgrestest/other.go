//go:build !unix

// Package postgrestest starts a PostgreSQL server for a test, on Unix.
package postgrestest

import (
	"errors"
	"testing"
)

// Server is not available on this system.
type Server struct{}

// ErrMissing means that PostgreSQL cannot be started here.
var ErrMissing = errors.New("real part missing: postgresql, which these tests start on Unix only")

// Start skips the test.
func Start(t testing.TB) *Server { t.Helper(); t.Skip(ErrMissing); return nil }

// New returns ErrMissing.
func New() (*Server, error) { return nil, ErrMissing }

// DSN returns "".
func (*Server) DSN() string { return "" }

// Restart does nothing.
func (*Server) Restart(testing.TB) {}

// Close does nothing.
func (*Server) Close() {}
