package pipeline

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/spec"
)

// undeclared finds properties that exist only because an overlay names or
// describes them: the description that is overlaid has none of that name, and
// the overlay does not say what they are. An update creates what it does not
// find, so that a property that upstream removed would live on without a type.
// With remove they are taken out of the document.
func undeclared(doc *spec.Document, remove bool) diag.List {
	var list diag.List
	var walk func(n *yaml.Node, pointer string)
	walk = func(n *yaml.Node, pointer string) {
		if n.Kind != yaml.MappingNode {
			for _, c := range n.Content {
				walk(c, pointer)
			}
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			name, v := n.Content[i].Value, n.Content[i+1]
			if name == "properties" && v.Kind == yaml.MappingNode && !strings.HasSuffix(pointer, "/properties") {
				var kept []*yaml.Node
				for j := 0; j+1 < len(v.Content); j += 2 {
					key, property := v.Content[j], v.Content[j+1]
					if doc.Prov.File(key) == doc.File || !shapeless(property) {
						kept = append(kept, key, property)
						continue
					}
					list = append(list, diag.Errorf(doc.Prov.Pos(key), "overlay-target-gone",
						"%s/properties describes %q, which the description does not have", pointer, key.Value).
						WithHint("if upstream removed it, delete what the overlay says of it; if it is to be added, say its type, or x-any: true"))
				}
				if remove {
					v.Content = kept
				}
			}
			walk(v, pointer+"/"+strings.ReplaceAll(name, "/", "~1"))
		}
	}
	walk(doc.Tree(), "#")
	return list
}

// shapeless reports whether a schema says nothing about the shape of a value.
func shapeless(n *yaml.Node) bool {
	if n.Kind != yaml.MappingNode {
		return false
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if slices.Contains([]string{"type", "$ref", "oneOf", "anyOf", "allOf", "properties", "items", "additionalProperties", "x-any", "x-variants"}, n.Content[i].Value) {
			return false
		}
	}
	return true
}
