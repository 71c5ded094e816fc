package overlay

import (
	"go.yaml.in/yaml/v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
)

// Provenance records the file that each node of a document came from.
type Provenance struct {
	file string
	from map[*yaml.Node]string // files of the nodes that came from elsewhere
}

// NewProvenance returns a Provenance in which all nodes come from file.
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

// Pos returns the position of a node in its file. For nil, it is the document's file.
func (p *Provenance) Pos(n *yaml.Node) diag.Pos {
	if n == nil {
		return diag.Pos{File: p.file}
	}
	return diag.Pos{File: p.File(n), Line: n.Line, Col: n.Column}
}

// Targets returns the nodes that a JSONPath query (RFC 9535) selects, each once. root
// can be a document node or its content.
func Targets(root *yaml.Node, path string) ([]*yaml.Node, error) {
	q, err := parseQuery(path)
	if err != nil {
		return nil, err
	}
	return newDocument(root).selectNodes(q), nil
}

// Inherit records that a node came from the file of another one.
func (p *Provenance) Inherit(n, from *yaml.Node) {
	if file, ok := p.from[from]; ok {
		p.from[n] = file
	}
}
