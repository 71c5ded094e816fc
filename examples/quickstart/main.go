// Command quickstart verifies a bank account, from the first call to the last:
// a token, a user, the link at which the user consents and connects a bank,
// the job that fetches the data, the question that the bank asks, the accounts,
// the last transactions and a report.
//
// Without a key it runs against a Basiq in memory, and plays the user:
//
//	go run ./examples/quickstart
//
// With BASIQ_API_KEY it uses the real API, and you are the user.
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

// explain adds what to do to what went wrong.
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

// user is who consents, logs in at the bank, and answers its question.
type user struct {
	visit  func(link basiq.ConsentLink) (returnURL string, err error)
	answer func(question basiq.MFA) ([]string, error)
}

var interval time.Duration // between polls of the real API, 0 for the default

func run(ctx context.Context, in io.Reader, out io.Writer) error {
	if os.Getenv(basiq.EnvAPIKey) != "" {
		client, err := basiq.NewClient()
		if err != nil {
			return err
		}
		return story(ctx, out, client, atTerminal(in, out), time.Now(), basiq.WaitOptions{Interval: interval})
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
	fmt.Fprintln(out, "There is no BASIQ_API_KEY: this is a Basiq in memory.")
	return story(ctx, out, client, simulated(server, out), now, basiq.WaitOptions{Interval: time.Millisecond})
}

func story(ctx context.Context, out io.Writer, client *basiq.Client, person user, now time.Time, wait basiq.WaitOptions) error {
	defer client.Transport.Close()

	chapter(out, "A token and a user")
	token, err := client.Transport.Token(ctx, transport.TokenRequest{Scope: transport.ScopeServer})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "token   %s, good for %s\n", token, token.Expires().Sub(client.Transport.Now()).Round(time.Minute))
	customer, err := client.Core.Users.Create(ctx, core.CreateUserParams{Email: "max@example.com", FirstName: "Max"})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "user    %s\n", customer.ID)

	chapter(out, "The user consents, and logs in at the bank")
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
		return errors.New("that is no address")
	}
	returned, err := basiq.ParseConsentReturn(u, state)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "back    with %d job, and the state that was sent\n", len(returned.JobIDs))

	chapter(out, "The job fetches the data")
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

	chapter(out, "Accounts")
	accounts, err := client.Data.Accounts.List(ctx, customer.ID, data.ListAccountsParams{})
	if err != nil {
		return err
	}
	ids := make([]string, len(accounts.Data))
	for i, a := range accounts.Data {
		ids[i] = a.ID
		fmt.Fprintf(out, "  %-18s %-12s %14s %s\n", a.Name, a.Class.Kind, a.Balance.Format(2), a.Currency)
	}

	chapter(out, "The last transactions")
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

	chapter(out, "A report")
	wait.OnStep = nil
	report, err := client.CreateReport(ctx, basiq.AffordabilityReport{
		Title: "Quickstart", From: value.DateOf(now.AddDate(0, -6, 0)), To: value.DateOf(now), Users: []string{customer.ID}, Accounts: ids,
	}, wait)
	if err != nil {
		return err
	}
	findings, ok := report.Data.Affordability()
	if !ok {
		return fmt.Errorf("report %s holds no findings about affordability", report.ID)
	}
	fmt.Fprintf(out, "report  %s, kept until %s\n", report.Title, report.ExpiresAt)
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

func chapter(out io.Writer, title string) {
	fmt.Fprintf(out, "\n%s\n%s\n", title, strings.Repeat("-", len(title)))
}

// simulated is a user of the Basiq in memory, who has an account at a bank that
// asks a question.
func simulated(server *basiqtest.Server, out io.Writer) user {
	return user{
		visit: func(link basiq.ConsentLink) (string, error) {
			login := basiqtest.WentworthSmith.At(basiqtest.PiedPiper)
			fmt.Fprintf(out, "login   %s at %s\n", login.ID, login.Institution)
			return server.VisitConsentLink(link.Reveal(), login)
		},
		answer: func(question basiq.MFA) ([]string, error) {
			answers := []string{"Basiq", "AU00000"} // which the sandbox publishes
			fmt.Fprintf(out, "  the bank asks (%s), with %s left to answer\n", question.Method, question.TimeLeft().Round(time.Minute))
			for i, prompt := range question.Prompts {
				fmt.Fprintf(out, "    %-34s %s\n", prompt, answers[i])
			}
			return answers, nil
		},
	}
}

// atTerminal is whoever sits at the terminal.
func atTerminal(in io.Reader, out io.Writer) user {
	lines := bufio.NewScanner(in)
	read := func() (string, error) {
		if !lines.Scan() {
			return "", errors.Join(errors.New("nothing was typed"), lines.Err())
		}
		return strings.TrimSpace(lines.Text()), nil
	}
	return user{
		visit: func(link basiq.ConsentLink) (string, error) {
			fmt.Fprintf(out, "Open this address, connect a bank, and type here the address that you are sent back to:\n\n%s\n\n> ", link.Reveal())
			return read()
		},
		answer: func(question basiq.MFA) ([]string, error) {
			fmt.Fprintf(out, "The bank asks: %s\n", question.Description)
			if len(question.Prompts) == 0 { // for an approval in the bank's app
				fmt.Fprint(out, "Press Enter when you have approved it > ")
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
