package wire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/basiq-sdk/basiq-go/transport/value"
	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// texts are seeds in which every rule of the JSON grammar is kept or broken.
var texts = []string{
	``, ` `, `null`, ` null `, `nul`, `nullx`, `true`, `tru`, `false`, `"x"`, `[]`, `{}`, ` { } `, `{} {}`, `{},`, `[1,]`, `[,1]`,
	`{"a"}`, `{"a":}`, `{"a":1,}`, `{,}`, `{a:1}`, `{"a":1 "b":2}`, `{"a" : 1}`, "{\"a\":\t1\r\n}", "{\"a\":\v1}", "{\"a\":\u00a01}", "\ufeff{}",
	`{"text":"\u00e9\ud83d\ude00\ud83d x\ude00\ud83d\ud83d\ude00"}`, `{"text":"\ud83d\u"}`, `{"text":"\u12g4"}`, `{"text":"\x"}`, `{"text":"\`, `{"text":"`,
	"{\"text\":\"\xff\xfe\xed\xa0\x80 caf\xc3\xa9 \xc3\"}", "{\"te\xffxt\":1}", "{\"text\":\"a\nb\"}", "{\"text\":\"\x7f\x00\"}", "{\"te\\u0078t\":\"escaped name\"}",
	`{"int":01}`, `{"int":-}`, `{"int":-0}`, `{"int":1.}`, `{"int":.5}`, `{"int":1e}`, `{"int":1e+}`, `{"int":1E-2}`, `{"int":+1}`, `{"int":0x1}`, `{"int":1e400}`, `{"int":00}`,
	`{"int":999999999999999999}`, `{"int":9223372036854775807}`, `{"int":-9223372036854775808}`, `{"int":9223372036854775808}`, `{"float":1e309}`, `{"float":NaN}`,
	`{"rate":1e1000000000,"amount":"1e1000000000"}`, `{"rate":"1e10000"}`, `{"rate":" 1e10000 "}`, `{"rate":"1E+10000"}`, `{"text":"a","text":null,"text":"b"}`, `{"text":null,"text":""}`, `{"int":"5","int":6}`, `{"TEXT":"x"}`,
	`[[[[[[]]]]]]`, `[[[[[[]]]]]`, `{"child":{"child":{"child":{}}}}`, `{"children":[{"children":[{},{}]},{}]}`,
	`{"links":{"self":"a"},"links":{"next":"b"}}`,
}

func seed(f *testing.F) {
	for _, s := range texts {
		f.Add([]byte(s))
	}
	for _, s := range roundTrips {
		f.Add([]byte(s))
	}
	f.Add([]byte(pageText(2)))
}

// overfull reports whether err is the rejection of a text with too many objects.
func overfull(err error) bool {
	return err != nil && strings.Contains(err.Error(), "more items")
}

func FuzzDecode(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		var v everything
		err := wire.Unmarshal(text, &v)
		if overfull(err) {
			t.Skip()
		}
		if typeErr := (*wire.TypeError)(nil); errors.As(err, &typeErr) {
			err = nil
			// What follows the value is not looked at any more.
			if trimmed := bytes.TrimLeft(text, " \t\r\n"); trimmed[0] == '{' || trimmed[0] == 'n' {
				t.Fatalf("%v for an object", typeErr)
			}
			return
		}
		if valid := json.Valid(text); valid != (err == nil) {
			t.Fatalf("json.Valid is %v, but Unmarshal returned %v", valid, err)
		}
		if syntaxErr := (*wire.SyntaxError)(nil); err != nil {
			if !errors.As(err, &syntaxErr) || syntaxErr.Offset < 0 || syntaxErr.Offset > int64(len(text)) {
				t.Fatalf("error %#v", err)
			}
			return
		}
		compare(t, text, &v)
	})
}

// compare compares the fields with the result of encoding/json, for all members that
// it can decode without an error.
func compare(t *testing.T, text []byte, v *everything) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil || members == nil {
		return
	}
	same(t, members["text"], v.Text)
	same(t, members["must"], v.Must)
	same(t, members["kind"], v.Kind)
	same(t, members["flag"], v.Flag)
	same(t, members["int"], v.Int)
	same(t, members["int64"], v.Int64)
	same(t, members["float"], v.Float)
	same(t, members["amount"], v.Amount)
	same(t, members["rate"], v.Rate)
	same(t, members["day"], v.Day)
	same(t, members["any"], v.Any)
	same(t, members["optText"], v.OptText)
	same(t, members["optFlag"], v.OptFlag)
	same(t, members["optInt"], v.OptInt)
	same(t, members["optInt64"], v.OptInt64)
	same(t, members["optFloat"], v.OptFloat)
	same(t, members["optKind"], v.OptKind)
	same(t, members["strings"], v.Strings)
	same(t, members["kinds"], v.Kinds)
	same(t, members["ints"], v.Ints)
	same(t, members["flags"], v.Flags)
	same(t, members["floats"], v.Floats)
	same(t, members["amounts"], v.Amounts)
	same(t, members["anys"], v.Anys)
	same(t, members["matrix"], v.Matrix)
	same(t, members["texts"], v.Texts)
	same(t, members["counts"], v.Counts)
	same(t, members["lists"], v.Lists)
	for name, raw := range members {
		if v.JSON.Present(name) != true || v.JSON.Null(name) != (string(raw) == "null") {
			t.Errorf("member %q: present %v, null %v in %s", name, v.JSON.Present(name), v.JSON.Null(name), text)
		}
	}
}

func same[T any](t *testing.T, raw json.RawMessage, got T) {
	t.Helper()
	var want T
	if raw != nil && json.Unmarshal(raw, &want) != nil {
		return
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %#v, want %#v", raw, got, want)
	}
}

func FuzzRoundTrip(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		roundTrip[everything](t, text)
		roundTrip[page](t, text)
	})
}

type codec[T any] interface {
	*T
	wire.Value
}

func roundTrip[T any, P codec[T]](t *testing.T, text []byte) {
	var v, twin, second T
	drifts := 0
	onDrift := func(d wire.Drift) {
		drifts++
		if d.Kind == 0 || d.Kind != wire.UnknownMember && (d.Want == "" || d.Got == "") {
			t.Errorf("drift %v", d)
		}
	}
	if wire.Unmarshal(text, P(&v)) != nil {
		return
	}
	if err := wire.DecodeString(string(text), P(&twin), onDrift); err != nil || !reflect.DeepEqual(v, twin) {
		t.Fatalf("decoding with a hook gives %v and another value", err)
	}
	if drifts > 256 {
		t.Fatalf("%d drifts", drifts)
	}
	again := wire.Append(nil, P(&v))
	if bytes.Equal(bytes.TrimSpace(text), []byte("null")) {
		return
	}
	if !json.Valid(again) {
		t.Fatalf("not JSON: %q from %q", again, text)
	}
	if unique(t, text) {
		if got, want := plainValue(t, again), plainValue(t, text); !reflect.DeepEqual(got, want) {
			t.Fatalf("round trip:\n got %s\nwant %s", again, text)
		}
	}
	if err := wire.Unmarshal(again, P(&second)); err != nil {
		t.Fatalf("decode of %s: %v", again, err)
	}
	if third := wire.Append(nil, P(&second)); !bytes.Equal(again, third) {
		t.Fatalf("not stable:\n%s\n%s", again, third)
	}
}

// unique reports whether no object in the text has two members with the same name.
func unique(t *testing.T, text []byte) bool {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var walk func() bool
	walk = func() bool {
		token, err := dec.Token()
		if err != nil {
			t.Fatal(err)
		}
		names := map[string]bool{}
		switch token {
		case json.Delim('{'):
			for dec.More() {
				name, _ := dec.Token()
				if names[name.(string)] || !walk() {
					return false
				}
				names[name.(string)] = true
			}
		case json.Delim('['):
			for dec.More() {
				if !walk() {
					return false
				}
			}
		default:
			return true
		}
		_, _ = dec.Token()
		// Two spellings of one member are duplicates too.
		return !names["ABN"] || !names["abn"]
	}
	return walk()
}

func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "a", "\"\\/\b\f\n\r\t\x00\x1f\x7f", "é\u2028\u2029\ufffd", "\xff12345678\xed\xa0\x80", "<&>", "12345678\"2345678"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want, err := value.JSONOf(s)
		if err != nil {
			t.Fatal(err)
		}
		got := string(wire.AppendString(nil, s))
		// Versions of encoding/json differ in how they encode invalid UTF-8.
		literal := strings.NewReplacer(`\ufffd`, "\ufffd")
		if !utf8.ValidString(s) {
			got, want = literal.Replace(got), value.JSON(literal.Replace(string(want)))
		}
		if got != string(want) {
			t.Errorf("AppendString(%q) = %s, want %s", s, got, want)
		}
	})
}

func FuzzAppendFloat(f *testing.F) {
	for _, v := range []float64{0, 1, -1.5, 1e20, 1e21, 1e-6, 1e-7, 123456789.125, 5e-324, 1.7976931348623157e308} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v float64) {
		got := string(wire.AppendFloat(nil, v))
		want, err := json.Marshal(v)
		if err != nil {
			want = []byte("null")
		}
		if got != string(want) {
			t.Errorf("AppendFloat(%v) = %s, want %s", v, got, want)
		}
	})
}
