package overlay

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
)

// Limits of an overlay document.
const (
	maxBytes = 16 << 20
	maxDepth = 200
)

// Parse parses an overlay document in YAML or JSON. file is the file name in positions.
// The error is a diag.List with all errors.
func Parse(file string, data []byte) (*Document, error) {
	r := &reader{file: file, paths: map[string]*query{}}
	root := r.load(data)
	if root == nil {
		return nil, r.errs.Err()
	}
	doc := r.document(root)
	if err := r.errs.Err(); err != nil {
		return nil, err
	}
	return doc, nil
}

// reader converts nodes to a Document and collects errors.
type reader struct {
	file  string
	errs  diag.List
	paths map[string]*query // each path is compiled once
	v11   bool
}

func (r *reader) pos(n *yaml.Node) diag.Pos {
	return diag.Pos{File: r.file, Line: n.Line, Col: n.Column}
}

func (r *reader) errorf(n *yaml.Node, code, format string, args ...any) *diag.Annotation {
	a := diag.Errorf(r.pos(n), code, format, args...)
	r.errs = append(r.errs, a)
	return a
}

// load returns the document's root mapping, or nil if there is an error.
func (r *reader) load(data []byte) *yaml.Node {
	at := &yaml.Node{}
	if len(data) > maxBytes {
		r.errorf(at, "overlay-too-large", "the document is larger than %d MiB", maxBytes>>20)
		return nil
	}
	if !utf8.Valid(data) {
		for line := range bytes.Lines(data) {
			at.Line++
			if !utf8.Valid(line) {
				break
			}
		}
		r.errorf(at, "overlay-syntax", "the line is not valid UTF-8")
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	if err := decoder.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			r.errorf(at, "overlay-empty", "the document is empty")
			return nil
		}
		line, reason := splitError(err)
		if name, ok := strings.CutPrefix(reason, "unknown anchor '"); ok {
			name, _, _ = strings.Cut(name, "'")
			if before, _, ok := bytes.Cut(data, []byte("*"+name)); ok {
				line = 1 + bytes.Count(before, []byte("\n"))
			}
		}
		at.Line = max(line, 1)
		r.errorf(at, "overlay-syntax", "%s", reason)
		return nil
	}
	var second yaml.Node
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		at.Line = max(second.Line, 1)
		if err != nil {
			if line, _ := splitError(err); line > 0 {
				at.Line = line
			}
		}
		r.errorf(at, "overlay-syntax", "the file contains more than one document")
		return nil
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		r.errorf(&doc, "overlay-type", "an overlay document must be an object")
		return nil
	}
	if !r.normalise(doc.Content[0], 1) {
		return nil
	}
	return doc.Content[0]
}

// countsFromZero matches the errors in which the library counts lines from zero.
var countsFromZero = regexp.MustCompile(`^did not find expected (?:key|node content|'-' indicator|',' or '[]}]'|<document start>|<stream-start>)`)

// splitError splits an error of the YAML library into its line and its reason.
func splitError(err error) (line int, reason string) {
	reason = strings.TrimPrefix(err.Error(), "yaml: ")
	if rest, ok := strings.CutPrefix(reason, "line "); ok {
		digits, tail, _ := strings.Cut(rest, ": ")
		if n, err := strconv.Atoi(digits); err == nil {
			if countsFromZero.MatchString(tail) {
				n++
			}
			return n, tail
		}
	}
	return 0, reason
}

// normalise converts a tree to what JSON can express: objects with distinct string
// keys, arrays and primitives. It reports whether there were no errors.
func (r *reader) normalise(n *yaml.Node, depth int) bool {
	n.HeadComment, n.LineComment, n.FootComment = "", "", ""
	switch {
	case depth > maxDepth:
		r.errorf(n, "overlay-too-deep", "the document is nested more than %d levels deep", maxDepth)
		return false
	case n.Kind == yaml.AliasNode:
		r.errorf(n, "overlay-alias", "an alias (*%s) is not allowed in an overlay", n.Value).WithHint("replace it with the value, or use a wildcard target")
		return false
	}
	n.Anchor = ""
	switch n.Kind {
	case yaml.SequenceNode:
		n.Tag = "!!seq"
		ok := true
		for _, c := range n.Content {
			ok = r.normalise(c, depth+1) && ok
		}
		return ok
	case yaml.MappingNode:
		n.Tag = "!!map"
		return r.normaliseMap(n, depth)
	}
	return r.normaliseScalar(n)
}

func (r *reader) normaliseMap(n *yaml.Node, depth int) bool {
	ok := true
	first := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		k.HeadComment, k.LineComment, k.FootComment, k.Anchor = "", "", "", ""
		switch tag := k.ShortTag(); {
		case k.Kind == yaml.ScalarNode && tag == "!!merge":
			r.errorf(k, "overlay-alias", "a merge key (<<) is not allowed in an overlay").WithHint("replace it with the members")
			ok = false
		case k.Kind != yaml.ScalarNode || tag != "!!str" && tag != "!!int" && tag != "!!timestamp":
			r.errorf(k, "overlay-key", "the name of a member must be a string").WithHint("quote it")
			ok = false
		case tag != "!!str": // a status code: 200 names the same member as '200'
			k.Tag, k.Style = "!!str", yaml.SingleQuotedStyle
		default:
			k.Tag = "!!str"
		}
		if before := first[k.Value]; before != nil && k.Kind == yaml.ScalarNode {
			r.errorf(k, "overlay-duplicate-key", "%q is already a member of the object, in line %d", k.Value, before.Line)
			ok = false
		} else {
			first[k.Value] = k
		}
		ok = r.normalise(n.Content[i+1], depth+1) && ok
	}
	return ok
}

func (r *reader) normaliseScalar(n *yaml.Node) bool {
	switch tag := n.ShortTag(); tag {
	case "!!str", "!!bool", "!!null", "!!int":
		n.Tag = tag
	case "!!timestamp": // JSON has no dates
		n.Tag, n.Style = "!!str", yaml.SingleQuotedStyle
	case "!!float":
		n.Tag = tag
		if strings.ContainsAny(n.Value, "nN") { // .inf and .nan
			r.errorf(n, "overlay-value", "%s is not a JSON number", n.Value)
			return false
		}
	default:
		r.errorf(n, "overlay-value", "a value with the tag %s is not allowed in an overlay", tag)
		return false
	}
	return true
}

// members passes each member of an object to its function in known.
func (r *reader) members(n *yaml.Node, what string, required []string, known map[string]func(key, value *yaml.Node)) {
	missing := slices.Clone(required)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		missing = slices.DeleteFunc(missing, func(name string) bool { return name == key.Value })
		if read := known[key.Value]; read != nil {
			read(key, value)
			continue
		}
		var names []string
		for name := range known {
			names = append(names, name)
		}
		slices.Sort(names)
		near := closest(key.Value, slices.Values(names))
		switch {
		case !strings.HasPrefix(key.Value, "x-"):
			a := r.errorf(key, "overlay-unknown-key", "%s has no member %q", what, key.Value)
			if near != "" {
				a.WithHint("did you mean %q?", near)
			}
		case strings.HasPrefix(near, "x-"):
			r.errorf(key, "overlay-unknown-key", "%q looks like a misspelling of %q", key.Value, near).
				WithHint("correct it, or choose a name that is not similar")
		}
	}
	for _, name := range missing {
		r.errorf(n, "overlay-missing-key", "%s has no %q", what, name)
	}
}

// text returns a function that stores a string.
func (r *reader) text(what string, into *string) func(key, value *yaml.Node) {
	return func(_, value *yaml.Node) {
		if value.Kind != yaml.ScalarNode || value.Tag != "!!str" {
			r.errorf(value, "overlay-type", "%s must be a string", what)
			return
		}
		*into = value.Value
	}
}

// boolean returns a function that stores a boolean.
func (r *reader) boolean(what string, into *bool) func(key, value *yaml.Node) {
	return func(_, value *yaml.Node) {
		if value.Kind != yaml.ScalarNode || value.Tag != "!!bool" {
			r.errorf(value, "overlay-type", "%s must be true or false", what)
			return
		}
		*into = strings.EqualFold(value.Value, "true")
	}
}

func (r *reader) document(root *yaml.Node) *Document {
	doc := &Document{File: r.file}
	var actions, info *yaml.Node
	r.members(root, "an overlay document", []string{"overlay", "info", "actions"}, map[string]func(key, value *yaml.Node){
		"overlay": func(_, value *yaml.Node) { r.version(value, doc) },
		"info":    func(_, value *yaml.Node) { info = value },
		"extends": r.text("extends", &doc.Extends),
		"actions": func(_, value *yaml.Node) { actions = value },
	})
	if info != nil {
		r.info(info, doc)
	}
	switch {
	case actions == nil:
	case actions.Kind != yaml.SequenceNode:
		r.errorf(actions, "overlay-type", "actions must be an array")
	case len(actions.Content) == 0:
		r.errorf(actions, "overlay-empty", "actions must not be empty")
	default:
		doc.Actions = make([]Action, len(actions.Content))
		for i, n := range actions.Content {
			r.action(n, &doc.Actions[i])
		}
	}
	return doc
}

func (r *reader) version(value *yaml.Node, doc *Document) {
	patch, is10 := strings.CutPrefix(value.Value, "1.0.")
	if !is10 {
		patch, r.v11 = strings.CutPrefix(value.Value, "1.1.")
	}
	_, err := strconv.ParseUint(patch, 10, 32)
	if value.Kind != yaml.ScalarNode || value.Tag != "!!str" || err != nil || !is10 && !r.v11 {
		r.errorf(value, "overlay-version", "version %q of the overlay format is not supported", value.Value).
			WithHint("use 1.0.0 or 1.1.0, with all three parts")
	}
	doc.Version = value.Value
}

func (r *reader) info(n *yaml.Node, doc *Document) {
	if n.Kind != yaml.MappingNode {
		r.errorf(n, "overlay-type", "info must be an object")
		return
	}
	known := map[string]func(key, value *yaml.Node){
		"title":   r.text("info.title", &doc.Title),
		"version": r.text("info.version", &doc.Revision),
		"description": func(key, value *yaml.Node) {
			if !r.v11 {
				r.errorf(key, "overlay-unknown-key", "info has no member %q in overlay %s", key.Value, doc.Version).
					WithHint("declare overlay: 1.1.0")
			}
			r.text("info.description", &doc.Description)(key, value)
		},
	}
	r.members(n, "info", []string{"title", "version"}, known)
}
