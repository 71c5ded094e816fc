package pipeline_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/canon"
	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/pipeline"
	"github.com/basiq-sdk/basiq-go/gen/internal/source"
)

// TestLenientRunsGoThrough changes the real descriptions at random, as upstream
// may have changed them: parts are removed, renamed, and given another type. A
// lenient run builds every one that is a sound description by itself.
func TestLenientRunsGoThrough(t *testing.T) {
	cfg, snapshots := pinned(t)
	r := runner(t, cfg, pipeline.Lenient, nil, os.DirFS(root))
	rounds := 30
	if testing.Short() {
		rounds = 10
	}
	rng := rand.New(rand.NewPCG(1, 2))
	built := 0
	for range rounds {
		s := snapshots[rng.IntN(len(snapshots))]
		var doc yaml.Node
		if err := yaml.Unmarshal(s.Data, &doc); err != nil {
			t.Fatal(err)
		}
		var changes []string
		for range 1 + rng.IntN(12) {
			changes = append(changes, mutate(rng, doc.Content[0]))
		}
		data, err := yaml.Marshal(&doc)
		if err != nil {
			t.Fatal(err)
		}
		if data, err = canon.Snapshot("changed.yml", data); err != nil {
			continue // upstream's own fault
		}
		sum := sha256.Sum256(data)
		s.Data, s.SHA256 = data, hex.EncodeToString(sum[:])
		res, err := r.Run(t.Context(), []source.Snapshot{s}, pipeline.StageCheck)
		if err != nil {
			t.Fatal(err)
		}
		built++
		if b := res.Builds[0]; !b.Built() && !onlyDangling(b.Err) {
			t.Errorf("%s stops after %q:\n%s", s.Domain, changes, diag.FromError(b.Err, diag.Pos{}))
		}
	}
	if built < rounds/3 {
		t.Errorf("only %d of %d descriptions were sound", built, rounds)
	}
}

// onlyDangling reports whether all faults are references to what was removed or
// renamed.
func onlyDangling(err error) bool {
	return !slices.ContainsFunc(diag.FromError(err, diag.Pos{}), func(a *diag.Annotation) bool { return a.Code != "dangling-ref" })
}

// mutate changes a description somewhere, and says how.
func mutate(rng *rand.Rand, root *yaml.Node) string {
	type place struct {
		parent  *yaml.Node
		at      int
		pointer string
		names   bool // members of parent have names that the API gives
	}
	var places []place
	var walk func(n *yaml.Node, pointer string, names bool)
	walk = func(n *yaml.Node, pointer string, names bool) {
		step := 1
		if n.Kind == yaml.MappingNode {
			step = 2
		}
		for i := 0; i+step <= len(n.Content); i += step {
			key := n.Content[i].Value
			if step == 1 {
				key = fmt.Sprint(i)
			}
			places = append(places, place{n, i, pointer + "/" + key, names})
			walk(n.Content[i+step-1], pointer+"/"+key, slices.Contains([]string{"properties", "schemas", "paths", "responses"}, key))
		}
	}
	walk(root, "#", false)
	p := places[rng.IntN(len(places))]
	key, value := p.parent.Content[p.at], p.parent.Content[p.at]
	if p.parent.Kind == yaml.MappingNode {
		value = p.parent.Content[p.at+1]
	}
	switch {
	case key.Value == "type" && value.Kind == yaml.ScalarNode && !p.names:
		value.Value = []string{"string", "integer", "number", "boolean", "object", "array"}[rng.IntN(6)]
		return p.pointer + " is " + value.Value
	case p.names && key.Value[0] != '/' && rng.IntN(2) == 0:
		key.Value += "Two"
		return p.pointer + " is renamed"
	case p.names && key.Value[0] == '/' && rng.IntN(2) == 0:
		key.Value = "/more" + key.Value
		return p.pointer + " is moved"
	case p.parent.Kind == yaml.MappingNode:
		p.parent.Content = slices.Delete(p.parent.Content, p.at, p.at+2)
	default:
		p.parent.Content = slices.Delete(p.parent.Content, p.at, p.at+1)
	}
	return p.pointer + " is removed"
}
