// Package copyto keeps copies of users' transactions: in a SQLite database, or
// in a file of JSON lines.
package copyto

import "github.com/basiq-sdk/basiq-go"

// Store is a copy of a user's transactions.
type Store interface {
	// Cursor returns the position that the copy is at, for SyncTransactions.
	Cursor() basiq.SyncCursor
	// Apply stores a batch of changes together with its cursor, or nothing.
	Apply(*basiq.SyncBatch) error
	// Close releases the file or database.
	Close() error
}
