package basiqtest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/generated/reporting"
	"github.com/basiq-sdk/basiq-go/transport/value"
	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// decoded decodes a text as a response is.
func decoded[T any](t testing.TB, text string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// TestDiffOfDecodedAndHandMade checks that a decoded value equals one that a test
// writes, whatever the response looked like.
func TestDiffOfDecodedAndHandMade(t *testing.T) {
	for text, want := range map[string]data.Transaction{
		`{"id":"t-1","amount":"-4.50","description":"COFFEE"}`:                                         {ID: "t-1", Amount: "-4.50", Description: "COFFEE"},
		`{"id":"t-1","amount":-4.5,"reference":null,"newMember":{"a":1}}`:                              {ID: "t-1", Amount: "-4.50"},
		`{"id":"t-1","subClass":{"code":"1"},"enrich":null,"postDate":""}`:                             {ID: "t-1", SubClass: data.CodeTitle{Code: "1"}},
		`{"id":"t-1","enrich":{"cleanDescription":"Coffee","tags":[]},"status":"posted","balance":""}`: {ID: "t-1", Status: "posted", Enrichment: &data.Enrichment{CleanDescription: "Coffee"}},
		`{}`: {},
	} {
		got := decoded[data.Transaction](t, text)
		if diff := basiqtest.Diff(want, got); diff != "" {
			t.Errorf("%s:\n%s", text, diff)
		}
		if diff := basiqtest.Diff(&want, &got); diff != "" {
			t.Errorf("pointers, %s:\n%s", text, diff)
		}
	}
}

// TestDiffNamesPaths checks that each difference is a line with its path.
func TestDiffNamesPaths(t *testing.T) {
	got := decoded[data.AccountList](t, `{"data":[{"id":"a-1","balance":"5.00","class":{"type":"savings"},"lastUpdated":"2031-05-06T00:00:00Z"},{"id":"a-2"}]}`)
	want := data.AccountList{Data: []data.Account{{ID: "a-9", Balance: "5", Class: data.AccountClass{Kind: "loan"}}, {ID: "a-2"}, {ID: "a-3"}}}
	lines := []string{
		"Data: want 3 items, got 2",
		`Data[0].ID: want "a-9", got "a-1"`,
		`Data[0].LastUpdated: want "", got "2031-05-06T00:00:00Z"`,
		`Data[0].Class.Kind: want "loan", got "savings"`,
	}
	diff := basiqtest.Diff(want, got)
	for _, line := range lines {
		if !strings.Contains("\n"+diff+"\n", "\n"+line+"\n") {
			t.Errorf("%q is missing", line)
		}
	}
	if n := strings.Count(diff, "\n") + 1; n != len(lines) {
		t.Errorf("%d lines:\n%s", n, diff)
	}
	if diff := basiqtest.Diff(want, got, "Data[].ID", "LastUpdated", "Class", "Data"); diff != "" {
		t.Errorf("ignored: %s", diff)
	}
	if diff := basiqtest.Diff(want, got, "Data[].Class.Kind", "LastUpdated"); strings.Contains(diff, "Class") || !strings.Contains(diff, "ID") {
		t.Errorf("ignored by path: %s", diff)
	}
}

// TestDiffOfVariants checks polymorphic values, which are compared by their accessors.
func TestDiffOfVariants(t *testing.T) {
	got := decoded[core.Job](t, `{"id":"j-1","steps":[{"title":"verify-credentials","status":"success","result":{"type":"link","url":"/users/u-1","new":1}}]}`)
	want := func(result core.StepResult) core.Job {
		return core.Job{ID: "j-1", Steps: []core.JobStep{{Title: "verify-credentials", Status: "success", Result: result}}}
	}
	if diff := basiqtest.Diff(want(core.NewStepResultLink(core.StepLink{Type: "link", URL: "/users/u-1"})), got); diff != "" {
		t.Error(diff)
	}
	for _, c := range []struct {
		result core.StepResult
		want   string
	}{
		{core.NewStepResultLink(core.StepLink{Type: "link", URL: "/users/u-2"}), `Steps[0].Result.Link().URL: want "/users/u-2", got "/users/u-1"`},
		{core.NewStepResultFailure(core.StepFailure{Code: "maintenance"}), "Steps[0].Result.Failure(): want "},
		{core.StepResultOf(`{"other":true}`), `Steps[0].Result: want {"other":true}, got `},
	} {
		if diff := basiqtest.Diff(want(c.result), got); !strings.HasPrefix(diff, c.want) || strings.Contains(diff, "\n") {
			t.Errorf("got %s, want %s", diff, c.want)
		}
	}
	filter := reporting.Filter{Name: "users", Value: reporting.NewFilterValueList([]string{"u-1"})}
	if diff := basiqtest.Diff(filter, decoded[reporting.Filter](t, `{"name":"users","value":[ "u-1" ]}`)); diff != "" {
		t.Error(diff)
	}
	if diff := basiqtest.Diff(filter, decoded[reporting.Filter](t, `{"name":"users","value":["u-2"]}`)); !strings.Contains(diff, `Value.List()[0]: want "u-1", got "u-2"`) {
		t.Error(diff)
	}
}

// TestDiffOfMembersSetByHand checks that members that a test sets must be in the response.
func TestDiffOfMembersSetByHand(t *testing.T) {
	var want core.User
	want.ID = "u-1"
	want.JSON.Set("tier", json.RawMessage(`{"a":1,"b":2}`))
	want.JSON.SetNull("mobile")
	if diff := basiqtest.Diff(want, decoded[core.User](t, `{"id":"u-1","tier":{"b":2,"a":1},"mobile":null}`)); diff != "" {
		t.Error(diff)
	}
	for text, lines := range map[string]string{
		`{"id":"u-1"}`:                        "JSON[tier]: want {\"a\":1,\"b\":2}, got no such member\nJSON[mobile]: want null, got no such member",
		`{"id":"u-1","tier":2,"mobile":null}`: "JSON[tier]: want {\"a\":1,\"b\":2}, got 2",
	} {
		if diff := basiqtest.Diff(want, decoded[core.User](t, text)); diff != lines {
			t.Errorf("%s: %s", text, diff)
		}
	}
	want.Mobile = "+61400000000" // SetNull wins when it is sent, so the test contradicts itself
	if diff := basiqtest.Diff(want, decoded[core.User](t, `{"id":"u-1","tier":{"a":1,"b":2},"mobile":"+61400000000"}`)); diff != "JSON[mobile]: want null, got a value" {
		t.Error(diff)
	}
}

// TestDiffOfOtherValues checks values that are not of generated types.
func TestDiffOfOtherValues(t *testing.T) {
	type node struct {
		Name   string
		Next   *node
		Secret value.Secret
		hidden int
	}
	loop := &node{Name: "a"}
	loop.Next = loop
	other := &node{Name: "a", hidden: 1}
	other.Next = other
	at := time.Date(2031, 5, 6, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		want, got any
		diff      string
	}{
		{loop, other, ""},
		{at, at.In(time.FixedZone("", 3600)), ""},
		{map[string][]int{"a": nil}, map[string][]int{"a": {}}, ""},
		{map[string]int(nil), map[string]int{}, ""},
		{value.Decimal("1.0"), value.Decimal("1.00"), ""},
		{value.JSON(`{"a":1,"b":[2]}`), value.JSON(`{"b":[2], "a":1}`), ""},
		{nil, nil, ""},
		{any(1), any("1"), "value: want a int, got a string"},
		{nil, 1, "value: want nothing, got 1"},
		{(*node)(nil), &node{}, "value: want nil, got &{Name: Next:<nil> Secret:"},
		{map[string]int{"a": 1, "b": 2}, map[string]int{"a": 1, "c": 3}, "[\"b\"]: want 2, got nothing\n[\"c\"]: want nothing, got 3"},
		{value.JSON(`1`), value.JSON(`x`), "value: want \"1\", got \"x\""},
		{func() {}, func() {}, "value: functions cannot be compared"},
		{[]float64{1}, []float64{2}, "[0]: want 1, got 2"},
	} {
		if diff := basiqtest.Diff(c.want, c.got); diff != c.diff && (c.diff == "" || !strings.HasPrefix(diff, c.diff)) {
			t.Errorf("%v, %v: got %q, want %q", c.want, c.got, diff, c.diff)
		}
	}
	if diff := basiqtest.Diff(node{Secret: "not-a-real-secret"}, node{Secret: "another-one"}); diff == "" || strings.Contains(diff, "another-one") || strings.Contains(diff, "not-a-real") {
		t.Errorf("the difference of two secrets is %q", diff)
	}
}

// A test writes what it expects. Diff ignores what only a response has.
func ExampleDiff() {
	var got data.Account // decoded, as if the API had sent it
	text := `{"id":"a-1","name":"Savings","balance":"12.50","creditLimit":null,"memberOfTomorrow":true}`
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%q\n", basiqtest.Diff(data.Account{ID: "a-1", Name: "Savings", Balance: "12.5"}, got))
	fmt.Println(basiqtest.Diff(data.Account{ID: "a-1", Name: "Savings", Balance: "13"}, got))
	fmt.Printf("%q\n", basiqtest.Diff(data.Account{Name: "Savings", Balance: "12.5"}, got, "ID"))
	// Output:
	// ""
	// Balance: want "13", got "12.50"
	// ""
}

// With github.com/google/go-cmp, these options do the same as Diff.
func ExampleDiff_goCmp() {
	options := cmp.Options{
		cmpopts.EquateEmpty(),
		cmpopts.IgnoreTypes(wire.Object{}), // what the response looked like
		cmp.Transformer("Raw", func(v interface{ Raw() value.JSON }) (out any) { // polymorphic values
			_ = json.Unmarshal([]byte(v.Raw()), &out)
			return out
		}),
	}
	var got core.Job
	text := `{"id":"j-1","steps":[{"title":"create-report","status":"success","result":{"type":"link","url":"/reports/r-1"}}],"memberOfTomorrow":1}`
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		fmt.Println(err)
		return
	}
	want := core.Job{ID: "j-1", Steps: []core.JobStep{{Title: "create-report", Status: "success", Result: core.NewStepResultLink(core.StepLink{Type: "link", URL: "/reports/r-1"})}}}
	fmt.Println(cmp.Equal(want, got, options), cmp.Equal(core.Job{ID: "j-2"}, got, options))
	// Output: true false
}
