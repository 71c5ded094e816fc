package jsontree_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/cmd/basiq/internal/jsontree"
	"github.com/basiq-sdk/basiq-go/generated/data"
)

// TestTextIsWrittenAsItWasRead checks that members keep their order, numbers
// their digits, and that nothing but hidden characters is escaped.
func TestTextIsWrittenAsItWasRead(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{"b":1,"a":[true,null,{}],"n":-12345678901234567890.10e+2}`, `[]`, `"<b>&\"\\/é日本😀"`, `"a\nb\tc\r"`, `null`,
		`"\u001b[31m\u007f\u0085\u200b\u202e\ufeff\u2028"`, `"\udb40\udc01"`,
	} {
		v, err := jsontree.Parse([]byte(text))
		if err != nil {
			t.Fatal(text, err)
		}
		if got := string(v.Append(nil, "")); got != text {
			t.Errorf("%s has become %s", text, got)
		}
		var a, b any
		if json.Unmarshal([]byte(text), &a) != nil || json.Unmarshal(v.Append(nil, "  "), &b) != nil || !reflect.DeepEqual(a, b) {
			t.Errorf("%s has become %s", text, v.Append(nil, "  "))
		}
	}
}

func TestWhatIsNotOneValueIsRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{``, `{`, `{"a"`, `[1,`, `{} {}`, `{"a":1}x`, `nul`, `{1:2}`, strings.Repeat("[", 2000) + strings.Repeat("]", 2000)} {
		if v, err := jsontree.Parse([]byte(text)); err == nil {
			t.Errorf("%.20s was read as %s", text, v.Append(nil, ""))
		}
	}
}

// TestTextIsReadAsEncodingJSONReadsIt compares the values, also those of texts that are not
// valid UTF-8, and of white space everywhere.
func TestTextIsReadAsEncodingJSONReadsIt(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		" { \"a\" : [ 1 ,\t2.50 , { } , [ ] ] ,\r\n \"b\\\"\\\\\" : \"\\u00e9\\ud83d\\ude00\\ud800\" } ", "\"a\xffb\"", "{\"\xff\\n\":-1e5}",
		"\n true ", "-0", `"\\"`, `{"a":"\\","b":"\""}`, string(basiqtest.TransactionsPage(1, 20)),
	} {
		v, err := jsontree.Parse([]byte(text))
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		var want, got any
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(v.Append(nil, ""), &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q was read as %s", text, v.Append(nil, ""))
		}
	}
}

// TestRowsAreReadAsTheyAreEncoded checks that what writes its own JSON is read like what
// encoding/json encodes.
func TestRowsAreReadAsTheyAreEncoded(t *testing.T) {
	t.Parallel()
	var page data.TransactionPage
	if err := json.Unmarshal(basiqtest.TransactionsPage(1, 20), &page); err != nil || len(page.Data) != 20 {
		t.Fatal(len(page.Data), err)
	}
	for i := range page.Data {
		row, err := jsontree.Of(&page.Data[i])
		if err != nil {
			t.Fatal(err)
		}
		same, err := jsontree.Of(map[string]any{"row": &page.Data[i]}) // a map is not a wire.Value
		if err != nil || string(row.Append(nil, "")) != string(same.Get("row").Append(nil, "")) {
			t.Errorf("%s, want %s, %v", row.Append(nil, ""), same.Append(nil, ""), err)
		}
	}
}

func TestPathsLeadToMembers(t *testing.T) {
	t.Parallel()
	v, err := jsontree.Parse([]byte(`{"a":{"b":"x","b":"y"},"list":[1,"two",{"k":3}],"none":null}`))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"a.b": "y", "list": `1;two;{"k":3}`, "none": "", "a.c.d": "", "a": `{"b":"x","b":"y"}`} {
		if got := v.At(path).Text(); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	v.Set("a", jsontree.Number(5))
	v.Set("new", jsontree.String("z"))
	if got := string(v.Append(nil, "")); got != `{"a":5,"list":[1,"two",{"k":3}],"none":null,"new":"z"}` {
		t.Error(got)
	}
}

func TestOfANilPointerIsNull(t *testing.T) {
	tree, err := jsontree.Of((*data.Account)(nil))
	if err != nil || string(tree.Append(nil, "")) != "null" {
		t.Errorf("%+v, %v, want null", tree, err)
	}
}
