// Package faults holds the SDK to its promises when networks and servers fail:
// a bank that counts what it did, a network that breaks as it is told to, and a
// table of what must come of every kind of fault for every kind of call. It has
// tests only; nothing imports it, and no consumer compiles it.
//
// The table is testdata/matrix.txt. The test reads it, and renders it into
// docs/reliability.md:
//
//	go test ./internal/faults -run Faults
//	go test ./internal/faults -run Document -update
//
// Two experiments on real connections print figures: how many reads a restart of the
// server fails, and how many creates meet a connection that is being closed. They
// take a minute; the second also uses nginx, if it is installed.
//
//	go test ./internal/faults -run Measure -measure -v
package faults
