package specdiff

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/canon"
)

// Direction is who sends a part: callers, the API, or both.
type Direction int

// Directions form a bit set.
const (
	Request  Direction = 1
	Response Direction = 2
)

// Directions holds the direction of each component of a document.
type Directions map[string]Direction // by pointer, "#/components/schemas/Account"

// DirectionsOf returns the directions of the components that operations refer to.
func DirectionsOf(root *yaml.Node) Directions {
	out := Directions{}
	components := map[string]*yaml.Node{}
	if c := find(root, "components"); c != nil {
		for _, section := range members(c.value) {
			for _, m := range members(section.value) {
				components["#/components/"+section.key.Value+"/"+canon.EscapePointer(m.key.Value)] = m.value
			}
		}
	}
	var visit func(n *yaml.Node, dir Direction)
	visit = func(n *yaml.Node, dir Direction) {
		if ref := find(n, "$ref"); ref != nil {
			target := ref.value.Value
			if out[target]&dir != dir && components[target] != nil {
				out[target] |= dir
				visit(components[target], dir)
			}
		}
		for _, c := range n.Content {
			visit(c, dir)
		}
	}
	paths := find(root, "paths")
	if paths == nil {
		return out
	}
	for _, p := range members(paths.value) {
		for _, op := range members(p.value) {
			for _, m := range members(op.value) {
				switch m.key.Value {
				case "responses":
					visit(m.value, Response)
				case "requestBody", "parameters":
					visit(m.value, Request)
				}
			}
		}
	}
	return out
}

// Of returns the direction of the part at a pointer.
func (d Directions) Of(pointer string) Direction {
	parts := strings.Split(pointer, "/")
	switch {
	case len(parts) >= 4 && parts[1] == "components":
		return d[strings.Join(parts[:4], "/")]
	case len(parts) >= 5 && parts[1] == "paths" && parts[4] == "responses":
		return Response
	case len(parts) >= 5 && parts[1] == "paths":
		return Request
	}
	return 0
}

// Pointers maps the lines of a document to the JSON pointers of the parts on them.
type Pointers map[int]string

// PointersOf returns the pointers of a document. Parameters are identified as in Fact.
// If several parts are on a line, the outermost counts.
func PointersOf(root *yaml.Node) Pointers {
	out := Pointers{}
	var walk func(n *yaml.Node, pointer string, parameters bool)
	put := func(line int, pointer string) {
		if _, taken := out[line]; !taken {
			out[line] = pointer
		}
	}
	walk = func(n *yaml.Node, pointer string, parameters bool) {
		switch n.Kind {
		case yaml.MappingNode:
			for _, m := range members(n) {
				at := pointer + "/" + canon.EscapePointer(m.key.Value)
				put(m.key.Line, at)
				walk(m.value, at, m.key.Value == "parameters" && strings.HasPrefix(pointer, "#/paths/"))
			}
		case yaml.SequenceNode:
			for _, c := range n.Content {
				at := pointer
				if parameters {
					at += "/" + canon.EscapePointer(parameterKey(c))
				}
				put(c.Line, at)
				walk(c, at, false)
			}
		}
	}
	walk(root, "#", false)
	return out
}

// Nodes maps the nodes of a document to their pointers. Parameters are identified as
// in Fact.
func Nodes(root *yaml.Node) map[*yaml.Node]string {
	out := map[*yaml.Node]string{}
	var walk func(n *yaml.Node, pointer string, parameters bool)
	walk = func(n *yaml.Node, pointer string, parameters bool) {
		out[n] = pointer
		for _, m := range members(n) {
			walk(m.value, pointer+"/"+canon.EscapePointer(m.key.Value), m.key.Value == "parameters" && strings.HasPrefix(pointer, "#/paths/"))
		}
		if n.Kind == yaml.SequenceNode {
			for _, c := range n.Content {
				at := pointer
				if parameters {
					at += "/" + canon.EscapePointer(parameterKey(c))
				}
				walk(c, at, false)
			}
		}
	}
	walk(root, "#", false)
	return out
}
