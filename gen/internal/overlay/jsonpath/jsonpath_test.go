package jsonpath_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/overlay/jsonpath"
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

// found renders what a path selects: the values of primitives, the names of
// an object's members, the length of an array.
func found(t *testing.T, path string) string {
	t.Helper()
	p, err := jsonpath.Parse(path)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(ponds), &root); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, n := range p.Select(&root) {
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

func TestSelect(t *testing.T) {
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
			if got := found(t, c.path); got != c.want {
				t.Errorf("%s selects\n\t%s\nwant\n\t%s", c.path, got, c.want)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for path, want := range map[string]string{
		``:                       `a path starts with '$'`,
		`paths`:                  `a path starts with '$'`,
		` $`:                     `a path starts with '$'`,
		`$ `:                     `' ' where a segment`,
		`$.`:                     `the path ends where a member name`,
		`$..`:                    `the path ends where a member name`,
		`$. a`:                   `' ' where a member name`,
		`$.x-name`:               `must be quoted: ['x-name']`,
		`$.1a`:                   `'1' where a member name`,
		`$[]`:                    `']' where a quoted name`,
		`$['a'`:                  `the path ends where ',' or ']'`,
		`$['a''b']`:              `'\'' where ',' or ']'`,
		`$['a`:                   `a quote that is not closed`,
		"$['a\nb']":              `a control character`,
		`$['\x']`:                `an unknown escape`,
		`$['\"']`:                `an unknown escape`,
		`$['\ud83d']`:            `half a surrogate pair`,
		`$['\u12']`:              `four hexadecimal digits`,
		`$[01]`:                  `a leading zero`,
		`$[-0]`:                  `a leading zero`,
		`$[9007199254740992]`:    `outside the range`,
		`$[1:2:3:4]`:             `':' where ',' or ']'`,
		`$~`:                     `'~' where a segment`,
		`$.a~`:                   `'~' where a segment`,
		`$[*,'a']`:               `must stand alone`,
		`$[?@.a,?@.b]`:           `must stand alone`,
		`$['a',"a"]`:             `stands twice`,
		`$[0,-1]`:                `cannot share brackets`,
		`$..a..b..c..d`:          `more than 3 descendant`,
		`$[?$..a]`:               `from '$' may hold names`,
		`$[?@[?@[?@[?@.a]]]]`:    `filters nested`,
		`$[?foo(@.a) == 1]`:      `foo() is no function`,
		`$[?length(@.a)]`:        `is no test`,
		`$[?length(@.*) == 1]`:   `at most one node`,
		`$[?length(@.a,@.b)==1]`: `takes 1 argument`,
		`$[?match(@.a)]`:         `takes 2 arguments`,
		`$[?match(@.a, '(')]`:    `missing closing`,
		`$[?match(@.a,'x')==1]`:  `its result cannot be compared`,
		`$[?count(1) == 1]`:      `count() takes a query`,
		`$[?length(value(value(value(@.a)))) == 1]`: `functions nested`,
		`$[?@.a == @.*]`:          `at most one node`,
		`$[?@.* == 1]`:            `at most one node`,
		`$[?@.a = 1]`:             `written '=='`,
		`$[?'a']`:                 `is no test`,
		`$[?true]`:                `is no test`,
		`$[?@.a == b]`:            `texts in quotes`,
		`$[?@.a == 01]`:           `a leading zero`,
		`$[?@.a == 1.]`:           `a digit`,
		`$[?@.a == 1e999]`:        `outside the range`,
		`$[?(@.a]`:                `']' where ')'`,
		`$[?@.a &&]`:              `']' where a query`,
		`$[?!@.a == 1]`:           `'=='`,
		`$[?@.a == 1 == 2]`:       `'=='`,
		"$['\xff']":               `not valid UTF-8`,
		strings.Repeat("$", 5000): `longer than`,
		"$[?" + strings.Repeat("(", 17) + "@.a" + strings.Repeat(")", 17) + "]": `parentheses nested`,
	} {
		_, err := jsonpath.Parse(path)
		if err == nil {
			t.Errorf("%s: is accepted, want: %s", path, want)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want: %s", path, err, want)
		}
	}
}

func TestSyntaxErrorCountsCharacters(t *testing.T) {
	_, err := jsonpath.Parse(`$.日本.x-y`)
	if err == nil || !strings.HasPrefix(err.Error(), "character 7:") {
		t.Errorf("got %v", err)
	}
}

// TestNestedCallsAreCheap holds against the library, which takes exponential
// time to read calls within calls.
func TestNestedCallsAreCheap(t *testing.T) {
	start := time.Now()
	for _, inner := range []string{"length(", "value(", "match("} {
		deep := "$[?" + strings.Repeat(inner, 400) + "@" + strings.Repeat(")", 400) + "==1]"
		if _, err := jsonpath.Parse(deep); err == nil {
			t.Errorf("%s… is accepted", inner)
		}
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestPrefixAndStep(t *testing.T) {
	p, err := jsonpath.Parse(`$.paths ['/a','/b'][?@.x == 1][2]..*`)
	if err != nil {
		t.Fatal(err)
	}
	var prefixes []string
	for i := range p.Len() {
		prefixes = append(prefixes, p.Prefix(i).String()+" + "+p.Step(i).Text)
	}
	want := []string{
		"$ + .paths",
		"$.paths + ['/a','/b']",
		"$.paths ['/a','/b'] + [?@.x == 1]",
		"$.paths ['/a','/b'][?@.x == 1] + [2]",
		"$.paths ['/a','/b'][?@.x == 1][2] + ..*",
	}
	if !slices.Equal(prefixes, want) {
		t.Errorf("got %q", prefixes)
	}
	if s := p.Step(1); !slices.Equal(s.Names, []string{"/a", "/b"}) || s.Filter || s.Index {
		t.Errorf("step 1: %+v", s)
	}
	if !p.Step(2).Filter || !p.Step(3).Index || p.Prefix(99) != p || p.Prefix(-1).String() != "$" {
		t.Error("the kinds of steps or the ends of prefixes are wrong")
	}
}
