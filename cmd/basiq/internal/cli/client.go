package cli

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"strings"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/transport"
)

// client returns a client with the credentials and the base URL that the user
// gave. The caller must close it.
func (a *app) client() (*basiq.Client, error) {
	key, err := a.apiKey()
	if err != nil {
		return nil, err
	}
	if a.timeout < 0 {
		return nil, usagef("--timeout must not be negative")
	}
	opts := []basiq.Option{basiq.WithAPIKey(key), basiq.WithUserAgentSuffix("basiq-cli")}
	if a.baseURL != "" {
		opts = append(opts, basiq.WithBaseURL(a.baseURL))
	}
	if a.insecure {
		opts = append(opts, basiq.WithInsecureBaseURL())
	}
	if a.timeout != 0 {
		opts = append(opts, basiq.WithCallTimeout(a.timeout))
	}
	if a.verbose {
		opts = append(opts, basiq.WithLogger(slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	}
	c, err := basiq.NewClient(opts...)
	if err != nil {
		return nil, &coded{code: exitUsage, err: errors.New(asFlags.Replace(err.Error()))}
	}
	return c, nil
}

// asFlags makes errors of NewClient's options name the flags.
var asFlags = strings.NewReplacer("WithInsecureBaseURL", "--insecure", "WithAPIKey: ", "", "WithBaseURL", "--base-url")

// apiKey returns the API key: from --api-key-file, from the environment, or
// from the user.
func (a *app) apiKey() (string, error) {
	if a.keyFile != "" {
		return a.secretFromFile(a.keyFile)
	}
	if key := os.Getenv(basiq.EnvAPIKey); strings.TrimSpace(key) != "" {
		return key, nil
	}
	if a.prompt != nil {
		key, err := a.prompt("API key (not shown): ")
		if err == nil && strings.TrimSpace(key) == "" {
			err = errors.New("the API key is empty")
		}
		if err != nil {
			return "", &coded{code: exitCredentials, err: err}
		}
		return key, nil
	}
	return "", &coded{
		code: exitCredentials, err: errors.New("there is no API key"),
		advice: "Set BASIQ_API_KEY, or name a file that contains the key with --api-key-file. To try basiq without a key, run: basiq sandbox",
	}
}

// secretFromFile reads a secret from a file. A file that others may read is
// allowed, with a warning.
func (a *app) secretFromFile(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", &coded{code: exitCredentials, err: err}
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && runtime.GOOS != "windows" && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
		a.note("basiq: warning: other users of this machine may read %s; run: chmod 600 %[1]s", printable(name))
	}
	data, err := io.ReadAll(io.LimitReader(f, 64<<10))
	if err != nil {
		return "", &coded{code: exitCredentials, err: err}
	}
	secret := strings.TrimSpace(string(data))
	if secret == "" {
		return "", &coded{code: exitCredentials, err: fmt.Errorf("%s is empty", printable(name))}
	}
	return secret, nil
}

// operationOptions are the options of a call in the name of a user.
func operationOptions(scope transport.Scope, user string) []transport.Option {
	if scope == transport.ScopeClient && user != "" {
		return []transport.Option{transport.WithUser(user)}
	}
	return nil
}
