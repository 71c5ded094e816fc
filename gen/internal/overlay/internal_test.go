package overlay

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/theory/jsonpath/spec"
	"go.yaml.in/yaml/v3"
)

// TestDistanceIsEditDistance compares distance with a simple implementation.
func TestDistanceIsEditDistance(t *testing.T) {
	plain := func(a, b string) int {
		table := make([][]int, len(a)+1)
		for i := range table {
			table[i] = make([]int, len(b)+1)
			for j := range table[i] {
				switch {
				case i == 0 || j == 0:
					table[i][j] = i + j
				case a[i-1] == b[j-1]:
					table[i][j] = table[i-1][j-1]
				default:
					table[i][j] = 1 + min(table[i-1][j-1], table[i-1][j], table[i][j-1])
				}
			}
		}
		return table[len(a)][len(b)]
	}
	random := rand.New(rand.NewPCG(1, 2))
	word := func() string {
		w := make([]byte, random.IntN(12))
		for i := range w {
			w[i] = "abc"[random.IntN(3)]
		}
		return string(w)
	}
	for range 20000 {
		a, b, limit := word(), word(), 1+random.IntN(8)
		if got, want := distance(a, b, limit), min(limit, plain(a, b)); got != want {
			t.Fatalf("distance(%q, %q, %d) is %d, want %d", a, b, limit, got, want)
		}
	}
}

func TestClosestName(t *testing.T) {
	names := []string{"x", "userId", "Account", "AccountList", "transactions", ""}
	for name, want := range map[string]string{
		"userid":      "userId",
		"USERID":      "userId",
		"Acount":      "Account",
		"AcountList":  "AccountList",
		"transaction": "transactions",
		"y":           "",
		"job":         "",
		"completely":  "",
	} {
		if got := closest(name, slices.Values(names)); got != want {
			t.Errorf("the closest to %q is %q, want %q", name, got, want)
		}
	}
}

func TestPrefixAndSegment(t *testing.T) {
	q, err := parseQuery(`$.paths ['/a','/b'][?@.x == 1][2]..*`)
	if err != nil {
		t.Fatal(err)
	}
	var prefixes []string
	for i := range q.segments {
		prefixes = append(prefixes, q.prefix(i)+" + "+q.segment(i).text)
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
	if s := q.segment(1); !slices.Equal(s.names, []string{"/a", "/b"}) || s.filter || s.index {
		t.Errorf("segment 1: %+v", s)
	}
	if !q.segment(2).filter || !q.segment(3).index {
		t.Error("a filter or an index is not recognised")
	}
}

const tangle = `
a: {b: {c: [1, {d: x, "e'f": y}, [p, q]]}, 'b\c': {'': nothing}}
value: {length: [true, null], '200': {"new\nline": z}}
list: [{a: 1}, {a: 2}, [], {}]
`

func load(t testing.TB, data string) *yaml.Node {
	t.Helper()
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(data), &root); err != nil {
		t.Fatal(err)
	}
	return &root
}

// sameAsLibrary checks that a query selects the same nodes as the library does from a
// plain value, apart from repetitions.
func sameAsLibrary(t *testing.T, q *query, root *yaml.Node, value any) {
	t.Helper()
	path, err := queryParser.Parse(q.text)
	if err != nil {
		t.Fatalf("%q: %v", q.text, err)
	}
	want := map[*yaml.Node]bool{}
	for _, located := range path.SelectLocated(value) {
		n := root.Content[0]
		for _, step := range located.Path {
			switch step := step.(type) {
			case spec.Name:
				n = member(n, string(step))
			case spec.Index:
				n = n.Content[step]
			}
		}
		want[n] = true
	}
	got := newDocument(root).selectNodes(q)
	for _, n := range got {
		if !want[n] {
			t.Fatalf("%q: the node of line %d, column %d is not selected by the library, or selected twice", q.text, n.Line, n.Column)
		}
		delete(want, n)
	}
	if len(want) > 0 {
		t.Fatalf("%q: the library selects %d more nodes", q.text, len(want))
	}
}

// TestSelectionEqualsLibrary compares all queries of up to 3 segments out of a fixed
// set.
func TestSelectionEqualsLibrary(t *testing.T) {
	root := load(t, tangle)
	var value any
	if err := root.Decode(&value); err != nil {
		t.Fatal(err)
	}
	segments := []string{
		".a", ".b", "['c']", `["b\\c"]`, "['']", "[0]", "[-1]", "[-9]", ".d", `['e\'f']`, ".value", ".length", "['200']", `['new\nline']`, ".list", ".none",
		".*", "..*", "..a", "..[1]", "[::2]", "[::-1]", "[-2:]", "['a', 'list', 'a']", "[*, 0]", "[?@.a]", "[?@.a == 2, ?@[1] == null]", "..[?length(@) > 1]", "..[?@ == $.a.b.c[0]]", "[?match(@, 'x|y')]", "[?count(@..*) > 3]",
	}
	tried, hits := 0, 0
	var try func(text string, left int)
	try = func(text string, left int) {
		q, err := parseQuery(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		sameAsLibrary(t, q, root, value)
		tried++
		found := len(newDocument(root).selectNodes(q))
		hits += found
		if left == 0 || found == 0 { // one segment after a miss is enough
			return
		}
		for _, s := range segments {
			try(text+s, left-1)
		}
	}
	try("$", 3)
	if tried < 1000 || hits < 1000 {
		t.Errorf("only %d queries with %d hits were compared", tried, hits)
	}
}

func FuzzQuery(f *testing.F) {
	for _, seed := range []string{
		`$`, `$.a.b`, `$['a']["b"]`, `$..*`, `$.a[?@.b == 'c' && !@.d || (@.e > 1.5e3)]`,
		`$[?match(@.a,'x.*')]`, `$[?count(@..x)>=1]`, `$[1:2:3]`, `$[-1]`, `$[?length(value(@.a))!=null]`,
		`$['\u00e9\ud83d\ude00']`, `$[?search($.a[0],'\\.')]`, "$\t.a [ 'b' , 'c' ]", `$[?@]`, `$[?!(@ == true)]`,
	} {
		f.Add(seed)
	}
	root := load(f, tangle)
	var value any
	if err := root.Decode(&value); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := parseQuery(text)
		if err != nil {
			return
		}
		sameAsLibrary(t, q, root, value)
		doc := newDocument(root)
		found := doc.selectNodes(q)
		for i := range q.segments {
			if len(found) > 0 && len(doc.selectFirst(i, q)) == 0 {
				t.Fatalf("%q matches, but its first %d segments do not", text, i)
			}
			if prefix, err := parseQuery(q.prefix(i)); err != nil || len(prefix.segments) != i {
				t.Fatalf("%q: the text of the first %d segments is %q", text, i, q.prefix(i))
			}
		}
	})
}

func BenchmarkSelect(b *testing.B) {
	doc := newDocument(load(b, tangle))
	for _, text := range []string{`$.a.b.c[1].d`, `$.list[?@.a == 2]`, `$..a`} {
		b.Run(text, func(b *testing.B) {
			q, err := parseQuery(text)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				doc.forgetValues()
				if len(doc.selectNodes(q)) == 0 {
					b.Fatal("nothing found")
				}
			}
		})
	}
}
