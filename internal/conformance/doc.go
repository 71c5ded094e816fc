// Package conformance compares basiqtest with Basiq's API. The same scenarios make
// requests through the SDK to both, each response is reduced to a shape, and the
// differences between the shapes are listed by operation.
//
// A shape has no values of a response: only the status, the media type, the names of
// selected headers, the members of the JSON and their types, the codes of errors, and
// the words of known enumerations. A list of differences can therefore be published.
//
// The tests run the suite against basiqtest. With a key, TestLive runs it against the
// API:
//
//	BASIQ_API_KEY=… make test-live
package conformance
