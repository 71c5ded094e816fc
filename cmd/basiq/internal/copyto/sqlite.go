package copyto

import (
	"cmp"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the database driver "sqlite", without cgo

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/generated/data"
)

// schema has what people query as columns, and the whole transaction as JSON.
// Amounts are text, because SQLite's REAL is not exact.
const schema = `
CREATE TABLE IF NOT EXISTS transactions (
	id TEXT PRIMARY KEY,
	user_id TEXT NOT NULL,
	account_id TEXT NOT NULL,
	connection_id TEXT NOT NULL,
	status TEXT NOT NULL,
	post_date TEXT,
	transaction_date TEXT,
	amount TEXT,
	currency TEXT,
	direction TEXT,
	class TEXT,
	description TEXT,
	json TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS transactions_by_day ON transactions (user_id, post_date);
CREATE TABLE IF NOT EXISTS basiq_sync (
	user_id TEXT PRIMARY KEY,
	cursor TEXT NOT NULL,
	run INTEGER NOT NULL,
	updated TEXT NOT NULL
) STRICT;
PRAGMA user_version = 1;
`

// errOtherRun is the error of a copy that somebody else has changed meanwhile.
var errOtherRun = errors.New("another sync of the same user is running, or has just run")

type sqliteStore struct {
	db     *sql.DB
	user   string
	cursor basiq.SyncCursor
	run    int // how many batches were stored so far
}

// SQLite opens or creates a database. Only its owner may read a new one.
func SQLite(file, user string) (Store, error) {
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	f.Close()
	dsn := url.URL{Scheme: "file", Opaque: uriPath(file), RawQuery: "_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate"}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, err
	}
	s := &sqliteStore{db: db, user: user}
	if err := s.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("database %s: %w", file, err), db.Close())
	}
	return s, nil
}

// uriPath returns a file's path as SQLite's URIs have it.
func uriPath(file string) string {
	path := filepath.ToSlash(file)
	if filepath.VolumeName(file) != "" {
		path = "/" + path // file:/C:/…
	}
	return (&url.URL{Path: path}).EscapedPath()
}

func (s *sqliteStore) open() error {
	var version int
	if err := s.db.QueryRow("PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	if version > 1 {
		return fmt.Errorf("a newer version of basiq has written it (version %d)", version)
	}
	if _, err := s.db.Exec(schema); err != nil {
		return err
	}
	err := s.db.QueryRow("SELECT cursor, run FROM basiq_sync WHERE user_id = ?", s.user).Scan(&s.cursor, &s.run)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

// Cursor implements Store.
func (s *sqliteStore) Cursor() basiq.SyncCursor { return s.cursor }

// Close implements Store.
func (s *sqliteStore) Close() error { return s.db.Close() }

// Apply implements Store.
func (s *sqliteStore) Apply(b *basiq.SyncBatch) error {
	tx, err := s.db.Begin()
	if err != nil {
		return err
	}
	if err := s.apply(tx, b); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	s.run++
	return nil
}

func (s *sqliteStore) apply(tx *sql.Tx, b *basiq.SyncBatch) error {
	var run int
	err := tx.QueryRow("SELECT run FROM basiq_sync WHERE user_id = ?", s.user).Scan(&run)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if run != s.run {
		return errOtherRun
	}
	insert, err := tx.Prepare(`INSERT OR REPLACE INTO transactions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	defer insert.Close()
	for _, c := range b.Changes {
		if c.Transaction == nil {
			_, err = tx.Exec("DELETE FROM transactions WHERE id = ? AND user_id = ?", c.ID, s.user)
		} else {
			err = s.insert(insert, c.Transaction)
		}
		if err != nil {
			return err
		}
	}
	_, err = tx.Exec("INSERT OR REPLACE INTO basiq_sync VALUES (?, ?, ?, ?)", s.user, string(b.Cursor), s.run+1, time.Now().UTC().Format(time.RFC3339))
	return err
}

func (s *sqliteStore) insert(insert *sql.Stmt, t *data.Transaction) error {
	whole, err := json.Marshal(t)
	if err != nil {
		return err
	}
	_, err = insert.Exec(t.ID, s.user, t.AccountID, t.ConnectionID, string(t.Status), null(t.PostDate), null(t.TransactionDate),
		null(t.Amount), null(t.Currency), null(t.Direction), null(t.Class), null(t.Description), string(whole))
	return err
}

// null returns NULL for an empty value.
func null[T ~string](v T) sql.NullString {
	return sql.NullString{String: string(v), Valid: cmp.Or(v, "") != ""}
}
