package sqlstore_test

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go/sqlstore"
	"github.com/basiq-sdk/basiq-go/transport"
	"github.com/basiq-sdk/basiq-go/webhook"
)

var (
	_ transport.TokenStore = (*sqlstore.TokenStore)(nil)
	_ webhook.ClaimStore   = (*sqlstore.SeenStore)(nil)
	_ sqlstore.Execer      = (*sql.Tx)(nil)
	_ sqlstore.Queryer     = (*sql.Tx)(nil)
)

// errDown is the error of a database that cannot be reached.
var errDown = errors.New("down")

type down struct{}

func (down) Connect(context.Context) (driver.Conn, error) { return nil, errDown }
func (down) Driver() driver.Driver                        { return nil }

func unreachable(t *testing.T) *sql.DB {
	db := sql.OpenDB(down{})
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func key(t *testing.T, id string) sqlstore.Key {
	t.Helper()
	k, err := sqlstore.NewKey(id, bytes.Repeat([]byte{77}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestInvalidArgumentsAreNamed checks the errors of the constructors.
func TestInvalidArgumentsAreNamed(t *testing.T) {
	db := unreachable(t)
	newStore := func(d sqlstore.Dialect, opts ...sqlstore.Option) error {
		_, err := sqlstore.New(db, d, opts...)
		return err
	}
	newKey := func(id string, secret []byte) error { _, err := sqlstore.NewKey(id, secret); return err }
	store, err := sqlstore.New(db, sqlstore.SQLite, nil)
	if err != nil {
		t.Fatal(err)
	}
	newTokens := func(keys ...sqlstore.Key) error { _, err := store.Tokens(keys...); return err }
	newSeen := func(o sqlstore.SeenOption) error { _, err := store.Seen(nil, o); return err }
	noDB := func() error { _, err := sqlstore.New(nil, sqlstore.SQLite); return err }
	noDialect := func() error { _, err := sqlstore.Schema(0); return err }
	id := sqlstore.CursorID{UserID: "u"}
	for want, err := range map[string]error{
		"New: db is nil":                           noDB(),
		"New: the dialect is Dialect(0)":           newStore(0),
		"New: the dialect is Dialect(3)":           newStore(3),
		"Schema: the dialect is Dialect(0)":        noDialect(),
		`WithTablePrefix: "A_" is not`:             newStore(sqlstore.SQLite, sqlstore.WithTablePrefix("A_")),
		`WithTablePrefix: "x; DROP TABLE y" is`:    newStore(sqlstore.SQLite, sqlstore.WithTablePrefix("x; DROP TABLE y")),
		`WithTablePrefix: "1a" is not`:             newStore(sqlstore.SQLite, sqlstore.WithTablePrefix("1a")),
		`WithTablePrefix: "a\n" is not`:            newStore(sqlstore.SQLite, sqlstore.WithTablePrefix("a\n")),
		"WithTablePrefix: \"" + long(41) + "\" is": newStore(sqlstore.SQLite, sqlstore.WithTablePrefix(long(41))),
		"WithClock: the function is nil":           newStore(sqlstore.SQLite, sqlstore.WithClock(nil)),
		"NewKey: the ID has 0 characters":          newKey("", bytes.Repeat([]byte{1}, 32)),
		"NewKey: the ID has 65 characters":         newKey(long(65), bytes.Repeat([]byte{1}, 32)),
		"NewKey: the ID contains a character":      newKey("k\n", bytes.Repeat([]byte{1}, 32)),
		`NewKey: the secret of key "k" has 16`:     newKey("k", bytes.Repeat([]byte{1}, 16)),
		`NewKey: the secret of key "z" consists`:   newKey("z", make([]byte, 32)),
		"Tokens: at least one key is required":     newTokens(),
		"Tokens: key 2 of 2 was not made":          newTokens(key(t, "k"), sqlstore.Key{}),
		`Tokens: two keys have the ID "k"`:         newTokens(key(t, "k"), key(t, "k")),
		"Seen: WithClaimTTL: 0s is not positive":   newSeen(sqlstore.WithClaimTTL(0)),
		"Seen: WithRetention: 27h0m0s is less":     newSeen(sqlstore.WithRetention(27 * time.Hour)),
		"CursorStore.Delete: the user ID is empty": store.Cursors().Delete(t.Context(), db, sqlstore.CursorID{Tenant: "t"}),
		"CursorStore.Delete: the database or":      store.Cursors().Delete(t.Context(), nil, id),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "sqlstore: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	seen, err := store.Seen()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", long(1025)} {
		if _, _, err := seen.Claim(t.Context(), name); err == nil || errors.Is(err, errDown) {
			t.Errorf("a key of %d bytes: %v", len(name), err)
		}
	}
	tokens, err := store.Tokens(key(t, "k"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tokens.Lock(t.Context(), "n", 0); err == nil || !strings.Contains(err.Error(), "ttl is 0s") {
		t.Error(err)
	}
	if err := tokens.Save(t.Context(), "n", nil, -1); err != nil {
		t.Errorf("an expired value: %v", err)
	}
}

func long(n int) string { return strings.Repeat("a", n) }

// TestZeroAndNilValues return errors that name the constructor.
func TestZeroAndNilValues(t *testing.T) {
	ctx, db, id := t.Context(), unreachable(t), sqlstore.CursorID{UserID: "u"}
	for _, s := range []*sqlstore.Store{nil, {}} {
		_, errTokens := s.Tokens(key(t, "k"))
		_, errSeen := s.Seen()
		_, errDelete := s.DeleteExpired(ctx)
		_, errLoad := s.Cursors().Load(ctx, db, id)
		for _, err := range []error{errTokens, errSeen, errDelete, errLoad, s.CreateTables(ctx)} {
			if err == nil || !strings.Contains(err.Error(), "was not made by") {
				t.Error(err)
			}
		}
	}
	for _, s := range []*sqlstore.TokenStore{nil, {}} {
		_, errLoad := s.Load(ctx, "n")
		_, errLock := s.Lock(ctx, "n", time.Second)
		for _, err := range []error{errLoad, errLock, s.Save(ctx, "n", nil, time.Second)} {
			if err == nil || !strings.Contains(err.Error(), "Store.Tokens") {
				t.Error(err)
			}
		}
	}
	for _, s := range []*sqlstore.SeenStore{nil, {}} {
		_, _, errClaim := s.Claim(ctx, "n")
		_, errBegin := s.Begin(ctx, "n")
		for _, err := range []error{errClaim, errBegin, s.EndClaim(ctx, "n", "t", true), s.End(ctx, "n", true)} {
			if err == nil || !strings.Contains(err.Error(), "Store.Seen") {
				t.Error(err)
			}
		}
	}
	for _, s := range []*sqlstore.CursorStore{nil, {}} {
		_, errLoad := s.Load(ctx, db, id)
		_, errSave := s.Save(ctx, db, id, sqlstore.Position{}, "")
		for _, err := range []error{errLoad, errSave, s.Delete(ctx, db, id)} {
			if err == nil || !strings.Contains(err.Error(), "Store.Cursors") {
				t.Error(err)
			}
		}
	}
}

// TestDriverErrorsAreWrapped: errors.Is finds the driver's error.
func TestDriverErrorsAreWrapped(t *testing.T) {
	ctx, db := t.Context(), unreachable(t)
	for _, d := range []sqlstore.Dialect{sqlstore.SQLite, sqlstore.PostgreSQL} {
		store, err := sqlstore.New(db, d)
		if err != nil {
			t.Fatal(err)
		}
		tokens, err := store.Tokens(key(t, "k"))
		if err != nil {
			t.Fatal(err)
		}
		seen, err := store.Seen()
		if err != nil {
			t.Fatal(err)
		}
		id := sqlstore.CursorID{UserID: "u"}
		_, errLoad := tokens.Load(ctx, "n")
		_, errLock := tokens.Lock(ctx, "n", time.Second)
		_, _, errClaim := seen.Claim(ctx, "n")
		_, errCursor := store.Cursors().Load(ctx, db, id)
		_, errSave := store.Cursors().Save(ctx, db, id, sqlstore.Position{Version: 1}, "c")
		_, errDelete := store.DeleteExpired(ctx)
		for i, err := range []error{
			errLoad, errLock, errClaim, errCursor, errSave, errDelete, store.CreateTables(ctx),
			tokens.Save(ctx, "n", nil, time.Second), seen.EndClaim(ctx, "n", "t", false), store.Cursors().Delete(ctx, db, id),
		} {
			if !errors.Is(err, errDown) || !strings.HasPrefix(err.Error(), "sqlstore: ") {
				t.Errorf("%s, method %d: %v", d, i, err)
			}
		}
	}
}

// TestNilContextsAreRefused: database/sql would panic, and never unlock its pool.
func TestNilContextsAreRefused(t *testing.T) {
	var none context.Context
	db := unreachable(t)
	store, err := sqlstore.New(db, sqlstore.PostgreSQL)
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := store.Tokens(key(t, "k"))
	if err != nil {
		t.Fatal(err)
	}
	seen, err := store.Seen()
	if err != nil {
		t.Fatal(err)
	}
	id, cursors := sqlstore.CursorID{UserID: "u"}, store.Cursors()
	_, errLoad := tokens.Load(none, "n")
	_, errLock := tokens.Lock(none, "n", time.Second)
	_, _, errClaim := seen.Claim(none, "n")
	_, errBegin := seen.Begin(none, "n")
	_, errCursor := cursors.Load(none, db, id)
	_, errSave := cursors.Save(none, db, id, sqlstore.Position{}, "c")
	_, errDelete := store.DeleteExpired(none)
	for i, err := range []error{
		errLoad, errLock, errClaim, errBegin, errCursor, errSave, errDelete, store.CreateTables(none), tokens.Save(none, "n", nil, time.Second),
		seen.EndClaim(none, "n", "t", false), seen.End(none, "n", true), cursors.Delete(none, db, id),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "sqlstore: ") || !strings.Contains(err.Error(), "the context is nil") {
			t.Errorf("method %d: %v", i, err)
		}
	}
}

// TestSchema: the statements are those of the dialect, and have the prefix.
func TestSchema(t *testing.T) {
	for d, kind := range map[sqlstore.Dialect]string{sqlstore.SQLite: "BLOB", sqlstore.PostgreSQL: "BYTEA"} {
		schema, err := sqlstore.Schema(d, sqlstore.WithTablePrefix("x_"))
		if err != nil || !strings.Contains(schema, "value "+kind+" NOT NULL") || strings.Count(schema, "CREATE TABLE IF NOT EXISTS x_") != 4 || strings.ContainsAny(schema, "{}$?") {
			t.Errorf("%s: %v\n%s", d, err, schema)
		}
		bare, err := sqlstore.Schema(d, sqlstore.WithTablePrefix(""))
		if err != nil || !strings.Contains(bare, "CREATE TABLE IF NOT EXISTS tokens (") {
			t.Errorf("without a prefix: %v\n%s", err, bare)
		}
	}
}

// TestKeysAreNotPrinted prints a key, and what contains it, with every verb.
func TestKeysAreNotPrinted(t *testing.T) {
	k := key(t, "k")
	store, err := sqlstore.New(unreachable(t), sqlstore.SQLite)
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := store.Tokens(k)
	if err != nil {
		t.Fatal(err)
	}
	var text string
	for _, verb := range []string{"%v", "%+v", "%#v", "%x", "%d"} {
		text += fmt.Sprintf(verb, k) + fmt.Sprintf(verb, &k) + fmt.Sprintf(verb, tokens) + fmt.Sprintf(verb, *tokens)
	}
	for _, canary := range []string{"77 77", "77, 77", "MMMM", "4d4d", "0x4d"} {
		if strings.Contains(text, canary) {
			t.Errorf("%s is in %s", canary, text)
		}
	}
	if k.ID() != "k" {
		t.Error(k.ID())
	}
}
