package overlay

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
)

// Provenance tells for every node of a document which file it came from.
type Provenance struct {
	file string
	from map[*yaml.Node]string // nodes that came from elsewhere
}

// NewProvenance returns a Provenance by which every node comes from file.
func NewProvenance(file string) *Provenance {
	return &Provenance{file: file, from: map[*yaml.Node]string{}}
}

// File returns the file that a node came from.
func (p *Provenance) File(n *yaml.Node) string {
	if file, ok := p.from[n]; ok {
		return file
	}
	return p.file
}

// Pos returns where a node came from. For nil it is the document's file alone.
func (p *Provenance) Pos(n *yaml.Node) diag.Pos {
	if n == nil {
		return diag.Pos{File: p.file}
	}
	return diag.Pos{File: p.File(n), Line: n.Line, Col: n.Column}
}

// Targets returns the nodes that a JSONPath query (RFC 9535) selects, each
// once. root may be a document node or its content.
func Targets(root *yaml.Node, path string) ([]*yaml.Node, error) {
	q, err := parseQuery(path)
	if err != nil {
		return nil, err
	}
	return newDocument(root).selectNodes(q), nil
}

// Pointer returns the JSON pointer (RFC 6901) of a node below root, in the
// fragment form that $ref uses ("#/paths/~1users"), and whether it was found.
// It visits the whole tree.
func Pointer(root, node *yaml.Node) (string, bool) {
	var path []string
	var find func(n *yaml.Node) bool
	find = func(n *yaml.Node) bool {
		if n == node {
			return true
		}
		step := 1
		if n.Kind == yaml.MappingNode {
			step = 2
		}
		for i := step - 1; i < len(n.Content); i += step {
			if find(n.Content[i]) {
				part := strconv.Itoa(i)
				if n.Kind == yaml.MappingNode {
					part = n.Content[i-1].Value
				}
				path = append(path, part)
				return true
			}
		}
		return false
	}
	if root == nil || node == nil {
		return "", false
	}
	if root.Kind == yaml.DocumentNode && len(root.Content) == 1 {
		root = root.Content[0]
	}
	if !find(root) {
		return "", false
	}
	var b strings.Builder
	b.WriteByte('#')
	for i := len(path) - 1; i >= 0; i-- {
		b.WriteByte('/')
		b.WriteString(pointerEscaper.Replace(path[i]))
	}
	return b.String(), true
}

var pointerEscaper = strings.NewReplacer("~", "~0", "/", "~1")
