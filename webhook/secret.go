package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ErrSecret is the error of a secret that cannot be one.
var ErrSecret = errors.New("webhook: the secret cannot be used")

// Bounds of a secret: a short key can be guessed.
const (
	minKey    = 16 // bytes, decoded
	maxSecret = 1 << 10
)

// parseSecret decodes a secret: base64 in the standard or the URL alphabet, with
// or without padding, after an optional prefix. Basiq's own are unpadded, which
// strict decoders refuse. Errors never show the secret.
func parseSecret(secret string) ([]byte, error) {
	text := strings.TrimPrefix(strings.TrimRight(secret, "\r\n"), "whsec_") // files end in a line break
	switch {
	case text == "":
		return nil, fmt.Errorf("%w: it is empty; anybody could sign with it", ErrSecret)
	case len(text) > maxSecret:
		return nil, fmt.Errorf("%w: it has %d characters", ErrSecret, len(text))
	}
	if unpadded := strings.TrimRight(text, "="); len(text)-len(unpadded) > 2 {
		return nil, fmt.Errorf("%w: it has more padding than base64 can have", ErrSecret)
	} else if len(text) != len(unpadded) && len(text)%4 != 0 {
		return nil, fmt.Errorf("%w: its padding does not fit its length", ErrSecret)
	} else {
		text = unpadded
	}
	if strings.ContainsAny(text, "\r\n") { // the decoder would pass over them
		return nil, fmt.Errorf("%w: it has line breaks", ErrSecret)
	}
	key, err := base64.RawStdEncoding.DecodeString(strings.NewReplacer("-", "+", "_", "/").Replace(text))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: it is not base64: take it from the answer that created the webhook, without spaces", ErrSecret)
	case len(key) < minKey:
		return nil, fmt.Errorf("%w: it stands for %d bytes, at least %d are needed", ErrSecret, len(key), minKey)
	}
	return key, nil
}

// signature is what webhook-signature says of a message.
func signature(key []byte, id, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Signer signs deliveries as Basiq does, to test receivers with.
type Signer struct{ key func() []byte } // a function, which printing does not look into

// NewSigner returns a Signer with the secret of a webhook. Its error is an
// ErrSecret.
func NewSigner(secret string) (*Signer, error) {
	key, err := parseSecret(secret)
	if err != nil {
		return nil, err
	}
	return &Signer{func() []byte { return key }}, nil
}

// Headers returns the three headers of a delivery of body. They can be set on a
// request one by one; their names are in canonical form. Headers panics if s was
// not made by NewSigner.
func (s *Signer) Headers(id string, at time.Time, body []byte) map[string]string {
	if s == nil || s.key == nil {
		panic("webhook: the Signer has no secret: make it with NewSigner")
	}
	timestamp := strconv.FormatInt(at.Unix(), 10)
	return map[string]string{
		headerID:        id,
		headerTimestamp: timestamp,
		headerSignature: version + "," + signature(s.key(), id, timestamp, body),
	}
}
