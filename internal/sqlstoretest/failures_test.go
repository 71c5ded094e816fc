package sqlstoretest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go/sqlstore"
	"github.com/basiq-sdk/basiq-go/webhook"
)

// TestTablesAreCreatedOnce creates the tables from 20 processes at once, and again from
// the statements for migrations.
func TestTablesAreCreatedOnce(t *testing.T) {
	onEach(t, func(t *testing.T, d database) {
		stores := make([]*sqlstore.Store, 20)
		for i := range stores {
			stores[i] = must[*sqlstore.Store](t)(sqlstore.New(d.open(t), d.dialect, sqlstore.WithTablePrefix("app1_")))
		}
		herd(len(stores), func(i int) {
			if err := stores[i].CreateTables(t.Context()); err != nil {
				t.Error(err)
			}
		})
		if err := seen(t, stores[0]).End(t.Context(), "message", true); !errors.Is(err, webhook.ErrClaimLost) {
			t.Errorf("the tables do not exist: %v", err)
		}
		schema := must[string](t)(sqlstore.Schema(d.dialect, sqlstore.WithTablePrefix("app1_")))
		db := d.open(t)
		for range 2 {
			if _, err := db.Exec(schema); err != nil {
				t.Error(err)
			}
		}
		if _, err := db.Exec("SELECT * FROM basiq_tokens"); err == nil {
			t.Error("there is a table with the default prefix")
		}
	})
}

// operations calls every method that uses the database.
func operations(t *testing.T, s *sqlstore.Store, db *sql.DB) map[string]func(context.Context) error {
	tok, sn, cur := tokens(t, s), seen(t, s), s.Cursors()
	return map[string]func(context.Context) error{
		"Load":        func(ctx context.Context) error { _, err := tok.Load(ctx, "n"); return err },
		"Save":        func(ctx context.Context) error { return tok.Save(ctx, "n", []byte("v"), time.Hour) },
		"Lock":        func(ctx context.Context) error { _, err := tok.Lock(ctx, "n", time.Hour); return err },
		"Claim":       func(ctx context.Context) error { _, _, err := sn.Claim(ctx, "n"); return err },
		"EndClaim":    func(ctx context.Context) error { return sn.EndClaim(ctx, "n", "t", true) },
		"Begin":       func(ctx context.Context) error { _, err := sn.Begin(ctx, "n"); return err },
		"End":         func(ctx context.Context) error { return sn.End(ctx, "n", false) },
		"cursor Load": func(ctx context.Context) error { _, err := cur.Load(ctx, db, alice); return err },
		"cursor Save": func(ctx context.Context) error {
			_, err := cur.Save(ctx, db, alice, sqlstore.Position{}, "c")
			return err
		},
		"cursor Delete": func(ctx context.Context) error { return cur.Delete(ctx, db, alice) },
		"CreateTables":  s.CreateTables,
		"DeleteExpired": func(ctx context.Context) error { _, err := s.DeleteExpired(ctx); return err },
	}
}

// TestClosedDatabaseIsAnError: no method panics, hangs or reports success.
func TestClosedDatabaseIsAnError(t *testing.T) {
	onEach(t, func(t *testing.T, d database) {
		store, db := d.store(t)
		_ = db.Close()
		for name, f := range operations(t, store, db) {
			if err := f(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "sqlstore: ") {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// TestHangingDatabase: while another program holds locks on the tables, every write ends
// with its context.
func TestHangingDatabase(t *testing.T) {
	onEach(t, func(t *testing.T, d database) {
		store, db := d.store(t)
		other := d.open(t)
		tx, err := other.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = tx.Rollback() }()
		reads := map[string]bool{"Load": true, "cursor Load": true, "CreateTables": true} // SQLite does not block these
		if d.dialect == sqlstore.PostgreSQL {
			clear(reads)
			for _, table := range []string{"tokens", "locks", "messages", "cursors"} {
				if _, err := tx.Exec("LOCK TABLE basiq_" + table + " IN ACCESS EXCLUSIVE MODE"); err != nil {
					t.Fatal(err)
				}
			}
			reads["CreateTables"] = true // the tables exist, so that it locks none of them
		}
		for name, f := range operations(t, store, db) {
			if reads[name] {
				continue
			}
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			begin := time.Now()
			err := f(ctx)
			cancel()
			if err == nil || ctx.Err() == nil {
				t.Errorf("%s: %v, want an error when the context ends", name, err)
			}
			if d := time.Since(begin); d > 5*time.Second {
				t.Errorf("%s took %s", name, d)
			}
		}
	})
}

// TestTerminatedConnections terminates all connections of a database again and again,
// while 20 receivers claim messages. No message gets two claims, and the stores work
// afterwards.
func TestTerminatedConnections(t *testing.T) {
	d := postgres(t)
	var stores []*sqlstore.SeenStore
	for range 4 {
		store, _ := d.store(t)
		stores = append(stores, seen(t, store))
	}
	admin := database{driver: "pgx", dsn: d.server.DSN()}.open(t)
	var wins [60]atomic.Int64
	var failures, running atomic.Int64
	running.Store(20)
	herd(21, func(i int) {
		if i == 20 {
			for running.Load() > 0 {
				if _, err := admin.Exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'test%' AND pid <> pg_backend_pid()"); err != nil {
					t.Error(err)
				}
			}
			return
		}
		defer running.Add(-1)
		for m := range wins {
			_, progress, err := stores[i%4].Claim(t.Context(), fmt.Sprint(m))
			switch {
			case err != nil:
				failures.Add(1)
			case progress == webhook.Fresh:
				wins[m].Add(1)
			}
		}
	})
	for m := range wins {
		if n := wins[m].Load(); n > 1 {
			t.Errorf("message %d has %d claims", m, n)
		}
	}
	if failures.Load() == 0 {
		t.Error("no claim failed: the connections were not terminated")
	}
	var err error
	for range 20 { // a pool may still contain dead connections
		if _, _, err = stores[0].Claim(t.Context(), "message"); err == nil {
			return
		}
	}
	t.Errorf("afterwards: %v", err)
}

// TestClockJumps: if the clock jumps forward, leases expire and their owners are
// refused. If it jumps back, they stay. Neither gives a lease two owners.
func TestClockJumps(t *testing.T) {
	onEach(t, func(t *testing.T, d database) {
		ctx, at := t.Context(), newClock()
		store, _ := d.store(t, at.option())
		s, tok := seen(t, store), tokens(t, store)
		lock := func(want bool) func() {
			t.Helper()
			unlock, err := tok.Lock(ctx, "name", time.Minute)
			if err != nil || (unlock != nil) != want {
				t.Fatalf("acquired=%t, %v, want acquired=%t", unlock != nil, err, want)
			}
			return unlock
		}
		first, unlock := claim(t, s, webhook.Fresh), lock(true)
		at.advance(-24 * time.Hour)
		claim(t, s, webhook.Busy)
		lock(false)
		at.advance(48 * time.Hour)
		second := claim(t, s, webhook.Fresh)
		lock(true)
		if err := s.EndClaim(ctx, "message", first, true); !errors.Is(err, webhook.ErrClaimLost) {
			t.Errorf("the owner before the jump: %v", err)
		}
		unlock()
		lock(false)
		at.advance(-48 * time.Hour)
		if err := s.EndClaim(ctx, "message", second, true); err != nil {
			t.Errorf("the owner, after the clock has jumped back: %v", err)
		}
		claim(t, s, webhook.Done)
	})
}

// TestDatabaseClock: without WithClock, the clock of the database decides.
func TestDatabaseClock(t *testing.T) {
	onEach(t, func(t *testing.T, d database) {
		ctx := t.Context()
		store, db := d.store(t)
		before := time.Now()
		if err := tokens(t, store).Save(ctx, "name", []byte("v"), time.Hour); err != nil {
			t.Fatal(err)
		}
		after := time.Now()
		var expires int64
		if err := db.QueryRow("SELECT expires FROM basiq_tokens").Scan(&expires); err != nil {
			t.Fatal(err)
		}
		// The databases are on this machine. They round to milliseconds.
		if got := time.UnixMilli(expires).Add(-time.Hour); got.Before(before.Add(-5*time.Millisecond)) || got.After(after.Add(5*time.Millisecond)) {
			t.Errorf("stored at %s, want between %s and %s", got, before, after)
		}
	})
}
