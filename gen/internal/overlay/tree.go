package overlay

import (
	"errors"
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Limits of a tree. Each copy can double the size of a tree.
const (
	maxTreeNodes = 1 << 18
	maxTreeDepth = 512
)

// tree is a document that is being modified. It knows the parent of every node and the
// origin of new nodes, and can undo all changes.
type tree struct {
	doc     *document
	parent  map[*yaml.Node]*yaml.Node
	prov    *Provenance
	before  map[*yaml.Node]yaml.Node // nodes as they were before the first change
	origins map[*yaml.Node]string    // origins of these nodes in prov before the change; "" for none
	added   []*yaml.Node             // nodes that were added to prov
}

func newTree(root *yaml.Node, prov *Provenance) (*tree, error) {
	if root == nil {
		return nil, errors.New("the document is nil")
	}
	doc := newDocument(root)
	root = doc.root
	t := &tree{
		doc: doc, prov: prov,
		parent: map[*yaml.Node]*yaml.Node{root: nil},
		before: map[*yaml.Node]yaml.Node{}, origins: map[*yaml.Node]string{},
	}
	return t, t.index(root, 1)
}

// index records the parents of all nodes below n.
func (t *tree) index(n *yaml.Node, depth int) error {
	switch {
	case depth > maxTreeDepth:
		return fmt.Errorf("the document is nested more than %d levels deep", maxTreeDepth)
	case n.Kind == yaml.AliasNode:
		return fmt.Errorf("line %d: the document contains an alias", n.Line)
	case n.Kind == yaml.MappingNode && len(n.Content)%2 != 0:
		return fmt.Errorf("line %d: an object has a name without a value", n.Line)
	}
	for _, c := range n.Content {
		if _, known := t.parent[c]; known || c == nil {
			return fmt.Errorf("line %d: the document contains a shared node", n.Line)
		}
		t.parent[c] = n
		if err := t.index(c, depth+1); err != nil {
			return err
		}
	}
	if len(t.parent) > maxTreeNodes {
		return fmt.Errorf("the document has more than %d nodes", maxTreeNodes)
	}
	return nil
}

// depth returns the number of ancestors of n, including n.
func (t *tree) depth(n *yaml.Node) int {
	depth := 0
	for ; n != nil; n = t.parent[n] {
		depth++
	}
	return depth
}

// touch saves a node before its first change.
func (t *tree) touch(n *yaml.Node) {
	if _, done := t.before[n]; done {
		return
	}
	saved := *n
	saved.Content = slices.Clone(n.Content)
	t.before[n] = saved
	t.origins[n] = t.prov.from[n]
}

// setOrigin records which file a node comes from.
func (t *tree) setOrigin(n *yaml.Node, file string) {
	if file == t.prov.file {
		delete(t.prov.from, n)
		return
	}
	t.prov.from[n] = file
}

// rollback undoes all changes.
func (t *tree) rollback() {
	for n, saved := range t.before {
		*n = saved
		if origin := t.origins[n]; origin == "" {
			delete(t.prov.from, n)
		} else {
			t.prov.from[n] = origin
		}
	}
	for _, n := range t.added {
		delete(t.prov.from, n)
	}
}

// graft returns a copy of n as a child of parent. origin returns the file of each
// copied node.
func (t *tree) graft(parent, n *yaml.Node, origin func(*yaml.Node) string) *yaml.Node {
	c := *n
	c.Content = nil
	if len(n.Content) > 0 {
		c.Content = make([]*yaml.Node, len(n.Content))
	}
	t.parent[&c] = parent
	if file := origin(n); file != t.prov.file {
		t.prov.from[&c] = file
		t.added = append(t.added, &c)
	}
	for i, child := range n.Content {
		c.Content[i] = t.graft(&c, child, origin)
	}
	return &c
}

// merge merges src into dst. The caller has checked that they are compatible.
func (t *tree) merge(dst, src *yaml.Node, origin func(*yaml.Node) string) {
	switch {
	case dst.Kind == yaml.SequenceNode:
		t.touch(dst)
		elements := []*yaml.Node{src}
		if src.Kind == yaml.SequenceNode {
			elements = src.Content
		}
		for _, e := range elements {
			dst.Content = append(dst.Content, t.graft(dst, e, origin))
		}
	case dst.Kind == yaml.MappingNode:
		find := finder(dst, len(src.Content))
		for i := 0; i+1 < len(src.Content); i += 2 {
			if v := find(src.Content[i].Value); v != nil {
				t.merge(v, src.Content[i+1], origin)
				continue
			}
			t.touch(dst)
			dst.Content = append(dst.Content, t.graft(dst, src.Content[i], origin), t.graft(dst, src.Content[i+1], origin))
		}
	case scalar(dst) != scalar(src):
		t.touch(dst)
		*dst = *src
		t.setOrigin(dst, origin(src))
	}
}

// remove deletes nodes from their parents.
func (t *tree) remove(nodes []*yaml.Node) {
	removed := make(map[*yaml.Node]bool, len(nodes))
	var parents []*yaml.Node
	for _, n := range nodes {
		removed[n] = true
		if p := t.parent[n]; !slices.Contains(parents[max(0, len(parents)-1):], p) {
			parents = append(parents, p)
		}
	}
	for _, p := range parents {
		t.touch(p)
		kept := make([]*yaml.Node, 0, len(p.Content))
		for i, c := range p.Content {
			value := c
			if p.Kind == yaml.MappingNode && i%2 == 0 {
				value = p.Content[i+1]
			}
			if !removed[value] {
				kept = append(kept, c)
				continue
			}
			t.forget(c)
		}
		p.Content = kept
	}
}

// forget removes a node and its descendants from the index.
func (t *tree) forget(n *yaml.Node) {
	delete(t.parent, n)
	for _, c := range n.Content {
		t.forget(c)
	}
}

// finder returns a function that returns a member's value by name. It builds an index if
// there are many lookups.
func finder(n *yaml.Node, lookups int) func(name string) *yaml.Node {
	if lookups > 16 && len(n.Content) > 32 {
		index := make(map[string]*yaml.Node, len(n.Content)/2)
		for i := len(n.Content) - 2; i >= 0; i -= 2 {
			index[n.Content[i].Value] = n.Content[i+1]
		}
		return func(name string) *yaml.Node { return index[name] }
	}
	return func(name string) *yaml.Node { return member(n, name) }
}

func member(n *yaml.Node, name string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i+1]
		}
	}
	return nil
}

// size returns the numbers of nodes and levels of a tree.
func size(n *yaml.Node) (nodes, levels int) {
	nodes = 1
	for _, c := range n.Content {
		m, l := size(c)
		nodes += m
		levels = max(levels, l)
	}
	return nodes, levels + 1
}
