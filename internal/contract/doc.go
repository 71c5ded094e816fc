// Package contract tests the SDK against the API descriptions: every generated method
// sends requests that are valid according to the snapshots in specs/, and every
// documented response is decoded without loss. Its subpackage fake does the same for the
// in-memory fake server of package basiqtest.
//
// It is a separate module because it uses kin-openapi, which must not be among the
// requirements of programs that use the SDK.
package contract
