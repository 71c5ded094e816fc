package basiq_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/generated/reporting"
	"github.com/basiq-sdk/basiq-go/transport"
	"github.com/basiq-sdk/basiq-go/transport/value"
)

// Options apply to every request of a workflow. WithResponse gets the last response.
func ExampleClient_WaitForJob_options() {
	srv, client, userID := sandbox()
	defer srv.Close()
	jobIDs, err := srv.Connect(userID, basiqtest.Gilfoyle) // simulates the user in the Consent UI
	if err != nil {
		log.Fatal(err)
	}
	var last *http.Response
	_, err = client.WaitForJob(context.Background(), jobIDs[0], basiq.WaitOptions{},
		transport.WithHeader("X-Request-Source", "night-run"), basiq.WithTimeout(5*time.Second), transport.WithResponse(&last))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(last.StatusCode, last.Request.Header.Get("X-Request-Source"))
	// Output: 200 night-run
}

// Wait for the jobs of several banks, and store those that continue.
func ExampleJobsError() {
	srv, client, userID := sandbox()
	defer srv.Close()
	jobIDs, err := srv.Connect(userID, basiqtest.Gilfoyle, basiqtest.JianYang, basiqtest.Gilfoyle.At(basiqtest.PiedPiper))
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.WaitForJobs(context.Background(), jobIDs, basiq.WaitOptions{UserID: userID})
	var some *basiq.JobsError
	if errors.As(err, &some) {
		fmt.Printf("%d of %d did not succeed\n", len(some.Errs), some.Total)
		for _, failed := range some.Failed() {
			fmt.Println("failed at", failed.Step, "because of", failed.Code)
		}
		for _, job := range some.Running() {
			fmt.Println("continues:", job.Token() != "") // store the token
		}
	}
	// Output:
	// 2 of 3 did not succeed
	// failed at verify-credentials because of service-unavailable
	// continues: true
}

// Errors of several waits can be told apart without the type JobsError, too.
func ExampleWaitErrors() {
	err := fmt.Errorf("night run: %w", errors.Join(
		&basiq.JobError{JobID: "j-1", Step: "verify-credentials", Code: "invalid-credentials"},
		&basiq.WaitError{JobID: "j-2", Step: "retrieve-transactions", Status: "in-progress", Err: context.DeadlineExceeded},
	))
	for _, failed := range basiq.JobErrors(err) {
		fmt.Println(failed.JobID, "failed at", failed.Step)
	}
	for _, unknown := range basiq.WaitErrors(err) {
		fmt.Println(unknown.JobID, "is still at", unknown.Step)
	}
	fmt.Println(errors.Is(err, basiq.ErrJobInvalidCredentials), errors.Is(err, context.DeadlineExceeded))
	// Output:
	// j-1 failed at verify-credentials
	// j-2 is still at retrieve-transactions
	// true true
}

// Save a report as PDF. The file is complete, or as it was before.
func ExampleClient_SaveReportPDF() {
	srv, client, userID := sandbox()
	defer srv.Close()
	ctx := context.Background()
	if _, err := srv.AddConnection(userID, basiqtest.Gilfoyle); err != nil {
		log.Fatal(err)
	}
	accounts, err := client.Data.Accounts.List(ctx, userID, data.ListAccountsParams{})
	if err != nil {
		log.Fatal(err)
	}
	report, err := client.CreateReport(ctx, basiq.AffordabilityReport{
		Title: "Loan 42", From: "2031-01-01", To: "2031-04-30", Users: []string{userID}, Accounts: []string{accounts.Data[0].ID},
	}, basiq.WaitOptions{})
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "reports")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "loan-42.pdf")
	if err := client.SaveReportPDF(ctx, report.ID, file); err != nil {
		log.Fatal(err)
	}
	text, err := os.ReadFile(file)
	fmt.Println(bytes.HasPrefix(text, []byte("%PDF-")), err)
	// Output: true <nil>
}

// Read metrics by ID. Absent is not zero.
func ExampleMetrics() {
	metrics := basiq.Metrics{ // in production, the Metrics of report.Data.Affordability()
		{ID: basiq.MetricAverageIncome, Result: &reporting.MetricResult{Format: "money", Value: "7228.00"}},
		{ID: basiq.MetricDishonours, Result: &reporting.MetricResult{Format: "integer", Value: "0"}},
	}
	income, err := metrics.Money(basiq.MetricAverageIncome)
	fmt.Println(income, err)
	dishonours, err := metrics.Count(basiq.MetricDishonours)
	fmt.Println(dishonours, err)
	_, err = metrics.Count(basiq.MetricLenders)
	fmt.Println(errors.Is(err, basiq.ErrMetricAbsent), err)
	_, err = metrics.Percent(basiq.MetricAverageIncome)
	fmt.Println(errors.Is(err, basiq.ErrMetricKind), err)
	// Output:
	// 7228.00 <nil>
	// 0 <nil>
	// true basiq: the report has no value for the metric: Metrics.Count: there is no metric ME009
	// true basiq: the metric is of another kind: Metrics.Percent: metric ME033: use Metrics.Money
}

// A sync reports when the access to accounts has ended, so that their data can be
// deleted together with storing the cursor.
func ExampleEndedAccount() {
	srv, client, userID := sandbox()
	defer srv.Close()
	ctx := context.Background()
	if _, err := srv.AddConnection(userID, basiqtest.Gilfoyle); err != nil {
		log.Fatal(err)
	}
	stored := map[string][]value.Decimal{} // amounts by account
	var cursor basiq.SyncCursor
	sync := func() {
		for batch, err := range client.SyncTransactions(ctx, userID, cursor, basiq.SyncOptions{PostedOnly: true}) {
			if err != nil {
				log.Fatal(err)
			}
			for _, change := range batch.Changes {
				stored[change.AccountID] = append(stored[change.AccountID], change.Transaction.Amount)
			}
			for _, ended := range batch.Ended {
				fmt.Println("ended:", ended.Reason, ended.Consent.Status)
				delete(stored, ended.AccountID)
			}
			cursor = batch.Cursor
		}
	}
	sync()
	fmt.Println(len(stored), "account is stored")
	if err := srv.RevokeConsent(userID); err != nil { // simulates the user in the Consent UI
		log.Fatal(err)
	}
	sync()
	fmt.Println(len(stored), "accounts are stored")
	// Output:
	// 1 account is stored
	// ended: consent-revoked revoked
	// 0 accounts are stored
}
