package basiqtest_test

import (
	"os"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/generated/data"
)

func TestCheckout(t *testing.T) {
	srv := basiqtest.NewServer(t)
	client := srv.Client(t)
	user, err := client.Core.Users.Create(t.Context(), core.CreateUserParams{Email: "max@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	// Simulate the user in the Consent UI.
	jobs, err := srv.Connect(user.ID, basiqtest.WentworthSmith)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.WaitForJob(t.Context(), jobs[0], basiq.WaitOptions{}); err != nil {
		t.Fatal(err)
	}
	accounts, err := client.Data.Accounts.List(t.Context(), user.ID, data.ListAccountsParams{})
	if err != nil || len(accounts.Data) != 4 {
		t.Errorf("%d accounts, %v", len(accounts.Data), err)
	}
}

// TestDocumentation: the example in the package comment is TestCheckout.
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
