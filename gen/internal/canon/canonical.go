package canon

import (
	"bytes"
	"cmp"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
)

// Snapshot reads a description and renders its canonical snapshot. The
// snapshot of a snapshot is that snapshot.
func Snapshot(name string, data []byte) ([]byte, error) {
	root, err := Parse(name, data)
	if err != nil {
		return nil, err
	}
	facts, err := Canonical(name, root)
	if err != nil {
		return nil, err
	}
	out, err := Marshal(facts)
	if err != nil {
		return nil, err
	}
	// What was written is read once more: everything downstream will read it,
	// and must find what was found here.
	again, err := Parse(name, out)
	if err != nil {
		return nil, diag.Errorf(diag.Pos{File: name}, "no-snapshot", "the snapshot of the document cannot be read again: %v", err).
			WithHint("this is a fault of the generator: please report it")
	}
	if at := difference(facts, again); at != nil {
		return nil, diag.Errorf(diag.Pos{File: name, Line: at.Line, Col: at.Column}, "no-snapshot", "the value %s does not survive being written and read", quoted(at.Value)).
			WithHint("this is a fault of the generator: please report it")
	}
	return out, nil
}

// difference returns the first node of a that b does not have in its place.
func difference(a, b *yaml.Node) *yaml.Node {
	if a.Kind != b.Kind || a.Tag != b.Tag || a.Value != b.Value || len(a.Content) != len(b.Content) {
		return a
	}
	for i := range a.Content {
		if at := difference(a.Content[i], b.Content[i]); at != nil {
			return at
		}
	}
	return nil
}

// Canonical returns the facts of an OpenAPI document as a new tree in the one
// canonical order. The nodes keep their positions in the document.
func Canonical(name string, root *yaml.Node) (*yaml.Node, error) {
	c := &canoniser{reader: reader{name: name}, kinds: map[*yaml.Node]kind{}}
	if v := member(root, "openapi"); v == nil || !strings.HasPrefix(v.Value, "3.0.") && !strings.HasPrefix(v.Value, "3.1.") {
		found := "it has no openapi key"
		if v != nil {
			found = "it declares openapi " + quoted(v.Value)
		} else if member(root, "swagger") != nil {
			found = "it is a Swagger 2 document"
		}
		return nil, diag.Errorf(c.pos(root), "not-openapi", "this is no OpenAPI 3.0 or 3.1 document: %s", found).
			WithHint("convert it to OpenAPI 3 first")
	}
	out := c.convert(document, root, "")
	if n := count(out); n > maxFacts {
		c.fault(root, "too-many-nodes", "the document has %d nodes that are facts of the API; the limit is %d", n, maxFacts).
			WithHint("everything downstream costs memory and time for each of them")
		return nil, c.faults.Err()
	}
	f := newFinder(out)
	c.resolveRefs(f)
	if err := c.faults.Err(); err != nil {
		return nil, err
	}
	prune(f)
	return out, nil
}

func count(n *yaml.Node) int {
	total := 1
	for _, c := range n.Content {
		total += count(c)
	}
	return total
}

// Marshal renders a tree in the canonical form.
func Marshal(root *yaml.Node) ([]byte, error) {
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(root); err != nil {
		return nil, err
	}
	return b.Bytes(), enc.Close()
}

type canoniser struct {
	reader
	refs  []reference
	steps int                 // of all patterns
	kinds map[*yaml.Node]kind // of the objects that were converted
}

func member(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

func mappingLike(n *yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: n.Line, Column: n.Column}
}

// convert copies the facts of n, which stands where an object of kind k is due.
func (c *canoniser) convert(k kind, n *yaml.Node, key string) *yaml.Node {
	if keywords, ok := objects[k]; ok {
		if n.Kind == yaml.MappingNode {
			return c.object(k, keywords, n, key)
		}
		// additionalProperties may be a boolean, and 3.1 knows boolean schemas.
		if k == schema && n.Kind == yaml.ScalarNode && n.Tag == "!!bool" {
			return n
		}
		c.fault(n, "wrong-shape", "%s must be an object", describe(key))
		return n
	}
	if elem, ok := maps[k]; ok {
		if n.Kind != yaml.MappingNode {
			c.fault(n, "wrong-shape", "%s must be an object", describe(key))
			return n
		}
		return c.names(k, elem, n)
	}
	if elem, ok := lists[k]; ok {
		if n.Kind != yaml.SequenceNode {
			c.fault(n, "wrong-shape", "%s must be a list", describe(key))
			return n
		}
		out := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Line: n.Line, Column: n.Column}
		for _, e := range n.Content {
			out.Content = append(out.Content, c.convert(elem, e, key))
		}
		if k == requirements {
			sortNodes(out)
		}
		return out
	}
	c.credentials(key, n)
	switch k {
	case text:
		if n.Kind != yaml.ScalarNode {
			c.fault(n, "wrong-shape", "%s must be a single value", describe(key))
		}
	case nameList, enumList:
		if n.Kind == yaml.SequenceNode {
			out := *n
			out.Content = slices.Clone(n.Content)
			sortNodes(&out)
			c.twice(key, &out)
			return &out
		}
		if n.Kind == yaml.MappingNode || k == enumList {
			c.fault(n, "wrong-shape", "%s must be a list", describe(key))
		}
	}
	if k == value && n.Kind == yaml.MappingNode { // data: the order of its keys says nothing either
		return c.sorted(n)
	}
	return n
}

// twice refuses a sorted list that holds one value twice.
func (c *canoniser) twice(key string, n *yaml.Node) {
	for i := 1; i < len(n.Content) && n.Content[i].Kind == yaml.ScalarNode; i++ {
		a, b := n.Content[i-1], n.Content[i]
		if a.Tag != b.Tag || a.Value != b.Value {
			continue
		}
		if at := max(a.Line, b.Line); b.Line != at {
			b = a
		}
		c.fault(b, "duplicate-value", "%s lists %s twice", describe(key), quoted(b.Value)).WithHint("remove one of the two")
	}
}

// sentences tells whether an enumeration lists messages for people: those are
// prose, whatever keyword they stand under.
func sentences(n *yaml.Node) bool {
	return slices.ContainsFunc(n.Content, func(v *yaml.Node) bool {
		text := strings.TrimSpace(v.Value)
		return strings.ContainsAny(text, "\r\n") || len(strings.Fields(text)) > 2 && strings.HasSuffix(text, ".") // two words may be "Pty. Ltd."
	})
}

var status = regexp.MustCompile(`^(?:[1-5][0-9][0-9]|[1-5][xX][xX]|default)$`)

func describe(key string) string {
	if key == "" {
		return "this"
	}
	if runes := []rune(key); len(runes) > 80 {
		return string(runes[:80]) + "…"
	}
	return key
}

func (c *canoniser) object(k kind, keywords []keyword, n *yaml.Node, key string) *yaml.Node {
	out := mappingLike(n)
	c.kinds[out] = k
	known := map[string]bool{}
	for _, kw := range keywords {
		known[kw.name] = true
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value != kw.name {
				continue
			}
			v := c.convert(kw.kind, n.Content[i+1], kw.name)
			if why := WrongType(kw.name, v); why != "" {
				c.fault(v, "wrong-type", "%s", why)
			}
			if kw.name == "pattern" {
				c.pattern(v)
			}
			if kw.name == "$ref" {
				c.ref(k, v)
			}
			if k == discriminator && kw.name == "mapping" {
				c.mapping(v)
			}
			if kw.kind == enumList && sentences(v) {
				continue
			}
			if len(v.Content) == 0 && (kw.kind == contentMap || kw.kind == parameters || kw.kind == headersMap || kw.kind == nameList && v.Kind == yaml.SequenceNode) {
				continue // an empty one says what none says
			}
			out.Content = append(out.Content, n.Content[i], v)
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i].Value
		if !known[name] && !prose[name] && !strings.HasPrefix(name, "x-") {
			c.fault(n.Content[i], "unknown-keyword", "%s is no keyword of %s", quoted(name), kindNames[k]).
				WithHint("the generator does not know what it means; it cannot be dropped silently")
		}
	}
	switch k {
	case info:
		c.title(out)
	}
	return out
}

var kindNames = map[kind]string{
	document: "an OpenAPI document", info: "info", server: "a server", serverVar: "a server variable", pathItem: "a path",
	operation: "an operation", parameter: "a parameter", header: "a header", requestBody: "a request body",
	response: "a response", mediaType: "a media type", encoding: "an encoding", schema: "a schema",
	discriminator: "a discriminator", components: "components", securityScheme: "a security scheme",
	oauthFlows: "OAuth flows", oauthFlow: "an OAuth flow",
}

// names converts a map of names, sorted by them.
func (c *canoniser) names(k, elem kind, n *yaml.Node) *yaml.Node {
	out := mappingLike(n)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, v := n.Content[i], n.Content[i+1]
		// Only where OpenAPI has extensions beside the names is x- one; a
		// component or a webhook may be called so.
		if (k == pathsMap || k == responsesMap || k == callback) && strings.HasPrefix(key.Value, "x-") {
			continue
		}
		if k == responsesMap && !status.MatchString(key.Value) {
			c.fault(key, "bad-status", "%s is no status of an answer", quoted(key.Value)).
				WithHint("a status is 100 to 599, 1XX to 5XX, or default")
		}
		if k == scopes { // what a scope allows is prose
			v = scalarNode("", v)
		}
		cv := c.convert(elem, v, key.Value)
		if elem == pathItem && cv.Kind == yaml.MappingNode {
			c.pushDown(cv)
			sortPathParameters(key.Value, cv)
		}
		if elem == response && cv.Kind == yaml.MappingNode && member(cv, "$ref") == nil {
			describeResponse(key, cv)
		}
		out.Content = append(out.Content, key, cv)
	}
	return c.sorted(out)
}

// sorted orders a mapping's members by key; "default" follows the statuses.
func (c *canoniser) sorted(n *yaml.Node) *yaml.Node {
	type pair struct{ k, v *yaml.Node }
	pairs := make([]pair, 0, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		pairs = append(pairs, pair{n.Content[i], n.Content[i+1]})
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return cmp.Compare(a.k.Value, b.k.Value) })
	out := mappingLike(n)
	for _, p := range pairs {
		out.Content = append(out.Content, p.k, p.v)
	}
	return out
}

// sortNodes orders a list whose order says nothing.
func sortNodes(n *yaml.Node) {
	slices.SortStableFunc(n.Content, func(a, b *yaml.Node) int { return cmp.Compare(flat(a), flat(b)) })
}

func flat(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode {
		return n.Value
	}
	var b strings.Builder
	for _, c := range n.Content {
		b.WriteString(flat(c))
		b.WriteByte(0)
	}
	return b.String()
}

// title keeps a title that is a mere name, and puts the document's in place
// of one that is prose.
func (c *canoniser) title(n *yaml.Node) {
	stem := strings.TrimSuffix(path.Base(c.name), path.Ext(c.name))
	if t := member(n, "title"); t != nil {
		if t.Value != "" && !strings.ContainsFunc(t.Value, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			return
		}
		*t = *scalarNode(stem, t)
	}
}

// describeResponse gives a response the description that OpenAPI asks for, in
// our words: the status's name.
func describeResponse(key, response *yaml.Node) {
	words := "Response"
	if code, err := strconv.Atoi(key.Value); err == nil && http.StatusText(code) != "" {
		words = http.StatusText(code)
	} else if key.Value == "default" {
		words = "Any other response"
	}
	d := scalarNode(words, response)
	for i := 0; i+1 < len(response.Content); i += 2 {
		if response.Content[i].Value == "description" {
			response.Content[i+1] = d
			return
		}
	}
	response.Content = append([]*yaml.Node{scalarNode("description", response), d}, response.Content...)
}
