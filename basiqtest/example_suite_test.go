package basiqtest_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/generated/insights"
	"github.com/basiq-sdk/basiq-go/generated/webhooks"
	"github.com/basiq-sdk/basiq-go/transport"
	"github.com/basiq-sdk/basiq-go/transport/value"
	"github.com/basiq-sdk/basiq-go/webhook"
)

// This file is an example of a test suite: that of a lender who decides about loans. The
// tests give customers the data that each decision is about.

// decide is the code under test. It returns why a customer is declined, or "" if the
// customer gets a loan.
func decide(ctx context.Context, client *basiq.Client, userID string, today time.Time) (reason string, err error) {
	accounts, err := client.Data.Accounts.List(ctx, userID, data.ListAccountsParams{})
	if err != nil {
		return "", err
	}
	var ids []string
	for _, a := range accounts.Data {
		if a.Status == data.AccountStatusAvailable {
			ids = append(ids, a.ID)
		}
	}
	if len(ids) == 0 {
		return "no accounts", nil
	}
	report, err := client.CreateReport(ctx, basiq.AffordabilityReport{
		Title: "Loan", From: value.DateOf(today.AddDate(0, -6, 0)), To: value.DateOf(today), Users: []string{userID}, Accounts: ids, IncludeMetrics: basiq.Select("ME002", "ME017"),
	}, basiq.WaitOptions{})
	if err != nil {
		return "", err
	}
	findings, _ := report.Data.Affordability()
	for _, m := range findings.Metrics {
		amount, err := value.Decimal(m.Result.Value).Rat()
		if err != nil {
			return "", err
		}
		switch f, _ := amount.Float64(); {
		case m.ID == "ME002" && f < 3000:
			return "the salary is too low", nil
		case m.ID == "ME017" && f > 0:
			return "another lender", nil
		}
	}
	for _, g := range findings.Groups {
		if g.ID == "EXP-014" {
			return "gambling", nil
		}
	}
	return "", nil
}

var (
	today  = time.Date(2031, 5, 6, 9, 0, 0, 0, time.UTC)
	salary = basiqtest.Transaction{Description: "SALARY ACME PTY LTD", Amount: "2400.00", DaysAgo: 2}.Every(14, 12)
	rent   = basiqtest.Transaction{Description: "RENT SMITH REALTY", Amount: "-480.00", DaysAgo: 1}.Every(7, 24)
)

func with(lists ...[]basiqtest.Transaction) basiqtest.BankData {
	return basiqtest.BankData{Accounts: []basiqtest.Account{{Name: "Everyday", Transactions: slices.Concat(lists...)}}}
}

func one(description, amount string) []basiqtest.Transaction {
	return []basiqtest.Transaction{{Description: description, Amount: amount, DaysAgo: 20}}
}

func TestSuiteDecisions(t *testing.T) {
	for name, c := range map[string]struct {
		bank basiqtest.BankData
		want string
	}{
		"a regular salary":  {with(salary, rent), ""},
		"a low salary":      {with(salary[:2], rent), "the salary is too low"},
		"pocket money":      {with(one("TRANSFER FROM MUM", "9000"), rent), "the salary is too low"},
		"a bet":             {with(salary, one("SPORTSBET SYDNEY", "-50")), "gambling"},
		"a bet by category": {with(salary, []basiqtest.Transaction{{Amount: "-50", Category: basiqtest.CategoryGambling, DaysAgo: 3}}), "gambling"},
		"a payday loan":     {with(salary, one("PAYDAY LOAN FAST CASH", "-300")), "another lender"},
		"no transactions":   {with(nil), "the salary is too low"},
		"nothing to see":    {basiqtest.BankData{}, "no accounts"},
	} {
		t.Run(name, func(t *testing.T) {
			srv := basiqtest.NewServer(t, basiqtest.WithNow(today))
			customer := srv.NewCustomer(t, c.bank)
			if got, err := decide(t.Context(), srv.Client(t), customer.UserID, today); err != nil || got != c.want {
				t.Errorf("%q, want %q: %v", got, c.want, err)
			}
		})
	}
}

func TestSuiteFirstVisit(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithNow(today))
	client, ctx := srv.Client(t), t.Context()
	user, err := client.Core.Users.Create(ctx, core.CreateUserParams{Email: "sam@example.com", FirstName: "Sam", LastName: "Lee"})
	if err != nil {
		t.Fatal(err)
	}
	link, err := client.ConsentLink(ctx, user.ID, basiq.ConsentOptions{State: "s-1"})
	if err != nil {
		t.Fatal(err)
	}
	back, err := srv.VisitConsentLink(link.Reveal(), with(salary, rent).Login())
	if err != nil {
		t.Fatal(err)
	}
	address, err := url.Parse(back)
	if err != nil {
		t.Fatal(err)
	}
	returned, err := basiq.ParseConsentReturn(address, "s-1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.WaitForJobs(ctx, returned.JobIDs, basiq.WaitOptions{UserID: user.ID}); err != nil {
		t.Fatal(err)
	}
	if v, err := client.VerifyIdentity(ctx, user.ID, insights.VerifyIdentityParams{Name: "Sam Lee"}, basiq.VerifyOptions{}); err != nil || v.Outcome != basiq.Matched {
		t.Errorf("%+v, %v", v, err)
	}
	if got, err := decide(ctx, client, user.ID, today); got != "" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	reports, err := client.Reporting.Reports.List(ctx)
	if err != nil || len(reports.Data) != 1 {
		t.Fatal(reports, err)
	}
	var pdf bytes.Buffer
	if err := client.Reporting.Reports.GetPDF(ctx, reports.Data[0].ID, &pdf); err != nil || !strings.HasPrefix(pdf.String(), "%PDF-") {
		t.Errorf("%.10q, %v", pdf.String(), err)
	}
}

func TestSuiteWhatGoesWrong(t *testing.T) {
	for name, c := range map[string]struct {
		happens func(*testing.T, *basiqtest.Server, *basiqtest.Customer) error
		reason  string
		want    error
	}{
		"the consent was revoked": {func(_ *testing.T, srv *basiqtest.Server, c *basiqtest.Customer) error {
			return srv.RevokeConsent(c.UserID)
		}, "no accounts", nil},
		"the consent expired": {func(_ *testing.T, srv *basiqtest.Server, c *basiqtest.Customer) error {
			return srv.ExpireConsent(c.UserID)
		}, "no accounts", nil},
		"the account was closed": {func(_ *testing.T, srv *basiqtest.Server, c *basiqtest.Customer) error {
			return srv.CloseAccount(c.AccountIDs[0])
		}, "no accounts", nil},
		"Basiq is down": {func(_ *testing.T, srv *basiqtest.Server, _ *basiqtest.Customer) error {
			srv.Fail(basiqtest.Fault{Operation: "POST /reports", Status: 503, Times: basiqtest.Always})
			return nil
		}, "", transport.ErrUnavailable},
		"too many requests": {func(t *testing.T, srv *basiqtest.Server, c *basiqtest.Customer) error {
			srv.Fail(basiqtest.Fault{Operation: "Reports.Create", Limit: 1, Window: time.Hour})
			_, err := decide(t.Context(), srv.Client(t), c.UserID, today)
			return err
		}, "", transport.ErrRateLimited},
		"a report fails": {func(_ *testing.T, srv *basiqtest.Server, _ *basiqtest.Customer) error {
			srv.FailNextJob("create-report", "system-unavailable")
			return nil
		}, "", basiq.ErrJob(core.StepCodeSystemUnavailable)},
	} {
		t.Run(name, func(t *testing.T) {
			srv := basiqtest.NewServer(t, basiqtest.WithNow(today))
			customer := srv.NewCustomer(t, with(salary, rent))
			if err := c.happens(t, srv, customer); err != nil {
				t.Fatal(err)
			}
			if got, err := decide(t.Context(), srv.Client(t), customer.UserID, today); !errors.Is(err, c.want) || got != c.reason {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

func TestSuiteStatement(t *testing.T) {
	srv := basiqtest.NewServer(t)
	client := srv.Client(t)
	customer := srv.NewCustomer(t, basiqtest.BankData{})
	done, err := client.UploadStatement(t.Context(), customer.UserID, basiq.Statement{
		InstitutionID: basiqtest.ExampleBank, Name: "may.csv", Content: strings.NewReader("date,description,amount\n2020-05-01,SALARY,2400.00\n"),
	}, basiq.WaitOptions{})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := client.Data.Transactions.List(t.Context(), customer.UserID, data.ListTransactionsParams{Filter: data.TransactionFilter{}.ConnectionID(done.ConnectionID())})
	if err != nil || len(rows.Data) != 1 || rows.Data[0].Amount != "2400.00" {
		t.Errorf("%+v, %v", rows, err)
	}
}

func TestSuiteWebhook(t *testing.T) {
	srv := basiqtest.NewServer(t)
	client := srv.Client(t)
	customer := srv.NewCustomer(t, with(salary))
	events := make(chan webhook.Type, 1)
	var verifier *webhook.Verifier
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		webhook.NewHandler(verifier, func(_ context.Context, e *webhook.Event) error { events <- e.Type; return nil }).ServeHTTP(w, r)
	}))
	t.Cleanup(receiver.Close)
	hook, err := client.Webhooks.Webhooks.Create(t.Context(), webhooks.WebhookParams{URL: receiver.URL, Name: "lender", SubscribedEvents: []string{"connection.invalidated"}})
	if err != nil {
		t.Fatal(err)
	}
	if verifier, err = webhook.NewVerifier(hook.Secret.Reveal()); err != nil {
		t.Fatal(err)
	}
	if err := srv.InvalidateConnection(customer.ConnectionID); err != nil {
		t.Fatal(err)
	}
	if got := <-events; got != webhook.ConnectionInvalidated {
		t.Error(got)
	}
}
