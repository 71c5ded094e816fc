package basiq_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/url"
	"strings"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/generated/insights"
	"github.com/basiq-sdk/basiq-go/transport/value"
)

// sandbox returns an in-memory fake server with a user, for the examples.
func sandbox() (srv *basiqtest.Server, client *basiq.Client, userID string) {
	srv, err := basiqtest.Start(basiqtest.WithNow(time.Date(2031, 5, 6, 0, 0, 0, 0, time.UTC)))
	if err != nil {
		log.Fatal(err)
	}
	if client, err = basiq.NewClient(srv.Options()...); err != nil {
		log.Fatal(err)
	}
	if userID, err = srv.AddUser("max@example.com"); err != nil {
		log.Fatal(err)
	}
	return srv, client, userID
}

// Send a user to the Consent UI and handle the return.
func ExampleClient_ConsentLink() {
	srv, client, userID := sandbox()
	defer srv.Close()
	ctx := context.Background()

	state := basiq.NewState() // keep it in the browser's session
	link, err := client.ConsentLink(ctx, userID, basiq.ConsentOptions{State: state})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("go to", link) // link.Redirect sends a browser there

	back, err := srv.VisitConsentLink(link.Reveal(), basiqtest.Gilfoyle) // simulates the user
	if err != nil {
		log.Fatal(err)
	}
	u, err := url.Parse(back) // in an http.Handler, use r.URL
	if err != nil {
		log.Fatal(err)
	}
	returned, err := basiq.ParseConsentReturn(u, state)
	if err != nil {
		log.Fatal(err)
	}
	results, err := client.WaitForJobs(ctx, returned.JobIDs, basiq.WaitOptions{Interval: time.Millisecond})
	if err != nil {
		log.Fatal(err)
	}
	accounts, err := client.Data.Accounts.List(ctx, userID, data.ListAccountsParams{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(results), "connection,", len(accounts.Data), "account:", accounts.Data[0].Name, accounts.Data[0].Balance)
	// Output:
	// go to [redacted consent link]
	// 1 connection, 1 account: Everyday Account 312.40
}

// Verify an account number before money is paid to it.
func ExampleClient_VerifyAccount() {
	srv, client, userID := sandbox()
	defer srv.Close()
	ctx := context.Background()
	jobIDs, err := srv.Connect(userID, basiqtest.Gilfoyle) // simulates the user in the Consent UI
	if err != nil {
		log.Fatal(err)
	}
	v, err := client.VerifyAccount(ctx, userID, insights.VerifyAccountParams{AccountNumber: "999999999"}, basiq.VerifyOptions{
		JobIDs: jobIDs, Wait: basiq.WaitOptions{Interval: time.Millisecond},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(v.Outcome)
	for _, account := range v.Accounts {
		fmt.Println(account.Number.Input, account.Number.Outcome, account.Number.Confidence)
	}
	// Output:
	// no match
	// 999999999 no match 0
}

// Refresh a connection of a bank that asks the user a question.
func ExampleClient_RefreshConnection() {
	srv, client, userID := sandbox()
	defer srv.Close()
	connectionID, err := srv.AddConnection(userID, basiqtest.Gilfoyle.At(basiqtest.PiedPiper))
	if err != nil {
		log.Fatal(err)
	}

	result, err := client.RefreshConnection(context.Background(), userID, connectionID, basiq.WaitOptions{
		OnMFA: func(_ context.Context, question basiq.MFA) ([]string, error) {
			fmt.Println(question.Prompts[0], question.TimeLeft() > 0)
			return []string{"Hooli"}, nil // the user's answer
		},
		OnStep: func(c basiq.StepChange) {
			if c.Status == core.StepStatusSuccess {
				fmt.Println(c.Title)
			}
		},
		Interval: time.Millisecond,
	})
	var failed *basiq.JobError
	if errors.As(err, &failed) {
		fmt.Println(failed, failed.Advice())
	} else if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.ConnectionID() == connectionID, result.Existing)
	// Output:
	// verify-credentials
	// Which bank is this? true
	// mfa-challenge
	// retrieve-accounts
	// retrieve-transactions
	// true false
}

// Answer the bank's question in another process.
func ExampleClient_AnswerMFA() {
	srv, client, userID := sandbox()
	defer srv.Close()
	ctx := context.Background()
	connectionID, err := srv.AddConnection(userID, basiqtest.Gilfoyle.At(basiqtest.PiedPiper))
	if err != nil {
		log.Fatal(err)
	}

	_, err = client.RefreshConnection(ctx, userID, connectionID, basiq.WaitOptions{Interval: time.Millisecond})
	var required *basiq.MFARequiredError
	if !errors.As(err, &required) {
		log.Fatal(err)
	}
	fmt.Println(required.MFA.Prompts[0]) // required.MFA can be stored as JSON

	job, err := client.AnswerMFA(ctx, required.MFA, []string{"Hooli"})
	if err != nil {
		log.Fatal(err)
	}
	token := job.Token() // lets a third process continue

	job, err = client.ResumeJob(token)
	if err != nil {
		log.Fatal(err)
	}
	result, err := job.Wait(ctx, basiq.WaitOptions{Interval: time.Millisecond})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.ConnectionID() == connectionID)
	// Output:
	// Which bank is this?
	// true
}

// Find out why a job failed, and what to do.
func ExampleJobError() {
	srv, client, userID := sandbox()
	defer srv.Close()
	jobs, err := srv.Connect(userID, basiqtest.Erlich)
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.WaitForJob(context.Background(), jobs[0], basiq.WaitOptions{Interval: time.Millisecond})
	var failed *basiq.JobError
	if errors.As(err, &failed) {
		fmt.Println(failed.Step, errors.Is(err, basiq.ErrJobAccountNotAccessible), failed.NeedsUser())
		fmt.Println(failed.Advice())
	}
	// Output:
	// verify-credentials true true
	// The user must log in at the bank and do what it asks for, such as accepting new terms. Then refresh the connection.
}

// Watch the steps of a job.
func ExampleJob_Steps() {
	srv, client, userID := sandbox()
	defer srv.Close()
	jobs, err := srv.Connect(userID, basiqtest.Richard)
	if err != nil {
		log.Fatal(err)
	}
	job := client.Job(jobs[0])
	for change, err := range job.Steps(context.Background(), basiq.WaitOptions{Interval: time.Millisecond}) {
		if err != nil {
			log.Fatal(err)
		}
		if change.Previous != "" {
			fmt.Printf("%d of %d: %s is %s\n", change.Number, change.Total, change.Title, change.Status)
		}
	}
	fmt.Println(job.Result().UserID() == userID)
	// Output:
	// 1 of 3: verify-credentials is success
	// 2 of 3: retrieve-accounts is in-progress
	// 2 of 3: retrieve-accounts is success
	// 3 of 3: retrieve-transactions is in-progress
	// 3 of 3: retrieve-transactions is success
	// true
}

// Keep a copy of a user's transactions up to date.
func ExampleClient_SyncTransactions() {
	srv, client, userID := sandbox()
	defer srv.Close()
	if _, err := srv.AddConnection(userID, basiqtest.Gilfoyle); err != nil {
		log.Fatal(err)
	}
	copied, cursor := map[string]string{}, basiq.SyncCursor("") // both in a database

	for range 2 {
		changes := 0
		for batch, err := range client.SyncTransactions(context.Background(), userID, cursor, basiq.SyncOptions{PostedOnly: true}) {
			if err != nil {
				log.Fatal(err)
			}
			for _, c := range batch.Changes { // in one database transaction
				switch c.Kind {
				case basiq.TransactionInserted, basiq.TransactionChanged:
					copied[c.ID] = string(c.Transaction.Amount)
				case basiq.TransactionRemoved:
					delete(copied, c.ID)
				}
				changes++
			}
			cursor = batch.Cursor
		}
		fmt.Println(changes, "changes,", len(copied), "transactions")
	}
	// Output:
	// 500 changes, 500 transactions
	// 0 changes, 500 transactions
}

// Sum up the credits of a month.
func ExampleClient_Transactions() {
	srv, client, userID := sandbox()
	defer srv.Close()
	if _, err := srv.AddConnection(userID, basiqtest.Gilfoyle); err != nil {
		log.Fatal(err)
	}
	var sum value.Decimal = "0"
	april := basiq.TransactionWindow{From: "2031-04-01", To: "2031-04-30", PostedOnly: true}
	for tx, err := range client.Transactions(context.Background(), userID, april) {
		if err != nil {
			log.Fatal(err)
		}
		if tx.Direction == data.DirectionCredit {
			if sum, err = sum.Add(tx.Amount); err != nil {
				log.Fatal(err)
			}
		}
	}
	fmt.Println(sum.Sign() > 0)
	// Output:
	// true
}

// Upload a statement from a file.
func ExampleClient_UploadStatement() {
	srv, client, userID := sandbox()
	defer srv.Close()
	file := strings.NewReader("date,description,amount\n2031-05-02,COFFEE,-4.50\n2031-05-03,SALARY,1900.00\n")

	result, err := client.UploadStatement(context.Background(), userID, basiq.Statement{
		InstitutionID: basiqtest.ExampleBank,
		Name:          "may.csv",
		Content:       file,
		OnProgress:    func(sent, total int64) { fmt.Printf("%d of %d bytes\n", sent, total) },
	}, basiq.WaitOptions{Interval: time.Millisecond})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.ConnectionID() != "")
	// Output:
	// 74 of 74 bytes
	// true
}

// Request a report, wait for it and fetch it.
func ExampleClient_CreateReport() {
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
		Title: "Loan 42", From: "2030-11-01", To: "2031-04-30",
		Users: []string{userID}, Accounts: []string{accounts.Data[0].ID},
		IncludeGroups: basiq.SelectNone(),
	}, basiq.WaitOptions{Interval: time.Millisecond})
	var made *basiq.ReportError
	if errors.As(err, &made) {
		fmt.Println("the report is billed and can be fetched later:", made.ReportID)
	} else if err != nil {
		log.Fatal(err)
	}
	findings, ok := report.Data.Affordability()
	fmt.Println(report.Title, ok, len(findings.Metrics) > 0, len(findings.Groups))
	// Output:
	// Loan 42 true true 0
}
