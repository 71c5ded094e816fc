package sandbox

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/basiqtest"
)

// TestStateFile: the data of all applications is there after a restart.
func TestStateFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "state.jsonl")
	change := func(c *Config) { c.StateFile, c.Keys = file, List{"first-key", "second-key"} }
	s := start(t, change)
	user := s.user(t, basiqtest.Whistler)
	other, err := s.apps[1].AddUser("erika@example.com")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.save(); err != nil {
		t.Fatal(err)
	}
	again := start(t, change)
	if u := again.state(t, user); len(u.Accounts) != 2 {
		t.Errorf("%+v", u)
	}
	if _, err := again.apps[1].User(other); err != nil {
		t.Error(err)
	}
	before, err := os.Stat(file)
	if err != nil || runtime.GOOS != "windows" && before.Mode().Perm()&0o077 != 0 {
		t.Error(before, err)
	}
	if err := s.save(); err != nil { // nothing changed, so nothing is written
		t.Fatal(err)
	}
	if after, err := os.Stat(file); err != nil || !os.SameFile(before, after) {
		t.Error("a state that did not change is written", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Error("a temporary file is left", left, err)
	}
	// Another number of keys.
	cfg := Config{Address: "127.0.0.1:0", StateFile: file}
	if s, err := New(cfg); err == nil || !strings.Contains(err.Error(), "started with 1 API keys") {
		t.Error(err)
		s.Close()
	}
}

// TestDamagedStateFile: it is refused with its line, and left as it is.
func TestDamagedStateFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.jsonl")
	s := start(t, func(c *Config) { c.StateFile = file })
	s.user(t, basiqtest.Whistler)
	if err := s.save(); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(good), "\n")
	for text, want := range map[string]string{
		"":                    "line 1: the file is empty",
		"{}\n" + string(good): `line 1: the file must begin with {"application":1}`,
		`{"application":"x"}`: "line 1: json",
		string(good[:len(lines[0])+len(lines[1])+20]): "line 3: unexpected EOF",
		strings.Join(lines[:4], "") + "}\n":           "line 5: ",
		lines[0] + strings.Join(lines[2:], ""):        "line 2: the first line must be the header",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := Run(t.Context(), Config{Address: "127.0.0.1:0", StateFile: file}, io.Discard)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", want, err)
		}
		if after, err := os.ReadFile(file); err != nil || string(after) != text {
			t.Errorf("%s: the file was changed, %v", want, err)
		}
	}
}

// TestStateIsSavedAtTheEnd: a sandbox that is stopped saves its data.
func TestStateIsSavedAtTheEnd(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.jsonl")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Run(ctx, Config{Address: "127.0.0.1:0", StateFile: file}, io.Discard); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(file); err != nil || !strings.HasPrefix(string(text), `{"application":1}`+"\n"+`{"state":`) {
		t.Errorf("%s, %v", text, err)
	}
	if err := Run(ctx, Config{Address: "127.0.0.1:0", StateFile: filepath.Join(file, "below")}, io.Discard); err == nil {
		t.Error("a file that cannot be read is ignored")
	}
}

// TestStateThatCannotBeSavedIsRefused: data that would be lost in the end is not taken in.
func TestStateThatCannotBeSavedIsRefused(t *testing.T) {
	s, err := New(Config{Address: "127.0.0.1:0", StateFile: filepath.Join(t.TempDir(), "missing", "state.jsonl")})
	if err == nil {
		s.Close()
	}
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "--state") {
		t.Error(err)
	}
	folder := t.TempDir()
	s, err = New(Config{Address: "127.0.0.1:0", StateFile: filepath.Join(folder, "state.jsonl")})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	if left, err := os.ReadDir(folder); err != nil || len(left) != 0 {
		t.Errorf("files were left behind: %v, %v", left, err)
	}
}
