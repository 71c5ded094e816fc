// Package overlay applies OpenAPI Overlay documents (1.0.x and 1.1.x) to a YAML
// tree, in place. It guards every action against changes of the document upstream.
//
// # Actions
//
// Actions behave as the Overlay specification requires:
//
//   - "update" merges recursively: objects by key, arrays by concatenation,
//     primitives by replacement. Other combinations are errors. If the target is an
//     array, the elements of an array, or any other value, are appended to it.
//   - "remove" deletes the selected nodes from their parents.
//   - "copy" (1.1) merges the value of the single node that its path selects.
//
// Primitives can be updated from 1.1 on. They can be removed in both versions, as in
// other implementations. Targets are evaluated when the action runs, after the effects
// of earlier actions.
//
// # Guards
//
// By the specification, an action that changes nothing succeeds. Here it is an error,
// because it means that upstream has changed. Every action has one of these outcomes:
//
//	Applied        the document changed
//	Obsolete       the document already has the result: delete the action
//	Unmatched      nothing matches the target
//	TargetChanged  the target is not what x-expect states
//	Failed         the action cannot be applied
//	NoChange       nothing changed, which is allowed
//
// An array has the elements of an update if it contains all of them, in any order. An
// action with several matches is Obsolete if none of them changes; if some do, the
// others are not modified. An action is also Obsolete if it would add an element to an
// array that already has it. An update's members that existed before, beside new ones,
// are listed in the action's Result.
//
// # Extensions
//
// An action object can have three extensions:
//
//	x-expect         a value that every matched node must have before the
//	                 change. Objects may have additional members at every
//	                 level; arrays must have the same elements in the same
//	                 order; primitives must have the same type and text.
//	x-expect-absent  a list of member names that no matched object may have.
//	x-allow-noop     true: Obsolete and Unmatched are not errors.
//
//	- target: $.components.schemas.Account.properties.abn
//	  description: Declared as a number, but sent as a string.
//	  x-expect: {type: integer}
//	  x-expect-absent: [format]
//	  update: {type: string}
//
// Other x- members are ignored, unless they look like a misspelling of one of these.
//
// # Queries
//
// Targets and copies are JSONPath queries (RFC 9535), parsed and filtered by
// github.com/theory/jsonpath. They differ from the RFC in these points:
//
//   - A query selects each node once, even if several selectors match it.
//   - A query has at most 4096 bytes.
//   - A literal pattern that does not compile is an error.
//
// The library has further deviations that its test suite does not cover. It rejects
// ..true, and, to the right of a comparison, @.true, '@ .a' and "@[ 'a' ]": quote the
// name, or remove the blank. It accepts !1, !length(@) and count(@.*,), which are not
// valid. '>' and '>=' are true for booleans, arrays and objects, which have no order.
//
// # Positions
//
// The tree is modified in place, so that unchanged nodes keep their line and column.
// Provenance records the file of every node. Nodes of an update have positions in the
// overlay, and nodes of a copy have the positions of the original. An object or array
// that was merged into keeps its own position.
package overlay
