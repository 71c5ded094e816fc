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

// Snapshot parses a specification and returns its canonical snapshot. It is
// idempotent: the snapshot of a snapshot is the same snapshot.
func Snapshot(name string, data []byte) ([]byte, error) { return SnapshotWith(name, data, nil) }

// SnapshotWith is Snapshot with decisions about shared schemas that were written
// out with different shapes, by name.
func SnapshotWith(name string, data []byte, decisions map[string]Decision) ([]byte, error) {
	out, _, err := SnapshotTree(name, data, decisions)
	return out, err
}

// SnapshotTree is SnapshotWith. It returns the tree of the snapshot, too, as Parse reads
// it.
func SnapshotTree(name string, data []byte, decisions map[string]Decision) ([]byte, *yaml.Node, error) {
	root, err := Parse(name, data)
	if err != nil {
		return nil, nil, err
	}
	facts, err := canonical(name, root, decisions)
	if err != nil {
		return nil, nil, err
	}
	out, err := Marshal(facts)
	if err != nil {
		return nil, nil, err
	}
	// Parse the output again, since all later stages read it and must see the same
	// values.
	again, err := Parse(name, out)
	if err != nil {
		return nil, nil, diag.Errorf(diag.Pos{File: name}, "no-snapshot", "the snapshot of the document cannot be parsed: %v", err).
			WithHint("this is a bug in the generator: please report it")
	}
	if at := difference(facts, again); at != nil {
		return nil, nil, diag.Errorf(diag.Pos{File: name, Line: at.Line, Col: at.Column}, "no-snapshot", "the value %s changes when it is written to the snapshot and parsed again", quoted(at.Value)).
			WithHint("this is a bug in the generator: please report it")
	}
	return out, again, nil
}

// difference returns the first node of a that differs from b.
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

// canonical returns the facts of an OpenAPI document as a new tree in canonical
// order. The nodes keep their positions in the document.
func canonical(name string, root *yaml.Node, decisions map[string]Decision) (*yaml.Node, error) {
	c := &canoniser{
		reader: reader{name: name}, root: root, decisions: decisions,
		kinds: map[*yaml.Node]kind{}, named: map[*yaml.Node]bool{}, copies: map[*yaml.Node]*yaml.Node{},
	}
	if v := member(root, "openapi"); v == nil || !strings.HasPrefix(v.Value, "3.0.") && !strings.HasPrefix(v.Value, "3.1.") {
		found, hint := "it has no openapi key", "convert it to OpenAPI 3 first"
		if v != nil {
			found = "it declares openapi " + quoted(v.Value)
			if strings.HasPrefix(v.Value, "3.") {
				hint = "save it as OpenAPI 3.1 first: if it uses nothing that is new in its version, write openapi: 3.1.1"
			}
		} else if member(root, "swagger") != nil {
			found = "it is a Swagger 2 document"
		}
		return nil, diag.Errorf(c.pos(root), "not-openapi", "the document is not OpenAPI 3.0 or 3.1: %s", found).
			WithHint("%s", hint)
	}
	out := c.convert(document, root, "")
	if len(c.errs) == 0 {
		c.share(out)
	}
	if n := count(out); n > maxFacts {
		c.errorf(root, "too-many-nodes", "the document has %d nodes, without prose and extensions; the limit is %d", n, maxFacts).
			WithHint("remove parts of the document that are not needed upstream")
		return nil, c.errs.Err()
	}
	f := newFinder(out)
	c.plainRefs(f)
	used := reach(f)
	c.resolveRefs(f, used)
	if err := c.errs.Err(); err != nil {
		return nil, err
	}
	prune(f, used)
	return out, nil
}

func count(n *yaml.Node) int {
	total := 1
	for _, c := range n.Content {
		total += count(c)
	}
	return total
}

// Marshal returns a tree as canonical YAML.
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
	root  *yaml.Node          // of the description
	kinds map[*yaml.Node]kind // of the converted objects

	sharing   sharing
	decisions map[string]Decision
	named     map[*yaml.Node]bool       // operations that a path has by reference, with their operationId
	copies    map[*yaml.Node]*yaml.Node // the converted objects, by their originals
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

// convert copies the facts of n, which must be of kind k.
func (c *canoniser) convert(k kind, n *yaml.Node, key string) *yaml.Node {
	if keywords, ok := objects[k]; ok {
		if n.Kind == yaml.MappingNode {
			return c.object(k, keywords, n, key)
		}
		// additionalProperties may be a boolean, and OpenAPI 3.1 has boolean schemas.
		if k == schema && n.Kind == yaml.ScalarNode && n.Tag == "!!bool" {
			return n
		}
		c.errorf(n, "wrong-shape", "%s must be an object", describe(key))
		return n
	}
	if elem, ok := maps[k]; ok {
		if n.Kind != yaml.MappingNode {
			c.errorf(n, "wrong-shape", "%s must be an object", describe(key))
			return n
		}
		if ref := member(n, "$ref"); k == callback && ref != nil { // in place of expressions
			return c.object(k, []keyword{{"$ref", text}}, n, key)
		}
		out := c.names(k, elem, n)
		c.kinds[out] = k
		return out
	}
	if elem, ok := lists[k]; ok {
		if n.Kind != yaml.SequenceNode {
			c.errorf(n, "wrong-shape", "%s must be a list", describe(key))
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
	if k == tagList {
		return tagNames(n)
	}
	c.credentials(key, n)
	switch k {
	case text:
		if n.Kind != yaml.ScalarNode {
			c.errorf(n, "wrong-shape", "%s must be a scalar", describe(key))
		}
	case nameList, enumList:
		if n.Kind == yaml.SequenceNode {
			out := *n
			out.Content = slices.Clone(n.Content)
			sortNodes(&out)
			return &out
		}
		if n.Kind == yaml.MappingNode || k == enumList {
			c.errorf(n, "wrong-shape", "%s must be a list", describe(key))
		}
	}
	if k == value && n.Kind == yaml.MappingNode { // the order of keys in data is irrelevant too
		return c.sorted(n)
	}
	return n
}

// unique removes the values that a sorted list has twice, and notes them.
func unique(key string, n *yaml.Node, notes *[]string) {
	same := func(a, b *yaml.Node) bool {
		return a.Kind == yaml.ScalarNode && b.Kind == yaml.ScalarNode && a.Tag == b.Tag && a.Value == b.Value
	}
	for i := 1; i < len(n.Content); i++ {
		if same(n.Content[i-1], n.Content[i]) {
			ignore(notes, key+" twice: "+n.Content[i].Value)
		}
	}
	n.Content = slices.CompactFunc(n.Content, same)
}

// sentences reports whether an enumeration lists messages for people. Those are
// prose rather than values.
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
	c.kinds[out], c.copies[n] = k, out
	if k == schema {
		leave := c.sharing.enter(n)
		defer func() { leave(out) }()
	}
	var notes []string
	for _, kw := range keywords {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value != kw.name {
				continue
			}
			v := c.convert(kw.kind, n.Content[i+1], kw.name)
			if (kw.kind == nameList || kw.kind == enumList) && v.Kind == yaml.SequenceNode {
				unique(kw.name, v, &notes)
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
			if len(v.Content) == 0 && (kw.kind == contentMap || kw.kind == parameters || kw.kind == headersMap || kw.kind == tagList || kw.kind == nameList && v.Kind == yaml.SequenceNode) {
				continue // an empty one means the same as none
			}
			out.Content = append(out.Content, n.Content[i], v)
		}
	}
	var flags []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, v := n.Content[i].Value, n.Content[i+1]
		switch {
		case slices.ContainsFunc(keywords, func(kw keyword) bool { return kw.name == name }) || prose[name]:
		case !strings.HasPrefix(name, "x-"):
			ignore(&notes, name)
		case c.flag(name, v):
			flags = append(flags, scalarNode(name, n.Content[i]), v)
		}
	}
	out.Content = append(out.Content, c.sorted(&yaml.Node{Kind: yaml.MappingNode, Content: flags}).Content...)
	c.withIgnored(out, notes, member(n, Ignored))
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
	callback: "a callback", discriminator: "a discriminator", components: "components", securityScheme: "a security scheme",
	oauthFlows: "OAuth flows", oauthFlow: "an OAuth flow",
}

// names converts a map from names to objects, and sorts it by name.
func (c *canoniser) names(k, elem kind, n *yaml.Node) *yaml.Node {
	out := mappingLike(n)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, v := n.Content[i], n.Content[i+1]
		// x- marks an extension only where OpenAPI allows extensions beside the
		// names. The name of a component or a webhook may start with x- too.
		if (k == pathsMap || k == responsesMap || k == callback) && strings.HasPrefix(key.Value, "x-") {
			continue
		}
		if k == responsesMap && !status.MatchString(key.Value) {
			c.errorf(key, "bad-status", "%s is not a response status", quoted(key.Value)).
				WithHint("use a status from 100 to 599, a range from 1XX to 5XX, or default")
		}
		if k == scopes { // the description of a scope is prose
			v = scalarNode("", v)
		}
		if elem == pathItem {
			v = c.inlined(v)
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

// sorted returns a mapping with its members ordered by key. "default" follows the
// statuses.
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

// sortNodes sorts a list whose order is irrelevant.
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

// title replaces a title that is prose with the document's name. A title that is
// a single name is kept.
func (c *canoniser) title(n *yaml.Node) {
	stem := strings.TrimSuffix(path.Base(c.name), path.Ext(c.name))
	if t := member(n, "title"); t != nil {
		if t.Value != "" && !strings.ContainsFunc(t.Value, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			return
		}
		*t = *scalarNode(stem, t)
	}
}

// describeResponse sets the description that OpenAPI requires of a response to
// the text of its status.
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
