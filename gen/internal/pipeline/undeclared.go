package pipeline

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/spec"
)

// undeclared finds schemas and properties that exist only because an overlay
// names or describes them: the description that is overlaid has none of that
// name, and the overlay does not say what they are. An update creates what it
// does not find, so that a property that upstream removed would live on without
// a type. With remove, such properties are taken out of the document.
func undeclared(doc *spec.Document, remove bool) diag.List {
	u := &undeclaredParts{doc: doc, remove: remove}
	u.walk(doc.Tree(), "#")
	return u.list
}

type undeclaredParts struct {
	doc    *spec.Document
	remove bool
	list   diag.List
}

func (u *undeclaredParts) walk(n *yaml.Node, pointer string) {
	if n.Kind != yaml.MappingNode {
		for _, c := range n.Content {
			u.walk(c, pointer)
		}
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, v := n.Content[i].Value, n.Content[i+1]
		if name == "properties" && v.Kind == yaml.MappingNode && !strings.HasSuffix(pointer, "/properties") {
			u.properties(n, v, pointer)
		}
		at := pointer + "/" + strings.ReplaceAll(name, "/", "~1")
		if pointer == "#/components/schemas" && u.added(n.Content[i]) && u.describesOnly(v) {
			u.list = append(u.list, diag.Errorf(u.doc.Prov.Pos(n.Content[i]), "overlay-target-gone",
				"the overlay describes the schema %s, which the description does not have", name).
				WithHint("if upstream renamed it, write the new name; if upstream removed it, delete the part of the overlay that describes it"))
			if u.remove {
				drop(v)
			}
			continue
		}
		u.walk(v, at)
	}
}

// properties looks at the properties of a schema.
func (u *undeclaredParts) properties(schema, properties *yaml.Node, pointer string) {
	var kept []*yaml.Node
	for i := 0; i+1 < len(properties.Content); i += 2 {
		key, property := properties.Content[i], properties.Content[i+1]
		if !u.added(key) || !shapeless(property) {
			kept = append(kept, key, property)
			continue
		}
		hint := "if upstream removed it, delete the part of the overlay that describes it; if it is to be added, say its type, or x-any: true"
		if ref := value(schema, "$ref"); ref != nil {
			hint = fmt.Sprintf("the schema is a reference to %s now: move what the overlay says of it there", ref.Value)
		}
		u.list = append(u.list, diag.Errorf(u.doc.Prov.Pos(key), "overlay-target-gone",
			"%s/properties describes %q, which the description does not have", pointer, key.Value).WithHint("%s", hint))
	}
	if u.remove {
		properties.Content = kept
	}
}

// added reports whether an overlay wrote a node.
func (u *undeclaredParts) added(n *yaml.Node) bool { return u.doc.Prov.File(n) != u.doc.File }

// describesOnly reports whether a schema says nothing about the shape of a
// value but that it has properties of which it does not say more.
func (u *undeclaredParts) describesOnly(schema *yaml.Node) bool {
	properties := value(schema, "properties")
	if properties == nil {
		return shapeless(schema)
	}
	for i := 1; i < len(properties.Content); i += 2 {
		if !shapeless(properties.Content[i]) {
			return false
		}
	}
	for _, keyword := range shapes {
		if keyword != "properties" && value(schema, keyword) != nil {
			return false
		}
	}
	return true
}

// drop takes the properties out of a schema.
func drop(schema *yaml.Node) {
	if properties := value(schema, "properties"); properties != nil {
		properties.Content = nil
	}
}

// value returns the value of a member, nil if there is none.
func value(n *yaml.Node, key string) *yaml.Node {
	if n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// shapes are the keywords that say something about the shape of a value.
var shapes = []string{"type", "$ref", "oneOf", "anyOf", "allOf", "properties", "items", "additionalProperties", "x-any", "x-variants"}

// shapeless reports whether a schema says nothing about the shape of a value.
func shapeless(n *yaml.Node) bool {
	return n.Kind == yaml.MappingNode && !slices.ContainsFunc(shapes, func(keyword string) bool { return value(n, keyword) != nil })
}
