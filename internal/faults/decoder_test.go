package faults

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go/generated/affordability"
	"github.com/basiq-sdk/basiq-go/generated/analytics"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/generated/enrich"
	"github.com/basiq-sdk/basiq-go/generated/identity"
	"github.com/basiq-sdk/basiq-go/generated/insights"
	"github.com/basiq-sdk/basiq-go/generated/merchants"
	"github.com/basiq-sdk/basiq-go/generated/payees"
	"github.com/basiq-sdk/basiq-go/generated/reporting"
	"github.com/basiq-sdk/basiq-go/generated/webhooks"
	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// codec is implemented by the generated types.
type codec interface{ wire.Value }

// responseTypes has the types that responses are decoded into, by package and name.
var responseTypes = map[string]func() codec{
	"affordability.ExpenseSummary":  func() codec { return new(affordability.ExpenseSummary) },
	"affordability.IncomeSummary":   func() codec { return new(affordability.IncomeSummary) },
	"affordability.SnapshotList":    func() codec { return new(affordability.SnapshotList) },
	"affordability.Summary":         func() codec { return new(affordability.Summary) },
	"affordability.TransactionPage": func() codec { return new(affordability.TransactionPage) },
	"analytics.ConnectionAnalytics": func() codec { return new(analytics.ConnectionAnalytics) },
	"analytics.UserAnalytics":       func() codec { return new(analytics.UserAnalytics) },
	"core.AccessToken":              func() codec { return new(core.AccessToken) },
	"core.AuthLink":                 func() codec { return new(core.AuthLink) },
	"core.ConsentList":              func() codec { return new(core.ConsentList) },
	"core.Event":                    func() codec { return new(core.Event) },
	"core.EventList":                func() codec { return new(core.EventList) },
	"core.EventType":                func() codec { return new(core.EventType) },
	"core.EventTypeList":            func() codec { return new(core.EventTypeList) },
	"core.Job":                      func() codec { return new(core.Job) },
	"core.JobList":                  func() codec { return new(core.JobList) },
	"core.JobReference":             func() codec { return new(core.JobReference) },
	"core.User":                     func() codec { return new(core.User) },
	"data.Account":                  func() codec { return new(data.Account) },
	"data.AccountList":              func() codec { return new(data.AccountList) },
	"data.Connection":               func() codec { return new(data.Connection) },
	"data.ConnectionList":           func() codec { return new(data.ConnectionList) },
	"data.Connector":                func() codec { return new(data.Connector) },
	"data.ConnectorList":            func() codec { return new(data.ConnectorList) },
	"data.JobList":                  func() codec { return new(data.JobList) },
	"data.JobReference":             func() codec { return new(data.JobReference) },
	"data.Transaction":              func() codec { return new(data.Transaction) },
	"data.TransactionPage":          func() codec { return new(data.TransactionPage) },
	"enrich.Enrichment":             func() codec { return new(enrich.Enrichment) },
	"identity.Identity":             func() codec { return new(identity.Identity) },
	"identity.IdentityList":         func() codec { return new(identity.IdentityList) },
	"insights.AccountInsight":       func() codec { return new(insights.AccountInsight) },
	"insights.BalanceInsight":       func() codec { return new(insights.BalanceInsight) },
	"insights.ExpenseRatioInsight":  func() codec { return new(insights.ExpenseRatioInsight) },
	"insights.IdentityInsight":      func() codec { return new(insights.IdentityInsight) },
	"insights.IncomeInsight":        func() codec { return new(insights.IncomeInsight) },
	"insights.Insight":              func() codec { return new(insights.Insight) },
	"insights.InsightPage":          func() codec { return new(insights.InsightPage) },
	"insights.InsightTypeList":      func() codec { return new(insights.InsightTypeList) },
	"merchants.Merchant":            func() codec { return new(merchants.Merchant) },
	"merchants.MerchantList":        func() codec { return new(merchants.MerchantList) },
	"payees.Payee":                  func() codec { return new(payees.Payee) },
	"payees.PayeePage":              func() codec { return new(payees.PayeePage) },
	"reporting.JobReference":        func() codec { return new(reporting.JobReference) },
	"reporting.Report":              func() codec { return new(reporting.Report) },
	"reporting.ReportPage":          func() codec { return new(reporting.ReportPage) },
	"reporting.ReportTypeList":      func() codec { return new(reporting.ReportTypeList) },
	"reporting.TransactionPage":     func() codec { return new(reporting.TransactionPage) },
	"webhooks.Message":              func() codec { return new(webhooks.Message) },
	"webhooks.MessagePage":          func() codec { return new(webhooks.MessagePage) },
	"webhooks.Webhook":              func() codec { return new(webhooks.Webhook) },
	"webhooks.WebhookList":          func() codec { return new(webhooks.WebhookList) },
}

var responseVar = regexp.MustCompile(`\tvar out (\w+)\n`)

// TestResponseTypesAreComplete compares responseTypes with the generated code.
func TestResponseTypesAreComplete(t *testing.T) {
	files, err := filepath.Glob(root + "/generated/*/*.gen.go")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	seen := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range responseVar.FindAllSubmatch(text, -1) {
			seen[filepath.Base(filepath.Dir(file))+"."+string(m[1])] = true
		}
	}
	for name := range seen {
		if responseTypes[name] == nil {
			t.Errorf("%s is decoded from responses, but not in the list", name)
		}
	}
	for name, make := range responseTypes {
		if !seen[name] || reflect.TypeOf(make()).Elem().String() != name {
			t.Errorf("%s is in the list, but not decoded from responses", name)
		}
	}
}

func responseTypeNames() []string {
	var names []string
	for name := range responseTypes {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// full sets every field of v, down to depth.
func full(v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.Pointer:
		if depth > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			full(v.Elem(), depth-1)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[wire.Object]() {
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				full(v.Field(i), depth-1)
			}
		}
	case reflect.Slice:
		if depth > 0 && v.Type().Elem().Kind() != reflect.Uint8 {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			full(v.Index(0), depth-1)
		}
	case reflect.String:
		v.SetString("1.5")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Float64:
		v.SetFloat(0.25)
	}
}

// FuzzResponses: generated decoders accept arbitrary bytes without panicking. They
// return a typed error, or a value that survives encoding and decoding unchanged.
func FuzzResponses(f *testing.F) {
	names := responseTypeNames()
	odd := []string{
		``, `null`, `{}`, `[]`, `"x"`, `1`, `{"data":null}`, `{"data":{}}`, `{"data":[null,1,"x",[],{}]}`, `{"data":[{"id":1,"links":[]}],"links":{"next":7}}`,
		`{"id":"\ud83d","type":"\u0000"}`, "{\"id\":\"\xff\"}", `{"steps":[{"result":{"url":"x"}},{"result":[]},{"result":"x"}]}`, `{"amount":1e400}`, `{"amount":"1e400"}`,
		`{"id":"a","id":"b"}`, `{"ID":"a"}`, `{"":{"":{}}}`, strings.Repeat(`{"data":`, 100) + `1` + strings.Repeat(`}`, 100), strings.Repeat("[", 300),
	}
	for i, name := range names {
		v := responseTypes[name]()
		full(reflect.ValueOf(v).Elem(), 8)
		f.Add(uint8(i), wire.Append(nil, v))
		for _, text := range odd {
			f.Add(uint8(i), []byte(text))
		}
	}
	f.Fuzz(func(t *testing.T, i uint8, text []byte) {
		checkResponse(t, names[int(i)%len(names)], text)
	})
}

func checkResponse(t *testing.T, name string, text []byte) {
	t.Helper()
	v := responseTypes[name]()
	err := wire.Unmarshal(text, v)
	var (
		syntax *wire.SyntaxError
		shape  *wire.TypeError
	)
	switch {
	case err != nil && !errors.As(err, &syntax) && !errors.As(err, &shape):
		t.Fatalf("%s: an error of an undocumented type: %v", name, err)
	case err != nil:
		return
	}
	first := wire.Append(nil, v)
	if !json.Valid(first) {
		t.Fatalf("%s: %q is encoded as %q, which is not JSON", name, text, first)
	}
	again := responseTypes[name]()
	if err := wire.Unmarshal(first, again); err != nil {
		t.Fatalf("%s: %q is encoded as %q, which cannot be decoded: %v", name, text, first, err)
	}
	if second := wire.Append(nil, again); !bytes.Equal(first, second) {
		t.Errorf("%s: not stable:\n%s\n%s", name, first, second)
	}
	_ = fmt.Sprintf("%+v", v)
}

// TestDecodingMemoryIsProportional: decoding a response that is made of many tiny
// values allocates at most 64 times its size plus 20 MB.
func TestDecodingMemoryIsProportional(t *testing.T) {
	if raced || testing.Short() {
		t.Skip("takes seconds")
	}
	const size = 384 << 10
	repeat := func(s string) string { return strings.Repeat(s, size/len(s)) }
	for _, name := range responseTypeNames() {
		v := responseTypes[name]()
		full(reflect.ValueOf(v).Elem(), 8)
		var top map[string]json.RawMessage
		if err := json.Unmarshal(wire.Append(nil, v), &top); err != nil {
			t.Fatal(err)
		}
		for member, raw := range top {
			if raw[0] != '[' && raw[0] != '{' {
				continue
			}
			for _, item := range []string{"{}", "0", `{"":0}`} {
				checkMemory(t, name, `{"`+member+`":[`+repeat(item+",")+item+`]}`)
			}
			checkMemory(t, name, `{`+repeat(`"`+member+`":[{}],`)+`"`+member+`":[{}]}`)
		}
	}
}

// checkMemory decodes text and checks how much memory that allocates.
func checkMemory(t *testing.T, name, text string) {
	t.Helper()
	v := responseTypes[name]()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := wire.DecodeString(text, v, nil)
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 64*uint64(len(text))+20<<20 {
		t.Errorf("%s: decoding %d bytes of %.40s… allocated %d bytes: %v", name, len(text), text, took, err)
	}
}

// TestDeepNestingIsAnError: excessive nesting causes an error, not a stack overflow.
func TestDeepNestingIsAnError(t *testing.T) {
	var texts []string
	for _, depth := range []int{10_001, 1_000_000} {
		texts = append(texts,
			strings.Repeat("[", depth), strings.Repeat(`{"data":`, depth), `{"data":`+strings.Repeat("[", depth)+strings.Repeat("]", depth)+`}`,
			`{"unknown":`+strings.Repeat(`{"a":`, depth)+"0"+strings.Repeat("}", depth)+`}`)
	}
	for _, name := range responseTypeNames() {
		for _, text := range texts {
			start := time.Now()
			if err := wire.DecodeString(text, responseTypes[name](), nil); err == nil || time.Since(start) > 20*time.Second {
				t.Errorf("%s: %.20s… of %d bytes: %v after %s", name, text, len(text), err, time.Since(start))
			}
		}
	}
}
