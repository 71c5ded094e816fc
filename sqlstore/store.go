package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Dialect is the SQL dialect of a database. The zero value is not a dialect.
type Dialect int

// Values of Dialect.
const (
	// SQLite is the dialect of SQLite 3.24 or later.
	SQLite Dialect = iota + 1
	// PostgreSQL is the dialect of PostgreSQL 10 or later.
	PostgreSQL
)

// String returns the name of the dialect.
func (d Dialect) String() string {
	switch d {
	case SQLite:
		return "SQLite"
	case PostgreSQL:
		return "PostgreSQL"
	}
	return "Dialect(" + strconv.Itoa(int(d)) + ")"
}

// DefaultPrefix is the default prefix of table names.
const DefaultPrefix = "basiq_"

// Option configures New and Schema.
type Option func(*Store) error

// prefixes are the valid prefixes. They are short enough for PostgreSQL's limit of 63
// bytes, and lower-case, because it folds names that are not quoted.
var prefixes = regexp.MustCompile(`^(?:[a-z_][a-z0-9_]{0,39})?$`)

// WithTablePrefix sets the prefix of all table names. The default is DefaultPrefix. It
// consists of up to 40 lower-case letters, digits and underscores, does not start with a
// digit, and may be empty. To use a schema of PostgreSQL, set the search_path of the
// connection.
func WithTablePrefix(prefix string) Option {
	return func(s *Store) error {
		if !prefixes.MatchString(prefix) {
			return fmt.Errorf("WithTablePrefix: %.60q is not a valid prefix: use up to 40 lower-case letters, digits and underscores", prefix)
		}
		s.prefix = prefix
		return nil
	}
}

// WithClock sets the clock that decides what has expired, for tests. The default is the
// clock of the database.
func WithClock(now func() time.Time) Option {
	return func(s *Store) error {
		if now == nil {
			return errors.New("WithClock: the function is nil")
		}
		s.clock = now
		return nil
	}
}

// Store is the SDK's state in a database. It is safe for concurrent use, also by
// several processes.
type Store struct {
	db      *sql.DB
	dialect Dialect
	prefix  string
	clock   func() time.Time // nil for the database's
}

// New returns a Store in a database. It does not connect: call CreateTables, or create
// the tables of Schema, before you use it.
func New(db *sql.DB, dialect Dialect, opts ...Option) (*Store, error) {
	if db == nil {
		return nil, errors.New("sqlstore: New: db is nil")
	}
	return newStore("New", db, dialect, opts)
}

func newStore(caller string, db *sql.DB, dialect Dialect, opts []Option) (*Store, error) {
	if dialect != SQLite && dialect != PostgreSQL {
		return nil, fmt.Errorf("sqlstore: %s: the dialect is %s: use SQLite or PostgreSQL", caller, dialect)
	}
	s := &Store{db: db, dialect: dialect, prefix: DefaultPrefix}
	for _, opt := range opts {
		if opt == nil {
			continue
		}
		if err := opt(s); err != nil {
			return nil, fmt.Errorf("sqlstore: %s: %w", caller, err)
		}
	}
	return s, nil
}

// schema has the tables of both dialects. Times are milliseconds since 1970.
const schema = `CREATE TABLE IF NOT EXISTS {p}tokens (
	name TEXT NOT NULL PRIMARY KEY,
	key_id TEXT NOT NULL,
	value {bytes} NOT NULL,
	expires BIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS {p}locks (
	name TEXT NOT NULL PRIMARY KEY,
	owner TEXT NOT NULL,
	expires BIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS {p}messages (
	name TEXT NOT NULL PRIMARY KEY,
	owner TEXT NOT NULL,
	handled INTEGER NOT NULL,
	expires BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS {p}messages_expires ON {p}messages (expires);
CREATE TABLE IF NOT EXISTS {p}cursors (
	tenant TEXT NOT NULL,
	user_id TEXT NOT NULL,
	position TEXT NOT NULL,
	version BIGINT NOT NULL,
	updated BIGINT NOT NULL,
	PRIMARY KEY (tenant, user_id)
);
`

// Schema returns the statements that create the tables, for migrations. They can be
// executed more than once.
func Schema(dialect Dialect, opts ...Option) (string, error) {
	s, err := newStore("Schema", nil, dialect, opts)
	if err != nil {
		return "", err
	}
	return s.sql(schema), nil
}

// createLock is the key of the advisory lock that CreateTables takes in PostgreSQL,
// where concurrent CREATE TABLE IF NOT EXISTS statements can fail.
const createLock int64 = 0x6261736971 // "basiq"

// CreateTables creates the tables that do not exist. Several processes can call it at
// the same time.
func (s *Store) CreateTables(ctx context.Context) error {
	if err := s.usable("CreateTables"); err != nil {
		return err
	}
	if err := s.createTables(ctx); err != nil {
		return fmt.Errorf("sqlstore: CreateTables: %w", err)
	}
	return nil
}

func (s *Store) createTables(ctx context.Context) error {
	if ctx == nil {
		return errNilContext
	}
	statements := strings.SplitAfter(strings.TrimSpace(s.sql(schema)), ";")
	if s.dialect == SQLite { // each statement takes the write lock by itself, and waits for it
		for _, statement := range statements {
			if _, err := s.db.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	statements = append([]string{fmt.Sprintf("SELECT pg_advisory_xact_lock(%d)", createLock)}, statements...)
	for _, statement := range statements {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// DeleteExpired deletes expired tokens, locks, claims and handled messages, and returns
// the number of rows. It never deletes cursors. Expired rows have no effect, and only
// take space.
func (s *Store) DeleteExpired(ctx context.Context) (int64, error) {
	if err := s.usable("DeleteExpired"); err != nil {
		return 0, err
	}
	var total int64
	for _, table := range []string{"tokens", "locks", "messages"} {
		n, err := s.exec(ctx, s.db, `DELETE FROM {p}`+table+` WHERE expires <= {now}`)
		if err != nil {
			return total, fmt.Errorf("sqlstore: DeleteExpired: %w", err)
		}
		total += n
	}
	return total, nil
}

// Execer executes a statement. *sql.DB, *sql.Tx and *sql.Conn implement it.
type Execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// Queryer executes a query. *sql.DB, *sql.Tx and *sql.Conn implement it.
type Queryer interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// errNilContext is returned instead of a nil context being passed to database/sql, which
// would panic while it holds the lock of the pool, and block every other user of it.
var errNilContext = errors.New("the context is nil: pass the request's context, or context.Background()")

// exec executes a statement and returns the number of rows that it changed.
func (s *Store) exec(ctx context.Context, db Execer, query string, args ...any) (int64, error) {
	if ctx == nil {
		return 0, errNilContext
	}
	result, err := db.ExecContext(ctx, s.sql(query), args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// sql completes a statement: {p} is the prefix, {now} the time in milliseconds, {bytes}
// the type of binary data, and $1 the first argument.
func (s *Store) sql(query string) string {
	kind, now, argument := "BYTEA", "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)", "$"
	if s.dialect == SQLite {
		kind, now, argument = "BLOB", "CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)", "?"
	}
	if s.clock != nil {
		now = strconv.FormatInt(s.clock().UnixMilli(), 10)
	}
	return strings.NewReplacer("{p}", s.prefix, "{now}", now, "{bytes}", kind, "$", argument).Replace(query)
}

// usable returns an error if the store was not made by New.
func (s *Store) usable(method string) error {
	if s == nil || s.db == nil {
		return fmt.Errorf("sqlstore: %s: the Store was not made by New", method)
	}
	return nil
}

// milliseconds rounds a positive duration up, so that a lifetime is never zero.
func milliseconds(d time.Duration) int64 {
	return int64((d-1)/time.Millisecond) + 1
}
