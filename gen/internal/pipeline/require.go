package pipeline

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os/exec"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
)

// require adds the runtime to the module's requirements, if they do not have it.
// restore takes it out again.
func (s *start) require(ctx context.Context) (restore func() error, err error) {
	restore = func() error { return nil }
	mod, err := s.root.ReadFile("go.mod")
	if err != nil {
		return nil, diag.Errorf(diag.Pos{File: "go.mod"}, "no-module", "%v", err)
	}
	if s.module == runtimeModule || requires(mod, runtimeModule) || s.works(ctx) {
		return restore, nil
	}
	sum, err := s.root.ReadFile("go.sum")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, diag.Errorf(diag.Pos{File: "go.sum"}, "no-module", "%v", err)
	}
	restore = func() error {
		if sum == nil {
			_ = s.root.Remove("go.sum")
		} else if err := s.root.WriteFile("go.sum", sum, 0o644); err != nil {
			return err
		}
		return s.root.WriteFile("go.mod", mod, 0o644)
	}
	what := runtimeModule + "@" + cmp.Or(s.Version, "latest")
	if out, err := s.command(ctx, "get", what); err != nil {
		return nil, errors.Join(restore(), diag.Errorf(diag.Pos{File: "go.mod"}, "no-runtime", "go get %s: %s", what, cmp.Or(strings.TrimSpace(out), err.Error())).
			WithHint("the client is built on this module: make it available to the go command, or add it to go.mod"))
	}
	s.Progress.Detail("go.mod requires %s now", what)
	return restore, nil
}

// requires reports whether a go.mod has a requirement. One that cannot be parsed is
// for the go command to report.
func requires(mod []byte, module string) bool {
	f, err := modfile.ParseLax("go.mod", mod, nil)
	if err != nil {
		return true
	}
	for _, r := range f.Require {
		if r.Mod.Path == module {
			return true
		}
	}
	return false
}

// works reports whether a workspace provides the runtime.
func (s *start) works(ctx context.Context) bool {
	out, err := s.command(ctx, "env", "GOWORK")
	if work := strings.TrimSpace(out); err != nil || work == "" || work == "off" {
		return false
	}
	_, err = s.command(ctx, "list", "-m", runtimeModule)
	return err == nil
}

// command runs the go command in the module and returns what it printed.
func (s *start) command(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = s.Dir
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}
