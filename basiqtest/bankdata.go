package basiqtest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go/generated/data"
)

// BankData is what a bank knows about a customer: data of your own, in place of that of a
// published login. Its zero value is a customer without accounts. It can be decoded from
// JSON, for tests that keep their customers in files.
//
// A login with data, such as that of [BankData.Login], can be used wherever a login can.
// [Server.NewCustomer] and [WithBankData] are shorter.
type BankData struct {
	Accounts []Account `json:"accounts,omitempty"`

	// Identities are the account holders. By default, there is one: the user, with the
	// name, email address and mobile number that the user was created with.
	Identities []Identity `json:"identities,omitempty"`

	Payees []Payee `json:"payees,omitempty"` // whom the customer has saved to pay money to
}

// Account is a bank account. All fields are optional.
type Account struct {
	Name        string           `json:"name,omitempty"`        // "Everyday Account" by default
	DisplayName string           `json:"displayName,omitempty"` // the bank's name for it, and its product; Name by default
	Holder      string           `json:"holder,omitempty"`      // full name of the first identity by default
	BSB         string           `json:"bsb,omitempty"`         // six digits; "000000" by default
	Number      string           `json:"number,omitempty"`      // from 4 to 19 digits; made up by default
	Class       data.AccountKind `json:"class,omitempty"`       // "transaction" by default
	Ownership   data.Ownership   `json:"ownership,omitempty"`   // ONE_PARTY by default
	Currency    string           `json:"currency,omitempty"`    // three capital letters; AUD by default

	// Balance is a decimal number with up to two decimals, negative for money that
	// the customer owes. By default, it is the sum of the posted transactions.
	Balance string `json:"balance,omitempty"`
	// Available is the available funds, in the format of Balance: by default the sum
	// of Balance and CreditLimit, but not below 0.
	Available string `json:"available,omitempty"`
	// CreditLimit is in the format of Balance, and 0 by default.
	CreditLimit string `json:"creditLimit,omitempty"`

	// Unavailable accounts were closed. See Server.CloseAccount.
	Unavailable bool `json:"unavailable,omitempty"`

	Transactions []Transaction `json:"transactions,omitempty"` // in any order
}

// Transaction is a transaction of an account. Only Amount is required.
type Transaction struct {
	AccountID   string `json:"accountId,omitempty"` // only for Server.AddTransaction; the connection's first account by default
	Description string `json:"description,omitempty"`

	// Amount is a decimal number with up to two decimals, such as "-12.50". It is
	// negative for debits. If Direction is debit, it can also be positive.
	Amount    string         `json:"amount"`
	Direction data.Direction `json:"direction,omitempty"`

	// Date is when it was posted, or when it took place if it is pending. If it is zero,
	// the date is DaysAgo days before the server's current time, at midnight UTC unless
	// DaysAgo is 0.
	Date    time.Time `json:"date,omitzero"`
	DaysAgo int       `json:"daysAgo,omitempty"`

	// Pending transactions have no post date. Each refresh posts half of them, the
	// oldest first, and gives the others new IDs.
	Pending bool `json:"pending,omitempty"`

	Class     data.TransactionClass `json:"class,omitempty"`     // by default, what Amount and Description suggest
	Reference string                `json:"reference,omitempty"` // of the payer
	Biller    *Biller               `json:"biller,omitempty"`    // payee of a BPAY payment

	// Category is the group of reports that it belongs to. By default, it is that of
	// the first keyword in Description; see Categories.
	Category Category `json:"category,omitempty"`

	// Merchant is the trading name of who was paid. CleanDescription is Merchant by
	// default. A transaction is enriched if its Merchant or Category is known.
	Merchant         string   `json:"merchant,omitempty"`
	CleanDescription string   `json:"cleanDescription,omitempty"`
	Tags             []string `json:"tags,omitempty"`
}

// Biller is the payee of a BPAY payment.
type Biller struct {
	Code      string `json:"code"` // digits
	Name      string `json:"name"`
	Reference string `json:"reference,omitempty"` // customer reference number
}

// Identity is an account holder. All fields are optional.
type Identity struct {
	Title       string    `json:"title,omitempty"`
	FirstName   string    `json:"firstName,omitempty"`
	MiddleName  string    `json:"middleName,omitempty"`
	LastName    string    `json:"lastName,omitempty"`
	DateOfBirth string    `json:"dateOfBirth,omitempty"` // YYYY-MM-DD; 1980-01-01 by default
	Emails      []string  `json:"emails,omitempty"`      // someone@example.com by default
	Phones      []string  `json:"phones,omitempty"`      // +61400000000 by default
	Addresses   []Address `json:"addresses,omitempty"`   // an example by default

	// Business is the name of the organisation, if it is one. ABN has 11 digits.
	Business string `json:"business,omitempty"`
	ABN      string `json:"abn,omitempty"`
}

// Address is a residential address in Australia.
type Address struct {
	Line1    string `json:"line1,omitempty"`
	Line2    string `json:"line2,omitempty"`
	City     string `json:"city,omitempty"`
	State    string `json:"state,omitempty"`    // such as NSW
	Postcode string `json:"postcode,omitempty"` // four digits
}

// Payee is whom a customer has saved to pay money to: an Australian account, or a biller
// if Biller is set.
type Payee struct {
	Nickname    string  `json:"nickname,omitempty"`
	Description string  `json:"description,omitempty"`
	AccountName string  `json:"accountName,omitempty"` // Nickname by default
	BSB         string  `json:"bsb,omitempty"`         // six digits; "000000" by default
	Number      string  `json:"number,omitempty"`      // account number; made up by default
	Biller      *Biller `json:"biller,omitempty"`
}

// Login returns a login with this data. Any bank accepts it. Its ID is "customer", and its
// MFA answer is "1234".
func (d BankData) Login() Login { return Login{ID: "customer", Password: "password", Data: &d} }

// Every returns the transaction and earlier ones, n altogether, that are the given number
// of days apart: a salary every 14 days, for example. n below 1 counts as 1.
func (t Transaction) Every(days, n int) []Transaction {
	out := make([]Transaction, max(n, 1))
	for i := range out {
		out[i] = t
		if t.Date.IsZero() {
			out[i].DaysAgo += i * days
		} else {
			out[i].Date = t.Date.AddDate(0, 0, -i*days)
		}
	}
	return out
}

// WithBankData sets the data that published logins connect, in place of their own. Logins
// that fail, such as Bighead, still fail. Start returns an error if d is not valid.
func WithBankData(d BankData) Option {
	return func(c *config) error {
		if err := d.check(); err != nil {
			return fmt.Errorf("WithBankData: %w", err)
		}
		c.data = d.clone()
		return nil
	}
}

// Customer is a user with a connection to a bank. See [Server.NewCustomer].
type Customer struct {
	UserID       string
	ConnectionID string
	AccountIDs   []string // in the order of BankData.Accounts
}

// NewCustomer creates a user who has given consent and connected a bank that has the data.
// The user has the name and email address of the first identity. NewCustomer fails the
// test if the data is not valid.
func (s *Server) NewCustomer(tb testing.TB, d BankData) *Customer {
	tb.Helper()
	if err := s.usable("NewCustomer"); err != nil {
		tb.Fatal(err)
	}
	if err := d.check(); err != nil {
		tb.Fatalf("basiqtest: NewCustomer: %v", err)
	}
	var who Identity
	if len(d.Identities) > 0 {
		who = d.Identities[0]
	}
	fields := object{"email": "customer@example.com", "firstName": cmp.Or(who.FirstName, "Alex"), "lastName": cmp.Or(who.LastName, "Example")}
	if len(who.Emails) > 0 {
		fields["email"] = who.Emails[0]
	}
	body, err := json.Marshal(fields)
	if err != nil {
		tb.Fatal(err)
	}
	s.mu.Lock()
	u, refused := s.newUser(body)
	s.mu.Unlock()
	if refused != nil {
		tb.Fatalf("basiqtest: NewCustomer: the user was rejected: %s", refused.body())
	}
	connectionID, err := s.AddConnection(u.id, d.Login())
	if err != nil {
		tb.Fatal(err)
	}
	out := &Customer{UserID: u.id, ConnectionID: connectionID}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range u.connection(connectionID).accounts {
		out.AccountIDs = append(out.AccountIDs, a.id)
	}
	return out
}

// clone returns a deep copy, which the caller cannot change later.
func (d BankData) clone() *BankData {
	d.Accounts, d.Identities, d.Payees = slices.Clone(d.Accounts), slices.Clone(d.Identities), slices.Clone(d.Payees)
	for i := range d.Accounts {
		d.Accounts[i].Transactions = cloneTransactions(d.Accounts[i].Transactions)
	}
	for i := range d.Identities {
		d.Identities[i] = d.Identities[i].clone()
	}
	for i := range d.Payees {
		d.Payees[i].Biller = d.Payees[i].Biller.clone()
	}
	return &d
}

func (i Identity) clone() Identity {
	i.Emails, i.Phones, i.Addresses = slices.Clone(i.Emails), slices.Clone(i.Phones), slices.Clone(i.Addresses)
	return i
}

func (b *Biller) clone() *Biller {
	if b == nil {
		return nil
	}
	c := *b
	return &c
}

func cloneTransactions(list []Transaction) []Transaction {
	list = slices.Clone(list)
	for i := range list {
		list[i].Tags, list[i].Biller = slices.Clone(list[i].Tags), list[i].Biller.clone()
	}
	return list
}
