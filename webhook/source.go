package webhook

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// SecretSource returns the secrets of a webhook that are valid now, for example
// from a secret manager. While a secret is being rotated, it returns the new and the
// old one. It must be safe for concurrent use.
type SecretSource func(context.Context) ([]string, error)

// ErrSecretSource means that a [SecretSource] returned an error, no secret, or a
// secret that is not valid. It says nothing about the delivery: the handler responds
// with 500, so that Basiq delivers the message again.
var ErrSecretSource = errors.New("webhook: the secrets could not be loaded")

// DefaultSecretRefresh is how long the secrets of a [SecretSource] are used by default
// until they are loaded again.
const DefaultSecretRefresh = time.Minute

// minSecretReload is the minimum age of secrets that are loaded again because no
// signature matches. Without it, anyone could make the receiver call its source with
// every request.
const minSecretReload = 5 * time.Second

// NewVerifierFrom returns a Verifier whose secrets come from a source, so that they
// can be rotated while the program runs. The source is called for the first delivery,
// and then at most once a minute: see [WithSecretRefresh]. If no signature matches, the
// secrets are loaded again if they are older than five seconds. A new secret therefore
// works at once, and one that was removed is rejected after a minute at the latest.
//
// The source is called with the context of the request. If it fails and the secrets
// are too old, the error matches [ErrSecretSource]: secrets that may have been removed
// are not used. NewVerifierFrom itself does not call the source. It returns an error
// if source is nil or an option is not valid.
func NewVerifierFrom(source SecretSource, opts ...VerifierOption) (*Verifier, error) {
	if source == nil {
		return nil, fmt.Errorf("%w: NewVerifierFrom: the source is nil", ErrSecretSource)
	}
	v := &verifier{tolerance: DefaultTolerance, now: time.Now, source: &secretCache{source: source, refresh: DefaultSecretRefresh, turn: make(chan struct{}, 1)}}
	if err := v.apply(opts); err != nil {
		return nil, err
	}
	return &Verifier{v}, nil
}

// WithSecretRefresh sets how long the secrets of a [SecretSource] are used until they
// are loaded again. The default is [DefaultSecretRefresh]; 0 loads them for every
// delivery. It is an error without a source.
func WithSecretRefresh(d time.Duration) VerifierOption {
	return func(v *verifier) error {
		switch {
		case d < 0:
			return fmt.Errorf("webhook: WithSecretRefresh: %s is negative", d)
		case v.source == nil:
			return errors.New("webhook: WithSecretRefresh: the secrets do not come from a source: use NewVerifierFrom")
		}
		v.source.refresh = d
		return nil
	}
}

// keySet holds the keys that are valid at the same time, in the order of their
// secrets. It is a function, so that printing does not show the keys.
type keySet func() [][]byte

// secretCache holds the secrets of a source until they have to be loaded again.
type secretCache struct {
	source  SecretSource
	refresh time.Duration
	turn    chan struct{} // held while the source is called

	mu     sync.Mutex
	keys   keySet // nil until they were loaded
	loaded time.Time
}

// get returns keys that were loaded less than maxAge ago, and when that was. It calls
// the source if necessary, one call at a time.
func (c *secretCache) get(ctx context.Context, now func() time.Time, maxAge time.Duration) (keySet, time.Time, error) {
	if keys, at := c.cached(now(), maxAge); keys != nil {
		return keys, at, nil
	}
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return nil, time.Time{}, fmt.Errorf("%w: %w", ErrSecretSource, ctx.Err())
	}
	// Another delivery may have loaded them in the meantime.
	if keys, at := c.cached(now(), maxAge); keys != nil {
		return keys, at, nil
	}
	at := now()
	secrets, err := c.source(ctx)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("%w: %w", ErrSecretSource, err)
	}
	keys, err := parseSecrets(secrets)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("%w: %w", ErrSecretSource, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keys, c.loaded = keys, at
	return keys, at, nil
}

// cached returns the keys if they were loaded less than maxAge before now.
func (c *secretCache) cached(now time.Time, maxAge time.Duration) (keySet, time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if age := now.Sub(c.loaded); c.keys == nil || age < 0 || age >= maxAge {
		return nil, time.Time{}
	}
	return c.keys, c.loaded
}

// parseSecrets decodes secrets, of which there must be at least one.
func parseSecrets(secrets []string) (keySet, error) {
	if len(secrets) == 0 {
		return nil, fmt.Errorf("%w: no secret is given", ErrSecret)
	}
	keys := make([][]byte, len(secrets))
	for i, s := range secrets {
		key, err := parseSecret(s)
		if err != nil {
			if len(secrets) > 1 {
				err = fmt.Errorf("%w (secret %d of %d)", err, i+1, len(secrets))
			}
			return nil, err
		}
		keys[i] = key
	}
	return func() [][]byte { return keys }, nil
}
