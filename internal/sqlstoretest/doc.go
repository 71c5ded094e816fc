// Package sqlstoretest tests sqlstore with real databases: SQLite in a file, and a
// PostgreSQL server that the tests start. It is a module of its own because of the
// drivers.
package sqlstoretest
