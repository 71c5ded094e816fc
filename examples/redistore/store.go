// Package redistore shares access tokens, and which webhook messages were handled,
// between processes through Redis. A fleet of any size then requests as few tokens as
// a single process. The API allows 1,500 token requests in five minutes.
//
//	db := redis.NewClient(&redis.Options{Addr: address, ContextTimeoutEnabled: true})
//	store, err := redistore.New(db, key)
//	client, err := basiq.NewClient(basiq.WithTokenStore(store))
//
//	seen, err := redistore.NewSeenStore(db)
//	handler := webhook.NewHandler(verifier, handle, webhook.WithSeenStore(seen))
//
// Set ContextTimeoutEnabled. Without it, go-redis ignores the SDK's timeout of two
// seconds, and a Redis that does not respond delays calls for longer.
//
// This package is an example: copy it and adapt it to your needs.
package redistore

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// Store is a transport.TokenStore in Redis. It is safe for concurrent use.
type Store struct {
	db   redis.UniversalClient
	seal func() []cipher.AEAD // the first encrypts, all decrypt; a closure, because fmt does not print what it captures
}

// New returns a Store that encrypts tokens with AES-GCM, so that read access to
// the database is not enough to use them. The first key encrypts. The other keys
// decrypt values that were stored before a key rotation. A key has 16, 24 or 32
// bytes.
func New(db redis.UniversalClient, keys ...[]byte) (*Store, error) {
	if db == nil {
		return nil, errors.New("redistore: New: db is nil")
	}
	if len(keys) == 0 {
		return nil, errors.New("redistore: New: at least one encryption key is required")
	}
	aeads := make([]cipher.AEAD, len(keys))
	for i, key := range keys {
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, fmt.Errorf("redistore: New: key %d of %d has %d bytes, want 16, 24 or 32", i+1, len(keys), len(key))
		}
		if aeads[i], err = cipher.NewGCMWithRandomNonce(block); err != nil {
			return nil, fmt.Errorf("redistore: New: key %d: %w", i+1, err)
		}
	}
	return &Store{db: db, seal: func() []cipher.AEAD { return aeads }}, nil
}

// Load implements transport.TokenStore. A value that no key decrypts counts as
// missing, and is replaced.
func (s *Store) Load(ctx context.Context, key string) ([]byte, error) {
	sealed, err := s.db.Get(ctx, key).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, aead := range s.seal() {
		if value, err := aead.Open(nil, nil, sealed, []byte(key)); err == nil {
			return value, nil
		}
	}
	return nil, nil
}

// Save implements transport.TokenStore.
func (s *Store) Save(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if ttl <= 0 {
		return nil // already expired
	}
	return s.db.Set(ctx, key, s.seal()[0].Seal(nil, nil, value, []byte(key)), ttl).Err()
}

// unlock deletes a lock if the caller still holds it.
var unlock = redis.NewScript(`if redis.call("get", KEYS[1]) == ARGV[1] then return redis.call("del", KEYS[1]) end return 0`)

// Lock implements transport.TokenStore. The lock of a process that crashes
// expires after ttl.
func (s *Store) Lock(ctx context.Context, key string, ttl time.Duration) (func(), error) {
	name, owner := key+":lock", rand.Text()
	err := s.db.SetArgs(ctx, name, owner, redis.SetArgs{Mode: "NX", TTL: ttl}).Err()
	if errors.Is(err, redis.Nil) {
		return nil, nil // held by another process
	}
	if err != nil {
		return nil, err
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		_ = unlock.Run(ctx, s.db, []string{name}, owner).Err() // if it fails, the lock expires
	}, nil
}
