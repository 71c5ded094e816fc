package pipeline_test

import (
	"crypto/sha256"
	"encoding/hex"
	"go/types"
	"os"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/canon"
	"github.com/basiq-sdk/basiq-go/gen/internal/godiff"
	"github.com/basiq-sdk/basiq-go/gen/internal/pipeline"
	"github.com/basiq-sdk/basiq-go/gen/internal/source"
)

// TestOptionalParametersBreakNoMethod adds an optional query parameter and an optional
// header to every operation of the API: no method that exists today changes its
// signature. A method with a struct of parameters gets two fields, and any other takes
// a new struct as an option.
func TestOptionalParametersBreakNoMethod(t *testing.T) {
	needOwnOverlays(t)
	cfg, snapshots := pinned(t)
	r := runner(t, cfg, pipeline.Strict, nil, os.DirFS(root))
	before, err := r.Run(t.Context(), snapshots, pipeline.StageCheck)
	if err != nil {
		t.Fatal(err)
	}
	for i := range snapshots {
		addParameters(t, &snapshots[i])
	}
	after, err := r.Run(t.Context(), snapshots, pipeline.StageCheck)
	if err != nil {
		t.Fatal(err)
	}
	arguments, options := 0, 0
	for i, b := range after.Builds {
		old := map[string]*types.Package{b.Name: before.Builds[i].Types}
		for _, c := range godiff.Packages(old, map[string]*types.Package{b.Name: b.Types}) {
			if !c.Compatible {
				t.Errorf("%s", c)
			}
		}
		for _, r := range b.Model.Resources {
			for _, m := range r.Methods {
				if m.Options == nil {
					arguments++
					continue
				}
				options++
				if e := b.Model.Lock.Used()[m.Options.Loc]; !e.Option {
					t.Errorf("%s: the lock does not record that %s is an option", m.Loc, m.Options.Name)
				}
			}
		}
	}
	t.Logf("%d methods take parameters as an argument, and %d would take them as an option", arguments, options)
	if arguments == 0 || options == 0 {
		t.Errorf("%d and %d methods are in the two forms, want some of each", arguments, options)
	}
}

// addParameters declares two more parameters in every operation of a snapshot.
func addParameters(t *testing.T, s *source.Snapshot) {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal(s.Data, &doc); err != nil {
		t.Fatal(err)
	}
	const added = `[{name: addedLater, in: query, schema: {type: integer}}, {name: X-Added-Later, in: header, schema: {type: string}}]`
	for _, item := range values(values(doc.Content[0], "paths")[0]) {
		for _, op := range values(item, "get", "put", "post", "patch", "delete") {
			var more yaml.Node
			if err := yaml.Unmarshal([]byte(added), &more); err != nil {
				t.Fatal(err)
			}
			if list := values(op, "parameters"); len(list) > 0 {
				list[0].Content = append(list[0].Content, more.Content[0].Content...)
				continue
			}
			op.Content = append(op.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: "parameters"}, more.Content[0])
		}
	}
	data, err := yaml.Marshal(&doc)
	if err != nil {
		t.Fatal(err)
	}
	if s.Data, err = canon.Snapshot(s.Path, data); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(s.Data)
	s.SHA256 = hex.EncodeToString(sum[:])
}

// values returns the values of a mapping, of all its keys or of these.
func values(n *yaml.Node, keys ...string) (out []*yaml.Node) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if len(keys) == 0 {
			out = append(out, n.Content[i+1])
		}
		for _, key := range keys {
			if n.Content[i].Value == key {
				out = append(out, n.Content[i+1])
			}
		}
	}
	return out
}
