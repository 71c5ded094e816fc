//lint:file-ignore SA1019 deprecated operations are served as well

package fake_test

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"reflect"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/affordability"
	"github.com/basiq-sdk/basiq-go/generated/analytics"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/generated/enrich"
	"github.com/basiq-sdk/basiq-go/generated/insights"
	"github.com/basiq-sdk/basiq-go/generated/merchants"
	"github.com/basiq-sdk/basiq-go/generated/payees"
	"github.com/basiq-sdk/basiq-go/generated/reporting"
	"github.com/basiq-sdk/basiq-go/generated/webhooks"
	"github.com/basiq-sdk/basiq-go/transport"
)

// methodsOf returns the names of the generated methods, with iterators separately.
func methodsOf(client *basiq.Client) (calls, iterators map[string]bool) {
	calls, iterators = map[string]bool{}, map[string]bool{}
	v := reflect.ValueOf(client).Elem()
	for i := range v.NumField() {
		domain := strings.ToLower(v.Type().Field(i).Name)
		if v.Type().Field(i).Type.String() != "*"+domain+".Client" || domain == "transport" {
			continue
		}
		services := v.Field(i).Elem()
		for j := range services.NumField() {
			service := services.Field(j)
			for k := range service.NumMethod() {
				m := service.Type().Method(k)
				id := domain + "." + services.Type().Field(j).Name + "." + m.Name
				if m.Type.NumOut() == 1 && m.Type.Out(0).Kind() == reflect.Func {
					iterators[id] = true
				} else {
					calls[id] = true
				}
			}
		}
	}
	return calls, iterators
}

func isPDF(b *bytes.Buffer, err error) error {
	if err == nil && (!bytes.HasPrefix(b.Bytes(), []byte("%PDF-")) || !bytes.HasSuffix(b.Bytes(), []byte("%%EOF\n"))) {
		err = fmt.Errorf("not a PDF: %.40q", b)
	}
	return err
}

func isCSV(b *bytes.Buffer, err error) error {
	if err == nil && (!strings.HasPrefix(b.String(), "id,account,") || strings.Count(b.String(), "\n") < 10) {
		err = fmt.Errorf("not a CSV table: %.40q", b)
	}
	return err
}

func drain[T any](seq iter.Seq2[*T, error]) error {
	n := 0
	for _, err := range seq {
		if err != nil {
			return err
		}
		n++
	}
	if n == 0 {
		return fmt.Errorf("the list is empty")
	}
	return nil
}

// TestEveryMethod calls every generated method against the server, as an application
// would, and validates each response against the committed snapshots.
func TestEveryMethod(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithTransactions(120))
	c, seen := checked(t, srv)
	ctx := t.Context()
	user, connection := connected(t, srv, basiqtest.WentworthSmith)
	asked, _ := connected(t, srv, basiqtest.Jared.At(basiqtest.PiedPiper))
	gone := ""
	accounts, err := c.Data.Accounts.List(ctx, user, data.ListAccountsParams{})
	if err != nil {
		t.Fatal(err)
	}
	account := accounts.Data[0].ID
	year := affordability.CreateParams{Accounts: []string{account}}
	span := reporting.CreateReportParams{ReportType: "CON_AFFOR_01", Title: "Affordability", Filters: []reporting.Filter{
		{Name: "fromDate", Value: reporting.NewFilterValueText("2000-01-01")}, {Name: "toDate", Value: reporting.NewFilterValueText("2100-01-01")},
		{Name: "accounts", Value: reporting.NewFilterValueList([]string{account})}, {Name: "users", Value: reporting.NewFilterValueList([]string{user})},
	}}
	var snapshot, income, expenses, report, job, identity, transaction, event, consent, webhook, message, insight, payee, merchant string
	var b bytes.Buffer
	reset := func() io.Writer { b.Reset(); return &b }
	receiver := newReceiver(t, 200)

	calls := []struct {
		id string
		do func() error
	}{
		{"core.Auth.CreateToken", func() error {
			v, err := c.Core.Auth.CreateToken(ctx, core.CreateTokenParams{Scope: core.ScopeServer})
			return nonEmpty(v, err)
		}},
		{"core.Users.Create", func() error {
			v, err := c.Core.Users.Create(ctx, core.CreateUserParams{Email: "max@example.com", BusinessName: "Example", BusinessNumber: "1", BusinessAddress: &core.BusinessAddress{Suburb: "Sydney"}})
			if err == nil {
				gone = v.ID
			}
			return nonEmpty(v, err)
		}},
		{"core.Users.Get", func() error { v, err := c.Core.Users.Get(ctx, user); return nonEmpty(v, err) }},
		{"core.Users.Update", func() error {
			v, err := c.Core.Users.Update(ctx, user, core.UpdateUserParams{FirstName: new("Max"), Mobile: new("+61400000000")})
			if err == nil && (v.FirstName != "Max" || v.Email != "max@example.com") {
				err = fmt.Errorf("%+v", v)
			}
			return err
		}},
		{"core.Users.Delete", func() error { return c.Core.Users.Delete(ctx, gone) }},
		{"core.AuthLinks.Create", func() error {
			v, err := c.Core.AuthLinks.Create(ctx, user, core.CreateAuthLinkParams{})
			return nonEmpty(v, err)
		}},
		{"core.AuthLinks.Get", func() error { v, err := c.Core.AuthLinks.Get(ctx, user); return nonEmpty(v, err) }},
		{"core.AuthLinks.Delete", func() error { return c.Core.AuthLinks.Delete(ctx, user) }},
		{"core.Consents.List", func() error {
			v, err := c.Core.Consents.List(ctx, asked)
			if err == nil {
				consent = v.Data[0].ID
			}
			return err
		}},
		{"core.Events.List", func() error {
			v, err := c.Core.Events.List(ctx, core.ListEventsParams{})
			if err == nil {
				event = v.Data[0].ID
			}
			return err
		}},
		{"core.Events.Get", func() error { v, err := c.Core.Events.Get(ctx, event); return nonEmpty(v, err) }},
		{"core.Events.ListTypes", func() error { v, err := c.Core.Events.ListTypes(ctx); return nonEmpty(v, err) }},
		{"core.Events.GetType", func() error { v, err := c.Core.Events.GetType(ctx, "user.created"); return nonEmpty(v, err) }},
		{"data.Connections.List", func() error {
			v, err := c.Data.Connections.List(ctx, user, data.ListConnectionsParams{Filter: data.ConnectionFilter{}.InstitutionID(basiqtest.Hooli)})
			if err == nil && len(v.Data) != 1 {
				err = fmt.Errorf("%d connections", len(v.Data))
			}
			return err
		}},
		{"data.Connections.Get", func() error { v, err := c.Data.Connections.Get(ctx, user, connection); return nonEmpty(v, err) }},
		{"data.Connections.RefreshAll", func() error {
			v, err := c.Data.Connections.RefreshAll(ctx, asked)
			if err == nil {
				job = v.Data[0].ID
			}
			return err
		}},
		{"core.Jobs.Get", func() error { watch(t, c, job); return nil }},
		{"core.Jobs.SubmitMFA", func() error {
			v, err := c.Core.Jobs.SubmitMFA(ctx, job, core.SubmitMFAParams{Answers: []string{"1234"}}, transport.WithUser(asked))
			return nonEmpty(v, err)
		}},
		{"core.Jobs.List", func() error { v, err := c.Core.Jobs.List(ctx, user, core.ListJobsParams{}); return nonEmpty(v, err) }},
		{"data.Connections.Refresh", func() error { v, err := c.Data.Connections.Refresh(ctx, user, connection); return nonEmpty(v, err) }},
		{"data.Accounts.List", func() error {
			v, err := c.Data.Accounts.List(ctx, user, data.ListAccountsParams{Filter: data.AccountFilter{}.ID(account)})
			if err == nil && len(v.Data) != 1 {
				err = fmt.Errorf("%d accounts", len(v.Data))
			}
			return err
		}},
		{"data.Accounts.Get", func() error {
			v, err := c.Data.Accounts.Get(ctx, user, account, data.GetAccountsParams{})
			return nonEmpty(v, err)
		}},
		{"data.Transactions.List", func() error {
			v, err := c.Data.Transactions.List(ctx, user, data.ListTransactionsParams{Limit: 5})
			if err == nil {
				transaction = v.Data[0].ID
			}
			return err
		}},
		{"data.Transactions.Get", func() error { v, err := c.Data.Transactions.Get(ctx, user, transaction); return nonEmpty(v, err) }},
		{"data.Connectors.List", func() error {
			v, err := c.Data.Connectors.List(ctx, data.ListConnectorsParams{})
			return nonEmpty(v, err)
		}},
		{"data.Connectors.Get", func() error {
			v, err := c.Data.Connectors.Get(ctx, basiqtest.Hooli, data.MethodWeb)
			return nonEmpty(v, err)
		}},
		{"data.Statements.Upload", func() error {
			v, err := c.Data.Statements.Upload(ctx, user, data.UploadStatementParams{InstitutionID: basiqtest.ExampleBank, Statement: transport.File{Name: "a.pdf", Content: strings.NewReader("%PDF-")}})
			return nonEmpty(v, err)
		}},
		{"enrich.Enrich.Lookup", func() error {
			v, err := c.Enrich.Enrich.Lookup(ctx, enrich.LookupParams{Text: "GREEN BASKET GROCER", Institution: basiqtest.Hooli, Country: "AU"})
			return nonEmpty(v, err)
		}},
		{"identity.Identities.List", func() error {
			v, err := c.Identity.Identities.List(ctx, user)
			if err == nil {
				identity = v.Data[0].ID
			}
			return err
		}},
		{"identity.Identities.Get", func() error { v, err := c.Identity.Identities.Get(ctx, user, identity); return nonEmpty(v, err) }},
		{"reporting.Reports.ListTypes", func() error { v, err := c.Reporting.Reports.ListTypes(ctx); return nonEmpty(v, err) }},
		{"reporting.Reports.GetType", func() error { v, err := c.Reporting.Reports.GetType(ctx, "CON_AFFOR_01"); return nonEmpty(v, err) }},
		{"reporting.Reports.Create", func() error {
			v, err := c.Reporting.Reports.Create(ctx, span)
			if err == nil {
				report = v.ID
				watch(t, c, report)
			}
			return err
		}},
		{"reporting.Reports.Get", func() error { v, err := c.Reporting.Reports.Get(ctx, report); return nonEmpty(v, err) }},
		{"reporting.Reports.GetPDF", func() error { return isPDF(&b, c.Reporting.Reports.GetPDF(ctx, report, reset())) }},
		{"reporting.Reports.List", func() error { v, err := c.Reporting.Reports.List(ctx); return nonEmpty(v, err) }},
		{"reporting.Reports.All", func() error { return drain(c.Reporting.Reports.All(ctx)) }},
		{"reporting.Reports.ListTransactions", func() error {
			v, err := c.Reporting.Reports.ListTransactions(ctx, report, reporting.ListTransactionsParams{})
			return nonEmpty(v, err)
		}},
		{"reporting.Reports.AllTransactions", func() error {
			return drain(c.Reporting.Reports.AllTransactions(ctx, report, reporting.ListTransactionsParams{}))
		}},
		{"reporting.Reports.Delete", func() error { return c.Reporting.Reports.Delete(ctx, report) }},
		{"affordability.Affordability.Create", func() error {
			v, err := c.Affordability.Affordability.Create(ctx, user, year)
			if err == nil {
				snapshot = v.ID
			}
			return err
		}},
		{"affordability.Affordability.CreatePDF", func() error { return isPDF(&b, c.Affordability.Affordability.CreatePDF(ctx, user, year, reset())) }},
		{"affordability.Affordability.Get", func() error {
			v, err := c.Affordability.Affordability.Get(ctx, user, snapshot)
			return nonEmpty(v, err)
		}},
		{"affordability.Affordability.GetPDF", func() error { return isPDF(&b, c.Affordability.Affordability.GetPDF(ctx, user, snapshot, reset())) }},
		{"affordability.Affordability.List", func() error { v, err := c.Affordability.Affordability.List(ctx, user); return nonEmpty(v, err) }},
		{"affordability.Affordability.ListTransactions", func() error {
			v, err := c.Affordability.Affordability.ListTransactions(ctx, user, snapshot, affordability.ListTransactionsParams{Limit: 7})
			return nonEmpty(v, err)
		}},
		{"affordability.Affordability.AllTransactions", func() error {
			return drain(c.Affordability.Affordability.AllTransactions(ctx, user, snapshot, affordability.ListTransactionsParams{Limit: 7}))
		}},
		{"affordability.Affordability.ListTransactionsCSV", func() error {
			return isCSV(&b, c.Affordability.Affordability.ListTransactionsCSV(ctx, user, snapshot, affordability.ListTransactionsParams{}, reset()))
		}},
		{"affordability.Income.Create", func() error {
			v, err := c.Affordability.Income.Create(ctx, user, year)
			if err == nil {
				income = v.ID
			}
			return err
		}},
		{"affordability.Income.Get", func() error { v, err := c.Affordability.Income.Get(ctx, user, income); return nonEmpty(v, err) }},
		{"affordability.Expenses.Create", func() error {
			v, err := c.Affordability.Expenses.Create(ctx, user, year)
			if err == nil {
				expenses = v.ID
			}
			return err
		}},
		{"affordability.Expenses.Get", func() error { v, err := c.Affordability.Expenses.Get(ctx, user, expenses); return nonEmpty(v, err) }},
		{"affordability.Expenses.GetCSV", func() error { return isCSV(&b, c.Affordability.Expenses.GetCSV(ctx, user, expenses, reset())) }},
		{"insights.Insights.ListTypes", func() error {
			v, err := c.Insights.Insights.ListTypes(ctx)
			if err == nil && (len(v.Data) != 5 || !v.Data[4].SupportsMultipleUsers || v.Data[0].DataSchema.IsZero()) {
				err = fmt.Errorf("%+v", v)
			}
			return err
		}},
		{"insights.Insights.Create", func() error {
			v, err := c.Insights.Insights.Create(ctx, insights.CreateInsightParams{
				Users: []string{user}, Type: insights.TypeIDBalance, Data: insights.NewClaimBalance(insights.VerifyBalanceParams{Balance: insights.Range{Min: "1"}}),
			})
			if err == nil {
				insight = v.ID
			}
			return err
		}},
		{"insights.Insights.Get", func() error {
			v, err := c.Insights.Insights.Get(ctx, user, insight)
			if rows, ok := v.Data.Balances(); err == nil && (!ok || len(rows) == 0 || v.Users[0] != user) {
				err = fmt.Errorf("%+v", v)
			}
			return err
		}},
		{"insights.Insights.VerifyAccount", func() error {
			v, err := c.Insights.Insights.VerifyAccount(ctx, user, insights.VerifyAccountParams{AccountNumber: accounts.Data[0].Number, AccountType: "savings"})
			return nonEmpty(v, err)
		}},
		{"insights.Insights.VerifyBalance", func() error {
			v, err := c.Insights.Insights.VerifyBalance(ctx, user, insights.VerifyBalanceParams{Balance: insights.Range{Min: "0", Max: "10000.50"}})
			return nonEmpty(v, err)
		}},
		{"insights.Insights.VerifyIdentity", func() error {
			v, err := c.Insights.Insights.VerifyIdentity(ctx, user, insights.VerifyIdentityParams{Name: "Max Wentworth-Smith", Email: "someone@example.com", Phone: "0400 000 000", Address: "2 Example Street"})
			return nonEmpty(v, err)
		}},
		{"insights.Insights.VerifyIncome", func() error {
			v, err := c.Insights.Insights.VerifyIncome(ctx, user, insights.VerifyIncomeParams{Income: insights.Range{Min: "1000"}})
			return nonEmpty(v, err)
		}},
		{"insights.Insights.VerifyExpenseRatio", func() error {
			v, err := c.Insights.Insights.VerifyExpenseRatio(ctx, user, insights.VerifyExpenseRatioParams{Expense: "2000"})
			return nonEmpty(v, err)
		}},
		{"insights.Insights.List", func() error {
			v, err := c.Insights.Insights.List(ctx, user, insights.ListInsightsParams{Filter: insights.InsightFilter{}.Kind(insights.KindIncome)})
			if err == nil && len(v.Data) != 1 {
				err = fmt.Errorf("%+v", v)
			}
			return err
		}},
		{"insights.Insights.All", func() error { return drain(c.Insights.Insights.All(ctx, user, insights.ListInsightsParams{})) }},
		{"payees.Payees.List", func() error {
			v, err := c.Payees.Payees.List(ctx, user, payees.ListPayeesParams{Limit: 3, Filter: payees.PayeeFilter{}.Kind(payees.KindInternational).ConnectionID(connection)})
			if err == nil {
				payee = v.Data[0].ID
			}
			return err
		}},
		{"payees.Payees.Get", func() error {
			v, err := c.Payees.Payees.Get(ctx, user, payee)
			if err == nil && (v.Kind != payees.KindInternational || v.International == nil || v.International.Account.Country != "NZ" || v.Domestic != nil) {
				err = fmt.Errorf("%+v", v)
			}
			return err
		}},
		{"payees.Payees.All", func() error { return drain(c.Payees.Payees.All(ctx, user, payees.ListPayeesParams{Limit: 4})) }},
		{"analytics.Users.Get", func() error {
			v, err := c.Analytics.Users.Get(ctx, analytics.UserParams{Interval: analytics.IntervalDaily, Methods: []analytics.Method{analytics.MethodCDR, analytics.MethodWeb}})
			return nonEmpty(v, err)
		}},
		{"analytics.Connections.Get", func() error {
			v, err := c.Analytics.Connections.Get(ctx, analytics.ConnectionParams{Interval: analytics.IntervalMonthly, From: "2020-01-01", To: "2020-12-31"})
			return nonEmpty(v, err)
		}},
		{"merchants.Merchants.Search", func() error {
			v, err := c.Merchants.Merchants.Search(ctx, merchants.SearchParams{Name: "grocer", Suburb: "Fitzroy"})
			if err == nil {
				merchant = v.Data[0].ID
			}
			return err
		}},
		{"merchants.Merchants.Get", func() error { v, err := c.Merchants.Merchants.Get(ctx, merchant); return nonEmpty(v, err) }},
		{"webhooks.Webhooks.Create", func() error {
			v, err := c.Webhooks.Webhooks.Create(ctx, webhooks.WebhookParams{URL: receiver.URL, SubscribedEvents: []string{"user.updated"}})
			if err == nil {
				webhook = v.ID
			}
			return err
		}},
		{"webhooks.Webhooks.Get", func() error { v, err := c.Webhooks.Webhooks.Get(ctx, webhook); return nonEmpty(v, err) }},
		{"webhooks.Webhooks.List", func() error { v, err := c.Webhooks.Webhooks.List(ctx); return nonEmpty(v, err) }},
		{"webhooks.Webhooks.Update", func() error {
			v, err := c.Webhooks.Webhooks.Update(ctx, webhook, webhooks.WebhookParams{URL: receiver.URL, Name: "mine"})
			return nonEmpty(v, err)
		}},
		{"webhooks.Webhooks.SendTestMessage", func() error {
			return c.Webhooks.Webhooks.SendTestMessage(ctx, webhooks.SendTestMessageParams{EventTypeID: "user.updated", Text: "hello"})
		}},
		{"webhooks.Webhooks.ListMessages", func() error {
			v, err := c.Webhooks.Webhooks.ListMessages(ctx, webhook, webhooks.ListMessagesParams{})
			if err == nil {
				message = v.Data[0].ID
			}
			return err
		}},
		{"webhooks.Webhooks.AllMessages", func() error {
			return drain(c.Webhooks.Webhooks.AllMessages(ctx, webhook, webhooks.ListMessagesParams{}))
		}},
		{"webhooks.Webhooks.GetMessage", func() error {
			v, err := c.Webhooks.Webhooks.GetMessage(ctx, webhook, message)
			return nonEmpty(v, err)
		}},
		{"webhooks.Webhooks.Delete", func() error { return c.Webhooks.Webhooks.Delete(ctx, webhook) }},
		{"data.Transactions.All", func() error { return drain(c.Data.Transactions.All(ctx, user, data.ListTransactionsParams{})) }},
		{"data.Connections.Purge", func() error { srv.FinishJobs(); return c.Data.Connections.Purge(ctx, user, connection) }},
		{"data.Connections.Delete", func() error { return c.Data.Connections.Delete(ctx, user, connection) }},
		{"core.Consents.Delete", func() error { return c.Core.Consents.Delete(ctx, asked, consent) }},
	}
	methods, iterators := methodsOf(c)
	if len(methods) != 76 {
		t.Errorf("%d methods, want 76", len(methods))
	}
	for _, call := range calls {
		before := 0
		if methods[call.id] {
			before = srv.Calls(call.id)
		}
		if err := call.do(); err != nil {
			t.Errorf("%s: %v", call.id, err)
		}
		switch {
		case methods[call.id]:
			if srv.Calls(call.id) == before {
				t.Errorf("%s was not called", call.id)
			}
			delete(methods, call.id)
		case iterators[call.id]:
			delete(iterators, call.id)
		default:
			t.Errorf("method %s does not exist", call.id)
		}
	}
	for id := range methods {
		t.Errorf("%s was not called", id)
	}
	for id := range iterators {
		t.Errorf("%s was not called", id)
	}
	if len(seen.seen) != 71 {
		t.Errorf("responses of %d operations were validated, want 71", len(seen.seen))
	}
}

// nonEmpty returns an error if the response is nil or zero.
func nonEmpty[T any](v *T, err error) error {
	if err == nil && (v == nil || reflect.ValueOf(v).Elem().IsZero()) {
		return fmt.Errorf("the response is empty")
	}
	return err
}
