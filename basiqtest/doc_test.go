package basiqtest_test

import (
	"os"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/data"
)

func TestBalance(t *testing.T) {
	srv := basiqtest.NewServer(t)
	client := srv.Client(t)
	customer := srv.NewCustomer(t, basiqtest.BankData{Accounts: []basiqtest.Account{{
		Name: "Everyday",
		Transactions: []basiqtest.Transaction{
			{Description: "SALARY ACME PTY LTD", Amount: "4200.00", DaysAgo: 2},
			{Description: "SPORTSBET", Amount: "-50.00", DaysAgo: 1},
		},
	}}})
	accounts, err := client.Data.Accounts.List(t.Context(), customer.UserID, data.ListAccountsParams{})
	if err != nil || accounts.Data[0].Balance != "4150.00" {
		t.Errorf("%+v, %v", accounts, err)
	}
}

// TestDocumentation: the example in the package comment is TestBalance.
func TestDocumentation(t *testing.T) {
	read := func(name string) string {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	var shown strings.Builder
	for line := range strings.Lines(read("doc.go")) {
		if code, ok := strings.CutPrefix(line, "//\t"); ok {
			shown.WriteString(code)
		}
	}
	if shown.Len() < 500 || !strings.Contains(read("doc_test.go"), shown.String()) {
		t.Errorf("the example in doc.go is not in doc_test.go:\n%s", shown.String())
	}
}
