package model

import (
	"slices"

	"github.com/basiq-sdk/basiq-go/gen/internal/spec"
)

// maxParts is the maximum number of schemas that one is composed of. Real
// specifications stay below ten.
const maxParts = 64

// parts returns the schemas that a schema is composed of, each once, with the
// schema itself last.
func (b *builder) parts(n spec.Node) []part {
	var out []part
	const visiting, done = 1, 2
	state := map[string]int{}
	required := map[string][]string{}
	var visit func(n spec.Node, loose bool)
	visit = func(n spec.Node, loose bool) {
		at := n.Pointer()
		state[at] = visiting
		if len(state) == maxParts+1 {
			b.errorf(n, "too-many-parts", "the schema is composed of more than %[2]d parts; the first beyond the limit is %[1]s", at, maxParts).
				WithHint("replace the allOf with the schema's members in an overlay")
		}
		if len(state) > maxParts {
			state[at] = done
			return
		}
		req := slices.Clone(n.Get("required").Strings())
		for _, item := range n.Get("allOf").Items() {
			target := item.Deref()
			switch state[target.Pointer()] {
			case visiting:
				b.errorf(item, "allof-cycle", "%s is composed of itself", target.Pointer()).
					WithHint("remove it from allOf in an overlay")
				continue
			case 0:
				visit(target, loose)
			}
			req = append(req, required[target.Pointer()]...)
		}
		for _, keyword := range []string{"oneOf", "anyOf"} {
			if !b.ofObjects(n.Get(keyword)) {
				continue
			}
			b.warnf(n.Get(keyword), "alternatives-merged", "%s has the members of all its alternatives, none of which is required", at).
				WithHint("if its values can be told apart, remove the members beside the alternatives, or declare the shapes with x-variants, in an overlay")
			for _, item := range n.Get(keyword).Items() {
				if target := item.Deref(); state[target.Pointer()] == 0 {
					visit(target, true)
				}
			}
		}
		slices.Sort(req)
		required[at], state[at] = slices.Compact(req), done
		out = append(out, part{n, required[at], loose})
	}
	visit(n, false)
	return out
}

// ofObjects reports whether alternatives are objects, whose members a struct can have
// together.
func (b *builder) ofObjects(alternatives spec.Node) bool {
	if len(alternatives.Items()) == 0 || requiredOnly(alternatives) {
		return false
	}
	return !slices.ContainsFunc(alternatives.Items(), func(a spec.Node) bool {
		target := a.Deref()
		return b.kind(a) != "object" && !trivial(target) && !requiredOnlyOne(target)
	})
}
