package spec

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
)

const (
	// maxFindings bounds a report: more would only hide the first ones.
	maxFindings = 50
	// maxTargets bounds how many parts of a document references lead to.
	// Validation follows them, at a cost that grows with the square of the
	// longest way; no description of a domain comes near.
	maxTargets = 2000
)

// References refuses references that leave the document, lead nowhere, or
// lead only to each other. The snapshot has none of these, but overlays may
// bring them in, and take their targets away.
func (d *Document) References() error {
	var list diag.List
	fault := func(n Node, code, format string) *diag.Annotation {
		ref := n.Text()
		if runes := []rune(ref); len(runes) > 80 {
			ref = string(runes[:80]) + "…"
		}
		a := diag.Errorf(n.Pos(), code, format, ref)
		if len(list) < maxFindings {
			list = append(list, a)
		}
		return a
	}
	targets := map[string]bool{}
	ends := map[*yaml.Node]bool{} // whether following references from here comes to an end
	d.walk(func(n Node) {
		ref := n.Get("$ref")
		if !ref.Exists() || ref.IsMap() {
			return
		}
		if targets[ref.Text()] = true; len(targets) == maxTargets+1 {
			fault(ref, "too-many-targets", "the reference %q leads to one part more than the limit of "+strconv.Itoa(maxTargets))
		}
		switch {
		case !strings.HasPrefix(ref.Text(), "#/"):
			fault(ref, "external-ref", "the reference %q leaves the document").
				WithHint("only references to this document (#/…) are followed")
		case !d.Lookup(ref.Text()).Exists():
			fault(ref, "dangling-ref", "the reference %q leads nowhere")
		case !d.arrives(n, ends):
			fault(ref, "ref-cycle", "the reference %q leads only to other references").
				WithHint("one of them must lead to what is meant")
		}
	})
	return list.Err()
}

// nameMaps are the keywords whose members are names that the API gives, and
// data those below which nothing is a reference.
var (
	nameMaps = set("properties patternProperties schemas responses parameters headers requestBodies securitySchemes callbacks paths webhooks content encoding variables scopes x-variants x-resources x-enum")
	data     = set("default const enum example examples mapping security x-expect x-page x-order x-aliases x-require-one")
)

func set(words string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(words) {
		out[w] = true
	}
	return out
}

// arrives tells whether following references from n comes to a node that has none.
func (d *Document) arrives(n Node, ends map[*yaml.Node]bool) bool {
	var way []*yaml.Node
	end := true
	for n.Exists() {
		if known, ok := ends[n.n]; ok {
			end = known
			break
		}
		ends[n.n] = false // until it is known that it does
		way = append(way, n.n)
		ref := n.Ref()
		if ref == "" {
			break
		}
		n = d.Lookup(ref)
	}
	for _, w := range way {
		ends[w] = end
	}
	return end
}
