package main

import (
	"cmp"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"

	"golang.org/x/mod/module"
)

// version describes this generator for bug reports: its module version, its commit and
// the Go release.
func version(ctx context.Context) string {
	release, commit := "(devel)", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		release = cmp.Or(info.Main.Version, release)
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				commit = s.Value
			case s.Key == "vcs.modified" && s.Value == "true":
				commit += " with changes"
			}
		}
	}
	source := "commit " + cmp.Or(commit, "unknown")
	switch {
	case commit != "":
	case release == "(devel)":
		source = "commit " + cmp.Or(checkout(ctx), "unknown")
	case module.IsPseudoVersion(release):
		if rev, err := module.PseudoVersionRev(release); err == nil {
			source = "commit " + rev
		}
	default: // installed by version: the go command does not record a commit
		source = "tag gen/" + release
	}
	return fmt.Sprintf("gen %s, %s, %s %s/%s", release, source, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// checkout returns the commit of the clone that the generator was built from. go run
// does not record it.
func checkout(ctx context.Context) string {
	_, file, _, ok := runtime.Caller(0)
	if !ok || !filepath.IsAbs(file) {
		return ""
	}
	git := func(args ...string) (string, error) {
		cmd := exec.CommandContext(ctx, "git", args...)
		cmd.Dir = filepath.Dir(file)
		out, err := cmd.Output()
		return strings.TrimSpace(string(out)), err
	}
	commit, err := git("rev-parse", "HEAD")
	if err != nil {
		return ""
	}
	if changes, err := git("status", "--porcelain", "--", "."); err == nil && changes != "" {
		commit += " with changes"
	}
	return commit
}
