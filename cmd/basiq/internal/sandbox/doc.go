// Package sandbox serves basiqtest to people and programs: the API, the pages of the
// Consent UI, a console, and an HTTP API that controls the sandbox.
package sandbox
