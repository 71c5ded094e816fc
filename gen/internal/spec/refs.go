package spec

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/canon"
	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
)

const (
	// maxFindings is the maximum number of errors in a report.
	maxFindings = 50
	// maxTargets is the maximum number of different reference targets. The cost of
	// validation is quadratic in the longest chain of references. Real specifications
	// stay far below.
	maxTargets = 2000
)

// References reports references that lead outside the document, do not resolve, or
// form a cycle. The snapshot has none of these, but overlays may add them or remove
// their targets.
func (d *Document) References() error {
	var list diag.List
	report := func(n Node, code, format string) *diag.Annotation {
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
	ends := map[*yaml.Node]bool{} // whether references from a node resolve
	check := func(n, ref Node) {
		if targets[ref.Text()] = true; len(targets) == maxTargets+1 {
			report(ref, "too-many-targets", "the reference %q exceeds the limit of "+strconv.Itoa(maxTargets)+" different targets")
		}
		switch {
		case !strings.HasPrefix(ref.Text(), "#/"):
			report(ref, "external-ref", "the reference %q leads outside the document").
				WithHint("bundle the description into one document, or declare the target in an overlay and refer to it with a reference that starts with #/")
		case !d.Lookup(ref.Text()).Exists():
			a := report(ref, "dangling-ref", "the reference %q does not resolve").WithHint("correct it, or declare the target, in an overlay")
			if len(list) < maxFindings {
				if near := canon.Nearest(d.root, ref.Text()); near != "" {
					a.WithHint("did it mean %s? Correct it, or declare the target, in an overlay", near)
				}
			}
		case !d.resolves(n, ends):
			report(ref, "ref-cycle", "the reference %q is part of a cycle of references").
				WithHint("replace one of the references with its definition")
		}
	}
	d.walk(func(n Node) {
		if ref := n.Get("$ref"); ref.Exists() && !ref.IsMap() {
			check(n, ref)
		}
		for _, ref := range n.At("discriminator", "mapping").Members() {
			if strings.ContainsAny(ref.Text(), "/:#") {
				check(ref, ref)
			}
		}
	})
	return list.Err()
}

// nameMaps are the keywords whose members are names of the API. data are the
// keywords whose values contain no references.
var (
	nameMaps = set("properties patternProperties $defs definitions schemas responses parameters headers requestBodies securitySchemes callbacks paths webhooks content encoding variables scopes x-variants x-resources x-enum")
	data     = set("default const enum example examples mapping security x-expect x-page x-order x-aliases x-require-one x-ignored tags")
)

func set(words string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(words) {
		out[w] = true
	}
	return out
}

// resolves reports whether the references from n end at a node that is not a
// reference.
func (d *Document) resolves(n Node, ends map[*yaml.Node]bool) bool {
	var path []*yaml.Node
	end := true
	for n.Exists() {
		if known, ok := ends[n.n]; ok {
			end = known
			break
		}
		ends[n.n] = false // until it is known to resolve
		path = append(path, n.n)
		ref := n.Ref()
		if ref == "" {
			break
		}
		n = d.Lookup(ref)
	}
	for _, w := range path {
		ends[w] = end
	}
	return end
}
