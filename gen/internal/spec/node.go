package spec

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
)

// Node is a place in a Document: a YAML node that knows its JSON pointer and
// the file and line it came from. The zero Node stands for "nothing there";
// every method works on it.
type Node struct {
	doc *Document
	n   *yaml.Node
	key *yaml.Node // the mapping key that led here, if any: where a reader looks
	ptr string
}

// Exists tells whether there is a node.
func (n Node) Exists() bool { return n.n != nil }

// Pointer is the JSON pointer (RFC 6901) of the node, starting with '#'.
func (n Node) Pointer() string { return n.ptr }

// Pos is where the node stands in the snapshot or in the overlay that put it there.
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
	if len(n.n.Content) > 64 { // there may be very many, and very many references to them
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
	return Node{doc: n.doc, n: n.n.Content[i+1], key: k, ptr: n.ptr + "/" + escapePointer(k.Value)}
}

// At follows a path of member names.
func (n Node) At(path ...string) Node {
	for _, key := range path {
		n = n.Get(key)
	}
	return n
}

// Name is the member name that led to the node.
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

// IsMap and IsList tell the node's kind.
func (n Node) IsMap() bool { return n.n != nil && n.n.Kind == yaml.MappingNode }

// IsList tells whether the node is a sequence.
func (n Node) IsList() bool { return n.n != nil && n.n.Kind == yaml.SequenceNode }

// Text is the value of a scalar, "" for anything else and for null.
func (n Node) Text() string {
	if n.n == nil || n.n.Kind != yaml.ScalarNode || n.n.Tag == "!!null" {
		return ""
	}
	return n.n.Value
}

// IsNull tells whether the node is an explicit null.
func (n Node) IsNull() bool {
	return n.n != nil && n.n.Kind == yaml.ScalarNode && n.n.Tag == "!!null"
}

// Str is the text of the member named key.
func (n Node) Str(key string) string { return n.Get(key).Text() }

// Bool tells whether the member named key is true.
func (n Node) Bool(key string) bool { return n.Get(key).Text() == "true" }

// IsText tells whether the node is a text, and not a number or a truth value.
func (n Node) IsText() bool {
	return n.n != nil && n.n.Kind == yaml.ScalarNode && n.n.ShortTag() == "!!str"
}

// Strings returns the texts of a sequence's elements; a scalar counts as a sequence of one.
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

// Deref follows $ref until it reaches a node that has none. Validate has made
// sure that every reference leads to such a node.
func (n Node) Deref() Node {
	for ref := n.Ref(); ref != ""; ref = n.Ref() {
		n = n.doc.Lookup(ref)
	}
	return n
}

func escapePointer(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "~", "~0"), "/", "~1")
}

func unescapePointer(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "~1", "/"), "~0", "~")
}
