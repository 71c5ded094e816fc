package wire_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// TestOrderOfMembers: the order of members is learned from the first items of a list,
// and does not affect the result. Items with members in any order, absent, duplicate
// or undeclared, decode as they do alone.
func TestOrderOfMembers(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	object := func(members ...string) string {
		random.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
		return "{" + strings.Join(members[:1+random.IntN(len(members))], ",") + "}"
	}
	var rows []string
	for i := range 300 {
		text := func(name string) string { return fmt.Sprintf(`%q:"%s %d"`, name, name, i) }
		rows = append(rows, object(
			text("id"), text("id"), text("description"), `"amount":"1.5"`, `"status":null`, text("idd"), text("unknown"), `"class":7`,
			`"subClass":`+object(text("title"), text("code"), text("codes")),
			`"enrich":`+object(text("cleanDescription"), `"tags":["a"]`,
				`"merchant":`+object(text("id"), text("ABN"), text("abn"), text("website"), text("businessName")),
				`"location":`+object(text("suburb"), text("country"), text("postalCode"))),
			`"links":`+object(text("self"), text("account"), text("next")),
		))
	}
	var together page
	if err := wire.Unmarshal([]byte(`{"data":[`+strings.Join(rows, ",")+`]}`), &together); err != nil {
		t.Fatal(err)
	}
	if len(together.Data) != len(rows) {
		t.Fatalf("%d rows, want %d", len(together.Data), len(rows))
	}
	for i, row := range rows {
		var alone page
		if err := wire.Unmarshal([]byte(`{"data":[`+row+`]}`), &alone); err != nil {
			t.Fatal(err)
		}
		if got, want := together.Data[i], alone.Data[0]; !reflect.DeepEqual(got, want) {
			t.Fatalf("row %d, %s, is\n%+v among others, and alone\n%+v", i, row, got, want)
		}
	}
}

// derived has a field that is not a member, but follows from two members.
type derived struct {
	A, B, Both string
	JSON       wire.Object
}

type derivedList struct {
	Rows []derived
	JSON wire.Object
}

var derivedType, derivedListType wire.Type

func (v *derived) JSONFields(f *wire.Fields) {
	f.Struct(&v.JSON, &derivedType)
	f.String("a", &v.A, wire.Optional)
	f.String("b", &v.B, wire.Optional)
	if f.Decoded() {
		v.Both = v.A + v.B
	}
}

func (v *derivedList) JSONFields(f *wire.Fields) {
	f.Struct(&v.JSON, &derivedListType)
	wire.List(f, "rows", &v.Rows, wire.Optional)
}

// TestDerivedFieldsFollowFromAllMembers checks that what JSONFields derives is set, in
// whatever order the members come.
func TestDerivedFieldsFollowFromAllMembers(t *testing.T) {
	var v derivedList
	text := `{"rows":[{"a":"1","b":"2"},{"b":"2","a":"1"},{"b":"2","x":0,"a":"1"},{"b":"2"},{},{"a":"3","a":"1","b":"2"},{"b":"2","b":"3","a":"1"},{"a":"1","b":"2","x":[]}]}`
	if err := wire.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"12", "12", "12", "2", "", "12", "13", "12"} {
		if got := v.Rows[i].Both; got != want {
			t.Errorf("row %d has %q, want %q", i, got, want)
		}
	}
}

// TestMembersInAnyOrder decodes a value with every kind of member, whose members are
// shuffled, alone and among others.
func TestMembersInAnyOrder(t *testing.T) {
	declared := []string{
		`"text":"a"`, `"must":"b"`, `"kind":"debit"`, `"flag":true`, `"int":1`, `"int64":2`, `"float":1.5`, `"amount":"1.20"`, `"rate":3.10`,
		`"day":"2031-01-01"`, `"any":{"x":[1]}`, `"optText":"c"`, `"optFlag":false`, `"optInt":0`, `"optInt64":4`, `"optFloat":2.5`, `"optKind":"credit"`,
		`"links":{"next":"n","self":"s"}`, `"sub":{"title":"t","code":"k"}`, `"child":{"int":7,"text":"in"}`, `"children":[{"must":"m","text":"x"},{}]`,
		`"strings":["a","b"]`, `"kinds":["debit"]`, `"ints":[1,2]`, `"flags":[true]`, `"floats":[0.5]`, `"amounts":["1"]`, `"anys":[2,1]`,
		`"matrix":[[1],[2,3]]`, `"pointers":[{"code":"p"}]`, `"texts":{"a":"b"}`, `"counts":{"a":1}`, `"subs":{"a":{"code":"c"}}`, `"lists":{"a":["b"]}`,
		`"lastText":"z"`, `"lastInt":9`, `"lastFlag":true`, `"lastLinks":{"account":"acc"}`,
	}
	want := decode(t, "{"+strings.Join(declared, ",")+"}")
	random := rand.New(rand.NewPCG(3, 4))
	var rows []string
	for range 200 {
		random.Shuffle(len(declared), func(i, j int) { declared[i], declared[j] = declared[j], declared[i] })
		row := "{" + strings.Join(declared, ",") + "}"
		rows = append(rows, row)
		if got := decode(t, row); !reflect.DeepEqual(got, want) {
			t.Fatalf("%s is\n%+v, want\n%+v", row, got, want)
		}
	}
	list := decode(t, `{"children":[`+strings.Join(rows, ",")+`]}`)
	for i := range list.Children {
		if got := &list.Children[i]; !reflect.DeepEqual(got, want) {
			t.Fatalf("row %d, %s, is\n%+v, want\n%+v", i, rows[i], got, want)
		}
	}
}

// fewer has a member that JSONFields leaves out after the names were listed.
type fewer struct {
	ID, Last string
	without  bool
	JSON     wire.Object
}

var fewerType wire.Type

func (v *fewer) JSONFields(f *wire.Fields) {
	f.Struct(&v.JSON, &fewerType)
	f.String("id", &v.ID, wire.Optional)
	if !v.without {
		f.String("last", &v.Last, wire.Optional)
	}
}

// TestMembersWithoutACallAreSkipped checks that a JSONFields that breaks its contract does
// not make decoding go on forever.
func TestMembersWithoutACallAreSkipped(t *testing.T) {
	var all fewer
	text := `{"id":"a","last":"b"}`
	if err := wire.Unmarshal([]byte(text), &all); err != nil || all.Last != "b" {
		t.Fatalf("%+v, %v", all, err)
	}
	for _, text := range []string{text, `{"last":"b","id":"a"}`, `{"last":{"x":[1]},"last":null,"id":"a"}`} {
		v := fewer{without: true}
		if err := wire.Unmarshal([]byte(text), &v); err != nil || v.ID != "a" || v.Last != "" {
			t.Errorf("%s is %+v, %v", text, v, err)
		}
	}
}

// TestAliasOfALaterMemberIsWritten under the name with which it was received.
func TestAliasOfALaterMemberIsWritten(t *testing.T) {
	for _, text := range []string{`{"id":"x","abn":"1"}`, `{"id":"x","businessName":"b","abn":"1","website":"w"}`} {
		var v merchant
		if err := wire.Unmarshal([]byte(text), &v); err != nil || v.ABN != "1" {
			t.Fatalf("%+v, %v", v, err)
		}
		if got := encode(&v); got != text {
			t.Errorf("%s is written as %s", text, got)
		}
	}
}
