package canon

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ref records a reference. The generator never reads a file or URL because a
// specification refers to it.
func (c *canoniser) ref(k kind, n *yaml.Node) {
	if len(n.Value) > maxRef {
		c.errorf(n, "too-large", "the reference %s has %d bytes; the limit is %d", quoted(n.Value), len(n.Value), maxRef)
		return
	}
	c.refs = append(c.refs, reference{n, k})
}

// reference is a reference and the kind of object that it must lead to.
type reference struct {
	*yaml.Node
	kind kind
}

// mapping validates a discriminator's mapping, whose values are names of schemas or
// references.
func (c *canoniser) mapping(n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		c.errorf(n, "wrong-shape", "mapping must be an object")
		return
	}
	for i := 1; i < len(n.Content); i += 2 {
		if v := n.Content[i]; v.Kind != yaml.ScalarNode {
			c.errorf(v, "wrong-shape", "a value of mapping must be a scalar")
		} else if strings.ContainsAny(v.Value, "/:#") {
			c.ref(schema, v)
		}
	}
}

// finder finds members of mappings and targets of references in a complete tree.
// It indexes mappings with many members, so that resolving all references takes
// linear time.
type finder struct {
	root  *yaml.Node
	index map[*yaml.Node]map[string]*yaml.Node
}

func newFinder(root *yaml.Node) *finder {
	return &finder{root: root, index: map[*yaml.Node]map[string]*yaml.Node{}}
}

func (f *finder) member(n *yaml.Node, key string) *yaml.Node {
	if n == nil || len(n.Content) < 32 {
		return member(n, key)
	}
	index := f.index[n]
	if index == nil && n.Kind == yaml.MappingNode {
		index = make(map[string]*yaml.Node, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			index[n.Content[i].Value] = n.Content[i+1]
		}
		f.index[n] = index
	}
	return index[key]
}

func (f *finder) lookup(pointer string) *yaml.Node {
	n := f.root
	if !strings.HasPrefix(pointer, "#/") {
		return nil
	}
	for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "#/"), "/") {
		if n.Kind == yaml.SequenceNode {
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(n.Content) {
				return nil
			}
			n = n.Content[i]
			continue
		}
		if n = f.member(n, UnescapePointer(part)); n == nil {
			return nil
		}
	}
	return n
}

// plainRefs writes references as plain JSON pointers into the snapshot: without
// percent-encoding, and to where the snapshot has what they lead to.
func (c *canoniser) plainRefs(f *finder) {
	upstream := newFinder(c.root)
	var places map[*yaml.Node]string // of the snapshot's nodes, when needed
	done := map[*yaml.Node]bool{}    // paths that refer to one another share nodes
	for _, r := range c.refs {
		if done[r.Node] {
			continue
		}
		done[r.Node] = true
		if plain, err := url.PathUnescape(r.Value); err == nil && plain != r.Value && f.lookup(r.Value) == nil && f.lookup(plain) != nil {
			r.Value = plain
		}
		if !throughParameters.MatchString(r.Value) {
			continue
		}
		original := upstream.lookup(r.Value)
		if original == nil {
			if plain, err := url.PathUnescape(r.Value); err == nil {
				original = upstream.lookup(plain)
			}
		}
		if c.copies[original] == nil {
			continue
		}
		if places == nil {
			places = map[*yaml.Node]string{}
			place(f.root, "#", places)
		}
		if p := places[c.copies[original]]; p != "" {
			r.Value = p
		}
	}
}

// throughParameters matches references to or through a parameter in a list, which
// snapshots sort.
var throughParameters = regexp.MustCompile(`/parameters/[0-9]+(?:/|$)`)

// place records the pointer of each node, the first one if it occurs several times.
func place(n *yaml.Node, at string, places map[*yaml.Node]string) {
	if _, known := places[n]; known {
		return
	}
	places[n] = at
	for i, child := range n.Content {
		switch {
		case n.Kind == yaml.SequenceNode:
			place(child, at+"/"+strconv.Itoa(i), places)
		case i%2 == 1:
			place(child, at+"/"+EscapePointer(n.Content[i-1].Value), places)
		}
	}
}

// inlined returns a path with the reference to another one replaced by what it
// leads to.
func (c *canoniser) inlined(item *yaml.Node) *yaml.Node {
	upstream := newFinder(c.root)
	shared := false // with a path that has the operationId
	for hops := 0; hops < maxHops; hops++ {
		ref := member(item, "$ref")
		if ref == nil || ref.Kind != yaml.ScalarNode {
			return item
		}
		target := upstream.lookup(ref.Value)
		if target == nil {
			if plain, err := url.PathUnescape(ref.Value); err == nil {
				target = upstream.lookup(plain)
			}
		}
		if target == nil || target.Kind != yaml.MappingNode {
			return item
		}
		shared = shared || strings.HasPrefix(ref.Value, "#/paths/")
		out := mappingLike(item)
		seen := map[string]bool{"$ref": true}
		for _, from := range []*yaml.Node{item, target} {
			for i := 0; i+1 < len(from.Content); i += 2 {
				if k := from.Content[i]; !seen[k.Value] || from == target && k.Value == "$ref" {
					seen[k.Value] = true
					out.Content = append(out.Content, k, c.unnamed(from.Content[i+1], from == target && shared))
				}
			}
		}
		item = out
	}
	return item
}

// unnamed returns a copy of an operation without its operationId, which names it at
// one path only.
func (c *canoniser) unnamed(op *yaml.Node, shared bool) *yaml.Node {
	if member(op, "operationId") == nil {
		return op
	}
	if !shared && !c.named[op] {
		c.named[op] = true
		return op
	}
	out := mappingLike(op)
	for i := 0; i+1 < len(op.Content); i += 2 {
		if op.Content[i].Value != "operationId" {
			out.Content = append(out.Content, op.Content[i], op.Content[i+1])
		}
	}
	return out
}

// resolveRefs reports references that form a cycle or too long a chain, and those
// that lead to something of another kind. Those that lead nowhere or outside the
// document are left for overlays to correct. Parts that nothing uses are dropped,
// whatever they refer to.
func (c *canoniser) resolveRefs(f *finder, used *reached) {
	const visiting, cyclic = -1, -2
	state := map[*yaml.Node]int{} // by target of a reference; the number of hops from there if positive
	var notes []string
	defer func() { c.withIgnored(f.root, notes, take(f.root, Ignored)) }()
	for _, r := range c.refs {
		if c.full() {
			return
		}
		target := f.lookup(r.Value)
		if target == nil && !used.refs[r.Node] {
			ignore(&notes, "unused reference "+r.Value)
		}
		if target == nil || !used.refs[r.Node] {
			continue
		}
		if found := c.kinds[target]; found != r.kind && (r.kind != schema || target.Tag != "!!bool") {
			a := c.errorf(r.Node, "ref-kind", "the target of the reference %s is not %s", quoted(r.Value), kindNames[r.kind])
			if found != value {
				a.WithHint("it is %s", kindNames[found])
			}
			continue
		}
		var path []*yaml.Node
		end := 0
		for target != nil { // a reference that does not resolve is reported itself
			if s := state[target]; s != 0 {
				if end = s; s < 0 {
					end = cyclic
				}
				break
			}
			state[target] = visiting
			path = append(path, target)
			next := f.member(target, "$ref")
			if next == nil {
				break
			}
			target = f.lookup(next.Value)
		}
		for _, n := range slices.Backward(path) {
			if end != cyclic {
				end++
			}
			state[n] = end
		}
		switch {
		case end == cyclic:
			c.errorf(r.Node, "ref-cycle", "the reference %s is part of a cycle of references", quoted(r.Value)).
				WithHint("replace one of the references with its definition")
		case end > maxHops:
			c.errorf(r.Node, "ref-chain", "the reference %s resolves through %d others; the limit is %d", quoted(r.Value), end-1, maxHops-1).
				WithHint("refer to the final target directly")
		}
	}
}

// Nearest returns the reference that is closest to one that does not resolve, or "".
func Nearest(root *yaml.Node, pointer string) string {
	if !strings.HasPrefix(pointer, "#/") {
		return ""
	}
	return newFinder(root).nearest(pointer)
}

// nearest returns the sibling whose name is closest to the missing one.
func (f *finder) nearest(pointer string) string {
	dir, name := pointer[:strings.LastIndexByte(pointer, '/')], pointer[strings.LastIndexByte(pointer, '/')+1:]
	parent := f.lookup(dir)
	if parent == nil || parent.Kind != yaml.MappingNode || len(pointer) > 200 {
		return ""
	}
	best, distance := "", len(name)/2+2
	for i := 0; i+1 < len(parent.Content) && i < 4000; i += 2 {
		if key := parent.Content[i].Value; len(key) <= 100 {
			if d := editDistance(strings.ToLower(name), strings.ToLower(key)); d < distance {
				best, distance = dir+"/"+EscapePointer(key), d
			}
		}
	}
	return best
}

// UnescapePointer returns the name that an element of a JSON pointer stands for
// (RFC 6901).
func UnescapePointer(element string) string {
	return strings.ReplaceAll(strings.ReplaceAll(element, "~1", "/"), "~0", "~")
}

// EscapePointer returns a name as an element of a JSON pointer (RFC 6901).
func EscapePointer(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}

func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		prev := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := prev
			if a[i] != b[j] {
				cost++
			}
			prev, row[j+1] = row[j+1], min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// pushDown moves the parameters and servers of a path into each of its operations,
// so that the snapshot does not depend on where upstream declares them.
func (c *canoniser) pushDown(item *yaml.Node) {
	shared := take(item, "parameters")
	hosts := take(item, "servers")
	for i := 0; i+1 < len(item.Content); i += 2 {
		op := item.Content[i+1]
		if op.Kind != yaml.MappingNode {
			continue
		}
		if hosts != nil && member(op, "servers") == nil {
			op.Content = append(op.Content, scalarNode("servers", hosts), hosts)
		}
		if shared == nil {
			continue
		}
		own := member(op, "parameters")
		if own == nil {
			own = &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Line: shared.Line, Column: shared.Column}
			op.Content = append(op.Content, scalarNode("parameters", shared), own)
		}
		taken := make(map[string]bool, len(own.Content))
		for _, p := range own.Content {
			taken[parameterID(p)] = true
		}
		for _, p := range shared.Content {
			if id := parameterID(p); !taken[id] {
				taken[id] = true
				own.Content = append(own.Content, p)
			}
		}
		orderKeywords(op, objects[operation])
	}
}

func take(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			v := n.Content[i+1]
			n.Content = slices.Delete(n.Content, i, i+2)
			return v
		}
	}
	return nil
}

func scalarNode(text string, at *yaml.Node) *yaml.Node {
	return styled(&yaml.Node{Kind: yaml.ScalarNode, Value: text, Line: at.Line, Column: at.Column})
}

func orderKeywords(n *yaml.Node, keywords []keyword) {
	out := make([]*yaml.Node, 0, len(n.Content))
	for _, kw := range keywords {
		if v := member(n, kw.name); v != nil {
			out = append(out, scalarNode(kw.name, v), v)
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if strings.HasPrefix(n.Content[i].Value, "x-") {
			out = append(out, n.Content[i], n.Content[i+1])
		}
	}
	n.Content = out
}

func parameterID(p *yaml.Node) string {
	if r := member(p, "$ref"); r != nil {
		return "$ref " + r.Value
	}
	return str(p, "in") + " " + str(p, "name")
}

func str(n *yaml.Node, key string) string {
	if v := member(n, key); v != nil {
		return v.Value
	}
	return ""
}

// sortPathParameters sorts the parameters of a path's operations: path parameters
// by their order in the path, others by location and name.
func sortPathParameters(template string, item *yaml.Node) {
	ranks := map[string]int{}
	for i, part := range strings.Split(template, "{") {
		if name, _, ok := strings.Cut(part, "}"); ok && i > 0 && ranks[name] == 0 {
			ranks[name] = i
		}
	}
	type ranked struct {
		rank int
		id   string
		node *yaml.Node
	}
	for i := 0; i+1 < len(item.Content); i += 2 {
		params := member(item.Content[i+1], "parameters")
		if params == nil {
			continue
		}
		list := make([]ranked, len(params.Content))
		for j, p := range params.Content {
			list[j] = ranked{rank: len(template), id: parameterID(p), node: p}
			if str(p, "in") == "path" {
				list[j].rank = ranks[str(p, "name")]
			}
		}
		slices.SortStableFunc(list, func(a, b ranked) int {
			return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.id, b.id))
		})
		for j, p := range list {
			params.Content[j] = p.node
		}
	}
}

// component returns the part of a pointer that identifies a component.
func component(pointer string) string {
	parts := strings.SplitN(pointer, "/", 5)
	parts = parts[:min(len(parts), 4)]
	for i, p := range parts {
		parts[i] = EscapePointer(UnescapePointer(p))
	}
	return strings.Join(parts, "/")
}
