package canon_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/canon"
)

// TestValuesHaveOneNotation checks that a snapshot writes a value in the same way,
// whatever its notation in the specification.
func TestValuesHaveOneNotation(t *testing.T) {
	for _, c := range []struct {
		want string
		ways []string
	}{
		{"null", []string{"null", "~", "Null", "NULL", "", "!!null ''", "!!null null"}},
		{"true", []string{"true", "True", "TRUE", "!!bool true", "!!bool 'true'"}},
		{"false", []string{"false", "False", "FALSE"}},
		{`"yes"`, []string{"yes", "'yes'", `"yes"`, "!!str yes"}},
		{`"Off"`, []string{"Off", "'Off'"}},
		{`"true"`, []string{"'true'", `"true"`, "!!str true"}},
		{"16", []string{"16", "+16", "0x10", "0o20", "!!int 16", "!!int '16'"}},
		{"-16", []string{"-16", "-0x10"}},
		{"0.5", []string{"0.5", ".5", "+.5", "!!float 0.5"}},
		{"5.0", []string{"5.0", "+5.0"}},
		{"5", []string{"5", "5."}},
		{"1e300", []string{"1e300", "+1e300", "1.e300"}},
		{`"1e400"`, []string{"'1e400'"}},
		{"98765432109876543210987654321098765432.1", []string{"98765432109876543210987654321098765432.1"}},
		{`"010"`, []string{"010", "'010'", "!!str 010"}},
		{`"1_000"`, []string{"1_000", "'1_000'"}},
		{`"0b11"`, []string{"0b11", "'0b11'"}},
		{`"2024-01-02"`, []string{"2024-01-02", "'2024-01-02'", "!!timestamp 2024-01-02"}},
		{`"\n"`, []string{`"\n"`, "!!str \"\\n\""}},
		{`"  a\n b\n\n"`, []string{`"  a\n b\n\n"`}},
		{`"a\r\nb"`, []string{`"a\r\nb"`}},
	} {
		for _, way := range c.ways {
			got, err := canon.Snapshot("x.yml", []byte(head+"paths: {/a: {get: {responses: {200: {content: {text/plain: {schema: {default: "+way+"}}}}}}}}\n"))
			if err != nil {
				t.Errorf("%s: %v", way, err)
				continue
			}
			if _, value, _ := strings.Cut(string(got), "default: "); value != c.want+"\n" {
				t.Errorf("%s is written %s, want %s", way, value, c.want)
			}
			if again, err := canon.Snapshot("x.yml", got); err != nil || !bytes.Equal(again, got) {
				t.Errorf("%s: the snapshot of the snapshot is\n%s (%v)", way, again, err)
			}
		}
	}
}

// TestTagThatDoesNotFitIsAnError checks that explicit tags must fit their values.
func TestTagThatDoesNotFitIsAnError(t *testing.T) {
	for value, message := range map[string]string{
		"!!int abc":    `x.yml:11:36: "abc" is not a value of the tag !!int [bad-tag]`,
		"!!int 1.5":    `x.yml:11:36: "1.5" is not a value of the tag !!int [bad-tag]`,
		"!!bool maybe": `x.yml:11:36: "maybe" is not a value of the tag !!bool [bad-tag]`,
		"!!null abc":   `x.yml:11:36: "abc" is not a value of the tag !!null [bad-tag]`,
		"!!float abc":  `x.yml:11:36: "abc" is not a value of the tag !!float [bad-tag]`,
		"!!float .nan": `x.yml:11:36: ".nan" is not a number in JSON [bad-number]`,
		"1e400":        `x.yml:11:36: the number "1e400" is out of range [bad-number]`,
		"-.inf":        `x.yml:11:36: "-.inf" is not a number in JSON [bad-number]`,
		"!!set {a, b}": `x.yml:11:41: the tag "!!set" is not allowed [bad-tag]`,
		"!!omap [a]":   `x.yml:11:41: the tag "!!omap" is not allowed [bad-tag]`,
		"{!x a: b}":    `x.yml:11:42: the tag "!x" is not allowed [bad-tag]`,
		"!ruby/object:A b": `x.yml:11:36: the tag "!ruby/object:A" is not allowed [bad-tag]` + "\n" +
			"\tuse only objects, lists, strings, numbers, booleans and null",
	} {
		_, err := canon.Snapshot("x.yml", []byte(schema("{type: string, default: "+value+"}")))
		if err == nil || !strings.HasPrefix(err.Error(), strings.Replace(message, ":36:", ":41:", 1)) {
			t.Errorf("%s: got %v, want %s", value, err, message)
		}
	}
}

// TestSnapshotsOnDiskAreCanonical checks that the committed snapshots are what this
// version writes.
func TestSnapshotsOnDiskAreCanonical(t *testing.T) {
	for name, data := range snapshots(t) {
		if name == "pets.yml" {
			continue
		}
		if got, err := canon.Snapshot(name, data); err != nil || !bytes.Equal(got, data) {
			t.Errorf("specs/%s is not canonical (%v)", name, err)
		}
	}
}

// TestNamesThatLookLikeExtensions checks that components and webhooks whose names
// start with x- are kept. Only in paths and responses are those extensions.
func TestNamesThatLookLikeExtensions(t *testing.T) {
	got, err := canon.Snapshot("x.yml", []byte(`openapi: 3.1.0
info: {title: t, version: '1'}
paths:
  /a: {get: {responses: {200: {$ref: '#/components/responses/x-answer'}, x-note: dropped}}}
  x-path: dropped
webhooks:
  x-event: {post: {responses: {204: {description: d}}}}
components:
  responses: {x-answer: {description: d, content: {application/json: {schema: {$ref: '#/components/schemas/x-s~1~0t'}}}}}
  schemas: {x-s/~t: {type: object, properties: {x-ray: {type: string}}}}
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"    x-answer:\n", "  x-event:\n", "    x-s/~t:\n", "        x-ray:\n"} {
		if !bytes.Contains(got, []byte(want)) {
			t.Errorf("the snapshot lacks %q:\n%s", want, got)
		}
	}
	if bytes.Contains(got, []byte("dropped")) {
		t.Errorf("the snapshot contains an extension:\n%s", got)
	}
}

// TestReferenceChainsAndCyclesAreErrors distinguishes long chains of references
// from cycles.
func TestReferenceChainsAndCyclesAreErrors(t *testing.T) {
	chain := func(n int, last string) string {
		var b strings.Builder
		b.WriteString(schema("{$ref: '#/components/schemas/S0'}") + "components:\n  schemas:\n")
		for i := range n {
			fmt.Fprintf(&b, "    S%d: {$ref: '#/components/schemas/S%d'}\n", i, i+1)
		}
		fmt.Fprintf(&b, "    S%d: %s\n", n, last)
		return b.String()
	}
	for _, n := range []int{1, 40, 63, 64, 20_000} {
		_, err := canon.Snapshot("x.yml", []byte(chain(n, "{type: string}")))
		want := fmt.Sprintf(`x.yml:11:24: the reference "#/components/schemas/S0" resolves through %d others; the limit is 63 [ref-chain]`, n)
		if n > 63 && (err == nil || !strings.HasPrefix(err.Error(), want)) || n <= 63 && err != nil {
			t.Errorf("a chain of %d: %.200v", n, err)
		}
		_, err = canon.Snapshot("x.yml", []byte(chain(n, "{$ref: '#/components/schemas/S1'}")))
		want = `x.yml:11:24: the reference "#/components/schemas/S0" is part of a cycle of references [ref-cycle]`
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("a cycle of %d: %.200v", n, err)
		}
	}
	_, err := canon.Snapshot("x.yml", []byte(chain(0, "{$ref: '#/components/schemas/S0'}")))
	if err == nil || !strings.Contains(err.Error(), "[ref-cycle]") {
		t.Errorf("a reference to itself: %v", err)
	}
}

// TestCostOfLargeDocuments checks that each kind of large document is parsed or
// rejected in linear time.
func TestCostOfLargeDocuments(t *testing.T) {
	const n = 9_000
	build := func(head string, lines ...func(i int) string) string {
		var b strings.Builder
		b.WriteString(head)
		for _, line := range lines {
			for i := range n {
				b.WriteString(line(i))
			}
		}
		return b.String()
	}
	long := strings.Repeat("x ", 1<<19)
	wide := schema("{$ref: '#/components/schemas/W'}") + "components:\n  schemas:\n    W:\n      properties:\n"
	deep := "x-j: &j [" + strings.Repeat("*s, ", 9) + "*s]\n"
	for c := 'i'; c >= 'a'; c-- {
		deep += fmt.Sprintf("x-%c: &%c [%s*%c]\n", c, c, strings.Repeat(fmt.Sprintf("*%c, ", c+1), 9), c+1)
	}
	for _, c := range []struct{ name, doc, message string }{
		{"references", build(wide,
			func(i int) string { return fmt.Sprintf("        p%d: {$ref: '#/components/schemas/S%d'}\n", i, i) },
			func(i int) string { return fmt.Sprintf("    S%d: {type: string}\n", i) }), ""},
		{"dangling references", build(wide, func(i int) string { return fmt.Sprintf("        p%d: {$ref: '#/components/schemas/S%d'}\n", i, i) }) +
			"    Other: {type: string}\n", ""},
		{"parameters", build(head+"paths:\n  /{a}/{b}:\n    parameters:\n",
			func(i int) string { return fmt.Sprintf("      - {name: p%d, in: query}\n", i) }) +
			build("    get:\n      responses: {200: {description: d}}\n      parameters:\n",
				func(i int) string { return fmt.Sprintf("        - {name: q%d, in: path}\n", i) }), ""},
		{"unknown keywords", build(schema("{type: string}")+"components:\n  schemas:\n    A:\n", func(i int) string { return fmt.Sprintf("      k%d: v\n", i) }), ""},
		{"merge keys", build(head+"paths: {}\n", func(i int) string { return fmt.Sprintf("x-%d: &m%d {a: b}\n", i, i) }) +
			build("x-z: {<<: [", func(i int) string { return fmt.Sprintf("*m%d, ", i) }) + "]}\n", ""},
		{"long strings by alias", head + "x-s: &s " + long + "\nx-l: [" + strings.Repeat("*s, ", 400) + "]\npaths: {}\n", "bytes with aliases expanded [too-large]"},
		{"long strings by nested aliases", head + "paths: {}\nx-s: &s " + long + "\n" + deep, "bytes with aliases expanded [too-large]"},
		{"a long value", schema("{default: " + long + "}"), "the value of default has 1048575 bytes; the limit is 65536 [too-large]"},
		{"many values like credentials", build(schema("{type: string}")+"components:\n  schemas:\n    A:\n      enum:\n", func(int) string { return "        - " + secret() + "\n" }), "[credential-like]"},
		{"many empty values", head + "paths: [" + strings.Repeat(",", 15<<20) + "]\n", "more than 1000000 lines and separators [too-many-nodes]"},
		{"many empty items", head + "paths:\n" + strings.Repeat(" -\n", 5<<20), "more than 1000000 lines and separators [too-many-nodes]"},
		{"dashes in a line", head + "paths:\n  " + strings.Repeat("- ", 8<<20) + "\n", "more than 1000000 lines and separators [too-many-nodes]"},
		{"comments", head + "paths: {}\n" + strings.Repeat("# c\n", 900_000), ""},
		{"a deep pointer", schema("{$ref: '#/" + strings.Repeat("a/", 5<<20) + "'}"), "the limit is 4096 [too-large]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			start := time.Now()
			_, err := canon.Snapshot("x.yml", []byte(c.doc))
			if took := time.Since(start); took > 30*time.Second { // seconds on an idle machine; minutes if the cost is quadratic
				t.Errorf("took %v", took)
			}
			if c.message == "" && err != nil || c.message != "" && (err == nil || !strings.Contains(err.Error(), c.message)) {
				t.Errorf("got %.300v, want …%s", err, c.message)
			}
			if err != nil && len(err.Error()) > 20_000 {
				t.Errorf("the message has %d bytes", len(err.Error()))
			}
			t.Logf("%d KB in %v", len(c.doc)>>10, time.Since(start).Round(time.Millisecond))
		})
	}
}

// TestParsedTreeCanBeEdited checks that a parsed tree has no aliases and no shared
// nodes, and that values are in canonical notation.
func TestParsedTreeCanBeEdited(t *testing.T) {
	_, err := canon.Parse("x.yml", []byte("a: &a {b: ~}\nc: [*a, *a]\nd: {<<: *a}\n? *a\n: e\n"))
	if err == nil || !strings.Contains(err.Error(), "a key must be a scalar") {
		t.Errorf("got %v", err)
	}
	root, err := canon.Parse("x.yml", []byte("a: &a {b: ~}\nc: [*a, *a]\nd: {<<: *a}\n"))
	if err != nil {
		t.Fatal(err)
	}
	checkTree(t, root)
}

func checkTree(t *testing.T, root *yaml.Node) {
	t.Helper()
	seen := map[*yaml.Node]bool{}
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		switch {
		case seen[n]:
			t.Fatalf("a node is shared: %q", n.Value)
		case n.Kind == yaml.AliasNode, n.Anchor != "", n.Line == 0:
			t.Fatalf("an alias, an anchor or a node without a position: %+v", n)
		case n.Kind == yaml.MappingNode && len(n.Content)%2 != 0:
			t.Fatal("a key without a value")
		}
		seen[n] = true
		for i, c := range n.Content {
			if n.Kind == yaml.MappingNode && i%2 == 0 && (c.Kind != yaml.ScalarNode || c.Tag != "!!str") {
				t.Fatalf("a key that is not a string: %+v", c)
			}
			walk(c)
		}
	}
	walk(root)
}
