package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/canon"
	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/spec"
)

// Decision is an action of the first overlay, which takes a part out of the client that
// the generator cannot express.
type Decision struct {
	Text    string // "leaves out POST /users"
	Finding *diag.Annotation

	path    []string
	target  string // JSONPath
	untyped bool   // keeps the part as raw JSON; otherwise removes it
	bare    bool   // there is nothing in the part to be removed first
}

// maxRounds bounds how often the first overlay is tried: each round widens what the one
// before left out, from a value to its operation or type.
const maxRounds = 8

// generate builds the client. What the generator cannot express, an overlay takes out:
// as little as makes the rest work.
func (s *start) generate(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "gen-init")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	cache := NewCache()
	for range maxRounds {
		s.overlay = s.renderOverlay()
		if err := writeIn(dir, s.overlayFile(), s.overlay); err != nil {
			return err
		}
		runner := NewRunner(ctx, RunnerOptions{Dir: s.Dir, Config: s.config, Files: os.DirFS(dir), Cache: cache, Progress: s.Progress})
		runner.CompileImports()
		s.result, err = runner.Run(ctx, s.set.Snapshots, StageCheck)
		if len(s.result.Builds) > 0 {
			s.build = s.result.Builds[0]
		}
		if err == nil || ctx.Err() != nil || !s.decide(diag.FromError(err, diag.Pos{})) {
			return err
		}
	}
	return err
}

// decide adds decisions that would make findings go away. It reports whether it found
// any: a finding for which there is none may go with another's.
func (s *start) decide(findings diag.List) bool {
	if s.build.Document == nil {
		return false
	}
	at := positions(s.build.Document)
	before := slices.Clone(s.decisions)
	for _, f := range findings {
		where, ok := at[f.Pos]
		if !ok || f.Code == "panic" {
			continue
		}
		for _, place := range users(s.build.Document, where) {
			s.widen(place, f, before)
		}
	}
	return !slices.EqualFunc(s.decisions, before, func(a, b Decision) bool { return a.target == b.target })
}

// widen makes the smallest decision about a place that has not been made before, unless
// another finding of this round has led to one already. It drops those about parts of
// what it decides.
func (s *start) widen(where []string, f *diag.Annotation, before []Decision) {
	made := func(d Decision) bool {
		return slices.ContainsFunc(before, func(b Decision) bool { return b.target == d.target })
	}
	if slices.ContainsFunc(s.decisions, func(d Decision) bool { return d.covers(where) && !made(d) }) {
		return
	}
	for _, d := range choices(s.build.Document, where) {
		if slices.ContainsFunc(before, func(b Decision) bool { return b.covers(d.path) }) {
			continue
		}
		d.Finding = f
		s.decisions = slices.DeleteFunc(s.decisions, func(have Decision) bool { return d.covers(have.path) })
		s.decisions = append(s.decisions, d)
		return
	}
}

// users returns the operations that refer to the component in which a place is, if that
// is neither a schema nor in one, and the place itself otherwise.
func users(doc *spec.Document, where []string) (places [][]string) {
	if len(where) < 3 || where[0] != "components" || where[1] == "schemas" {
		return [][]string{where}
	}
	pointer := "#/components/" + where[1] + "/" + canon.EscapePointer(where[2])
	for _, p := range doc.Root().Get("paths").Members() {
		for _, op := range p.Members() {
			if refers(op, pointer) {
				places = append(places, []string{"paths", p.Name(), op.Name()})
			}
		}
	}
	return places
}

func refers(n spec.Node, pointer string) bool {
	holds := func(n spec.Node) bool { return refers(n, pointer) }
	return n.Str("$ref") == pointer || slices.ContainsFunc(n.Members(), holds) || slices.ContainsFunc(n.Items(), holds)
}

// covers reports whether the decision is about a part that holds a place.
func (d Decision) covers(where []string) bool {
	return len(where) >= len(d.path) && slices.Equal(where[:len(d.path)], d.path)
}

// choices lists the decisions that would take a place out, the smallest first.
func choices(doc *spec.Document, where []string) (list []Decision) {
	for n := len(where); n > 0; n-- {
		if isSchema(where[:n]) {
			list = append(list, anything(doc, where[:n]))
			break
		}
	}
	operation := len(where) >= 3 && where[0] == "paths"
	if operation && len(where) >= 5 && where[3] == "parameters" {
		p := doc.Root().At("paths", where[1], where[2], "parameters")
		if i, err := strconv.Atoi(where[4]); err == nil && i < len(p.Items()) && !p.Items()[i].Deref().Bool("required") {
			list = append(list, parameter(where[:5], p.Items()[i]))
		}
	}
	switch {
	case operation && where[2] != "parameters":
		list = append(list, Decision{Text: "leaves out " + strings.ToUpper(where[2]) + " " + where[1], path: where[:3], target: jsonPath(where[:3])})
	case operation || len(where) == 2 && where[0] == "paths":
		list = append(list, Decision{Text: "leaves out the path " + where[1], path: where[:2], target: jsonPath(where[:2])})
	case len(where) > 3 && where[0] == "components" && where[1] == "schemas":
		list = append(list, anything(doc, where[:3]))
	}
	return list
}

func lookup(doc *spec.Document, at []string) spec.Node {
	pointer := "#"
	for _, key := range at {
		pointer += "/" + canon.EscapePointer(key)
	}
	return doc.Lookup(pointer)
}

// anything decides that a schema is any JSON value.
func anything(doc *spec.Document, at []string) Decision {
	at = slices.Clone(at)
	return Decision{
		Text: "keeps " + strings.Join(at, "/") + " as raw JSON", path: at, target: jsonPath(at), untyped: true,
		bare: len(lookup(doc, at).Members()) == 0,
	}
}

func parameter(at []string, p spec.Node) Decision {
	filter := fmt.Sprintf("[?@['$ref'] == %s]", quoteName(p.Str("$ref")))
	if p.Str("$ref") == "" {
		filter = fmt.Sprintf("[?@.name == %s && @.in == %s]", quoteName(p.Str("name")), quoteName(p.Str("in")))
	}
	return Decision{
		Text: fmt.Sprintf("leaves out the parameter %s of %s %s", p.Deref().Str("name"), strings.ToUpper(at[2]), at[1]),
		path: slices.Clone(at), target: jsonPath(at[:4]) + filter,
	}
}

// isSchema reports whether a path of keys leads to a schema.
func isSchema(at []string) bool {
	n := len(at)
	if n == 0 || n < 3 {
		return false
	}
	switch at[n-1] {
	case "schema", "items", "additionalProperties":
		return at[n-2] != "properties" && at[n-2] != "schemas"
	}
	return at[n-2] == "properties" && at[n-3] != "properties" || n == 3 && at[0] == "components" && at[1] == "schemas"
}

// positions returns the path of keys to every node of a document. A finding about a member
// is at its key, where the object that it is the first member of starts, too.
func positions(doc *spec.Document) map[diag.Pos][]string {
	at := map[diag.Pos][]string{}
	var walk func(n *yaml.Node, where []string)
	walk = func(n *yaml.Node, where []string) {
		if pos := doc.Prov.Pos(n); at[pos] == nil {
			at[pos] = where
		}
		for i, c := range n.Content {
			switch {
			case n.Kind != yaml.MappingNode:
				walk(c, append(slices.Clip(where), strconv.Itoa(i)))
			case i%2 == 1:
				below := append(slices.Clip(where), n.Content[i-1].Value)
				at[doc.Prov.Pos(n.Content[i-1])] = below
				walk(c, below)
			}
		}
	}
	walk(doc.Tree(), nil)
	return at
}

func jsonPath(at []string) string {
	var b strings.Builder
	b.WriteString("$")
	for i, key := range at {
		_, err := strconv.Atoi(key)
		if list := i > 0 && slices.Contains([]string{"allOf", "oneOf", "anyOf", "prefixItems", "parameters"}, at[i-1]); list && err == nil {
			b.WriteString("[" + key + "]")
			continue
		}
		b.WriteString("[" + quoteName(key) + "]")
	}
	return b.String()
}

func quoteName(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

// renderOverlay writes the first overlay.
func (s *start) renderOverlay() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# The decisions of gen init. Change and extend them: gen lint reports what to improve.\noverlay: 1.0.0\ninfo: {title: %s, version: 1.0.0}\nactions:\n", scalar("First decisions"))
	fmt.Fprintf(&b, "  - target: $.info\n    update: {description: %s}\n", scalar("is a client of this API: "+s.Name+"."))
	for _, d := range s.decisions {
		target := d.target
		if d.untyped && !d.bare {
			target += "[*]"
		}
		about := scalar(d.Text + ": " + d.Finding.Message)
		if !d.bare {
			fmt.Fprintf(&b, "  - target: %s\n    description: %s\n    remove: true\n", scalar(target), about)
		}
		if d.untyped {
			fmt.Fprintf(&b, "  - target: %s\n    description: %s\n    update: {x-any: true}\n", scalar(d.target), about)
		}
	}
	return b.Bytes()
}

// scalar returns a text as YAML writes it in one line.
func scalar(s string) string {
	return strconv.Quote(strings.ToValidUTF8(strings.Join(strings.Fields(s), " "), "�"))
}
