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

// ErrSecret means that a webhook secret is missing or malformed.
var ErrSecret = errors.New("webhook: the secret is not valid")

// Limits of a secret. A short key can be guessed.
const (
	minKey    = 16      // bytes, decoded
	maxSecret = 1 << 10 // characters
)

// parseSecret decodes a secret: an optional "whsec_" prefix and base64 in the
// standard or the URL alphabet, with or without padding. Basiq's secrets are
// unpadded, which base64.StdEncoding rejects. Errors never include the secret.
func parseSecret(secret string) ([]byte, error) {
	text := strings.TrimPrefix(strings.TrimRight(secret, "\r\n"), "whsec_") // secrets read from files end with a newline
	switch {
	case text == "":
		return nil, fmt.Errorf("%w: it is empty: anyone could sign deliveries with an empty key", ErrSecret)
	case len(text) > maxSecret:
		return nil, fmt.Errorf("%w: it has %d characters, more than %d", ErrSecret, len(text), maxSecret)
	}
	if unpadded := strings.TrimRight(text, "="); len(text)-len(unpadded) > 2 {
		return nil, fmt.Errorf("%w: its base64 has too much padding", ErrSecret)
	} else if len(text) != len(unpadded) && len(text)%4 != 0 {
		return nil, fmt.Errorf("%w: its base64 padding does not match its length", ErrSecret)
	} else {
		text = unpadded
	}
	if strings.ContainsAny(text, "\r\n") { // the decoder would ignore them
		return nil, fmt.Errorf("%w: it contains line breaks", ErrSecret)
	}
	key, err := base64.RawStdEncoding.DecodeString(strings.NewReplacer("-", "+", "_", "/").Replace(text))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: it is not base64: copy it from the response to the webhook's creation, without spaces", ErrSecret)
	case len(key) < minKey:
		return nil, fmt.Errorf("%w: it decodes to %d bytes, at least %d are required", ErrSecret, len(key), minKey)
	}
	return key, nil
}

// signature returns the base64-encoded HMAC of a message.
func signature(key []byte, id, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Signer signs deliveries as Basiq does. Use it to test receivers.
type Signer struct{ key func() []byte } // a function, so that printing does not show the key

// NewSigner returns a Signer that uses the secret of a webhook. Errors match
// [ErrSecret].
func NewSigner(secret string) (*Signer, error) {
	key, err := parseSecret(secret)
	if err != nil {
		return nil, err
	}
	return &Signer{func() []byte { return key }}, nil
}

// Headers returns the three signature headers for a delivery of body, to be set on
// the request. The keys are canonical header names. Headers panics if s was not
// created by [NewSigner].
func (s *Signer) Headers(id string, at time.Time, body []byte) map[string]string {
	if s == nil || s.key == nil {
		panic("webhook: the Signer has no secret: create it with NewSigner")
	}
	timestamp := strconv.FormatInt(at.Unix(), 10)
	return map[string]string{
		headerID:        id,
		headerTimestamp: timestamp,
		headerSignature: version + "," + signature(s.key(), id, timestamp, body),
	}
}
