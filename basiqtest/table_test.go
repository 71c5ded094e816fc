package basiqtest

import (
	"maps"
	"strings"
	"testing"
)

// TestEveryOperationHasAHandler: an operation that is added to the model needs a handler.
func TestEveryOperationHasAHandler(t *testing.T) {
	if len(routes) != 71 {
		t.Errorf("%d operations, want 71", len(routes))
	}
	known := map[string]bool{legacyConnect: true}
	for _, r := range routes {
		known[r.ID] = true
		if handlers[r.ID] == nil {
			t.Errorf("%s %s has no handler: add one for %s to handlers", r.Method, r.Path, r.ID)
		}
	}
	for _, table := range []map[string]bool{clientAllowed, version3Only} {
		for id := range table {
			if !known[id] {
				t.Errorf("%s is not an operation", id)
			}
		}
	}
	for id := range maps.Keys(handlers) {
		if !known[id] {
			t.Errorf("%s is not an operation", id)
		}
	}
}

// TestEveryOperationIsFound: each method and path is routed to its own operation.
func TestEveryOperationIsFound(t *testing.T) {
	for i := range routes {
		r := &routes[i]
		var segments []string
		for s := range strings.SplitSeq(r.Path[1:], "/") {
			if s[0] == '{' {
				s = "an-id"
			}
			segments = append(segments, s)
		}
		if e, _ := operations().find(r.Method, segments); e == nil || e.route != r {
			t.Errorf("%s %s is routed to another operation", r.Method, r.Path)
		}
	}
}
