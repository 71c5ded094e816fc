package wire_test

import (
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go/transport/value"
	"github.com/basiq-sdk/basiq-go/transport/wire"
)

func decode(t *testing.T, text string) *everything {
	t.Helper()
	v := new(everything)
	if err := wire.Unmarshal([]byte(text), v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func TestTolerance(t *testing.T) {
	one, yes := 1, true
	for _, c := range []struct {
		text string
		got  func(v *everything) any
		want any
	}{
		{`{"text":12.50}`, func(v *everything) any { return v.Text }, "12.50"},
		{`{"text":true}`, func(v *everything) any { return v.Text }, "true"},
		{`{"text":{"a":1}}`, func(v *everything) any { return v.Text }, ""},
		{`{"int":"3600"}`, func(v *everything) any { return v.Int }, 3600},
		{`{"int":" 3600.0 "}`, func(v *everything) any { return v.Int }, 3600},
		{`{"int":36e2}`, func(v *everything) any { return v.Int }, 3600},
		{`{"int":3600.5}`, func(v *everything) any { return v.Int }, 0},
		{`{"int":"many"}`, func(v *everything) any { return v.Int }, 0},
		{`{"int64":9223372036854775807}`, func(v *everything) any { return v.Int64 }, int64(9223372036854775807)},
		{`{"int64":9223372036854775808}`, func(v *everything) any { return v.Int64 }, int64(0)},
		{`{"float":"1.5"}`, func(v *everything) any { return v.Float }, 1.5},
		{`{"float":"Infinity"}`, func(v *everything) any { return v.Float }, 0.0},
		{`{"float":1e400}`, func(v *everything) any { return v.Float }, 0.0},
		{`{"flag":"true"}`, func(v *everything) any { return v.Flag }, true},
		{`{"flag":1}`, func(v *everything) any { return v.Flag }, true},
		{`{"flag":"0"}`, func(v *everything) any { return v.Flag }, false},
		{`{"flag":"yes"}`, func(v *everything) any { return v.Flag }, false},
		{`{"amount":1234567890123456.780}`, func(v *everything) any { return v.Amount }, value.Decimal("1234567890123456.780")},
		{`{"amount":-0}`, func(v *everything) any { return v.Amount }, value.Decimal("-0")},
		{`{"amount":1e400}`, func(v *everything) any { return v.Amount }, value.Decimal("1e400")},
		{`{"amount":"N/A"}`, func(v *everything) any { return v.Amount }, value.Decimal("N/A")},
		{`{"any":null}`, func(v *everything) any { return v.Any }, value.JSON("null")},
		{`{"any": [1, 2] }`, func(v *everything) any { return v.Any }, value.JSON("[1, 2]")},
		{`{"optInt":"1"}`, func(v *everything) any { return v.OptInt }, &one},
		{`{"optInt":""}`, func(v *everything) any { return v.OptInt }, (*int)(nil)},
		{`{"optFlag":"true"}`, func(v *everything) any { return v.OptFlag }, &yes},
		{`{"optFlag":null}`, func(v *everything) any { return v.OptFlag }, (*bool)(nil)},
		{`{"optText":{}}`, func(v *everything) any { return v.OptText }, (*string)(nil)},
		{`{"strings":"a"}`, func(v *everything) any { return v.Strings }, []string{"a"}},
		{`{"strings":["a",1,null,{}]}`, func(v *everything) any { return v.Strings }, []string{"a", "1", "", ""}},
		{`{"strings":{}}`, func(v *everything) any { return v.Strings }, []string(nil)},
		{`{"strings":[]}`, func(v *everything) any { return v.Strings }, []string{}},
		{`{"matrix":[1,[2,3],null]}`, func(v *everything) any { return v.Matrix }, [][]int{{1}, {2, 3}, nil}},
		{`{"counts":{"a":"1","b":null}}`, func(v *everything) any { return v.Counts }, map[string]int{"a": 1, "b": 0}},
		{`{"texts":["a"]}`, func(v *everything) any { return v.Texts }, map[string]string(nil)},
		{`{"children":{"text":"a"}}`, func(v *everything) any { return []any{len(v.Children), v.Children[0].Text} }, []any{1, "a"}},
		{`{"children":"none"}`, func(v *everything) any { return v.Children }, []everything(nil)},
		{`{"children":{}}`, func(v *everything) any { return v.Children }, []everything(nil)},
		{`{"children":{ }}`, func(v *everything) any { return v.Children }, []everything(nil)},
		{`{"children":[null,{"text":"a"},"x"]}`, func(v *everything) any { return []any{len(v.Children), v.Children[1].Text} }, []any{3, "a"}},
		{`{"sub":[{"code":"c"}]}`, func(v *everything) any { return v.Sub }, (*subClass)(nil)},
		{`{"links":"gone"}`, func(v *everything) any { return v.Links.Self }, ""},
		{`{"text":"a","text":"b"}`, func(v *everything) any { return v.Text }, "b"},
		{`{"TEXT":"a"}`, func(v *everything) any { return v.Text }, ""},
		{`{"lastText":"z","text":"a"}`, func(v *everything) any { return v.LastText + v.Text }, "za"},
		{"{\"te\\u0078t\":\"a\xff\\ud800\"}", func(v *everything) any { return v.Text }, "a\ufffd\ufffd"},
	} {
		if got := c.got(decode(t, c.text)); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %#v, want %#v", c.text, got, c.want)
		}
	}
}

func TestSyntaxErrors(t *testing.T) {
	for _, c := range []struct {
		text   string
		offset int64
		path   string
		msg    string
	}{
		{``, 0, "", "unexpected end of text"},
		{`{"data":[{"id":"1"},{"id":"2","enrich":{"merchant":{"ABN":nil}}}]}`, 59, "data[1].enrich.merchant.ABN", "invalid literal, want null"},
		{`{"data":[{"id":"1"} {}]}`, 20, "data[0]", "want a comma or the end of the array"},
		{`{"count":01}`, 10, "count", "want a comma or the end of the object"},
		{`{"count":1`, 10, "count", "unexpected end of text"},
		{`{"data":[`, 9, "data[0]", "unexpected end of text"},
		{"{\"type\":\"a\nb\"}", 10, "type", "control character in string"},
		{`{"type":"a\qb"}`, 11, "type", "invalid escape in string"},
		{`{"new name":[0,-]}`, 16, `["new name"][1]`, "want a digit in a number"},
		{`{"type" "x"}`, 8, "type", "want a colon after a member name"},
		{`{type:1}`, 1, "", "want a member name"},
		{`{} {}`, 3, "", "text after the end of the value"},
		{`<html>`, 0, "", ""},
	} {
		err := wire.Unmarshal([]byte(c.text), new(page))
		var syntaxErr *wire.SyntaxError
		if c.text == "<html>" {
			if typeErr := (*wire.TypeError)(nil); err == nil || errors.As(err, &typeErr) {
				t.Errorf("%s: %v", c.text, err)
			}
			continue
		}
		if !errors.As(err, &syntaxErr) || syntaxErr.Offset != c.offset || syntaxErr.Path != c.path || syntaxErr.Msg != c.msg {
			t.Errorf("%s: got %+v", c.text, err)
		} else if !strings.Contains(err.Error(), fmt.Sprint(c.offset)) || !strings.Contains(err.Error(), c.path) {
			t.Errorf("the message %q lacks the place", err)
		}
	}
}

func TestTopLevel(t *testing.T) {
	v := page{Type: "before"}
	if err := wire.Unmarshal([]byte(" null "), &v); err != nil || v.Type != "before" || v.JSON.Decoded() {
		t.Errorf("null changed the value to %+v (%v)", v, err)
	}
	for _, text := range []string{`[]`, `"x"`, `1`, `true`} {
		var typeErr *wire.TypeError
		if err := wire.Unmarshal([]byte(text), &v); !errors.As(err, &typeErr) || typeErr.Want != "object" {
			t.Errorf("%s: %v", text, err)
		}
	}
	d := wire.NewDecoder(` [{"code":"a"},{"code":"b"}] `)
	if list := wire.ReadList[subClass](d); len(list) != 2 || list[1].Code != "b" || d.Finish() != nil {
		t.Errorf("a list at the top: %+v, %v", list, d.Err())
	}
}

func TestDepth(t *testing.T) {
	nest := func(n int) string {
		return `{"new":` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + `}`
	}
	chain := func(n int) string {
		return strings.Repeat(`{"child":`, n-1) + `{}` + strings.Repeat("}", n-1)
	}
	for name, text := range map[string]func(int) string{"skipped": nest, "decoded": chain} {
		if err := wire.Unmarshal([]byte(text(10000)), new(everything)); err != nil {
			t.Errorf("%s, 10,000 levels: %v", name, err)
		}
		for _, n := range []int{10001, 1000000} {
			start := time.Now()
			var syntaxErr *wire.SyntaxError
			if err := wire.Unmarshal([]byte(text(n)), new(everything)); !errors.As(err, &syntaxErr) || syntaxErr.Msg != "nested too deeply" {
				t.Errorf("%s, %d levels: %v", name, n, err)
			} else if len(err.Error()) > 500 {
				t.Errorf("%s: a message of %d bytes", name, len(err.Error()))
			}
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("%s, %d levels took %v", name, n, took)
			}
		}
	}
}

// TestMemory decodes texts that are made to use much memory, and measures the heap.
func TestMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes seconds")
	}
	const size = 4 << 20
	for name, item := range map[string]string{"empty": `{},`, "null": `null,`, "text": `"",`, "member": `{"id":""},`, "unknown": `{"":0},`, "nested": `{"enrich":{}},`} {
		text := []byte(`{"data":[` + strings.TrimSuffix(strings.Repeat(item, size/len(item)), ",") + `]}`)
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		v := new(page)
		err := wire.Unmarshal(text, v)
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 64*size {
			t.Errorf("%s: %d bytes allocated for %d (%v)", name, n, len(text), err)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		if n := int64(after.HeapAlloc) - int64(before.HeapAlloc); n > 40*size {
			t.Errorf("%s: %d bytes live for %d (%v)", name, n, len(text), err)
		}
		runtime.KeepAlive(v)
	}
}

func TestDrift(t *testing.T) {
	text := `{"data":[{"id":7},{"new":{"a":1},"enrich":{"merchant":{"Abn":"x","ABN":{}},"odd name":0,"tags":"t"}},"x"],"count":1e30,"size":"5"}`
	var got []string
	err := wire.DecodeString(text, new(page), func(d wire.Drift) { got = append(got, d.String()) })
	want := []string{
		"data[0].id: converted: want string, got number",
		"data[1].new: unknown member",
		"data[1].enrich.merchant.Abn: unknown member",
		"data[1].enrich.merchant.ABN: wrong type: want string, got object",
		`data[1].enrich["odd name"]: unknown member`,
		"data[1].enrich.tags: converted: want array, got one item",
		"data[2]: wrong type: want object, got string",
		"count: out of range: want integer, got number",
		"size: converted: want integer, got string",
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("drifts (%v):\n%s\nwant:\n%s", err, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if err := wire.DecodeString(pageText(3), new(page), func(d wire.Drift) { t.Errorf("%v in an expected response", d) }); err != nil {
		t.Error(err)
	}
}

// TestPathsAreBounded: a text for which paths are needed over and over is not read a
// hundred times.
func TestPathsAreBounded(t *testing.T) {
	// The conversion of one item to a list is reported after the drift within the
	// item, so the offsets go back and forth.
	text := `{"count":1,"long":"` + strings.Repeat("a", 8<<20) + `"` + strings.Repeat(`,"data":{"new":1}`, 100) + `}`
	known, unknown := 0, 0
	if err := wire.DecodeString(text, new(page), func(d wire.Drift) {
		if d.Path == "…" {
			unknown++
		} else {
			known++
		}
	}); err != nil {
		t.Fatal(err)
	}
	if known < 8 || unknown < 8 || known+unknown < 100 {
		t.Errorf("%d places are known and %d are not", known, unknown)
	}
}

func TestDriftIsBounded(t *testing.T) {
	text := `{"data":[` + strings.TrimSuffix(strings.Repeat(`{"new":1,"newer":2},`, 100000), ",") + `]}`
	n := 0
	start := time.Now()
	if err := wire.DecodeString(text, new(page), func(wire.Drift) { n++ }); err != nil || n != 256 {
		t.Errorf("%d reports (%v)", n, err)
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("took %v", took)
	}
	long := `{"` + strings.Repeat("n", 10000) + `":1,"child":` + strings.Repeat(`{"child":`, 500) + `{"x":1}` + strings.Repeat("}", 500) + `}`
	if err := wire.DecodeString(long, new(everything), func(d wire.Drift) {
		if len(d.Path) > 200 {
			t.Errorf("a path of %d bytes", len(d.Path))
		}
	}); err != nil {
		t.Error(err)
	}
}

func TestStringsAreSubstrings(t *testing.T) {
	text := pageText(1)
	if n := testing.AllocsPerRun(100, func() {
		var v page
		if wire.DecodeString(text, &v, nil) != nil {
			t.Fatal("not decoded")
		}
	}); n > 10 {
		t.Errorf("%v allocations for one transaction", n)
	}
}
