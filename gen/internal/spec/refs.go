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
	// maxTargets is the maximum number of different reference targets.
	maxTargets = 20_000
	// maxNested is the maximum number of targets that lead to one another in a row.
	// The cost of validation is quadratic in it. Real specifications stay far below.
	maxNested = 2000
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
	if len(list) == 0 && len(targets) > maxNested {
		if at := d.tooNested(targets); at != "" {
			list = append(list, diag.Errorf(d.Lookup(at).Pos(), "too-many-targets", "%.80q is reached through more than %d references in a row", at, maxNested).
				WithHint("replace one of the references with its definition in an overlay"))
		}
	}
	return list.Err()
}

// tooNested returns a target that is reached through more than maxNested references
// in a row, or "".
func (d *Document) tooNested(targets map[string]bool) (found string) {
	seen := map[string]bool{}
	var visit func(target string, depth int)
	var inside func(n Node, depth int)
	visit = func(target string, depth int) {
		if seen[target] || found != "" {
			return
		}
		if seen[target] = true; depth > maxNested {
			found = target
			return
		}
		inside(d.Lookup(target), depth)
	}
	inside = func(n Node, depth int) {
		if ref := n.Ref(); targets[ref] {
			visit(ref, depth+1)
		}
		for _, m := range n.Members() {
			inside(m, depth)
		}
		for _, item := range n.Items() {
			inside(item, depth)
		}
	}
	inside(d.Root().Get("paths"), 0)
	return found
}

// nameMaps are the keywords whose members are names of the API. data are the
// keywords whose values contain no references.
var (
	nameMaps = set("properties patternProperties $defs definitions schemas responses parameters headers requestBodies securitySchemes callbacks paths webhooks content encoding variables scopes x-variants x-resources x-enum")
	data     = set("default const enum example examples mapping security x-expect x-page x-order x-aliases x-require-one x-require-with x-ignored tags")
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
