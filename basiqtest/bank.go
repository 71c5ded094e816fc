package basiqtest

import (
	"cmp"
	"hash/fnv"
	"slices"
	"strconv"
)

// Institutions of the sandbox. The API publishes the IDs of Hooli and
// HooliGov; Pied Piper's is known from recorded calls, and Nucleus has one
// here that is this package's own.
const (
	Hooli       = "AU00000" // the standard test bank; statements of it are refused
	PiedPiper   = "AU00002" // always asks a question
	Nucleus     = "AU00003" // asks a question every second time
	HooliGov    = "AU00004" // government
	MyGov       = "AU20700" // government, with statements as a step of its own
	ExampleBank = "AU10001" // a bank whose statements can be uploaded
)

// Login is what a user types on a bank's page in the Consent UI.
type Login struct {
	Institution string // Hooli when empty
	ID          string
	Password    string
	Method      string // how to connect: "web" when empty, or "open-banking"

	// Answers are what the user answers on that page when the bank asks a
	// question. Without them the question stays open in the job, to be answered
	// through the API.
	Answers []string
}

// The sandbox's published logins, at Hooli unless said otherwise. At changes
// the institution.
//
// At a bank that asks, the published answers are "1234" to the code of Jared and
// Richard (and, here, of LaurieBream and AshMann), "Hooli" to the question of
// GavinBelson and Gilfoyle, and "Basiq" and "AU00000" to the two questions of
// Whistler and WentworthSmith.
var (
	WentworthSmith = Login{ID: "Wentworth-Smith", Password: "whislter"}                     // joint account, two salaries, mortgage
	Whistler       = Login{ID: "Whistler", Password: "ShowBox"}                             // buy now, pay later
	Gilfoyle       = Login{ID: "Gilfoyle", Password: "PiedPiper"}                           // unemployment benefits
	GavinBelson    = Login{ID: "gavinBelson", Password: "hooli2016", Institution: HooliGov} // personal loan
	Jared          = Login{ID: "jared", Password: "django"}                                 // income from driving, term deposit
	Richard        = Login{ID: "richard", Password: "tabsnotspaces"}                        // three mortgages
	LaurieBream    = Login{ID: "laurieBream", Password: "business2024"}                     // business consumer consent
	AshMann        = Login{ID: "ashMann", Password: "hooli2024"}                            // gambling
	Bighead        = Login{ID: "bighead", Password: "password"}                             // fails: the login is locked
	Erlich         = Login{ID: "erlich", Password: "aviato"}                                // fails: the user must act at the bank
	JianYang       = Login{ID: "jianYang", Password: "nothotdog"}                           // fails: the bank is not available
)

// At returns the login at another institution.
func (l Login) At(institution string) Login {
	l.Institution = institution
	return l
}

// OpenBanking returns the login for a connection by open banking, which ends
// after a year, and whose dates are those of the bank's clock in UTC.
func (l Login) OpenBanking() Login {
	l.Method = "open-banking"
	return l
}

// Answering returns the login of a user who answers the bank's question on its page.
func (l Login) Answering(answers ...string) Login {
	l.Answers = answers
	return l
}

// failure is why a step fails.
type failure struct{ code, title, detail string }

var (
	badLogin    = &failure{"invalid-credentials", "Cannot log in to the institution", "The login or the password is not right."}
	badAnswer   = &failure{"invalid-credentials", "Cannot log in to the institution", "The answer to the institution's question is not right."}
	lateAnswer  = &failure{"job-timed-out", "The job took too long", "The institution's question was not answered in time."}
	locked      = &failure{"invalid-credentials", "Cannot log in to the institution", "The login is locked."}
	mustAct     = &failure{"account-not-accessible-requires-user-action", "The account cannot be reached", "The user has something to do at the institution first."}
	unavailable = &failure{"service-unavailable", "The institution cannot be reached", "Try again later."}
)

// pay is a regular income.
type pay struct {
	description string
	cents       int64
}

// holding is an account that a persona has.
type holding struct {
	name, class, product string
	cents                int64
	limit                int64
	pay                  pay
	currency             string // AUD when empty
}

// persona is who a login belongs to.
type persona struct {
	password  string
	failure   *failure
	first     string
	last      string
	business  string
	ownership string
	gambles   bool
	questions []string // asked at banks that ask; none for a one-time code
	answers   []string
	holdings  []holding
}

func everyday(cents int64, p pay) holding {
	return holding{name: "Everyday Account", class: "transaction", product: "Everyday", cents: cents, pay: p}
}

var (
	salary  = pay{"SALARY EXAMPLE PTY LTD", 312500}
	savings = holding{name: "Goal Saver", class: "savings", product: "Goal Saver", cents: 1850000}
	card    = holding{name: "Low Rate Card", class: "credit-card", product: "Low Rate", cents: -184250, limit: 600000}
	home    = holding{name: "Home Loan", class: "mortgage", product: "Variable Home Loan", cents: -41200000}
)

// personas are the published logins.
var personas = map[string]*persona{
	"Wentworth-Smith": {password: "whislter", first: "Max", last: "Wentworth-Smith", ownership: "TWO_PARTY",
		questions: []string{"What is the name of the API?", "Which institution is this?"}, answers: []string{"Basiq", "AU00000"},
		holdings: []holding{everyday(425050, pay{"SALARY EXAMPLE PTY LTD", 412500}), {name: "Second Everyday", class: "transaction", product: "Everyday", cents: 98120, pay: pay{"WAGES SAMPLE PTY LTD", 268000}}, savings, home}},
	"Whistler": {password: "ShowBox", first: "Whistler", last: "Smith", ownership: "ONE_PARTY",
		questions: []string{"What is the name of the API?", "Which institution is this?"}, answers: []string{"Basiq", "AU00000"},
		holdings: []holding{everyday(120300, salary), card}},
	"Gilfoyle": {password: "PiedPiper", first: "Bertram", last: "Gilfoyle", ownership: "ONE_PARTY",
		questions: []string{"Which bank is this?"}, answers: []string{"Hooli"},
		holdings: []holding{everyday(31240, pay{"BENEFIT PAYMENT EXAMPLE AGENCY", 72600})}},
	"gavinBelson": {password: "hooli2016", first: "Gavin", last: "Belson", ownership: "ONE_PARTY",
		questions: []string{"Which bank is this?"}, answers: []string{"Hooli"},
		holdings: []holding{everyday(9214500, pay{"SALARY HOOLI", 980000}), {name: "Personal Loan", class: "loan", product: "Personal Loan", cents: -1650000}, card}},
	"jared": {password: "django", first: "Jared", last: "Dunn", ownership: "ONE_PARTY", answers: []string{"1234"},
		holdings: []holding{everyday(254310, pay{"RIDE SHARE PAYMENT", 143800}), {name: "Term Deposit", class: "term-deposit", product: "12 Month Term", cents: 2000000}}},
	"richard": {password: "tabsnotspaces", first: "Richard", last: "Hendricks", ownership: "ONE_PARTY", answers: []string{"1234"},
		holdings: []holding{everyday(732180, salary), home, {name: "Investment Loan 1", class: "mortgage", product: "Fixed Home Loan", cents: -38800000}, {name: "Investment Loan 2", class: "mortgage", product: "Fixed Home Loan", cents: -29900000}}},
	"laurieBream": {password: "business2024", first: "Laurie", last: "Bream", business: "Bream Hall Pty Ltd", ownership: "OTHER",
		holdings: []holding{{name: "Business Account", class: "transaction", product: "Business Everyday", cents: 15520000, pay: pay{"INVOICE PAYMENT CUSTOMER", 1450000}}, {name: "Business Reserve", class: "savings", product: "Business Saver", cents: 40000000}, {name: "US Dollar Account", class: "foreign", product: "Foreign Currency", cents: 1200000, currency: "USD"}}},
	"ashMann": {password: "hooli2024", first: "Ash", last: "Mann", ownership: "ONE_PARTY", gambles: true,
		holdings: []holding{everyday(8420, salary), card}},
	"bighead":  {password: "password", failure: locked},
	"erlich":   {password: "aviato", failure: mustAct},
	"jianYang": {password: "nothotdog", failure: unavailable},
}

// knows returns who the login belongs to, or why it is refused.
func (l Login) knows() (*persona, *failure) {
	p := personas[l.ID]
	switch {
	case p == nil || p.password != l.Password:
		return nil, badLogin
	case p.failure != nil:
		return nil, p.failure
	}
	return p, nil
}

// challenge is a question that a bank asks.
type challenge struct {
	method      string
	description string
	prompts     []string
	answers     []string
}

// question returns what a bank asks the persona, the nth time that it could.
func (i *institution) question(p *persona, nth int) *challenge {
	if p == nil || i.id != PiedPiper && (i.id != Nucleus || nth%2 == 1) {
		return nil
	}
	if len(p.questions) == 0 {
		answers := p.answers
		if answers == nil {
			answers = []string{"1234"}
		}
		return &challenge{"token", "Enter the code that the bank has sent.", []string{"Code"}, answers}
	}
	return &challenge{"security-questions", "Answer the bank's questions.", p.questions, p.answers}
}

func (c *challenge) accepts(answers []string) bool { return slices.Equal(answers, c.answers) }

// institution is a bank that can be connected.
type institution struct {
	id, name, short, kind, tier string
	auth                        string
	methods                     []string
	scopes                      []string
	country                     string
	stage, status               string
}

// institutions are the sandbox's, and a few invented ones that make the list
// of connectors worth filtering.
var institutions = []*institution{
	bank(Hooli, "Hooli", "Test Bank", "user", "web", "open-banking"),
	bank("AU00001", "Example Building Society", "Building Society", "user", "web"),
	bank(PiedPiper, "Pied Piper Bank", "Test Bank", "user-mfa", "web"),
	bank(Nucleus, "Nucleus Bank", "Test Bank", "user-mfa-intermittent", "web"),
	bank(HooliGov, "HooliGov", "Government", "user", "web"),
	bank(ExampleBank, "Example Bank", "Bank", "user", "web", "open-banking", "pdf", "csv"),
	bank("AU10002", "Sample Credit Union", "Credit Union", "user", "web", "pdf"),
	bank(MyGov, "myGov Example", "Government", "user-mfa", "web"),
	bank("NZ00001", "Example Bank New Zealand", "Bank (Foreign)", "token", "web"),
}

func bank(id, name, kind, auth string, methods ...string) *institution {
	i := &institution{
		id: id, name: name, short: name, kind: kind, tier: "4", auth: auth, methods: methods,
		scopes: []string{"accounts", "transactions", "profile"}, country: "Australia", stage: "live", status: "operational",
	}
	if kind == "Test Bank" || kind == "Bank" {
		i.tier = "1"
	}
	if id[:2] == "NZ" {
		i.country, i.stage, i.status = "New Zealand", "beta", "degraded-performance"
	}
	return i
}

func institutionOf(id string) *institution {
	for _, i := range institutions {
		if i.id == id {
			return i
		}
	}
	return nil
}

// account is an account at a bank.
type account struct {
	id       string
	conn     *connection
	holder   string
	name     string
	class    string
	product  string
	currency string
	number   string
	owner    string
	balance  int64
	limit    int64
	pay      pay
	gambles  bool
	created  string
	updated  string
	from, to string

	posted, pending []*row // newest first
}

// weight is an account's share of its connection's transactions.
func (a *account) weight() int {
	switch a.class {
	case "transaction":
		return 6
	case "credit-card":
		return 4
	}
	return 1
}

// open makes the account of a holding.
func (h holding) open(seed uint64, c *connection, p *persona, nth int) *account {
	key := hash(seed, c.id, h.name, strconv.Itoa(nth))
	f := fnv.New32a()
	_, _ = f.Write(strconv.AppendUint(nil, key, 10))
	holder := p.first + " " + p.last
	if p.business != "" {
		holder = p.business
	}
	digits := strconv.Itoa(100000000 + int(f.Sum32()%899999999))
	return &account{
		id: string(appendUUID(nil, key, hash(key))), conn: c, holder: holder, name: h.name, class: h.class, product: h.product,
		currency: cmp.Or(h.currency, "AUD"), number: digits, owner: p.ownership, balance: h.cents, limit: h.limit, pay: h.pay, gambles: p.gambles,
	}
}
