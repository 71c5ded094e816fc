package overlay_test

import (
	"fmt"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/overlay"
)

const ponds = `
info: {title: Ponds, x-owner: water}
paths:
  /ponds:
    get:
      operationId: listPonds
      tags: [water, list]
      parameters: [{name: depth, in: query}, {name: fish, in: header, required: true}]
    post: {operationId: addPond, tags: [water], deprecated: true}
  /ponds/{id}:
    get: {operationId: getPond, tags: [], value: 7, length: {count: 2}}
numbers: [1, 2.5, 3, -4, 2]
words: {a: apple, b: 'it''s', c: "tab\tbed", d: "line\rfeed", e: '', n: null, 'true': yes-it-is, "back\\slash": here, 'é': accent, 日本: kanji}
same: {left: {p: 1, q: [x]}, right: {p: 1, q: [x]}, other: {p: 2}}
`

// found describes the nodes that a query selects: the values of primitives, the names
// of an object's members, and the lengths of arrays.
func found(t *testing.T, document, query string) string {
	t.Helper()
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(document), &root); err != nil {
		t.Fatal(err)
	}
	nodes, err := overlay.Targets(&root, query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	var out []string
	for _, n := range nodes {
		switch n.Kind {
		case yaml.ScalarNode:
			out = append(out, n.Value)
		case yaml.SequenceNode:
			out = append(out, "["+strings.Repeat(".", len(n.Content))+"]")
		default:
			var names []string
			for i := 0; i < len(n.Content); i += 2 {
				names = append(names, n.Content[i].Value)
			}
			out = append(out, "{"+strings.Join(names, " ")+"}")
		}
	}
	return strings.Join(out, " | ")
}

func TestQueriesSelectNodes(t *testing.T) {
	for _, c := range []struct{ name, path, want string }{
		{"the root", `$`, `{info paths numbers words same}`},
		{"names", `$.info.title`, `Ponds`},
		{"quoted names", `$["info"]['x-owner']`, `water`},
		{"blanks", "$ .info [ 'title' ]", `Ponds`},
		{"nothing there", `$.info.nothing.more`, ``},
		{"a name asked of an array", `$.numbers.a`, ``},
		{"an index asked of an object", `$.info[0]`, ``},
		{"several names", `$.info['x-owner', 'title']`, `water | Ponds`},
		{"a name that is a function's", `$.paths['/ponds/{id}'].get.value`, `7`},
		{"a function's name on the way", `$.paths['/ponds/{id}'].get.length.count`, `2`},
		{"a literal's name", `$.words.true`, `yes-it-is`},
		{"letters beyond ASCII", `$.words.é`, `accent`},
		{"letters beyond ASCII, escaped", `$.words['\u65e5\u672c']`, `kanji`},
		{"an escaped quote", `$.words['b']`, `it's`},
		{"a backslash in a name", `$.words['back\\slash']`, `here`},
		{"index", `$.numbers[1]`, `2.5`},
		{"index from the end", `$.numbers[-1]`, `2`},
		{"index out of range", `$.numbers[9]`, ``},
		{"indexes", `$.numbers[2,0]`, `3 | 1`},
		{"slice", `$.numbers[1:3]`, `2.5 | 3`},
		{"slice, open", `$.numbers[ : ]`, `1 | 2.5 | 3 | -4 | 2`},
		{"slice with a step", `$.numbers[::2]`, `1 | 3 | 2`},
		{"slice backwards", `$.numbers[3:0:-2]`, `-4 | 2.5`},
		{"slice with step 0", `$.numbers[::0]`, ``},
		{"wildcard", `$.numbers.*`, `1 | 2.5 | 3 | -4 | 2`},
		{"wildcard in brackets", `$.paths[*].get.operationId`, `listPonds | getPond`},
		{"descendants", `$..operationId`, `listPonds | addPond | getPond`},
		{"descendants, quoted", `$..['operationId','deprecated']`, `listPonds | addPond | true | getPond`},
		{"descendants twice select once", `$..paths..*..name`, `depth | fish`},

		{"filter: existence", `$.paths.*[?@.deprecated].operationId`, `addPond`},
		{"filter: absence", `$.paths.*[?!@.deprecated].operationId`, `listPonds | getPond`},
		{"filter: equality", `$..parameters[?@.in == 'header'].name`, `fish`},
		{"filter: on elements", `$..tags[?@ == "list"]`, `list`},
		{"filter: both quotes", `$.words[?@ == 'it\'s' || @ == "it's"]`, `it's`},
		{"filter: escapes", `$.words[?@ == 'tab\tbed' || @ == 'line\rfeed']`, "tab\tbed | line\rfeed"},
		{"filter: null", `$.words[?@ == null]`, `null`},
		{"filter: null is there", `$[?@.n].a`, `apple`},
		{"filter: true", `$..[?@.required == true].name`, `fish`},
		{"filter: numbers", `$.numbers[?@ >= 2 && @ < 3]`, `2.5 | 2`},
		{"filter: a fraction", `$.numbers[?@ == 2.50]`, `2.5`},
		{"filter: an exponent", `$.numbers[?@ == 30e-1 || @ == -0.4E+1]`, `3 | -4`},
		{"filter: negative zero", `$.numbers[?@ < -0]`, `-4`},
		{"filter: texts are ordered", `$.words[?@ > 'apple' && @ < 'j']`, `it's | here`},
		{"filter: not binds tighter than and", `$.paths.*[?!@.deprecated && @.value].operationId`, `getPond`},
		{"filter: not binds tighter than or", `$.paths.*[?!@.deprecated || @.tags].operationId`, `listPonds | addPond | getPond`},
		{"filter: and binds tighter than or", `$.numbers[?@ == 1 || @ == 3 && @ > 5]`, `1`},
		{"filter: parentheses", `$.numbers[?(@ == 1 || @ == 3) && @ > 2]`, `3`},
		{"filter: not a parenthesis", `$.numbers[?!(@ == 1 || @ == 3)]`, `2.5 | -4 | 2`},
		{"filter: not a parenthesis, and", `$.numbers[?! (@ == 1) && !(@ > 2)]`, `-4 | 2`},
		{"filter: a filter within", `$.paths[?@.get.tags[?@ == 'list']].get.operationId`, `listPonds`},
		{"filter: from the root", `$.numbers[?@ == $.numbers[4]]`, `2`},
		{"filter: missing equals missing", `$.same[?@.no == @.nor].p`, `1 | 1 | 2`},
		{"filter: objects are compared", `$.same[?@ == $.same.left].p`, `1 | 1`},
		{"filter: a descendant", `$.paths[?@..deprecated].get.operationId`, `listPonds`},

		{"length of a text", `$.words[?length(@) == 5]`, `apple | kanji`},
		{"length in characters", `$.words[?length(@) == 6]`, `accent`},
		{"length of an array", `$..[?length(@.tags) == 2].operationId`, `listPonds`},
		{"length of an object", `$[?length(@) == 2].title`, `Ponds`},
		{"length of a number is nothing", `$.numbers[?length(@) == 1]`, ``},
		{"count", `$.paths[?count(@.*) == 2].get.operationId`, `listPonds`},
		{"count of one", `$.paths[?count(@.*) == 1].get.operationId`, `getPond`},
		{"count of none", `$.paths.*[?count(@.parameters[*]) == 0].operationId`, `addPond | getPond`},
		{"match is anchored", `$.paths.*[?match(@.operationId, 'l.*|get')].operationId`, `listPonds`},
		{"match is false for what is missing", `$.paths.*[?match(@.nothing, '.*')].operationId`, ``},
		{"match, negated", `$.paths.*[?!match(@.nothing, '.*')].operationId`, `listPonds | addPond | getPond`},
		{"match is false for numbers", `$.numbers[?match(@, '.*')]`, ``},
		{"match of a name", `$.paths.*.*[?match(@, 'get[A-Z]\\w+')]`, `getPond`},
		{"match against a path", `$..operationId`, `listPonds | addPond | getPond`},
		{"search", `$..[?search(@.operationId, 'Pond$')].operationId`, `addPond | getPond`},
		{"search is false for what is missing", `$.numbers[?search(@.x, '')]`, ``},
		{"search for what is missing", `$.words[?search(@, $.nothing)]`, ``},
		{"value", `$.paths[?value(@..deprecated) == true].get.operationId`, `listPonds`},
		{"value of several is nothing", `$.paths[?value(@..operationId) == 'getPond'].get.operationId`, `getPond`},
		{"functions within functions", `$.paths.*[?length(value(@.tags)) == 1].operationId`, `addPond`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := found(t, ponds, c.path); got != c.want {
				t.Errorf("%s selects\n\t%s\nwant\n\t%s", c.path, got, c.want)
			}
		})
	}
}

// TestTargetsByCategory has cases of our own for the categories of the JSONPath
// Compliance Test Suite.
func TestTargetsByCategory(t *testing.T) {
	const (
		list   = `[a, b, c, d, e]`
		object = `{one: 1, two: 2, 'th-ree': 3, '': 4}`
		nested = `[[[x], y], {k: [z]}]`
		mixed  = `[null, true, false, 0, 1, -1.5, 1e2, '', a, b, [], [1], {}, {k: 1}]`
		rows   = `[{a: 1, b: 2}, {a: 1}, {b: 2}, {a: 2, b: 2}, {a: null}, {a: {b: [1, 2]}}]`
	)
	for _, c := range []struct{ category, document, query, want string }{
		{"basic", list, `$`, `[.....]`},
		{"basic", list, `$[0, 0]`, `a`}, // each node once
		{"basic", list, `$[4, 0, -5]`, `e | a`},
		{"basic", list, `$[*, 1]`, `a | b | c | d | e`},
		{"basic", list, `$[3:, 0, ?@ == 'b']`, `d | e | a | b`},
		{"basic", object, `$['two', 'one', "two"]`, `2 | 1`},
		{"basic", object, `$[*]`, `1 | 2 | 3 | 4`},
		{"basic", `7`, `$.*`, ``},
		{"basic", nested, `$..*`, `[..] | {k} | [.] | y | x | [.] | z`},
		{"basic", nested, `$..[0]`, `[..] | [.] | x | z`},
		{"basic", nested, `$..[1, 0]`, `{k} | [..] | y | [.] | x | z`},
		{"basic", nested, `$..k..*`, `z`},
		{"basic", nested, `$..*..*`, `[.] | y | x | [.] | z`},
		{"basic", nested, `$.*..[-1]`, `y | x | z`},

		{"name selector", object, `$['th-ree']`, `3`},
		{"name selector", object, `$['']`, `4`},
		{"name selector", object, `$["one", 'none']`, `1`},
		{"name selector", list, `$['0']`, ``},
		{"name selector", `{true: 1, 'null': 2, 'fal se': 3}`, `$.true`, `1`},
		{"name selector", `{"a\u0000b": 1, "\U0001F600": 2, "\uE000": 3}`, `$['\ud83d\uDE00', "\ue000"]`, `2 | 3`},
		{"name selector", `{"'": 1, '"': 2, '\': 3, /: 4}`, `$['\'', "\"", '\\', "\/"]`, `1 | 2 | 3 | 4`},
		{"name selector", `{"\b\f\n\r\t": 1}`, `$['\b\f\n\r\t']`, `1`},

		{"index selector", list, `$[-5]`, `a`},
		{"index selector", list, `$[-6]`, ``},
		{"index selector", list, `$[9007199254740991]`, ``},
		{"index selector", object, `$[0]`, ``},

		{"slice selector", list, `$[1:4]`, `b | c | d`},
		{"slice selector", list, `$[-2:]`, `d | e`},
		{"slice selector", list, `$[:-3]`, `a | b`},
		{"slice selector", list, `$[3:1]`, ``},
		{"slice selector", list, `$[::-1]`, `e | d | c | b | a`},
		{"slice selector", list, `$[-1:0:-2]`, `e | c`},
		{"slice selector", list, `$[10:-10:-3]`, `e | b`},
		{"slice selector", list, `$[-10:10:9007199254740991]`, `a`},
		{"slice selector", list, `$[1:3:0]`, ``},
		{"slice selector", object, `$[0:1]`, ``},

		{"filter existence", rows, `$[?@.a]`, `{a b} | {a} | {a b} | {a} | {a}`},
		{"filter existence", rows, `$[?!@.a]`, `{b}`},
		{"filter existence", rows, `$[?@['a'].b[1]]`, `{a}`},
		{"filter existence", rows, `$[?@.*]`, `{a b} | {a} | {b} | {a b} | {a} | {a}`},
		{"filter existence", rows, `$[?@..[1]]`, `{a}`},
		{"filter existence", rows, `$[?$[9]]`, ``},
		{"filter existence", rows, `$[?$..[?@.b == 2]].a`, `1 | 1 | 2 | null | {b}`},
		{"filter existence", rows, `$[?@.a, ?@.b]`, `{a b} | {a} | {a b} | {a} | {a} | {b}`},
		{"filter existence", object, `$[?@]`, `1 | 2 | 3 | 4`},
		{"filter existence", `7`, `$[?@]`, ``},

		{"filter comparison", rows, `$[?@.a == @.b]`, `{a b}`},
		{"filter comparison", rows, `$[?@.a != 1]`, `{b} | {a b} | {a} | {a}`},
		{"filter comparison", rows, `$[?@.a == $[4].a]`, `{a}`},
		{"filter comparison", rows, `$[?@.none == @.nor.this]`, `{a b} | {a} | {b} | {a b} | {a} | {a}`},
		{"filter comparison", mixed, `$[?@ == 1.0]`, `1`},
		{"filter comparison", mixed, `$[?@ == 1E+2]`, `1e2`},
		{"filter comparison", mixed, `$[?@ < 1]`, `0 | -1.5`},
		{"filter comparison", mixed, `$[?@ >= 1]`, `1 | 1e2`},
		{"filter comparison", mixed, `$[?@ <= 'a']`, ` | a`},
		{"filter comparison", mixed, `$[?@ > '']`, `a | b`},
		{"filter comparison", mixed, `$[?@ <= null]`, `null`},
		{"filter comparison", mixed, `$[?@ < true]`, ``},
		{"filter comparison", mixed, `$[?@ <= true]`, `true`},
		{"filter comparison", mixed, `$[?false == @]`, `false`},
		{"filter comparison", mixed, `$[?@ == $[11]]`, `[.]`},
		{"filter comparison", mixed, `$[?@ == $[12]]`, `{}`},
		{"filter comparison", `[[{a: 1, b: 2.0}], [{b: 2, a: 1.0}]]`, `$[?@ == $[0]]`, `[.] | [.]`},
		{"filter comparison", `[2024-01-01, '2024-01-01', 0x10, 16]`, `$[?@ == '2024-01-01' || @ == 16]`, `2024-01-01 | 2024-01-01 | 0x10 | 16`},

		{"filter logic", rows, `$[?@.a == 1 && @.b == 2 || @.a == null]`, `{a b} | {a}`},
		{"filter logic", rows, `$[?@.a == 1 && (@.b == 2 || @.a == null)]`, `{a b}`},
		{"filter logic", rows, `$[?!(@.a == 1) && !@.b]`, `{a} | {a}`},
		{"filter logic", rows, `$[?!(!(@.a && @.b))]`, `{a b} | {a b}`},
		{"filter logic", rows, `$[?((((((((((((((((((((@.a == 2))))))))))))))))))))]`, `{a b}`},

		{"nested filters", nested, `$[?@[?@[?@ == 'x']]]`, `[..]`},
		{"nested filters", `[[[[[1]]]], 2]`, `$[?@[?@[?@[?@[?@ == 1]]]]]`, `[.]`},
		{"nested filters", rows, `$[?count(@[?@ == 2]) == 1]`, `{a b} | {b}`},

		{"functions", mixed, `$[?length(@) == 0]`, ` | [] | {}`},
		{"functions", mixed, `$[?length(@) == length($[11])]`, `a | b | [.] | {k}`},
		{"functions", mixed, `$[?length(@) == @.none]`, `null | true | false | 0 | 1 | -1.5 | 1e2`},
		{"functions", rows, `$[?count(@..*) > 2]`, `{a}`},
		{"functions", rows, `$[?value(@..[0]) == 1]`, `{a}`},
		{"functions", rows, `$[?count($[*]) == 6 && @.a == 2]`, `{a b}`},
		{"functions", `[a, ab, b, "a\nb", 1]`, `$[?match(@, 'a|b')]`, `a | b`},
		{"functions", `[a, ab, b, "a\nb", 1]`, `$[?match(@, 'a.b')]`, ``},
		{"functions", `[a, ab, b, "a\nb", 1]`, `$[?search(@, '^a|c$')]`, "a | ab | a\nb"},
		{"functions", `[a, ab, b, "a\nb", 1]`, `$[?search(@, '\\p{Ll}{2}')]`, `ab`},
		{"functions", `[a, ab, 'b)(', '(']`, `$[?match(@, $[2])]`, ``},
		{"functions", `[a, ab, 'b)(', '(']`, `$[?search(@, $[3])]`, ``},
		{"functions", `[a, ab, [b]]`, `$[?match(@, $[9])]`, ``},
		{"functions", `[a, ab, [b]]`, `$[?!search(@, $[2])]`, `a | ab | [.]`},

		{"whitespace", rows, "$ [ ? @ .a \n==\t1 && ( ! @ [ 'b' ] ) ] .a", `1`},
		{"whitespace", list, "$[\t1 : 4 :\r\n2 , 0 ]", `b | d | a`},
		{"whitespace", mixed, `$[?length( @ ) == 1 && search( @ , 'a' )]`, `a`},
	} {
		if got := found(t, c.document, c.query); got != c.want {
			t.Errorf("%s: %s selects\n\t%s\nwant\n\t%s", c.category, c.query, got, c.want)
		}
	}
}

// TestTargetsAreInOrder checks that members are selected in the order of the document,
// which a Go map would lose.
func TestTargetsAreInOrder(t *testing.T) {
	var document, want strings.Builder
	document.WriteString("m:\n")
	for i := range 200 {
		fmt.Fprintf(&document, "  n%d: {v: %d}\n", i*7919%200, i)
		fmt.Fprintf(&want, " | %d", i)
	}
	for _, query := range []string{`$.m.*.v`, `$..v`, `$.m[?@.v >= 0].v`, `$..[?@ != $.m]..v`} {
		if got := " | " + found(t, document.String(), query); got != want.String() {
			t.Errorf("%s selects in the order\n\t%s", query, got)
		}
	}
}

// TestRepeatedSelectorsAreCheap evaluates queries whose results would double with each
// segment if nodes were selected repeatedly.
func TestRepeatedSelectorsAreCheap(t *testing.T) {
	const depth = 100
	document := strings.Repeat("[", depth) + "x" + strings.Repeat("]", depth)
	for _, c := range []struct{ query, want string }{
		{"$" + strings.Repeat("[0, 0]", depth), "x"},
		{"$" + strings.Repeat("[*, :, -1]", depth), "x"},
		{"$" + strings.Repeat("..*", depth), "x"},
		{"$" + strings.Repeat("..[0, ?@]", depth), "x"},
	} {
		if got := found(t, document, c.query); got != c.want {
			t.Errorf("%s selects %q", c.query[:9], got)
		}
	}
}

func TestInvalidQueriesAreRejected(t *testing.T) {
	for query, want := range map[string]string{
		``:                       `unexpected end of input`,
		`paths`:                  `character 1: a path must start with '$'`,
		` $`:                     `character 1: a path must start with '$'`,
		`$ `:                     `character 2: unexpected blank space`,
		`$.`:                     `character 3: unexpected end of input`,
		`$..`:                    `character 4: unexpected end of input`,
		`$. a`:                   `character 3: unexpected blank space`,
		`$.x-name`:               `character 4: a name with '-' in it must be quoted: ['x-name']`,
		`$.日本-x`:                 `character 5: a name with '-' in it must be quoted: ['x-name']`,
		`$..true`:                `character 4: the name must be quoted here: ['true']`,
		`$[?@.a == @.null]`:      `character 13: the name must be quoted here: ['null']`,
		`$.1a`:                   `character 3: `,
		`$[]`:                    `character 3: `,
		`$['a'`:                  `character 6: unexpected end of input`,
		`$['a''b']`:              `character 6: `,
		`$['a`:                   `character 5: unterminated string literal`,
		"$['a\nb']":              `character 5: `,
		`$['\x']`:                `character 5: invalid escape`,
		`$['\"']`:                `character 5: invalid escape`,
		`$['\ud83d']`:            `invalid escape`,
		`$['\u12']`:              `character 6: invalid escape`,
		`$[01]`:                  `character 3: invalid number literal`,
		`$[-0]`:                  `character 3: invalid integer`,
		`$[9007199254740992]`:    `character 3: cannot parse "9007199254740992", value out of range`,
		`$[1:2:3:4]`:             `character `,
		`$~`:                     `character 2: unexpected '~'`,
		`$.a~`:                   `character 4: unexpected '~'`,
		`$[?foo(@.a) == 1]`:      `character 4: unknown function foo()`,
		`$[?length(@.a)]`:        `missing comparison`,
		`$[?length(@.*) == 1]`:   `cannot convert argument`,
		`$[?length(@.a,@.b)==1]`: `expected 1 argument`,
		`$[?match(@.a)]`:         `expected 2 arguments`,
		`$[?match(@.a, '(')]`:    `missing closing )`,
		`$[?search(@, '[b-a]')]`: `invalid character class range`,
		`$[?match(@.a,'x')==1]`:  `character 18: unexpected '='`,
		`$[?count(1) == 1]`:      `cannot convert argument`,
		`$[?length(value(value(value(@.a)))) == 1]`: `cannot convert argument`,
		`$[?@.a == @.*]`:                  `character 13: unexpected '*'`,
		`$[?@.* == 1]`:                    `character 8: unexpected '='`,
		`$[?@.a = 1]`:                     `character 8: the comparison operator is '=='`,
		`$[?'a']`:                         `character 7: invalid comparison operator`,
		`$[?true]`:                        `character 8: invalid comparison operator`,
		`$[?@.a == b]`:                    `character 11: unexpected identifier`,
		`$[?@.a == 01]`:                   `character 11: invalid number literal`,
		`$[?@.a == 1.]`:                   `character 11: invalid number literal`,
		`$[?@.a == 1e999]`:                `character 11: cannot parse "1e999"`,
		`$[?(@.a]`:                        `character 8: `,
		`$[?@.a &&]`:                      `character 10: unexpected ']'`,
		`$[?!@.a == 1]`:                   `character 9: unexpected '='`,
		`$[?@.a == 1 == 2]`:               `character 13: unexpected '='`,
		"$['\xff']":                       `not valid UTF-8`,
		"$" + strings.Repeat(".a", 2048):  `longer than 4096 bytes`,
		"$[?" + strings.Repeat("(", 4000): `unexpected end of input`,
	} {
		_, err := overlay.Targets(nil, query)
		if err == nil {
			t.Errorf("%s: is accepted, want: %s", query, want)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want: %s", query, err, want)
		}
	}
}

// TestNestedCallsAreCheap parses and evaluates nested function calls, whose cost must
// not double with each level.
func TestNestedCallsAreCheap(t *testing.T) {
	const levels = 400
	deep := "$[?" + strings.Repeat("length(", levels) + "@" + strings.Repeat(")", levels) + " == 1]"
	if got := found(t, `[a, bc]`, deep); got != "" {
		t.Errorf("%s… selects %q", deep[:20], got)
	}
	for _, inner := range []string{"value(", "match("} {
		deep := "$[?" + strings.Repeat(inner, levels) + "@" + strings.Repeat(")", levels) + "==1]"
		if _, err := overlay.Targets(nil, deep); err == nil {
			t.Errorf("%s… is accepted", deep[:20])
		}
	}
}
