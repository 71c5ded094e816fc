package basiqtest_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/data"
)

// TestDataThatIsNotValid: the error names the field, and nothing is connected.
func TestDataThatIsNotValid(t *testing.T) {
	type (
		bank     = basiqtest.BankData
		account  = basiqtest.Account
		row      = basiqtest.Transaction
		identity = basiqtest.Identity
		payee    = basiqtest.Payee
	)
	one := func(a account) bank { return bank{Accounts: []account{{}, a}} }
	paid := func(r row) bank { return one(account{Transactions: []row{r}}) }
	srv := basiqtest.NewServer(t, basiqtest.WithNow(noon))
	userID, err := srv.AddUser("max@example.com")
	if err != nil {
		t.Fatal(err)
	}
	for want, d := range map[string]bank{
		`Accounts[1].Class: "saving" is not an account class; the nearest is "savings"`:                                              one(account{Class: "saving"}),
		`Accounts[1].Ownership: "MINE" is not valid`:                                                                                 one(account{Ownership: "MINE"}),
		`Accounts[1].Currency: "aud" is not an ISO 4217 code`:                                                                        one(account{Currency: "aud"}),
		`Accounts[1].BSB: "12" must have six digits`:                                                                                 one(account{BSB: "12"}),
		`Accounts[1].Number: "12-34" must have from 4 to 19 digits`:                                                                  one(account{Number: "12-34"}),
		`Accounts[1].Balance: "1,500" is not a number with up to two decimals`:                                                       one(account{Balance: "1,500"}),
		`Accounts[1].Available: "-1" must not be negative`:                                                                           one(account{Available: "-1"}),
		`Accounts[1].CreditLimit: "1.234" is not a number`:                                                                           one(account{CreditLimit: "1.234"}),
		"Accounts[1].Name: it is not valid UTF-8":                                                                                    one(account{Name: "\xff"}),
		"Accounts[1].Transactions[0].Amount: it is required":                                                                         paid(row{}),
		`Accounts[1].Transactions[0].Amount: "12.345" is not a number`:                                                               paid(row{Amount: "12.345"}),
		`Accounts[1].Transactions[0].Direction: "in" is not valid`:                                                                   paid(row{Amount: "1", Direction: "in"}),
		"Accounts[1].Transactions[0].Direction: credit contradicts":                                                                  paid(row{Amount: "-1", Direction: data.DirectionCredit}),
		`Accounts[1].Transactions[0].Class: "paymnt" is not a transaction class; the nearest is "pay`:                                paid(row{Amount: "1", Class: "paymnt"}),
		"Accounts[1].Transactions[0].DaysAgo: -1 must be from 0":                                                                     paid(row{Amount: "1", DaysAgo: -1}),
		"Accounts[1].Transactions[0].DaysAgo: it cannot be combined with Date":                                                       paid(row{Amount: "1", DaysAgo: 1, Date: noon}),
		"Accounts[1].Transactions[0].Date: 2031-05-08 is after the server's time":                                                    paid(row{Amount: "1", Date: noon.AddDate(0, 0, 2)}),
		"Accounts[1].Transactions[0].Date: 1899-12-31 is before the year 1900":                                                       paid(row{Amount: "1", Date: time.Date(1899, 12, 31, 0, 0, 0, 0, time.UTC)}),
		`Accounts[1].Transactions[0].Category: "gambling" is not the ID of a group of a report; the nearest is "EXP-014" (Gambling)`: paid(row{Amount: "-1", Category: "gambling"}),
		"Accounts[1].Transactions[0].Category: INC-009 (Salary) contradicts":                                                         paid(row{Amount: "-1", Category: basiqtest.CategorySalary}),
		"Accounts[1].Transactions[0].AccountID: it must be empty":                                                                    paid(row{Amount: "-1", AccountID: "a"}),
		`Accounts[1].Transactions[0].Biller.Code: "x" must have digits only`:                                                         paid(row{Amount: "-1", Biller: &basiqtest.Biller{Code: "x", Name: "y"}}),
		"Accounts[1].Transactions[0].Biller.Name: it is required":                                                                    paid(row{Amount: "-1", Biller: &basiqtest.Biller{Code: "1"}}),
		`Identities[0].DateOfBirth: "1/2/1990" does not have the form YYYY-MM-DD`:                                                    {Identities: []identity{{DateOfBirth: "1/2/1990"}}},
		`Identities[0].Emails[1]: "b" is not an email address`:                                                                       {Identities: []identity{{Emails: []string{"a@b.example", "b"}}}},
		`Identities[0].Phones[0]: "x" is not a telephone number`:                                                                     {Identities: []identity{{Phones: []string{"x"}}}},
		`Identities[0].Addresses[0].Postcode: "2" must have four digits`:                                                             {Identities: []identity{{Addresses: []basiqtest.Address{{Postcode: "2"}}}}},
		`Identities[0].ABN: "1" must have eleven digits`:                                                                             {Identities: []identity{{ABN: "1"}}},
		`Payees[0].BSB: "1" must have six digits`:                                                                                    {Payees: []payee{{BSB: "1"}}},
		"Payees[0].Biller: it cannot be combined":                                                                                    {Payees: []payee{{Number: "1", Biller: &basiqtest.Biller{Code: "1", Name: "y"}}}},
	} {
		if _, err := srv.Connect(userID, d.Login()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
		if s, err := basiqtest.Start(basiqtest.WithBankData(d)); !strings.Contains(want, "is after") && (err == nil || !strings.HasPrefix(err.Error(), "basiqtest: WithBankData: "+want)) {
			t.Errorf("WithBankData: %s: %v", want, err)
			s.Close()
		}
	}
	if u, err := srv.User(userID); err != nil || len(u.Connections) != 0 || len(u.Consents) != 0 {
		t.Errorf("%+v, %v", u, err)
	}
}

// TestAddErrors: what is added is added as a whole or not at all.
func TestAddErrors(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithNow(noon))
	c := srv.NewCustomer(t, basiqtest.BankData{Accounts: []basiqtest.Account{{}}})
	good := basiqtest.Transaction{Amount: "1"}
	for name, call := range map[string]func() error{
		`AddAccount: connection or user "nobody" does not exist`:  func() error { _, err := srv.AddAccount("nobody", basiqtest.Account{}); return err },
		`AddAccount: Currency: "$"`:                               func() error { _, err := srv.AddAccount(c.UserID, basiqtest.Account{Currency: "$"}); return err },
		`AddIdentity: connection or user "nobody" does not exist`: func() error { _, err := srv.AddIdentity("nobody", basiqtest.Identity{}); return err },
		`AddIdentity: DateOfBirth`:                                func() error { _, err := srv.AddIdentity(c.UserID, basiqtest.Identity{DateOfBirth: "x"}); return err },
		`AddTransactions: account "none" does not exist`:          func() error { _, err := srv.AddTransactions("none", good); return err },
		`AddTransactions: Transactions[1].Amount: "x"`: func() error {
			_, err := srv.AddTransactions(c.AccountIDs[0], good, basiqtest.Transaction{Amount: "x"})
			return err
		},
		`AddTransactions: Transactions[0].AccountID: "b" is another account`: func() error {
			_, err := srv.AddTransactions(c.AccountIDs[0], basiqtest.Transaction{Amount: "1", AccountID: "b"})
			return err
		},
		`AddTransactions: Transactions[1].Date`: func() error {
			_, err := srv.AddTransactions(c.AccountIDs[0], good, basiqtest.Transaction{Amount: "1", Date: noon.AddDate(1, 0, 0)})
			return err
		},
		`ExpireConsent: user "nobody" does not exist`: func() error { return srv.ExpireConsent("nobody") },
	} {
		if err := call(); err == nil || !strings.HasPrefix(err.Error(), "basiqtest: "+name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if u, err := srv.User(c.UserID); err != nil || len(u.Accounts) != 1 || u.Accounts[0].Posted != 0 {
		t.Errorf("%+v, %v", u, err)
	}
}

// TestDefaultsOfData: the zero value of an account, and the user's own name.
func TestDefaultsOfData(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithNow(noon))
	client := srv.Client(t)
	c := srv.NewCustomer(t, basiqtest.BankData{Accounts: []basiqtest.Account{{}}})
	accounts, err := client.Data.Accounts.List(t.Context(), c.UserID, data.ListAccountsParams{})
	if err != nil || len(accounts.Data) != 1 {
		t.Fatal(accounts, err)
	}
	if a := accounts.Data[0]; a.Name != "Everyday Account" || a.Balance != "0.00" || a.Currency != "AUD" || a.Class.Kind != "transaction" || a.Holder != "Alex Example" || len(a.Number) != len("000000 123456789") || a.Status != "available" {
		t.Errorf("%+v", a)
	}
	people, err := client.Identity.Identities.List(t.Context(), c.UserID)
	if err != nil || len(people.Data) != 1 || people.Data[0].FullName != "Alex Example" || people.Data[0].EmailAddresses[0] != "customer@example.com" {
		t.Errorf("%+v, %v", people, err)
	}
}

// TestDataOfTheServer: published logins connect the data of WithBankData, or fail as they
// do. The caller's later changes to the data have no effect.
func TestDataOfTheServer(t *testing.T) {
	d := basiqtest.BankData{Accounts: []basiqtest.Account{{Name: "Mine", Transactions: []basiqtest.Transaction{{Amount: "1", Tags: []string{"a"}}}}}}
	srv := basiqtest.NewServer(t, basiqtest.WithNow(noon), basiqtest.WithBankData(d))
	d.Accounts[0].Name, d.Accounts[0].Transactions[0].Tags[0] = "Changed", "b"
	client := srv.Client(t)
	for range 2 {
		userID, err := srv.AddUser("max@example.com")
		if err != nil {
			t.Fatal(err)
		}
		link, err := client.ConsentLink(t.Context(), userID, basiq.ConsentOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := srv.VisitConsentLink(link.Reveal(), basiqtest.Richard); err != nil {
			t.Fatal(err)
		}
		if _, err := srv.AddConnection(userID, basiqtest.Bighead); err == nil {
			t.Error("a login that the bank rejects was accepted")
		}
		srv.FinishJobs()
		u, err := srv.User(userID)
		if err != nil || len(u.Accounts) != 1 || u.Accounts[0].Name != "Mine" || u.Accounts[0].Posted != 1 {
			t.Errorf("%+v, %v", u, err)
		}
		if _, err := srv.AddTransactions(u.Accounts[0].ID, basiqtest.Transaction{Amount: "1"}); err != nil {
			t.Error(err) // and the next user does not see it
		}
	}
}

// TestCustomerWithMFA: a customer at a bank that asks a question, who later has to log in
// again.
func TestCustomerWithMFA(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithNow(noon))
	client := srv.Client(t)
	userID, err := srv.AddUser("max@example.com")
	if err != nil {
		t.Fatal(err)
	}
	old := basiqtest.BankData{Accounts: []basiqtest.Account{{Name: "Old"}}}
	connectionID, err := srv.AddConnection(userID, old.Login().At(basiqtest.PiedPiper).Answering("1234"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := srv.AddConnection(userID, old.Login().At(basiqtest.PiedPiper).Answering("4321")); err == nil {
		t.Error("a wrong answer was accepted")
	}
	if err := srv.InvalidateConnection(connectionID); err != nil {
		t.Fatal(err)
	}
	visit := func(login basiqtest.Login, want string) {
		t.Helper()
		link, err := client.ConsentLink(t.Context(), userID, basiq.ConsentOptions{Action: basiq.ConsentActionConnect, ConnectionID: connectionID})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := srv.VisitConsentLink(link.Reveal(), login.Answering("1234")); err != nil {
			t.Fatal(err)
		}
		srv.FinishJobs()
		u, err := srv.User(userID)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(u.Connections[0].Status, " ", u.Accounts[0].Name); got != want {
			t.Errorf("%s: %q, want %q", login.ID, got, want)
		}
	}
	visit(basiqtest.Bighead, "invalid Old")
	visit(basiqtest.BankData{Accounts: []basiqtest.Account{{Name: "New"}}}.Login(), "active New")
	visit(basiqtest.Login{ID: "customer"}, "active New")
}

// TestDataInJSON: tests can keep customers in files.
func TestDataInJSON(t *testing.T) {
	var d basiqtest.BankData
	text := `{"accounts": [{"name": "Main", "class": "savings", "transactions": [{"description": "SALARY", "amount": "12.50", "daysAgo": 2}]}], "identities": [{"firstName": "Ada"}]}`
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(d)
	if err != nil || strings.ReplaceAll(text, " ", "") != string(again) {
		t.Errorf("%s, %v", again, err)
	}
	srv := basiqtest.NewServer(t)
	u, err := srv.User(srv.NewCustomer(t, d).UserID)
	if err != nil || u.Accounts[0].Class != "savings" || u.Accounts[0].Balance != "12.50" || u.Name != "Ada Example" {
		t.Errorf("%+v, %v", u, err)
	}
}

// TestEvery: recurring transactions are dated backwards from the first.
func TestEvery(t *testing.T) {
	var got []string
	for _, tx := range (basiqtest.Transaction{Amount: "1", Date: noon}).Every(14, 3) {
		got = append(got, tx.Date.Format(time.DateOnly))
	}
	for _, tx := range (basiqtest.Transaction{Amount: "1", DaysAgo: 1}).Every(7, 2) {
		got = append(got, fmt.Sprint(tx.DaysAgo))
	}
	if want := "[2031-05-06 2031-04-22 2031-04-08 1 8]"; fmt.Sprint(got) != want || len((basiqtest.Transaction{}).Every(1, 0)) != 1 {
		t.Errorf("%v, want %s", got, want)
	}
}

// TestCategoriesAreDocumented: docs/testing.md has the table of keywords.
func TestCategoriesAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../docs/testing.md")
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	for _, c := range basiqtest.Categories() {
		if len(c.Keywords) > 0 {
			fmt.Fprintf(&want, "| `%s` | %s | %s |\n", c.ID, c.Title, strings.ToLower(strings.Join(c.Keywords, ", ")))
		}
	}
	if !strings.Contains(string(page), want.String()) {
		t.Errorf("docs/testing.md does not have the table of categories:\n%s", &want)
	}
	if n := len(basiqtest.Categories()); n != 69 {
		t.Errorf("%d categories", n)
	}
}

// TestKeywordsSelectCategories: words of a description, whatever their case and what is
// between them. Longer texts that contain a word do not count.
func TestKeywordsSelectCategories(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithNow(noon))
	client := srv.Client(t)
	for text, want := range map[string]string{
		"-1 Sportsbet*1234 Syd": "EXP-014", "-1 sportsbetting": "EXP-039", "-1 WOOLWORTHS/METRO": "EXP-016", "-1 ATM CBA": "EXP-001", "-1 TRANSFER TO JOE": "EXP-013",
		"-1 Monthly Account Fee": "EXP-054", "-1 dishonour fee": "EXP-009", "-1 HOME LOAN REPAYMENT": "EXP-056", "-1 AFTERPAY": "EXP-025", "-1 XYZ": "EXP-039",
		"1 WAGES ACME": "INC-009", "1 Centrelink Jobseeker": "INC-016", "1 DIVIDEND": "INC-005", "1 INTEREST": "INC-004", "1 REFUND KMART": "EXP-032", "1 XYZ": "INC-007",
		"1 TRANSFER FROM MUM": "", "1 SALARY TRANSFER": "INC-009",
	} {
		amount, description, _ := strings.Cut(text, " ")
		c := srv.NewCustomer(t, basiqtest.BankData{Accounts: []basiqtest.Account{{Transactions: []basiqtest.Transaction{{Description: description, Amount: amount}}}}})
		if got := strings.Join(groupsFor(t, client, c), " "); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// TestImmediateJobsNeedOnePoll: code under test that creates its own client, which polls
// every second, does not have to wait for immediate jobs.
func TestImmediateJobsNeedOnePoll(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithNow(noon), basiqtest.WithImmediateJobs())
	client, err := basiq.NewClient(basiq.WithBaseURL(srv.URL), basiq.WithAPIKey(srv.APIKey()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	c := srv.NewCustomer(t, basiqtest.BankData{Accounts: []basiqtest.Account{{}}})
	groupsFor(t, client, c)
	if _, err := client.RefreshConnection(t.Context(), c.UserID, c.ConnectionID, basiq.WaitOptions{}); err != nil {
		t.Fatal(err)
	}
	statement := basiq.Statement{InstitutionID: basiqtest.ExampleBank, Name: "a.csv", Content: strings.NewReader("date,description,amount\n2020-05-01,A,1\n")}
	if _, err := client.UploadStatement(t.Context(), c.UserID, statement, basiq.WaitOptions{}); err != nil {
		t.Fatal(err)
	}
	if n := srv.Calls("Jobs.Get"); n != 3 {
		t.Errorf("%d polls of three jobs", n)
	}
}
