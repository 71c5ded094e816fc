package replay_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/canon"
	"github.com/basiq-sdk/basiq-go/gen/internal/source"
	"github.com/basiq-sdk/basiq-go/gen/internal/track"
)

// TestProse changes every word for people in upstream's newest documents, and
// then one word for machines: only that may change a snapshot, and with it
// everything that is generated.
func TestProse(t *testing.T) {
	mirror := mirror()
	commits, err := track.Commits(mirror)
	if err != nil {
		t.Skip("no mirror of upstream's files: ", err)
	}
	cfg, err := source.LoadConfig(repo)
	if err != nil {
		t.Fatal(err)
	}
	newest := commits[len(commits)-1].Hash
	words := 0
	for name, d := range cfg.Domains {
		if d.Source != cfg.Default {
			continue // the mirror is that of the default source
		}
		raw, err := os.ReadFile(filepath.Join(mirror, newest, d.File))
		if err != nil {
			t.Fatal(err)
		}
		snapshot := func(edit func(key string, n *yaml.Node)) string {
			var doc yaml.Node
			if err := yaml.Unmarshal(raw, &doc); err != nil {
				t.Fatal(err)
			}
			walk(&doc, false, edit)
			data, err := yaml.Marshal(&doc)
			if err != nil {
				t.Fatal(err)
			}
			out, err := canon.Snapshot(d.File, data)
			if err != nil {
				t.Fatal(err)
			}
			return string(out)
		}
		want := snapshot(func(string, *yaml.Node) {})
		prose := snapshot(func(key string, n *yaml.Node) {
			if (key == "description" || key == "summary" || key == "example") && n.Kind == yaml.ScalarNode && n.Tag == "!!str" {
				n.Value += " Other words."
				words++
			}
		})
		if prose != want {
			t.Errorf("%s: other words for people change the snapshot", name)
		}
		changed := false
		fact := snapshot(func(key string, n *yaml.Node) {
			if key == "operationId" && !changed {
				n.Value, changed = n.Value+"Other", true
			}
		})
		if !changed || fact == want {
			t.Errorf("%s: another operationId does not change the snapshot", name)
		}
	}
	if words < 300 {
		t.Errorf("only %d texts were changed", words)
	}
}

// walk calls edit for every member of a document, but for names that are the
// document's own.
func walk(n *yaml.Node, names bool, edit func(key string, n *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		for _, c := range n.Content {
			walk(c, false, edit)
		}
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i].Value
		if !names {
			edit(key, n.Content[i+1])
		}
		walk(n.Content[i+1], !names && (key == "properties" || key == "schemas" || key == "examples" || key == "headers"), edit)
	}
}

// TestProseSteps looks for steps of the mirror's history that changed nothing
// but words, by a rule of its own, and holds that they changed no snapshot.
func TestProseSteps(t *testing.T) {
	mirror := mirror()
	commits, err := track.Commits(mirror)
	if err != nil {
		t.Skip("no mirror of upstream's files: ", err)
	}
	cfg, err := source.LoadConfig(repo)
	if err != nil {
		t.Fatal(err)
	}
	prose, facts := 0, 0
	for i := 1; i < len(commits); i++ {
		for name, d := range cfg.Domains {
			if d.Source != cfg.Default {
				continue // the mirror is that of the default source
			}
			var raw, snapshot [2][]byte
			var facts2 [2]any
			for j, c := range commits[i-1 : i+1] {
				if raw[j], err = os.ReadFile(filepath.Join(mirror, c.Hash, d.File)); err != nil {
					t.Fatal(err)
				}
				if err := yaml.Unmarshal(raw[j], &facts2[j]); err != nil {
					t.Fatal(err)
				}
				facts2[j] = withoutWords(facts2[j], false)
				if snapshot[j], err = canon.Snapshot(d.File, raw[j]); err != nil {
					t.Fatal(err)
				}
			}
			if bytes.Equal(raw[0], raw[1]) {
				continue
			}
			if !reflect.DeepEqual(facts2[0], facts2[1]) {
				facts++
				continue
			}
			prose++
			if !bytes.Equal(snapshot[0], snapshot[1]) {
				t.Errorf("%s: %s changed words alone, and its snapshot with them", commits[i].Hash, name)
			}
		}
	}
	t.Logf("%d documents changed words alone, %d facts", prose, facts)
}

// withoutWords drops what is for people from a decoded document.
func withoutWords(v any, names bool) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, e := range v {
			if !names && (slices.Contains([]string{"description", "summary", "example", "examples", "title", "externalDocs", "contact"}, k) || strings.HasPrefix(k, "x-") && strings.Contains(fmt.Sprint(e), " ")) {
				if _, info := v["version"]; !info || k != "title" { // a title of one word is a name
					continue
				}
			}
			out[k] = withoutWords(e, !names && (k == "properties" || k == "schemas"))
		}
		return out
	case map[any]any:
		out := map[string]any{}
		for k, e := range v {
			out[fmt.Sprint(k)] = withoutWords(e, false)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = withoutWords(e, false)
		}
		return out
	}
	return v
}
