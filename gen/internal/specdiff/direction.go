package specdiff

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// Direction tells who sends a part: callers, the service, or both.
type Direction int

// Directions, a set of bits.
const (
	Request  Direction = 1
	Response Direction = 2
)

// Directions tells for the components of a document who sends them.
type Directions map[string]Direction // by pointer, "#/components/schemas/Account"

// DirectionsOf follows the references of every operation.
func DirectionsOf(root *yaml.Node) Directions {
	out := Directions{}
	components := map[string]*yaml.Node{}
	if c := find(root, "components"); c != nil {
		for _, section := range members(c.value) {
			for _, m := range members(section.value) {
				components["#/components/"+section.key.Value+"/"+escape(m.key.Value)] = m.value
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

// Of returns who sends the part at a pointer.
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

// Pointers tells for every line of a document which part begins or stands there.
type Pointers map[int]string

// PointersOf indexes a document, parameters named as Fact names them. Of
// several parts on one line the outermost counts.
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
				at := pointer + "/" + escape(m.key.Value)
				put(m.key.Line, at)
				walk(m.value, at, m.key.Value == "parameters" && strings.HasPrefix(pointer, "#/paths/"))
			}
		case yaml.SequenceNode:
			for _, c := range n.Content {
				at := pointer
				if parameters {
					at += "/" + escape(parameterKey(c))
				}
				put(c.Line, at)
				walk(c, at, false)
			}
		}
	}
	walk(root, "#", false)
	return out
}

// Nodes tells for every node of a document which part it is, parameters named
// as Fact names them.
func Nodes(root *yaml.Node) map[*yaml.Node]string {
	out := map[*yaml.Node]string{}
	var walk func(n *yaml.Node, pointer string, parameters bool)
	walk = func(n *yaml.Node, pointer string, parameters bool) {
		out[n] = pointer
		for _, m := range members(n) {
			walk(m.value, pointer+"/"+escape(m.key.Value), m.key.Value == "parameters" && strings.HasPrefix(pointer, "#/paths/"))
		}
		if n.Kind == yaml.SequenceNode {
			for _, c := range n.Content {
				at := pointer
				if parameters {
					at += "/" + escape(parameterKey(c))
				}
				walk(c, at, false)
			}
		}
	}
	walk(root, "#", false)
	return out
}
