package spec

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// once empties the references to schemas in a copy of the document, as standard makes it.
// The library validates a schema again wherever it is referred to, with everything that
// it refers to in turn, so that schemas that refer to each other would take quadratic
// time. Each is still validated at its own place; that references lead to schemas has
// been checked. Below a default, which has to match what is referred to, they stay.
func (d *Document) once(plain *yaml.Node, origin map[*yaml.Node]*yaml.Node) {
	refs := map[*yaml.Node]bool{}
	d.walk(func(n Node) {
		if strings.HasPrefix(n.Str("$ref"), "#/components/schemas/") {
			refs[n.n] = true
		}
	})
	var empty func(n *yaml.Node)
	empty = func(n *yaml.Node) {
		if refs[origin[n]] {
			n.Content = nil
			return
		}
		if n.Kind == yaml.MappingNode && slices.ContainsFunc(n.Content, func(key *yaml.Node) bool { return key.Value == "default" }) {
			return
		}
		for _, c := range n.Content {
			empty(c)
		}
	}
	empty(plain)
}
