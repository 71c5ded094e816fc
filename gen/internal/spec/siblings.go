package spec

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// siblings are the keywords that change what a schema says beside its $ref. They count
// from OpenAPI 3.1 on; before, they have no effect.
var siblings = set(`type properties patternProperties additionalProperties items enum const default
	allOf oneOf anyOf minimum maximum exclusiveMinimum exclusiveMaximum minLength maxLength minItems maxItems minProperties maxProperties`)

// joinSiblings rewrites each $ref of a schema that has such keywords beside it as an
// item of allOf, which means the same.
func (d *Document) joinSiblings() {
	if strings.HasPrefix(d.Root().Str("openapi"), "3.0") {
		return
	}
	d.walk(func(n Node) {
		ref := n.Get("$ref")
		if ref.Text() == "" || !slices.ContainsFunc(n.Members(), func(m Node) bool {
			return siblings[m.Name()] || m.Name() == "required" && m.IsList()
		}) {
			return
		}
		i := 0
		for n.n.Content[i].Value != "$ref" {
			i += 2
		}
		key, value := n.n.Content[i], n.n.Content[i+1]
		item := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: []*yaml.Node{key, value}, Line: key.Line, Column: key.Column}
		content := slices.Delete(slices.Clone(n.n.Content), i, i+2)
		if all := n.Get("allOf"); all.IsList() {
			list := *all.n
			list.Content = append([]*yaml.Node{item}, list.Content...)
			content[slices.Index(content, all.n)] = &list
		} else {
			name := *key
			name.Value = "allOf"
			content = append(content, &name, &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: []*yaml.Node{item}, Line: key.Line, Column: key.Column})
		}
		n.n.Content = content
	})
}
