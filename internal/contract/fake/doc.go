// Package fake tests package basiqtest: the fake server's responses are valid according to
// the snapshots in specs/, and are decoded into the SDK's types without drift.
package fake
