//lint:file-ignore SA1019 deprecated parts are tested, too

package basiq_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/affordability"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/generated/identity"
	"github.com/basiq-sdk/basiq-go/generated/reporting"
	"github.com/basiq-sdk/basiq-go/generated/webhooks"
	"github.com/basiq-sdk/basiq-go/transport"
)

// TestResponsesDoNotPrintSecrets checks that the two types with a secret print
// a placeholder for it, and encode it as JSON.
func TestResponsesDoNotPrintSecrets(t *testing.T) {
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
			t.Errorf("%T without its secret in JSON: %v", answer, err)
		}
	}
}

// TestAbsentNullAndEmpty checks that absent, null and empty filter values
// remain distinct.
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
			t.Errorf("decoded and encoded: %s, %v; want %s", again, err, c.want)
		}
	}
}

// TestEnumSpellings checks that both spellings of open banking in responses are
// decoded as one value.
func TestEnumSpellings(t *testing.T) {
	for text, want := range map[string]data.Method{
		"open-banking": data.MethodOpenBanking, "openbanking": data.MethodOpenBanking, "web": data.MethodWeb, "new": "new",
	} {
		var connection data.Connection
		if err := json.Unmarshal([]byte(`{"method":"`+text+`"}`), &connection); err != nil || connection.Method != want {
			t.Errorf("%s is read as %q, %v; want %q", text, connection.Method, err, want)
		}
	}
}

// TestMembersOfNewerDescriptions checks the members that later descriptions of the
// API add, and lists that they declare to be null.
func TestMembersOfNewerDescriptions(t *testing.T) {
	for class := range strings.FieldsSeq("transaction savings credit-card mortgage loan investment term-deposit insurance foreign unknown") {
		if !data.AccountKind(class).Known() {
			t.Errorf("the kind of account %s is not known", class)
		}
	}
	const account = `{"type":"account","id":"a-1","name":"","displayName":"Everyday Saver","meta":{"fees":[{"name":"monthly","discounts":null}],` +
		`"depositRates":[{"rate":"4.35","tiers":null}],"lendingRates":[{"rate":"6.19","tiers":null},{"rate":"6.29","tiers":[{"name":"first"}]}]}}`
	var a data.Account
	if err := json.Unmarshal([]byte(account), &a); err != nil {
		t.Fatal(err)
	}
	if a.DisplayName != "Everyday Saver" || a.Name != "" || a.Details == nil {
		t.Fatalf("%+v", a)
	}
	fee, deposit, lending := a.Details.Fees[0], a.Details.DepositRates[0], a.Details.LendingRates
	if fee.Discounts != nil || !fee.JSON.Null("discounts") || deposit.Tiers != nil || !deposit.JSON.Null("tiers") || !lending[0].JSON.Null("tiers") || len(lending[1].Tiers) != 1 {
		t.Errorf("%+v %+v %+v", fee, deposit, lending)
	}
	const person = `{"type":"identity","id":"i-1","source":"open-banking","physicalAddresses":[{"type":"residential","paf":{"dpid":"123",` +
		`"thoroughfareNumber1":1,"streetName":"Example","streetType":"ST","postalDeliveryNumber":7,"localityName":"Sydney","postcode":"2000","state":"NSW"}},{"paf":null}]}`
	var i identity.Identity
	if err := json.Unmarshal([]byte(person), &i); err != nil {
		t.Fatal(err)
	}
	postal := i.PhysicalAddresses[0].Postal
	if i.Source != identity.SourceOpenBanking || postal == nil || postal.DPID != "123" || postal.ThoroughfareNumber1 != 1 || postal.PostalDeliveryNumber != 7 || i.PhysicalAddresses[1].Postal != nil {
		t.Errorf("%+v, postal %+v", i, postal)
	}
	for want, v := range map[string]any{account: a, strings.Replace(person, "open-banking", "openbanking", 1): i} {
		if got, err := json.Marshal(v); err != nil || len(got) != len(want) {
			t.Errorf("decoded and encoded: %s, %v; want %s", got, err, want)
		}
	}
	// reportSubType was announced without a place in the request, and can be sent.
	params := reporting.CreateReportParams{ReportType: basiq.ReportTypeAffordability, Title: "Loan 42"}
	params.JSON.Set("reportSubType", json.RawMessage(`"Income"`))
	if got, err := json.Marshal(params); err != nil || !strings.Contains(string(got), `"reportSubType":"Income"`) {
		t.Errorf("%s, %v", got, err)
	}
}

// TestVariantConstructors checks that a value constructed as one variant is
// read as that variant.
func TestVariantConstructors(t *testing.T) {
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

// TestParametersAreValidatedLocally checks that parameters that the API
// documents as invalid are rejected before a request is sent, and that valid
// ones are sent.
func TestParametersAreValidatedLocally(t *testing.T) {
	srv := basiqtest.NewServer(t)
	client := srv.Client(t)
	user, err := srv.AddUser("max@example.com")
	if err != nil {
		t.Fatal(err)
	}
	list := func(limit int) error {
		_, err := client.Data.Transactions.List(t.Context(), user, data.ListTransactionsParams{Limit: limit})
		return err
	}
	var missing *transport.MissingError
	for _, p := range []core.CreateUserParams{{}, {FirstName: "Max", LastName: "Smith"}} {
		if _, err := client.Core.Users.Create(t.Context(), p); !errors.As(err, &missing) || missing.Name != "email or mobile" {
			t.Errorf("a user without email and mobile: %v", err)
		}
	}
	if _, err := client.Core.Users.Create(t.Context(), core.CreateUserParams{Email: "max@example.com", BusinessNumber: "83914571673"}); !errors.As(err, &missing) || missing.Name != "businessName" {
		t.Errorf("a user with a business number and no business name: %v", err)
	}
	for name, call := range map[string]func(int) error{
		"data.Transactions.List": list,
		"data.Transactions.All": func(limit int) error {
			for _, err := range client.Data.Transactions.All(t.Context(), user, data.ListTransactionsParams{Limit: limit}) {
				return err
			}
			return nil
		},
		"webhooks.Webhooks.ListMessages": func(limit int) error {
			_, err := client.Webhooks.Webhooks.ListMessages(t.Context(), "w-1", webhooks.ListMessagesParams{Limit: limit})
			return err
		},
		"affordability.Affordability.ListTransactions": func(limit int) error {
			_, err := client.Affordability.Affordability.ListTransactions(t.Context(), user, "s-1", affordability.ListTransactionsParams{Limit: limit})
			return err
		},
	} {
		for _, limit := range []int{501, -1, math.MaxInt} {
			var beyond *transport.RangeError
			if err := call(limit); !errors.As(err, &beyond) || beyond.Name != "limit" || beyond.Value != limit || beyond.Most != 500 {
				t.Errorf("%s of %d: %v", name, limit, err)
			}
		}
	}
	if n := srv.Calls(""); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
	for _, limit := range []int{0, 1, 500} {
		if err := list(limit); err != nil {
			t.Errorf("a limit of %d: %v", limit, err)
		}
	}
	set := core.CreateUserParams{}
	if err := set.JSON.Set("email", json.RawMessage(`"max@example.com"`)); err != nil {
		t.Fatal(err)
	}
	for _, p := range []core.CreateUserParams{{Email: "max@example.com"}, {Mobile: "+61400000000"}, set, {Email: "max@example.com", BusinessNumber: "83914571673", BusinessName: "Max Smith"}} {
		if _, err := client.Core.Users.Create(t.Context(), p); err != nil {
			t.Errorf("%+v: %v", p, err)
		}
	}
}

// TestEmbeddedTypes checks the two alternatives to embedding that the package
// documentation recommends.
func TestEmbeddedTypes(t *testing.T) {
	type named struct {
		User core.User
		Tier string
	}
	user := core.User{ID: "u-1"}
	whole, err := json.Marshal(named{user, "gold"})
	if err != nil {
		t.Fatal(err)
	}
	var back named
	if err := json.Unmarshal(whole, &back); err != nil || back.Tier != "gold" || back.User.ID != "u-1" {
		t.Errorf("%s came back as %+v, %v", whole, back, err)
	}
	if err := user.JSON.Set("tier", json.RawMessage(`"gold"`)); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(user)
	var again core.User
	if err != nil || json.Unmarshal(text, &again) != nil || !again.JSON.Present("tier") || !strings.Contains(string(text), `"tier":"gold"`) {
		t.Errorf("%s, %v", text, err)
	}
}

// TestLongReportTitlesAreRejected checks that a title of more than 50 characters, not
// bytes, is rejected before a request is sent.
func TestLongReportTitlesAreRejected(t *testing.T) {
	srv := basiqtest.NewServer(t)
	client := srv.Client(t)
	create := func(title string) error {
		_, err := client.Reporting.Reports.Create(t.Context(), reporting.CreateReportParams{
			ReportType: "CON_AFFOR_01", Title: title, Filters: []reporting.Filter{{Name: "fromDate"}},
		})
		return err
	}
	var beyond *transport.RangeError
	if err := create(strings.Repeat("é", 51)); !errors.As(err, &beyond) || beyond.Name != "title" || beyond.Value != 51 || beyond.Most != 50 {
		t.Errorf("51 characters: %v", err)
	} else {
		wantText(t, err.Error(), "title has 51 characters", "the maximum is 50")
	}
	if n := srv.Calls(""); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
	if err := create(strings.Repeat("é", 50)); errors.As(err, &beyond) {
		t.Errorf("50 characters: %v", err)
	}
}
