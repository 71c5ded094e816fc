// Package fake tests package basiqtest: what the fake server answers is valid
// by the snapshots in specs/, and decodes into the SDK's types without drift.
package fake
