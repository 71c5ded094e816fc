package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/generated/insights"
	"github.com/basiq-sdk/basiq-go/generated/payees"
	"github.com/basiq-sdk/basiq-go/generated/reporting"
	"github.com/basiq-sdk/basiq-go/generated/webhooks"
	"github.com/basiq-sdk/basiq-go/transport/value"
)

var filters = []any{
	core.EventFilter{}, core.JobFilter{}, data.AccountFilter{}, data.ConnectionFilter{}, data.ConnectorFilter{}, data.TransactionFilter{},
	insights.InsightFilter{}, payees.PayeeFilter{}, reporting.TransactionFilter{}, webhooks.MessageFilter{},
}

// TestGeneratedFilters: every method of every filter adds one term with the value as
// passed, or makes the filter fail.
func TestGeneratedFilters(t *testing.T) {
	files, err := filepath.Glob(root + "/generated/*/*.gen.go")
	if err != nil {
		t.Fatal(err)
	}
	generated := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		generated += strings.Count(string(text), "\tterms transport.Filter\n")
	}
	if generated != len(filters) {
		t.Errorf("%d filters are generated, but %d are in the list", generated, len(filters))
	}
	tried := 0
	for _, filter := range filters {
		v := reflect.ValueOf(filter)
		for i := range v.NumMethod() {
			name, m := v.Type().Method(i).Name, v.Method(i)
			if name == "Raw" || m.Type().NumIn() == 0 || m.Type().Out(0) != v.Type() {
				continue
			}
			for _, text := range []string{"a", "2031-01-02", "a b,c)", "(", "%27", "é", "'", `\`, "a'),user.id.eq('b", "a\nb", "\x00", "\xff"} {
				var args []reflect.Value
				for n := range m.Type().NumIn() {
					arg, ok := argument(m.Type().In(n), text)
					if !ok {
						t.Fatalf("%s.%s takes a %s", v.Type(), name, m.Type().In(n))
					}
					args = append(args, arg)
				}
				var made reflect.Value
				if m.Type().IsVariadic() {
					made = m.CallSlice(args)[0]
				} else {
					made = m.Call(args)[0]
				}
				tried++
				got := made.Interface().(fmt.Stringer).String()
				values, ok := strings.CutSuffix(got, "("+strings.Repeat(",'"+text+"'", len(args))[1:]+")")
				complete := ok && pathAndOperator.MatchString(values)
				hostile := strings.ContainsAny(text, "'\\\n\x00") || !utf8.ValidString(text)
				if m.Type().In(0) == reflect.TypeFor[value.Date]() {
					hostile = text != "2031-01-02" // anything else is not a valid date
				}
				if hostile == complete || hostile && got != "" {
					t.Errorf("%s.%s(%q) = %q", v.Type(), name, text, got)
				}
			}
		}
	}
	if tried < 300 {
		t.Errorf("only %d filters were tested", tried)
	}
}

var pathAndOperator = regexp.MustCompile(`^[a-zA-Z.]+\.[a-z]+$`)

// argument converts text to a value of typ, and reports whether it can.
func argument(typ reflect.Type, text string) (reflect.Value, bool) {
	switch {
	case typ.Kind() == reflect.String:
		return reflect.ValueOf(text).Convert(typ), true
	case typ.Kind() == reflect.Slice && typ.Elem().Kind() == reflect.String:
		list := reflect.MakeSlice(typ, 1, 1)
		list.Index(0).SetString(text)
		return list, true
	}
	return reflect.Value{}, false
}
