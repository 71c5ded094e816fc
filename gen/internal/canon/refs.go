package canon

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// ref remembers a reference, and refuses one that leaves the document:
// nothing is ever fetched or read because a description says so.
func (c *canoniser) ref(n *yaml.Node) {
	if !strings.HasPrefix(n.Value, "#/") {
		c.fault(n, "external-ref", "the reference %q leaves the document", n.Value).
			WithHint("only references to this document (#/…) are followed; bundle the description first")
		return
	}
	c.refs = append(c.refs, n)
}

// resolveRefs refuses references that lead nowhere, or only back to themselves.
func (c *canoniser) resolveRefs(root *yaml.Node) {
	for _, r := range c.refs {
		target := lookup(root, r.Value)
		if target == nil {
			a := c.fault(r, "dangling-ref", "the reference %q leads nowhere", r.Value)
			if near := nearest(root, r.Value); near != "" {
				a.WithHint("did it mean %s?", near)
			}
			continue
		}
		for hops := 0; ; hops++ {
			next := member(target, "$ref")
			if next == nil || target.Kind != yaml.MappingNode {
				break
			}
			if hops > 32 {
				c.fault(r, "ref-cycle", "the reference %q leads only to other references", r.Value)
				break
			}
			if target = lookup(root, next.Value); target == nil {
				break // reported where it stands
			}
		}
	}
}

func lookup(root *yaml.Node, pointer string) *yaml.Node {
	n := root
	for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "#/"), "/") {
		part = strings.ReplaceAll(strings.ReplaceAll(part, "~1", "/"), "~0", "~")
		if n = member(n, part); n == nil {
			return nil
		}
	}
	return n
}

// nearest finds the sibling whose name is most like the one that is missing.
func nearest(root *yaml.Node, pointer string) string {
	dir, name := pointer[:strings.LastIndexByte(pointer, '/')], pointer[strings.LastIndexByte(pointer, '/')+1:]
	parent := lookup(root, dir)
	if parent == nil || parent.Kind != yaml.MappingNode || len(name) > 100 {
		return ""
	}
	best, distance := "", len(name)/2+2
	for i := 0; i+1 < len(parent.Content) && i < 4000; i += 2 {
		if key := parent.Content[i].Value; len(key) <= 100 {
			if d := editDistance(strings.ToLower(name), strings.ToLower(key)); d < distance {
				best, distance = dir+"/"+key, d
			}
		}
	}
	return best
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

// credentialLike are the forms of secrets that descriptions have been seen to
// carry, or may.
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

// credentials refuses a value that looks like a secret: it must not reach the
// repository, not even when upstream has published it.
func (c *canoniser) credentials(key string, n *yaml.Node) {
	for _, child := range n.Content {
		c.credentials(key, child)
	}
	if n.Kind != yaml.ScalarNode || len(n.Value) < 16 || key == "$ref" || key == "pattern" || key == "operationId" {
		return
	}
	hit := slices.ContainsFunc(credentialLike, func(re *regexp.Regexp) bool { return re.MatchString(n.Value) })
	if !hit {
		for _, m := range longBase64.FindAllString(n.Value, 8) {
			hit = hit || strings.ContainsAny(m, "0123456789") && strings.ToLower(m) != m && strings.ToUpper(m) != m
		}
	}
	if hit {
		c.fault(n, "credential-like", "the value of %s looks like a credential", describe(key)).
			WithHint("it is not shown here; have it removed upstream")
	}
}

// pushDown moves the parameters and servers that a path declares for all its
// operations into each of them: one form, whichever upstream chose.
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
		for _, p := range shared.Content {
			if !slices.ContainsFunc(own.Content, func(o *yaml.Node) bool { return parameterID(o) == parameterID(p) }) {
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
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text, Line: at.Line, Column: at.Column}
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

// sortPathParameters orders the parameters of a path's operations: those of
// the path as they stand in it, the others by place and name.
func sortPathParameters(template string, item *yaml.Node) {
	rank := func(p *yaml.Node) int {
		if str(p, "in") == "path" {
			return strings.Index(template, "{"+str(p, "name")+"}")
		}
		return len(template)
	}
	for i := 0; i+1 < len(item.Content); i += 2 {
		if params := member(item.Content[i+1], "parameters"); params != nil {
			slices.SortStableFunc(params.Content, func(a, b *yaml.Node) int {
				return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(parameterID(a), parameterID(b)))
			})
		}
	}
}

// prune drops the components that no path leads to: what nobody can use is no
// fact of the API.
func prune(root *yaml.Node) {
	comps := member(root, "components")
	if comps == nil {
		return
	}
	used := map[string]bool{}
	var mark func(n *yaml.Node)
	mark = func(n *yaml.Node) {
		for i, child := range n.Content {
			isRef := n.Kind == yaml.MappingNode && i%2 == 1 && n.Content[i-1].Value == "$ref" && child.Kind == yaml.ScalarNode
			if isRef && !used[child.Value] && strings.HasPrefix(child.Value, "#/") {
				used[child.Value], used[component(child.Value)] = true, true
				if target := lookup(root, child.Value); target != nil {
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
				if used[component("#/components/"+section.Value+"/"+entries.Content[j].Value)] {
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

// component is the part of a pointer that names a component.
func component(pointer string) string {
	parts := strings.SplitN(pointer, "/", 5)
	return strings.Join(parts[:min(len(parts), 4)], "/")
}
