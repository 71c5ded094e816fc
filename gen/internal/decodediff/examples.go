// Package decodediff decodes the examples in upstream's specifications with the Go
// types of two versions. Values that only the older version decodes are lost to
// callers, whatever the specifications say. Examples are only kept in memory and in
// a temporary directory.
package decodediff

import (
	"bytes"
	"encoding/json"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/canon"
)

// Example is an example of a request or response body.
type Example struct {
	Operation string // "GET /users/{userId}"
	Request   bool
	Name      string // status and name: "200 Success"
	Body      []byte // JSON
}

// Collect returns the JSON examples of a specification's requests and successful
// responses.
func Collect(name string, data []byte) ([]Example, error) {
	root, err := canon.Parse(name, data)
	if err != nil {
		return nil, err
	}
	c := &collector{root: root}
	for _, p := range pairs(get(root, "paths")) {
		for _, op := range pairs(p.value) {
			if !isMethod(op.key) {
				continue
			}
			id := strings.ToUpper(op.key) + " " + p.key
			c.media(id, "request", true, get(c.deref(get(op.value, "requestBody")), "content"))
			for _, res := range pairs(get(op.value, "responses")) {
				if strings.HasPrefix(res.key, "2") {
					c.media(id, res.key, false, get(c.deref(res.value), "content"))
				}
			}
		}
	}
	return c.out, nil
}

func isMethod(key string) bool {
	switch key {
	case "get", "put", "post", "delete", "patch", "head", "options", "trace":
		return true
	}
	return false
}

type collector struct {
	root *yaml.Node
	out  []Example
}

func (c *collector) media(op, where string, request bool, content *yaml.Node) {
	for _, m := range pairs(content) {
		if !strings.HasPrefix(m.key, "application/json") {
			continue
		}
		if v := get(m.value, "example"); v != nil {
			c.add(op, where, request, v)
		}
		for _, e := range pairs(get(m.value, "examples")) {
			if v := get(c.deref(e.value), "value"); v != nil {
				c.add(op, where+" "+e.key, request, v)
			}
		}
	}
}

func (c *collector) add(op, name string, request bool, v *yaml.Node) {
	var b bytes.Buffer
	writeJSON(&b, v)
	// Some examples are JSON in a string.
	if v.Kind == yaml.ScalarNode && v.Tag == "!!str" && json.Valid([]byte(v.Value)) {
		b.Reset()
		b.WriteString(v.Value)
	}
	c.out = append(c.out, Example{Operation: op, Request: request, Name: name, Body: b.Bytes()})
}

// deref resolves local references.
func (c *collector) deref(n *yaml.Node) *yaml.Node {
	for range 16 {
		ref := get(n, "$ref")
		if ref == nil {
			return n
		}
		n = c.root
		for part := range strings.SplitSeq(strings.TrimPrefix(ref.Value, "#/"), "/") {
			n = get(n, strings.ReplaceAll(strings.ReplaceAll(part, "~1", "/"), "~0", "~"))
		}
	}
	return nil
}

type pair struct {
	key   string
	value *yaml.Node
}

func pairs(n *yaml.Node) (out []pair) {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		out = append(out, pair{n.Content[i].Value, n.Content[i+1]})
	}
	return out
}

func get(n *yaml.Node, key string) *yaml.Node {
	for _, p := range pairs(n) {
		if p.key == key {
			return p.value
		}
	}
	return nil
}

// writeJSON writes a YAML value as JSON.
func writeJSON(b *bytes.Buffer, n *yaml.Node) {
	text := func(s string) {
		out, err := json.Marshal(s)
		if err != nil {
			out = []byte(`""`) // cannot happen: all strings can be encoded
		}
		b.Write(out)
	}
	switch n.Kind {
	case yaml.MappingNode:
		b.WriteByte('{')
		for i, p := range pairs(n) {
			if i > 0 {
				b.WriteByte(',')
			}
			text(p.key)
			b.WriteByte(':')
			writeJSON(b, p.value)
		}
		b.WriteByte('}')
	case yaml.SequenceNode:
		b.WriteByte('[')
		for i, c := range n.Content {
			if i > 0 {
				b.WriteByte(',')
			}
			writeJSON(b, c)
		}
		b.WriteByte(']')
	default:
		switch tag := n.ShortTag(); {
		case tag == "!!null":
			b.WriteString("null")
		case (tag == "!!bool" || tag == "!!int" || tag == "!!float") && json.Valid([]byte(n.Value)):
			b.WriteString(n.Value)
		default:
			text(n.Value)
		}
	}
}
