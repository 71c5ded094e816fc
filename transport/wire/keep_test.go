package wire_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/transport/value"
	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// TestConvertedListsAreWrittenAsTheyCame, and as they are after a change.
func TestConvertedListsAreWrittenAsTheyCame(t *testing.T) {
	for _, c := range []struct {
		text   string
		change func(v *everything)
		want   string // after the change
	}{
		{`{"flags":["yes",true]}`, func(v *everything) { v.Flags[0] = true }, `{"flags":[true,true]}`},
		{`{"flags":["true","0"]}`, func(v *everything) { v.Flags[1] = true }, `{"flags":[true,true]}`},
		{`{"floats":["0.10000000000000000001",2]}`, func(v *everything) { v.Floats[0] = 0.2 }, `{"floats":[0.2,2]}`},
		{`{"floats":["x"]}`, func(v *everything) { v.Floats[0] = 1 }, `{"floats":[1]}`},
		{`{"ints":["1",{},7]}`, func(v *everything) { v.Ints[1] = 2 }, `{"ints":[1,2,7]}`},
		{`{"matrix":[{},["1"]]}`, func(v *everything) { v.Matrix[0] = []int{3} }, `{"matrix":[[3],[1]]}`},
		{`{"matrix":["x",["1"]]}`, func(v *everything) { v.Matrix[1][0] = 2 }, `{"matrix":[[],[2]]}`},
		{`{"lists":{"a":"b"}}`, func(v *everything) { v.Lists["a"] = append(v.Lists["a"], "c") }, `{"lists":{"a":["b","c"]}}`},
		{`{"counts":{"a":"1","b":2}}`, func(v *everything) { v.Counts["c"] = 3 }, `{"counts":{"a":1,"b":2,"c":3}}`},
		{`{"strings":[1,"\"","\\"]}`, func(v *everything) { v.Strings[0] = "2" }, `{"strings":["2","\"","\\"]}`},
	} {
		v := decode(t, c.text)
		if got := encode(v); got != c.text {
			t.Errorf("%s is written as %s", c.text, got)
		}
		c.change(v)
		if got := encode(v); got != c.want {
			t.Errorf("%s, changed, is written as %s, want %s", c.text, got, c.want)
		}
	}
}

// TestConvertedListsAreKeptTo64KiB: longer ones are written in the declared types.
func TestConvertedListsAreKeptTo64KiB(t *testing.T) {
	for length, kept := range map[int]bool{1<<16 - 1: true, 1 << 16: true, 1<<16 + 1: false} {
		raw := `["1"` + strings.Repeat(" ", length-len(`["1"]`)) + `]`
		want := `{"ints":[1]}`
		if kept {
			want = `{"ints":` + raw + `}`
		}
		if got := encode(decode(t, `{"ints":`+raw+`}`)); got != want {
			t.Errorf("a list of %d bytes is written in %d bytes, want %d", length, len(got), len(want))
		}
	}
}

// nested has a member of lists, or maps, of that many levels.
type nested struct {
	levels int
	inMaps bool
	list   []any
	values map[string]any
	JSON   wire.Object
}

var nestedType wire.Type

func (v *nested) JSONFields(f *wire.Fields) {
	var read func(levels int) func(*wire.Decoder) any
	read = func(levels int) func(*wire.Decoder) any {
		return func(d *wire.Decoder) any {
			switch {
			case levels == 0:
				return d.ReadInt()
			case v.inMaps:
				return wire.ReadMapOf(d, read(levels-1))
			}
			return wire.ReadListOf(d, read(levels-1))
		}
	}
	f.Struct(&v.JSON, &nestedType)
	if v.inMaps {
		wire.MapOf(f, "v", &v.values, wire.Optional, read(v.levels-1), appendAny)
	} else {
		wire.ListOf(f, "v", &v.list, wire.Optional, read(v.levels-1), appendAny)
	}
}

func appendAny(b []byte, v any) []byte {
	switch v := v.(type) {
	case []any:
		return wire.AppendItems(b, v, appendAny)
	case map[string]any:
		return wire.AppendEntries(b, v, appendAny)
	}
	return wire.AppendInt(b, v.(int))
}

// TestConvertedValuesAreKeptTo31Levels: deeper ones are written in the declared
// types, as comparing them level by level would take long.
func TestConvertedValuesAreKeptTo31Levels(t *testing.T) {
	for _, c := range []struct {
		name                  string
		inMaps                bool
		open, shut            string
		leaf                  string
		plainOpen, plainClose string
	}{
		{"lists", false, "[", "]", `"1"`, "[", "]"},
		{"maps", true, `{"a":`, "}", `"1"`, `{"a":`, "}"},
		{"one item in place of each list", false, "", "", "1", "[", "]"},
	} {
		for levels, kept := range map[int]bool{1: true, 31: true, 32: false, 33: false} {
			text := `{"v":` + strings.Repeat(c.open, levels) + c.leaf + strings.Repeat(c.shut, levels) + `}`
			want := `{"v":` + strings.Repeat(c.plainOpen, levels) + "1" + strings.Repeat(c.plainClose, levels) + `}`
			if kept {
				want = text
			}
			v := nested{levels: levels, inMaps: c.inMaps}
			if err := wire.Unmarshal([]byte(text), &v); err != nil {
				t.Fatal(err)
			}
			if got := encode(&v); got != want {
				t.Errorf("%s, %d levels: written as %s, want %s", c.name, levels, got, want)
			}
		}
	}
}

// outer has an optional value whose members are required.
type outer struct {
	Inner inner
	JSON  wire.Object
}

type inner struct {
	N    int
	Text string
	Any  value.JSON
	JSON wire.Object
}

var outerType, innerType wire.Type

func (v *outer) JSONFields(f *wire.Fields) {
	f.Struct(&v.JSON, &outerType)
	f.Value("inner", &v.Inner, wire.Optional)
}

func (v *inner) JSONFields(f *wire.Fields) {
	f.Struct(&v.JSON, &innerType)
	f.Int("n", &v.N, wire.Required)
	f.String("text", &v.Text, wire.Required)
	f.Raw("any", &v.Any, wire.Optional)
}

// TestOptionalValueIsWrittenIfItHoldsSomething: anything that is not zero, at any
// place of it, in whatever form it is written.
func TestOptionalValueIsWrittenIfItHoldsSomething(t *testing.T) {
	zero := func(any string) inner { return inner{Any: value.JSON(any)} }
	for _, v := range []inner{
		{}, zero("[]"), zero("{}"), zero("0"), zero("-0.00"), zero("0e9"), zero("0E+19"), zero("0e05"), zero("0.0e-10"), zero("false"), zero(`""`),
		zero(`{"a":0}`), zero(`{"a" : ""}`), zero("{\"a\" \n\t\r:0}"), zero(`{"a\"b":0}`), zero(`{"a\\":""}`), zero(`["",0,false,[{}],{"a":""}]`),
	} {
		if got := encode(&outer{Inner: v}); got != "{}" {
			t.Errorf("%+v is written as %s", v, got)
		}
	}
	for _, v := range []inner{
		{N: 1}, {N: -9}, {Text: "a"}, {Text: "b"}, {Text: `"`}, {Text: `\`}, {Text: " "}, {Text: "0"}, {Text: "null"}, zero("1"), zero("9"), zero("0.5"), zero("10e0"), zero("true"), zero(`"x"`), zero(`"\""`),
		zero(`{"a\"b":"c"}`), zero(`{"a\\":1}`), zero(`["","b"]`), zero(`[0e1,2]`), zero(`[0e-1,"b"]`), zero(`{"a":"","b":{"c":["d"]}}`),
	} {
		var back outer
		text := encode(&outer{Inner: v})
		if err := wire.Unmarshal([]byte(text), &back); err != nil || back.Inner.N != v.N || back.Inner.Text != v.Text || back.Inner.Any != v.Any {
			t.Errorf("%+v is written as %s (%v)", v, text, err)
		}
	}
}

// TestZeroValueIsWrittenIfItCame: in a decoded struct, in any of its forms.
func TestZeroValueIsWrittenIfItCame(t *testing.T) {
	for _, text := range []string{
		`{}`, `{"inner":{}}`, `{"inner":{"n":0}}`, `{"inner":{"n":0,"text":""}}`, `{"inner":{"n":0,"text":"","any":{"a" : 0}}}`, `{"inner":null}`, `{"inner":{"any":null}}`, `{"inner":"x"}`, `{"inner":0}`,
	} {
		var v outer
		if err := wire.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		if got := encode(&v); got != text {
			t.Errorf("%s is written as %s", text, got)
		}
	}
	var v outer
	v.JSON.SetNull("inner")
	if got := encode(&v); got != `{"inner":null}` {
		t.Errorf("null is written as %s", got)
	}
	if err := v.JSON.Set("inner", json.RawMessage("0")); err != nil || encode(&v) != `{"inner":0}` {
		t.Errorf("what Set said is written as %s (%v)", encode(&v), err)
	}
}

// TestAbsentValuesCostNothing: a decoded struct writes what did not come by
// leaving it out, without an allocation.
func TestAbsentValuesCostNothing(t *testing.T) {
	var v outer
	if err := wire.Unmarshal([]byte(`{}`), &v); err != nil {
		t.Fatal(err)
	}
	v.Inner.Any = value.JSON(`{"a":0,"b":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]}`)
	buffer := make([]byte, 0, 1<<10)
	if n := testing.AllocsPerRun(100, func() {
		if got := wire.Append(buffer, &v); string(got) != "{}" {
			t.Fatalf("written as %s", got)
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
