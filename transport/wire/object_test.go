package wire_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/basiq-sdk/basiq-go/transport/value"
	"github.com/basiq-sdk/basiq-go/transport/wire"
)

func encode(v wire.Value) string { return string(wire.Append(nil, v)) }

func TestAbsentNullZero(t *testing.T) {
	v := decode(t, `{"text":null,"must":"","int":7,"strings":{"a":1},"new":null,"newer":[1],"lastText":null,"lastInt":0}`)
	for _, c := range []struct {
		name          string
		present, null bool
		raw           string
	}{
		{"text", true, true, "null"}, {"must", true, false, ""}, {"int", true, false, ""}, {"kind", false, false, ""},
		{"strings", true, false, `{"a":1}`}, {"new", true, true, "null"}, {"newer", true, false, "[1]"}, {"newest", false, false, ""},
		{"lastText", true, true, "null"}, {"lastInt", true, false, ""}, {"lastFlag", false, false, ""}, {"TEXT", false, false, ""},
	} {
		raw, ok := v.JSON.Raw(c.name)
		if v.JSON.Present(c.name) != c.present || v.JSON.Null(c.name) != c.null || string(raw) != c.raw || ok != (c.raw != "") {
			t.Errorf("%s: present %v, null %v, raw %q %v", c.name, v.JSON.Present(c.name), v.JSON.Null(c.name), raw, ok)
		}
	}
	var names []string
	for name, raw := range v.JSON.Extra() {
		names = append(names, name+"="+string(raw))
	}
	if got := strings.Join(names, " "); got != "new=null newer=[1]" {
		t.Errorf("extra members %s", got)
	}
	for range v.JSON.Extra() {
		break
	}
	var hand everything
	if hand.JSON.Decoded() || !v.JSON.Decoded() || hand.JSON.Present("text") || hand.JSON.Null("text") {
		t.Error("a struct made by hand remembers something")
	}
}

func TestLastDuplicateWins(t *testing.T) {
	for text, want := range map[string]string{
		`{"text":null,"text":"a"}`:         `{"text":"a"}`,
		`{"text":"a","text":null}`:         `{"text":null}`,
		`{"text":null,"text":""}`:          `{"text":""}`,
		`{"text":1,"text":"1"}`:            `{"text":"1"}`,
		`{"text":"1","text":1}`:            `{"text":1}`,
		`{"lastText":null,"lastText":""}`:  `{"lastText":""}`,
		`{"lastText":"","lastText":null}`:  `{"lastText":null}`,
		`{"strings":{},"strings":["a"]}`:   `{"strings":["a"]}`,
		`{"children":{},"children":[{}]}`:  `{"children":[{}]}`,
		`{"new":1,"text":"a","new":2}`:     `{"text":"a","new":1,"new":2}`,
		`{"amount":1.50,"amount":1.5}`:     `{"amount":1.5}`,
		`{"optInt":"5","optInt":{"a":1}}`:  `{"optInt":{"a":1}}`,
		`{"optInt":{"a":1},"optInt":null}`: `{"optInt":null}`,
	} {
		v := decode(t, text)
		if got := encode(v); got != want {
			t.Errorf("%s is written as %s, want %s", text, got, want)
		}
	}
	v := decode(t, `{"new":1,"new":null}`)
	if raw, ok := v.JSON.Raw("new"); !ok || string(raw) != "null" || !v.JSON.Null("new") {
		t.Errorf("the first of two members was taken: %s", raw)
	}
}

func TestStructsMadeByHand(t *testing.T) {
	zero, no, empty := 0, false, ""
	for _, c := range []struct {
		name  string
		v     everything
		want  string
		again bool // decoding gives the same fields
	}{
		{"zero", everything{}, `{"must":"","lastInt":0,"lastLinks":{"self":""}}`, true},
		{"zero that matters", everything{OptInt: &zero, OptFlag: &no, OptText: &empty, Strings: []string{}, Texts: map[string]string{}, Children: []everything{}},
			`{"must":"","optText":"","optFlag":false,"optInt":0,"children":[],"strings":[],"texts":{},"lastInt":0,"lastLinks":{"self":""}}`, true},
		{"values", everything{Text: "a\"<&>\u2028\xff", Flag: true, Int: -1, Float: 1e21, Amount: "1.50", Rate: "0.0450", Any: `{"a":1}`, Links: links{Next: "n"}, Sub: &subClass{}, Must: "m", LastInt: 1},
			`{"text":"a\"<&>\u2028\ufffd","must":"m","flag":true,"int":-1,"float":1e+21,"amount":"1.50","rate":0.0450,"any":{"a":1},"links":{"self":"","next":"n"},"sub":{"code":""},"lastInt":1,"lastLinks":{"self":""}}`, false},
		{"not writable", everything{Float: math.NaN(), Floats: []float64{math.Inf(1)}, Any: "{", Anys: []value.JSON{"", "1 2"}, Rate: "N/A"},
			`{"must":"","float":null,"rate":"N/A","any":null,"floats":[null],"anys":[null,null],"lastInt":0,"lastLinks":{"self":""}}`, false},
		{"decimals that are no JSON numbers", everything{Rate: "+.5"}, `{"must":"","rate":0.5,"lastInt":0,"lastLinks":{"self":""}}`, false},
		{"negative decimal", everything{Rate: "-.50"}, `{"must":"","rate":-0.50,"lastInt":0,"lastLinks":{"self":""}}`, false},
		{"plain values", everything{Text: "a", Must: "é", Kind: "k", Flag: true, Int: 1, Int64: math.MinInt64, Float: -1.5, Amount: "1.50", Rate: "1.50", Day: "2024-01-01", Any: "[1]", OptFloat: new(1.5), Ints: []int{0, 1}, Counts: map[string]int{"a": 0}, LastText: "z"},
			`{"text":"a","must":"é","kind":"k","flag":true,"int":1,"int64":-9223372036854775808,"float":-1.5,"amount":"1.50","rate":1.50,"day":"2024-01-01","any":[1],"optFloat":1.5,"ints":[0,1],"counts":{"a":0},"lastText":"z","lastInt":0,"lastLinks":{"self":""}}`, true},
		{"maps in order", everything{Counts: map[string]int{"b": 1, "a": 2, "\"": 3}, Matrix: [][]int{nil, {1}}, Pointers: []*subClass{nil}},
			`{"must":"","matrix":[[],[1]],"pointers":[null],"counts":{"\"":3,"a":2,"b":1},"lastInt":0,"lastLinks":{"self":""}}`, false},
	} {
		if got := encode(&c.v); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
		// What differs after decoding is the field JSON only.
		if !c.again {
			continue
		}
		again := decode(t, encode(&c.v))
		again.JSON, again.LastLinks.JSON = wire.Object{}, wire.Object{}
		if !reflect.DeepEqual(*again, c.v) {
			t.Errorf("%s: decoded %+v", c.name, again)
		}
	}
}

func TestFieldsOverrideDecodedValues(t *testing.T) {
	v := decode(t, `{"text":null,"int":"x","strings":null,"sub":null,"optInt":null,"children":{"text":"a"},"links":"gone","amount":"","kind":5,"flags":["true"]}`)
	five := 5
	v.Text, v.Int, v.Strings, v.Sub, v.OptInt = "new", 3, []string{"s"}, &subClass{Code: "c"}, &five
	v.Children = append(v.Children, everything{Text: "b"})
	v.Links.Self, v.Amount, v.Kind, v.Flags[0] = "l", "1", "x", false
	want := `{"text":"new","kind":"x","int":3,"amount":"1","optInt":5,"links":{"self":"l"},"sub":{"code":"c"},` +
		`"children":[{"text":"a"},{"text":"b","must":"","lastInt":0,"lastLinks":{"self":""}}],"strings":["s"],"flags":[false]}`
	if got := encode(v); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	v = decode(t, `{"text":"a","int":"5","optInt":"5","sub":{"code":"c"},"children":[{}],"strings":["a"],"rate":1}`)
	v.Text, v.Int, v.OptInt, v.Sub, v.Children, v.Strings, v.Rate = "", 0, nil, nil, nil, nil, ""
	if got, want := encode(v), `{"text":"","int":0}`; got != want {
		t.Errorf("cleared: got %s, want %s", got, want)
	}
}

func TestSetNull(t *testing.T) {
	var v everything
	v.JSON.SetNull("text")
	v.JSON.SetNull("lastInt")
	v.JSON.SetNull("sub")
	v.JSON.SetNull("undeclared")
	want := `{"text":null,"must":"","sub":null,"lastInt":null,"lastLinks":{"self":""},"undeclared":null}`
	if got := encode(&v); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if !v.JSON.Null("text") || !v.JSON.Present("sub") {
		t.Error("what was set cannot be seen")
	}
	v.Text = "x"
	if got := encode(&v); !strings.HasPrefix(got, `{"text":"x"`) {
		t.Errorf("the field does not win: %s", got)
	}
	var outer everything
	outer.Links.JSON.SetNull("next")
	if got := encode(&outer); !strings.Contains(got, `"links":{"self":"","next":null}`) {
		t.Errorf("null in an optional nested value is lost: %s", got)
	}
}

func TestSet(t *testing.T) {
	v := everything{Text: "x"}
	for name, raw := range map[string]string{"text": ` {"a":1} `, "new": "[1]", "kind": `"k"`, "children": "7"} {
		if err := v.JSON.Set(name, json.RawMessage(raw)); err != nil {
			t.Error(err)
		}
	}
	v.Children = []everything{{}}
	var got map[string]any
	if err := json.Unmarshal([]byte(encode(&v)), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"text": map[string]any{"a": 1.0}, "must": "", "kind": "k", "children": 7.0, "lastInt": 0.0, "lastLinks": map[string]any{"self": ""}, "new": []any{1.0}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for _, raw := range []string{"", "{", "1 2", "nul"} {
		if err := v.JSON.Set("new", json.RawMessage(raw)); err == nil {
			t.Errorf("Set accepts %q", raw)
		} else if raw != "" && strings.Contains(err.Error(), raw) {
			t.Errorf("the error contains the value: %v", err)
		}
	}
	decoded := decode(t, `{"new":1,"text":"a","text2":2}`)
	if err := decoded.JSON.Set("new", json.RawMessage(`2`)); err != nil {
		t.Fatal(err)
	}
	if got := encode(decoded); got != `{"text":"a","text2":2,"new":2}` {
		t.Errorf("an extra member is not replaced: %s", got)
	}
	decoded.JSON.Delete("new")
	decoded.JSON.Delete("text2")
	decoded.JSON.Delete("never there")
	if got := encode(decoded); got != `{"text":"a"}` {
		t.Errorf("a member is not deleted: %s", got)
	}
	zeros := decode(t, `{"text":null,"int":"x","lastText":null,"must":""}`)
	for _, name := range []string{"text", "int", "lastText", "must"} {
		zeros.JSON.Delete(name)
	}
	if got := encode(zeros); got != `{}` || zeros.JSON.Present("text") || zeros.JSON.Present("lastText") {
		t.Errorf("declared members are not deleted: %s", got)
	}
}

// TestCopiesAreIndependent changes the Object of a copy of a struct.
func TestCopiesAreIndependent(t *testing.T) {
	const text = `{"text":5,"new":1,"lastText":null}`
	v := decode(t, text)
	c := *v
	c.JSON.SetNull("must")
	c.JSON.Delete("new")
	c.JSON.Delete("lastText")
	c.JSON.Delete("text")
	if err := c.JSON.Set("newer", json.RawMessage("1")); err != nil {
		t.Fatal(err)
	}
	if got := encode(v); got != `{"text":5,"lastText":null,"new":1}` {
		t.Errorf("the original is written as %s", got)
	}
	list := decode(t, `{"children":[null,null]}`).Children
	list[0].JSON.SetNull("text")
	if got := encode(&list[0]) + encode(&list[1]); got != `{"text":null}null` {
		t.Errorf("two objects that were null are written as %s", got)
	}
}

func TestAlias(t *testing.T) {
	for text, want := range map[string]string{
		`{"abn":"1"}`:                         `{"abn":"1"}`,
		`{"ABN":"1"}`:                         `{"ABN":"1"}`,
		`{"abn":null,"id":"x"}`:               `{"id":"x","abn":null}`,
		`{"abn":5}`:                           `{"abn":5}`,
		`{"ABN":"1","abn":"2"}`:               `{"ABN":"1","abn":"2"}`,
		`{"abn":"2","ABN":"1"}`:               `{"ABN":"1","abn":"2"}`,
		`{"abn":{"a":[1]},"ABN":"1","abn":3}`: `{"ABN":"1","abn":{"a":[1]},"abn":3}`,
		`{"abn":"2","ABN":"1","ABN":"3"}`:     `{"ABN":"3","abn":"2"}`,
	} {
		var v merchant
		if err := wire.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		if got := encode(&v); got != want {
			t.Errorf("%s is written as %s, want %s", text, got, want)
		}
		if !v.JSON.Present("ABN") {
			t.Errorf("%s: ABN is not present", text)
		}
	}
}

func TestWhole(t *testing.T) {
	v := decode(t, `{"children":[null,"x",{}],"links":[1]}`)
	for i, want := range []string{"null", `"x"`, ""} {
		if raw, ok := v.Children[i].JSON.Whole(); string(raw) != want || ok != (want != "") {
			t.Errorf("item %d was %q", i, raw)
		}
	}
	if raw, _ := v.JSON.Raw("links"); string(raw) != "[1]" {
		t.Errorf("links were %q", raw)
	}
	v.Children[0].Text = "a"
	if got := encode(v); got != `{"links":[1],"children":[{"text":"a"},"x",{}]}` {
		t.Errorf("written as %s", got)
	}
}

func TestEqual(t *testing.T) {
	texts := []string{`{}`, `{"text":null}`, `{"text":""}`, `{"new":1}`, `{"new":2}`, `{"text":1}`, `{"lastText":null}`, `{"lastText":""}`}
	for i, a := range texts {
		for j, b := range texts {
			x, y := decode(t, a), decode(t, b)
			if got := x.JSON.Equal(y.JSON); got != (i == j) {
				t.Errorf("%s and %s: Equal is %v", a, b, got)
			}
			if got := cmp.Equal(x, y); got != (i == j) && a != `{"text":1}` && b != `{"text":1}` {
				t.Errorf("%s and %s: cmp.Equal is %v", a, b, got)
			}
		}
	}
	if (wire.Object{}).Equal(decode(t, `{}`).JSON) {
		t.Error("decoded and made by hand are equal")
	}
}

func TestObjectIsSmallAndPrintsNoValues(t *testing.T) {
	if size := reflect.TypeFor[wire.Object]().Size(); size > 40 {
		t.Errorf("an Object has %d bytes", size)
	}
	v := decode(t, `{"text":null,"int":"private","new":"private","links":"private","children":["private"]}`)
	got := fmt.Sprintf("%v %+v %v", v.JSON, v.JSON, v.Children[0].JSON)
	const one = `{null: text; kept: int links; extra: new}`
	if want := one + " " + one + ` {not an object: string}`; got != want {
		t.Errorf("printed as %s", got)
	}
}

// TestStandardLibrary uses generated types through encoding/json.
func TestStandardLibrary(t *testing.T) {
	var v struct {
		Page  page
		Pages []page
		Map   map[string]*everything
	}
	text := `{"Page":{"type":"list","count":0,"data":[{"id":"1","new":null}]},"Pages":[null,{"type":""}],"Map":{"a":{"text":"<&>"},"b":null}}`
	raw := []byte(text)
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	clear(raw) // encoding/json may use its buffer again
	if v.Page.Data[0].ID != "1" || v.Map["a"].Text != "<&>" || v.Map["b"] != nil {
		t.Errorf("decoded %+v", v)
	}
	b, err := json.Marshal(v)
	if want := strings.Replace(text, "[null,", `[{"type":"","count":0,"data":[]},`, 1); err != nil || !reflect.DeepEqual(plainValue(t, b), plainValue(t, []byte(want))) {
		t.Errorf("encoded %s, %v", b, err)
	}
	if b, err := wire.Marshal(&v.Page); err != nil || string(b) != encode(&v.Page) {
		t.Errorf("Marshal gives %s, %v", b, err)
	}
}

// TestGob: a cache that uses encoding/gob can store generated types. The content of
// an Object is lost.
func TestGob(t *testing.T) {
	v := decode(t, `{"text":"a","int":5,"new":1,"children":[{"text":null}]}`)
	var buffer bytes.Buffer
	if err := gob.NewEncoder(&buffer).Encode(v); err != nil {
		t.Fatal(err)
	}
	var again everything
	if err := gob.NewDecoder(&buffer).Decode(&again); err != nil {
		t.Fatal(err)
	}
	if again.Text != "a" || again.Int != 5 || len(again.Children) != 1 || again.JSON.Decoded() {
		t.Errorf("got %+v", again)
	}
}

func TestConcurrentReaders(t *testing.T) {
	v := decode(t, `{"text":null,"new":1,"int":"5","children":[null]}`)
	done := make(chan string)
	for range 4 {
		go func() { done <- encode(v) + v.JSON.String() + fmt.Sprint(v.JSON.Present("new")) }()
	}
	first := <-done
	for range 3 {
		if got := <-done; got != first {
			t.Errorf("%s and %s", got, first)
		}
	}
}
