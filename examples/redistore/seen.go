package redistore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/basiq-sdk/basiq-go/webhook"
)

// Times of a SeenStore.
const (
	// ClaimTTL is how long a claim lasts: longer than a callback takes.
	ClaimTTL = time.Minute
	// Retention is how long a handled message is remembered.
	Retention = 2*webhook.MaxTolerance + time.Hour
)

// SeenStore is a webhook.SeenStore, and a webhook.ClaimStore, in Redis 7 or later. It
// is safe for concurrent use.
//
// A message is a key whose value is "claim:" and the token of the claim, or "handled".
// Redis must not evict keys before they expire (maxmemory-policy noeviction), or
// messages are handled twice.
type SeenStore struct {
	db             redis.UniversalClient
	owner          string // token of Begin and End
	ttl, retention time.Duration
}

// NewSeenStore returns a SeenStore.
func NewSeenStore(db redis.UniversalClient) (*SeenStore, error) {
	if db == nil {
		return nil, errors.New("redistore: NewSeenStore: db is nil")
	}
	return &SeenStore{db: db, owner: rand.Text(), ttl: ClaimTTL, retention: Retention}, nil
}

const (
	seenPrefix  = "basiq-message:"
	seenClaim   = "claim:"
	seenHandled = "handled"
)

// Claim implements webhook.ClaimStore.
func (s *SeenStore) Claim(ctx context.Context, key string) (token string, progress webhook.Progress, err error) {
	token = rand.Text()
	progress, err = s.claim(ctx, key, token)
	if err != nil || progress != webhook.Fresh {
		token = ""
	}
	return token, progress, err
}

// Begin implements webhook.SeenStore, for callers that do not know webhook.ClaimStore.
// It cannot distinguish two claims of this SeenStore on the same message, one of which
// has expired.
func (s *SeenStore) Begin(ctx context.Context, key string) (webhook.Progress, error) {
	return s.claim(ctx, key, s.owner)
}

func (s *SeenStore) claim(ctx context.Context, key, token string) (webhook.Progress, error) {
	// SET with NX and GET sets the key if it does not exist, and returns what it was.
	before, err := s.db.SetArgs(ctx, seenPrefix+key, seenClaim+token, redis.SetArgs{Mode: "NX", Get: true, TTL: s.ttl}).Result()
	switch {
	case errors.Is(err, redis.Nil):
		return webhook.Fresh, nil
	case err != nil:
		return webhook.Fresh, err
	case before == seenHandled:
		return webhook.Done, nil
	case strings.HasPrefix(before, seenClaim):
		return webhook.Busy, nil
	}
	return webhook.Fresh, fmt.Errorf("redistore: the key %s is used for something else", seenPrefix+key)
}

// complete replaces a claim by "handled", and release deletes it, if the caller still
// holds it.
var (
	complete = redis.NewScript(`if redis.call("get", KEYS[1]) == ARGV[1] then redis.call("set", KEYS[1], ARGV[2], "px", ARGV[3]) return 1 end return 0`)
	release  = unlock
)

// EndClaim implements webhook.ClaimStore.
func (s *SeenStore) EndClaim(ctx context.Context, key, token string, handled bool) error {
	keys, claim := []string{seenPrefix + key}, seenClaim+token
	var ended int
	var err error
	if handled {
		ended, err = complete.Run(ctx, s.db, keys, claim, seenHandled, s.retention.Milliseconds()).Int()
	} else {
		ended, err = release.Run(ctx, s.db, keys, claim).Int()
	}
	if err == nil && ended == 0 {
		err = webhook.ErrClaimLost
	}
	return err
}

// End implements webhook.SeenStore.
func (s *SeenStore) End(ctx context.Context, key string, handled bool) error {
	return s.EndClaim(ctx, key, s.owner, handled)
}
