// Command lender decides about a loan: the applicant connects a bank, the bank's data is
// retrieved, and an affordability report says what the applicant can pay.
//
// Without an API key it uses an in-memory fake server and a made-up applicant:
//
//	go run ./examples/lender
//
// If BASIQ_API_KEY is set, it uses the real API, where the report is billed. It prints a
// link for the applicant, and reads the URL of the page to which the applicant is
// redirected:
//
//	go run ./examples/lender -email max@example.com -mobile +61410000000 -repayment 900
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/transport/value"
)

// application is what an applicant asks for.
type application struct {
	email, mobile string
	repayment     value.Decimal // per month
	pdf           string        // file for the report; "" for none
}

func main() {
	var a application
	flag.StringVar(&a.email, "email", "max@example.com", "email address of the applicant")
	flag.StringVar(&a.mobile, "mobile", "+61410000000", "mobile number of the applicant")
	flag.StringVar((*string)(&a.repayment), "repayment", "900", "monthly repayment of the loan, in dollars")
	flag.StringVar(&a.pdf, "pdf", "", "file to write the report to, as PDF")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdin, os.Stdout, a); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, in io.Reader, out io.Writer, a application) error {
	// Cmp counts a text that is not a number as less than every income.
	if !a.repayment.Valid() || a.repayment.Sign() <= 0 {
		return fmt.Errorf("the repayment %q is not a positive number: write it without separators, such as 1500.00", a.repayment)
	}
	if os.Getenv(basiq.EnvAPIKey) == "" {
		return simulated(ctx, out, a)
	}
	client, err := basiq.NewClient()
	if err != nil {
		return err
	}
	defer client.Close()
	return decide(ctx, out, client, a, time.Now(), func(link basiq.ConsentLink) (string, error) {
		fmt.Fprintf(out, "Open this link, and paste the URL that you are redirected to:\n%s\n", link.Reveal())
		return bufio.NewReader(in).ReadString('\n')
	})
}

// decide runs one application. visit sends the applicant to the Consent UI, and returns the
// URL to which the applicant comes back.
func decide(ctx context.Context, out io.Writer, client *basiq.Client, a application, now time.Time, visit func(basiq.ConsentLink) (string, error)) error {
	user, err := client.Core.Users.Create(ctx, core.CreateUserParams{Email: a.email, Mobile: a.mobile})
	if err != nil {
		return err
	}
	if err := connect(ctx, client, user.ID, visit); err != nil {
		return fmt.Errorf("the applicant's bank could not be connected: %w", err)
	}
	accounts, err := client.Data.Accounts.List(ctx, user.ID, data.ListAccountsParams{})
	if err != nil {
		return err
	}
	request := basiq.AffordabilityReport{
		Title: "Loan", From: value.DateOf(now.AddDate(0, -3, 0)), To: value.DateOf(now), Users: []string{user.ID},
	}
	for _, account := range accounts.Data {
		request.Accounts = append(request.Accounts, account.ID)
	}
	report, err := client.CreateReport(ctx, request, basiq.WaitOptions{})
	if err != nil {
		return err
	}
	findings, ok := report.Data.Affordability()
	if !ok {
		return fmt.Errorf("report %s is not an affordability report", report.ID)
	}
	if err := assess(out, basiq.Metrics(findings.Metrics), a.repayment); err != nil {
		return err
	}
	if a.pdf == "" {
		return nil
	}
	return client.SaveReportPDF(ctx, report.ID, a.pdf)
}

// connect has the user connect a bank, and waits until the bank's data was retrieved.
func connect(ctx context.Context, client *basiq.Client, userID string, visit func(basiq.ConsentLink) (string, error)) error {
	state := basiq.NewState()
	link, err := client.ConsentLink(ctx, userID, basiq.ConsentOptions{State: state})
	if err != nil {
		return err
	}
	back, err := visit(link)
	if err != nil {
		return err
	}
	address, err := url.Parse(strings.TrimSpace(back))
	if err != nil {
		return err
	}
	visited, err := basiq.ParseConsentReturn(address, state)
	if err != nil {
		return err
	}
	_, err = client.WaitForJobs(ctx, visited.JobIDs, basiq.WaitOptions{UserID: userID})
	return err
}

// assess prints what the report says, and whether the applicant can pay the repayment. What
// is unknown is not taken for zero: somebody has to look at it.
func assess(out io.Writer, m basiq.Metrics, repayment value.Decimal) error {
	income, err := m.Money(basiq.MetricAverageIncome)
	if errors.Is(err, basiq.ErrMetricAbsent) {
		fmt.Fprintln(out, "Refer: the report does not state an income")
		return nil
	}
	outgoings, err2 := m.Money(basiq.MetricAverageOutgoings)
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	outgoings, err = outgoings.Abs() // the API writes them with a minus sign
	if err != nil {
		return err
	}
	left, err := income.Sub(outgoings)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Income %s, outgoings %s, left %s a month\n", income.Format(2), outgoings.Format(2), left.Format(2))
	if left.Cmp(repayment) < 0 {
		fmt.Fprintf(out, "Decline: a repayment of %s is more than that\n", repayment.Format(2))
		return nil
	}
	fmt.Fprintf(out, "Approve: a repayment of %s\n", repayment.Format(2))
	return nil
}

// simulated runs the program for an applicant of the fake server, who follows the link at
// once.
func simulated(ctx context.Context, out io.Writer, a application) error {
	now := time.Date(2031, time.May, 6, 9, 0, 0, 0, time.UTC)
	server, err := basiqtest.Start(basiqtest.WithNow(now))
	if err != nil {
		return err
	}
	defer server.Close()
	client, err := basiq.NewClient(server.Options()...)
	if err != nil {
		return err
	}
	defer client.Close()
	applicant := basiqtest.BankData{Accounts: []basiqtest.Account{{Name: "Everyday", Transactions: slices.Concat(
		basiqtest.Transaction{Description: "SALARY ACME PTY LTD", Amount: "2600.00", DaysAgo: 2}.Every(14, 12),
		basiqtest.Transaction{Description: "RENT RAY WHITE", Amount: "-520.00", DaysAgo: 1}.Every(7, 24),
	)}}}
	return decide(ctx, out, client, a, now, func(link basiq.ConsentLink) (string, error) {
		return server.VisitConsentLink(link.Reveal(), applicant.Login())
	})
}
