package basiqtest

import (
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/basiq-sdk/basiq-go/generated/data"
)

// Limits of a customer's data.
const (
	minNumber, maxNumber = 4, 19 // digits of an account number
	maxText              = 1000  // characters
	maxDaysAgo           = 20 * 366
	minYear              = 1900
)

// invalidField is the error of a field, with the path to it: "Accounts[0].Class".
func invalidField(field, format string, args ...any) error {
	return fmt.Errorf("%s: %s", field, fmt.Sprintf(format, args...))
}

// inPart adds to an error the part that the field belongs to.
func inPart(part string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s.%w", part, err)
}

// check returns an error that names the first field that is not valid.
func (d BankData) check() error {
	for i, a := range d.Accounts {
		if err := inPart(fmt.Sprintf("Accounts[%d]", i), a.check()); err != nil {
			return err
		}
	}
	for i, who := range d.Identities {
		if err := inPart(fmt.Sprintf("Identities[%d]", i), who.check()); err != nil {
			return err
		}
	}
	for i, p := range d.Payees {
		if err := inPart(fmt.Sprintf("Payees[%d]", i), p.check()); err != nil {
			return err
		}
	}
	return nil
}

// latest returns an error if a posted transaction is dated in the future. Dates can be a
// day ahead, because banks are ahead of UTC.
func (d BankData) latest(now time.Time) error {
	for i, a := range d.Accounts {
		if err := inPart(fmt.Sprintf("Accounts[%d]", i), latest(a.Transactions, now)); err != nil {
			return err
		}
	}
	return nil
}

func latest(list []Transaction, now time.Time) error {
	for i, t := range list {
		if t.Date.After(now.AddDate(0, 0, 1)) {
			return inPart(fmt.Sprintf("Transactions[%d]", i), invalidField("Date", "%s is after the server's time, %s: set the time with WithNow, move it with Advance, or use DaysAgo",
				t.Date.Format(time.DateOnly), now.Format(time.DateOnly)))
		}
	}
	return nil
}

func (a Account) check() error {
	switch {
	case a.Class != "" && !a.Class.Known():
		return invalidField("Class", "%q is not an account class%s: use an AccountKind constant of package data", a.Class, suggest(string(a.Class), accountClasses))
	case a.Ownership != "" && !a.Ownership.Known():
		return invalidField("Ownership", "%q is not valid: use an Ownership constant of package data", a.Ownership)
	case a.Currency != "" && !isCurrency(a.Currency):
		return invalidField("Currency", "%q is not an ISO 4217 code, which has three capital letters", a.Currency)
	case a.BSB != "" && (len(a.BSB) != len(bsb) || digits(a.BSB) != a.BSB):
		return invalidField("BSB", "%q must have six digits", a.BSB)
	case a.Number != "" && (digits(a.Number) != a.Number || len(a.Number) < minNumber || len(a.Number) > maxNumber):
		return invalidField("Number", "%q must have from %d to %d digits", a.Number, minNumber, maxNumber)
	}
	for _, f := range []struct{ name, text string }{{"Name", a.Name}, {"DisplayName", a.DisplayName}, {"Holder", a.Holder}} {
		if err := checkText(f.name, f.text); err != nil {
			return err
		}
	}
	for _, f := range []struct{ name, amount string }{{"Balance", a.Balance}, {"Available", a.Available}, {"CreditLimit", a.CreditLimit}} {
		n, valid := centsOf(f.amount)
		switch {
		case f.amount == "":
		case !valid:
			return invalidField(f.name, "%q is not a number with up to two decimals", f.amount)
		case n < 0 && f.name != "Balance":
			return invalidField(f.name, "%q must not be negative", f.amount)
		}
	}
	for i, t := range a.Transactions {
		err := t.check()
		if t.AccountID != "" {
			err = invalidField("AccountID", "it must be empty: the transaction belongs to the account that contains it")
		}
		if err != nil {
			return inPart(fmt.Sprintf("Transactions[%d]", i), err)
		}
	}
	return nil
}

func (t Transaction) check() error {
	cents, valid := centsOf(t.Amount)
	switch {
	case t.Amount == "":
		return invalidField("Amount", "it is required")
	case !valid:
		return invalidField("Amount", "%q is not a number with up to two decimals", t.Amount)
	case t.Direction != "" && !t.Direction.Known():
		return invalidField("Direction", "%q is not valid: use credit, debit, or leave it empty", t.Direction)
	case t.Direction == data.DirectionCredit && cents < 0:
		return invalidField("Direction", "credit contradicts the negative amount %s", t.Amount)
	case t.Class != "" && !t.Class.Known():
		return invalidField("Class", "%q is not a transaction class%s: use a TransactionClass constant of package data", t.Class, suggest(string(t.Class), transactionClasses))
	case t.DaysAgo < 0 || t.DaysAgo > maxDaysAgo:
		return invalidField("DaysAgo", "%d must be from 0 to %d", t.DaysAgo, maxDaysAgo)
	case !t.Date.IsZero() && t.Date.Year() < minYear:
		return invalidField("Date", "%s is before the year %d", t.Date.Format(time.DateOnly), minYear)
	case t.DaysAgo > 0 && !t.Date.IsZero():
		return invalidField("DaysAgo", "it cannot be combined with Date")
	}
	if t.Category != "" && t.Category != CategoryNone {
		c := categoryByID[t.Category]
		switch {
		case c == nil:
			return invalidField("Category", "%q is not the ID of a group of a report%s: see Categories", t.Category, suggestCategory(string(t.Category)))
		case c.credit() != (t.cents() > 0) && c.id != refunds:
			return invalidField("Category", "%s (%s) contradicts the direction of the amount %s", c.id, c.title, t.Amount)
		}
	}
	for _, f := range []struct{ name, text string }{{"Description", t.Description}, {"Reference", t.Reference}, {"Merchant", t.Merchant}, {"CleanDescription", t.CleanDescription}} {
		if err := checkText(f.name, f.text); err != nil {
			return err
		}
	}
	return inPart("Biller", t.Biller.check())
}

func (b *Biller) check() error {
	switch {
	case b == nil:
		return nil
	case b.Code == "" || digits(b.Code) != b.Code:
		return invalidField("Code", "%q must have digits only", b.Code)
	case b.Name == "":
		return invalidField("Name", "it is required")
	}
	return checkText("Name", b.Name)
}

func (i Identity) check() error {
	if _, err := time.Parse(time.DateOnly, i.DateOfBirth); i.DateOfBirth != "" && err != nil {
		return invalidField("DateOfBirth", "%q does not have the form YYYY-MM-DD", i.DateOfBirth)
	}
	for n, email := range i.Emails {
		if a, err := mail.ParseAddress(email); err != nil || a.Address != email {
			return invalidField(fmt.Sprintf("Emails[%d]", n), "%q is not an email address", email)
		}
	}
	for n, phone := range i.Phones {
		if !isMobile(phone) {
			return invalidField(fmt.Sprintf("Phones[%d]", n), "%q is not a telephone number, such as +61400000000", phone)
		}
	}
	for n, a := range i.Addresses {
		if a.Postcode != "" && (len(a.Postcode) != 4 || digits(a.Postcode) != a.Postcode) {
			return inPart(fmt.Sprintf("Addresses[%d]", n), invalidField("Postcode", "%q must have four digits", a.Postcode))
		}
	}
	if i.ABN != "" && (len(i.ABN) != 11 || digits(i.ABN) != i.ABN) {
		return invalidField("ABN", "%q must have eleven digits", i.ABN)
	}
	for _, f := range []struct{ name, text string }{{"FirstName", i.FirstName}, {"MiddleName", i.MiddleName}, {"LastName", i.LastName}, {"Business", i.Business}} {
		if err := checkText(f.name, f.text); err != nil {
			return err
		}
	}
	return nil
}

func (p Payee) check() error {
	switch {
	case p.BSB != "" && (len(p.BSB) != len(bsb) || digits(p.BSB) != p.BSB):
		return invalidField("BSB", "%q must have six digits", p.BSB)
	case p.Number != "" && digits(p.Number) != p.Number:
		return invalidField("Number", "%q must have digits only", p.Number)
	case p.Biller != nil && (p.Number != "" || p.BSB != ""):
		return invalidField("Biller", "it cannot be combined with BSB and Number")
	}
	return inPart("Biller", p.Biller.check())
}

func checkText(field, text string) error {
	switch {
	case len(text) > maxText:
		return invalidField(field, "it has %d bytes: the maximum is %d", len(text), maxText)
	case strings.ToValidUTF8(text, "") != text:
		return invalidField(field, "it is not valid UTF-8")
	}
	return nil
}

func isCurrency(text string) bool {
	return len(text) == 3 && !strings.ContainsFunc(text, func(r rune) bool { return r < 'A' || r > 'Z' })
}

// Names that misspelled values are compared with.
var (
	accountClasses = []string{
		string(data.AccountKindTransaction), string(data.AccountKindSavings), string(data.AccountKindCreditCard), string(data.AccountKindMortgage),
		string(data.AccountKindLoan), string(data.AccountKindInvestment), string(data.AccountKindTermDeposit), string(data.AccountKindInsurance), string(data.AccountKindForeign),
	}
	transactionClasses = []string{
		string(data.TransactionClassBankFee), string(data.TransactionClassCashWithdrawal), string(data.TransactionClassDirectCredit),
		string(data.TransactionClassInterest), string(data.TransactionClassLoanInterest), string(data.TransactionClassLoanRepayment),
		string(data.TransactionClassPayment), string(data.TransactionClassRefund), string(data.TransactionClassTransfer),
	}
)

// suggestCategory is suggest for a category, which may have been given by its title.
func suggestCategory(name string) string {
	ids, titles := []string{string(CategoryNone)}, []string{}
	for _, c := range categories {
		ids, titles = append(ids, string(c.id)), append(titles, c.title)
	}
	if title := nearest(name, titles); title != "" {
		return fmt.Sprintf("; the nearest is %q (%s)", categories[slices.Index(titles, title)].id, title)
	}
	return suggest(name, ids)
}

// suggest returns a hint at the name that is nearest to a misspelled one, or "" if none
// is near.
func suggest(name string, names []string) string {
	if near := nearest(name, names); near != "" {
		return fmt.Sprintf("; the nearest is %q", near)
	}
	return ""
}

// nearest returns the name with the fewest edits from a misspelled one, whatever their
// case. It returns "" if more than half of the name would have to be edited.
func nearest(name string, names []string) string {
	if len(name) > maxText {
		return "" // no name is near, and it would take long to find out
	}
	found, fewest := "", len(name)/2+1
	for _, n := range names {
		if d := edits(strings.ToLower(name), strings.ToLower(n)); d < fewest {
			found, fewest = n, d
		}
	}
	return found
}

// edits returns how many bytes must be inserted, removed or replaced to turn a into b.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := before
			if a[i] != b[j] {
				cost = min(before, row[j], row[j+1]) + 1
			}
			before, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
