package overlay

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// action converts an action object.
func (r *reader) action(n *yaml.Node, a *Action) {
	a.Pos = r.pos(n)
	a.primitives = r.v11
	if n.Kind != yaml.MappingNode {
		r.errorf(n, "overlay-type", "an action must be an object")
		return
	}
	var update, remove, source *yaml.Node
	before := len(r.errs)
	r.members(n, "an action", []string{"target"}, map[string]func(key, value *yaml.Node){
		"target":      func(_, value *yaml.Node) { a.Target, a.target = r.path("target", value) },
		"description": r.text("description", &a.Description),
		"update":      func(key, value *yaml.Node) { update, a.Update = key, value },
		"remove":      func(key, value *yaml.Node) { remove = key; r.boolean("remove", &a.Remove)(key, value) },
		"copy": func(key, value *yaml.Node) {
			source = key
			if !r.v11 {
				r.errorf(key, "overlay-unknown-key", "copy is not part of overlay 1.0").WithHint("declare overlay: 1.1.0")
			}
			a.Copy, a.copy = r.path("copy", value)
		},
		"x-expect":        func(_, value *yaml.Node) { a.Expect = value },
		"x-expect-absent": func(_, value *yaml.Node) { r.absent(value, a) },
		"x-allow-noop":    r.boolean("x-allow-noop", &a.AllowNoop),
	})
	switch {
	case a.Remove && update != nil:
		r.conflict(update, "remove", "update")
	case a.Remove && source != nil:
		r.conflict(source, "remove", "copy")
	case update != nil && source != nil:
		r.conflict(source, "update", "copy")
	case len(r.errs) > before: // further errors may be consequences of these
	case update == nil && source == nil && remove == nil:
		r.errorf(n, "overlay-missing-key", "the action does nothing, because it has no update, remove or copy")
	case update == nil && source == nil && !a.Remove:
		r.errorf(remove, "overlay-conflict", "the action does nothing, because it only has remove: false")
	}
}

func (r *reader) conflict(n *yaml.Node, one, other string) {
	r.errorf(n, "overlay-conflict", "the action has both %s and %s, of which only the first would apply", one, other).
		WithHint("use two actions, which run in order")
}

// path compiles a JSONPath query. Equal queries are compiled once.
func (r *reader) path(what string, value *yaml.Node) (string, *query) {
	if value.Kind != yaml.ScalarNode || value.Tag != "!!str" {
		r.errorf(value, "overlay-type", "%s must be a string", what)
		return "", nil
	}
	if p := r.paths[value.Value]; p != nil {
		return value.Value, p
	}
	p, err := parseQuery(value.Value)
	if err != nil {
		a := r.errorf(value, "overlay-path", "%s %s is not a JSONPath query: %v", what, clip(value.Value), err)
		if strings.HasPrefix(value.Value, "#/") || strings.HasPrefix(value.Value, "/") {
			a.WithHint("use a JSONPath such as $.paths['/users'].get instead of a JSON pointer")
		}
		return value.Value, nil
	}
	r.paths[value.Value] = p
	return value.Value, p
}

func (r *reader) absent(value *yaml.Node, a *Action) {
	if value.Kind != yaml.SequenceNode || len(value.Content) == 0 {
		r.errorf(value, "overlay-type", "x-expect-absent must be an array of member names")
		return
	}
	for _, c := range value.Content {
		var name string
		r.text("a member name in x-expect-absent", &name)(nil, c)
		a.ExpectAbsent = append(a.ExpectAbsent, name)
	}
}

// clip truncates a string for a message.
func clip(s string) string {
	const limit = 160
	if runes := []rune(s); len(runes) > limit {
		return string(runes[:limit]) + "…"
	}
	return s
}
