// Package specdiff compares two canonical snapshots of a specification. It returns the
// differences as facts with positions, and as the findings of oasdiff. Package report
// derives what they mean for users of the SDK.
package specdiff

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/canon"
)

// Op is the kind of a difference.
type Op string

// Kinds of differences.
const (
	Added   Op = "added"
	Removed Op = "removed"
	Changed Op = "changed"
)

// Fact is a difference. Subject is the JSON pointer of the affected part: an operation,
// a parameter, a request body, a response, a schema or a property. Parameters are
// identified by location and name, ".../parameters/query:limit", because their order
// is irrelevant.
type Fact struct {
	Subject string `json:"subject"`
	Aspect  string `json:"aspect,omitempty"` // "type", "enum", "items/format"; "" for the subject as a whole
	Op      Op     `json:"op"`
	From    string `json:"from,omitempty"`
	To      string `json:"to,omitempty"`
	OldLine int    `json:"oldLine,omitempty"`
	NewLine int    `json:"newLine,omitempty"`

	// Parts is 1, or for a part that was added or removed as a whole, the number of its
	// properties, parameters, responses and enumeration values plus 1.
	Parts int `json:"-"`
}

// Key returns a key that identifies the fact, independent of its lines.
func (f Fact) Key() string {
	return strings.Join([]string{f.Subject, f.Aspect, string(f.Op), f.From, f.To}, "\x00")
}

// Facts compares two documents. If one is nil, everything in the other was added or
// removed.
func Facts(before, after *yaml.Node) []Fact {
	d := &differ{}
	d.mapping(kindDocument, "#", "#", "", before, after)
	return d.facts
}

// Parse parses a snapshot.
func Parse(name string, data []byte) (*yaml.Node, error) { return canon.Parse(name, data) }

// kind is the kind of a mapping, which determines the kinds of its members.
type kind int

const (
	kindOther kind = iota
	kindDocument
	kindPaths
	kindPath
	kindOperation
	kindComponents
	kindNamed   // a map of named parts
	kindSchemas // a map of named schemas
	kindSchema
)

type differ struct{ facts []Fact }

// place is a position in the comparison.
type place struct {
	pointer string // of the node
	subject string // of the part that it belongs to
	aspect  string // from the part to the node
}

func (d *differ) add(op Op, subject, aspect string, from, to *yaml.Node, oldLine, newLine int) {
	d.facts = append(d.facts, Fact{Subject: subject, Aspect: aspect, Op: op, From: brief(from), To: brief(to), OldLine: oldLine, NewLine: newLine, Parts: 1 + partsOf(from) + partsOf(to)})
}

// partsOf counts what a part that was added or removed as a whole consists of.
func partsOf(n *yaml.Node) (count int) {
	if n == nil {
		return 0
	}
	if n.Kind == yaml.MappingNode {
		for _, m := range members(n) {
			switch {
			case m.value.Kind == yaml.MappingNode && (m.key.Value == "properties" || m.key.Value == "responses"):
				count += len(members(m.value))
			case m.value.Kind == yaml.SequenceNode && (m.key.Value == "parameters" || m.key.Value == "enum"):
				count += len(m.value.Content)
			}
			count += partsOf(m.value)
		}
		return count
	}
	for _, item := range n.Content {
		count += partsOf(item)
	}
	return count
}

func line(n *yaml.Node) int {
	if n == nil {
		return 0
	}
	return n.Line
}

type member struct{ key, value *yaml.Node }

func members(n *yaml.Node) (list []member) {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		list = append(list, member{n.Content[i], n.Content[i+1]})
	}
	return list
}

func find(n *yaml.Node, key string) *member {
	for _, m := range members(n) {
		if m.key.Value == key {
			return &m
		}
	}
	return nil
}

// mapping compares two mappings, either of which may be nil.
func (d *differ) mapping(k kind, pointer, subject, aspect string, before, after *yaml.Node) {
	for _, m := range union(before, after) {
		key := m[0]
		if key == nil {
			key = m[1]
		}
		name := key.key.Value
		child, sub := childKind(k, name), place{pointer: pointer + "/" + canon.EscapePointer(name), subject: subject, aspect: join(aspect, name)}
		if k == kindOperation && name == "tags" || name == canon.Ignored {
			continue // kept for overlays; no client depends on them
		}
		if part(k, name) {
			sub.subject, sub.aspect = sub.pointer, ""
		}
		switch {
		case m[0] != nil && m[1] != nil:
			d.node(child, sub, *m[0], *m[1])
		case k == kindPaths || k == kindDocument && (name == "paths" || name == "components") || k == kindComponents:
			// Report the parts inside, not their container.
			var b, a *yaml.Node
			if m[0] != nil {
				b = m[0].value
			} else {
				a = m[1].value
			}
			d.mapping(child, sub.pointer, sub.subject, sub.aspect, b, a)
		case k == kindSchema && name == "required" && key.value.Kind == yaml.SequenceNode:
			d.required(pointer, m)
		case k == kindOperation && name == "parameters":
			d.parameters(sub.pointer, m)
		case m[0] != nil:
			d.add(Removed, sub.subject, sub.aspect, m[0].value, nil, m[0].key.Line, 0)
		default:
			d.add(Added, sub.subject, sub.aspect, nil, m[1].value, 0, m[1].key.Line)
		}
	}
}

// part reports whether a member of a mapping is a subject of its own.
func part(k kind, name string) bool {
	switch k {
	case kindPath:
		return methods[name]
	case kindOperation:
		return name == "requestBody"
	case kindNamed, kindSchemas:
		return true
	}
	return false
}

var methods = map[string]bool{"get": true, "put": true, "post": true, "delete": true, "options": true, "head": true, "patch": true, "trace": true}

func childKind(k kind, name string) kind {
	switch k {
	case kindDocument:
		switch name {
		case "paths":
			return kindPaths
		case "components":
			return kindComponents
		}
	case kindPaths:
		return kindPath
	case kindPath:
		if methods[name] {
			return kindOperation
		}
	case kindOperation:
		if name == "responses" {
			return kindNamed
		}
	case kindComponents:
		if name == "schemas" {
			return kindSchemas
		}
		return kindNamed
	case kindSchemas:
		return kindSchema
	case kindSchema:
		switch name {
		case "properties":
			return kindSchemas
		case "items", "additionalProperties", "not":
			return kindSchema
		}
	case kindNamed, kindOther:
		if name == "schema" {
			return kindSchema
		}
	}
	return kindOther
}

func (d *differ) node(k kind, at place, b, a member) {
	name := b.key.Value
	switch {
	case name == "required" && b.value.Kind == yaml.SequenceNode && a.value.Kind == yaml.SequenceNode:
		d.required(strings.TrimSuffix(at.pointer, "/required"), [2]*member{&b, &a})
	case name == "parameters" && b.value.Kind == yaml.SequenceNode && a.value.Kind == yaml.SequenceNode:
		d.parameters(at.pointer, [2]*member{&b, &a})
	case b.value.Kind == yaml.MappingNode && a.value.Kind == yaml.MappingNode:
		d.mapping(k, at.pointer, at.subject, at.aspect, b.value, a.value)
	case b.value.Kind == yaml.SequenceNode && a.value.Kind == yaml.SequenceNode:
		d.list(at, b.value, a.value)
	case b.value.Kind != a.value.Kind || flat(b.value) != flat(a.value):
		d.add(Changed, at.subject, at.aspect, b.value, a.value, b.key.Line, a.key.Line)
	}
}

// required compares lists of required members, as facts about the properties.
func (d *differ) required(schema string, m [2]*member) {
	var before, after *yaml.Node
	if m[0] != nil {
		before = m[0].value
	}
	if m[1] != nil {
		after = m[1].value
	}
	removed, added := sets(before, after)
	for _, n := range removed {
		d.add(Removed, schema+"/properties/"+canon.EscapePointer(n.Value), "required", nil, nil, n.Line, 0)
	}
	for _, n := range added {
		d.add(Added, schema+"/properties/"+canon.EscapePointer(n.Value), "required", nil, nil, 0, n.Line)
	}
}

// parameters compares lists of parameters by location and name.
func (d *differ) parameters(pointer string, m [2]*member) {
	index := func(m *member) map[string]*yaml.Node {
		named := map[string]*yaml.Node{}
		if m != nil {
			for _, p := range m.value.Content {
				named[parameterKey(p)] = p
			}
		}
		return named
	}
	before, after := index(m[0]), index(m[1])
	var keys []string
	for _, list := range []map[string]*yaml.Node{before, after} {
		for key := range list {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range slices.Compact(keys) {
		b, a := before[key], after[key]
		at := pointer + "/" + canon.EscapePointer(key)
		switch {
		case a == nil:
			d.add(Removed, at, "", b, nil, line(b), 0)
		case b == nil:
			d.add(Added, at, "", nil, a, 0, line(a))
		default:
			d.mapping(kindOther, at, at, "", b, a)
		}
	}
}

func parameterKey(p *yaml.Node) string {
	if ref := find(p, "$ref"); ref != nil {
		return ref.value.Value
	}
	in, name := find(p, "in"), find(p, "name")
	if in == nil || name == nil {
		return flat(p)
	}
	return in.value.Value + ":" + name.value.Value
}

// list compares lists whose order is irrelevant. Mappings without an equal on the other
// side are compared pairwise, in order.
func (d *differ) list(at place, before, after *yaml.Node) {
	removed, added := sets(before, after)
	if len(removed) > 0 && len(removed) == len(added) && removed[0].Kind == yaml.MappingNode {
		for i := range removed {
			if removed[i].Kind == yaml.MappingNode && added[i].Kind == yaml.MappingNode {
				d.mapping(kindSchema, at.pointer, at.subject, at.aspect, removed[i], added[i])
			}
		}
		return
	}
	for _, n := range removed {
		d.add(Removed, at.subject, at.aspect, n, nil, n.Line, 0)
	}
	for _, n := range added {
		d.add(Added, at.subject, at.aspect, nil, n, 0, n.Line)
	}
}

// sets returns the elements that are in only one of the lists.
func sets(before, after *yaml.Node) (removed, added []*yaml.Node) {
	only := func(list, other *yaml.Node) (out []*yaml.Node) {
		if list == nil {
			return nil
		}
		have := map[string]int{}
		if other != nil {
			for _, n := range other.Content {
				have[flat(n)]++
			}
		}
		for _, n := range list.Content {
			if have[flat(n)]--; have[flat(n)] < 0 {
				out = append(out, n)
			}
		}
		return out
	}
	return only(before, after), only(after, before)
}

// union pairs the members of two mappings by key, in the order of the keys.
func union(before, after *yaml.Node) [][2]*member {
	pairs := map[string]*[2]*member{}
	var keys []string
	for side, n := range []*yaml.Node{before, after} {
		for _, m := range members(n) {
			p := pairs[m.key.Value]
			if p == nil {
				p = &[2]*member{}
				pairs[m.key.Value] = p
				keys = append(keys, m.key.Value)
			}
			p[side] = &m
		}
	}
	slices.Sort(keys)
	out := make([][2]*member, len(keys))
	for i, k := range keys {
		out[i] = *pairs[k]
	}
	return out
}

func join(aspect, name string) string {
	if aspect == "" {
		return name
	}
	return aspect + "/" + name
}

func flat(n *yaml.Node) string {
	var b strings.Builder
	var write func(*yaml.Node)
	write = func(n *yaml.Node) {
		b.WriteString(n.Tag)
		b.WriteByte(1)
		b.WriteString(n.Value)
		b.WriteByte(2)
		for _, c := range n.Content {
			write(c)
		}
		b.WriteByte(3)
	}
	write(n)
	return b.String()
}

// brief returns a value in short form.
func brief(n *yaml.Node) string {
	if n == nil {
		return ""
	}
	const limit = 100
	var b strings.Builder
	var write func(*yaml.Node)
	write = func(n *yaml.Node) {
		switch {
		case b.Len() > limit:
		case n.Kind == yaml.MappingNode:
			b.WriteByte('{')
			for i, m := range members(n) {
				if i > 0 {
					b.WriteString(", ")
				}
				b.WriteString(m.key.Value + ": ")
				write(m.value)
			}
			b.WriteByte('}')
		case n.Kind == yaml.SequenceNode:
			b.WriteByte('[')
			for i, c := range n.Content {
				if i > 0 {
					b.WriteString(", ")
				}
				write(c)
			}
			b.WriteByte(']')
		default:
			b.WriteString(n.Value)
		}
	}
	write(n)
	if runes := []rune(b.String()); len(runes) > limit {
		return string(runes[:limit]) + "…"
	}
	return b.String()
}
