package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"gen": func() { os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr)) },
	})
}

// TestScripts runs the command line as a maintainer does, each case in its own
// repository.
func TestScripts(t *testing.T) {
	repo, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	cache := goEnv(t, "GOCACHE")
	mod := goEnv(t, "GOMODCACHE")
	goMod, err := os.ReadFile(filepath.Join("testdata", "library", "go.mod.txt"))
	if err != nil {
		t.Fatal(err)
	}
	driver := writePackagesDriver(t, withRepo(goMod, repo))
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Condition: func(cond string) (bool, error) {
			if cond == "root" {
				return os.Geteuid() == 0, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Setup: func(e *testscript.Env) error {
			e.Setenv("REPO", repo)
			e.Setenv("GOCACHE", cache) // recompiling the standard library in each case would take minutes
			e.Setenv("GOMODCACHE", mod)
			e.Setenv("GOPROXY", "off")
			e.Setenv("GOFLAGS", "-mod=mod")
			e.Setenv("GOTOOLCHAIN", "local")
			e.Vars = append(e.Vars, driver...)
			// Collecting garbage is a fifth of the work of processes that end as soon as these.
			e.Setenv("GOGC", "off")
			e.Setenv("GOMEMLIMIT", "1GiB")
			return prepare(e, repo)
		},
	})
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// prepare copies the small API of testdata/library to the repository of a case. Files in
// the case's archive take precedence.
func prepare(e *testscript.Env, repo string) error {
	base := filepath.Join(repo, "gen", "testdata", "library")
	return filepath.WalkDir(base, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(base, p)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		dst := filepath.Join(e.WorkDir, strings.TrimSuffix(rel, ".txt"))
		if _, err := os.Stat(dst); err == nil {
			return nil // the case has its own
		}
		if err := os.MkdirAll(filepath.Dir(dst), 0o777); err != nil {
			return err
		}
		return os.WriteFile(dst, withRepo(data, repo), 0o666)
	})
}

// withRepo replaces $REPO in a file of testdata/library.
func withRepo(data []byte, repo string) []byte {
	return bytes.ReplaceAll(data, []byte("$REPO"), []byte(strconv.Quote(filepath.ToSlash(repo))))
}
