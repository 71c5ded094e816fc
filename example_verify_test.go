package basiq_test

import (
	"context"
	"fmt"
	"log"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/insights"
	"github.com/basiq-sdk/basiq-go/generated/payees"
)

// applicant returns a sandbox whose user has an account, an identity and a salary.
func applicant() (*basiqtest.Server, *basiq.Client, string) {
	srv, client, userID := sandbox()
	var salaries []basiqtest.Transaction
	for month := range 12 {
		salaries = append(salaries, basiqtest.Transaction{Description: "SALARY ACME PTY LTD", Amount: "5000.00", DaysAgo: 2 + 30*month})
	}
	bank := basiqtest.BankData{
		Accounts:   []basiqtest.Account{{Name: "Everyday", Balance: "1500.00", Transactions: salaries}},
		Identities: []basiqtest.Identity{{FirstName: "Max", LastName: "Mustermann", Emails: []string{"max@example.com"}}},
	}
	if _, err := srv.AddConnection(userID, bank.Login()); err != nil {
		log.Fatal(err)
	}
	return srv, client, userID
}

// Verify that an account of the user has at least a certain balance.
func ExampleClient_VerifyBalance() {
	srv, client, userID := applicant()
	defer srv.Close()
	v, err := client.VerifyBalance(context.Background(), userID, insights.Range{Min: "1000"}, basiq.VerifyOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(v.Outcome, v.AccountID == v.Accounts[0].AccountID)
	// Output: matched true
}

// Verify that the user is who they claim to be.
func ExampleClient_VerifyIdentity() {
	srv, client, userID := applicant()
	defer srv.Close()
	v, err := client.VerifyIdentity(context.Background(), userID, insights.VerifyIdentityParams{
		Name: "Max Mustermann", Email: "moritz@example.com",
	}, basiq.VerifyOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("name:", v.Name.Outcome)
	fmt.Println("email:", v.Email.Outcome)
	// Output:
	// name: matched
	// email: no match
}

// Verify that the user's average monthly income is in a range.
func ExampleClient_VerifyIncome() {
	srv, client, userID := applicant()
	defer srv.Close()
	v, err := client.VerifyIncome(context.Background(), userID, insights.Range{Min: "4000", Max: "6000"}, basiq.VerifyOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(v.Outcome)
	// Output: matched
}

// List the insights that were created for a user.
func Example_insights() {
	srv, client, userID := applicant()
	defer srv.Close()
	ctx := context.Background()
	if _, err := client.Insights.Insights.VerifyBalance(ctx, userID, insights.VerifyBalanceParams{Balance: insights.Range{Min: "1000"}}); err != nil {
		log.Fatal(err)
	}
	for insight, err := range client.Insights.Insights.All(ctx, userID, insights.ListInsightsParams{}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(insight.Kind, insight.Created)
	}
	// Output: balance 2031-05-06T00:00:00Z
}

// List the billers that a user has saved at their banks.
func Example_payees() {
	srv, client, userID := sandbox()
	defer srv.Close()
	if _, err := srv.AddConnection(userID, basiqtest.Gilfoyle); err != nil {
		log.Fatal(err)
	}
	billers := payees.PayeeFilter{}.Kind(payees.KindBiller)
	names := 0
	for payee, err := range client.Payees.Payees.All(context.Background(), userID, payees.ListPayeesParams{Filter: billers}) {
		if err != nil {
			log.Fatal(err)
		}
		if payee.Kind == payees.KindBiller {
			names++ // payee.Nickname; Payees.Get returns the biller's code and reference
		}
	}
	fmt.Println(names, "billers")
	// Output: 2 billers
}
