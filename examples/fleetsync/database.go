package main

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	_ "modernc.org/sqlite"

	"github.com/basiq-sdk/basiq-go/sqlstore"
)

// quiet is River's logger: what happens to jobs is in the database.
var quiet = slog.New(slog.DiscardHandler)

// database is the database of the fleet: the queue, cursors and tokens, the copy of the
// transactions, and the rate limit.
type database struct {
	*sql.DB
	dialect sqlstore.Dialect
	store   *sqlstore.Store
	driver  riverdriver.Driver[*sql.Tx]
}

// open opens a database. Both kinds are used through database/sql, so that River's jobs,
// the cursors and the rows can share a transaction.
func open(ctx context.Context, name string) (*database, error) {
	d := &database{dialect: sqlstore.SQLite}
	driver, source := "sqlite", ""
	switch {
	case name == "":
		return nil, errors.New(envDatabase + " is not set: want the URL of PostgreSQL, or the file name of SQLite")
	case strings.HasPrefix(name, "postgres") || strings.Contains(name, "host="):
		d.dialect, driver, source = sqlstore.PostgreSQL, "pgx", name
	default:
		// WAL keeps what was committed if a process is killed. After a power failure,
		// the last transactions may be missing, each with its cursor.
		source = "file:" + filepath.ToSlash(name) + "?_txlock=immediate&_pragma=busy_timeout(30000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)"
	}
	var err error
	if d.DB, err = sql.Open(driver, source); err != nil {
		return nil, err
	}
	if d.dialect == sqlstore.SQLite {
		d.DB.SetMaxOpenConns(1) // as riversqlite's documentation says
		d.driver = riversqlite.New(d.DB)
	} else {
		d.DB.SetMaxOpenConns(20)
		d.DB.SetMaxIdleConns(20)
		d.driver = riverdatabasesql.New(d.DB)
	}
	if d.store, err = sqlstore.New(d.DB, d.dialect); err == nil {
		err = d.DB.PingContext(ctx)
	}
	if err != nil {
		_ = d.DB.Close()
		return nil, err
	}
	return d, nil
}

// tables are those of this program. In production, (user_id, id) is the primary key of
// transactions. Here it is not, so that the demonstration would see duplicates.
const tables = `CREATE TABLE IF NOT EXISTS transactions (
	user_id TEXT NOT NULL,
	id TEXT NOT NULL,
	account_id TEXT NOT NULL,
	status TEXT NOT NULL,
	post_date TEXT NOT NULL,
	amount TEXT NOT NULL,
	description TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS transactions_id ON transactions (user_id, id);
CREATE TABLE IF NOT EXISTS rate_limit (name TEXT NOT NULL PRIMARY KEY, next_slot BIGINT NOT NULL);
INSERT INTO rate_limit (name, next_slot) VALUES ('basiq', 0) ON CONFLICT DO NOTHING;
`

// createTables creates all tables that do not exist.
func (d *database) createTables(ctx context.Context) error {
	migrator, err := rivermigrate.New(d.driver, &rivermigrate.Config{Logger: quiet})
	if err != nil {
		return err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return err
	}
	if err := d.store.CreateTables(ctx); err != nil {
		return err
	}
	for _, statement := range strings.SplitAfter(strings.TrimSpace(tables), ";") {
		if _, err := d.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// sql adapts the placeholders of a statement: both dialects number them.
func (d *database) sql(query string) string {
	if d.dialect == sqlstore.SQLite {
		return strings.ReplaceAll(query, "$", "?")
	}
	return query
}
