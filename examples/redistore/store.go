// Package redistore shares access tokens among processes through Redis, so that
// a fleet of any size asks for as few tokens as one process does: the API takes
// 1,500 requests for tokens in five minutes.
//
//	db := redis.NewClient(&redis.Options{Addr: address, ContextTimeoutEnabled: true})
//	store, err := redistore.New(db, key)
//	client, err := basiq.NewClient(basiq.WithTokenStore(store))
//
// Without ContextTimeoutEnabled, go-redis does not heed the SDK's limit of two
// seconds, and a Redis that does not answer holds calls up for longer.
//
// It is an example: copy it, and make it yours.
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
	seal func() []cipher.AEAD // the first encrypts, all decrypt; a function, which printing does not look into
}

// New returns a Store that encrypts what it stores with AES-GCM: whoever can
// read the database cannot use the tokens. The first key encrypts; further ones
// decrypt what was stored before a change of keys. Each has 16, 24 or 32 bytes.
func New(db redis.UniversalClient, keys ...[]byte) (*Store, error) {
	if db == nil {
		return nil, errors.New("redistore: there is no database")
	}
	if len(keys) == 0 {
		return nil, errors.New("redistore: there is no key to encrypt tokens with")
	}
	aeads := make([]cipher.AEAD, len(keys))
	for i, key := range keys {
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, fmt.Errorf("redistore: key %d of %d has %d bytes; 16, 24 or 32 are needed", i+1, len(keys), len(key))
		}
		if aeads[i], err = cipher.NewGCMWithRandomNonce(block); err != nil {
			return nil, fmt.Errorf("redistore: key %d: %w", i+1, err)
		}
	}
	return &Store{db: db, seal: func() []cipher.AEAD { return aeads }}, nil
}

// Load implements transport.TokenStore. What no key decrypts counts as not
// stored: it is replaced.
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
		return nil // it has ended already
	}
	return s.db.Set(ctx, key, s.seal()[0].Seal(nil, nil, value, []byte(key)), ttl).Err()
}

// unlock deletes a lock if it is still the caller's own.
var unlock = redis.NewScript(`if redis.call("get", KEYS[1]) == ARGV[1] then return redis.call("del", KEYS[1]) end return 0`)

// Lock implements transport.TokenStore: a process that dies gives the lock back
// after ttl.
func (s *Store) Lock(ctx context.Context, key string, ttl time.Duration) (func(), error) {
	name, owner := key+":lock", rand.Text()
	err := s.db.SetArgs(ctx, name, owner, redis.SetArgs{Mode: "NX", TTL: ttl}).Err()
	if errors.Is(err, redis.Nil) {
		return nil, nil // another process has it
	}
	if err != nil {
		return nil, err
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		_ = unlock.Run(ctx, s.db, []string{name}, owner).Err() // if it fails, the lock ends by itself
	}, nil
}
