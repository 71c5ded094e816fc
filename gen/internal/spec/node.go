package spec

import (
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/canon"
	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
)

// Node is a YAML node of a Document, with its JSON pointer and its position in the
// file that it came from. The zero Node stands for a missing node; all methods work
// on it.
type Node struct {
	doc *Document
	n   *yaml.Node
	key *yaml.Node // the key of the node in its mapping, if any
	ptr string
}

// Exists reports whether the node exists.
func (n Node) Exists() bool { return n.n != nil }

// Pointer returns the JSON pointer (RFC 6901) of the node, starting with '#'.
func (n Node) Pointer() string { return n.ptr }

// Pos returns the position of the node in the snapshot, or in the overlay that added
// it.
func (n Node) Pos() diag.Pos {
	switch {
	case n.doc == nil:
		return diag.Pos{}
	case n.n == nil:
		return diag.Pos{File: n.doc.File}
	case n.key != nil && n.doc.Prov.Pos(n.key).File == n.doc.Prov.Pos(n.n).File:
		return n.doc.Prov.Pos(n.key)
	default:
		return n.doc.Prov.Pos(n.n)
	}
}

// Get returns the member named key, or the zero Node.
func (n Node) Get(key string) Node {
	if n.n == nil || n.n.Kind != yaml.MappingNode {
		return Node{doc: n.doc}
	}
	if len(n.n.Content) > 64 { // large mappings can have many references into them
		if i, ok := n.doc.memberIndex(n.n)[key]; ok {
			return n.member(i)
		}
		return Node{doc: n.doc}
	}
	for i := 0; i+1 < len(n.n.Content); i += 2 {
		if n.n.Content[i].Value == key {
			return n.member(i)
		}
	}
	return Node{doc: n.doc}
}

func (n Node) member(i int) Node {
	k := n.n.Content[i]
	return Node{doc: n.doc, n: n.n.Content[i+1], key: k, ptr: n.ptr + "/" + canon.EscapePointer(k.Value)}
}

// At returns the node at a path of member names, or the zero Node.
func (n Node) At(path ...string) Node {
	for _, key := range path {
		n = n.Get(key)
	}
	return n
}

// Name returns the key of the node in its mapping.
func (n Node) Name() string {
	if n.key == nil {
		return ""
	}
	return n.key.Value
}

// Members returns the members of a mapping in document order.
func (n Node) Members() []Node {
	if n.n == nil || n.n.Kind != yaml.MappingNode {
		return nil
	}
	members := make([]Node, 0, len(n.n.Content)/2)
	for i := 0; i+1 < len(n.n.Content); i += 2 {
		members = append(members, n.member(i))
	}
	return members
}

// Items returns the elements of a sequence.
func (n Node) Items() []Node {
	if n.n == nil || n.n.Kind != yaml.SequenceNode {
		return nil
	}
	items := make([]Node, len(n.n.Content))
	for i, c := range n.n.Content {
		items[i] = Node{doc: n.doc, n: c, ptr: n.ptr + "/" + strconv.Itoa(i)}
	}
	return items
}

// IsMap reports whether the node is a mapping.
func (n Node) IsMap() bool { return n.n != nil && n.n.Kind == yaml.MappingNode }

// IsList reports whether the node is a sequence.
func (n Node) IsList() bool { return n.n != nil && n.n.Kind == yaml.SequenceNode }

// Text returns the value of a scalar, or "" for null and for other nodes.
func (n Node) Text() string {
	if n.n == nil || n.n.Kind != yaml.ScalarNode || n.n.Tag == "!!null" {
		return ""
	}
	return n.n.Value
}

// IsNull reports whether the node is an explicit null.
func (n Node) IsNull() bool {
	return n.n != nil && n.n.Kind == yaml.ScalarNode && n.n.Tag == "!!null"
}

// Str returns the text of the member named key.
func (n Node) Str(key string) string { return n.Get(key).Text() }

// Bool reports whether the member named key is true.
func (n Node) Bool(key string) bool { return n.Get(key).Text() == "true" }

// IsText reports whether the node is a string.
func (n Node) IsText() bool {
	return n.n != nil && n.n.Kind == yaml.ScalarNode && n.n.ShortTag() == "!!str"
}

// Strings returns the texts of a sequence's elements. A scalar counts as a sequence
// of one.
func (n Node) Strings() []string {
	if t := n.Text(); t != "" {
		return []string{t}
	}
	var out []string
	for _, item := range n.Items() {
		out = append(out, item.Text())
	}
	return out
}

// Ref returns the target of the node's $ref, or "".
func (n Node) Ref() string { return n.Str("$ref") }

// Unescape returns the name that an element of a JSON pointer stands for.
func Unescape(element string) string { return canon.UnescapePointer(element) }

// Deref resolves $ref, repeatedly if needed. Validate has checked that all
// references resolve.
func (n Node) Deref() Node {
	for ref := n.Ref(); ref != ""; ref = n.Ref() {
		n = n.doc.Lookup(ref)
	}
	return n
}

// Same reports whether two nodes have the same content.
func (n Node) Same(o Node) bool { return same(n.n, o.n) }

func same(a, b *yaml.Node) bool {
	if a == b || a == nil || b == nil {
		return a == b
	}
	if a.Kind != b.Kind || a.Tag != b.Tag || a.Value != b.Value || len(a.Content) != len(b.Content) {
		return false
	}
	for i := range a.Content {
		if !same(a.Content[i], b.Content[i]) {
			return false
		}
	}
	return true
}

// Kind returns the JSON type of a scalar, a list or an object: string, integer,
// number, boolean, null, array or object.
func (n Node) Kind() string {
	switch {
	case n.n == nil:
		return ""
	case n.n.Kind == yaml.MappingNode:
		return "object"
	case n.n.Kind == yaml.SequenceNode:
		return "array"
	}
	return map[string]string{"!!str": "string", "!!timestamp": "string", "!!int": "integer", "!!float": "number", "!!bool": "boolean", "!!null": "null"}[n.n.ShortTag()]
}
