package overlay

import (
	"math"
	"strconv"
	"strings"

	"github.com/theory/jsonpath/spec"
	"go.yaml.in/yaml/v3"
)

// document is a YAML tree that queries are evaluated on.
//
// It evaluates the library's selectors on the tree, one segment after another. That
// keeps the order of an object's members, which a Go map would lose, and bounds the
// work by the size of the document. Filters, which compare values, are evaluated by
// the library on plain values.
type document struct {
	root   *yaml.Node
	values map[*yaml.Node]any // plain values of objects and arrays, as far as filters needed them
}

func newDocument(root *yaml.Node) *document {
	if root != nil && root.Kind == yaml.DocumentNode && len(root.Content) == 1 {
		root = root.Content[0]
	}
	return &document{root: root}
}

// forgetValues must be called after the tree has changed.
func (d *document) forgetValues() { d.values = nil }

// selectNodes returns the nodes that a query selects, each once, in the order of RFC
// 9535. If the RFC does not define the order, as for the members of an object, it is
// that of the document.
func (d *document) selectNodes(q *query) []*yaml.Node {
	return d.selectFirst(len(q.segments), q)
}

// selectFirst is selectNodes for the query's first n segments.
func (d *document) selectFirst(n int, q *query) []*yaml.Node {
	if d.root == nil {
		return nil
	}
	var root any // expensive, and rarely needed
	if q.absolute {
		root = d.value(d.root)
	}
	found, unused := []*yaml.Node{d.root}, []*yaml.Node(nil)
	for _, s := range q.segments[:n] {
		from := found
		found = unused[:0]
		for _, n := range from {
			found = d.appendSegment(found, n, s, root)
		}
		if len(s.Selectors()) > 1 || s.IsDescendant() && len(from) > 1 {
			found = unique(found)
		}
		unused = from
	}
	return found
}

// appendSegment appends the nodes that a segment selects below a node.
func (d *document) appendSegment(found []*yaml.Node, n *yaml.Node, s *spec.Segment, root any) []*yaml.Node {
	for _, selector := range s.Selectors() {
		found = d.appendSelector(found, n, selector, root)
	}
	if s.IsDescendant() {
		for c := range children(n) {
			found = d.appendSegment(found, c, s, root)
		}
	}
	return found
}

// appendSelector appends the children of a node that a selector selects.
func (d *document) appendSelector(found []*yaml.Node, n *yaml.Node, selector spec.Selector, root any) []*yaml.Node {
	switch selector := selector.(type) {
	case spec.Name:
		if n.Kind != yaml.MappingNode {
			break
		}
		if c := member(n, string(selector)); c != nil {
			found = append(found, c)
		}
	case spec.WildcardSelector:
		for c := range children(n) {
			found = append(found, c)
		}
	case *spec.FilterSelector:
		for c := range children(n) {
			if selector.Eval(d.value(c), root) {
				found = append(found, c)
			}
		}
	case spec.Index:
		i := int(selector)
		if i < 0 {
			i += len(n.Content)
		}
		if n.Kind == yaml.SequenceNode && i >= 0 && i < len(n.Content) {
			found = append(found, n.Content[i])
		}
	case spec.SliceSelector:
		if n.Kind != yaml.SequenceNode {
			break
		}
		elements := make([]any, len(n.Content))
		for i, c := range n.Content {
			elements[i] = c
		}
		for _, c := range selector.Select(elements, nil) {
			found = append(found, c.(*yaml.Node))
		}
	}
	return found
}

// children yields the values of an object's members or an array's elements.
func children(n *yaml.Node) func(yield func(*yaml.Node) bool) {
	return func(yield func(*yaml.Node) bool) {
		first, step := 0, 1
		switch n.Kind {
		case yaml.MappingNode:
			first, step = 1, 2
		case yaml.SequenceNode:
		default:
			return
		}
		for i := first; i < len(n.Content); i += step {
			if !yield(n.Content[i]) {
				return
			}
		}
	}
}

// unique removes repeated nodes in place.
func unique(nodes []*yaml.Node) []*yaml.Node {
	seen := make(map[*yaml.Node]bool, len(nodes))
	kept := nodes[:0]
	for _, n := range nodes {
		if !seen[n] {
			seen[n] = true
			kept = append(kept, n)
		}
	}
	return kept
}

// value returns a node as encoding/json would decode it into an interface.
func (d *document) value(n *yaml.Node) any {
	switch n.Kind {
	case yaml.MappingNode, yaml.SequenceNode:
		if v, known := d.values[n]; known {
			return v
		}
	default:
		return scalarValue(n)
	}
	var v any
	if n.Kind == yaml.SequenceNode {
		elements := make([]any, len(n.Content))
		for i, c := range n.Content {
			elements[i] = d.value(c)
		}
		v = elements
	} else {
		members := make(map[string]any, len(n.Content)/2)
		for i := len(n.Content) - 2; i >= 0; i -= 2 { // the first of duplicate names counts
			members[n.Content[i].Value] = d.value(n.Content[i+1])
		}
		v = members
	}
	if d.values == nil {
		d.values = map[*yaml.Node]any{}
	}
	d.values[n] = v
	return v
}

func scalarValue(n *yaml.Node) any {
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!int", "!!float":
		// All numbers have the same type, so that 1 equals 1.0 in objects too.
		if f, err := strconv.ParseFloat(n.Value, 64); err == nil {
			return f
		}
		f := math.NaN()
		if err := n.Decode(&f); err != nil {
			return n.Value
		}
		return f
	}
	return n.Value // a string; JSON has no dates
}
