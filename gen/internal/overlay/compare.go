package overlay

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// kindOf returns the JSON kind of a node.
func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "an object"
	case yaml.SequenceNode:
		return "an array"
	}
	return "a primitive value"
}

// scalar returns a string that is the same for equal primitives.
func scalar(n *yaml.Node) string {
	switch tag := n.ShortTag(); tag {
	case "!!null":
		return "null"
	case "!!bool":
		return strings.ToLower(n.Value)
	case "!!int", "!!float":
		return n.Value
	default: // a string; JSON has no dates
		return strconv.Quote(n.Value)
	}
}

// holds reports whether merging src into dst would change nothing.
func holds(dst, src *yaml.Node) bool {
	switch {
	case dst.Kind == yaml.SequenceNode && src.Kind == yaml.SequenceNode:
		return containsAll(dst.Content, src.Content)
	case dst.Kind == yaml.SequenceNode:
		return containsAll(dst.Content, []*yaml.Node{src})
	case dst.Kind != src.Kind:
		return false
	case dst.Kind == yaml.MappingNode:
		find := finder(dst, len(src.Content))
		for i := 0; i+1 < len(src.Content); i += 2 {
			v := find(src.Content[i].Value)
			if v == nil || !holdsMember(v, src.Content[i+1]) {
				return false
			}
		}
		return true
	}
	return scalar(dst) == scalar(src)
}

// holdsMember is holds for members of the target, where only an array can be merged
// into an array.
func holdsMember(dst, src *yaml.Node) bool { return dst.Kind == src.Kind && holds(dst, src) }

// duplicate returns an element that merging src into dst would add to an array that
// already has it. It returns the path of the array below the target and the element in
// the array.
func duplicate(path string, dst, src *yaml.Node) (string, *yaml.Node) {
	switch dst.Kind {
	case yaml.SequenceNode:
		elements := []*yaml.Node{src}
		if src.Kind == yaml.SequenceNode {
			elements = src.Content
		}
		have := make(map[string]*yaml.Node, len(dst.Content))
		for _, n := range dst.Content {
			have[fingerprint(n)] = n
		}
		for _, n := range elements {
			if at := have[fingerprint(n)]; at != nil {
				return path, at
			}
		}
	case yaml.MappingNode:
		find := finder(dst, len(src.Content))
		for i := 0; i+1 < len(src.Content); i += 2 {
			name, value := src.Content[i].Value, src.Content[i+1]
			if v := find(name); v != nil && v.Kind == value.Kind {
				if where, at := duplicate(path+step(name), v, value); at != nil {
					return where, at
				}
			}
		}
	}
	return "", nil
}

// held calls yield with the paths below dst at which src changes nothing. It descends
// into objects that are not empty.
func held(path string, dst, src *yaml.Node, yield func(path string)) {
	if dst.Kind != yaml.MappingNode || src.Kind != yaml.MappingNode {
		return
	}
	find := finder(dst, len(src.Content))
	for i := 0; i+1 < len(src.Content); i += 2 {
		where, value := path+step(src.Content[i].Value), src.Content[i+1]
		switch v := find(src.Content[i].Value); {
		case v == nil:
		case value.Kind == yaml.MappingNode && len(value.Content) > 0:
			held(where, v, value, yield)
		case holdsMember(v, value):
			yield(where)
		}
	}
}

// containsAll reports whether list contains all wanted elements, as often as wanted
// does.
func containsAll(list, wanted []*yaml.Node) bool {
	if len(wanted) > len(list) {
		return false
	}
	count := make(map[string]int, len(list))
	for _, n := range list {
		count[fingerprint(n)]++
	}
	for _, n := range wanted {
		print := fingerprint(n)
		if count[print]--; count[print] < 0 {
			return false
		}
	}
	return true
}

// fingerprint returns a string that is the same for equal trees only.
func fingerprint(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		members := make([]string, 0, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			members = append(members, strconv.Quote(n.Content[i].Value)+":"+fingerprint(n.Content[i+1]))
		}
		slices.Sort(members)
		return "{" + strings.Join(members, ",") + "}"
	case yaml.SequenceNode:
		elements := make([]string, len(n.Content))
		for i, c := range n.Content {
			elements[i] = fingerprint(c)
		}
		return "[" + strings.Join(elements, ",") + "]"
	}
	return scalar(n)
}

// mismatch is a difference between a document and what was expected.
type mismatch struct {
	path     string // below the target: ".properties.abn.type"; "" for the target itself
	expected string
	found    string
	at       *yaml.Node // the node in the document
}

// maxMismatches is the maximum number of differences in a message.
const maxMismatches = 6

// differences returns the differences between found and want. Objects in found may have
// additional members.
func differences(found, want *yaml.Node) []mismatch {
	var list []mismatch
	var compare func(path string, found, want *yaml.Node)
	compare = func(path string, found, want *yaml.Node) {
		if len(list) >= maxMismatches {
			return
		}
		if found.Kind != want.Kind ||
			want.Kind == yaml.SequenceNode && len(found.Content) != len(want.Content) ||
			want.Kind == yaml.ScalarNode && scalar(found) != scalar(want) {
			list = append(list, mismatch{path, brief(want), brief(found), found})
			return
		}
		switch want.Kind {
		case yaml.SequenceNode:
			for i, c := range want.Content {
				compare(path+"["+strconv.Itoa(i)+"]", found.Content[i], c)
			}
		case yaml.MappingNode:
			find := finder(found, len(want.Content))
			for i := 0; i+1 < len(want.Content); i += 2 {
				name, value := want.Content[i].Value, want.Content[i+1]
				if v := find(name); v != nil {
					compare(path+step(name), v, value)
				} else if len(list) < maxMismatches {
					list = append(list, mismatch{path + step(name), brief(value), "nothing", found})
				}
			}
		}
	}
	compare("", found, want)
	return list
}

// brief returns a value in short form.
func brief(n *yaml.Node) string {
	const limit = 120
	var b strings.Builder
	var write func(n *yaml.Node)
	write = func(n *yaml.Node) {
		if b.Len() > limit {
			return
		}
		switch n.Kind {
		case yaml.MappingNode:
			b.WriteByte('{')
			for i := 0; i+1 < len(n.Content) && b.Len() <= limit; i += 2 {
				if i > 0 {
					b.WriteString(", ")
				}
				b.WriteString(n.Content[i].Value + ": ")
				write(n.Content[i+1])
			}
			b.WriteByte('}')
		case yaml.SequenceNode:
			b.WriteByte('[')
			for i, c := range n.Content {
				if b.Len() > limit {
					break
				}
				if i > 0 {
					b.WriteString(", ")
				}
				write(c)
			}
			b.WriteByte(']')
		default:
			b.WriteString(scalar(n))
		}
	}
	write(n)
	if runes := []rune(b.String()); len(runes) > limit {
		return string(runes[:limit]) + "…"
	}
	return b.String()
}

// step returns a member's name as an element of a path.
func step(name string) string {
	plain := name != "" && (name[0] < '0' || name[0] > '9')
	for _, r := range name {
		if r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
			plain = false
		}
	}
	if plain {
		return "." + name
	}
	return "['" + stepEscaper.Replace(name) + "']"
}

var stepEscaper = strings.NewReplacer(`\`, `\\`, `'`, `\'`)

// incompatible returns why src cannot be merged into dst, with the conflicting node in
// dst. It returns "" if they can be merged.
func incompatible(path string, dst, src *yaml.Node) (string, *yaml.Node) {
	if dst.Kind != src.Kind {
		return fmt.Sprintf("%s is %s in the document, but %s in the action", placeName(path), kindOf(dst), kindOf(src)), dst
	}
	if dst.Kind == yaml.MappingNode {
		find := finder(dst, len(src.Content))
		for i := 0; i+1 < len(src.Content); i += 2 {
			name := src.Content[i].Value
			if v := find(name); v != nil {
				if why, at := incompatible(path+step(name), v, src.Content[i+1]); why != "" {
					return why, at
				}
			}
		}
	}
	return "", nil
}
