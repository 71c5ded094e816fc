package overlay

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Limits of the search for a suggestion, so that its cost does not depend on the size
// of the document.
const (
	maxSuggestParents = 64
	maxSuggestNames   = 2048
	maxSuggestLength  = 128
)

// nearest describes which part of a query still matches, and what the document has
// instead of the rest.
func (d *document) nearest(q *query) string {
	n := len(q.segments)
	if n == 0 {
		return ""
	}
	var found []*yaml.Node
	for len(found) == 0 {
		n-- // without segments, a query selects the root, which exists
		found = d.selectFirst(n, q)
	}
	prefix, missing := q.prefix(n), q.segment(n)
	what := prefix + " exists, but "
	if len(found) > 1 {
		what = fmt.Sprintf("%s matches %s, but ", prefix, places(len(found)))
	}
	switch {
	case len(missing.names) == 1:
		return what + missingName(found, missing.names[0])
	case missing.filter:
		children := 0
		for _, f := range found {
			children += len(f.Content)
			if f.Kind == yaml.MappingNode {
				children -= len(f.Content) / 2
			}
		}
		return what + fmt.Sprintf("none of the %d values in it passes %s", children, clip(missing.text))
	case missing.index && found[0].Kind == yaml.SequenceNode:
		return what + fmt.Sprintf("it has %d elements", len(found[0].Content))
	}
	return what + fmt.Sprintf("nothing in it matches %s", clip(missing.text))
}

// missingName describes which names the nodes have instead of the wanted one.
func missingName(found []*yaml.Node, wanted string) string {
	names := func(yield func(string) bool) {
		left := maxSuggestNames
		for _, f := range found[:min(len(found), maxSuggestParents)] {
			if f.Kind != yaml.MappingNode {
				continue
			}
			for i := 0; i < len(f.Content); i += 2 {
				if left--; left < 0 || !yield(f.Content[i].Value) {
					return
				}
			}
		}
	}
	if near := closest(wanted, names); near != "" {
		return fmt.Sprintf("has no %q; the closest is %q", wanted, clip(near))
	}
	var sample []string
	more := 0
	for name := range names {
		switch {
		case slices.Contains(sample, name):
		case len(sample) < 8:
			sample = append(sample, clip(name))
		default:
			more++
		}
	}
	switch {
	case len(sample) == 0 && found[0].Kind == yaml.MappingNode:
		return "is an empty object"
	case len(sample) == 0:
		return fmt.Sprintf("is %s without members", kindOf(found[0]))
	case more > 0:
		return fmt.Sprintf("has no %q; it has %s and more", wanted, strings.Join(sample, ", "))
	}
	return fmt.Sprintf("has no %q; it has %s", wanted, strings.Join(sample, ", "))
}

// closest returns the candidate that could be meant by name: one a slip of the
// keyboard away, or else the only path that goes on from it or to it. It returns
// "" if there is none. Two names that differ by a word are two parts:
// UserGetResponse is not what became of UserPostResponse.
func closest(name string, candidates iter.Seq[string]) string {
	if c := misspelt(name, candidates); c != "" {
		return c
	}
	moved := ""
	for c := range candidates {
		if !strings.HasPrefix(name, "/") || !strings.HasPrefix(c, "/") || !strings.HasSuffix(c, name) && !strings.HasSuffix(name, c) {
			continue
		}
		if moved != "" && moved != c {
			return ""
		}
		moved = c
	}
	return moved
}

func misspelt(name string, candidates iter.Seq[string]) string {
	best, bestDistance := "", 1+min(2, max(1, len(name)/3))
	if len(name) > maxSuggestLength {
		return ""
	}
	for c := range candidates {
		if len(c) > maxSuggestLength || c == "" {
			continue
		}
		if strings.EqualFold(c, name) && bestDistance > 1 {
			best, bestDistance = c, 1
			continue
		}
		if d := distance(name, c, bestDistance); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	if bestDistance >= len(name) {
		return "" // every letter would change
	}
	return best
}

// distance returns the edit distance of a and b, or limit if it is not smaller. It only
// computes the band of the table in which the distance can be below the limit.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = min(j, limit)
	}
	for i := range len(a) {
		from, to := max(0, i-limit), min(len(b), i+limit+1)
		diagonal := row[from]
		row[from] = limit
		if from == 0 {
			row[0] = min(i+1, limit)
		}
		least := row[from]
		for j := from; j < to; j++ {
			cost := diagonal
			if a[i] != b[j] {
				cost = min(limit, 1+min(diagonal, row[j], row[j+1]))
			}
			diagonal, row[j+1] = row[j+1], cost
			least = min(least, cost)
		}
		if least >= limit {
			return limit
		}
	}
	return row[len(b)]
}
