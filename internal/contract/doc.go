// Package contract tests the SDK against the API descriptions: every generated
// method sends requests that are valid by the snapshots in specs/, and every
// documented response decodes without loss. Its subpackage fake does the same
// for the in-memory server of package basiqtest.
//
// It is a module of its own because it validates with kin-openapi, which must
// not appear among the requirements of a program that uses the SDK.
package contract
