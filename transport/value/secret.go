package value

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql/driver"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
)

// Secret is a sensitive string, such as an access token. Printing, log/slog, XML
// and gob show a placeholder in its place, also in a struct that holds it. Reveal
// returns the text. JSON has the text itself, as it is what the API sends and is
// sent: do not log the JSON form of a type that holds a Secret.
//
// A Secret that NewSecret returns, and one in an answer of the API, is sealed: it
// is encrypted with a key that only this process has, because fmt calls no method
// of a value in an unexported field, or under a verb that is wrong for it. Two
// sealed secrets are equal if their texts are. database/sql refuses to store one. A conversion from a string makes a
// Secret that is not sealed, and is hidden by its methods alone; a conversion to a
// string does not unseal: use Reveal.
type Secret string

const redacted = "[redacted]"

// sealMark begins a sealed Secret: so much of it may be printed.
const sealMark = redacted + "."

// sealer is what secrets are sealed with: one key for the encryption, and one for
// its initialization vector, which also proves that a text was sealed here.
var sealer struct {
	once  sync.Once
	block cipher.Block
	mac   []byte
}

func sealKeys() (cipher.Block, []byte) {
	sealer.once.Do(func() {
		key := make([]byte, 64)
		_, _ = rand.Read(key) // never fails
		sealer.block, _ = aes.NewCipher(key[:32])
		sealer.mac = key[32:]
	})
	return sealer.block, sealer.mac
}

// sealVector returns the initialization vector of a text. It depends on the text,
// so that no two texts are encrypted with the same key stream.
func sealVector(mac, text []byte) []byte {
	h := hmac.New(sha256.New, mac)
	h.Write(text)
	return h.Sum(nil)[:aes.BlockSize]
}

// NewSecret returns a sealed Secret, and "" for "".
func NewSecret(text string) Secret {
	if text == "" {
		return ""
	}
	block, mac := sealKeys()
	vector := sealVector(mac, []byte(text))
	sealed := make([]byte, len(text))
	cipher.NewCTR(block, vector).XORKeyStream(sealed, []byte(text))
	return Secret(sealMark + base64.RawURLEncoding.EncodeToString(append(vector, sealed...)))
}

// Reveal returns the text.
func (s Secret) Reveal() string {
	encoded, ok := strings.CutPrefix(string(s), sealMark)
	sealed, err := base64.RawURLEncoding.DecodeString(encoded)
	if !ok || err != nil || len(sealed) < aes.BlockSize {
		return string(s)
	}
	block, mac := sealKeys()
	vector, text := sealed[:aes.BlockSize], make([]byte, len(sealed)-aes.BlockSize)
	cipher.NewCTR(block, vector).XORKeyStream(text, sealed[aes.BlockSize:])
	if !hmac.Equal(vector, sealVector(mac, text)) {
		return string(s) // it was not sealed here
	}
	return string(text)
}

// IsZero reports whether there is no value, that is, whether s is "".
func (s Secret) IsZero() bool { return s == "" }

// String returns a placeholder, and "" for "".
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// Format prints a placeholder under every verb, and nothing for "".
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue makes log/slog write a placeholder.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText encodes a placeholder, for XML, YAML and their like.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// GobEncode encodes a placeholder.
func (s Secret) GobEncode() ([]byte, error) { return []byte(s.String()), nil }

// GobDecode reads what GobEncode wrote: the placeholder.
func (s *Secret) GobDecode(data []byte) error {
	*s = Secret(data)
	return nil
}

// MarshalJSON encodes the text itself.
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(s.Reveal()) }

// errStored is why a Secret is not stored: sealed, it cannot be read by any other
// process; and its text must not end up in a database by accident.
var errStored = errors.New("value: a Secret is not stored in a database by itself: encrypt Reveal(), store that, and read it with NewSecret")

// Value fails, so that database/sql does not store a Secret: encrypt what Reveal
// returns, and store that.
func (s Secret) Value() (driver.Value, error) { return nil, errStored }

// Scan fails, as Value does: read a string, decrypt it, and call NewSecret.
func (s *Secret) Scan(any) error { return errStored }
