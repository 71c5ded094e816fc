package wire_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/transport/value"
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

// TestTextsThatEndInAName: a text may end anywhere in a name, also in one that is expected.
func TestTextsThatEndInAName(t *testing.T) {
	const text = `{"a":"1","abcdefg":"2","abcdefgh":"3","abcdefghijklmn":"4","abcdefghij1lmnopqrstuvwxyz":"5"}`
	for end := range len(text) {
		var v similar
		var syntax *wire.SyntaxError
		if err := wire.DecodeString(text[:end], &v, nil); !errors.As(err, &syntax) {
			t.Errorf("%s: %v, want a *SyntaxError", text[:end], err)
		}
	}
	var v similar
	if err := wire.DecodeString(text, &v, nil); err != nil || v.values[len(similarNames)-4] != "5" {
		t.Errorf("the whole text: %q, %v", v.values, err)
	}
}

// counted counts the calls of JSONFields.
type counted struct {
	First  string
	Flag   bool
	Amount value.Decimal
	Sub    subClass
	Other  *subClass
	Subs   []subClass
	Texts  []string
	Last   string
	JSON   wire.Object
}

type countedList struct {
	Rows []counted
	JSON wire.Object
}

var (
	countedType, countedListType wire.Type
	countedCalls                 int
)

func (v *counted) JSONFields(f *wire.Fields) {
	countedCalls++
	f.Struct(&v.JSON, &countedType)
	f.String("first", &v.First, wire.Optional)
	f.Bool("flag", &v.Flag, wire.Optional)
	f.Decimal("amount", &v.Amount, wire.Optional)
	f.Value("sub", &v.Sub, wire.Optional)
	wire.Pointer(f, "other", &v.Other, wire.Optional)
	wire.List(f, "subs", &v.Subs, wire.Optional)
	f.Strings("texts", &v.Texts, wire.Optional)
	f.String("last", &v.Last, wire.Optional)
}

func (v *countedList) JSONFields(f *wire.Fields) {
	f.Struct(&v.JSON, &countedListType)
	wire.List(f, "rows", &v.Rows, wire.Required)
}

// TestCallsOfJSONFields: an object takes one call if its members come in the order of the
// calls, or in that of the items before it.
func TestCallsOfJSONFields(t *testing.T) {
	members := []string{
		`"first":"a"`, `"flag":true`, `"amount":"1"`, `"sub":{"code":"1","title":"2"}`, `"other":{"code":"1","title":"2"}`,
		`"subs":[{"code":"1","title":"2"}]`, `"texts":["a"]`, `"last":"b"`,
	}
	row := "{" + strings.Join(members, ",") + "}"
	slices.Reverse(members)
	reversed := "{" + strings.Join(members, ",") + "}"
	var once counted
	if err := wire.DecodeString(row, &once, nil); err != nil { // the names are listed now
		t.Fatal(err)
	}
	for _, c := range []struct {
		rows []string
		want int
	}{
		{[]string{row}, 1},
		{[]string{row, row, row}, 3},
		{[]string{reversed}, 2},
		{[]string{row, reversed, reversed, reversed}, 5}, // another order is learned from the second item
		{[]string{reversed, reversed, reversed, reversed}, 6},
	} {
		countedCalls = 0
		var list countedList
		if err := wire.DecodeString(`{"rows":[`+strings.Join(c.rows, ",")+`]}`, &list, nil); err != nil {
			t.Fatal(err)
		}
		if countedCalls != c.want {
			t.Errorf("%s: %d calls, want %d", strings.Join(c.rows, "\n"), countedCalls, c.want)
		}
		for i := range list.Rows {
			if encode(&list.Rows[i]) != row {
				t.Errorf("row %d is %s", i, encode(&list.Rows[i]))
			}
		}
	}
}
