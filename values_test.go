package basiq_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/generated/reporting"
	"github.com/basiq-sdk/basiq-go/generated/webhooks"
)

// TestAnswersDoNotPrintSecrets: the two answers that hold a secret are printed
// without it, and written as JSON with it.
func TestAnswersDoNotPrintSecrets(t *testing.T) {
	text := "canary" + "-secret"
	for _, answer := range []any{new(core.AccessToken), new(webhooks.Webhook)} {
		raw := fmt.Sprintf(`{"access_token":%q,"secret":%[1]q}`, text)
		if err := json.Unmarshal([]byte(raw), answer); err != nil {
			t.Fatal(err)
		}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			if out := fmt.Sprintf(verb, answer); strings.Count(out, "[redacted]") != 1 {
				t.Errorf("%s of %T prints %s", verb, answer, strings.ReplaceAll(out, text, "the secret"))
			}
		}
		if out, err := json.Marshal(answer); err != nil || !strings.Contains(string(out), text) {
			t.Errorf("%T loses the secret as JSON: %v", answer, err)
		}
	}
}

// TestAbsentNullAndEmpty: the API tells three things apart in a report's
// filter, and so can a caller.
func TestAbsentNullAndEmpty(t *testing.T) {
	null := reporting.Filter{Name: "includeMetrics"}
	null.JSON.SetNull("value")
	for _, c := range []struct {
		filter reporting.Filter
		want   string
	}{
		{reporting.Filter{Name: "includeMetrics"}, `{"name":"includeMetrics"}`},
		{null, `{"name":"includeMetrics","value":null}`},
		{reporting.Filter{Name: "includeMetrics", Value: reporting.NewFilterValueList(nil)}, `{"name":"includeMetrics","value":[]}`},
		{reporting.Filter{Name: "users", Value: reporting.NewFilterValueList([]string{"a", "b"})}, `{"name":"users","value":["a","b"]}`},
		{reporting.Filter{Name: "fromDate", Value: reporting.NewFilterValueText("2031-05-06")}, `{"name":"fromDate","value":"2031-05-06"}`},
	} {
		got, err := json.Marshal(c.filter)
		if err != nil || string(got) != c.want {
			t.Errorf("got %s, %v; want %s", got, err, c.want)
		}
		var back reporting.Filter
		if err := json.Unmarshal(got, &back); err != nil {
			t.Fatal(err)
		}
		if again, err := json.Marshal(back); err != nil || string(again) != c.want {
			t.Errorf("read back, it is %s, %v; want %s", again, err, c.want)
		}
	}
}

// TestOtherSpellings: answers spell open banking in two ways, callers compare
// with one.
func TestOtherSpellings(t *testing.T) {
	for text, want := range map[string]data.Method{
		"open-banking": data.MethodOpenBanking, "openbanking": data.MethodOpenBanking, "web": data.MethodWeb, "new": "new",
	} {
		var connection data.Connection
		if err := json.Unmarshal([]byte(`{"method":"`+text+`"}`), &connection); err != nil || connection.Method != want {
			t.Errorf("%s is read as %q, %v; want %q", text, connection.Method, err, want)
		}
	}
}

// TestVariantsMadeByHand: what is made as one shape of a value is read as it.
func TestVariantsMadeByHand(t *testing.T) {
	made := reporting.NewFindingsAffordability(reporting.AffordabilityFindings{})
	if _, ok := made.Affordability(); !ok {
		t.Errorf("findings: %s", made.Raw())
	}
	result := core.NewStepResultMFA(core.MFAChallenge{Description: "?"})
	if q, ok := result.MFA(); !ok || q.Description != "?" || q.Type != "mfa" {
		t.Errorf("a question: %s", result.Raw())
	}
	connection := core.NewEventSubjectConnection(core.EventConnection{ID: "c-1"})
	if c, ok := connection.Connection(); !ok || c.ID != "c-1" {
		t.Errorf("a connection: %s", connection.Raw())
	}
}
