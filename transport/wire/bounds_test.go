package wire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/basiq-sdk/basiq-go/transport/value"
	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// syntaxError returns the error of reading text, which is to be a *SyntaxError.
func syntaxError(t *testing.T, text string, read func(*wire.Decoder)) wire.SyntaxError {
	t.Helper()
	d := wire.NewDecoder(text)
	read(d)
	var e *wire.SyntaxError
	if err := d.Finish(); !errors.As(err, &e) {
		t.Errorf("%s is read without an error: %v", text, err)
		return wire.SyntaxError{}
	}
	return *e
}

func TestControlCharactersAreRefusedAnywhereInAString(t *testing.T) {
	for c := range byte(' ') {
		for before := range 20 {
			// With a character beyond ASCII, strings are scanned in another way.
			for _, begin := range []string{"", "é"} {
				text := `"` + begin + strings.Repeat("a", before) + string(rune(c)) + strings.Repeat("b", 20) + `"`
				for name, read := range map[string]func(*wire.Decoder){"read": func(d *wire.Decoder) { d.ReadString() }, "skipped": (*wire.Decoder).Skip} {
					e := syntaxError(t, text, read)
					if want := int64(1 + len(begin) + before); e.Offset != want || e.Msg != "control character in string" {
						t.Errorf("%q, %s: %+v, want an error at byte %d", text, name, e, want)
					}
				}
			}
		}
	}
}

func TestUnicodeEscapesTakeAllHexDigits(t *testing.T) {
	for text, want := range map[string]string{
		`"\u0039\u0030"`: "90", `"\u004A\u004a"`: "JJ", `"\u004F\u004f"`: "OO", `"\uABCD\uEFef"`: "\uabcd\uefef", `"\uFACE"`: "\uface",
		`"\ud83d\ude00"`: "😀", `"\uD83D\uDE00"`: "😀", `"\ud83d"`: "\ufffd", `"\ud83d\u0041"`: "\ufffdA", `"\ud83d\ud83d\ude00"`: "\ufffd😀", `"\ude00\ud83d"`: "\ufffd\ufffd",
		`"\ud83d\n"`: "\ufffd\n", `"\ud83dx"`: "\ufffdx",
	} {
		if d := wire.NewDecoder(text); d.ReadString() != want || d.Finish() != nil {
			t.Errorf("%s is not read as %q (%v)", text, want, d.Err())
		}
	}
	for _, c := range "/:@G`g" { // the neighbours of 0, 9, A, F, a and f
		for at := range 4 {
			digits := []byte("0000")
			digits[at] = byte(c)
			if e := syntaxError(t, `"\u`+string(digits)+`"`, func(d *wire.Decoder) { d.ReadString() }); e.Msg != "invalid escape in string" {
				t.Errorf(`\u%s: %+v`, digits, e)
			}
		}
	}
}

// TestTextsThatEndTooEarly: wherever a value is cut, that is the error, at the end.
func TestTextsThatEndTooEarly(t *testing.T) {
	for _, text := range []string{
		``, `"`, `"a`, `"abcdefgh`, `"\`, `"a\n`, `"\u0041`, `"\u00e9é`, "-", "1.", "1e", "1e+", "1e-", "1.5E", "t", "tru", "f", "fals", "n", "nul", "[", "[1", "[1,", "{", `{"a`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`,
	} {
		for name, read := range map[string]func(*wire.Decoder){
			"skipped": (*wire.Decoder).Skip,
			"text":    func(d *wire.Decoder) { d.ReadString() },
			"integer": func(d *wire.Decoder) { d.ReadInt64() },
			"float":   func(d *wire.Decoder) { d.ReadFloat() },
			"bool":    func(d *wire.Decoder) { d.ReadBool() },
			"decimal": func(d *wire.Decoder) { d.ReadDecimal() },
			"list":    func(d *wire.Decoder) { wire.ReadListOf(d, (*wire.Decoder).ReadString) },
			"map":     func(d *wire.Decoder) { wire.ReadMapOf(d, (*wire.Decoder).ReadString) },
			"struct":  func(d *wire.Decoder) { wire.ReadObject[links](d) },
		} {
			if e := syntaxError(t, text, read); e.Msg != "unexpected end of text" || e.Offset != int64(len(text)) {
				t.Errorf("%s, %s: %+v", text, name, e)
			}
		}
	}
}

func TestIntegersAtTheirBounds(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "-0": 0, "7": 7, "-1": -1, "10": 10, "9": 9, "-90": -90,
		"99999999999999999": 99999999999999999, "999999999999999999": 999999999999999999, "-999999999999999999": -999999999999999999, // 17 and 18 digits
		"1000000000000000000": 1000000000000000000, "9223372036854775807": 9223372036854775807, "-9223372036854775808": -9223372036854775808,
		"9223372036854775808": 0, "-9223372036854775809": 0, "18446744073709551617": 0, "100000000000000000000": 0,
		`"-1"`: -1, "1e2": 100, "-1.0": -1, "1E0": 1,
	} {
		if d := wire.NewDecoder(text); d.ReadInt64() != want || d.Finish() != nil {
			t.Errorf("%s is not read as %d (%v)", text, want, d.Err())
		}
	}
	for _, text := range []string{"0", "7", "-1", "10", "123456789", "999999999999999999", "-999999999999999999"} {
		if n := testing.AllocsPerRun(10, func() { wire.NewDecoder(text).ReadInt64() }); n > 0 {
			t.Errorf("%s costs %v allocations", text, n)
		}
	}
}

func TestLongListsOfStringsAreOneAllocation(t *testing.T) {
	text := "[" + strings.TrimSuffix(strings.Repeat(`"a",`, 32), ",") + "]"
	if n := testing.AllocsPerRun(10, func() { wire.ReadListOf(wire.NewDecoder(text), (*wire.Decoder).ReadString) }); n > 2 { // the list and the Decoder
		t.Errorf("a list of 32 strings costs %v allocations", n)
	}
}

// TestListsAreAsLargeAsTheyNeed: the length of a list of equal items is estimated
// from the first ones, wherever in the text it lies.
func TestListsAreAsLargeAsTheyNeed(t *testing.T) {
	for _, n := range []int{1, 4, 16, 60, 100, 500, 2000} {
		for _, before := range []int{0, 200_000} {
			row := `{"id":"` + strings.Repeat("x", 90) + `"},`
			text := `{"type":"` + strings.Repeat("y", before) + `","data":[` + strings.TrimSuffix(strings.Repeat(row, n), ",") + `]}`
			var p page
			if err := wire.Unmarshal([]byte(text), &p); err != nil || len(p.Data) != n {
				t.Fatalf("%d rows, %v", len(p.Data), err)
			}
			if most := n + n/50 + 3; n > 16 && cap(p.Data) > most || n <= 16 && cap(p.Data) != n {
				t.Errorf("%d rows after %d bytes: room for %d", n, before, cap(p.Data))
			}
		}
	}
}

// large takes 2^20 + 120 bytes.
type large struct {
	_    [1<<20 + 120 - unsafe.Sizeof(wire.Object{})]byte
	JSON wire.Object
}

var largeType wire.Type

func (v *large) JSONFields(f *wire.Fields) { f.Struct(&v.JSON, &largeType) }

// TestMemoryOfItemsIsBounded: values may take 8 MiB and 24 bytes for each byte of
// the text. Eight large values take 8 MiB and 960 bytes, which is 24 times 40.
func TestMemoryOfItemsIsBounded(t *testing.T) {
	for _, c := range []struct {
		items, length int
		ok            bool
	}{{8, 40, true}, {8, 39, false}, {9, 40, false}, {9, 60, false}} {
		text := "[" + strings.TrimSuffix(strings.Repeat("{},", c.items), ",") + "]"
		text += strings.Repeat(" ", c.length-len(text))
		d := wire.NewDecoder(text)
		list := wire.ReadList[large](d)
		if err := d.Finish(); (err == nil) != c.ok || cap(list) > 8 {
			t.Errorf("%d items in %d bytes: room for %d, %v", c.items, c.length, cap(list), err)
		}
	}
}

// wide has more members than an Object has bits for.
type wide struct {
	V    [200]*int
	JSON wire.Object
}

var wideType wire.Type

var wideMembers = func() (names []string) {
	for i := range 200 {
		names = append(names, fmt.Sprintf("m%d", i))
	}
	return names
}()

func (v *wide) JSONFields(f *wire.Fields) {
	f.Struct(&v.JSON, &wideType)
	for i, name := range wideMembers {
		f.OptInt(name, &v.V[i], wire.Optional)
	}
}

// TestEachOfManyMembersIsRemembered: whether a member was there, and whether it was
// null, is told apart from all other members, however many there are.
func TestEachOfManyMembersIsRemembered(t *testing.T) {
	check := func(v *wide, at int, null bool, where string) {
		t.Helper()
		for i, name := range wideMembers {
			if present := v.JSON.Present(name); present != (i == at) || v.JSON.Null(name) != (i == at && null) || (v.V[i] != nil) != (i == at && !null) {
				t.Errorf("%s, member %d: %d is present %v, null %v, value %v", where, at, i, present, v.JSON.Null(name), v.V[i])
			}
		}
	}
	var rows []string
	atBounds := []int{0, 1, 30, 31, 32, 33, 63, 64, 94, 95, 96, 97, 127, 128, 158, 159, 160, 161, 198, 199}
	for _, at := range atBounds {
		for _, raw := range []string{"null", "7"} {
			text := fmt.Sprintf(`{"m%d":%s}`, at, raw)
			rows = append(rows, text)
			var v wide
			if err := wire.Unmarshal([]byte(text), &v); err != nil {
				t.Fatal(err)
			}
			check(&v, at, raw == "null", "alone")
			if got := encode(&v); got != text {
				t.Errorf("%s is written as %s", text, got)
			}
			v.JSON.Delete(wideMembers[at])
			v.V[at] = nil
			check(&v, -1, false, "deleted")
		}
	}
	d := wire.NewDecoder("[" + strings.Join(rows, ",") + "]")
	list := wire.ReadList[wide](d)
	if err := d.Finish(); err != nil || len(list) != len(rows) {
		t.Fatalf("%d rows, %v", len(list), err)
	}
	for i := range list {
		check(&list[i], atBounds[i/2], i%2 == 0, "in a list")
	}
}

// TestManyMembersInAnyOrder: the order that members come in is learned in lists,
// for types of more members than are learned too.
func TestManyMembersInAnyOrder(t *testing.T) {
	var forth, back, some []string
	for i, name := range wideMembers {
		member := fmt.Sprintf(`"%s":%d`, name, i)
		forth, back = append(forth, member), append([]string{member}, back...)
		if i%7 == 1 || i > 60 && i < 68 {
			some = append(some, member)
		}
	}
	var rows []string
	for _, members := range [][]string{forth, back, some, forth, back, some} {
		rows = append(rows, "{"+strings.Join(members, ",")+"}")
	}
	d := wire.NewDecoder("[" + strings.Join(rows, ",") + "]")
	list := wire.ReadList[wide](d)
	if err := d.Finish(); err != nil || len(list) != len(rows) {
		t.Fatalf("%d rows, %v", len(list), err)
	}
	for n := range list {
		for i, name := range wideMembers {
			v := list[n].V[i]
			if present := v != nil; present != strings.Contains(rows[n], `"`+name+`":`) || present && *v != i {
				t.Errorf("row %d, member %d is %v", n, i, v)
			}
		}
	}
}

func TestNumbersAreWrittenWithTheirExactText(t *testing.T) {
	for v, want := range map[value.Decimal]string{
		"0": "0", "9": "9", "-9": "-9", "9e1": "9e1", "0e1": "0e1", "1.50E+2": "1.50E+2", "-1e-7": "-1e-7",
		// These are not JSON numbers, but decimals.
		"+0": "0", ".0": "0.0", "-.0": "0.0", "+5": "5", "-.5": "-0.5", "5.": "5", "007": "7", "-01": "-1",
		// These are not even that.
		"": `""`, "-": `"-"`, "/": `"/"`, ":": `":"`, "1 ": `"1 "`, "1x": `"1x"`,
	} {
		if got := string(wire.AppendDecimalNumber(nil, v)); got != want {
			t.Errorf("%q is written as %s, want %s", v, got, want)
		}
	}
	for v, want := range map[float64]string{1e-6: "0.000001", 9e-7: "9e-7", 1e-10: "1e-10", 1e-100: "1e-100", 1e20: "100000000000000000000", 1e21: "1e+21", -1e-9: "-1e-9"} {
		if got := string(wire.AppendFloat(nil, v)); got != want {
			t.Errorf("%v is written as %s, want %s", v, got, want)
		}
	}
}

func TestStringsAreEscapedAtAnyPlace(t *testing.T) {
	for c, want := range map[string]string{
		"\x00": `\u0000`, "\x1f": `\u001f`, " ": " ", "\"": `\"`, "\\": `\\`, "\x7f": "\x7f", "\x80": `\ufffd`, "\xff": `\ufffd`, "\u0080": "\u0080",
		"\u2027": "\u2027", "\u2028": `\u2028`, "\u2029": `\u2029`, "\u202a": "\u202a", "\ufffd": "\ufffd", "\b\f\n\r\t": `\b\f\n\r\t`,
	} {
		for before := range 18 {
			for after := range 10 {
				a, b := strings.Repeat("a", before), strings.Repeat("b", after)
				if got := string(wire.AppendString(nil, a+c+b)); got != `"`+a+want+b+`"` {
					t.Errorf("%q is written as %s", a+c+b, got)
				}
			}
		}
	}
}

func TestDriftKindsHaveNames(t *testing.T) {
	for k, want := range map[wire.DriftKind]string{wire.UnknownMember: "unknown member", wire.OutOfRange: "out of range", wire.OutOfRange + 1: "drift 5", 255: "drift 255"} {
		if got := k.String(); got != want {
			t.Errorf("kind %d is called %q, want %q", k, got, want)
		}
	}
}

// drifts returns what is reported of a text.
func drifts(t *testing.T, text string, v wire.Value) []string {
	t.Helper()
	var got []string
	if err := wire.DecodeString(text, v, func(d wire.Drift) { got = append(got, d.String()) }); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestDriftOfDecimals(t *testing.T) {
	for text, want := range map[string][]string{
		`{"amount":""}`:     nil, // declared as a string, in which "" is no value
		`{"amount":"1.50"}`: nil,
		`{"amount":1.50}`:   {"amount: converted: want decimal as string, got number"},
		`{"amount":"N/A"}`:  {"amount: wrong type: want decimal, got string"},
		`{"rate":""}`:       {"rate: converted: want number, got string"},
		`{"rate":1.50}`:     nil,
		`{"rate":"1.50"}`:   {"rate: converted: want decimal as number, got string"},
		`{"rate":"N/A"}`:    {"rate: converted: want decimal as number, got string", "rate: wrong type: want decimal, got string"},
	} {
		if got := drifts(t, text, new(everything)); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// TestPathsGoBack: that one item stands for a list is told after what is new
// within it, though it lies before.
func TestPathsGoBack(t *testing.T) {
	got := drifts(t, `{"count":1,"data":{"new":1},"links":{"newer":{"a":["x"]}}}`, new(page))
	want := []string{"data.new: unknown member", "data: converted: want array, got one item", "links.newer: unknown member"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if e := syntaxError(t, `"a, }" "b"`, func(d *wire.Decoder) { d.ReadString() }); e.Offset != 7 || e.Path != "" {
		t.Errorf("after a string at the top: %+v", e)
	}
}

func TestLongPathsAreShortened(t *testing.T) {
	child := func(n int) string { return strings.TrimSuffix(strings.Repeat("child.", n), ".") }
	for depth, want := range map[int]string{
		16: child(15) + ".x",
		17: child(8) + "….child." + child(6) + ".x",
		18: child(8) + "….child." + child(6) + ".x",
		40: child(8) + "….child." + child(6) + ".x",
	} {
		text := strings.Repeat(`{"child":`, depth-1) + `{"x":1}` + strings.Repeat("}", depth-1)
		if got := drifts(t, text, new(everything)); len(got) != 1 || got[0] != want+": unknown member" {
			t.Errorf("%d levels: %q, want %q", depth, got, want)
		}
	}
	long := strings.Repeat("n", 64)
	for name, want := range map[string]string{
		"azAZ09_-$@": "azAZ09_-$@", "a": "a", "z": "z", "A": "A", "Z": "Z", "0": "0", "9": "9",
		"`": "[\"`\"]", "{": `["{"]`, "[": `["["]`, "/": `["/"]`, ":": `[":"]`, "": `[""]`, "é": `["\u00e9"]`,
		long: long, long + "n": `["` + long + `\u2026"]`, long[1:] + " ": `["` + long[1:] + ` "]`, long + " ": `["` + long + `\u2026"]`,
	} {
		if got := drifts(t, `{"`+name+`":1}`, new(everything)); len(got) != 1 || got[0] != want+": unknown member" {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestNullAtTheTopLeavesAValueAsItIs(t *testing.T) {
	v := links{Self: "before"}
	err := wire.Unmarshal([]byte("null"), &v)
	d := wire.NewDecoder("null")
	if read := wire.ReadObject[links](d); err != nil || d.Finish() != nil || v.Self != "before" || v.JSON.Decoded() || read.JSON.Decoded() {
		t.Errorf("got %+v, %v", v, err)
	}
}

// renamed has a first member that also goes by another name.
type renamed struct {
	ABN  string
	JSON wire.Object
}

var renamedType wire.Type

func (v *renamed) JSONFields(f *wire.Fields) {
	f.Struct(&v.JSON, &renamedType)
	f.String("ABN", &v.ABN, wire.Required)
	f.Alias("abn")
}

func TestFirstMemberMayHaveAnAlias(t *testing.T) {
	var v renamed
	if err := wire.Unmarshal([]byte(`{"abn":"1"}`), &v); err != nil || v.ABN != "1" || !v.JSON.Present("ABN") {
		t.Errorf("got %+v, %v", v, err)
	}
}

// likeLinks is another type with the members of links.
type likeLinks struct{ links }

var likeLinksType wire.Type

func (v *likeLinks) JSONFields(f *wire.Fields) {
	f.Struct(&v.JSON, &likeLinksType)
	f.String("self", &v.Self, wire.Optional)
	f.String("next", &v.Next, wire.Optional)
	f.String("account", &v.Account, wire.Optional)
}

func TestObjectsOfEqualNamesAreEqual(t *testing.T) {
	var a links
	var other likeLinks
	if err := wire.Unmarshal([]byte(`{"self":null}`), &other); err != nil {
		t.Fatal(err)
	}
	b := other.JSON
	if err := wire.Unmarshal([]byte(`{"self":null}`), &a); err != nil || !a.JSON.Equal(b) || !b.Equal(a.JSON) {
		t.Errorf("two objects of equal names are not equal (%v)", err)
	}
	if a.JSON.Equal(wire.Object{}) || (wire.Object{}).Equal(a.JSON) {
		t.Error("decoded and made by hand are equal")
	}
}

// TestExtraMembersAreThoseNotDeclared: what Set said of a declared member is not
// one; in a struct made by hand no member is declared yet.
func TestExtraMembersAreThoseNotDeclared(t *testing.T) {
	extras := func(o *wire.Object) string {
		var names []string
		for name, raw := range o.Extra() {
			names = append(names, name+"="+string(raw))
		}
		return strings.Join(names, " ")
	}
	decoded, hand := decode(t, `{"new":1}`), new(everything)
	for _, o := range []*wire.Object{&decoded.JSON, &hand.JSON} {
		for _, name := range []string{"text", "lastLinks", "newer", "newest"} {
			if err := o.Set(name, json.RawMessage("2")); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got, want := extras(&decoded.JSON), "new=1 newer=2 newest=2"; got != want {
		t.Errorf("decoded: %s, want %s", got, want)
	}
	if got, want := extras(&hand.JSON), "text=2 lastLinks=2 newer=2 newest=2"; got != want {
		t.Errorf("made by hand: %s, want %s", got, want)
	}
	for name := range decoded.JSON.Extra() {
		if name == "newer" {
			break
		}
	}
}

func TestDeleteLeavesOtherMembers(t *testing.T) {
	v := decode(t, `{"text":5,"kind":6,"a":1,"b":2,"c":3}`)
	for _, name := range []string{"d", "e"} {
		if err := v.JSON.Set(name, json.RawMessage("4")); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"b", "d", "kind"} {
		v.JSON.Delete(name)
	}
	v.Kind = ""
	if got, want := encode(v), `{"text":5,"a":1,"c":3,"e":4}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestSpecialCharactersAtEveryPosition compares the encoding of strings with encoding/json:
// a special character, or two of them, at every position of strings of up to 34 bytes.
func TestSpecialCharactersAtEveryPosition(t *testing.T) {
	special := []string{`"`, `\`, "\n", "\x01", "é", "\u2028", "日", "\xff", "😀", "\u00a0"}
	for length := range 34 {
		plain := strings.Repeat("x", length)
		for at := range length + 1 {
			for i, first := range special {
				second := special[(i+at)%len(special)]
				for _, s := range []string{plain[:at] + first + plain[at:], plain[:at/2] + first + plain[at/2:at] + second + plain[at:]} {
					var want bytes.Buffer
					enc := json.NewEncoder(&want)
					enc.SetEscapeHTML(false)
					if err := enc.Encode(s); err != nil {
						t.Fatal(err)
					}
					if got := string(wire.AppendString(nil, s)); got != strings.TrimSuffix(want.String(), "\n") {
						t.Fatalf("AppendString(%q) = %s, want %s", s, got, want.String())
					}
					v := links{Self: s}
					if got := encode(&v); got != `{"self":`+strings.TrimSuffix(want.String(), "\n")+`}` {
						t.Fatalf("the member %q is written as %s", s, got)
					}
				}
			}
		}
	}
}
