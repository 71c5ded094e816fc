package wire_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// similar has names of many lengths, and names that differ only in the middle, at the start
// or at the end.
type similar struct {
	values [len(similarNames)]string
	JSON   wire.Object
}

type similarList struct {
	Rows []similar
	JSON wire.Object
}

var similarNames = [...]string{
	"", "a", "ab", "abc", "abcd", "abcde", "abcdef", "abcdefg", "abcdefgh", "abcdefghi", "abcdefghijkl", "abcdefghijklm",
	"abcdefghijklmn", "abcdefg1ijklmn", "abcdefghijklmno", "1bcdefghijklmno", "abcdefghijklm1o", "abcdefghi1klmnopqrstuvwxyz",
	"abcdefghij1lmnopqrstuvwxyz", "abcdefghijklmnopqrstuvwxyz", `quote " and é`, "",
}

var similarType, similarListType wire.Type

func (v *similar) JSONFields(f *wire.Fields) {
	f.Struct(&v.JSON, &similarType)
	for i, name := range similarNames[:len(similarNames)-1] {
		f.String(name, &v.values[i], wire.Optional)
	}
}

func (v *similarList) JSONFields(f *wire.Fields) {
	f.Struct(&v.JSON, &similarListType)
	wire.List(f, "rows", &v.Rows, wire.Required)
}

// TestNamesAreComparedWhole: a name is recognized, and written, with each of its bytes, in any
// order and among names that are nearly equal.
func TestNamesAreComparedWhole(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	names := append([]string{"b", "abcdefg2ijklmn", "abcdefghi2klmnopqrstuvwxyz", "abcdefghijklmnopqrstuvwxy", "abcdefghijklmnopqrstuvwxyz1"}, similarNames[:len(similarNames)-1]...)
	var rows []string
	var want []map[string]string
	for i := range 400 {
		random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		members, row := []string{}, map[string]string{}
		for _, name := range names[:random.IntN(len(names))] {
			key, _ := json.Marshal(name)
			space := []string{"", "", "", " ", "\n\t"}[random.IntN(5)]
			members = append(members, fmt.Sprintf(`%s%s:%s"%d %s"`, space, key, space, i, name[:min(len(name), 5)]))
			row[name] = fmt.Sprintf("%d %s", i, name[:min(len(name), 5)])
		}
		rows, want = append(rows, "{"+strings.Join(members, ",")+"}"), append(want, row)
	}
	var list similarList
	if err := wire.DecodeString(`{"rows":[`+strings.Join(rows, ",")+`]}`, &list, nil); err != nil {
		t.Fatal(err)
	}
	for i, row := range list.Rows {
		for n, name := range similarNames[:len(similarNames)-1] {
			if row.values[n] != want[i][name] {
				t.Errorf("%s: %q is %q, want %q", rows[i], name, row.values[n], want[i][name])
			}
			if _, ok := want[i][name]; ok != row.JSON.Present(name) {
				t.Errorf("%s: %q present: %t", rows[i], name, !ok)
			}
		}
		var got map[string]string
		if err := json.Unmarshal([]byte(encode(&row)), &got); err != nil || !reflect.DeepEqual(got, want[i]) {
			t.Errorf("%s was written as %v (%v)", rows[i], got, err)
		}
	}
}

// TestDuplicatesChangeOnlyTheirItem: the places of fields are noted for each item of a list
// again, for members of every kind.
func TestDuplicatesChangeOnlyTheirItem(t *testing.T) {
	kinds := map[string][2]string{
		"text": {`"a"`, `"b"`}, "flag": {`true`, `false`}, "int": {`1`, `2`}, "int64": {`1`, `2`}, "float": {`1.5`, `2.5`}, "amount": {`"1"`, `"2"`},
		"rate": {`1`, `2`}, "any": {`[1]`, `[2]`}, "optText": {`"a"`, `null`}, "optInt": {`1`, `2`}, "links": {`{"self":"a"}`, `{"self":"b"}`},
		"sub": {`{"code":"a"}`, `{"title":"b"}`}, "children": {`[{"int":1}]`, `[]`}, "strings": {`["a"]`, `["b","c"]`}, "ints": {`[1]`, `[2]`},
		"texts": {`{"a":"b"}`, `{}`}, "lastInt": {`7`, `8`},
	}
	var names []string
	for name := range kinds {
		names = append(names, name)
	}
	random := rand.New(rand.NewPCG(5, 6))
	var rows []string
	for range 300 {
		var members []string
		for range 1 + random.IntN(30) {
			name := names[random.IntN(len(names))]
			members = append(members, fmt.Sprintf("%q:%s", name, kinds[name][random.IntN(2)]))
		}
		rows = append(rows, "{"+strings.Join(members, ",")+"}")
	}
	var together everything
	if err := wire.DecodeString(`{"children":[`+strings.Join(rows, ",")+`]}`, &together, nil); err != nil {
		t.Fatal(err)
	}
	for i, row := range rows {
		var alone everything
		if err := wire.DecodeString(row, &alone, nil); err != nil {
			t.Fatal(err)
		}
		if got := together.Children[i]; encode(&got) != encode(&alone) || !reflect.DeepEqual(plainFields(got), plainFields(alone)) {
			t.Errorf("%s is\n%s among others, and alone\n%s", row, encode(&got), encode(&alone))
		}
	}
}

// plainFields returns v without what is kept of its text.
func plainFields(v everything) everything {
	v.JSON = wire.Object{}
	return v
}

type twoValues struct {
	First, Second links
	JSON          wire.Object
}

var twoValuesType wire.Type

func (v *twoValues) JSONFields(f *wire.Fields) {
	f.Struct(&v.JSON, &twoValuesType)
	f.Value("first", &v.First, wire.Optional)
	f.Value("second", &v.Second, wire.Optional)
}

// TestReplacedValueBeforeAZeroValue: a value that was replaced by a shorter text does not
// make the next one look as if it held something.
func TestReplacedValueBeforeAZeroValue(t *testing.T) {
	v := twoValues{First: links{Self: "a link that is much longer than the text that replaces it"}}
	if err := v.JSON.Set("first", []byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	if got, want := encode(&v), `{"first":{}}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
