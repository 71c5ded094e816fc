package spec

import (
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
)

// Retract removes what overlays added at the positions of findings. It returns the
// findings at which it removed something. If a finding is about a part that the
// snapshot declares, Retract removes what overlays added to that part.
func (d *Document) Retract(findings diag.List) (retracted diag.List) {
	for _, f := range findings {
		if d.retract(d.root, f.Pos) {
			retracted = append(retracted, f)
		}
	}
	d.index = nil // it may contain members that were removed
	return retracted
}

// retract looks for pos below n, and reports whether it removed anything.
func (d *Document) retract(n *yaml.Node, pos diag.Pos) bool {
	step := 1
	if n.Kind == yaml.MappingNode {
		step = 2
	}
	for i := 0; i+step <= len(n.Content); i += step {
		entry := n.Content[i : i+step]
		value := entry[step-1]
		if !slices.ContainsFunc(entry, func(n *yaml.Node) bool { return d.Prov.Pos(n) == pos }) {
			if d.retract(value, pos) {
				return true
			}
			continue
		}
		if pos.File != d.File {
			n.Content = slices.Delete(n.Content, i, i+step)
			return true
		}
		return d.strip(value)
	}
	return false
}

// strip removes the members and elements that overlays put below n, and
// reports whether there were any.
func (d *Document) strip(n *yaml.Node) (stripped bool) {
	step := 1
	if n.Kind == yaml.MappingNode {
		step = 2
	}
	var kept []*yaml.Node
	for i := 0; i+step <= len(n.Content); i += step {
		entry := n.Content[i : i+step]
		if d.Prov.File(entry[0]) != d.File {
			stripped = true
			continue
		}
		stripped = d.strip(entry[step-1]) || stripped
		kept = append(kept, entry...)
	}
	n.Content = kept
	return stripped
}
