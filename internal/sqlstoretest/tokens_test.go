package sqlstoretest

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/sqlstore"
	"github.com/basiq-sdk/basiq-go/transport"
)

// TestTokensAreEncryptedAndExpire also rotates the key.
func TestTokensAreEncryptedAndExpire(t *testing.T) {
	onEach(t, func(t *testing.T, d database) {
		ctx, at := t.Context(), newClock()
		store, db := d.store(t, at.option())
		old := tokens(t, store)
		if v, err := old.Load(ctx, "name"); v != nil || err != nil {
			t.Errorf("a missing value: %q, %v", v, err)
		}
		for _, value := range []string{"an earlier value", "canary"} {
			if err := old.Save(ctx, "name", []byte(value), time.Hour); err != nil {
				t.Fatal(err)
			}
		}
		var id string
		var raw []byte
		if err := db.QueryRow("SELECT key_id, value FROM basiq_tokens").Scan(&id, &raw); err != nil || id != "k1" || bytes.Contains(raw, []byte("canary")) {
			t.Errorf("the database contains %q of key %q, %v", raw, id, err)
		}
		rotated := must[*sqlstore.TokenStore](t)(store.Tokens(encryptionKey(t, "k2", 2), encryptionKey(t, "k1", 1)))
		for name, s := range map[string]*sqlstore.TokenStore{"the key": old, "a rotated key": rotated} {
			if v, err := s.Load(ctx, "name"); string(v) != "canary" || err != nil {
				t.Errorf("with %s: %q, %v", name, v, err)
			}
		}
		if err := rotated.Save(ctx, "name", []byte("second"), time.Hour); err != nil {
			t.Fatal(err)
		}
		if v, err := old.Load(ctx, "name"); v != nil || !errors.Is(err, sqlstore.ErrDecrypt) || !strings.Contains(err.Error(), `"k2"`) {
			t.Errorf("with the old key only: %q, %v", v, err)
		}
		at.advance(time.Hour - time.Millisecond)
		if v, err := rotated.Load(ctx, "name"); string(v) != "second" || err != nil {
			t.Errorf("just before the value expires: %q, %v", v, err)
		}
		at.advance(time.Millisecond)
		if v, err := rotated.Load(ctx, "name"); v != nil || err != nil {
			t.Errorf("after the value has expired: %q, %v", v, err)
		}
		if err := rotated.Save(ctx, "expired", []byte("v"), 0); err != nil {
			t.Error(err)
		}
		if n := must[int64](t)(store.DeleteExpired(ctx)); n != 1 {
			t.Errorf("%d rows were deleted, want the one that has expired", n)
		}
	})
}

// TestUnreadableTokensAreMisses: a value that was changed or moved, or whose key has
// another secret, is an error that matches ErrDecrypt.
func TestUnreadableTokensAreMisses(t *testing.T) {
	onEach(t, func(t *testing.T, d database) {
		ctx := t.Context()
		store, db := d.store(t)
		s := tokens(t, store)
		if err := s.Save(ctx, "name", []byte("canary"), time.Hour); err != nil {
			t.Fatal(err)
		}
		var sealed []byte
		if err := db.QueryRow("SELECT value FROM basiq_tokens").Scan(&sealed); err != nil {
			t.Fatal(err)
		}
		check := func(what string, s *sqlstore.TokenStore, name string) {
			t.Helper()
			if v, err := s.Load(ctx, name); v != nil || !errors.Is(err, sqlstore.ErrDecrypt) || strings.Contains(err.Error(), "canary") {
				t.Errorf("%s: %q, %v", what, v, err)
			}
		}
		check("another secret under the same ID", must[*sqlstore.TokenStore](t)(store.Tokens(encryptionKey(t, "k1", 9))), "name")
		set := func(value []byte) {
			t.Helper()
			if _, err := db.Exec(d.sql("UPDATE basiq_tokens SET value = $1 WHERE name = 'name'"), value); err != nil {
				t.Fatal(err)
			}
		}
		for i := range sealed {
			changed := bytes.Clone(sealed)
			changed[i] ^= 0x40
			set(changed)
			check(fmt.Sprintf("byte %d changed", i), s, "name")
		}
		for _, n := range []int{0, 1, 12, len(sealed) - 1} {
			set(sealed[:n:n])
			check(fmt.Sprintf("truncated to %d bytes", n), s, "name")
		}
		set(sealed)
		if _, err := db.Exec("INSERT INTO basiq_tokens SELECT 'other', key_id, value, expires FROM basiq_tokens"); err != nil {
			t.Fatal(err)
		}
		check("moved to another name", s, "other")
		if v, err := s.Load(ctx, "name"); string(v) != "canary" || err != nil {
			t.Errorf("unchanged: %q, %v", v, err)
		}
	})
}

// TestOneLockWins: of 100 concurrent callers in ten processes, one gets the lock. A lock
// that has expired can be acquired, and its former owner does not release it.
func TestOneLockWins(t *testing.T) {
	onEach(t, func(t *testing.T, d database) {
		ctx, at := t.Context(), newClock()
		var stores []*sqlstore.TokenStore
		for range 10 {
			store, _ := d.store(t, at.option())
			stores = append(stores, tokens(t, store))
		}
		acquire := func() func() {
			t.Helper()
			var mu sync.Mutex
			var unlocks []func()
			herd(100, func(i int) {
				unlock, err := stores[i%10].Lock(ctx, "name", time.Minute)
				if err != nil {
					t.Error(err)
				}
				if unlock != nil {
					mu.Lock()
					unlocks = append(unlocks, unlock)
					mu.Unlock()
				}
			})
			if len(unlocks) != 1 {
				t.Fatalf("%d of 100 callers got the lock, want 1", len(unlocks))
			}
			return unlocks[0]
		}
		held := func() bool {
			t.Helper()
			unlock, err := stores[0].Lock(ctx, "name", time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			return unlock == nil
		}
		first := acquire()
		at.advance(time.Minute - time.Millisecond)
		if !held() {
			t.Error("the lock expired early")
		}
		at.advance(time.Millisecond)
		second := acquire()
		first()
		if !held() {
			t.Error("the lock was released by its former owner")
		}
		second()
		if held() {
			t.Error("the lock was not released by its owner")
		}
		if other := must[func()](t)(stores[1].Lock(ctx, "other", time.Minute)); other == nil {
			t.Error("locks of different names exclude each other")
		}
	})
}

// clientWith returns a client that shares tokens, and counts the failures of the store.
func clientWith(t *testing.T, srv *basiqtest.Server, s transport.TokenStore, failures *atomic.Int64) *basiq.Client {
	return srv.Client(t, basiq.WithTokenStore(s), basiq.WithObserver(basiq.Observer{
		StoreFailure: func(context.Context, string, error) { failures.Add(1) },
	}))
}

// TestFleetRequestsOneToken: 50 clients with ten stores request one token. A client with
// another encryption key, or that gets the value of another user, does not use the
// stored token, reports it, and succeeds.
func TestFleetRequestsOneToken(t *testing.T) {
	onEach(t, func(t *testing.T, d database) {
		srv := basiqtest.NewServer(t)
		var failures atomic.Int64
		var clients []*basiq.Client
		var store *sqlstore.Store
		var db *sql.DB
		for range 10 {
			store, db = d.store(t)
			for range 5 {
				clients = append(clients, clientWith(t, srv, tokens(t, store), &failures))
			}
		}
		call := func(c *basiq.Client) {
			if _, err := c.Core.Events.ListTypes(context.Background()); err != nil {
				t.Error(err)
			}
		}
		herd(len(clients), func(i int) { call(clients[i]) })
		if n := srv.Calls("core.Auth.CreateToken"); n != 1 || failures.Load() != 0 {
			t.Errorf("%d token requests and %d failures, want 1 and 0", n, failures.Load())
		}
		call(clientWith(t, srv, must[*sqlstore.TokenStore](t)(store.Tokens(encryptionKey(t, "k1", 7))), &failures))
		if n := srv.Calls("core.Auth.CreateToken"); n != 2 || failures.Load() == 0 {
			t.Errorf("with another encryption key: %d token requests and %d failures, want 2 and some", n, failures.Load())
		}
		// A store that confuses names returns another user's value.
		var name string
		if err := db.QueryRow("SELECT name FROM basiq_tokens").Scan(&name); err != nil {
			t.Fatal(err)
		}
		failures.Store(0)
		confused := &confusing{TokenStore: tokens(t, store), name: name}
		if err := confused.TokenStore.Save(t.Context(), name, []byte(`{"token":"of-somebody-else","expires":"2999-01-01T00:00:00Z"}`), time.Hour); err != nil {
			t.Fatal(err)
		}
		call(clientWith(t, srv, confused, &failures))
		if n := srv.Calls("core.Auth.CreateToken"); n != 3 || failures.Load() == 0 {
			t.Errorf("with another user's value: %d token requests and %d failures, want 3 and some", n, failures.Load())
		}
	})
}

// confusing returns the value of one name for every name.
type confusing struct {
	*sqlstore.TokenStore
	name string
}

func (c *confusing) Load(ctx context.Context, _ string) ([]byte, error) {
	return c.TokenStore.Load(ctx, c.name)
}
