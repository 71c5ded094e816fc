package wire_test

import (
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/transport/value"
	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// TestMatch: which variant of a polymorphic value matches.
func TestMatch(t *testing.T) {
	code := wire.Match{Member: "code"}
	visa := wire.Match{Kind: "object", Member: "code", Equals: []string{"visa", "1", "true", "null"}}
	for _, c := range []struct {
		text  string
		match wire.Match
		want  string // the code of what is read, "-" for nothing
	}{
		{`{"code":"a"}`, code, "a"},
		{`{"title":{"code":"deeper"},"code":"a"}`, code, "a"},
		{` { "title" : [ "code" ] , "code" : "a" } `, code, "a"},
		{`{"code":null}`, code, ""},
		{`{"title":{"code":"deeper"}}`, code, "-"},
		{`{"Code":"a"}`, code, "-"},
		{`{"c\u006fde":"a"}`, code, "a"},
		{`{}`, code, "-"},
		{`"code"`, code, "-"},
		{`null`, code, "-"},
		{``, code, "-"},
		{`{"code":"visa"}`, visa, "visa"},
		{`{"code":"v\u0069sa"}`, visa, "visa"},
		{`{"code":"amex"}`, visa, "-"},
		{`{"code":1}`, visa, "1"},
		{`{"code":true}`, visa, "true"},
		{`{"code":null}`, visa, ""},
		{`{"code":"amex","code":"visa"}`, visa, "visa"}, // the last one wins
		{`{"code":"visa","code":"amex"}`, visa, "-"},
		// The API sends some values alone and in a list of one.
		{`[{"code":"a"}]`, code, "a"},
		{`[null,7,{"title":"b"},{"code":"c"},{"code":"d"}]`, code, "c"},
		{`[{"code":"amex"},[{"code":"visa"}],{"code":"visa","title":"t"}]`, visa, "visa"},
		{`[]`, code, "-"},
		// A conversion to value.JSON is not checked.
		{`{"code":"visa"`, visa, "-"},
		{`{"code":"a"`, code, "-"},
		{`{"code":"a"} {}`, code, "-"},
		{`{"code`, code, "-"},
		{`[{"code`, code, "-"},
	} {
		got := "-"
		if v, ok := wire.Variant[subClass](value.JSON(c.text), c.match); ok {
			got = v.Code
		}
		if got != c.want {
			t.Errorf("%s is read as %q, want %q", c.text, got, c.want)
		}
		raw, ok := wire.VariantRaw(value.JSON(c.text), c.match)
		if (c.want == "-" || value.JSON(c.text).Kind() == value.KindArray) == ok || ok && raw.String() != c.text {
			t.Errorf("as it came, %s is %q, %v", c.text, raw, ok)
		}
	}
}

// TestMatchBySibling: a member beside a value decides alone what shape the value
// has. Where it is unknown, as in a value that was made by hand, a member within
// the value decides.
func TestMatchBySibling(t *testing.T) {
	const text = `{"code":"a"}`
	match := func(sibling, member string) wire.Match {
		return wire.Match{Member: member, Sibling: sibling, Siblings: []string{"ONE", "TWO"}}
	}
	for _, c := range []struct {
		match wire.Match
		want  bool
	}{
		{match("ONE", "code"), true},
		{match("TWO", "absent"), true},
		{match("ONE", ""), true},
		{match("THREE", "code"), false},
		{match("one", "code"), false},
		{match("", "code"), true},
		{match("", "absent"), false},
		{match("", ""), false},
		{wire.Match{Kind: "array", Sibling: "ONE", Siblings: []string{"ONE"}}, false},
	} {
		if _, ok := wire.Variant[subClass](value.JSON(text), c.match); ok != c.want {
			t.Errorf("%+v: %t, want %t", c.match, ok, c.want)
		}
	}
}

// TestVariantList: a polymorphic value that is a list of objects is decoded item by
// item, or not at all. The generator uses it for variants that overlays declare as
// lists.
func TestVariantList(t *testing.T) {
	list := wire.Match{Kind: "array"}
	for _, c := range []struct {
		text string
		want string // the codes, "-" for no list
	}{
		{`[]`, ""},
		{`[{"code":"a"}]`, "a"},
		{` [ {"code":"a"} , {"title":"t"} , {"code":"c"} ] `, "a,,c"},
		{`{"code":"a"}`, "-"},
		{`"a"`, "-"},
		{`null`, "-"},
		{``, "-"},
		{`[{"code":"a"}`, "-"},
		{`[{"code":"a"}] []`, "-"},
		{`[{"code":"a"},`, "-"},
	} {
		got := "-"
		if items, ok := wire.VariantList[subClass](value.JSON(c.text), list); ok {
			codes := make([]string, len(items))
			for i := range items {
				codes[i] = items[i].Code
			}
			got = strings.Join(codes, ",")
		}
		if got != c.want {
			t.Errorf("%s is read as %q, want %q", c.text, got, c.want)
		}
	}
}

// TestVariantTexts: a polymorphic value that is a list of texts is read whole, or
// not at all.
func TestVariantTexts(t *testing.T) {
	for text, want := range map[string]string{
		`[]`: "", `["a"]`: "a", ` ["a", "b" ] `: "a,b", `["a",1]`: "a,1", `"a"`: "-", `{}`: "-", ``: "-", `["a"`: "-", `["a"] "b"`: "-",
	} {
		got := "-"
		if list, ok := wire.VariantTexts[direction](value.JSON(text), wire.Match{Kind: "array"}); ok {
			texts := make([]string, len(list))
			for i, v := range list {
				texts[i] = string(v)
			}
			got = strings.Join(texts, ",")
		}
		if got != want {
			t.Errorf("%s is read as %q, want %q", text, got, want)
		}
	}
}

// TestSiblingCountsOnlyIfAsked: a match that names no values of the member beside
// holds whatever that member says.
func TestSiblingCountsOnlyIfAsked(t *testing.T) {
	for _, c := range []struct {
		match wire.Match
		want  bool
	}{
		{wire.Match{Kind: "object", Sibling: "a"}, true},
		{wire.Match{Kind: "object", Sibling: "a", Siblings: []string{"b", "a"}}, true},
		{wire.Match{Kind: "object", Sibling: "a", Siblings: []string{"b"}}, false},
	} {
		if _, ok := wire.VariantRaw(`{}`, c.match); ok != c.want {
			t.Errorf("%+v holds: %v", c.match, ok)
		}
	}
}
