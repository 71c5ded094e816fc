// Package jsonpath selects nodes of a YAML tree by JSONPath (RFC 9535).
//
// Paths are read by a strict reader of the package's own, and evaluated by
// github.com/speakeasy-api/jsonpath. The reader exists because that library
// accepts what the RFC refuses and then selects something else than was
// written: an unknown function counts as length(), '!a && b' negates both
// sides, match() and search() are true where their argument is missing, a
// broken regular expression is a silent mismatch, names such as "value" end a
// path, \u escapes are refused and \r becomes a line feed, and nested
// functions take exponential time to read. The reader hands the library a
// rewritten path that means the same and steers clear of all of these; each is
// held by a test. Two things it cannot mend: objects are compared in the order
// of their members, and integers that are not written in decimal count as 0.
//
// What the RFC allows and this package refuses, to keep every path cheap on
// every document: more than 3 descendant segments; wildcards, slices or
// filters beside other selectors in one pair of brackets; absolute queries
// inside a filter that are not plain paths; nesting beyond a handful of levels.
//
// A path of names and indexes only is walked directly, without the library.
package jsonpath
