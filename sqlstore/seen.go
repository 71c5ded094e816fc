package sqlstore

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/basiq-sdk/basiq-go/webhook"
)

// Defaults and limits of SeenStore.
const (
	DefaultClaimTTL     = time.Minute
	DefaultRetention    = 2*webhook.MaxTolerance + time.Hour
	minimumRetention    = 28 * time.Hour // for as long as Basiq may redeliver a message
	claimTries          = 4              // if the message is released between two statements
	maximumMessageBytes = 1024           // of a key; those of the handler have up to 300
)

// SeenOption configures Store.Seen.
type SeenOption func(*SeenStore) error

// WithClaimTTL sets how long a claim lasts. It must be longer than your callback takes:
// after it, the message can be handled a second time. After a crash, the message waits
// for as long. The default is DefaultClaimTTL.
func WithClaimTTL(d time.Duration) SeenOption {
	return func(s *SeenStore) error {
		if d <= 0 {
			return fmt.Errorf("WithClaimTTL: %s is not positive", d)
		}
		s.ttl = d
		return nil
	}
}

// WithRetention sets how long a handled message is remembered. The default is
// DefaultRetention. The minimum is 28 hours, for as long as Basiq may redeliver a
// message.
func WithRetention(d time.Duration) SeenOption {
	return func(s *SeenStore) error {
		if d < minimumRetention {
			return fmt.Errorf("WithRetention: %s is less than 28 hours, for as long as Basiq may redeliver a message", d)
		}
		s.retention = d
		return nil
	}
}

// SeenStore is a webhook.SeenStore, and a webhook.ClaimStore, for handlers in several
// processes. Create it with Store.Seen. It is safe for concurrent use.
type SeenStore struct {
	store          *Store
	owner          string // token of Begin and End
	ttl, retention time.Duration
}

// Seen returns a SeenStore. Nil options are ignored.
func (s *Store) Seen(opts ...SeenOption) (*SeenStore, error) {
	if err := s.usable("Seen"); err != nil {
		return nil, err
	}
	seen := &SeenStore{store: s, owner: rand.Text(), ttl: DefaultClaimTTL, retention: DefaultRetention}
	for _, opt := range opts {
		if opt == nil {
			continue
		}
		if err := opt(seen); err != nil {
			return nil, fmt.Errorf("sqlstore: Seen: %w", err)
		}
	}
	return seen, nil
}

// Claim implements webhook.ClaimStore.
func (s *SeenStore) Claim(ctx context.Context, key string) (token string, progress webhook.Progress, err error) {
	token = rand.Text()
	progress, err = s.claim(ctx, "Claim", key, token)
	if err != nil || progress != webhook.Fresh {
		token = ""
	}
	return token, progress, err
}

// EndClaim implements webhook.ClaimStore.
func (s *SeenStore) EndClaim(ctx context.Context, key, token string, handled bool) error {
	return s.end(ctx, "EndClaim", key, token, handled)
}

// Begin implements webhook.SeenStore, for callers that do not know webhook.ClaimStore.
// It cannot distinguish two claims of this SeenStore on the same message, one of which
// has expired.
func (s *SeenStore) Begin(ctx context.Context, key string) (webhook.Progress, error) {
	if s == nil {
		return webhook.Fresh, s.usable("Begin")
	}
	return s.claim(ctx, "Begin", key, s.owner)
}

// End implements webhook.SeenStore. It returns an error that matches
// webhook.ErrClaimLost if this SeenStore does not hold the claim any more.
func (s *SeenStore) End(ctx context.Context, key string, handled bool) error {
	if s == nil {
		return s.usable("End")
	}
	return s.end(ctx, "End", key, s.owner, handled)
}

func (s *SeenStore) claim(ctx context.Context, method, key, token string) (webhook.Progress, error) {
	if err := s.usable(method); err != nil {
		return webhook.Fresh, err
	}
	if key == "" || len(key) > maximumMessageBytes {
		return webhook.Fresh, fmt.Errorf("sqlstore: SeenStore.%s: the key has %d bytes, want 1 to %d", method, len(key), maximumMessageBytes)
	}
	for range claimTries {
		n, err := s.store.exec(ctx, s.store.db, `INSERT INTO {p}messages (name, owner, handled, expires) VALUES ($1, $2, 0, {now} + $3)
ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, handled = 0, expires = excluded.expires WHERE {p}messages.expires <= {now}`,
			key, token, milliseconds(s.ttl))
		if err != nil {
			return webhook.Fresh, fmt.Errorf("sqlstore: SeenStore.%s: %w", method, err)
		}
		if n > 0 {
			return webhook.Fresh, nil
		}
		var handled int
		err = s.store.db.QueryRowContext(ctx, s.store.sql(`SELECT handled FROM {p}messages WHERE name = $1 AND expires > {now}`), key).Scan(&handled)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			continue // released or expired since
		case err != nil:
			return webhook.Fresh, fmt.Errorf("sqlstore: SeenStore.%s: %w", method, err)
		case handled != 0:
			return webhook.Done, nil
		}
		return webhook.Busy, nil
	}
	return webhook.Busy, nil
}

func (s *SeenStore) end(ctx context.Context, method, key, token string, handled bool) error {
	if err := s.usable(method); err != nil {
		return err
	}
	var n int64
	var err error
	if handled {
		n, err = s.store.exec(ctx, s.store.db, `UPDATE {p}messages SET handled = 1, expires = {now} + $3
WHERE name = $1 AND owner = $2 AND handled = 0 AND expires > {now}`, key, token, milliseconds(s.retention))
	} else {
		n, err = s.store.exec(ctx, s.store.db, `DELETE FROM {p}messages
WHERE name = $1 AND owner = $2 AND handled = 0 AND expires > {now}`, key, token)
	}
	switch {
	case err != nil:
		return fmt.Errorf("sqlstore: SeenStore.%s: %w", method, err)
	case n == 0:
		return fmt.Errorf("sqlstore: SeenStore.%s: %w", method, webhook.ErrClaimLost)
	}
	return nil
}

func (s *SeenStore) usable(method string) error {
	if s == nil || s.store == nil {
		return fmt.Errorf("sqlstore: SeenStore.%s: the SeenStore was not made by Store.Seen", method)
	}
	return nil
}
