package basiqtest

import (
	"slices"
	"strings"
)

// Category is a group of an affordability report, by its ID in the API: "EXP-014" is
// gambling. Categories returns all of them.
type Category string

// Categories that tests often need.
const (
	CategoryBenefits    Category = "INC-001"
	CategoryInterest    Category = "INC-004"
	CategorySalary      Category = "INC-009"
	CategoryOtherCredit Category = "INC-007" // credits that are not categorized otherwise
	CategoryATM         Category = "EXP-001"
	CategoryDiningOut   Category = "EXP-008"
	CategoryDishonours  Category = "EXP-009"
	CategoryGambling    Category = "EXP-014"
	CategoryGroceries   Category = "EXP-016"
	CategoryRent        Category = "EXP-030"
	CategorySmallLoans  Category = "EXP-033"
	CategoryOtherDebit  Category = "EXP-039" // debits that are not categorized otherwise
	CategoryUtilities   Category = "EXP-040"

	// CategoryNone keeps a transaction out of all groups of a report.
	CategoryNone Category = "none"
)

// CategoryInfo describes a Category. ID, Title and Sections are the API's. Keywords are
// specific to this package: the API categorizes by means that are not published.
type CategoryInfo struct {
	ID       Category
	Title    string
	Sections []string // of the report
	Keywords []string // words in a description that select the category
}

// Sections of a report, as the API names them.
const (
	incomeSection      = "Income"
	discretionary      = "Discretionary Expenses"
	nonDiscretionary   = "Non-Discretionary Expenses"
	liabilitiesSection = "Liabilities"
	otherExpenses      = "Other Expenses"
	highRisk           = "High Risk Activities"
)

// category is a row of the table of categories.
type category struct {
	id       Category
	title    string
	sections []string
	industry *industry // of merchants that have only a category; nil if there is none
	keywords []string  // in capital letters, with a space before and after each
}

var (
	spending  = []string{discretionary}
	necessary = []string{nonDiscretionary}
	owed      = []string{liabilitiesSection}
	earned    = []string{incomeSection}
	others    = []string{otherExpenses}
	risky     = []string{otherExpenses, highRisk}
)

// categories has the groups of the API's reports, as its description lists them. A
// description belongs to the first category that has one of its words, of those for its
// direction. The order of credits and debits is therefore that of precedence.
var categories = []*category{
	{"INC-016", "Jobseeker", earned, nil, words("JOBSEEKER")},
	{"INC-012", "Youth Allowance", earned, nil, words("YOUTH ALLOWANCE")},
	{"INC-013", "Rental Assistance", earned, nil, words("RENT ASSISTANCE, RENTAL ASSISTANCE")},
	{"INC-018", "Pension", earned, nil, words("PENSION")},
	{"INC-019", "Carers", earned, nil, words("CARER, CARERS")},
	{"INC-021", "Crisis Support", earned, nil, words("CRISIS PAYMENT, DISASTER PAYMENT")},
	{"INC-002", "Child Support Income", earned, nil, words("CHILD SUPPORT")},
	{"INC-020", "Education", earned, nil, words("AUSTUDY, ABSTUDY")},
	{"INC-015", "Medicare", earned, nil, words("MEDICARE")},
	{"INC-014", "Centrelink", earned, nil, words("CENTRELINK")},
	{"INC-001", "Benefits", earned, nil, words("BENEFIT, BENEFITS, FAMILY TAX, SERVICES AUSTRALIA")},
	{"INC-009", "Salary", earned, nil, words("SALARY, WAGE, WAGES, PAYROLL")},
	{"INC-010", "Superannuation Credits", earned, nil, words("SUPERANNUATION")},
	{"INC-003", "Insurance Credits", earned, nil, words("INSURANCE, CLAIM")},
	{"INC-004", "Interest Income", earned, nil, words("INTEREST")},
	{"INC-005", "Investment Income", earned, nil, words("DIVIDEND, DISTRIBUTION")},
	{"INC-008", "Rent & Board Income", earned, nil, words("RENT, BOARD")},
	{"INC-006", "Other Earnings", earned, nil, words("RIDE SHARE, INVOICE, COMMISSION, BONUS")},
	{"INC-007", "Other Credits", earned, nil, nil},

	{"EXP-009", "Dishonours", risky, nil, words("DISHONOUR, DISHONOURED")},
	{"EXP-029", "Redraws", risky, nil, words("REDRAW")},
	{"EXP-003", "Cash Advances", risky, nil, words("CASH ADVANCE")},
	{"EXP-001", "ATM Withdrawals", risky, nil, words("ATM, CASH WITHDRAWAL")},
	{"EXP-006", "Debt Interest Accrual", risky, nil, words("INTEREST CHARGED, INTEREST")},
	{"EXP-032", "Returns & Refunds", others, nil, words("REFUND, REVERSAL")},
	{"EXP-014", "Gambling", []string{discretionary, highRisk}, gamblingShops, words("BET, BETS, BETTING, SPORTSBET, LADBROKES, TABCORP, CASINO, POKIES, LOTTO, LOTTERY, LOTTERIES, WAGER, BOOKMAKER, GAMBLING")},
	{"EXP-033", "Small Amount Lending", owed, lenders, words("PAYDAY LOAN, CASH LOAN, SMALL LOAN, NIMBLE")},
	{"EXP-056", "Mortgage Repayments", owed, nil, words("MORTGAGE, HOME LOAN")},
	{"EXP-023", "Motor Finance", owed, lenders, words("CAR LOAN, MOTOR FINANCE")},
	{"EXP-061", "Credit Card Repayments", owed, nil, words("CREDIT CARD PAYMENT, CARD REPAYMENT")},
	{"EXP-057", "Loan Repayments", owed, nil, words("LOAN REPAYMENT, PERSONAL LOAN, LOAN")},
	{"EXP-005", "Collection Agencies", owed, nil, words("DEBT COLLECTION, COLLECTIONS")},
	{"EXP-025", "Other Finance", owed, lenders, words("AFTERPAY, ZIP PAY, BUY NOW PAY LATER, BNPL")},
	{"EXP-030", "Rent", necessary, landlords, words("RENT, REALTY, REAL ESTATE")},
	{"EXP-016", "Groceries", necessary, groceryShops, words("GROCERY, GROCERIES, GROCER, SUPERMARKET, WOOLWORTHS, COLES, ALDI, IGA")},
	{"EXP-036", "Telecommunication", necessary, phoneCompanies, words("TELSTRA, OPTUS, VODAFONE, PHONE, MOBILE, INTERNET, NBN")},
	{"EXP-040", "Utilities", necessary, powerCompanies, words("ELECTRICITY, ENERGY, GAS BILL, WATER BILL, UTILITIES")},
	{"EXP-021", "Insurance", necessary, insurers, words("INSURANCE")},
	{"EXP-018", "Medical", necessary, doctors, words("PHARMACY, CHEMIST, MEDICAL, DENTAL, DENTIST, DOCTOR, HOSPITAL")},
	{"EXP-011", "Education and Childcare", necessary, childcare, words("CHILDCARE, CHILD CARE, SCHOOL, UNIVERSITY, TUITION")},
	{"EXP-035", "Subscription Media", spending, streaming, words("NETFLIX, SPOTIFY, STAN, DISNEY")},
	{"EXP-051", "Alcohol and Tobacco", spending, liquorShops, words("LIQUOR, BOTTLE SHOP, TOBACCO")},
	{"EXP-008", "Dining Out", spending, cafes, words("CAFE, RESTAURANT, TAKEAWAY, MENULOG, UBER EATS, PIZZA")},
	{"EXP-041", "Vehicle and Transport", spending, fuelShops, words("FUEL, PETROL, UBER, TAXI, PARKING, OPAL, MYKI")},
	{"EXP-017", "Gyms and memberships", spending, gyms, words("GYM, MEMBERSHIP")},
	{"EXP-038", "Travel", spending, hotels, words("HOTEL, FLIGHT, AIRLINE, QANTAS, AIRBNB")},
	{"EXP-007", "Department Stores", spending, departmentStores, words("KMART, BIG W, DEPARTMENT STORE")},
	{"EXP-024", "Online Retail", spending, onlineShops, words("AMAZON, EBAY")},
	{"EXP-055", "Clothing and Footwear", spending, clothesShops, words("CLOTHING, FOOTWEAR, SHOES")},
	{"EXP-010", "Donations", spending, nil, words("DONATION")},
	{"EXP-015", "Government & Council Services", spending, nil, words("COUNCIL RATES, REGO")},
	{"EXP-013", "External Transfers", others, nil, words("TRANSFER, PAYID, OSKO")},

	{"EXP-002", "Automotive", spending, nil, nil},
	{"EXP-004", "Children's Retail", spending, nil, nil},
	{"EXP-012", "Entertainment", spending, nil, nil},
	{"EXP-019", "Home Improvement", spending, nil, nil},
	{"EXP-020", "Insolvency", owed, nil, nil},
	{"EXP-026", "Peer to Peer Finance", owed, nil, nil},
	{"EXP-027", "Personal Care", spending, nil, nil},
	{"EXP-028", "Pet Care", spending, nil, nil},
	{"EXP-031", "Retail", spending, nil, nil},
	{"EXP-034", "Subscription Services", spending, nil, nil},
	{"EXP-037", "Third Party Payment Providers", others, nil, nil},
	{"EXP-039", "Uncategorised Debits", spending, nil, nil},
	{"EXP-052", "Sports and Hobbies", spending, nil, nil},
	{"EXP-054", "Other Categorised", spending, nil, nil},
	{"EXP-058", "Mortgage Transfers", owed, nil, nil},
	{"EXP-062", "Credit Card Transfers", owed, nil, nil},
	{"EXP-063", "Loan Transfers", owed, nil, nil},
}

// words returns the keywords of a list, with a space before and after each.
func words(list string) []string {
	out := strings.Split(list, ", ")
	for i, word := range out {
		out[i] = " " + word + " "
	}
	return out
}

// Categories returns the categories, sorted by ID.
func Categories() []CategoryInfo {
	out := make([]CategoryInfo, len(categories))
	for i, c := range categories {
		out[i] = CategoryInfo{ID: c.id, Title: c.title, Sections: slices.Clone(c.sections)}
		for _, word := range c.keywords {
			out[i].Keywords = append(out[i].Keywords, strings.TrimSpace(word))
		}
	}
	slices.SortFunc(out, func(a, b CategoryInfo) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return out
}

// categoryByID has the categories by ID.
var categoryByID = func() map[Category]*category {
	out := map[Category]*category{}
	for _, c := range categories {
		out[c.id] = c
	}
	return out
}()

// credit reports whether the category is one of money that comes in.
func (c *category) credit() bool { return strings.HasPrefix(string(c.id), "INC-") }

// in reports whether the category is in a section. No category is in none.
func (c *category) in(section string) bool { return c != nil && slices.Contains(c.sections, section) }

// categoryOf returns the category that the words of a description select, or nil.
func categoryOf(description string, credit bool) *category {
	text := spaced(description)
	for _, c := range categories {
		if c.credit() != credit && !(credit && c.id == refunds) {
			continue
		}
		for _, word := range c.keywords {
			if strings.Contains(text, word) {
				return c
			}
		}
	}
	return nil
}

// spaced returns the words of a text in capital letters, with a space before and after
// each.
func spaced(text string) string {
	return " " + strings.Join(strings.FieldsFunc(strings.ToUpper(text), func(r rune) bool {
		return (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	}), " ") + " "
}

// Categories that the class of a transaction selects.
const (
	refunds      Category = "EXP-032"
	debtInterest Category = "EXP-006"
	cashAdvances Category = "EXP-003"
	transfersOut Category = "EXP-013"
	loansRepaid  Category = "EXP-057"
	miscellany   Category = "EXP-054" // categorized, but without a group of its own
)

// category returns the category of a row, or nil if reports leave the row out, such as a
// transfer from another account of the user.
func (r *row) category() *category {
	if r.sorted == nil {
		if r.sorted = r.sort(); r.sorted == nil {
			r.sorted = uncategorized
		}
	}
	if r.sorted == uncategorized {
		return nil
	}
	return r.sorted
}

// uncategorized is the category of rows that reports leave out, once that is known.
var uncategorized = &category{}

func (r *row) sort() *category {
	switch {
	case r.given != nil && r.given.Category == CategoryNone, r.cents == 0:
		return nil
	case r.given != nil && r.given.Category != "":
		return categoryByID[r.given.Category]
	case r.cents > 0:
		return categoryByID[r.creditCategory()]
	}
	return categoryByID[r.debitCategory()]
}

func (r *row) creditCategory() Category {
	switch r.account.class {
	case "credit-card", "mortgage", "loan":
		if r.class != "refund" {
			return "" // a repayment from another account
		}
	}
	switch r.class {
	case "interest":
		return CategoryInterest
	case "refund":
		return refunds
	case "transfer", "loan-repayment":
		return ""
	}
	if c := categoryOf(r.description, true); c != nil {
		return c.id
	}
	return CategoryOtherCredit
}

func (r *row) debitCategory() Category {
	if m := r.merchant; m != nil && m.category != "" {
		return m.category
	}
	switch r.class {
	case "cash-withdrawal":
		if r.account.class == "credit-card" {
			return cashAdvances
		}
		return CategoryATM
	case "loan-interest":
		return debtInterest
	}
	if c := categoryOf(r.description, false); c != nil {
		return c.id
	}
	switch r.class {
	case "bank-fee":
		return miscellany
	case "transfer":
		return transfersOut
	case "loan-repayment":
		return loansRepaid
	}
	return CategoryOtherDebit
}

// income returns the source of an income, or "" if the row is not an income.
func income(r *row) string {
	if c := r.category(); c == nil || !c.credit() {
		return ""
	}
	return r.source()
}

// source returns who paid or was paid: the merchant if the caller gave one, otherwise the
// description.
func (r *row) source() string {
	if r.given != nil && r.merchant != nil && r.merchant.name != "" {
		return r.merchant.name
	}
	return r.description
}

// debits returns the debits of rows that are in a category.
func debits(rows []*row) (out []*row) {
	for _, r := range rows {
		if r.cents < 0 && r.category() != nil {
			out = append(out, r)
		}
	}
	return out
}
