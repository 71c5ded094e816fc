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

// Secret is a sensitive string, such as an access token. fmt, log/slog, XML and gob show a
// placeholder in its place, also in a struct that contains it. Reveal returns the text. JSON
// contains the text, because that is what the API sends and receives: do not log the JSON of
// a type that contains a Secret.
//
// A Secret from [NewSecret] or from a response is sealed: it is encrypted with a key
// that only this process has. The reason is that fmt does not call the methods of a
// value in an unexported field. Two sealed Secrets are equal if their texts are equal.
// A Secret that was converted from a string is not sealed, and only its methods hide
// it. A conversion to a string does not unseal: use Reveal. database/sql cannot store a
// Secret: Value and Scan fail.
type Secret string

const redacted = "[redacted]"

// sealMark is the prefix of a sealed Secret. It may be printed.
const sealMark = redacted + "."

// sealer holds the keys with which secrets are sealed: one for encryption, and one for the
// MAC that is the initialization vector and proves that a text was sealed by this process.
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

// sealVector returns the initialization vector for a text. It depends on the text, so that
// no two texts are encrypted with the same key stream.
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
		return string(s) // it was not sealed by this process
	}
	return string(text)
}

// IsZero reports whether there is no value, that is, whether s is "".
func (s Secret) IsZero() bool { return s == "" }

// HasValue reports whether s is not "".
func (s Secret) HasValue() bool { return s != "" }

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

// MarshalText encodes a placeholder, for XML, YAML and similar formats.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// GobEncode encodes a placeholder.
func (s Secret) GobEncode() ([]byte, error) { return []byte(s.String()), nil }

// GobDecode decodes what GobEncode encoded: the placeholder.
func (s *Secret) GobDecode(data []byte) error {
	*s = Secret(data)
	return nil
}

// MarshalJSON encodes the text itself.
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(s.Reveal()) }

// errStored explains why database/sql cannot store a Secret. No other process could read
// the sealed text, and the plain text must not be stored by accident.
var errStored = errors.New("value: database/sql cannot store a Secret: encrypt the result of Reveal(), store it as a string, and pass the decrypted string to NewSecret")

// Value returns an error, so that database/sql does not store a Secret. Encrypt the
// result of Reveal and store it as a string instead.
func (s Secret) Value() (driver.Value, error) { return nil, errStored }

// Scan returns an error, as Value does. Scan a string, decrypt it, and pass it to
// [NewSecret] instead.
func (s *Secret) Scan(any) error { return errStored }
