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
)

// TokenStore shares access tokens among processes, so that a fleet asks for as
// few as one process does.
//
// What is stored is bytes of this package's own making; they hold an access
// token in clear. A store that others can read must encrypt them. The key is
// "basiq-token:" and a hash of the API's address, the API key, the scope and the
// user: it reveals none of them. A value is bound to its key: one that is stored
// under another key, or was not written by a client with the same API key, is
// reported to observers as a failure to load, and not used. A client whose tokens come from a TokenSource
// needs an API key all the same, so that no application is given another's.
//
// A store is asked only when a process has no good token, or one that ages: a
// few times an hour for each token. When it fails, or heeds its
// context's end after two seconds, the process gets a token for itself. Its methods are called from
// several goroutines at a time.
type TokenStore interface {
	// Load returns what is stored under a key, and nil when nothing is.
	Load(ctx context.Context, key string) ([]byte, error)
	// Save stores a value for as long as ttl says.
	Save(ctx context.Context, key string, value []byte, ttl time.Duration) error
	// Lock takes the lock of a key, for at most ttl. It does not wait: while
	// another process has the lock, unlock is nil. unlock gives back this lock
	// only, not one that another process took after ttl.
	Lock(ctx context.Context, key string, ttl time.Duration) (unlock func(), err error)
}

// WithTokenStore shares tokens with other processes.
func WithTokenStore(s TokenStore) ClientOption {
	return clientOption(func(c *config) error {
		if s == nil {
			return errors.New("the token store is nil")
		}
		c.store = s
		return nil
	})
}

// storedToken is what is stored. Its times are the wall clock's.
type storedToken struct {
	Token   string    `json:"token"`
	Fetched time.Time `json:"fetched"`
	Expires time.Time `json:"expires"`
	Bound   []byte    `json:"bound"` // see binding
}

// errUnbound is the failure of a store that returned a value of another key.
var errUnbound = errors.New("basiq: the stored value is not of this key: the store mixes up keys, or something else writes to it")

// binding ties a stored token to the key that it is stored under, which stands for
// its scope and user: a token of the server must not be handed to a browser in
// place of a user's. It cannot be made without the API key.
func (t *tokenCache) binding(key string, s storedToken) []byte {
	mac := hmac.New(sha256.New, []byte(t.client.key.reveal()))
	for _, part := range []string{key, s.Token, s.Fetched.UTC().Format(time.RFC3339Nano), s.Expires.UTC().Format(time.RFC3339Nano)} {
		_ = json.NewEncoder(mac).Encode(part) // delimits the parts
	}
	return mac.Sum(nil)
}

// Times of a store.
const (
	storeLimit    = 2 * time.Second        // of one operation
	storeLock     = flightLimit / 2        // of a lock: who waits for an owner that died has as long left
	storePollWait = 200 * time.Millisecond // between looks for what another process gets
)

// fetchShared takes the token that another process has stored, or gets one and
// stores it, holding the lock.
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
			return nil, errors.New("another process is getting it")
		}
		if err := sleep(ctx, storePollWait/2+rand.N(storePollWait)); err != nil {
			return nil, err
		}
	}
	// When the lock has ended, another process may be at it.
	ctx, cancel := context.WithDeadline(ctx, lockEnds)
	defer cancel()
	// Another process may have stored one between the look and the lock.
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

// load returns the stored token if it is of use: good, not the one that was
// refused, and, where an ageing one is to be replaced, not of age itself.
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
	// The times become monotonic here, so that they survive a change of the clock.
	fetched := now.Add(min(0, s.Fetched.Sub(now)))
	held, err := t.hold(NewToken(s.Token, now.Add(left)), fetched)
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

// storeKey names a token without telling anything about it.
func (t *tokenCache) storeKey(req TokenRequest) string {
	h := sha256.New()
	parts := []string{t.client.base.String(), t.client.key.reveal(), req.Scope.String(), req.UserID}
	if version := t.client.header.Get("Basiq-Version"); version != "" {
		parts = append(parts, version) // a token is of the version that it was asked for with
	}
	for _, part := range parts {
		_ = json.NewEncoder(h).Encode(part) // delimits the parts
	}
	return "basiq-token:" + hex.EncodeToString(h.Sum(nil)[:16])
}
