package spec

import (
	"go.yaml.in/yaml/v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/canon"
)

// Make returns a schema that is not in the document: what others say together. It
// has the position of n and the given pointer, at which the document has nothing.
func (n Node) Make(pointer string) Node {
	made := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: n.Pos().Line, Column: n.Pos().Col}
	n.doc.Prov.Inherit(made, n.n)
	return Node{doc: n.doc, n: made, ptr: pointer}
}

// With returns a made schema with one more member, whose value is a text, a node or
// a list of nodes.
func (n Node) With(key string, value any) Node {
	v := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Line: n.n.Line, Column: n.n.Column}
	switch value := value.(type) {
	case string:
		v = textNode(value)
		v.Line, v.Column = n.n.Line, n.n.Column
	case Node:
		v = value.n
	case []Node:
		for _, item := range value {
			v.Content = append(v.Content, item.n)
		}
	}
	n.n.Content = append(n.n.Content, textNode(key), v)
	return n
}

// Escape returns a name as an element of a JSON pointer.
func Escape(name string) string { return canon.EscapePointer(name) }
