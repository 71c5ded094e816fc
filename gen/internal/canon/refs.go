package canon

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ref records a reference. References to other documents are errors: the
// generator never reads a file or URL because a specification refers to it.
func (c *canoniser) ref(k kind, n *yaml.Node) {
	if !strings.HasPrefix(n.Value, "#/") {
		c.errorf(n, "external-ref", "the reference %s leads outside the document", quoted(n.Value)).
			WithHint("bundle the specification into one document, with references that start with #/")
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
	for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "#/"), "/") {
		if n = f.member(n, UnescapePointer(part)); n == nil {
			return nil
		}
	}
	return n
}

// resolveRefs reports references that do not resolve, that form a cycle, or that
// form too long a chain.
func (c *canoniser) resolveRefs(f *finder) {
	const visiting, cyclic = -1, -2
	state := map[*yaml.Node]int{} // by target of a reference; the number of hops from there if positive
	for _, r := range c.refs {
		if c.full() {
			return
		}
		target := f.lookup(r.Value)
		if target == nil {
			a := c.errorf(r.Node, "dangling-ref", "the reference %s does not resolve", quoted(r.Value))
			if near := f.nearest(r.Value); near != "" {
				a.WithHint("did it mean %s?", near)
			}
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

// credentialLike matches the secrets that specifications have been seen to
// contain, or may contain.
var credentialLike = []*regexp.Regexp{
	regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}`),                          // JWT
	regexp.MustCompile(`(?i)\b(?:basic|bearer)\s+[A-Za-z0-9+/=_.-]{16,}`),                  // Authorization header
	regexp.MustCompile(`whsec_[A-Za-z0-9+/=_-]{8,}`),                                       // webhook secret
	regexp.MustCompile(`(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}:[0-9a-f]{8}-`),     // two joined UUIDs
	regexp.MustCompile(`\b(?i:[0-9a-f]{40,})\b`),                                           // long hexadecimal
	regexp.MustCompile(`://[^/\s:@]+:[^/\s:@]+@`),                                          // user information in a URL
	regexp.MustCompile(`\b(?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9]{8,}|\bAKIA[0-9A-Z]{12,}`), // vendors' key prefixes
}

var longBase64 = regexp.MustCompile(`[A-Za-z0-9+/]{40,}={0,2}`)

// credentials reports a value that looks like a secret. Secrets must not reach the
// repository, even if upstream has published them.
func (c *canoniser) credentials(key string, n *yaml.Node) {
	for _, child := range n.Content {
		c.credentials(key, child)
	}
	if n.Kind != yaml.ScalarNode || len(n.Value) < 16 || key == "$ref" {
		return
	}
	if len(n.Value) > maxValue {
		c.errorf(n, "too-large", "the value of %s has %d bytes; the limit is %d", describe(key), len(n.Value), maxValue)
		return
	}
	if key == "pattern" || key == "operationId" || c.full() {
		return
	}
	hit := slices.ContainsFunc(credentialLike, func(re *regexp.Regexp) bool { return re.MatchString(n.Value) })
	if !hit {
		for _, m := range longBase64.FindAllString(n.Value, 8) {
			hit = hit || strings.ContainsAny(m, "0123456789") && strings.ToLower(m) != m && strings.ToUpper(m) != m
		}
	}
	if hit {
		c.errorf(n, "credential-like", "the value of %s looks like a credential", describe(key)).
			WithHint("ask upstream to remove it; this message does not show it")
	}
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

// prune removes the components that no path or webhook uses.
func prune(f *finder) {
	root := f.root
	comps := member(root, "components")
	if comps == nil {
		return
	}
	used := map[string]bool{}
	var mark func(n *yaml.Node)
	mark = func(n *yaml.Node) {
		for i, child := range n.Content {
			isRef := n.Kind == yaml.MappingNode && i%2 == 1 && (n.Content[i-1].Value == "$ref" || strings.HasPrefix(child.Value, "#/components/"))
			if isRef && !used[child.Value] && strings.HasPrefix(child.Value, "#/") {
				used[child.Value], used[component(child.Value)] = true, true
				if target := f.lookup(child.Value); target != nil {
					mark(target)
				}
			}
			mark(child)
		}
	}
	for _, part := range []string{"paths", "webhooks"} {
		if n := member(root, part); n != nil {
			mark(n)
		}
	}
	var kept []*yaml.Node
	for i := 0; i+1 < len(comps.Content); i += 2 {
		section, entries := comps.Content[i], comps.Content[i+1]
		if section.Value != "securitySchemes" {
			var keep []*yaml.Node
			for j := 0; j+1 < len(entries.Content); j += 2 {
				if used["#/components/"+section.Value+"/"+EscapePointer(entries.Content[j].Value)] {
					keep = append(keep, entries.Content[j], entries.Content[j+1])
				}
			}
			entries.Content = keep
		}
		if len(entries.Content) > 0 {
			kept = append(kept, section, entries)
		}
	}
	if comps.Content = kept; len(kept) == 0 {
		take(root, "components")
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
