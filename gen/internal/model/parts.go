package model

import (
	"slices"

	"github.com/basiq-sdk/basiq-go/gen/internal/spec"
)

// maxParts bounds what one schema is composed of. Descriptions that people
// write stay below ten.
const maxParts = 64

// parts lists what a schema is composed of, each schema once, the schema
// itself last.
func (b *builder) parts(n spec.Node) []part {
	var out []part
	const onTheWay, done = 1, 2
	state := map[string]int{}
	required := map[string][]string{}
	var visit func(n spec.Node)
	visit = func(n spec.Node) {
		at := n.Pointer()
		state[at] = onTheWay
		if len(state) == maxParts+1 {
			b.fault(n, "too-many-parts", "%s is the part that makes a schema of more than %d", at, maxParts).
				WithHint("write the schema out in an overlay")
		}
		if len(state) > maxParts {
			state[at] = done
			return
		}
		req := slices.Clone(n.Get("required").Strings())
		for _, item := range n.Get("allOf").Items() {
			target := item.Deref()
			switch state[target.Pointer()] {
			case onTheWay:
				b.fault(item, "allof-cycle", "%s is composed of itself", target.Pointer()).
					WithHint("remove it from allOf in an overlay")
				continue
			case 0:
				visit(target)
			}
			req = append(req, required[target.Pointer()]...)
		}
		slices.Sort(req)
		required[at], state[at] = slices.Compact(req), done
		out = append(out, part{n, required[at]})
	}
	visit(n)
	return out
}
