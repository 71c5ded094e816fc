// Package canon parses untrusted API specifications and reduces them to canonical
// snapshots: the facts of an API in a fixed order and notation, without prose,
// examples, extensions or anything that looks like a credential.
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

	"go.yaml.in/yaml/v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
)

// Limits of a document. They are far above real specifications, but limit the
// cost of malicious ones.
const (
	MaxSize  = 20 << 20  // bytes of the document, of its strings with aliases expanded, and of its snapshot
	maxDepth = 200       // levels
	maxNodes = 500_000   // with aliases expanded
	maxFacts = 100_000   // nodes of a snapshot
	maxMarks = 1_000_000 // characters that may start a node, counted before parsing
	maxValue = 64 << 10  // bytes of a value in a snapshot
	maxKey   = 1 << 10   // bytes of a key
	maxRef   = 4 << 10   // bytes of a reference
	maxHops  = 64        // references in a chain
)

// Parse parses a YAML or JSON document and returns its root mapping. All keys are
// strings. Aliases and merge keys are expanded. name is the name of the document in
// diagnostics.
func Parse(name string, data []byte) (*yaml.Node, error) {
	if len(data) > MaxSize {
		return nil, diag.Errorf(diag.Pos{File: name}, "too-large", "the document has more than %d bytes", MaxSize).
			WithHint("check that the file is an API specification, or split it")
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if i := invalidUTF8(data); i >= 0 {
		return nil, diag.Errorf(diag.Pos{File: name, Line: 1 + bytes.Count(data[:i], []byte("\n"))}, "bad-encoding", "the document is not valid UTF-8")
	}
	if line := tooManyMarks(data); line > 0 {
		return nil, diag.Errorf(diag.Pos{File: name, Line: line}, "too-many-nodes", "the document has more than %d lines and separators", maxMarks).
			WithHint("check that the file is an API specification, or split it")
	}
	dec := yaml.NewDecoder(bytes.NewReader(jsonEscapes(data)))
	var doc yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, diag.Errorf(diag.Pos{File: name}, "empty", "the document is empty")
	case err != nil:
		return nil, syntaxError(name, data, err)
	}
	var second yaml.Node
	if err := dec.Decode(&second); !errors.Is(err, io.EOF) {
		if err != nil {
			return nil, syntaxError(name, data, err)
		}
		return nil, diag.Errorf(diag.Pos{File: name, Line: second.Line}, "several-documents", "the file contains more than one document").
			WithHint("remove everything after the --- line")
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, diag.Errorf(diag.Pos{File: name, Line: max(doc.Line, 1)}, "not-a-mapping", "the document is not a mapping of keys to values")
	}
	r := &reader{name: name, active: map[*yaml.Node]bool{}}
	root := r.node(doc.Content[0], 0)
	if err := r.errs.Err(); err != nil {
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

// tooManyMarks returns the line at which a document exceeds the limit of
// characters that may start a node, or 0. It runs before parsing, because a node
// needs far more memory than such a character.
func tooManyMarks(data []byte) int {
	marks, line := 0, 1
	for i, c := range data {
		switch c {
		case '\n', '\r':
			line++
		case ',', ':', '[', '{', 0x85, 0xa8, 0xa9:
		case '-', '?':
			if i+1 < len(data) && data[i+1] > ' ' && data[i+1] < utf8.RuneSelf {
				continue
			}
		default:
			continue
		}
		if marks++; marks > maxMarks {
			return line
		}
	}
	return 0
}

var yamlLine = regexp.MustCompile(`line (\d+): `)

// countsFromZero matches the errors in which the parser counts lines from zero.
var countsFromZero = regexp.MustCompile(`^did not find expected (?:key|node content|'-' indicator|',' or '[]}]'|<document start>|<stream-start>)`)

// syntaxError converts an error of the parser to a diagnostic at its line.
func syntaxError(name string, data []byte, err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	pos := diag.Pos{File: name, Line: 1}
	if m := yamlLine.FindStringSubmatchIndex(text); m != nil {
		pos.Line, _ = strconv.Atoi(text[m[2]:m[3]])
		text = text[:m[0]] + text[m[1]:]
	}
	text = strings.TrimPrefix(text, "unmarshal errors:\n  ")
	if runes := []rune(text); len(runes) > 200 {
		text = string(runes[:200]) + "…"
	}
	if countsFromZero.MatchString(text) {
		pos.Line++
	}
	if name, ok := strings.CutPrefix(text, "unknown anchor '"); ok {
		name, _, _ = strings.Cut(name, "'")
		if i := bytes.Index(data, []byte("*"+name)); i >= 0 {
			pos.Line = 1 + bytes.Count(data[:i], []byte("\n"))
		}
	}
	a := diag.Errorf(pos, "yaml-syntax", "%s", text)
	lines := bytes.Split(data, []byte("\n"))
	// Whether the parser counts a tab's line from zero or one depends on the context.
	for _, i := range []int{pos.Line - 1, pos.Line} {
		if i < 0 || i >= len(lines) {
			continue
		}
		indent := lines[i][:len(lines[i])-len(bytes.TrimLeft(lines[i], " \t"))]
		if bytes.IndexByte(indent, '\t') >= 0 {
			a.Pos.Line = i + 1
			return a.WithHint("indent the line with spaces: YAML does not allow tabs")
		}
	}
	return a
}

// reader validates a parsed tree and expands its aliases. The resulting tree does
// not share nodes, so that it can be edited.
type reader struct {
	name   string
	nodes  int
	bytes  int                 // of strings and keys
	active map[*yaml.Node]bool // anchors being expanded
	errs   diag.List
}

func (r *reader) pos(n *yaml.Node) diag.Pos {
	return diag.Pos{File: r.name, Line: n.Line, Col: n.Column}
}

func (r *reader) errorf(n *yaml.Node, code, format string, args ...any) *diag.Annotation {
	a := diag.Errorf(r.pos(n), code, format, args...)
	if !r.full() {
		r.errs = append(r.errs, a)
	}
	return a
}

// full reports whether the limit of errors is reached.
func (r *reader) full() bool { return len(r.errs) >= 50 }

// over reports whether the document exceeds a limit, so that the rest can be
// skipped.
func (r *reader) over() bool { return r.nodes > maxNodes }

// size counts a string. An alias counts each time it is used.
func (r *reader) size(n *yaml.Node, text string) {
	if r.bytes += len(text); r.bytes > MaxSize && !r.over() {
		r.errorf(n, "too-large", "the document's strings have more than %d bytes with aliases expanded", MaxSize)
		r.nodes = maxNodes + 1
	}
}

func (r *reader) node(n *yaml.Node, depth int) *yaml.Node {
	switch {
	case r.over():
		return n
	case r.nodes == maxNodes:
		r.nodes++
		r.errorf(n, "too-many-nodes", "the document has more than %d nodes with aliases expanded", maxNodes)
		return n
	case depth > maxDepth:
		r.errorf(n, "too-deep", "the document is nested more than %d levels deep", maxDepth)
		r.nodes = maxNodes + 1 // skip the rest
		return n
	}
	r.nodes++
	switch n.Kind {
	case yaml.AliasNode:
		if r.active[n.Alias] {
			r.errorf(n, "alias-cycle", "the alias %s refers to itself", quoted("*"+n.Value))
			return n
		}
		r.active[n.Alias] = true
		defer delete(r.active, n.Alias)
		return r.node(n.Alias, depth)
	case yaml.MappingNode:
		if tag := n.ShortTag(); tag != "!!map" {
			r.tag(n, tag)
		}
		return r.mapping(n, depth)
	case yaml.SequenceNode:
		if tag := n.ShortTag(); tag != "!!seq" {
			r.tag(n, tag)
		}
		out := &yaml.Node{Kind: n.Kind, Tag: "!!seq", Line: n.Line, Column: n.Column}
		for _, c := range n.Content {
			if r.over() {
				break
			}
			out.Content = append(out.Content, r.node(c, depth+1))
		}
		return out
	}
	r.size(n, n.Value)
	return r.scalar(n)
}

func (r *reader) mapping(n *yaml.Node, depth int) *yaml.Node {
	out := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: n.Line, Column: n.Column}
	lines := make(map[string]int, len(n.Content)/2)
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content) && !r.over(); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if k.Kind == yaml.AliasNode {
			k = k.Alias
		}
		if k.Kind != yaml.ScalarNode {
			r.errorf(n.Content[i], "bad-key", "a key must be a scalar")
			continue
		}
		switch tag := k.ShortTag(); tag {
		case "!!merge":
			merged = append(merged, v)
			continue
		case "!!str", "!!int", "!!float", "!!bool", "!!null", "!!timestamp": // keys are strings, whatever type YAML gives them
		default:
			r.tag(k, tag)
		}
		if strings.ContainsFunc(k.Value, Hidden) {
			r.errorf(k, "bad-key", "the key %s contains control or text direction characters", quoted(k.Value))
		}
		if len(k.Value) > maxKey {
			r.errorf(k, "bad-key", "the key %s has %d bytes; the limit is %d", quoted(k.Value), len(k.Value), maxKey)
		}
		if line, dup := lines[k.Value]; dup {
			r.errorf(k, "duplicate-key", "the key %s is already used in line %d", quoted(k.Value), line).
				WithHint("remove one of them")
			continue
		}
		lines[k.Value] = k.Line
		r.size(k, k.Value)
		key := styled(&yaml.Node{Kind: yaml.ScalarNode, Value: k.Value, Line: k.Line, Column: k.Column})
		out.Content = append(out.Content, key, r.node(v, depth+1))
	}
	for _, m := range merged {
		r.merge(out, lines, m, depth)
	}
	return out
}

// merge expands a merge key. The mapping's own members take precedence over merged
// ones, and earlier sources over later ones.
func (r *reader) merge(out *yaml.Node, lines map[string]int, source *yaml.Node, depth int) {
	from := r.node(source, depth+1)
	if r.over() {
		return
	}
	sources := []*yaml.Node{from}
	if from.Kind == yaml.SequenceNode {
		sources = from.Content
	}
	for _, s := range sources {
		if s.Kind != yaml.MappingNode {
			r.errorf(source, "bad-merge", "the value of a merge key must be a mapping or a list of mappings")
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

// Hidden reports whether a character is invisible or changes how its neighbours
// are displayed.
func Hidden(c rune) bool { return unicode.IsControl(c) || unicode.Is(unicode.Cf, c) }
