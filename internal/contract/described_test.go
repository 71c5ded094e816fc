package contract_test

import (
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/generated/insights"
	"github.com/basiq-sdk/basiq-go/transport"
	"github.com/basiq-sdk/basiq-go/transport/value"
)

// described has responses in the forms that Basiq's newer descriptions show in their
// examples or state in their texts, also where they contradict their own schemas. The
// values are made up.
var described = map[string][]string{
	"insights.Insights.VerifyAccount": {
		// A match whose confidence is 0, a row that repeats the ID of another one, and an ID that is not a UUID.
		`{"type":"insight","id":"7f4b2a10-0000-4000-8000-000000000001","created":"2025-10-13T04:05:06Z","insightType":"account","data":[
			{"accountId":"acc-1","accountNumber":{"input":"100000001","match":true,"confidence":0.0},"accountType":{"input":"savings","match":true,"confidence":1}},
			{"accountId":"acc-1","accountNumber":{"input":"100000001","match":false,"confidence":0},"accountType":{"input":"saving","match":false,"confidence":0}},
			{"accountId":"acc-2","accountNumber":{"input":"100000001","match":false,"confidence":0.25}}],
			"links":{"self":"https://au-api.basiq.io/users/u-1/insights/i-1"}}`,
		`{"type":"insight","id":"i-1","created":"2025-10-13T04:05:06Z","insightType":"account","data":[],"links":{"self":"/users/u-1/insights/i-1"}}`,
	},
	"insights.Insights.VerifyBalance": {
		// Without a maximum, the echo has an empty one; the announced name of the result is balance.
		`{"type":"insight","id":"i-1","created":"2025-10-13T04:05:06.123Z","insightType":"balance","data":[
			{"accountId":"acc-1","accountNumber":{"input":{"min":"100.50","max":""},"match":true,"confidence":1}},
			{"accountId":"acc-2","balance":{"input":{"min":"100.50","max":"200"},"match":false,"confidence":0.0}},
			{"accountId":"acc-3","balance":{"input":{"min":"100.50"},"match":null,"confidence":0}}],
			"links":{"self":"/users/u-1/insights/i-1"}}`,
	},
	"insights.Insights.VerifyIdentity": {
		// The examples have lists, or a name only. The schema has one of each.
		`{"type":"insight","id":"i-1","created":"2025-10-13T04:05:06Z","insightType":"identity","data":[
			{"name":{"input":"Max Example","match":true,"confidence":0.0},"phones":[{"input":"0400000000","match":true,"confidence":1}],
			 "emails":[{"input":"max@example.com","match":false,"confidence":0},{"input":"max@example.com","match":true,"confidence":1}],
			 "addresses":[{"input":"1 Example Street","match":false,"confidence":0.4}]},
			{"name":{"input":"Max Example","match":false,"confidence":0}}],"links":{"self":"/users/u-1/insights/i-1"}}`,
		`{"type":"insight","id":"i-1","created":"2025-10-13T04:05:06Z","insightType":"identity","data":[
			{"name":{"input":"Max Example","match":true,"confidence":1},"phone":{"input":"0400000000","match":true,"confidence":1},
			 "email":{"input":"max@example.com","match":false,"confidence":0},"address":{"input":"1 Example Street","match":true,"confidence":0.9}}],
			"links":{"self":"/users/u-1/insights/i-1"}}`,
	},
	"insights.Insights.VerifyIncome": {
		`{"insightType":"income","data":[{"input":{"min":"1000","max":""},"match":true,"confidence":1}]}`,
		// With the members of the other insights, which the schema lacks.
		`{"type":"insight","id":"i-1","created":"2025-12-16T04:05:06Z","insightType":"income","data":[{"input":{"min":"1000","max":"2000"},"match":false,"confidence":0.5}],
			"links":{"self":"/users/u-1/insights/i-1"}}`,
	},
	"insights.Insights.VerifyExpenseRatio": {
		`{"type":"insight","id":"i-1","created":"2026-01-27T04:05:06Z","insightType":"expense-ratio","data":[
			{"input":{"expense":"1500"},"result":{"range":"20% to 30%"}},{"input":{"expense":"1500.75"},"result":{"range":"Income Exceeded"}},
			{"input":{"expense":"1"},"result":{"range":"another range"}}],"links":{"self":"/users/u-1/insights/i-1"}}`,
	},
	"insights.Insights.Create": {
		`{"type":"insight","id":"i-1","created":"2026-05-06T04:05:06Z","users":["u-1","u-2"],"insightType":"expense-ratio",
			"data":[{"input":{"expense":"1500"},"result":{"range":"90% to 100%"}}],"links":{"self":"/users/u-1/insights/i-1"}}`,
		// An income, which the schema of this response leaves out.
		`{"type":"insight","id":"i-1","created":"2026-05-06T04:05:06Z","users":["u-1"],"insightType":"income",
			"data":[{"input":{"min":"1000","max":""},"match":true,"confidence":1}],"links":{"self":"/users/u-1/insights/i-1"}}`,
	},
	"insights.Insights.Get": {
		// What could not be verified is null, with an error; an input may be an object.
		`{"type":"insight","id":"insight-123","created":"2025-09-18T04:05:06Z","insightType":"account","data":[
			{"accountId":"acc-1","accountNumber":{"input":"100000001","match":null,"error":"The institution does not share it."},
			 "accountType":{"input":{"type":"savings"},"match":true,"confidence":1}},{"accountId":"acc-2"}],"links":{"self":"/users/u-1/insights/i-1"}}`,
		`{"type":"insight","id":"insight-124","created":"2025-09-18T04:05:06Z","insightType":"balance","data":[
			{"accountId":"acc-1","accountNumber":{"input":{"min":"1","max":"2"},"match":true,"confidence":0.0}},
			{"accountId":"acc-1","balance":{"input":{"min":"1","max":"2"},"match":null,"confidence":0}},{"accountId":"acc-2"}],"links":{"self":"/users/u-1/insights/i-1"}}`,
		`{"type":"insight","id":"insight-125","created":"2025-09-18T04:05:06Z","insightType":"identity","data":[
			{"name":{"input":"Max Example","match":true,"confidence":0.0},"phones":[],"emails":[{"input":"max@example.com"}],"addresses":[{"input":{"line":"1 Example Street"},"match":false}]},{}],
			"links":{"self":"/users/u-1/insights/i-1"}}`,
		`{"type":"insight","id":"i-1","created":"2026-09-18T04:05:06Z","insightType":"a-new-kind","data":[{"anything":[1,2.50,null]}],"links":{"self":"/users/u-1/insights/i-1"}}`,
	},
	"insights.Insights.List": {
		// Earlier versions also sent size.
		`{"type":"list","count":22,"size":20,"data":[{"type":"insight","id":"i-1","created":"2025-09-18T04:05:06Z","insightType":"income",
			"data":[{"input":{"min":"1","max":"2"},"match":false,"confidence":0}],"links":{"self":"/i-1"}},
			{"type":"insight","id":"i-2","created":"2025-09-18T04:05:06Z","insightType":"balance","data":[],"users":["u-1"],"links":{"self":"/i-2"}}],
			"links":{"self":"/users/u-1/insights","prev":"/users/u-1/insights"}}`,
	},
	"insights.Insights.ListTypes": {
		`{"type":"list","count":2,"data":[
			{"type":"insightType","id":"EXPENSE_RATIO_VERIFICATION","supportMultipleUsers":true,"name":"Expense ratio","description":"Relates expenses to income.",
			 "dataSchema":{"type":"object","properties":{"expense":{"type":"string"}},"required":["expense"]}},
			{"type":"insightType","id":"ANOTHER_VERIFICATION","supportMultipleUsers":false,"name":"Another","description":"","dataSchema":{}}]}`,
	},
	"payees.Payees.List": {
		// A size that is the limit, a next page although all rows are there, and IDs that are not UUIDs.
		`{"type":"list","count":2,"size":25,"data":[
			{"type":"payee","id":"payee-001","nickname":"Sam","description":"Rent","payeeType":"domestic","connectionId":"conn-123","createdDate":"2024-01-15T10:30:00Z","links":{"self":"/users/user-123/payees/payee-001"}},
			{"type":"payee","id":"payee-002","payeeType":"a-new-kind","links":{"self":"/users/user-123/payees/payee-002"}}],
			"links":{"self":"/users/user-123/payees?limit=25","next":"/users/user-123/payees?limit=25&cursor=abc"}}`,
	},
	"payees.Payees.Get": {
		`{"type":"payee","id":"payee-001","nickname":"Sam","payeeType":"domestic","connectionId":"conn-123","createdDate":"2024-04-15T10:30:00Z",
			"domestic":{"payeeAccountUType":"payId","payId":{"name":"Sam Example","identifier":"sam@example.com","type":"EMAIL"}},"links":{"self":"/p"}}`,
		`{"type":"payee","id":"p","payeeType":"domestic","domestic":{"payeeAccountUType":"account","account":{"bsb":"000000","accountNumber":"100000001","accountName":"Sam Example"}},"links":{"self":"/p"}}`,
		`{"type":"payee","id":"p","payeeType":"biller","biller":{"billerCode":"12345","crn":"100000001","billerName":"Example Energy"},"links":{"self":"/p"}}`,
		`{"type":"payee","id":"p","payeeType":"international","international":{"beneficiaryDetails":{"name":"Kim Example","country":"NZ","message":"Rent"},
			"bankDetails":{"country":"NZ","accountNumber":"NZ00EXAM0000","beneficiaryBankBIC":"EXAMNZ2A","routingNumber":"0","bankAddress":"Auckland"}},"links":{"self":"/p"}}`,
		`{"type":"payee","id":"p","payeeType":"digitalWallet","digitalWallet":{"name":"Market","identifier":"Market","type":"CONTACT_NAME","provider":"Other"},"links":{"self":"/p"}}`,
		`{"type":"payee","id":"p","payeeType":"domestic","links":{"self":"/p"}}`,
		`{"type":"payee","id":"p","payeeType":"a-new-kind","a-new-kind":{"number":1},"links":{"self":"/p"}}`,
	},
	"analytics.Users.Get": {
		// billable was declared as an object without members, and then removed.
		`{"interval":"monthly","fromDate":"2025-01-01","toDate":"2025-02-28","meta":{"totalRecords":2,"page":1,"pageSize":50},"initial":{"created":3,"deleted":1},"data":[
			{"date":"2025-01-01","created":2,"deleted":0,"active":{"total":4,"connected":{"total":3,"distribution":{"CDR":2,"WEB":1,"PDF":0,"CSV":0}}},"billable":null},
			{"date":"2025-02-01","billable":{"total":5}}]}`,
		`{}`,
	},
	"analytics.Connections.Get": {
		// The name methodDistribution has two shapes.
		`{"interval":"quarterly","fromDate":"2025-01-01","toDate":"2025-03-31","meta":{"totalRecords":1,"page":1,"pageSize":50},
			"initial":{"created":{"count":3,"methodDistribution":{"CDR":2,"CSV":0,"PDF":0,"WEB":1}}},"data":[
			{"date":"2025-Q1","disruptionRate":"12.5%","created":{"count":1,"methodDistribution":{"CDR":1,"CSV":0,"PDF":0,"WEB":0}},
			 "nonDeleted":{"count":4,"statusDistribution":{"successful":3,"pending":0,"failed":1},
			 "methodDistribution":{"CDR":{"successful":2,"pending":0,"failed":1},"CSV":{},"PDF":{"successful":0},"WEB":{"successful":1,"pending":0,"failed":0}}}}]}`,
	},
	"merchants.Merchants.Search": {
		`{"type":"list","size":1,"data":[{"merchantName":"Example Grocer","merchantId":"m-1","matchScore":0.97,"suburb":null,"state":"VIC","country":"Australia","abn":"00000000000","entityType":"Sole Trader"}],
			"links":{"self":"/merchants?abn=00000000000"}}`,
	},
	"merchants.Merchants.Get": {
		`{"source":"abr","merchant":{"id":"m-1","businessName":"Example Grocer","phoneNumber":{"local":"(02) 0000 0000"}},
			"category":{"matchType":"merchantPartial","matchScore":0.5,"anzsic":{"subclass":{"code":"4110","title":"Supermarket"}}},
			"location":{"geometry":{"lat":"-33.86","lng":"151.20"}},"links":{"self":"/merchants/m-1","logo-master":null,"logo-thumb":null}}`,
	},
}

// describedErrors has errors in the same forms.
var describedErrors = []struct {
	status          int
	body            string
	code, parameter string
	kind            error
}{
	{400, `{"type":"list","correlationId":"c-1","data":[{"type":"error","code":"parameter-not-valid","title":"Invalid","detail":"Empty","source":{"pointer":"balance/min","parameter":"min"}}]}`,
		"parameter-not-valid", "min", transport.ErrInvalidParameter},
	{400, `{"type":"list","correlationId":"c-1","data":[{"type":"error","code":"parameter-not-valid","title":"Invalid","detail":"Expense","source":{"pointer":"expense-ratio","parameter":"expense"}}]}`,
		"parameter-not-valid", "expense", transport.ErrInvalidParameter},
	{400, `{"type":"list","correlationId":"c-1","data":[{"type":"error","code":"invalid-content","title":"Invalid","detail":"Numbers are not accepted"}]}`,
		"invalid-content", "", transport.ErrInvalidParameter},
	{400, `{"type":"list","correlationId":"c-1","data":[{"type":"error","code":"parameter-not-valid","source":{"parameter":"payeeId"}}]}`,
		"parameter-not-valid", "payeeId", transport.ErrInvalidParameter},
	{401, `{"type":"list","correlationId":"c-1","data":[{"type":"error","code":"access-denied","title":"Denied","detail":"Token is invalid or expired","source":null}]}`,
		"access-denied", "", transport.ErrTokenExpired},
	{401, `{"type":"list","correlationId":"c-1","data":[{"type":"error","code":"unauthorized"}]}`, "unauthorized", "", transport.ErrUnauthorized},
	{403, `{"type":"list","correlationId":"c-1","data":[{"type":"error","code":"access-denied","title":"Denied","detail":"Missing scopes: bank:accounts.basic:read"}]}`,
		"access-denied", "", transport.ErrForbidden},
	{404, `{"type":"list","correlationId":"c-1","data":[{"type":"error","code":"resource-not-found","title":"Not found","detail":"No active consent for the user"}]}`,
		"resource-not-found", "", transport.ErrNoActiveConsent},
}

// TestDescribedExamples decodes responses in the forms that the descriptions show, and
// encodes them again, which must result in the same values.
func TestDescribedExamples(t *testing.T) {
	tested := 0
	for _, d := range domains {
		if d.name != "analytics" && d.name != "insights" && d.name != "merchants" && d.name != "payees" {
			continue
		}
		p, client := newPeer(t, filepath.Join("..", "..", "specs", d.name+".yml"))
		eachMethod(d.client(client), func(name string, method reflect.Value) {
			if strings.Contains(method.Type().Out(0).String(), "iter.Seq2") {
				return
			}
			p.override = nil
			bodies := described[d.name+"."+name]
			if len(bodies) == 0 {
				t.Errorf("%s.%s has no example", d.name, name)
			}
			for _, body := range bodies {
				tested++
				p.override = []byte(body)
				out := method.Call(arguments(method, io.Discard))
				if err := out[1]; !err.IsNil() {
					t.Errorf("%s: %v\n%s", name, err, body)
					continue
				}
				got, err := json.Marshal(out[0].Interface())
				if err != nil || !sameValues(t, got, p.override) {
					t.Errorf("%s: the example changes when decoded and encoded (%v):\n got %s\nwant %s", name, err, got, body)
				}
			}
		})
	}
	for _, c := range describedErrors {
		p, client := newPeer(t, filepath.Join("..", "..", "specs", "insights.yml"))
		p.status, p.override = c.status, []byte(c.body)
		_, err := insights.New(client).Insights.VerifyExpenseRatio(t.Context(), "u-1", insights.VerifyExpenseRatioParams{Expense: "1"})
		tested++
		e, ok := err.(*transport.Error)
		if !ok || e.Status != c.status || e.Code() != c.code || e.Problems[0].Source.Parameter != c.parameter || !e.Is(c.kind) {
			t.Errorf("%d %s: got %v", c.status, c.body, err)
		}
	}
	t.Logf("%d examples", tested)
}

// sameValues is sameJSON, but 0.0 is 0: a float does not keep its text.
func sameValues(t *testing.T, a, b []byte) bool {
	t.Helper()
	var x, y any
	if err := errors.Join(json.Unmarshal(a, &x), json.Unmarshal(b, &y)); err != nil {
		t.Error(err)
	}
	return reflect.DeepEqual(x, y)
}

// TestInsightsReadEitherForm checks what the types make of the two forms of insights:
// the response to a request, and that of a later read.
func TestInsightsReadEitherForm(t *testing.T) {
	read := func(name string, i int) (out insights.Insight) {
		if err := json.Unmarshal([]byte(described["insights.Insights."+name][i]), &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	for i, name := range []string{"VerifyBalance", "Get"} {
		rows, ok := read(name, i).Data.Balances()
		if !ok || len(rows) != 3 || rows[0].Balance.Match == nil || !*rows[0].Balance.Match || rows[1].Balance.Input.Max != either[value.Decimal]("200", "2", i) {
			t.Errorf("%s: balances: %+v", name, rows)
		}
		if _, other := read(name, i).Data.Accounts(); other {
			t.Errorf("%s: balances are read as accounts", name)
		}
	}
	for i := range 2 {
		var v insights.IdentityInsight
		if err := json.Unmarshal([]byte(described["insights.Insights.VerifyIdentity"][i]), &v); err != nil {
			t.Fatal(err)
		}
		row := v.Data[0]
		input, text := row.Phones[0].Input.Text()
		if !text || input != "0400000000" || !*row.Phones[0].Match || len(row.Addresses) != 1 || *row.Emails[0].Match {
			t.Errorf("identities: %+v", row)
		}
	}
	rows, _ := read("Get", 0).Data.Accounts()
	if rows[0].AccountNumber.Match != nil || rows[0].AccountNumber.Error == "" || rows[1].AccountNumber.Match != nil {
		t.Errorf("accounts that could not be verified: %+v", rows)
	}
	if object, ok := rows[0].AccountType.Input.Object(); !ok || object.String() != `{"type":"savings"}` {
		t.Errorf("an input with members: %s", rows[0].AccountType.Input.Raw())
	}
	ratios, ok := read("Create", 0).Data.ExpenseRatios()
	if !ok || ratios[0].Result.Range != insights.RatioRange90To100 || ratios[0].Input.Expense != "1500" {
		t.Errorf("expense ratios: %+v", ratios)
	}
	if incomes, ok := read("Create", 1).Data.Incomes(); !ok || incomes[0].Input.Min != "1000" {
		t.Errorf("incomes: %+v", incomes)
	}
	if unknown := read("Get", 3); unknown.Kind.Known() || unknown.Data.Raw().IsZero() {
		t.Errorf("an unknown kind: %+v", unknown)
	}
}

func either[T ~string](first, second T, i int) T {
	if i == 0 {
		return first
	}
	return second
}
