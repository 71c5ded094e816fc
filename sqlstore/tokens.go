package sqlstore

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// ErrDecrypt means that a stored token cannot be decrypted: its key is not among those
// of the TokenStore, or the value was changed, or it was stored under another name.
var ErrDecrypt = errors.New("the stored value cannot be decrypted")

// unlockTimeout limits how long releasing a lock may take.
const unlockTimeout = 2 * time.Second

// TokenStore is a transport.TokenStore. Create it with Store.Tokens. It is safe for
// concurrent use.
//
// Tokens are encrypted with AES-256-GCM, so that read access to the database is not
// enough to use them, and are bound to the name under which they are stored. The names
// are hashes, and reveal neither the API key nor the user.
//
// To rotate the key, deploy in three steps. First, add the new key after the old one:
// Tokens(old, new). Then swap them: Tokens(new, old). An hour later, when the old
// tokens have expired, remove the old key.
type TokenStore struct {
	store *Store
	first Key
	keys  map[string]Key // by ID
}

// Tokens returns a TokenStore. The first key encrypts. All keys decrypt. At least one
// key is required, and their IDs must be distinct.
func (s *Store) Tokens(keys ...Key) (*TokenStore, error) {
	if err := s.usable("Tokens"); err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, errors.New("sqlstore: Tokens: at least one key is required: create it with NewKey")
	}
	t := &TokenStore{store: s, first: keys[0], keys: map[string]Key{}}
	for i, k := range keys {
		if k.aead == nil {
			return nil, fmt.Errorf("sqlstore: Tokens: key %d of %d was not made by NewKey", i+1, len(keys))
		}
		if _, ok := t.keys[k.id]; ok {
			return nil, fmt.Errorf("sqlstore: Tokens: two keys have the ID %q", k.id)
		}
		t.keys[k.id] = k
	}
	return t, nil
}

// Load implements transport.TokenStore. If the value cannot be decrypted, the error
// matches ErrDecrypt. The client then reports it to its observers as a failure to load,
// requests a token, and replaces the value.
func (t *TokenStore) Load(ctx context.Context, key string) ([]byte, error) {
	if err := t.usable("Load"); err != nil {
		return nil, err
	}
	if ctx == nil {
		return nil, fmt.Errorf("sqlstore: TokenStore.Load: %w", errNilContext)
	}
	var id string
	var sealed []byte
	err := t.store.db.QueryRowContext(ctx, t.store.sql(`SELECT key_id, value FROM {p}tokens WHERE name = $1 AND expires > {now}`), key).Scan(&id, &sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("sqlstore: TokenStore.Load: %w", err)
	}
	k, ok := t.keys[id]
	if !ok {
		return nil, fmt.Errorf("sqlstore: TokenStore.Load: %w: it was encrypted with key %.64q, and this process has %s", ErrDecrypt, id, t.ids())
	}
	value, err := k.open(key, sealed)
	if err != nil {
		return nil, fmt.Errorf("sqlstore: TokenStore.Load: %w with key %q: the key has another secret, or the value was changed or moved", ErrDecrypt, id)
	}
	return value, nil
}

// ids lists the IDs of the keys, for errors.
func (t *TokenStore) ids() string {
	var list []string
	for _, id := range slices.Sorted(maps.Keys(t.keys)) {
		list = append(list, fmt.Sprintf("%q", id))
	}
	return strings.Join(list, ", ")
}

// Save implements transport.TokenStore. A value whose ttl is not positive has expired,
// and is not stored.
func (t *TokenStore) Save(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if err := t.usable("Save"); err != nil {
		return err
	}
	if ttl <= 0 {
		return nil
	}
	_, err := t.store.exec(ctx, t.store.db, `INSERT INTO {p}tokens (name, key_id, value, expires) VALUES ($1, $2, $3, {now} + $4)
ON CONFLICT (name) DO UPDATE SET key_id = excluded.key_id, value = excluded.value, expires = excluded.expires`,
		key, t.first.id, t.first.seal(key, value), milliseconds(ttl))
	if err != nil {
		return fmt.Errorf("sqlstore: TokenStore.Save: %w", err)
	}
	return nil
}

// Lock implements transport.TokenStore. The lock is a lease: that of a process that
// crashes expires after ttl. unlock takes up to two seconds; if it fails, the lock
// expires, too.
func (t *TokenStore) Lock(ctx context.Context, key string, ttl time.Duration) (unlock func(), err error) {
	if err := t.usable("Lock"); err != nil {
		return nil, err
	}
	if ttl <= 0 {
		return nil, fmt.Errorf("sqlstore: TokenStore.Lock: ttl is %s: it must be positive", ttl)
	}
	owner := rand.Text()
	n, err := t.store.exec(ctx, t.store.db, `INSERT INTO {p}locks (name, owner, expires) VALUES ($1, $2, {now} + $3)
ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, expires = excluded.expires WHERE {p}locks.expires <= {now}`,
		key, owner, milliseconds(ttl))
	if err != nil {
		return nil, fmt.Errorf("sqlstore: TokenStore.Lock: %w", err)
	}
	if n == 0 {
		return nil, nil // held by another process
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), unlockTimeout)
		defer cancel()
		_, _ = t.store.exec(ctx, t.store.db, `DELETE FROM {p}locks WHERE name = $1 AND owner = $2`, key, owner)
	}, nil
}

func (t *TokenStore) usable(method string) error {
	if t == nil || t.store == nil {
		return fmt.Errorf("sqlstore: TokenStore.%s: the TokenStore was not made by Store.Tokens", method)
	}
	return nil
}
