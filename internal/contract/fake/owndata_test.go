//lint:file-ignore SA1019 deprecated operations are served as well

package fake_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/affordability"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/generated/enrich"
	"github.com/basiq-sdk/basiq-go/generated/insights"
	"github.com/basiq-sdk/basiq-go/generated/payees"
	"github.com/basiq-sdk/basiq-go/generated/reporting"
	"github.com/basiq-sdk/basiq-go/transport/value"
)

// ada is a customer with two accounts and one transaction of each kind.
func ada() basiqtest.BankData {
	return basiqtest.BankData{
		Accounts: []basiqtest.Account{
			{Name: "Main", DisplayName: "Smart Access", BSB: "062000", Number: "12345678", Balance: "1500.25", Available: "1400.00", Ownership: data.OwnershipTwoParty, Transactions: []basiqtest.Transaction{
				{Description: "SALARY ACME", Amount: "3000", DaysAgo: 33},
				{Description: "SALARY ACME", Amount: "3000", DaysAgo: 3},
				{Description: "SPORTSBET 123", Amount: "-200.50", DaysAgo: 5},
				{Description: "CARD 1", Merchant: "Joe's Diner", Category: basiqtest.CategoryDiningOut, CleanDescription: "Joe's", Tags: []string{"lunch"}, Amount: "20", Direction: data.DirectionDebit, DaysAgo: 4},
				{Description: "BPAY", Amount: "-99.00", Reference: `ref "1"`, Biller: &basiqtest.Biller{Code: "1234", Name: "Power & Co", Reference: "77"}, DaysAgo: 6},
				{Description: "CAFE NERO", Amount: "-4.50", Pending: true},
			}},
			{Name: "Card", Class: data.AccountKindCreditCard, CreditLimit: "2000", Transactions: []basiqtest.Transaction{
				{Description: "WOOLWORTHS 1", Amount: "-80", DaysAgo: 10},
				{Description: "INTEREST CHARGED", Amount: "-12.34", DaysAgo: 1},
			}},
		},
		Identities: []basiqtest.Identity{
			{FirstName: "Ada", MiddleName: "M", LastName: "Lovelace", DateOfBirth: "1985-12-10", Emails: []string{"ada@example.com"}, Phones: []string{"+61411111111"}, Addresses: []basiqtest.Address{{Line1: "12 Analytical Way", City: "Perth", State: "WA", Postcode: "6000"}}},
			{FirstName: "Charles", LastName: "Babbage"},
		},
		Payees: []basiqtest.Payee{{Nickname: "Mum", BSB: "062001", Number: "87654321"}, {Nickname: "Power", Biller: &basiqtest.Biller{Code: "1234", Name: "Power & Co", Reference: "77"}}},
	}
}

// TestOwnDataInLists: accounts, transactions, identities and payees, with filters, pages
// and single ones.
func TestOwnDataInLists(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithNow(noon))
	client, _ := checked(t, srv)
	ctx, c := t.Context(), srv.NewCustomer(t, ada())
	accounts, err := client.Data.Accounts.List(ctx, c.UserID, data.ListAccountsParams{})
	if err != nil || len(accounts.Data) != 2 || len(c.AccountIDs) != 2 {
		t.Fatalf("%+v, %v", accounts, err)
	}
	main, card := accounts.Data[0], accounts.Data[1]
	if main.ID != c.AccountIDs[0] || main.Name != "Main" || main.DisplayName != "Smart Access" || main.Number != "062000 12345678" || main.BSB != "062000" || main.MaskedNumber != "xxxxxx678" ||
		main.Balance != "1500.25" || main.AvailableFunds != "1400.00" || main.Holder != "Ada M Lovelace" || main.Ownership != data.OwnershipTwoParty || main.Currency != "AUD" || main.Class.Kind != "transaction" {
		t.Errorf("%+v", main)
	}
	if card.Balance != "-92.34" || card.AvailableFunds != "1907.66" || card.CreditLimit != "2000.00" || card.Class.Kind != "credit-card" || card.Ownership != data.OwnershipOneParty {
		t.Errorf("%+v", card)
	}
	if a, err := client.Data.Accounts.Get(ctx, c.UserID, main.ID, data.GetAccountsParams{}); err != nil || a.ID != main.ID {
		t.Errorf("%+v, %v", a, err)
	}
	if conn, err := client.Data.Connections.Get(ctx, c.UserID, c.ConnectionID); err != nil || len(conn.Accounts.Data) != 2 || conn.Profile.FullName != "Ada M Lovelace" {
		t.Errorf("%+v, %v", conn, err)
	}
	byDescription := map[string]*data.Transaction{}
	for _, tx := range all(t, client, c.UserID) {
		byDescription[tx.Description] = tx
	}
	bet, lunch, bill, pending := byDescription["SPORTSBET 123"], byDescription["CARD 1"], byDescription["BPAY"], byDescription["PENDING - CAFE NERO"]
	switch {
	case len(byDescription) != 7:
		t.Fatalf("%d descriptions", len(byDescription))
	case bet.Amount != "-200.50" || bet.Direction != "debit" || bet.Class != data.TransactionClassPayment || bet.PostDate != "2031-05-01T00:00:00Z" || bet.Enrichment.Merchant != nil || bet.Enrichment.Category.ANZSIC.Group.Title != "Gambling Activities":
		t.Errorf("%+v", bet)
	case lunch.Amount != "-20.00" || lunch.Enrichment.Merchant.BusinessName != "Joe's Diner" || lunch.Enrichment.CleanDescription != "Joe's" || !slices.Equal(lunch.Enrichment.Tags, []string{"lunch"}):
		t.Errorf("%+v", lunch)
	case bill.Reference != `ref "1"` || bill.PaymentDetails.BPAY.BillerName != "Power & Co" || bill.PaymentDetails.BPAY.BillerCode != "1234" || bill.PaymentDetails.BPAY.CRN != "77":
		t.Errorf("%+v", bill)
	case pending.Status != "pending" || pending.PostDate != "" || pending.TransactionDate != "2031-05-06T12:00:00Z":
		t.Errorf("%+v", pending)
	case byDescription["SALARY ACME"].Class != data.TransactionClassDirectCredit || byDescription["INTEREST CHARGED"].Class != data.TransactionClassLoanInterest:
		t.Error("wrong classes")
	}
	if tx, err := client.Data.Transactions.Get(ctx, c.UserID, lunch.ID); err != nil || tx.Description != "CARD 1" {
		t.Errorf("%+v, %v", tx, err)
	}
	for filter, want := range map[*data.TransactionFilter]int{
		new(data.TransactionFilter{}.AccountID(card.ID)): 2, new(data.TransactionFilter{}.Direction(data.DirectionCredit)): 2,
		new(data.TransactionFilter{}.Status(data.TransactionStatusPending)): 1, new(data.TransactionFilter{}.PostDateFrom(value.DateOf(noon.AddDate(0, 0, -4)))): 3,
	} {
		n := 0
		for _, err := range client.Data.Transactions.All(ctx, c.UserID, data.ListTransactionsParams{Filter: *filter, Limit: 1}) {
			if n++; err != nil {
				t.Fatal(err)
			}
		}
		if n != want {
			t.Errorf("%s: %d transactions, want %d", filter, n, want)
		}
	}
	people, err := client.Identity.Identities.List(ctx, c.UserID)
	if err != nil || len(people.Data) != 2 || people.Data[0].DateOfBirth != "1985-12-10" || people.Data[0].PhysicalAddresses[0].Formatted != "12 Analytical Way, Perth WA 6000" || people.Data[1].FullName != "Charles Babbage" {
		t.Errorf("%+v, %v", people, err)
	}
	if i, err := client.Identity.Identities.Get(ctx, c.UserID, people.Data[1].ID); err != nil || i.FullName != "Charles Babbage" {
		t.Errorf("%+v, %v", i, err)
	}
	saved, err := client.Payees.Payees.List(ctx, c.UserID, payees.ListPayeesParams{})
	if err != nil || len(saved.Data) != 2 || saved.Data[0].Nickname != "Mum" {
		t.Fatalf("%+v, %v", saved, err)
	}
	for _, p := range saved.Data {
		if one, err := client.Payees.Payees.Get(ctx, c.UserID, p.ID); err != nil || one.Nickname != p.Nickname {
			t.Errorf("%+v, %v", one, err)
		}
	}
	for text, want := range map[string]string{"JOE'S DINER 44": "Joe's Diner", "WOOLWORTHS 77": ""} {
		e, err := client.Enrich.Enrich.Lookup(ctx, enrich.LookupParams{Text: text, Institution: basiqtest.Hooli, Country: "AU", Amount: "-1"})
		if err != nil || e.Data == nil || e.Data.Category.ANZSIC.Class.Code == "" || (e.Data.Merchant != nil) != (want != "") || want != "" && e.Data.Merchant.BusinessName != want {
			t.Errorf("%s: %+v, %v", text, e, err)
		}
	}
}

// TestOwnDataInFindings: reports, summaries and insights.
func TestOwnDataInFindings(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithNow(noon))
	client, _ := checked(t, srv)
	ctx, c := t.Context(), srv.NewCustomer(t, ada())
	report, err := client.CreateReport(ctx, basiq.AffordabilityReport{
		Title: "Loan", From: value.DateOf(noon.AddDate(0, -3, 0)), To: value.DateOf(noon), Users: []string{c.UserID}, Accounts: c.AccountIDs,
	}, basiq.WaitOptions{})
	if err != nil {
		t.Fatal(err)
	}
	found, _ := report.Data.Affordability()
	groups := map[string]string{}
	for _, g := range found.Groups {
		groups[g.ID] = g.Title + " " + string(g.Analysis.Amount.Total)
	}
	for id, want := range map[string]string{"INC-009": "Salary 6000.00", "EXP-014": "Gambling 200.50", "EXP-008": "Dining Out 20.00", "EXP-016": "Groceries 80.00", "EXP-006": "Debt Interest Accrual 12.34", "EXP-039": "Uncategorised Debits 99.00"} {
		if groups[id] != want {
			t.Errorf("%s: %q, want %q", id, groups[id], want)
		}
	}
	metrics := map[string]string{}
	for _, m := range found.Metrics {
		metrics[m.ID] = m.Result.Value
	}
	for id, want := range map[string]string{ // over two months: April and May
		"ME001": "1", "ME002": "3000.00", "ME010": "2000.00", "ME011": "-92.34", "ME012": "-40.00", "ME014": "-159.75", "ME021": "-212.84", "ME020": "3.5",
		"ME028": "false", "ME029": "true", "ME033": "3000.00", "ME034": "-205.92", "ME036": "3000.00", "ME040": "3000.00", "ME047": "false",
	} {
		if metrics[id] != want {
			t.Errorf("%s is %s, want %s", id, metrics[id], want)
		}
	}
	rows, err := client.Reporting.Reports.ListTransactions(ctx, report.ID, reporting.ListTransactionsParams{})
	if err != nil || len(rows.Data) != 7 {
		t.Errorf("%d rows, %v", len(rows.Data), err)
	}
	ask := affordability.CreateParams{FromMonth: "2031-04", ToMonth: "2031-05"}
	summary, err := client.Affordability.Affordability.Create(ctx, c.UserID, ask)
	if err != nil || summary.Totals.Assets != "1500.25" || summary.Totals.CreditLimit != "2000.00" {
		t.Errorf("%+v, %v", summary, err)
	}
	income, err := client.Affordability.Income.Create(ctx, c.UserID, ask)
	if err != nil || len(income.Regular) != 1 || income.Regular[0].Source != "SALARY ACME" || income.Totals.RegularAverage != "3000.00" {
		t.Errorf("%+v, %v", income, err)
	}
	expenses, err := client.Affordability.Expenses.Create(ctx, c.UserID, ask)
	if err != nil || expenses.LoanInterests.Total != "-12.34" || len(expenses.Payments) != 4 {
		t.Errorf("%+v, %v", expenses, err)
	}
	var table bytes.Buffer
	if err := client.Affordability.Expenses.GetCSV(ctx, c.UserID, expenses.ID, &table); err != nil || !strings.Contains(table.String(), "SPORTSBET 123") {
		t.Errorf("%s, %v", &table, err)
	}
	if v, err := client.VerifyAccount(ctx, c.UserID, insights.VerifyAccountParams{AccountNumber: "062000 12345678"}, basiq.VerifyOptions{}); err != nil || v.AccountID != c.AccountIDs[0] {
		t.Errorf("%+v, %v", v, err)
	}
	if v, err := client.VerifyBalance(ctx, c.UserID, insights.Range{Min: "1500", Max: "1501"}, basiq.VerifyOptions{}); err != nil || v.Outcome != basiq.Matched {
		t.Errorf("%+v, %v", v, err)
	}
	for claim, want := range map[*insights.VerifyIdentityParams]basiq.VerifyOutcome{
		{Name: "Ada M Lovelace", Phone: "0411111111", Address: "12 Analytical Way Perth WA 6000"}: basiq.Matched, {Name: "Somebody Else"}: basiq.NoMatch,
	} {
		if v, err := client.VerifyIdentity(ctx, c.UserID, *claim, basiq.VerifyOptions{}); err != nil || v.Outcome != want {
			t.Errorf("%+v: %+v, %v", claim, v, err)
		}
	}
	if v, err := client.VerifyIncome(ctx, c.UserID, insights.Range{Min: "2999", Max: "3001"}, basiq.VerifyOptions{}); err != nil || v.Outcome != basiq.Matched {
		t.Errorf("%+v, %v", v, err)
	}
	if v, err := client.Insights.Insights.VerifyExpenseRatio(ctx, c.UserID, insights.VerifyExpenseRatioParams{Expense: "700"}); err != nil || v.Data[0].Result.Range != "20% to 30%" {
		t.Errorf("%+v, %v", v, err)
	}
}

// TestOwnPendingTransactions: each refresh posts half of them, the oldest first, and gives
// the others new IDs. After a purge, the bank has what it had.
func TestOwnPendingTransactions(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithNow(noon))
	client, _ := checked(t, srv)
	c := srv.NewCustomer(t, basiqtest.BankData{Accounts: []basiqtest.Account{{Balance: "100", Transactions: []basiqtest.Transaction{
		{Description: "A", Amount: "-1", Pending: true, DaysAgo: 2}, {Description: "B", Amount: "-2", Pending: true, DaysAgo: 1}, {Description: "C", Amount: "5", DaysAgo: 9},
	}}}})
	state := func() (text string, ids []string) {
		for _, tx := range all(t, client, c.UserID) {
			text += string(tx.Status[:2]) + " " + strings.TrimPrefix(tx.Description, "PENDING - ") + " " + string(tx.Balance) + "; "
			ids = append(ids, tx.ID)
		}
		a, err := client.Data.Accounts.Get(t.Context(), c.UserID, c.AccountIDs[0], data.GetAccountsParams{})
		if err != nil {
			t.Fatal(err)
		}
		return text + string(a.Balance), ids
	}
	refresh := func() {
		t.Helper()
		if _, err := client.RefreshConnection(t.Context(), c.UserID, c.ConnectionID, basiq.WaitOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	first, before := state()
	refresh()
	second, after := state()
	refresh()
	third, last := state()
	if first != "pe B ; pe A ; po C 100.00; 100.00" || second != "pe B ; po A 99.00; po C 100.00; 99.00" || third != "po B 97.00; po A 99.00; po C 100.00; 97.00" {
		t.Errorf("%q, %q, %q", first, second, third)
	}
	if before[0] == after[0] || before[2] != after[2] || after[1] != last[1] || before[1] == after[1] {
		t.Errorf("%v, %v, %v", before, after, last)
	}
	if err := client.Data.Connections.Purge(t.Context(), c.UserID, c.ConnectionID); err != nil {
		t.Fatal(err)
	}
	refresh()
	if again, ids := state(); again != first || ids[2] == before[2] {
		t.Errorf("%q, %v", again, ids)
	}
}

// TestAddedData: what is added to a connection can be read at once, and comes back after a
// purge, also before the connection's job has ended.
func TestAddedData(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithNow(noon))
	client, _ := checked(t, srv)
	ctx, user := t.Context(), newUser(t, srv)
	first, err := srv.AddAccount(user, basiqtest.Account{Name: "First", Balance: "10"})
	if err != nil {
		t.Fatal(err)
	}
	second, err := srv.AddAccount(user, basiqtest.Account{Name: "Second", Class: data.AccountKindSavings, Available: "0.50", CreditLimit: "9"})
	if err != nil {
		t.Fatal(err)
	}
	ids, err := srv.AddTransactions(second, basiqtest.Transaction{Description: "CREDIT INTEREST", Amount: "7.50"}, basiqtest.Transaction{Description: "LATER", Amount: "1", Pending: true})
	if err != nil || len(ids) != 2 {
		t.Fatal(ids, err)
	}
	if _, err := srv.AddTransactions(first, basiqtest.Transaction{Amount: "-4"}); err != nil {
		t.Fatal(err)
	}
	id, err := srv.AddIdentity(user, basiqtest.Identity{FirstName: "Kim", LastName: "Park"})
	if err != nil {
		t.Fatal(err)
	}
	check := func(when string) {
		t.Helper()
		accounts, err := client.Data.Accounts.List(ctx, user, data.ListAccountsParams{})
		if err != nil || len(accounts.Data) != 2 || accounts.Data[0].ID != first || accounts.Data[0].Balance != "6.00" || accounts.Data[1].ID != second || accounts.Data[1].Balance != "7.50" ||
			accounts.Data[1].AvailableFunds != "8.00" || accounts.Data[1].CreditLimit != "9.00" {
			t.Fatalf("%s: %+v, %v", when, accounts, err)
		}
		if rows := all(t, client, user); len(rows) != 3 || rows[2].Class != data.TransactionClassInterest {
			t.Errorf("%s: %d rows", when, len(rows))
		}
		if i, err := client.Identity.Identities.Get(ctx, user, id); err != nil || i.FullName != "Kim Park" {
			t.Errorf("%s: %+v, %v", when, i, err)
		}
	}
	check("at once")
	if tx, err := client.Data.Transactions.Get(ctx, user, ids[0]); err != nil || tx.Description != "CREDIT INTEREST" {
		t.Errorf("%+v, %v", tx, err)
	}
	u, err := srv.User(user)
	if err != nil || len(u.Connections) != 1 {
		t.Fatal(u, err)
	}
	if _, err := client.PurgeAndRefresh(ctx, user, u.Connections[0].ID, basiq.WaitOptions{}); err != nil {
		t.Fatal(err)
	}
	check("after a purge")

	jobs, err := srv.Connect(user, basiqtest.BankData{Accounts: []basiqtest.Account{{Name: "Third"}}}.Login())
	if err != nil {
		t.Fatal(err)
	}
	if u, err = srv.User(user); err != nil {
		t.Fatal(err)
	}
	fourth, err := srv.AddAccount(u.Connections[1].ID, basiqtest.Account{Name: "Fourth", Balance: "1"})
	if err != nil {
		t.Fatal(err)
	}
	if ids, err = srv.AddTransactions(fourth, basiqtest.Transaction{Description: "EARLY", Amount: "-3"}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.WaitForJob(ctx, jobs[0], basiq.WaitOptions{}); err != nil {
		t.Fatal(err)
	}
	if a, err := client.Data.Accounts.Get(ctx, user, fourth, data.GetAccountsParams{}); err != nil || a.Balance != "-2.00" {
		t.Errorf("%+v, %v", a, err)
	}
	if tx, err := client.Data.Transactions.Get(ctx, user, ids[0]); err != nil || tx.Description != "EARLY" {
		t.Errorf("%+v, %v", tx, err)
	}
}

// TestGeneratedConnectionsTakeOwnAccounts: an account can be added beside generated ones,
// and an account of any kind can be closed.
func TestGeneratedConnectionsTakeOwnAccounts(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithNow(noon), basiqtest.WithTransactions(20))
	client, _ := checked(t, srv)
	user, connection := connected(t, srv, basiqtest.Jared)
	own, err := srv.AddAccount(connection, basiqtest.Account{Transactions: []basiqtest.Transaction{{Amount: "1"}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.PurgeAndRefresh(t.Context(), user, connection, basiq.WaitOptions{}); err != nil {
		t.Fatal(err)
	}
	accounts, err := client.Data.Accounts.List(t.Context(), user, data.ListAccountsParams{})
	if err != nil || len(accounts.Data) != 3 || accounts.Data[2].ID != own || accounts.Data[2].Holder != "Jared Dunn" {
		t.Fatalf("%+v, %v", accounts, err)
	}
	for _, a := range accounts.Data {
		if err := srv.CloseAccount(a.ID); err != nil {
			t.Fatal(err)
		}
	}
	srv.Advance(24 * time.Hour)
	before := len(all(t, client, user))
	if _, err := client.RefreshConnection(t.Context(), user, connection, basiq.WaitOptions{}); err != nil {
		t.Fatal(err)
	}
	if accounts, err = client.Data.Accounts.List(t.Context(), user, data.ListAccountsParams{}); err != nil {
		t.Fatal(err)
	}
	for _, a := range accounts.Data {
		if a.Status != data.AccountStatusUnavailable || a.LastUpdated != "2031-05-06T12:00:00Z" {
			t.Errorf("%+v", a)
		}
	}
	if n := len(all(t, client, user)); n != before {
		t.Errorf("%d transactions, %d before", n, before)
	}
	if err := srv.CloseAccount("unknown"); err == nil {
		t.Error("an account that does not exist was closed")
	}
}
