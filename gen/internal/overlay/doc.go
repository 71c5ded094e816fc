// Package overlay applies OpenAPI Overlay documents (1.0.x and 1.1.x) to a
// YAML tree, in place, and guards every action against a base that moved.
//
// # What an action does
//
// The specification's text holds. "update" merges recursively: objects key by
// key, arrays by concatenation, primitives by replacement; anything else is
// incompatible and an error. An array as target takes an array's elements, or
// any other value as one new element. "remove" deletes the selected nodes from
// their parents. "copy" (1.1) merges the value of the one node that its path
// selects. A primitive can be the target of an update from 1.1 on; removing
// one is accepted in both versions, because every other engine does. Targets
// are evaluated when the action runs, so that an action sees what those before
// it did.
//
// # Guards
//
// The specification lets an action succeed that changes nothing. Here it is a
// fault, because it means that upstream moved. Every action ends in one of
// these outcomes:
//
//	Applied          something changed
//	AlreadyMended    the document already has that state: delete the action
//	TargetGone       nothing matches the target
//	PreimageDiffers  the target is not what x-expect says
//	Failed           the action cannot be carried out
//	NoChange         nothing changed, and that was allowed
//
// An array counts as having an update's elements when it contains all of
// them, wherever they stand. An action with several matches is AlreadyMended
// when none of them changes; when some do, the others are left alone. It is
// also AlreadyMended when it would put an element into an array that has it.
// Members of an update that were there before, beside others that were not,
// are listed in the action's Result.
//
// # Vocabulary
//
// Three extensions of the action object are known:
//
//	x-expect         a value that every matched node must equal before the
//	                 change. Objects may hold more members than x-expect
//	                 names, at every level; arrays have the same elements in
//	                 the same order; primitives have the same type and text.
//	x-expect-absent  a list of member names that no matched object may have.
//	x-allow-noop     true: AlreadyMended and TargetGone are no faults.
//
//	- target: $.components.schemas.Account.properties.abn
//	  description: Upstream declares a number where the service sends text.
//	  x-expect: {type: integer}
//	  x-expect-absent: [format]
//	  update: {type: string}
//
// Other x- members are ignored, except where they look like one of these
// misspelt.
//
// # Queries
//
// Targets and copies are JSONPath queries as RFC 9535 defines them, parsed and
// filtered by github.com/theory/jsonpath. A query selects each node once, also
// where the RFC lists a node again for each selector that reaches it, and is
// at most 4096 bytes long. A literal pattern that does not compile is refused,
// where the RFC lets it match nothing.
//
// The library departs from the RFC in a few forms that its test suite does not
// hold. It refuses ..true, and to the right of a comparison @.true, '@ .a' and
// "@[ 'a' ]": quote such a name, and leave out such a blank. It takes !1,
// !length(@) and count(@.*,), which are not queries. '>' and '>=' hold for
// booleans, arrays and objects, which have no order.
//
// # Positions
//
// The tree is never encoded again: a node that an action did not touch keeps
// its line and column, and Provenance tells for every node which file these
// belong to. Nodes that an update brought in point into the overlay; nodes that
// a copy brought in point to where the original stands; an object or array
// that was merged into keeps its own position.
package overlay
