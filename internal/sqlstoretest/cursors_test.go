package sqlstoretest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/internal/postgrestest"
	"github.com/basiq-sdk/basiq-go/sqlstore"
)

var alice = sqlstore.CursorID{Tenant: "north", UserID: "alice"}

// TestCursorConflicts: of two syncs that loaded the same position, the second to save is
// refused, and its transaction leaves nothing behind.
func TestCursorConflicts(t *testing.T) {
	onEach(t, func(t *testing.T, d database) {
		ctx := t.Context()
		store, db := d.store(t)
		cursors := store.Cursors()
		load := func() sqlstore.Position {
			t.Helper()
			return must[sqlstore.Position](t)(cursors.Load(ctx, db, alice))
		}
		if at := load(); at != (sqlstore.Position{}) {
			t.Errorf("before anything was saved: %+v", at)
		}
		var stored sqlstore.Position
		for _, next := range []basiq.SyncCursor{"one", "two", ""} { // the first inserts a row, the others update it
			one, two := load(), load()
			first := must[*sql.Tx](t)(db.BeginTx(ctx, nil))
			stored = must[sqlstore.Position](t)(cursors.Save(ctx, first, alice, one, next))
			if err := first.Commit(); err != nil {
				t.Fatal(err)
			}
			second := must[*sql.Tx](t)(db.BeginTx(ctx, nil))
			if p, err := cursors.Save(ctx, second, alice, two, "lost"); !errors.Is(err, sqlstore.ErrConflict) || p != (sqlstore.Position{}) {
				t.Errorf("the second sync: %+v, %v, want ErrConflict", p, err)
			}
			if err := second.Rollback(); err != nil {
				t.Error(err)
			}
			if got := load(); got != stored || got.Cursor != next || got.Version == one.Version {
				t.Errorf("stored %+v, Save returned %+v", got, stored)
			}
		}
		tx := must[*sql.Tx](t)(db.BeginTx(ctx, nil))
		_ = must[sqlstore.Position](t)(cursors.Save(ctx, tx, alice, stored, "rolled back"))
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		if got := load(); got != stored {
			t.Errorf("after a rollback: %+v, want %+v", got, stored)
		}
		for _, other := range []sqlstore.CursorID{{UserID: "alice"}, {Tenant: "south", UserID: "alice"}, {Tenant: "north", UserID: "Alice"}} {
			if got := must[sqlstore.Position](t)(cursors.Load(ctx, db, other)); got != (sqlstore.Position{}) {
				t.Errorf("%+v has the position %+v of somebody else", other, got)
			}
		}
		// A position from before a deletion is not valid for the row that follows.
		if err := errors.Join(cursors.Delete(ctx, db, alice), cursors.Delete(ctx, db, alice)); err != nil {
			t.Fatal(err)
		}
		if _, err := cursors.Save(ctx, db, alice, stored, "late"); !errors.Is(err, sqlstore.ErrConflict) {
			t.Errorf("after a deletion: %v, want ErrConflict", err)
		}
		again := must[sqlstore.Position](t)(cursors.Save(ctx, db, alice, sqlstore.Position{}, "new"))
		if _, err := cursors.Save(ctx, db, alice, stored, "late"); !errors.Is(err, sqlstore.ErrConflict) || again.Version == stored.Version {
			t.Errorf("after a deletion and a new start: %v, want ErrConflict", err)
		}
	})
}

// bank is a fake server with one user, and the number of the user's transactions.
func bank(t *testing.T) (client *basiq.Client, userID string, transactions int) {
	t.Helper()
	srv := basiqtest.NewServer(t)
	userID = must[string](t)(srv.AddUser("max@example.com"))
	must[string](t)(srv.AddConnection(userID, basiqtest.WentworthSmith))
	client = srv.Client(t)
	for _, err := range client.Data.Transactions.All(t.Context(), userID, data.ListTransactionsParams{}) {
		if err != nil {
			t.Fatal(err)
		}
		transactions++
	}
	if transactions < 100 {
		t.Fatalf("the user has %d transactions, which are too few for several batches", transactions)
	}
	return client, userID, transactions
}

// createRows creates a table in which a transaction could be stored twice.
func createRows(t *testing.T, db *sql.DB) {
	t.Helper()
	if _, err := db.Exec("CREATE TABLE transactions (id TEXT NOT NULL)"); err != nil {
		t.Fatal(err)
	}
}

// sync runs one sync. before is called in each batch's database transaction, after its
// rows were written.
func (d database) sync(ctx context.Context, client *basiq.Client, db *sql.DB, cursors *sqlstore.CursorStore, userID string, before func(batch int) error) error {
	id := sqlstore.CursorID{UserID: userID}
	at, err := cursors.Load(ctx, db, id)
	if err != nil {
		return err
	}
	n := 0
	for batch, err := range client.SyncTransactions(ctx, userID, at.Cursor, basiq.SyncOptions{BatchSize: 50}) {
		if err != nil {
			return err
		}
		n++
		err := func() error {
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			defer func() { _ = tx.Rollback() }()
			for _, c := range batch.Changes {
				if c.Kind != basiq.TransactionInserted {
					return fmt.Errorf("the bank changes nothing, but transaction %s was %s", c.ID, c.Kind)
				}
				if _, err := tx.ExecContext(ctx, d.sql("INSERT INTO transactions (id) VALUES ($1)"), c.ID); err != nil {
					return err
				}
			}
			if err := before(n); err != nil {
				return err
			}
			next, err := cursors.Save(ctx, tx, id, at, batch.Cursor)
			if err != nil {
				return err
			}
			if err := tx.Commit(); err != nil {
				return err
			}
			at = next
			return nil
		}()
		if err != nil {
			return err
		}
	}
	return nil
}

// checkRows checks that every transaction was stored once.
func checkRows(t *testing.T, db *sql.DB, want int) {
	t.Helper()
	var rows, distinct int
	if err := db.QueryRow("SELECT COUNT(*), COUNT(DISTINCT id) FROM transactions").Scan(&rows, &distinct); err != nil {
		t.Fatal(err)
	}
	if rows != want || distinct != want {
		t.Errorf("%d rows with %d IDs, want %d", rows, distinct, want)
	}
}

// TestTwoSyncsOfOneUser runs eight syncs of a user at the same time, each until it has
// reached the end. Some of them fail with ErrConflict; every transaction is stored once.
func TestTwoSyncsOfOneUser(t *testing.T) {
	onEach(t, func(t *testing.T, d database) {
		client, userID, transactions := bank(t)
		store, db := d.store(t)
		createRows(t, db)
		var conflicts atomic.Int64
		herd(8, func(int) {
			for range 1000 {
				err := d.sync(t.Context(), client, db, store.Cursors(), userID, func(int) error { return nil })
				switch {
				case err == nil:
					return
				case !errors.Is(err, sqlstore.ErrConflict):
					t.Error(err)
					return
				}
				conflicts.Add(1)
			}
			t.Error("a sync did not end")
		})
		checkRows(t, db, transactions)
		if conflicts.Load() == 0 {
			t.Error("eight concurrent syncs had no conflict: they did not run at the same time")
		}
	})
}

// TestDatabaseRestartsInABatch: the database crashes when the rows of a batch are
// written, but not its cursor. The next run stores every transaction once.
func TestDatabaseRestartsInABatch(t *testing.T) {
	t.Run("PostgreSQL", func(t *testing.T) {
		server := postgrestest.Start(t)
		d := database{dialect: sqlstore.PostgreSQL, driver: "pgx", dsn: server.DSN(), server: server}
		client, userID, transactions := bank(t)
		store, db := d.store(t)
		createRows(t, db)
		crashed := func(batch int) error {
			if batch == 2 {
				server.Restart(t)
			}
			return nil
		}
		if err := d.sync(t.Context(), client, db, store.Cursors(), userID, crashed); err == nil {
			t.Fatal("the sync did not notice that the database crashed")
		}
		checkRows(t, db, 50) // those of the first batch
		if err := d.sync(t.Context(), client, db, store.Cursors(), userID, func(int) error { return nil }); err != nil {
			t.Fatal(err)
		}
		checkRows(t, db, transactions)
	})
	// SQLite has no server: its process ends, and another one opens the file.
	t.Run("SQLite", func(t *testing.T) {
		d := sqlite(t)
		client, userID, transactions := bank(t)
		store, db := d.store(t)
		createRows(t, db)
		crashed := func(batch int) error {
			if batch == 2 {
				return errors.New("crashed")
			}
			return nil
		}
		if err := d.sync(t.Context(), client, db, store.Cursors(), userID, crashed); err == nil {
			t.Fatal("the sync did not stop")
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		store, db = d.store(t)
		checkRows(t, db, 50)
		if err := d.sync(t.Context(), client, db, store.Cursors(), userID, func(int) error { return nil }); err != nil {
			t.Fatal(err)
		}
		checkRows(t, db, transactions)
	})
}
