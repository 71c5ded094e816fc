package canon

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Ignored is the keyword of a snapshot that lists what the description says about
// an object and the snapshot leaves out, although it is neither prose nor an
// extension: keywords that the generator does not know, and keywords of JSON Schema
// that no Go type can express. Each is a finding of  gen lint.
const Ignored = "x-ignored"

// ignoredEntry matches an entry of Ignored. Prose does not match.
var ignoredEntry = regexp.MustCompile(`^\S{1,250}(?: \S{1,250}){0,2}$`)

// unchecked are the keywords of JSON Schema that restrict values and change no
// type. They are known, so that they are told from misspelled ones.
var unchecked = set(`unevaluatedProperties unevaluatedItems contains minContains maxContains if then else
	dependentRequired dependentSchemas dependencies contentSchema $id $schema $anchor $dynamicRef $dynamicAnchor
	$recursiveRef $recursiveAnchor $vocabulary additionalItems id`)

// Unchecked reports whether an entry of Ignored is a keyword of JSON Schema that
// changes no type.
func Unchecked(entry string) bool { return unchecked[entry] }

// ignore notes that the snapshot leaves something out of an object.
func ignore(notes *[]string, entry string) {
	if len(*notes) < 50 && ignoredEntry.MatchString(entry) && !slices.Contains(*notes, entry) {
		*notes = append(*notes, entry)
	}
}

// withIgnored adds notes to an object, beside those that it has from an earlier
// snapshot.
func (c *canoniser) withIgnored(out *yaml.Node, notes []string, before *yaml.Node) {
	if before != nil {
		for _, n := range before.Content {
			ignore(&notes, n.Value)
		}
	}
	if len(notes) == 0 {
		return
	}
	slices.Sort(notes)
	list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Line: out.Line, Column: out.Column}
	for _, text := range notes {
		list.Content = append(list.Content, scalarNode(text, out))
	}
	out.Content = append(out.Content, scalarNode(Ignored, out), list)
}

// generators are the extensions that overlays set. Upstream's of the same name mean
// something else.
var generators = set(`x-resources x-resource x-method x-safety x-scope x-page x-params x-deprecated x-name x-const x-filter
	x-type x-doc x-order x-require-one x-enum x-variants x-any x-pointer x-aliases x-expect x-expect-absent x-allow-noop x-accept x-slash`)

var (
	flagName  = regexp.MustCompile(`^x-[A-Za-z0-9][A-Za-z0-9_.-]{0,60}$`)
	flagValue = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,60}$`)
)

// flag reports whether an extension is one that overlays may ask for: a truth
// value, a number or a single word. Everything else may be prose.
func (c *canoniser) flag(name string, v *yaml.Node) bool {
	if !flagName.MatchString(name) || generators[name] || name == Ignored || strings.HasPrefix(name, "x-readme") {
		return false
	}
	switch v.Kind {
	case yaml.ScalarNode:
		return v.Tag == "!!bool" || v.Tag == "!!int" || v.Tag == "!!float" || v.Tag == "!!str" && flagValue.MatchString(v.Value) && !secret(v.Value)
	case yaml.SequenceNode:
		return len(v.Content) > 0 && len(v.Content) <= 50 && !slices.ContainsFunc(v.Content, func(e *yaml.Node) bool {
			return e.Kind != yaml.ScalarNode || !flagValue.MatchString(e.Value) || secret(e.Value)
		})
	}
	return false
}

// tagNames returns the names of an operation's tags, in upstream's order.
func tagNames(n *yaml.Node) *yaml.Node {
	out := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Line: n.Line, Column: n.Column}
	for _, e := range n.Content {
		if n.Kind == yaml.SequenceNode && e.Kind == yaml.ScalarNode && len(e.Value) <= 80 && !strings.ContainsFunc(e.Value, Hidden) && !secret(e.Value) {
			out.Content = append(out.Content, scalarNode(e.Value, e))
		}
	}
	return out
}
