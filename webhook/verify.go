package webhook

import (
	"context"
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

// Limits of the headers. Larger headers are rejected.
const (
	maxID         = 256     // bytes
	maxSignature  = 4 << 10 // bytes
	maxSignatures = 16
)

// DefaultTolerance is how far a delivery's timestamp may differ from the receiver's
// clock by default, in the past or in the future.
const DefaultTolerance = 5 * time.Minute

// MaxTolerance is the largest tolerance that [WithTolerance] accepts. A recorded
// delivery passes verification for up to twice the tolerance, so a [SeenStore] must
// remember its message for that long.
const MaxTolerance = 24 * time.Hour

// Errors of Verify, for errors.Is. Verify never parses the body.
var (
	// ErrHeader means that a header is missing, malformed, or has conflicting
	// values.
	ErrHeader = errors.New("webhook: the delivery headers are not valid")
	// ErrTimestamp means that the timestamp is too far in the past or in the
	// future. The delivery may be a replay, or one of the two clocks is wrong.
	ErrTimestamp = errors.New("webhook: the timestamp is outside the tolerance")
	// ErrSignature means that no signature matches. The delivery is not from Basiq,
	// was modified in transit, or was signed with a different secret.
	ErrSignature = errors.New("webhook: no signature matches")
)

// Verifier verifies that deliveries come from Basiq. It is safe for concurrent use.
// Printing it does not reveal its secrets.
type Verifier struct{ *verifier }

type verifier struct {
	keys      keySet       // nil if there is a source
	source    *secretCache // nil if the secrets are fixed
	tolerance time.Duration
	now       func() time.Time
}

// VerifierOption configures [NewVerifierOf] and [NewVerifierFrom].
type VerifierOption func(*verifier) error

// WithTolerance sets how far a timestamp may differ from the clock, in the past or
// in the future. The default is [DefaultTolerance]. d must be at least one second and
// at most [MaxTolerance], and is truncated to whole seconds.
func WithTolerance(d time.Duration) VerifierOption {
	return func(v *verifier) error {
		if d < time.Second {
			return fmt.Errorf("webhook: WithTolerance: %s is less than one second, and would reject every delivery", d)
		}
		if d > MaxTolerance {
			return fmt.Errorf("webhook: WithTolerance: %s is more than %s: stores forget messages earlier, so deliveries could be replayed", d, MaxTolerance)
		}
		v.tolerance = d
		return nil
	}
}

// WithClock sets the clock that timestamps are compared with. The default is
// time.Now. now must not be nil.
func WithClock(now func() time.Time) VerifierOption {
	return func(v *verifier) error {
		if now == nil {
			return errors.New("webhook: WithClock: the clock is nil")
		}
		v.now = now
		return nil
	}
}

// NewVerifier returns a Verifier for the webhook with this secret, which Basiq
// returns when a webhook is created or updated. While you rotate a secret, pass both
// the old and the new one: deliveries signed with either are accepted. A secret must
// decode to at least 16 bytes. Errors match [ErrSecret].
func NewVerifier(secrets ...string) (*Verifier, error) { return NewVerifierOf(secrets) }

// NewVerifierOf is like [NewVerifier], but takes options. Nil options are ignored.
// Errors match [ErrSecret] if a secret is not valid; errors of options do not.
func NewVerifierOf(secrets []string, opts ...VerifierOption) (*Verifier, error) {
	keys, err := parseSecrets(secrets)
	if err != nil {
		return nil, err
	}
	v := &verifier{tolerance: DefaultTolerance, now: time.Now, keys: keys}
	if err := v.apply(opts); err != nil {
		return nil, err
	}
	return &Verifier{v}, nil
}

// apply applies options, of which nil ones are ignored.
func (v *verifier) apply(opts []VerifierOption) error {
	for _, opt := range opts {
		if opt == nil {
			continue
		}
		if err := opt(v); err != nil {
			return err
		}
	}
	return nil
}

// Delivery is the information from the headers of a verified delivery.
type Delivery struct {
	// ID is the message ID. It is the same for every attempt to deliver the message.
	ID string
	// Timestamp is the time of this attempt.
	Timestamp time.Time
	// Secret is the index of the secret that the delivery was signed with, in the
	// order passed to NewVerifier or returned by the SecretSource.
	Secret int
}

// Verify checks that a delivery was signed by Basiq, and that its timestamp is within
// the tolerance. body must be the request body exactly as received. Errors match
// [ErrHeader], [ErrTimestamp] or [ErrSignature], or [ErrSecret] if v was not created by
// [NewVerifier]. They are safe to log. With a [SecretSource], use VerifyContext.
func (v *Verifier) Verify(header http.Header, body []byte) (Delivery, error) {
	return v.VerifyContext(context.Background(), header, body)
}

// VerifyContext is like Verify. If the secrets come from a [SecretSource], it passes
// ctx to it, and the error matches [ErrSecretSource] if the source fails. That error
// contains the source's.
func (v *Verifier) VerifyContext(ctx context.Context, header http.Header, body []byte) (Delivery, error) {
	d, _, err := v.verify(ctx, header, body)
	return d, err
}

// verify also returns the keys that were valid when the delivery was verified.
func (v *Verifier) verify(ctx context.Context, header http.Header, body []byte) (Delivery, keySet, error) {
	if v == nil || v.verifier == nil {
		return Delivery{}, nil, fmt.Errorf("%w: the Verifier has none: create it with NewVerifier", ErrSecret)
	}
	if ctx == nil {
		return Delivery{}, nil, errors.New("webhook: VerifyContext: the context is nil: pass the request's context")
	}
	id, timestamp, signatures, err := headers(header)
	if err != nil {
		return Delivery{}, nil, err
	}
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || strconv.FormatInt(seconds, 10) != timestamp || seconds < 0 {
		return Delivery{}, nil, fmt.Errorf("%w: %s is not a number of seconds", ErrHeader, headerTimestamp)
	}
	now, tolerance := v.now().Unix(), int64(v.tolerance/time.Second)
	if seconds < now-tolerance || seconds > now+tolerance {
		return Delivery{}, nil, fmt.Errorf("%w of %s: the timestamp is %d, the clock says %d", ErrTimestamp, v.tolerance, seconds, now)
	}
	match := func(keys keySet) int {
		secret := -1
		for i, key := range keys() {
			want := []byte(version + "," + signature(key, id, timestamp, body))
			for _, s := range signatures {
				if subtle.ConstantTimeCompare([]byte(s), want) == 1 && secret < 0 {
					secret = i
				}
			}
		}
		return secret
	}
	keys, secret, err := v.find(ctx, match)
	if err != nil {
		return Delivery{}, nil, err
	}
	return Delivery{ID: id, Timestamp: time.Unix(seconds, 0), Secret: secret}, keys, nil
}

// find returns the keys of which one matches, and its index. It fails with
// ErrSignature if none does, even after the source was asked again.
func (v *verifier) find(ctx context.Context, match func(keySet) int) (keySet, int, error) {
	if v.source == nil {
		if i := match(v.keys); i >= 0 {
			return v.keys, i, nil
		}
		return nil, -1, ErrSignature
	}
	keys, at, err := v.source.get(ctx, v.now, v.source.refresh)
	if err != nil {
		return nil, -1, err
	}
	if i := match(keys); i >= 0 {
		return keys, i, nil
	}
	// The secret may have been replaced since the secrets were loaded.
	if v.now().Sub(at) < minSecretReload {
		return nil, -1, ErrSignature
	}
	if keys, _, err = v.source.get(ctx, v.now, minSecretReload); err != nil {
		return nil, -1, err
	}
	if i := match(keys); i >= 0 {
		return keys, i, nil
	}
	return nil, -1, ErrSignature
}

// seenKeys returns the keys of a message in a SeenStore, one for each secret. A key
// includes a fingerprint of the secret because other webhooks may have messages with
// the same ID. While a secret is being rotated there are two keys, so that a message
// is recognized as a duplicate no matter which of the secrets its deliveries were
// signed with. The keys are sorted, so that two processes that list the secrets in a
// different order cannot claim one key each.
func seenKeys(valid keySet, id string) []string {
	var keys []string
	for _, key := range valid() {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte("basiq-go webhook.SeenStore"))
		keys = append(keys, hex.EncodeToString(mac.Sum(nil)[:12])+":"+id)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// headers reads and validates the three headers.
func headers(h http.Header) (id, timestamp string, signatures []string, err error) {
	for _, f := range []struct {
		name string
		to   *string
	}{{headerID, &id}, {headerTimestamp, &timestamp}} {
		if *f.to, err = single(h, f.name, maxID); err != nil {
			return "", "", nil, err
		}
	}
	all, err := single(h, headerSignature, maxSignature)
	if err != nil {
		return "", "", nil, err
	}
	signatures = slices.DeleteFunc(strings.Split(all, " "), func(s string) bool { return s == "" })
	if len(signatures) > maxSignatures {
		return "", "", nil, fmt.Errorf("%w: %s has more than %d signatures", ErrHeader, headerSignature, maxSignatures)
	}
	for c := range strings.SplitSeq(id, "") {
		if c < "!" || c > "~" {
			return "", "", nil, fmt.Errorf("%w: %s contains characters that are not printable ASCII", ErrHeader, headerID)
		}
	}
	// The signed content is joined by dots. If an ID ended in a dot and digits,
	// those digits could be taken for the timestamp of a message with a shorter ID.
	if at := strings.LastIndexByte(id, '.'); at >= 0 && strings.Trim(id[at+1:], "0123456789") == "" {
		return "", "", nil, fmt.Errorf("%w: %s ends with a dot and digits, like a timestamp", ErrHeader, headerID)
	}
	return id, timestamp, signatures, nil
}

// single returns the value of a required header, which must not have conflicting
// values. It ignores the case of header names, because gateways that pass headers
// as a map do not canonicalize them as net/http does.
func single(h http.Header, name string, limit int) (string, error) {
	var values []string
	for k, v := range h {
		if len(k) == len(name) && strings.EqualFold(k, name) {
			values = append(values, v...)
		}
	}
	if len(values) == 0 || values[0] == "" {
		return "", fmt.Errorf("%w: %s is missing", ErrHeader, name)
	}
	for _, v := range values[1:] {
		if v != values[0] {
			return "", fmt.Errorf("%w: %s has conflicting values", ErrHeader, name)
		}
	}
	if len(values[0]) > limit {
		return "", fmt.Errorf("%w: %s is longer than %d bytes", ErrHeader, name, limit)
	}
	return values[0], nil
}
