// Package faults tests how the SDK behaves when networks and servers fail. It has a
// fake API that counts what it did, a network that injects faults, and a matrix of
// the expected outcome of every kind of fault for every kind of call. It contains
// only tests; no other package imports it.
//
// The matrix is testdata/matrix.txt. The first command runs the tests, the second
// renders docs/reliability-matrix.md from the matrix:
//
//	go test ./internal/faults -run Faults
//	go test ./internal/faults -run Document -update
//
// Two experiments on real connections print figures: how many reads fail when a
// server restarts, and how many creates hit a connection that the server is closing.
// They take a minute. The second also uses nginx, if it is installed.
//
//	go test ./internal/faults -run Measure -measure -v
package faults
