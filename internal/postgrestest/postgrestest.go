//go:build unix

// Package postgrestest starts a PostgreSQL server for a test. The programs must be
// installed, e.g. by Debian's package postgresql; otherwise the test is skipped.
package postgrestest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Server is a PostgreSQL server with its data in a temporary directory. It listens on a
// Unix socket only.
type Server struct {
	dir, bin string
	as       *syscall.SysProcAttr
	server   *exec.Cmd
	log      *os.File
}

// Start starts a server that stops when the test ends. It skips the test if PostgreSQL
// is not installed.
func Start(t testing.TB) *Server {
	t.Helper()
	s, err := New()
	if errors.Is(err, ErrMissing) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// ErrMissing means that PostgreSQL is not installed, or cannot be started by this user.
var ErrMissing = errors.New("real part missing: postgresql")

// New starts a server. The caller must call Close.
func New() (*Server, error) {
	bin := programs()
	if bin == "" {
		return nil, ErrMissing
	}
	s := &Server{bin: bin}
	var err error
	if s.dir, err = os.MkdirTemp("", "pg"); err != nil { // short, because it contains the socket
		return nil, err
	}
	if err := s.init(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// programs returns the directory of initdb and postgres, preferably of the newest version
// in Debian's place.
func programs() string {
	var dirs []string
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			dirs = append(dirs, filepath.Dir(path))
		}
	}
	debian, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // the pattern is valid
	slices.Sort(debian)
	for _, dir := range slices.Backward(append(dirs, debian...)) {
		if executable(dir, "initdb") && executable(dir, "postgres") {
			return dir
		}
	}
	return ""
}

func executable(dir, name string) bool {
	info, err := os.Stat(filepath.Join(dir, name))
	return err == nil && info.Mode()&0o111 != 0
}

func (s *Server) init() error {
	if os.Getuid() == 0 { // PostgreSQL refuses to run as root
		u, err := user.Lookup("postgres")
		if err != nil {
			return fmt.Errorf("%w (this is root, and there is no user postgres)", ErrMissing)
		}
		uid, errUID := strconv.ParseUint(u.Uid, 10, 32)
		gid, errGID := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(errUID, errGID, os.Chown(s.dir, int(uid), int(gid))); err != nil {
			return err
		}
		s.as = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	}
	out, err := s.command("initdb", "-D", s.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync").CombinedOutput()
	if err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	if s.log, err = os.Create(filepath.Join(s.dir, "log")); err != nil {
		return err
	}
	return s.start()
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.SysProcAttr, cmd.Dir = s.as, s.dir
	return cmd
}

func (s *Server) start() error {
	_ = os.Remove(filepath.Join(s.data(), "postmaster.pid")) // of the server before a restart
	s.server = s.command("postgres", "-D", s.data(), "-k", s.dir, "-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=300")
	s.server.Stderr = s.log
	if err := s.server.Start(); err != nil {
		s.server = nil
		return err
	}
	for range 400 {
		// The last line of this file is the state of the server.
		state, _ := os.ReadFile(filepath.Join(s.data(), "postmaster.pid"))
		if strings.HasSuffix(strings.TrimSpace(string(state)), "\nready") {
			return nil
		}
		time.Sleep(25 * time.Millisecond)
	}
	log, _ := os.ReadFile(s.log.Name())
	return fmt.Errorf("postgres does not start:\n%s", log)
}

// DSN returns the data source name of the database, for a driver that understands
// libpq's keywords.
func (s *Server) DSN() string { return "host=" + s.dir + " user=postgres dbname=postgres" }

// Restart kills the server as a crash does, and starts it again.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.stop()
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
}

// stop ends the server without a checkpoint: it recovers at the next start.
func (s *Server) stop() {
	if s.server == nil {
		return
	}
	_ = s.server.Process.Signal(syscall.SIGQUIT)
	_ = s.server.Wait()
	s.server = nil
}

// Close stops the server and deletes its data.
func (s *Server) Close() {
	s.stop()
	if s.log != nil {
		_ = s.log.Close()
	}
	_ = os.RemoveAll(s.dir)
}
