package jsonpath

import (
	"slices"
	"strings"
	"testing"

	library "github.com/speakeasy-api/jsonpath/pkg/jsonpath"
	"gopkg.in/yaml.v3"
)

const tangle = `
a: {b: {c: [1, {d: x, "e'f": y}, [p, q]]}, 'b\c': {'': nothing}}
value: {length: [true, null], '200': {"new\nline": z}}
list: [{a: 1}, {a: 2}, [], {}]
`

// sameAsLibrary checks that walking a singular path finds what the library finds.
func sameAsLibrary(t *testing.T, p *Path, root *yaml.Node) {
	t.Helper()
	reference, err := library.NewPath(p.rewritten())
	if err != nil {
		t.Fatalf("%q was rewritten to %q, which the library refuses: %v", p, p.rewritten(), err)
	}
	want, got := unique(reference.Query(root)), p.Select(root)
	if len(want) != len(got) {
		t.Fatalf("%q: the library finds %d nodes, not %d", p, len(want), len(got))
	}
	for i := range want {
		if want[i] != got[i] {
			t.Fatalf("%q: node %d differs from the library's", p, i)
		}
	}
}

func load(t testing.TB, data string) *yaml.Node {
	t.Helper()
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(data), &root); err != nil {
		t.Fatal(err)
	}
	return &root
}

// TestWalkEqualsLibrary walks every path of up to 4 steps over all names that
// occur, and some that do not.
func TestWalkEqualsLibrary(t *testing.T) {
	root := load(t, tangle)
	steps := []string{".a", ".b", "['c']", `["b\\c"]`, "['']", "[0]", "[1]", "[-1]", "[-9]", ".d", `['e\'f']`, ".value", ".length", "['200']", `['new\nline']`, ".list", ".none"}
	var try func(path string, left int)
	tried, hits := 0, 0
	try = func(path string, left int) {
		p, err := Parse(path)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		sameAsLibrary(t, p, root)
		tried++
		found := len(p.Select(root))
		hits += found
		if left == 0 || found == 0 && left < 2 { // one step beyond a miss is enough
			return
		}
		for _, s := range steps {
			try(path+s, left-1)
		}
	}
	try("$", 4)
	if tried < 1000 || hits < 20 {
		t.Errorf("only %d paths with %d hits were compared", tried, hits)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`$`, `$.a.b`, `$['a']["b"]`, `$..*`, `$.a[?@.b == 'c' && !@.d || (@.e > 1.5e3)]`,
		`$[?match(@.a,'x.*')]`, `$[?count(@..x)>=1]`, `$[1:2:3]`, `$[-1]`, `$[?length(value(@.a))!=null]`,
		`$['\u00e9\ud83d\ude00']`, `$[?search($.a[0],'\\.')]`, "$\t.a [ 'b' , 'c' ]", `$[?@]`, `$[?!(@ == true)]`,
	} {
		f.Add(seed)
	}
	root := load(f, tangle)
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse(text)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "character ") || strings.Contains(err.Error(), "cannot be evaluated") {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		found := p.Select(root)
		seen := map[*yaml.Node]bool{}
		for _, n := range found {
			if seen[n] {
				t.Fatalf("%q selects a node twice", text)
			}
			seen[n] = true
		}
		if p.singular {
			sameAsLibrary(t, p, root)
		}
		for i := range p.Len() {
			if pre := p.Prefix(i); len(found) > 0 && len(pre.Select(root)) == 0 {
				t.Fatalf("%q matches, but its prefix %q does not", text, pre)
			}
		}
		// Rewriting must not change the meaning, so that doing it twice does not either.
		if again, err := Parse(p.rewritten()); err == nil && !slices.Equal(again.Select(root), found) {
			t.Fatalf("%q was rewritten to %q, which then selects something else", text, p.rewritten())
		}
	})
}

func BenchmarkSelect(b *testing.B) {
	root := load(b, tangle)
	for _, path := range []string{`$.a.b.c[1].d`, `$.list[?@.a == 2]`, `$..a`} {
		b.Run(path, func(b *testing.B) {
			p, err := Parse(path)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if len(p.Select(root)) == 0 {
					b.Fatal("nothing found")
				}
			}
		})
	}
}
