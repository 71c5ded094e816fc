package sandbox

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/internal/files"
)

// A state file has, for each application, a line with its number, and then the lines of
// its state. See basiqtest.Server.WriteState.
type divider struct {
	Application int `json:"application"`
}

// load reads the state file, if there is one. It does not change the file.
func (s *Sandbox) load() error {
	file, err := os.Open(s.cfg.StateFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("basiq sandbox: --state: %w", err)
	}
	defer file.Close()
	bad := func(line int, err error) error {
		return fmt.Errorf("basiq sandbox: --state: %s, line %d: %w: the file was left as it is; correct it, or name another file", s.cfg.StateFile, line, err)
	}
	in := bufio.NewReader(file)
	var part bytes.Buffer
	number, first, line := 0, 0, 0
	finish := func() error {
		if number == 0 {
			return nil
		}
		err := s.apps[number-1].ReadState(&part)
		var at *basiqtest.StateError
		if errors.As(err, &at) {
			return bad(first+at.Line, at.Err)
		}
		part.Reset()
		return err
	}
	for {
		text, err := in.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("basiq sandbox: --state: %w", err)
		}
		if line++; bytes.HasPrefix(text, []byte(`{"application"`)) {
			var d divider
			if wrong := json.Unmarshal(text, &d); wrong != nil {
				return bad(line, wrong)
			}
			if d.Application != number+1 || d.Application > len(s.apps) {
				return bad(line, fmt.Errorf("application %d is unexpected: the sandbox was started with %d API keys", d.Application, len(s.apps)))
			}
			if wrong := finish(); wrong != nil {
				return wrong
			}
			number, first = d.Application, line
		} else if number > 0 {
			part.Write(text)
		} else if len(bytes.TrimSpace(text)) > 0 {
			return bad(line, errors.New(`the file must begin with {"application":1}`))
		}
		if err != nil {
			break
		}
	}
	if number == 0 {
		return bad(1, errors.New("the file is empty"))
	}
	return finish()
}

// save writes the state file if its content would differ from what was written last. A
// crash leaves the old file or the new one, because the new one is renamed to it.
func (s *Sandbox) save() error {
	if s.cfg.StateFile == "" {
		return nil
	}
	s.saving.Lock()
	defer s.saving.Unlock()
	var b bytes.Buffer
	for _, app := range s.apps {
		fmt.Fprintf(&b, `{"application":%d}`+"\n", app.number)
		if err := app.WriteState(&b); err != nil {
			return fmt.Errorf("basiq sandbox: --state: %w", err)
		}
	}
	if bytes.Equal(b.Bytes(), s.saved) {
		return nil
	}
	err := files.Replaceable(s.cfg.StateFile)
	if err == nil {
		err = files.Replace(s.cfg.StateFile, 0o600, func(w io.Writer) error { _, err := w.Write(b.Bytes()); return err })
	}
	if err != nil {
		return fmt.Errorf("basiq sandbox: --state: %w", err)
	}
	s.saved = b.Bytes()
	return nil
}

// checkState returns an error if the state file could not be saved, which is better
// known before there is data to lose.
func (s *Sandbox) checkState() error {
	if err := files.Replaceable(s.cfg.StateFile); err != nil {
		return fmt.Errorf("basiq sandbox: --state: %w", err)
	}
	file, err := os.CreateTemp(filepath.Dir(s.cfg.StateFile), filepath.Base(s.cfg.StateFile)+".*.tmp")
	if err != nil {
		return fmt.Errorf("basiq sandbox: --state: %w", err)
	}
	return errors.Join(file.Close(), os.Remove(file.Name()))
}
