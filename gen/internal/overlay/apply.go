package overlay

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
)

// Apply applies docs in order to root, in place, and records in prov where new
// nodes came from. It returns a result for every action that ran, in order.
//
// On any fault it returns a diag.List, and root and prov are again as they
// were: an overlay is applied as a whole or not at all. root must have string
// keys, no aliases and no node in two places, as canon.Parse makes it.
func Apply(root *yaml.Node, prov *Provenance, docs []*Document, opts Options) ([]Result, error) {
	if prov == nil {
		prov = NewProvenance("")
	}
	t, err := newTree(root, prov)
	if err != nil {
		return nil, diag.List{diag.Errorf(prov.Pos(root), "overlay-document", "overlays cannot be applied: %v", err)}
	}
	var results []Result
	var faults diag.List
	for _, doc := range docs {
		for i := range doc.Actions {
			res := t.run(&doc.Actions[i], opts)
			results = append(results, res)
			if res.Err == nil {
				continue
			}
			faults = append(faults, res.Err)
			if !opts.KeepGoing {
				t.rollback()
				return results, faults.Err()
			}
		}
	}
	if len(faults) > 0 {
		t.rollback()
	}
	return results, faults.Err()
}

// run carries out one action.
func (t *tree) run(a *Action, opts Options) Result {
	if a.target == nil {
		return a.fail(0, Failed, "overlay-unparsed", "the action was not read by Parse")
	}
	matches := t.doc.selectNodes(a.target)
	if len(matches) == 0 {
		return t.gone(a, opts)
	}
	if a.Remove {
		return t.runRemove(a, matches)
	}
	value, origin := a.Update, func(*yaml.Node) string { return a.Pos.File }
	if a.copy != nil {
		sources := t.doc.selectNodes(a.copy)
		if len(sources) != 1 {
			res := a.fail(len(matches), Failed, "overlay-copy-source", "copy must select one node, but %s selects %d", clip(a.Copy), len(sources))
			if len(sources) == 0 {
				res.Err.Hint = t.doc.nearest(a.copy)
			}
			return res
		}
		value, origin = t.detach(sources[0])
	}
	return t.runMerge(a, matches, value, origin, opts)
}

// detach copies a node that is to be merged, because it may stand above or
// below its target. The function tells where each node of the copy came from.
func (t *tree) detach(n *yaml.Node) (*yaml.Node, func(*yaml.Node) string) {
	files := map[*yaml.Node]string{}
	var clone func(n *yaml.Node) *yaml.Node
	clone = func(n *yaml.Node) *yaml.Node {
		c := *n
		c.Content = make([]*yaml.Node, len(n.Content))
		for i, child := range n.Content {
			c.Content[i] = clone(child)
		}
		files[&c] = t.prov.File(n)
		return &c
	}
	return clone(n), func(n *yaml.Node) string { return files[n] }
}

// fail returns the result of an action that ends in a fault.
func (a *Action) fail(matches int, outcome Outcome, code, format string, args ...any) Result {
	return Result{Action: a, Outcome: outcome, Matches: matches, Err: diag.Errorf(a.Pos, code, format, args...)}
}

func (t *tree) gone(a *Action, opts Options) Result {
	if a.AllowNoop || opts.Lenient {
		return Result{Action: a, Outcome: NoChange}
	}
	res := a.fail(0, TargetGone, "overlay-target-gone", "nothing matches %s", clip(a.Target))
	hint := t.doc.nearest(a.target)
	if hint != "" {
		hint += "\n"
	}
	res.Err.Hint = hint + "if upstream renamed it, change the target; if upstream removed it, delete the action"
	return res
}

func (t *tree) runRemove(a *Action, matches []*yaml.Node) Result {
	if matches[0] == t.doc.root {
		return a.fail(len(matches), Failed, "overlay-remove-root", "the root of the document cannot be removed")
	}
	for _, m := range matches {
		if res, ok := t.expect(a, m, len(matches)); !ok {
			return res
		}
	}
	t.remove(matches)
	t.doc.forgetValues()
	return Result{Action: a, Outcome: Applied, Matches: len(matches), Changed: len(matches)}
}

func (t *tree) runMerge(a *Action, matches []*yaml.Node, value *yaml.Node, origin func(*yaml.Node) string, opts Options) Result {
	var changing []*yaml.Node
	for _, m := range matches {
		if !holds(m, value) {
			changing = append(changing, m)
		}
	}
	if len(changing) == 0 {
		return t.mended(a, matches, opts)
	}
	for _, m := range changing {
		if res, ok := t.expect(a, m, len(matches)); !ok {
			return res
		}
	}
	if res, ok := t.fits(a, matches, changing, value); !ok {
		return res
	}
	if !opts.Lenient {
		if res, ok := t.doubles(a, matches, changing, value); !ok {
			return res
		}
	}
	already := alreadyThere(changing, value)
	for _, m := range changing {
		t.merge(m, value, origin)
	}
	t.doc.forgetValues()
	return Result{Action: a, Outcome: Applied, Matches: len(matches), Changed: len(changing), Already: already}
}

// doubles refuses to put an element into an array that has it. The
// specification's concatenation would, which is never meant: it is what
// becomes of a repair of which upstream mended a part.
func (t *tree) doubles(a *Action, matches, changing []*yaml.Node, value *yaml.Node) (Result, bool) {
	for _, m := range changing {
		where, at := doubled("", m, value)
		if at == nil {
			continue
		}
		res := a.fail(len(matches), AlreadyMended, "overlay-already-mended", "a part of the action is already so: in %s, %s has the element %s", clip(a.Target), placeName(where), brief(at))
		res.Err.WithHint("see %s\nremove the element from the action, or narrow its target", t.prov.Pos(at))
		return res, false
	}
	return Result{}, true
}

// alreadyThere lists the members of a value that every target already has.
func alreadyThere(targets []*yaml.Node, value *yaml.Node) []string {
	count := map[string]int{}
	var list []string
	for _, m := range targets {
		held("", m, value, func(path string) {
			if count[path]++; count[path] == len(targets) {
				list = append(list, placeName(path))
			}
		})
	}
	return list
}

func (t *tree) mended(a *Action, matches []*yaml.Node, opts Options) Result {
	if a.AllowNoop || opts.Lenient {
		return Result{Action: a, Outcome: NoChange, Matches: len(matches)}
	}
	res := a.fail(len(matches), AlreadyMended, "overlay-already-mended", "%s is already so in the document, in %s", clip(a.Target), places(len(matches)))
	if at := t.prov.Pos(matches[0]); at.File == t.prov.file {
		res.Err.WithHint("upstream mended this: delete the action\nsee %s", at)
	} else {
		res.Err.WithHint("an earlier action did this: delete one of the two\nsee %s", at)
	}
	return res
}

// expect checks a match against the action's guards.
func (t *tree) expect(a *Action, m *yaml.Node, matches int) (Result, bool) {
	var lines []string
	if a.Expect != nil {
		for _, d := range differences(m, a.Expect) {
			lines = append(lines, fmt.Sprintf("%s: expected %s, found %s (%s)", placeName(d.path), d.expected, d.found, t.prov.Pos(d.at)))
		}
	}
	for _, name := range a.ExpectAbsent {
		if m.Kind != yaml.MappingNode {
			lines = append(lines, fmt.Sprintf("%s: expected an object, found %s (%s)", placeName(""), brief(m), t.prov.Pos(m)))
			break
		}
		if v := member(m, name); v != nil && len(lines) < maxMismatches {
			lines = append(lines, fmt.Sprintf("%s: expected nothing, found %s (%s)", placeName(step(name)), brief(v), t.prov.Pos(v)))
		}
	}
	if len(lines) == 0 {
		return Result{}, true
	}
	res := a.fail(matches, PreimageDiffers, "overlay-preimage-differs", "%s at %s is not what the action expects", clip(a.Target), t.prov.Pos(m))
	res.Err.WithHint("%s\nupstream changed it: if the action still applies, change what it expects; otherwise delete it", strings.Join(lines, "\n"))
	return res, false
}

// placeName names a place below a target.
func placeName(path string) string {
	if path == "" {
		return "the target"
	}
	return strings.TrimPrefix(path, ".")
}

// fits checks that a value can be merged into all matches, by the
// specification's rules and within this package's bounds.
func (t *tree) fits(a *Action, matches, changing []*yaml.Node, value *yaml.Node) (Result, bool) {
	nodes, levels := size(value)
	if len(t.parent)+nodes*len(changing) > maxTreeNodes {
		return a.fail(len(matches), Failed, "overlay-too-large", "the document would grow beyond %d nodes", maxTreeNodes), false
	}
	for _, m := range matches {
		if a.primitives && m.Kind != matches[0].Kind {
			res := a.fail(len(matches), Failed, "overlay-mixed-targets", "%s matches %s and %s", clip(a.Target), kindOf(matches[0]), kindOf(m))
			res.Err.WithHint("see %s and %s\noverlay 1.1 wants one kind: make it two actions", t.prov.Pos(matches[0]), t.prov.Pos(m))
			return res, false
		}
	}
	for _, m := range changing {
		if t.depth(m)+levels > maxTreeDepth {
			return a.fail(len(matches), Failed, "overlay-too-large", "the document would grow deeper than %d levels", maxTreeDepth), false
		}
		if m.Kind == yaml.ScalarNode && !a.primitives {
			res := a.fail(len(matches), Failed, "overlay-primitive-target", "%s is a primitive value, which overlay 1.0 cannot update", clip(a.Target))
			res.Err.WithHint("declare overlay: 1.1.0, or target the object that holds it")
			return res, false
		}
		if m.Kind == yaml.SequenceNode {
			continue // takes anything
		}
		if why, at := incompatible("", m, value); why != "" {
			res := a.fail(len(matches), Failed, "overlay-incompatible", "cannot merge into %s: %s", clip(a.Target), why)
			res.Err.WithHint("see %s\nto replace a value by one of another kind, remove it in an action of its own first", t.prov.Pos(at))
			return res, false
		}
	}
	return Result{}, true
}
