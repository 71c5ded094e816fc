// Command incomeverification prints a user's sources of income, with their
// frequency and amounts, from an affordability report over the last months.
//
// Without an API key it uses an in-memory fake server with a made-up user:
//
//	go run ./examples/incomeverification
//
// If BASIQ_API_KEY is set, it uses the real API, where each report is billed:
//
//	go run ./examples/incomeverification -user USER -months 6 -pdf report.pdf
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/generated/reporting"
	"github.com/basiq-sdk/basiq-go/transport/value"
)

func main() {
	user := flag.String("user", "", "user ID")
	months := flag.Int("months", 6, "number of months the report covers")
	pdf := flag.String("pdf", "", "file to write the report to, as PDF")
	flag.Parse()
	if err := run(context.Background(), os.Stdout, *user, *months, *pdf); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, userID string, months int, pdf string) error {
	if os.Getenv(basiq.EnvAPIKey) == "" {
		return simulated(ctx, out, months, pdf)
	}
	if userID == "" {
		return errors.New("-user is required")
	}
	client, err := basiq.NewClient()
	if err != nil {
		return err
	}
	defer client.Transport.Close()
	return verify(ctx, out, client, userID, time.Now(), months, pdf, basiq.WaitOptions{})
}

func verify(ctx context.Context, out io.Writer, client *basiq.Client, userID string, now time.Time, months int, pdf string, wait basiq.WaitOptions) error {
	accounts, err := client.Data.Accounts.List(ctx, userID, data.ListAccountsParams{})
	if err != nil {
		return err
	}
	request := basiq.AffordabilityReport{
		Title: "Income", From: value.DateOf(now.AddDate(0, -months, 0)), To: value.DateOf(now), Users: []string{userID},
	}
	for _, a := range accounts.Data {
		request.Accounts = append(request.Accounts, a.ID)
	}
	report, err := client.CreateReport(ctx, request, wait)
	var made *basiq.ReportError
	if errors.As(err, &made) {
		return fmt.Errorf("%w: the report is billed: fetch report %s later instead of creating another", err, made.ReportID)
	}
	if err != nil {
		return err
	}
	findings, ok := report.Data.Affordability()
	if !ok {
		return fmt.Errorf("report %s is not an affordability report", report.ID)
	}
	fmt.Fprintf(out, "Income from %s to %s\n", request.From, request.To)
	sources := 0
	for _, group := range findings.Groups {
		if !income(group) {
			continue
		}
		for _, part := range group.Subgroups {
			if part.Analysis == nil || part.Analysis.Amount == nil {
				continue
			}
			sources++
			often := "irregular"
			if f := part.Analysis.Frequency; f != nil && f.Display != "" {
				often = strings.ToLower(f.Display)
			}
			monthly := value.Decimal("")
			if average := part.Analysis.Amount.Average; average != nil {
				monthly = average.Month
			}
			fmt.Fprintf(out, "  %-32.32s %-12s %12s a month %14s total\n", part.Name, often, monthly.Format(2), part.Analysis.Amount.Total.Format(2))
		}
	}
	if sources == 0 {
		fmt.Fprintln(out, "  none found")
	}
	if pdf == "" {
		return nil
	}
	return client.SaveReportPDF(ctx, report.ID, pdf)
}

// income reports whether a group of transactions is income.
func income(g reporting.Group) bool {
	return strings.HasPrefix(g.ID, "INC") || slices.ContainsFunc(g.Sections, func(s string) bool { return strings.EqualFold(s, "income") })
}

// simulated verifies the income of a made-up user, a ride-share driver, on the
// fake server.
func simulated(ctx context.Context, out io.Writer, months int, pdf string) error {
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
	defer client.Transport.Close()
	userID, err := server.AddUser("max@example.com")
	if err != nil {
		return err
	}
	if _, err := server.AddConnection(userID, basiqtest.Jared); err != nil {
		return err
	}
	return verify(ctx, out, client, userID, now, months, pdf, basiq.WaitOptions{Interval: time.Millisecond})
}
