package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/basiq-sdk/basiq-go"
)

// ErrConflict means that another sync of the same user has stored its cursor since this
// one loaded it. Roll back, load the cursor again, and start again.
var ErrConflict = errors.New("another sync of this user has stored its cursor")

// CursorID says whose cursor it is.
type CursorID struct {
	Tenant string // your tenant, if users of several API keys are in one table; may be empty
	UserID string
}

// Position is a stored cursor. The zero value is the start, before anything was stored.
type Position struct {
	Cursor basiq.SyncCursor
	// Version changes with every Save. It is 0 if nothing was stored.
	Version int64
}

// CursorStore keeps the cursors of SyncTransactions, one for each user. Create it with
// Store.Cursors. It is safe for concurrent use.
//
// Its methods take your *sql.Tx, so that a cursor is committed together with the rows
// that it belongs to:
//
//	at, err := cursors.Load(ctx, db, id)
//	...
//	for batch, err := range client.SyncTransactions(ctx, id.UserID, at.Cursor, basiq.SyncOptions{}) {
//		...
//		tx, err := db.BeginTx(ctx, nil)
//		... // apply batch.Changes in tx
//		next, err := cursors.Save(ctx, tx, id, at, batch.Cursor)
//		... // roll back if it failed
//		err = tx.Commit()
//		...
//		at = next // only after the commit
//	}
//
// Save compares the version, so that of two concurrent syncs of a user one fails with
// ErrConflict, and its rows are rolled back. Nothing is then stored twice.
//
// If Commit fails because the connection was lost, the transaction may have been
// committed. Load the position again to continue.
type CursorStore struct{ store *Store }

// Cursors returns a CursorStore.
func (s *Store) Cursors() *CursorStore { return &CursorStore{store: s} }

// Load returns the position of a user, or the zero Position if there is none. db is a
// *sql.DB, *sql.Tx or *sql.Conn of the Store's database.
func (c *CursorStore) Load(ctx context.Context, db Queryer, id CursorID) (Position, error) {
	if err := c.usable("Load", db == nil, id); err != nil {
		return Position{}, err
	}
	if ctx == nil {
		return Position{}, fmt.Errorf("sqlstore: CursorStore.Load: %w", errNilContext)
	}
	var p Position
	err := db.QueryRowContext(ctx, c.store.sql(`SELECT position, version FROM {p}cursors WHERE tenant = $1 AND user_id = $2`), id.Tenant, id.UserID).Scan(&p.Cursor, &p.Version)
	if errors.Is(err, sql.ErrNoRows) {
		return Position{}, nil
	}
	if err != nil {
		return Position{}, fmt.Errorf("sqlstore: CursorStore.Load: %w", err)
	}
	return p, nil
}

// Save replaces the position at, which Load or the previous Save returned, by the cursor
// next. It returns the new position, which is valid once the transaction is committed.
// If another sync has stored a cursor since, nothing changes and the error matches
// ErrConflict. In PostgreSQL, Save first waits for a transaction of another sync that is
// about to commit. There, at isolation levels above READ COMMITTED, a conflict is an
// error of the database in place of ErrConflict.
//
// The empty cursor is the start: save it to read everything again after a purge.
func (c *CursorStore) Save(ctx context.Context, tx Execer, id CursorID, at Position, next basiq.SyncCursor) (Position, error) {
	if err := c.usable("Save", tx == nil, id); err != nil {
		return Position{}, err
	}
	var n int64
	var err error
	version := at.Version + 1
	if at.Version == 0 {
		// A row that is deleted and stored again does not get its former versions.
		version = 1 + rand.Int64N(1<<52)
		n, err = c.store.exec(ctx, tx, `INSERT INTO {p}cursors (tenant, user_id, position, version, updated) VALUES ($1, $2, $3, $4, {now})
ON CONFLICT (tenant, user_id) DO NOTHING`, id.Tenant, id.UserID, string(next), version)
	} else {
		n, err = c.store.exec(ctx, tx, `UPDATE {p}cursors SET position = $3, version = $4, updated = {now}
WHERE tenant = $1 AND user_id = $2 AND version = $5`, id.Tenant, id.UserID, string(next), version, at.Version)
	}
	switch {
	case err != nil:
		return Position{}, fmt.Errorf("sqlstore: CursorStore.Save: %w", err)
	case n == 0:
		return Position{}, fmt.Errorf("sqlstore: CursorStore.Save: %w: roll back, and load the cursor again", ErrConflict)
	}
	return Position{Cursor: next, Version: version}, nil
}

// Delete deletes the position of a user, for example with the user's data. A sync that
// is running then fails with ErrConflict. It is not an error if there is none.
func (c *CursorStore) Delete(ctx context.Context, tx Execer, id CursorID) error {
	if err := c.usable("Delete", tx == nil, id); err != nil {
		return err
	}
	if _, err := c.store.exec(ctx, tx, `DELETE FROM {p}cursors WHERE tenant = $1 AND user_id = $2`, id.Tenant, id.UserID); err != nil {
		return fmt.Errorf("sqlstore: CursorStore.Delete: %w", err)
	}
	return nil
}

func (c *CursorStore) usable(method string, noDB bool, id CursorID) error {
	switch {
	case c == nil || c.store.usable("") != nil:
		return fmt.Errorf("sqlstore: CursorStore.%s: the CursorStore was not made by Store.Cursors", method)
	case noDB:
		return fmt.Errorf("sqlstore: CursorStore.%s: the database or transaction is nil", method)
	case id.UserID == "":
		return fmt.Errorf("sqlstore: CursorStore.%s: the user ID is empty", method)
	}
	return nil
}
