package source

import (
	"regexp"
	"strconv"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/canon"
	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
)

// Origin is the document that a snapshot was made from, as upstream wrote it.
type Origin struct {
	Name string // "core.yml@0123456789ab"; "" for a snapshot that was read from specs/
	Data []byte
}

// Locate returns findings about the snapshot with positions in its origin, for
// a snapshot that is not on disk. A part that has no counterpart there is located
// at the nearest part that contains it. Positions in the texts are replaced, too.
func (s Snapshot) Locate(list diag.List) diag.List {
	if s.Origin.Name == "" {
		return list
	}
	trees := sync.OnceValues(s.trees)
	move := func(pos diag.Pos) diag.Pos {
		moved := diag.Pos{File: s.Origin.Name}
		snapshot, origin := trees()
		if at := counterpart(snapshot, origin, pos); at != nil {
			moved.Line = at.Line
			if pos.Col > 0 {
				moved.Col = at.Column
			}
		}
		return moved
	}
	inText := regexp.MustCompile(regexp.QuoteMeta(s.Path) + `(?::(\d+)(?::(\d+))?)?`)
	rewrite := func(text string) string {
		return inText.ReplaceAllStringFunc(text, func(at string) string {
			m := inText.FindStringSubmatch(at)
			pos := diag.Pos{File: s.Path}
			pos.Line, _ = strconv.Atoi(m[1]) // 0 if there is none
			pos.Col, _ = strconv.Atoi(m[2])
			return move(pos).String()
		})
	}
	out := make(diag.List, len(list))
	for i, a := range list {
		moved := *a
		moved.Message, moved.Hint = rewrite(a.Message), rewrite(a.Hint)
		if a.Pos.File == s.Path {
			moved.Pos = move(a.Pos)
		}
		out[i] = &moved
	}
	return out
}

// trees parses the snapshot and its origin. They are empty if either cannot be
// parsed.
func (s Snapshot) trees() (snapshot, origin *yaml.Node) {
	snapshot, err1 := s.Tree()
	origin, err2 := canon.Parse(s.Origin.Name, s.Origin.Data)
	if err1 != nil || err2 != nil {
		return &yaml.Node{}, &yaml.Node{}
	}
	return snapshot, origin
}

// counterpart goes down two trees side by side, to where pos is in the first,
// and returns the node in the second.
func counterpart(a, b *yaml.Node, pos diag.Pos) *yaml.Node {
	if pos.Line == 0 {
		return nil
	}
	at := b
	for {
		next, key := child(a, pos)
		if next == nil {
			return at
		}
		label, value := same(b, next, key)
		if value == nil {
			return at
		}
		a, b, at = next, value, label
	}
}

// child returns the last child of n that begins at or before pos, and its key
// in a mapping.
func child(n *yaml.Node, pos diag.Pos) (value, key *yaml.Node) {
	before := func(c *yaml.Node) bool {
		return c.Line < pos.Line || c.Line == pos.Line && (c.Column <= pos.Col || pos.Col == 0)
	}
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content) && before(n.Content[i]); i += 2 {
			key, value = n.Content[i], n.Content[i+1]
		}
		if key != nil && key.Line == pos.Line && (key.Column == pos.Col || pos.Col == 0) {
			return &yaml.Node{}, key // the member as a whole
		}
	case yaml.SequenceNode:
		for _, c := range n.Content {
			if before(c) {
				value = c
			}
		}
	}
	return value, key
}

// same finds the child of n that has this key, or, in a sequence, this content.
func same(n, value, key *yaml.Node) (label, found *yaml.Node) {
	switch {
	case n.Kind == yaml.MappingNode && key != nil:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == key.Value {
				return n.Content[i], n.Content[i+1]
			}
		}
	case n.Kind == yaml.SequenceNode && key == nil:
		for _, c := range n.Content {
			if identity(c) == identity(value) {
				return c, c
			}
		}
	}
	return nil, nil
}

// identity tells the elements of a sequence apart: a scalar by its text, a
// reference by where it leads, a parameter by its place and name.
func identity(n *yaml.Node) string {
	id := n.Value
	for i := 0; i+1 < len(n.Content) && n.Kind == yaml.MappingNode; i += 2 {
		if k := n.Content[i].Value; k == "$ref" || k == "in" || k == "name" {
			id += k + "=" + n.Content[i+1].Value + ";"
		}
	}
	return id
}
