package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	headerID        = "Webhook-Id"
	headerTimestamp = "Webhook-Timestamp"
	headerSignature = "Webhook-Signature"
	version         = "v1"
)

// Bounds of the headers: nothing beyond them is looked at.
const (
	maxID         = 256
	maxSignature  = 4 << 10
	maxSignatures = 16
)

// DefaultTolerance is how far a delivery's timestamp may be from the receiver's
// clock, in the past or in the future.
const DefaultTolerance = 5 * time.Minute

// MaxTolerance is the largest tolerance that WithTolerance accepts. A recorded
// delivery can be replayed for twice as long, and a SeenStore must remember its
// message until then.
const MaxTolerance = 24 * time.Hour

// Errors of Verify, for errors.Is. Whatever fails, the body was hashed at
// most, and nothing of it was parsed.
var (
	// ErrHeader: a header is missing, there twice, or not as the scheme has it.
	ErrHeader = errors.New("webhook: the headers are not those of a delivery")
	// ErrTimestamp: the delivery is older or newer than tolerated. It may be a
	// recorded one, or one of the two clocks is wrong.
	ErrTimestamp = errors.New("webhook: the timestamp is out of tolerance")
	// ErrSignature: no signature is right. The delivery is not from Basiq, was
	// changed on its way, or is signed with another webhook's secret.
	ErrSignature = errors.New("webhook: no signature is right")
)

// Verifier tells deliveries of Basiq from all others. It is safe for concurrent
// use, and shows nothing of its secrets when it is printed.
type Verifier struct{ *verifier }

type verifier struct {
	keys      func() [][]byte // a function, which printing does not look into
	tolerance time.Duration
	now       func() time.Time
}

// VerifierOption configures NewVerifierOf.
type VerifierOption func(*verifier) error

// WithTolerance sets how far a timestamp may be from the clock, both ways. The
// default is DefaultTolerance. It must be a second at least and MaxTolerance at
// most; fractions of a second are dropped.
func WithTolerance(d time.Duration) VerifierOption {
	return func(v *verifier) error {
		if d < time.Second {
			return fmt.Errorf("webhook: a tolerance of %s refuses every delivery", d)
		}
		if d > MaxTolerance {
			return fmt.Errorf("webhook: a tolerance of %s is more than %s: stores forget messages before it ends, and recorded deliveries would pass", d, MaxTolerance)
		}
		v.tolerance = d
		return nil
	}
}

// WithClock sets the clock. The default is time.Now.
func WithClock(now func() time.Time) VerifierOption {
	return func(v *verifier) error {
		if now == nil {
			return errors.New("webhook: the clock is nil")
		}
		v.now = now
		return nil
	}
}

// NewVerifier returns a Verifier of the webhook that has the secret, as Basiq
// answered it when the webhook was created or updated. While one is being
// replaced, give both: a delivery signed with either is accepted. A secret must
// have 16 bytes at least, decoded. Its error is an ErrSecret.
func NewVerifier(secrets ...string) (*Verifier, error) { return NewVerifierOf(secrets) }

// NewVerifierOf is NewVerifier with options. A secret at fault is an ErrSecret, an
// option at fault is an error of its own.
func NewVerifierOf(secrets []string, opts ...VerifierOption) (*Verifier, error) {
	v := &verifier{tolerance: DefaultTolerance, now: time.Now}
	if len(secrets) == 0 {
		return nil, fmt.Errorf("%w: there is none", ErrSecret)
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
	v.keys = func() [][]byte { return keys }
	for _, opt := range opts {
		if opt == nil {
			continue
		}
		if err := opt(v); err != nil {
			return nil, err
		}
	}
	return &Verifier{v}, nil
}

// Delivery is what the headers of a verified delivery say.
type Delivery struct {
	// ID is the same for every attempt to deliver one message.
	ID string
	// Timestamp is when this attempt was made.
	Timestamp time.Time
	// Secret is the index of the secret that it was signed with.
	Secret int
}

// Verify tells whether a delivery with these headers and this body, as it came,
// was signed by Basiq just now. Its errors are ErrHeader, ErrTimestamp and
// ErrSignature, and ErrSecret if v was not made by NewVerifier; they are safe to
// log.
func (v *Verifier) Verify(header http.Header, body []byte) (Delivery, error) {
	if v == nil || v.verifier == nil {
		return Delivery{}, fmt.Errorf("%w: the Verifier has none: make it with NewVerifier", ErrSecret)
	}
	id, timestamp, signatures, err := headers(header)
	if err != nil {
		return Delivery{}, err
	}
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || strconv.FormatInt(seconds, 10) != timestamp || seconds < 0 {
		return Delivery{}, fmt.Errorf("%w: the timestamp is no number of seconds", ErrHeader)
	}
	now, most := v.now().Unix(), int64(v.tolerance/time.Second)
	if seconds < now-most || seconds > now+most {
		return Delivery{}, fmt.Errorf("%w of %s: it says %d, and the clock %d", ErrTimestamp, v.tolerance, seconds, now)
	}
	secret := -1
	for i, key := range v.keys() {
		want := []byte(version + "," + signature(key, id, timestamp, body))
		for _, s := range signatures {
			if subtle.ConstantTimeCompare([]byte(s), want) == 1 && secret < 0 {
				secret = i
			}
		}
	}
	if secret < 0 {
		return Delivery{}, ErrSignature
	}
	return Delivery{ID: id, Timestamp: time.Unix(seconds, 0), Secret: secret}, nil
}

// seenKeys returns what a SeenStore remembers a message by: its ID with a mark of
// each secret, as other webhooks may have messages of the same ID. While a secret
// is being replaced there are two, so that a message that was handled under the
// old secret alone, or is delivered again under the new one, is still the same.
// They are sorted, so that processes which list the secrets in another order do
// not each claim one.
func (v *verifier) seenKeys(id string) []string {
	var keys []string
	for _, key := range v.keys() {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte("basiq-go webhook.SeenStore"))
		keys = append(keys, hex.EncodeToString(mac.Sum(nil)[:12])+":"+id)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// headers reads the three headers.
func headers(h http.Header) (id, timestamp string, signatures []string, err error) {
	for _, f := range []struct {
		name string
		to   *string
	}{{headerID, &id}, {headerTimestamp, &timestamp}} {
		if *f.to, err = one(h, f.name, maxID); err != nil {
			return "", "", nil, err
		}
	}
	all, err := one(h, headerSignature, maxSignature)
	if err != nil {
		return "", "", nil, err
	}
	signatures = slices.DeleteFunc(strings.Split(all, " "), func(s string) bool { return s == "" })
	if len(signatures) > maxSignatures {
		return "", "", nil, fmt.Errorf("%w: there are more than %d signatures", ErrHeader, maxSignatures)
	}
	for c := range strings.SplitSeq(id, "") {
		if c < "!" || c > "~" {
			return "", "", nil, fmt.Errorf("%w: %s has characters that no ID has", ErrHeader, headerID)
		}
	}
	// What is signed joins its parts by dots. An ID that ends in a number
	// could stand for a shorter one, and an older timestamp.
	if at := strings.LastIndexByte(id, '.'); at >= 0 && strings.Trim(id[at+1:], "0123456789") == "" {
		return "", "", nil, fmt.Errorf("%w: %s ends like a timestamp", ErrHeader, headerID)
	}
	return id, timestamp, signatures, nil
}

// one returns the value of a header that must be there, and only once. Gateways
// that hand headers over as a map do not keep to net/http's spelling.
func one(h http.Header, name string, most int) (string, error) {
	var values []string
	for k, v := range h {
		if len(k) == len(name) && strings.EqualFold(k, name) {
			values = append(values, v...)
		}
	}
	if len(values) == 0 || values[0] == "" {
		return "", fmt.Errorf("%w: there is no %s", ErrHeader, name)
	}
	for _, v := range values[1:] {
		if v != values[0] {
			return "", fmt.Errorf("%w: there is more than one %s", ErrHeader, name)
		}
	}
	if len(values[0]) > most {
		return "", fmt.Errorf("%w: %s is longer than %d bytes", ErrHeader, name, most)
	}
	return values[0], nil
}
