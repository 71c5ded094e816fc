package overlay

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
)

// Apply applies docs to root, in order and in place, and records the origin of new
// nodes in prov. It returns a result for every action that ran, in order.
//
// If an action fails, Apply returns a diag.List and restores root and prov. root must
// have string keys, no aliases and no shared nodes, as canon.Parse returns it.
func Apply(root *yaml.Node, prov *Provenance, docs []*Document, opts Options) ([]Result, error) {
	if prov == nil {
		prov = NewProvenance("")
	}
	t, err := newTree(root, prov)
	if err != nil {
		return nil, diag.List{diag.Errorf(prov.Pos(root), "overlay-document", "overlays cannot be applied: %v", err)}
	}
	var results []Result
	var errs diag.List
	for _, doc := range docs {
		for i := range doc.Actions {
			res := t.run(&doc.Actions[i], opts)
			results = append(results, res)
			if res.Err == nil {
				continue
			}
			errs = append(errs, res.Err)
			if !opts.KeepGoing {
				t.rollback()
				return results, errs.Err()
			}
		}
	}
	if len(errs) > 0 {
		t.rollback()
	}
	return results, errs.Err()
}

// run applies an action.
func (t *tree) run(a *Action, opts Options) Result {
	if a.target == nil {
		return a.fail(0, Failed, "overlay-unparsed", "the action was not created by Parse")
	}
	matches := t.doc.selectNodes(a.target)
	if len(matches) == 0 {
		return t.unmatched(a, opts)
	}
	if a.Remove {
		return t.runRemove(a, matches)
	}
	value, origin := a.Update, func(*yaml.Node) string { return a.Pos.File }
	if a.copy != nil {
		sources := t.doc.selectNodes(a.copy)
		if len(sources) != 1 {
			res := a.fail(len(matches), Failed, "overlay-copy-source", "copy must select exactly one node, but %s selects %d", clip(a.Copy), len(sources))
			if len(sources) == 0 {
				res.Err.Hint = t.doc.nearest(a.copy)
			}
			return res
		}
		value, origin = t.detach(sources[0])
	}
	return t.runMerge(a, matches, value, origin, opts)
}

// detach copies a node before it is merged, because it may be an ancestor or a
// descendant of its target. The function returns the file of each node of the copy.
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

// fail returns the result of an action that failed.
func (a *Action) fail(matches int, outcome Outcome, code, format string, args ...any) Result {
	return Result{Action: a, Outcome: outcome, Matches: matches, Err: diag.Errorf(a.Pos, code, format, args...)}
}

func (t *tree) unmatched(a *Action, opts Options) Result {
	if a.AllowNoop || opts.Lenient {
		return Result{Action: a, Outcome: NoChange}
	}
	res := a.fail(0, Unmatched, "overlay-target-gone", "nothing matches %s", clip(a.Target))
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
		return t.obsolete(a, matches, opts)
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
		if res, ok := t.duplicates(a, matches, changing, value); !ok {
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

// duplicates fails if an element would be added to an array that already has it, as
// concatenation would. That is never intended: it happens if upstream has fixed a part
// of what the action corrects.
func (t *tree) duplicates(a *Action, matches, changing []*yaml.Node, value *yaml.Node) (Result, bool) {
	for _, m := range changing {
		where, at := duplicate("", m, value)
		if at == nil {
			continue
		}
		res := a.fail(len(matches), Obsolete, "overlay-already-mended", "a part of the action is obsolete: in %s, %s already has the element %s", clip(a.Target), placeName(where), brief(at))
		res.Err.WithHint("see %s\nremove the element from the action, or narrow its target", t.prov.Pos(at))
		return res, false
	}
	return Result{}, true
}

// alreadyThere returns the members of a value that all targets already have.
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

func (t *tree) obsolete(a *Action, matches []*yaml.Node, opts Options) Result {
	if a.AllowNoop || opts.Lenient {
		return Result{Action: a, Outcome: NoChange, Matches: len(matches)}
	}
	res := a.fail(len(matches), Obsolete, "overlay-already-mended", "%s already has the result of the action, in %s", clip(a.Target), places(len(matches)))
	if at := t.prov.Pos(matches[0]); at.File == t.prov.file {
		res.Err.WithHint("upstream has fixed this: delete the action\nsee %s", at)
	} else {
		res.Err.WithHint("an earlier action has the same effect: delete one of them\nsee %s", at)
	}
	return res
}

// expect checks a matched node against the action's guards.
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
	res := a.fail(matches, TargetChanged, "overlay-preimage-differs", "%s at %s does not match x-expect or x-expect-absent", clip(a.Target), t.prov.Pos(m))
	res.Err.WithHint("%s\nupstream changed it: if the action still applies, change what it expects; otherwise delete it", strings.Join(lines, "\n"))
	return res, false
}

// placeName returns the name of a place below a target.
func placeName(path string) string {
	if path == "" {
		return "the target"
	}
	return strings.TrimPrefix(path, ".")
}

// fits checks that a value can be merged into all matches, by the rules of the
// specification and within this package's limits.
func (t *tree) fits(a *Action, matches, changing []*yaml.Node, value *yaml.Node) (Result, bool) {
	nodes, levels := size(value)
	if len(t.parent)+nodes*len(changing) > maxTreeNodes {
		return a.fail(len(matches), Failed, "overlay-too-large", "the document would have more than %d nodes", maxTreeNodes), false
	}
	for _, m := range matches {
		if a.primitives && m.Kind != matches[0].Kind {
			res := a.fail(len(matches), Failed, "overlay-mixed-targets", "%s matches both %s and %s", clip(a.Target), kindOf(matches[0]), kindOf(m))
			res.Err.WithHint("see %s and %s\nuse two actions: overlay 1.1 requires matches of the same kind", t.prov.Pos(matches[0]), t.prov.Pos(m))
			return res, false
		}
	}
	for _, m := range changing {
		if t.depth(m)+levels > maxTreeDepth {
			return a.fail(len(matches), Failed, "overlay-too-large", "the document would be nested more than %d levels deep", maxTreeDepth), false
		}
		if m.Kind == yaml.ScalarNode && !a.primitives {
			res := a.fail(len(matches), Failed, "overlay-primitive-target", "%s is a primitive value, which overlay 1.0 cannot update", clip(a.Target))
			res.Err.WithHint("declare overlay: 1.1.0, or target the object that contains it")
			return res, false
		}
		if m.Kind == yaml.SequenceNode {
			continue // accepts any value
		}
		if why, at := incompatible("", m, value); why != "" {
			res := a.fail(len(matches), Failed, "overlay-incompatible", "the update cannot be merged into %s: %s", clip(a.Target), why)
			res.Err.WithHint("see %s\nto replace a value with one of a different kind, first remove it in a separate action", t.prov.Pos(at))
			return res, false
		}
	}
	return Result{}, true
}
