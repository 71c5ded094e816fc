// Command quickstart verifies a bank account from start to finish: it gets a
// token, creates a user, sends the user to the Consent UI, waits for the job that
// fetches the data, answers the bank's MFA question, and prints the accounts, the
// recent transactions and a report.
//
// Without an API key it uses an in-memory fake server and simulates the user:
//
//	go run ./examples/quickstart
//
// If BASIQ_API_KEY is set, it uses the real API, and you are the user.
package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
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
	"github.com/basiq-sdk/basiq-go/generated/reporting"
	"github.com/basiq-sdk/basiq-go/transport"
	"github.com/basiq-sdk/basiq-go/transport/value"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, explain(err))
		os.Exit(1)
	}
}

// explain returns the text of an error, with advice if it has any.
func explain(err error) string {
	var advisor interface {
		error
		Advice() string
	}
	if errors.As(err, &advisor) && advisor.Advice() != "" {
		return err.Error() + "\n" + advisor.Advice()
	}
	return err.Error()
}

// user gives consent, logs in at the bank, and answers its question.
type user struct {
	visit  func(link basiq.ConsentLink) (returnURL string, err error)
	answer func(question basiq.MFA) ([]string, error)
}

var interval time.Duration // between polls of the real API; 0 means the default

func run(ctx context.Context, in io.Reader, out io.Writer) error {
	if os.Getenv(basiq.EnvAPIKey) != "" {
		client, err := basiq.NewClient()
		if err != nil {
			return err
		}
		return verifyAccount(ctx, out, client, atTerminal(in, out), time.Now(), basiq.WaitOptions{Interval: interval})
	}
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
	fmt.Fprintln(out, "BASIQ_API_KEY is not set: using the in-memory fake server.")
	return verifyAccount(ctx, out, client, simulated(server, out), now, basiq.WaitOptions{Interval: time.Millisecond})
}

func verifyAccount(ctx context.Context, out io.Writer, client *basiq.Client, person user, now time.Time, wait basiq.WaitOptions) error {
	defer client.Transport.Close()

	heading(out, "Token and user")
	token, err := client.Transport.Token(ctx, transport.TokenRequest{Scope: transport.ScopeServer})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "token   %s, valid for %s\n", token, token.Expires().Sub(client.Transport.Now()).Round(time.Minute))
	customer, err := client.Core.Users.Create(ctx, core.CreateUserParams{Email: "max@example.com", FirstName: "Max"})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "user    %s\n", customer.ID)

	heading(out, "Consent and bank login")
	state := basiq.NewState()
	link, err := client.ConsentLink(ctx, customer.ID, basiq.ConsentOptions{State: state})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "link    %s\n", link)
	back, err := person.visit(link)
	if err != nil {
		return err
	}
	u, err := url.Parse(back)
	if err != nil {
		return errors.New("the return address is not a valid URL")
	}
	returned, err := basiq.ParseConsentReturn(u, state)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "back    with %d job and the expected state\n", len(returned.JobIDs))

	heading(out, "Job")
	wait.UserID = customer.ID
	wait.OnMFA = func(_ context.Context, question basiq.MFA) ([]string, error) { return person.answer(question) }
	wait.OnStep = func(c basiq.StepChange) {
		if c.Status != core.StepStatusPending {
			fmt.Fprintf(out, "  %d/%d  %-22s %s\n", c.Number, c.Total, c.Title, c.Status)
		}
	}
	result, err := client.WaitForJob(ctx, returned.JobIDs[0], wait)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "connection %s\n", result.ConnectionID())

	heading(out, "Accounts")
	accounts, err := client.Data.Accounts.List(ctx, customer.ID, data.ListAccountsParams{})
	if err != nil {
		return err
	}
	ids := make([]string, len(accounts.Data))
	for i, a := range accounts.Data {
		ids[i] = a.ID
		fmt.Fprintf(out, "  %-18s %-12s %14s %s\n", a.Name, a.Class.Kind, a.Balance.Format(2), a.Currency)
	}

	heading(out, "Recent transactions")
	days := basiq.TransactionWindow{From: value.DateOf(now.AddDate(0, 0, -14)), PostedOnly: true}
	var last []*data.Transaction
	for tx, err := range client.Transactions(ctx, customer.ID, days) {
		if err != nil {
			return err
		}
		last = append(last, tx)
	}
	slices.SortStableFunc(last, func(a, b *data.Transaction) int {
		return cmp.Or(b.PostDate.Compare(a.PostDate), cmp.Compare(a.ID, b.ID))
	})
	for _, tx := range last[:min(len(last), 8)] {
		fmt.Fprintf(out, "  %s  %-34.34s %12s\n", basiq.TransactionDay(tx, nil), tx.Description, tx.Amount.Format(2))
	}

	heading(out, "Report")
	wait.OnStep = nil
	report, err := client.CreateReport(ctx, basiq.AffordabilityReport{
		Title: "Quickstart", From: value.DateOf(now.AddDate(0, -6, 0)), To: value.DateOf(now), Users: []string{customer.ID}, Accounts: ids,
		IncludeMetrics: basiq.Select("ME001", "ME002", "ME008", "ME012", "ME013", "ME014", "ME022", "ME034"),
	}, wait)
	if err != nil {
		return err
	}
	findings, ok := report.Data.Affordability()
	if !ok {
		return fmt.Errorf("report %s is not an affordability report", report.ID)
	}
	fmt.Fprintf(out, "report  %s, available until %s\n", report.Title, report.ExpiresAt)
	for _, m := range findings.Metrics {
		if m.Result == nil {
			continue
		}
		unit := ""
		if m.Result.Format == reporting.MetricFormatPercent {
			unit = " %"
		}
		fmt.Fprintf(out, "  %-42.42s %14s%s\n", m.Title, m.Result.Value, unit)
	}
	return nil
}

func heading(out io.Writer, title string) {
	fmt.Fprintf(out, "\n%s\n%s\n", title, strings.Repeat("-", len(title)))
}

// simulated returns a user of the fake server who has an account at a bank that
// asks MFA questions.
func simulated(server *basiqtest.Server, out io.Writer) user {
	return user{
		visit: func(link basiq.ConsentLink) (string, error) {
			login := basiqtest.WentworthSmith.At(basiqtest.PiedPiper)
			fmt.Fprintf(out, "login   %s at %s\n", login.ID, login.Institution)
			return server.VisitConsentLink(link.Reveal(), login)
		},
		answer: func(question basiq.MFA) ([]string, error) {
			answers := []string{"Basiq", "AU00000"} // the answers that Basiq publishes for its sandbox
			fmt.Fprintf(out, "  the bank asks (%s), %s left to answer\n", question.Method, question.TimeLeft().Round(time.Minute))
			for i, prompt := range question.Prompts {
				fmt.Fprintf(out, "    %-34s %s\n", prompt, answers[i])
			}
			return answers, nil
		},
	}
}

// atTerminal returns a user who reads and types at the terminal.
func atTerminal(in io.Reader, out io.Writer) user {
	lines := bufio.NewScanner(in)
	read := func() (string, error) {
		if !lines.Scan() {
			return "", errors.Join(errors.New("no input"), lines.Err())
		}
		return strings.TrimSpace(lines.Text()), nil
	}
	return user{
		visit: func(link basiq.ConsentLink) (string, error) {
			fmt.Fprintf(out, "Open this link and connect a bank. Then paste the address that you were sent back to:\n\n%s\n\n> ", link.Reveal())
			return read()
		},
		answer: func(question basiq.MFA) ([]string, error) {
			fmt.Fprintf(out, "The bank asks: %s\n", question.Description)
			if len(question.Prompts) == 0 { // an approval in the bank's app
				fmt.Fprint(out, "Press Enter after you have approved it > ")
				_, err := read()
				return []string{"confirmed"}, err
			}
			answers := make([]string, len(question.Prompts))
			for i, prompt := range question.Prompts {
				fmt.Fprintf(out, "%s > ", prompt)
				var err error
				if answers[i], err = read(); err != nil {
					return nil, err
				}
			}
			return answers, nil
		},
	}
}
