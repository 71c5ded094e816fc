package sqlstore

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
)

// Key is a key that encrypts stored tokens. It is not printed by any formatting verb.
type Key struct {
	id   string
	aead func() cipher.AEAD // a closure, because fmt does not print what it captures
}

// NewKey returns a Key for AES-256-GCM. secret has 32 random bytes, for example from
// your secret manager, and is not retained. id names the key in the database, so that
// keys can be rotated: it is stored in plain text, and has 1 to 64 printable ASCII
// characters.
func NewKey(id string, secret []byte) (Key, error) {
	if len(id) < 1 || len(id) > 64 {
		return Key{}, fmt.Errorf("sqlstore: NewKey: the ID has %d characters, want 1 to 64", len(id))
	}
	for _, c := range []byte(id) {
		if c < ' ' || c > '~' {
			return Key{}, errors.New("sqlstore: NewKey: the ID contains a character that is not printable ASCII")
		}
	}
	if len(secret) != 32 {
		return Key{}, fmt.Errorf("sqlstore: NewKey: the secret of key %q has %d bytes, want 32", id, len(secret))
	}
	zeros := true
	for _, b := range secret {
		zeros = zeros && b == 0
	}
	if zeros {
		return Key{}, fmt.Errorf("sqlstore: NewKey: the secret of key %q consists of zeros: it was not loaded", id)
	}
	block, err := aes.NewCipher(secret)
	if err != nil {
		return Key{}, fmt.Errorf("sqlstore: NewKey: key %q: %w", id, err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return Key{}, fmt.Errorf("sqlstore: NewKey: key %q: %w", id, err)
	}
	return Key{id: id, aead: func() cipher.AEAD { return aead }}, nil
}

// ID returns the ID of the key.
func (k Key) ID() string { return k.id }

// seal encrypts a value, and binds it to the name under which it is stored.
func (k Key) seal(name string, value []byte) []byte {
	return k.aead().Seal(nil, nil, value, k.bound(name))
}

// open decrypts a value that was stored under a name.
func (k Key) open(name string, sealed []byte) ([]byte, error) {
	return k.aead().Open(nil, nil, sealed, k.bound(name))
}

// bound returns what a value is authenticated with. Neither part contains a line feed
// before the last one: an ID has printable characters only.
func (k Key) bound(name string) []byte { return []byte("basiq-sqlstore-1\n" + k.id + "\n" + name) }
