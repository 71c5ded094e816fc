package transport

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/basiq-sdk/basiq-go/internal/contexts"
)

// TokenStore shares access tokens between processes, so that many processes request as
// few tokens as one.
//
// The stored values contain access tokens in plain text. A store that others can read
// must encrypt them. The key is "basiq-token:" and a hash of the base URL, the API key,
// the scope and the user, and reveals none of them.
//
// A value is bound to its key. A value that was stored under another key, or by a client
// with another API key, is not used, and is reported to observers as a load failure. A
// client with a [TokenSource] also needs an API key, so that it never gets a token of
// another application.
//
// The client uses the store only if it has no valid token, or to refresh one: a few times
// an hour for each token. If the store fails, or takes longer than two seconds, the
// client gets a token of its own. The methods must be safe for concurrent use.
type TokenStore interface {
	// Load returns the value of a key, or nil if there is none.
	Load(ctx context.Context, key string) ([]byte, error)
	// Save stores a value, which expires after ttl.
	Save(ctx context.Context, key string, value []byte, ttl time.Duration) error
	// Lock acquires the lock of a key, which expires after ttl. It does not wait: if
	// another process holds the lock, unlock is nil. unlock releases only this lock,
	// and not one that another process acquired after ttl.
	Lock(ctx context.Context, key string, ttl time.Duration) (unlock func(), err error)
}

// WithTokenStore shares access tokens with other processes. It requires [WithAPIKey].
//
//go:noinline
func WithTokenStore(s TokenStore) ClientOption {
	return clientOption(func(c *config) error {
		if s == nil {
			return errors.New("WithTokenStore: the token store is nil")
		}
		c.store = s
		return nil
	})
}

// storedToken is a stored value. Its times are wall clock times.
type storedToken struct {
	Token   string    `json:"token"`
	Fetched time.Time `json:"fetched"`
	Expires time.Time `json:"expires"`
	Bound   []byte    `json:"bound"` // see binding
}

// errUnbound is the error of a store that returned the value of another key.
var errUnbound = errors.New("basiq: the stored value does not belong to this key: the store confuses keys, or another program writes to it")

// binding returns a MAC that binds a stored token to its key, and so to its scope and
// user: a SERVER_ACCESS token must not be passed to a browser in place of a user's. The
// MAC requires the API key.
func (t *tokenCache) binding(key string, s storedToken) []byte {
	mac := hmac.New(sha256.New, []byte(t.client.key.reveal()))
	for _, part := range []string{key, s.Token, s.Fetched.UTC().Format(time.RFC3339Nano), s.Expires.UTC().Format(time.RFC3339Nano)} {
		_ = json.NewEncoder(mac).Encode(part) // delimits the parts
	}
	return mac.Sum(nil)
}

// Times of a store.
const (
	storeLimit    = 2 * time.Second        // of one method call
	storeLock     = flightLimit / 2        // expiry of a lock; if its owner has died, a waiting process has as much time left
	storePollWait = 200 * time.Millisecond // between checks for the token of another process
)

// fetchShared returns the token that another process has stored. If there is none, it
// gets one and stores it, while it holds the lock.
func (t *tokenCache) fetchShared(ctx context.Context, req TokenRequest) (*heldToken, error) {
	key := t.storeKey(req)
	var lockEnds time.Time
	for {
		if held := t.load(ctx, key, req); held != nil {
			return held, nil
		}
		lockEnds = time.Now().Add(storeLock)
		unlock, locked, err := t.lock(ctx, key)
		if err != nil {
			t.storeFailed(ctx, "lock", err)
			held, _, err := t.fetchOwn(ctx, req)
			return held, err
		}
		if locked {
			defer unlock()
			break
		}
		if req.background {
			return nil, errors.New("another process is refreshing the token")
		}
		if err := contexts.Sleep(ctx, storePollWait/2+rand.N(storePollWait)); err != nil {
			return nil, err
		}
	}
	// After the lock has expired, another process may request a token.
	ctx, cancel := context.WithDeadline(ctx, lockEnds)
	defer cancel()
	// Another process may have stored one between the check and the lock.
	if held := t.load(ctx, key, req); held != nil {
		return held, nil
	}
	start := t.client.Now()
	held, token, err := t.fetchOwn(ctx, req)
	if err == nil {
		t.save(ctx, key, token, start, held)
	}
	return held, err
}

// load returns the stored token if it is valid, is not the one that was rejected, and, for
// a refresh, is not due for a refresh itself.
func (t *tokenCache) load(ctx context.Context, key string, req TokenRequest) *heldToken {
	ctx, cancel := context.WithTimeout(ctx, storeLimit)
	defer cancel()
	data, err := t.store.Load(ctx, key)
	if err != nil {
		t.storeFailed(ctx, "load", err)
		return nil
	}
	var s storedToken
	if data == nil || json.Unmarshal(data, &s) != nil {
		return nil
	}
	if !hmac.Equal(s.Bound, t.binding(key, s)) {
		t.storeFailed(ctx, "load", errUnbound)
		return nil
	}
	now := t.client.Now()
	left := s.Expires.Sub(now)
	if left <= tokenLeeway || s.Token == req.Rejected.Reveal() {
		return nil
	}
	// The times become monotonic here, so that changes of the clock do not affect them.
	fetched := now.Add(min(0, s.Fetched.Sub(now)))
	held, err := t.newHeldToken(NewToken(s.Token, now.Add(left)), fetched)
	if err != nil || req.background && now.After(held.refreshAt) || held.endsWithin(req.MinLife, now) {
		return nil
	}
	return held
}

func (t *tokenCache) lock(ctx context.Context, key string) (unlock func(), locked bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, storeLimit)
	defer cancel()
	unlock, err = t.store.Lock(ctx, key, storeLock)
	return unlock, unlock != nil && err == nil, err
}

func (t *tokenCache) save(ctx context.Context, key string, token Token, fetched time.Time, held *heldToken) {
	expires := token.Expires()
	if expires.IsZero() {
		expires = held.until
	}
	s := storedToken{Token: token.Reveal(), Fetched: fetched.Round(0), Expires: expires.Round(0)}
	s.Bound = t.binding(key, s)
	data, err := json.Marshal(s)
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, storeLimit)
	defer cancel()
	if err := t.store.Save(ctx, key, data, expires.Sub(t.client.Now())); err != nil {
		t.storeFailed(ctx, "save", err)
	}
}

// storeKey returns the key of a token, which reveals nothing about it.
func (t *tokenCache) storeKey(req TokenRequest) string {
	h := sha256.New()
	version := t.client.header.Get("Basiq-Version") // a token belongs to the API version of its request
	for _, part := range []string{t.client.base.String(), t.client.key.reveal(), req.Scope.String(), req.UserID, version} {
		_ = json.NewEncoder(h).Encode(part) // delimits the parts
	}
	return "basiq-token:" + hex.EncodeToString(h.Sum(nil)[:16])
}
