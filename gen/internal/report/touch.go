package report

import (
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/overlay"
	"github.com/basiq-sdk/basiq-go/gen/internal/pipeline"
	"github.com/basiq-sdk/basiq-go/gen/internal/specdiff"
)

// touch is a place that an overlay action decides.
type touch struct {
	place  string
	below  bool // and everything below it
	action *overlay.Action
}

// touches lists the places that a domain's actions decide. Actions that only
// name or document decide nothing.
func touches(raw *yaml.Node, b *pipeline.Build) []touch {
	var out []touch
	roots := []*yaml.Node{raw, b.Document.Tree()}
	nodes := []map[*yaml.Node]string{specdiff.Nodes(raw), specdiff.Nodes(b.Document.Tree())}
	for _, r := range b.Results {
		if r.Err != nil {
			continue
		}
		seen := map[string]bool{}
		for i, root := range roots {
			matches, err := overlay.Targets(root, r.Action.Target)
			if err != nil {
				continue // it was applied; there is nothing to be said about it
			}
			for _, m := range matches {
				place := nodes[i][m]
				if place == "" || seen[place] {
					continue
				}
				seen[place] = true
				if r.Action.Update == nil {
					out = append(out, touch{place, true, r.Action})
					continue
				}
				out = append(out, updated(place, r.Action.Update, r.Action)...)
			}
		}
	}
	return out
}

// updated lists what an update decides below its target.
func updated(place string, n *yaml.Node, a *overlay.Action) []touch {
	if n.Kind != yaml.MappingNode {
		return []touch{{place, true, a}}
	}
	var out []touch
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i].Value
		if name == "description" || name == "summary" || strings.HasPrefix(name, "x-") {
			continue
		}
		at := place + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
		below := updated(at, n.Content[i+1], a)
		if len(below) > 0 && n.Content[i+1].Kind == yaml.MappingNode {
			out = append(out, touch{at, false, a})
		}
		out = append(out, below...)
	}
	return out
}

// decides reports whether the touch decides a place.
func (t touch) decides(place string) bool {
	return t.place == place || t.below && strings.HasPrefix(place, t.place+"/")
}

// repairing lists the overlay actions that decide what a fact is about.
func (d *domainDiff) repairing(f specdiff.Fact) []Absorption {
	places := []string{f.Subject}
	if f.Aspect != "" {
		places[0] += "/" + f.Aspect
		if schema, _, ok := strings.Cut(f.Subject, "/properties/"); ok && f.Aspect == "required" {
			// Who must be there is a list of the schema.
			last := strings.LastIndex(f.Subject, "/properties/")
			places = append(places, schema+"/required", f.Subject[:last]+"/required")
		}
	}
	var out []Absorption
	for _, t := range d.touched {
		if !slices.ContainsFunc(places, t.decides) {
			continue
		}
		text := t.action.Description
		if text == "" {
			text = "an action on " + t.action.Target
		}
		a := Absorption{By: "overlay", Text: text, At: at(t.action.Pos)}
		if !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	if len(out) > 3 {
		out = append(out[:3], Absorption{By: "overlay", Text: "and " + strconv.Itoa(len(out)-3) + " more actions"})
	}
	return out
}
