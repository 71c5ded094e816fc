package canon

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// refName is ReadMe's extension for a schema that it wrote out where the
// original had a reference: the name of the schema that the reference led to.
const refName = "x-readme-ref-name"

var componentName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,200}$`)

// Decision says what becomes of a shared schema that was written out with
// different shapes.
type Decision string

// Decisions.
const (
	Inline Decision = "inline" // a place whose shape is not the component's keeps it
	Shared Decision = "shared" // every place takes the component's shape
)

// sharing restores the references of which only the names are left.
type sharing struct {
	places map[string][]*yaml.Node // converted schemas, by the name that they carry
	within map[string][]string     // names of the schemas inside a named one
	open   []string                // names of the schemas that are being converted
	names  []string                // in the order of their first place
	done   map[string]bool

	components map[string]*yaml.Node // the shared schemas, by name
	undecided  map[string]bool       // names that have several shapes, or contain one that has
}

// enter notes that a schema that carries a name is about to be converted. The
// function that it returns takes the converted schema.
func (s *sharing) enter(n *yaml.Node) func(out *yaml.Node) {
	v := member(n, refName)
	if v == nil || v.Kind != yaml.ScalarNode || !componentName.MatchString(v.Value) || member(n, "$ref") != nil {
		return func(*yaml.Node) {}
	}
	name := v.Value
	if len(s.open) > 0 {
		s.contains(s.open[len(s.open)-1], name)
	}
	s.open = append(s.open, name)
	return func(out *yaml.Node) {
		s.open = s.open[:len(s.open)-1]
		if s.places == nil {
			s.places = map[string][]*yaml.Node{}
		}
		if s.places[name] == nil {
			s.names = append(s.names, name)
		}
		s.places[name] = append(s.places[name], out)
	}
}

func (s *sharing) contains(outer, inner string) {
	if s.within == nil {
		s.within = map[string][]string{}
	}
	s.within[outer] = append(s.within[outer], inner)
}

// share replaces every schema that carries a name by a reference to the component
// of that name, which it adds if there is none. Schemas inside others come first,
// so that two places that differ only there are alike.
func (c *canoniser) share(root *yaml.Node) {
	s := &c.sharing
	if len(s.names) == 0 {
		return
	}
	schemas := c.componentSchemas(root)
	carries := map[*yaml.Node]string{}
	for name, places := range s.places {
		for _, n := range places {
			carries[n] = name
		}
	}
	s.components = map[string]*yaml.Node{}
	for i := 0; i+1 < len(schemas.Content); i += 2 {
		s.components[schemas.Content[i].Value] = schemas.Content[i+1]
		// What is inside a component that does not carry its own name is not noted yet.
		var walk func(*yaml.Node)
		walk = func(n *yaml.Node) {
			for _, child := range n.Content {
				if inner, ok := carries[child]; ok {
					s.contains(schemas.Content[i].Value, inner)
					continue
				}
				walk(child)
			}
		}
		walk(schemas.Content[i+1])
	}
	s.done, s.undecided = map[string]bool{}, map[string]bool{}
	for _, name := range s.names {
		c.shareName(schemas, name)
	}
	*schemas = *c.sorted(schemas)
}

// shareName restores one schema, after those inside it.
func (c *canoniser) shareName(schemas *yaml.Node, name string) {
	s := &c.sharing
	if s.done[name] {
		return
	}
	s.done[name] = true
	for _, inner := range s.within[name] {
		c.shareName(schemas, inner)
		if s.undecided[inner] {
			s.undecided[name] = true // it may differ only there
		}
	}
	if s.undecided[name] {
		return
	}
	definition := s.components[name]
	places := slices.DeleteFunc(slices.Clone(s.places[name]), func(n *yaml.Node) bool { return n == definition })
	if len(places) == 0 {
		return
	}
	first := definition
	if first == nil {
		first = places[0]
	}
	want := shape(first)
	var alike []*yaml.Node
	var other *yaml.Node
	for _, n := range places {
		if shape(n) == want {
			alike = append(alike, n)
		} else if other == nil {
			other = n
		}
	}
	if other != nil {
		switch decision := c.decisions[name]; {
		case decision == Inline && definition == nil:
			return // none of the shapes is the component's
		case decision == Inline:
			places = alike
		case decision == "" || definition == nil:
			s.undecided[name] = true
			c.differ(name, first, other, definition != nil)
			return
		}
	}
	if definition == nil {
		definition = &yaml.Node{}
		*definition = *first
		c.kinds[definition] = schema
		s.components[name] = definition
		schemas.Content = append(schemas.Content, scalarNode(name, first), definition)
	}
	for _, n := range places {
		ref := scalarNode("#/components/schemas/"+name, n)
		c.refs = append(c.refs, reference{ref, schema})
		n.Content = []*yaml.Node{scalarNode("$ref", n), ref}
	}
}

// differ reports a shared schema of which there are several shapes.
func (c *canoniser) differ(name string, a, b *yaml.Node, component bool) {
	where := fmt.Sprintf("at %d:%d", a.Line, a.Column)
	if component {
		where = "in components"
	}
	found := c.errorf(b, "shapes-differ", "the schema %s is not what it is %s: %s", quoted(name), where, unlike(a, b))
	hint := "decide it for the domain in specs/sources.yaml:  shapes: {%[1]s: inline}  keeps the shape of this place"
	if component {
		hint += ",  shapes: {%[1]s: shared}  gives it the shape of the component"
	}
	found.WithHint(hint, name)
}

// unlike says where two schemas differ first.
func unlike(a, b *yaml.Node) string {
	if a.Kind != yaml.MappingNode || b.Kind != yaml.MappingNode {
		return "the values differ"
	}
	for _, side := range []struct {
		n, other *yaml.Node
		lacks    string
	}{{b, a, "only this one has %s"}, {a, b, "this one has no %s"}} {
		for i := 0; i+1 < len(side.n.Content); i += 2 {
			if key := side.n.Content[i].Value; member(side.other, key) == nil {
				return fmt.Sprintf(side.lacks, quoted(key))
			}
		}
	}
	for i := 0; i+1 < len(a.Content); i += 2 {
		key := a.Content[i].Value
		x, y := a.Content[i+1], member(b, key)
		if shape(x) == shape(y) {
			continue
		}
		if x.Kind == yaml.MappingNode && y.Kind == yaml.MappingNode {
			return "in " + quoted(key) + ", " + unlike(x, y)
		}
		return "the values of " + quoted(key) + " differ"
	}
	return "the order differs"
}

// componentSchemas returns the shared schemas of a document, to which more can be
// added.
func (c *canoniser) componentSchemas(root *yaml.Node) *yaml.Node {
	child := func(parent *yaml.Node, key string, of kind) *yaml.Node {
		if n := member(parent, key); n != nil {
			return n
		}
		n := mappingLike(parent)
		parent.Content = append(parent.Content, scalarNode(key, parent), n)
		orderKeywords(parent, objects[of])
		return n
	}
	return child(child(root, "components", document), "schemas", components)
}

// shape returns a text that two schemas share if they state the same facts.
func shape(n *yaml.Node) string {
	var b strings.Builder
	var write func(*yaml.Node)
	write = func(n *yaml.Node) {
		fmt.Fprintf(&b, "%d %s %d %q\n", n.Kind, n.Tag, len(n.Content), n.Value)
		for _, child := range n.Content {
			write(child)
		}
	}
	write(n)
	return b.String()
}
