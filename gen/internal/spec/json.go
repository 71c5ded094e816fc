package spec

import (
	"encoding/json"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// toJSON renders a tree, of which every key is a string, as JSON. It reports
// false for a scalar that JSON has no spelling of.
//
// The library that validates reads JSON several times as fast as YAML.
func toJSON(b []byte, n *yaml.Node) ([]byte, bool) {
	ok := true
	switch n.Kind {
	case yaml.MappingNode:
		b = append(b, '{')
		for i := 0; i+1 < len(n.Content); i += 2 {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendText(b, n.Content[i].Value), ':')
			if b, ok = toJSON(b, n.Content[i+1]); !ok {
				return b, false
			}
		}
		return append(b, '}'), true
	case yaml.SequenceNode:
		b = append(b, '[')
		for i, c := range n.Content {
			if i > 0 {
				b = append(b, ',')
			}
			if b, ok = toJSON(b, c); !ok {
				return b, false
			}
		}
		return append(b, ']'), true
	case yaml.ScalarNode:
		return scalarJSON(b, n)
	}
	return b, false
}

func scalarJSON(b []byte, n *yaml.Node) ([]byte, bool) {
	switch n.ShortTag() {
	case "!!null":
		return append(b, "null"...), true
	case "!!bool":
		truth, err := strconv.ParseBool(n.Value)
		return strconv.AppendBool(b, truth), err == nil
	case "!!int", "!!float":
		return append(b, n.Value...), json.Valid([]byte(n.Value))
	case "!!str", "!!timestamp": // a date is text to JSON
		return appendText(b, n.Value), true
	}
	return b, false
}

func appendText(b []byte, s string) []byte {
	text, _ := json.Marshal(s) // of a string, it does not fail
	return append(b, text...)
}
