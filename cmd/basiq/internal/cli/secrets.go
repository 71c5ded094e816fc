package cli

import (
	"errors"
	"os"
	"slices"
	"strings"

	"github.com/basiq-sdk/basiq-go/cmd/basiq/internal/commands"
	"github.com/basiq-sdk/basiq-go/cmd/basiq/internal/jsontree"
)

// redacted is printed in place of a secret.
const redacted = "[redacted]"

// secretNames are members that are secret wherever they occur.
var secretNames = []string{"access_token", "refresh_token", "secret", "password"}

// redact replaces the secrets in a result, and returns them.
// The tree is the whole result or, in a list, one of its rows.
func redact(op *commands.Operation, tree *jsontree.Value) (secrets []string) {
	secret := func(path []string, name string) bool {
		at := strings.Join(path, ".")
		return slices.Contains(secretNames, strings.ToLower(name)) ||
			op != nil && (slices.Contains(op.Secrets, at) || slices.Contains(op.Secrets, op.Rows+".*."+at))
	}
	tree.Walk(func(path []string, m jsontree.Member) *jsontree.Value {
		if !secret(path, m.Name) {
			return m.Value
		}
		if text := m.Value.Text(); text != "" {
			secrets = append(secrets, text)
			return jsontree.String(redacted)
		}
		return m.Value
	})
	return secrets
}

// secretFile is the file that --secrets-to names, or none.
type secretFile struct {
	app   *app
	f     *os.File
	noted bool // the user knows that there are secrets
}

const secretsToHelp = "`FILE` to write the secret in the result to, because it is not printed. The file must not exist."

// openSecrets creates the file for secrets before anything is sent, because some
// secrets are returned only once.
func (a *app) openSecrets(name string) (*secretFile, error) {
	s := &secretFile{app: a}
	if name == "" {
		return s, nil
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil, usagef("--secrets-to: %s exists already", printable(name))
	}
	s.f = f
	return s, err
}

// take redacts the secrets in a result and writes them to the file, one on a line.
func (s *secretFile) take(op *commands.Operation, tree *jsontree.Value) error {
	secrets := redact(op, tree)
	if s.f == nil {
		if len(secrets) > 0 && !s.noted {
			s.noted = true
			s.app.note("The result contains a secret, which is not printed; --secrets-to writes it to a file.")
		}
		return nil
	}
	return s.write(secrets...)
}

func (s *secretFile) write(secrets ...string) error {
	_, err := s.f.WriteString(strings.Join(secrets, "\n") + "\n")
	return err
}

// close closes the file, and removes it if nothing was written to it.
func (s *secretFile) close() {
	if s.f == nil {
		return
	}
	info, err := s.f.Stat()
	s.f.Close()
	if err == nil && info.Size() == 0 {
		os.Remove(s.f.Name())
	}
}
