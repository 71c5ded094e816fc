package fake_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/analytics"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/generated/insights"
	"github.com/basiq-sdk/basiq-go/generated/merchants"
	"github.com/basiq-sdk/basiq-go/generated/payees"
	"github.com/basiq-sdk/basiq-go/generated/reporting"
	"github.com/basiq-sdk/basiq-go/transport"
	"github.com/basiq-sdk/basiq-go/transport/value"
)

// TestInsightsFollowTheData: insights compare what the user's accounts, identities and
// transactions say.
func TestInsightsFollowTheData(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithNow(noon))
	c, _ := checked(t, srv)
	ctx, svc := t.Context(), c.Insights.Insights
	user, _ := connected(t, srv, basiqtest.WentworthSmith)
	list, err := c.Data.Accounts.List(ctx, user, data.ListAccountsParams{})
	if err != nil {
		t.Fatal(err)
	}
	account := list.Data[0]
	for input, matches := range map[string]int{account.Number: 1, "1": 0} {
		got, err := svc.VerifyAccount(ctx, user, insights.VerifyAccountParams{AccountNumber: input, AccountType: string(account.Class.Kind)})
		if err != nil || len(got.Data) != len(list.Data) {
			t.Fatalf("%+v, %v", got, err)
		}
		n := 0
		for _, row := range got.Data {
			if *row.AccountNumber.Match {
				n++
				if row.AccountID != account.ID || !*row.AccountType.Match || row.AccountNumber.Confidence != 1 {
					t.Errorf("%+v", row)
				}
			}
		}
		if n != matches {
			t.Errorf("%s matches %d accounts, want %d", input, n, matches)
		}
	}
	above, _ := account.Balance.Add("0.01")
	for _, r := range []struct {
		insights.Range
		match bool
	}{{insights.Range{Min: account.Balance, Max: account.Balance}, true}, {insights.Range{Min: account.Balance}, true}, {insights.Range{Min: above}, false}, {insights.Range{Min: "2", Max: "1"}, false}} {
		got, err := svc.VerifyBalance(ctx, user, insights.VerifyBalanceParams{Balance: r.Range})
		if err != nil || got.Data[0].AccountID != account.ID || *got.Data[0].Balance.Match != r.match || got.Data[0].Balance.Input.Min != r.Min || got.Data[0].Balance.Input.Max != r.Max {
			t.Errorf("%+v: %+v, %v", r, got, err)
		}
	}
	who, err := svc.VerifyIdentity(ctx, user, insights.VerifyIdentityParams{Name: "max wentworth-smith", Phone: "0400000000", Email: "other@example.com"})
	if err != nil || !*who.Data[0].Name.Match || !*who.Data[0].Phones[0].Match || *who.Data[0].Emails[0].Match || who.Data[0].JSON.Present("addresses") {
		t.Errorf("%+v, %v", who, err)
	}
	if rich, err := svc.VerifyIncome(ctx, user, insights.VerifyIncomeParams{Income: insights.Range{Min: "1000000"}}); err != nil || *rich.Data[0].Match {
		t.Errorf("%+v, %v", rich, err)
	}
	bands := map[insights.RatioRange]bool{}
	for _, expense := range []value.Decimal{"1", "2500", "1000000"} {
		ratio, err := svc.VerifyExpenseRatio(ctx, user, insights.VerifyExpenseRatioParams{Expense: expense})
		if err != nil || !ratio.Data[0].Result.Range.Known() {
			t.Fatalf("%+v, %v", ratio, err)
		}
		bands[ratio.Data[0].Result.Range] = true
	}
	if len(bands) != 3 || !bands[insights.RatioRange0To10] || !bands[insights.RatioRangeIncomeExceeded] {
		t.Errorf("%v", bands)
	}

	// All of them can be read again, by kind and by day.
	kinds := map[insights.Kind]int{}
	for v, err := range svc.All(ctx, user, insights.ListInsightsParams{}) {
		if err != nil {
			t.Fatal(err)
		}
		kinds[v.Kind]++
		if again, err := svc.Get(ctx, user, v.ID); err != nil || again.Data.Raw() != v.Data.Raw() {
			t.Errorf("%+v, %v", again, err)
		}
	}
	if fmt.Sprint(kinds) != "map[account:2 balance:4 expense-ratio:3 identity:1 income:1]" {
		t.Error(kinds)
	}
	day := value.DateOf(noon)
	for filter, want := range map[insights.InsightFilter]int{
		insights.InsightFilter{}.Created(day).Kind(insights.KindBalance): 4, insights.InsightFilter{}.CreatedAfter(day): 0, insights.InsightFilter{}.CreatedBetween(day, day): 11,
	} {
		if page, err := svc.List(ctx, user, insights.ListInsightsParams{Filter: filter}); err != nil || page.Count != want || len(page.Data) != want {
			t.Errorf("%s: %+v, %v", filter, page, err)
		}
	}
}

// TestInsightsOfSeveralUsers: only expense ratios combine users, up to ten.
func TestInsightsOfSeveralUsers(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithNow(noon))
	c, _ := checked(t, srv)
	ctx, svc := t.Context(), c.Insights.Insights
	one, _ := connected(t, srv, basiqtest.Gilfoyle)
	two, _ := connected(t, srv, basiqtest.WentworthSmith)
	ratio := insights.NewClaimExpenseRatio(insights.VerifyExpenseRatioParams{Expense: "1500"})
	alone, err := svc.VerifyExpenseRatio(ctx, one, insights.VerifyExpenseRatioParams{Expense: "1500"})
	if err != nil {
		t.Fatal(err)
	}
	both, err := svc.Create(ctx, insights.CreateInsightParams{Users: []string{one, two}, Type: insights.TypeIDExpenseRatio, Data: ratio})
	if err != nil || !slices.Equal(both.Users, []string{one, two}) {
		t.Fatalf("%+v, %v", both, err)
	}
	if rows, ok := both.Data.ExpenseRatios(); !ok || rows[0].Result.Range == alone.Data[0].Result.Range {
		t.Errorf("the second user's income changes nothing: %+v, %+v", rows, alone.Data)
	}
	if _, err := svc.Get(ctx, one, both.ID); err != nil {
		t.Error(err)
	}
	for _, bad := range []struct {
		insights.CreateInsightParams
		want string
	}{
		{insights.CreateInsightParams{Users: []string{one, two}, Type: insights.TypeIDAccount, Data: insights.NewClaimAccount(insights.VerifyAccountParams{AccountNumber: "1"})}, "400 parameter-not-valid"},
		{insights.CreateInsightParams{Users: slices.Repeat([]string{one}, 11), Type: insights.TypeIDExpenseRatio, Data: ratio}, "400 parameter-not-valid"},
		{insights.CreateInsightParams{Users: []string{one}, Type: "OTHER", Data: ratio}, "400 parameter-not-valid"},
		{insights.CreateInsightParams{Users: []string{one}, Type: insights.TypeIDAccount, Data: ratio}, "400 invalid-content"},
		{insights.CreateInsightParams{Users: []string{"nobody"}, Type: insights.TypeIDExpenseRatio, Data: ratio}, "404 resource-not-found"},
	} {
		if _, err := svc.Create(ctx, bad.CreateInsightParams); codeOf(err) != bad.want {
			t.Errorf("%+v: %v, want %s", bad.CreateInsightParams, err, bad.want)
		}
	}
}

// TestInsightsRefuseWhatIsNotValid: the errors that the API documents.
func TestInsightsRefuseWhatIsNotValid(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithTransactions(0))
	c, _ := checked(t, srv)
	ctx, svc := t.Context(), c.Insights.Insights
	user, _ := connected(t, srv, basiqtest.Gilfoyle)
	balance := func(low, high value.Decimal) error {
		_, err := svc.VerifyBalance(ctx, user, insights.VerifyBalanceParams{Balance: insights.Range{Min: low, Max: high}})
		return err
	}
	identity := func(p insights.VerifyIdentityParams) error { _, err := svc.VerifyIdentity(ctx, user, p); return err }
	filtered := func(raw string) error {
		_, err := svc.List(ctx, user, insights.ListInsightsParams{Filter: insights.InsightFilter{}.Raw(raw)})
		return err
	}
	raw := func(path, body string) error {
		return c.Transport.Call(ctx, "POST", "/users/"+user+"/insights/"+path, value.JSON(body), nil)
	}
	for _, bad := range []struct {
		err             error
		want, parameter string
	}{
		{raw("balance", `{"balance":{}}`), "400 parameter-not-valid", "min"},
		{raw("balance", `{"balance":{"min":1,"max":2}}`), "400 invalid-content", ""},
		{balance("much", ""), "400 parameter-not-valid", "min"},
		{balance("1", "much"), "400 parameter-not-valid", "max"},
		{raw("account", `{"accountNumber":123}`), "400 invalid-content", ""},
		{identity(insights.VerifyIdentityParams{Phone: "04xxxxx000"}), "400 parameter-not-valid", "phone"},
		{identity(insights.VerifyIdentityParams{Phone: "12"}), "400 parameter-not-valid", "phone"},
		{identity(insights.VerifyIdentityParams{Email: "max"}), "400 parameter-not-valid", "email"},
		{identity(insights.VerifyIdentityParams{Name: "Max <3"}), "400 parameter-not-valid", "name"},
		{raw("expense-ratio", `{"expense":"-1"}`), "400 parameter-not-valid", "expense"},
		{raw("expense-ratio", `{"expense":"100"}`), "400 invalid-content", ""}, // there are no transactions
		{filtered("created.eq('01/05/2031')"), "400 invalid-content", ""},
		{filtered("created.bt('2031-05-02','2031-05-01')"), "400 invalid-content", ""},
		{filtered("insightType.eq('other')"), "400 invalid-content", ""},
		{filtered("other.eq('1')"), "400 invalid-content", ""},
	} {
		var e *transport.Error
		if codeOf(bad.err) != bad.want || !errors.As(bad.err, &e) || e.Problems[0].Source.Parameter != bad.parameter {
			t.Errorf("%v, want %s (%s)", bad.err, bad.want, bad.parameter)
		}
	}
	if err := identity(insights.VerifyIdentityParams{}); err == nil || codeOf(err) != "" {
		t.Errorf("nothing to verify: %v", err)
	}
	if _, err := svc.Get(ctx, user, "nothing"); !errors.Is(err, transport.ErrNotFound) {
		t.Error(err)
	}
}

// TestRevokedConsentIsReported: what creates something from a user's data fails if the
// consent has ended.
func TestRevokedConsentIsReported(t *testing.T) {
	srv := basiqtest.NewServer(t)
	c, _ := checked(t, srv)
	ctx := t.Context()
	user, _ := connected(t, srv, basiqtest.Gilfoyle)
	if err := srv.RevokeConsent(user); err != nil {
		t.Fatal(err)
	}
	_, verify := c.Insights.Insights.VerifyAccount(ctx, user, insights.VerifyAccountParams{AccountNumber: "1"})
	_, create := c.Insights.Insights.Create(ctx, insights.CreateInsightParams{
		Users: []string{user}, Type: insights.TypeIDAccount, Data: insights.NewClaimAccount(insights.VerifyAccountParams{AccountNumber: "1"}),
	})
	_, report := c.Reporting.Reports.Create(ctx, reporting.CreateReportParams{ReportType: "BUS_AFFOR_01", Title: "Loan", Filters: []reporting.Filter{
		{Name: "fromDate", Value: reporting.NewFilterValueText("2020-01-01")}, {Name: "accounts", Value: reporting.NewFilterValueList([]string{"a"})},
		{Name: "users", Value: reporting.NewFilterValueList([]string{user})},
	}})
	for _, c := range []struct {
		err  error
		want string
	}{{verify, "400 parameter-not-valid"}, {create, "404 resource-not-found"}, {report, "400 parameter-not-valid"}} {
		var e *transport.Error
		if codeOf(c.err) != c.want || !errors.Is(c.err, transport.ErrNoActiveConsent) || !errors.As(c.err, &e) || e.Advice() == "" {
			t.Errorf("%v, want %s", c.err, c.want)
		}
	}
}

// TestPayees: each connection has payees of every kind, in pages that a cursor connects.
func TestPayees(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithTransactions(5), basiqtest.WithNow(noon))
	c, _ := checked(t, srv)
	ctx, svc := t.Context(), c.Payees.Payees
	user, first := connected(t, srv, basiqtest.Gilfoyle)
	if _, err := srv.AddConnection(user, basiqtest.Richard); err != nil {
		t.Fatal(err)
	}
	seen, kinds := map[string]bool{}, map[string]int{}
	for summary, err := range svc.All(ctx, user, payees.ListPayeesParams{Limit: 3}) {
		if err != nil {
			t.Fatal(err)
		}
		seen[summary.ID] = true
		p, err := svc.Get(ctx, user, summary.ID)
		if err != nil || p.Kind != summary.Kind {
			t.Fatalf("%+v, %v", p, err)
		}
		switch {
		case p.Kind == payees.KindDomestic && p.Domestic.Kind == payees.DomesticKindAccount && p.Domestic.Account.BSB != "":
			kinds["account"]++
		case p.Kind == payees.KindDomestic && p.Domestic.Kind == payees.DomesticKindPayID && p.Domestic.PayID.Kind == payees.PayIDKindEmail:
			kinds["PayID"]++
		case p.Kind == payees.KindBiller && p.Biller.CRN != "":
			kinds["biller"]++
		case p.Kind == payees.KindInternational && p.International.Account.BIC != "" && p.International.Beneficiary.Country == "NZ":
			kinds["international"]++
		case p.Kind == payees.KindDigitalWallet && p.DigitalWallet.Provider == payees.WalletProviderPayPal:
			kinds["wallet"]++
		}
	}
	if len(seen) != 20 || fmt.Sprint(kinds) != "map[PayID:4 account:4 biller:4 international:4 wallet:4]" {
		t.Errorf("%d payees: %v", len(seen), kinds)
	}
	newest := value.DateOf(noon.AddDate(0, 0, -30))
	for filter, want := range map[payees.PayeeFilter]int{
		payees.PayeeFilter{}.Kind(payees.KindDomestic): 8, payees.PayeeFilter{}.ConnectionID(first).Kind(payees.KindBiller): 2,
		payees.PayeeFilter{}.CreatedFrom(newest): 2, payees.PayeeFilter{}.CreatedBefore(newest): 18,
	} {
		if page, err := svc.List(ctx, user, payees.ListPayeesParams{Filter: filter, Limit: 500}); err != nil || page.Count != want {
			t.Errorf("%s: %+v, %v", filter, page, err)
		}
	}
	if _, err := svc.List(ctx, user, payees.ListPayeesParams{Limit: 501}); err == nil || codeOf(err) != "" {
		t.Errorf("a limit above 500: %v", err)
	}
	if _, err := svc.Get(ctx, user, "nobody"); codeOf(err) != "404 resource-not-found" {
		t.Error(err)
	}
}

// TestAnalyticsCountTheState: users and connections are counted as they come and go.
func TestAnalyticsCountTheState(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithTransactions(5), basiqtest.WithNow(noon))
	c, _ := checked(t, srv)
	ctx := t.Context()
	connected(t, srv, basiqtest.Gilfoyle)
	srv.Advance(10 * 24 * time.Hour)
	connected(t, srv, basiqtest.Richard.OpenBanking())
	gone := newUser(t, srv)
	srv.Advance(24 * time.Hour)
	if err := c.Core.Users.Delete(ctx, gone); err != nil {
		t.Fatal(err)
	}
	from, to := value.DateOf(noon.AddDate(0, 0, 9)), value.DateOf(noon.AddDate(0, 0, 12))
	users, err := c.Analytics.Users.Get(ctx, analytics.UserParams{Interval: analytics.IntervalDaily, From: from, To: to})
	if err != nil || len(users.Data) != 4 || users.Initial.Created != 1 || users.Data[0].Date != from || users.Interval != analytics.IntervalDaily {
		t.Fatalf("%+v, %v", users, err)
	}
	var got []string
	for _, d := range users.Data {
		got = append(got, fmt.Sprint(d.Created, d.Deleted, d.Active.Total, d.Active.Connected.Total, d.Active.Connected.Distribution.CDR, d.Active.Connected.Distribution.Web))
	}
	if want := []string{"0 0 1 1 0 1", "2 0 3 2 1 1", "0 1 2 2 1 1", "0 0 2 2 1 1"}; !slices.Equal(got, want) {
		t.Errorf("users by day: %q, want %q", got, want)
	}
	web, err := c.Analytics.Users.Get(ctx, analytics.UserParams{Interval: analytics.IntervalAnnually, From: from, To: to, Methods: []analytics.Method{analytics.MethodWeb, analytics.MethodPDF}})
	if err != nil || len(web.Data) != 1 || web.Data[0].Active.Connected.Total != 1 {
		t.Errorf("%+v, %v", web, err)
	}
	connections, err := c.Analytics.Connections.Get(ctx, analytics.ConnectionParams{Interval: analytics.IntervalWeekly, From: value.DateOf(noon), To: to})
	if err != nil || len(connections.Data) != 2 || connections.Data[0].Created.ByMethod.Web != 1 || connections.Data[1].Created.ByMethod.CDR != 1 ||
		connections.Data[1].Existing.Count != 2 || connections.Data[1].Existing.ByMethod.CDR.Successful != 1 || connections.Data[1].Existing.ByStatus.Successful != 2 {
		t.Errorf("%+v, %v", connections, err)
	}
	if _, err := c.Analytics.Connections.Get(ctx, analytics.ConnectionParams{Interval: "hourly"}); codeOf(err) != "400 parameter-not-valid" {
		t.Error(err)
	}
	if _, err := c.Analytics.Users.Get(ctx, analytics.UserParams{Interval: analytics.IntervalDaily, From: to, To: from}); codeOf(err) != "400 parameter-not-valid" {
		t.Error(err)
	}
}

// TestMerchants: merchants are found by name or ABN.
func TestMerchants(t *testing.T) {
	c, _ := checked(t, basiqtest.NewServer(t))
	ctx, svc := t.Context(), c.Merchants.Merchants
	found, err := svc.Search(ctx, merchants.SearchParams{Name: "blue gum"})
	if err != nil || len(found.Data) != 1 || found.Data[0].Suburb != "Paddington" {
		t.Fatalf("%+v, %v", found, err)
	}
	got, err := svc.Get(ctx, found.Data[0].ID)
	if err != nil || got.Business.Name != found.Data[0].Name || got.Category.ANZSIC.Class.Code != "4511" || got.Location.State != "QLD" || got.Links.Logo == "" {
		t.Errorf("%+v, %v", got, err)
	}
	if none, err := svc.Search(ctx, merchants.SearchParams{Name: "blue gum", Suburb: "Perth"}); err != nil || len(none.Data) != 0 || none.Size != 0 {
		t.Errorf("%+v, %v", none, err)
	}
	if _, err := svc.Search(ctx, merchants.SearchParams{Suburb: "Perth"}); codeOf(err) != "400 parameter-not-supplied" {
		t.Error(err)
	}
	if _, err := svc.Get(ctx, "nothing"); codeOf(err) != "404 resource-not-found" {
		t.Error(err)
	}
}

// TestInsightsHavePages: a page has at most 20 insights, newest first.
func TestInsightsHavePages(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithTransactions(5))
	c, _ := checked(t, srv)
	user := newUser(t, srv)
	for i := range 45 {
		if _, err := c.Insights.Insights.VerifyAccount(t.Context(), user, insights.VerifyAccountParams{AccountNumber: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]bool{}
	for v, err := range c.Insights.Insights.All(t.Context(), user, insights.ListInsightsParams{}) {
		if err != nil {
			t.Fatal(err)
		}
		seen[v.ID] = true
	}
	if calls := srv.Calls("insights.Insights.List"); len(seen) != 45 || calls != 3 {
		t.Errorf("%d insights in %d pages", len(seen), calls)
	}
}

// TestPeriodsOfMonthsStartOnTheSameDay: periods that start at the end of a month do not
// skip the months that are shorter.
func TestPeriodsOfMonthsStartOnTheSameDay(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithNow(noon))
	c, _ := checked(t, srv)
	for interval, want := range map[analytics.Interval]string{
		analytics.IntervalMonthly:   "[2023-10-31 2023-11-30 2023-12-31 2024-01-31 2024-02-29 2024-03-31]",
		analytics.IntervalQuarterly: "[2023-10-31 2024-01-31]",
		analytics.IntervalAnnually:  "[2023-10-31]",
	} {
		got, err := c.Analytics.Users.Get(t.Context(), analytics.UserParams{Interval: interval, From: "2023-10-31", To: "2024-04-01"})
		if err != nil {
			t.Fatal(err)
		}
		var days []value.Date
		for _, p := range got.Data {
			days = append(days, p.Date)
		}
		if fmt.Sprint(days) != want {
			t.Errorf("%s: %v, want %s", interval, days, want)
		}
	}
}
