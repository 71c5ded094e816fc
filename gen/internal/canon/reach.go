package canon

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// reached is what the paths and webhooks of a description use.
type reached struct {
	components map[string]bool     // by pointer
	refs       map[*yaml.Node]bool // the values of references
}

// reach follows all references from paths and webhooks. A schema with a
// discriminator leads to the schemas that are composed of it, too: a value of it may
// be one of them.
func reach(f *finder) *reached {
	r := &reached{components: map[string]bool{}, refs: map[*yaml.Node]bool{}}
	children := map[*yaml.Node][]string{} // pointers by the schema that they are composed of
	if schemas := member(member(f.root, "components"), "schemas"); schemas != nil {
		for i := 0; i+1 < len(schemas.Content); i += 2 {
			if all := member(schemas.Content[i+1], "allOf"); all != nil {
				for _, item := range all.Content {
					if ref := member(item, "$ref"); ref != nil {
						if parent := f.lookup(ref.Value); parent != nil && member(parent, "discriminator") != nil {
							children[parent] = append(children[parent], "#/components/schemas/"+EscapePointer(schemas.Content[i].Value))
						}
					}
				}
			}
		}
	}
	visited := map[string]bool{}
	var mark func(n *yaml.Node)
	follow := func(pointer string) {
		if visited[pointer] {
			return
		}
		visited[pointer], r.components[component(pointer)] = true, true
		if target := f.lookup(pointer); target != nil {
			mark(target)
		}
	}
	mark = func(n *yaml.Node) {
		for i, child := range n.Content {
			if n.Kind == yaml.MappingNode && i%2 == 1 && (n.Content[i-1].Value == "$ref" || strings.HasPrefix(child.Value, "#/components/")) {
				r.refs[child] = true
				if strings.HasPrefix(child.Value, "#/") {
					follow(child.Value)
				}
			}
			mark(child)
		}
		for _, child := range children[n] {
			follow(child)
		}
		if d := member(n, "discriminator"); d != nil {
			for _, name := range discriminated(d) {
				follow("#/components/schemas/" + EscapePointer(name))
			}
		}
	}
	operations := false
	for _, part := range []string{"paths", "webhooks"} {
		if n := member(f.root, part); n != nil {
			operations = operations || len(n.Content) > 0
			mark(n)
		}
	}
	if schemas := member(member(f.root, "components"), "schemas"); !operations && schemas != nil { // a description of types
		for i := 0; i+1 < len(schemas.Content); i += 2 {
			follow("#/components/schemas/" + EscapePointer(schemas.Content[i].Value))
		}
	}
	return r
}

// discriminated returns the names of schemas in the mapping of a discriminator.
func discriminated(d *yaml.Node) (names []string) {
	if mapping := member(d, "mapping"); mapping != nil && mapping.Kind == yaml.MappingNode {
		for i := 1; i < len(mapping.Content); i += 2 {
			if v := mapping.Content[i].Value; !strings.ContainsAny(v, "/#:") {
				names = append(names, v)
			}
		}
	}
	return names
}

// prune removes the components that nothing uses.
func prune(f *finder, used *reached) {
	root := f.root
	comps := member(root, "components")
	if comps == nil {
		return
	}
	var kept []*yaml.Node
	for i := 0; i+1 < len(comps.Content); i += 2 {
		section, entries := comps.Content[i], comps.Content[i+1]
		if section.Value != "securitySchemes" && entries.Kind == yaml.MappingNode {
			var keep []*yaml.Node
			for j := 0; j+1 < len(entries.Content); j += 2 {
				if used.components["#/components/"+section.Value+"/"+EscapePointer(entries.Content[j].Value)] {
					keep = append(keep, entries.Content[j], entries.Content[j+1])
				}
			}
			entries.Content = keep
		}
		if len(entries.Content) > 0 {
			kept = append(kept, section, entries)
		}
	}
	if comps.Content = kept; len(kept) == 0 {
		take(root, "components")
	}
}
