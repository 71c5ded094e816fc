// Package spec holds one domain's API description after its overlays: the
// document that everything downstream is made from, with a way back from
// every node to the file and line that it came from.
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

// Document is one domain's description after its overlays.
type Document struct {
	Domain string
	File   string // the snapshot, relative to the repository: "specs/core.yml"
	Prov   *overlay.Provenance
	root   *yaml.Node
	index  map[*yaml.Node]map[string]int // members of large mappings, by name
}

// memberIndex finds the members of a mapping by name. The document does not
// change once it is loaded.
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

// Load reads a snapshot and applies overlays to it, in order.
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
	return doc, results, nil
}

// Root is the document's root mapping.
func (d *Document) Root() Node { return Node{doc: d, n: d.root, ptr: "#"} }

// Tree is the document's YAML, which is not to be changed.
func (d *Document) Tree() *yaml.Node { return d.root }

// Lookup returns the node that a local JSON pointer names, or the zero Node.
func (d *Document) Lookup(pointer string) Node {
	n := d.Root()
	if pointer == "#" {
		return n
	}
	for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "#/"), "/") {
		part = unescapePointer(part)
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

// Validate checks the document against the OpenAPI specification. Findings
// point into the snapshot, or into the overlay that the faulty part came from.
func (d *Document) Validate(ctx context.Context) error {
	if err := d.References(); err != nil {
		return err
	}
	if err := d.rules(); err != nil {
		return err
	}
	plain, origin := standard(d.root)
	if data, ok := toJSON(nil, plain); ok && d.load(ctx, data, false) == nil {
		return nil
	}
	// Findings need the lines of a document in YAML. It takes far longer to
	// load, so that it is only made when there is something to report.
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
	for _, e := range flatten(err) {
		list = append(list, d.annotate(e, lines, objects))
	}
	list.Sort()
	// A shared schema's fault is met once for every path that leads to it.
	return slices.CompactFunc(list, func(a, b *diag.Annotation) bool { return a.Pos == b.Pos && a.Code == b.Code }).Err()
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

// standard copies a tree without what overlays may say where OpenAPI 3.0 knows
// no place for it: a description, and our own keys, beside a $ref, and a
// media type's description. What else stands there stays, to be found. origin
// leads from a copy back.
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
			if isMap && i%2 == 0 && (isRef && strings.HasPrefix(key, "x-") || (isRef || mediaType) && key == "description") {
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
		origin[&c] = n
		return &c
	}
	return clone(root, false), origin
}

// lineMap tells for every line of a rendered tree the node that stands there,
// and the object that begins there or just below.
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

// culprit is the keyword that an error of a code is about, where the library
// only names the object.
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
		WithHint("repair it with an action in the domain's overlays, or take the fault upstream")
}

// quotedRef finds the reference that a message quotes, for those errors that
// know nothing else about where they are.
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

// contextNode finds the part of the document that an error's wrappers name.
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

// innermost strips the wrappers that say where: the position says it better.
func innermost(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

// flatten splits aggregated errors into single ones, each with its context.
func flatten(err error) []error {
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

// originLine returns the line of the innermost error in the chain that knows
// its origin. The library gives each kind of error a type of its own with an
// Origin field and no common accessor, hence the reflection.
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
