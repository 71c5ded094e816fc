package overlay_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/overlay"
)

// parseOverlay parses an overlay with the given actions.
func parseOverlay(t testing.TB, file, version, actions string) *overlay.Document {
	t.Helper()
	doc, err := overlay.Parse(file, []byte("overlay: "+version+"\ninfo: {title: t, version: v}\nactions:\n"+actions))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// at returns the only node that a path selects.
func at(t testing.TB, root *yaml.Node, path string) *yaml.Node {
	t.Helper()
	nodes, err := overlay.Targets(root, path)
	if err != nil || len(nodes) != 1 {
		t.Fatalf("%s: %d nodes, %v", path, len(nodes), err)
	}
	return nodes[0]
}

const positions = `a:
  kept: 1
  replaced: 2
  list: [x]
source:
  deep: {leaf: v}
`

func TestNodesHaveTheirOrigin(t *testing.T) {
	root := parseYAML(t, []byte(positions))
	prov := overlay.NewProvenance("specs/core.yml")
	first := parseOverlay(t, "overlays/core/10.yaml", "1.1.0", `
  - target: $.a
    update:
      replaced: two
      list: [y]
      new: {inner: 3}
  - target: $.a.new
    copy: $.source.deep
`)
	second := parseOverlay(t, "overlays/core/20.yaml", "1.1.0", `
  - target: $.a.new
    update: {inner: 4}
  - target: $.a
    update: {copied: {}}
  - target: $.a.copied
    copy: $.a.list[?@ == 'y']
    x-allow-noop: true
`)
	second.Actions = second.Actions[:2]
	if _, err := overlay.Apply(root, prov, []*overlay.Document{first, second}, overlay.Options{}); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		`$`:            "specs/core.yml:1:1",
		`$.a`:          "specs/core.yml:2:3",
		`$.a.kept`:     "specs/core.yml:2:9",
		`$.a.list`:     "specs/core.yml:4:9",
		`$.a.list[0]`:  "specs/core.yml:4:10",
		`$.a.list[1]`:  "overlays/core/10.yaml:8:14",
		`$.a.replaced`: "overlays/core/10.yaml:7:17",
		`$.a.new`:      "overlays/core/10.yaml:9:12",
		`$.a.new.leaf`: "specs/core.yml:6:16",
		// replaced again, by another file
		`$.a.new.inner`: "overlays/core/20.yaml:6:21",
	} {
		if got := prov.Pos(at(t, root, path)).String(); got != want {
			t.Errorf("%s comes from %s, want %s", path, got, want)
		}
	}
	a := at(t, root, `$.a`)
	for i := 0; i < len(a.Content); i += 2 {
		want := "specs/core.yml"
		switch a.Content[i].Value {
		case "new":
			want = "overlays/core/10.yaml"
		case "copied":
			want = "overlays/core/20.yaml"
		}
		if got := prov.File(a.Content[i]); got != want {
			t.Errorf("the name %q comes from %s, want %s", a.Content[i].Value, got, want)
		}
	}
	if got := prov.Pos(nil); got != (diag.Pos{File: "specs/core.yml"}) {
		t.Errorf("nil comes from %v", got)
	}
}

// TestApplyKeepsNodes checks that unchanged nodes are kept, and that the matches of an
// action do not share nodes.
func TestApplyKeepsNodes(t *testing.T) {
	root := parseYAML(t, []byte("a: {x: {}}\nb: {x: {}}\nc: {y: 1}\n"))
	c := at(t, root, "$.c")
	doc := parseOverlay(t, "o.yaml", "1.0.0", "  - {target: $.*.x, update: {n: {m: 1}}}\n")
	if _, err := overlay.Apply(root, overlay.NewProvenance("d.yaml"), []*overlay.Document{doc}, overlay.Options{}); err != nil {
		t.Fatal(err)
	}
	if at(t, root, "$.c") != c {
		t.Error("a node that no action touched was replaced")
	}
	at(t, root, "$.a.x.n.m").Value = "changed"
	if at(t, root, "$.b.x.n.m").Value != "1" || doc.Actions[0].Update.Content[1].Content[1].Value != "1" {
		t.Error("two matches, or a match and the overlay, share a node")
	}
}

// TestOverlayCanBeAppliedTwice checks that Apply does not modify the overlay.
func TestOverlayCanBeAppliedTwice(t *testing.T) {
	doc := parseOverlay(t, "o.yaml", "1.1.0", `
  - {target: $.a, update: {x: '1', l: [1]}}
  - {target: $.a, copy: $.b}
  - {target: $.b, remove: true}
`)
	var outs []string
	for range 2 {
		root := parseYAML(t, []byte("a: {x: 1, l: []}\nb: {z: 1}\n"))
		if _, err := overlay.Apply(root, overlay.NewProvenance("d.yaml"), []*overlay.Document{doc}, overlay.Options{}); err != nil {
			t.Fatal(err)
		}
		outs = append(outs, string(marshal(t, root)))
	}
	if outs[0] != outs[1] || outs[0] != "a: {x: '1', l: [1], z: 1}\n" {
		t.Errorf("got %q", outs)
	}
}

// TestFiltersSeeEarlierActions checks with each kind of change that filters see the
// current values.
func TestFiltersSeeEarlierActions(t *testing.T) {
	root := parseYAML(t, []byte("a: [{t: x}, {t: z}]\nb: [{n: 1}, {n: 2}]\n"))
	doc := parseOverlay(t, "o.yaml", "1.1.0", `
  - {target: "$.a[?@.t == 'x']", update: {t: y}}
  - {target: "$.a[?@.t == 'y']", update: {seen: true}}
  - {target: "$.a[?@.t == 'z']", remove: true}
  - {target: "$.b[?@.n == count($.a[*])]", copy: "$.a[?@.seen]"}
  - {target: "$.b[?@ == $.b[0] && @.t == 'y']", update: {last: 1}}
`)
	if _, err := overlay.Apply(root, overlay.NewProvenance("d.yaml"), []*overlay.Document{doc}, overlay.Options{}); err != nil {
		t.Fatal(err)
	}
	if got, want := string(marshal(t, root)), "a: [{t: y, seen: true}]\nb: [{n: 1, t: y, seen: true, last: 1}, {n: 2}]\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestErrorUndoesAllChanges(t *testing.T) {
	const before = "a: {x: 1, l: [1, 2]}\nb: {z: 1}\n"
	for _, keepGoing := range []bool{false, true} {
		root := parseYAML(t, []byte(before))
		prov := overlay.NewProvenance("d.yaml")
		x := at(t, root, "$.a.x")
		doc := parseOverlay(t, "o.yaml", "1.1.0", `
  - {target: $.a.x, update: text}
  - {target: $.a, update: {l: [3], new: {n: 1}}}
  - {target: '$.a.l[?@ < 3]', remove: true}
  - {target: $.a.new, copy: $.b}
  - {target: $.b, remove: true}
  - {target: $.gone, remove: true}
  - {target: $.gone.too, remove: true}
`)
		results, err := overlay.Apply(root, prov, []*overlay.Document{doc}, overlay.Options{KeepGoing: keepGoing})
		var list diag.List
		if !errors.As(err, &list) {
			t.Fatalf("got %v", err)
		}
		wantErrors, wantResults := 1, 6
		if keepGoing {
			wantErrors, wantResults = 2, 7
		}
		if len(list) != wantErrors || len(results) != wantResults {
			t.Errorf("keep going %v: %d errors in %d results", keepGoing, len(list), len(results))
		}
		if got := string(marshal(t, root)); got != before {
			t.Errorf("the document changed:\n%s", got)
		}
		if got := prov.Pos(x); got != (diag.Pos{File: "d.yaml", Line: 1, Col: 8}) || at(t, root, "$.a.x") != x {
			t.Errorf("a replaced value changed: %v", got)
		}
	}
}

func TestResultsDescribeActions(t *testing.T) {
	root := parseYAML(t, []byte("a: {t: x}\nb: {t: y}\n"))
	doc := parseOverlay(t, "core/20-repairs.yaml", "1.0.0", `
  - target: $.*
    update: {t: x}
  - target: $.gone
    remove: true
`)
	results, err := overlay.Apply(root, overlay.NewProvenance("d.yaml"), []*overlay.Document{doc}, overlay.Options{KeepGoing: true})
	if err == nil || len(results) != 2 {
		t.Fatalf("%d results, %v", len(results), err)
	}
	first, second := results[0], results[1]
	if first.Outcome != overlay.Applied || first.Matches != 2 || first.Changed != 1 || first.Err != nil || first.Action != &doc.Actions[0] {
		t.Errorf("first: %+v", first)
	}
	if second.Outcome != overlay.Unmatched || second.Matches != 0 || second.Err == nil || second.Err.Code != "overlay-target-gone" {
		t.Errorf("second: %+v", second)
	}
	if got := first.String(); got != "core/20-repairs.yaml:5: applied to 1 of 2 places" {
		t.Errorf("got %q", got)
	}
	root = parseYAML(t, []byte("a: {t: x, n: {p: 1}, l: [1]}\nb: {t: x, n: {p: 1, q: 2}, l: [1]}\n"))
	doc = parseOverlay(t, "core/30.yaml", "1.0.0", "  - {target: '$.*', update: {t: x, n: {p: 1, q: 2}, new: 1}}\n")
	results, err = overlay.Apply(root, nil, []*overlay.Document{doc}, overlay.Options{})
	if err != nil || results[0].String() != "core/30.yaml:4: applied to 2 places; already there: t, n.p" {
		t.Errorf("got %v, %v", results, err)
	}
	for o := overlay.Applied; o <= overlay.NoChange; o++ {
		if strings.HasPrefix(o.String(), "outcome") {
			t.Errorf("outcome %d has no name", o)
		}
	}
}

// TestGrowthOfTheDocumentIsLimited applies overlays that would make the document grow
// exponentially.
func TestGrowthOfTheDocumentIsLimited(t *testing.T) {
	double := "  - {target: $.a, update: {l: [1]}}\n" + strings.Repeat("  - {target: $.a.l, copy: $.a}\n", 40)
	nest := "  - {target: $.a, update: {b: {}}}\n" + strings.Repeat("  - {target: $.c, copy: $.a}\n  - {target: $.a, update: {n: {}}, x-allow-noop: true}\n  - {target: $.a.n, copy: $.c}\n", 600)
	for name, actions := range map[string]string{"double": double, "nest": nest} {
		root := parseYAML(t, []byte("a: {}\nc: {}\n"))
		_, err := overlay.Apply(root, overlay.NewProvenance("d.yaml"), []*overlay.Document{parseOverlay(t, "o.yaml", "1.1.0", actions)}, overlay.Options{})
		var list diag.List
		if !errors.As(err, &list) || list[0].Code != "overlay-too-large" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := overlay.Parse("o.yaml", []byte("overlay: "+strings.Repeat("[", 5000))); err == nil {
		t.Error("a document that is nested too deep is accepted")
	}
}

func TestInvalidDocumentsAreRejected(t *testing.T) {
	shared := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: "x"}
	loop := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	loop.Content = []*yaml.Node{loop}
	deep := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	for range 600 {
		deep = &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: []*yaml.Node{deep}}
	}
	for name, root := range map[string]*yaml.Node{
		"nothing": nil,
		"shared":  {Kind: yaml.SequenceNode, Content: []*yaml.Node{shared, shared}},
		"loop":    loop,
		"deep":    deep,
		"odd":     {Kind: yaml.MappingNode, Content: []*yaml.Node{shared}},
		"alias":   {Kind: yaml.SequenceNode, Content: []*yaml.Node{{Kind: yaml.AliasNode, Alias: shared}}},
	} {
		_, err := overlay.Apply(root, overlay.NewProvenance("d.yaml"), nil, overlay.Options{})
		var list diag.List
		if !errors.As(err, &list) || list[0].Code != "overlay-document" {
			t.Errorf("%s: %v", name, err)
		}
	}
	handmade := &overlay.Document{Actions: []overlay.Action{{Target: "$"}}}
	if _, err := overlay.Apply(shared, overlay.NewProvenance("d.yaml"), []*overlay.Document{handmade}, overlay.Options{}); err == nil {
		t.Error("an action that Parse did not create was applied")
	}
}

// TestSearchForSuggestionsIsLimited checks that only the first names of a large object
// are candidates for a suggestion.
func TestSearchForSuggestionsIsLimited(t *testing.T) {
	var doc strings.Builder
	doc.WriteString("schemas:\n  first: {}\n")
	for i := range 20000 {
		fmt.Fprintf(&doc, "  %s%05d: {}\n", strings.Repeat("LongName", 10), i)
	}
	doc.WriteString("  zebra: {}\n")
	root := parseYAML(t, []byte(doc.String()))
	actions := "  - {target: $.schemas.firsd, remove: true}\n  - {target: $.schemas.zebru, remove: true}\n"
	_, err := overlay.Apply(root, overlay.NewProvenance("d.yaml"), []*overlay.Document{parseOverlay(t, "o.yaml", "1.0.0", actions)}, overlay.Options{KeepGoing: true})
	var list diag.List
	if !errors.As(err, &list) || len(list) != 2 {
		t.Fatalf("got %v", err)
	}
	if !strings.Contains(list[0].Hint, `the closest is "first"`) {
		t.Errorf("the first name is not suggested: %s", list[0].Hint)
	}
	if strings.Contains(list[1].Hint, "the closest is") || !strings.Contains(list[1].Hint, "and more") {
		t.Errorf("the last of 20,000 names is a candidate: %s", list[1].Hint)
	}
}

func TestParseKeepsAllMembers(t *testing.T) {
	doc, err := overlay.Parse("o.json", []byte(`{"overlay": "1.1.7", "info": {"title": "T", "version": "3", "description": "D"}, "extends": "d.yaml",
  "actions": [{"target": "$.a", "description": "why", "update": {"b": 1}, "x-expect": {"c": 2}, "x-expect-absent": ["e"], "x-allow-noop": true},
    {"target": "$.a", "copy": "$.b", "remove": false}, {"target": "$.a", "remove": true}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if doc.File != "o.json" || doc.Version != "1.1.7" || doc.Title != "T" || doc.Revision != "3" || doc.Description != "D" || doc.Extends != "d.yaml" || len(doc.Actions) != 3 {
		t.Errorf("got %+v", doc)
	}
	a := doc.Actions[0]
	if a.Target != "$.a" || a.Description != "why" || a.Update == nil || a.Expect == nil || !slices.Equal(a.ExpectAbsent, []string{"e"}) || !a.AllowNoop || a.Remove ||
		a.Pos != (diag.Pos{File: "o.json", Line: 2, Col: 15}) {
		t.Errorf("first action: %+v", a)
	}
	if doc.Actions[1].Copy != "$.b" || !doc.Actions[2].Remove {
		t.Errorf("other actions: %+v", doc.Actions[1:])
	}
}
