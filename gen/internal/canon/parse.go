// Package canon reads API descriptions that nobody vouches for, and reduces
// them to canonical snapshots: the facts of an API in one fixed order and
// form, without prose, examples, extensions or anything like a credential.
package canon

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
)

// Limits of a document. They are far above any real API description, and low
// enough that a hostile one costs little.
const (
	MaxSize  = 20 << 20
	maxDepth = 200
	maxNodes = 500_000
)

// Parse reads one YAML or JSON document and returns its root mapping. Keys are
// strings (an integer key keeps its text), aliases and merge keys are
// expanded. name stands for the document in diagnostics.
func Parse(name string, data []byte) (*yaml.Node, error) {
	if len(data) > MaxSize {
		return nil, diag.Errorf(diag.Pos{File: name}, "too-large", "the document has %d bytes; the limit is %d", len(data), MaxSize).
			WithHint("is this really an API description?")
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if i := invalidUTF8(data); i >= 0 {
		return nil, diag.Errorf(diag.Pos{File: name, Line: 1 + bytes.Count(data[:i], []byte("\n"))}, "bad-encoding", "the document is not UTF-8")
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, diag.Errorf(diag.Pos{File: name}, "empty", "the document is empty")
	case err != nil:
		return nil, syntax(name, data, err)
	}
	var second yaml.Node
	if err := dec.Decode(&second); !errors.Is(err, io.EOF) {
		if err != nil {
			return nil, syntax(name, data, err)
		}
		return nil, diag.Errorf(diag.Pos{File: name, Line: second.Line}, "several-documents", "there is more than one document in the file").
			WithHint("remove what follows the --- line")
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, diag.Errorf(diag.Pos{File: name, Line: max(doc.Line, 1)}, "not-a-mapping", "the document is not a mapping of keys to values")
	}
	r := &reader{name: name, active: map[*yaml.Node]bool{}}
	root := r.node(doc.Content[0], 0)
	if err := r.faults.Err(); err != nil {
		return nil, err
	}
	return root, nil
}

func invalidUTF8(data []byte) int {
	if utf8.Valid(data) {
		return -1
	}
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

var yamlLine = regexp.MustCompile(`line (\d+): `)

// syntax turns the parser's error into a finding at its line.
func syntax(name string, data []byte, err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	pos := diag.Pos{File: name, Line: 1}
	if m := yamlLine.FindStringSubmatchIndex(text); m != nil {
		pos.Line, _ = strconv.Atoi(text[m[2]:m[3]])
		text = text[:m[0]] + text[m[1]:]
	}
	a := diag.Errorf(pos, "yaml-syntax", "%s", strings.TrimPrefix(text, "unmarshal errors:\n  "))
	lines := bytes.Split(data, []byte("\n"))
	// The parser counts a tab's line from zero or one, depending on what it was reading.
	for _, i := range []int{pos.Line - 1, pos.Line} {
		if i < 0 || i >= len(lines) {
			continue
		}
		indent := lines[i][:len(lines[i])-len(bytes.TrimLeft(lines[i], " \t"))]
		if bytes.IndexByte(indent, '\t') >= 0 {
			a.Pos.Line = i + 1
			return a.WithHint("the line is indented with a tab; YAML allows spaces only")
		}
	}
	return a
}

// reader expands and checks a parsed tree. The tree it returns shares no node
// with another place, so that it can be edited.
type reader struct {
	name   string
	nodes  int
	active map[*yaml.Node]bool // anchors being expanded
	faults diag.List
}

func (r *reader) pos(n *yaml.Node) diag.Pos {
	return diag.Pos{File: r.name, Line: n.Line, Col: n.Column}
}

func (r *reader) fault(n *yaml.Node, code, format string, args ...any) *diag.Annotation {
	a := diag.Errorf(r.pos(n), code, format, args...)
	if len(r.faults) < 50 {
		r.faults = append(r.faults, a)
	}
	return a
}

func (r *reader) node(n *yaml.Node, depth int) *yaml.Node {
	r.nodes++
	switch {
	case r.nodes > maxNodes:
		if r.nodes == maxNodes+1 {
			r.fault(n, "too-many-nodes", "the document has more than %d nodes once its aliases are expanded", maxNodes)
		}
		return n
	case depth > maxDepth:
		r.fault(n, "too-deep", "the document nests more than %d levels deep", maxDepth)
		r.nodes = maxNodes + 1 // nothing below is worth reading
		return n
	}
	switch n.Kind {
	case yaml.AliasNode:
		if r.active[n.Alias] {
			r.fault(n, "alias-cycle", "the alias *%s leads to itself", n.Value)
			return n
		}
		r.active[n.Alias] = true
		defer delete(r.active, n.Alias)
		return r.node(n.Alias, depth)
	case yaml.MappingNode:
		return r.mapping(n, depth)
	case yaml.SequenceNode:
		out := &yaml.Node{Kind: n.Kind, Tag: "!!seq", Line: n.Line, Column: n.Column}
		for _, c := range n.Content {
			out.Content = append(out.Content, r.node(c, depth+1))
		}
		return out
	}
	return r.scalar(n)
}

func (r *reader) scalar(n *yaml.Node) *yaml.Node {
	out := &yaml.Node{Kind: yaml.ScalarNode, Tag: n.ShortTag(), Value: n.Value, Line: n.Line, Column: n.Column}
	switch out.Tag {
	case "!!str", "!!int", "!!bool", "!!null":
	case "!!timestamp", "!!merge":
		out.Tag = "!!str" // a date in a description is text, whatever YAML makes of it
	case "!!float":
		if strings.ContainsAny(strings.ToLower(n.Value), "inf nan") && !strings.ContainsAny(n.Value, "0123456789") {
			r.fault(n, "bad-number", "%s is no number that JSON knows", n.Value)
		}
	default:
		r.fault(n, "bad-tag", "the tag %s is not allowed", out.Tag).WithHint("an API description needs only strings, numbers, booleans and null")
	}
	return out
}

func (r *reader) mapping(n *yaml.Node, depth int) *yaml.Node {
	out := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: n.Line, Column: n.Column}
	lines := make(map[string]int, len(n.Content)/2)
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if k.Kind == yaml.AliasNode {
			k = k.Alias
		}
		if k.Kind != yaml.ScalarNode {
			r.fault(n.Content[i], "bad-key", "a key must be a single value")
			continue
		}
		if k.ShortTag() == "!!merge" {
			merged = append(merged, v)
			continue
		}
		if strings.ContainsFunc(k.Value, hidden) {
			r.fault(k, "bad-key", "the key %q holds control or direction characters", k.Value)
		}
		if line, dup := lines[k.Value]; dup {
			r.fault(k, "duplicate-key", "the key %q was already given in line %d", k.Value, line).
				WithHint("remove one of the two: which one counts is undefined")
			continue
		}
		lines[k.Value] = k.Line
		key := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: k.Value, Line: k.Line, Column: k.Column}
		out.Content = append(out.Content, key, r.node(v, depth+1))
	}
	for _, m := range merged {
		r.merge(out, lines, m, depth)
	}
	return out
}

// merge expands a merge key: members of the mapping itself win, then those of
// the earlier source.
func (r *reader) merge(out *yaml.Node, lines map[string]int, source *yaml.Node, depth int) {
	from := r.node(source, depth+1)
	sources := []*yaml.Node{from}
	if from.Kind == yaml.SequenceNode {
		sources = from.Content
	}
	for _, s := range sources {
		if s.Kind != yaml.MappingNode {
			r.fault(source, "bad-merge", "a merge key must name a mapping, or a list of mappings")
			return
		}
		for i := 0; i+1 < len(s.Content); i += 2 {
			if _, taken := lines[s.Content[i].Value]; taken {
				continue
			}
			lines[s.Content[i].Value] = s.Content[i].Line
			out.Content = append(out.Content, s.Content[i], s.Content[i+1])
		}
	}
}

// hidden tells whether a character cannot be seen, or changes how its
// neighbours are.
func hidden(c rune) bool { return unicode.IsControl(c) || unicode.Is(unicode.Cf, c) }
