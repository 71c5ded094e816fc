// Package spec holds a domain's specification after its overlays, from which all
// later stages work. Every node has its position in the file that it came from.
package spec

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"go.yaml.in/yaml/v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/canon"
	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/overlay"
)

// Document is a domain's specification after its overlays.
type Document struct {
	Domain string
	File   string // the snapshot, relative to the repository: "specs/core.yml"
	Prov   *overlay.Provenance
	root   *yaml.Node
	index  map[*yaml.Node]map[string]int // members of large mappings, by name
	faults diag.List                     // minor ones, which Validate found
}

// memberIndex returns the positions of a mapping's members by name. The document
// does not change after it is loaded.
func (d *Document) memberIndex(n *yaml.Node) map[string]int {
	index := d.index[n]
	if index == nil {
		index = make(map[string]int, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			index[n.Content[i].Value] = i
		}
		if d.index == nil {
			d.index = map[*yaml.Node]map[string]int{}
		}
		d.index[n] = index
	}
	return index
}

// Load parses a snapshot and applies overlays to it, in order.
func Load(domain, file string, snapshot []byte, overlays []*overlay.Document, opts overlay.Options) (*Document, []overlay.Result, error) {
	root, err := canon.Parse(file, snapshot)
	if err != nil {
		return nil, nil, err
	}
	return LoadTree(domain, file, root, overlays, opts)
}

// LoadTree is Load for a snapshot that canon.Parse has read. The document is
// made of root.
func LoadTree(domain, file string, root *yaml.Node, overlays []*overlay.Document, opts overlay.Options) (*Document, []overlay.Result, error) {
	doc := &Document{Domain: domain, File: file, Prov: overlay.NewProvenance(file), root: root}
	results, err := overlay.Apply(root, doc.Prov, overlays, opts)
	if err != nil {
		return nil, results, err
	}
	doc.joinSiblings()
	return doc, results, nil
}

// Root returns the document's root mapping.
func (d *Document) Root() Node { return Node{doc: d, n: d.root, ptr: "#"} }

// Tree returns the document's YAML, which must not be modified.
func (d *Document) Tree() *yaml.Node { return d.root }

// Lookup returns the node at a local JSON pointer, or the zero Node.
func (d *Document) Lookup(pointer string) Node {
	n := d.Root()
	if pointer == "#" {
		return n
	}
	for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "#/"), "/") {
		part = canon.UnescapePointer(part)
		if n.IsList() {
			items := n.Items()
			i := -1
			if _, err := fmt.Sscanf(part, "%d", &i); err != nil || i < 0 || i >= len(items) {
				return Node{doc: d}
			}
			n = items[i]
			continue
		}
		n = n.Get(part)
	}
	return n
}

// Validate checks the document against the OpenAPI specification. Errors have
// positions in the snapshot, or in the overlay that added the invalid part.
func (d *Document) Validate(ctx context.Context) error {
	if err := d.References(); err != nil {
		return err
	}
	if err := d.rules(); err != nil {
		return err
	}
	plain, origin := standard(d.root)
	d.once(plain, origin)
	// The library reads JSON several times as fast as YAML, in which alone its
	// errors have lines.
	if data, ok := toJSON(nil, plain); ok {
		list := flatten(d.load(ctx, data, false))
		if len(list) == 0 || len(data) > maxPrecise && !slices.ContainsFunc(list, func(e error) bool { return !minor(e) }) {
			d.minor(list, nil, nil)
			return nil
		}
	}
	data, err := canon.Marshal(plain)
	if err != nil {
		return err
	}
	err = d.load(ctx, data, true)
	if err == nil {
		return nil
	}
	lines, objects := lineMap(data, plain, origin)
	var list diag.List
	errs := flatten(err)
	for _, e := range errs {
		if !minor(e) {
			list = append(list, d.annotate(e, lines, objects))
		}
	}
	d.minor(errs, lines, objects)
	list.Sort()
	// An error in a shared schema is reported for every path that uses it.
	return slices.CompactFunc(list, func(a, b *diag.Annotation) bool { return a.Pos == b.Pos && a.Code == b.Code }).Err()
}

// minorFaults are the codes of errors that make no difference to the generated code.
var minorFaults = set(`default-violates-schema default-required example-violates-schema example-examples-mutually-exclusive
	schema-pattern-regex-invalid schema-items-required conflicting-paths duplicate-operation-id duplicate-required-field duplicate-tag
	exclusive-bound-boolean-before-3-1 exclusive-bound-number-for-3-1-plus extra-sibling-fields content-keys-overlap
	info-required info-title-required info-version-required license-name-required external-docs-url-required paths-required
	oauth-flow-authorization-url-required oauth-flow-scopes-required oauth-flow-token-url-required openid-connect-url-required
	token-url-forbidden authorization-url-forbidden bearer-format-forbidden flows-forbidden`)

// minor reports whether an error makes no difference to the generated code.
func minor(err error) bool {
	var coded openapi3.CodedError
	if errors.As(err, &coded) && (minorFaults[coded.Code()] || strings.HasSuffix(coded.Code(), "-plus")) {
		return true
	}
	text := innermost(err).Error()
	return strings.Contains(text, "is not supported by OpenAPIv3 standard (charset:") || strings.HasPrefix(text, "at '")
}

// maxPrecise is the size of a document beyond which a minor fault is reported at its
// operation or component: to find its line would take too long.
const maxPrecise = 2 << 20

// minor makes findings of the errors that are minor.
func (d *Document) minor(errs []error, lines, objects map[int]*yaml.Node) {
	for _, e := range errs {
		var coded openapi3.CodedError
		if !minor(e) || errors.As(e, &coded) && coded.Code() == "conflicting-paths" { // a rule of our own finds them
			continue
		}
		a := d.annotate(e, lines, objects)
		a.Severity = diag.Warning
		d.faults = append(d.faults, a)
	}
	d.faults.Sort()
	d.faults = slices.CompactFunc(d.faults, func(a, b *diag.Annotation) bool { return a.Pos == b.Pos && a.Message == b.Message })
}

func (d *Document) load(ctx context.Context, data []byte, origins bool) error {
	loader := openapi3.NewLoader()
	loader.Context = ctx
	loader.IsExternalRefsAllowed = false
	loader.IncludeOrigin = origins
	t, err := loader.LoadFromData(data)
	if err != nil {
		return err
	}
	return t.Validate(ctx, openapi3.DisableExamplesValidation(), openapi3.EnableMultiError())
}

// standard copies a tree without what overlays may add although OpenAPI 3.0 does not
// allow it: descriptions and extensions beside a $ref, and descriptions of media
// types; and without what the library refuses although it makes no difference:
// patterns, which are costly to compile, and lists without items. Other invalid keywords are kept, so that validation reports them. origin
// maps a copy to its original.
func standard(root *yaml.Node) (plain *yaml.Node, origin map[*yaml.Node]*yaml.Node) {
	origin = map[*yaml.Node]*yaml.Node{}
	var clone func(n *yaml.Node, mediaType bool) *yaml.Node
	clone = func(n *yaml.Node, mediaType bool) *yaml.Node {
		c := *n
		c.Content = make([]*yaml.Node, 0, len(n.Content))
		isMap := n.Kind == yaml.MappingNode
		isRef := isMap && slices.ContainsFunc(n.Content, func(k *yaml.Node) bool { return k.Value == "$ref" })
		for i := 0; i < len(n.Content); i++ {
			key := n.Content[i].Value
			if isMap && i%2 == 0 && (isRef && strings.HasPrefix(key, "x-") || (isRef || mediaType) && key == "description" || key == "pattern" && n.Content[i+1].Kind == yaml.ScalarNode) {
				i++
				continue
			}
			inContent := isMap && i%2 == 1 && n.Content[i-1].Value == "content"
			child := n.Content[i]
			if !inContent || child.Kind != yaml.MappingNode {
				c.Content = append(c.Content, clone(child, false))
				continue
			}
			media := *child
			media.Content = make([]*yaml.Node, len(child.Content))
			for j, m := range child.Content {
				media.Content[j] = clone(m, true)
			}
			origin[&media] = child
			c.Content = append(c.Content, &media)
		}
		if isMap && listWithoutItems(n) {
			c.Content = append(c.Content, textNode("items"), &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"})
		}
		origin[&c] = n
		return &c
	}
	return clone(root, false), origin
}

// listWithoutItems reports whether a schema is a list that does not say of what.
func listWithoutItems(n *yaml.Node) bool {
	array := false
	for i := 0; i+1 < len(n.Content); i += 2 {
		switch n.Content[i].Value {
		case "items":
			return false
		case "type":
			v := n.Content[i+1]
			array = v.Value == "array" || slices.ContainsFunc(v.Content, func(e *yaml.Node) bool { return e.Value == "array" })
		}
	}
	return array
}

func textNode(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
}

// lineMap returns, for every line of a rendered tree, the node on it and the object
// that starts on it or just below.
func lineMap(rendered []byte, tree *yaml.Node, origin map[*yaml.Node]*yaml.Node) (lines, objects map[int]*yaml.Node) {
	lines, objects = map[int]*yaml.Node{}, map[int]*yaml.Node{}
	var parsed yaml.Node
	if err := yaml.Unmarshal(rendered, &parsed); err != nil || len(parsed.Content) == 0 {
		return lines, objects
	}
	var walk func(a, b *yaml.Node)
	walk = func(a, b *yaml.Node) {
		if _, taken := lines[a.Line]; !taken {
			lines[a.Line] = origin[b]
		}
		if a.Kind == yaml.MappingNode && objects[a.Line] == nil {
			objects[a.Line] = origin[b]
		}
		for i := range min(len(a.Content), len(b.Content)) {
			if a.Kind == yaml.MappingNode && i%2 == 1 && a.Content[i].Kind == yaml.MappingNode {
				objects[a.Content[i-1].Line] = origin[b.Content[i]]
			}
			walk(a.Content[i], b.Content[i])
		}
	}
	walk(parsed.Content[0], tree)
	return lines, objects
}

// culprit maps the code of an error to the keyword that it is about, if the library
// only reports the object.
var culprit = map[string]string{
	"duplicate-operation-id": "operationId", "schema-type-unsupported": "type", "schema-pattern-regex-invalid": "pattern",
	"default-violates-schema": "default", "parameter-in-invalid": "in", "security-scheme-type-invalid": "type",
}

func (d *Document) annotate(err error, lines, objects map[int]*yaml.Node) *diag.Annotation {
	pos := diag.Pos{File: d.File}
	var coded openapi3.CodedError
	if line := originLine(err); line > 0 {
		if n := lines[line]; n != nil {
			pos = d.Prov.Pos(n)
		}
		if errors.As(err, &coded) && culprit[coded.Code()] != "" && objects[line] != nil {
			if n := (Node{doc: d, n: objects[line]}).Get(culprit[coded.Code()]); n.Exists() {
				pos = n.Pos()
			}
		}
	} else if n := d.contextNode(err); n.Exists() {
		pos = n.Pos()
	}
	message, _, _ := strings.Cut(innermost(err).Error(), "\n")
	if pos.Line == 0 {
		pos = d.quotedRef(message)
	}
	code := "openapi-invalid"
	if errors.As(err, &coded) {
		code = "openapi-" + coded.Code()
	}
	return diag.Errorf(pos, code, "%s", message).
		WithHint("correct it with an action in the domain's overlays, or report it upstream")
}

// quotedRef returns the position of the reference that a message quotes, for errors
// without any other position.
func (d *Document) quotedRef(message string) diag.Pos {
	pos := diag.Pos{File: d.File}
	var walk func(n Node) bool
	walk = func(n Node) bool {
		if ref := n.Get("$ref"); ref.Text() != "" && strings.Contains(message, strconv.Quote(ref.Text())) {
			pos = ref.Pos()
			return true
		}
		return slices.ContainsFunc(n.Members(), walk) || slices.ContainsFunc(n.Items(), walk)
	}
	walk(d.Root())
	return pos
}

// contextNode returns the part of the document that an error's wrappers identify.
func (d *Document) contextNode(err error) Node {
	n := d.Root()
	var path *openapi3.PathValidationError
	if errors.As(err, &path) {
		n = n.At("paths", path.Path)
		var op *openapi3.OperationValidationError
		if errors.As(err, &op) {
			n = n.Get(strings.ToLower(op.Method))
		}
		return n
	}
	var component *openapi3.ComponentValidationError
	if errors.As(err, &component) {
		sections := map[string]string{
			"schema": "schemas", "parameter": "parameters", "header": "headers",
			"request body": "requestBodies", "response": "responses", "security scheme": "securitySchemes",
		}
		return n.At("components", sections[component.Section], component.Name)
	}
	return Node{doc: d}
}

// innermost removes the wrappers that describe the location, which the position
// already shows.
func innermost(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

// flatten splits a multi-error into its errors, each with its context.
func flatten(err error) []error {
	if err == nil {
		return nil
	}
	var multi openapi3.MultiError
	if errors.As(err, &multi) && len(multi) > 0 {
		var out []error
		for _, e := range multi {
			out = append(out, flatten(e)...)
		}
		return out
	}
	return []error{err}
}

// originLine returns the line of the innermost error in the chain that has an origin.
// It uses reflection because each type of error has an Origin field, but there is no
// common accessor.
func originLine(err error) int {
	line := 0
	for err != nil {
		v := reflect.Indirect(reflect.ValueOf(err))
		if v.Kind() == reflect.Struct {
			if f := v.FieldByName("Origin"); f.IsValid() && f.CanInterface() {
				if o, ok := f.Interface().(*openapi3.Origin); ok && o != nil && o.Key != nil {
					line = o.Key.Line
				}
			}
		}
		err = errors.Unwrap(err)
	}
	return line
}
