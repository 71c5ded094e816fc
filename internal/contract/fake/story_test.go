package fake_test

import (
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/generated/data"
)

// TestAccountVerification connects a bank, waits for the job, and reads the accounts and
// all transactions.
func TestAccountVerification(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithTransactions(1234))
	client, _ := checked(t, srv)
	ctx := t.Context()
	user, err := client.Core.Users.Create(ctx, core.CreateUserParams{Email: "max@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	jobs, err := srv.Connect(user.ID, basiqtest.WentworthSmith)
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	for range 10 {
		job, err := client.Core.Jobs.Get(ctx, jobs[0])
		if err != nil {
			t.Fatal(err)
		}
		states := ""
		for _, step := range job.Steps {
			states += string(step.Status[:1])
		}
		seen = append(seen, states)
		if states == "sss" {
			break
		}
	}
	if got := len(seen); got != 4 || seen[0] != "ipp" || seen[1] != "sip" || seen[2] != "ssi" {
		t.Errorf("the job had the states %v", seen)
	}
	accounts, err := client.Data.Accounts.List(ctx, user.ID, data.ListAccountsParams{})
	if err != nil || len(accounts.Data) != 4 {
		t.Fatalf("%d accounts, %v", len(accounts.Data), err)
	}
	start, n, pending, ids := time.Now(), 0, 0, map[string]bool{}
	for tx, err := range client.Data.Transactions.All(ctx, user.ID, data.ListTransactionsParams{}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
		ids[tx.ID] = true
		if tx.Status == data.TransactionStatusPending {
			pending++
		}
	}
	if n-pending != 1234 || pending != 8 || len(ids) != n {
		t.Errorf("%d transactions, %d of them pending, %d IDs", n, pending, len(ids))
	}
	t.Logf("%d transactions in %s", n, time.Since(start))
}
