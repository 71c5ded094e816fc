package sqlstoretest

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/basiq-sdk/basiq-go/internal/postgrestest"
	"github.com/basiq-sdk/basiq-go/sqlstore"
	"github.com/basiq-sdk/basiq-go/transport"
	"github.com/basiq-sdk/basiq-go/webhook"
)

var (
	_ transport.TokenStore = (*sqlstore.TokenStore)(nil)
	_ webhook.ClaimStore   = (*sqlstore.SeenStore)(nil)
)

// database is a database of one test.
type database struct {
	dialect     sqlstore.Dialect
	driver, dsn string
	server      *postgrestest.Server // nil for SQLite
}

// shared is the PostgreSQL server of all tests but those that restart it.
var shared struct {
	once   sync.Once
	server *postgrestest.Server
	err    error
	count  atomic.Int64
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.server != nil {
		shared.server.Close()
	}
	os.Exit(code)
}

// onEach runs a test with an empty database of each kind.
func onEach(t *testing.T, f func(t *testing.T, d database)) {
	t.Run("SQLite", func(t *testing.T) { f(t, sqlite(t)) })
	t.Run("PostgreSQL", func(t *testing.T) { f(t, postgres(t)) })
}

func sqlite(t *testing.T) database {
	file := filepath.ToSlash(filepath.Join(t.TempDir(), "test.db"))
	return database{dialect: sqlstore.SQLite, driver: "sqlite", dsn: "file:" + file + "?_pragma=busy_timeout(20000)&_pragma=journal_mode(WAL)&_txlock=immediate"}
}

func postgres(t *testing.T) database {
	t.Helper()
	shared.once.Do(func() { shared.server, shared.err = postgrestest.New() })
	if shared.err != nil {
		shared.server = nil
		postgrestest.Start(t).Close() // skips the test, or reports the error
		t.Fatal(shared.err)
	}
	name := fmt.Sprintf("test%d", shared.count.Add(1))
	admin := database{driver: "pgx", dsn: shared.server.DSN()}
	if _, err := admin.open(t).ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	return database{dialect: sqlstore.PostgreSQL, driver: "pgx", dsn: shared.server.DSN() + " dbname=" + name, server: shared.server}
}

// open opens a pool of connections, as another process would.
func (d database) open(t testing.TB) *sql.DB {
	t.Helper()
	db, err := sql.Open(d.driver, d.dsn)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(8)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// store returns a Store on a pool of its own, whose tables exist.
func (d database) store(t testing.TB, opts ...sqlstore.Option) (*sqlstore.Store, *sql.DB) {
	t.Helper()
	db := d.open(t)
	s, err := sqlstore.New(db, d.dialect, opts...)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.CreateTables(context.Background()); err != nil {
		t.Fatal(err)
	}
	return s, db
}

// sql adapts the placeholders of a statement.
func (d database) sql(query string) string {
	if d.dialect == sqlstore.SQLite {
		return string(bytes.ReplaceAll([]byte(query), []byte("$"), []byte("?")))
	}
	return query
}

// clock is a clock that tests set.
type clock struct{ ms atomic.Int64 }

func newClock() *clock {
	c := new(clock)
	c.ms.Store(time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC).UnixMilli())
	return c
}

func (c *clock) now() time.Time          { return time.UnixMilli(c.ms.Load()) }
func (c *clock) advance(d time.Duration) { c.ms.Add(d.Milliseconds()) }
func (c *clock) option() sqlstore.Option { return sqlstore.WithClock(c.now) }
func secret(n byte) []byte               { return bytes.Repeat([]byte{n}, 32) }
func must[T any](t testing.TB) func(T, error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func encryptionKey(t testing.TB, id string, n byte) sqlstore.Key {
	t.Helper()
	return must[sqlstore.Key](t)(sqlstore.NewKey(id, secret(n)))
}

func tokens(t testing.TB, s *sqlstore.Store) *sqlstore.TokenStore {
	t.Helper()
	return must[*sqlstore.TokenStore](t)(s.Tokens(encryptionKey(t, "k1", 1)))
}

func seen(t testing.TB, s *sqlstore.Store, opts ...sqlstore.SeenOption) *sqlstore.SeenStore {
	t.Helper()
	return must[*sqlstore.SeenStore](t)(s.Seen(opts...))
}

// herd calls f n times concurrently.
func herd(n int, f func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() { <-start; f(i) })
	}
	close(start)
	wg.Wait()
}
