package basiq_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/generated/data"
)

// Create an auth link. The user who opens it gets a code by SMS, and connects accounts.
func Example_authLink() {
	srv, client, userID := sandbox()
	defer srv.Close()
	ctx := context.Background()

	link, err := client.Core.AuthLinks.Create(ctx, userID, core.CreateAuthLinkParams{Mobile: "+61400000000"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("valid until", link.ExpiresAt) // send link.Links.Public to the user

	jobIDs, err := srv.VisitAuthLink(link.Links.Public, basiqtest.Gilfoyle) // simulates the user
	if err != nil {
		log.Fatal(err)
	}
	result, err := client.WaitForJob(ctx, jobIDs[0], basiq.WaitOptions{UserID: userID})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("connected:", result.ConnectionID() != "")
	// Output:
	// valid until 2031-05-13T00:00:00Z
	// connected: true
}

// Wait for a job of a bank that asks the user a question.
func ExampleClient_WaitForJob() {
	srv, client, userID := sandbox()
	defer srv.Close()
	jobIDs, err := srv.Connect(userID, basiqtest.Gilfoyle.At(basiqtest.PiedPiper)) // simulates the user
	if err != nil {
		log.Fatal(err)
	}
	result, err := client.WaitForJob(context.Background(), jobIDs[0], basiq.WaitOptions{
		UserID:  userID, // refuse the job of another user
		Timeout: 5 * time.Minute,
		OnMFA: func(ctx context.Context, question basiq.MFA) ([]string, error) {
			fmt.Println(question.Prompts)
			return []string{"Hooli"}, nil // ask the user; ctx ends when the question expires
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.ConnectionID() != "")
	// Output:
	// [Which bank is this?]
	// true
}

// Refresh all connections of a user. Those that succeeded have a result.
func ExampleClient_RefreshConnections() {
	srv, client, userID := sandbox()
	defer srv.Close()
	for _, login := range []basiqtest.Login{basiqtest.Gilfoyle, basiqtest.Richard} {
		if _, err := srv.AddConnection(userID, login); err != nil {
			log.Fatal(err)
		}
	}
	if err := client.SetPollRate(10); err != nil { // of all waits together; the default is 20
		log.Fatal(err)
	}
	results, err := client.RefreshConnections(context.Background(), userID, basiq.WaitOptions{Timeout: time.Minute})
	var some *basiq.JobsError
	if errors.As(err, &some) {
		fmt.Println(len(some.Errs), "were not refreshed")
	} else if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(results), "refreshed")
	// Output: 2 refreshed
}

// Start a refresh in a request of the user's, and continue in a background worker.
func ExampleClient_StartRefresh() {
	srv, client, userID := sandbox()
	defer srv.Close()
	ctx := context.Background()
	connectionID, err := srv.AddConnection(userID, basiqtest.Gilfoyle)
	if err != nil {
		log.Fatal(err)
	}
	job, err := client.StartRefresh(ctx, userID, connectionID)
	if err != nil {
		log.Fatal(err)
	}
	token := job.Token() // store it in a queue

	job, err = client.ResumeJob(token) // in the worker
	if err != nil {
		log.Fatal(err)
	}
	result, err := job.Wait(ctx, basiq.WaitOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.ConnectionID() == connectionID)
	// Output: true
}

// Start the refreshes of all connections without waiting, and wait for them together.
func ExampleClient_StartRefreshes() {
	srv, client, userID := sandbox()
	defer srv.Close()
	ctx := context.Background()
	if _, err := srv.AddConnection(userID, basiqtest.Gilfoyle); err != nil {
		log.Fatal(err)
	}
	jobs, err := client.StartRefreshes(ctx, userID)
	if err != nil {
		log.Fatal(err)
	}
	var ids []string
	for _, job := range jobs {
		ids = append(ids, job.ID())
	}
	results, err := client.WaitForJobs(ctx, ids, basiq.WaitOptions{UserID: userID})
	fmt.Println(len(results), err)
	// Output: 1 <nil>
}

// Delete a connection's data and fetch it again, for example to have it enriched.
func ExampleClient_PurgeAndRefresh() {
	srv, client, userID := sandbox()
	defer srv.Close()
	connectionID, err := srv.AddConnection(userID, basiqtest.Gilfoyle)
	if err != nil {
		log.Fatal(err)
	}
	result, err := client.PurgeAndRefresh(context.Background(), userID, connectionID, basiq.WaitOptions{})
	var purged *basiq.PurgedError
	if errors.As(err, &purged) {
		log.Fatal("the data was deleted, and could not be fetched again: ", err)
	} else if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.ConnectionID() == connectionID) // sync again with an empty cursor
	// Output: true
}

// Start a report, and fetch it as PDF when its job is done.
func ExampleClient_StartReport() {
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
	job, err := client.StartReport(ctx, basiq.StatementReport{
		Title: "Statement", From: "2031-01-01", User: userID, Account: accounts.Data[0].ID,
	})
	if err != nil {
		log.Fatal(err)
	}
	result, err := job.Wait(ctx, basiq.WaitOptions{})
	if err != nil {
		log.Fatal(err)
	}
	var pdf bytes.Buffer
	err = client.Reporting.Reports.GetPDF(ctx, result.ReportID(), &pdf)
	fmt.Println(strings.HasPrefix(pdf.String(), "%PDF-"), err)
	// Output: true <nil>
}

// Upload a statement without waiting for its job.
func ExampleClient_StartStatement() {
	srv, client, userID := sandbox()
	defer srv.Close()
	ctx := context.Background()
	job, err := client.StartStatement(ctx, userID, basiq.Statement{
		InstitutionID: basiqtest.ExampleBank, Name: "may.csv",
		Content: strings.NewReader("date,description,amount\n2031-05-02,COFFEE,not a number\n"),
	})
	if err != nil {
		log.Fatal(err)
	}
	_, err = job.Wait(ctx, basiq.WaitOptions{})
	var failed *basiq.JobError
	if errors.As(err, &failed) {
		fmt.Println(failed.Step, failed.Code)
	}
	// Output: verify-credentials invalid-field-value
}
