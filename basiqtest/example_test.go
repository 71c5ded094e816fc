package basiqtest_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/transport"
)

// This example connects a user to a bank and reads the accounts. In a test, use NewServer
// and Server.Client instead of Start and basiq.NewClient.
func Example() {
	srv, err := basiqtest.Start(basiqtest.WithTransactions(100))
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	client, err := basiq.NewClient(srv.Options()...)
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	user, err := client.Core.Users.Create(ctx, core.CreateUserParams{Email: "max@example.com"})
	if err != nil {
		log.Fatal(err)
	}
	jobs, err := srv.Connect(user.ID, basiqtest.Jared) // simulates the user in the Consent UI
	if err != nil {
		log.Fatal(err)
	}
	if _, err := client.WaitForJobs(ctx, jobs, basiq.WaitOptions{UserID: user.ID}); err != nil {
		log.Fatal(err)
	}
	accounts, err := client.Data.Accounts.List(ctx, user.ID, data.ListAccountsParams{})
	if err != nil {
		log.Fatal(err)
	}
	for _, a := range accounts.Data {
		fmt.Println(a.Name, a.Class.Kind)
	}
	// Output:
	// Everyday Account transaction
	// Term Deposit term-deposit
}

// This example makes the server rate-limit one request, which the client retries.
func ExampleServer_Fail() {
	srv, err := basiqtest.Start()
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	client, err := basiq.NewClient(srv.Options()...)
	if err != nil {
		log.Fatal(err)
	}
	user, err := srv.AddUser("max@example.com")
	if err != nil {
		log.Fatal(err)
	}
	fault := srv.Fail(basiqtest.Fault{Operation: "Users.Get", Status: 429})
	_, err = client.Core.Users.Get(context.Background(), user)
	fmt.Println(err, srv.Calls("Users.Get"), fault.Count())
	// Output: <nil> 2 1
}

// This example advances the server's clock by a week, so that an auth link expires.
func ExampleServer_Advance() {
	srv, err := basiqtest.Start(basiqtest.WithNow(time.Date(2031, 5, 6, 9, 0, 0, 0, time.UTC)))
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	client, err := basiq.NewClient(srv.Options()...)
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	user, err := srv.AddUser("max@example.com")
	if err != nil {
		log.Fatal(err)
	}
	link, err := client.Core.AuthLinks.Create(ctx, user, core.CreateAuthLinkParams{Mobile: "+61400000000"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("valid until", link.ExpiresAt)
	srv.Advance(7 * 24 * time.Hour)
	_, err = client.Core.AuthLinks.Get(ctx, user)
	fmt.Println("expired:", errors.Is(err, transport.ErrGone))
	// Output:
	// valid until 2031-05-13T09:00:00Z
	// expired: true
}

// This example simulates a user who follows a link to the Consent UI and is redirected
// back with a job ID and the state.
func ExampleServer_VisitConsentLink() {
	srv, err := basiqtest.Start()
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	client, err := basiq.NewClient(srv.Options()...)
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	user, err := srv.AddUser("max@example.com")
	if err != nil {
		log.Fatal(err)
	}
	link, err := client.ConsentLink(ctx, user, basiq.ConsentOptions{State: "checkout-42"})
	if err != nil {
		log.Fatal(err)
	}
	address, err := srv.VisitConsentLink(link.Reveal(), basiqtest.Whistler)
	if err != nil {
		log.Fatal(err)
	}
	back, err := url.Parse(address)
	if err != nil {
		log.Fatal(err)
	}
	returned, err := basiq.ParseConsentReturn(back, "checkout-42")
	if err != nil {
		log.Fatal(err)
	}
	job, err := client.Core.Jobs.Get(ctx, returned.JobIDs[0])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(returned.JobIDs), job.Kind)
	// Output: 1 connection
}

// This example records a call and replays it. Here, a fake server takes the place of the
// API: leave out BaseURL and srv.Options to record the API itself.
func ExampleNewRecorder() {
	srv, err := basiqtest.Start()
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	userID, err := srv.AddUser("max@example.com")
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "recording")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "user.json")
	rec, err := basiqtest.NewRecorder(file, basiqtest.RecordOptions{BaseURL: srv.URL, Replace: map[string]string{userID: "user-1"}})
	if err != nil {
		log.Fatal(err)
	}
	client, err := basiq.NewClient(append(srv.Options(), basiq.WithHTTPClient(rec.HTTPClient()))...)
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	if _, err := client.Core.Users.Get(ctx, userID); err != nil {
		log.Fatal(err)
	}
	if err := rec.Save(); err != nil {
		log.Fatal(err)
	}

	rep, err := basiqtest.Replay(file)
	if err != nil {
		log.Fatal(err)
	}
	replayed, err := basiq.NewClient(rep.Options()...)
	if err != nil {
		log.Fatal(err)
	}
	user, err := replayed.Core.Users.Get(ctx, "user-1")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(user.ID, user.Email)
	// Output:
	// user-1 person-1@example.com
}
