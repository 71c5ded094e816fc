package jsonpath

import (
	"fmt"
	"strings"

	library "github.com/speakeasy-api/jsonpath/pkg/jsonpath"
	"gopkg.in/yaml.v3"
)

// Path is a parsed path. It is immutable and may be used by several goroutines.
type Path struct {
	text     string
	segments []segment
	singular bool              // every segment is one name or one index
	compiled *library.JSONPath // nil when singular
}

// segment is one step of a path.
type segment struct {
	descendant bool
	selectors  []selector
	start, end int // where it stands in the path's text
}

type selectorKind int

const (
	selectName selectorKind = iota
	selectIndex
	selectSlice
	selectWildcard
	selectFilter
)

type selector struct {
	kind  selectorKind
	name  string // selectName
	index int64  // selectIndex
	text  string // as the library is to read it
}

// SyntaxError tells why a text is no path, or none that this package takes.
type SyntaxError struct {
	Text   string
	Offset int // bytes before the fault
	Reason string
}

// Error returns the reason and where in the text it arose, counted in
// characters from 1.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("character %d: %s", len([]rune(e.Text[:min(e.Offset, len(e.Text))]))+1, e.Reason)
}

// Parse reads a path. Its errors are *SyntaxError.
func Parse(text string) (*Path, error) {
	segments, err := parse(text)
	if err != nil {
		return nil, err
	}
	return build(text, segments)
}

func build(text string, segments []segment) (*Path, error) {
	p := &Path{text: text, segments: segments, singular: true}
	for _, s := range segments {
		if !s.singular() {
			p.singular = false
		}
	}
	if p.singular {
		return p, nil
	}
	compiled, err := library.NewPath(p.rewritten())
	if err != nil {
		reason, _, _ := strings.Cut(err.Error(), "\n")
		return nil, &SyntaxError{Text: text, Reason: "cannot be evaluated: " + reason}
	}
	p.compiled = compiled
	return p, nil
}

func (s segment) singular() bool {
	return !s.descendant && len(s.selectors) == 1 &&
		(s.selectors[0].kind == selectName || s.selectors[0].kind == selectIndex)
}

// String returns the path as it was written.
func (p *Path) String() string { return p.text }

// rewritten is the path as the library is to read it.
func (p *Path) rewritten() string {
	var b strings.Builder
	b.WriteByte('$')
	for _, s := range p.segments {
		s.rewrite(&b)
	}
	return b.String()
}

func (s segment) rewrite(b *strings.Builder) {
	if s.descendant {
		b.WriteString("..")
	}
	b.WriteByte('[')
	for i, sel := range s.selectors {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(sel.text)
	}
	b.WriteByte(']')
}

// Select returns the nodes that the path selects, each once, in the order in
// which the path reaches them. root may be a document node or its content.
func (p *Path) Select(root *yaml.Node) []*yaml.Node {
	if root == nil {
		return nil
	}
	if p.singular {
		if n := p.walk(root); n != nil {
			return []*yaml.Node{n}
		}
		return nil
	}
	return unique(p.compiled.Query(root))
}

// walk follows a singular path.
func (p *Path) walk(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.DocumentNode && len(n.Content) == 1 {
		n = n.Content[0]
	}
	for _, s := range p.segments {
		if n = s.selectors[0].child(n); n == nil {
			return nil
		}
	}
	return n
}

// child returns the one child that a name or an index selects, or nil.
func (s selector) child(n *yaml.Node) *yaml.Node {
	switch {
	case s.kind == selectName && n.Kind == yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == s.name {
				return n.Content[i+1]
			}
		}
	case s.kind == selectIndex && n.Kind == yaml.SequenceNode:
		i := s.index
		if i < 0 {
			i += int64(len(n.Content))
		}
		if i >= 0 && i < int64(len(n.Content)) {
			return n.Content[i]
		}
	}
	return nil
}

// unique drops repeated nodes in place: several descents reach a node more than once.
func unique(nodes []*yaml.Node) []*yaml.Node {
	if len(nodes) < 2 {
		return nodes
	}
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

// Len is the number of the path's segments.
func (p *Path) Len() int { return len(p.segments) }

// Prefix returns the path of the first n segments.
func (p *Path) Prefix(n int) *Path {
	n = min(max(n, 0), len(p.segments))
	if n == len(p.segments) {
		return p
	}
	text := "$"
	if n > 0 {
		text = p.text[:p.segments[n-1].end]
	}
	// What the library took whole it takes in part.
	prefix, err := build(text, p.segments[:n:n])
	if err != nil {
		return &Path{text: "$", singular: true}
	}
	return prefix
}

// Step describes one segment of a path, for messages.
type Step struct {
	Text   string   // as written: ".get", "['/users']", "[?@.name == 'x']"
	Names  []string // the member names it asks for
	Filter bool     // it selects by a filter
	Index  bool     // it selects by index or slice
}

// Step returns the path's segment i, counted from 0.
func (p *Path) Step(i int) Step {
	s := p.segments[i]
	step := Step{Text: strings.TrimSpace(p.text[s.start:s.end])}
	for _, sel := range s.selectors {
		switch sel.kind {
		case selectName:
			step.Names = append(step.Names, sel.name)
		case selectFilter:
			step.Filter = true
		case selectIndex, selectSlice:
			step.Index = true
		}
	}
	return step
}
