// Package sqlstore keeps the SDK's shared state in an SQL database: access tokens,
// handled webhook messages, and sync cursors. It works with SQLite 3.24 or later and
// PostgreSQL 10 or later, through database/sql and any driver of yours.
//
//	store, err := sqlstore.New(db, sqlstore.PostgreSQL)
//	err = store.CreateTables(ctx) // or put sqlstore.Schema into your migrations
//
//	tokens, err := store.Tokens(key)
//	client, err := basiq.NewClient(basiq.WithTokenStore(tokens))
//
//	seen, err := store.Seen()
//	handler := webhook.NewHandler(verifier, handle, webhook.WithSeenStore(seen))
//
//	cursors := store.Cursors() // see CursorStore
//
// Call Store.DeleteExpired now and then, for example once an hour.
//
// # Time
//
// Leases and lifetimes use the clock of the database, so that the clocks of the
// machines need not agree. If the database's clock jumps forward, leases expire early;
// their former owners are then refused. If it jumps back, they expire late.
//
// # Failures
//
// Every method respects its context as far as the driver does, and returns the driver's
// error, wrapped. No method retries. Nothing is kept in memory, so a database that is
// restarted, or a process that is killed, loses nothing that was committed.
//
// SQLite allows one writer at a time. Set a busy timeout, or concurrent writers fail
// with "database is locked".
package sqlstore
