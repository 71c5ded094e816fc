package overlay_test

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/overlay"
)

const fuzzDocument = `
openapi: 3.0.3
info: {title: a, version: '1'}
paths:
  /a: {get: {tags: [x, y], responses: {'200': {description: OK}}}}
  /b: {get: {tags: []}, post: {deprecated: true, parameters: [{name: p, in: query}, {name: q, in: query}]}}
components: {schemas: {A: {type: integer, enum: [1, 2]}, B: {properties: {a: {$ref: '#/components/schemas/A'}}}}}
`

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"overlay: 1.0.0\ninfo: {title: t, version: v}\nactions:\n  - {target: $.a, update: {b: 1}}\n",
		"overlay: 1.1.0\ninfo: {title: t, version: v}\nactions:\n  - {target: $.a, copy: $.b, x-expect: [1], x-expect-absent: [c]}\n",
		`{"overlay":"1.0.0","info":{"title":"t","version":"v"},"actions":[{"target":"$","remove":true}]}`,
		"a: &x [*x]\n", "? [a]\n: b\n", "<<: {a: 1}\n1: 2\n1.5: .nan\n", "overlay: !!set {a, b}\n", "---\n---\n", "\xff", "%YAML 1.9\n---\n",
		"overlay: 1.0.0\ninfo: {title: t, version: v}\nactions: [{target: $..*, update: *x}]\n", "overlay: [\n", "overlay: 1.0.0\n\tactions: a\n",
		"overlay: 1.0.0\ninfo: {title: t, version: v}\nactions: [{target: \"$..a[?@.b == 'c' && count($..*) > 0x1]\", remove: True, x-allow-noop: yes}]\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := overlay.Parse("o.yaml", data)
		if err != nil {
			var list diag.List
			if !errors.As(err, &list) || len(list) == 0 {
				t.Fatalf("an error that is no diag.List: %v", err)
			}
			for _, a := range list {
				if a.Code == "" || a.Message == "" || a.Pos.File != "o.yaml" || a.Pos.Line == 0 && a.Code != "overlay-empty" && a.Code != "overlay-too-large" {
					t.Fatalf("an incomplete fault: %+v", a)
				}
			}
			return
		}
		if len(doc.Actions) == 0 {
			t.Fatal("a document without actions was taken")
		}
		for _, a := range doc.Actions {
			if a.Target == "" || a.Pos.Line == 0 || !a.Remove && a.Update == nil && a.Copy == "" {
				t.Fatalf("an incomplete action: %+v", a)
			}
		}
	})
}

// onlyNames matches paths that only consist of names. The effects of an action cannot
// change what they select.
var onlyNames = regexp.MustCompile(`^\$(\.[a-z]+|\['[a-z/]+'\])*$`)

func FuzzApply(f *testing.F) {
	for _, seed := range []struct{ path, value, other string }{
		{`$.paths['/a'].get`, `{tags: [x, z], summary: s}`, `$.info`},
		{`$.paths.*.*.tags`, `x`, `$..type`},
		{`$`, `{info: {title: b}, new: [1, {a: [2]}]}`, `$.components`},
		{`$.components.schemas['A']`, `{enum: [2, 1, 1]}`, `$.components.schemas.*`},
		{`$..parameters[?@.name == 'p']`, `{name: 6141}`, `$..parameters[0,1]`},
		{`$.info.title`, `'6141'`, `$.paths[?!@.post]`},
		{`$.paths`, `null`, `$..*`},
	} {
		f.Add(seed.path, seed.value, seed.other)
	}
	f.Fuzz(func(t *testing.T, target, value, other string) {
		root := parseYAML(t, []byte(fuzzDocument))
		before := marshal(t, root)
		checkUpdate(t, root, target, value)
		root = parseYAML(t, []byte(fuzzDocument))
		checkRemove(t, root, target, other)
		root = parseYAML(t, []byte(fuzzDocument))
		action := fmt.Sprintf("  - {target: %q, copy: %q}\n  - {target: %q, remove: true}\n", target, other, other)
		if _, err := tryApply(root, action); err != nil && !bytes.Equal(before, marshal(t, root)) {
			t.Fatalf("a failed run changed the document")
		}
	})
}

// tryApply applies actions that may be invalid.
func tryApply(root *yaml.Node, actions string) ([]overlay.Result, error) {
	doc, err := overlay.Parse("o.yaml", []byte("overlay: 1.1.0\ninfo: {title: t, version: v}\nactions:\n"+actions))
	if err != nil {
		return nil, err
	}
	return overlay.Apply(root, overlay.NewProvenance("d.yaml"), []*overlay.Document{doc}, overlay.Options{})
}

// checkUpdate applies an update twice and checks that it is obsolete the second time.
func checkUpdate(t *testing.T, root *yaml.Node, target, value string) {
	action := fmt.Sprintf("  - target: %q\n    update:\n      %s\n", target, strings.ReplaceAll(value, "\n", "\n      "))
	first, err := tryApply(root, action)
	if err != nil || len(first) != 1 || !onlyNames.MatchString(target) {
		return
	}
	after := marshal(t, root)
	second, err := tryApply(root, action)
	if err == nil || len(second) != 1 || second[0].Outcome != overlay.Obsolete {
		t.Fatalf("the second run ended in %v, %v, the first in %v", second, err, first)
	}
	if !bytes.Equal(after, marshal(t, root)) {
		t.Fatal("the second run changed the document")
	}
	if again := parseYAML(t, after); !bytes.Equal(marshal(t, again), after) {
		t.Fatalf("the document does not survive being written and read:\n%s", after)
	}
}

// checkRemove removes two targets and checks that none of the nodes is left.
func checkRemove(t *testing.T, root *yaml.Node, target, other string) {
	gone := map[*yaml.Node]bool{}
	for _, path := range []string{target, other} {
		nodes, err := overlay.Targets(root, path)
		if err != nil {
			return
		}
		results, err := tryApply(root, fmt.Sprintf("  - {target: %q, remove: true}\n", path))
		if err != nil {
			return
		}
		if results[0].Changed != len(nodes) {
			t.Fatalf("%s: %d nodes, %d removed", path, len(nodes), results[0].Changed)
		}
		for _, n := range nodes {
			gone[n] = true
		}
		if left, _ := overlay.Targets(root, path); onlyNames.MatchString(path) && len(left) > 0 {
			t.Fatalf("%s matches after it was removed", path)
		}
	}
	left, err := overlay.Targets(root, "$..*")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range append(left, root) {
		if gone[n] {
			t.Fatalf("a removed node is still there: %s", n.Value)
		}
		if n.Kind == yaml.MappingNode && len(n.Content)%2 != 0 {
			t.Fatal("a removal left a name without a value")
		}
	}
}
